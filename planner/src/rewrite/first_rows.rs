//! Conditions on the number of a row: `WHERE rn <= 3` over ROW_NUMBER is the first three rows of each partition.
//!
//! A comparison of the number with a constant becomes offset and limit of the node that numbers the rows, so that it
//! keeps no more than these. Where one place is left, the number is a constant; where nobody reads it, it is not made.

use datafusion_common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion_common::{Column, Result as DataFusionResult, ScalarValue};
use datafusion_expr::expr_rewriter::NamePreserver;
use datafusion_expr::logical_plan::EmptyRelation;
use datafusion_expr::utils::{conjunction, split_conjunction};
use datafusion_expr::{Between, BinaryExpr, Expr, Filter, LogicalPlan, Operator, Projection, lit};
use std::sync::Arc;

use crate::bind::internal;
use crate::error::Result;
use crate::logical::Node;
use crate::logical::top_k::TopK;

/// The plan with its numbers of rows bounded as far as conditions bound them.
pub(super) fn rewrite(plan: LogicalPlan) -> Result<LogicalPlan> {
    let bounded = plan.transform_up(bounded).data();
    let pruned = bounded.and_then(|plan| plan.transform_up(unread).data());
    pruned.map_err(|error| internal(&error))
}

/// Whether a plan numbers all rows of a partition.
pub(crate) fn numbers_all(plan: &LogicalPlan) -> bool {
    let all = |plan: &LogicalPlan| {
        let node = Node::<TopK>::of(plan);
        Ok(node.is_some_and(|node| node.op.rank.is_some() && node.op.limit.is_none()))
    };
    plan.exists(all).unwrap_or(false)
}

/// Places, from 1, both ends in.
#[derive(Clone, Copy)]
struct Places {
    first: i64,
    last: i64,
}

/// A condition on the number as places of the node below.
fn bounded(plan: LogicalPlan) -> DataFusionResult<Transformed<LogicalPlan>> {
    let LogicalPlan::Filter(filter) = &plan else { return Ok(Transformed::no(plan)) };
    let (choice, below) = match filter.input.as_ref() {
        // a choice of columns may lie between
        LogicalPlan::Projection(choice) if choice.expr.iter().all(|expr| matches!(expr, Expr::Column(_))) => {
            (Some(choice), choice.input.as_ref())
        }
        below => (None, below),
    };
    let Some(bounded) = bounded_by(&filter.predicate, below)? else { return Ok(Transformed::no(plan)) };
    Ok(Transformed::yes(match choice {
        Some(choice) => LogicalPlan::Projection(Projection::try_new(choice.expr.clone(), Arc::new(bounded))?),
        None => bounded,
    }))
}

/// The rows of a node that numbers them for which a condition holds; `None` if it says nothing of the number.
fn bounded_by(predicate: &Expr, below: &LogicalPlan) -> DataFusionResult<Option<LogicalPlan>> {
    let Some(node) = Node::<TopK>::of(below) else { return Ok(None) };
    let Some(rank) = &node.op.rank else { return Ok(None) };
    let mut places = places_of(&node.op);
    let mut rest = vec![];
    let conjuncts = split_conjunction(predicate);
    for conjunct in &conjuncts {
        match places_where(conjunct, rank) {
            Some(wanted) => {
                places.first = places.first.max(wanted.first);
                places.last = places.last.min(wanted.last);
            }
            None => rest.push((*conjunct).clone()),
        }
    }
    if rest.len() == conjuncts.len() {
        return Ok(None);
    }
    if places.first > places.last {
        let schema = Arc::clone(below.schema());
        return Ok(Some(LogicalPlan::EmptyRelation(EmptyRelation { produce_one_row: false, schema })));
    }
    let mut op = node.op.clone();
    op.offset = usize::try_from(places.first - 1).unwrap_or(0);
    op.limit = match places.last {
        i64::MAX => None,
        last => usize::try_from(last - places.first + 1).ok(),
    };
    let numbered = Node::plan(op, node.inputs.clone())?;
    Ok(Some(match conjunction(rest) {
        Some(rest) => LogicalPlan::Filter(Filter::try_new(rest, Arc::new(numbered))?),
        None => numbered,
    }))
}

