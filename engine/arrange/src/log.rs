//! The rows of an arrangement in the order in which they came, in segments that are filled, cleaned and used again.
//!
//! ```text
//! open      takes new rows; when it is full it is sealed, and a segment of about as many rows as are alive is opened
//! settled   takes the rows that cleaning moves: they were born before anything that a reader asks for
//! sealed    immutable but for headers; at half dead it is queued for cleaning, and when nothing in it can be
//!           reached its number and memory are used again
//! ```
//! # Contract
//! A row's *position* is its place in the order of birth: new rows have positions above all earlier ones, settled rows
//! lie below every position ever asked for. The log owns headers and counts who is dead; it does not know chains: links
//! are words to it, which its owner sets. An id stays with its row until the row is cut and its segment released.

use std::collections::VecDeque;

use crate::index::NIL;
use crate::lanes::Lanes;
use crate::layout::Layout;
use crate::segment::{SEGMENT_BITS, SEGMENT_ROWS_MAX, SEGMENT_ROWS_MIN, Segment};
use crate::store::{Store, row_id, segment_of, slot_of};

/// Words before the columns.
pub(crate) const HEADER: usize = 2;
/// The same where no row is ever removed: without the second word.
pub(crate) const HEADER_APPEND_ONLY: usize = 1;

/// The row has died; its second word holds the tick.
pub(crate) const DEAD: u64 = 1 << 32;
/// Nothing leads to the row any more.
pub(crate) const CUT: u64 = 1 << 33;
/// Its diff is not 1.
pub(crate) const WEIGHED: u64 = 1 << 34;
/// Its key has many rows: see `hot`.
pub(crate) const HOT: u64 = 1 << 35;
/// It took the place of an equal row when its diff changed.
pub(crate) const RESTATED: u64 = 1 << 36;

const CHAIN_SHIFT: u32 = 40;
const CHAIN_MAX: u64 = 0xff;

/// Emptied segments kept for the next ones, so that steady churn does not go through the allocator: one for new rows,
/// one for settled ones.
const SPARE_SEGMENTS: usize = 2;
/// Bytes of words in the first segment at most. Wide rows start with fewer rows than [`SEGMENT_ROWS_MIN`], so that an
/// arrangement of a few rows is small whatever its columns.
const FIRST_SEGMENT_BYTES: usize = 16 << 10;
/// The number of segments that ids leave room for, less one for the id that means none.
const SEGMENTS_MAX: usize = (1 << (32 - SEGMENT_BITS)) - 1;

/// Ticks that a reader may lag behind: the tick of a death is kept in 32 bits and told from later ones by half of them.
/// At ticks of 5 ms these are 124 days.
pub(crate) const LAG_TICKS_MAX: u64 = 1 << 31;

/// See the module.
pub(crate) struct Log {
    pub(crate) store: Store,
    open: Option<usize>,
    settled: Option<usize>,
    /// Numbers that stand for no segment now.
    free: Vec<u32>,
    spare: Vec<Segment>,
    /// Position of the next new row.
    next: u64,
    /// Segments to be cleaned.
    pub(crate) candidates: VecDeque<u32>,
    /// Rows that have not died.
    pub(crate) live: usize,
    /// No row is ever removed, so that there is no second word.
    append_only: bool,
}

impl Log {
    pub(crate) fn new(layout: Layout) -> Self {
        Log {
            append_only: layout.header == HEADER_APPEND_ONLY,
            store: Store::new(layout),
            open: None,
            settled: None,
            free: vec![],
            spare: vec![],
            // positions of settled rows are below this
            next: SEGMENT_ROWS_MAX as u64,
            candidates: VecDeque::new(),
            live: 0,
        }
    }

    /// The position that the next new row will have.
    pub(crate) fn upper(&self) -> u64 {
        self.next
    }

    /// A row's place in the order of birth.
    #[inline]
    pub(crate) fn position(&self, row: u32) -> u64 {
        self.store.segments[segment_of(row)].base + slot_of(row) as u64
    }

    // ---- headers ----

    #[inline]
    pub(crate) fn head(&self, row: u32) -> u64 {
        self.store.word(row, 0)
    }

    /// The link in a header.
    #[inline]
    pub(crate) fn next(&self, row: u32) -> u32 {
        self.head(row) as u32
    }

    #[inline]
    pub(crate) fn set_next(&mut self, row: u32, next: u32) {
        let head = self.store.word_mut(row, 0);
        *head = *head >> 32 << 32 | u64::from(next);
    }

    /// Whether no row is ever removed: rows have no link back, no tag, and cannot die.
    #[inline]
    pub(crate) fn is_append_only(&self) -> bool {
        self.append_only
    }

    #[inline]
    pub(crate) fn prev(&self, row: u32) -> u32 {
        self.store.word(row, 1) as u32
    }

