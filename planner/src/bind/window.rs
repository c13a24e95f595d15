//! WINDOW TUMBLING, HOPPING, SESSION.

use datafusion_expr::Expr;

use super::coerce::at;
use super::from::From;
use super::join::DEFAULT_GRACE_MS;
use super::query::Nature;
use super::scope::ScopeColumn;
use super::{Binder, column, internal};
use crate::error::{ErrorKind, PlanError, Result};
use crate::logical::Node;
use crate::logical::assign_windows::{AssignWindows, Closing, WINDOW_COLUMNS};
use crate::logical::session_aggregate::SessionAggregate;
use crate::sql::query::{WindowClause, WindowKind};

/// Results stay at least a day.
const RETENTION_MS_MIN: i64 = 24 * 60 * 60 * 1000;

impl Binder<'_> {
    /// Gives the rows of FROM their windows. A session window is made when its rows are grouped: it comes back.
    pub(crate) fn bind_window(
        &mut self,
        mut from: From,
        clause: &WindowClause,
    ) -> Result<(From, Option<SessionAggregate>)> {
        let place = Some(clause.span);
        let Some(system) = from.facts.system.clone().filter(|_| from.facts.nature == Nature::Stream) else {
            let error = PlanError::new(ErrorKind::InvalidDefinition, "WINDOW is for streams");
            return Err(at(error, place)
                .detail("A row of a table is a state and has no time of its own.")
                .hint("group by a column of time: GROUP BY DATE_TRUNC('minute', …)"));
        };
        let (size_ms, advance_ms) = self.window_shape(clause)?;
        let grace_ms = clause.grace.map_or(DEFAULT_GRACE_MS, |grace| grace.ms);
        if self.emit_final && clause.grace.is_none() {
            let warning = PlanError::warning(
                ErrorKind::InvalidDefinition,
                "results come 24 hours of stream time after the end of their window",
            );
            self.warn(at(warning, place).hint("GRACE PERIOD 0 SECONDS gives them at its end"));
        }
        let retention_ms = match clause.retention {
            Some(retention) if retention.ms < size_ms.saturating_add(grace_ms) && clause.grace.is_some() => {
                let message = "RETENTION is shorter than window and grace";
                return Err(PlanError::new(ErrorKind::InvalidParameter, message).at(retention.span));
            }
            Some(retention) => retention.ms,
            None => size_ms.saturating_add(grace_ms).max(RETENTION_MS_MIN),
        };
        let time_sources = from.facts.time_sources.clone();
        let closing = Closing { grace_ms, retention_ms, emit_final: self.emit_final, time_sources };
        let qualifier = self.fresh("WINDOW");
        let [time, partition, offset, lane_time] = system.map(Expr::Column);
        let (lane_time, place) = (Some(lane_time), Some([partition, offset]));
        from.scope.columns.retain(|column| !(column.hidden && WINDOW_COLUMNS.contains(&column.name.as_str())));
        let bounds = WINDOW_COLUMNS.map(|name| column(&qualifier, name));
        for bound in &bounds {
            from.scope.columns.push(ScopeColumn {
                relation: None,
                name: bound.name.clone(),
                column: bound.clone(),
                data_type: arrow::datatypes::DataType::Int64,
                hidden: true,
                merged: false,
            });
        }
        if let WindowKind::Session { gap } = clause.kind {
            let session = SessionAggregate {
                keys: vec![],
                aggregates: vec![],
                time,
                lane_time,
                place,
                gap_ms: gap.ms,
                closing,
                qualifier,
            };
            return Ok((from, Some(session)));
        }
        let op = AssignWindows { time, lane_time, place, size_ms, advance_ms, closing, qualifier };
        from.plan = Node::plan(op, vec![from.plan]).map_err(|error| internal(&error))?;
        from.facts.window = Some(bounds);
        Ok((from, None))
    }

    /// Length and distance of the windows, ms.
    fn window_shape(&self, clause: &WindowClause) -> Result<(i64, i64)> {
        let (size_ms, advance_ms) = match clause.kind {
            WindowKind::Tumbling { size } => (size.ms, size.ms),
            WindowKind::Hopping { size, advance } => (size.ms, advance.ms),
            WindowKind::Session { gap } => (gap.ms, gap.ms),
        };
        if let (WindowKind::Hopping { size, advance }, true) = (clause.kind, advance_ms > size_ms) {
            let message =
                format!("windows advance by {} and are {} long", self.text(advance.span), self.text(size.span));
            let error = PlanError::new(ErrorKind::InvalidParameter, message).at(advance.span);
            return Err(error.detail("Rows between two windows would be in none."));
        }
        Ok((size_ms, advance_ms))
    }
}
