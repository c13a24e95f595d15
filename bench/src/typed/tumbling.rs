//! Rows per key and window: the count is the difference.

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use differential_dataflow::AsCollection;
use differential_dataflow::operators::CountTotal;
use millrace_bench_input::Stopwatch;
use millrace_bench_input::answer::hash_i64;
use timely::worker::Worker;

use super::{Input, Run, Time};
use crate::measure::Input as Given;

pub(crate) fn run(worker: &mut Worker, run: &Run, input: &Given, clock: &mut Stopwatch) {
    let mut events = Input::<(i64, i64)>::new_with_builder();
    worker.dataflow::<Time, _, _>(|scope| {
        let counts = events.to_stream(scope).as_collection().count_total();
        run.sink(counts.inner, |((window, key), n)| {
            let row = hash_i64(hash_i64(0, *key), *n as i64);
            hash_i64(hash_i64(row, *window), *window + 10_000)
        });
    });
    run.drive(worker, input, clock, |time, tick, share| {
        let [key, at] = [0, 1].map(|c| tick[0].column(c).as_primitive::<Int64Type>().values());
        for i in share.of(key.len()) {
            events.send(((at[i] / 10_000 * 10_000, key[i]), time, 1));
        }
        events.advance_to(time + 1);
        events.flush();
    });
}
