//! Functions of DOUBLE that fail where DataFusion's answer an infinity or NaN.
//!
//! As PostgreSQL has it: a value outside of a function's domain is an error, and so is a result that is too large or too
//! small for a DOUBLE. Infinities and NaN that come in go through. ROUND of a DOUBLE is half to even; of a DECIMAL it is
//! half away from zero, which is DataFusion's.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Float64Array};
use arrow::compute::kernels::arity::try_binary;
use arrow::datatypes::{DataType, FieldRef, Float64Type};
use datafusion_common::{DataFusionError, Result, exec_err};
use datafusion_expr::{ColumnarValue, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature};

use super::{Body, plain};

const DOUBLE: DataType = DataType::Float64;

/// What PostgreSQL says of a result that is too large.
pub(crate) const OVERFLOW: &str = "value out of range: overflow";
/// What PostgreSQL says of a result that is too near to zero.
pub(crate) const UNDERFLOW: &str = "value out of range: underflow";
const OUTSIDE: &str = "input is out of range";

/// The functions.
pub(crate) fn all() -> Vec<ScalarUDF> {
    let one = |name, body: Body| plain(name, &[&[DOUBLE]], DOUBLE, body);
    vec![
        one("ln", |a| unary(a, |x| logarithm(x, f64::ln))),
        one("log2", |a| unary(a, |x| logarithm(x, f64::log2))),
        one("log10", |a| unary(a, |x| logarithm(x, f64::log10))),
        plain("log", &[&[DOUBLE], &[DOUBLE, DOUBLE]], DOUBLE, |a| match a {
            [_] => unary(a, |x| logarithm(x, f64::log10)),
            _ => binary(a, log),
        }),
        one("exp", |a| unary(a, exp)),
        plain("power", &[&[DOUBLE, DOUBLE]], DOUBLE, |a| binary(a, power)),
        one("sqrt", |a| unary(a, sqrt)),
        one("acos", |a| unary(a, |x| within(x, -1.0, 1.0, f64::acos))),
        one("asin", |a| unary(a, |x| within(x, -1.0, 1.0, f64::asin))),
        one("acosh", |a| unary(a, |x| within(x, 1.0, f64::INFINITY, f64::acosh))),
        one("atanh", |a| unary(a, |x| within(x, -1.0, 1.0, f64::atanh))),
        one("sin", |a| unary(a, |x| within(x, f64::MIN, f64::MAX, f64::sin))),
        one("cos", |a| unary(a, |x| within(x, f64::MIN, f64::MAX, f64::cos))),
        one("tan", |a| unary(a, |x| within(x, f64::MIN, f64::MAX, f64::tan))),
        one("degrees", |a| unary(a, |x| not_too_large(x.to_degrees(), x.is_finite()))),
        ScalarUDF::from(Round { decimals: datafusion_functions::math::round() }),
    ]
}

fn unary(args: &[ArrayRef], f: fn(f64) -> Result<f64>) -> Result<ArrayRef> {
    let result: Float64Array = args[0].as_primitive::<Float64Type>().try_unary(f)?;
    Ok(Arc::new(result))
}

fn binary(args: &[ArrayRef], f: fn(f64, f64) -> Result<f64>) -> Result<ArrayRef> {
    let (left, right) = (args[0].as_primitive::<Float64Type>(), args[1].as_primitive::<Float64Type>());
    let result: Float64Array =
        try_binary(left, right, |l, r| f(l, r).map_err(|error| arrow::error::ArrowError::ComputeError(said(&error))))?;
    Ok(Arc::new(result))
}

/// Without the name of its kind.
fn said(error: &DataFusionError) -> String {
    crate::message(error)
}

fn logarithm(x: f64, f: fn(f64) -> f64) -> Result<f64> {
    match x {
        0.0 => exec_err!("cannot take logarithm of zero"),
        x if x < 0.0 => exec_err!("cannot take logarithm of a negative number"),
        x => Ok(f(x)),
    }
}

