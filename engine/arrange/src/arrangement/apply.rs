//! A tick's updates become rows that come, rows that go, and rows whose diff changes.

use std::rc::Rc;

use arrow::array::ArrayRef;
use millrace_data::Batch;
use millrace_data::hash::hash_columns;

use super::{Arrangement, CHAIN_ROWS_MAX};
use crate::delta::{Delta, Restated};
use crate::index::{NIL, Slot};
use crate::lanes::Lanes;
use crate::log::{DEAD, HOT, LAG_TICKS_MAX, WEIGHED};
use crate::store::BLOCK;

/// A batch as words, with the hashes of its keys and rows.
struct Incoming {
    lanes: Lanes,
    hashes: Vec<u64>,
    /// None where rows are never removed.
    row_hashes: Vec<u64>,
    batch: Batch,
}

impl Incoming {
    #[inline]
    fn row_hash(&self, i: usize) -> u64 {
        if self.row_hashes.is_empty() { 0 } else { self.row_hashes[i] }
    }
}

impl Arrangement {
    /// Applies the updates of a tick, in any order and any batches. What they did, which readers of this arrangement are
    /// to be given, and which [`delta_after`](Self::delta_after) has for them too.
    ///
    /// # Panics
    /// If `tick` is not above all earlier ones, a batch does not have the columns of the arrangement, a removal comes to an
    /// append-only one, or a reader lags by 2^31 ticks.
    pub fn apply(&mut self, tick: u64, batches: &[Batch]) -> Rc<Delta> {
        assert!(tick > self.now, "tick {tick} applied after tick {}", self.now);
        assert!(tick - self.since < LAG_TICKS_MAX, "a reader holds tick {} at tick {tick}", self.since);
        self.now = tick;
        if self.negatives > 0 {
            self.last_negative = tick - 1;
        }
        let mut delta = Delta::new(tick, self.log.upper());
        // insertions first: a removal finds those of its own tick
        let mut removals = vec![];
        for batch in batches.iter().filter(|batch| !batch.is_empty()) {
            let incoming = self.read(batch);
            self.insert(&mut delta, &incoming);
            if batch.diffs().is_some_and(|diffs| diffs.iter().any(|diff| *diff < 0)) {
                assert!(!self.log.is_append_only(), "a removal from an append-only arrangement at tick {tick}");
                removals.push(incoming);
            }
        }
        for incoming in &removals {
            self.remove(&mut delta, incoming);
        }
        let delta = Rc::new(delta);
        if !delta.is_empty() {
            self.history.push_back(Rc::clone(&delta));
        }
        delta
    }

    fn read(&self, batch: &Batch) -> Incoming {
        let layout = &self.log.store.layout;
        let lanes = Lanes::rows(layout, batch.columns(), batch.len());
        let key: Vec<ArrayRef> = layout.key.iter().map(|c| ArrayRef::clone(batch.column(*c))).collect();
        let mut hashes = vec![];
        hash_columns(&key, batch.len(), &mut hashes);
        let row_hashes = if self.log.is_append_only() { vec![] } else { lanes.row_hashes(layout, &hashes) };
        Incoming { lanes, hashes, row_hashes, batch: batch.clone() }
    }

    /// The rows of a batch whose diff is above or below 0, in the memory of earlier ones.
    fn select(&mut self, incoming: &Incoming, wanted: impl Fn(i64) -> bool) -> Vec<u32> {
        let mut selected = std::mem::take(&mut self.selected);
        selected.clear();
        match incoming.batch.diffs() {
            None => selected.extend(0..incoming.batch.len() as u32),
            Some(diffs) => {
                selected.extend(diffs.iter().enumerate().filter(|(_, diff)| wanted(**diff)).map(|(i, _)| i as u32));
            }
        }
        selected
    }

