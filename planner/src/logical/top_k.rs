//! The first rows of each partition.
//!
//! One input. Within each group of equal `partition` columns (NULL equals NULL) the rows are put in `order`, `offset`
//! of them are passed over and at most `limit` come out. The binder makes `order` name every column, so that ties are
//! between equal rows only and the answer is a function of the data.

use std::fmt;
use std::sync::Arc;

use datafusion_common::{DFSchemaRef, Result};
use datafusion_expr::{Expr, LogicalPlan, SortExpr};

use super::{Operator, all_columns, write_list};

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TopK {
    /// Partition columns.
    pub partition: Vec<Expr>,
    /// The order, over columns.
    pub order: Vec<SortExpr>,
    /// Rows to pass over.
    pub offset: usize,
    /// Rows to keep.
    pub limit: Option<usize>,
}

impl Operator for TopK {
    const NAME: &'static str = "TopK";

    fn expressions(&self) -> Vec<Expr> {
        self.partition.iter().cloned().chain(self.order.iter().map(|sort| sort.expr.clone())).collect()
    }

    fn with_expressions(&self, exprs: Vec<Expr>) -> Self {
        let mut exprs = exprs.into_iter();
        let mut op = self.clone();
        op.partition = exprs.by_ref().take(self.partition.len()).collect();
        op.order = self.order.iter().zip(exprs).map(|(sort, expr)| sort.with_expr(expr)).collect();
        op
    }

    fn schema(&self, inputs: &[LogicalPlan]) -> Result<DFSchemaRef> {
        Ok(Arc::clone(inputs[0].schema()))
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.partition.is_empty() {
            write_list(f, "partition", &self.partition)?;
        }
        write_list(f, "order", &self.order)?;
        if self.offset > 0 {
            write!(f, " offset={}", self.offset)?;
        }
        match self.limit {
            Some(limit) => write!(f, " limit={limit}"),
            None => Ok(()),
        }
    }

    fn needed(&self, _: &[usize], inputs: &[LogicalPlan]) -> Option<Vec<Vec<usize>>> {
        Some(all_columns(inputs))
    }
}
