//! Session windows with their aggregates.
//!
//! One input. Rows of equal keys whose event times are at most `gap_ms` apart, directly or through others, are one
//! session. Per session one row: keys, WINDOWSTART (its least event time), WINDOWEND (its largest, inclusive), then the
//! aggregates over its rows. A row is late, and left out, when its own event time + gap + grace is below its lane time.
//!
//! # When a session closes
//! A session is final when no row that is on time can still join it: when stream time has passed its end + 2 gap + grace.
//! A row within reach of the session lies at most a gap behind its end, and is on time while its lane has not passed its
//! own time + gap + grace. EMIT FINAL tells a session then, and not before.

use std::fmt;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::{DFSchema, DFSchemaRef, Result, TableReference};
use datafusion_expr::utils::exprlist_to_fields;
use datafusion_expr::{Expr, LogicalPlan};

use super::assign_windows::{Closing, WINDOW_COLUMNS};
use super::{Operator, write_list};

/// See the module.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SessionAggregate {
    /// Group columns.
    pub keys: Vec<Expr>,
    /// Aggregate calls, each with an alias.
    pub aggregates: Vec<Expr>,
    /// Event time, BIGINT, epoch ms.
    pub time: Expr,
    /// Largest earlier event time of the row's partition.
    pub lane_time: Option<Expr>,
    /// Partition and offset of the row's record: late rows are told apart by them.
    pub place: Option<[Expr; 2]>,
    /// Largest distance of neighbours, inclusive.
    pub gap_ms: i64,
    /// Closing.
    pub closing: Closing,
    /// Qualifier of the window's columns.
    pub qualifier: String,
}

impl Operator for SessionAggregate {
    const NAME: &'static str = "SessionAggregate";

    fn expressions(&self) -> Vec<Expr> {
        let mut exprs = self.keys.clone();
        exprs.extend(self.aggregates.iter().cloned());
        exprs.push(self.time.clone());
        exprs.extend(self.lane_time.iter().chain(self.place.iter().flatten()).cloned());
        exprs
    }

    fn with_expressions(&self, exprs: Vec<Expr>) -> Self {
        let mut exprs = exprs.into_iter();
        let mut op = self.clone();
        op.keys = exprs.by_ref().take(self.keys.len()).collect();
        op.aggregates = exprs.by_ref().take(self.aggregates.len()).collect();
        if let Some(time) = exprs.next() {
            op.time = time;
        }
        op.lane_time = self.lane_time.as_ref().and_then(|_| exprs.next());
        op.place = exprs.next().zip(exprs.next()).map(<[Expr; 2]>::from);
        op
    }

    fn schema(&self, inputs: &[LogicalPlan]) -> Result<DFSchemaRef> {
        let qualifier = TableReference::bare(self.qualifier.as_str());
        let mut fields: Vec<(Option<TableReference>, FieldRef)> = exprlist_to_fields(&self.keys, &inputs[0])?;
        for name in WINDOW_COLUMNS {
            fields.push((Some(qualifier.clone()), Arc::new(Field::new(name, DataType::Int64, true))));
        }
        fields.extend(exprlist_to_fields(&self.aggregates, &inputs[0])?);
        DFSchema::new_with_metadata(fields, Default::default()).map(Arc::new)
    }

    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write_list(f, "keys", &self.keys)?;
        write_list(f, "aggregates", &self.aggregates)?;
        write!(f, " gap={} ms grace={} ms", self.gap_ms, self.closing.grace_ms)
    }

    fn needed(&self, _output: &[usize], _inputs: &[LogicalPlan]) -> Option<Vec<Vec<usize>>> {
        Some(vec![vec![]])
    }
}
