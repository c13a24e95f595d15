//! Columns of stored rows as Arrow arrays.
//!
//! # Contract
//! `rows` may come in any order and repeat; the array has their values in that order, and the column's own type. Rows are
//! fetched ahead, since they may lie anywhere.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BinaryArray, BooleanArray, PrimitiveArray, StringArray};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer};
use arrow::datatypes::{
    ArrowPrimitiveType, Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type, Time64MicrosecondType,
    TimestampMicrosecondType,
};

use crate::lanes::row_form;
use crate::layout::{Field, Kind, heap_bytes, in_heap};
use crate::store::{Store, inline_len};

/// How many rows ahead are fetched: enough to cover a miss to memory (100 ns) at some 5 ns a row.
const AHEAD: usize = 16;

/// What stands for a row.
pub(crate) trait Id: Copy {
    fn id(self) -> u32;
}

impl Id for u32 {
    fn id(self) -> u32 {
        self
    }
}

impl Id for crate::RowId {
    fn id(self) -> u32 {
        self.0
    }
}

impl Store {
    /// A field of some rows.
    ///
    /// # Panics
    /// If texts of more than 2 GiB are asked for at once.
    #[allow(clippy::expect_used)]
    pub(crate) fn gather<R: Id>(&self, field: &Field, rows: &[R]) -> ArrayRef {
        match field.kind {
            Kind::Int64 => self.primitive::<Int64Type, R>(field, rows, |w| w as i64),
            Kind::Int32 => self.primitive::<Int32Type, R>(field, rows, |w| w as i32),
            Kind::Float64 => self.primitive::<Float64Type, R>(field, rows, f64::from_bits),
            Kind::Date32 => self.primitive::<Date32Type, R>(field, rows, |w| w as i32),
            Kind::Time64 => self.primitive::<Time64MicrosecondType, R>(field, rows, |w| w as i64),
            Kind::Timestamp => self.primitive::<TimestampMicrosecondType, R>(field, rows, |w| w as i64),
            Kind::Decimal64 => self.primitive::<Decimal128Type, R>(field, rows, |w| i128::from(w as i64)),
            Kind::Decimal128 => {
                let high = self.gather_words(field.word + 1, rows, |w| i128::from(w as i64) << 64);
                let low = self.gather_words(field.word, rows, i128::from);
                let values: Vec<i128> = high.iter().zip(low).map(|(high, low)| high | low).collect();
                let array = PrimitiveArray::<Decimal128Type>::new(values.into(), self.nulls(field, rows));
                Arc::new(array.with_data_type(field.data_type.clone()))
            }
            Kind::Boolean => {
                let words = self.gather_words(field.word, rows, |w| w == 1);
                Arc::new(BooleanArray::new(BooleanBuffer::from(words), self.nulls(field, rows)))
            }
            Kind::Text => {
                let (offsets, bytes) = self.gather_bytes(field, rows);
                let texts = StringArray::try_new(offsets, bytes, self.nulls(field, rows));
                Arc::new(texts.expect("texts were stored from a Utf8 column"))
            }
            Kind::Binary => {
                let (offsets, bytes) = self.gather_bytes(field, rows);
                Arc::new(BinaryArray::new(offsets, bytes, self.nulls(field, rows)))
            }
            Kind::RowForm => self.gather_row_form(field, rows),
        }
    }

    fn gather_words<T, R: Id>(&self, at: usize, rows: &[R], value: impl Fn(u64) -> T) -> Vec<T> {
        let each = rows.iter().enumerate().map(|(i, row)| {
            if let Some(ahead) = rows.get(i + AHEAD) {
                self.prefetch_word(ahead.id(), at);
            }
            value(self.word(row.id(), at))
        });
        each.collect()
    }

    fn primitive<T: ArrowPrimitiveType, R: Id>(
        &self,
        field: &Field,
        rows: &[R],
        value: impl Fn(u64) -> T::Native,
    ) -> ArrayRef {
        let values = self.gather_words(field.word, rows, value);
        let array = PrimitiveArray::<T>::new(values.into(), self.nulls(field, rows));
        // the type may say more than `T`: a zone, a precision
        Arc::new(array.with_data_type(field.data_type.clone()))
    }

    /// Which rows have a value; `None` if all have.
    fn nulls<R: Id>(&self, field: &Field, rows: &[R]) -> Option<NullBuffer> {
        if !self.may_be_null(field.place) {
            return None;
        }
        let is_null = |row: u32| self.word(row, field.null.word) & field.null.mask != 0;
        let first = rows.iter().position(|row| is_null(row.id()))?;
        let valid = BooleanBuffer::collect_bool(rows.len(), |i| i < first || !is_null(rows[i].id()));
        Some(NullBuffer::new(valid))
    }

    #[allow(clippy::expect_used)]
    fn gather_bytes<R: Id>(&self, field: &Field, rows: &[R]) -> (OffsetBuffer<i32>, Buffer) {
        let mut offsets = Vec::with_capacity(rows.len() + 1);
        let mut total = 0usize;
        offsets.push(0);
        let words = self.gather_words(field.word, rows, |w| w);
        for (word, row) in words.iter().zip(rows) {
            total += if in_heap(*word) { (*word >> 32) as usize } else { inline_len(*word) };
            offsets.push(total as i32);
            self.prefetch_bytes(row.id(), field.word);
        }
        i32::try_from(total).expect("texts gathered at once stay below 2 GiB");
        let mut bytes = Vec::with_capacity(total);
        for (word, row) in words.iter().zip(rows) {
            if in_heap(*word) {
                bytes.extend_from_slice(heap_bytes(*word, self.row(row.id()).heap));
            } else {
                bytes.extend_from_slice(&word.to_le_bytes()[..inline_len(*word)]);
            }
        }
        (OffsetBuffer::new(offsets.into()), Buffer::from_vec(bytes))
    }

    /// Nested values and intervals. A NULL is decoded from the row form of a NULL.
    #[allow(clippy::expect_used)]
    fn gather_row_form<R: Id>(&self, field: &Field, rows: &[R]) -> ArrayRef {
        let converter = row_form(field);
        let parser = converter.parser();
        let null = arrow::array::new_null_array(&field.data_type, 1);
        let null = converter.convert_columns(&[null]).expect("a NULL has a row form");
        let null: &[u8] = null.row(0).data();
        let inline: Vec<[u8; 8]> = self.gather_words(field.word, rows, u64::to_le_bytes);
        let values = rows.iter().zip(&inline).map(|(row, inline)| {
            let word = u64::from_le_bytes(*inline);
            parser.parse(match word {
                0 => null,
                _ if in_heap(word) => heap_bytes(word, self.row(row.id()).heap),
                _ => &inline[..inline_len(word)],
            })
        });
        let mut columns = converter.convert_rows(values).expect("stored from a column of this type");
        let column = columns.pop().expect("one column");
        debug_assert_eq!(column.data_type(), &field.data_type);
        column
    }
}
