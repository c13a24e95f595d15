//! Conditions that mention the outside move up to the join.

use std::sync::Arc;

use datafusion_common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion_common::{Column, DFSchema};
use datafusion_expr::utils::{conjunction, split_conjunction};
use datafusion_expr::{Aggregate, BinaryExpr, Distinct, Expr, Join, JoinType, LogicalPlan, Operator};

use super::{Unnest, expr_mentions, filtered, mentions, projected, replace_outer};
use crate::bind::expr::operator::binary;
use crate::bind::internal;
use crate::error::Result;
use crate::logical::Node;
use crate::logical::mark_join::MarkJoin;
use crate::logical::top_k::TopK;

/// What of a subquery counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Whether there is a row.
    Exists,
    /// Whether there is a row with a certain value.
    In,
    /// Its rows, as often as they are.
    Rows,
}

/// A plan, and conditions over the columns of the outside and its own.
pub(super) struct Pulled {
    pub(super) plan: LogicalPlan,
    pub(super) conditions: Vec<Expr>,
}

impl Unnest {
    /// The plan without mentions of `outer`, if they can move up.
    pub(super) fn pull(&mut self, plan: LogicalPlan, outer: &DFSchema, kind: Kind) -> Result<Option<Pulled>> {
        if !mentions(&plan, outer) {
            return Ok(Some(Pulled { plan, conditions: vec![] }));
        }
        match plan {
            LogicalPlan::Filter(filter) => {
                let Some(mut below) = self.pull(Arc::unwrap_or_clone(filter.input), outer, kind)? else {
                    return Ok(None);
                };
                let (mention, keep) = parted(&filter.predicate, outer);
                for conjunct in mention {
                    below.conditions.push(with_outer_columns(conjunct, outer)?);
                }
                if let Some(predicate) = conjunction(keep) {
                    below.plan = filtered(below.plan, predicate)?;
                }
                Ok(Some(below))
            }
            LogicalPlan::Projection(projection) => {
                if projection.expr.iter().any(|expr| expr_mentions(expr, outer)) {
                    return Ok(None);
                }
                let below = self.pull(Arc::unwrap_or_clone(projection.input), outer, kind)?;
                below.map(|below| self.pull_through(below, projection.expr)).transpose()
            }
            LogicalPlan::SubqueryAlias(alias) => {
                let below = self.pull(Arc::unwrap_or_clone(alias.input), outer, kind)?;
                let n = alias.schema.fields().len();
                below
                    .map(|below| {
                        let columns = below.plan.schema().columns().into_iter().take(n);
                        let exprs = columns.map(|column| {
                            let name = column.name.clone();
                            Expr::Column(column).alias_qualified(Some(alias.alias.clone()), name)
                        });
                        let exprs = exprs.collect();
                        self.pull_through(below, exprs)
                    })
                    .transpose()
            }
            LogicalPlan::Join(join) => self.pull_join(join, outer, kind),
            LogicalPlan::Aggregate(aggregate) => self.pull_aggregate(aggregate, outer),
            LogicalPlan::Distinct(Distinct::All(input)) => {
                let below = self.pull(Arc::unwrap_or_clone(input), outer, kind)?;
                Ok(match (below, kind) {
                    // a row more of the same changes nothing
                    (below, Kind::Exists | Kind::In) => below,
                    (Some(below), Kind::Rows) if below.conditions.iter().all(|c| equality(c, outer).is_some()) => {
                        let plan = LogicalPlan::Distinct(Distinct::All(Arc::new(below.plan)));
                        Some(Pulled { plan, ..below })
                    }
                    _ => None,
                })
            }
            plan => match Node::<TopK>::of(&plan) {
                Some(node) if kind == Kind::Exists && node.op.offset == 0 && node.op.limit != Some(0) => {
                    self.pull(node.inputs[0].clone(), outer, kind)
                }
                _ => self.pull_mark(&plan, outer, kind),
            },
        }
    }

    /// The conditions above a projection, which gets the columns that they need.
    fn pull_through(&mut self, below: Pulled, mut exprs: Vec<Expr>) -> Result<Pulled> {
        let schema = Arc::clone(below.plan.schema());
        let mut renamed: Vec<(Column, Column)> = vec![];
        for condition in &below.conditions {
            for column in condition.column_refs() {
                if schema.has_column(column) && !renamed.iter().any(|(from, _)| from == column) {
                    let made = crate::bind::column(&self.name(), column.name.clone());
                    let expr = Expr::Column(column.clone());
                    exprs.push(expr.alias_qualified(made.relation.clone(), made.name.clone()));
                    renamed.push((column.clone(), made));
                }
            }
        }
        let conditions = below.conditions.into_iter().map(|condition| rename(condition, &renamed));
        let conditions = conditions.collect::<Result<_>>()?;
        Ok(Pulled { plan: projected(below.plan, exprs)?, conditions })
    }

