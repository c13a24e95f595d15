//! Nexmark q5, q7, q8 and q9.

use std::cmp::Reverse;

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use differential_dataflow::AsCollection;
use differential_dataflow::operators::{CountTotal, ThresholdTotal};
use millrace_bench_input::Stopwatch;
use millrace_bench_input::answer::{hash_i64, hash_text};
use millrace_data::Batch;
use timely::worker::Worker;

use super::{Input, Max, Run, Time};
use crate::measure::Input as Given;

fn int(batch: &Batch, c: usize, i: usize) -> i64 {
    batch.column(c).as_primitive::<Int64Type>().value(i)
}

fn text(batch: &Batch, c: usize, i: usize) -> String {
    batch.column(c).as_string::<i32>().value(i).to_owned()
}

pub(crate) fn q5(worker: &mut Worker, run: &Run, input: &Given, clock: &mut Stopwatch) {
    let mut bids = Input::<(i64, i64)>::new_with_builder();
    worker.dataflow::<Time, _, _>(|scope| {
        let hopped = bids.to_stream(scope).as_collection();
        let hopped = hopped.flat_map(|(pane, auction)| (0..5).map(move |back| (pane - back, auction)));
        let counts = hopped.count_total().map(|((window, auction), n)| (window, (n as i64, auction)));
        let most = counts.reduce(|_, values, out| {
            let most = values.last().map_or(0, |((n, _), _)| *n);
            let best = values.iter().rev().take_while(|((n, _), _)| *n == most);
            out.extend(best.map(|(value, _)| (**value, 1isize)));
        });
        run.sink(most.inner, |(_, (n, auction))| hash_i64(hash_i64(0, *auction), *n));
    });
    run.drive(worker, input, clock, |time, tick, share| {
        for i in share.of(tick[0].len()) {
            bids.send(((int(&tick[0], 1, i) / 2_000, int(&tick[0], 0, i)), time, 1));
        }
        bids.advance_to(time + 1);
        bids.flush();
    });
}

/// Auction, bidder, time and text of a bid.
type Bid = (i64, i64, i64, String);

pub(crate) fn q7(worker: &mut Worker, run: &Run, input: &Given, clock: &mut Stopwatch) {
    let mut bids = Input::<(i64, Bid)>::new_with_builder();
    worker.dataflow::<Time, _, _>(|scope| {
        let bids = bids.to_stream(scope).as_collection();
        let prices = bids.clone().inner;
        let highest = windows(prices).count_total().map(|(end, max)| (max.0, end));
        let out = bids.arrange_by_key().join_core(highest.arrange_by_key(), |price, bid, end| {
            let inside = bid.2 >= end - 10_000 && bid.2 <= *end;
            inside.then(|| (bid.0, *price, bid.1, bid.2, bid.3.clone()))
        });
        run.sink(out.inner, |(auction, price, bidder, at, extra)| {
            let numbers = [auction, price, bidder, at].iter().fold(0, |h, x| hash_i64(h, **x));
            hash_text(numbers, extra)
        });
    });
    run.drive(worker, input, clock, |time, tick, share| {
        for i in share.of(tick[0].len()) {
            let [auction, bidder, price, at] = [0, 1, 2, 3].map(|c| int(&tick[0], c, i));
            bids.send(((price, (auction, bidder, at, text(&tick[0], 4, i))), time, 1));
        }
        bids.advance_to(time + 1);
        bids.flush();
    });
}

/// A bid by its price, as it comes.
type Update = ((i64, Bid), Time, isize);

/// The end of each bid's window, with its price as the difference.
fn windows(
    bids: timely::dataflow::Stream<'_, Time, Vec<Update>>,
) -> differential_dataflow::VecCollection<'_, Time, i64, Max> {
    use timely::dataflow::operators::vec::Map;
    bids.map(|((price, bid), time, _)| ((bid.2 / 10_000 + 1) * 10_000, time, Max(price))).as_collection()
}

