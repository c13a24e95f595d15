//! MIN and MAX.
//!
//! Over rows that are never retracted a group keeps its extreme: a word, where the type has an order-preserving one, else
//! its bytes. Otherwise it keeps all values, sorted.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, PrimitiveArray, new_null_array};
use arrow::datatypes::{
    ArrowPrimitiveType, DataType, Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type, Time64MicrosecondType,
    TimeUnit, TimestampMicrosecondType,
};
use arrow::row::RowConverter;
use millrace_data::consolidate::row_converter;

use super::{Call, Finished, State, Update, present};
use crate::by_group::ByGroup;
use crate::render::hash::sorted::Sorted;

/// The state for a column of this type.
pub(super) fn new(arg: usize, data_type: &DataType, max: bool, append_only: bool) -> Box<dyn State> {
    if !append_only {
        return Box::new(Values::new(arg, data_type, max));
    }
    match data_type {
        DataType::Int32 => Box::new(Best::<Int32Type>::new(arg, max)),
        DataType::Int64 => Box::new(Best::<Int64Type>::new(arg, max)),
        DataType::Float64 => Box::new(Best::<Float64Type>::new(arg, max)),
        DataType::Date32 => Box::new(Best::<Date32Type>::new(arg, max)),
        DataType::Time64(TimeUnit::Microsecond) => Box::new(Best::<Time64MicrosecondType>::new(arg, max)),
        DataType::Timestamp(TimeUnit::Microsecond, None) => Box::new(Best::<TimestampMicrosecondType>::new(arg, max)),
        DataType::Decimal128(..) => Box::new(Best::<Decimal128Type>::new(arg, max)),
        _ => Box::new(BestBytes::new(arg, data_type, max)),
    }
}

/// A type whose order is that of words.
trait Ordered: ArrowPrimitiveType {
    type Word: Copy + Default + Ord + std::ops::Not<Output = Self::Word> + 'static;
    fn word(x: Self::Native) -> Self::Word;
    fn value(word: Self::Word) -> Self::Native;
}

macro_rules! ordered_integer {
    ($($data_type:ty, $word:ty;)*) => { $(
        impl Ordered for $data_type {
            type Word = $word;
            fn word(x: Self::Native) -> $word {
                x as $word ^ 1 << (<$word>::BITS - 1)
            }
            fn value(word: $word) -> Self::Native {
                (word ^ 1 << (<$word>::BITS - 1)) as Self::Native
            }
        }
    )* };
}

ordered_integer! {
    Int32Type, u32; Int64Type, u64; Date32Type, u32; Time64MicrosecondType, u64; TimestampMicrosecondType, u64;
    Decimal128Type, u128;
}

impl Ordered for Float64Type {
    type Word = u64;
    fn word(x: f64) -> u64 {
        // the order of `f64::total_cmp`: NaN, which has one sign here, is largest
        let bits = x.to_bits();
        bits ^ (((bits as i64) >> 63) as u64 | 1 << 63)
    }
    fn value(word: u64) -> f64 {
        f64::from_bits(word ^ (!((word as i64) >> 63) as u64 | 1 << 63))
    }
}

/// The largest word of each group; for MIN, of the words' complements. Nothing yet is 0.
struct Best<T: Ordered> {
    arg: usize,
    max: bool,
    best: ByGroup<T::Word>,
}

impl<T: Ordered> Best<T> {
    fn new(arg: usize, max: bool) -> Self {
        Best { arg, max, best: ByGroup::new() }
    }
}

impl<T: Ordered> State for Best<T> {
    fn grow(&mut self, groups: usize) {
        self.best.grow(groups);
    }

    fn update(&mut self, rows: &Update<'_>) {
        let values = rows.columns[self.arg].as_primitive::<T>().values();
        for ((group, weight), value) in rows.groups.iter().zip(rows.weights).zip(values) {
            if *weight > 0 {
                let word = T::word(*value);
                let best = &mut self.best[*group as usize];
                *best = (*best).max(if self.max { word } else { !word });
            }
        }
    }

    fn finish(&self, call: &Call, groups: &[u32], counts: &ByGroup<i64>) -> Finished {
        let values = groups.iter().map(|group| {
            let best = self.best[*group as usize];
            T::value(if self.max { best } else { !best })
        });
        let column = PrimitiveArray::<T>::new(values.collect(), present(groups, counts));
        Finished::of(Arc::new(column.with_data_type(call.data_type.clone())))
    }

    fn merge(&mut self, from: u32, into: u32) {
        let other = self.best[from as usize];
        let best = &mut self.best[into as usize];
        *best = (*best).max(other);
    }

    fn clear(&mut self, groups: &[u32]) {
        groups.iter().for_each(|group| self.best[*group as usize] = T::Word::default());
    }

    fn memory_bytes(&self) -> usize {
        self.best.memory_bytes()
    }
}

/// Values as bytes that compare as they do.
struct Packer {
    arg: usize,
    data_type: DataType,
    converter: RowConverter,
}

