//! Sums, means and variances without rounding, until the end.
//!
//! Every number of SQL is an integer times a unit: a power of ten for DECIMAL, a power of two for DOUBLE (the least
//! that occurs). So sums, and sums of squares, are big integers and do not depend on any order; what is asked of them
//! is rounded once. NaN and infinities stand beside the sum.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int32Type, Int64Type};
use num_bigint::{BigInt, BigUint, Sign};
use num_traits::{ToPrimitive, Zero};

/// What one stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Unit {
    /// 2^x.
    Binary(i64),
    /// 10^−x.
    Decimal(i64),
}

/// Numbers with their multiplicities.
pub(crate) struct Numbers {
    values: Vec<(BigInt, i64)>,
    unit: Unit,
    /// How many there are, NaN and infinities included.
    count: i64,
    /// What NaN and infinities make of the sum, if there are any.
    special: Option<f64>,
}

impl Numbers {
    /// The values of a number column at (row, multiplicity); none of them is NULL.
    ///
    /// # Panics
    /// If it is not a number column.
    pub(crate) fn of(column: &ArrayRef, rows: &[(usize, i64)]) -> Self {
        let count = rows.iter().map(|(_, n)| *n).sum();
        let integers = |unit, value: &dyn Fn(usize) -> i128| {
            let values = rows.iter().map(|(i, n)| (BigInt::from(value(*i)), *n)).collect();
            Numbers { values, unit, count, special: None }
        };
        match column.data_type() {
            DataType::Int32 => {
                let column = column.as_primitive::<Int32Type>();
                integers(Unit::Decimal(0), &|i| i128::from(column.value(i)))
            }
            DataType::Int64 => {
                let column = column.as_primitive::<Int64Type>();
                integers(Unit::Decimal(0), &|i| i128::from(column.value(i)))
            }
            DataType::Decimal128(_, scale) => {
                let column = column.as_primitive::<Decimal128Type>();
                integers(Unit::Decimal(i64::from(*scale)), &|i| column.value(i))
            }
            DataType::Float64 => {
                let column = column.as_primitive::<Float64Type>();
                Self::doubles(rows.iter().map(|(i, n)| (column.value(*i), *n)).collect(), count)
            }
            other => panic!("{other} is not a type of number"),
        }
    }

    fn doubles(doubles: Vec<(f64, i64)>, count: i64) -> Self {
        let special = doubles.iter().map(|(x, _)| *x).filter(|x| !x.is_finite()).reduce(|a, b| a + b);
        let parts: Vec<(i64, i64, i64)> = doubles
            .iter()
            .filter(|(x, _)| x.is_finite() && *x != 0.0)
            .map(|(x, n)| {
                let (mantissa, exponent) = mantissa_and_exponent(*x);
                (mantissa, exponent, *n)
            })
            .collect();
        let least = parts.iter().map(|(_, exponent, _)| *exponent).min().unwrap_or(0);
        let values = parts.iter().map(|(m, e, n)| (BigInt::from(*m) << (e - least) as u64, *n)).collect();
        Numbers { values, unit: Unit::Binary(least), count, special }
    }

    /// The sum, in units. Without meaning where there are NaN or infinities.
    pub(crate) fn total(&self) -> BigInt {
        self.values.iter().map(|(x, n)| x * n).sum()
    }

    /// The sum as a DOUBLE.
    pub(crate) fn sum(&self) -> f64 {
        self.special.unwrap_or_else(|| self.nearest(self.total(), BigUint::from(1u8), 1))
    }

    /// The mean as a DOUBLE; there is at least one number.
    pub(crate) fn mean(&self) -> f64 {
        let n = BigUint::from(self.count.unsigned_abs());
        self.special.unwrap_or_else(|| self.nearest(self.total(), n, 1))
    }

    /// The mean as a decimal of `scale` digits, half away from zero; there is at least one number, and it is no DOUBLE.
    pub(crate) fn decimal_mean(&self, scale: i8) -> BigInt {
        let Unit::Decimal(own) = self.unit else { return BigInt::zero() };
        let (mut n, mut d) = (self.total(), BigInt::from(self.count));
        let digits = i64::from(scale) - own;
        let power = BigInt::from(10u8).pow(digits.unsigned_abs() as u32);
        if digits >= 0 {
            n *= power
        } else {
            d *= power
        }
        let half = if n.sign() == Sign::Minus { -&d } else { d.clone() };
        // truncation towards zero, after a half in the number's own direction
        (n * 2 + half) / (d * 2)
    }

