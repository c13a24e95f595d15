//! Filter and project, as operators over vectors of rows.

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use differential_dataflow::AsCollection;
use millrace_bench_input::Stopwatch;
use millrace_bench_input::answer::{hash_decimal, hash_i64, hash_text};
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

/// Auction, bidder, price, time and text.
type Bid = (i64, i64, i64, i64, String);

/// q0 as it is, q1 with prices in thousandths of a euro.
pub(crate) fn bids(worker: &mut Worker, run: &Run, input: &Given, clock: &mut Stopwatch, in_euros: bool) {
    let mut bids = Input::<Bid>::new_with_builder();
    worker.dataflow::<Time, _, _>(|scope| {
        let rows = bids.to_stream(scope).as_collection();
        if in_euros {
            let out = rows.map(|(auction, bidder, price, at, extra)| (auction, bidder, price * 908, at, extra));
            run.sink(out.inner, |(auction, bidder, price, at, extra)| {
                let row = hash_decimal(hash_i64(hash_i64(0, *auction), *bidder), (*price).into(), 3);
                hash_text(hash_i64(row, *at), extra)
            });
        } else {
            run.sink(rows.inner, |(auction, bidder, price, at, extra)| {
                hash_text([auction, bidder, price, at].iter().fold(0, |h, x| hash_i64(h, **x)), extra)
            });
        }
    });
    run.drive(worker, input, clock, |time, tick, share| {
        let [auction, bidder, price, at] = [0, 1, 2, 3].map(|c| tick[0].column(c).as_primitive::<Int64Type>().values());
        let extra = tick[0].column(4).as_string::<i32>();
        for i in share.of(auction.len()) {
            bids.send(((auction[i], bidder[i], price[i], at[i], extra.value(i).to_owned()), time, 1));
        }
        bids.advance_to(time + 1);
        bids.flush();
    });
}

pub(crate) fn q2(worker: &mut Worker, run: &Run, input: &Given, clock: &mut Stopwatch) {
    let mut bids = Input::<(i64, i64)>::new_with_builder();
    worker.dataflow::<Time, _, _>(|scope| {
        let out = bids.to_stream(scope).as_collection().filter(|(auction, _)| auction % 123 == 0);
        run.sink(out.inner, |(auction, price)| hash_i64(hash_i64(0, *auction), *price));
    });
    run.drive(worker, input, clock, |time, tick, share| {
        let [auction, price] = [0, 1].map(|c| tick[0].column(c).as_primitive::<Int64Type>().values());
        for i in share.of(auction.len()) {
            bids.send(((auction[i], price[i]), time, 1));
        }
        bids.advance_to(time + 1);
        bids.flush();
    });
}
