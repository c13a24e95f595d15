//! A multiset of byte strings in ascending order.
//!
//! What a group keeps when order matters: values for MIN and MAX that may be retracted, rows of a top-k, the rows behind
//! a list. The bytes are Arrow's row form, so they compare as the values do.
//!
//! ```text
//! leaf   bytes  [ entry | entry | entry ]      sorted, side by side
//!        ends   [ 5     | 9     | 14    ]
//!        counts [ 1     | 3     | 1     ]      left out while all are 1
//! ```
//! A small multiset is one leaf; a large one a vector of leaves, which are split when they are full. An insertion moves
//! bytes within a leaf, allocates nothing while there is room, and a walk reads memory forward.
//!
//! # Contract
//! An entry is there once, with a count that is not 0. A count below 0 stands for a removal that came before its
//! insertion.

use std::cmp::Ordering;

use smallvec::SmallVec;

/// A leaf is split beyond this many entries; moving half of their ends takes some 50 ns.
const ENTRIES_MAX: usize = 512;
/// A leaf of at least two entries is split beyond this many bytes; moving half of them takes some 200 ns.
const BYTES_MAX: usize = 16 << 10;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sorted {
    leaves: SmallVec<[Leaf; 1]>,
    weight: i64,
}

#[derive(Clone, Debug, Default)]
struct Leaf {
    bytes: Vec<u8>,
    ends: Vec<u32>,
    counts: Vec<i64>,
}

impl Sorted {
    /// Sum of all counts.
    pub(crate) fn weight(&self) -> i64 {
        self.weight
    }

    /// Whether there is no entry.
    pub(crate) fn is_empty(&self) -> bool {
        self.leaves.is_empty()
    }

    /// Adds to the count of an entry; it goes when that is 0. By how many bytes the memory behind this grew.
    pub(crate) fn add(&mut self, entry: &[u8], diff: i64) -> isize {
        if diff == 0 {
            return 0;
        }
        self.weight += diff;
        let before = self.leaves.len();
        let at = self.leaf_of(entry);
        let Some(leaf) = self.leaves.get_mut(at) else {
            let mut leaf = Leaf::default();
            leaf.insert(0, entry, diff);
            let bytes = leaf.memory_bytes();
            self.leaves.push(leaf);
            return bytes as isize + self.spilled(before);
        };
        let held = leaf.memory_bytes() as isize;
        match leaf.search(entry) {
            Ok(i) => leaf.change(i, diff),
            Err(i) => leaf.insert(i, entry, diff),
        }
        if leaf.ends.is_empty() {
            self.leaves.remove(at);
            return self.spilled(before) - held;
        }
        let mut grown = leaf.memory_bytes() as isize - held;
        if leaf.ends.len() > ENTRIES_MAX || leaf.bytes.len() > BYTES_MAX && leaf.ends.len() > 1 {
            let upper = leaf.split();
            grown += upper.memory_bytes() as isize + leaf.memory_bytes() as isize - held - grown;
            self.leaves.insert(at + 1, upper);
            grown += self.spilled(before);
        }
        grown
    }

    /// Bytes by which the vector of leaves grew on the heap; a single leaf lies within.
    fn spilled(&self, before: usize) -> isize {
        let heap = |n: usize| if n > 1 { n as isize } else { 0 };
        (heap(self.leaves.len()) - heap(before)) * size_of::<Leaf>() as isize
    }

    /// The leaf where an entry is or belongs.
    fn leaf_of(&self, entry: &[u8]) -> usize {
        if self.leaves.len() < 2 {
            return 0;
        }
        self.leaves.partition_point(|leaf| leaf.last() < entry).min(self.leaves.len() - 1)
    }

    /// The least entry.
    pub(crate) fn first(&self) -> Option<&[u8]> {
        self.leaves.first().map(|leaf| leaf.entry(0))
    }

    /// The largest entry.
    pub(crate) fn last(&self) -> Option<&[u8]> {
        self.leaves.last().map(Leaf::last)
    }