    #[inline]
    pub(crate) fn set_prev(&mut self, row: u32, prev: u32) {
        let word = self.store.word_mut(row, 1);
        *word = *word >> 32 << 32 | u64::from(prev);
    }

    /// High half of the hash of a live row; tick of the death of a dead one.
    #[inline]
    pub(crate) fn tag(&self, row: u32) -> u32 {
        (self.store.word(row, 1) >> 32) as u32
    }

    #[inline]
    pub(crate) fn set_flags(&mut self, row: u32, flags: u64) {
        *self.store.word_mut(row, 0) |= flags;
    }

    #[inline]
    pub(crate) fn clear_flags(&mut self, row: u32, flags: u64) {
        *self.store.word_mut(row, 0) &= !flags;
    }

    /// Rows in the chain that the row is the head of, or more.
    #[inline]
    pub(crate) fn chain_len(&self, row: u32) -> u64 {
        self.head(row) >> CHAIN_SHIFT & CHAIN_MAX
    }

    #[inline]
    pub(crate) fn set_chain_len(&mut self, row: u32, len: u64) {
        let head = self.store.word_mut(row, 0);
        *head = *head & !(CHAIN_MAX << CHAIN_SHIFT) | len.min(CHAIN_MAX) << CHAIN_SHIFT;
    }

    /// Puts a row before the first of a chain. How many rows the chain has then, or more.
    #[inline]
    pub(crate) fn link_before(&mut self, first: u32, first_head: u64, row: u32) -> u64 {
        let len = ((first_head >> CHAIN_SHIFT & CHAIN_MAX).max(1) + 1).min(CHAIN_MAX);
        if !self.append_only {
            self.set_prev(first, row);
        }
        let head = self.store.word_mut(row, 0);
        *head = *head & !(CHAIN_MAX << CHAIN_SHIFT | u64::from(u32::MAX)) | len << CHAIN_SHIFT | u64::from(first);
        len
    }

    /// The diff of a row.
    #[inline]
    pub(crate) fn weight(&self, row: u32, head: u64) -> i64 {
        if head & WEIGHED == 0 { 1 } else { self.store.segments[segment_of(row)].weight(slot_of(row)) }
    }

    pub(crate) fn set_weight(&mut self, row: u32, weight: i64) {
        debug_assert_ne!(weight, 0);
        if weight == 1 {
            self.clear_flags(row, WEIGHED);
        } else {
            self.store.segments[segment_of(row)].set_weight(slot_of(row), weight);
            self.set_flags(row, WEIGHED);
        }
    }

    /// Whether a dead row was still alive as of a tick.
    #[inline]
    pub(crate) fn died_after(&self, row: u32, as_of: u64) -> bool {
        let after = self.tag(row).wrapping_sub(as_of as u32);
        after != 0 && u64::from(after) < LAG_TICKS_MAX
    }

    // ---- rows come ----

    /// Appends rows of `lanes`, one for each of `rows`, with their hashes, which an append-only log does not
    /// need. Their ids go to `out`, which is cleared.
    pub(crate) fn append(&mut self, lanes: &Lanes, rows: &[u32], hashes: &[u64], out: &mut Vec<u32>) {
        out.clear();
        self.store.note_nulls(lanes);
        while out.len() < rows.len() {
            let number = self.open_segment(rows.len() - out.len());
            let segment = &mut self.store.segments[number];
            let (first, from) = (segment.len as usize, out.len());
            let taken = segment.append(&self.store.layout, lanes, &rows[from..]);
            let words = self.store.layout.words();
            for (j, i) in rows[from..from + taken].iter().enumerate() {
                let at = (first + j) * words;
                *segment.word_mut(at) = u64::from(NIL) | lanes.head(*i as usize);
                if !self.append_only {
                    *segment.word_mut(at + 1) = hashes[*i as usize] >> 32 << 32 | u64::from(NIL);
                }
            }
            out.extend((first..first + taken).map(|slot| row_id(number, slot)));
            self.next += taken as u64;
            self.live += taken;
        }
    }

    /// A new row with the columns, hash and diff of another.
    pub(crate) fn restate(&mut self, row: u32) -> u32 {
        let number = self.open_segment(1);
        let new = self.copy_to(row, number);
        let head = self.store.word_mut(new, 0);
        *head = (*head & u64::MAX << crate::layout::NULL_SHIFT) | u64::from(NIL) | RESTATED;
        self.set_prev(new, NIL);
        self.next += 1;
        self.live += 1;
        new
    }

