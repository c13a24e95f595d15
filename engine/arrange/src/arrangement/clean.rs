//! Forgets what no reader can see any more, and moves live rows out of half-dead segments: a bounded number of rows per
//! call, so that neither shows in a tick.

use std::rc::Rc;

use super::Arrangement;
use crate::index::NIL;
use crate::log::{DEAD, HOT};
use crate::store::{BLOCK, row_id};

/// Dead rows unlinked per call at least; 4 Ki take about 0.3 ms. Twice as many as died in the last tick, so that a
/// backlog shrinks.
const UNLINK_ROWS_MIN: usize = 4096;
/// Rows of candidates looked at per call at least, and per unlinked row: a segment is cleaned when half of it is dead,
/// so that cleaning keeps up with 2 per death; 3 lets it catch up.
const SWEEP_ROWS_MIN: usize = 1024;
const SWEEP_ROWS_PER_UNLINKED: usize = 3;
/// Candidates looked at per call; those that must wait for readers go to the back of the queue.
const CANDIDATES_MAX: usize = 64;
/// Rows whose neighbours are fetched together while sweeping.
const SWEEP_BLOCK: u32 = 64;

impl Arrangement {
    /// To be called when all ticks up to `tick` are complete, whether or not they had updates.
    pub fn maintain(&mut self, tick: u64) {
        self.now = self.now.max(tick);
        let since = self.readers.iter().flatten().min().copied().unwrap_or(self.now);
        self.since = self.since.max(since.min(self.now));
        let died = self.history.back().map_or(0, |delta| delta.died.len() + delta.restated.len());
        let unlinked = self.forget(UNLINK_ROWS_MIN.max(2 * died));
        if self.scans == 0 {
            self.clean(SWEEP_ROWS_MIN + SWEEP_ROWS_PER_UNLINKED * unlinked);
        }
    }

    /// Unlinks up to `budget` rows that died at or before `since`. How many.
    fn forget(&mut self, budget: usize) -> usize {
        let mut left = budget;
        while left > 0 {
            let Some(delta) = self.history.front().filter(|delta| delta.tick <= self.since).map(Rc::clone) else {
                break;
            };
            let died = delta.died.len();
            let from = self.unlinked;
            let to = (from + left).min(died + delta.restated.len());
            for begin in (from..to).step_by(BLOCK) {
                let rows = (begin..to.min(begin + BLOCK)).map(|i| match i.checked_sub(died) {
                    None => (delta.died[i], delta.died_hashes[i]),
                    Some(i) => (delta.restated[i].old, delta.restated[i].hash),
                });
                self.unlink_block(rows);
            }
            left -= to - from;
            self.unlinked = to;
            if to == died + delta.restated.len() {
                self.unlinked = 0;
                self.history.pop_front();
            }
        }
        budget - left
    }

    fn unlink_block(&mut self, rows: impl Iterator<Item = (u32, u64)> + Clone) {
        for (row, _) in rows.clone() {
            self.log.store.prefetch(row);
        }
        for (row, hash) in rows.clone() {
            self.prefetch_neighbours(row);
            if self.log.prev(row) == NIL {
                self.index.prefetch(hash);
            }
        }
        for (row, hash) in rows {
            self.unlink(row, hash);
        }
    }

    fn prefetch_neighbours(&self, row: u32) {
        let head = self.log.head(row);
        if head & HOT == 0 {
            // ids without a row are passed over
            self.log.store.prefetch(head as u32);
            self.log.store.prefetch(self.log.prev(row));
        }
    }

    /// Moves live rows out of candidates, looking at up to `budget` rows, and releases segments without reachable rows.
    fn clean(&mut self, mut budget: usize) {
        let settled = self.as_of(self.since).upper;
        for _ in 0..self.log.candidates.len().min(CANDIDATES_MAX) {
            let Some(&number) = self.log.candidates.front() else { return };
            let segment = &self.log.store.segments[number as usize];
            let waits = segment.base + u64::from(segment.len) > settled;
            if !waits && segment.dead < segment.len {
                let len = segment.len;
                self.sweep(number as usize, len, &mut budget);
                if self.swept < len {
                    return;
                }
                self.swept = 0;
            }
            let segment = &self.log.store.segments[number as usize];
            let empty = segment.cut == segment.len;
            self.log.candidates.pop_front();
            if !waits && empty {
                self.log.release(number as usize);
            } else {
                self.log.candidates.push_back(number);
            }
        }
    }

    fn sweep(&mut self, number: usize, len: u32, budget: &mut usize) {
        while self.swept < len && *budget > 0 {
            let upper = len.min(self.swept + SWEEP_BLOCK);
            let rows = (self.swept..upper).map(|slot| row_id(number, slot as usize));
            for row in rows.clone() {
                if self.log.head(row) & DEAD == 0 {
                    self.prefetch_neighbours(row);
                }
            }
            for row in rows {
                if self.log.head(row) & DEAD == 0 {
                    self.relocate(row);
                }
            }
            *budget = budget.saturating_sub((upper - self.swept) as usize);
            self.swept = upper;
        }
    }

    /// Moves a live row to the settled ones.
    #[allow(clippy::expect_used)]
    fn relocate(&mut self, row: u32) {
        let head = self.log.head(row);
        let new = self.log.settle(row);
        let first = if head & HOT != 0 {
            self.hot.moved(&self.log, row, new)
        } else {
            let (next, prev) = (head as u32, self.log.prev(new));
            if next != NIL {
                self.log.set_prev(next, new);
            }
            if prev != NIL {
                self.log.set_next(prev, new);
            }
            prev == NIL
        };
        if first {
            let hash = self.log.store.key_hash(new);
            let (slot, _) = self.index.find(hash, |x| x == row).expect("the index holds the first row of a key");
            self.index.set(slot, new);
        }
    }
}
