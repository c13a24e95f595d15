//! Expressions over one row.
//!
//! What the engine does over columns with libraries is written out here: logic, comparison, integer and double
//! arithmetic, CASE, IN, BETWEEN, LIKE, subqueries. Named functions, text and calendar casts and the arithmetic of DECIMAL
//! are the engine's own over a batch of one row: comparing them is the business of the comparison with DuckDB.

use std::cmp::Ordering;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatchOptions};
use arrow::datatypes::{DataType, Schema};
use arrow::record_batch::RecordBatch;
use datafusion_common::{DFSchema, ScalarValue};
use datafusion_expr::expr::{Case, InList, InSubquery, Like};
use datafusion_expr::{ColumnarValue, Expr, ExprSchemable, LogicalPlan, Operator};
use millrace_planner::eval;

use crate::reference::Evaluator;
use crate::reference::aggregate::compare;

/// Why a row has no value.
pub type Failure = String;

/// The row that an expression looks at, and the row around its subquery.
#[derive(Clone, Copy)]
pub struct Scope<'a> {
    /// Columns of `row`.
    pub schema: &'a DFSchema,
    /// The row.
    pub row: &'a [ScalarValue],
    /// The outer query's row, within a subquery.
    pub outer: Option<&'a Scope<'a>>,
    /// The tick at which subqueries are evaluated.
    pub tick: u64,
}

const TRUE: ScalarValue = ScalarValue::Boolean(Some(true));
const UNKNOWN: ScalarValue = ScalarValue::Boolean(None);

fn truth(value: &ScalarValue) -> Option<bool> {
    match value {
        ScalarValue::Boolean(b) => *b,
        _ => None,
    }
}

fn boolean(value: Option<bool>) -> ScalarValue {
    ScalarValue::Boolean(value)
}

