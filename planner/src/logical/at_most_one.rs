//! The guard of a scalar subquery.
//!
//! One input. A group of equal `keys` (NULL equals NULL; no keys: all rows are one group) that has one row passes; one
//! with more rows does not come out and is an error of the query.

use std::fmt;
use std::sync::Arc;

use datafusion_common::{DFSchemaRef, Result};
use datafusion_expr::{Expr, LogicalPlan};

use super::{Operator, write_list};

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AtMostOne {
    /// The columns by which the subquery is correlated.
    pub keys: Vec<Expr>,
}

impl Operator for AtMostOne {
    const NAME: &'static str = "AtMostOne";

    fn expressions(&self) -> Vec<Expr> {
        self.keys.clone()
    }

    fn with_expressions(&self, exprs: Vec<Expr>) -> Self {
        AtMostOne { keys: exprs }
    }

    fn schema(&self, inputs: &[LogicalPlan]) -> Result<DFSchemaRef> {
        Ok(Arc::clone(inputs[0].schema()))
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_list(f, "keys", &self.keys)
    }

    fn needed(&self, output: &[usize], _: &[LogicalPlan]) -> Option<Vec<Vec<usize>>> {
        Some(vec![output.to_vec()])
    }
}
