//! Rows that are there from the first tick on.
//!
//! VALUES are computed here. A row on which an expression fails becomes a map over one row, so that it fails where rows
//! fail: as an error of the query, beside its answer.

use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, RecordBatchOptions, new_empty_array};
use arrow::compute::concat;
use arrow::datatypes::{Schema, SchemaRef};
use datafusion_common::DFSchema;
use datafusion_expr::LogicalPlan;
use datafusion_expr::logical_plan::Values;

use super::{Lower, Lowered, schema_of};
use crate::error::{ErrorKind, PlanError, Result};
use crate::plan::{self, Node, Op, State};

/// `n` rows without columns, or none with the columns of `schema`.
pub(super) fn rows(schema: SchemaRef, n: usize) -> Lowered {
    let columns = schema.fields().iter().map(|field| new_empty_array(field.data_type())).collect();
    let options = RecordBatchOptions::new().with_row_count(Some(n));
    #[allow(clippy::expect_used)]
    let rows = RecordBatch::try_new_with_options(Arc::clone(&schema), columns, &options)
        .expect("rows without columns, or columns without rows, fit any schema");
    constant(rows)
}

/// These rows.
pub(super) fn constant(rows: RecordBatch) -> Lowered {
    let unique_key = (rows.num_rows() <= 1).then(Vec::new);
    let schema = rows.schema();
    let node = Node { op: Op::Constant { rows }, schema, append_only: true, unique_key, state: State::Hash };
    Lowered { node, is_stream: false, window: None }
}

impl Lower {
    pub(super) fn values(&self, plan: &LogicalPlan, values: &Values) -> Result<Lowered> {
        let schema = schema_of(plan);
        let nothing = DFSchema::empty();
        let one = rows(Arc::new(Schema::empty()), 1);
        let mut computed: Vec<Vec<ArrayRef>> = vec![vec![]; schema.fields().len()];
        let mut failing = vec![];
        for row in &values.values {
            let exprs = self.exprs(row, &nothing)?;
            match evaluate(&exprs) {
                Some(cells) => computed.iter_mut().zip(cells).for_each(|(column, cell)| column.push(cell)),
                None => failing.push(self.map(one.clone(), None, exprs, Arc::clone(&schema))),
            }
        }
        let n_rows = values.values.len() - failing.len();
        let columns = computed.iter().zip(schema.fields()).map(|(cells, field)| {
            let cells: Vec<&dyn arrow::array::Array> = cells.iter().map(AsRef::as_ref).collect();
            if cells.is_empty() { Ok(new_empty_array(field.data_type())) } else { concat(&cells) }
        });
        let columns: Vec<ArrayRef> = columns.collect::<std::result::Result<_, _>>().map_err(contradiction)?;
        let options = RecordBatchOptions::new().with_row_count(Some(n_rows));
        let batch = RecordBatch::try_new_with_options(Arc::clone(&schema), columns, &options).map_err(contradiction)?;
        let good = constant(batch);
        if failing.is_empty() {
            return Ok(good);
        }
        Ok(self.union(std::iter::once(good).chain(failing).collect(), schema))
    }
}

/// The values of a row, if none fails.
fn evaluate(exprs: &[plan::Expr]) -> Option<Vec<ArrayRef>> {
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    let one = RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options).ok()?;
    exprs.iter().map(|expr| expr.evaluate(&one).ok()?.into_array(1).ok()).collect()
}

fn contradiction(error: arrow::error::ArrowError) -> PlanError {
    PlanError::new(ErrorKind::Internal, "VALUES of several types").detail(error.to_string())
}
