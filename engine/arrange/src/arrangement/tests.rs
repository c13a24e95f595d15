//! The arrangement against multisets in maps, as of every tick that a reader may ask for.

mod edges;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{
    Array, AsArray, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array,
    IntervalMonthDayNanoArray, ListArray, StringArray, StructArray, Time64MicrosecondArray, TimestampMicrosecondArray,
};
use arrow::datatypes::{Field, Fields, Int64Type, IntervalMonthDayNano};
use millrace_data::hash::{hash_columns, mix};

use super::*;
use crate::Changes;
use millrace_data::Batch;

/// A row is known by the number of its key and of its variant under the key; its columns are functions of both.
type Row = (i64, i64);
type Multiset = BTreeMap<Row, i64>;

fn add(multiset: &mut Multiset, row: Row, diff: i64) {
    let sum = multiset.entry(row).or_insert(0);
    *sum += diff;
    if *sum == 0 {
        multiset.remove(&row);
    }
}

fn some<T>(x: i64, every: i64, value: T) -> Option<T> {
    (x % every != 0).then_some(value)
}

/// Both numbers, then key columns of texts, integers and NULLs, then a column of each type.
fn columns(rows: &[Row]) -> Vec<ArrayRef> {
    let each =
        |f: &dyn Fn(i64, i64) -> Option<i64>| -> Vec<Option<i64>> { rows.iter().map(|(k, v)| f(*k, *v)).collect() };
    let text = |i: i64| "löng".repeat(i.rem_euclid(7) as usize) + &i.to_string();
    let v = each(&|_, v| some(v, 5, v));
    let decimals = |scale: i128| v.iter().map(move |x| x.map(|x| i128::from(x - 100) * scale));
    let lists = v.iter().map(|x| x.map(|x| (0..x % 4).map(|i| some(i + x, 3, i)).collect::<Vec<_>>()));
    let fields = Fields::from(vec![Field::new("a", DataType::Int64, true), Field::new("b", DataType::Utf8, true)]);
    let parts: Vec<ArrayRef> = vec![
        Arc::new(Int64Array::from(v.clone())),
        Arc::new(rows.iter().map(|(k, v)| some(*v, 3, text(*k))).collect::<StringArray>()),
    ];
    let valid: Vec<bool> = rows.iter().map(|(_, v)| v % 11 != 0).collect();
    let interval = |x: i64| IntervalMonthDayNano::new(x as i32, -(x as i32), x * 1_000_000_007);
    vec![
        Arc::new(Int64Array::from(each(&|k, _| Some(k)))),
        Arc::new(Int64Array::from(each(&|_, v| Some(v)))),
        Arc::new(Int64Array::from(each(&|k, _| some(k, 10, k / 2)))),
        Arc::new(rows.iter().map(|(k, _)| some(*k, 7, text(*k))).collect::<StringArray>()),
        Arc::new(v.iter().map(|x| x.map(|x| x % 2 == 0)).collect::<BooleanArray>()),
        Arc::new(v.iter().map(|x| x.map(|x| x as i32 - 50)).collect::<Int32Array>()),
        Arc::new(v.iter().map(|x| x.map(|x| x as f64 / 3.0)).collect::<Float64Array>()),
        Arc::new(decimals(101).collect::<Decimal128Array>().with_precision_and_scale(12, 2).unwrap()),
        Arc::new(decimals(1 << 80).collect::<Decimal128Array>().with_precision_and_scale(38, 4).unwrap()),
        Arc::new(rows.iter().map(|(_, v)| some(*v, 4, text(*v))).collect::<StringArray>()),
        Arc::new(rows.iter().map(|(k, v)| some(*v, 6, text(k + v).into_bytes())).collect::<BinaryArray>()),
        Arc::new(v.iter().map(|x| x.map(|x| x as i32)).collect::<Date32Array>()),
        Arc::new(Time64MicrosecondArray::from(v.clone())),
        Arc::new(TimestampMicrosecondArray::from(v.clone())),
        Arc::new(v.iter().map(|x| x.map(interval)).collect::<IntervalMonthDayNanoArray>()),
        Arc::new(ListArray::from_iter_primitive::<Int64Type, _, _>(lists)),
        Arc::new(StructArray::new(fields, parts, Some(valid.into()))),
    ]
}

fn batch(updates: &[(Row, i64)]) -> Batch {
    let rows: Vec<Row> = updates.iter().map(|u| u.0).collect();
    Batch::new(columns(&rows), Some(updates.iter().map(|u| u.1).collect()), rows.len())
}

fn arrangement(key: &[usize]) -> Arrangement {
    let types: Vec<DataType> = columns(&[]).iter().map(|c| c.data_type().clone()).collect();
    Arrangement::new(&types, key)
}

