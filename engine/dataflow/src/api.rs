//! What the outside says to the engine and hears from it. Plain values; nothing of timely shows through.

use std::fmt;

use arrow::array::BooleanArray;
use arrow::datatypes::SchemaRef;
use millrace_data::Batch;
use millrace_planner::catalog::RelationId;
use millrace_planner::plan::Node;

/// Names a running query; never reused within an engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueryId(pub u64);

/// How workers get their turns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Stepping {
    /// Each on a thread of its own, whenever there is work.
    #[default]
    Threads,
    /// One step at a time in an order drawn from the seed, so that a run can be repeated.
    Seeded(u64),
}

/// How an engine is started.
#[derive(Clone, Debug)]
pub struct Options {
    /// Worker threads, at least 1.
    pub workers: usize,
    /// How they get their turns.
    pub stepping: Stepping,
    /// Ticks that may be under way before [`Engine::tick`](crate::Engine::tick) waits, at least 1.
    pub ticks_in_flight_max: usize,
    /// Which dataflows take part in a tick.
    pub waking: Waking,
    /// What a query says of the present state in its first tick leaves as it is found, if it is sure to stand: see
    /// [`TickOutput::more`]. Otherwise a tick's output is one.
    pub early: bool,
}

/// Which dataflows take part in a tick. Outputs do not depend on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Waking {
    /// Those that something happens to: the others cost nothing.
    #[default]
    Needed,
    /// All of them, always: what the former is compared with.
    Always,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            workers: 1,
            stepping: Stepping::Threads,
            ticks_in_flight_max: 4,
            waking: Waking::Needed,
            early: false,
        }
    }
}

/// How rows of a base relation are taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Intake {
    /// Every row is an event.
    Append,
    /// A row replaces the row of its key; a delete takes it away. NULL in a key column is a decode error.
    Upsert {
        /// Positions of the primary key.
        key: Vec<usize>,
    },
    /// Every row is added; a delete takes away one row equal in the first `columns` columns, and is a decode error where
    /// there is none.
    Bag {
        /// Declared columns.
        columns: usize,
    },
}

/// A base relation: one whose rows come from [`TickInputs`].
#[derive(Clone, Debug)]
pub struct BaseRelation {
    /// Identity.
    pub id: RelationId,
    /// For errors and metrics.
    pub name: String,
    /// Columns, system columns included.
    pub schema: SchemaRef,
    /// How rows are taken in.
    pub intake: Intake,
    /// Keep the collection, so that a query installed later starts from it. Without it a later reader of a stream sees
    /// only later rows; `Upsert` and `Bag` relations are always kept.
    pub keep: bool,
}

/// A query to run.
#[derive(Clone, Debug)]
pub struct Dataflow {
    /// For metrics and errors.
    pub name: String,
    /// What it maintains.
    pub root: Node,
    /// The relation that its collection becomes or is added to.
    pub publish: Option<Publish>,
    /// Its changes are wanted in [`TickOutput::changes`].
    pub deliver: bool,
}

/// A derived relation, or one more writer of a relation.
#[derive(Clone, Debug)]
pub struct Publish {
    /// Which.
    pub relation: RelationId,
    /// Keep the collection for queries that are installed later.
    pub keep: bool,
}

/// Rows of one relation in one tick, in order of arrival.
#[derive(Clone, Debug)]
pub struct Rows {
    /// Which.
    pub relation: RelationId,
    /// Columns of its schema, system columns included. Diffs only where the intake is `Append` and the relation is a
    /// system relation.
    pub batch: Batch,
    /// Rows that are deletes, for `Upsert` (the key columns count) and `Bag`.
    pub deletes: Option<BooleanArray>,
    /// Only this query sees them: history that is read again for it.
    pub only: Option<QueryId>,
}

/// Event time of a base relation at a tick, epoch ms.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamTime {
    /// Windows whose end + grace is at most this are closed.
    pub close: i64,
    /// Results whose start + retention is at most this leave.
    pub retain: i64,
}

impl StreamTime {
    /// Before any record.
    pub const START: StreamTime = StreamTime { close: i64::MIN, retain: i64::MIN };
    /// The stream has ended; results stay.
    pub fn ended(self) -> Self {
        StreamTime { close: i64::MAX, ..self }
    }
}

/// Everything that happens in one tick.
#[derive(Clone, Debug, Default)]
pub struct TickInputs {
    /// New rows.
    pub rows: Vec<Rows>,
    /// Stream times that moved. They count from this tick on.
    pub stream_times: Vec<(RelationId, StreamTime)>,
    /// Wall clock of the tick, epoch ms.
    pub now_ms: i64,
}

/// A row on which an expression or a check failed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ErrorRow {
    /// The query.
    pub query: QueryId,
    /// The operator, as EXPLAIN names it.
    pub operator: String,
    /// `expression`, `aggregate`, `cardinality`, `event_time`.
    pub kind: &'static str,
    /// What went wrong.
    pub message: String,
    /// The row, as text.
    pub row: String,
    /// 1 when it appears, −1 when its cause was retracted.
    pub diff: i64,
}

/// A record that came after one of its windows had closed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LateRow {
    /// The query.
    pub query: QueryId,
    /// The stream that the query reads it from; several with commas between, where rows of several came together.
    pub source: String,
    /// Where the record stood in its source, where the operator that met it knows.
    pub partition: Option<i32>,
    /// See `partition`.
    pub offset: Option<i64>,
    /// Start of the window, epoch ms.
    pub window_start: i64,
    /// End of the window, epoch ms.
    pub window_end: i64,
    /// Event time of the record, epoch ms.
    pub row_time: i64,
    /// The row, as text.
    pub row: String,
}

/// A row that a relation could not take in.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RejectedRow {
    /// The relation.
    pub relation: RelationId,
    /// ROWPARTITION and ROWOFFSET, where the relation has them.
    pub partition: Option<i32>,
    /// See `partition`.
    pub offset: Option<i64>,
    /// Why.
    pub reason: String,
    /// The row, as text.
    pub row: String,
}

/// What one tick brought about.
#[derive(Clone, Debug, Default)]
pub struct TickOutput {
    /// The tick.
    pub tick: u64,
    /// The tick goes on: these are some of its insertions, and nothing else is said yet.
    pub more: bool,
    /// Changes per delivering query, not consolidated; queries without changes are left out.
    pub changes: Vec<(QueryId, Vec<Batch>)>,
    /// Error rows.
    pub errors: Vec<ErrorRow>,
    /// Late rows.
    pub late: Vec<LateRow>,
    /// Rejected rows.
    pub rejected: Vec<RejectedRow>,
    /// Queries with `ON_ERROR = FAIL` that met an error, with it.
    pub failed: Vec<(QueryId, String)>,
}

/// What an operator has done on one worker since it was installed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OperatorStats {
    /// The query.
    pub query: QueryId,
    /// Position of its node in the plan, in pre-order.
    pub node: usize,
    /// The operator, as EXPLAIN names it.
    pub operator: String,
    /// The worker.
    pub worker: usize,
    /// Rows it produced.
    pub rows_out: u64,
    /// Bytes of state that it holds.
    pub bytes: u64,
    /// Time it was busy, ns.
    pub busy_ns: u64,
}

/// The engine itself failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum EngineError {
    /// A worker ended with a panic: a bug; everything it maintained is lost.
    WorkerPanicked {
        /// Which.
        worker: usize,
        /// The panic's message.
        message: String,
    },
}

impl fmt::Display for EngineError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            EngineError::WorkerPanicked { worker, message } => write!(f, "worker {worker} panicked: {message}"),
        }
    }
}

impl std::error::Error for EngineError {}