fn log(base: f64, x: f64) -> Result<f64> {
    let over = logarithm(base, f64::ln)?;
    // where there is a function of its own it is the exact one
    let value = match base {
        2.0 => logarithm(x, f64::log2)?,
        10.0 => logarithm(x, f64::log10)?,
        _ => logarithm(x, f64::ln)? / over,
    };
    if over == 0.0 { exec_err!("division by zero") } else { Ok(value) }
}

fn exp(x: f64) -> Result<f64> {
    let result = not_too_large(x.exp(), x.is_finite())?;
    not_too_small(result, x.is_finite())
}

fn power(base: f64, exponent: f64) -> Result<f64> {
    if base == 0.0 && exponent < 0.0 {
        return exec_err!("zero raised to a negative power is undefined");
    }
    if base < 0.0 && exponent.floor() != exponent {
        return exec_err!("a negative number raised to a non-integer power yields a complex result");
    }
    let finite = base.is_finite() && exponent.is_finite();
    let result = not_too_large(base.powf(exponent), finite)?;
    not_too_small(result, finite && base != 0.0)
}

fn sqrt(x: f64) -> Result<f64> {
    if x < 0.0 { exec_err!("cannot take square root of a negative number") } else { Ok(x.sqrt()) }
}

/// `f` within its domain; NaN is in each.
fn within(x: f64, low: f64, high: f64, f: fn(f64) -> f64) -> Result<f64> {
    let (below, above) = (x < low, x > high);
    if below || above { exec_err!("{OUTSIDE}") } else { Ok(f(x)) }
}

fn not_too_large(result: f64, finite_input: bool) -> Result<f64> {
    if result.is_infinite() && finite_input { exec_err!("{OVERFLOW}") } else { Ok(result) }
}

fn not_too_small(result: f64, not_zero: bool) -> Result<f64> {
    if result == 0.0 && not_zero { exec_err!("{UNDERFLOW}") } else { Ok(result) }
}

/// ROUND: half to even for a DOUBLE, the other forms as DataFusion has them.
#[derive(Debug, PartialEq, Eq, Hash)]
struct Round {
    decimals: Arc<ScalarUDF>,
}

impl ScalarUDFImpl for Round {
    fn name(&self) -> &str {
        self.decimals.name()
    }

    fn signature(&self) -> &Signature {
        self.decimals.signature()
    }

    fn return_type(&self, types: &[DataType]) -> Result<DataType> {
        self.decimals.return_type(types)
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs) -> Result<FieldRef> {
        self.decimals.return_field_from_args(args)
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        match args.args.as_slice() {
            [only] if only.data_type() == DOUBLE => {
                let column = only.to_array(args.number_rows)?;
                let rounded: Float64Array = column.as_primitive::<Float64Type>().unary(f64::round_ties_even);
                Ok(ColumnarValue::Array(Arc::new(rounded)))
            }
            _ => self.decimals.invoke_with_args(args),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn infinities_that_come_in_go_through() {
        assert_eq!(exp(f64::NEG_INFINITY).unwrap(), 0.0);
        assert_eq!(power(f64::INFINITY, 2.0).unwrap(), f64::INFINITY);
        assert_eq!(logarithm(f64::INFINITY, f64::ln).unwrap(), f64::INFINITY);
        assert!(logarithm(f64::NAN, f64::ln).unwrap().is_nan());
        assert!(within(f64::NAN, -1.0, 1.0, f64::acos).unwrap().is_nan());
    }

    #[test]
    fn results_out_of_range_fail() {
        assert!(exp(1000.0).is_err() && exp(-1000.0).is_err());
        assert!(power(10.0, 400.0).is_err() && power(10.0, -400.0).is_err());
        assert_eq!(power(0.0, 2.0).unwrap(), 0.0);
        assert!(log(1.0, 5.0).is_err());
        assert_eq!(log(10.0, 1000.0).unwrap(), 3.0);
    }
}
