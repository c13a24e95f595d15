//! One bit pattern per value.
//!
//! SQL says −0 equals 0 and NaN equals NaN. Sources and projections make that true of the bits, once, so that hashing,
//! comparing and packing rows may look at bits alone.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Float64Array};
use arrow::datatypes::{DataType, Float64Type};

/// The column with −0 as 0 and every NaN as the one quiet NaN. Other types, and columns that already are so, come back
/// as they are. Floats within lists, maps and structs are left alone.
pub fn canonical(column: &ArrayRef) -> ArrayRef {
    if column.data_type() != &DataType::Float64 {
        return Arc::clone(column);
    }
    let floats = column.as_primitive::<Float64Type>();
    if floats.values().iter().all(|x| canonical_f64(*x).to_bits() == x.to_bits()) {
        return Arc::clone(column);
    }
    let values: Vec<f64> = floats.values().iter().map(|x| canonical_f64(*x)).collect();
    Arc::new(Float64Array::new(values.into(), floats.nulls().cloned()))
}

/// −0 as 0, any NaN as the quiet one.
#[inline]
pub fn canonical_f64(x: f64) -> f64 {
    if x.is_nan() { f64::NAN } else { x + 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_values_have_equal_bits() {
        let odd = f64::from_bits(0x7ff8_0000_0000_0001);
        let column: ArrayRef = Arc::new(Float64Array::from(vec![Some(-0.0), Some(odd), None, Some(1.5)]));
        let out = canonical(&column);
        let out = out.as_primitive::<Float64Type>();
        assert_eq!(out.value(0).to_bits(), 0);
        assert_eq!(out.value(1).to_bits(), f64::NAN.to_bits());
        assert!(out.is_null(2));
        assert_eq!(out.value(3), 1.5);
    }
}
