//! Filter and project, as operators over vectors of rows.

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use differential_dataflow::AsCollection;
use millrace_bench_input::Stopwatch;
use millrace_bench_input::answer::hash_i64;
use timely::worker::Worker;

use super::{Input, Run, Time};
use crate::measure::Input as Given;

pub(crate) fn run(worker: &mut Worker, run: &Run, input: &Given, clock: &mut Stopwatch) {
    let mut bids = Input::<(i64, i64, i64)>::new_with_builder();
    worker.dataflow::<Time, _, _>(|scope| {
        let rows = bids.to_stream(scope).as_collection();
        let out = rows
            .filter(|(auction, _, price)| *price > 100_000 && auction % 4 != 0)
            .map(|(auction, bidder, price)| (auction, price * 89 / 100, bidder));
        run.sink(out.inner, |(a, e, b)| hash_i64(hash_i64(hash_i64(0, *a), *e), *b));
    });
    run.drive(worker, input, clock, |time, tick, share| {
        let [auction, bidder, price] = [0, 1, 2].map(|c| tick[0].column(c).as_primitive::<Int64Type>().values());
        for i in share.of(auction.len()) {
            bids.send(((auction[i], bidder[i], price[i]), time, 1));
        }
        bids.advance_to(time + 1);
        bids.flush();
    });
}
