//! Whether a batch of a stream can matter to the queries that filter it.
//!
//! ```text
//! WHERE K = 17 AND X > 5   over rows of a tick:   is there a 17 in K?     hash of constants, one look per row
//! WHERE X > 5                                     is the largest X > 5?   least and largest, once per column
//! ```
//! A query whose filter stands directly on a source is kept asleep while no row can pass it. The answer errs on one side
//! only: a batch that a gate stops has no row that passes; one that it lets through may have none either.
//!
//! # Contract
//! * Only filters that cannot fail on a row are gates: a failure is something to tell.
//! * The cost per tick grows with the rows and the queries that match, not with the queries that do not, but for those
//!   that compare a column with a range: some nanoseconds each.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::{cast, max, min};
use arrow::datatypes::{DataType, Int64Type, SchemaRef, TimeUnit};
use datafusion_common::ScalarValue;
use datafusion_expr::Operator;
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::{BinaryExpr, InListExpr, Literal};
use millrace_data::Batch;
use millrace_planner::catalog::RelationId;
use millrace_planner::plan::{Expr, Node, Op};

use crate::api::QueryId;
use crate::expr::plain_column;
use crate::render::hash::share::cannot_fail;

/// Beyond so many rows for each query that compares a column with constants, these are woken without looking: a lookup per
/// row would cost more than waking them for nothing. An estimate (some ten ns a row, some µs a query), not measured.
const ROWS_PER_QUERY_MAX: usize = 256;

/// What every row that matters fulfils.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// A column of whole numbers has one of these values.
    Numbers(usize, Vec<i64>),
    /// A column of text has one of these values.
    Texts(usize, Vec<String>),
    /// A column of whole numbers, dates or timestamps lies between these, both included.
    Between(usize, i64, i64),
}

/// How a plan reads a relation: the conditions on its rows, or none.
pub(crate) type Reading = (RelationId, Vec<Condition>);

/// Every place at which a plan reads a relation.
pub(crate) fn readings(node: &Node) -> Vec<Reading> {
    match &node.op {
        Op::Source { relation, .. } => vec![(*relation, vec![])],
        Op::Map { input, filter: Some(filter), .. } if cannot_fail(filter) => match &input.op {
            Op::Source { relation, columns, .. } => {
                let mut conditions = vec![];
                conditions_of(filter, &input.schema, columns, &mut conditions);
                vec![(*relation, conditions)]
            }
            _ => readings(input),
        },
        _ => node.children().into_iter().flat_map(readings).collect(),
    }
}

fn conditions_of(filter: &Expr, schema: &SchemaRef, columns: &[usize], into: &mut Vec<Condition>) {
    if let Some(list) = filter.downcast_ref::<InListExpr>() {
        into.extend(in_list(list, schema, columns));
        return;
    }
    let Some(binary) = filter.downcast_ref::<BinaryExpr>() else { return };
    if *binary.op() == Operator::And {
        conditions_of(binary.left(), schema, columns, into);
        conditions_of(binary.right(), schema, columns, into);
        return;
    }
    let (column, value, op) = match (plain_column(binary.left()), plain_column(binary.right())) {
        (Some(c), None) => (c, constant(binary.right()), Some(*binary.op())),
        (None, Some(c)) => (c, constant(binary.left()), binary.op().swap()),
        _ => return,
    };
    let (Some(value), Some(op)) = (value, op) else { return };
    if value.data_type() == *schema.field(column).data_type() {
        into.extend(comparison(columns[column], op, value));
    }
}

fn constant(expr: &Expr) -> Option<&ScalarValue> {
    let any: &dyn PhysicalExpr = Arc::as_ref(expr);
    any.downcast_ref::<Literal>().map(Literal::value)
}

fn in_list(list: &InListExpr, schema: &SchemaRef, columns: &[usize]) -> Option<Condition> {
    let column = plain_column(list.expr()).filter(|_| !list.negated())?;
    let data_type = schema.field(column).data_type();
    let values: Option<Vec<&ScalarValue>> = list.list().iter().map(constant).collect();
    let values = values.filter(|values| values.iter().all(|value| value.data_type() == *data_type))?;
    match data_type {
        DataType::Utf8 => Some(Condition::Texts(columns[column], values.into_iter().filter_map(text).collect())),
        _ if is_number(data_type) => {
            Some(Condition::Numbers(columns[column], values.into_iter().filter_map(number).collect()))
        }
        _ => None,
    }
}

