//! Filter and project, nothing kept.

use dbsp::RootCircuit;
use dbsp::utils::Tup3;
use millrace_bench_input::answer::hash_i64;

use super::Given;
use crate::input::{Feed, numbers, rows_of};
use crate::sink::Sink;

pub(super) fn build(root: &mut RootCircuit, _given: Given, sink: &Sink) -> Feed {
    let (projected, handle) = root.add_input_zset::<Tup3<i64, i64, i64>>();
    sink.rows(&projected, |Tup3(auction, euro, bidder)| {
        [auction, euro, bidder].into_iter().fold(0, |h, x| hash_i64(h, *x))
    });
    Box::new(move |tick| {
        let [auction, bidder, price] = numbers::<3>(&tick[0]);
        rows_of(
            &handle,
            &tick[0],
            |i| (auction[i], bidder[i], price[i]),
            |(auction, bidder, price)| {
                (price > 100_000 && auction % 4 != 0).then(|| Tup3(auction, price * 89 / 100, bidder))
            },
        )
    })
}
