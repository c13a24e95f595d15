//! How SQL's types lie in a row of 64-bit words.
//!
//! ```text
//! word 0     next row (32) | flags (8) | chain length (8) | NULL bits of the first 16 columns (16)
//! word 1     previous row (32) | hash of the row, once it is dead the tick of its death (32)   if rows can be removed
//! then       NULL words of key columns beyond the 16th, 64 a word | key columns, in key order
//! then       NULL words of other columns beyond the 16th          | other columns
//! ```
//! A column takes one word; a DECIMAL of more than 18 digits takes two. Texts, bytes, intervals and nested values lie in
//! the heap of their segment, and the word says where, unless they fit the word: see [`Slot::Bytes`].
//!
//! # Contract
//! Two equal values have equal words, or equal bytes in the heap. A NULL's words are 0. Key columns come first and in
//! key order, so that rows of two layouts with the same key types can be compared by their key words.

use arrow::datatypes::{DataType, TimeUnit};

/// Columns whose NULL bits fit the first word.
pub(crate) const NULLS_IN_HEAD: usize = 16;
/// Where they begin.
pub(crate) const NULL_SHIFT: u32 = 48;
/// Digits that one word holds.
const DECIMAL_DIGITS_PER_WORD: u8 = 18;

/// How a column's values become words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// 0 or 1.
    Boolean,
    /// Sign-extended.
    Int32,
    /// As it is.
    Int64,
    /// Its bits.
    Float64,
    /// Days, sign-extended.
    Date32,
    /// Microseconds.
    Time64,
    /// Microseconds.
    Timestamp,
    /// Unscaled, of at most 18 digits.
    Decimal64,
    /// Unscaled, low word first.
    Decimal128,
    /// Its bytes.
    Text,
    /// Its bytes.
    Binary,
    /// The bytes of Arrow's row form: intervals, lists, maps, structs and whatever else has one.
    RowForm,
}

impl Kind {
    fn of(data_type: &DataType) -> Kind {
        match data_type {
            DataType::Boolean => Kind::Boolean,
            DataType::Int32 => Kind::Int32,
            DataType::Int64 => Kind::Int64,
            DataType::Float64 => Kind::Float64,
            DataType::Date32 => Kind::Date32,
            DataType::Time64(TimeUnit::Microsecond) => Kind::Time64,
            DataType::Timestamp(TimeUnit::Microsecond, _) => Kind::Timestamp,
            DataType::Decimal128(precision, _) if *precision <= DECIMAL_DIGITS_PER_WORD => Kind::Decimal64,
            DataType::Decimal128(..) => Kind::Decimal128,
            DataType::Utf8 => Kind::Text,
            DataType::Binary => Kind::Binary,
            _ => Kind::RowForm,
        }
    }

    /// What its words are.
    pub(crate) fn slots(self) -> &'static [Slot] {
        match self {
            Kind::Decimal128 => &[Slot::Fixed, Slot::Fixed],
            Kind::Text | Kind::Binary | Kind::RowForm => &[Slot::Bytes],
            _ => &[Slot::Fixed],
        }
    }
}

/// What a word is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slot {
    /// The value, or a part of it.
    Fixed,
    /// Up to seven bytes as `1 | length (7 bits) | bytes`, from the top; more as `length (32) | offset in the heap (32)`.
    Bytes,
}

/// Bytes that fit a word beside their length.
pub(crate) const INLINE_BYTES_MAX: usize = 7;

/// Up to seven bytes as a word.
#[inline]
pub(crate) fn inline_word(bytes: &[u8]) -> u64 {
    let mut word = [0u8; 8];
    word[..bytes.len()].copy_from_slice(bytes);
    word[7] = 0x80 | bytes.len() as u8;
    u64::from_le_bytes(word)
}

/// Whether the bytes of a [`Slot::Bytes`] word lie in the heap: they are neither in the word nor NULL.
#[inline]
pub(crate) fn in_heap(word: u64) -> bool {
    word as i64 > 0
}

/// Bytes in the heap as a word.
#[inline]
pub(crate) fn heap_word(offset: usize, len: usize) -> u64 {
    debug_assert!(u32::try_from(offset).is_ok() && len > INLINE_BYTES_MAX);
    (len as u64) << 32 | offset as u64
}

/// The bytes that a heap word stands for.
#[inline]
pub(crate) fn heap_bytes(word: u64, heap: &[u8]) -> &[u8] {
    let offset = word as u32 as usize;
    &heap[offset..offset + (word >> 32) as usize]
}

/// Bytes of a row in the heap.
pub(crate) fn heap_bytes_len(layout: &Layout, words: &[u64]) -> usize {
    let slots = layout.slots.iter().zip(&words[layout.header..]);
    slots.filter(|(slot, word)| **slot == Slot::Bytes && in_heap(**word)).map(|(_, word)| (*word >> 32) as usize).sum()
}

/// Whether two [`Slot::Bytes`] words mean the same.
#[inline]
pub(crate) fn bytes_equal(a: u64, a_heap: &[u8], b: u64, b_heap: &[u8]) -> bool {
    if in_heap(a) && in_heap(b) { a >> 32 == b >> 32 && heap_bytes(a, a_heap) == heap_bytes(b, b_heap) } else { a == b }
}

/// Which bit says that a column is NULL.
#[derive(Clone, Copy, Debug)]
pub(crate) struct NullBit {
    /// Word of the row.
    pub(crate) word: usize,
    /// The bit.
    pub(crate) mask: u64,
}

