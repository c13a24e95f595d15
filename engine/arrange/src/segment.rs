//! A run of rows side by side: their words, and a heap for their bytes.
//!
//! # Contract
//! A segment has room for a number of rows that is fixed, unless its owner grows it. Its heap takes rows until it holds
//! [`HEAP_BYTES_MAX`], so a heap word's 32-bit offset always suffices. It knows nothing of what the header means.

use crate::lanes::{Lane, Lanes};
use crate::layout::{Layout, Slot, heap_bytes, heap_bytes_len, heap_word, in_heap};

/// Bits of a row id that say where in its segment a row is.
pub(crate) const SEGMENT_BITS: u32 = 14;
/// Rows of the largest segment: 16 Ki rows of 6 words are 768 KB, large enough that segments are few (305 for 5 million
/// rows), small enough that cleaning or recycling one is a matter of microseconds.
pub(crate) const SEGMENT_ROWS_MAX: usize = 1 << SEGMENT_BITS;
/// Rows of the smallest segment: 12 KB of 6-word rows, for the many arrangements that stay small.
pub(crate) const SEGMENT_ROWS_MIN: usize = 256;
/// A segment takes no more rows when its heap holds this much. Growing the heap copies it, which this keeps under 1 ms.
pub(crate) const HEAP_BYTES_MAX: usize = 4 << 20;
/// Rows appended together, a word at a time: their words stay in the first-level cache meanwhile.
const APPEND_ROWS: usize = 256;
/// The heap grows by at least this much.
const HEAP_BYTES_STEP: usize = 1024;

/// A row: its words, and the heap that its heap words point into.
#[derive(Clone, Copy)]
pub(crate) struct RowRef<'a> {
    pub(crate) words: &'a [u64],
    pub(crate) heap: &'a [u8],
}

/// See the module.
#[derive(Default)]
pub(crate) struct Segment {
    words: Vec<u64>,
    heap: Vec<u8>,
    /// Diffs of rows; empty while all are 1.
    weights: Vec<i64>,
    /// Position of its first row in the order of birth; 0 if its rows are older than anything asked for.
    pub(crate) base: u64,
    /// Rows.
    pub(crate) len: u32,
    /// Rows that it has room for.
    pub(crate) capacity: u32,
    /// Rows that have died.
    pub(crate) dead: u32,
    /// Of those, rows that nothing leads to any more.
    pub(crate) cut: u32,
    /// It takes no more rows.
    pub(crate) sealed: bool,
    /// It is among those to be cleaned.
    pub(crate) queued: bool,
}

impl Segment {
    /// Room for `capacity` rows, in the memory of `spare` where that suffices.
    pub(crate) fn new(layout: &Layout, capacity: usize, base: u64, spare: Option<Segment>) -> Self {
        let spare = spare.unwrap_or_default();
        let (mut words, mut heap) = (spare.words, spare.heap);
        if words.len() != capacity * layout.words() {
            words = vec![0; capacity * layout.words()];
        }
        heap.clear();
        Segment { words, heap, base, capacity: capacity as u32, ..Segment::default() }
    }

    /// Room for more rows, by copying.
    pub(crate) fn grow(&mut self, layout: &Layout, capacity: usize) {
        self.words.reserve_exact(capacity * layout.words() - self.words.len());
        self.words.resize(capacity * layout.words(), 0);
        self.capacity = capacity as u32;
    }

    /// Rows that it still takes.
    pub(crate) fn room(&self) -> usize {
        if self.heap.len() >= HEAP_BYTES_MAX { 0 } else { (self.capacity - self.len) as usize }
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.words.capacity() * 8 + self.heap.capacity() + self.weights.capacity() * 8
    }

    /// Bytes in the heap.
    pub(crate) fn heap_len(&self) -> usize {
        self.heap.len()
    }

    /// Makes room for as many bytes as a similar segment came to need.
    pub(crate) fn reserve_heap(&mut self, bytes: usize) {
        self.heap.reserve_exact(bytes.min(HEAP_BYTES_MAX));
    }

    /// Gives back memory that a sealed segment does not need.
    pub(crate) fn seal(&mut self) {
        self.sealed = true;
        if self.len < self.capacity {
            // the heap was full before the rows were
            self.words.truncate(self.words.len() / self.capacity as usize * self.len as usize);
            self.words.shrink_to_fit();
            self.capacity = self.len;
        }
        if self.heap.capacity() - self.heap.len() > self.heap.len() / 8 {
            self.heap.shrink_to_fit();
        }
    }

