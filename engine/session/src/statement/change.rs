//! Changes that statements bring: INSERT, UPDATE and DELETE, from the statement to the tick.
//!
//! A change waits until input flows, so that every query of the program sees it, and then takes a tick of its own, in
//! the order of the statements. UPDATE and DELETE look at the state that the change before them left. One that looks at
//! more than tables in memory is itself something that waits for input: it is made at once.

use arrow::array::{ArrayRef, BooleanArray, Int64Array, new_null_array};
use arrow::compute::concat;
use arrow::record_batch::RecordBatch;
use millrace_data::Batch;
use millrace_data::canonical::canonical;
use millrace_dataflow::{Rows, StreamTime, TickInputs};
use millrace_planner::catalog::RelationId;
use millrace_planner::error::{ErrorKind, PlanError};
use millrace_planner::plan::Query;

use crate::answer::Collected;
use crate::client::{Client, Notice};
use crate::error::{Result, SessionError};
use crate::query::{Output, QueryKind, Running};
use crate::relation::{Origin, Stored};
use crate::session::Session;
use crate::statement::install::Installation;
use crate::ticker::system_columns;

/// A change that waits.
pub(crate) struct Pending {
    pub(crate) statement: usize,
    pub(crate) target: RelationId,
    pub(crate) change: Change,
}

/// What changes.
#[allow(clippy::large_enum_variant, reason = "there are as many of these as statements")]
pub(crate) enum Change {
    /// These rows come.
    Rows { rows: RecordBatch, row_times: Option<Vec<i64>> },
    /// What a query says of the state at its turn.
    Query { verb: Verb, query: Query },
}

/// What the rows of a change's query mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    /// They come.
    Insert,
    /// Each is an old row, which goes, and a new one, which comes.
    Update,
    /// They go.
    Delete,
}

/// Rows of one statement, on their way into a tick.
struct ChangeRows {
    target: RelationId,
    /// The target's visible columns.
    columns: Vec<ArrayRef>,
    row_times: Option<Vec<i64>>,
    deletes: Option<BooleanArray>,
}

impl Session {
    pub(crate) fn update(&mut self, target: RelationId, query: Query, client: &mut dyn Client) -> Result<()> {
        self.check_writable(target)?;
        self.change_once(target, Verb::Update, query, client)
    }

    pub(crate) fn delete(&mut self, target: RelationId, query: Query, client: &mut dyn Client) -> Result<()> {
        self.check_writable(target)?;
        self.change_once(target, Verb::Delete, query, client)
    }

    /// A change that a query makes, once.
    pub(crate) fn change_once(
        &mut self,
        target: RelationId,
        verb: Verb,
        query: Query,
        client: &mut dyn Client,
    ) -> Result<()> {
        let in_memory = |id: &RelationId| {
            let is_table = |s: &Stored| matches!(s.origin, Origin::Statements(_)) && !s.relation.append_only();
            self.relations.get(id).is_some_and(is_table)
        };
        if query.reads.iter().all(in_memory) {
            return self.enqueue(Pending { statement: self.statement, target, change: Change::Query { verb, query } });
        }
        self.ensure_in_engine(target)?;
        let looked = self.collect(&query, "", client)?;
        let rows = rows_seen(looked)?;
        self.make(self.statement, target, verb, &rows, client)
    }

    pub(crate) fn enqueue(&mut self, pending: Pending) -> Result<()> {
        let max = self.settings.number("millrace.inserts_pending_max").unwrap_or(u64::MAX);
        if self.pending.len() as u64 >= max {
            let message = format!("{max} statements that bring rows wait already");
            let error = PlanError::new(ErrorKind::Resources, message)
                .hint("Put the rows into a file, or raise millrace.inserts_pending_max.");
            return Err(error.into());
        }
        self.ensure_in_engine(pending.target)?;
        self.pending.push_back(pending);
        Ok(())
    }

    /// Makes the next change that waits, or ends the relations that statements write when none will come. `false`: there
    /// is nothing of that kind to do.
    pub(crate) fn apply_statement(&mut self, client: &mut dyn Client) -> Result<bool> {
        if let Some(pending) = self.pending.pop_front() {
            let statement = pending.statement;
            self.apply(pending, client).map_err(|error| error.in_statement(statement))?;
            return Ok(true);
        }
        if !self.statements_ended {
            return Ok(false);
        }
        let (ended, stream_times) = self.statements_that_end();
        if ended.is_empty() {
            return Ok(false);
        }
        let now_ms = self.world.clock().wall_ms();
        self.close_tick(TickInputs { rows: vec![], stream_times, now_ms }, &ended, client)?;
        Ok(true)
    }

    fn apply(&mut self, pending: Pending, client: &mut dyn Client) -> Result<()> {
        let Pending { statement, target, change } = pending;
        match change {
            Change::Rows { rows, row_times } => {
                let n = rows.num_rows();
                let rows = ChangeRows { target, columns: rows.columns().to_vec(), row_times, deletes: None };
                self.statement_ticks(&rows, client)?;
                self.done(statement, n, Verb::Insert, client);
                Ok(())
            }
            Change::Query { verb, query } => {
                let rows = self.look(&query, client)?;
                self.make(statement, target, verb, &rows, client)
            }
        }
    }

    /// The rows that a change's query says of the present state.
    fn look(&mut self, query: &Query, client: &mut dyn Client) -> Result<Batch> {
        let installation = Installation {
            name: "the change".to_owned(),
            kind: QueryKind::Once,
            sql: "",
            query,
            target: None,
            output: Output::Collect(Collected::default()),
        };
        let id = self.install(installation)?;
        let settled = self.settle(client);
        let looked = self.uninstall(id);
        settled?;
        rows_seen(looked?)
    }

