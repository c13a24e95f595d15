//! Expressions over batches, and what happens when one fails.
//!
//! An expression is evaluated over whole columns. When it fails, the row at fault is found by halving the batch: good
//! halves are evaluated as they are, so one bad row in ten thousand costs some fourteen evaluations more, and only then.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, new_empty_array, new_null_array};
use arrow::compute::{cast, concat};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion_common::{DataFusionError, ScalarValue};
use datafusion_expr::ColumnarValue;
use datafusion_physical_expr::PhysicalExpr;
use millrace_data::Batch;
use millrace_data::canonical::canonical;
use millrace_planner::plan::Expr;

/// A row on which an expression failed.
pub(crate) struct Failure {
    /// Which row of the batch.
    pub(crate) row: usize,
    /// Why.
    pub(crate) message: String,
}

/// An expression with the type that its column must have.
#[derive(Clone)]
pub(crate) struct Evaluator {
    expr: Expr,
    schema: SchemaRef,
    data_type: DataType,
}

impl Evaluator {
    /// Over rows of `schema`, giving `data_type`.
    pub(crate) fn new(expr: Expr, schema: SchemaRef, data_type: DataType) -> Self {
        Evaluator { expr, schema, data_type }
    }

    /// A predicate.
    pub(crate) fn predicate(expr: Expr, schema: SchemaRef) -> Self {
        Self::new(expr, schema, DataType::Boolean)
    }

    /// One value per row. Rows that fail have NULL and a [`Failure`], in order of rows.
    pub(crate) fn column(&self, batch: &Batch) -> (ArrayRef, Vec<Failure>) {
        if batch.is_empty() {
            // some functions look at a first row
            return (new_empty_array(&self.data_type), vec![]);
        }
        match self.try_column(batch) {
            Ok(column) => (column, vec![]),
            Err(error) => {
                let (mut parts, mut failures) = (vec![], vec![]);
                self.bisect(batch, 0, &error, &mut parts, &mut failures);
                (self.join(&parts), failures)
            }
        }
    }

    /// TRUE per row where the predicate is; failures are not TRUE.
    pub(crate) fn mask(&self, batch: &Batch) -> (BooleanArray, Vec<Failure>) {
        let (column, failures) = self.column(batch);
        let mask = column.as_any().downcast_ref::<BooleanArray>().cloned();
        (mask.unwrap_or_else(|| BooleanArray::from(vec![false; batch.len()])), failures)
    }

    fn try_column(&self, batch: &Batch) -> Result<ArrayRef, DataFusionError> {
        let rows: RecordBatch = batch.to_record_batch(&self.schema)?;
        let column = match self.expr.evaluate(&rows)? {
            ColumnarValue::Array(column) => column,
            ColumnarValue::Scalar(scalar) => self.repeat(&scalar, batch.len())?,
        };
        let column = if column.data_type() == &self.data_type { column } else { cast(&column, &self.data_type)? };
        Ok(canonical(&column))
    }

    fn repeat(&self, scalar: &ScalarValue, len: usize) -> Result<ArrayRef, DataFusionError> {
        if scalar.is_null() {
            return Ok(new_null_array(&self.data_type, len));
        }
        scalar.to_array_of_size(len)
    }

    fn bisect(
        &self,
        batch: &Batch,
        at: usize,
        error: &DataFusionError,
        parts: &mut Vec<ArrayRef>,
        failures: &mut Vec<Failure>,
    ) {
        if batch.len() <= 1 {
            parts.push(new_null_array(&self.data_type, batch.len()));
            failures.push(Failure { row: at, message: reason(error) });
            return;
        }
        let half = batch.len() / 2;
        for (from, len) in [(0, half), (half, batch.len() - half)] {
            let part = batch.slice(from, len);
            match self.try_column(&part) {
                Ok(column) => parts.push(column),
                Err(error) => self.bisect(&part, at + from, &error, parts, failures),
            }
        }
    }

    /// # Panics
    /// Never: all parts have the evaluator's type.
    #[allow(clippy::expect_used)]
    fn join(&self, parts: &[ArrayRef]) -> ArrayRef {
        let parts: Vec<&dyn Array> = parts.iter().map(AsRef::as_ref).collect();
        concat(&parts).expect("parts of one type")
    }
}

/// The plain column that an expression names, if it is no more than that.
pub(crate) fn plain_column(expr: &Expr) -> Option<usize> {
    let any: &dyn PhysicalExpr = Arc::as_ref(expr);
    any.downcast_ref::<datafusion_physical_expr::expressions::Column>().map(|column| column.index())
}

/// The reason without the wrapping of the libraries that it passed through.
fn reason(error: &DataFusionError) -> String {
    let text = match error.find_root() {
        DataFusionError::Execution(text) => text.clone(),
        DataFusionError::ArrowError(error, _) => arrow_reason(error),
        other => other.strip_backtrace(),
    };
    text.trim().to_owned()
}

fn arrow_reason(error: &arrow::error::ArrowError) -> String {
    use arrow::error::ArrowError::{ArithmeticOverflow, CastError, ComputeError, DivideByZero, InvalidArgumentError};
    match error {
        DivideByZero => "division by zero".to_owned(),
        ArithmeticOverflow(what) => format!("value out of range: {what}"),
        CastError(what) | ComputeError(what) | InvalidArgumentError(what) => what.clone(),
        other => other.to_string(),
    }
}