    /// A copy of a row, header and all, among the settled ones; the row itself is dead and cut then.
    pub(crate) fn settle(&mut self, row: u32) -> u32 {
        let number = self.settled_segment();
        let new = self.copy_to(row, number);
        let head = self.head(row);
        self.clear_flags(new, RESTATED);
        if head & WEIGHED != 0 {
            let weight = self.weight(row, head);
            self.set_weight(new, weight);
        }
        self.set_flags(row, DEAD | CUT);
        let segment = &mut self.store.segments[segment_of(row)];
        segment.dead += 1;
        segment.cut += 1;
        new
    }

    fn copy_to(&mut self, row: u32, number: usize) -> u32 {
        let from = segment_of(row);
        debug_assert!(self.store.segments[number].room() > 0);
        let slot = if from == number {
            self.store.segments[number].append_own(&self.store.layout, slot_of(row))
        } else {
            let [source, target] = self
                .store
                .segments
                .get_disjoint_mut([from, number])
                .unwrap_or_else(|_| unreachable!("two segments that exist"));
            target.append_copy(&self.store.layout, source.row(slot_of(row), self.store.layout.words()))
        };
        row_id(number, slot)
    }

    /// The segment for new rows, of which so many come.
    fn open_segment(&mut self, rows: usize) -> usize {
        if let Some(open) = self.open {
            if self.store.segments[open].room() > 0 {
                return open;
            }
            self.seal(open);
        }
        let open = self.allocate(self.next, rows.max(self.live), self.open);
        self.open = Some(open);
        open
    }

    fn settled_segment(&mut self) -> usize {
        if let Some(settled) = self.settled {
            if self.store.segments[settled].room() > 0 {
                return settled;
            }
            self.seal(settled);
        }
        let settled = self.allocate(0, self.live, self.settled);
        self.settled = Some(settled);
        settled
    }

    /// A segment of about as many rows as are alive or coming, so that the log doubles while it grows and small
    /// arrangements keep to small segments; its heap like that of the one `before`.
    fn allocate(&mut self, base: u64, rows: usize, before: Option<usize>) -> usize {
        let row_bytes = self.store.layout.words() * 8;
        let first = (FIRST_SEGMENT_BYTES / row_bytes).next_power_of_two().min(SEGMENT_ROWS_MIN);
        let capacity = rows.next_power_of_two().clamp(first, SEGMENT_ROWS_MAX);
        let spare = if capacity == SEGMENT_ROWS_MAX { self.spare.pop() } else { None };
        let mut segment = Segment::new(&self.store.layout, capacity, base, spare);
        if let Some(before) = before {
            let before = &self.store.segments[before];
            let per_row = before.heap_len() as f64 / f64::from(before.len.max(1));
            // a sixteenth more than the one before, and less than the share that sealing gives back
            segment.reserve_heap((per_row * capacity as f64 * 1.0625) as usize);
        }
        match self.free.pop() {
            Some(number) => {
                self.store.segments[number as usize] = segment;
                number as usize
            }
            None => {
                assert!(self.store.segments.len() < SEGMENTS_MAX, "an arrangement holds at most 2^32 rows per worker");
                self.store.segments.push(segment);
                self.store.segments.len() - 1
            }
        }
    }

    // ---- rows go ----

    /// A row dies at a tick.
    pub(crate) fn kill(&mut self, row: u32, tick: u64) {
        self.set_flags(row, DEAD);
        let word = self.store.word_mut(row, 1);
        *word = u64::from(tick as u32) << 32 | u64::from(*word as u32);
        self.live -= 1;
        let number = segment_of(row);
        self.store.segments[number].dead += 1;
        self.consider(number);
    }

    /// Nothing leads to a dead row any more.
    pub(crate) fn cut(&mut self, row: u32) {
        self.set_flags(row, CUT);
        self.store.segments[segment_of(row)].cut += 1;
    }

    fn seal(&mut self, number: usize) {
        self.store.segments[number].seal();
        self.consider(number);
    }

    /// Queues a segment that is worth cleaning: half dead, so that a row is moved for each that is gone at most.
    fn consider(&mut self, number: usize) {
        let segment = &mut self.store.segments[number];
        if segment.sealed && !segment.queued && segment.dead * 2 >= segment.len {
            segment.queued = true;
            self.candidates.push_back(number as u32);
        }
    }

    /// Gives up a segment of which every row is cut.
    pub(crate) fn release(&mut self, number: usize) {
        let segment = std::mem::take(&mut self.store.segments[number]);
        debug_assert!(segment.sealed && segment.cut == segment.len);
        if segment.capacity as usize == SEGMENT_ROWS_MAX && self.spare.len() < SPARE_SEGMENTS {
            self.spare.push(segment);
        }
        self.free.push(number as u32);
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.store.memory_bytes()
            + self.spare.iter().map(Segment::memory_bytes).sum::<usize>()
            + (self.free.capacity() + self.candidates.capacity()) * 4
    }
}
