//! Nexmark q7: the highest bids per window.

use dbsp::RootCircuit;
use dbsp::operator::Max;
use dbsp::utils::{Tup4, Tup5};
use millrace_bench_input::answer::{hash_i64, hash_text};

use super::Given;
use crate::input::{Feed, number, pairs, texts};
use crate::sink::Sink;

const WINDOW_MS: i64 = 10_000;

pub(super) fn build(root: &mut RootCircuit, given: Given, sink: &Sink) -> Feed {
    let (bids, handle) = root.add_input_indexed_zset::<i64, Tup4<i64, i64, i64, String>>();
    let windows = bids.map_index(|(price, Tup4(_, _, time, _))| ((time.div_euclid(WINDOW_MS) + 1) * WINDOW_MS, *price));
    let highest = match given.retracts {
        true => windows.aggregate(Max),
        false => windows.chain_aggregate(|price, _| *price, |highest, price, _| highest.max(*price)),
    };
    let ends = highest.map_index(|(end, price)| (*price, *end));
    let winners = bids.join_flatmap(&ends, |price, Tup4(auction, bidder, time, extra), end| {
        // both ends of BETWEEN belong to it
        (end - WINDOW_MS..=*end).contains(time).then(|| Tup5(*auction, *price, *bidder, *time, extra.clone()))
    });
    sink.rows(&winners, |Tup5(auction, price, bidder, time, extra)| {
        hash_text([auction, price, bidder, time].into_iter().fold(0, |h, x| hash_i64(h, *x)), extra)
    });
    Box::new(move |tick| {
        let [auction, bidder, price, time] = [0, 1, 2, 3].map(|c| number(&tick[0], c));
        let extra = texts(&tick[0], 4);
        let bid = |i: usize| (price[i], Tup4(auction[i], bidder[i], time[i], extra.value(i).to_owned()));
        pairs(&handle, &tick[0], bid)
    })
}