fn comparison(column: usize, op: Operator, value: &ScalarValue) -> Option<Condition> {
    if let Some(text) = text(value) {
        return (op == Operator::Eq).then(|| Condition::Texts(column, vec![text]));
    }
    let n = number(value)?;
    match op {
        Operator::Eq if is_number(&value.data_type()) => Some(Condition::Numbers(column, vec![n])),
        Operator::Eq => Some(Condition::Between(column, n, n)),
        Operator::Lt => Some(Condition::Between(column, i64::MIN, n.checked_sub(1)?)),
        Operator::LtEq => Some(Condition::Between(column, i64::MIN, n)),
        Operator::Gt => Some(Condition::Between(column, n.checked_add(1)?, i64::MAX)),
        Operator::GtEq => Some(Condition::Between(column, n, i64::MAX)),
        _ => None,
    }
}

fn is_number(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Int32 | DataType::Int64)
}

fn number(value: &ScalarValue) -> Option<i64> {
    match value {
        ScalarValue::Int32(Some(n)) | ScalarValue::Date32(Some(n)) => Some(i64::from(*n)),
        ScalarValue::Int64(Some(n)) | ScalarValue::TimestampMicrosecond(Some(n), None) => Some(*n),
        _ => None,
    }
}

fn text(value: &ScalarValue) -> Option<String> {
    match value {
        ScalarValue::Utf8(Some(text)) => Some(text.clone()),
        _ => None,
    }
}

/// The queries that filter one relation.
#[derive(Default)]
pub(crate) struct Gates {
    /// By column, and the values that they wait for.
    equal: BTreeMap<usize, Equal>,
    /// Those without such a column, and ranges that must all be met.
    ranges: Vec<(QueryId, Ranges)>,
}

/// Columns, and the least and the largest value that each may have.
type Ranges = Vec<(usize, i64, i64)>;

#[derive(Default)]
struct Equal {
    numbers: HashMap<i64, Vec<QueryId>>,
    texts: HashMap<String, Vec<QueryId>>,
    queries: Vec<QueryId>,
}

impl Gates {
    /// One more query; there is at least one condition.
    pub(crate) fn add(&mut self, query: QueryId, conditions: &[Condition]) {
        let mut ranges = vec![];
        for condition in conditions {
            match condition {
                // one comparison with constants stops enough
                Condition::Numbers(column, values) => {
                    let equal = self.equal.entry(*column).or_default();
                    equal.queries.push(query);
                    values.iter().for_each(|value| equal.numbers.entry(*value).or_default().push(query));
                    return;
                }
                Condition::Texts(column, values) => {
                    let equal = self.equal.entry(*column).or_default();
                    equal.queries.push(query);
                    for value in values {
                        equal.texts.entry(value.clone()).or_default().push(query);
                    }
                    return;
                }
                Condition::Between(column, least, most) => ranges.push((*column, *least, *most)),
            }
        }
        self.ranges.push((query, ranges));
    }

    /// A query is no more.
    pub(crate) fn remove(&mut self, query: QueryId) {
        self.ranges.retain(|(q, _)| *q != query);
        self.equal.retain(|_, equal| {
            if equal.queries.contains(&query) {
                equal.queries.retain(|q| *q != query);
                equal.numbers.values_mut().chain(equal.texts.values_mut()).for_each(|qs| qs.retain(|q| *q != query));
                equal.numbers.retain(|_, queries| !queries.is_empty());
                equal.texts.retain(|_, queries| !queries.is_empty());
            }
            !equal.queries.is_empty()
        });
    }

    /// Every query of the relation.
    pub(crate) fn queries(&self) -> impl Iterator<Item = QueryId> + '_ {
        self.ranges.iter().map(|(q, _)| *q).chain(self.equal.values().flat_map(|equal| equal.queries.iter().copied()))
    }

    /// Calls `wake` with every query to which a row of the batch may matter, perhaps several times.
    pub(crate) fn matching(&self, batch: &Batch, wake: &mut dyn FnMut(QueryId)) {
        for (column, equal) in &self.equal {
            equal.matching(batch.column(*column), wake);
        }
        let mut bounds: BTreeMap<usize, Option<(i64, i64)>> = BTreeMap::new();
        for (query, ranges) in &self.ranges {
            let met = ranges.iter().all(|(column, least, most)| {
                let bounds = bounds.entry(*column).or_insert_with(|| bounds_of(batch.column(*column)));
                bounds.is_none_or(|(low, high)| low <= *most && high >= *least)
            });
            if met {
                wake(*query);
            }
        }
    }
}

