//! Hash → row: open addressing by cache line, in tables that grow one by one.
//!
//! A line holds eight entries: their tags, the low 32 bits of the hash, side by side, then their row ids. A search looks at
//! all eight tags of a line at once and goes on to the next line only if this one is full, so that it mostly costs one
//! miss of memory and one branch. One table serves until [`SPLIT_ENTRIES`] entries are in it; then 256, chosen by the top
//! 8 bits of the tag; the bits below choose the line. Each table grows by half at a load of ¾ from a starting size of its
//! own, so that tables of equal content do not grow in the same tick. Removal moves later entries back instead of leaving
//! marks, so churn of keys never fills a table; a table that has become empty enough shrinks.
//!
//! # Contract
//! The index knows no rows: whether an entry is the one looked for is the caller's closure. It holds what it is given,
//! equal entries included. A [`Slot`] is good until the next insertion or removal.
//!
//! An entry lies in its home line, or in a later one if all lines from there on are full.

use crate::prefetch::prefetch;

/// No row.
pub(crate) const NIL: u32 = u32::MAX;

/// Entries at which the single table becomes many: below, 256 tables would be mostly slack; above, the growth of a
/// single one would begin to be felt in a tick (moving 4 Ki entries takes about 50 µs).
const SPLIT_ENTRIES: usize = 4096;
/// 2^8 tables after the split. At 5 million keys one holds 20,000 entries in 250 KB, and grows in 100 µs.
const TABLE_BITS: u32 = 8;
/// Lines of the smallest table.
const LINES_MIN: f64 = 2.0;
/// Growth by half keeps slots per entry between 1.33 and 2, where doubling would give 1.33 to 2.67.
const GROWTH: f64 = 1.5;
/// A table is rebuilt smaller when its load falls below ¾ ÷ 5: far enough from growth to not swing.
const SHRINK_DIVISOR: u32 = 5;

/// Entries of a line.
const LINE: usize = 8;
/// No slot of the line is empty.
const FULL: u64 = u64::MAX;

/// The place of an entry.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Slot {
    table: u32,
    slot: u32,
}

/// See the module.
pub(crate) struct Index {
    tables: Vec<Table>,
    entries: usize,
}

/// Eight slots in one cache line. The row of an entry is never [`NIL`], so that an empty slot is known by it.
#[derive(Clone)]
#[repr(align(64))]
struct Line {
    tags: [u32; LINE],
    rows: [u32; LINE],
}

struct Table {
    lines: Vec<Line>,
    used: u32,
    /// Entries at which the table grows.
    limit: u32,
    /// How often it has grown.
    level: u32,
    /// Its place among the tables, which staggers growth.
    place: u32,
    /// Top bits of the tag that chose the table and so cannot choose a slot.
    tag_bits: u32,
}

#[inline]
fn tag_of(hash: u64) -> u32 {
    hash as u32
}

impl Index {
    pub(crate) fn new() -> Self {
        Index { tables: vec![Table::new(0, 0)], entries: 0 }
    }

    /// Entries.
    pub(crate) fn len(&self) -> usize {
        self.entries
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.tables.capacity() * size_of::<Table>()
            + self.tables.iter().map(|t| t.lines.capacity() * size_of::<Line>()).sum::<usize>()
    }

    #[inline]
    fn table_of(&self, hash: u64) -> usize {
        if self.tables.len() == 1 { 0 } else { (tag_of(hash) >> (32 - TABLE_BITS)) as usize }
    }

    /// Fetches the slot where a search for `hash` begins.
    #[inline]
    pub(crate) fn prefetch(&self, hash: u64) {
        let table = &self.tables[self.table_of(hash)];
        prefetch(&table.lines, table.home(tag_of(hash)));
    }

    /// The first row whose tag fits, not compared; [`NIL`] if none does.
    #[inline]
    pub(crate) fn peek(&self, hash: u64) -> u32 {
        let table = &self.tables[self.table_of(hash)];
        table.find(tag_of(hash), |_| true).map_or(NIL, |(_, row)| row)
    }

