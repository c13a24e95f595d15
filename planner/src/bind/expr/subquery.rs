//! Subqueries in expressions: IN, EXISTS, scalar, ANY and ALL.
//!
//! They stay expressions in the bound plan, with the plan of the subquery inside; what it takes from the query around
//! is an `OuterReferenceColumn` there, at any depth.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_common::Spans;
use datafusion_expr::expr::{Exists, InSubquery, SetComparison, SetQuantifier};
use datafusion_expr::{Expr, LogicalPlan, Operator, Projection, Subquery};
use sqlparser::ast;

use super::Cx;
use crate::bind::coerce::{Typed, at, common};
use crate::bind::query::Bound;
use crate::bind::{Binder, Env, Outer, internal};
use crate::error::{ErrorKind, PlanError, Result, Span};
use crate::eval::types::type_name;
use crate::logical::Node;
use crate::logical::at_most_one::AtMostOne;

impl Binder<'_> {
    /// `x [NOT] IN (SELECT …)`.
    pub(crate) fn bind_in_subquery(
        &mut self,
        arg: &ast::Expr,
        query: &ast::Query,
        negated: bool,
        cx: &mut Cx<'_>,
    ) -> Result<Typed> {
        let (arg, subquery) = self.operand_and_subquery(arg, query, cx)?;
        let test = InSubquery::new(Box::new(arg), subquery, negated);
        Ok(Typed::new(Expr::InSubquery(test), DataType::Boolean))
    }

    /// `[NOT] EXISTS (SELECT …)`.
    pub(crate) fn bind_exists(&mut self, query: &ast::Query, negated: bool, cx: &mut Cx<'_>) -> Result<Typed> {
        let bound = self.inner_query(query, cx)?;
        let subquery = as_subquery(bound.plan);
        Ok(Typed::new(Expr::Exists(Exists { subquery, negated }), DataType::Boolean))
    }

    /// `(SELECT …)` as a value.
    pub(crate) fn bind_scalar_subquery(&mut self, query: &ast::Query, cx: &mut Cx<'_>) -> Result<Typed> {
        let span = self.span(query);
        let bound = self.inner_query(query, cx)?;
        let (plan, data_type) = single_column(bound, span)?;
        let plan = match is_one_row(&plan) {
            true => plan,
            false => Node::plan(AtMostOne { keys: vec![] }, vec![plan]).map_err(|error| internal(&error))?,
        };
        Ok(Typed::new(Expr::ScalarSubquery(as_subquery(plan)), data_type))
    }

    /// `x op ANY (SELECT …)`, `x op ALL (SELECT …)`.
    pub(crate) fn bind_quantified(
        &mut self,
        arg: &ast::Expr,
        op: &ast::BinaryOperator,
        right: &ast::Expr,
        all: bool,
        cx: &mut Cx<'_>,
    ) -> Result<Typed> {
        use ast::BinaryOperator as B;
        let span = self.span(arg);
        let operator = match op {
            B::Eq => Operator::Eq,
            B::NotEq => Operator::NotEq,
            B::Lt => Operator::Lt,
            B::LtEq => Operator::LtEq,
            B::Gt => Operator::Gt,
            B::GtEq => Operator::GtEq,
            other => return Err(at(PlanError::not_supported(format!("{other} ANY and {other} ALL")), span)),
        };
        let query = match right {
            ast::Expr::Subquery(query) => query,
            ast::Expr::Nested(inner) => return self.bind_quantified(arg, op, inner, all, cx),
            _ if operator == Operator::Eq && !all => {
                let spans = [self.span(right), span];
                let (list, item) = (self.bind_expr(right, cx)?, self.bind_expr(arg, cx)?);
                return self.call_scalar("array_has", vec![list, item], &spans, span);
            }
            _ => return Err(at(PlanError::not_supported("ANY and ALL of an array"), span)),
        };
        let (arg, subquery) = self.operand_and_subquery(arg, query, cx)?;
        let quantifier = if all { SetQuantifier::All } else { SetQuantifier::Any };
        let test = SetComparison::new(Box::new(arg), subquery, operator, quantifier);
        Ok(Typed::new(Expr::SetComparison(test), DataType::Boolean))
    }

    /// Both in their common type.
    fn operand_and_subquery(
        &mut self,
        arg: &ast::Expr,
        query: &ast::Query,
        cx: &mut Cx<'_>,
    ) -> Result<(Expr, Subquery)> {
        let (arg_span, span) = (self.span(arg), self.span(query));
        if matches!(arg, ast::Expr::Tuple(_)) {
            let error = PlanError::not_supported("a subquery of several columns beside an operator or IN");
            return Err(
                at(error, arg_span).hint("EXISTS (SELECT … WHERE a = x AND b = y) says the same of rows without NULL")
            );
        }
        let arg = self.bind_expr(arg, cx)?;
        let bound = self.inner_query(query, cx)?;
        let (plan, data_type) = single_column(bound, span)?;
        let column = plan.schema().columns().remove(0);
        let inner = Typed::new(Expr::Column(column), data_type.clone());
        let Some(to) = common(&arg, &inner) else {
            let (l, r) = (type_name(&arg.data_type), type_name(&data_type));
            let error = PlanError::new(ErrorKind::TypeMismatch, format!("{l} cannot be compared with {r}"));
            return Err(at(error, span).hint("CAST one side to the type of the other"));
        };
        let plan = match data_type == to {
            true => plan,
            false => {
                let made = crate::bind::column("#value", self.fresh("VALUE"));
                let cast = crate::bind::named(inner.cast(&to, span)?.expr, &made);
                let plan = Projection::try_new(vec![cast], Arc::new(plan)).map_err(|error| internal(&error))?;
                LogicalPlan::Projection(plan)
            }
        };
        Ok((arg.cast(&to, arg_span)?.expr, as_subquery(plan)))
    }

    /// A query that may name what is around it.
    fn inner_query(&mut self, query: &ast::Query, cx: &Cx<'_>) -> Result<Bound> {
        let outer = Outer { scope: cx.scope, env: cx.env };
        let env = Env { ctes: cx.env.ctes.clone(), outer: Some(outer) };
        let bound = self.bind_query(query, &env, false)?;
        let visible = bound.outputs.iter().map(|output| Expr::Column(output.column.clone())).collect::<Vec<_>>();
        if visible.len() == bound.plan.schema().fields().len() {
            return Ok(bound);
        }
        let plan = Projection::try_new(visible, Arc::new(bound.plan)).map_err(|error| internal(&error))?;
        Ok(Bound { plan: LogicalPlan::Projection(plan), ..bound })
    }
}

