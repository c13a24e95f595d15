//! INTERSECT and EXCEPT.
//!
//! Two inputs with columns of equal types. A row that is m times in the left and n times in the right input comes out
//! min(m, n) times (INTERSECT ALL), max(m − n, 0) times (EXCEPT ALL), once if m and n are positive (INTERSECT), once if
//! m is positive and n is 0 (EXCEPT). NULL equals NULL. Output: the left columns' names.

use std::fmt;
use std::sync::Arc;

use datafusion_common::{DFSchemaRef, Result};
use datafusion_expr::{Expr, LogicalPlan};

use super::{Operator, all_columns};
use crate::plan::SetOpKind;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SetOp {
    /// Which.
    pub kind: SetOpKind,
    /// Count multiplicities.
    pub all: bool,
}

impl Operator for SetOp {
    const NAME: &'static str = "SetOp";

    fn expressions(&self) -> Vec<Expr> {
        vec![]
    }

    fn with_expressions(&self, _: Vec<Expr>) -> Self {
        self.clone()
    }

    fn schema(&self, inputs: &[LogicalPlan]) -> Result<DFSchemaRef> {
        Ok(Arc::clone(inputs[0].schema()))
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.kind {
            SetOpKind::Intersect => "INTERSECT",
            SetOpKind::Except => "EXCEPT",
        };
        write!(f, " {kind}{}", if self.all { " ALL" } else { "" })
    }

    fn needed(&self, _: &[usize], inputs: &[LogicalPlan]) -> Option<Vec<Vec<usize>>> {
        Some(all_columns(inputs))
    }
}
