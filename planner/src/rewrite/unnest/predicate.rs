//! IN, EXISTS, ANY, ALL.

use std::sync::Arc;

use datafusion_common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion_common::{Column, NullEquality, ScalarValue};
use datafusion_expr::expr::{Case, Exists, InSubquery, SetComparison, SetQuantifier};
use datafusion_expr::utils::conjunction;
use datafusion_expr::{Distinct, Expr, Join, JoinConstraint, JoinType, LogicalPlan, Operator, lit};

use super::pull::Kind;
use super::{Unnest, joined, projected};
use crate::bind::expr::operator::binary;
use crate::bind::{column, internal};
use crate::error::{PlanError, Result};
use crate::logical::Node;
use crate::logical::mark_join::MarkJoin;

/// A test against the rows of a subquery.
struct Test {
    /// The plan.
    plan: LogicalPlan,
    /// `value op row`; absent: there is a row.
    compare: Option<(Expr, Operator)>,
    /// NOT EXISTS, NOT IN.
    negated: bool,
    /// ALL: the test holds for every row.
    all: bool,
}

impl Unnest {
    /// A conjunct that is a test by itself: a semi- or anti-join. Otherwise the input comes back with `false`.
    pub(super) fn alone(&mut self, input: LogicalPlan, conjunct: &Expr) -> Result<(LogicalPlan, bool)> {
        let (expr, not) = match conjunct {
            Expr::Not(inner) => (inner.as_ref(), true),
            other => (other, false),
        };
        let Some(mut test) = self.test(expr)? else { return Ok((input, false)) };
        test.negated ^= not;
        let (plan, column) = first_column(test.plan);
        let kind = if test.compare.is_some() { Kind::In } else { Kind::Exists };
        let beside = self.beside(&input, plan, kind)?;
        let uncorrelated = beside.conditions.is_empty();
        let mut conditions = beside.conditions;
        // ALL holds where no row speaks against it, NOT ANY where no row may speak for it
        let (join_type, compare) = match (test.compare, test.negated, test.all) {
            (None, false, _) => (JoinType::LeftSemi, None),
            (None, true, _) => (JoinType::LeftAnti, None),
            (Some((value, op)), false, false) => (JoinType::LeftSemi, Some(binary(value, op, Expr::Column(column)))),
            (Some((value, op)), true, false) => {
                let equal = binary(value, op, Expr::Column(column));
                if op == Operator::Eq && uncorrelated && has_columns(&equal, &input) {
                    return Ok((null_aware(input, beside.plan, equal)?, true));
                }
                (JoinType::LeftAnti, Some(Expr::IsNotFalse(Box::new(equal))))
            }
            (Some((value, op)), false, true) => {
                let holds = binary(value, op, Expr::Column(column));
                (JoinType::LeftAnti, Some(Expr::IsNotTrue(Box::new(holds))))
            }
            (Some((value, op)), true, true) => {
                let holds = binary(value, op, Expr::Column(column));
                (JoinType::LeftSemi, Some(Expr::IsFalse(Box::new(holds))))
            }
        };
        conditions.extend(compare);
        Ok((joined(input, beside.plan, join_type, conjunction(conditions))?, true))
    }

    /// The test that an expression is.
    fn test(&mut self, expr: &Expr) -> Result<Option<Test>> {
        Ok(Some(match expr {
            Expr::Exists(Exists { subquery, negated }) => {
                let plan = self.plan(subquery.subquery.as_ref().clone())?;
                Test { plan, compare: None, negated: *negated, all: false }
            }
            Expr::InSubquery(InSubquery { expr, subquery, negated }) if !super::has_subquery(expr) => {
                let plan = self.plan(subquery.subquery.as_ref().clone())?;
                Test { plan, compare: Some((expr.as_ref().clone(), Operator::Eq)), negated: *negated, all: false }
            }
            Expr::SetComparison(SetComparison { expr, subquery, op, quantifier }) if !super::has_subquery(expr) => {
                let plan = self.plan(subquery.subquery.as_ref().clone())?;
                let all = *quantifier == SetQuantifier::All;
                Test { plan, compare: Some((expr.as_ref().clone(), *op)), negated: false, all }
            }
            _ => return Ok(None),
        }))
    }

    /// An expression with its subqueries as columns of joins with its input.
    pub(super) fn expression(&mut self, input: LogicalPlan, expr: Expr) -> Result<(LogicalPlan, Expr)> {
        let mut joined = Some(input);
        let mut failed: Option<PlanError> = None;
        let rewritten = expr.transform_up(|expr| {
            let is_subquery = matches!(
                expr,
                Expr::ScalarSubquery(_) | Expr::Exists(_) | Expr::InSubquery(_) | Expr::SetComparison(_)
            );
            let (true, Some(input)) = (is_subquery, joined.take_if(|_| is_subquery)) else {
                return Ok(Transformed::no(expr));
            };
            match self.subquery(input, &expr) {
                Ok((plan, value)) => {
                    joined = Some(plan);
                    Ok(Transformed::new(value, true, TreeNodeRecursion::Continue))
                }
                Err(error) => {
                    failed = Some(error);
                    datafusion_common::plan_err!("see above")
                }
            }
        });
        match (failed, rewritten.data(), joined) {
            (Some(error), _, _) => Err(error),
            (None, Ok(expr), Some(plan)) => Ok((plan, expr)),
            (None, Err(error), _) => Err(internal(&error)),
            (None, Ok(_), None) => Err(PlanError::new(crate::error::ErrorKind::Internal, "a subquery lost its input")),
        }
    }

