//! That a rewritten plan holds together.
//!
//! Every column of a node comes from its inputs, no subquery is left, and the plan has the columns that it had. What
//! fails here is a contradiction inside the planner; without the check it would be a wrong answer.

use datafusion_common::DFSchema;
use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion_expr::{Expr, LogicalPlan};

use crate::bind::internal;
use crate::error::{ErrorKind, PlanError, Result};

/// Checks the plan against the columns that it must have.
pub(super) fn check(plan: &LogicalPlan, schema: &DFSchema) -> Result<()> {
    let types = |schema: &DFSchema| schema.fields().iter().map(|f| f.data_type().clone()).collect::<Vec<_>>();
    if types(plan.schema()) != types(schema) {
        return Err(contradiction("the rewritten plan has other columns", plan));
    }
    let mut wrong: Option<PlanError> = None;
    let walked = plan.apply(|node| {
        if let Some(what) = wrong_expression(node) {
            wrong = Some(contradiction(&what, node));
            return Ok(TreeNodeRecursion::Stop);
        }
        Ok(TreeNodeRecursion::Continue)
    });
    walked.map_err(|error| internal(&error))?;
    match wrong {
        Some(error) => Err(error),
        None => Ok(()),
    }
}

fn wrong_expression(node: &LogicalPlan) -> Option<String> {
    if let LogicalPlan::TableScan(_) | LogicalPlan::Values(_) = node {
        return None;
    }
    let inputs = node.inputs();
    for expr in node.expressions() {
        for column in expr.column_refs() {
            if !inputs.iter().any(|input| input.schema().has_column(column)) {
                return Some(format!("{column} comes from nowhere"));
            }
        }
        let mut left = None;
        let _ = expr.apply(|part| {
            if let Expr::ScalarSubquery(_) | Expr::Exists(_) | Expr::InSubquery(_) | Expr::SetComparison(_) = part {
                left = Some("a subquery is left".to_string());
            }
            if let Expr::OuterReferenceColumn(_, column) = part {
                left = Some(format!("{column} of a query around is left"));
            }
            Ok(TreeNodeRecursion::Continue)
        });
        if left.is_some() {
            return left;
        }
    }
    matches!(node, LogicalPlan::Subquery(_)).then(|| "a lateral subquery is left".to_string())
}

fn contradiction(what: &str, node: &LogicalPlan) -> PlanError {
    PlanError::new(ErrorKind::Internal, "the planner made a plan that contradicts itself")
        .detail(format!("{what}, in {}", node.display()))
        .hint("this is a bug; please report it with the statement")
}
