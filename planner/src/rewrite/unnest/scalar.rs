//! Scalar subqueries.
//!
//! One that is an aggregate without groups always has a row. Its groups by the outer values have none where nothing is
//! to be counted, so the join is a left one, and what its aggregates are over no rows is put in there; the expressions
//! over them are computed above the join. Any other is guarded to have at most one row for each outer row.

use datafusion_common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion_common::{Column, ScalarValue};
use datafusion_expr::expr::Case;
use datafusion_expr::utils::conjunction;
use datafusion_expr::{Aggregate, Expr, JoinType, LogicalPlan, lit};

use super::domain::or_default;
use super::pull::{Kind, equality};
use super::{Unnest, joined, mentions, projected};
use crate::bind::internal;
use crate::error::Result;
use crate::logical::Node;
use crate::logical::at_most_one::AtMostOne;

impl Unnest {
    /// The value of a subquery beside its input, as a column or an expression over columns.
    pub(super) fn scalar(&mut self, input: LogicalPlan, plan: LogicalPlan) -> Result<(LogicalPlan, Expr)> {
        let column = plan.schema().columns().into_iter().next().unwrap_or_else(|| Column::new_unqualified(""));
        if let Some((aggregate, value)) = over_aggregate(&plan, Expr::Column(column.clone()))?
            && mentions(&LogicalPlan::Aggregate(aggregate.clone()), input.schema())
            && !value.contains_outer()
            && let Some(found) = self.scalar_aggregate(&input, &aggregate, &value)?
        {
            return Ok(found);
        }
        let beside = match Node::<AtMostOne>::of(&plan) {
            Some(node) if mentions(&plan, input.schema()) => match self.guarded(&input, node)? {
                Some(beside) => beside,
                None => self.beside_domain(&input, plan)?,
            },
            _ => match mentions(&plan, input.schema()) {
                true => self.beside_domain(&input, plan)?,
                false => super::Beside { plan, conditions: vec![] },
            },
        };
        let joined = joined(input, beside.plan, JoinType::Left, conjunction(beside.conditions))?;
        Ok((joined, Expr::Column(column)))
    }

    /// An aggregate without groups that meets its outer row by equalities: grouped by them.
    fn scalar_aggregate(
        &mut self,
        input: &LogicalPlan,
        aggregate: &Aggregate,
        value: &Expr,
    ) -> Result<Option<(LogicalPlan, Expr)>> {
        let outer = input.schema();
        let calls = &aggregate.aggr_expr;
        if calls.iter().any(|call| super::expr_mentions(call, outer)) {
            return Ok(None);
        }
        let Some(below) = self.pull(aggregate.input.as_ref().clone(), outer, Kind::Rows)? else { return Ok(None) };
        if below.conditions.is_empty() || below.conditions.iter().any(|c| equality(c, outer).is_none()) {
            return Ok(None);
        }
        let Some(grouped) = self.grouped_by_equalities(below, vec![], calls.clone(), outer)? else { return Ok(None) };
        // an equality of SQL holds for no NULL: where the first key is NULL, the row found no group
        let key = grouped.plan.schema().columns().into_iter().next().unwrap_or_else(|| Column::new_unqualified(""));
        let joined = joined(input.clone(), grouped.plan, JoinType::Left, conjunction(grouped.conditions))?;
        let columns = aggregate.schema.columns();
        let value = value.clone().transform_up(|expr| {
            let place = match &expr {
                Expr::Column(column) => columns.iter().position(|known| known == column),
                _ => None,
            };
            Ok(match place.and_then(|place| Some((place, calls.get(place)?))) {
                Some((place, call)) => {
                    let value = or_default(Expr::Column(columns[place].clone()), &key, call)
                        .map_err(|error| datafusion_common::plan_datafusion_err!("{error}"))?;
                    Transformed::new(value, true, datafusion_common::tree_node::TreeNodeRecursion::Jump)
                }
                None => Transformed::no(expr),
            })
        });
        let value = value.data().map_err(|error| internal(&error))?;
        Ok(Some((joined, value)))
    }

    /// A guarded subquery that meets its outer row by equalities: guarded for each of their values.
    fn guarded(&mut self, input: &LogicalPlan, node: &Node<AtMostOne>) -> Result<Option<super::Beside>> {
        let outer = input.schema();
        let Some(below) = self.pull(node.inputs[0].clone(), outer, Kind::Rows)? else { return Ok(None) };
        let mut keys = vec![];
        let mut exprs: Vec<Expr> = below.plan.schema().columns().into_iter().map(Expr::Column).collect();
        let mut conditions = vec![];
        for condition in &below.conditions {
            let Some((inner, outside)) = equality(condition, outer) else { return Ok(None) };
            let key = crate::bind::column(&self.name(), "key");
            exprs.push(inner.alias_qualified(key.relation.clone(), key.name.clone()));
            conditions.push(Expr::Column(key.clone()).eq(outside));
            keys.push(Expr::Column(key));
        }
        let keyed = projected(below.plan, exprs)?;
        let plan = Node::plan(AtMostOne { keys }, vec![keyed]).map_err(|error| internal(&error))?;
        Ok(Some(super::Beside { plan, conditions }))
    }
}

/// The aggregate without groups that a plan is computed from row by row, and `value` over its columns.
fn over_aggregate(plan: &LogicalPlan, value: Expr) -> Result<Option<(Aggregate, Expr)>> {
    match plan {
        LogicalPlan::Aggregate(aggregate) if aggregate.group_expr.is_empty() => Ok(Some((aggregate.clone(), value))),
        LogicalPlan::Projection(projection) => {
            let columns = projection.schema.columns();
            let below = substituted(value, &columns, &projection.expr)?;
            over_aggregate(&projection.input, below)
        }
        LogicalPlan::SubqueryAlias(alias) => {
            let (above, below) = (alias.schema.columns(), alias.input.schema().columns());
            let below: Vec<Expr> = below.into_iter().map(Expr::Column).collect();
            over_aggregate(&alias.input, substituted(value, &above, &below)?)
        }
        LogicalPlan::Filter(filter) => {
            let null = Box::new(lit(ScalarValue::Null));
            let when = vec![(Box::new(filter.predicate.clone()), Box::new(value))];
            over_aggregate(&filter.input, Expr::Case(Case::new(None, when, Some(null))))
        }
        // an aggregate without groups has one row by itself
        plan => match Node::<AtMostOne>::of(plan) {
            Some(node) => over_aggregate(&node.inputs[0], value),
            None => Ok(None),
        },
    }
}

/// The expression with columns replaced by what makes them.
fn substituted(expr: Expr, columns: &[Column], made: &[Expr]) -> Result<Expr> {
    let replaced = expr.transform_up(|expr| {
        let place = match &expr {
            Expr::Column(column) => columns.iter().position(|known| known == column),
            _ => None,
        };
        Ok(match place.and_then(|place| made.get(place)) {
            Some(made) => {
                let made = made.clone().unalias();
                Transformed::new(made, true, datafusion_common::tree_node::TreeNodeRecursion::Jump)
            }
            None => Transformed::no(expr),
        })
    });
    replaced.data().map_err(|error| internal(&error))
}
