//! Tumbling and hopping windows.
//!
//! One input. A row with event time *x* comes out once for each window [s, s + size) that holds it, where s is a
//! multiple of `advance_ms` (also below zero), with WINDOWSTART = s and WINDOWEND = s + size appended. It does not come
//! out for a window with s + size + grace ≤ its lane time (it is late there). A row without time does not come out.
//! Output: input columns, then the two.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::{DFSchema, DFSchemaRef, Result, TableReference};
use datafusion_expr::{Expr, LogicalPlan};

use super::Operator;
use crate::catalog::RelationId;

/// When windows close and their results leave; see [`plan::WindowClose`](crate::plan::WindowClose).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Closing {
    /// Late when window end + grace ≤ lane time, ms.
    pub grace_ms: i64,
    /// Results leave this much after the window's start, ms.
    pub retention_ms: i64,
    /// EMIT FINAL.
    pub emit_final: bool,
    /// Sources whose stream time closes windows.
    pub time_sources: Vec<RelationId>,
}

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AssignWindows {
    /// Event time, BIGINT, epoch ms.
    pub time: Expr,
    /// Largest earlier event time of the row's partition; NULL or absent: nothing is late.
    pub lane_time: Option<Expr>,
    /// Partition and offset of the row's record: late rows are told apart by them.
    pub place: Option<[Expr; 2]>,
    /// Length of a window.
    pub size_ms: i64,
    /// Distance of window starts.
    pub advance_ms: i64,
    /// Closing.
    pub closing: Closing,
    /// Qualifier of the two columns.
    pub qualifier: String,
}

/// Names of the window's columns.
pub const WINDOW_COLUMNS: [&str; 2] = ["WINDOWSTART", "WINDOWEND"];

impl Operator for AssignWindows {
    const NAME: &'static str = "AssignWindows";

    fn expressions(&self) -> Vec<Expr> {
        std::iter::once(&self.time).chain(&self.lane_time).chain(self.place.iter().flatten()).cloned().collect()
    }

    fn with_expressions(&self, exprs: Vec<Expr>) -> Self {
        let mut exprs = exprs.into_iter();
        let mut op = self.clone();
        if let Some(time) = exprs.next() {
            op.time = time;
        }
        op.lane_time = self.lane_time.as_ref().and_then(|_| exprs.next());
        op.place = exprs.next().zip(exprs.next()).map(<[Expr; 2]>::from);
        op
    }

    fn schema(&self, inputs: &[LogicalPlan]) -> Result<DFSchemaRef> {
        let qualifier = TableReference::bare(self.qualifier.as_str());
        let mut fields: Vec<(Option<TableReference>, FieldRef)> =
            inputs[0].schema().iter().map(|(q, field)| (q.cloned(), Arc::clone(field))).collect();
        for name in WINDOW_COLUMNS {
            fields.push((Some(qualifier.clone()), Arc::new(Field::new(name, DataType::Int64, true))));
        }
        DFSchema::new_with_metadata(fields, Default::default()).map(Arc::new)
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, " size={} ms advance={} ms", self.size_ms, self.advance_ms)?;
        write!(f, " grace={} ms time={}", self.closing.grace_ms, self.time)
    }

    fn needed(&self, output: &[usize], inputs: &[LogicalPlan]) -> Option<Vec<Vec<usize>>> {
        let n = inputs[0].schema().fields().len();
        Some(vec![output.iter().copied().filter(|i| *i < n).collect()])
    }
}
