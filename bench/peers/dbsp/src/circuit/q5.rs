//! Nexmark q5: the auctions with the most bids per hopping window.
//!
//! Bids come as panes of two seconds, so that those of a tick on the same auction are one row with a weight before they
//! are spread over the five windows that hold their pane.

use dbsp::RootCircuit;
use dbsp::operator::Max;
use dbsp::utils::Tup2;
use millrace_bench_input::answer::hash_i64;

use super::Given;
use crate::input::{Feed, numbers, rows_of};
use crate::sink::Sink;

/// A window starts every so many ms and holds so many panes.
const HOP_MS: i64 = 2000;
const PANES: i64 = 5;

pub(super) fn build(root: &mut RootCircuit, _given: Given, sink: &Sink) -> Feed {
    let (panes, handle) = root.add_input_zset::<Tup2<i64, i64>>();
    let bids = panes.flat_map(|Tup2(pane, auction)| {
        let (pane, auction) = (*pane, *auction);
        (0..PANES).map(move |n| Tup2(pane - n, auction))
    });
    let counts = bids.weighted_count().map_index(|(Tup2(window, auction), n)| (*window, Tup2(*n, *auction)));
    let most = counts.map_index(|(window, Tup2(n, _))| (*window, *n)).aggregate(Max);
    let hot = counts.join_flatmap(&most, |_, Tup2(n, auction), most| (n >= most).then_some(Tup2(*auction, *n)));
    sink.rows(&hot, |Tup2(auction, n)| hash_i64(hash_i64(0, *auction), *n));
    Box::new(move |tick| {
        let [auction, time] = numbers::<2>(&tick[0]);
        rows_of(
            &handle,
            &tick[0],
            |i| (time[i], auction[i]),
            |(time, auction)| Some(Tup2(time.div_euclid(HOP_MS), auction)),
        )
    })
}
