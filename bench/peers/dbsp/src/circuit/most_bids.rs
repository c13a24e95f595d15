//! The most bids that an auction has, per tumbling window: two aggregates on top of each other.

use dbsp::RootCircuit;
use dbsp::operator::Max;
use dbsp::utils::Tup2;
use millrace_bench_input::answer::hash_i64;

use super::Given;
use crate::input::{Feed, numbers, rows_of};
use crate::sink::Sink;

const WINDOW_MS: i64 = 10_000;

pub(super) fn build(root: &mut RootCircuit, _given: Given, sink: &Sink) -> Feed {
    let (bids, handle) = root.add_input_zset::<Tup2<i64, i64>>();
    let counts = bids.weighted_count().map_index(|(Tup2(window, _), n)| (*window, *n));
    sink.pairs(&counts.aggregate(Max), |window, n| hash_i64(hash_i64(0, *window), *n));
    Box::new(move |tick| {
        let [auction, time] = numbers::<2>(&tick[0]);
        rows_of(
            &handle,
            &tick[0],
            |i| (time[i], auction[i]),
            |(time, auction)| Some(Tup2(time.div_euclid(WINDOW_MS), auction)),
        )
    })
}