impl Equal {
    fn matching(&self, column: &ArrayRef, wake: &mut dyn FnMut(QueryId)) {
        if column.len() > self.queries.len() * ROWS_PER_QUERY_MAX {
            self.queries.iter().for_each(|query| wake(*query));
        } else if let Some(texts) = column.as_string_opt::<i32>() {
            let found = texts.iter().flatten().filter_map(|text| self.texts.get(text));
            found.flatten().for_each(|query| wake(*query));
        } else if let Some(numbers) = numbers_of(column) {
            let numbers = numbers.as_primitive::<Int64Type>();
            let found = numbers.iter().flatten().filter_map(|number| self.numbers.get(&number));
            found.flatten().for_each(|query| wake(*query));
        } else {
            self.queries.iter().for_each(|query| wake(*query));
        }
    }
}

/// The column as whole numbers, if it is one of numbers, dates or timestamps.
fn numbers_of(column: &ArrayRef) -> Option<ArrayRef> {
    match column.data_type() {
        DataType::Int64 => Some(Arc::clone(column)),
        DataType::Int32 | DataType::Timestamp(TimeUnit::Microsecond, None) => cast(column, &DataType::Int64).ok(),
        DataType::Date32 => cast(&cast(column, &DataType::Int32).ok()?, &DataType::Int64).ok(),
        _ => None,
    }
}

/// The least and the largest value; without values, a range that meets none. `None`: not known.
fn bounds_of(column: &ArrayRef) -> Option<(i64, i64)> {
    let numbers = numbers_of(column)?;
    let numbers = numbers.as_primitive::<Int64Type>();
    Some(min(numbers).zip(max(numbers)).unwrap_or((i64::MAX, i64::MIN)))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use arrow::array::{Date32Array, Int32Array, Int64Array, StringArray};

    use super::*;

    const A: QueryId = QueryId(1);
    const B: QueryId = QueryId(2);
    const C: QueryId = QueryId(3);

    fn matching(gates: &Gates, columns: Vec<ArrayRef>) -> Vec<QueryId> {
        let len = columns[0].len();
        let mut woken = BTreeSet::new();
        gates.matching(&Batch::new(columns, None, len), &mut |query| {
            woken.insert(query);
        });
        woken.into_iter().collect()
    }

    #[test]
    fn only_queries_whose_constants_are_there_are_woken() {
        let mut gates = Gates::default();
        gates.add(A, &[Condition::Between(1, 0, 5), Condition::Numbers(0, vec![17, 4])]);
        gates.add(B, &[Condition::Texts(2, vec!["x".to_owned()])]);
        gates.add(C, &[Condition::Between(1, 3, i64::MAX), Condition::Between(0, i64::MIN, 9)]);
        let rows = |k: Vec<Option<i32>>, d: Vec<i32>, t: Vec<&str>| -> Vec<ArrayRef> {
            vec![Arc::new(Int32Array::from(k)), Arc::new(Date32Array::from(d)), Arc::new(StringArray::from(t))]
        };
        assert_eq!(matching(&gates, rows(vec![Some(5), None], vec![1, 2], vec!["y", ""])), []);
        assert_eq!(matching(&gates, rows(vec![Some(4), None], vec![9, 2], vec!["y", ""])), [A, C]);
        assert_eq!(matching(&gates, rows(vec![Some(90), Some(17)], vec![3, 3], vec!["x", "y"])), [A, B]);
        // a column of NULLs meets nothing
        assert_eq!(matching(&gates, rows(vec![None], vec![3], vec!["z"])), []);
        gates.remove(A);
        gates.remove(C);
        assert_eq!(matching(&gates, rows(vec![Some(4)], vec![9], vec!["x"])), [B]);
        assert_eq!(gates.queries().collect::<Vec<_>>(), [B]);
    }

    #[test]
    fn many_rows_for_few_queries_are_not_looked_at() {
        let mut gates = Gates::default();
        gates.add(A, &[Condition::Numbers(0, vec![-1])]);
        let rows = |n: usize| -> Vec<ArrayRef> { vec![Arc::new(Int64Array::from_iter_values(0..n as i64))] };
        assert_eq!(matching(&gates, rows(ROWS_PER_QUERY_MAX)), []);
        assert_eq!(matching(&gates, rows(ROWS_PER_QUERY_MAX + 1)), [A]);
    }
}