    fn insert(&mut self, delta: &mut Delta, incoming: &Incoming) {
        let selected = self.select(incoming, |diff| diff > 0);
        if self.negatives > 0 {
            // an insertion may meet a removal that came before it
            for i in &selected {
                self.add(delta, incoming, *i as usize, incoming.batch.diff(*i as usize));
            }
            self.selected = selected;
            return;
        }
        let mut ids = std::mem::take(&mut self.ids);
        self.log.append(&incoming.lanes, &selected, &incoming.row_hashes, &mut ids);
        let before = delta.added_hashes.len();
        delta.add_rows(&ids, selected.iter().map(|i| incoming.hashes[*i as usize]));
        for (number, (block, rows)) in selected.chunks(BLOCK).zip(ids.chunks(BLOCK)).enumerate() {
            self.log.store.warm(&self.index, &delta.added_hashes[before..], number * BLOCK);
            for (i, row) in block.iter().zip(rows) {
                let i = *i as usize;
                let diff = incoming.batch.diff(i);
                if diff != 1 {
                    self.log.set_weight(*row, diff);
                }
                self.link(incoming, i, *row);
            }
        }
        self.ids = ids;
        self.selected = selected;
    }

    fn remove(&mut self, delta: &mut Delta, incoming: &Incoming) {
        let selected = self.select(incoming, |diff| diff < 0);
        let (mut found, mut active) = (Vec::with_capacity(BLOCK), Vec::with_capacity(BLOCK));
        let hashes: Vec<u64> = selected.iter().map(|i| incoming.hashes[*i as usize]).collect();
        for (number, block) in selected.chunks(BLOCK).enumerate() {
            self.log.store.warm(&self.index, &hashes, number * BLOCK);
            self.find_block(incoming, block, &mut found, &mut active);
            for (i, row) in block.iter().zip(&found) {
                let i = *i as usize;
                let diff = incoming.batch.diff(i);
                // not found with the others, or taken by an equal row of the block meanwhile: on its own
                if diff == -1 && *row != NIL && self.log.head(*row) & (DEAD | WEIGHED) == 0 {
                    self.kill(delta, *row, incoming.hashes[i]);
                } else {
                    self.add(delta, incoming, i, diff);
                }
            }
        }
        self.selected = selected;
    }

    /// Row `i` changes its diff: it cancels against rows of the other sign, and what is left becomes a row.
    fn add(&mut self, delta: &mut Delta, incoming: &Incoming, i: usize, diff: i64) {
        let hash = incoming.hashes[i];
        let mut rest = diff;
        while let Some(row) = self.find_opposite(incoming, i, rest) {
            let weight = self.log.weight(row, self.log.head(row));
            let sum = weight + rest;
            if sum != 0 && (sum > 0) == (weight > 0) {
                return self.restate(delta, row, hash, incoming.row_hashes[i], sum);
            }
            self.kill(delta, row, hash);
            rest = sum;
            if rest == 0 {
                return;
            }
        }
        let mut ids = std::mem::take(&mut self.ids);
        self.log.append(&incoming.lanes, &[i as u32], &incoming.row_hashes, &mut ids);
        let row = ids[0];
        self.ids = ids;
        if rest != 1 {
            self.log.set_weight(row, rest);
        }
        self.negatives += usize::from(rest < 0);
        delta.add(row, hash);
        self.link(incoming, i, row);
    }

    /// A new row comes first among those of its key.
    #[inline]
    fn link(&mut self, incoming: &Incoming, i: usize, row: u32) {
        let (store, hash) = (&self.log.store, incoming.hashes[i]);
        match self.index.find(hash, |first| store.key_eq(first, &incoming.lanes, i)) {
            None => self.index.insert(hash, row),
            Some((slot, first)) => self.link_before(slot, first, row, incoming.row_hash(i)),
        }
    }

    #[inline]
    fn link_before(&mut self, slot: Slot, first: u32, row: u32, row_hash: u64) {
        let head = self.log.head(first);
        if head & HOT != 0 {
            return self.hot.add(&mut self.log, first, row, row_hash);
        }
        let len = self.log.link_before(first, head, row);
        self.index.set(slot, row);
        if len > CHAIN_ROWS_MAX as u64 {
            self.shorten(slot, row);
        }
    }

    /// A chain that seems long becomes a list, or its length is set right: removals behind its first row were not counted.
    #[cold]
    fn shorten(&mut self, slot: Slot, first: u32) {
        let mut rows = vec![];
        let mut row = first;
        while row != NIL {
            rows.push(row);
            row = self.log.next(row);
        }
        // a quarter less, so that the count is not made at every row
        if rows.len() <= CHAIN_ROWS_MAX / 4 * 3 {
            self.log.set_chain_len(first, rows.len() as u64);
        } else {
            // oldest first, so that walks go forward through memory
            rows.reverse();
            let first = self.hot.make(&mut self.log, &rows);
            self.index.set(slot, first);
        }
    }

