//! Key → group id, for aggregates: they keep their accumulators in vectors indexed by it.
//!
//! # Contract
//! Ids are dense: below [`KeyTable::upper`], and those of removed groups are given out again, the last removed first.
//! Keys are compared by value, NULL equal to NULL. Whoever removes a group resets what is kept under its id. Lookups take
//! keys by the block, so that the misses of memory overlap.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

use crate::index::{Index, NIL};
use crate::lanes::Lanes;
use crate::layout::{Layout, heap_bytes_len};
use crate::paged::Paged;
use crate::segment::{SEGMENT_ROWS_MAX, SEGMENT_ROWS_MIN, Segment};
use crate::store::{BLOCK, Store, segment_of, slot_of};

/// Words before the columns: NULL bits.
const HEADER: usize = 1;
/// The group is removed.
const REMOVED: u64 = 1 << 32;
/// A segment's heap is rewritten when this much of it, and half of it, belongs to removed keys.
const HEAP_WASTE_BYTES: usize = 64 << 10;

/// See the module.
pub struct KeyTable {
    store: Store,
    index: Index,
    free: Paged<u32>,
    /// Bytes of removed keys in the heap, by segment.
    waste: Vec<usize>,
    upper: u32,
    len: usize,
}

impl KeyTable {
    /// No id: what [`lookup`](Self::lookup) answers for a key without a group.
    pub const ABSENT: u32 = NIL;

    /// A table without groups; keys have columns of these types. No columns: there is one key.
    pub fn new(types: &[DataType]) -> Self {
        let key: Vec<usize> = (0..types.len()).collect();
        KeyTable {
            store: Store::new(Layout::new(types, &key, HEADER)),
            index: Index::new(),
            free: Paged::new(),
            waste: vec![],
            upper: 0,
            len: 0,
        }
    }

    /// Groups.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// All ids ever given out are below; what is indexed by id needs this length.
    pub fn upper(&self) -> usize {
        self.upper as usize
    }

    /// Bytes of memory.
    pub fn memory_bytes(&self) -> usize {
        size_of::<Self>()
            + self.store.memory_bytes()
            + self.index.memory_bytes()
            + self.free.memory_bytes()
            + self.waste.capacity() * size_of::<usize>()
    }

    /// The id of each of `len` keys, added where absent, into `out`, which is cleared. `hashes` are those of the keys by
    /// `millrace_data::hash`. How many groups were added.
    ///
    /// # Panics
    /// If the columns do not have the table's types, or 2^32 groups are exceeded.
    pub fn lookup_or_insert(&mut self, keys: &[ArrayRef], hashes: &[u64], len: usize, out: &mut Vec<u32>) -> usize {
        assert_eq!(hashes.len(), len, "a hash for each key");
        let lanes = Lanes::keys(&self.store.layout, keys, len);
        self.store.note_nulls(&lanes);
        let before = self.len;
        out.clear();
        out.reserve(len);
        for (number, block) in hashes.chunks(BLOCK).enumerate() {
            self.store.warm(&self.index, hashes, number * BLOCK);
            for (j, hash) in block.iter().enumerate() {
                let i = number * BLOCK + j;
                let found = self.index.find(*hash, |group| self.store.key_eq(group, &lanes, i));
                out.push(match found {
                    Some((_, group)) => group,
                    None => self.insert(&lanes, i, *hash),
                });
            }
        }
        self.len - before
    }

    /// The id of each of `len` keys, [`ABSENT`](Self::ABSENT) without a group, into `out`, which is cleared.
    ///
    /// # Panics
    /// If the columns do not have the table's types.
    pub fn lookup(&self, keys: &[ArrayRef], hashes: &[u64], len: usize, out: &mut Vec<u32>) {
        assert_eq!(hashes.len(), len, "a hash for each key");
        let lanes = Lanes::keys(&self.store.layout, keys, len);
        out.clear();
        out.reserve(len);
        for (number, block) in hashes.chunks(BLOCK).enumerate() {
            self.store.warm(&self.index, hashes, number * BLOCK);
            out.extend(block.iter().enumerate().map(|(j, hash)| {
                let i = number * BLOCK + j;
                self.index.find(*hash, |group| self.store.key_eq(group, &lanes, i)).map_or(NIL, |(_, group)| group)
            }));
        }
    }

    /// Removes groups.
    ///
    /// # Panics
    /// If one of them is not there.
    #[allow(clippy::expect_used)]
    pub fn remove(&mut self, groups: &[u32]) {
        for block in groups.chunks(BLOCK) {
            block.iter().for_each(|group| self.store.prefetch(*group));
            let hashes: Vec<u64> = block.iter().map(|group| self.store.key_hash(*group)).collect();
            hashes.iter().for_each(|hash| self.index.prefetch(*hash));
            for (group, hash) in block.iter().zip(&hashes) {
                let (slot, _) = self.index.find(*hash, |x| x == *group).expect("the group is in the table");
                self.index.remove(slot);
                *self.store.word_mut(*group, 0) |= REMOVED;
                self.free.push(*group);
                self.discard_heap(*group);
            }
            self.len -= block.len();
        }
    }

    /// The key columns of some groups, in their order.
    pub fn gather_keys(&self, groups: &[u32]) -> Vec<ArrayRef> {
        self.store.layout.fields.iter().map(|field| self.store.gather(field, groups)).collect()
    }

    fn insert(&mut self, lanes: &Lanes, i: usize, hash: u64) -> u32 {
        let group = self.free.pop().unwrap_or_else(|| self.next_id());
        let segment = &mut self.store.segments[segment_of(group)];
        segment.overwrite(&self.store.layout, lanes, i as u32, slot_of(group));
        *self.store.word_mut(group, 0) = lanes.head(i);
        self.index.insert(hash, group);
        self.len += 1;
        group
    }