/// A column as it is stored.
#[derive(Clone, Debug)]
pub(crate) struct Field {
    /// Its position in the collection.
    pub(crate) column: usize,
    /// Its position among the fields.
    pub(crate) place: usize,
    /// Its first word.
    pub(crate) word: usize,
    /// Its NULL bit.
    pub(crate) null: NullBit,
    /// How it is stored.
    pub(crate) kind: Kind,
    /// Its Arrow type.
    pub(crate) data_type: DataType,
}

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Layout {
    /// Types of the columns of the collection.
    pub(crate) types: Vec<DataType>,
    /// Key columns.
    pub(crate) key: Vec<usize>,
    /// As stored: the key, then the others. A column that is twice in the key is stored twice.
    pub(crate) fields: Vec<Field>,
    /// Per column of the collection, its place in `fields`.
    pub(crate) field_of: Vec<usize>,
    /// What the words behind the header are.
    pub(crate) slots: Vec<Slot>,
    /// Words of the header.
    pub(crate) header: usize,
    /// How many of `slots` belong to the key.
    pub(crate) key_slots: usize,
    /// NULL bits of the key in word 0.
    pub(crate) key_nulls: u64,
}

impl Layout {
    /// Rows of these columns with this key behind a header of so many words.
    ///
    /// # Panics
    /// If a key column does not exist.
    pub(crate) fn new(types: &[DataType], key: &[usize], header: usize) -> Layout {
        let others = (0..types.len()).filter(|c| !key.contains(c));
        let mut layout = Layout {
            types: types.to_vec(),
            key: key.to_vec(),
            fields: vec![],
            field_of: vec![usize::MAX; types.len()],
            slots: vec![],
            header,
            key_slots: 0,
            key_nulls: 0,
        };
        layout.place(key.iter().copied(), 0);
        layout.key_slots = layout.slots.len();
        layout.key_nulls = ((1 << key.len().min(NULLS_IN_HEAD)) - 1) << NULL_SHIFT;
        layout.place(others, key.len());
        layout
    }

    /// Appends columns, their NULL words first; `head` NULL bits of word 0 are taken.
    fn place(&mut self, columns: impl Iterator<Item = usize> + Clone, head: usize) {
        let in_head = NULLS_IN_HEAD.saturating_sub(head);
        let beyond = columns.clone().count().saturating_sub(in_head);
        let null_word = self.header + self.slots.len();
        self.slots.resize(self.slots.len() + beyond.div_ceil(64), Slot::Fixed);
        for (i, column) in columns.enumerate() {
            let null = match i.checked_sub(in_head) {
                None => NullBit { word: 0, mask: 1 << (NULL_SHIFT as usize + head + i) },
                Some(bit) => NullBit { word: null_word + bit / 64, mask: 1 << (bit % 64) },
            };
            let data_type = self.types[column].clone();
            let kind = Kind::of(&data_type);
            if self.field_of[column] == usize::MAX {
                self.field_of[column] = self.fields.len();
            }
            let place = self.fields.len();
            self.fields.push(Field { column, place, word: self.header + self.slots.len(), null, kind, data_type });
            self.slots.extend_from_slice(kind.slots());
        }
    }

    /// Words of a row.
    #[inline]
    pub(crate) fn words(&self) -> usize {
        self.header + self.slots.len()
    }

    /// The field of a column of the collection.
    pub(crate) fn field(&self, column: usize) -> &Field {
        &self.fields[self.field_of[column]]
    }

    /// The fields of the key, in key order.
    pub(crate) fn key_fields(&self) -> &[Field] {
        &self.fields[..self.key.len()]
    }

    /// Which of `slots` hold NULL bits of the key.
    #[inline]
    pub(crate) fn key_null_slots(&self) -> std::ops::Range<usize> {
        0..self.key.len().saturating_sub(NULLS_IN_HEAD).div_ceil(64)
    }

    /// Whether rows of both can be compared by their key words.
    pub(crate) fn same_key(&self, other: &Layout) -> bool {
        let kinds =
            |layout: &Layout| layout.key_fields().iter().map(|f| (f.kind, f.data_type.clone())).collect::<Vec<_>>();
        kinds(self) == kinds(other)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn key_columns_come_first_and_null_bits_are_distinct() {
        let types = vec![DataType::Int64; 100];
        for key in [vec![], vec![7], vec![99, 3, 99], (0..90).collect()] {
            let layout = Layout::new(&types, &key, 2);
            let stored: Vec<usize> = layout.key_fields().iter().map(|f| f.column).collect();
            assert_eq!(stored, key);
            let mut bits: Vec<(usize, u64)> = layout.fields.iter().map(|f| (f.null.word, f.null.mask)).collect();
            bits.sort_unstable();
            bits.dedup();
            assert_eq!(bits.len(), layout.fields.len());
            // no NULL word lies where a value does, and key words hold nothing of other columns
            for field in &layout.fields {
                assert!(layout.fields.iter().all(|f| f.null.word == 0 || f.null.word != field.word));
                assert!(field.word < layout.words());
            }
            for field in &layout.fields[key.len()..] {
                assert!(field.null.word == 0 || field.null.word >= 2 + layout.key_slots);
                assert!(field.null.word != 0 || field.null.mask & layout.key_nulls == 0);
            }
        }
    }

    #[test]
    fn short_bytes_are_words() {
        let (a, b) = (inline_word(b"abc"), inline_word(b"abc\0"));
        assert_ne!(a, b);
        assert!(!in_heap(a) && !in_heap(0) && in_heap(heap_word(0, 8)));
        assert_ne!(inline_word(b""), 0);
        let (x, y) = (b"..eight by".as_slice(), b"eight by".as_slice());
        assert!(bytes_equal(heap_word(2, 8), x, heap_word(0, 8), y));
        assert!(!bytes_equal(heap_word(1, 8), x, heap_word(0, 8), y));
        assert!(!bytes_equal(a, x, heap_word(0, 8), y));
    }
}