    /// A live row that equals row `i` and has a diff of the other sign than `diff`.
    fn find_opposite(&mut self, incoming: &Incoming, i: usize, diff: i64) -> Option<u32> {
        if diff > 0 && self.negatives == 0 {
            return None;
        }
        let log = &self.log;
        let opposite = |row: u32, head: u64| (log.weight(row, head) > 0) != (diff > 0);
        let (_, first) = self.index.find(incoming.hashes[i], |x| log.store.key_eq(x, &incoming.lanes, i))?;
        let hash = incoming.row_hashes[i];
        if log.head(first) & HOT != 0 {
            let found = self.hot.find(log, first, hash, |x| log.store.row_eq(x, &incoming.lanes, i));
            return found.filter(|row| opposite(*row, log.head(*row)));
        }
        let mut row = first;
        while row != NIL {
            let head = log.head(row);
            if head & DEAD == 0
                && log.tag(row) == (hash >> 32) as u32
                && log.store.row_eq(row, &incoming.lanes, i)
                && opposite(row, head)
            {
                return Some(row);
            }
            row = head as u32;
        }
        None
    }

    /// For each row of a block, a live row of diff 1 that equals it; NIL where it takes longer. The chains advance
    /// together, so that their misses overlap.
    fn find_block(&self, incoming: &Incoming, block: &[u32], found: &mut Vec<u32>, active: &mut Vec<(u32, u32)>) {
        let log = &self.log;
        found.clear();
        found.resize(block.len(), NIL);
        active.clear();
        for (j, i) in block.iter().enumerate() {
            let i = *i as usize;
            let first = self.index.find(incoming.hashes[i], |x| log.store.key_eq(x, &incoming.lanes, i));
            match first {
                None => {}
                Some((_, first)) if log.head(first) & HOT != 0 => self.hot.prefetch(incoming.row_hashes[i]),
                Some((_, first)) => active.push((j as u32, first)),
            }
        }
        while !active.is_empty() {
            active.retain_mut(|(j, row)| {
                let i = block[*j as usize] as usize;
                let head = log.head(*row);
                if head & (DEAD | WEIGHED) == 0
                    && log.tag(*row) == (incoming.row_hashes[i] >> 32) as u32
                    && log.store.row_eq(*row, &incoming.lanes, i)
                {
                    found[*j as usize] = *row;
                    return false;
                }
                *row = head as u32;
                log.store.prefetch(*row);
                *row != NIL
            });
        }
    }

    /// A live row dies. One of this tick is gone at once: no reader has seen it.
    fn kill(&mut self, delta: &mut Delta, row: u32, hash: u64) {
        if self.bury(delta, row, hash) {
            delta.died.push(row);
            delta.died_hashes.push(hash);
        }
    }

    /// Whether readers have seen the row, so that it must stay.
    fn bury(&mut self, delta: &Delta, row: u32, hash: u64) -> bool {
        let head = self.log.head(row);
        if head & WEIGHED != 0 && self.log.weight(row, head) < 0 {
            self.negatives -= 1;
        }
        if head & HOT != 0 {
            self.hot.died(&self.log, row);
        }
        self.log.kill(row, delta.tick);
        let seen = self.log.position(row) < delta.lower;
        if !seen {
            self.unlink(row, hash);
        }
        seen
    }

    /// A live row gets another diff, of the same sign. A row that readers have seen is replaced: it keeps its diff for
    /// those who look back.
    #[allow(clippy::expect_used)]
    fn restate(&mut self, delta: &mut Delta, row: u32, hash: u64, row_hash: u64, weight: i64) {
        if self.log.position(row) >= delta.lower {
            return self.log.set_weight(row, weight);
        }
        let new = self.log.restate(row);
        self.log.set_weight(new, weight);
        self.negatives += usize::from(weight < 0);
        let store = &self.log.store;
        let found = self.index.find(hash, |first| store.key_eq_row(first, store, new));
        let (slot, first) = found.expect("the row's key is there");
        self.link_before(slot, first, new, row_hash);
        self.bury(delta, row, hash);
        delta.restated.push(Restated { old: row, new, hash });
    }
}