impl Packer {
    fn new(arg: usize, data_type: &DataType) -> Self {
        Packer { arg, data_type: data_type.clone(), converter: row_converter([data_type]) }
    }

    /// Calls `f` with group, value and weight of each row that counts.
    ///
    /// # Panics
    /// If the column has another type.
    #[allow(clippy::expect_used)]
    fn each(&self, rows: &Update<'_>, mut f: impl FnMut(u32, &[u8], i64)) {
        let column = std::slice::from_ref(&rows.columns[self.arg]);
        let packed = self.converter.convert_columns(column).expect("a column of the state's type");
        for (i, (group, weight)) in rows.groups.iter().zip(rows.weights).enumerate() {
            if *weight != 0 {
                f(*group, packed.row(i).as_ref(), *weight);
            }
        }
    }

    /// A column of values, NULL where there is none.
    ///
    /// # Panics
    /// Never: the bytes are of this packer's making.
    #[allow(clippy::expect_used)]
    fn column<'a>(&self, values: impl Iterator<Item = Option<&'a [u8]>>) -> ArrayRef {
        let parser = self.converter.parser();
        let null = self.converter.convert_columns(&[new_null_array(&self.data_type, 1)]).expect("a NULL");
        let rows = values.map(|value| value.map_or_else(|| null.row(0), |bytes| parser.parse(bytes)));
        self.converter.convert_rows(rows).expect("packed values").swap_remove(0)
    }
}

/// The extreme of each group as bytes.
struct BestBytes {
    packer: Packer,
    max: bool,
    best: ByGroup<Vec<u8>>,
    bytes: usize,
}

impl BestBytes {
    fn new(arg: usize, data_type: &DataType, max: bool) -> Self {
        BestBytes { packer: Packer::new(arg, data_type), max, best: ByGroup::new(), bytes: 0 }
    }
}

/// Takes `value` if it is further out than what is there; packed values are not empty.
fn improve(best: &mut Vec<u8>, value: &[u8], max: bool, bytes: &mut usize) {
    if best.is_empty() || (if max { value > best.as_slice() } else { value < best.as_slice() }) {
        *bytes -= best.capacity();
        best.clear();
        best.extend_from_slice(value);
        *bytes += best.capacity();
    }
}

impl State for BestBytes {
    fn grow(&mut self, groups: usize) {
        self.best.grow(groups);
    }

    fn update(&mut self, rows: &Update<'_>) {
        let (max, best, held) = (self.max, &mut self.best, &mut self.bytes);
        self.packer.each(rows, |group, value, weight| {
            if weight > 0 {
                improve(&mut best[group as usize], value, max, held);
            }
        });
    }

    fn finish(&self, _: &Call, groups: &[u32], _: &ByGroup<i64>) -> Finished {
        let values = groups.iter().map(|group| Some(self.best[*group as usize].as_slice()).filter(|b| !b.is_empty()));
        Finished::of(self.packer.column(values))
    }

    fn merge(&mut self, from: u32, into: u32) {
        let other = std::mem::take(&mut self.best[from as usize]);
        if !other.is_empty() {
            improve(&mut self.best[into as usize], &other, self.max, &mut self.bytes);
        }
        self.bytes -= other.capacity();
    }

    fn clear(&mut self, groups: &[u32]) {
        for group in groups {
            self.bytes -= std::mem::take(&mut self.best[*group as usize]).capacity();
        }
    }

    fn memory_bytes(&self) -> usize {
        self.best.memory_bytes() + self.bytes
    }
}

/// All values of each group, sorted.
struct Values {
    packer: Packer,
    max: bool,
    values: ByGroup<Sorted>,
    bytes: isize,
}

impl Values {
    fn new(arg: usize, data_type: &DataType, max: bool) -> Self {
        Values { packer: Packer::new(arg, data_type), max, values: ByGroup::new(), bytes: 0 }
    }
}

impl State for Values {
    fn grow(&mut self, groups: usize) {
        self.values.grow(groups);
    }

    fn update(&mut self, rows: &Update<'_>) {
        let (values, bytes) = (&mut self.values, &mut self.bytes);
        self.packer.each(rows, |group, value, weight| *bytes += values[group as usize].add(value, weight));
    }

    fn finish(&self, _: &Call, groups: &[u32], _: &ByGroup<i64>) -> Finished {
        let values = groups.iter().map(|group| {
            let values = &self.values[*group as usize];
            if self.max { values.last() } else { values.first() }
        });
        Finished::of(self.packer.column(values))
    }

    fn merge(&mut self, from: u32, into: u32) {
        let other = std::mem::take(&mut self.values[from as usize]);
        self.bytes -= other.memory_bytes() as isize;
        for (value, count) in other.iter() {
            self.bytes += self.values[into as usize].add(value, count);
        }
    }

    fn clear(&mut self, groups: &[u32]) {
        for group in groups {
            self.bytes -= std::mem::take(&mut self.values[*group as usize]).memory_bytes() as isize;
        }
    }

    fn memory_bytes(&self) -> usize {
        self.values.memory_bytes() + self.bytes.max(0) as usize
    }
}
