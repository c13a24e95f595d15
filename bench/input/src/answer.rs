//! The answer of a query, in two numbers that do not depend on the order of its rows.
//!
//! `rows` is the number of rows (diffs added up), `hash` the sum, modulo 2⁶⁴, of the hashes of the rows, each times its
//! diff. A contender that maintains the answer adds every change as it comes; one that recomputes it adds each row of the
//! result once. Equal collections have equal answers.
//!
//! # The hash of a row
//! So simple that any language can say it, and so cheap that it may run while the clock does. With 64-bit words,
//! wrapping, and `⊕` for exclusive or:
//! ```text
//! mix(x)  = let m = (x ⊕ 0x9E3779B97F4A7C15) · 0xD6E8FEB86659FD93 as 128 bits: high half of m ⊕ low half of m
//! h       = 0, then for each column from the first to the last, by its type and value:
//!   NULL                          h = mix(h ⊕ 0x5BD1E99512345678)
//!   SMALLINT, INTEGER, BIGINT v   h = mix(h ⊕ v as two's complement)
//!   BOOLEAN                       h = mix(h ⊕ 1) or mix(h ⊕ 0)
//!   DATE                          as BIGINT: days since 1970-01-01
//!   TIMESTAMP                     as BIGINT: milliseconds since 1970-01-01 00:00 UTC
//!   VARCHAR                       text(h, its UTF-8)
//!   DECIMAL u · 10^-s             first, while s > 0 and ten divides u: u = u / 10, s = s - 1; then, if s = 0 and u fits
//!                                 64 bits, as BIGINT; otherwise, with the 128-bit two's complement of u in two halves:
//!                                 h = mix(h ⊕ low half), h = mix(h ⊕ high half ⊕ s)
//!   DOUBLE                        text(h, its first nine digits): sign if negative, digit, point, eight digits rounded
//!                                 half to even, `e`, exponent without plus and leading zeros: 1.50000000e0  -2.00000000e-7
//!                                 (0 and -0 are 0.00000000e0)
//! text(h, b) = h = h ⊕ (number of bytes shifted left by 56)
//!              for each full 8 bytes of b, as a little-endian word w: h = mix(h ⊕ w)
//!              if bytes are left: h = mix(h ⊕ those bytes as a little-endian word, zeros above)
//!              mix(h)
//! ```
//! The tests below give vectors.

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray};
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int16Type, Int32Type, Int64Type, TimeUnit,
    TimestampMicrosecondType, TimestampMillisecondType,
};
use millrace_data::Batch;
use serde::{Deserialize, Serialize};

/// See the module.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Answer {
    /// Rows that are there: diffs added up.
    pub rows: i64,
    /// Hashes of the rows times their diffs, added up.
    pub hash: u64,
}

impl Answer {
    /// One change.
    #[inline]
    pub fn add(&mut self, hash: u64, diff: i64) {
        self.rows += diff;
        self.hash = self.hash.wrapping_add(hash.wrapping_mul(diff as u64));
    }

    /// Another worker's part.
    #[must_use]
    pub fn and(self, other: Answer) -> Answer {
        Answer { rows: self.rows + other.rows, hash: self.hash.wrapping_add(other.hash) }
    }

    /// A batch of changes, of which only the first `visible` columns belong to the answer. `scratch` is kept between
    /// calls.
    ///
    /// # Errors
    /// If a column has a type that has no hash.
    pub fn add_batch(&mut self, batch: &Batch, visible: usize, scratch: &mut Vec<u64>) -> Result<(), String> {
        scratch.clear();
        scratch.resize(batch.len(), 0);
        for column in &batch.columns()[..visible] {
            hash_column(column, scratch)?;
        }
        match batch.diffs() {
            None => {
                self.rows += batch.len() as i64;
                self.hash = scratch.iter().fold(self.hash, |sum, hash| sum.wrapping_add(*hash));
            }
            Some(diffs) => scratch.iter().zip(diffs).for_each(|(hash, diff)| self.add(*hash, *diff)),
        }
        Ok(())
    }
}

/// Mixes 64 bits: a full multiply of the word with a constant, folded.
#[inline]
pub fn mix(x: u64) -> u64 {
    let m = u128::from(x ^ 0x9E37_79B9_7F4A_7C15) * 0xD6E8_FEB8_6659_FD93u128;
    (m >> 64) as u64 ^ m as u64
}

/// A NULL more.
#[inline]
pub fn hash_null(hash: u64) -> u64 {
    mix(hash ^ 0x5BD1_E995_1234_5678)
}

