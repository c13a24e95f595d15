//! Subqueries as joins.
//!
//! Bottom-up: when a node is looked at, its inputs and the plans of its subqueries have none left. What a subquery
//! takes from around it is then taken apart in one of two ways:
//!
//! * [`pull`]: conditions that mention the outside move up to the join, with the columns that they need. It serves what
//!   people write most.
//! * [`domain`]: where that would change the meaning (below an aggregate, a LIMIT, a set operation, in an expression),
//!   the distinct outer values are joined into the subquery, which then computes all its answers at once, each with the
//!   outer values that it is for (Neumann and Kemper, *Unnesting Arbitrary Queries*). It serves everything else.
//!
//! | in a condition | becomes |
//! |---|---|
//! | EXISTS, IN, ANY | semi-join |
//! | NOT EXISTS, ALL | anti-join |
//! | NOT IN | anti-join where NULL may equal anything |
//! | any of them inside an expression | mark joins: is there a row for which it is TRUE, is there one for which it is NULL |
//! | scalar | left join; its aggregates over no rows are what they are over no rows |
//! | LATERAL | join |
//!
//! References to queries further out stay and are resolved when those are reached.

mod domain;
mod predicate;
mod pull;
mod scalar;

use std::sync::Arc;

use datafusion_common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion_common::{Column, DFSchema, NullEquality, Result as DataFusionResult};
use datafusion_expr::utils::{conjunction, split_conjunction};
use datafusion_expr::{Expr, Filter, Join, JoinConstraint, JoinType, LogicalPlan, Operator, Projection};

use crate::bind::expr::operator::binary;
use crate::bind::internal;
use crate::error::{PlanError, Result};
use pull::Kind;

/// The plan without subqueries.
pub(super) fn rewrite(plan: LogicalPlan) -> Result<LogicalPlan> {
    Unnest { n_names: 0 }.plan(plan)
}

struct Unnest {
    n_names: usize,
}

/// A subquery that stands beside its outer query, and when a row of it belongs to one of that.
struct Beside {
    plan: LogicalPlan,
    conditions: Vec<Expr>,
}

impl Unnest {
    /// A qualifier that nothing else has.
    fn name(&mut self) -> String {
        self.n_names += 1;
        format!("#{}", self.n_names)
    }

    fn plan(&mut self, plan: LogicalPlan) -> Result<LogicalPlan> {
        if let LogicalPlan::Join(join) = &plan
            && let Some(lateral) = lateral_side(&join.right)
        {
            return self.lateral(join, lateral);
        }
        let mut failed = None;
        let plan = plan.map_children(|child| match self.plan(child) {
            Ok(child) => Ok(Transformed::yes(child)),
            Err(error) => {
                failed = Some(error);
                datafusion_common::plan_err!("see above")
            }
        });
        let plan = match (failed, plan) {
            (Some(error), _) => return Err(error),
            (None, plan) => plan.data().map_err(|error| internal(&error))?,
        };
        match plan {
            LogicalPlan::Filter(filter) if has_subquery(&filter.predicate) => self.filter(filter),
            LogicalPlan::Projection(projection) if projection.expr.iter().any(has_subquery) => {
                self.projection(projection)
            }
            LogicalPlan::Join(join) if join.filter.as_ref().is_some_and(has_subquery) => self.join(join),
            plan if plan.expressions().iter().any(has_subquery) => {
                let name = plan.display().to_string();
                Err(PlanError::not_supported("a subquery here").detail(format!("It stands in {name}.")))
            }
            plan => Ok(plan),
        }
    }

    /// WHERE and HAVING: what stands alone becomes a semi- or anti-join.
    fn filter(&mut self, filter: Filter) -> Result<LogicalPlan> {
        let columns = filter.input.schema().columns();
        let mut input = Arc::unwrap_or_clone(filter.input);
        let (with, without): (Vec<Expr>, Vec<Expr>) =
            split_conjunction(&filter.predicate).into_iter().cloned().partition(has_subquery);
        if let Some(predicate) = conjunction(without) {
            input = filtered(input, predicate)?;
        }
        let mut rest = vec![];
        for conjunct in with {
            input = match self.alone(input, &conjunct)? {
                (joined, true) => joined,
                (input, false) => {
                    let (joined, predicate) = self.expression(input, conjunct)?;
                    rest.push(predicate);
                    joined
                }
            };
        }
        if let Some(predicate) = conjunction(rest) {
            input = filtered(input, predicate)?;
        }
        projected(input, columns.into_iter().map(Expr::Column).collect())
    }