/// Which rows these are; every column must be what it was.
fn read(arrangement: &Arrangement, ids: &[RowId]) -> Vec<Row> {
    let number = |c| arrangement.gather(c, ids).as_primitive::<Int64Type>().values().to_vec();
    let rows: Vec<Row> = number(0).into_iter().zip(number(1)).collect();
    for (c, want) in columns(&rows).iter().enumerate() {
        assert_eq!(&arrangement.gather(c, ids), want, "column {c}");
    }
    rows
}

fn scan(arrangement: &Arrangement, as_of: u64, budget: usize) -> Multiset {
    let mut out = Multiset::new();
    let mut cursor = arrangement.cursor(as_of);
    let mut more = true;
    while more {
        more = arrangement.scan(&mut cursor, budget, |ids, diffs| {
            read(arrangement, ids).into_iter().zip(diffs).for_each(|(row, diff)| add(&mut out, row, *diff));
        });
    }
    out
}

fn key_of(arrangement: &Arrangement, rows: &[Row]) -> (Vec<ArrayRef>, Vec<u64>) {
    let columns = columns(rows);
    let keys: Vec<ArrayRef> = arrangement.key().iter().map(|c| Arc::clone(&columns[*c])).collect();
    let mut hashes = vec![];
    hash_columns(&keys, rows.len(), &mut hashes);
    (keys, hashes)
}

/// Probes of all kinds for some keys, one of them absent.
fn check_probes(arrangement: &Arrangement, want: &Multiset, as_of: u64, keys: i64) {
    // without key columns every row has the one key
    let keyless = arrangement.key().is_empty();
    let probed = if keyless { 0 } else { keys.min(40) };
    let probes: Vec<Row> = (0..=probed).map(|k| (if k == probed { -3 } else { k }, 1)).collect();
    let (columns, hashes) = key_of(arrangement, &probes);
    let (mut ids, mut diffs, mut of) = (vec![], vec![], vec![]);
    arrangement.probe(&columns, &hashes, as_of, NullKeys::Equal, |i, row, diff| {
        ids.push(row);
        diffs.push(diff);
        of.push(i as usize);
    });
    let mut got = Multiset::new();
    let mut counts = vec![0; probes.len()];
    for ((row, diff), i) in read(arrangement, &ids).into_iter().zip(&diffs).zip(of) {
        assert!(keyless || row.0 == probes[i].0, "row of another key");
        add(&mut got, row, *diff);
        counts[i] += diff;
    }
    let want: Multiset = want.iter().filter(|(row, _)| keyless || row.0 < probed).map(|(row, n)| (*row, *n)).collect();
    assert_eq!(got, want, "probe as of {as_of}");
    let mut out = vec![];
    arrangement.probe_counts(&columns, &hashes, as_of, NullKeys::Equal, &mut out);
    assert_eq!(out, counts);
    let mut exists = vec![];
    arrangement.probe_exists(&columns, &hashes, as_of, NullKeys::Equal, &mut exists);
    assert_eq!(exists, counts.iter().map(|n| *n > 0).collect::<Vec<_>>());
    arrangement.probe(&columns, &hashes, as_of, NullKeys::Skip, |i, _, _| {
        assert!(columns.iter().all(|c| c.is_valid(i as usize)), "a NULL key matched");
    });
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: i64) -> i64 {
        self.0 += 1;
        (mix(mix(self.0)) >> 20) as i64 % n
    }
}

/// Updates of a tick: insertions, and removals mostly of what is there.
fn updates(random: &mut Random, now: &Multiset, n: usize, keys: i64, variants: i64) -> Vec<(Row, i64)> {
    let mut out = vec![];
    while out.len() < n {
        let row = (random.below(keys), random.below(variants));
        match random.below(20) {
            0 => out.push((row, 2 + random.below(3))),
            1 => out.push((row, -1 - random.below(3))),
            2..10 => out.push((row, 1)),
            _ => {
                if let Some((row, diff)) = now.range(row..).next().filter(|(_, diff)| **diff > 0) {
                    out.push((*row, -1 - random.below(*diff)));
                }
            }
        }
    }
    out
}

struct Case {
    key: &'static [usize],
    keys: i64,
    variants: i64,
    ticks: u64,
    per_tick: usize,
}

/// Runs a case with its seed, or with as many as ARRANGE_SEEDS says from there on.
fn run(case: &Case, seed: u64) -> Arrangement {
    let seeds = std::env::var("ARRANGE_SEEDS").ok().and_then(|n| n.parse().ok()).unwrap_or(1);
    let mut last = None;
    for seed in seed..seed + seeds {
        println!("seed {seed}");
        last = Some(run_seed(case, seed * 1_000_000));
    }
    last.expect("a seed")
}

