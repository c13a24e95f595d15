//! A multiset of rows, indexed by key, that can be read as of any recent tick.
//!
//! ```text
//!        since                     now
//! ─────────┼────────────────────────┼────▶ ticks          a row is alive in [born, died)
//!   settled │   any as-of in here    │
//! ```
//! Rows are appended to a log and never rewritten; a row that is removed is marked with the tick of its death and stays
//! until no reader can look back to when it was alive. So one structure answers for every reader at a tick of its own,
//! without copies. All rows of a key form a chain, or a list when they are many; the index leads to the first.
//!
//! # Contract
//! * `apply` takes ticks in ascending order, from 1 on, each at most once; tick 0 is before everything.
//! * Reads are as of ticks in [since, now]; what was the multiset at that tick is what they see, exactly: diffs above one
//!   or below minus one, and removals that come before their insertion, count like any others.
//! * `since` follows the slowest reader and is moved by `maintain` only.
//! * A [`RowId`] is good until the next `maintain`; those of a [`Delta`] as long as a reader's `since` is before its tick.
//! * Work per call follows from what is given to it. What must be put off is bounded by constants: the pieces in which
//!   dead rows are unlinked and half-dead segments cleaned.

mod apply;
mod clean;
mod probe;
mod scan;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::rc::Rc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use crate::RowId;
use crate::delta::Delta;
use crate::hot::Hot;
use crate::index::{Index, NIL};
use crate::layout::Layout;
use crate::log::{CUT, DEAD, HEADER, HEADER_APPEND_ONLY, Log};

pub use probe::NullKeys;
pub use scan::Cursor;

/// A chain of more rows becomes a list. Walks of chains are by the block, so that this many steps overlap with those of
/// other keys; above, a walk of one key would be felt.
const CHAIN_ROWS_MAX: usize = 64;

/// A reader of an arrangement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReaderId(u32);

/// See the module.
pub struct Arrangement {
    log: Log,
    index: Index,
    hot: Hot,
    /// Deltas after `since`, and those before it of which rows are still to be unlinked.
    history: VecDeque<Rc<Delta>>,
    /// Rows of the first delta of `history` that are unlinked.
    unlinked: usize,
    /// `since` of each reader.
    readers: Vec<Option<u64>>,
    since: u64,
    now: u64,
    /// Live rows of negative diff.
    negatives: usize,
    /// The last tick that has a row of negative diff, other than now.
    last_negative: u64,
    /// Where cleaning has come to in the first candidate.
    swept: u32,
    /// Scans that are under way: rows must stay where they are.
    scans: usize,
    ids: Vec<u32>,
    selected: Vec<u32>,
}

impl Arrangement {
    /// An empty multiset of rows with columns of these types, indexed by the `key` columns, in that order. No key
    /// columns: all rows have the same key.
    ///
    /// # Panics
    /// If a key column does not exist. Types beyond SQL's are kept in Arrow's row form, which nearly all have.
    pub fn new(types: &[DataType], key: &[usize]) -> Self {
        Arrangement::with_header(types, key, HEADER)
    }

    /// The same for rows that are never removed: a word a row smaller, and no hash is made of rows.
    ///
    /// # Panics
    /// If a key column does not exist. [`apply`](Self::apply) panics at a removal.
    pub fn append_only(types: &[DataType], key: &[usize]) -> Self {
        Arrangement::with_header(types, key, HEADER_APPEND_ONLY)
    }

    fn with_header(types: &[DataType], key: &[usize], header: usize) -> Self {
        Arrangement {
            log: Log::new(Layout::new(types, key, header)),
            index: Index::new(),
            hot: Hot::new(),
            history: VecDeque::new(),
            unlinked: 0,
            readers: vec![],
            since: 0,
            now: 0,
            negatives: 0,
            last_negative: 0,
            swept: 0,
            scans: 0,
            ids: vec![],
            selected: vec![],
        }
    }

    /// Types of the columns.
    pub fn types(&self) -> &[DataType] {
        &self.log.store.layout.types
    }

    /// The key columns.
    pub fn key(&self) -> &[usize] {
        &self.log.store.layout.key
    }

    /// Rows that are alive now. Equal rows may be one row with a diff above 1 or several rows.
    pub fn rows(&self) -> usize {
        self.log.live
    }

    /// Keys that have rows, some of which may be dead but not forgotten.
    pub fn keys(&self) -> usize {
        self.index.len()
    }

    /// Whether every live row has a diff above 0, so that a key with a row has a match.
    pub fn is_positive(&self) -> bool {
        self.negatives == 0
    }

    /// The earliest tick that can be read.
    pub fn since(&self) -> u64 {
        self.since
    }

