//! Maximum per group; NULL is below every value.

use dbsp::RootCircuit;
use dbsp::operator::Max;
use millrace_bench_input::answer::{hash_i64, hash_opt_i64};

use super::Given;
use crate::input::{Feed, nullable, number, pairs};
use crate::sink::Sink;

pub(super) fn build(root: &mut RootCircuit, _given: Given, sink: &Sink) -> Feed {
    let (facts, handle) = root.add_input_indexed_zset::<i64, Option<i64>>();
    sink.pairs(&facts.aggregate(Max), |g, v| hash_opt_i64(hash_i64(0, *g), *v));
    Box::new(move |tick| {
        let g = number(&tick[0], 1);
        pairs(&handle, &tick[0], |i| (g[i], nullable(&tick[0], 2, i)))
    })
}