    /// The entry under `hash` for which `eq` holds.
    #[inline]
    pub(crate) fn find(&self, hash: u64, eq: impl FnMut(u32) -> bool) -> Option<(Slot, u32)> {
        let at = self.table_of(hash);
        let table = &self.tables[at];
        let (slot, row) = table.find(tag_of(hash), eq)?;
        Some((Slot { table: at as u32, slot: slot as u32 }, row))
    }

    /// Another row in place of the one at `slot`; both have the same hash.
    #[inline]
    pub(crate) fn set(&mut self, slot: Slot, row: u32) {
        debug_assert_ne!(row, NIL);
        let slot_of_table = slot.slot as usize;
        self.tables[slot.table as usize].lines[slot_of_table / LINE].rows[slot_of_table % LINE] = row;
    }

    /// Adds an entry.
    pub(crate) fn insert(&mut self, hash: u64, row: u32) {
        debug_assert_ne!(row, NIL);
        if self.entries == SPLIT_ENTRIES && self.tables.len() == 1 {
            self.split();
        }
        let at = self.table_of(hash);
        self.tables[at].insert(tag_of(hash), row);
        self.entries += 1;
    }

    /// Removes the entry at `slot`.
    pub(crate) fn remove(&mut self, slot: Slot) {
        let table = &mut self.tables[slot.table as usize];
        table.remove(slot.slot as usize);
        self.entries -= 1;
        if table.level > 0 && table.used < table.limit / SHRINK_DIVISOR {
            table.rebuild(table.level - 1);
        }
    }

    /// From one table to many.
    fn split(&mut self) {
        let single = std::mem::take(&mut self.tables);
        self.tables = (0..1 << TABLE_BITS).map(|place| Table::new(place, TABLE_BITS)).collect();
        for (tag, row) in single.iter().flat_map(|table| &table.lines).flat_map(Line::entries) {
            let at = self.table_of(u64::from(tag));
            self.tables[at].insert(tag, row);
        }
    }
}

impl Line {
    const EMPTY: Line = Line { tags: [0; LINE], rows: [NIL; LINE] };

    /// A byte of ones for each slot that is not empty: a form that compilers make of two vector comparisons.
    #[inline]
    fn full(&self) -> u64 {
        u64::from_le_bytes(self.rows.map(|row| if row == NIL { 0 } else { u8::MAX }))
    }

    /// A byte of ones for each slot with this tag, empty or not.
    #[inline]
    fn tagged(&self, tag: u32) -> u64 {
        u64::from_le_bytes(self.tags.map(|t| if t == tag { u8::MAX } else { 0 }))
    }

    /// Tags and rows.
    fn entries(&self) -> impl Iterator<Item = (u32, u32)> {
        self.tags.iter().copied().zip(self.rows).filter(|(_, row)| *row != NIL)
    }
}

impl Table {
    fn new(place: u32, tag_bits: u32) -> Self {
        Table { lines: vec![], used: 0, limit: 0, level: 0, place, tag_bits }
    }

    /// Where a search begins: the tag's range spread over the lines, so that a rebuilt table is filled in order.
    #[inline]
    fn home(&self, tag: u32) -> usize {
        ((u64::from(tag << self.tag_bits) * self.lines.len() as u64) >> 32) as usize
    }

    #[inline]
    fn after(&self, line: usize) -> usize {
        if line + 1 == self.lines.len() { 0 } else { line + 1 }
    }

    /// Slot and row of the first entry of this tag for which `eq` holds.
    #[inline]
    fn find(&self, tag: u32, mut eq: impl FnMut(u32) -> bool) -> Option<(usize, u32)> {
        let mut at = self.home(tag);
        loop {
            // a table without lines has no entry
            let line = self.lines.get(at)?;
            let full = line.full();
            let mut fits = line.tagged(tag) & full;
            while fits != 0 {
                let i = fits.trailing_zeros() as usize / 8 % LINE;
                if eq(line.rows[i]) {
                    return Some((at * LINE + i, line.rows[i]));
                }
                fits &= !(0xff << (8 * i));
            }
            if full != FULL {
                return None;
            }
            at = self.after(at);
        }
    }

    fn insert(&mut self, tag: u32, row: u32) {
        if self.used >= self.limit {
            self.rebuild(if self.lines.is_empty() { 0 } else { self.level + 1 });
        }
        self.put(tag, row);
        self.used += 1;
    }