    /// Makes a change of the rows that its query said.
    fn make(
        &mut self,
        statement: usize,
        target: RelationId,
        verb: Verb,
        rows: &Batch,
        client: &mut dyn Client,
    ) -> Result<()> {
        let visible = self.stored(target)?.visible();
        let n = rows.len();
        let old = || rows.columns()[..visible].to_vec();
        let (columns, deletes) = match verb {
            Verb::Insert => (old(), None),
            Verb::Delete => (old(), Some(BooleanArray::from(vec![true; n]))),
            Verb::Update => {
                let both = |c: usize| concat(&[rows.column(c).as_ref(), rows.column(visible + c).as_ref()]);
                let columns = (0..visible).map(both).collect::<std::result::Result<Vec<_>, _>>();
                let columns = columns.map_err(|error| SessionError::internal(error.to_string()))?;
                (columns, Some((0..2 * n).map(|row| Some(row < n)).collect()))
            }
        };
        self.statement_ticks(&ChangeRows { target, columns, row_times: None, deletes }, client)?;
        self.done(statement, n, verb, client);
        Ok(())
    }

    fn done(&self, statement: usize, n: usize, verb: Verb, client: &mut dyn Client) {
        let rows = if n == 1 { "row" } else { "rows" };
        let done = match verb {
            Verb::Insert => "inserted",
            Verb::Update => "updated",
            Verb::Delete => "deleted",
        };
        client.notice(&Notice::Done { statement, message: format!("{n} {rows} {done}") });
    }

    /// Rows that somebody outside brings, in a tick of their own, at once.
    pub(crate) fn ingest_rows(
        &mut self,
        target: RelationId,
        rows: &RecordBatch,
        row_times: Option<Vec<i64>>,
        deletes: Option<BooleanArray>,
        client: &mut dyn Client,
    ) -> Result<()> {
        self.ensure_in_engine(target)?;
        self.statement_ticks(&ChangeRows { target, columns: rows.columns().to_vec(), row_times, deletes }, client)
    }

    /// Rows of one statement in a tick; a tick for each of them where every record has its own. An update is one record.
    fn statement_ticks(&mut self, change: &ChangeRows, client: &mut dyn Client) -> Result<()> {
        let n_rows = change.columns.first().map_or(0, |c| c.len());
        let by_record = self.ticks_by_record() && change.deletes.is_none();
        let step = if by_record { 1 } else { n_rows.max(1) };
        for from in (0..n_rows).step_by(step) {
            let n = step.min(n_rows - from);
            let columns: Vec<ArrayRef> = change.columns.iter().map(|c| c.slice(from, n)).collect();
            let now_ms = self.world.clock().wall_ms();
            let times = change.row_times.as_ref().map_or_else(|| vec![now_ms; n], |t| t[from..from + n].to_vec());
            let (batch, high) = place(self.stored_mut(change.target)?, columns, times.into());
            let deletes = change.deletes.as_ref().map(|deletes| deletes.slice(from, n));
            let time = high.map(|high| (change.target, StreamTime { close: high, retain: high }));
            let mut stream_times: Vec<(RelationId, StreamTime)> = time.into_iter().collect();
            let mut ended = vec![];
            if self.statements_ended && self.pending.is_empty() && from + n == n_rows {
                // nothing comes behind these rows: that belongs to their tick
                (ended, stream_times) = self.statements_that_end();
            }
            let rows = vec![Rows { relation: change.target, batch, deletes, only: None }];
            self.close_tick(TickInputs { rows, stream_times, now_ms }, &ended, client)?;
        }
        Ok(())
    }
}

/// What a change's query said, each row as often as it is there.
fn rows_seen(looked: Running) -> Result<Batch> {
    if looked.error_rows > 0 {
        let why = looked.error_samples.first().map(|e| format!("{} in row {}", e.message, e.row));
        let error = PlanError::new(ErrorKind::Data, why.unwrap_or_else(|| "a row cannot be computed".to_owned()))
            .detail("A change is made as a whole or not at all.");
        return Err(error.into());
    }
    let Output::Collect(collected) = looked.output else {
        return Err(SessionError::internal("the rows of a change were not collected"));
    };
    let schema = &looked.plan.schema;
    let empty = || Batch::empty(schema.fields().iter().map(|f| f.data_type()));
    let rows = collected.into_batch(schema).unwrap_or_else(empty);
    let times = |row: usize| rows.diff(row).max(0) as usize;
    let order: Vec<u32> = (0..rows.len()).flat_map(|row| std::iter::repeat_n(row as u32, times(row))).collect();
    let all = rows.take(&order);
    Ok(Batch::new(all.columns().to_vec(), None, order.len()))
}

/// Visible columns as rows of the relation's collection, and the lane's largest event time, where it has a lane.
fn place(stored: &mut Stored, columns: Vec<ArrayRef>, times: Int64Array) -> (Batch, Option<i64>) {
    let len = times.len();
    let mut columns: Vec<ArrayRef> = columns.iter().map(canonical).collect();
    let mut high = None;
    stored.flowing = true;
    if stored.relation.system_columns {
        let mut passing = Default::default();
        let lane = match &mut stored.origin {
            Origin::Statements(lane) => lane,
            // rows that are written into a derived stream lie beside the lanes of its query
            _ => &mut passing,
        };
        let (offsets, lane_times) = lane.place(&times);
        let high_of_lane = lane.high;
        high = matches!(stored.origin, Origin::Statements(_)).then_some(high_of_lane);
        columns.extend(system_columns(times, 0, offsets, lane_times));
    }
    let rest = &stored.schema.fields()[columns.len()..];
    columns.extend(rest.iter().map(|field| new_null_array(field.data_type(), len)));
    (Batch::new(columns, None, len), high)
}
