//! Aggregates over all rows of a group, each time anew.
//!
//! A group is a list of packed rows with multiplicities; what is made of it depends on that multiset alone. Functions
//! that depend on order sort by ORDER BY, then by where the rows stood (tick, partition, offset), then by value. COUNT
//! and sums take negative multiplicities as they are; for the other functions such rows are not there.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Decimal128Array, Float64Array, Int64Array, ListArray};
use arrow::array::{StringArray, UInt32Array, new_null_array};
use arrow::buffer::OffsetBuffer;
use arrow::compute::take;
use arrow::datatypes::{DataType, SchemaRef};
use millrace_data::canonical::canonical_f64;
use millrace_planner::plan::{Aggregate, AggregateFunction as F};
use num_bigint::BigInt;
use num_traits::ToPrimitive;

use crate::render::differential::codec::{Codec, some};
use crate::render::differential::exact::Numbers;
use crate::render::differential::keyed::Packed;

/// Rows of a group by position, with their multiplicities.
type Counted = Vec<(usize, i64)>;

/// The aggregates of one node.
pub(crate) struct Aggregates {
    /// Columns of the input that they read.
    columns: Vec<usize>,
    codec: Codec,
    calls: Vec<Call>,
    results: Codec,
}

impl Aggregates {
    /// Over rows of `input`, whose column `tick` says when a row arrived, where that matters.
    pub(crate) fn new(input: &SchemaRef, aggregates: &[Aggregate], tick: Option<usize>) -> Self {
        let mut columns: Vec<usize> = aggregates.iter().flat_map(|a| columns_of(a, tick)).collect();
        columns.sort_unstable();
        columns.dedup();
        let calls = aggregates.iter().map(|a| Call::new(a, input, &columns, tick)).collect();
        let codec = Codec::of_columns(input, &columns);
        let results = Codec::new(aggregates.iter().map(|a| &a.data_type));
        Aggregates { columns, codec, calls, results }
    }

    /// The part of each row that matters.
    pub(crate) fn pack(&self, columns: &[ArrayRef], len: usize) -> Vec<Packed> {
        self.codec.pack(&some(columns, &self.columns), len)
    }

    /// The results over a group, packed.
    ///
    /// # Errors
    /// If one of them is out of the range of its type.
    pub(crate) fn evaluate(&self, rows: &[(&[u8], i64)]) -> Result<Packed, String> {
        let columns = self.codec.unpack(rows.iter().map(|(row, _)| *row));
        let counts: Vec<i64> = rows.iter().map(|(_, n)| *n).collect();
        let results = self.calls.iter().map(|call| call.evaluate(&columns, &counts)).collect::<Result<Vec<_>, _>>()?;
        Ok(self.results.pack(&results, 1).swap_remove(0))
    }
}

/// Whether the order of the rows matters.
fn ordered(function: &F) -> bool {
    matches!(function, F::CollectList | F::StringAgg { .. } | F::Latest { .. } | F::Earliest { .. })
}

/// Whether one of the aggregates depends on when rows arrived.
pub(crate) fn by_arrival(aggregates: &[Aggregate]) -> bool {
    aggregates.iter().any(|a| a.arrival.is_some() && ordered(&a.function))
}

/// (tick, partition, offset), where they matter.
fn arrival(aggregate: &Aggregate, tick: Option<usize>) -> Vec<usize> {
    match (aggregate.arrival, tick) {
        (Some((partition, offset)), Some(tick)) if ordered(&aggregate.function) => vec![tick, partition, offset],
        _ => vec![],
    }
}

fn columns_of(aggregate: &Aggregate, tick: Option<usize>) -> Vec<usize> {
    let order = aggregate.order.iter().map(|key| key.column);
    aggregate.args.iter().copied().chain(aggregate.filter).chain(order).chain(arrival(aggregate, tick)).collect()
}

/// One aggregate; positions are among the columns that were packed.
struct Call {
    function: F,
    args: Vec<usize>,
    distinct: bool,
    filter: Option<usize>,
    data_type: DataType,
    /// The columns that rows are sorted by, the arguments last, and their order.
    sorted_by: Vec<usize>,
    order: Codec,
    /// The arguments by value.
    values: Codec,
}

