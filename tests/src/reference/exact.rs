//! Sums of DOUBLE without rounding.
//!
//! A finite double is an integer times 2^−1074, so a sum of doubles is a big integer times 2^−1074, exactly. It is rounded
//! once, when somebody asks.

use num_bigint::{BigInt, Sign};
use num_traits::{Signed, ToPrimitive, Zero};

/// The exponent of the unit.
const UNIT: i64 = -1074;

/// A finite double in units of 2^−1074.
pub fn units(x: f64) -> BigInt {
    let bits = x.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i64;
    let fraction = bits & ((1 << 52) - 1);
    let (mantissa, shift) = if exponent == 0 { (fraction, 0) } else { (fraction | 1 << 52, exponent - 1) };
    let magnitude = BigInt::from(mantissa) << shift as usize;
    if x.is_sign_negative() { -magnitude } else { magnitude }
}

/// `numerator / denominator × 2^exponent` as the nearest double, ties to even; infinite when too large.
pub fn nearest(numerator: &BigInt, denominator: &BigInt, exponent: i64) -> f64 {
    if numerator.is_zero() {
        return 0.0;
    }
    let negative = (numerator.sign() == Sign::Minus) != (denominator.sign() == Sign::Minus);
    let (n, d) = (numerator.abs(), denominator.abs());
    // a quotient of 64 bits at least, but nothing below the smallest subnormal
    let wanted = 66 - (n.bits() as i64 - d.bits() as i64);
    let mut shift = wanted;
    if exponent - shift < UNIT {
        shift = exponent - UNIT;
        // keep two bits below the unit for rounding
        shift += 2;
    }
    let (n, d) = if shift >= 0 { (n << shift as usize, d) } else { (n, d << (-shift) as usize) };
    let (mut quotient, rest) = (&n / &d, &n % &d);
    let mut scale = exponent - shift;
    let sticky = !rest.is_zero();
    // to 53 bits, or fewer where the result is subnormal
    let excess = (quotient.bits() as i64 - 53).max(UNIT - scale).max(0);
    if excess > 0 {
        let low = &quotient & ((BigInt::from(1) << excess as usize) - 1);
        let half = BigInt::from(1) << (excess - 1) as usize;
        quotient >>= excess as usize;
        scale += excess;
        let odd = (&quotient & BigInt::from(1)) == BigInt::from(1);
        if low > half || low == half && (sticky || odd) {
            quotient += 1;
        }
    }
    let magnitude = quotient.to_f64().unwrap_or(f64::INFINITY);
    let result = scaled(magnitude, scale);
    if negative { -result } else { result }
}

/// `x × 2^exponent` without double rounding: `x` has at most 53 significant bits that all fit the result.
fn scaled(mut x: f64, mut exponent: i64) -> f64 {
    while exponent > 0 && x.is_finite() {
        let step = exponent.min(1000);
        x *= 2f64.powi(step as i32);
        exponent -= step;
    }
    while exponent < 0 && x != 0.0 {
        let step = exponent.max(-1000);
        x *= 2f64.powi(step as i32);
        exponent -= step;
    }
    x
}

/// The sum of doubles: exact, rounded once; NaN and infinities as IEEE says.
pub fn sum(values: &[f64]) -> f64 {
    special(values).unwrap_or_else(|| {
        let total: BigInt = values.iter().copied().map(units).sum();
        nearest(&total, &BigInt::from(1), UNIT)
    })
}

/// The mean of doubles.
pub fn mean(values: &[f64]) -> f64 {
    special(values).unwrap_or_else(|| {
        let total: BigInt = values.iter().copied().map(units).sum();
        nearest(&total, &BigInt::from(values.len()), UNIT)
    })
}

/// Variance over n, or over n − 1.
pub fn variance(values: &[f64], population: bool) -> f64 {
    if special(values).is_some() {
        return f64::NAN;
    }
    let n = BigInt::from(values.len());
    let units: Vec<BigInt> = values.iter().copied().map(units).collect();
    let total: BigInt = units.iter().sum();
    let squares: BigInt = units.iter().map(|u| u * u).sum();
    let numerator = &n * squares - &total * &total;
    let denominator = &n * if population { n.clone() } else { &n - 1 };
    nearest(&numerator, &denominator, 2 * UNIT)
}

/// What infinities and NaN make of a sum; `None` when all are finite.
fn special(values: &[f64]) -> Option<f64> {
    let (plus, minus) = (values.contains(&f64::INFINITY), values.contains(&f64::NEG_INFINITY));
    if values.iter().any(|x| x.is_nan()) || plus && minus {
        Some(f64::NAN)
    } else if plus {
        Some(f64::INFINITY)
    } else if minus {
        Some(f64::NEG_INFINITY)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_between_large_and_small() {
        assert_eq!(sum(&[1e300, 1.0, -1e300]), 1.0);
        assert_eq!(sum(&[0.1; 10]), 1.0);
        assert_eq!(sum(&[5e-324, 5e-324]), 1e-323);
        assert_eq!(sum(&[f64::MAX, f64::MAX]), f64::INFINITY);
        assert_eq!(sum(&[f64::MAX, f64::MAX, -f64::MAX]), f64::MAX);
    }

    #[test]
    fn one_value_comes_back_as_it_is() {
        for x in [0.1, -3.5e-310, 1e308, 4.9e-324, 2f64.powi(60) + 512.0, -1.0 / 3.0] {
            assert_eq!(sum(&[x]), x);
            assert_eq!(mean(&[x, x]), x);
            assert_eq!(variance(&[x, x, x], true), 0.0);
        }
    }

    #[test]
    fn variance_is_what_it_says() {
        assert_eq!(variance(&[1.0, 2.0, 3.0, 4.0], true), 1.25);
        assert_eq!(variance(&[1.0, 2.0, 3.0, 4.0], false), 5.0 / 3.0);
        assert!(sum(&[f64::INFINITY, f64::NEG_INFINITY]).is_nan());
    }
}