    /// An id that was not given out before. The first segment grows by doubling, so that a small table is small; later
    /// ones are whole, so that a large one never moves.
    fn next_id(&mut self) -> u32 {
        let group = self.upper;
        assert!(group < NIL, "a table holds at most 2^32 groups per worker");
        let number = segment_of(group);
        if number == self.store.segments.len() {
            let capacity = if number == 0 { SEGMENT_ROWS_MIN / 4 } else { SEGMENT_ROWS_MAX };
            self.store.segments.push(Segment::new(&self.store.layout, capacity, 0, None));
            self.waste.push(0);
        }
        let segment = &mut self.store.segments[number];
        if segment.len == segment.capacity {
            segment.grow(&self.store.layout, segment.capacity as usize * 2);
        }
        segment.len += 1;
        self.upper += 1;
        group
    }

    /// Counts the bytes of a removed key, and rewrites the heap of its segment when much of it is waste.
    fn discard_heap(&mut self, group: u32) {
        let row = self.store.row(group);
        let number = segment_of(group);
        self.waste[number] += heap_bytes_len(&self.store.layout, row.words);
        let segment = &mut self.store.segments[number];
        if self.waste[number] >= HEAP_WASTE_BYTES && self.waste[number] * 2 >= segment.heap_len() {
            segment.compact_heap(&self.store.layout, |head| head & REMOVED == 0);
            self.waste[number] = 0;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::{BTreeMap, BTreeSet};
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};
    use millrace_data::hash::{hash_columns, mix};

    use super::*;

    fn keys(of: &[i64]) -> (Vec<ArrayRef>, Vec<u64>) {
        let text = |i: &i64| (i % 5 != 0).then(|| format!("{i} ").repeat((i % 9) as usize));
        let columns: Vec<ArrayRef> = vec![
            Arc::new(of.iter().map(|i| (i % 7 != 0).then_some(i / 3)).collect::<Int64Array>()),
            Arc::new(of.iter().map(text).collect::<StringArray>()),
            Arc::new(Int64Array::from(of.to_vec())),
        ];
        let mut hashes = vec![];
        hash_columns(&columns, of.len(), &mut hashes);
        (columns, hashes)
    }

    /// Groups come and go; ids stay with their keys, are dense, and give the keys back.
    #[test]
    fn agrees_with_a_map() {
        let types: Vec<DataType> = keys(&[]).0.iter().map(|c| c.data_type().clone()).collect();
        let mut table = KeyTable::new(&types);
        let mut map: BTreeMap<i64, u32> = BTreeMap::new();
        let (mut ids, mut peak, mut seed) = (vec![], 0, 0u64);
        for round in 0..60 {
            let asked: Vec<i64> = (0..700)
                .map(|_| {
                    seed += 1;
                    (mix(mix(seed)) % 20_000) as i64
                })
                .collect();
            let (columns, hashes) = keys(&asked);
            table.lookup(&columns, &hashes, asked.len(), &mut ids);
            for (key, id) in asked.iter().zip(&ids) {
                assert_eq!(*id, map.get(key).copied().unwrap_or(KeyTable::ABSENT));
            }
            let added = table.lookup_or_insert(&columns, &hashes, asked.len(), &mut ids);
            let before = map.len();
            for (key, id) in asked.iter().zip(&ids) {
                assert_eq!(*map.entry(*key).or_insert(*id), *id);
            }
            assert_eq!((table.len(), added), (map.len(), map.len() - before));
            peak = peak.max(map.len());
            if round % 3 == 2 {
                let gone: Vec<i64> =
                    map.keys().copied().filter(|k| !mix(*k as u64 + round).is_multiple_of(3)).collect();
                table.remove(&gone.iter().map(|k| map[k]).collect::<Vec<_>>());
                gone.iter().for_each(|k| {
                    map.remove(k);
                });
            }
            assert_eq!(map.values().collect::<BTreeSet<_>>().len(), map.len(), "ids are distinct");
            let groups: Vec<u32> = map.values().copied().collect();
            let want = keys(&map.keys().copied().collect::<Vec<_>>()).0;
            assert_eq!(table.gather_keys(&groups), want);
        }
        assert!(table.upper() <= peak, "ids are dense: {} for {peak}", table.upper());
    }

    #[test]
    fn heaps_of_removed_keys_are_used_again() {
        let mut table = KeyTable::new(&[DataType::Utf8]);
        let mut ids = vec![];
        let mut sizes = vec![];
        for round in 0..200 {
            let texts: StringArray = (0..500).map(|i| Some(format!("key {i} of round {round:06}"))).collect();
            let columns: Vec<ArrayRef> = vec![Arc::new(texts)];
            let mut hashes = vec![];
            hash_columns(&columns, 500, &mut hashes);
            table.lookup_or_insert(&columns, &hashes, 500, &mut ids);
            assert_eq!(table.gather_keys(&ids), columns);
            table.remove(&ids);
            sizes.push(table.memory_bytes());
        }
        assert!(table.is_empty());
        assert!(*sizes.iter().max().unwrap() < 300_000, "{sizes:?}");
    }

    #[test]
    fn a_key_without_columns_is_one_group() {
        let mut table = KeyTable::new(&[]);
        let mut ids = vec![];
        assert!(table.memory_bytes() < 1000);
        assert_eq!(table.lookup_or_insert(&[], &[0; 300], 300, &mut ids), 1);
        assert_eq!((ids.len(), ids[299], table.len()), (300, 0, 1));
        table.remove(&[0]);
        table.lookup(&[], &[0], 1, &mut ids);
        assert_eq!(ids, [KeyTable::ABSENT]);
    }
}
