//! Nexmark q9: the winning bid of each auction.
//!
//! The winner is found with the few columns that decide it, and joined with the whole auction then.

use dbsp::RootCircuit;
use dbsp::operator::Min;
use dbsp::utils::{Tup2, Tup4, Tup9};
use millrace_bench_input::answer::{hash_i64, hash_text};

use super::Given;
use crate::input::{Feed, both, number, pairs, texts};
use crate::sink::Sink;

/// item_name, description, initial_bid, reserve, date_time, expires, seller, category, extra; the key is the id.
type Auction = Tup9<String, String, i64, i64, i64, i64, i64, i64, String>;

/// The price, negated, date_time, bidder, extra: the least one wins.
type Bid = Tup4<i64, i64, i64, String>;

pub(super) fn build(root: &mut RootCircuit, given: Given, sink: &Sink) -> Feed {
    let (auctions, auction_handle) = root.add_input_indexed_zset::<i64, Auction>();
    let (bids, bid_handle) = root.add_input_indexed_zset::<i64, Bid>();
    let open = auctions.map_index(|(id, a)| (*id, Tup2(a.4, a.5)));
    let valid =
        open.join_index(&bids, |id, Tup2(from, to), bid| (*from..=*to).contains(&bid.1).then(|| (*id, bid.clone())));
    let best = match given.retracts {
        true => valid.aggregate(Min),
        false => {
            valid.chain_aggregate(|bid, _| bid.clone(), |best, bid, _| if *bid < best { bid.clone() } else { best })
        }
    };
    let won = auctions.join(&best, |id, auction, bid| Tup2(Tup2(*id, auction.clone()), bid.clone()));
    sink.rows(&won, |Tup2(Tup2(id, auction), bid)| hash(*id, auction, bid));
    Box::new(move |tick| {
        let auction = auction(tick);
        let auctions = pairs(&auction_handle, &tick[0], auction);
        let [to, bidder, price, time] = [0, 1, 2, 3].map(|c| number(&tick[1], c));
        let extra = texts(&tick[1], 4);
        let bid = |i: usize| (to[i], Tup4(-price[i], time[i], bidder[i], extra.value(i).to_owned()));
        both(auctions, pairs(&bid_handle, &tick[1], bid))
    })
}

fn auction(tick: &millrace_bench_input::Tick) -> impl Fn(usize) -> (i64, Auction) {
    let [id, first, reserve, time, expires, seller, category] = [0, 3, 4, 5, 6, 7, 8].map(|c| number(&tick[0], c));
    let [item, description, extra] = [1, 2, 9].map(|c| texts(&tick[0], c));
    move |i| {
        let text = |column: &arrow::array::StringArray| column.value(i).to_owned();
        let auction = Tup9(
            text(item),
            text(description),
            first[i],
            reserve[i],
            time[i],
            expires[i],
            seller[i],
            category[i],
            text(extra),
        );
        (id[i], auction)
    }
}

fn hash(id: i64, auction: &Auction, bid: &Bid) -> u64 {
    let Tup9(item, description, first, reserve, time, expires, seller, category, extra) = auction;
    let h = hash_text(hash_text(hash_i64(0, id), item), description);
    let h = [first, reserve, time, expires, seller, category].into_iter().fold(h, |h, x| hash_i64(h, *x));
    let Tup4(negated, at, bidder, bid_extra) = bid;
    let h = hash_i64(hash_i64(hash_i64(hash_text(h, extra), id), *bidder), -negated);
    hash_text(hash_i64(h, *at), bid_extra)
}
