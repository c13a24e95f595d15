//! Calls of aggregates.
//!
//! A call found in an expression is noted as an [`AggregateCall`] and stands there as a column of its own, until
//! [`grouping`](super::grouping) has made the groups.

use arrow::datatypes::DataType;
use datafusion_common::Column;
use datafusion_expr::{Expr, SortExpr};
use sqlparser::ast;

use super::coerce::{Typed, at};
use super::expr::Cx;
use super::expr::over::is_number_of_row;
use super::{Binder, column, internal};
use crate::error::{ErrorKind, PlanError, Result, Span};
use crate::eval::types::type_name;
use crate::function::aggregate::{Shape, shape};
use crate::plan::AggregateFunction;

/// Qualifier of the columns that stand for results of aggregates.
const RESULT: &str = "#result";
/// Qualifier of the columns that stand for elements of EXPLODE.
pub(crate) const ELEMENT: &str = "#element";

/// Whether a column stands for the result of an aggregate, an element of EXPLODE or the number of a row.
pub(crate) fn is_placeholder(column: &Column) -> bool {
    let qualifier = column.relation.as_ref().map(|relation| relation.table());
    qualifier == Some(RESULT) || qualifier == Some(ELEMENT) || is_number_of_row(column)
}

/// A call of an aggregate, with the column that stands for its result.
#[derive(Clone, Debug)]
pub(crate) struct AggregateCall {
    pub(crate) function: AggregateFunction,
    pub(crate) args: Vec<Expr>,
    pub(crate) distinct: bool,
    pub(crate) filter: Option<Expr>,
    pub(crate) order: Vec<SortExpr>,
    pub(crate) data_type: DataType,
    pub(crate) column: Column,
}

/// What the name of an aggregate asks for.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Named {
    /// The function, over distinct values if so.
    Function(AggregateFunction, bool),
    /// ARRAY_AGG: as COLLECT_LIST, but NULL over no rows.
    ArrayAgg,
    /// STRING_AGG(text, separator).
    StringAgg,
    /// LATEST_BY_OFFSET and EARLIEST_BY_OFFSET (value [, n] [, ignore NULLs]).
    ByOffset { latest: bool },
}

/// Names of aggregates.
pub(crate) const NAMES: [&str; 31] = [
    "count",
    "count_distinct",
    "sum",
    "avg",
    "mean",
    "min",
    "max",
    "stddev",
    "stddev_pop",
    "stddev_samp",
    "stddev_sample",
    "stddev_sampl",
    "variance",
    "var",
    "var_pop",
    "var_samp",
    "var_sample",
    "var_population",
    "bool_and",
    "bool_or",
    "every",
    "collect_list",
    "collect_set",
    "array_agg",
    "string_agg",
    "listagg",
    "latest_by_offset",
    "earliest_by_offset",
    "last_value",
    "first_value",
    "any_value",
];

/// All names of aggregates.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    NAMES.into_iter()
}

/// Aggregates of other systems.
pub(crate) fn is_foreign(name: &str) -> bool {
    matches!(
        name,
        "topk"
            | "topkdistinct"
            | "histogram"
            | "median"
            | "corr"
            | "covar"
            | "covar_pop"
            | "covar_samp"
            | "correlation"
            | "percentile_cont"
            | "percentile_disc"
            | "approx_distinct"
            | "approx_median"
            | "approx_percentile_cont"
            | "approx_count_distinct"
            | "bit_and"
            | "bit_or"
            | "bit_xor"
            | "mode"
            | "nth_value"
            | "regr_slope"
            | "regr_intercept"
            | "json_agg"
            | "jsonb_agg"
    )
}

/// The aggregate of this name.
pub(crate) fn aggregate_named(name: &str) -> Option<Named> {
    use AggregateFunction as F;
    let plain = |function| Some(Named::Function(function, false));
    match name {
        "count" => plain(F::Count),
        "count_distinct" => Some(Named::Function(F::Count, true)),
        "sum" => plain(F::Sum),
        "avg" | "mean" => plain(F::Avg),
        "min" => plain(F::Min),
        "max" => plain(F::Max),
        "stddev" | "stddev_samp" | "stddev_sample" | "stddev_sampl" => plain(F::Stddev { population: false }),
        "stddev_pop" => plain(F::Stddev { population: true }),
        "variance" | "var" | "var_samp" | "var_sample" => plain(F::Variance { population: false }),
        "var_pop" | "var_population" => plain(F::Variance { population: true }),
        "bool_and" | "every" => plain(F::BoolAnd),
        "bool_or" => plain(F::BoolOr),
        "collect_list" => plain(F::CollectList),
        "collect_set" => plain(F::CollectSet),
        "array_agg" => Some(Named::ArrayAgg),
        "string_agg" | "listagg" => Some(Named::StringAgg),
        "latest_by_offset" | "last_value" => Some(Named::ByOffset { latest: true }),
        "earliest_by_offset" | "first_value" | "any_value" => Some(Named::ByOffset { latest: false }),
        _ => None,
    }
}