    /// The variance over n, or over n − 1; `None` where that is 0.
    pub(crate) fn variance(&self, population: bool) -> Option<f64> {
        let by = if population { self.count } else { self.count - 1 };
        if by <= 0 {
            return None;
        }
        if self.special.is_some() {
            return Some(f64::NAN);
        }
        let squares: BigInt = self.values.iter().map(|(x, n)| x * x * n).sum();
        let total = self.total();
        let spread = squares * self.count - &total * &total;
        let denominator = BigUint::from(self.count.unsigned_abs()) * BigUint::from(by.unsigned_abs());
        Some(self.nearest(spread, denominator, 2))
    }

    /// `numerator / denominator × unit^power` as the nearest double.
    fn nearest(&self, mut numerator: BigInt, mut denominator: BigUint, power: i64) -> f64 {
        match self.unit {
            Unit::Binary(x) if x < 0 => denominator <<= (-x * power) as u64,
            Unit::Binary(x) => numerator <<= (x * power) as u64,
            Unit::Decimal(x) if x < 0 => numerator *= BigInt::from(10u8).pow((-x * power) as u32),
            Unit::Decimal(x) => denominator *= BigUint::from(10u8).pow((x * power) as u32),
        }
        nearest(&numerator, &denominator)
    }
}

/// `x = mantissa × 2^exponent`, for a finite `x`.
fn mantissa_and_exponent(x: f64) -> (i64, i64) {
    let bits = x.to_bits();
    let (exponent, fraction) = (((bits >> 52) & 0x7ff) as i64, (bits & ((1 << 52) - 1)) as i64);
    let (mantissa, exponent) = if exponent == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exponent - 1075) };
    (if x < 0.0 { -mantissa } else { mantissa }, exponent)
}

/// `numerator / denominator` as the nearest double, ties to even; infinite beyond the largest.
fn nearest(numerator: &BigInt, denominator: &BigUint) -> f64 {
    let magnitude = numerator.magnitude();
    if magnitude.is_zero() {
        return 0.0;
    }
    // the quotient in units of 2^−shift: 55 or 56 bits, fewer where that would be below the subnormals
    let shift = (55 - (magnitude.bits() as i64 - denominator.bits() as i64)).min(1074 + 2);
    let (n, d) = if shift >= 0 {
        (magnitude << shift as u64, denominator.clone())
    } else {
        (magnitude.clone(), denominator << (-shift) as u64)
    };
    let (quotient, rest) = (&n / &d, &n % &d);
    let quotient = quotient.to_u64().unwrap_or(u64::MAX);
    // to 53 bits, or to the unit of the subnormals
    let bits = 64 - i64::from(quotient.leading_zeros());
    let drop = (bits - 53).max(shift - 1074).max(0);
    let (mut kept, low, half) = (quotient >> drop, quotient & ((1 << drop) - 1), (1 << drop) >> 1);
    let tie = low == half && rest.is_zero() && drop > 0;
    if drop > 0 && low >= half && (!tie || kept & 1 == 1) {
        kept += 1;
    }
    let exponent = drop - shift;
    let result = if exponent > 1023 - 52 { f64::INFINITY } else { kept as f64 * power_of_two(exponent) };
    if numerator.sign() == Sign::Minus { -result } else { result }
}

