//! The rows of one stream that may still meet a row of the other.
//!
//! ```text
//! segments   [ rows 0 … 511 | rows 512 … 600 ]       columns as they came, in order of arrival
//! entries    key → (time, lane time, row) …          by time, so that a window is a range
//! deadlines  (closes, row, key) …                    a heap
//! ```
//! A row leaves when its window has closed. The mark of a row says whether it has met one of the other side.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use arrow::array::{Array, ArrayRef};
use millrace_arrange::KeyTable;
use millrace_data::Batch;

use crate::by_group::ByGroup;
use crate::render::hash::segments::{RowNumber, Segments};

/// A row of a key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) time: i64,
    /// Its lane time; the least there is, if it has none.
    pub(super) lane: i64,
    pub(super) row: RowNumber,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Deadline {
    closes: i64,
    row: RowNumber,
    /// [`KeyTable::ABSENT`] for a row that meets nothing.
    key: u32,
    time: i64,
}

/// See the module.
pub(super) struct Store {
    keys: KeyTable,
    entries: ByGroup<VecDeque<Entry>>,
    /// Bytes behind `entries`.
    entry_bytes: usize,
    deadlines: BinaryHeap<Reverse<Deadline>>,
    rows: Segments,
}

impl Store {
    /// An empty store with keys of these types.
    pub(super) fn new(types: &[arrow::datatypes::DataType]) -> Self {
        Store {
            keys: KeyTable::new(types),
            entries: ByGroup::new(),
            entry_bytes: 0,
            deadlines: BinaryHeap::new(),
            rows: Segments::default(),
        }
    }

    /// The rows of each of some keys.
    pub(super) fn find(&self, keys: &[ArrayRef], hashes: &[u64], ids: &mut Vec<u32>) {
        self.keys.lookup(keys, hashes, hashes.len(), ids);
    }

    /// The rows of a key that [`find`](Self::find) found whose times lie in a range, both ends included.
    pub(super) fn range(&self, key: u32, from: i64, to: i64) -> impl Iterator<Item = &Entry> {
        let entries = (key != KeyTable::ABSENT).then(|| &self.entries[key as usize]);
        entries.into_iter().flat_map(move |entries| {
            let first = entries.partition_point(|entry| entry.time < from);
            entries.range(first..).take_while(move |entry| entry.time <= to)
        })
    }

    /// Adds rows, with their keys and the hashes of these. `entry` says what matters of row `i`, and `closes` when it
    /// leaves; rows with a NULL key meet nothing.
    pub(super) fn add(
        &mut self,
        batch: Batch,
        (keys, hashes): (&[ArrayRef], &[u64]),
        matched: Vec<bool>,
        entry: impl Fn(usize, RowNumber) -> Entry,
        closes: impl Fn(i64) -> i64,
    ) {
        let mut ids = vec![];
        self.keys.lookup_or_insert(keys, hashes, batch.len(), &mut ids);
        self.entries.grow(self.keys.upper());
        let first = self.rows.upper();
        let mut unused = vec![];
        for (i, key) in ids.iter().enumerate() {
            let entry = entry(i, first + i as u64);
            let is_null = keys.iter().any(|column| column.is_null(i));
            let deadline = Deadline {
                closes: closes(entry.time),
                row: entry.row,
                key: if is_null { KeyTable::ABSENT } else { *key },
                time: entry.time,
            };
            self.deadlines.push(Reverse(deadline));
            if is_null {
                unused.push(*key);
                continue;
            }
            let entries = &mut self.entries[*key as usize];
            let capacity = entries.capacity();
            let at = entries.partition_point(|other| other.time <= entry.time);
            entries.insert(at, entry);
            self.entry_bytes += (entries.capacity() - capacity) * size_of::<Entry>();
        }
        unused.sort_unstable();
        unused.dedup();
        self.keys.remove(&unused);
        self.rows.push(batch, matched);
    }

    /// The rows.
    pub(super) fn rows(&self) -> &Segments {
        &self.rows
    }

    /// The row has met one of the other side.
    pub(super) fn set_matched(&mut self, row: RowNumber) {
        self.rows.mark(row);
    }

    /// Rows whose window has closed at `now`, in order of their deadlines; `f` is given those without a partner before
    /// they leave.
    pub(super) fn expire(&mut self, now: i64, f: impl FnOnce(&Segments, &[RowNumber])) {
        let mut gone = vec![];
        while let Some(Reverse(first)) = self.deadlines.peek()
            && first.closes <= now
        {
            gone.push(*first);
            self.deadlines.pop();
        }
        if gone.is_empty() {
            return;
        }
        let rows = gone.iter().map(|deadline| deadline.row);
        let lonely: Vec<RowNumber> = rows.filter(|row| !self.rows.is_marked(*row)).collect();
        if !lonely.is_empty() {
            f(&self.rows, &lonely);
        }
        gone.iter().for_each(|deadline| self.remove(deadline));
    }

    fn remove(&mut self, deadline: &Deadline) {
        self.rows.release(deadline.row);
        if deadline.key == KeyTable::ABSENT {
            return;
        }
        let entries = &mut self.entries[deadline.key as usize];
        let first = entries.partition_point(|entry| entry.time < deadline.time);
        if let Some(i) = entries.range(first..).position(|entry| entry.row == deadline.row) {
            entries.remove(first + i);
        }
        if entries.is_empty() {
            self.entry_bytes -= std::mem::take(entries).capacity() * size_of::<Entry>();
            self.keys.remove(&[deadline.key]);
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.keys.memory_bytes()
            + self.entries.memory_bytes()
            + self.entry_bytes
            + self.deadlines.capacity() * size_of::<Deadline>()
            + self.rows.memory_bytes()
    }
}