    fn pull_join(&mut self, join: Join, outer: &DFSchema, kind: Kind) -> Result<Option<Pulled>> {
        if join.join_type == JoinType::Inner {
            // duplicates of one side are multiplied by the other, so only whether there is one survives
            let Some(left) = self.pull(join.left.as_ref().clone(), outer, kind)? else { return Ok(None) };
            let Some(right) = self.pull(join.right.as_ref().clone(), outer, kind)? else { return Ok(None) };
            let mut conditions = left.conditions;
            conditions.extend(right.conditions);
            let mut keep = None;
            if let Some(filter) = &join.filter {
                let (mention, rest) = parted(filter, outer);
                for conjunct in mention {
                    conditions.push(with_outer_columns(conjunct, outer)?);
                }
                keep = conjunction(rest);
            }
            let plan = rejoined(&join, left.plan, right.plan, keep)?;
            return Ok(Some(Pulled { plan, conditions }));
        }
        let left_only = matches!(join.join_type, JoinType::Left | JoinType::LeftSemi | JoinType::LeftAnti);
        let elsewhere = mentions(&join.right, outer)
            || join.filter.iter().any(|filter| expr_mentions(filter, outer))
            || join.on.iter().any(|(l, r)| expr_mentions(l, outer) || expr_mentions(r, outer));
        if !left_only || elsewhere {
            return Ok(None);
        }
        let Some(left) = self.pull(join.left.as_ref().clone(), outer, kind)? else { return Ok(None) };
        let right = join.right.as_ref().clone();
        let plan = rejoined(&join, left.plan, right, join.filter.clone())?;
        Ok(Some(Pulled { plan, conditions: left.conditions }))
    }

    /// Rows with a mark, if only they mention the outside.
    fn pull_mark(&mut self, plan: &LogicalPlan, outer: &DFSchema, kind: Kind) -> Result<Option<Pulled>> {
        let Some(node) = Node::<MarkJoin>::of(plan) else { return Ok(None) };
        let elsewhere = node.op.condition.iter().any(|condition| expr_mentions(condition, outer));
        if elsewhere || mentions(&node.inputs[1], outer) {
            return Ok(None);
        }
        let Some(left) = self.pull(node.inputs[0].clone(), outer, kind)? else { return Ok(None) };
        let inputs = vec![left.plan, node.inputs[1].clone()];
        let plan = Node::plan(node.op.clone(), inputs).map_err(|error| internal(&error))?;
        Ok(Some(Pulled { plan, conditions: left.conditions }))
    }

    /// An equality with the outside becomes a group; anything else would change the groups.
    fn pull_aggregate(&mut self, aggregate: Aggregate, outer: &DFSchema) -> Result<Option<Pulled>> {
        let own = aggregate.group_expr.iter().chain(&aggregate.aggr_expr);
        if aggregate.group_expr.is_empty() || own.into_iter().any(|expr| expr_mentions(expr, outer)) {
            return Ok(None);
        }
        let Some(below) = self.pull(Arc::unwrap_or_clone(aggregate.input), outer, Kind::Rows)? else {
            return Ok(None);
        };
        self.grouped_by_equalities(below, aggregate.group_expr, aggregate.aggr_expr, outer)
    }

    /// The groups of `below` with its equalities as keys more.
    pub(super) fn grouped_by_equalities(
        &mut self,
        below: Pulled,
        mut group: Vec<Expr>,
        aggregates: Vec<Expr>,
        outer: &DFSchema,
    ) -> Result<Option<Pulled>> {
        let mut conditions = vec![];
        for condition in &below.conditions {
            let Some((inner, outside)) = equality(condition, outer) else { return Ok(None) };
            let key = crate::bind::column(&self.name(), "key");
            group.push(inner.alias_qualified(key.relation.clone(), key.name.clone()));
            conditions.push(binary(Expr::Column(key), Operator::Eq, outside));
        }
        let plan = Aggregate::try_new(Arc::new(below.plan), group, aggregates).map_err(|error| internal(&error))?;
        Ok(Some(Pulled { plan: LogicalPlan::Aggregate(plan), conditions }))
    }
}

/// The conjuncts that mention the outside, and the others.
fn parted(predicate: &Expr, outer: &DFSchema) -> (Vec<Expr>, Vec<Expr>) {
    split_conjunction(predicate).into_iter().cloned().partition(|conjunct| expr_mentions(conjunct, outer))
}

/// Mentions of the outside as columns, which they are in a join.
fn with_outer_columns(expr: Expr, outer: &DFSchema) -> Result<Expr> {
    replace_outer(expr, |column| outer.has_column(column).then(|| Expr::Column(column.clone())))
}

/// `inner = outside`, if the condition is one, each side over one query only.
pub(super) fn equality(condition: &Expr, outer: &DFSchema) -> Option<(Expr, Expr)> {
    let Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) = condition else { return None };
    let outside = |expr: &Expr| expr.column_refs().iter().all(|column| outer.has_column(column));
    let inside = |expr: &Expr| {
        let columns = expr.column_refs();
        !columns.is_empty() && columns.iter().all(|column| !outer.has_column(column)) && !expr.contains_outer()
    };
    if inside(left) && outside(right) {
        return Some(((**left).clone(), (**right).clone()));
    }
    (inside(right) && outside(left)).then(|| ((**right).clone(), (**left).clone()))
}

fn rename(expr: Expr, renamed: &[(Column, Column)]) -> Result<Expr> {
    let replaced = expr.transform_up(|expr| {
        let made = match &expr {
            Expr::Column(column) => renamed.iter().find(|(from, _)| from == column).map(|(_, to)| to.clone()),
            _ => None,
        };
        Ok(made.map_or_else(|| Transformed::no(expr), |made| Transformed::yes(Expr::Column(made))))
    });
    replaced.data().map_err(|error| internal(&error))
}

/// The join over other inputs.
pub(super) fn rejoined(
    join: &Join,
    left: LogicalPlan,
    right: LogicalPlan,
    filter: Option<Expr>,
) -> Result<LogicalPlan> {
    let join = Join::try_new(
        Arc::new(left),
        Arc::new(right),
        join.on.clone(),
        filter,
        join.join_type,
        join.join_constraint,
        join.null_equality,
        join.null_aware,
    );
    Ok(LogicalPlan::Join(join.map_err(|error| internal(&error))?))
}
