//! Nexmark's events: of fifty one is a person, three are auctions, the rest bids.
//!
//! Half of the bids go to a hot auction, three quarters of the sellers and bidders are hot, prices are 10^(6u) · 100 with
//! u uniform, an auction is open for up to 400 ms. Columns are those that Nexmark publishes, in snake case, times as
//! BIGINT (epoch ms), and a `bid_id` if bids are changed or taken back. `extra` fills a record up to Nexmark's mean size.
//!
//! What decides an answer is drawn from one stream of random numbers, event by event; texts that only fill are drawn from
//! a stream of each event's own, so that leaving them out changes nothing else.

mod event;

use crate::random::Random;
use crate::spec::Spec;
use crate::table::SqlType::{BigInt, Varchar};
use crate::table::{Table, Tick};
use crate::workload::Workload;

use crate::rows::Rows;
use event::{Auction, Bid, Event, Person};

/// Bids.
pub fn bid() -> Table {
    let columns = [
        ("auction", BigInt),
        ("bidder", BigInt),
        ("price", BigInt),
        ("channel", Varchar),
        ("url", Varchar),
        ("date_time", BigInt),
        ("extra", Varchar),
        ("bid_id", BigInt),
    ];
    Table::new("bid", &columns).timed_by("date_time")
}

/// Auctions.
pub fn auction() -> Table {
    let columns = [
        ("id", BigInt),
        ("item_name", Varchar),
        ("description", Varchar),
        ("initial_bid", BigInt),
        ("reserve", BigInt),
        ("date_time", BigInt),
        ("expires", BigInt),
        ("seller", BigInt),
        ("category", BigInt),
        ("extra", Varchar),
    ];
    Table::new("auction", &columns).timed_by("date_time")
}

/// People.
pub fn person() -> Table {
    let columns = [
        ("id", BigInt),
        ("name", Varchar),
        ("email_address", Varchar),
        ("credit_card", Varchar),
        ("city", Varchar),
        ("state", Varchar),
        ("date_time", BigInt),
        ("extra", Varchar),
    ];
    Table::new("person", &columns).timed_by("date_time")
}

/// What the query reads. Of bids that change, `bid_id` is the key.
pub(crate) fn tables(workload: Workload, spec: &Spec, all: bool) -> Vec<Table> {
    let reads: &[(Table, &[&str])] = match workload {
        Workload::Q0 | Workload::Q1 => &[(bid(), &["auction", "bidder", "price", "date_time", "extra"])],
        Workload::Q2 => &[(bid(), &["auction", "price"])],
        Workload::Q3 => &[(auction(), &["id", "seller", "category"]), (person(), &["id", "name", "city", "state"])],
        Workload::Q4 => {
            &[(auction(), &["id", "category", "date_time", "expires"]), (bid(), &["auction", "price", "date_time"])]
        }
        Workload::Q5 | Workload::MostBids => &[(bid(), &["auction", "date_time"])],
        Workload::Q7 => &[(bid(), &["auction", "bidder", "price", "date_time", "extra"])],
        Workload::Q8 => &[(person(), &["id", "name", "date_time"]), (auction(), &["seller", "date_time"])],
        Workload::Q9 => &[
            (
                auction(),
                &[
                    "id",
                    "item_name",
                    "description",
                    "initial_bid",
                    "reserve",
                    "date_time",
                    "expires",
                    "seller",
                    "category",
                    "extra",
                ],
            ),
            (bid(), &["auction", "bidder", "price", "date_time", "extra"]),
        ],
        // filter and project
        _ => &[(bid(), &["auction", "bidder", "price"])],
    };
    reads.iter().map(|(table, columns)| with_columns(table, columns, spec, all)).collect()
}