    fn projection(&mut self, projection: Projection) -> Result<LogicalPlan> {
        let fields: Vec<_> = projection.schema.iter().map(|(q, field)| (q.cloned(), field.name().clone())).collect();
        let mut input = Arc::unwrap_or_clone(projection.input);
        let mut exprs = vec![];
        for (expr, (qualifier, name)) in projection.expr.into_iter().zip(fields) {
            if !has_subquery(&expr) {
                exprs.push(expr);
                continue;
            }
            let rewritten;
            (input, rewritten) = self.expression(input, expr.unalias())?;
            exprs.push(rewritten.alias_qualified(qualifier, name));
        }
        projected(input, exprs)
    }

    /// ON of an inner join is a condition above it.
    fn join(&mut self, join: Join) -> Result<LogicalPlan> {
        if join.join_type != JoinType::Inner {
            let error = PlanError::not_supported("a subquery in ON of an outer join");
            return Err(error.hint("put it in a subquery in FROM, under a name"));
        }
        let conjuncts: Vec<Expr> = join.filter.iter().flat_map(split_conjunction).cloned().collect();
        let (with, without): (Vec<Expr>, Vec<Expr>) = conjuncts.into_iter().partition(has_subquery);
        let below = LogicalPlan::Join(Join { filter: conjunction(without), ..join });
        match conjunction(with) {
            Some(predicate) => self.filter(Filter::try_new(predicate, Arc::new(below)).map_err(|e| internal(&e))?),
            None => Ok(below),
        }
    }

    /// A join whose right side mentions the left.
    fn lateral(&mut self, join: &Join, lateral: Lateral<'_>) -> Result<LogicalPlan> {
        let columns = join.schema.columns();
        let left = self.plan(join.left.as_ref().clone())?;
        let inner = self.plan(lateral.plan.clone())?;
        let inner = match lateral.alias {
            Some(alias) => requalified(inner, alias)?,
            None => inner,
        };
        if !matches!(join.join_type, JoinType::Inner | JoinType::Left) {
            return Err(PlanError::not_supported("RIGHT and FULL JOIN with LATERAL"));
        }
        let beside = self.beside(&left, inner, Kind::Rows)?;
        let conditions = beside.conditions.into_iter().chain(join.filter.clone());
        let joined = joined(left, beside.plan, join.join_type, conjunction(conditions))?;
        projected(joined, columns.into_iter().map(Expr::Column).collect())
    }

    /// The subquery beside `outer`, by the cheaper way that keeps its meaning.
    fn beside(&mut self, outer: &LogicalPlan, subquery: LogicalPlan, kind: Kind) -> Result<Beside> {
        if !mentions(&subquery, outer.schema()) {
            return Ok(Beside { plan: subquery, conditions: vec![] });
        }
        if let Some(pulled) = self.pull(subquery.clone(), outer.schema(), kind)? {
            return Ok(Beside { plan: pulled.plan, conditions: pulled.conditions });
        }
        self.beside_domain(outer, subquery)
    }

    /// The subquery with its answers for all outer values at once.
    fn beside_domain(&mut self, outer: &LogicalPlan, subquery: LogicalPlan) -> Result<Beside> {
        let taken = taken(&subquery, outer.schema());
        let pushed = self.push(outer, &taken, subquery)?;
        let conditions = taken.into_iter().zip(pushed.domain).map(|(outer, inner)| same(outer, inner)).collect();
        Ok(Beside { plan: pushed.plan, conditions })
    }
}

/// A lateral subquery and its alias.
struct Lateral<'p> {
    plan: &'p LogicalPlan,
    alias: Option<&'p datafusion_common::TableReference>,
}

