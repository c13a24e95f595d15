//! Nexmark q1: prices in another currency, as thousandths.

use dbsp::RootCircuit;
use dbsp::utils::Tup5;
use millrace_bench_input::answer::{hash_decimal, hash_i64, hash_text};

use super::Given;
use super::q0::Bid;
use crate::input::{Feed, number, rows_of, texts};
use crate::sink::Sink;

pub(super) fn build(root: &mut RootCircuit, _given: Given, sink: &Sink) -> Feed {
    let (converted, handle) = root.add_input_zset::<Bid>();
    sink.rows(&converted, |Tup5(auction, bidder, price, time, extra)| {
        let h = hash_i64(hash_i64(0, *auction), *bidder);
        hash_text(hash_i64(hash_decimal(h, (*price).into(), 3), *time), extra)
    });
    Box::new(move |tick| {
        let [auction, bidder, price, time] = [0, 1, 2, 3].map(|c| number(&tick[0], c));
        let extra = texts(&tick[0], 4);
        let bid = |i: usize| Tup5(auction[i], bidder[i], price[i], time[i], extra.value(i).to_owned());
        rows_of(&handle, &tick[0], bid, |Tup5(auction, bidder, price, time, extra)| {
            Some(Tup5(auction, bidder, price * 908, time, extra))
        })
    })
}