    /// The latest tick that was applied or maintained.
    pub fn now(&self) -> u64 {
        self.now
    }

    /// Bytes of memory, indexes and what is kept for readers included.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>()
            + self.log.memory_bytes()
            + self.index.memory_bytes()
            + self.hot.memory_bytes()
            + self.history.iter().map(|delta| delta.memory_bytes()).sum::<usize>()
            + (self.ids.capacity() + self.selected.capacity()) * 4
            + self.readers.capacity() * size_of::<Option<u64>>()
    }

    /// Column `column` of some rows, in their order.
    ///
    /// # Panics
    /// If texts of more than 2 GiB are asked for at once.
    pub fn gather(&self, column: usize, rows: &[RowId]) -> ArrayRef {
        self.log.store.gather(self.log.store.layout.field(column), rows)
    }

    /// The key columns of some rows, in key order.
    pub fn gather_keys(&self, rows: &[RowId]) -> Vec<ArrayRef> {
        self.key().iter().map(|column| self.gather(*column, rows)).collect()
    }

    /// Whether a key column of a row is NULL.
    pub fn has_null_key(&self, row: RowId) -> bool {
        self.log.store.null_key(row.0)
    }

    // ---- readers ----

    /// A reader that will look as of `since` and later.
    ///
    /// # Panics
    /// If that tick cannot be read any more.
    pub fn add_reader(&mut self, since: u64) -> ReaderId {
        assert!(since >= self.since, "a reader as of tick {since}, but since is {}", self.since);
        let free = self.readers.iter().position(Option::is_none);
        let at = free.unwrap_or_else(|| {
            self.readers.push(None);
            self.readers.len() - 1
        });
        self.readers[at] = Some(since);
        ReaderId(at as u32)
    }

    /// The reader will not look before `since` again. Going back has no effect.
    pub fn advance_reader(&mut self, reader: ReaderId, since: u64) {
        if let Some(current) = &mut self.readers[reader.0 as usize] {
            *current = since.max(*current);
        }
    }

    /// The reader's `since`.
    pub fn reader_since(&self, reader: ReaderId) -> Option<u64> {
        self.readers[reader.0 as usize]
    }

    /// The reader is no more.
    pub fn remove_reader(&mut self, reader: ReaderId) {
        self.readers[reader.0 as usize] = None;
    }

    /// The first delta after `tick`, if there is one yet.
    ///
    /// # Panics
    /// If `tick` is before `since`: deltas are kept for readers only.
    pub fn delta_after(&self, tick: u64) -> Option<Rc<Delta>> {
        assert!(tick >= self.since, "deltas after tick {tick}, but since is {}", self.since);
        let at = self.history.partition_point(|delta| delta.tick <= tick);
        self.history.get(at).map(Rc::clone)
    }

    // ---- what is alive as of a tick ----

    /// The multiset as of a tick.
    fn as_of(&self, tick: u64) -> AsOf {
        assert!(tick >= self.since, "read as of tick {tick}, but since is {}", self.since);
        let at = self.history.partition_point(|delta| delta.tick <= tick);
        AsOf { tick, upper: self.history.get(at).map_or(u64::MAX, |delta| delta.lower) }
    }

    /// Whether a row, whose header is `head`, is alive then.
    #[inline]
    fn is_alive(&self, row: u32, head: u64, as_of: AsOf) -> bool {
        (head & DEAD == 0 || head & CUT == 0 && self.log.died_after(row, as_of.tick))
            && (as_of.upper == u64::MAX || self.log.position(row) < as_of.upper)
    }

    /// Takes a dead row out of its chain or list.
    #[allow(clippy::expect_used)]
    fn unlink(&mut self, row: u32, hash: u64) {
        let head = self.log.head(row);
        let first = if head & crate::log::HOT != 0 {
            self.hot.unlink(&mut self.log, row)
        } else {
            let (next, prev) = (self.log.next(row), self.log.prev(row));
            if next != NIL {
                self.log.set_prev(next, prev);
            }
            if prev != NIL {
                self.log.set_next(prev, next);
                None
            } else {
                if next != NIL {
                    let len = self.log.chain_len(row);
                    self.log.set_chain_len(next, len.saturating_sub(1));
                }
                Some(next)
            }
        };
        if let Some(first) = first {
            let (slot, _) = self.index.find(hash, |x| x == row).expect("the index holds the first row of a key");
            match first {
                NIL => self.index.remove(slot),
                first => self.index.set(slot, first),
            }
        }
        self.log.cut(row);
    }
}

/// What is seen: rows with positions below `upper` that have not died at or before `tick`.
#[derive(Clone, Copy, Debug)]
struct AsOf {
    tick: u64,
    upper: u64,
}
