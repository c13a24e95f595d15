//! Nexmark q3 and q4, and the most bids per window.

use arrow::array::AsArray;
use arrow::datatypes::Int64Type;
use differential_dataflow::AsCollection;
use differential_dataflow::consolidation::ConsolidatingContainerBuilder;
use differential_dataflow::operators::CountTotal;
use differential_dataflow::operators::join::join_traces;
use millrace_bench_input::Stopwatch;
use millrace_bench_input::answer::{hash_i64, hash_text};
use millrace_data::Batch;
use timely::container::PushInto;
use timely::worker::Worker;

use super::{Input, Max, Run, SumCount, Time};
use crate::measure::Input as Given;

fn numbers<const N: usize>(batch: &Batch) -> [&[i64]; N] {
    std::array::from_fn(|c| &batch.column(c).as_primitive::<Int64Type>().values()[..])
}

pub(crate) fn q3(worker: &mut Worker, run: &Run, input: &Given, clock: &mut Stopwatch) {
    let mut auctions = Input::<(i64, i64)>::new_with_builder();
    let mut people = Input::<(i64, (String, String, String))>::new_with_builder();
    worker.dataflow::<Time, _, _>(|scope| {
        let a = auctions.to_stream(scope).as_collection().arrange_by_key();
        let p = people.to_stream(scope).as_collection().arrange_by_key();
        let out = a.join_core(p, |_, id, (name, city, state)| Some((name.clone(), city.clone(), state.clone(), *id)));
        run.sink(out.inner, |(name, city, state, id)| {
            let texts = [name, city, state].iter().fold(0, |h, t| hash_text(h, t));
            hash_i64(texts, *id)
        });
    });
    run.drive(worker, input, clock, |time, tick, share| {
        let [id, seller, category] = numbers::<3>(&tick[0]);
        for i in share.of(id.len()) {
            if category[i] == 10 {
                auctions.send(((seller[i], id[i]), time, 1));
            }
        }
        let ids = tick[1].column(0).as_primitive::<Int64Type>();
        let [name, city, state] = [1, 2, 3].map(|c| tick[1].column(c).as_string::<i32>());
        for i in share.of(ids.len()) {
            if matches!(state.value(i), "OR" | "ID" | "CA") {
                let row = (name.value(i).to_owned(), city.value(i).to_owned(), state.value(i).to_owned());
                people.send(((ids.value(i), row), time, 1));
            }
        }
        auctions.advance_to(time + 1);
        auctions.flush();
        people.advance_to(time + 1);
        people.flush();
    });
}

pub(crate) fn q4(worker: &mut Worker, run: &Run, input: &Given, clock: &mut Stopwatch) {
    let mut auctions = Input::<(i64, (i64, i64, i64))>::new_with_builder();
    let mut bids = Input::<(i64, (i64, i64))>::new_with_builder();
    worker.dataflow::<Time, _, _>(|scope| {
        let a = auctions.to_stream(scope).as_collection().arrange_by_key();
        let b = bids.to_stream(scope).as_collection().arrange_by_key();
        type Out = ConsolidatingContainerBuilder<Vec<((i64, i64), Time, Max)>>;
        let joined = join_traces::<_, _, _, _, Out>(a, b, "Join", |id, auction, bid, time, _, _, out| {
            let (category, from, to) = *auction;
            let (price, at) = *bid;
            if at >= from && at <= to {
                out.push_into(((*id, category), time, Max(price)));
            }
        });
        let highest = joined.as_collection().count_total();
        let sums = highest.explode(|((_, category), max)| Some((category, SumCount(max.0, 1))));
        let means = sums.count_total();
        run.sink(means.inner, |(category, s)| hash_i64(hash_i64(0, *category), s.0 / s.1.max(1)));
    });
    run.drive(worker, input, clock, |time, tick, share| {
        let [id, category, from, to] = numbers::<4>(&tick[0]);
        for i in share.of(id.len()) {
            auctions.send(((id[i], (category[i], from[i], to[i])), time, 1));
        }
        let [auction, price, at] = numbers::<3>(&tick[1]);
        for i in share.of(auction.len()) {
            bids.send(((auction[i], (price[i], at[i])), time, 1));
        }
        auctions.advance_to(time + 1);
        auctions.flush();
        bids.advance_to(time + 1);
        bids.flush();
    });
}

pub(crate) fn most_bids(worker: &mut Worker, run: &Run, input: &Given, clock: &mut Stopwatch) {
    let mut bids = Input::<(i64, i64)>::new_with_builder();
    worker.dataflow::<Time, _, _>(|scope| {
        let counts = bids.to_stream(scope).as_collection().count_total();
        let most = counts.map(|((window, auction), n)| (window, (n as i64, auction))).reduce(|_, values, out| {
            if let Some(((n, _), _)) = values.last() {
                out.push((*n, 1isize));
            }
        });
        run.sink(most.inner, |(window, n)| hash_i64(hash_i64(0, *window), *n));
    });
    run.drive(worker, input, clock, |time, tick, share| {
        let [auction, at] = numbers::<2>(&tick[0]);
        for i in share.of(auction.len()) {
            bids.send(((at[i] / 10_000, auction[i]), time, 1));
        }
        bids.advance_to(time + 1);
        bids.flush();
    });
}
