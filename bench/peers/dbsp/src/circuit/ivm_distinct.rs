//! Distinct.

use dbsp::RootCircuit;
use millrace_bench_input::answer::hash_i64;

use super::Given;
use crate::input::{Feed, number, rows};
use crate::sink::Sink;

pub(super) fn build(root: &mut RootCircuit, _given: Given, sink: &Sink) -> Feed {
    let (facts, handle) = root.add_input_zset::<i64>();
    sink.rows(&facts.distinct(), |g| hash_i64(0, *g));
    Box::new(move |tick| {
        let g = number(&tick[0], 1);
        rows(&handle, &tick[0], |i| g[i])
    })
}
