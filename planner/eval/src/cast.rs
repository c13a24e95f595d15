//! CAST with PostgreSQL's meaning.
//!
//! Text must be the value as a whole (space around it is passed over), DOUBLE and DECIMAL round to an integer (half to
//! even, half away from zero), and what is out of range fails. TRY_CAST answers NULL instead.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, ArrowPrimitiveType, AsArray, PrimitiveArray, StringArray, new_null_array};
use arrow::compute::{CastOptions, can_cast_types, cast_with_options, concat};
use arrow::datatypes::{
    DECIMAL128_MAX_PRECISION, DataType, Float64Type, Int32Type, Int64Type, Schema, TimestampMicrosecondType,
};
use arrow::record_batch::RecordBatch;
use arrow::util::display::FormatOptions;
use datafusion_common::{DataFusionError, Result, ScalarValue, exec_datafusion_err, exec_err};
use datafusion_expr::ColumnarValue;
use datafusion_physical_expr::PhysicalExpr;

use crate::types::type_name;

/// What a value that does not fit becomes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OnFailure {
    /// An error of its row.
    Fail,
    /// NULL.
    Null,
}

/// `CAST(expr AS to)`.
#[derive(Debug, Clone, Eq)]
pub struct SqlCast {
    expr: Arc<dyn PhysicalExpr>,
    to: DataType,
    on_failure: OnFailure,
}

impl SqlCast {
    /// The cast.
    pub fn new(expr: Arc<dyn PhysicalExpr>, to: DataType, on_failure: OnFailure) -> Self {
        SqlCast { expr, to, on_failure }
    }

    /// What is cast.
    pub fn input(&self) -> &Arc<dyn PhysicalExpr> {
        &self.expr
    }
}

// derived comparison would move the operand out of its Arc
impl PartialEq for SqlCast {
    fn eq(&self, other: &Self) -> bool {
        self.to == other.to && self.on_failure == other.on_failure && self.expr.eq(&other.expr)
    }
}

impl Hash for SqlCast {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.expr, &self.to, self.on_failure).hash(state);
    }
}

impl fmt::Display for SqlCast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_sql(f)
    }
}

impl PhysicalExpr for SqlCast {
    fn data_type(&self, _: &Schema) -> Result<DataType> {
        Ok(self.to.clone())
    }

    fn nullable(&self, _: &Schema) -> Result<bool> {
        Ok(true)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let cast = |array: &ArrayRef| match self.on_failure {
            OnFailure::Fail => cast_array(array, &self.to),
            OnFailure::Null => try_cast_array(array, &self.to),
        };
        match self.expr.evaluate(batch)? {
            ColumnarValue::Array(array) => Ok(ColumnarValue::Array(cast(&array)?)),
            ColumnarValue::Scalar(value) => {
                let one = cast(&value.to_array()?)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&one, 0)?))
            }
        }
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.expr]
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        match children.into_iter().next() {
            Some(expr) => Ok(Arc::new(SqlCast::new(expr, self.to.clone(), self.on_failure))),
            None => exec_err!("a cast has an operand"),
        }
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verb = match self.on_failure {
            OnFailure::Fail => "CAST",
            OnFailure::Null => "TRY_CAST",
        };
        write!(f, "{verb}(")?;
        self.expr.fmt_sql(f)?;
        write!(f, " AS {})", type_name(&self.to))
    }
}

/// Whether some values of `from` can become values of `to`.
pub fn can_cast(from: &DataType, to: &DataType) -> bool {
    use DataType::{
        Binary, Boolean, Date32, Decimal128, Float64, Int32, Int64, Interval, Null, Time64, Timestamp, Utf8,
    };
    match (from, to) {
        (Null, _) => true,
        (a, b) if a == b => true,
        (Int32 | Int64 | Decimal128(..) | Float64, Int32 | Int64 | Decimal128(..) | Float64 | Utf8) => true,
        (Boolean, Int32 | Int64 | Utf8) | (Int32 | Int64, Boolean) => true,
        (Utf8, Boolean | Int32 | Int64 | Decimal128(..) | Float64 | Date32 | Time64(_) | Timestamp(..)) => true,
        (Utf8, Interval(_) | Binary) | (Binary, Utf8) => true,
        (Date32, Timestamp(..) | Utf8) | (Timestamp(..), Date32 | Time64(_) | Utf8) => true,
        (Time64(_) | Interval(_), Utf8) => true,
        (DataType::List(a), DataType::List(b)) => can_cast(a.data_type(), b.data_type()),
        (DataType::Struct(a), DataType::Struct(b)) => {
            a.len() == b.len() && a.iter().zip(b).all(|(a, b)| can_cast(a.data_type(), b.data_type()))
        }
        (DataType::List(_) | DataType::Struct(_) | DataType::Map(..), Utf8) => true,
        (DataType::Map(..), DataType::Map(..)) => can_cast_types(from, to),
        _ => false,
    }
}