    /// Entries with their counts, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (&[u8], i64)> {
        self.leaves.iter().flat_map(|leaf| (0..leaf.ends.len()).map(|i| (leaf.entry(i), leaf.count(i))))
    }

    /// Entries with their counts, descending.
    pub(crate) fn iter_back(&self) -> impl Iterator<Item = (&[u8], i64)> {
        self.leaves.iter().rev().flat_map(|leaf| (0..leaf.ends.len()).rev().map(|i| (leaf.entry(i), leaf.count(i))))
    }

    /// Entries with the part of their counts that lies in `[offset, offset + limit)` when each stands as often as it
    /// counts, ascending. Leaves before are passed over whole.
    pub(crate) fn range(&self, offset: u64, limit: Option<u64>) -> impl Iterator<Item = (&[u8], i64)> {
        let (mut skip, mut first) = (offset, 0);
        while let Some(leaf) = self.leaves.get(first)
            && let Some(weight) = leaf.weight()
            && weight <= skip
        {
            skip -= weight;
            first += 1;
        }
        let mut left = limit.unwrap_or(u64::MAX);
        let leaves = self.leaves.iter().skip(first);
        let entries = leaves.flat_map(|leaf| (0..leaf.ends.len()).map(|i| (leaf.entry(i), leaf.count(i))));
        entries
            .map_while(move |(entry, count)| {
                if left == 0 {
                    return None;
                }
                let count = u64::try_from(count).unwrap_or(0);
                let skipped = skip.min(count);
                skip -= skipped;
                let taken = left.min(count - skipped);
                left -= taken;
                Some((entry, taken as i64))
            })
            .filter(|(_, taken)| *taken > 0)
    }

    /// Drops the largest entries beyond the first `n`, each as often as it counts. By how many bytes memory shrank.
    pub(crate) fn keep_first(&mut self, n: u64) -> isize {
        self.shrink(n, |set| set.iter_back().next().map(|(entry, count)| (SmallVec::from_slice(entry), count)))
    }

    /// Drops the least entries before the last `n`, each as often as it counts. By how many bytes memory shrank.
    pub(crate) fn keep_last(&mut self, n: u64) -> isize {
        self.shrink(n, |set| set.iter().next().map(|(entry, count)| (SmallVec::from_slice(entry), count)))
    }

    fn shrink(&mut self, n: u64, outermost: impl Fn(&Self) -> Option<(SmallVec<[u8; 64]>, i64)>) -> isize {
        let mut shrunk = 0;
        while self.weight > 0
            && self.weight as u64 > n
            && let Some((entry, count)) = outermost(self)
        {
            let gone = (self.weight as u64 - n).min(count.unsigned_abs()) as i64;
            shrunk -= self.add(&entry, -gone);
        }
        shrunk
    }

    /// Bytes of memory on the heap. Walks the leaves.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.leaves.iter().map(Leaf::memory_bytes).sum::<usize>()
            + if self.leaves.len() > 1 { self.leaves.len() * size_of::<Leaf>() } else { 0 }
    }
}

impl Leaf {
    #[inline]
    fn start(&self, i: usize) -> usize {
        if i == 0 { 0 } else { self.ends[i - 1] as usize }
    }

    #[inline]
    fn entry(&self, i: usize) -> &[u8] {
        &self.bytes[self.start(i)..self.ends[i] as usize]
    }

    fn last(&self) -> &[u8] {
        self.entry(self.ends.len() - 1)
    }

    #[inline]
    fn count(&self, i: usize) -> i64 {
        self.counts.get(i).copied().unwrap_or(1)
    }

    /// Sum of the counts, if none is below 0.
    fn weight(&self) -> Option<u64> {
        if self.counts.is_empty() {
            return Some(self.ends.len() as u64);
        }
        self.counts.iter().try_fold(0u64, |sum, count| Some(sum + u64::try_from(*count).ok()?))
    }

    fn search(&self, entry: &[u8]) -> Result<usize, usize> {
        let (mut lower, mut upper) = (0, self.ends.len());
        // entries often come in ascending order
        if upper > 0 && self.last() < entry {
            return Err(upper);
        }
        while lower < upper {
            let middle = (lower + upper) / 2;
            match self.entry(middle).cmp(entry) {
                Ordering::Less => lower = middle + 1,
                Ordering::Greater => upper = middle,
                Ordering::Equal => return Ok(middle),
            }
        }
        Err(lower)
    }

    fn change(&mut self, i: usize, diff: i64) {
        let count = self.count(i) + diff;
        if count == 0 {
            return self.remove(i);
        }
        self.set_count(i, count);
    }

    fn set_count(&mut self, i: usize, count: i64) {
        if self.counts.is_empty() {
            if count == 1 {
                return;
            }
            self.counts = vec![1; self.ends.len()];
        }
        self.counts[i] = count;
    }

    fn insert(&mut self, i: usize, entry: &[u8], count: i64) {
        let at = self.start(i);
        if i == self.ends.len() {
            self.bytes.extend_from_slice(entry);
        } else {
            let (old, len) = (self.bytes.len(), entry.len());
            self.bytes.resize(old + len, 0);
            self.bytes.copy_within(at..old, at + len);
            self.bytes[at..at + len].copy_from_slice(entry);
            self.ends[i..].iter_mut().for_each(|end| *end += len as u32);
        }
        self.ends.insert(i, (at + entry.len()) as u32);
        if !self.counts.is_empty() {
            self.counts.insert(i, 1);
        }
        self.set_count(i, count);
    }

