//! Arrow columns as words: a lane per word of a row.
//!
//! Everything that depends on a type happens here, a column at a time; what compares, hashes and stores rows sees words.
//!
//! # Contract
//! In: columns of the types of a [`Layout`], its key columns or all of them. Out: for row `i`, `heads[i]` (NULL bits of
//! word 0; none if `heads` is empty) and lane `l` at `i` are what the row's words would be, with heap offsets into the
//! lane's own bytes.

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, GenericByteArray};
use arrow::buffer::{Buffer, NullBuffer};
use arrow::datatypes::{
    ByteArrayType, Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type, Time64MicrosecondType,
    TimestampMicrosecondType,
};
use arrow::row::{RowConverter, SortField};
use millrace_data::hash::{mix, mix_bytes};

use crate::layout::{Field, INLINE_BYTES_MAX, Kind, Layout, heap_bytes, heap_word, in_heap, inline_word};

/// A column of words.
pub(crate) enum Lane {
    /// Values.
    Fixed(Vec<u64>),
    /// Words of bytes, and the bytes that heap words point into.
    Bytes(Vec<u64>, Buffer),
}

/// See the module.
pub(crate) struct Lanes {
    /// Rows.
    pub(crate) len: usize,
    /// NULL bits of word 0, by row; empty when no bit is set.
    pub(crate) heads: Vec<u64>,
    /// In the order of the layout's words.
    pub(crate) lanes: Vec<Lane>,
    /// Places, among the layout's fields, of those with a NULL.
    pub(crate) null_fields: Vec<usize>,
}

impl Lanes {
    /// All columns of a collection.
    ///
    /// # Panics
    /// If the columns do not have the layout's types.
    pub(crate) fn rows(layout: &Layout, columns: &[ArrayRef], len: usize) -> Lanes {
        assert_eq!(columns.len(), layout.types.len(), "columns of the arrangement");
        Lanes::of(layout, &layout.fields, len, |_, field| &columns[field.column])
    }

    /// Key columns only, in key order.
    ///
    /// # Panics
    /// If the columns do not have the types of the layout's key.
    pub(crate) fn keys(layout: &Layout, keys: &[ArrayRef], len: usize) -> Lanes {
        assert_eq!(keys.len(), layout.key.len(), "columns of the key");
        Lanes::of(layout, layout.key_fields(), len, |i, _| &keys[i])
    }

    fn of<'a>(layout: &Layout, fields: &[Field], len: usize, column: impl Fn(usize, &Field) -> &'a ArrayRef) -> Lanes {
        let mut out = Lanes { len, heads: vec![], lanes: Vec::with_capacity(layout.slots.len()), null_fields: vec![] };
        for (i, field) in fields.iter().enumerate() {
            let column = column(i, field);
            // names of nested fields differ between producers, and mean nothing here
            let (came, want) = (column.data_type(), &field.data_type);
            assert!(came.equals_datatype(want), "column {} is {came}, not {want}", field.column);
            assert_eq!(column.len(), len, "length of column {}", field.column);
            // words of NULL bits lie before the columns whose bits they hold
            while out.lanes.len() < field.word - layout.header {
                out.lanes.push(Lane::Fixed(vec![0; len]));
            }
            encode(field, column, &mut out.lanes);
            if let Some(nulls) = column.logical_nulls().filter(|nulls| nulls.null_count() > 0) {
                out.null_fields.push(i);
                out.note_nulls(layout, field, &nulls);
            }
        }
        out
    }

    fn note_nulls(&mut self, layout: &Layout, field: &Field, nulls: &NullBuffer) {
        let bits = if field.null.word == 0 {
            self.heads.resize(self.len, 0);
            &mut self.heads
        } else {
            match &mut self.lanes[field.null.word - layout.header] {
                Lane::Fixed(bits) => bits,
                Lane::Bytes(..) => unreachable!("NULL words are fixed"),
            }
        };
        let shift = field.null.mask.trailing_zeros();
        for (word, valid) in bits.iter_mut().zip(nulls.iter()) {
            *word |= u64::from(!valid) << shift;
        }
    }

    /// The NULL bits of word 0 of row `i`.
    #[inline]
    pub(crate) fn head(&self, i: usize) -> u64 {
        if self.heads.is_empty() { 0 } else { self.heads[i] }
    }

    /// Whether a key column of row `i` is NULL.
    #[inline]
    pub(crate) fn null_key(&self, layout: &Layout, i: usize) -> bool {
        self.head(i) & layout.key_nulls != 0
            || layout.key_null_slots().any(|slot| match &self.lanes[slot] {
                Lane::Fixed(bits) => bits[i] != 0,
                Lane::Bytes(..) => false,
            })
    }

    /// Folds the words behind the key into the hashes of the keys: a hash of the row. NULL and 0 fold alike.
    pub(crate) fn row_hashes(&self, layout: &Layout, key_hashes: &[u64]) -> Vec<u64> {
        let mut hashes = key_hashes.to_vec();
        for lane in &self.lanes[layout.key_slots..] {
            match lane {
                Lane::Fixed(words) => hashes.iter_mut().zip(words).for_each(|(hash, word)| *hash = mix(*hash ^ word)),
                Lane::Bytes(words, bytes) => {
                    hashes.iter_mut().zip(words).for_each(|(hash, word)| *hash = fold_bytes(*hash, *word, bytes));
                }
            }
        }
        hashes
    }
}

