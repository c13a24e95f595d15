//! The first rows of each partition.
//!
//! One input. Within each group of equal `partition` columns (NULL equals NULL) the rows are put in `order`, `offset`
//! of them are passed over and at most `limit` come out. The binder makes `order` name every column, so that ties are
//! between equal rows only and the answer is a function of the data.
//!
//! With `rank` each row has a column more: its place in its partition, from 1, those passed over counted. So ROW_NUMBER
//! is the first rows without a limit; a condition on it becomes one when the plan is rewritten.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::{Column, DFSchema, DFSchemaRef, Result, TableReference};
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
    /// The column that has the place of a row, BIGINT, behind the input's.
    pub rank: Option<Column>,
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
        let Some(rank) = &self.rank else { return Ok(Arc::clone(inputs[0].schema())) };
        let mut fields: Vec<(Option<TableReference>, FieldRef)> =
            inputs[0].schema().iter().map(|(q, field)| (q.cloned(), Arc::clone(field))).collect();
        fields.push((rank.relation.clone(), Arc::new(Field::new(&rank.name, DataType::Int64, true))));
        DFSchema::new_with_metadata(fields, Default::default()).map(Arc::new)
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.partition.is_empty() {
            write_list(f, "partition", &self.partition)?;
        }
        write_list(f, "order", &self.order)?;
        if self.offset > 0 {
            write!(f, " offset={}", self.offset)?;
        }
        if let Some(limit) = self.limit {
            write!(f, " limit={limit}")?;
        }
        match &self.rank {
            Some(rank) => write!(f, " rank={rank}"),
            None => Ok(()),
        }
    }

    fn needed(&self, _: &[usize], inputs: &[LogicalPlan]) -> Option<Vec<Vec<usize>>> {
        Some(all_columns(inputs))
    }
}
