//! Count and sum per key and tumbling window; the sum of NULLs alone is NULL.

use dbsp::RootCircuit;
use dbsp::utils::Tup2;
use millrace_bench_input::answer::{hash_i64, hash_opt_i64};

use super::Given;
use super::ivm_aggregate::{answer_of, sum_of};
use crate::input::{Feed, nullable, number, pairs_of};
use crate::sink::Sink;

const WINDOW_MS: i64 = 10_000;

pub(super) fn build(root: &mut RootCircuit, _given: Given, sink: &Sink) -> Feed {
    let (events, handle) = root.add_input_indexed_zset::<Tup2<i64, i64>, Option<i64>>();
    let sums = events.aggregate_linear_postprocess(sum_of, answer_of);
    sink.pairs(&sums, |Tup2(start, k), Tup2(n, total)| {
        let h = hash_opt_i64(hash_i64(hash_i64(0, *k), *n), *total);
        hash_i64(hash_i64(h, *start), start + WINDOW_MS)
    });
    Box::new(move |tick| {
        let (k, time) = (number(&tick[0], 0), number(&tick[0], 2));
        pairs_of(
            &handle,
            &tick[0],
            |i| (time[i], k[i], nullable(&tick[0], 1, i)),
            |(time, k, v)| Some((Tup2(time.div_euclid(WINDOW_MS) * WINDOW_MS, k), v)),
        )
    })
}
