//! EXPLAIN: plans as text.

mod node;

use datafusion_expr::LogicalPlan;

use crate::action::Action;
use crate::catalog::Catalog;

/// A logical plan, one node a line.
pub fn logical(plan: &LogicalPlan) -> String {
    plan.display_indent().to_string()
}

/// The incremental plan of an action, one operator a line.
pub fn plan(action: &Action, catalog: &Catalog) -> String {
    node::text(action, catalog)
}

/// The same as JSON.
pub fn json(action: &Action) -> String {
    node::json(action)
}