    #[inline]
    pub(crate) fn row(&self, slot: usize, words: usize) -> RowRef<'_> {
        RowRef { words: &self.words[slot * words..][..words], heap: &self.heap }
    }

    #[inline]
    pub(crate) fn word(&self, at: usize) -> u64 {
        self.words[at]
    }

    #[inline]
    pub(crate) fn word_mut(&mut self, at: usize) -> &mut u64 {
        &mut self.words[at]
    }

    #[inline]
    pub(crate) fn words(&self) -> &[u64] {
        &self.words
    }

    #[inline]
    pub(crate) fn heap(&self) -> &[u8] {
        &self.heap
    }

    /// The diff of a row, which is 1 unless set.
    pub(crate) fn weight(&self, slot: usize) -> i64 {
        self.weights.get(slot).copied().unwrap_or(1)
    }

    pub(crate) fn set_weight(&mut self, slot: usize, weight: i64) {
        if self.weights.is_empty() {
            self.weights = vec![1; self.capacity as usize];
        }
        self.weights[slot] = weight;
    }

    /// Appends rows of `lanes` for as long as there is room. Headers are left to the caller. How many were taken.
    pub(crate) fn append(&mut self, layout: &Layout, lanes: &Lanes, rows: &[u32]) -> usize {
        let mut done = 0;
        while done < rows.len() && self.room() > 0 {
            let mut take = self.room().min(rows.len() - done).min(APPEND_ROWS);
            let mut need = heap_need(lanes, &rows[done..done + take]);
            while take > 1 && need > HEAP_BYTES_MAX {
                take /= 2;
                need = heap_need(lanes, &rows[done..done + take]);
            }
            self.need_heap(need);
            self.fill(layout, lanes, &rows[done..done + take], self.len as usize);
            self.len += take as u32;
            done += take;
        }
        done
    }

    /// Writes row `i` of `lanes` over the row at `slot`, header aside; its bytes go to the end of the heap.
    pub(crate) fn overwrite(&mut self, layout: &Layout, lanes: &Lanes, i: u32, slot: usize) {
        self.need_heap(heap_need(lanes, &[i]));
        self.fill(layout, lanes, &[i], slot);
    }

    fn fill(&mut self, layout: &Layout, lanes: &Lanes, rows: &[u32], slot: usize) {
        let words = layout.words();
        for (l, lane) in lanes.lanes.iter().enumerate() {
            let to = self.words[slot * words + layout.header + l..].iter_mut().step_by(words);
            match lane {
                Lane::Fixed(from) => to.zip(rows).for_each(|(to, i)| *to = from[*i as usize]),
                Lane::Bytes(from, bytes) => {
                    for (to, i) in to.zip(rows) {
                        *to = push_bytes(&mut self.heap, from[*i as usize], bytes);
                    }
                }
            }
        }
    }

    /// Appends a copy of a row of another segment of the same layout, header included. Where it is.
    pub(crate) fn append_copy(&mut self, layout: &Layout, row: RowRef<'_>) -> usize {
        let (slot, words) = (self.len as usize, layout.words());
        self.len += 1;
        self.need_heap(heap_bytes_len(layout, row.words));
        self.words[slot * words..][..words].copy_from_slice(row.words);
        for (kind, word) in layout.slots.iter().zip(&mut self.words[slot * words + layout.header..]) {
            if *kind == Slot::Bytes {
                *word = push_bytes(&mut self.heap, *word, row.heap);
            }
        }
        slot
    }

    /// Appends a copy of its own row at `from`, header included. Where it is.
    pub(crate) fn append_own(&mut self, layout: &Layout, from: usize) -> usize {
        let (slot, words) = (self.len as usize, layout.words());
        self.len += 1;
        self.words.copy_within(from * words..(from + 1) * words, slot * words);
        // bytes are never changed, so that two rows may have the same
        slot
    }

    /// Rewrites the heap with the bytes of the rows that `live` holds for only.
    pub(crate) fn compact_heap(&mut self, layout: &Layout, live: impl Fn(u64) -> bool) {
        let words = layout.words();
        let old = std::mem::take(&mut self.heap);
        for row in self.words.chunks_exact_mut(words).take(self.len as usize) {
            if live(row[0]) {
                for (slot, word) in layout.slots.iter().zip(&mut row[layout.header..]) {
                    if *slot == Slot::Bytes {
                        *word = push_bytes(&mut self.heap, *word, &old);
                    }
                }
            }
        }
    }

    /// Room for that many more bytes, in steps of an eighth: doubling would leave half of the heap unused.
    fn need_heap(&mut self, bytes: usize) {
        let need = self.heap.len() + bytes;
        assert!(u32::try_from(need).is_ok(), "a row's texts exceed 4 GiB");
        if need > self.heap.capacity() {
            let step = (self.heap.capacity() / 8).max(HEAP_BYTES_STEP);
            self.heap.reserve_exact((self.heap.capacity() + step).max(need) - self.heap.len());
        }
    }
}

/// Bytes that rows of `lanes` take in a heap.
fn heap_need(lanes: &Lanes, rows: &[u32]) -> usize {
    let mut need = 0;
    for lane in &lanes.lanes {
        if let Lane::Bytes(words, _) = lane {
            let long = rows.iter().map(|i| words[*i as usize]).filter(|word| in_heap(*word));
            need += long.map(|word| (word >> 32) as usize).sum::<usize>();
        }
    }
    need
}

/// The word for the same bytes in another heap.
#[inline]
fn push_bytes(heap: &mut Vec<u8>, word: u64, from: &[u8]) -> u64 {
    if !in_heap(word) {
        return word;
    }
    let bytes = heap_bytes(word, from);
    heap.extend_from_slice(bytes);
    heap_word(heap.len() - bytes.len(), bytes.len())
}
