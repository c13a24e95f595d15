//! Table functions of FROM: `TUMBLE(TABLE t, DESCRIPTOR(time), INTERVAL …)` and `HOP`.
//!
//! They give each row its windows as two columns more, WINDOW_START and WINDOW_END (TIMESTAMP): TUMBLE one, HOP as many
//! as hold the row's time. Windows are aligned to the epoch and hold their start but not their end. That is a function
//! of the row alone: nothing is late and nothing closes, as it does with WINDOW. A row without a time has no window and
//! does not come out. The time is a TIMESTAMP, or a BIGINT in epoch ms such as ROWTIME.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_common::{Column, ScalarValue};
use datafusion_expr::{Expr, Filter, LogicalPlan, Projection, lit};
use sqlparser::ast;

use super::coerce::at;
use super::expr::Cx;
use super::from::From;
use super::query::Facts;
use super::scope::ScopeColumn;
use super::{Binder, Env, column, internal, named};
use crate::error::{ErrorKind, PlanError, Result, Span};
use crate::eval::scalar::window::WINDOWS_MAX;
use crate::eval::types::{TIMESTAMP, type_name};
use crate::logical::Node;
use crate::logical::explode::Explode;
use crate::sql::name::fold;

/// A call in FROM.
pub(super) struct Call<'c> {
    pub(super) name: &'c ast::ObjectName,
    pub(super) args: &'c [ast::FunctionArg],
    pub(super) alias: Option<&'c ast::TableAlias>,
    pub(super) span: Option<Span>,
}

/// Length and distance of windows, µs.
#[derive(Clone, Copy)]
struct Shape {
    size: i64,
    slide: i64,
}