fn with_columns(table: &Table, columns: &[&'static str], spec: &Spec, all: bool) -> Table {
    let changes = spec.updates_percent > 0 && table.name == "bid";
    let mut names: Vec<&str> = match all {
        true => table.columns.iter().map(|c| c.name).filter(|n| *n != "bid_id").collect(),
        false => columns.to_vec(),
    };
    if changes {
        names.push("bid_id");
    }
    let table = table.clone().only(&names);
    if changes { table.keyed_by("bid_id").retracting() } else { table }
}

/// The events, tick by tick.
pub(crate) struct Nexmark {
    spec: Spec,
    tables: Vec<Table>,
    sizes: std::vec::IntoIter<usize>,
    random: Random,
    next: u64,
    /// Bids that can still change; empty unless some do.
    live: Vec<Bid>,
}

/// Bids that are remembered for changes.
const LIVE_MAX: usize = 1 << 20;

impl Nexmark {
    pub(crate) fn new(spec: &Spec, tables: Vec<Table>) -> Self {
        let (sizes, _) = spec.sizes();
        let random = Random::new(spec.seed);
        Nexmark { spec: spec.clone(), tables, sizes: sizes.into_iter(), random, next: 0, live: vec![] }
    }

    fn add(&mut self, event: u64, rows: &mut [Rows]) {
        let mut own = Random::of(self.spec.seed, event);
        if own.percent(self.spec.updates_percent) && !self.live.is_empty() {
            self.change(&mut own, rows);
            return;
        }
        let delay = if self.spec.disorder_ms == 0 { 0 } else { own.below(self.spec.disorder_ms + 1) as i64 };
        let time = self.spec.time_ms(event) - delay;
        match Event::draw(event, time, &mut self.random) {
            Event::Person(person) => put_person(rows, &person, &own),
            Event::Auction(auction) => put_auction(rows, &auction, &own),
            Event::Bid(bid) => {
                put_bid(rows, &bid, &self.spec, 1);
                if self.spec.updates_percent > 0 && self.live.len() < LIVE_MAX {
                    self.live.push(bid);
                }
            }
        }
    }

    /// A remembered bid gets another price, or is taken back.
    fn change(&mut self, own: &mut Random, rows: &mut [Rows]) {
        let at = own.below(self.live.len() as u64) as usize;
        put_bid(rows, &self.live[at], &self.spec, -1);
        if own.below(2) == 0 {
            self.live.swap_remove(at);
        } else {
            self.live[at].price = event::price(own);
            put_bid(rows, &self.live[at], &self.spec, 1);
        }
    }
}

impl Iterator for Nexmark {
    type Item = Tick;

    fn next(&mut self) -> Option<Tick> {
        let n = self.sizes.next()? as u64;
        let mut rows: Vec<Rows> = self.tables.iter().map(Rows::new).collect();
        for event in self.next..self.next + n {
            self.add(event, &mut rows);
        }
        self.next += n;
        Some(rows.into_iter().map(Rows::finish).collect())
    }
}

fn of<'a>(rows: &'a mut [Rows], table: &'static str) -> impl Iterator<Item = &'a mut Rows> {
    rows.iter_mut().filter(move |r| r.table == table)
}

fn put_person(rows: &mut [Rows], person: &Person, own: &Random) {
    of(rows, "person").for_each(|r| r.push(1, |column| person.value(column, *own)));
}

fn put_auction(rows: &mut [Rows], auction: &Auction, own: &Random) {
    of(rows, "auction").for_each(|r| r.push(1, |column| auction.value(column, *own)));
}

fn put_bid(rows: &mut [Rows], bid: &Bid, spec: &Spec, diff: i64) {
    // a bid that changes keeps its texts: they are drawn from the event that made it
    let own = Random::of(spec.seed ^ 1, bid.event);
    of(rows, "bid").for_each(|r| r.push(diff, |column| bid.value(column, own)));
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::Int64Type;

    use super::*;

    fn ticks(spec: &Spec) -> Vec<Tick> {
        spec.workload.ticks(spec, true).collect()
    }

    #[test]
    fn of_fifty_events_three_are_auctions_and_one_is_a_person() {
        let spec = Spec::new(Workload::Q3, 5000, 1000);
        let count = |t: usize| ticks(&spec).iter().map(|tick| tick[t].len()).sum::<usize>();
        assert_eq!((count(0), count(1)), (300, 100));
        let bids = Spec::new(Workload::Q0, 5000, 1000);
        assert_eq!(ticks(&bids).iter().map(|tick| tick[0].len()).sum::<usize>(), 4600);
    }

    #[test]
    fn half_of_the_bids_go_to_the_hot_auction() {
        let spec = Spec::new(Workload::Q0, 5000, 5000);
        let bids = &ticks(&spec)[0][0];
        let auctions = bids.column(0).as_primitive::<Int64Type>().values();
        let hot = auctions.iter().filter(|a| **a % 100 == 0).count() as f64 / auctions.len() as f64;
        assert!((0.45..0.60).contains(&hot), "{hot}");
    }

    #[test]
    fn records_have_the_size_that_nexmark_says() {
        for (workload, table, mean) in [(Workload::Q0, 0, 100), (Workload::Q9, 0, 500), (Workload::Q3, 1, 200)] {
            let spec = Spec::new(workload, 50_000, 50_000);
            let batch = &ticks(&spec)[0][table];
            let bytes: usize = batch
                .columns()
                .iter()
                .map(|c| c.as_string_opt::<i32>().map_or(8 * c.len(), |texts| texts.value_data().len()))
                .sum();
            let found = bytes / batch.len();
            assert!(found.abs_diff(mean) <= mean / 5, "{workload}: {found} bytes, not {mean}");
        }
    }

    #[test]
    fn changes_take_back_what_is_there() {
        let spec = Spec { updates_percent: 20, ..Spec::new(Workload::Q0, 20_000, 1000) };
        let mut live = std::collections::BTreeMap::new();
        let (mut updates, mut deletes) = (0, 0);
        for tick in ticks(&spec) {
            let batch = &tick[0];
            let id = batch.columns().len() - 1;
            let column = |c: usize| batch.column(c).as_primitive::<Int64Type>().values();
            for i in 0..batch.len() {
                let (id, price) = (column(id)[i], column(2)[i]);
                if batch.diff(i) == 1 {
                    assert_eq!(live.insert(id, price), None);
                } else {
                    assert_eq!(live.remove(&id), Some(price));
                    let followed =
                        i + 1 < batch.len() && batch.diff(i + 1) == 1 && column(column_of_id(batch))[i + 1] == id;
                    if followed { updates += 1 } else { deletes += 1 }
                }
            }
        }
        assert!((1500..2500).contains(&updates) && (1500..2500).contains(&deletes), "{updates} {deletes}");
    }

    fn column_of_id(batch: &millrace_data::Batch) -> usize {
        batch.columns().len() - 1
    }

    #[test]
    fn disorder_is_bounded() {
        let spec = Spec { disorder_ms: 1000, ..Spec::new(Workload::Q0, 50_000, 50_000) };
        let batch = &ticks(&spec)[0][0];
        let times = batch.column(5).as_primitive::<Int64Type>().values();
        let (mut latest, mut worst) = (i64::MIN, 0);
        for time in times {
            latest = latest.max(*time);
            worst = worst.max(latest - time);
        }
        assert!((900..=1000).contains(&worst), "{worst}");
    }
}
