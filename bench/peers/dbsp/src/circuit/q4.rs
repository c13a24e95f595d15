//! Nexmark q4: average of the highest bids per category.

use dbsp::RootCircuit;
use dbsp::operator::Max;
use dbsp::utils::{Tup2, Tup3};
use millrace_bench_input::answer::hash_i64;

use super::Given;
use crate::input::{Feed, both, numbers, pairs};
use crate::sink::Sink;

pub(super) fn build(root: &mut RootCircuit, given: Given, sink: &Sink) -> Feed {
    let (auctions, auction_handle) = root.add_input_indexed_zset::<i64, Tup3<i64, i64, i64>>();
    let (bids, bid_handle) = root.add_input_indexed_zset::<i64, Tup2<i64, i64>>();
    let prices = auctions.join_index(&bids, |id, Tup3(category, from, to), Tup2(price, at)| {
        (from <= at && at <= to).then_some((Tup2(*id, *category), *price))
    });
    let highest = match given.retracts {
        true => prices.aggregate(Max),
        false => prices.chain_aggregate(|price, _| *price, |highest, price, _| highest.max(*price)),
    };
    let averages = highest.map_index(|(Tup2(_, category), price)| (*category, *price)).average(|price| *price);
    sink.pairs(&averages, |category, average| hash_i64(hash_i64(0, *category), *average));
    Box::new(move |tick| {
        let [id, category, from, to] = numbers::<4>(&tick[0]);
        let auctions = pairs(&auction_handle, &tick[0], |i| (id[i], Tup3(category[i], from[i], to[i])));
        let [auction, price, at] = numbers::<3>(&tick[1]);
        let bids = pairs(&bid_handle, &tick[1], |i| (auction[i], Tup2(price[i], at[i])));
        both(auctions, bids)
    })
}
