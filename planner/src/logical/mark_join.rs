//! Whether a row has a partner, as a column.
//!
//! Two inputs. Each left row comes out once, with a BOOLEAN behind it: TRUE if for some right row `condition` is TRUE
//! (absent: if there is a right row), else FALSE. It does not occur in bound plans; unnesting makes it.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion_common::{Column, DFSchema, DFSchemaRef, Result};
use datafusion_expr::{Expr, LogicalPlan};

use super::Operator;

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct MarkJoin {
    /// Over left columns, then right columns.
    pub condition: Option<Expr>,
    /// The column that says so.
    pub mark: Column,
}

impl Operator for MarkJoin {
    const NAME: &'static str = "MarkJoin";

    fn expressions(&self) -> Vec<Expr> {
        self.condition.iter().cloned().collect()
    }

    fn with_expressions(&self, exprs: Vec<Expr>) -> Self {
        MarkJoin { condition: exprs.into_iter().next(), mark: self.mark.clone() }
    }

    fn schema(&self, inputs: &[LogicalPlan]) -> Result<DFSchemaRef> {
        let mut fields: Vec<_> = inputs[0].schema().iter().map(|(q, field)| (q.cloned(), Arc::clone(field))).collect();
        fields.push((self.mark.relation.clone(), Arc::new(Field::new(&self.mark.name, DataType::Boolean, true))));
        DFSchema::new_with_metadata(fields, Default::default()).map(Arc::new)
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.condition {
            Some(condition) => write!(f, " {} on {condition}", self.mark),
            None => write!(f, " {}", self.mark),
        }
    }

    fn needed(&self, output: &[usize], inputs: &[LogicalPlan]) -> Option<Vec<Vec<usize>>> {
        let n_left = inputs[0].schema().fields().len();
        Some(vec![output.iter().copied().filter(|i| *i < n_left).collect(), vec![]])
    }
}
