//! Stream–table join.
//!
//! Inputs: a stream, then a table. Each stream row of tick *t* meets the table's rows as they are at *t*, inclusive;
//! what the table does later changes nothing. Pairs for which `condition` is TRUE come out; with `outer`, a stream row
//! without a pair comes out once with NULLs. Output: stream columns, then table columns.

use std::fmt;
use std::sync::Arc;

use datafusion_common::{DFSchemaRef, Result};
use datafusion_expr::logical_plan::builder::build_join_schema;
use datafusion_expr::{Expr, JoinType, LogicalPlan};

use super::Operator;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AsOf {
    /// Over stream columns, then table columns; absent: every pair.
    pub condition: Option<Expr>,
    /// Keep stream rows without a pair.
    pub outer: bool,
}

impl AsOf {
    /// The ordinary join that it is at one tick.
    pub fn join_type(&self) -> JoinType {
        if self.outer { JoinType::Left } else { JoinType::Inner }
    }
}

impl Operator for AsOf {
    const NAME: &'static str = "AsOf";

    fn expressions(&self) -> Vec<Expr> {
        self.condition.iter().cloned().collect()
    }

    fn with_expressions(&self, exprs: Vec<Expr>) -> Self {
        AsOf { condition: exprs.into_iter().next(), outer: self.outer }
    }

    fn schema(&self, inputs: &[LogicalPlan]) -> Result<DFSchemaRef> {
        build_join_schema(inputs[0].schema(), inputs[1].schema(), &self.join_type()).map(Arc::new)
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.outer {
            write!(f, " outer")?;
        }
        match &self.condition {
            Some(condition) => write!(f, " on {condition}"),
            None => Ok(()),
        }
    }

    fn needed(&self, output: &[usize], inputs: &[LogicalPlan]) -> Option<Vec<Vec<usize>>> {
        let n_left = inputs[0].schema().fields().len();
        let left = output.iter().copied().filter(|i| *i < n_left).collect();
        let right = output.iter().copied().filter(|i| *i >= n_left).map(|i| i - n_left).collect();
        Some(vec![left, right])
    }
}
