//! The distinct outer values, joined into a subquery.
//!
//! What comes out has the subquery's columns and, behind them or among them, the outer values that each row is for. One
//! node at a time: where nothing below mentions the outside, every row is for every value; above, the values are carried
//! along, and are a group, a partition, a part of the row wherever rows meet.

use std::sync::Arc;

use datafusion_common::{Column, DFSchema, ScalarValue};
use datafusion_expr::expr::Case;
use datafusion_expr::logical_plan::{EmptyRelation, Values};
use datafusion_expr::utils::conjunction;
use datafusion_expr::{Aggregate, Distinct, Expr, Join, JoinType, LogicalPlan, Projection, lit};

use super::pull::rejoined;
use super::{Unnest, filtered, joined, mentions, projected, replace_outer, same};
use crate::bind::{internal, named, union_of};
use crate::error::{PlanError, Result};
use crate::function::aggregate::Aggregate as AggregateUdf;
use crate::logical::Node;
use crate::logical::at_most_one::AtMostOne;
use crate::logical::explode::Explode;
use crate::logical::mark_join::MarkJoin;
use crate::logical::set_op::SetOp;
use crate::logical::top_k::TopK;

/// A plan with the outer values that its rows are for.
pub(super) struct Pushed {
    pub(super) plan: LogicalPlan,
    /// One column for each that was taken.
    pub(super) domain: Vec<Column>,
}

impl Unnest {
    /// Joins the distinct values of the `taken` columns of `outer` into `plan`.
    pub(super) fn push(&mut self, outer: &LogicalPlan, taken: &[Column], plan: LogicalPlan) -> Result<Pushed> {
        if !mentions(&plan, outer.schema()) {
            return self.times_domain(outer, taken, plan);
        }
        match plan {
            LogicalPlan::Filter(filter) => {
                let below = self.push(outer, taken, Arc::unwrap_or_clone(filter.input))?;
                let predicate = over_domain(filter.predicate, taken, &below.domain)?;
                Ok(Pushed { plan: filtered(below.plan, predicate)?, domain: below.domain })
            }
            LogicalPlan::Projection(projection) => {
                let below = self.push(outer, taken, Arc::unwrap_or_clone(projection.input))?;
                let names: Vec<_> = projection.schema.iter().map(|(q, f)| (q.cloned(), f.name().clone())).collect();
                let mut exprs = vec![];
                for (expr, (qualifier, name)) in projection.expr.into_iter().zip(names) {
                    let over = over_domain(expr.unalias(), taken, &below.domain)?;
                    exprs.push(over.alias_qualified(qualifier, name));
                }
                self.carrying(below, exprs)
            }
            LogicalPlan::SubqueryAlias(alias) => {
                let columns = alias.input.schema().columns();
                let below = self.push(outer, taken, Arc::unwrap_or_clone(alias.input))?;
                let exprs = columns.into_iter().map(|column| {
                    let name = column.name.clone();
                    Expr::Column(column).alias_qualified(Some(alias.alias.clone()), name)
                });
                let exprs = exprs.collect();
                self.carrying(below, exprs)
            }
            LogicalPlan::Aggregate(aggregate) => self.push_aggregate(outer, taken, aggregate),
            LogicalPlan::Distinct(Distinct::All(input)) => {
                let columns = input.schema().columns();
                let below = self.push(outer, taken, Arc::unwrap_or_clone(input))?;
                let below = self.carrying(below, columns.into_iter().map(Expr::Column).collect())?;
                Ok(Pushed { plan: LogicalPlan::Distinct(Distinct::All(Arc::new(below.plan))), ..below })
            }
            LogicalPlan::Join(join) => self.push_join(outer, taken, join),
            LogicalPlan::Union(union) => {
                let columns = union.schema.columns();
                let inputs = union.inputs.into_iter().map(Arc::unwrap_or_clone).collect();
                let (inputs, domain) = self.push_sides(outer, taken, inputs)?;
                let columns: Vec<Column> = columns.into_iter().chain(domain.iter().cloned()).collect();
                Ok(Pushed { plan: union_of(inputs, &columns)?, domain })
            }
            LogicalPlan::Values(values) => {
                let rows = rows_of_values(values)?;
                self.push(outer, taken, rows)
            }
            LogicalPlan::Extension(_) => self.push_extension(outer, taken, plan),
            other => Err(not_unnested(&other)),
        }
    }

