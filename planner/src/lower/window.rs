//! Windows: tumbling and hopping ones are columns, a session is an operator of its own.

use std::sync::Arc;

use datafusion_expr::{Expr, LogicalPlan};

use super::reduce::Arguments;
use super::{Lower, Lowered, Windowed, column, schema_of};
use crate::error::Result;
use crate::logical::Node as Extension;
use crate::logical::assign_windows::AssignWindows;
use crate::logical::session_aggregate::SessionAggregate;
use crate::plan::{Lane, Op, WindowClose};

impl Lower {
    pub(super) fn assign_windows(&self, plan: &LogicalPlan, node: &Extension<AssignWindows>) -> Result<Lowered> {
        let input = self.plan(&node.inputs[0])?;
        let below = node.inputs[0].schema();
        let op = &node.op;
        let n = input.node.schema.fields().len();
        let append_only = input.node.append_only;
        let is_stream = input.is_stream;
        let assign = Op::AssignWindows {
            input: Box::new(input.node),
            time: column(&op.time, below)?,
            lane: lane(&op.lane_time, &op.place, |expr| column(expr, below))?,
            size_ms: op.size_ms,
            advance_ms: op.advance_ms,
            grace_ms: op.closing.grace_ms,
        };
        let window = Some(Windowed { start: n, end: n + 1, closing: op.closing.clone() });
        Ok(Lowered { is_stream, window, ..self.table(assign, schema_of(plan), append_only, None) })
    }

    pub(super) fn session_aggregate(&self, plan: &LogicalPlan, node: &Extension<SessionAggregate>) -> Result<Lowered> {
        let input = self.plan(&node.inputs[0])?;
        let op = &node.op;
        let mut below = Arguments::new(node.inputs[0].schema());
        let keys = below.all(self, &op.keys)?;
        let time = below.one(self, &op.time)?;
        let lane = lane(&op.lane_time, &op.place, |expr| below.one(self, expr))?;
        let aggregates = self.calls(&op.aggregates, &mut below)?;
        let input = below.over(self, input);
        let (start, end) = (keys.len(), keys.len() + 1);
        let window = WindowClose {
            start,
            end,
            grace_ms: op.closing.grace_ms,
            retention_ms: op.closing.retention_ms,
            emit_final: op.closing.emit_final,
            time_sources: op.closing.time_sources.clone(),
        };
        let unique_key = Some((0..=end).collect());
        let reduce =
            Op::SessionReduce { input: Box::new(input.node), keys, time, lane, gap_ms: op.gap_ms, aggregates, window };
        let schema = Arc::clone(&schema_of(plan));
        Ok(self.table(reduce, schema, false, unique_key))
    }
}

/// Where the records of rows stood, as columns.
fn lane(
    time: &Option<Expr>,
    place: &Option<[Expr; 2]>,
    mut column: impl FnMut(&Expr) -> Result<usize>,
) -> Result<Option<Lane>> {
    let Some(time) = time else { return Ok(None) };
    let time = column(time)?;
    let place = match place {
        Some([partition, offset]) => Some((column(partition)?, column(offset)?)),
        None => None,
    };
    Ok(Some(Lane { time, place }))
}
