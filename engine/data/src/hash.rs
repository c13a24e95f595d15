//! A 64-bit hash per row, folded a column at a time.
//!
//! Equal rows of canonical columns have equal hashes, whatever the batch. NULL hashes as a value of its own. The hash
//! decides where a row lives (its worker, its table): it is stable within a process, not a format.

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type, Time64MicrosecondType, TimeUnit,
    TimestampMicrosecondType,
};
use arrow::row::{RowConverter, SortField};

/// Mixes 64 bits: a full multiply of the word with a constant, folded.
#[inline]
pub fn mix(x: u64) -> u64 {
    let m = (x ^ 0x9E37_79B9_7F4A_7C15) as u128 * 0xD6E8_FEB8_6659_FD93u128;
    (m >> 64) as u64 ^ m as u64
}

/// Folds bytes into a hash, eight at a time.
#[inline]
pub fn mix_bytes(seed: u64, bytes: &[u8]) -> u64 {
    let mut hash = seed ^ (bytes.len() as u64) << 56;
    let (words, rest) = bytes.as_chunks::<8>();
    for word in words {
        hash = mix(hash ^ u64::from_le_bytes(*word));
    }
    if !rest.is_empty() {
        let mut last = [0u8; 8];
        last[..rest.len()].copy_from_slice(rest);
        hash = mix(hash ^ u64::from_le_bytes(last));
    }
    mix(hash)
}

/// Folds a NULL into a hash.
#[inline]
pub fn mix_null(seed: u64) -> u64 {
    mix(seed ^ 0x5bd1_e995_1234_5678)
}

/// The worker, of `peers`, that a hash belongs to.
#[inline]
pub fn worker_of(hash: u64, peers: usize) -> usize {
    // bits that no table uses for its slots
    ((hash >> 40) as usize) % peers
}

/// One hash per row over `columns` into `out`, which is cleared first. No columns: all rows hash alike.
pub fn hash_columns(columns: &[ArrayRef], len: usize, out: &mut Vec<u64>) {
    out.clear();
    out.resize(len, 0);
    for column in columns {
        hash_column(column, out);
    }
}

fn hash_column(column: &ArrayRef, out: &mut [u64]) {
    match column.data_type() {
        DataType::Int64 => primitive::<Int64Type>(column, out, |x| x as u64),
        DataType::Int32 => primitive::<Int32Type>(column, out, |x| x as i64 as u64),
        DataType::Float64 => primitive::<Float64Type>(column, out, f64::to_bits),
        DataType::Date32 => primitive::<Date32Type>(column, out, |x| x as i64 as u64),
        DataType::Time64(TimeUnit::Microsecond) => primitive::<Time64MicrosecondType>(column, out, |x| x as u64),
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            primitive::<TimestampMicrosecondType>(column, out, |x| x as u64);
        }
        DataType::Decimal128(..) => {
            primitive::<Decimal128Type>(column, out, |x| mix((x >> 64) as u64 ^ (x >> 127) as u64) ^ x as u64);
        }
        DataType::Boolean => {
            let bits = column.as_boolean();
            each(column, out, |hash, i| mix(hash ^ u64::from(bits.value(i))));
        }
        DataType::Utf8 => {
            let texts = column.as_string::<i32>();
            each(column, out, |hash, i| mix_bytes(hash, texts.value(i).as_bytes()));
        }
        DataType::Binary => {
            let bytes = column.as_binary::<i32>();
            each(column, out, |hash, i| mix_bytes(hash, bytes.value(i)));
        }
        other => nested(column, other, out),
    }
}

fn primitive<T: ArrowPrimitiveType>(column: &ArrayRef, out: &mut [u64], word: impl Fn(T::Native) -> u64) {
    let values = column.as_primitive::<T>();
    if column.null_count() == 0 {
        for (hash, x) in out.iter_mut().zip(values.values()) {
            *hash = mix(*hash ^ word(*x));
        }
    } else {
        for (i, (hash, x)) in out.iter_mut().zip(values.values()).enumerate() {
            *hash = if values.is_null(i) { mix_null(*hash) } else { mix(*hash ^ word(*x)) };
        }
    }
}

fn each(column: &ArrayRef, out: &mut [u64], mut f: impl FnMut(u64, usize) -> u64) {
    if column.null_count() == 0 {
        for (i, hash) in out.iter_mut().enumerate() {
            *hash = f(*hash, i);
        }
    } else {
        for (i, hash) in out.iter_mut().enumerate() {
            *hash = if column.is_null(i) { mix_null(*hash) } else { f(*hash, i) };
        }
    }
}

/// Lists, maps, structs and intervals: the bytes of Arrow's row form.
#[allow(clippy::expect_used)]
fn nested(column: &ArrayRef, data_type: &DataType, out: &mut [u64]) {
    if data_type == &DataType::Null {
        out.iter_mut().for_each(|hash| *hash = mix_null(*hash));
        return;
    }
    let converter = RowConverter::new(vec![SortField::new(data_type.clone())]).expect("type has a row form");
    let rows = converter.convert_columns(std::slice::from_ref(column)).expect("column of its type");
    each(column, out, |hash, i| mix_bytes(hash, rows.row(i).as_ref()));
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};

    use super::*;

    fn hashes(columns: &[ArrayRef]) -> Vec<u64> {
        let mut out = vec![];
        hash_columns(columns, columns[0].len(), &mut out);
        out
    }

    #[test]
    fn equal_rows_of_different_batches_hash_alike() {
        let a: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(vec![Some(7), None])),
            Arc::new(StringArray::from(vec![Some("seven"), Some("none")])),
        ];
        let b: Vec<ArrayRef> =
            vec![Arc::new(Int64Array::from(vec![9, 7])), Arc::new(StringArray::from(vec![Some("x"), Some("seven")]))];
        assert_eq!(hashes(&a)[0], hashes(&b)[1]);
        assert_ne!(hashes(&a)[0], hashes(&a)[1]);
    }

    #[test]
    fn null_is_not_zero_and_boundaries_matter() {
        let null: ArrayRef = Arc::new(Int64Array::from(vec![None, Some(0)]));
        let h = hashes(&[null]);
        assert_ne!(h[0], h[1]);
        let (a, b): (ArrayRef, ArrayRef) =
            (Arc::new(StringArray::from(vec!["ab", "a"])), Arc::new(StringArray::from(vec!["c", "bc"])));
        let h = hashes(&[a, b]);
        assert_ne!(h[0], h[1]);
    }
}