impl Evaluator<'_> {
    /// Whether a condition is TRUE; a failure is not.
    pub(crate) fn holds(&self, condition: &Expr, scope: Scope<'_>) -> bool {
        match self.expr(condition, scope) {
            Ok(value) => value == TRUE,
            Err(_) => {
                self.failed();
                false
            }
        }
    }

    /// The value of an expression.
    pub(crate) fn expr(&self, expr: &Expr, scope: Scope<'_>) -> Result<ScalarValue, Failure> {
        let is =
            |inner: &Expr, f: &dyn Fn(Option<bool>) -> bool| Ok(boolean(Some(f(truth(&self.expr(inner, scope)?)))));
        match expr {
            Expr::Alias(alias) => self.expr(&alias.expr, scope),
            Expr::Column(column) => {
                let at = scope.schema.index_of_column(column).map_err(|e| e.to_string())?;
                Ok(scope.row[at].clone())
            }
            Expr::OuterReferenceColumn(_, column) => {
                let mut around = scope.outer;
                while let Some(outer) = around {
                    if let Ok(at) = outer.schema.index_of_column(column) {
                        return Ok(outer.row[at].clone());
                    }
                    around = outer.outer;
                }
                Err(format!("no outer row has {column}"))
            }
            Expr::Literal(value, _) => Ok(value.clone()),
            Expr::Not(inner) => Ok(boolean(truth(&self.expr(inner, scope)?).map(|b| !b))),
            Expr::IsNull(inner) => Ok(boolean(Some(self.expr(inner, scope)?.is_null()))),
            Expr::IsNotNull(inner) => Ok(boolean(Some(!self.expr(inner, scope)?.is_null()))),
            Expr::IsTrue(inner) => is(inner, &|b| b == Some(true)),
            Expr::IsNotTrue(inner) => is(inner, &|b| b != Some(true)),
            Expr::IsFalse(inner) => is(inner, &|b| b == Some(false)),
            Expr::IsNotFalse(inner) => is(inner, &|b| b != Some(false)),
            Expr::IsUnknown(inner) => is(inner, &|b| b.is_none()),
            Expr::IsNotUnknown(inner) => is(inner, &|b| b.is_some()),
            Expr::BinaryExpr(binary) => {
                let (left, right) = (self.expr(&binary.left, scope)?, self.expr(&binary.right, scope)?);
                match self.binary(binary.op, &left, &right) {
                    Some(result) => result,
                    None => self.by_library(expr, scope),
                }
            }
            Expr::Between(between) => {
                let value = self.expr(&between.expr, scope)?;
                let (low, high) = (self.expr(&between.low, scope)?, self.expr(&between.high, scope)?);
                let above = self.binary(Operator::GtEq, &value, &low).ok_or("BETWEEN")??;
                let below = self.binary(Operator::LtEq, &value, &high).ok_or("BETWEEN")??;
                let within = and(truth(&above), truth(&below));
                Ok(boolean(within.map(|b| b != between.negated)))
            }
            Expr::Like(like) => self.like(like, scope),
            Expr::Case(case) => self.case(case, expr, scope),
            Expr::InList(list) => self.in_list(list, scope),
            Expr::Exists(exists) => {
                let rows = self.subquery(&exists.subquery.subquery, scope)?;
                Ok(boolean(Some(rows.is_empty() == exists.negated)))
            }
            Expr::InSubquery(subquery) => self.in_subquery(subquery, scope),
            Expr::ScalarSubquery(subquery) => {
                let rows = self.subquery(&subquery.subquery, scope)?;
                let null = || ScalarValue::try_from(subquery.subquery.schema().field(0).data_type());
                match rows.as_slice() {
                    [] => null().map_err(|e| e.to_string()),
                    [row] => Ok(row[0].clone()),
                    _ => {
                        // an error of the query, not of the row: the row goes on with NULL
                        self.failed();
                        null().map_err(|e| e.to_string())
                    }
                }
            }
            _ => self.by_library(expr, scope),
        }
    }

    fn subquery(&self, plan: &LogicalPlan, scope: Scope<'_>) -> Result<Vec<Vec<ScalarValue>>, Failure> {
        let rows = self.plan(plan, scope.tick, Some(&scope))?;
        Ok(rows.into_iter().map(|r| r.values).collect())
    }

    /// Logic, comparison and plain arithmetic; `None` for what the library does.
    fn binary(&self, op: Operator, left: &ScalarValue, right: &ScalarValue) -> Option<Result<ScalarValue, Failure>> {
        let order = || {
            let both = !left.is_null() && !right.is_null();
            both.then(|| compare(left, right, false, false))
        };
        let compared = |f: fn(Ordering) -> bool| Some(Ok(boolean(order().map(f))));
        let distinct = !(left.is_null() && right.is_null()) && order() != Some(Ordering::Equal);
        match op {
            Operator::And => Some(Ok(boolean(and(truth(left), truth(right))))),
            Operator::Or => {
                let neither = and(truth(left).map(|b| !b), truth(right).map(|b| !b));
                Some(Ok(boolean(neither.map(|b| !b))))
            }
            Operator::Eq => compared(|o| o == Ordering::Equal),
            Operator::NotEq => compared(|o| o != Ordering::Equal),
            Operator::Lt => compared(|o| o == Ordering::Less),
            Operator::LtEq => compared(|o| o != Ordering::Greater),
            Operator::Gt => compared(|o| o == Ordering::Greater),
            Operator::GtEq => compared(|o| o != Ordering::Less),
            Operator::IsDistinctFrom => Some(Ok(boolean(Some(distinct)))),
            Operator::IsNotDistinctFrom => Some(Ok(boolean(Some(!distinct)))),
            _ => arithmetic(op, left, right),
        }
    }

    fn like(&self, like: &Like, scope: Scope<'_>) -> Result<ScalarValue, Failure> {
        let (value, pattern) = (self.expr(&like.expr, scope)?, self.expr(&like.pattern, scope)?);
        let (Some(Some(value)), Some(Some(pattern))) = (value.try_as_str(), pattern.try_as_str()) else {
            return Ok(UNKNOWN);
        };
        let fold = |text: &str| if like.case_insensitive { text.to_lowercase() } else { text.to_owned() };
        let (value, pattern): (Vec<char>, Vec<char>) = (fold(value).chars().collect(), fold(pattern).chars().collect());
        let matches = matches_pattern(&value, &pattern, like.escape_char.unwrap_or('\\'));
        Ok(boolean(Some(matches != like.negated)))
    }

    fn case(&self, case: &Case, whole: &Expr, scope: Scope<'_>) -> Result<ScalarValue, Failure> {
        let base = case.expr.as_ref().map(|e| self.expr(e, scope)).transpose()?;
        for (when, then) in &case.when_then_expr {
            let when = self.expr(when, scope)?;
            let hit = match &base {
                Some(base) => self.binary(Operator::Eq, base, &when).ok_or("CASE")?? == TRUE,
                None => when == TRUE,
            };
            if hit {
                return self.expr(then, scope);
            }
        }
        match &case.else_expr {
            Some(otherwise) => self.expr(otherwise, scope),
            None => {
                let data_type = whole.get_type(scope.schema).map_err(|e| e.to_string())?;
                ScalarValue::try_from(&data_type).map_err(|e| e.to_string())
            }
        }
    }

    fn in_list(&self, list: &InList, scope: Scope<'_>) -> Result<ScalarValue, Failure> {
        let value = self.expr(&list.expr, scope)?;
        let items = list.list.iter().map(|e| self.expr(e, scope)).collect::<Result<Vec<_>, _>>()?;
        Ok(boolean(member(&value, &items).map(|b| b != list.negated)))
    }

    fn in_subquery(&self, query: &InSubquery, scope: Scope<'_>) -> Result<ScalarValue, Failure> {
        let value = self.expr(&query.expr, scope)?;
        let rows = self.subquery(&query.subquery.subquery, scope)?;
        let items: Vec<ScalarValue> = rows.into_iter().map(|r| r[0].clone()).collect();
        Ok(boolean(member(&value, &items).map(|b| b != query.negated)))
    }

    /// The engine's own expression over a batch of this one row.
    fn by_library(&self, expr: &Expr, scope: Scope<'_>) -> Result<ScalarValue, Failure> {
        let text = |e: datafusion_common::DataFusionError| e.strip_backtrace();
        let columns = scope.row.iter().map(|v| v.to_array().map_err(text)).collect::<Result<Vec<ArrayRef>, _>>()?;
        let schema = Arc::new(Schema::new(scope.schema.fields().iter().cloned().collect::<Vec<_>>()));
        let options = RecordBatchOptions::new().with_row_count(Some(1));
        let batch = RecordBatch::try_new_with_options(schema, columns, &options).map_err(|e| e.to_string())?;
        let runnable = eval::physical(expr, scope.schema).map_err(text)?;
        match runnable.evaluate(&batch).map_err(text)? {
            ColumnarValue::Scalar(value) => Ok(value),
            ColumnarValue::Array(column) => ScalarValue::try_from_array(&column, 0).map_err(text),
        }
    }
}

