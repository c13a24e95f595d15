//! Looks for the rows of many keys at once.
//!
//! Keys are taken by the block: their slots in the index are fetched, then the first rows, which are compared with the
//! keys, and then the chains of the whole block advance together, so that the misses of memory overlap.

use std::ops::ControlFlow;

use arrow::array::ArrayRef;

use super::Arrangement;
use crate::RowId;
use crate::index::NIL;
use crate::lanes::Lanes;
use crate::log::HOT;
use crate::store::BLOCK;

/// Rows of a list that are fetched ahead.
const LIST_AHEAD: usize = 24;

/// What a key with a NULL in it means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NullKeys {
    /// It equals keys with NULL in the same place: grouping, set operations, joins with `null_equal`.
    Equal,
    /// It equals nothing: joins.
    Skip,
}

impl Arrangement {
    /// The rows with these keys as of a tick: `emit(which key, row, diff)`, all rows of a key in no particular order,
    /// keys interleaved. `keys` are the key columns, in key order; `hashes` theirs, by `millrace_data::hash`.
    ///
    /// # Panics
    /// If the columns do not have the types of the key, or the tick cannot be read.
    pub fn probe(
        &self,
        keys: &[ArrayRef],
        hashes: &[u64],
        as_of: u64,
        nulls: NullKeys,
        mut emit: impl FnMut(u32, RowId, i64),
    ) {
        let layout = &self.log.store.layout;
        let lanes = Lanes::keys(layout, keys, hashes.len());
        let skip = |i| nulls == NullKeys::Skip && lanes.null_key(layout, i);
        let eq = |row, i| self.log.store.key_eq(row, &lanes, i);
        self.probe_by(hashes, as_of, skip, eq, |i, row, diff| {
            emit(i, row, diff);
            ControlFlow::Continue(())
        });
    }

    /// The same for the keys of rows of another arrangement with the same key types: nothing is gathered.
    ///
    /// # Panics
    /// If the types of the keys differ, or the tick cannot be read.
    pub fn probe_rows(
        &self,
        other: &Arrangement,
        rows: &[RowId],
        hashes: &[u64],
        as_of: u64,
        nulls: NullKeys,
        mut emit: impl FnMut(u32, RowId, i64),
    ) {
        let (mine, theirs) = (&self.log.store, &other.log.store);
        assert!(mine.layout.same_key(&theirs.layout), "arrangements with keys of different types");
        let skip = |i: usize| nulls == NullKeys::Skip && theirs.null_key(rows[i].0);
        let eq = |row, i: usize| mine.key_eq_row(row, theirs, rows[i].0);
        self.probe_by(hashes, as_of, skip, eq, |i, row, diff| {
            emit(i, row, diff);
            ControlFlow::Continue(())
        });
    }

    /// Per key the sum of its rows' diffs as of a tick, into `out`, which is cleared.
    pub fn probe_counts(&self, keys: &[ArrayRef], hashes: &[u64], as_of: u64, nulls: NullKeys, out: &mut Vec<i64>) {
        out.clear();
        out.resize(hashes.len(), 0);
        self.probe(keys, hashes, as_of, nulls, |i, _, diff| out[i as usize] += diff);
    }

    /// Per key whether it has rows as of a tick (diffs that sum to more than 0), into `out`, which is cleared. Looks at
    /// one row of a key only, unless removals have come before their insertions.
    pub fn probe_exists(&self, keys: &[ArrayRef], hashes: &[u64], as_of: u64, nulls: NullKeys, out: &mut Vec<bool>) {
        out.clear();
        if self.negatives > 0 || as_of <= self.last_negative {
            let mut counts = vec![];
            self.probe_counts(keys, hashes, as_of, nulls, &mut counts);
            out.extend(counts.iter().map(|count| *count > 0));
            return;
        }
        out.resize(hashes.len(), false);
        let layout = &self.log.store.layout;
        let lanes = Lanes::keys(layout, keys, hashes.len());
        let skip = |i| nulls == NullKeys::Skip && lanes.null_key(layout, i);
        let eq = |row, i| self.log.store.key_eq(row, &lanes, i);
        self.probe_by(hashes, as_of, skip, eq, |i, _, _| {
            out[i as usize] = true;
            ControlFlow::Break(())
        });
    }

    fn probe_by(
        &self,
        hashes: &[u64],
        as_of: u64,
        skip: impl Fn(usize) -> bool,
        eq: impl Fn(u32, usize) -> bool,
        mut emit: impl FnMut(u32, RowId, i64) -> ControlFlow<()>,
    ) {
        let (log, as_of) = (&self.log, self.as_of(as_of));
        let mut active: Vec<(u32, u32)> = Vec::with_capacity(BLOCK);
        for (number, block) in hashes.chunks(BLOCK).enumerate() {
            log.store.warm(&self.index, hashes, number * BLOCK);
            active.clear();
            for (j, hash) in block.iter().enumerate() {
                let i = number * BLOCK + j;
                match self.index.find(*hash, |row| eq(row, i)) {
                    Some((_, first)) if !skip(i) => active.push((i as u32, first)),
                    _ => {}
                }
            }
            while !active.is_empty() {
                active.retain_mut(|(i, row)| {
                    let head = log.head(*row);
                    if head & HOT != 0 {
                        self.walk_list(*i, *row, as_of, &mut emit);
                        return false;
                    }
                    if self.is_alive(*row, head, as_of) && emit(*i, RowId(*row), log.weight(*row, head)).is_break() {
                        return false;
                    }
                    *row = head as u32;
                    log.store.prefetch(*row);
                    *row != NIL
                });
            }
        }
    }

    fn walk_list(
        &self,
        i: u32,
        first: u32,
        as_of: super::AsOf,
        emit: &mut impl FnMut(u32, RowId, i64) -> ControlFlow<()>,
    ) {
        let rows = self.hot.rows(&self.log, first);
        let mut ahead = rows.iter().skip(LIST_AHEAD);
        for row in rows.iter() {
            if let Some(ahead) = ahead.next() {
                self.log.store.prefetch(ahead);
            }
            let head = self.log.head(row);
            if self.is_alive(row, head, as_of) && emit(i, RowId(row), self.log.weight(row, head)).is_break() {
                return;
            }
        }
    }
}
