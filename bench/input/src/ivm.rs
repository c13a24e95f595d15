//! One operator each, over a state of any size: `facts` that come, change and go, and `dims` that they are joined with.
//!
//! What is loaded is `load` rows, a tenth of them dims. After that, of a hundred changes five change the label of a dim;
//! of the rest four tenths bring a fact, three take one back, three change one. Keys are random over as many dims as there
//! are, every tenth is NULL or finds nothing; every tenth text and value is NULL; a group has ten facts on average.
//!
//! A row follows from its number and its version, so that a state of ten million rows is known without being kept.

use crate::random::Random;
use crate::rows::{Rows, Value};
use crate::spec::Spec;
use crate::table::SqlType::{BigInt, Varchar};
use crate::table::{Table, Tick};
use crate::workload::Workload;

/// What the query reads.
pub(crate) fn tables(workload: Workload, all: bool) -> Vec<Table> {
    let columns = [("id", BigInt), ("k", BigInt), ("g", BigInt), ("name", Varchar), ("v", BigInt)];
    let facts = Table::new("facts", &columns).keyed_by("id").retracting();
    let dims = Table::new("dims", &[("k", BigInt), ("label", Varchar)]).keyed_by("k").retracting();
    let of = |names: &[&str]| if all { facts.clone() } else { facts.clone().only(names) };
    match workload {
        Workload::IvmJoin | Workload::IvmOuterJoin => vec![of(&["id", "k", "name"]), dims],
        Workload::IvmAggregate | Workload::IvmMax => vec![of(&["id", "g", "v"])],
        Workload::IvmTopK => vec![of(&["id", "name", "v"])],
        Workload::IvmDistinct => vec![of(&["id", "g"])],
        _ => {
            let columns = [("k", BigInt), ("v", BigInt), ("time", BigInt)];
            vec![Table::new("events", &columns).timed_by("time")]
        }
    }
}

/// The changes, tick by tick.
pub(crate) struct Ivm {
    spec: Spec,
    tables: Vec<Table>,
    sizes: std::vec::IntoIter<usize>,
    random: Random,
    made: usize,
    n_dims: u64,
    n_groups: u64,
    /// Versions of the dims' labels.
    dims: Vec<u32>,
    /// Numbers and versions of the facts that are there.
    facts: Vec<(u32, u32)>,
    next_fact: u32,
}

impl Ivm {
    pub(crate) fn new(spec: &Spec, tables: Vec<Table>) -> Self {
        let rows = (spec.load + spec.events / 2).max(100) as u64;
        Ivm {
            spec: spec.clone(),
            tables,
            sizes: spec.sizes().0.into_iter(),
            random: Random::new(spec.seed),
            made: 0,
            n_dims: (rows / 10).max(1),
            n_groups: (rows / 10).max(1),
            dims: vec![],
            facts: vec![],
            next_fact: 0,
        }
    }

    fn change(&mut self, rows: &mut [Rows]) {
        self.made += 1;
        if self.made <= self.spec.load {
            // dims come between the facts: a tenth of what is loaded
            return if self.made.is_multiple_of(10) { self.add_dim(rows) } else { self.add_fact(rows) };
        }
        let dice = self.random.below(100);
        match dice {
            0..5 if self.dims.is_empty() => self.add_dim(rows),
            0..5 => {
                let at = self.random.below(self.dims.len() as u64) as usize;
                self.put_dim(rows, at, -1);
                self.dims[at] += 1;
                self.put_dim(rows, at, 1);
            }
            5..43 => self.add_fact(rows),
            _ if self.facts.is_empty() => self.add_fact(rows),
            43..71 => {
                let at = self.random.below(self.facts.len() as u64) as usize;
                let fact = self.facts.swap_remove(at);
                self.put_fact(rows, fact, -1);
            }
            _ => {
                let at = self.random.below(self.facts.len() as u64) as usize;
                self.put_fact(rows, self.facts[at], -1);
                self.facts[at].1 += 1;
                self.put_fact(rows, self.facts[at], 1);
            }
        }
    }

    fn add_dim(&mut self, rows: &mut [Rows]) {
        self.dims.push(0);
        self.put_dim(rows, self.dims.len() - 1, 1);
    }

    fn add_fact(&mut self, rows: &mut [Rows]) {
        let fact = (self.next_fact, 0);
        self.next_fact += 1;
        self.facts.push(fact);
        self.put_fact(rows, fact, 1);
    }

    fn put_dim(&self, rows: &mut [Rows], at: usize, diff: i64) {
        let version = self.dims[at];
        for rows in rows.iter_mut().filter(|r| r.table == "dims") {
            rows.push(diff, |column| match column {
                "k" => Value::Int(self.dim_key(at as u64)),
                _ => Value::Text(format!("label {at:010} of version {version}")),
            });
        }
    }

