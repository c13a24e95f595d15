//! Predicates, moved to where they cost least.
//!
//! DataFusion's `PushDownFilter`, with one exception. A grouping without keys has a row also when nothing comes in, so a
//! condition above it is not one on its input: `SELECT COUNT(*) FROM t HAVING FALSE` has no row, and a filter below
//! would leave the row of an empty count. DataFusion moves a condition without columns (FALSE, or one that fails) below
//! nevertheless. Here every condition on such a grouping stays where it is; no other one could have moved.
//!
//! The rule also drops conditions that others imply, for which they must be [`upright`].

use std::sync::Arc;

use datafusion_common::Result;
use datafusion_common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion_expr::{Filter, LogicalPlan};
use datafusion_optimizer::optimizer::ApplyOrder;
use datafusion_optimizer::push_down_filter::PushDownFilter;
use datafusion_optimizer::{OptimizerConfig, OptimizerRule};

use super::fold::upright;

/// See the module.
#[derive(Debug)]
pub(super) struct PushDown {
    rule: PushDownFilter,
}

impl PushDown {
    /// The rule.
    pub(super) fn new() -> Self {
        PushDown { rule: PushDownFilter::new() }
    }
}

impl OptimizerRule for PushDown {
    fn name(&self) -> &str {
        self.rule.name()
    }

    fn apply_order(&self) -> Option<ApplyOrder> {
        self.rule.apply_order()
    }

    fn rewrite(&self, plan: LogicalPlan, config: &dyn OptimizerConfig) -> Result<Transformed<LogicalPlan>> {
        match filters_one_group(&plan) {
            true => Ok(Transformed::no(plan)),
            false => self.rule.rewrite(with_upright_conditions(plan)?, config),
        }
    }
}

/// A filter, or several, with their conditions as the rule needs them.
fn with_upright_conditions(plan: LogicalPlan) -> Result<LogicalPlan> {
    let LogicalPlan::Filter(filter) = plan else { return Ok(plan) };
    let predicate = filter.predicate.transform_up(|expr| Ok(upright(expr))).data()?;
    let input = match filter.input.as_ref() {
        below @ LogicalPlan::Filter(_) => Arc::new(with_upright_conditions(below.clone())?),
        _ => filter.input,
    };
    Ok(LogicalPlan::Filter(Filter::try_new(predicate, input)?))
}

/// Whether the plan is a filter, or several, over a grouping without keys.
fn filters_one_group(plan: &LogicalPlan) -> bool {
    let LogicalPlan::Filter(filter) = plan else { return false };
    let mut below = filter.input.as_ref();
    while let LogicalPlan::Filter(filter) = below {
        below = filter.input.as_ref();
    }
    matches!(below, LogicalPlan::Aggregate(aggregate) if aggregate.group_expr.is_empty())
}
