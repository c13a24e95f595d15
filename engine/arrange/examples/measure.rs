//! Measures the arrangement by hand: `cargo run --release -p millrace-arrange --example measure -- WORKLOAD [ROWS]`.
//!
//! | workload | what |
//! |---|---|
//! | `probe` | insert ROWS rows (random BIGINT key, VARCHAR, nullable DOUBLE) in ticks of 10,000; probe each key once |
//! | `join` | two arrangements of a million keys, ROWS updates of which a tenth are removals, joined tick by tick |
//! | `groups` | COUNT and SUM of ROWS rows over a million keys in a key table |
//! | `hot` | as `join`, with 200 keys |
//! | `memory` | bytes per settled row (BIGINT, VARCHAR(20), DECIMAL(12,2), nullable DOUBLE) against Arrow's form |
//!
//! Each prints one line. Without arguments all run, tiny.

// A program that is run by hand: it prints, and asks the machine for the time itself.
#![allow(clippy::print_stdout, clippy::disallowed_methods)]

use std::sync::Arc;
use std::time::Instant;

use arrow::array::{ArrayRef, Decimal128Array, Float64Array, Int64Array, StringBuilder};
use arrow::datatypes::DataType;
use millrace_arrange::{Arrangement, Changes, KeyTable, NullKeys, ReaderId, RowId};
use millrace_data::Batch;
use millrace_data::hash::{hash_columns, mix};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const TICK_ROWS: usize = 10_000;
/// Pairs of a join that are gathered together.
const PAIRS: usize = 2048;

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let size = |default: usize| args.get(1).map_or(default, |n| n.parse().expect("a number of rows"));
    match args.first().map(String::as_str) {
        Some("probe") => probe(size(1_000_000)),
        Some("join") => join(size(5_000_000), 1_000_000),
        Some("hot") => join(size(5_000_000), 200),
        Some("groups") => groups(size(5_000_000), 1_000_000),
        Some("memory") => memory(size(5_000_000)),
        _ => tiny(),
    }
}

fn tiny() {
    probe(20_000);
    join(20_000, 5000);
    join(20_000, 20);
    groups(20_000, 5000);
    memory(20_000);
}

#[test]
fn runs() {
    tiny();
}

struct Random(u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        ((u128::from(mix(mix(self.0))) * u128::from(n)) >> 64) as u64
    }
}

/// A value that depends on a number and a salt.
fn value(number: u64, salt: u64, n: u64) -> i64 {
    ((u128::from(mix(mix(number.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ salt << 17))) * u128::from(n)) >> 64) as i64
}

fn texts(of: impl Iterator<Item = String>) -> ArrayRef {
    let mut out = StringBuilder::new();
    of.for_each(|text| out.append_value(text));
    Arc::new(out.finish())
}

fn hashes_of(columns: &[ArrayRef], len: usize) -> Vec<u64> {
    let mut out = vec![];
    hash_columns(columns, len, &mut out);
    out
}

/// Seconds per tick by the clock, and processor seconds of all.
struct Times(Vec<f64>);

/// Processor seconds of this thread; 0 where the system does not say.
fn processor() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split_whitespace().next().and_then(|n| n.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}

impl Times {
    /// `processor`: its value at the beginning.
    fn say(&mut self, processor_before: f64) -> String {
        self.0.sort_by(f64::total_cmp);
        let at = |share: f64| self.0[((self.0.len() - 1) as f64 * share) as usize] * 1e3;
        let (clock, used) = (self.0.iter().sum::<f64>(), processor() - processor_before);
        format!("{clock:.3} s, processor {used:.3} s, p50 {:.2} p99 {:.2} max {:.2} ms", at(0.5), at(0.99), at(1.0))
    }
}