/// The value as `to`.
///
/// # Errors
/// If it does not fit.
pub fn cast_scalar(value: &ScalarValue, to: &DataType) -> Result<ScalarValue> {
    if value.is_null() {
        return ScalarValue::try_from(to);
    }
    ScalarValue::try_from_array(&cast_array(&value.to_array()?, to)?, 0)
}

/// The column as `to`.
///
/// # Errors
/// If a value does not fit.
pub fn cast_array(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    use DataType::{Decimal128, Float64, Int32, Int64, Timestamp, Utf8};
    let from = array.data_type();
    match (from, to) {
        (a, b) if a == b => Ok(Arc::clone(array)),
        (DataType::Null, _) => Ok(new_null_array(to, array.len())),
        (Utf8, Int32) => parse::<Int32Type>(array, to, |text| text.parse().ok()),
        (Utf8, Int64) => parse::<Int64Type>(array, to, |text| text.parse().ok()),
        (Utf8, Float64) => parse::<Float64Type>(array, to, |text| text.parse().ok()),
        (Utf8, DataType::Binary) => arrow_cast(array, to),
        (Utf8, _) => from_text(array, to),
        (Float64, Int32) => round::<Int32Type>(array, to, |x| {
            (f64::from(i32::MIN)..=f64::from(i32::MAX)).contains(&x).then_some(x as i32)
        }),
        // 2⁶³ itself is a DOUBLE and no BIGINT
        (Float64, Int64) => round::<Int64Type>(array, to, |x| {
            (-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&x).then_some(x as i64)
        }),
        (Decimal128(..), Int32 | Int64) => {
            let whole = arrow_cast(array, &Decimal128(DECIMAL128_MAX_PRECISION, 0))?;
            arrow_cast(&whole, to)
        }
        (Float64, Utf8) => Ok(Arc::new(
            array.as_primitive::<Float64Type>().iter().map(|x| x.map(double_text)).collect::<StringArray>(),
        )),
        (Timestamp(..), Utf8) if from == &crate::types::TIMESTAMP => timestamp_text(array),
        _ => arrow_cast(array, to),
    }
}

/// The column as `to`, NULL where a value does not fit.
fn try_cast_array(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    if let Ok(cast) = cast_array(array, to) {
        return Ok(cast);
    }
    if array.len() == 1 {
        return Ok(new_null_array(to, 1));
    }
    // halves until the values that do not fit stand alone
    let half = array.len() / 2;
    let (left, right) = (array.slice(0, half), array.slice(half, array.len() - half));
    let (left, right) = (try_cast_array(&left, to)?, try_cast_array(&right, to)?);
    Ok(concat(&[left.as_ref(), right.as_ref()])?)
}

fn arrow_cast(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let options = CastOptions { safe: false, format_options: FormatOptions::default() };
    Ok(cast_with_options(array, to, &options)?)
}

fn does_not_fit(value: impl fmt::Display, to: &DataType) -> DataFusionError {
    exec_datafusion_err!("{value} is no {}", type_name(to))
}

fn parse<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    to: &DataType,
    value: impl Fn(&str) -> Option<T::Native>,
) -> Result<ArrayRef> {
    let parsed = array.as_string::<i32>().iter().map(|text| {
        text.map(|text| value(text.trim()).ok_or_else(|| does_not_fit(format!("'{text}'"), to))).transpose()
    });
    Ok(Arc::new(parsed.collect::<Result<PrimitiveArray<T>>>()?))
}

fn round<T: ArrowPrimitiveType>(
    array: &ArrayRef,
    to: &DataType,
    value: impl Fn(f64) -> Option<T::Native>,
) -> Result<ArrayRef> {
    let rounded = array
        .as_primitive::<Float64Type>()
        .iter()
        .map(|x| x.map(|x| value(x.round_ties_even()).ok_or_else(|| does_not_fit(x, to))).transpose());
    Ok(Arc::new(rounded.collect::<Result<PrimitiveArray<T>>>()?))
}

