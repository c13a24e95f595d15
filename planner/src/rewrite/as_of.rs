//! As-of joins as ordinary joins.
//!
//! Predicates move through both alike: one over the stream's columns holds for a stream row before the join or behind
//! it, one over the table's columns for the table's rows of any tick. Lowering finds the stream beside the table again.

use std::sync::Arc;

use datafusion_common::NullEquality;
use datafusion_common::tree_node::{Transformed, TransformedResult};
use datafusion_expr::{Join, JoinConstraint, LogicalPlan};

use crate::bind::internal;
use crate::error::Result;
use crate::logical::Node;
use crate::logical::as_of::AsOf;

/// The plan without as-of nodes, in subqueries too.
pub(super) fn rewrite(plan: LogicalPlan) -> Result<LogicalPlan> {
    let rewritten = plan.transform_up_with_subqueries(|plan| {
        let Some(node) = Node::<AsOf>::of(&plan) else { return Ok(Transformed::no(plan)) };
        let join = Join::try_new(
            Arc::new(node.inputs[0].clone()),
            Arc::new(node.inputs[1].clone()),
            vec![],
            node.op.condition.clone(),
            node.op.join_type(),
            JoinConstraint::On,
            NullEquality::NullEqualsNothing,
            false,
        )?;
        Ok(Transformed::yes(LogicalPlan::Join(join)))
    });
    rewritten.data().map_err(|error| internal(&error))
}
