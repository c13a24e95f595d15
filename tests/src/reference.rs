//! The naive evaluator: a bound query over everything that has happened up to a tick.
//!
//! It runs the *bound* plan, before any rewriting: subqueries are evaluated per outer row, joins are nested loops,
//! aggregates look at all rows of their group. A row carries the tick at which it arrived, because two things depend on
//! it: what a stream row saw of a table, and the order of arrival.
//!
//! # What it leaves open
//! SQL does not say which of several expressions over a row is evaluated first, nor whether an expression whose value
//! nobody needs is evaluated at all. So when any expression fails, [`Answer::failures`] counts it, and the caller compares
//! what does not depend on that choice.

pub mod aggregate;
pub mod exact;
pub mod expr;
pub mod join;
pub mod plan;
pub mod window;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;

use datafusion_common::ScalarValue;
use datafusion_expr::LogicalPlan;
use millrace_dataflow::StreamTime;
use millrace_planner::catalog::RelationId;

/// Values of a row.
pub type Values = Vec<ScalarValue>;

/// A row with the tick at which it arrived: for rows made of several, the latest.
#[derive(Clone, Debug, PartialEq)]
pub struct Row {
    /// Its values.
    pub values: Values,
    /// When it arrived.
    pub tick: u64,
}

/// One change of a base relation.
#[derive(Clone, Debug)]
pub struct Change {
    /// When.
    pub tick: u64,
    /// The row, system columns included.
    pub values: Values,
    /// 1 or −1.
    pub diff: i64,
}

/// Everything that happened.
#[derive(Clone, Debug, Default)]
pub struct History {
    changes: HashMap<RelationId, Vec<Change>>,
    stream_times: HashMap<RelationId, Vec<(u64, StreamTime)>>,
}

impl History {
    /// A change of a base relation; ticks do not go back.
    pub fn push(&mut self, relation: RelationId, change: Change) {
        self.changes.entry(relation).or_default().push(change);
    }

    /// The event time of a base relation from `tick` on.
    pub fn set_stream_time(&mut self, relation: RelationId, tick: u64, time: StreamTime) {
        self.stream_times.entry(relation).or_default().push((tick, time));
    }

    /// The rows of a relation at `tick`, inclusive, in order of arrival.
    pub fn rows(&self, relation: RelationId, tick: u64) -> Vec<Row> {
        let mut rows: Vec<Row> = vec![];
        for change in self.changes.get(&relation).into_iter().flatten().filter(|c| c.tick <= tick) {
            if change.diff > 0 {
                rows.push(Row { values: change.values.clone(), tick: change.tick });
            } else if let Some(at) = rows.iter().position(|r| r.values == change.values) {
                rows.remove(at);
            }
        }
        rows
    }

    /// The least event time over `sources` at `tick`, inclusive.
    pub fn stream_time(&self, sources: &[RelationId], tick: u64) -> StreamTime {
        let at = |source: &RelationId| {
            let mut times = self.stream_times.get(source).into_iter().flatten();
            times.rfind(|(t, _)| *t <= tick).map_or(StreamTime::START, |(_, time)| *time)
        };
        sources
            .iter()
            .map(at)
            .reduce(|a, b| StreamTime { close: a.close.min(b.close), retain: a.retain.min(b.retain) })
            .unwrap_or(StreamTime::START)
    }
}

/// What a query says at a tick.
#[derive(Clone, Debug)]
pub struct Answer {
    /// Its rows, in no order.
    pub rows: Vec<Values>,
    /// Expressions that failed on the way.
    pub failures: usize,
}

/// Evaluates plans over a history.
pub struct Evaluator<'h> {
    history: &'h History,
    /// The query's first tick: what was there before it arrived then.
    start: u64,
    failures: Cell<usize>,
    /// Collections of table sides by (plan, tick), because every stream row asks for one.
    tables: RefCell<HashMap<(usize, u64), Vec<Row>>>,
}

/// What the query says at `tick`, if it began at `start`.
///
/// # Errors
/// If the plan has something that a bound plan cannot have.
pub fn answer(plan: &LogicalPlan, history: &History, start: u64, tick: u64) -> Result<Answer, String> {
    let evaluator = Evaluator { history, start, failures: Cell::new(0), tables: RefCell::new(HashMap::new()) };
    let rows = evaluator.plan(plan, tick, None)?;
    Ok(Answer { rows: rows.into_iter().map(|r| r.values).collect(), failures: evaluator.failures.get() })
}

impl Evaluator<'_> {
    fn failed(&self) {
        self.failures.set(self.failures.get() + 1);
    }
}
