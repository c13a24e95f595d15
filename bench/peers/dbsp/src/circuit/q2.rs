//! Nexmark q2: bids on some auctions.

use dbsp::RootCircuit;
use dbsp::utils::Tup2;
use millrace_bench_input::answer::hash_i64;

use super::Given;
use crate::input::{Feed, numbers, rows_of};
use crate::sink::Sink;

pub(super) fn build(root: &mut RootCircuit, _given: Given, sink: &Sink) -> Feed {
    let (bids, handle) = root.add_input_zset::<Tup2<i64, i64>>();
    sink.rows(&bids, |Tup2(auction, price)| hash_i64(hash_i64(0, *auction), *price));
    Box::new(move |tick| {
        let [auction, price] = numbers::<2>(&tick[0]);
        rows_of(
            &handle,
            &tick[0],
            |i| (auction[i], price[i]),
            |(auction, price)| (auction % 123 == 0).then_some(Tup2(auction, price)),
        )
    })
}