fn run_seed(case: &Case, seed: u64) -> Arrangement {
    let mut arrangement = arrangement(case.key);
    let reader = arrangement.add_reader(0);
    let mut random = Random(seed);
    let mut now = Multiset::new();
    let mut history: BTreeMap<u64, Multiset> = BTreeMap::from([(0, Multiset::new())]);
    let mut changes = Changes::new();
    for tick in 1..=case.ticks {
        let mut ups = updates(&mut random, &now, case.per_tick, case.keys, case.variants);
        if tick % 20 == 19 {
            // nearly everything goes, for the cleaner
            ups.extend(now.iter().filter(|(row, _)| row.1 % 50 != 7).map(|(row, diff)| (*row, -diff)));
        }
        let before = now.clone();
        ups.iter().for_each(|(row, diff)| add(&mut now, *row, *diff));
        let middle = ups.len() / 2;
        let delta = arrangement.apply(tick, &[batch(&ups[..middle]), batch(&ups[middle..])]);
        history.insert(tick, now.clone());
        // a reader reads the delta after further ticks, too
        for (tick, after) in history.range(tick.saturating_sub(2)..).skip(1) {
            let Some(delta) = arrangement.delta_after(tick - 1).filter(|d| d.tick() == *tick) else { continue };
            arrangement.changes(&delta, &mut changes);
            let mut got = history.get(&(tick - 1)).unwrap().clone();
            let rows = read(&arrangement, &changes.rows);
            rows.iter().zip(&changes.diffs).for_each(|(row, diff)| add(&mut got, *row, *diff));
            assert_eq!(&got, after, "changes of tick {tick}");
            assert_eq!(changes.hashes, key_of(&arrangement, &rows).1);
        }
        assert!(delta.is_empty() || history[&tick] != before || !changes.is_empty());
        let since = tick.saturating_sub(random.below(5) as u64);
        arrangement.advance_reader(reader, since);
        arrangement.maintain(tick);
        history = history.split_off(&arrangement.since());
        if tick % 5 == 0 {
            for (tick, want) in &history {
                assert_eq!(&scan(&arrangement, *tick, 100 + *tick as usize), want, "scan as of {tick}");
                check_probes(&arrangement, want, *tick, case.keys);
            }
        }
    }
    arrangement
}

#[test]
fn agrees_with_multisets_of_many_keys() {
    let case = Case { key: &[2, 3, 0], keys: 1500, variants: 12, ticks: 65, per_tick: 700 };
    let arrangement = run(&case, 1);
    let ids = arrangement.log.store.segments.len();
    assert!(arrangement.log.live < 20_000 && ids < 40, "{ids} segments for {} rows", arrangement.log.live);
}

#[test]
fn agrees_with_multisets_of_hot_keys() {
    let arrangement = run(&Case { key: &[0], keys: 7, variants: 300, ticks: 65, per_tick: 600 }, 2);
    assert!(arrangement.hot.memory_bytes() > 1000, "keys became hot");
}

/// Equal rows by the hundred, under one key without columns.
#[test]
fn agrees_with_multisets_without_key() {
    run(&Case { key: &[], keys: 2, variants: 9, ticks: 65, per_tick: 500 }, 3);
}

#[test]
fn agrees_with_multisets_keyed_by_everything() {
    const ALL: &[usize] = &[16, 15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0];
    let mut arrangement = arrangement(ALL);
    let rows: Vec<Row> = (0..50).map(|i| (i, i * 3)).collect();
    let updates: Vec<_> = rows.iter().map(|row| (*row, 1)).collect();
    arrangement.apply(1, &[batch(&updates)]);
    let (keys, hashes) = key_of(&arrangement, &rows);
    let mut found = vec![];
    arrangement.probe(&keys, &hashes, 1, NullKeys::Equal, |i, row, diff| {
        assert_eq!(diff, 1);
        assert_eq!(read(&arrangement, &[row]), [rows[i as usize]]);
        found.push(i);
    });
    found.sort_unstable();
    assert_eq!(found, (0..50).collect::<Vec<_>>());
    // what is stored hashes as what came
    let mut cursor = arrangement.cursor(1);
    arrangement.scan(&mut cursor, 1000, |ids, _| {
        let (_, hashes) = key_of(&arrangement, &read(&arrangement, ids));
        let stored: Vec<u64> = ids.iter().map(|id| arrangement.log.store.key_hash(id.0)).collect();
        assert_eq!(stored, hashes);
    });
}
