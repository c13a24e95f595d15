//! Columns under construction: values are pushed, and taken back when their record turns out to be broken.
//!
//! A [`Column`] has one variant per SQL type; decoders match on it once per value and push straight into its vector.
//! NULLs are kept as a list of positions, so that a value that is there costs its vector alone.
//!
//! # Contract
//! * `len` counts values and NULLs. `truncate(n)` leaves the first `n` and nothing else, nested values included.
//! * `finish` gives the column of exactly the type it was made for and leaves it empty, with room for as much again.
//! * A column that is not kept (`keep` false) counts and checks like any other; texts and bytes are not copied.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, BinaryArray, BooleanArray, BooleanBufferBuilder, Date32Array, Decimal128Array, Float64Array,
    Int32Array, Int64Array, ListArray, MapArray, StringArray, StructArray, Time64MicrosecondArray,
    TimestampMicrosecondArray,
};
use arrow::buffer::{BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{DataType, FieldRef, Fields, TimeUnit};
use arrow::error::ArrowError;

use crate::error::SqlType;
use crate::json::object::Object;

/// See the module.
#[derive(Debug)]
pub(crate) struct Column {
    pub(crate) data: Data,
    /// Positions that are NULL, ascending.
    nulls: Vec<u32>,
}

/// The values of a column, by type.
#[derive(Debug)]
pub(crate) enum Data {
    Boolean(BooleanBufferBuilder),
    Int32(Vec<i32>),
    Int64(Vec<i64>),
    Float64(Vec<f64>),
    Decimal(Decimals),
    Utf8(Bytes),
    Binary(Bytes),
    /// Days since 1970-01-01.
    Date(Vec<i32>),
    /// Microseconds since midnight.
    Time(Vec<i64>),
    /// Microseconds since 1970-01-01T00:00.
    Timestamp(Vec<i64>),
    List(Box<List>),
    Map(Box<Map>),
    Struct(Box<Struct>),
}

/// Values of DECIMAL(precision, scale), times 10^scale.
#[derive(Debug)]
pub(crate) struct Decimals {
    pub(crate) values: Vec<i128>,
    pub(crate) precision: u8,
    pub(crate) scale: i8,
}

/// Texts or byte strings, end to end.
#[derive(Debug)]
pub(crate) struct Bytes {
    values: Vec<u8>,
    offsets: Vec<i32>,
    /// Whether anybody will look at the values.
    keep: bool,
}

/// Lists, their elements end to end.
#[derive(Debug)]
pub(crate) struct List {
    offsets: Vec<i32>,
    pub(crate) child: Column,
    field: FieldRef,
}

/// Maps, their entries end to end. A key stands once in its map.
#[derive(Debug)]
pub(crate) struct Map {
    offsets: Vec<i32>,
    pub(crate) keys: Column,
    pub(crate) values: Column,
    entries: FieldRef,
    sorted: bool,
    /// Room for positions of keys in order.
    pub(crate) order: Vec<usize>,
}

/// Rows of named columns.
#[derive(Debug)]
pub(crate) struct Struct {
    pub(crate) object: Object,
    fields: Fields,
}

impl Column {
    /// A column for the type; `None` if a record cannot hold it.
    pub(crate) fn new(data_type: &DataType, keep: bool) -> Option<Self> {
        let data = match data_type {
            DataType::Boolean => Data::Boolean(BooleanBufferBuilder::new(0)),
            DataType::Int32 => Data::Int32(Vec::new()),
            DataType::Int64 => Data::Int64(Vec::new()),
            DataType::Float64 => Data::Float64(Vec::new()),
            DataType::Decimal128(precision, scale) if (0..=38).contains(scale) && (1..=38).contains(precision) => {
                Data::Decimal(Decimals { values: Vec::new(), precision: *precision, scale: *scale })
            }
            DataType::Utf8 => Data::Utf8(Bytes::new(keep)),
            DataType::Binary => Data::Binary(Bytes::new(keep)),
            DataType::Date32 => Data::Date(Vec::new()),
            DataType::Time64(TimeUnit::Microsecond) => Data::Time(Vec::new()),
            DataType::Timestamp(TimeUnit::Microsecond, None) => Data::Timestamp(Vec::new()),
            DataType::List(field) => Data::List(Box::new(List {
                offsets: vec![0],
                child: Column::new(field.data_type(), keep)?,
                field: Arc::clone(field),
            })),
            DataType::Map(entries, sorted) => {
                let DataType::Struct(fields) = entries.data_type() else { return None };
                let [key, value] = fields.as_ref() else { return None };
                // Two keys are compared by their bytes, which must be there.
                let keys = Column::new(key.data_type(), true)?;
                if matches!(keys.data, Data::List(_) | Data::Map(_) | Data::Struct(_)) {
                    return None;
                }
                let values = Column::new(value.data_type(), keep)?;
                Data::Map(Box::new(Map {
                    offsets: vec![0],
                    keys,
                    values,
                    entries: Arc::clone(entries),
                    sorted: *sorted,
                    order: Vec::new(),
                }))
            }
            DataType::Struct(fields) => {
                let names = fields.iter().map(|f| f.name().as_str());
                let columns =
                    fields.iter().map(|f| Column::new(f.data_type(), keep)).collect::<Option<Vec<Column>>>()?;
                Data::Struct(Box::new(Struct { object: Object::new(names, columns), fields: fields.clone() }))
            }
            _ => return None,
        };
        Some(Column { data, nulls: Vec::new() })
    }

    /// Values and NULLs.
    pub(crate) fn len(&self) -> usize {
        match &self.data {
            Data::Boolean(b) => b.len(),
            Data::Int32(v) | Data::Date(v) => v.len(),
            Data::Int64(v) | Data::Time(v) | Data::Timestamp(v) => v.len(),
            Data::Float64(v) => v.len(),
            Data::Decimal(d) => d.values.len(),
            Data::Utf8(b) | Data::Binary(b) => b.len(),
            Data::List(l) => l.offsets.len() - 1,
            Data::Map(m) => m.offsets.len() - 1,
            Data::Struct(s) => s.object.rows(),
        }
    }

    /// The type without its parameters.
    pub(crate) fn sql_type(&self) -> SqlType {
        match &self.data {
            Data::Boolean(_) => SqlType::Boolean,
            Data::Int32(_) => SqlType::Int,
            Data::Int64(_) => SqlType::Bigint,
            Data::Float64(_) => SqlType::Double,
            Data::Decimal(_) => SqlType::Decimal,
            Data::Utf8(_) => SqlType::Varchar,
            Data::Binary(_) => SqlType::Bytes,
            Data::Date(_) => SqlType::Date,
            Data::Time(_) => SqlType::Time,
            Data::Timestamp(_) => SqlType::Timestamp,
            Data::List(_) => SqlType::Array,
            Data::Map(_) => SqlType::Map,
            Data::Struct(_) => SqlType::Struct,
        }
    }

    /// Appends NULL.
    pub(crate) fn push_null(&mut self) {
        // Rows of a block are fewer than its bytes, so they fit.
        self.nulls.push(self.len() as u32);
        match &mut self.data {
            Data::Boolean(b) => b.append(false),
            Data::Int32(v) | Data::Date(v) => v.push(0),
            Data::Int64(v) | Data::Time(v) | Data::Timestamp(v) => v.push(0),
            Data::Float64(v) => v.push(0.0),
            Data::Decimal(d) => d.values.push(0),
            Data::Utf8(b) | Data::Binary(b) => b.end(),
            Data::List(l) => l.end(),
            Data::Map(m) => m.end(),
            Data::Struct(s) => s.object.push_nulls(),
        }
    }

    /// Keeps the first `len`, and nothing of a nested value in progress.
    pub(crate) fn truncate(&mut self, len: usize) {
        if len > self.len() {
            return;
        }
        while self.nulls.last().is_some_and(|n| *n as usize >= len) {
            self.nulls.pop();
        }
        match &mut self.data {
            Data::Boolean(b) => b.truncate(len),
            Data::Int32(v) | Data::Date(v) => v.truncate(len),
            Data::Int64(v) | Data::Time(v) | Data::Timestamp(v) => v.truncate(len),
            Data::Float64(v) => v.truncate(len),
            Data::Decimal(d) => d.values.truncate(len),
            Data::Utf8(b) | Data::Binary(b) => b.truncate(len),
            Data::List(l) => l.truncate(len),
            Data::Map(m) => m.truncate(len),
            Data::Struct(s) => s.object.truncate(len),
        }
    }

    /// The values as a column of `data_type`, for which this one was made.
    ///
    /// # Errors
    /// If Arrow finds the column inconsistent, which would be a mistake of a decoder.
    pub(crate) fn finish(&mut self, data_type: &DataType) -> Result<ArrayRef, ArrowError> {
        let nulls = self.take_nulls();
        Ok(match &mut self.data {
            Data::Boolean(b) => {
                let len = b.len();
                let values = b.finish();
                b.reserve(len);
                Arc::new(BooleanArray::new(values, nulls))
            }
            Data::Int32(v) => Arc::new(Int32Array::try_new(take(v), nulls)?),
            Data::Int64(v) => Arc::new(Int64Array::try_new(take(v), nulls)?),
            Data::Float64(v) => Arc::new(Float64Array::try_new(take(v), nulls)?),
            Data::Decimal(d) => {
                let (precision, scale) = (d.precision, d.scale);
                let values = Decimal128Array::try_new(take(&mut d.values), nulls)?;
                Arc::new(values.with_precision_and_scale(precision, scale)?)
            }
            Data::Utf8(b) => {
                let (offsets, values) = b.take();
                Arc::new(StringArray::try_new(offsets, values, nulls)?)
            }
            Data::Binary(b) => {
                let (offsets, values) = b.take();
                Arc::new(BinaryArray::try_new(offsets, values, nulls)?)
            }
            Data::Date(v) => Arc::new(Date32Array::try_new(take(v), nulls)?),
            Data::Time(v) => Arc::new(Time64MicrosecondArray::try_new(take(v), nulls)?),
            Data::Timestamp(v) => Arc::new(TimestampMicrosecondArray::try_new(take(v), nulls)?),
            Data::List(l) => {
                let child = l.child.finish(l.field.data_type())?;
                Arc::new(ListArray::try_new(Arc::clone(&l.field), take_offsets(&mut l.offsets), child, nulls)?)
            }
            Data::Map(m) => m.finish(data_type, nulls)?,
            Data::Struct(s) => {
                let len = s.object.rows();
                let columns = s.object.finish(s.fields.iter().map(|f| f.data_type()))?;
                Arc::new(StructArray::try_new_with_length(s.fields.clone(), columns, nulls, len)?)
            }
        })
    }

    /// The order of two values, neither of them NULL, of a column that is not nested.
    ///
    /// # Panics
    /// If it is nested.
    pub(crate) fn compare(&self, a: usize, b: usize) -> Ordering {
        match &self.data {
            Data::Boolean(v) => v.get_bit(a).cmp(&v.get_bit(b)),
            Data::Int32(v) | Data::Date(v) => v[a].cmp(&v[b]),
            Data::Int64(v) | Data::Time(v) | Data::Timestamp(v) => v[a].cmp(&v[b]),
            Data::Float64(v) => v[a].total_cmp(&v[b]),
            Data::Decimal(d) => d.values[a].cmp(&d.values[b]),
            Data::Utf8(v) | Data::Binary(v) => v.get(a).cmp(v.get(b)),
            Data::List(_) | Data::Map(_) | Data::Struct(_) => panic!("{:?} is nested", self.sql_type()),
        }
    }

    /// Of the values from `first` on keeps those at `first` + `kept`, which ascend; no value is NULL.
    ///
    /// # Panics
    /// If the column is nested.
    pub(crate) fn keep_from(&mut self, first: usize, kept: &[usize]) {
        fn keep<T: Copy>(values: &mut Vec<T>, first: usize, kept: &[usize]) {
            for (i, k) in kept.iter().enumerate() {
                values[first + i] = values[first + k];
            }
            values.truncate(first + kept.len());
        }
        match &mut self.data {
            Data::Boolean(v) => {
                for (i, k) in kept.iter().enumerate() {
                    let value = v.get_bit(first + k);
                    v.set_bit(first + i, value);
                }
                v.truncate(first + kept.len());
            }
            Data::Int32(v) | Data::Date(v) => keep(v, first, kept),
            Data::Int64(v) | Data::Time(v) | Data::Timestamp(v) => keep(v, first, kept),
            Data::Float64(v) => keep(v, first, kept),
            Data::Decimal(d) => keep(&mut d.values, first, kept),
            Data::Utf8(v) | Data::Binary(v) => {
                let values: Vec<Vec<u8>> = kept.iter().map(|k| v.get(first + k).to_vec()).collect();
                v.truncate(first);
                for value in values {
                    v.push(&value);
                }
            }
            Data::List(_) | Data::Map(_) | Data::Struct(_) => panic!("{:?} is nested", self.sql_type()),
        }
    }

    fn take_nulls(&mut self) -> Option<NullBuffer> {
        if self.nulls.is_empty() {
            return None;
        }
        let len = self.len();
        let mut words = vec![u64::MAX; len.div_ceil(64)];
        for null in self.nulls.drain(..) {
            words[null as usize / 64] &= !(1 << (null % 64));
        }
        Some(NullBuffer::new(BooleanBuffer::new(Buffer::from_vec(words), 0, len)))
    }
}

/// Takes the values and leaves room for as many: the next block is as large as this one, as a rule.
fn take<T: arrow::datatypes::ArrowNativeType>(values: &mut Vec<T>) -> ScalarBuffer<T> {
    let room = Vec::with_capacity(values.len());
    ScalarBuffer::from(std::mem::replace(values, room))
}

fn take_offsets(offsets: &mut Vec<i32>) -> OffsetBuffer<i32> {
    let mut room = Vec::with_capacity(offsets.len());
    room.push(0);
    OffsetBuffer::new(ScalarBuffer::from(std::mem::replace(offsets, room)))
}

/// A length as an offset. Columns have fewer bytes and values than the block that they come from.
fn offset(len: usize) -> i32 {
    debug_assert!(len <= i32::MAX as usize, "{len}");
    len as i32
}

impl Bytes {
    fn new(keep: bool) -> Self {
        Bytes { values: Vec::new(), offsets: vec![0], keep }
    }
    pub(crate) fn len(&self) -> usize {
        self.offsets.len() - 1
    }
    /// Appends bytes `start..end` of `from`.
    #[inline]
    pub(crate) fn push_range(&mut self, from: &[u8], start: usize, end: usize) {
        if self.keep {
            let len = end - start;
            // Copies of a fixed size are a few instructions, others are a call.
            match from.get(start..).and_then(|rest| rest.first_chunk::<64>()) {
                Some(chunk) if len <= 64 => {
                    let before = self.values.len();
                    if len <= 16 {
                        self.values.extend_from_slice(&chunk[..16]);
                    } else {
                        self.values.extend_from_slice(chunk);
                    }
                    self.values.truncate(before + len);
                }
                _ => self.values.extend_from_slice(&from[start..end]),
            }
        }
        self.end();
    }
    /// Appends a value.
    pub(crate) fn push(&mut self, value: &[u8]) {
        if self.keep {
            self.values.extend_from_slice(value);
        }
        self.end();
    }
    /// Appends what `write` appends to the vector that it gets. On failure nothing is appended.
    pub(crate) fn push_with<E>(&mut self, write: impl FnOnce(&mut Vec<u8>) -> Result<(), E>) -> Result<(), E> {
        let before = self.values.len();
        let result = write(&mut self.values);
        if result.is_err() || !self.keep {
            self.values.truncate(before);
        }
        if result.is_ok() {
            self.end();
        }
        result
    }
    /// Value `i`.
    pub(crate) fn get(&self, i: usize) -> &[u8] {
        &self.values[self.offsets[i] as usize..self.offsets[i + 1] as usize]
    }
    #[inline]
    fn end(&mut self) {
        self.offsets.push(offset(self.values.len()));
    }
    fn truncate(&mut self, len: usize) {
        self.offsets.truncate(len + 1);
        self.values.truncate(self.offsets[len] as usize);
    }
    fn take(&mut self) -> (OffsetBuffer<i32>, Buffer) {
        let room = Vec::with_capacity(self.values.len());
        (take_offsets(&mut self.offsets), Buffer::from_vec(std::mem::replace(&mut self.values, room)))
    }
}

impl List {
    /// Ends a list: it has the elements pushed since the last one ended.
    pub(crate) fn end(&mut self) {
        self.offsets.push(offset(self.child.len()));
    }
    fn truncate(&mut self, len: usize) {
        self.offsets.truncate(len + 1);
        self.child.truncate(self.offsets[len] as usize);
    }
}

impl Map {
    /// Ends a map: it has the entries pushed since the last one ended.
    pub(crate) fn end(&mut self) {
        self.offsets.push(offset(self.keys.len()));
    }
    /// Where the entries of the map in progress begin.
    pub(crate) fn start(&self) -> usize {
        self.offsets.last().map_or(0, |o| *o as usize)
    }
    /// Takes back the entries of the map in progress.
    pub(crate) fn restart(&mut self) {
        let start = self.start();
        self.keys.truncate(start);
        self.values.truncate(start);
    }
    fn truncate(&mut self, len: usize) {
        self.offsets.truncate(len + 1);
        self.restart();
    }
    fn finish(&mut self, data_type: &DataType, nulls: Option<NullBuffer>) -> Result<ArrayRef, ArrowError> {
        let DataType::Struct(fields) = self.entries.data_type() else {
            return Err(ArrowError::SchemaError(format!("{data_type} has no entries")));
        };
        let keys = self.keys.finish(fields[0].data_type())?;
        let values = self.values.finish(fields[1].data_type())?;
        let len = keys.len();
        let entries = StructArray::try_new_with_length(fields.clone(), vec![keys, values], None, len)?;
        let offsets = take_offsets(&mut self.offsets);
        Ok(Arc::new(MapArray::try_new(Arc::clone(&self.entries), offsets, entries, nulls, self.sorted)?))
    }
}