fn as_subquery(plan: LogicalPlan) -> Subquery {
    let outer_ref_columns = plan.all_out_ref_exprs();
    Subquery { subquery: Arc::new(plan), outer_ref_columns, spans: Spans::new() }
}

fn single_column(bound: Bound, span: Option<Span>) -> Result<(LogicalPlan, DataType)> {
    match bound.outputs.as_slice() {
        [one] => Ok((bound.plan, one.data_type.clone())),
        many => {
            let error = PlanError::new(ErrorKind::Syntax, format!("the subquery has {} columns, not one", many.len()));
            Err(PlanError { span: many.get(1).and_then(|c| c.span).or(span), ..error })
        }
    }
}

/// Whether a plan has exactly one row by its form: an aggregate without groups, or VALUES of one row.
fn is_one_row(plan: &LogicalPlan) -> bool {
    match plan {
        LogicalPlan::Projection(projection) => is_one_row(&projection.input),
        LogicalPlan::SubqueryAlias(alias) => is_one_row(&alias.input),
        LogicalPlan::Aggregate(aggregate) => aggregate.group_expr.is_empty(),
        LogicalPlan::EmptyRelation(empty) => empty.produce_one_row,
        LogicalPlan::Values(values) => values.values.len() == 1,
        _ => false,
    }
}