fn lateral_side(plan: &LogicalPlan) -> Option<Lateral<'_>> {
    match plan {
        LogicalPlan::Subquery(subquery) => Some(Lateral { plan: &subquery.subquery, alias: None }),
        LogicalPlan::SubqueryAlias(alias) => match alias.input.as_ref() {
            LogicalPlan::Subquery(subquery) => Some(Lateral { plan: &subquery.subquery, alias: Some(&alias.alias) }),
            _ => None,
        },
        _ => None,
    }
}

/// Whether an expression has a subquery.
pub(crate) fn has_subquery(expr: &Expr) -> bool {
    let is = |expr: &Expr| {
        matches!(expr, Expr::ScalarSubquery(_) | Expr::Exists(_) | Expr::InSubquery(_) | Expr::SetComparison(_))
    };
    expr.exists(|expr| Ok(is(expr))).unwrap_or(false)
}

/// Whether an expression mentions a column of the query around.
fn expr_mentions(expr: &Expr, outer: &DFSchema) -> bool {
    let is = |expr: &Expr| matches!(expr, Expr::OuterReferenceColumn(_, column) if outer.has_column(column));
    expr.exists(|expr| Ok(is(expr))).unwrap_or(false)
}

/// Whether a plan does, anywhere.
fn mentions(plan: &LogicalPlan, outer: &DFSchema) -> bool {
    !taken(plan, outer).is_empty()
}

/// The columns that a plan takes from the query around, each once.
fn taken(plan: &LogicalPlan, outer: &DFSchema) -> Vec<Column> {
    let mut taken: Vec<Column> = vec![];
    let _ = plan.apply(|node| {
        for expr in node.expressions() {
            let _ = expr.apply(|expr| {
                if let Expr::OuterReferenceColumn(_, column) = expr
                    && outer.has_column(column)
                    && !taken.contains(column)
                {
                    taken.push(column.clone());
                }
                Ok(TreeNodeRecursion::Continue)
            });
        }
        Ok(TreeNodeRecursion::Continue)
    });
    taken
}

/// The expression with mentions of the outside replaced.
fn replace_outer(expr: Expr, replace: impl Fn(&Column) -> Option<Expr>) -> Result<Expr> {
    let replaced = expr.transform_up(|expr| {
        let made = match &expr {
            Expr::OuterReferenceColumn(_, column) => replace(column),
            _ => None,
        };
        Ok(made.map_or_else(|| Transformed::no(expr), Transformed::yes))
    });
    replaced.data().map_err(|error| internal(&error))
}

/// `outer` and `inner` are the same value, NULL included.
fn same(outer: Column, inner: Column) -> Expr {
    binary(Expr::Column(outer), Operator::IsNotDistinctFrom, Expr::Column(inner))
}

fn filtered(input: LogicalPlan, predicate: Expr) -> Result<LogicalPlan> {
    let filter: DataFusionResult<Filter> = Filter::try_new(predicate, Arc::new(input));
    Ok(LogicalPlan::Filter(filter.map_err(|error| internal(&error))?))
}

fn projected(input: LogicalPlan, exprs: Vec<Expr>) -> Result<LogicalPlan> {
    let projection = Projection::try_new(exprs, Arc::new(input)).map_err(|error| internal(&error))?;
    Ok(LogicalPlan::Projection(projection))
}

fn joined(left: LogicalPlan, right: LogicalPlan, join_type: JoinType, filter: Option<Expr>) -> Result<LogicalPlan> {
    let join = Join::try_new(
        Arc::new(left),
        Arc::new(right),
        vec![],
        filter,
        join_type,
        JoinConstraint::On,
        NullEquality::NullEqualsNothing,
        false,
    );
    Ok(LogicalPlan::Join(join.map_err(|error| internal(&error))?))
}

/// The plan with all its columns under a qualifier.
fn requalified(plan: LogicalPlan, qualifier: &datafusion_common::TableReference) -> Result<LogicalPlan> {
    let exprs = plan
        .schema()
        .columns()
        .into_iter()
        .map(|column| {
            let name = column.name.clone();
            Expr::Column(column).alias_qualified(Some(qualifier.clone()), name)
        })
        .collect();
    projected(plan, exprs)
}
