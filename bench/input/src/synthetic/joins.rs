//! Two sides of a join: a quarter of the changes are left rows, the rest right rows; every tenth text and value is NULL.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use millrace_data::Batch;

use crate::random::Random;
use crate::spec::Spec;
use crate::table::Tick;

/// How keys come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Keys {
    /// Any of as many keys as there are left rows.
    Random,
    /// Ever larger, as identifiers are.
    Monotone,
}

type LeftRow = (i64, Option<String>);
type RightRow = (i64, Option<i64>);

/// The changes, tick by tick.
pub(super) struct Joins {
    sizes: std::vec::IntoIter<usize>,
    random: Random,
    keys: Keys,
    n_keys: u64,
    made: u64,
    /// Whether a tenth of the changes takes back an earlier row.
    deletes: bool,
    lefts: Vec<LeftRow>,
    rights: Vec<RightRow>,
}

impl Joins {
    pub(super) fn new(spec: &Spec, keys: Keys, deletes: bool) -> Self {
        let n_keys = ((spec.load + spec.events) / 4).max(1) as u64;
        let (sizes, random) = (spec.sizes().0.into_iter(), Random::new(spec.seed));
        Joins { sizes, random, keys, n_keys, made: 0, deletes, lefts: vec![], rights: vec![] }
    }

    fn add(&mut self, l: &mut Side<String>, r: &mut Side<i64>) {
        let random = &mut self.random;
        let key = match self.keys {
            Keys::Random => random.below(self.n_keys),
            // the last few keys get most of the rows
            Keys::Monotone => (self.made / 4).saturating_sub(random.below(64)),
        } as i64;
        self.made += 1;
        let left = self.made.is_multiple_of(4);
        let take_back = self.deletes && random.below(10) == 0;
        match (left, take_back) {
            (true, true) if !self.lefts.is_empty() => {
                let at = random.below(self.lefts.len() as u64) as usize;
                l.push(self.lefts.swap_remove(at), -1);
            }
            (true, _) => {
                let name = (random.below(10) > 0).then(|| format!("name of {:012}", random.below(1 << 40)));
                self.lefts.extend(self.deletes.then(|| (key, name.clone())));
                l.push((key, name), 1);
            }
            (false, true) if !self.rights.is_empty() => {
                let at = random.below(self.rights.len() as u64) as usize;
                r.push(self.rights.swap_remove(at), -1);
            }
            (false, _) => {
                let value = (random.below(10) > 0).then(|| random.below(1_000_000) as i64);
                self.rights.extend(self.deletes.then_some((key, value)));
                r.push((key, value), 1);
            }
        }
    }
}

impl Iterator for Joins {
    type Item = Tick;

    fn next(&mut self) -> Option<Tick> {
        let n = self.sizes.next()?;
        let (mut l, mut r) = (Side::default(), Side::default());
        (0..n).for_each(|_| self.add(&mut l, &mut r));
        Some(vec![l.batch(|v| Arc::new(StringArray::from(v))), r.batch(|v| Arc::new(Int64Array::from(v)))])
    }
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