impl Binder<'_> {
    /// A call of an aggregate.
    pub(crate) fn bind_aggregate_call(
        &mut self,
        named: Named,
        written: &str,
        call: &ast::Function,
        span: Option<Span>,
        cx: &mut Cx<'_>,
    ) -> Result<Typed> {
        let upper = written.to_uppercase();
        let Some(collected) = cx.aggregates.take() else {
            let (message, detail) = match cx.in_aggregate {
                true => (format!("{upper} stands inside another aggregate"), "An aggregate takes rows, not groups."),
                false => (format!("{upper} cannot stand in {}", cx.place), "Rows are grouped behind it."),
            };
            let error = at(PlanError::new(ErrorKind::Grouping, message), span).detail(detail);
            return Err(match cx.place {
                "WHERE" => error.hint("a condition on groups stands in HAVING"),
                _ => error,
            });
        };
        cx.in_aggregate = true;
        let explodes = cx.explodes.take();
        let row_numbers = cx.row_numbers.take();
        let bound = self.bind_aggregate_parts(named, &upper, call, span, cx);
        cx.in_aggregate = false;
        cx.explodes = explodes;
        cx.row_numbers = row_numbers;
        let result = bound.map(|(mut call, wrap)| {
            let same = |other: &&mut AggregateCall| {
                (&other.function, &other.args, other.distinct, &other.filter, &other.order)
                    == (&call.function, &call.args, call.distinct, &call.filter, &call.order)
            };
            let column = match collected.iter_mut().find(same) {
                Some(known) => known.column.clone(),
                None => {
                    let column = column(RESULT, self.fresh(&upper));
                    call.column = column.clone();
                    collected.push(call.clone());
                    column
                }
            };
            let typed = Typed::new(Expr::Column(column), call.data_type.clone());
            (typed, wrap)
        });
        cx.aggregates = Some(collected);
        let (typed, wrap) = result?;
        if wrap { self.null_if_empty(typed) } else { Ok(typed) }
    }

    /// The call, and whether an empty list of its means NULL.
    fn bind_aggregate_parts(
        &mut self,
        named: Named,
        upper: &str,
        call: &ast::Function,
        span: Option<Span>,
        cx: &mut Cx<'_>,
    ) -> Result<(AggregateCall, bool)> {
        let wrap = named == Named::ArrayAgg;
        let (mut distinct, order, ignore_nulls) = self.argument_clauses(call, span, cx)?;
        let star = matches!(&call.args, ast::FunctionArguments::List(list)
            if matches!(list.args.as_slice(), [ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Wildcard)]));
        let exprs = if star { vec![] } else { self.call_args(call, span)? };
        let (bound, spans) = self.bind_all(&exprs, cx)?;
        let (function, bound) = self.resolve_named(named, upper, bound, ignore_nulls, &mut distinct, span)?;
        let n_args = bound.len();
        let fits = match function {
            AggregateFunction::Count => star || n_args >= 1,
            _ => n_args == 1 && !star,
        };
        if !fits {
            let takes = if function == AggregateFunction::Count { "* or values" } else { "one value" };
            let error = PlanError::new(ErrorKind::UndefinedFunction, format!("{upper} takes {takes}"));
            return Err(at(error, span));
        }
        let mut args = vec![];
        let mut data_type = DataType::Int64;
        for (i, arg) in bound.into_iter().enumerate() {
            let place = spans.get(i).copied().flatten();
            match shape(&function, &arg.data_type) {
                Shape::Answers { argument, result } => {
                    args.push(arg.cast(&argument, place)?.expr);
                    data_type = result;
                }
                Shape::Refuses(wanted) => {
                    let message = format!("{upper} takes {wanted}, this is {}", type_name(&arg.data_type));
                    return Err(at(PlanError::new(ErrorKind::TypeMismatch, message), place));
                }
            }
        }
        let filter = match &call.filter {
            Some(filter) => Some(self.bind_predicate(filter, cx)?),
            None => None,
        };
        let distinct = distinct && !matches!(function, AggregateFunction::Min | AggregateFunction::Max);
        let column = Column::new_unqualified("");
        Ok((AggregateCall { function, args, distinct, filter, order, data_type, column }, wrap))
    }

    /// The function, and the arguments that are values; the others are its parameters.
    fn resolve_named(
        &self,
        named: Named,
        upper: &str,
        mut bound: Vec<Typed>,
        ignore_nulls: Option<bool>,
        distinct: &mut bool,
        span: Option<Span>,
    ) -> Result<(AggregateFunction, Vec<Typed>)> {
        let bad = |what: &str| at(PlanError::new(ErrorKind::InvalidParameter, format!("{upper} takes {what}")), span);
        let function = match named {
            Named::Function(function, of_distinct) => {
                *distinct |= of_distinct;
                function
            }
            Named::ArrayAgg => AggregateFunction::CollectList,
            Named::StringAgg => {
                let separator = match (bound.len(), bound.pop()) {
                    (2, Some(separator)) => separator.text().map(str::to_string),
                    (1, Some(value)) if upper == "LISTAGG" => {
                        bound.push(value);
                        Some(String::new())
                    }
                    _ => None,
                };
                let separator = separator.ok_or_else(|| bad("a text and a separator: STRING_AGG(name, ', ')"))?;
                AggregateFunction::StringAgg { separator }
            }
            Named::ByOffset { latest } => {
                let mut n = None;
                // KSQL's functions pass over NULLs, SQL's FIRST_VALUE and LAST_VALUE do not
                let mut ignore_nulls = ignore_nulls.unwrap_or(upper.ends_with("BY_OFFSET"));
                for parameter in bound.drain(1.min(bound.len())..) {
                    match (&parameter.expr, parameter.integer()) {
                        (_, Some(count)) if count > 0 => n = usize::try_from(count).ok(),
                        (Expr::Literal(datafusion_common::ScalarValue::Boolean(Some(flag)), _), _) => {
                            ignore_nulls = *flag
                        }
                        _ => return Err(bad("a value, a positive number, TRUE or FALSE")),
                    }
                }
                match latest {
                    true => AggregateFunction::Latest { n, ignore_nulls },
                    false => AggregateFunction::Earliest { n, ignore_nulls },
                }
            }
        };
        Ok((function, bound))
    }

    /// DISTINCT, ORDER BY and IGNORE NULLS of a call.
    fn argument_clauses(
        &mut self,
        call: &ast::Function,
        span: Option<Span>,
        cx: &mut Cx<'_>,
    ) -> Result<(bool, Vec<SortExpr>, Option<bool>)> {
        let mut nulls = call.null_treatment;
        let mut order = vec![];
        let mut distinct = false;
        let mut order_by: Vec<&ast::OrderByExpr> = call.within_group.iter().collect();
        if let ast::FunctionArguments::List(list) = &call.args {
            distinct = list.duplicate_treatment == Some(ast::DuplicateTreatment::Distinct);
            for clause in &list.clauses {
                match clause {
                    ast::FunctionArgumentClause::OrderBy(exprs) => order_by.extend(exprs),
                    ast::FunctionArgumentClause::IgnoreOrRespectNulls(treatment) => nulls = Some(*treatment),
                    other => return Err(at(PlanError::not_supported(format!("{other} in an aggregate")), span)),
                }
            }
        }
        for key in order_by {
            let expr = self.bind_expr(&key.expr, cx)?;
            let ascending = key.options.asc.unwrap_or(true);
            let nulls_first = key.options.nulls_first.unwrap_or(!ascending);
            order.push(SortExpr::new(expr.expr, ascending, nulls_first));
        }
        let ignore = nulls.map(|treatment| treatment == ast::NullTreatment::IgnoreNulls);
        Ok((distinct, order, ignore))
    }

    /// NULL in the place of an empty list.
    fn null_if_empty(&self, list: Typed) -> Result<Typed> {
        let data_type = list.data_type.clone();
        let null = datafusion_common::ScalarValue::try_from(&data_type).map_err(|error| internal(&error))?;
        let empty = self.udf_call("cardinality", vec![list.expr.clone()])?;
        let is_empty = empty.eq(datafusion_expr::lit(0_u64));
        let case = datafusion_expr::expr::Case::new(
            None,
            vec![(Box::new(is_empty), Box::new(datafusion_expr::lit(null)))],
            Some(Box::new(list.expr)),
        );
        Ok(Typed::new(Expr::Case(case), data_type))
    }
}