    /// Every row for every value.
    fn times_domain(&mut self, outer: &LogicalPlan, taken: &[Column], plan: LogicalPlan) -> Result<Pushed> {
        let (values, domain) = self.domain(outer, taken)?;
        if let LogicalPlan::EmptyRelation(EmptyRelation { produce_one_row: true, schema }) = &plan
            && schema.fields().is_empty()
        {
            return Ok(Pushed { plan: values, domain });
        }
        Ok(Pushed { plan: joined(values, plan, JoinType::Inner, None)?, domain })
    }

    /// The distinct outer values.
    fn domain(&mut self, outer: &LogicalPlan, taken: &[Column]) -> Result<(LogicalPlan, Vec<Column>)> {
        let qualifier = self.name();
        let mut exprs = vec![];
        let mut domain = vec![];
        for (i, column) in taken.iter().enumerate() {
            let made = crate::bind::column(&qualifier, format!("{}:{i}", column.name));
            exprs.push(Expr::Column(column.clone()).alias_qualified(made.relation.clone(), made.name.clone()));
            domain.push(made);
        }
        let values = projected(outer.clone(), exprs)?;
        Ok((LogicalPlan::Distinct(Distinct::All(Arc::new(values))), domain))
    }

    /// A projection that keeps the outer values, under a name of its own.
    fn carrying(&mut self, below: Pushed, mut exprs: Vec<Expr>) -> Result<Pushed> {
        exprs.extend(below.domain.iter().cloned().map(Expr::Column));
        Ok(Pushed { plan: projected(below.plan, exprs)?, domain: below.domain })
    }

    fn push_aggregate(&mut self, outer: &LogicalPlan, taken: &[Column], aggregate: Aggregate) -> Result<Pushed> {
        let below = self.push(outer, taken, Arc::unwrap_or_clone(aggregate.input))?;
        let scalar = aggregate.group_expr.is_empty();
        let over = |expr: Expr| over_domain(expr, taken, &below.domain);
        let mut group: Vec<Expr> = aggregate.group_expr.into_iter().map(over).collect::<Result<_>>()?;
        let calls: Vec<Expr> = aggregate.aggr_expr.into_iter().map(over).collect::<Result<_>>()?;
        group.extend(below.domain.iter().cloned().map(Expr::Column));
        let columns: Vec<Column> = aggregate.schema.columns();
        let grouped =
            Aggregate::try_new(Arc::new(below.plan), group, calls.clone()).map_err(|error| internal(&error))?;
        let grouped = LogicalPlan::Aggregate(grouped);
        if !scalar {
            return Ok(Pushed { plan: grouped, domain: below.domain });
        }
        // without groups there is a row for each value, also where there was none to count
        let mark = crate::bind::column(&self.name(), "found");
        let mut exprs: Vec<Expr> = grouped.schema().columns().into_iter().map(Expr::Column).collect();
        exprs.push(lit(true).alias_qualified(mark.relation.clone(), mark.name.clone()));
        let grouped = projected(grouped, exprs)?;
        let (values, domain) = self.domain(outer, taken)?;
        let on = domain.iter().cloned().zip(below.domain).map(|(outer, inner)| same(outer, inner));
        let all = joined(values, grouped, JoinType::Left, conjunction(on))?;
        let mut exprs = vec![];
        for (column, call) in columns.into_iter().zip(&calls) {
            let value = or_default(Expr::Column(column.clone()), &mark, call)?;
            exprs.push(value.alias_qualified(column.relation.clone(), column.name.clone()));
        }
        self.carrying(Pushed { plan: all, domain }, exprs)
    }