fn probe(rows: usize) {
    let mut random = Random(1);
    let ticks: Vec<Batch> = (0..rows.div_ceil(TICK_ROWS))
        .map(|tick| {
            let n = TICK_ROWS.min(rows - tick * TICK_ROWS);
            let key: Int64Array = (0..n).map(|_| Some(random.below(1 << 40) as i64)).collect();
            let text = texts((0..n).map(|i| format!("value {}", value((tick * TICK_ROWS + i) as u64, 3, 1_000_000))));
            let number: Float64Array = (0..n).map(|i| (i % 4 != 0).then_some(i as f64 / 7.0)).collect();
            Batch::new(vec![Arc::new(key), text, Arc::new(number)], None, n)
        })
        .collect();
    let mut arrangement = Arrangement::new(&[DataType::Int64, DataType::Utf8, DataType::Float64], &[0]);
    let (mut inserts, mut probes) = (Times(vec![]), Times(vec![]));
    let before = processor();
    for (tick, batch) in (1..).zip(&ticks) {
        let start = Instant::now();
        arrangement.apply(tick, std::slice::from_ref(batch));
        arrangement.maintain(tick);
        inserts.0.push(start.elapsed().as_secs_f64());
    }
    let inserts = inserts.say(before);
    let (mut found, before) = (0, processor());
    for batch in &ticks {
        let start = Instant::now();
        let keys = [Arc::clone(batch.column(0))];
        let hashes = hashes_of(&keys, batch.len());
        arrangement.probe(&keys, &hashes, arrangement.now(), NullKeys::Skip, |_, _, diff| found += diff);
        probes.0.push(start.elapsed().as_secs_f64());
    }
    assert!(found as usize >= rows);
    println!("probe {rows}: insert {inserts}; probe {}", probes.say(before));
}

/// L at random keys, R one row per key, replaced now and then.
struct Sources {
    random: Random,
    keys: u64,
    versions: Vec<u64>,
    live: Vec<u64>,
    next: u64,
}

impl Sources {
    fn left(&self, rows: &[u64]) -> Vec<ArrayRef> {
        let column = |salt, n| Arc::new(rows.iter().map(|j| Some(value(*j, salt, n))).collect::<Int64Array>());
        let some = |j: &u64| (value(*j, 4, 4) != 0).then(|| value(*j, 5, 1 << 16));
        let text = texts(rows.iter().map(|j| format!("{:012x}", value(*j, 3, 1 << 48))));
        let number: Int64Array = rows.iter().map(some).collect();
        vec![column(1, self.keys), column(2, 1_000_000), text, Arc::new(number)]
    }

    fn right(rows: &[(u64, u64)]) -> Vec<ArrayRef> {
        let number = |(k, version): &(u64, u64)| Some(value(*k, 100 + version, 1_000_000));
        let text = texts(rows.iter().map(|(k, v)| format!("n{:09}", value(*k, 200 + v, 1_000_000_000))));
        let key: Int64Array = rows.iter().map(|(k, _)| Some(*k as i64)).collect();
        vec![Arc::new(key), Arc::new(rows.iter().map(number).collect::<Int64Array>()), text]
    }

    fn tick(&mut self, right: usize) -> (Batch, Batch) {
        let (mut rows, mut diffs) = (vec![], vec![]);
        for _ in 0..right {
            let key = self.random.below(self.keys);
            let version = &mut self.versions[key as usize];
            rows.extend([(key, *version), (key, *version + 1)]);
            diffs.extend([-1, 1]);
            *version += 1;
        }
        let n = rows.len();
        let r = Batch::new(Sources::right(&rows), Some(diffs), n);
        let (mut rows, mut diffs) = (vec![], vec![]);
        for _ in n..TICK_ROWS {
            if self.random.below(10) == 0 && self.live.len() > 1000 {
                let at = self.random.below(self.live.len() as u64) as usize;
                rows.push(self.live.swap_remove(at));
                diffs.push(-1);
            } else {
                rows.push(self.next);
                self.live.push(self.next);
                self.next += 1;
                diffs.push(1);
            }
        }
        let n = rows.len();
        (Batch::new(self.left(&rows), Some(diffs), n), r)
    }
}

/// An arrangement with the reader that the join is.
struct Side {
    arrangement: Arrangement,
    reader: ReaderId,
}

impl Side {
    fn new(types: &[DataType]) -> Self {
        let mut arrangement = Arrangement::new(types, &[0]);
        let reader = arrangement.add_reader(0);
        Side { arrangement, reader }
    }
}

#[derive(Default)]
struct Check {
    rows: i64,
    sum: u64,
}

impl Check {
    fn take(&mut self, columns: &[ArrayRef], diffs: &[i64]) {
        for (hash, diff) in hashes_of(columns, diffs.len()).iter().zip(diffs) {
            self.rows += diff;
            self.sum = self.sum.wrapping_add(hash.wrapping_mul(*diff as u64));
        }
    }
}