/// 2^x for −1074 ≤ x ≤ 1023.
fn power_of_two(x: i64) -> f64 {
    f64::from_bits(if x >= -1022 { ((x + 1023) as u64) << 52 } else { 1 << (x + 1074) })
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Decimal128Array, Float64Array, Int64Array};

    use super::*;

    fn doubles(values: &[f64]) -> Numbers {
        let rows: Vec<(usize, i64)> = (0..values.len()).map(|i| (i, 1)).collect();
        let column: ArrayRef = Arc::new(Float64Array::from(values.to_vec()));
        Numbers::of(&column, &rows)
    }

    #[test]
    fn nothing_is_lost_between_large_and_small() {
        assert_eq!(doubles(&[1e300, 1.0, -1e300]).sum(), 1.0);
        assert_eq!(doubles(&[0.1; 10]).sum(), 1.0);
        assert_eq!(doubles(&[f64::MAX, f64::MAX, -f64::MAX]).sum(), f64::MAX);
        assert_eq!(doubles(&[f64::MAX, f64::MAX]).sum(), f64::INFINITY);
        assert_eq!(doubles(&[-f64::MAX, -f64::MAX]).sum(), f64::NEG_INFINITY);
        assert_eq!(doubles(&[5e-324, 5e-324]).sum(), 1e-323);
        assert_eq!(doubles(&[]).sum(), 0.0);
    }

    #[test]
    fn one_number_comes_back_as_it_is() {
        for x in [0.1, -3.5e-310, 1e308, 4.9e-324, 2f64.powi(60) + 512.0, -1.0 / 3.0, f64::MIN_POSITIVE, f64::MAX] {
            assert_eq!(doubles(&[x]).sum(), x);
            assert_eq!(doubles(&[x, x, x]).mean(), x);
            assert_eq!(doubles(&[x, x]).variance(false), Some(0.0));
        }
    }

    #[test]
    fn ties_go_to_even() {
        let half = 2f64.powi(-53);
        assert_eq!(doubles(&[1.0, half]).sum(), 1.0);
        assert_eq!(doubles(&[1.0 + 2.0 * half, half]).sum(), 1.0 + 4.0 * half);
        assert_eq!(doubles(&[1.0, half, 1e-300]).sum(), 1.0 + 2.0 * half);
        // half of the smallest, and a little more than half
        assert_eq!(doubles(&[5e-324, 0.0]).mean(), 0.0);
        assert_eq!(doubles(&[5e-324, 5e-324, 0.0]).mean(), 5e-324);
    }

    #[test]
    fn nan_and_infinities_count_apart() {
        assert!(doubles(&[f64::INFINITY, f64::NEG_INFINITY, 1.0]).sum().is_nan());
        assert_eq!(doubles(&[f64::INFINITY, -1e308]).sum(), f64::INFINITY);
        assert!(doubles(&[f64::NAN, 1.0]).mean().is_nan());
        assert!(doubles(&[f64::INFINITY, 1.0]).variance(true).is_some_and(f64::is_nan));
    }

    #[test]
    fn variance_is_exact_where_squares_cancel() {
        assert_eq!(doubles(&[1.0, 2.0, 3.0, 4.0]).variance(true), Some(1.25));
        assert_eq!(doubles(&[1.0, 2.0, 3.0, 4.0]).variance(false), Some(5.0 / 3.0));
        assert_eq!(doubles(&[1e16, 1e16 + 2.0]).variance(true), Some(1.0));
        assert_eq!(doubles(&[1.0]).variance(false), None);
        assert_eq!(doubles(&[1.0]).variance(true), Some(0.0));
    }

    #[test]
    fn multiplicities_count() {
        let column: ArrayRef = Arc::new(Int64Array::from(vec![i64::MAX, 1]));
        let numbers = Numbers::of(&column, &[(0, 3), (1, -2)]);
        assert_eq!(numbers.total(), BigInt::from(i64::MAX) * 3 - 2);
        assert_eq!(numbers.count, 1);
    }

    #[test]
    fn a_decimal_mean_is_rounded_half_away_from_zero() {
        let decimals = |values: &[i128]| {
            let column = Decimal128Array::from(values.to_vec()).with_precision_and_scale(10, 2);
            let column: ArrayRef = Arc::new(column.expect("precision"));
            Numbers::of(&column, &(0..values.len()).map(|i| (i, 1)).collect::<Vec<_>>())
        };
        assert_eq!(decimals(&[1, 2]).decimal_mean(2), BigInt::from(2));
        assert_eq!(decimals(&[-1, -2]).decimal_mean(2), BigInt::from(-2));
        assert_eq!(decimals(&[100, 100, 101]).decimal_mean(6), BigInt::from(1_003_333));
        assert_eq!(decimals(&[150, 250]).decimal_mean(0), BigInt::from(2));
        assert_eq!(decimals(&[100, 200]).mean(), 1.5);
        assert_eq!(decimals(&[100, 300]).variance(true), Some(1.0));
    }
}