/// Text to DECIMAL, BOOLEAN, DATE, TIME, TIMESTAMP, INTERVAL by Arrow's parsers, which do not pass over space.
fn from_text(array: &ArrayRef, to: &DataType) -> Result<ArrayRef> {
    let texts = array.as_string::<i32>();
    let trimmed: ArrayRef = match texts.iter().flatten().any(|text| text.trim().len() != text.len()) {
        true => Arc::new(texts.iter().map(|text| text.map(str::trim)).collect::<StringArray>()),
        false => Arc::clone(array),
    };
    arrow_cast(&trimmed, to).map_err(|error| match texts.iter().flatten().next() {
        Some(text) if texts.len() == 1 => does_not_fit(format!("'{text}'"), to),
        _ => error,
    })
}

/// As PostgreSQL prints a DOUBLE: the shortest digits that read back the same, with an exponent below 1e-4 and from 1e15.
pub fn double_text(x: f64) -> String {
    if x.is_nan() {
        return "NaN".into();
    }
    if x.is_infinite() {
        return if x > 0.0 { "Infinity".into() } else { "-Infinity".into() };
    }
    let scientific = format!("{x:e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    match (-4..15).contains(&exponent) {
        true => format!("{x}"),
        false => format!("{digits}e{}{:02}", if exponent < 0 { '-' } else { '+' }, exponent.abs()),
    }
}

/// `2018-09-28T12:00:00.000`, with six digits when needed.
fn timestamp_text(array: &ArrayRef) -> Result<ArrayRef> {
    let times = array.as_primitive::<TimestampMicrosecondType>();
    let text = |i: usize| {
        let micros = times.value(i);
        let time = times.value_as_datetime(i).ok_or_else(|| does_not_fit(micros, &DataType::Utf8))?;
        let format = if micros % 1000 == 0 { "%Y-%m-%dT%H:%M:%S%.3f" } else { "%Y-%m-%dT%H:%M:%S%.6f" };
        Ok::<_, DataFusionError>(time.format(format).to_string())
    };
    let texts = (0..times.len()).map(|i| times.is_valid(i).then(|| text(i)).transpose());
    Ok(Arc::new(texts.collect::<Result<StringArray>>()?))
}

#[cfg(test)]
mod tests {
    use arrow::array::{Float64Array, Int32Array, TimestampMicrosecondArray};

    use super::*;

    fn doubles(values: &[f64]) -> ArrayRef {
        Arc::new(Float64Array::from(values.to_vec()))
    }

    fn texts(values: &[&str]) -> ArrayRef {
        Arc::new(StringArray::from(values.to_vec()))
    }

    #[test]
    fn text_is_a_number_as_a_whole() {
        let ints = cast_array(&texts(&[" 12 ", "-3"]), &DataType::Int32).unwrap();
        assert_eq!(ints.as_primitive::<Int32Type>(), &Int32Array::from(vec![12, -3]));
        assert!(cast_array(&texts(&["12abc"]), &DataType::Int64).is_err());
        assert!(cast_array(&texts(&["3000000000"]), &DataType::Int32).is_err());
        let tried = try_cast_array(&texts(&["1", "x", "3"]), &DataType::Int32).unwrap();
        assert_eq!(tried.as_primitive::<Int32Type>(), &Int32Array::from(vec![Some(1), None, Some(3)]));
    }

    #[test]
    fn doubles_round_half_to_even_and_stay_in_range() {
        let ints = cast_array(&doubles(&[0.5, 1.5, -2.5]), &DataType::Int32).unwrap();
        assert_eq!(ints.as_primitive::<Int32Type>(), &Int32Array::from(vec![0, 2, -2]));
        assert!(cast_array(&doubles(&[3e9]), &DataType::Int32).is_err());
        assert!(cast_array(&doubles(&[9.3e18]), &DataType::Int64).is_err());
        assert!(cast_array(&doubles(&[f64::NAN]), &DataType::Int64).is_err());
    }

    #[test]
    fn decimals_round_half_away_from_zero() {
        let value = ScalarValue::Decimal128(Some(25), 3, 1);
        assert_eq!(cast_scalar(&value, &DataType::Int32).unwrap(), ScalarValue::Int32(Some(3)));
    }

    #[test]
    fn values_print_as_sql_says() {
        assert_eq!([1.0, 0.1, 1e20, 1e-5].map(double_text), ["1", "0.1", "1e+20", "1e-05"]);
        let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![1_538_136_000_000_000, 1]));
        let printed = cast_array(&times, &DataType::Utf8).unwrap();
        assert_eq!(printed.as_string::<i32>().value(0), "2018-09-28T12:00:00.000");
        assert_eq!(printed.as_string::<i32>().value(1), "1970-01-01T00:00:00.000001");
    }
}