/// Folds a word of bytes into a hash of a row.
#[inline]
pub(crate) fn fold_bytes(hash: u64, word: u64, heap: &[u8]) -> u64 {
    if in_heap(word) { mix_bytes(hash, heap_bytes(word, heap)) } else { mix(hash ^ word) }
}

/// The converter between a column and its row form; the same form that `millrace_data::hash` hashes.
#[allow(clippy::expect_used)]
pub(crate) fn row_form(field: &Field) -> RowConverter {
    RowConverter::new(vec![SortField::new(field.data_type.clone())]).expect("type has a row form")
}

#[allow(clippy::expect_used)]
fn encode(field: &Field, column: &ArrayRef, lanes: &mut Vec<Lane>) {
    let lane = match field.kind {
        Kind::Int64 => primitive::<Int64Type>(column, |x| x as u64),
        Kind::Int32 => primitive::<Int32Type>(column, |x| i64::from(x) as u64),
        Kind::Float64 => primitive::<Float64Type>(column, f64::to_bits),
        Kind::Date32 => primitive::<Date32Type>(column, |x| i64::from(x) as u64),
        Kind::Time64 => primitive::<Time64MicrosecondType>(column, |x| x as u64),
        Kind::Timestamp => primitive::<TimestampMicrosecondType>(column, |x| x as u64),
        Kind::Decimal64 => primitive::<Decimal128Type>(column, |x| {
            i64::try_from(x).expect("a DECIMAL of at most 18 digits is below 2^63") as u64
        }),
        Kind::Decimal128 => {
            lanes.push(primitive::<Decimal128Type>(column, |x| x as u64));
            primitive::<Decimal128Type>(column, |x| (x >> 64) as u64)
        }
        Kind::Boolean => {
            let bits = column.as_boolean();
            let valid = |i| column.is_valid(i);
            Lane::Fixed((0..column.len()).map(|i| u64::from(bits.value(i) && valid(i))).collect())
        }
        Kind::Text => bytes(column.as_string::<i32>()),
        Kind::Binary => bytes(column.as_binary::<i32>()),
        Kind::RowForm => in_row_form(field, column),
    };
    lanes.push(lane);
}

fn primitive<T: ArrowPrimitiveType>(column: &ArrayRef, word: impl Fn(T::Native) -> u64) -> Lane {
    let values = column.as_primitive::<T>();
    Lane::Fixed(match values.nulls().filter(|nulls| nulls.null_count() > 0) {
        None => values.values().iter().map(|x| word(*x)).collect(),
        // what lies under a NULL is anything, so it is not even looked at
        Some(nulls) => values.values().iter().zip(nulls).map(|(x, valid)| if valid { word(*x) } else { 0 }).collect(),
    })
}

fn bytes<T: ByteArrayType<Offset = i32>>(column: &GenericByteArray<T>) -> Lane {
    let heap = column.values().as_slice();
    let word = |range: &[i32]| {
        let (from, to) = (range[0] as usize, range[1] as usize);
        if to - from <= INLINE_BYTES_MAX { inline_word(&heap[from..to]) } else { heap_word(from, to - from) }
    };
    let ranges = column.value_offsets().windows(2);
    let words = match column.nulls().filter(|nulls| nulls.null_count() > 0) {
        None => ranges.map(word).collect(),
        Some(nulls) => ranges.zip(nulls).map(|(range, valid)| if valid { word(range) } else { 0 }).collect(),
    };
    Lane::Bytes(words, column.values().clone())
}

#[allow(clippy::expect_used)]
fn in_row_form(field: &Field, column: &ArrayRef) -> Lane {
    let rows = row_form(field).convert_columns(std::slice::from_ref(column)).expect("column of its type");
    let nulls = column.logical_nulls();
    let mut heap = vec![];
    let words = (0..column.len())
        .map(|i| {
            let row = rows.row(i);
            let bytes: &[u8] = row.as_ref();
            if nulls.as_ref().is_some_and(|nulls| nulls.is_null(i)) {
                0
            } else if bytes.len() <= INLINE_BYTES_MAX {
                inline_word(bytes)
            } else {
                assert!(u32::try_from(heap.len()).is_ok(), "nested values of one batch exceed 4 GiB");
                heap.extend_from_slice(bytes);
                heap_word(heap.len() - bytes.len(), bytes.len())
            }
        })
        .collect();
    Lane::Bytes(words, Buffer::from_vec(heap))
}