    /// Into the first line from its home on that is not full; there is one.
    #[inline]
    fn put(&mut self, tag: u32, row: u32) {
        let mut at = self.home(tag);
        loop {
            let line = &mut self.lines[at];
            let full = line.full();
            if full != FULL {
                let i = full.trailing_ones() as usize / 8 % LINE;
                line.tags[i] = tag;
                line.rows[i] = row;
                return;
            }
            at = self.after(at);
        }
    }

    /// Empties a slot and moves back entries that would not be found over the gap: those that went past its line because
    /// it was full.
    fn remove(&mut self, slot: usize) {
        self.used -= 1;
        let (mut gap, mut i) = (slot / LINE, slot % LINE);
        let mut goes_on = self.lines[gap].full() == FULL;
        self.lines[gap].rows[i] = NIL;
        let mut at = gap;
        while goes_on {
            at = self.after(at);
            let line = &self.lines[at];
            goes_on = line.full() == FULL;
            // how far its line lies behind the gap; an entry that may move back is at least as far from home
            let distance = self.distance(gap, at);
            let moves =
                (0..LINE).find(|j| line.rows[*j] != NIL && self.distance(self.home(line.tags[*j]), at) >= distance);
            let Some(j) = moves else { continue };
            let (tag, row) = (line.tags[j], line.rows[j]);
            self.lines[gap].tags[i] = tag;
            self.lines[gap].rows[i] = row;
            self.lines[at].rows[j] = NIL;
            (gap, i) = (at, j);
        }
    }

    /// Lines from one to another, forward.
    fn distance(&self, from: usize, to: usize) -> usize {
        if to >= from { to - from } else { to + self.lines.len() - from }
    }

    /// The same entries in the size of `level`.
    fn rebuild(&mut self, level: u32) {
        let stagger = f64::from(self.place) / f64::from(1 << TABLE_BITS);
        let lines = (LINES_MIN * GROWTH.powf(f64::from(level) + stagger)) as usize;
        let old = std::mem::replace(&mut self.lines, vec![Line::EMPTY; lines]);
        for (tag, row) in old.iter().flat_map(Line::entries) {
            self.put(tag, row);
        }
        self.level = level;
        self.limit = (lines * LINE / 4 * 3) as u32;
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use millrace_data::hash::mix;

    use super::*;

    /// Entries come and go, many under equal tags; what is found is what is there.
    #[test]
    fn agrees_with_a_map() {
        let mut index = Index::new();
        let mut map: BTreeMap<u32, u64> = BTreeMap::new();
        let mut seed = 1u64;
        for round in 0..60_000u32 {
            seed = mix(seed + 1);
            // growing, then shrinking; a few hashes are shared by many rows
            let grow = if round < 30_000 { 9 } else { 2 };
            if seed % 10 < grow {
                let hash = if seed.is_multiple_of(97) { 5 } else { mix(seed) };
                index.insert(hash, round);
                map.insert(round, hash);
            } else if let Some((&row, &hash)) = map.range((seed >> 8) as u32 % (round + 1)..).next() {
                let (slot, found) = index.find(hash, |r| r == row).expect("entry is there");
                assert_eq!(found, row);
                index.remove(slot);
                map.remove(&row);
                assert!(index.find(hash, |r| r == row).is_none());
            }
            assert_eq!(index.len(), map.len());
        }
        let bytes = index.memory_bytes();
        for (row, hash) in &map {
            let (slot, _) = index.find(*hash, |r| r == *row).expect("entry is there");
            index.set(slot, *row);
        }
        for (row, hash) in map {
            let (slot, _) = index.find(hash, |r| r == row).expect("entry is there");
            index.remove(slot);
        }
        assert_eq!(index.len(), 0);
        assert!(index.memory_bytes() < bytes, "tables shrink");
    }

    #[test]
    fn slots_per_entry_are_bounded() {
        let mut index = Index::new();
        assert!(index.memory_bytes() < 100, "nothing before the first entry");
        for row in 0..200_000u32 {
            index.insert(mix(u64::from(row)), row);
        }
        let per_entry = index.memory_bytes() as f64 / 200_000.0;
        assert!((10.0..15.0).contains(&per_entry), "{per_entry} bytes per entry");
    }
}