    fn subquery(&mut self, input: LogicalPlan, expr: &Expr) -> Result<(LogicalPlan, Expr)> {
        if let Expr::ScalarSubquery(subquery) = expr {
            let plan = self.plan(subquery.subquery.as_ref().clone())?;
            return self.scalar(input, plan);
        }
        let Some(test) = self.test(expr)? else {
            return Err(PlanError::not_supported("a subquery on the left side of IN, ANY or ALL"));
        };
        let (plan, column) = first_column(test.plan);
        let Some((value, op)) = test.compare else {
            let (joined, mark) = self.mark(input, plan, Kind::Exists, None)?;
            return Ok((joined, if test.negated { Expr::Not(Box::new(mark)) } else { mark }));
        };
        let holds = binary(value.clone(), op, Expr::Column(column.clone()));
        // ALL is NOT ANY of the opposite, with the same NULLs
        let (decisive, found) = match test.all {
            true => (Expr::IsFalse(Box::new(holds.clone())), false),
            false => (Expr::IsTrue(Box::new(holds.clone())), true),
        };
        let decisive = if test.all || op != Operator::Eq { decisive } else { holds.clone() };
        let (joined, decided) = self.mark(input, plan.clone(), Kind::In, Some(decisive))?;
        let (joined, unknown) = self.unknown(joined, plan, value, column, holds)?;
        let when = vec![
            (Box::new(decided), Box::new(lit(found))),
            (Box::new(unknown), Box::new(lit(ScalarValue::Boolean(None)))),
        ];
        let case = Expr::Case(Case::new(None, when, Some(Box::new(lit(!found)))));
        Ok((joined, if test.negated { Expr::Not(Box::new(case)) } else { case }))
    }

    /// Whether the comparison is NULL for some row. For a subquery by itself it matters only whether it has rows and
    /// NULLs, which is two rows at most.
    fn unknown(
        &mut self,
        input: LogicalPlan,
        plan: LogicalPlan,
        value: Expr,
        column: Column,
        holds: Expr,
    ) -> Result<(LogicalPlan, Expr)> {
        if super::mentions(&plan, input.schema()) {
            return self.mark(input, plan, Kind::In, Some(Expr::IsNull(Box::new(holds))));
        }
        let made = crate::bind::column(&self.name(), "is_null");
        let is_null = Expr::IsNull(Box::new(Expr::Column(column)));
        let nulls = projected(plan, vec![is_null.alias_qualified(made.relation.clone(), made.name.clone())])?;
        let nulls = LogicalPlan::Distinct(Distinct::All(Arc::new(nulls)));
        let either = binary(Expr::Column(made), Operator::Or, Expr::IsNull(Box::new(value)));
        self.mark(input, nulls, Kind::In, Some(either))
    }

    /// Whether there is a row for which the condition holds, as a column.
    fn mark(
        &mut self,
        input: LogicalPlan,
        plan: LogicalPlan,
        kind: Kind,
        condition: Option<Expr>,
    ) -> Result<(LogicalPlan, Expr)> {
        let beside = self.beside(&input, plan, kind)?;
        let condition = conjunction(beside.conditions.into_iter().chain(condition));
        let mark = column(&self.name(), "mark");
        let op = MarkJoin { condition, mark: mark.clone() };
        let plan = Node::plan(op, vec![input, beside.plan]).map_err(|error| internal(&error))?;
        Ok((plan, Expr::Column(mark)))
    }
}

/// The plan, and the column that a value is compared with.
fn first_column(plan: LogicalPlan) -> (LogicalPlan, Column) {
    let column = plan.schema().columns().into_iter().next().unwrap_or_else(|| Column::new_unqualified(""));
    (plan, column)
}

/// Whether the outer side of an equality is over columns of the input.
fn has_columns(equal: &Expr, input: &LogicalPlan) -> bool {
    equal.column_refs().iter().any(|column| input.schema().has_column(column))
}

/// NOT IN of a subquery by itself.
fn null_aware(input: LogicalPlan, plan: LogicalPlan, equal: Expr) -> Result<LogicalPlan> {
    let join = Join::try_new(
        Arc::new(input),
        Arc::new(plan),
        vec![],
        Some(equal),
        JoinType::LeftAnti,
        JoinConstraint::On,
        NullEquality::NullEqualsNothing,
        true,
    );
    Ok(LogicalPlan::Join(join.map_err(|error| internal(&error))?))
}
