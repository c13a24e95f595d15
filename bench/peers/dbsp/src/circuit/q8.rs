//! Nexmark q8: people who came and sold within a window.

use dbsp::RootCircuit;
use dbsp::utils::{Tup2, Tup3};
use millrace_bench_input::answer::{hash_i64, hash_text};

use super::Given;
use crate::input::{Feed, both, number, numbers, pairs_of, texts};
use crate::sink::Sink;

const WINDOW_MS: i64 = 10_000;

pub(super) fn build(root: &mut RootCircuit, _given: Given, sink: &Sink) -> Feed {
    let (people, person_handle) = root.add_input_indexed_zset::<Tup2<i64, i64>, String>();
    let (auctions, auction_handle) = root.add_input_indexed_zset::<Tup2<i64, i64>, ()>();
    let new = people.distinct().join(&auctions.distinct(), |Tup2(id, start), name, ()| Tup3(*id, name.clone(), *start));
    sink.rows(&new, |Tup3(id, name, start)| hash_i64(hash_text(hash_i64(0, *id), name), *start));
    Box::new(move |tick| {
        let (id, name, time) = (number(&tick[0], 0), texts(&tick[0], 1), number(&tick[0], 2));
        let person = |i: usize| (id[i], name.value(i).to_owned(), time[i]);
        let people = pairs_of(&person_handle, &tick[0], person, |(id, name, time)| Some((Tup2(id, start(time)), name)));
        let [seller, time] = numbers::<2>(&tick[1]);
        let auctions = pairs_of(
            &auction_handle,
            &tick[1],
            |i| (seller[i], time[i]),
            |(seller, time)| Some((Tup2(seller, start(time)), ())),
        );
        both(people, auctions)
    })
}

/// The start of a time's window.
fn start(time: i64) -> i64 {
    time.div_euclid(WINDOW_MS) * WINDOW_MS
}