pub(crate) fn q8(worker: &mut Worker, run: &Run, input: &Given, clock: &mut Stopwatch) {
    let mut people = Input::<((i64, i64), String)>::new_with_builder();
    let mut auctions = Input::<(i64, i64)>::new_with_builder();
    worker.dataflow::<Time, _, _>(|scope| {
        let people = people.to_stream(scope).as_collection().distinct_total().arrange_by_key();
        let sellers = auctions.to_stream(scope).as_collection().distinct_total().arrange_by_self();
        let out = people.join_core(sellers, |(id, start), name, ()| Some((*id, name.clone(), *start)));
        run.sink(out.inner, |(id, name, start)| hash_i64(hash_text(hash_i64(0, *id), name), *start));
    });
    run.drive(worker, input, clock, |time, tick, share| {
        for i in share.of(tick[0].len()) {
            let start = int(&tick[0], 2, i) / 10_000 * 10_000;
            people.send((((int(&tick[0], 0, i), start), text(&tick[0], 1, i)), time, 1));
        }
        for i in share.of(tick[1].len()) {
            auctions.send(((int(&tick[1], 0, i), int(&tick[1], 1, i) / 10_000 * 10_000), time, 1));
        }
        people.advance_to(time + 1);
        people.flush();
        auctions.advance_to(time + 1);
        auctions.flush();
    });
}

/// The columns of an auction: its numbers, then its texts.
type Auction = ([i64; 6], [String; 3]);
/// A bid, the best first.
type Rank = (Reverse<i64>, i64, i64, String);

pub(crate) fn q9(worker: &mut Worker, run: &Run, input: &Given, clock: &mut Stopwatch) {
    let mut auctions = Input::<(i64, Auction)>::new_with_builder();
    let mut bids = Input::<(i64, Rank)>::new_with_builder();
    worker.dataflow::<Time, _, _>(|scope| {
        let auctions = auctions.to_stream(scope).as_collection().arrange_by_key();
        let bids = bids.to_stream(scope).as_collection().arrange_by_key();
        let open = auctions.clone().join_core(bids, |id, auction, bid| {
            let [_, _, from, to, ..] = auction.0;
            (bid.1 >= from && bid.1 <= to).then(|| (*id, bid.clone()))
        });
        // only bids are ranked; the auction's own columns are joined to the winner
        let won = open.reduce(|_, bids, out| out.extend(bids.first().map(|(bid, _)| ((*bid).clone(), 1isize))));
        let out =
            won.arrange_by_key().join_core(auctions, |id, bid, auction| Some((*id, auction.clone(), bid.clone())));
        run.sink(out.inner, |(id, (numbers, texts), (price, at, bidder, extra))| {
            let [initial, reserve, from, to, seller, category] = numbers;
            let mut row = hash_i64(0, *id);
            row = hash_text(hash_text(row, &texts[0]), &texts[1]);
            row = [initial, reserve, from, to, seller, category].iter().fold(row, |h, x| hash_i64(h, **x));
            row = hash_text(row, &texts[2]);
            row = [id, bidder, &price.0, at].iter().fold(row, |h, x| hash_i64(h, **x));
            hash_text(row, extra)
        });
    });
    run.drive(worker, input, clock, |time, tick, share| {
        for i in share.of(tick[0].len()) {
            let numbers = [3, 4, 5, 6, 7, 8].map(|c| int(&tick[0], c, i));
            let texts = [1, 2, 9].map(|c| text(&tick[0], c, i));
            auctions.send(((int(&tick[0], 0, i), (numbers, texts)), time, 1));
        }
        for i in share.of(tick[1].len()) {
            let [auction, bidder, price, at] = [0, 1, 2, 3].map(|c| int(&tick[1], c, i));
            bids.send(((auction, (Reverse(price), at, bidder, text(&tick[1], 4, i))), time, 1));
        }
        auctions.advance_to(time + 1);
        auctions.flush();
        bids.advance_to(time + 1);
        bids.flush();
    });
}
