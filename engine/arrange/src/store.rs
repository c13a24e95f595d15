//! Reads rows by id: their words, comparison, hashes, and columns of Arrow arrays.
//!
//! A row id is the number of its segment and the place in it. Who puts rows there, and what the header's flags and links
//! mean, is not known here.
//!
//! # Contract
//! An id stands for a row that is there. Hashes of stored keys equal `millrace_data::hash::hash_columns` of the columns
//! that they came from.

use millrace_data::hash::{mix, mix_bytes, mix_null};

use crate::index::{Index, NIL};
use crate::lanes::{Lane, Lanes, fold_bytes};
use crate::layout::{Field, Kind, Layout, Slot, bytes_equal, heap_bytes, in_heap};
use crate::prefetch::prefetch;
use crate::segment::{RowRef, SEGMENT_BITS, SEGMENT_ROWS_MAX, Segment};

const SLOT_MASK: u32 = SEGMENT_ROWS_MAX as u32 - 1;

/// Keys that are looked for together: enough to overlap the misses of memory (100 ns at 10 in flight), few enough that
/// what is fetched first is still cached when it is used.
pub(crate) const BLOCK: usize = 128;

/// Words per cache line.
const LINE_WORDS: usize = 8;

/// The segment of a row id.
#[inline]
pub(crate) fn segment_of(row: u32) -> usize {
    (row >> SEGMENT_BITS) as usize
}

/// The place of a row in its segment.
#[inline]
pub(crate) fn slot_of(row: u32) -> usize {
    (row & SLOT_MASK) as usize
}

/// The id of a place.
#[inline]
pub(crate) fn row_id(segment: usize, slot: usize) -> u32 {
    (segment as u32) << SEGMENT_BITS | slot as u32
}

/// See the module.
pub(crate) struct Store {
    pub(crate) layout: Layout,
    pub(crate) segments: Vec<Segment>,
    words: usize,
    /// The first key word that may lead to the heap.
    key_bytes: Option<usize>,
    /// By field, whether it ever had a NULL: most never do, and need not be asked.
    had_null: Vec<bool>,
}

impl Store {
    pub(crate) fn new(layout: Layout) -> Self {
        let key = &layout.slots[..layout.key_slots];
        let key_bytes = key.iter().position(|slot| *slot == Slot::Bytes).map(|slot| layout.header + slot);
        let had_null = vec![false; layout.fields.len()];
        Store { words: layout.words(), key_bytes, had_null, layout, segments: vec![] }
    }

