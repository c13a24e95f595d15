//! Aggregates over all rows of a group, written out.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::DataType;
use datafusion_common::ScalarValue;
use millrace_planner::plan::AggregateFunction as F;

use crate::reference::{Values, exact};

/// A row of a group as one call sees it.
#[derive(Clone, Debug)]
pub struct Input {
    /// The function's own arguments.
    pub args: Values,
    /// Where it stands in the order of arrival: (tick, partition, offset).
    pub arrival: Option<(u64, ScalarValue, ScalarValue)>,
    /// Values of the call's ORDER BY, each with (descending, NULLs first).
    pub order: Vec<(ScalarValue, bool, bool)>,
}

/// The value of an aggregate over `inputs`, which are filtered already.
///
/// # Errors
/// On overflow.
pub fn aggregate(
    function: &F,
    distinct: bool,
    data_type: &DataType,
    mut inputs: Vec<Input>,
) -> Result<ScalarValue, String> {
    let keeps_nulls = matches!(
        function,
        F::CollectList
            | F::CollectSet
            | F::Latest { ignore_nulls: false, .. }
            | F::Earliest { ignore_nulls: false, .. }
    );
    if !keeps_nulls {
        inputs.retain(|i| i.args.iter().all(|a| !a.is_null()));
    }
    sort(&mut inputs);
    if distinct {
        let mut seen: Vec<Values> = vec![];
        inputs.retain(|i| {
            let new = !seen.contains(&i.args);
            if new {
                seen.push(i.args.clone());
            }
            new
        });
    }
    if *function == F::Count {
        return Ok(ScalarValue::Int64(Some(inputs.len() as i64)));
    }
    let values: Vec<ScalarValue> = inputs.into_iter().filter_map(|i| i.args.into_iter().next()).collect();
    match function {
        F::CollectList => list(&values, data_type),
        F::CollectSet => list(&set(values), data_type),
        F::Latest { n, .. } => edge(&values, *n, data_type, true),
        F::Earliest { n, .. } => edge(&values, *n, data_type, false),
        _ if values.is_empty() => ScalarValue::try_from(data_type).map_err(|e| e.to_string()),
        F::Sum => sum(&values, data_type),
        F::Avg => average(&values, data_type),
        F::Min => Ok(extreme(values, Ordering::Less)),
        F::Max => Ok(extreme(values, Ordering::Greater)),
        F::Variance { population } => Ok(spread(&values, *population, |v| v)),
        F::Stddev { population } => Ok(spread(&values, *population, f64::sqrt)),
        F::BoolAnd => Ok(ScalarValue::Boolean(Some(values.iter().all(is_true)))),
        F::BoolOr => Ok(ScalarValue::Boolean(Some(values.iter().any(is_true)))),
        F::StringAgg { separator } => {
            let texts: Vec<String> = values.iter().filter_map(text).collect();
            Ok(ScalarValue::Utf8(Some(texts.join(separator))))
        }
        F::Count => Err("count was answered above".to_owned()),
    }
}

/// By ORDER BY; else by arrival; else by value.
fn sort(inputs: &mut [Input]) {
    inputs.sort_by(|a, b| {
        let by_order = a
            .order
            .iter()
            .zip(&b.order)
            .map(|((x, descending, nulls_first), (y, ..))| compare(x, y, *descending, *nulls_first));
        let order = by_order.fold(Ordering::Equal, Ordering::then);
        let arrival = match (&a.arrival, &b.arrival) {
            (Some(x), Some(y)) => {
                x.0.cmp(&y.0).then(compare(&x.1, &y.1, false, false)).then(compare(&x.2, &y.2, false, false))
            }
            _ => Ordering::Equal,
        };
        let value = a.args.iter().zip(&b.args).map(|(x, y)| compare(x, y, false, false));
        order.then(arrival).then(value.fold(Ordering::Equal, Ordering::then))
    });
}

/// The order of two values of one type.
pub fn compare(a: &ScalarValue, b: &ScalarValue, descending: bool, nulls_first: bool) -> Ordering {
    let null = if nulls_first { Ordering::Less } else { Ordering::Greater };
    match (a.is_null(), b.is_null()) {
        (true, true) => Ordering::Equal,
        (true, false) => null,
        (false, true) => null.reverse(),
        (false, false) => {
            let order = a.partial_cmp(b).unwrap_or(Ordering::Equal);
            if descending { order.reverse() } else { order }
        }
    }
}

fn set(values: Vec<ScalarValue>) -> Vec<ScalarValue> {
    let mut values = values;
    values.sort_by(|a, b| compare(a, b, false, false));
    values.dedup();
    values
}

fn list(values: &[ScalarValue], data_type: &DataType) -> Result<ScalarValue, String> {
    let DataType::List(item) = data_type else { return Err(format!("not a list: {data_type}")) };
    Ok(ScalarValue::List(ScalarValue::new_list_nullable(values, item.data_type())))
}