/// A whole number more.
#[inline]
pub fn hash_i64(hash: u64, x: i64) -> u64 {
    mix(hash ^ x as u64)
}

/// A nullable whole number more.
#[inline]
pub fn hash_opt_i64(hash: u64, x: Option<i64>) -> u64 {
    x.map_or_else(|| hash_null(hash), |x| hash_i64(hash, x))
}

/// A text more.
#[inline]
pub fn hash_text(hash: u64, text: &str) -> u64 {
    let bytes = text.as_bytes();
    let mut hash = hash ^ (bytes.len() as u64) << 56;
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

/// A nullable text more.
#[inline]
pub fn hash_opt_text(hash: u64, text: Option<&str>) -> u64 {
    text.map_or_else(|| hash_null(hash), |text| hash_text(hash, text))
}

/// A DECIMAL more: `unscaled · 10^-scale`.
#[inline]
pub fn hash_decimal(hash: u64, unscaled: i128, scale: u32) -> u64 {
    let (mut u, mut s) = (unscaled, scale);
    while s > 0
        && let Some(shorter) = tenth(u)
    {
        u = shorter;
        s -= 1;
    }
    match i64::try_from(u) {
        Ok(whole) if s == 0 => hash_i64(hash, whole),
        _ => mix(mix(hash ^ u as u64) ^ (u >> 64) as u64 ^ u64::from(s)),
    }
}

/// A tenth, if that is a whole number; most numbers have 64 bits, which divide faster.
#[inline]
fn tenth(u: i128) -> Option<i128> {
    match i64::try_from(u) {
        Ok(u) => (u % 10 == 0).then_some((u / 10).into()),
        Err(_) => (u % 10 == 0).then_some(u / 10),
    }
}

/// A DOUBLE more.
pub fn hash_f64(hash: u64, x: f64) -> u64 {
    hash_text(hash, &format!("{:.8e}", x + 0.0))
}

fn hash_column(column: &ArrayRef, hashes: &mut [u64]) -> Result<(), String> {
    match column.data_type() {
        DataType::Int64 => primitive::<Int64Type>(column, hashes, hash_i64),
        DataType::Int32 => primitive::<Int32Type>(column, hashes, |h, x| hash_i64(h, x.into())),
        DataType::Int16 => primitive::<Int16Type>(column, hashes, |h, x| hash_i64(h, x.into())),
        DataType::Date32 => primitive::<Date32Type>(column, hashes, |h, x| hash_i64(h, x.into())),
        DataType::Timestamp(TimeUnit::Millisecond, _) => {
            primitive::<TimestampMillisecondType>(column, hashes, hash_i64);
        }
        DataType::Timestamp(TimeUnit::Microsecond, _) => {
            primitive::<TimestampMicrosecondType>(column, hashes, |h, x| hash_i64(h, x.div_euclid(1000)));
        }
        DataType::Float64 => primitive::<Float64Type>(column, hashes, hash_f64),
        DataType::Decimal128(_, scale) => {
            let scale = u32::try_from(*scale).map_err(|_| format!("a scale of {scale} has no row hash"))?;
            primitive::<Decimal128Type>(column, hashes, |h, x| hash_decimal(h, x, scale));
        }
        DataType::Boolean => {
            let bits = column.as_boolean();
            each(column, hashes, |h, i| hash_i64(h, bits.value(i).into()));
        }
        DataType::Utf8 => {
            let texts = column.as_string::<i32>();
            each(column, hashes, |h, i| hash_text(h, texts.value(i)));
        }
        other => return Err(format!("a column of {other} has no row hash")),
    }
    Ok(())
}

fn primitive<T: ArrowPrimitiveType>(column: &ArrayRef, hashes: &mut [u64], fold: impl Fn(u64, T::Native) -> u64) {
    let values = column.as_primitive::<T>().values();
    each(column, hashes, |hash, i| fold(hash, values[i]));
}

fn each(column: &ArrayRef, hashes: &mut [u64], fold: impl Fn(u64, usize) -> u64) {
    if column.null_count() == 0 {
        hashes.iter_mut().enumerate().for_each(|(i, hash)| *hash = fold(*hash, i));
    } else {
        for (i, hash) in hashes.iter_mut().enumerate() {
            *hash = if column.is_null(i) { hash_null(*hash) } else { fold(*hash, i) };
        }
    }
}

#[cfg(test)]
mod tests;
