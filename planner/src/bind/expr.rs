//! Expressions: one arm per form of the syntax, each in its room.
//!
//! What comes out has its type, its operands are cast to what its operator takes, and its columns remember where they
//! were written. A chain of ANDs or ORs is bound as a balanced tree, so that its length costs no depth.

pub(crate) mod access;
pub(crate) mod call;
pub(crate) mod cast;
pub(crate) mod column;
pub(crate) mod condition;
pub(crate) mod lambda;
pub(crate) mod like;
pub(crate) mod literal;
pub(crate) mod nested;
pub(crate) mod operator;
pub(crate) mod over;
pub(crate) mod present;
pub(crate) mod subquery;
pub(crate) mod text;

use arrow::datatypes::{DataType, FieldRef};
use datafusion_expr::{Expr, Operator};
use sqlparser::ast;

use super::aggregate::AggregateCall;
use super::coerce::{Typed, at};
use super::scope::Scope;
use super::{Binder, Env};
use crate::error::{ErrorKind, PlanError, Result, Span};
use crate::eval::types::type_name;

/// Expressions may be nested this deep.
pub(crate) const EXPR_DEPTH_MAX: usize = 200;

/// Where an expression stands.
pub(crate) struct Cx<'c> {
    /// What its names may mean.
    pub(crate) scope: &'c Scope,
    /// What is around.
    pub(crate) env: &'c Env<'c>,
    /// The clause, for messages.
    pub(crate) place: &'static str,
    /// Aggregate calls may stand here: they are collected.
    pub(crate) aggregates: Option<&'c mut Vec<AggregateCall>>,
    /// It is an argument of an aggregate.
    pub(crate) in_aggregate: bool,
    /// Calls that make several rows may stand here: their lists are collected.
    pub(crate) explodes: Option<&'c mut Vec<Explode>>,
    /// ROW_NUMBER may stand here: its calls are collected.
    pub(crate) row_numbers: Option<&'c mut Vec<over::RowNumber>>,
    /// Parameters of the lambdas around.
    pub(crate) lambdas: Vec<FieldRef>,
    depth: usize,
}

/// A list whose elements become rows.
#[derive(Clone, Debug)]
pub(crate) struct Explode {
    /// The list.
    pub(crate) list: Expr,
    /// The column that stands for its element.
    pub(crate) column: datafusion_common::Column,
}

impl<'c> Cx<'c> {
    /// A clause in which neither aggregates nor EXPLODE may stand.
    pub(crate) fn plain(scope: &'c Scope, env: &'c Env<'c>, place: &'static str) -> Self {
        Cx {
            scope,
            env,
            place,
            aggregates: None,
            in_aggregate: false,
            explodes: None,
            row_numbers: None,
            lambdas: vec![],
            depth: 0,
        }
    }
}