fn and(a: Option<bool>, b: Option<bool>) -> Option<bool> {
    match (a, b) {
        (Some(false), _) | (_, Some(false)) => Some(false),
        (Some(true), Some(true)) => Some(true),
        _ => None,
    }
}

/// Whether a value is among others: unknown when it is not but a NULL is in the way.
fn member(value: &ScalarValue, items: &[ScalarValue]) -> Option<bool> {
    if items.is_empty() {
        return Some(false);
    }
    if value.is_null() {
        return None;
    }
    if items.iter().any(|i| !i.is_null() && compare(value, i, false, false) == Ordering::Equal) {
        return Some(true);
    }
    if items.iter().any(ScalarValue::is_null) { None } else { Some(false) }
}

/// `%` is any run, `_` any character, the escape makes the next one plain.
fn matches_pattern(text: &[char], pattern: &[char], escape: char) -> bool {
    match pattern {
        [] => text.is_empty(),
        [c, plain, rest @ ..] if *c == escape => {
            text.first() == Some(plain) && matches_pattern(&text[1..], rest, escape)
        }
        ['%', rest @ ..] => (0..=text.len()).any(|i| matches_pattern(&text[i..], rest, escape)),
        ['_', rest @ ..] => !text.is_empty() && matches_pattern(&text[1..], rest, escape),
        [c, rest @ ..] => text.first() == Some(c) && matches_pattern(&text[1..], rest, escape),
    }
}

