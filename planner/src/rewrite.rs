//! Logical plan to a simpler one: one rewrite a file, the order of all of them here.
//!
//! 1. [`as_of`]: as-of joins become ordinary ones, so that the rules below move predicates through them; what they are
//!    is found again when they are lowered.
//! 2. [`unnest`]: subqueries in expressions and lateral ones become joins.
//! 3. DataFusion's rules that mean the same over changing rows. Left out are those that rely on an order or a limit of
//!    the input (`PushDownLimit`, `EliminateLimit`), that change aggregates (`SingleDistinctToGroupBy`), that evaluate
//!    expressions with another arithmetic than ours (`SimplifyExpressions`; [`fold`] does that), and those that the
//!    passes before have done (decorrelation). [`push_down`] is one of them with an exception.
//! 4. [`first_rows`]: a condition on ROW_NUMBER bounds how many rows are kept.
//! 5. [`fold`], before the rules and behind them: constants, with our arithmetic; one that fails stays, so that it fails
//!    where rows do.
//! 6. [`scope`]: every column of the result comes from its input; otherwise it is a bug of ours and says so.

mod as_of;
pub(crate) mod first_rows;
mod fold;
mod push_down;
mod scope;
mod unnest;

use std::sync::Arc;

use datafusion_common::config::ConfigOptions;
use datafusion_expr::LogicalPlan;
use datafusion_optimizer::common_subexpr_eliminate::CommonSubexprEliminate;
use datafusion_optimizer::eliminate_cross_join::EliminateCrossJoin;
use datafusion_optimizer::eliminate_filter::EliminateFilter;
use datafusion_optimizer::eliminate_outer_join::EliminateOuterJoin;
use datafusion_optimizer::optimize_projections::OptimizeProjections;
use datafusion_optimizer::optimizer::Optimizer;
use datafusion_optimizer::{OptimizerContext, OptimizerRule};

use crate::bind::internal;
use crate::error::Result;

pub(crate) use unnest::has_subquery;

/// The plan without subqueries, with predicates where they cost least and without columns that nobody reads.
///
/// # Errors
/// If a subquery cannot become a join.
pub fn rewrite(plan: LogicalPlan) -> Result<LogicalPlan> {
    let schema = Arc::clone(plan.schema());
    let plan = as_of::rewrite(plan)?;
    let plan = unnest::rewrite(plan)?;
    let plan = fold::rewrite(plan)?;
    let context = OptimizerContext::new_with_config_options(Arc::new(ConfigOptions::default()))
        .without_query_execution_start_time()
        .with_skip_failing_rules(false);
    let plan = Optimizer::with_rules(rules()).optimize(plan, &context, |_, _| {}).map_err(|error| internal(&error))?;
    let plan = first_rows::rewrite(plan)?;
    let plan = fold::rewrite(plan)?;
    scope::check(&plan, &schema)?;
    Ok(plan)
}

fn rules() -> Vec<Arc<dyn OptimizerRule + Send + Sync>> {
    vec![
        Arc::new(EliminateFilter::new()),
        Arc::new(EliminateCrossJoin::new()),
        Arc::new(EliminateOuterJoin::new()),
        Arc::new(push_down::PushDown::new()),
        Arc::new(CommonSubexprEliminate::new()),
        Arc::new(OptimizeProjections::new()),
    ]
}