fn edge(values: &[ScalarValue], n: Option<usize>, data_type: &DataType, last: bool) -> Result<ScalarValue, String> {
    let Some(n) = n else {
        let value = if last { values.last() } else { values.first() };
        return value.cloned().map_or_else(|| ScalarValue::try_from(data_type).map_err(|e| e.to_string()), Ok);
    };
    if values.is_empty() {
        return ScalarValue::try_from(data_type).map_err(|e| e.to_string());
    }
    let part = if last { &values[values.len().saturating_sub(n)..] } else { &values[..n.min(values.len())] };
    list(part, data_type)
}

fn extreme(values: Vec<ScalarValue>, wanted: Ordering) -> ScalarValue {
    values
        .into_iter()
        .reduce(|best, value| if compare(&value, &best, false, false) == wanted { value } else { best })
        .unwrap_or(ScalarValue::Null)
}

fn is_true(value: &ScalarValue) -> bool {
    matches!(value, ScalarValue::Boolean(Some(true)))
}

fn text(value: &ScalarValue) -> Option<String> {
    value.try_as_str().flatten().map(str::to_owned)
}

/// The integer that a number of a fixed scale is.
fn whole(value: &ScalarValue) -> Option<i128> {
    match value {
        ScalarValue::Int32(x) => x.map(i128::from),
        ScalarValue::Int64(x) => x.map(i128::from),
        ScalarValue::Decimal128(x, ..) => *x,
        _ => None,
    }
}

fn float(value: &ScalarValue) -> Option<f64> {
    match value {
        ScalarValue::Float64(x) => *x,
        ScalarValue::Int32(x) => x.map(f64::from),
        ScalarValue::Int64(x) => x.map(|x| x as f64),
        _ => None,
    }
}

fn sum(values: &[ScalarValue], data_type: &DataType) -> Result<ScalarValue, String> {
    if data_type == &DataType::Float64 {
        let floats: Vec<f64> = values.iter().filter_map(float).collect();
        return Ok(ScalarValue::Float64(Some(exact::sum(&floats))));
    }
    // the sum may pass the limits of i128 only in steps that no test takes
    let total: i128 = values.iter().filter_map(whole).sum();
    match data_type {
        DataType::Int64 => {
            let total = i64::try_from(total).map_err(|_| "SUM is out of the range of BIGINT".to_owned())?;
            Ok(ScalarValue::Int64(Some(total)))
        }
        DataType::Decimal128(precision, scale) => decimal(total, *precision, *scale),
        other => Err(format!("SUM as {other}")),
    }
}

fn decimal(value: i128, precision: u8, scale: i8) -> Result<ScalarValue, String> {
    if value.unsigned_abs() >= 10u128.pow(u32::from(precision)) {
        return Err(format!("out of the range of DECIMAL({precision}, {scale})"));
    }
    Ok(ScalarValue::Decimal128(Some(value), precision, scale))
}

fn average(values: &[ScalarValue], data_type: &DataType) -> Result<ScalarValue, String> {
    let n = values.len() as i128;
    let (DataType::Decimal128(precision, scale), Some(ScalarValue::Decimal128(_, _, from))) =
        (data_type, values.first())
    else {
        if let Some(ScalarValue::Int32(_) | ScalarValue::Int64(_)) = values.first() {
            let total: i128 = values.iter().filter_map(whole).sum();
            let total = num_bigint::BigInt::from(total);
            return Ok(ScalarValue::Float64(Some(exact::nearest(&total, &num_bigint::BigInt::from(n), 0))));
        }
        let floats: Vec<f64> = values.iter().filter_map(float).collect();
        return Ok(ScalarValue::Float64(Some(exact::mean(&floats))));
    };
    let total: i128 = values.iter().filter_map(whole).sum();
    let scaled =
        total.checked_mul(10i128.pow((scale - from) as u32)).ok_or_else(|| "AVG is out of range".to_owned())?;
    // half away from zero
    let (quotient, rest) = (scaled / n, scaled % n);
    let up = i128::from(rest.abs() * 2 >= n) * scaled.signum();
    decimal(quotient + up, *precision, *scale)
}

fn spread(values: &[ScalarValue], population: bool, finish: impl Fn(f64) -> f64) -> ScalarValue {
    let floats: Vec<f64> = values.iter().filter_map(float).collect();
    if floats.len() == 1 && !population {
        return ScalarValue::Float64(None);
    }
    ScalarValue::Float64(Some(finish(exact::variance(&floats, population))))
}

/// The list's elements, for callers that take lists apart.
pub fn elements(value: &ScalarValue) -> Vec<ScalarValue> {
    let ScalarValue::List(list) = value else { return vec![] };
    if list.is_null(0) {
        return vec![];
    }
    let items: ArrayRef = Arc::clone(list.values());
    let offsets = list.value_offsets();
    (offsets[0]..offsets[1]).filter_map(|i| ScalarValue::try_from_array(&items, i as usize).ok()).collect()
}
