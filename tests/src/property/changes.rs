//! The relations of the property test, and random changes of them.
//!
//! Values come from small domains, so that keys meet, ties happen and groups empty; among them are NULLs, texts that sort
//! oddly, doubles whose sums lose digits, and decimals.

use std::collections::BTreeMap;

use datafusion_common::ScalarValue;
use rand::Rng;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use crate::property::query::Type;
use crate::reference::Values;

/// A relation of the test.
#[derive(Debug)]
pub struct Relation {
    /// Its name.
    pub name: &'static str,
    /// Its columns.
    pub columns: &'static [(&'static str, Type)],
    /// Positions of its primary key; none for bags and streams.
    pub key: &'static [usize],
    /// It is a stream.
    pub stream: bool,
}

use Type::{Big, Bool, Decimal, Double, Int, Text};

/// All of them.
pub const RELATIONS: &[Relation] = &[
    Relation {
        name: "T",
        columns: &[("ID", Big), ("A", Int), ("B", Big), ("S", Text), ("D", Decimal), ("F", Double), ("P", Bool)],
        key: &[0],
        stream: false,
    },
    Relation { name: "U", columns: &[("S", Text), ("ID", Big), ("A", Int), ("D", Decimal)], key: &[0], stream: false },
    Relation { name: "V", columns: &[("A", Int), ("S", Text), ("B", Big)], key: &[0, 1], stream: false },
    Relation { name: "W", columns: &[("A", Int), ("B", Big), ("S", Text), ("F", Double)], key: &[], stream: false },
    Relation {
        name: "E",
        columns: &[("ID", Big), ("A", Int), ("S", Text), ("D", Decimal), ("F", Double)],
        key: &[],
        stream: true,
    },
    Relation { name: "G", columns: &[("ID", Big), ("S", Text), ("P", Bool)], key: &[], stream: true },
];

/// The statement that creates a relation.
pub fn ddl(relation: &Relation) -> String {
    let kind = if relation.stream { "STREAM" } else { "TABLE" };
    let column = |(i, (name, data_type)): (usize, &(&str, Type))| {
        let key = if relation.key == [i] { " PRIMARY KEY" } else { "" };
        format!("{name} {}{key}", data_type.sql())
    };
    let mut columns: Vec<String> = relation.columns.iter().enumerate().map(column).collect();
    if relation.key.len() > 1 {
        let names: Vec<&str> = relation.key.iter().map(|c| relation.columns[*c].0).collect();
        columns.push(format!("PRIMARY KEY ({})", names.join(", ")));
    }
    format!("CREATE {kind} {} ({}) WITH (CONNECTOR = 'memory');", relation.name, columns.join(", "))
}

/// One thing that happens to a relation.
#[derive(Clone, Debug, PartialEq)]
pub struct Op {
    /// Position in [`RELATIONS`].
    pub relation: usize,
    /// The row; for a delete by key only the key counts.
    pub values: Values,
    /// It goes.
    pub delete: bool,
    /// Event time, epoch ms.
    pub row_time: i64,
    /// Partition of a stream.
    pub partition: i32,
}

/// What happens, tick by tick.
pub type Ticks = Vec<Vec<Op>>;

/// Draws changes for the relations in `used`.
pub fn draw(rng: &mut StdRng, used: &[usize], n_ticks: usize, ops_max: usize) -> Ticks {
    let mut bags: BTreeMap<usize, Vec<Values>> = BTreeMap::new();
    let mut now = 0i64;
    (0..n_ticks)
        .map(|_| {
            let n = if rng.random_range(0..8) == 0 { 0 } else { rng.random_range(0..=ops_max) };
            (0..n)
                .map(|_| {
                    now += rng.random_range(0..900);
                    let relation = *used.choose(rng).expect("a query reads something");
                    op(rng, relation, now, &mut bags)
                })
                .collect()
        })
        .collect()
}

fn op(rng: &mut StdRng, relation: usize, now: i64, bags: &mut BTreeMap<usize, Vec<Values>>) -> Op {
    let shape = &RELATIONS[relation];
    let mut values: Values = shape.columns.iter().map(|(_, t)| value(rng, *t)).collect();
    for key in shape.key {
        while values[*key].is_null() {
            values[*key] = value(rng, shape.columns[*key].1);
        }
    }
    // most events are nearly in order, some are late
    let back = if rng.random_range(0..6) == 0 { rng.random_range(0..12_000) } else { rng.random_range(0..500) };
    let op = Op { relation, values, delete: false, row_time: now - back, partition: rng.random_range(0..2) };
    if shape.stream {
        return op;
    }
    if !shape.key.is_empty() {
        return Op { delete: rng.random_range(0..4) == 0, ..op };
    }
    let bag = bags.entry(relation).or_default();
    if !bag.is_empty() && rng.random_range(0..3) == 0 {
        let at = rng.random_range(0..bag.len());
        return Op { values: bag.swap_remove(at), delete: true, ..op };
    }
    bag.push(op.values.clone());
    op
}

/// A value of a type, NULL now and then.
fn value(rng: &mut StdRng, data_type: Type) -> ScalarValue {
    let null = rng.random_range(0..8) == 0;
    let some = |x: bool| !x;
    match data_type {
        Int => ScalarValue::Int32(some(null).then(|| rng.random_range(-2..6))),
        Big => ScalarValue::Int64(some(null).then(|| rng.random_range(-2..6))),
        Bool => ScalarValue::Boolean(some(null).then(|| rng.random_range(0..2) == 0)),
        Decimal => {
            let cents = [0, 150, -225, 1010, 99_999_999_999, 1];
            ScalarValue::Decimal128(some(null).then(|| *cents.choose(rng).expect("cents")), 12, 2)
        }
        Double => {
            let values = [0.1, 0.2, 0.3, 1e16, -1e16, -3.5, 0.0, 1e-300, 5e-324];
            ScalarValue::Float64(some(null).then(|| *values.choose(rng).expect("values")))
        }
        Text => {
            let texts = ["", "a", "b", "A", "ä", "ab", "zz", "a long text that does not fit into a word"];
            ScalarValue::Utf8(some(null).then(|| (*texts.choose(rng).expect("texts")).to_owned()))
        }
    }
}
