//! Rows per key and tumbling window.

use dbsp::RootCircuit;
use dbsp::utils::Tup2;
use millrace_bench_input::answer::hash_i64;

use super::Given;
use crate::input::{Feed, numbers, rows_of};
use crate::sink::Sink;

const WINDOW_MS: i64 = 10_000;

pub(super) fn build(root: &mut RootCircuit, _given: Given, sink: &Sink) -> Feed {
    let (events, handle) = root.add_input_zset::<Tup2<i64, i64>>();
    sink.pairs(&events.weighted_count(), |Tup2(start, key), n| {
        hash_i64(hash_i64(hash_i64(hash_i64(0, *key), *n), *start), start + WINDOW_MS)
    });
    Box::new(move |tick| {
        let [key, time] = numbers::<2>(&tick[0]);
        rows_of(
            &handle,
            &tick[0],
            |i| (time[i], key[i]),
            |(time, key)| Some(Tup2(time.div_euclid(WINDOW_MS) * WINDOW_MS, key)),
        )
    })
}
