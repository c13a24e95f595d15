//! Nexmark q0: every bid as it is.

use dbsp::RootCircuit;
use dbsp::utils::Tup5;
use millrace_bench_input::answer::{hash_i64, hash_text};

use super::Given;
use crate::input::{Feed, number, rows, texts};
use crate::sink::Sink;

/// A bid: auction, bidder, price, time, extra.
pub(super) type Bid = Tup5<i64, i64, i64, i64, String>;

pub(super) fn build(root: &mut RootCircuit, _given: Given, sink: &Sink) -> Feed {
    let (bids, handle) = root.add_input_zset::<Bid>();
    sink.rows(&bids, |Tup5(auction, bidder, price, time, extra)| {
        let numbers = [auction, bidder, price, time].into_iter().fold(0, |h, x| hash_i64(h, *x));
        hash_text(numbers, extra)
    });
    Box::new(move |tick| {
        let [auction, bidder, price, time] = [0, 1, 2, 3].map(|c| number(&tick[0], c));
        let extra = texts(&tick[0], 4);
        let bid = |i: usize| Tup5(auction[i], bidder[i], price[i], time[i], extra.value(i).to_owned());
        rows(&handle, &tick[0], bid)
    })
}
