//! Nexmark's events as columns: of fifty events one is a person, three are auctions, the rest bids.
//!
//! Half of the bids go to a hot auction, three quarters of the sellers are hot, prices are 10^(6u) · 100 with u uniform,
//! and ten events happen in a millisecond of event time.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use millrace_data::Batch;

use crate::synthetic::{BASE_MS, Random};
use crate::workload::{Relation, Tick};

/// Bids.
pub(crate) const BIDS: Relation =
    Relation { name: "BIDS", columns: "AUCTION BIGINT, BIDDER BIGINT, PRICE BIGINT, TS BIGINT", retracts: false };
/// Auctions.
pub(crate) const AUCTIONS: Relation = Relation {
    name: "AUCTIONS",
    columns: "ID BIGINT, SELLER BIGINT, CATEGORY BIGINT, TS BIGINT, EXPIRES BIGINT",
    retracts: false,
};
/// People.
pub(crate) const PEOPLE: Relation =
    Relation { name: "PEOPLE", columns: "ID BIGINT, NAME VARCHAR, CITY VARCHAR, STATE VARCHAR", retracts: false };

const STATES: [&str; 6] = ["AZ", "CA", "ID", "OR", "WA", "WY"];
const CITIES: [&str; 6] = ["Phoenix", "Los Angeles", "Boise", "Portland", "Seattle", "Cheyenne"];
const FIRST: [&str; 6] = ["Ada", "Ben", "Cleo", "Dora", "Emil", "Fay"];
const LAST: [&str; 6] = ["Archer", "Baker", "Cooper", "Draper", "Fisher", "Glover"];
/// First number of people and auctions.
const FIRST_ID: i64 = 1000;

/// The three kinds of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Bids.
    Bids,
    /// Auctions.
    Auctions,
    /// People.
    People,
}

#[derive(Default)]
struct Columns {
    bids: [Vec<i64>; 4],
    auctions: [Vec<i64>; 5],
    people: (Vec<i64>, Vec<String>, Vec<&'static str>, Vec<&'static str>),
}

/// `events` events in ticks of `tick` of them; of each tick the `kinds` that a query reads.
pub(crate) fn generate(events: usize, tick: usize, kinds: &[Kind]) -> Vec<Tick> {
    let mut random = Random::new(42);
    let mut out = vec![];
    let mut at = 0;
    while at < events {
        let end = (at + tick).min(events);
        let mut columns = Columns::default();
        for event in at..end {
            columns.add(event, &mut random);
        }
        out.push(columns.batches(kinds));
        at = end;
    }
    out
}

impl Columns {
    fn add(&mut self, event: usize, random: &mut Random) {
        let time = BASE_MS + event as i64 / 10;
        let (group, place) = ((event / 50) as u64, (event % 50) as u64);
        match place {
            0 => {
                let pick = |random: &mut Random, from: &[&'static str; 6]| from[random.below(6) as usize];
                self.people.0.push(FIRST_ID + group as i64);
                self.people.1.push(format!("{} {}", pick(random, &FIRST), pick(random, &LAST)));
                self.people.2.push(pick(random, &CITIES));
                self.people.3.push(pick(random, &STATES));
            }
            1..=3 => {
                let seller = hot_or_recent(random, group, 4, 1000);
                let id = group * 3 + place - 1;
                let expires = time + 1 + random.below(400) as i64;
                let row = [id as i64 + FIRST_ID, seller, 10 + random.below(5) as i64, time, expires];
                self.auctions.iter_mut().zip(row).for_each(|(column, x)| column.push(x));
            }
            _ => {
                let auction = hot_or_recent(random, group * 3 + 2, 2, 100);
                let bidder = hot_or_recent(random, group, 4, 1000) + 1;
                let u = random.below(1 << 20) as f64 / f64::from(1 << 20);
                let price = (10f64.powf(u * 6.0) * 100.0).round() as i64;
                self.bids.iter_mut().zip([auction, bidder, price, time]).for_each(|(column, x)| column.push(x));
            }
        }
    }

    fn batches(self, kinds: &[Kind]) -> Tick {
        let numbers = |columns: Vec<Vec<i64>>| {
            let len = columns[0].len();
            let columns = columns.into_iter().map(|c| Arc::new(Int64Array::from(c)) as ArrayRef).collect();
            Batch::new(columns, None, len)
        };
        let bids = numbers(self.bids.into());
        let auctions = numbers(self.auctions.into());
        let (ids, names, cities, states) = self.people;
        let len = ids.len();
        let people: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(ids)),
            Arc::new(StringArray::from(names)),
            Arc::new(StringArray::from(cities)),
            Arc::new(StringArray::from(states)),
        ];
        let people = Batch::new(people, None, len);
        kinds
            .iter()
            .map(|kind| match kind {
                Kind::Bids => bids.clone(),
                Kind::Auctions => auctions.clone(),
                Kind::People => people.clone(),
            })
            .collect()
    }
}

/// All but one in `ratio` are the last hundred's first, the others one of the last `recent`.
fn hot_or_recent(random: &mut Random, last: u64, ratio: u64, recent: u64) -> i64 {
    let id = if random.below(ratio) > 0 { last / 100 * 100 } else { last - random.below(last.min(recent) + 1) };
    id as i64 + FIRST_ID
}