/// Integer and double arithmetic that fails instead of wrapping.
fn arithmetic(op: Operator, left: &ScalarValue, right: &ScalarValue) -> Option<Result<ScalarValue, Failure>> {
    let integers = |a: Option<i128>, b: Option<i128>, finish: fn(Option<i128>) -> Result<ScalarValue, Failure>| {
        let (Some(a), Some(b)) = (a, b) else { return Some(finish(None)) };
        let zero = || "division by zero".to_owned();
        let result = match op {
            Operator::Plus => Ok(a + b),
            Operator::Minus => Ok(a - b),
            Operator::Multiply => Ok(a * b),
            Operator::Divide => a.checked_div(b).ok_or_else(zero),
            Operator::Modulo => a.checked_rem(b).ok_or_else(zero),
            _ => return None,
        };
        Some(result.and_then(|r| finish(Some(r))))
    };
    match (left, right) {
        (ScalarValue::Int64(a), ScalarValue::Int64(b)) => integers(a.map(i128::from), b.map(i128::from), |r| {
            let narrow = |r: i128| i64::try_from(r).map_err(|_| "BIGINT out of range".to_owned());
            Ok(ScalarValue::Int64(r.map(narrow).transpose()?))
        }),
        (ScalarValue::Int32(a), ScalarValue::Int32(b)) => integers(a.map(i128::from), b.map(i128::from), |r| {
            let narrow = |r: i128| i32::try_from(r).map_err(|_| "INT out of range".to_owned());
            Ok(ScalarValue::Int32(r.map(narrow).transpose()?))
        }),
        (ScalarValue::Float64(a), ScalarValue::Float64(b)) => {
            let (Some(a), Some(b)) = (a, b) else { return Some(Ok(ScalarValue::Float64(None))) };
            let result = match op {
                Operator::Plus => a + b,
                Operator::Minus => a - b,
                Operator::Multiply => a * b,
                Operator::Divide | Operator::Modulo if *b == 0.0 => {
                    return Some(Err("division by zero".to_owned()));
                }
                Operator::Divide => a / b,
                Operator::Modulo => a % b,
                _ => return None,
            };
            let finite = a.is_finite() && b.is_finite();
            let vanishing = matches!(op, Operator::Multiply | Operator::Divide) && *a != 0.0 && *b != 0.0;
            if finite && (result.is_infinite() || (vanishing && result == 0.0)) {
                return Some(Err("DOUBLE out of range".to_owned()));
            }
            Some(Ok(ScalarValue::Float64(Some(millrace_data::canonical::canonical_f64(result)))))
        }
        _ => None,
    }
}

/// The type of an expression, for callers outside.
pub fn type_of(expr: &Expr, schema: &DFSchema) -> Result<DataType, Failure> {
    expr.get_type(schema).map_err(|e| e.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        let is = |text: &str, pattern: &str| {
            let (text, pattern): (Vec<char>, Vec<char>) = (text.chars().collect(), pattern.chars().collect());
            matches_pattern(&text, &pattern, '\\')
        };
        assert!(is("Invalid user x", "%Invalid user%"));
        assert!(is("ab", "a_") && !is("a", "a_") && is("", "%") && !is("", "_"));
        assert!(is("50%", "50\\%") && !is("50x", "50\\%"));
    }

    #[test]
    fn null_in_a_list_hides_absence() {
        let int = |x| ScalarValue::Int64(Some(x));
        let null = ScalarValue::Int64(None);
        assert_eq!(member(&int(1), &[int(1), null.clone()]), Some(true));
        assert_eq!(member(&int(2), &[int(1), null.clone()]), None);
        assert_eq!(member(&int(2), &[int(1)]), Some(false));
        assert_eq!(member(&null, &[]), Some(false));
        assert_eq!(member(&null, &[int(1)]), None);
    }
}