/// Pairs of left and right rows that wait to be gathered.
#[derive(Default)]
struct Pairs {
    left: Vec<RowId>,
    right: Vec<RowId>,
    diffs: Vec<i64>,
}

impl Pairs {
    fn emit(&mut self, left: &Arrangement, right: &Arrangement, check: &mut Check) {
        let mut columns: Vec<ArrayRef> = (0..3).map(|c| left.gather(c, &self.left)).collect();
        columns.extend((1..3).map(|c| right.gather(c, &self.right)));
        check.take(&columns, &self.diffs);
        self.left.clear();
        self.right.clear();
        self.diffs.clear();
    }
}

fn join_tick(tick: u64, left: &mut Side, right: &mut Side, batches: (Batch, Batch), check: &mut Check) {
    let deltas = [left.arrangement.apply(tick, &[batches.0]), right.arrangement.apply(tick, &[batches.1])];
    let (l, r) = (&left.arrangement, &right.arrangement);
    let (mut changes, mut pairs) = (Changes::new(), Pairs::default());
    for (side, delta) in deltas.iter().enumerate() {
        // left changes meet the right before the tick, right changes the left after it
        let (mine, other, as_of) = if side == 0 { (l, r, tick - 1) } else { (r, l, tick) };
        mine.changes(delta, &mut changes);
        other.probe_rows(mine, &changes.rows, &changes.hashes, as_of, NullKeys::Skip, |i, row, diff| {
            let (me, i) = (changes.rows[i as usize], i as usize);
            pairs.left.push(if side == 0 { me } else { row });
            pairs.right.push(if side == 0 { row } else { me });
            pairs.diffs.push(diff * changes.diffs[i]);
            if pairs.diffs.len() == PAIRS {
                pairs.emit(l, r, check);
            }
        });
        if !pairs.diffs.is_empty() {
            pairs.emit(l, r, check);
        }
    }
    for side in [left, right] {
        side.arrangement.advance_reader(side.reader, tick);
        side.arrangement.maintain(tick);
    }
}

fn join(updates: usize, keys: usize) {
    let mut sources = Sources { random: Random(42), keys: keys as u64, versions: vec![0; keys], live: vec![], next: 0 };
    let (int, text) = (DataType::Int64, DataType::Utf8);
    let mut left = Side::new(&[int.clone(), int.clone(), text.clone(), int.clone()]);
    let mut right = Side::new(&[int.clone(), int, text]);
    let mut check = Check::default();
    let mut tick = 0;
    let empty = Batch::empty(left.arrangement.types());
    for keys in (0..keys as u64).map(|k| (k, 0)).collect::<Vec<_>>().chunks(TICK_ROWS) {
        tick += 1;
        let batch = Batch::new(Sources::right(keys), None, keys.len());
        join_tick(tick, &mut left, &mut right, (empty.clone(), batch), &mut check);
    }
    let mut times = Times(vec![]);
    let upserts = if keys > 1000 { TICK_ROWS / 20 } else { 2 };
    let batches: Vec<(Batch, Batch)> = (0..updates / TICK_ROWS).map(|_| sources.tick(upserts)).collect();
    let before = processor();
    for batches in batches {
        tick += 1;
        let start = Instant::now();
        join_tick(tick, &mut left, &mut right, batches, &mut check);
        times.0.push(start.elapsed().as_secs_f64());
    }
    println!(
        "join {updates} over {keys} keys: {}; {} pairs, sum {:x}; {} rows in {} MB",
        times.say(before),
        check.rows,
        check.sum,
        left.arrangement.rows() + right.arrangement.rows(),
        (left.arrangement.memory_bytes() + right.arrangement.memory_bytes()) >> 20
    );
}