impl Call {
    /// # Panics
    /// Never: `columns` holds every column of the aggregate.
    #[allow(clippy::expect_used)]
    fn new(aggregate: &Aggregate, input: &SchemaRef, columns: &[usize], tick: Option<usize>) -> Self {
        let at = |c: usize| columns.binary_search(&c).expect("column is packed");
        let data_type = |c: usize| input.field(c).data_type();
        let keys = aggregate.order.iter().map(|k| (k.column, k.descending, k.nulls_first));
        let ascending = arrival(aggregate, tick).into_iter().chain(aggregate.args.iter().copied());
        let keys: Vec<(usize, bool, bool)> = keys.chain(ascending.map(|c| (c, false, false))).collect();
        Call {
            function: aggregate.function.clone(),
            args: aggregate.args.iter().map(|c| at(*c)).collect(),
            distinct: aggregate.distinct || aggregate.function == F::CollectSet,
            filter: aggregate.filter.map(at),
            data_type: aggregate.data_type.clone(),
            sorted_by: keys.iter().map(|(c, ..)| at(*c)).collect(),
            order: Codec::ordered(keys.iter().map(|(c, descending, first)| (data_type(*c), *descending, *first))),
            values: Codec::new(aggregate.args.iter().map(|c| data_type(*c))),
        }
    }

    /// The result, as a column of one row.
    fn evaluate(&self, columns: &[ArrayRef], counts: &[i64]) -> Result<ArrayRef, String> {
        let mut rows = self.rows(columns, counts);
        if self.distinct || ordered(&self.function) {
            rows = self.sorted(columns, rows, counts.len());
        }
        if self.function == F::Count {
            return Ok(Arc::new(Int64Array::from(vec![rows.iter().map(|(_, n)| *n).sum::<i64>()])));
        }
        let column = &columns[self.args[0]];
        match &self.function {
            F::CollectList | F::CollectSet => return Ok(self.list(column, &expanded(&rows))),
            _ if rows.iter().map(|(_, n)| *n).sum::<i64>() <= 0 => return Ok(new_null_array(&self.data_type, 1)),
            F::Sum => return self.sum(column, &rows),
            F::Avg => return self.average(column, &rows),
            F::Variance { population } => return Ok(double(Numbers::of(column, &rows).variance(*population))),
            F::Stddev { population } => {
                return Ok(double(Numbers::of(column, &rows).variance(*population).map(f64::sqrt)));
            }
            _ => {}
        }
        let rows = expanded(&rows);
        Ok(match &self.function {
            F::Min | F::Max => self.extreme(column, &rows),
            F::BoolAnd => boolean(rows.iter().all(|i| column.as_boolean().value(*i as usize))),
            F::BoolOr => boolean(rows.iter().any(|i| column.as_boolean().value(*i as usize))),
            F::StringAgg { separator } => {
                let texts: Vec<&str> = rows.iter().map(|i| column.as_string::<i32>().value(*i as usize)).collect();
                Arc::new(StringArray::from(vec![texts.join(separator)]))
            }
            F::Latest { n: None, .. } => column.slice(rows[rows.len() - 1] as usize, 1),
            F::Earliest { n: None, .. } => column.slice(rows[0] as usize, 1),
            F::Latest { n: Some(n), .. } => self.list(column, &rows[rows.len().saturating_sub(*n)..]),
            F::Earliest { n: Some(n), .. } => self.list(column, &rows[..rows.len().min(*n)]),
            other => panic!("{other:?} was answered above"),
        })
    }

    /// The rows that count.
    fn rows(&self, columns: &[ArrayRef], counts: &[i64]) -> Counted {
        let keeps_nulls = match &self.function {
            F::CollectList | F::CollectSet => true,
            F::Latest { ignore_nulls, .. } | F::Earliest { ignore_nulls, .. } => !ignore_nulls,
            _ => false,
        };
        let filter = self.filter.map(|c| columns[c].as_boolean());
        let counts_in = |i: usize| {
            filter.is_none_or(|f| f.is_valid(i) && f.value(i))
                && (keeps_nulls || self.args.iter().all(|c| columns[*c].is_valid(i)))
        };
        counts.iter().copied().enumerate().filter(|(i, _)| counts_in(*i)).collect()
    }