    fn push_join(&mut self, outer: &LogicalPlan, taken: &[Column], join: Join) -> Result<Pushed> {
        let columns = join.schema.columns().into_iter().map(Expr::Column).collect();
        let (left, right) = (join.left.as_ref().clone(), join.right.as_ref().clone());
        let (in_left, in_right) = (mentions(&left, outer.schema()), mentions(&right, outer.schema()));
        let right_alone = match join.join_type {
            JoinType::Inner => in_right && !in_left,
            JoinType::Right => !in_left,
            _ => false,
        };
        if join.join_type == JoinType::Full {
            return Err(not_unnested(&LogicalPlan::Join(join)));
        }
        if right_alone {
            let right = self.push(outer, taken, right)?;
            let plan = self.rejoin_over(&join, left, right.plan, taken, &right.domain, None)?;
            return self.carrying(Pushed { plan, domain: right.domain }, columns);
        }
        let left = self.push(outer, taken, left)?;
        if !in_right && join.join_type != JoinType::Right {
            let plan = self.rejoin_over(&join, left.plan, right, taken, &left.domain, None)?;
            return self.carrying(Pushed { plan, domain: left.domain }, columns);
        }
        let join = without_null_awareness(join);
        let right = self.push(outer, taken, right)?;
        let kept = if join.join_type == JoinType::Right { right.domain.clone() } else { left.domain.clone() };
        let meet = left.domain.into_iter().zip(right.domain).map(|(l, r)| same(l, r));
        let meet = conjunction(meet);
        let plan = self.rejoin_over(&join, left.plan, right.plan, taken, &kept, meet)?;
        self.carrying(Pushed { plan, domain: kept }, columns)
    }

    fn rejoin_over(
        &mut self,
        join: &Join,
        left: LogicalPlan,
        right: LogicalPlan,
        taken: &[Column],
        domain: &[Column],
        meet: Option<Expr>,
    ) -> Result<LogicalPlan> {
        let own = join.filter.clone().map(|filter| over_domain(filter, taken, domain)).transpose()?;
        let filter = conjunction(own.into_iter().chain(meet));
        rejoined(join, left, right, filter)
    }

    /// Sides whose rows correspond by position, each with the outer values last.
    fn push_sides(
        &mut self,
        outer: &LogicalPlan,
        taken: &[Column],
        sides: Vec<LogicalPlan>,
    ) -> Result<(Vec<LogicalPlan>, Vec<Column>)> {
        let names = sides[0].schema().columns();
        let qualifier = self.name();
        let domain: Vec<Column> =
            (0..taken.len()).map(|i| crate::bind::column(&qualifier, format!("domain:{i}"))).collect();
        let mut pushed_sides = vec![];
        for side in sides {
            let columns = side.schema().columns();
            let pushed = self.push(outer, taken, side)?;
            let own = columns.into_iter().zip(&names);
            let values = pushed.domain.into_iter().zip(&domain);
            let exprs = own
                .chain(values)
                .map(|(column, name)| Expr::Column(column).alias_qualified(name.relation.clone(), name.name.clone()))
                .collect();
            pushed_sides.push(projected(pushed.plan, exprs)?);
        }
        Ok((pushed_sides, domain))
    }

    fn push_extension(&mut self, outer: &LogicalPlan, taken: &[Column], plan: LogicalPlan) -> Result<Pushed> {
        let made = |plan: datafusion_common::Result<LogicalPlan>| plan.map_err(|error| internal(&error));
        if let Some(node) = Node::<SetOp>::of(&plan) {
            let (sides, domain) = self.push_sides(outer, taken, node.inputs.clone())?;
            return Ok(Pushed { plan: made(Node::plan(node.op.clone(), sides))?, domain });
        }
        if let Some(node) = Node::<TopK>::of(&plan) {
            let below = self.push(outer, taken, node.inputs[0].clone())?;
            let mut op = node.op.clone();
            op.partition.extend(below.domain.iter().cloned().map(Expr::Column));
            return Ok(Pushed { plan: made(Node::plan(op, vec![below.plan]))?, domain: below.domain });
        }
        if let Some(node) = Node::<AtMostOne>::of(&plan) {
            let below = self.push(outer, taken, node.inputs[0].clone())?;
            let mut keys = node.op.keys.clone();
            keys.extend(below.domain.iter().cloned().map(Expr::Column));
            return Ok(Pushed { plan: made(Node::plan(AtMostOne { keys }, vec![below.plan]))?, domain: below.domain });
        }
        if let Some(node) = Node::<MarkJoin>::of(&plan) {
            return self.push_mark(outer, taken, node);
        }
        if let Some(node) = Node::<Explode>::of(&plan) {
            let below = self.push(outer, taken, node.inputs[0].clone())?;
            return Ok(Pushed { plan: made(Node::plan(node.op.clone(), vec![below.plan]))?, domain: below.domain });
        }
        Err(not_unnested(&plan))
    }
}