    fn remove(&mut self, i: usize) {
        let (from, to) = (self.start(i), self.ends[i] as usize);
        self.bytes.drain(from..to);
        self.ends.remove(i);
        self.ends[i..].iter_mut().for_each(|end| *end -= (to - from) as u32);
        if !self.counts.is_empty() {
            self.counts.remove(i);
        }
        // much of a leaf that was large is given back
        if self.bytes.capacity() > 1024 && self.bytes.len() * 4 < self.bytes.capacity() {
            self.bytes.shrink_to(self.bytes.len() * 2);
            self.ends.shrink_to(self.ends.len() * 2);
            self.counts.shrink_to(self.counts.len() * 2);
        }
    }

    /// Splits off the upper half.
    fn split(&mut self) -> Leaf {
        let half = self.bytes.len() as u32 / 2;
        let middle = self.ends.partition_point(|end| *end <= half).clamp(1, self.ends.len() - 1);
        let at = self.start(middle);
        let mut upper = Leaf {
            bytes: self.bytes[at..].to_vec(),
            ends: self.ends[middle..].iter().map(|end| end - at as u32).collect(),
            counts: if self.counts.is_empty() { vec![] } else { self.counts[middle..].to_vec() },
        };
        self.bytes.truncate(at);
        self.ends.truncate(middle);
        self.counts.truncate(middle);
        for leaf in [self, &mut upper] {
            if leaf.counts.iter().all(|count| *count == 1) {
                leaf.counts = vec![];
            }
        }
        upper
    }

    fn memory_bytes(&self) -> usize {
        self.bytes.capacity() + self.ends.capacity() * 4 + self.counts.capacity() * 8
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use millrace_data::hash::mix;

    use super::*;

    fn entry(seed: u64) -> Vec<u8> {
        let len = (mix(seed) % 40) as usize;
        (0..len).map(|i| (mix(seed + i as u64) % 3) as u8).chain((seed as u32).to_be_bytes()).collect()
    }

    fn check(set: &Sorted, map: &BTreeMap<Vec<u8>, i64>, held: isize) {
        assert!(set.iter().eq(map.iter().map(|(entry, count)| (entry.as_slice(), *count))));
        assert!(set.iter_back().eq(map.iter().rev().map(|(entry, count)| (entry.as_slice(), *count))));
        assert_eq!(set.weight(), map.values().sum::<i64>());
        assert_eq!(set.first(), map.keys().next().map(Vec::as_slice));
        assert_eq!(set.last(), map.keys().next_back().map(Vec::as_slice));
        assert_eq!(set.memory_bytes() as isize, held);
    }

    #[test]
    fn agrees_with_a_map() {
        let (mut set, mut map, mut held) = (Sorted::default(), BTreeMap::new(), 0);
        for i in 0..40_000u64 {
            let spread = if i < 20_000 { 5000 } else { 900 };
            let key = entry(mix(i) % spread);
            let grow = if i < 20_000 { 3 } else { 1 };
            let diff = if mix(i + 1) % 4 < grow { 1 } else { -1 };
            held += set.add(&key, diff);
            let count = map.entry(key.clone()).or_insert(0);
            *count += diff;
            if *count == 0 {
                map.remove(&key);
            }
            if i % 1999 == 0 {
                check(&set, &map, held);
            }
        }
        check(&set, &map, held);
        for (key, count) in std::mem::take(&mut map) {
            held += set.add(&key, -count);
        }
        check(&set, &map, held);
        assert!(set.is_empty());
        assert_eq!(held, 0);
    }

    #[test]
    fn ranges_count_each_entry_as_often_as_it_is_there() {
        let (mut set, mut all) = (Sorted::default(), vec![]);
        for i in 0..3000u64 {
            let count = (mix(i) % 3) as i64 + 1;
            set.add(&i.to_be_bytes(), count);
            all.extend(std::iter::repeat_n(i, count as usize));
        }
        for (offset, limit) in [(0, 5), (1, 1), (700, 2000), (5900, 500), (9000, 3), (0, 100_000)] {
            let got: Vec<u64> = set
                .range(offset, Some(limit))
                .flat_map(|(e, n)| std::iter::repeat_n(u64::from_be_bytes(e.try_into().expect("8 bytes")), n as usize))
                .collect();
            let want: Vec<u64> = all.iter().copied().skip(offset as usize).take(limit as usize).collect();
            assert_eq!(got, want);
        }
        set.keep_first(100);
        assert_eq!(set.weight(), 100);
        assert_eq!(set.range(99, None).next().map(|(e, _)| e.to_vec()), Some(all[99].to_be_bytes().to_vec()));
        set.keep_last(3);
        let left: i64 = set.iter().map(|(_, n)| n).sum();
        assert_eq!((left, set.last()), (3, Some(&all[99].to_be_bytes()[..])));
    }

    #[test]
    fn empty_entries_are_entries() {
        let mut set = Sorted::default();
        set.add(&[], 2);
        set.add(&[0], 1);
        assert_eq!(set.iter().collect::<Vec<_>>(), [(&[][..], 2), (&[0][..], 1)]);
    }
}