    /// In order; with DISTINCT the first of each value.
    fn sorted(&self, columns: &[ArrayRef], rows: Counted, len: usize) -> Counted {
        let order = self.order.pack(&some(columns, &self.sorted_by), len);
        let mut rows: Counted = rows.into_iter().filter(|(_, n)| *n > 0).collect();
        rows.sort_by(|(a, _), (b, _)| order[*a].cmp(&order[*b]));
        if self.distinct {
            let values = self.values.pack(&some(columns, &self.args), len);
            let mut seen = std::collections::HashSet::new();
            rows.retain(|(i, _)| seen.insert(&values[*i]));
            rows.iter_mut().for_each(|(_, n)| *n = 1);
        }
        rows
    }

    fn sum(&self, column: &ArrayRef, rows: &Counted) -> Result<ArrayRef, String> {
        let numbers = Numbers::of(column, rows);
        match &self.data_type {
            DataType::Float64 => Ok(double(Some(numbers.sum()))),
            DataType::Int64 => {
                let total = numbers.total().to_i64().ok_or("SUM is out of the range of BIGINT")?;
                Ok(Arc::new(Int64Array::from(vec![total])))
            }
            DataType::Decimal128(precision, scale) => decimal("SUM", &numbers.total(), *precision, *scale),
            other => panic!("SUM has no type {other}"),
        }
    }

    fn average(&self, column: &ArrayRef, rows: &Counted) -> Result<ArrayRef, String> {
        let numbers = Numbers::of(column, rows);
        match &self.data_type {
            DataType::Decimal128(precision, scale) => decimal("AVG", &numbers.decimal_mean(*scale), *precision, *scale),
            _ => Ok(double(Some(numbers.mean()))),
        }
    }

    fn extreme(&self, column: &ArrayRef, rows: &[u32]) -> ArrayRef {
        let values = self.values.pack(std::slice::from_ref(column), column.len());
        let value = |i: &&u32| &values[**i as usize];
        let best = if self.function == F::Min { rows.iter().min_by_key(value) } else { rows.iter().max_by_key(value) };
        best.map_or_else(|| new_null_array(&self.data_type, 1), |i| column.slice(*i as usize, 1))
    }

    /// An array of the values at `rows`.
    ///
    /// # Panics
    /// Never: the rows are positions in the column.
    #[allow(clippy::expect_used)]
    fn list(&self, column: &ArrayRef, rows: &[u32]) -> ArrayRef {
        let DataType::List(item) = &self.data_type else { panic!("an ARRAY has no type {}", self.data_type) };
        let items = take(column, &UInt32Array::from(rows.to_vec()), None).expect("positions in the column");
        Arc::new(ListArray::new(Arc::clone(item), OffsetBuffer::from_lengths([rows.len()]), items, None))
    }
}

/// Each row as often as it counts.
fn expanded(rows: &Counted) -> Vec<u32> {
    rows.iter().flat_map(|(i, n)| std::iter::repeat_n(*i as u32, usize::try_from(*n).unwrap_or(0))).collect()
}

fn double(value: Option<f64>) -> ArrayRef {
    Arc::new(Float64Array::from(vec![value.map(canonical_f64)]))
}

fn boolean(value: bool) -> ArrayRef {
    Arc::new(BooleanArray::from(vec![value]))
}

/// # Panics
/// Never: the node's type is a DECIMAL.
#[allow(clippy::expect_used)]
fn decimal(function: &str, value: &BigInt, precision: u8, scale: i8) -> Result<ArrayRef, String> {
    if value.magnitude() >= BigInt::from(10u8).pow(u32::from(precision)).magnitude() {
        return Err(format!("{function} is out of the range of DECIMAL({precision}, {scale})"));
    }
    let value = Decimal128Array::from(vec![value.to_i128()]);
    Ok(Arc::new(value.with_precision_and_scale(precision, scale).expect("a type of DECIMAL")))
}