impl Binder<'_> {
    /// The rows of a table function.
    pub(super) fn bind_table_function(&mut self, call: &Call<'_>, env: &Env<'_>) -> Result<From> {
        let name = self.name_of(call.name)?.catalog_name();
        if !matches!(name.as_str(), "TUMBLE" | "HOP") {
            return Err(at(PlanError::not_supported(format!("the table function {name}")), call.span));
        }
        let args = call.args.iter().map(|arg| match arg {
            ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expr)) => Ok(expr),
            other => Err(at(PlanError::not_supported(format!("the argument {other}")), call.span)),
        });
        let args: Vec<&ast::Expr> = args.collect::<Result<_>>()?;
        let (table, time, shape) = match (name.as_str(), args.as_slice()) {
            ("TUMBLE", [table, time, size]) => {
                let size = self.window_micros(size)?;
                (table, time, Shape { size, slide: size })
            }
            ("HOP", [table, time, slide, size]) => {
                (table, time, Shape { slide: self.window_micros(slide)?, size: self.window_micros(size)? })
            }
            _ => {
                let distance = if name == "HOP" { "INTERVAL '2' SECOND, " } else { "" };
                let error = PlanError::new(ErrorKind::UndefinedFunction, format!("there is no such {name}"));
                let form = format!("{name}(TABLE t, DESCRIPTOR(time), {distance}INTERVAL '10' SECOND)");
                return Err(at(error, call.span).hint(form));
            }
        };
        self.check_shape(shape, call.span)?;
        let from = self.windowed_table(table, call, env)?;
        let time = self.window_time(time, &from, env)?;
        self.with_windows(from, time, shape)
    }

    fn check_shape(&self, shape: Shape, span: Option<Span>) -> Result<()> {
        let refused = |message: String| Err(at(PlanError::new(ErrorKind::InvalidParameter, message), span));
        if shape.slide > shape.size {
            return refused("windows are further apart than they are long: rows between two would be in none".into());
        }
        if shape.size / shape.slide > WINDOWS_MAX {
            return refused(format!("a row would be in more than {WINDOWS_MAX} windows"));
        }
        Ok(())
    }

    /// `TABLE t` or `t`.
    fn windowed_table(&mut self, table: &ast::Expr, call: &Call<'_>, env: &Env<'_>) -> Result<From> {
        let inner = match table {
            ast::Expr::Prefixed { value, .. } => value,
            other => other,
        };
        let parts = match inner {
            ast::Expr::Identifier(ident) => vec![ident.clone()],
            ast::Expr::CompoundIdentifier(idents) => idents.clone(),
            _ => {
                let error = PlanError::new(ErrorKind::Syntax, "the first argument is a relation: TABLE t");
                return Err(at(error, self.span(table)).hint("a query can be given a name by WITH"));
            }
        };
        if call.alias.is_some_and(|alias| !alias.columns.is_empty()) {
            return Err(at(PlanError::not_supported("names of columns behind a table function"), call.span));
        }
        self.bind_relation(&ast::ObjectName::from(parts), call.alias, env)
    }

    /// `DESCRIPTOR(column)` or `column`, as a TIMESTAMP.
    fn window_time(&mut self, time: &ast::Expr, from: &From, env: &Env<'_>) -> Result<Expr> {
        let span = self.span(time);
        let named = match time {
            ast::Expr::Function(call) if fold_name(&call.name) == "DESCRIPTOR" => {
                match self.call_args(call, span)?.as_slice() {
                    [column] => Some((*column).clone()),
                    _ => None,
                }
            }
            other => Some(other.clone()),
        };
        let is_column = |expr: &ast::Expr| matches!(expr, ast::Expr::Identifier(_) | ast::Expr::CompoundIdentifier(_));
        let Some(column) = named.filter(is_column) else {
            let error = PlanError::new(ErrorKind::Syntax, "the second argument is a column: DESCRIPTOR(time)");
            return Err(at(error, span));
        };
        let bound = self.bind_expr(&column, &mut Cx::plain(&from.scope, env, "DESCRIPTOR"))?;
        match &bound.data_type {
            data_type if *data_type == TIMESTAMP => Ok(bound.expr),
            DataType::Int64 => Ok(self.call_scalar("from_unixtime", vec![bound], &[span], span)?.expr),
            other => {
                let message = format!("windows are over a TIMESTAMP or epoch ms, this is {}", type_name(other));
                Err(at(PlanError::new(ErrorKind::TypeMismatch, message), self.span(&column)))
            }
        }
    }

    /// A length of time in µs.
    fn window_micros(&mut self, length: &ast::Expr) -> Result<i64> {
        let span = self.span(length);
        let (scope, env) = (Default::default(), Env::default());
        let bound = self.bind_expr(length, &mut Cx::plain(&scope, &env, "a window"))?;
        let micros = match &bound.expr {
            Expr::Literal(ScalarValue::IntervalMonthDayNano(Some(length)), _) if length.months == 0 => {
                i64::from(length.days)
                    .checked_mul(86_400_000_000)
                    .and_then(|days| days.checked_add(length.nanoseconds / 1000))
            }
            _ => None,
        };
        micros.filter(|micros| *micros > 0).ok_or_else(|| {
            let error = PlanError::new(ErrorKind::InvalidParameter, "the length of a window is an INTERVAL above zero");
            at(error, span).hint("INTERVAL '10' SECOND; months and years are not all equally long")
        })
    }

    /// The rows with WINDOW_START and WINDOW_END behind them.
    fn with_windows(&mut self, from: From, time: Expr, shape: Shape) -> Result<From> {
        let qualifier = self.fresh("WINDOW");
        let (start, end) = (column(&qualifier, "WINDOW_START"), column(&qualifier, "WINDOW_END"));
        let known = time.clone().is_not_null();
        let timed = Filter::try_new(known, Arc::new(from.plan)).map_err(|error| internal(&error))?;
        let timed = LogicalPlan::Filter(timed);
        let mut facts = Facts { is_table_scan: false, ..from.facts };
        let mut plan = match shape.size == shape.slide {
            true => beside(timed, self.udf_call("window_start", vec![time, lit(shape.size)])?, &start)?,
            false => {
                facts.key = None;
                let starts = self.udf_call("window_starts", vec![time, lit(shape.slide), lit(shape.size)])?;
                let op = Explode { columns: vec![start.clone()], keep_empty: false };
                Node::plan(op, vec![beside(timed, starts, &start)?]).map_err(|error| internal(&error))?
            }
        };
        let ends = self.udf_call("window_end", vec![Expr::Column(start.clone()), lit(shape.size)])?;
        plan = beside(plan, ends, &end)?;
        let mut scope = from.scope;
        let relation = scope.relations.first().map(|relation| relation.name.clone());
        for made in [start, end] {
            scope.columns.push(ScopeColumn {
                relation: relation.clone(),
                name: made.name.clone(),
                column: made,
                data_type: TIMESTAMP,
                hidden: false,
                merged: false,
            });
        }
        Ok(From { plan, scope, facts })
    }
}

fn fold_name(name: &ast::ObjectName) -> String {
    match name.0.as_slice() {
        [ast::ObjectNamePart::Identifier(ident)] => fold(ident),
        _ => name.to_string(),
    }
}

/// A column behind those of a plan.
fn beside(plan: LogicalPlan, expr: Expr, made: &Column) -> Result<LogicalPlan> {
    let mut exprs: Vec<Expr> = plan.schema().columns().into_iter().map(Expr::Column).collect();
    exprs.push(named(expr, made));
    let projection = Projection::try_new(exprs, Arc::new(plan)).map_err(|error| internal(&error))?;
    Ok(LogicalPlan::Projection(projection))
}
