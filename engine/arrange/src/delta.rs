//! What one tick did to an arrangement.
//!
//! # Contract
//! A delta holds row ids, not rows: readers gather only the columns that they use, so sharing an arrangement costs
//! nothing. Its ids are good for readers whose `since` is before its tick. See `Arrangement::changes` for the net
//! changes, each row once.

use crate::RowId;

/// Rows with consecutive ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) first: u32,
    pub(crate) len: u32,
}

/// A row that died and the equal row of another diff that took its place.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Restated {
    pub(crate) old: u32,
    pub(crate) new: u32,
    pub(crate) hash: u64,
}

/// See the module.
#[derive(Debug, Default)]
pub struct Delta {
    pub(crate) tick: u64,
    /// Position of the first new row.
    pub(crate) lower: u64,
    pub(crate) added: Vec<Run>,
    /// Key hashes of the added rows.
    pub(crate) added_hashes: Vec<u64>,
    pub(crate) died: Vec<u32>,
    /// Key hashes of the rows that died.
    pub(crate) died_hashes: Vec<u64>,
    pub(crate) restated: Vec<Restated>,
}

impl Delta {
    pub(crate) fn new(tick: u64, lower: u64) -> Self {
        Delta { tick, lower, ..Delta::default() }
    }

    /// The tick.
    pub fn tick(&self) -> u64 {
        self.tick
    }

    /// Whether nothing changed.
    pub fn is_empty(&self) -> bool {
        self.added.is_empty() && self.died.is_empty() && self.restated.is_empty()
    }

    /// Changes, or more: a row that came and went within the tick counts.
    pub fn len_max(&self) -> usize {
        self.added_hashes.len() + self.died.len() + self.restated.len()
    }

    /// Bytes of memory.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Delta>()
            + self.added.capacity() * size_of::<Run>()
            + (self.added_hashes.capacity() + self.died_hashes.capacity()) * 8
            + self.died.capacity() * 4
            + self.restated.capacity() * size_of::<Restated>()
    }

    /// New rows with the hashes of their keys.
    pub(crate) fn add_rows(&mut self, rows: &[u32], hashes: impl Iterator<Item = u64>) {
        for row in rows {
            self.add_run(*row);
        }
        self.added_hashes.extend(hashes);
    }

    pub(crate) fn add(&mut self, row: u32, hash: u64) {
        self.add_run(row);
        self.added_hashes.push(hash);
    }

    fn add_run(&mut self, row: u32) {
        match self.added.last_mut() {
            Some(run) if run.first + run.len == row => run.len += 1,
            _ => self.added.push(Run { first: row, len: 1 }),
        }
    }
}

/// Changed rows with their diffs and key hashes, side by side.
#[derive(Debug, Default)]
pub struct Changes {
    /// The rows. A row with a negative diff is gone as of the tick, but can still be gathered.
    pub rows: Vec<RowId>,
    /// By how much each changed; never 0.
    pub diffs: Vec<i64>,
    /// Hashes of the rows' keys.
    pub hashes: Vec<u64>,
}

impl Changes {
    /// No changes.
    pub fn new() -> Self {
        Changes::default()
    }

    /// How many.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Forgets them and keeps the memory.
    pub fn clear(&mut self) {
        self.rows.clear();
        self.diffs.clear();
        self.hashes.clear();
    }

    pub(crate) fn push(&mut self, row: u32, diff: i64, hash: u64) {
        self.rows.push(RowId(row));
        self.diffs.push(diff);
        self.hashes.push(hash);
    }
}
