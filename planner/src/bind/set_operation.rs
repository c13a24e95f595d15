//! UNION, INTERSECT, EXCEPT.
//!
//! Columns correspond by position and take their common type; names are the left side's. UNION ALL of streams is a
//! stream.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_common::{Column, ScalarValue};
use datafusion_expr::{Distinct, Expr, LogicalPlan, Projection};
use sqlparser::ast;

use super::coerce::{Typed, at, common};
use super::query::{Bound, Facts, Nature, Output};
use super::{Binder, Env, column, internal, named, union_of};
use crate::error::{ErrorKind, PlanError, Result, Span};
use crate::eval::types::type_name;
use crate::logical::Node;
use crate::logical::set_op::SetOp;
use crate::plan::SetOpKind;

impl Binder<'_> {
    /// The body of a query.
    pub(crate) fn bind_set_expr(&mut self, body: &ast::SetExpr, env: &Env<'_>, top: bool) -> Result<Bound> {
        match body {
            ast::SetExpr::Select(select) => self.bind_select(select, None, env, top),
            ast::SetExpr::Query(query) => self.bind_query(query, env, top),
            ast::SetExpr::Values(values) => self.bind_values(values, env),
            ast::SetExpr::SetOperation { left, op, set_quantifier, right } => {
                let span = self.span(&**right);
                let left = self.bind_set_expr(left, env, top)?;
                let right = self.bind_set_expr(right, env, top)?;
                self.set_operation(left, *op, *set_quantifier, right, span)
            }
            other => {
                let span = self.span(other);
                Err(at(PlanError::not_supported("this statement as a query"), span))
            }
        }
    }

    fn set_operation(
        &mut self,
        left: Bound,
        op: ast::SetOperator,
        quantifier: ast::SetQuantifier,
        right: Bound,
        span: Option<Span>,
    ) -> Result<Bound> {
        let all = match quantifier {
            ast::SetQuantifier::All => true,
            ast::SetQuantifier::Distinct | ast::SetQuantifier::None => false,
            other => return Err(at(PlanError::not_supported(format!("{op} {other}")), span)),
        };
        if left.outputs.len() != right.outputs.len() {
            let message = format!("{op} of {} columns and {}", left.outputs.len(), right.outputs.len());
            return Err(at(PlanError::new(ErrorKind::Syntax, message), span));
        }
        let streams = left.facts.nature == Nature::Stream && right.facts.nature == Nature::Stream;
        let keep_system = streams && all && op == ast::SetOperator::Union;
        let types = common_types(op, &left, &right, span)?;
        let qualifier = self.fresh(&op.to_string());
        let names: Vec<Column> = left.outputs.iter().map(|output| column(&qualifier, &output.column.name)).collect();
        let system_names: Vec<Column> = match keep_system {
            true => crate::catalog::SYSTEM_COLUMNS
                .iter()
                .map(|(name, _)| column(&qualifier, format!("{name}:system")))
                .collect(),
            false => vec![],
        };
        let side = |bound: &Bound| -> Result<LogicalPlan> {
            let mut exprs = vec![];
            for ((output, to), name) in bound.outputs.iter().zip(&types).zip(&names) {
                let typed = Typed::new(Expr::Column(output.column.clone()), output.data_type.clone());
                exprs.push(named(typed.cast(to, output.span)?.expr, name));
            }
            for (column, name) in bound.facts.system.iter().flatten().zip(&system_names) {
                exprs.push(named(Expr::Column(column.clone()), name));
            }
            let plan = Projection::try_new(exprs, Arc::new(bound.plan.clone())).map_err(|error| internal(&error))?;
            Ok(LogicalPlan::Projection(plan))
        };
        let inputs = (side(&left)?, side(&right)?);
        let plan = combine(inputs, op, all)?;
        let outputs: Vec<Output> = left
            .outputs
            .iter()
            .zip(names)
            .zip(types)
            .map(|((output, name), data_type)| Output { column: name, data_type, ..output.clone() })
            .collect();
        let mut facts = Facts::state();
        if keep_system {
            facts.nature = Nature::Stream;
            facts.system = system_names.try_into().ok();
        }
        if !all {
            facts.key = Some(outputs.iter().map(|output| output.column.clone()).collect());
        }
        facts.time_sources.clone_from(&left.facts.time_sources);
        for id in right.facts.time_sources {
            if !facts.time_sources.contains(&id) {
                facts.time_sources.push(id);
            }
        }
        Ok(Bound { plan, outputs, facts, order: vec![], stop_after_rows: None })
    }
}

/// The types in which the columns of both sides correspond.
fn common_types(op: ast::SetOperator, left: &Bound, right: &Bound, span: Option<Span>) -> Result<Vec<DataType>> {
    let mut types = vec![];
    for (l, r) in left.outputs.iter().zip(&right.outputs) {
        let typed = |output: &Output| Typed::new(Expr::Column(output.column.clone()), output.data_type.clone());
        let other = || match (is_null(left, l), is_null(right, r)) {
            (true, _) => Some(r.data_type.clone()),
            (false, true) => Some(l.data_type.clone()),
            (false, false) => None,
        };
        let both = common(&typed(l), &typed(r)).or_else(other);
        types.push(both.ok_or_else(|| {
            let (a, b) = (type_name(&l.data_type), type_name(&r.data_type));
            let error = PlanError::new(ErrorKind::TypeMismatch, format!("{op}: column {} is {a} and {b}", l.name));
            at(error, r.span.or(span)).hint("CAST one to the type of the other")
        })?);
    }
    Ok(types)
}

/// Whether a column is nothing but NULL without a type of its own: it takes the type of what it meets.
fn is_null(bound: &Bound, output: &Output) -> bool {
    let LogicalPlan::Projection(projection) = &bound.plan else { return false };
    let at = projection.schema.maybe_index_of_column(&output.column);
    let expr = at.map(|at| projection.expr[at].clone().unalias());
    matches!(expr, Some(Expr::Literal(ScalarValue::Utf8(None), _)))
}

fn combine((left, right): (LogicalPlan, LogicalPlan), op: ast::SetOperator, all: bool) -> Result<LogicalPlan> {
    let kind = match op {
        ast::SetOperator::Intersect => SetOpKind::Intersect,
        ast::SetOperator::Except | ast::SetOperator::Minus => SetOpKind::Except,
        ast::SetOperator::Union => {
            let columns = left.schema().columns();
            let union = union_of(vec![left, right], &columns)?;
            return Ok(if all { union } else { LogicalPlan::Distinct(Distinct::All(Arc::new(union))) });
        }
    };
    Node::plan(SetOp { kind, all }, vec![left, right]).map_err(|error| internal(&error))
}