impl Binder<'_> {
    /// An expression.
    pub(crate) fn bind_expr(&mut self, expr: &ast::Expr, cx: &mut Cx<'_>) -> Result<Typed> {
        if cx.depth >= EXPR_DEPTH_MAX {
            let message = format!("an expression is nested more than {EXPR_DEPTH_MAX} deep");
            return Err(at(PlanError::new(ErrorKind::TooComplex, message), self.span(expr)));
        }
        cx.depth += 1;
        let bound = self.bind_expr_within_depth(expr, cx);
        cx.depth -= 1;
        bound
    }

    fn bind_expr_within_depth(&mut self, expr: &ast::Expr, cx: &mut Cx<'_>) -> Result<Typed> {
        use ast::Expr as E;
        match expr {
            E::Nested(inner) => self.bind_expr(inner, cx),
            E::Identifier(_) | E::CompoundIdentifier(_) => self.bind_name(expr, cx),
            E::CompoundFieldAccess { root, access_chain } => self.bind_access(root, access_chain, cx),
            E::Value(value) => self.bind_literal(&value.value, self.span(expr)),
            E::TypedString(typed) => self.bind_typed_string(typed, self.span(expr)),
            E::Interval(interval) => self.bind_interval(interval, self.span(expr)),
            E::BinaryOp { left, op, right } => self.bind_binary(expr, left, op, right, cx),
            E::UnaryOp { op, expr: arg } => self.bind_unary(*op, arg, expr, cx),
            E::IsNull(arg) => self.bind_null_test(arg, false, cx),
            E::IsNotNull(arg) => self.bind_null_test(arg, true, cx),
            E::IsTrue(arg) => self.bind_truth_test(arg, Expr::IsTrue, cx),
            E::IsNotTrue(arg) => self.bind_truth_test(arg, Expr::IsNotTrue, cx),
            E::IsFalse(arg) => self.bind_truth_test(arg, Expr::IsFalse, cx),
            E::IsNotFalse(arg) => self.bind_truth_test(arg, Expr::IsNotFalse, cx),
            E::IsUnknown(arg) => self.bind_truth_test(arg, Expr::IsUnknown, cx),
            E::IsNotUnknown(arg) => self.bind_truth_test(arg, Expr::IsNotUnknown, cx),
            E::IsDistinctFrom(l, r) => self.bind_comparison(Operator::IsDistinctFrom, l, r, cx),
            E::IsNotDistinctFrom(l, r) => self.bind_comparison(Operator::IsNotDistinctFrom, l, r, cx),
            E::Between { expr: arg, negated, low, high } => self.bind_between(arg, *negated, low, high, cx),
            E::InList { expr: arg, list, negated } => self.bind_in_list(arg, list, *negated, cx),
            E::Like { .. } | E::ILike { .. } | E::SimilarTo { .. } | E::RLike { .. } => self.bind_like(expr, cx),
            E::Case { operand, conditions, else_result, .. } => {
                self.bind_case(operand.as_deref(), conditions, else_result.as_deref(), cx)
            }
            E::Cast { .. } | E::Convert { .. } => self.bind_cast(expr, cx),
            E::Function(call) => self.bind_call(call, self.span(expr), cx),
            E::InSubquery { expr: arg, subquery, negated } => self.bind_in_subquery(arg, subquery, *negated, cx),
            E::Exists { subquery, negated } => self.bind_exists(subquery, *negated, cx),
            E::Subquery(subquery) => self.bind_scalar_subquery(subquery, cx),
            E::AnyOp { left, compare_op, right, .. } => self.bind_quantified(left, compare_op, right, false, cx),
            E::AllOp { left, compare_op, right } => self.bind_quantified(left, compare_op, right, true, cx),
            E::Array(_) | E::Map(_) | E::Struct { .. } | E::Tuple(_) | E::Dictionary(_) => self.bind_nested(expr, cx),
            E::Extract { .. } | E::Ceil { .. } | E::Floor { .. } | E::Position { .. } => {
                self.bind_text_syntax(expr, cx)
            }
            E::Substring { .. } | E::Trim { .. } | E::Overlay { .. } => self.bind_text_syntax(expr, cx),
            E::AtTimeZone { .. } => self.bind_text_syntax(expr, cx),
            other => {
                let span = self.span(other);
                let text = span.map(|span| self.text(span).to_string()).unwrap_or_else(|| other.to_string());
                Err(at(PlanError::not_supported(format!("the expression {text}")), span))
            }
        }
    }

    /// A condition: BOOLEAN.
    pub(crate) fn bind_predicate(&mut self, expr: &ast::Expr, cx: &mut Cx<'_>) -> Result<Expr> {
        let bound = self.bind_expr(expr, cx)?;
        let span = self.span(expr);
        self.boolean(bound, cx.place, span)
    }

    /// The expression, if it is BOOLEAN.
    pub(crate) fn boolean(&self, bound: Typed, place: &str, span: Option<Span>) -> Result<Expr> {
        if bound.data_type == DataType::Boolean || bound.is_unknown() {
            return Ok(bound.cast(&DataType::Boolean, span)?.expr);
        }
        let message = format!("{place} takes a BOOLEAN, this is {}", type_name(&bound.data_type));
        Err(at(PlanError::new(ErrorKind::TypeMismatch, message), span))
    }

    /// Expressions, each with its place.
    pub(crate) fn bind_all(
        &mut self,
        exprs: &[&ast::Expr],
        cx: &mut Cx<'_>,
    ) -> Result<(Vec<Typed>, Vec<Option<Span>>)> {
        let mut bound = vec![];
        let mut spans = vec![];
        for expr in exprs {
            spans.push(self.span(*expr));
            bound.push(self.bind_expr(expr, cx)?);
        }
        Ok((bound, spans))
    }
}
