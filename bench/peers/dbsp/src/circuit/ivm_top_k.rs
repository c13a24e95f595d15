//! The hundred largest; of equal ones the smaller id. One group, so one worker has it.

use dbsp::RootCircuit;
use dbsp::utils::Tup3;
use millrace_bench_input::answer::{hash_i64, hash_opt_text};

use super::Given;
use crate::input::{Feed, nullable, nullable_text, number, pairs_of};
use crate::sink::Sink;

/// How many.
const LIMIT: usize = 100;

/// The value; the id with all bits turned over, so that the smaller comes later; the name.
type Fact = Tup3<i64, i64, Option<String>>;

pub(super) fn build(root: &mut RootCircuit, _given: Given, sink: &Sink) -> Feed {
    let (facts, handle) = root.add_input_indexed_zset::<(), Fact>();
    sink.pairs(&facts.topk_desc(LIMIT), |(), Tup3(v, turned, name)| {
        hash_i64(hash_opt_text(hash_i64(0, !turned), name.as_deref()), *v)
    });
    Box::new(move |tick| {
        let id = number(&tick[0], 0);
        pairs_of(
            &handle,
            &tick[0],
            |i| (nullable(&tick[0], 2, i), !id[i], nullable_text(&tick[0], 1, i)),
            |(v, turned, name)| v.map(|v| ((), Tup3(v, turned, name))),
        )
    })
}