fn places_of(op: &TopK) -> Places {
    let first = i64::try_from(op.offset).unwrap_or(i64::MAX).saturating_add(1);
    let count = op.limit.and_then(|limit| i64::try_from(limit).ok());
    Places { first, last: count.map_or(i64::MAX, |count| first.saturating_add(count).saturating_sub(1)) }
}

/// The places that a comparison of the number with a constant leaves.
fn places_where(conjunct: &Expr, rank: &Column) -> Option<Places> {
    if let Expr::Between(Between { expr, negated: false, low, high }) = conjunct
        && matches!(expr.as_ref(), Expr::Column(column) if column == rank)
        && let (Some(low), Some(high)) = (whole(low), whole(high))
    {
        return Some(Places { first: low.max(1), last: high });
    }
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = conjunct else { return None };
    let (op, bound) = match (left.as_ref(), right.as_ref()) {
        (Expr::Column(column), bound) if column == rank => (*op, whole(bound)?),
        (bound, Expr::Column(column)) if column == rank => (op.swap()?, whole(bound)?),
        _ => return None,
    };
    let (first, last) = match op {
        Operator::Lt => (1, bound.checked_sub(1)?),
        Operator::LtEq => (1, bound),
        Operator::Eq => (bound.max(1), bound),
        Operator::Gt => (bound.checked_add(1)?, i64::MAX),
        Operator::GtEq => (bound, i64::MAX),
        _ => return None,
    };
    Some(Places { first: first.max(1), last })
}

/// The value of a constant.
fn whole(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Literal(ScalarValue::Int64(value), _) => *value,
        _ => None,
    }
}

/// A number that is a constant, or that nobody reads.
fn unread(plan: LogicalPlan) -> DataFusionResult<Transformed<LogicalPlan>> {
    let LogicalPlan::Projection(projection) = &plan else { return Ok(Transformed::no(plan)) };
    let (filter, below) = match projection.input.as_ref() {
        LogicalPlan::Filter(filter) => (Some(filter), filter.input.as_ref()),
        below => (None, below),
    };
    let Some(node) = Node::<TopK>::of(below) else { return Ok(Transformed::no(plan)) };
    let Some(rank) = &node.op.rank else { return Ok(Transformed::no(plan)) };
    let constant = (node.op.limit == Some(1)).then(|| places_of(&node.op).first);
    let reads = |expr: &Expr| expr.column_refs().contains(rank);
    let read = projection.expr.iter().chain(filter.map(|filter| &filter.predicate)).any(reads);
    if read && constant.is_none() {
        return Ok(Transformed::no(plan));
    }
    let mut op = node.op.clone();
    op.rank = None;
    let numbered = Node::plan(op, node.inputs.clone())?;
    let known = |expr: Expr| {
        expr.transform_up(|expr| match (&expr, constant) {
            (Expr::Column(column), Some(place)) if column == rank => Ok(Transformed::yes(lit(place))),
            _ => Ok(Transformed::no(expr)),
        })
        .data()
    };
    let input = match filter {
        Some(filter) => LogicalPlan::Filter(Filter::try_new(known(filter.predicate.clone())?, Arc::new(numbered))?),
        None => numbered,
    };
    let names = NamePreserver::new(&plan);
    let exprs = projection.expr.iter().map(|expr| {
        let name = names.save(expr);
        known(expr.clone()).map(|expr| name.restore(expr))
    });
    let exprs = exprs.collect::<DataFusionResult<Vec<_>>>()?;
    let projection = Projection::try_new(exprs, Arc::new(input))?;
    Ok(Transformed::yes(LogicalPlan::Projection(projection)))
}
