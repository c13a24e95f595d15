//! Changes with the keys that real joins have: random over many, or new ones all the time, texts and NULLs beside them.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use millrace_data::Batch;

use crate::workload::{Relation, Tick};

/// One side of the join.
pub(crate) const LEFT: Relation = Relation { name: "LEFTS", columns: "K BIGINT, NAME VARCHAR", retracts: false };
/// The other.
pub(crate) const RIGHT: Relation = Relation { name: "RIGHTS", columns: "K BIGINT, V BIGINT", retracts: false };
/// Input of the window.
pub(crate) const EVENTS: Relation = Relation { name: "EVENTS", columns: "K BIGINT", retracts: false };

/// Event time of the first event, epoch ms.
pub(crate) const BASE_MS: i64 = 1_600_000_000_000;

/// How keys come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Keys {
    /// Any of as many keys as there are left rows.
    Random,
    /// Ever larger, as identifiers are.
    Monotone,
}

/// A small generator of random numbers: splitmix64.
pub(crate) struct Random(u64);

impl Random {
    /// From a seed.
    pub(crate) fn new(seed: u64) -> Self {
        Random(seed)
    }
    /// 64 bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    /// Below `n`.
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.bits()) * u128::from(n)) >> 64) as u64
    }
}

type LeftRow = (i64, Option<String>);
type RightRow = (i64, Option<i64>);

/// A quarter of the changes are left rows, the rest right rows; every tenth text and value is NULL. With `deletes`, a
/// tenth of the changes takes back an earlier row.
pub(crate) fn joins(events: usize, tick: usize, keys: Keys, deletes: bool) -> Vec<Tick> {
    let mut random = Random::new(7);
    let n_keys = (events / 4).max(1) as u64;
    let (mut lefts, mut rights): (Vec<LeftRow>, Vec<RightRow>) = (vec![], vec![]);
    let mut made = 0;
    let mut out = vec![];
    while made < events {
        let (mut l, mut r) = (Side::default(), Side::default());
        for _ in 0..tick.min(events - made) {
            let key = match keys {
                Keys::Random => random.below(n_keys),
                // the last few keys get most of the rows
                Keys::Monotone => (made as u64 / 4).saturating_sub(random.below(64)),
            } as i64;
            made += 1;
            let left = made % 4 == 0;
            let take_back = deletes && random.below(10) == 0;
            match (left, take_back) {
                (true, true) if !lefts.is_empty() => {
                    let at = random.below(lefts.len() as u64) as usize;
                    l.push(lefts.swap_remove(at), -1);
                }
                (true, _) => {
                    let name = (random.below(10) > 0).then(|| format!("name of {:012}", random.below(1 << 40)));
                    lefts.extend(deletes.then(|| (key, name.clone())));
                    l.push((key, name), 1);
                }
                (false, true) if !rights.is_empty() => {
                    let at = random.below(rights.len() as u64) as usize;
                    r.push(rights.swap_remove(at), -1);
                }
                (false, _) => {
                    let value = (random.below(10) > 0).then(|| random.below(1_000_000) as i64);
                    rights.extend(deletes.then_some((key, value)));
                    r.push((key, value), 1);
                }
            }
        }
        out.push(vec![l.batch(|v| Arc::new(StringArray::from(v))), r.batch(|v| Arc::new(Int64Array::from(v)))]);
    }
    out
}

struct Side<V> {
    keys: Vec<i64>,
    values: Vec<Option<V>>,
    diffs: Vec<i64>,
}

impl<V> Default for Side<V> {
    fn default() -> Self {
        Side { keys: vec![], values: vec![], diffs: vec![] }
    }
}

impl<V> Side<V> {
    fn push(&mut self, (key, value): (i64, Option<V>), diff: i64) {
        self.keys.push(key);
        self.values.push(value);
        self.diffs.push(diff);
    }
    fn batch(self, column: impl FnOnce(Vec<Option<V>>) -> ArrayRef) -> Batch {
        let len = self.keys.len();
        Batch::new(vec![Arc::new(Int64Array::from(self.keys)), column(self.values)], Some(self.diffs), len)
    }
}

/// Events over 10,000 keys, ten a millisecond; ROWTIME is the second column.
pub(crate) fn events(events: usize, tick: usize) -> Vec<Tick> {
    let mut random = Random::new(11);
    let mut out = vec![];
    let mut made = 0;
    while made < events {
        let n = tick.min(events - made);
        let keys: Vec<i64> = (0..n).map(|_| random.below(10_000) as i64).collect();
        let times: Vec<i64> = (made..made + n).map(|i| BASE_MS + i as i64 / 10).collect();
        let columns: Vec<ArrayRef> = vec![Arc::new(Int64Array::from(keys)), Arc::new(Int64Array::from(times))];
        out.push(vec![Batch::new(columns, None, n)]);
        made += n;
    }
    out
}