fn groups(rows: usize, keys: u64) {
    let mut random = Random(43);
    let mut table = KeyTable::new(&[DataType::Int64]);
    let (mut counts, mut sums, mut ids) = (vec![], vec![], vec![]);
    let (mut times, mut check) = (Times(vec![]), Check::default());
    let mut touched: Vec<u64> = vec![];
    let mut column = |n| (0..TICK_ROWS).map(|_| Some(random.below(n) as i64)).collect::<Int64Array>();
    let ticks: Vec<(ArrayRef, Int64Array)> =
        (0..rows / TICK_ROWS).map(|_| (Arc::new(column(keys)) as ArrayRef, column(1_000_000))).collect();
    let processor_before = processor();
    for (tick, (key, number)) in (1u64..).zip(ticks) {
        let start = Instant::now();
        let columns = [key];
        let hashes = hashes_of(&columns, TICK_ROWS);
        table.lookup_or_insert(&columns, &hashes, TICK_ROWS, &mut ids);
        counts.resize(table.upper(), 0i64);
        sums.resize(table.upper(), 0i64);
        touched.resize(table.upper(), 0);
        let (mut changed, mut before) = (vec![], vec![]);
        for (id, x) in ids.iter().zip(number.values()) {
            let at = *id as usize;
            if touched[at] != tick {
                touched[at] = tick;
                changed.push(*id);
                before.push((counts[at], sums[at]));
            }
            counts[at] += 1;
            sums[at] += x;
        }
        // the old row of each changed group that had one, then the new row of each
        let olds = changed.iter().zip(&before).filter(|(_, old)| old.0 != 0).map(|(id, old)| (*id, *old, -1));
        let news = changed.iter().map(|id| (*id, (counts[*id as usize], sums[*id as usize]), 1));
        let out: Vec<(u32, (i64, i64), i64)> = olds.chain(news).collect();
        let mut columns = table.gather_keys(&out.iter().map(|o| o.0).collect::<Vec<_>>());
        columns.push(Arc::new(out.iter().map(|o| Some(o.1.0)).collect::<Int64Array>()));
        columns.push(Arc::new(out.iter().map(|o| Some(o.1.1)).collect::<Int64Array>()));
        check.take(&columns, &out.iter().map(|o| o.2).collect::<Vec<_>>());
        times.0.push(start.elapsed().as_secs_f64());
    }
    println!(
        "groups {rows} over {keys} keys: {}; {} groups, sum {:x}, {} MB",
        times.say(processor_before),
        check.rows,
        check.sum,
        table.memory_bytes() >> 20
    );
}

fn memory(rows: usize) {
    let types = [DataType::Int64, DataType::Utf8, DataType::Decimal128(12, 2), DataType::Float64];
    let before = resident();
    let mut arrangement = Arrangement::new(&types, &[0]);
    let mut plain = 0;
    let processor_before = processor();
    let mut times = Times(vec![]);
    for tick in 0..rows.div_ceil(TICK_ROWS) {
        let numbers = tick * TICK_ROWS..rows.min((tick + 1) * TICK_ROWS);
        let n = numbers.len();
        let key: Int64Array = numbers.clone().map(|i| Some(value(i as u64, 1, 1 << 60))).collect();
        let decimal: Decimal128Array = numbers.clone().map(|i| Some(value(i as u64, 2, 1 << 33).into())).collect();
        let number: Float64Array = numbers.clone().map(|i| (i % 3 != 0).then_some(i as f64)).collect();
        let columns: Vec<ArrayRef> = vec![
            Arc::new(key),
            texts(numbers.map(|i| format!("{i:020}"))),
            Arc::new(decimal.with_precision_and_scale(12, 2).expect("DECIMAL(12, 2)")),
            Arc::new(number),
        ];
        // 8, 4 + 20, 16 and 8 bytes, and the NULL bitmap
        plain += n * 56 + n / 8;
        let start = Instant::now();
        arrangement.apply(tick as u64 + 1, &[Batch::new(columns, None, n)]);
        arrangement.maintain(tick as u64 + 1);
        times.0.push(start.elapsed().as_secs_f64());
    }
    let held = arrangement.memory_bytes();
    let per_row = |bytes: usize| bytes as f64 / rows as f64;
    println!(
        "memory {rows}: {}; {:.1} bytes a row, {:.2} of Arrow's {:.1}; {:.1} resident",
        times.say(processor_before),
        per_row(held),
        held as f64 / plain as f64,
        per_row(plain),
        per_row(resident().saturating_sub(before)),
    );
}

/// Bytes of memory of this process; 0 where the system does not say.
fn resident() -> usize {
    let pages = std::fs::read_to_string("/proc/self/statm").unwrap_or_default();
    pages.split_whitespace().nth(1).and_then(|n| n.parse::<usize>().ok()).unwrap_or(0) * 4096
}
