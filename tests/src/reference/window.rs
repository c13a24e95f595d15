//! Windows: which rows they hold, and which results are there at a tick.

use std::collections::BTreeMap;

use datafusion_common::ScalarValue;
use datafusion_expr::LogicalPlan;
use millrace_planner::logical::Node;
use millrace_planner::logical::assign_windows::{AssignWindows, Closing};
use millrace_planner::logical::session_aggregate::SessionAggregate;

use crate::reference::expr::Scope;
use crate::reference::{Evaluator, Row, Values};

fn bigint(value: &ScalarValue) -> Option<i64> {
    match value {
        ScalarValue::Int64(x) => *x,
        _ => None,
    }
}

impl Evaluator<'_> {
    pub(crate) fn assign_windows(
        &self,
        node: &Node<AssignWindows>,
        tick: u64,
        outer: Option<&Scope<'_>>,
    ) -> Result<Vec<Row>, String> {
        let (op, input) = (&node.op, &node.inputs[0]);
        let mut out = vec![];
        for row in self.plan(input, tick, outer)? {
            let scope = Scope { schema: input.schema(), row: &row.values, outer, tick };
            let time = bigint(&self.expr(&op.time, scope)?);
            let lane = op.lane_time.as_ref().map(|e| self.expr(e, scope)).transpose()?.and_then(|v| bigint(&v));
            let Some(time) = time else {
                self.failed();
                continue;
            };
            let mut start = time.div_euclid(op.advance_ms) * op.advance_ms;
            while start + op.size_ms > time {
                let end = start + op.size_ms;
                if lane.is_none_or(|lane| end + op.closing.grace_ms > lane) {
                    let mut values = row.values.clone();
                    values.extend([ScalarValue::Int64(Some(start)), ScalarValue::Int64(Some(end))]);
                    out.push(Row { values, tick: row.tick });
                }
                start -= op.advance_ms;
            }
        }
        Ok(out)
    }

    /// Whether a row that arrived at `arrival` still found its window open: windows close after a tick's rows.
    pub(crate) fn was_open(&self, closing: &Closing, end: i64, arrival: u64) -> bool {
        let before = self.history.stream_time(&closing.time_sources, arrival.saturating_sub(1));
        // a query sees what came before it at its first tick, when it had closed nothing yet
        arrival <= self.start || before.close < end + closing.grace_ms
    }

    /// Whether the result of a window is there at `tick`, if it closes at stream time `closes`.
    pub(crate) fn is_shown(&self, closing: &Closing, start: i64, closes: i64, tick: u64) -> bool {
        let now = self.history.stream_time(&closing.time_sources, tick);
        let closed = now.close >= closes;
        let retained = now.retain < start + closing.retention_ms;
        retained && (closed || !closing.emit_final)
    }

    pub(crate) fn session_aggregate(
        &self,
        node: &Node<SessionAggregate>,
        tick: u64,
        outer: Option<&Scope<'_>>,
    ) -> Result<Vec<Row>, String> {
        let (op, input) = (&node.op, &node.inputs[0]);
        let mut groups: BTreeMap<String, (Values, Vec<(i64, Row)>)> = BTreeMap::new();
        for row in self.plan(input, tick, outer)? {
            let scope = Scope { schema: input.schema(), row: &row.values, outer, tick };
            let lane = op.lane_time.as_ref().map(|e| self.expr(e, scope)).transpose()?.and_then(|v| bigint(&v));
            let Some(time) = bigint(&self.expr(&op.time, scope)?) else {
                self.failed();
                continue;
            };
            if lane.is_some_and(|lane| time + op.gap_ms + op.closing.grace_ms < lane) {
                continue;
            }
            let keys = op.keys.iter().map(|k| self.expr(k, scope)).collect::<Result<Values, _>>()?;
            groups.entry(format!("{keys:?}")).or_insert_with(|| (keys, vec![])).1.push((time, row));
        }
        let mut out = vec![];
        for (keys, mut rows) in groups.into_values() {
            rows.sort_by_key(|(time, _)| *time);
            for session in rows.chunk_by(|(a, _), (b, _)| b - a <= op.gap_ms) {
                let (start, end) = (session[0].0, session[session.len() - 1].0);
                // the first stream time at which no row can be on time and within reach
                let closes = end + 2 * op.gap_ms + op.closing.grace_ms + 1;
                if !self.is_shown(&op.closing, start, closes, tick) {
                    continue;
                }
                let members: Vec<&Row> = session.iter().map(|(_, row)| row).collect();
                let latest = members.iter().map(|r| r.tick).max().unwrap_or(tick);
                let mut values = keys.clone();
                values.extend([ScalarValue::Int64(Some(start)), ScalarValue::Int64(Some(end))]);
                if let Some(results) = self.aggregates(&op.aggregates, input, &members, outer, tick)? {
                    values.extend(results);
                    out.push(Row { values, tick: latest });
                }
            }
        }
        Ok(out)
    }
}

/// How the windows below an aggregate close, and whether the aggregate's keys hold them.
pub(crate) fn closing(plan: &LogicalPlan) -> Option<(&Closing, &str)> {
    if let Some(node) = Node::<AssignWindows>::of(plan) {
        return Some((&node.op.closing, &node.op.qualifier));
    }
    match plan {
        LogicalPlan::Projection(p) => closing(&p.input),
        LogicalPlan::Filter(f) => closing(&f.input),
        LogicalPlan::SubqueryAlias(a) => closing(&a.input),
        _ => None,
    }
}
