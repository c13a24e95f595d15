//! A row per element of a list.
//!
//! One input. Each row comes out as often as its longest list in `columns` has elements; the i-th time each of these
//! columns is its i-th element, or NULL where the list is shorter, and all other columns are repeated. A row whose lists
//! are all empty or NULL does not come out, or once with NULLs if `keep_empty`.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_common::{Column, DFSchema, DFSchemaRef, Result, plan_err};
use datafusion_expr::{Expr, LogicalPlan};

use super::{Operator, write_list};

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Explode {
    /// Columns of lists.
    pub columns: Vec<Column>,
    /// See the module.
    pub keep_empty: bool,
}

impl Operator for Explode {
    const NAME: &'static str = "Explode";

    fn expressions(&self) -> Vec<Expr> {
        self.columns.iter().cloned().map(Expr::Column).collect()
    }

    fn with_expressions(&self, exprs: Vec<Expr>) -> Self {
        let columns = exprs.into_iter().filter_map(|expr| expr.try_as_col().cloned()).collect();
        Explode { columns, keep_empty: self.keep_empty }
    }

    fn schema(&self, inputs: &[LogicalPlan]) -> Result<DFSchemaRef> {
        let input = inputs[0].schema();
        let mut fields: Vec<_> = input.iter().map(|(q, field)| (q.cloned(), Arc::clone(field))).collect();
        for column in &self.columns {
            let at = input.index_of_column(column)?;
            let DataType::List(item) = fields[at].1.data_type() else {
                return plan_err!("{column} is not a list");
            };
            let element = fields[at].1.as_ref().clone().with_data_type(item.data_type().clone()).with_nullable(true);
            fields[at].1 = Arc::new(element);
        }
        DFSchema::new_with_metadata(fields, Default::default()).map(Arc::new)
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_list(f, "columns", &self.columns)
    }

    fn needed(&self, output: &[usize], _: &[LogicalPlan]) -> Option<Vec<Vec<usize>>> {
        Some(vec![output.to_vec()])
    }
}