    fn put_fact(&self, rows: &mut [Rows], (number, version): (u32, u32), diff: i64) {
        let mut own = Random::of(self.spec.seed, number.into());
        // one key more in nine finds nothing, and one in nineteen is NULL
        let dim = own.below(self.n_dims + self.n_dims / 9 + 1);
        let k = (own.below(20) > 0).then(|| self.dim_key(dim));
        let g = own.below(self.n_groups);
        let mut changing = Random::of(own.bits(), version.into());
        let name = (changing.below(10) > 0).then(|| format!("name of {:012}", changing.below(1 << 40)));
        let v = (changing.below(10) > 0).then(|| changing.below(1_000_000_000) as i64);
        for rows in rows.iter_mut().filter(|r| r.table == "facts") {
            rows.push(diff, |column| match column {
                "id" => Value::Int(scattered(number.into())),
                "k" => Value::int(k),
                "g" => Value::Int(scattered(g)),
                "name" => Value::text(name.clone()),
                _ => Value::int(v),
            });
        }
    }

    fn dim_key(&self, dim: u64) -> i64 {
        scattered(dim)
    }
}

/// A key that says nothing of its neighbours: another number for every number.
fn scattered(number: u64) -> i64 {
    number.wrapping_mul(0x9E37_79B9_7F4A_7C15).rotate_left(29) as i64
}

impl Iterator for Ivm {
    type Item = Tick;

    fn next(&mut self) -> Option<Tick> {
        let n = self.sizes.next()?;
        let mut rows: Vec<Rows> = self.tables.iter().map(Rows::new).collect();
        (0..n).for_each(|_| self.change(&mut rows));
        Some(rows.into_iter().map(Rows::finish).collect())
    }
}

/// Events of the window: in order of time, ten keys for every hundred of them, never taken back.
pub(crate) struct Events {
    spec: Spec,
    tables: Vec<Table>,
    sizes: std::vec::IntoIter<usize>,
    random: Random,
    made: u64,
}

impl Events {
    pub(crate) fn new(spec: &Spec, tables: Vec<Table>) -> Self {
        let (sizes, random) = (spec.sizes().0.into_iter(), Random::new(spec.seed));
        Events { spec: spec.clone(), tables, sizes, random, made: 0 }
    }
}

impl Iterator for Events {
    type Item = Tick;

    fn next(&mut self) -> Option<Tick> {
        let n = self.sizes.next()?;
        let mut rows: Vec<Rows> = self.tables.iter().map(Rows::new).collect();
        let n_keys = ((self.spec.load + self.spec.events) as u64 / 10).max(1);
        for _ in 0..n {
            let key = scattered(self.random.below(n_keys));
            let v = (self.random.below(10) > 0).then(|| self.random.below(1_000_000) as i64);
            let time = self.spec.time_ms(self.made);
            self.made += 1;
            for rows in &mut rows {
                rows.push(1, |column| match column {
                    "k" => Value::Int(key),
                    "v" => Value::int(v),
                    _ => Value::Int(time),
                });
            }
        }
        Some(rows.into_iter().map(Rows::finish).collect())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use arrow::array::AsArray;
    use arrow::datatypes::Int64Type;

    use super::*;

    #[test]
    fn changes_leave_as_many_rows_as_they_say_and_no_key_twice() {
        let spec = Spec { load: 20_000, ..Spec::new(Workload::IvmJoin, 10_000, 100) };
        let (mut facts, mut dims): (BTreeMap<i64, i64>, BTreeMap<i64, i64>) = Default::default();
        for tick in Workload::IvmJoin.ticks(&spec, true) {
            for (batch, live) in tick.iter().zip([&mut facts, &mut dims]) {
                let keys = batch.column(0).as_primitive::<Int64Type>().values();
                for (i, key) in keys.iter().enumerate() {
                    let count = live.entry(*key).or_insert(0);
                    *count += batch.diff(i);
                    assert!((0..=1).contains(count), "a key is there {count} times");
                }
            }
        }
        let there = |live: &BTreeMap<i64, i64>| live.values().sum::<i64>();
        assert_eq!(there(&dims), 2000);
        assert!((18_500..=19_500).contains(&there(&facts)), "{}", there(&facts));
    }

    #[test]
    fn most_facts_find_a_dim_and_some_have_none() {
        let spec = Spec { load: 20_000, ..Spec::new(Workload::IvmJoin, 100, 100) };
        let ticks: Vec<Tick> = Workload::IvmJoin.ticks(&spec, false).take(1).collect();
        let dims: Vec<i64> = ticks[0][1].column(0).as_primitive::<Int64Type>().values().to_vec();
        let keys = ticks[0][0].column(1).as_primitive::<Int64Type>();
        let nulls = keys.iter().filter(Option::is_none).count();
        let found = keys.iter().flatten().filter(|k| dims.contains(k)).count();
        assert!((700..1100).contains(&nulls) && (14_500..16_500).contains(&found), "{nulls} {found} of {}", keys.len());
    }
}