impl Unnest {
    /// Whether a row has a partner, for the outer value that both are for.
    fn push_mark(&mut self, outer: &LogicalPlan, taken: &[Column], node: &Node<MarkJoin>) -> Result<Pushed> {
        let left = self.push(outer, taken, node.inputs[0].clone())?;
        let own = node.op.condition.clone().map(|condition| over_domain(condition, taken, &left.domain)).transpose()?;
        let mut right = node.inputs[1].clone();
        let mut conditions: Vec<Expr> = own.into_iter().collect();
        if mentions(&right, outer.schema()) {
            let pushed = self.push(outer, taken, right)?;
            conditions.extend(left.domain.iter().cloned().zip(pushed.domain).map(|(l, r)| same(l, r)));
            right = pushed.plan;
        }
        let op = MarkJoin { condition: conjunction(conditions), mark: node.op.mark.clone() };
        let plan = Node::plan(op, vec![left.plan, right]).map_err(|error| internal(&error))?;
        Ok(Pushed { plan, domain: left.domain })
    }
}

/// NOT IN where the subquery depends on more than it says: no row may be equal or unknown.
fn without_null_awareness(join: Join) -> Join {
    match (join.null_aware, join.filter) {
        (true, Some(equal)) => Join { filter: Some(Expr::IsNotFalse(Box::new(equal))), null_aware: false, ..join },
        (_, filter) => Join { filter, ..join },
    }
}

/// The expression with mentions of the outside as the values that the row is for.
fn over_domain(expr: Expr, taken: &[Column], domain: &[Column]) -> Result<Expr> {
    replace_outer(expr, |column| {
        let place = taken.iter().position(|known| known == column)?;
        domain.get(place).cloned().map(Expr::Column)
    })
}

/// The result of an aggregate call, or what it is over no rows where the mark is missing.
pub(super) fn or_default(value: Expr, mark: &Column, call: &Expr) -> Result<Expr> {
    let mut inner = call;
    while let Expr::Alias(alias) = inner {
        inner = &alias.expr;
    }
    let Expr::AggregateFunction(function) = inner else { return Ok(value) };
    let Some(udf) = AggregateUdf::of(&function.func) else { return Ok(value) };
    let default = function.func.default_value(&udf.data_type).map_err(|error| internal(&error))?;
    if default.is_null() {
        return Ok(value);
    }
    Ok(if_missing(mark, default, value))
}

fn if_missing(mark: &Column, default: ScalarValue, value: Expr) -> Expr {
    let missing = Expr::IsNull(Box::new(Expr::Column(mark.clone())));
    let when = vec![(Box::new(missing), Box::new(lit(default)))];
    Expr::Case(Case::new(None, when, Some(Box::new(value))))
}

/// VALUES as a union of projections, which may mention the outside.
fn rows_of_values(values: Values) -> Result<LogicalPlan> {
    let columns = values.schema.columns();
    let mut inputs = vec![];
    for row in values.values {
        let exprs = row.into_iter().zip(&columns).map(|(expr, column)| named(expr, column)).collect();
        let one = EmptyRelation { produce_one_row: true, schema: Arc::new(DFSchema::empty()) };
        let row = Projection::try_new(exprs, Arc::new(LogicalPlan::EmptyRelation(one))).map_err(|e| internal(&e))?;
        inputs.push(LogicalPlan::Projection(row));
    }
    union_of(inputs, &columns)
}

fn not_unnested(plan: &LogicalPlan) -> PlanError {
    PlanError::not_supported("this correlated subquery")
        .detail(format!("The query around is mentioned below {}.", plan.display()))
        .hint("write it as a join")
}
