//! placeholder until written below
use crate::error::Result;
use datafusion_expr::LogicalPlan;
pub(super) fn rewrite(plan: LogicalPlan) -> Result<LogicalPlan> {
    Ok(plan)
}
