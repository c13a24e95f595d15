//! Nexmark q3: auctions of one category with their sellers in three states.

use dbsp::RootCircuit;
use dbsp::utils::{Tup3, Tup4};
use millrace_bench_input::answer::{hash_i64, hash_text};

use super::Given;
use crate::input::{Feed, both, number, numbers, pairs_of, texts};
use crate::sink::Sink;

pub(super) fn build(root: &mut RootCircuit, _given: Given, sink: &Sink) -> Feed {
    let (auctions, auction_handle) = root.add_input_indexed_zset::<i64, i64>();
    let (people, person_handle) = root.add_input_indexed_zset::<i64, Tup3<String, String, String>>();
    let sold =
        auctions.join(&people, |_, id, Tup3(name, city, state)| Tup4(name.clone(), city.clone(), state.clone(), *id));
    sink.rows(&sold, |Tup4(name, city, state, id)| {
        hash_i64([name, city, state].into_iter().fold(0, |h, text| hash_text(h, text)), *id)
    });
    Box::new(move |tick| {
        let [id, seller, category] = numbers::<3>(&tick[0]);
        let auctions = pairs_of(
            &auction_handle,
            &tick[0],
            |i| (id[i], seller[i], category[i]),
            |(id, seller, category)| (category == 10).then_some((seller, id)),
        );
        let id = number(&tick[1], 0);
        let [name, city, state] = [1, 2, 3].map(|c| texts(&tick[1], c));
        let people = pairs_of(
            &person_handle,
            &tick[1],
            |i| (id[i], Tup3(name.value(i).to_owned(), city.value(i).to_owned(), state.value(i).to_owned())),
            |(id, person)| matches!(person.2.as_str(), "OR" | "ID" | "CA").then_some((id, person)),
        );
        both(auctions, people)
    })
}