    #[inline]
    pub(crate) fn row(&self, row: u32) -> RowRef<'_> {
        self.segments[segment_of(row)].row(slot_of(row), self.words)
    }

    /// Word `at` of a row.
    #[inline]
    pub(crate) fn word(&self, row: u32, at: usize) -> u64 {
        self.segments[segment_of(row)].word(slot_of(row) * self.words + at)
    }

    #[inline]
    pub(crate) fn word_mut(&mut self, row: u32, at: usize) -> &mut u64 {
        self.segments[segment_of(row)].word_mut(slot_of(row) * self.words + at)
    }

    /// Notes which fields of rows to be stored have NULLs.
    pub(crate) fn note_nulls(&mut self, lanes: &Lanes) {
        lanes.null_fields.iter().for_each(|field| self.had_null[*field] = true);
    }

    /// Whether the field at `place` among the layout's may be NULL in some row.
    pub(crate) fn may_be_null(&self, place: usize) -> bool {
        self.had_null[place]
    }

    /// Fetches a word of a row.
    #[inline]
    pub(crate) fn prefetch_word(&self, row: u32, at: usize) {
        if let Some(segment) = self.segments.get(segment_of(row)) {
            prefetch(segment.words(), slot_of(row) * self.words + at);
        }
    }

    /// Fetches a row's first and last lines; rows of more than two lines are rare.
    #[inline]
    pub(crate) fn prefetch(&self, row: u32) {
        if let Some(segment) = self.segments.get(segment_of(row)) {
            let at = slot_of(row) * self.words;
            prefetch(segment.words(), at);
            if self.words > 1 {
                prefetch(segment.words(), at + (self.words - 1).min(2 * LINE_WORDS));
            }
        }
    }

    /// Fetches what looking for the block of keys at `at` will read: the first rows whose tag fits, then the bytes of
    /// their keys. Their slots were fetched a block ago, and those of the block to come are now: each pass finds what an
    /// earlier one has fetched.
    pub(crate) fn warm(&self, index: &Index, hashes: &[u64], at: usize) {
        let (this, next) = hashes[at..].split_at(BLOCK.min(hashes.len() - at));
        if at == 0 {
            this.iter().for_each(|hash| index.prefetch(*hash));
        }
        next.iter().take(BLOCK).for_each(|hash| index.prefetch(*hash));
        let rows = this.iter().map(|hash| index.peek(*hash)).filter(|row| *row != NIL);
        rows.clone().for_each(|row| self.prefetch(row));
        if let Some(at) = self.key_bytes {
            rows.for_each(|row| self.prefetch_bytes(row, at));
        }
    }

    /// Fetches the bytes of a word of a row, if they are in the heap.
    #[inline]
    pub(crate) fn prefetch_bytes(&self, row: u32, at: usize) {
        let segment = &self.segments[segment_of(row)];
        let word = segment.word(slot_of(row) * self.words + at);
        if in_heap(word) {
            prefetch(segment.heap(), word as u32 as usize);
        }
    }

    /// Whether a row has key `i` of `keys`, NULL equal to NULL.
    #[inline]
    pub(crate) fn key_eq(&self, row: u32, keys: &Lanes, i: usize) -> bool {
        self.eq(row, keys, i, self.layout.key_nulls, self.layout.key_slots)
    }

    /// Whether a row is row `i` of `rows`, NULL equal to NULL.
    #[inline]
    pub(crate) fn row_eq(&self, row: u32, rows: &Lanes, i: usize) -> bool {
        self.eq(row, rows, i, ALL_NULLS, self.layout.slots.len())
    }

    #[inline]
    fn eq(&self, row: u32, other: &Lanes, i: usize, nulls: u64, slots: usize) -> bool {
        let row = self.row(row);
        if (row.words[0] ^ other.head(i)) & nulls != 0 {
            return false;
        }
        if let (1, Some(Lane::Fixed(words))) = (slots, other.lanes.first()) {
            // most keys are one number
            return row.words[self.layout.header] == words[i];
        }
        let words = &row.words[self.layout.header..][..slots];
        words.iter().zip(&other.lanes).all(|(word, lane)| match lane {
            Lane::Fixed(words) => *word == words[i],
            Lane::Bytes(words, bytes) => bytes_equal(*word, row.heap, words[i], bytes),
        })
    }

    /// Whether a row has the key of a row of another store with the same key types.
    #[inline]
    pub(crate) fn key_eq_row(&self, row: u32, other: &Store, other_row: u32) -> bool {
        let (nulls, slots) = (self.layout.key_nulls, self.layout.key_slots);
        self.eq_row(self.row(row), other.row(other_row), other.layout.header, nulls, slots)
    }

    /// Whether two rows are equal, NULL equal to NULL.
    #[inline]
    pub(crate) fn rows_eq(&self, a: u32, b: u32) -> bool {
        self.eq_row(self.row(a), self.row(b), self.layout.header, ALL_NULLS, self.layout.slots.len())
    }

    #[inline]
    fn eq_row(&self, a: RowRef<'_>, b: RowRef<'_>, b_header: usize, nulls: u64, slots: usize) -> bool {
        if (a.words[0] ^ b.words[0]) & nulls != 0 {
            return false;
        }
        let (x, y) = (&a.words[self.layout.header..][..slots], &b.words[b_header..][..slots]);
        x.iter().zip(y).zip(&self.layout.slots).all(|((x, y), slot)| match slot {
            Slot::Fixed => x == y,
            Slot::Bytes => bytes_equal(*x, a.heap, *y, b.heap),
        })
    }

    /// Whether a key column of a row is NULL.
    #[inline]
    pub(crate) fn null_key(&self, row: u32) -> bool {
        let row = self.row(row);
        row.words[0] & self.layout.key_nulls != 0
            || self.layout.key_null_slots().any(|slot| row.words[self.layout.header + slot] != 0)
    }

    /// The hash of a row's key.
    pub(crate) fn key_hash(&self, row: u32) -> u64 {
        let row = self.row(row);
        self.layout.key_fields().iter().fold(0, |hash, field| fold_field(hash, field, row))
    }

    /// The hash of a row, as [`Lanes::row_hashes`] makes it.
    pub(crate) fn row_hash(&self, row: u32) -> u64 {
        let key_hash = self.key_hash(row);
        let row = self.row(row);
        let slots = self.layout.slots.iter().zip(&row.words[self.layout.header..]).skip(self.layout.key_slots);
        slots.fold(key_hash, |hash, (slot, word)| match slot {
            Slot::Fixed => mix(hash ^ word),
            Slot::Bytes => fold_bytes(hash, *word, row.heap),
        })
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.segments.capacity() * size_of::<Segment>() + self.segments.iter().map(Segment::memory_bytes).sum::<usize>()
    }
}

/// All NULL bits of word 0.
const ALL_NULLS: u64 = u64::MAX << crate::layout::NULL_SHIFT;

/// Folds a column of a row into a hash just as `millrace_data::hash` folds a column of an array.
fn fold_field(hash: u64, field: &Field, row: RowRef<'_>) -> u64 {
    if row.words[field.null.word] & field.null.mask != 0 {
        return mix_null(hash);
    }
    let word = row.words[field.word];
    let decimal = |x: i128| mix(hash ^ mix((x >> 64) as u64 ^ (x >> 127) as u64) ^ x as u64);
    match field.kind {
        Kind::Decimal64 => decimal(i128::from(word as i64)),
        Kind::Decimal128 => decimal((i128::from(row.words[field.word + 1] as i64) << 64) | i128::from(word)),
        Kind::Text | Kind::Binary | Kind::RowForm if in_heap(word) => mix_bytes(hash, heap_bytes(word, row.heap)),
        Kind::Text | Kind::Binary | Kind::RowForm => {
            let bytes = word.to_le_bytes();
            mix_bytes(hash, &bytes[..inline_len(word)])
        }
        _ => mix(hash ^ word),
    }
}

/// Bytes of a word that is not in the heap and not NULL.
#[inline]
pub(crate) fn inline_len(word: u64) -> usize {
    ((word >> 56) & 0x7f) as usize
}
