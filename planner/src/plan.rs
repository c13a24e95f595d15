//! The incremental plan: what the engine renders, node for node.
//!
//! A [`Node`] stands for a collection: a multiset of rows that changes from tick to tick. Its inputs are its children;
//! its columns are its `schema`, addressed by position; expressions are Arrow expressions over the input's columns.
//! Every decision about strategy is in here: the engine obeys.
//!
//! # SQL types as Arrow types
//! BOOLEAN Boolean · INT Int32 · BIGINT Int64 · DOUBLE Float64 · DECIMAL(p,s) Decimal128(p,s) · VARCHAR Utf8 ·
//! BYTES Binary · DATE Date32 · TIME Time64(µs) · TIMESTAMP Timestamp(µs, no zone) · INTERVAL Interval(MonthDayNano) ·
//! ARRAY List (item field `item`, nullable) · MAP Map (entries `key`, `value`) · STRUCT Struct. No node has a column of
//! another type: `lower` casts views, unsigned and narrow types away. All columns are nullable.
//!
//! # Contract
//! * Positions in a node refer to its input's schema unless said otherwise; for joins, to each side's own.
//! * Equality of keys and rows is equality of values: −0 equals 0, NaN equals NaN, NULL equals NULL where a node says so.
//! * `append_only` is a promise: the node never sees or produces a retraction.

use std::sync::Arc;

use arrow::datatypes::{DataType, SchemaRef};
use arrow::record_batch::RecordBatch;
use datafusion_physical_expr::PhysicalExpr;

use crate::catalog::RelationId;

/// An expression over the columns of the input.
pub type Expr = Arc<dyn PhysicalExpr>;

/// How a stateful node keeps its state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum State {
    /// On the hash arrangement: the default.
    #[default]
    Hash,
    /// On differential's own operators: `SET millrace.state = 'differential'`.
    Differential,
}

/// A collection and how it is maintained.
#[derive(Clone, Debug)]
pub struct Node {
    /// The operator.
    pub op: Op,
    /// Columns of the collection.
    pub schema: SchemaRef,
    /// It never retracts.
    pub append_only: bool,
    /// Columns that are unique in the collection at every tick, if known.
    pub unique_key: Option<Vec<usize>>,
    /// Where its state lies, if it has any.
    pub state: State,
}

/// The operators.
#[derive(Clone, Debug)]
pub enum Op {
    /// The collection of a relation, some of its columns.
    Source {
        /// Which.
        relation: RelationId,
        /// Its name, for people.
        name: String,
        /// Positions in [`Relation::schema`](crate::catalog::Relation::schema) (system columns included).
        columns: Vec<usize>,
    },
    /// Rows that are there from the first tick on: VALUES, SELECT without FROM.
    Constant {
        /// The rows, with the node's schema.
        rows: RecordBatch,
    },
    /// Filter, then project. An expression that fails on a row makes an error row instead of an output row.
    Map {
        /// Over which.
        input: Box<Node>,
        /// Keeps rows for which it is TRUE.
        filter: Option<Expr>,
        /// One per column of the node.
        exprs: Vec<Expr>,
        /// What happens to a row on which an expression fails.
        on_error: OnError,
    },
    /// One row per element of the lists in `columns`, side by side (shorter lists padded with NULL); the other columns
    /// are repeated. A row whose lists are all empty or NULL gives none, or one with NULLs if `keep_empty`.
    Unnest {
        /// Over which.
        input: Box<Node>,
        /// The list columns; each becomes its element in place.
        columns: Vec<usize>,
        /// See above.
        keep_empty: bool,
    },
    /// All of them, multiplicities added. Columns correspond by position.
    Union {
        /// At least one.
        inputs: Vec<Node>,
    },
    /// A maintained join of two collections.
    Join(Join),
    /// A stream against the table of the tick: only the stream side makes output, nothing of it is kept.
    AsOfJoin {
        /// Append-only.
        stream: Box<Node>,
        /// Maintained.
        table: Box<Node>,
        /// Equal columns (stream, table); NULL equals nothing.
        on: Vec<(usize, usize)>,
        /// Over stream columns, then table columns; part of the ON condition.
        residual: Option<Expr>,
        /// Keep stream rows without a partner, with NULLs.
        outer: bool,
    },
    /// Two streams whose rows are near each other in event time.
    WithinJoin(WithinJoin),
    /// One row per group: keys, then aggregates. No keys: always exactly one row, unless `window` or append-only DISTINCT.
    Reduce {
        /// Over which.
        input: Box<Node>,
        /// Group columns; NULL is a group. The output begins with them.
        keys: Vec<usize>,
        /// The aggregates, behind the keys. None: DISTINCT.
        aggregates: Vec<Aggregate>,
        /// The keys include a window that closes.
        window: Option<WindowClose>,
    },
    /// Gives each row its windows: appends WINDOWSTART and WINDOWEND (BIGINT, epoch ms), one row per window. A row that
    /// is late for a window goes to the late relation instead. A row without time has no window and is an error row.
    AssignWindows {
        /// Append-only or not; `time` is BIGINT.
        input: Box<Node>,
        /// Event time, epoch ms.
        time: usize,
        /// Where the row's record stood. `None`: nothing ever is late (tables).
        lane: Option<Lane>,
        /// Length of a window in ms.
        size_ms: i64,
        /// Distance of window starts in ms; equal to `size_ms` for tumbling windows.
        advance_ms: i64,
        /// Late when window end + grace ≤ lane time.
        grace_ms: i64,
    },
    /// Session windows: rows of one key closer than `gap_ms` are one session. Output: keys, WINDOWSTART, WINDOWEND
    /// (first and last event time, inclusive), aggregates.
    SessionReduce {
        /// Append-only.
        input: Box<Node>,
        /// Group columns.
        keys: Vec<usize>,
        /// Event time, epoch ms.
        time: usize,
        /// As in `AssignWindows`.
        lane: Option<Lane>,
        /// Largest distance of neighbours in a session, ms, inclusive.
        gap_ms: i64,
        /// The aggregates.
        aggregates: Vec<Aggregate>,
        /// Closing; `start` and `end` are positions in the output.
        window: WindowClose,
    },
    /// The first rows of each partition in an order that is total: `order` names every column.
    TopK {
        /// Over which.
        input: Box<Node>,
        /// Partition columns; none: one partition.
        partition: Vec<usize>,
        /// The order.
        order: Vec<SortKey>,
        /// Rows to pass over.
        offset: usize,
        /// Rows to keep; `None`: all behind `offset`.
        limit: Option<usize>,
        /// Behind the input's columns stands the row's place in its partition: BIGINT, from 1, those passed over counted.
        rank: bool,
    },
    /// INTERSECT and EXCEPT, by whole rows, NULL equal to NULL.
    SetOp {
        /// Left side.
        left: Box<Node>,
        /// Right side, same columns.
        right: Box<Node>,
        /// Which.
        kind: SetOpKind,
        /// ALL: multiplicities min(m, n) and max(m − n, 0) instead of 0 or 1.
        all: bool,
    },
    /// A scalar subquery's guard: passes groups of at most one row, makes an error row of the others.
    AtMostOne {
        /// Over which.
        input: Box<Node>,
        /// Correlation columns; none for an uncorrelated subquery.
        keys: Vec<usize>,
    },
}

/// Columns that say where a row's record stood in its source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lane {
    /// Largest earlier event time of the record's partition, epoch ms; NULL: the row is not late.
    pub time: usize,
    /// Partition and offset, for the late relation, where they are known.
    pub place: Option<(usize, usize)>,
}

/// What a failing expression does to its row.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum OnError {
    /// The row is missing, an error row stands in `millrace.errors`.
    #[default]
    DeadLetter,
    /// The value is NULL, and the error row stands.
    Null,
    /// The query stops.
    Fail,
}

/// A maintained join. Output: left columns, then right columns (semi, anti: left only; mark: left, then a BOOLEAN).
#[derive(Clone, Debug)]
pub struct Join {
    /// Left side.
    pub left: Box<Node>,
    /// Right side.
    pub right: Box<Node>,
    /// Which rows without partner stay.
    pub kind: JoinKind,
    /// Equal columns (left, right). Empty: every pair.
    pub on: Vec<(usize, usize)>,
    /// Over left columns, then right columns; part of the ON condition, so it decides what has a partner.
    pub residual: Option<Expr>,
    /// NULL equals NULL in `on`.
    pub null_equal: bool,
    /// NOT IN: with `Anti`, nothing of a left row stays if it has a NULL key or the right side has one (unless the right
    /// side is empty). One pair in `on`.
    pub null_aware: bool,
}

/// Kinds of maintained joins. `Right` and the right-hand semi joins are turned round by `lower`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JoinKind {
    /// Pairs.
    Inner,
    /// Pairs, and left rows without partner.
    Left,
    /// Pairs, and rows of both sides without partner.
    Full,
    /// Left rows with a partner, once each.
    Semi,
    /// Left rows without partner.
    Anti,
    /// All left rows with a BOOLEAN: has it a partner.
    Mark,
}

/// A stream–stream join. Output: left columns, then right columns. Append-only.
#[derive(Clone, Debug)]
pub struct WithinJoin {
    /// Left stream.
    pub left: Box<Node>,
    /// Right stream.
    pub right: Box<Node>,
    /// Inner, Left or Full.
    pub kind: JoinKind,
    /// Equal columns (left, right); NULL equals nothing.
    pub on: Vec<(usize, usize)>,
    /// Over left columns, then right columns.
    pub residual: Option<Expr>,
    /// Event time columns (left, right), epoch ms.
    pub times: (usize, usize),
    /// Where their records stood (left, right).
    pub lanes: (Option<Lane>, Option<Lane>),
    /// The right row may be this much earlier than the left one, ms.
    pub before_ms: i64,
    /// The right row may be this much later than the left one, ms.
    pub after_ms: i64,
    /// Rows are dropped, and rows without partner emitted, this much after the window has passed, ms.
    pub grace_ms: i64,
    /// Sources whose stream time rules, per side.
    pub time_sources: (Vec<RelationId>, Vec<RelationId>),
}

/// When the windows of a grouped collection close and leave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowClose {
    /// Position of WINDOWSTART in the node's own output.
    pub start: usize,
    /// Position of WINDOWEND in the node's own output.
    pub end: usize,
    /// A window closes when stream time reaches its end + grace, ms. Working state goes, the result row stays.
    pub grace_ms: i64,
    /// A result row leaves by retraction when stream time reaches window start + retention, ms.
    pub retention_ms: i64,
    /// EMIT FINAL: a window's row appears when it closes, and never before.
    pub emit_final: bool,
    /// Stream time is the least over these base sources.
    pub time_sources: Vec<RelationId>,
}

/// INTERSECT or EXCEPT.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SetOpKind {
    /// In both.
    Intersect,
    /// In the left only.
    Except,
}

/// One column of an order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SortKey {
    /// Which.
    pub column: usize,
    /// Largest first.
    pub descending: bool,
    /// NULLs before values.
    pub nulls_first: bool,
}

/// An aggregate call.
#[derive(Clone, Debug)]
pub struct Aggregate {
    /// The function.
    pub function: AggregateFunction,
    /// Its argument columns.
    pub args: Vec<usize>,
    /// Over distinct argument values only.
    pub distinct: bool,
    /// BOOLEAN column: rows where it is not TRUE do not count.
    pub filter: Option<usize>,
    /// ORDER BY inside the call, for the functions that depend on order. Empty: see [`AggregateFunction`].
    pub order: Vec<SortKey>,
    /// Where the row stood (ROWPARTITION, ROWOFFSET), for the functions that depend on arrival; `None` over tables and
    /// views, where they order by value.
    pub arrival: Option<(usize, usize)>,
    /// Type of the result.
    pub data_type: DataType,
    /// Name of the result column.
    pub name: String,
}

/// The aggregate functions. NULL arguments are passed over unless said otherwise; over no rows the result is NULL unless
/// said otherwise. "Ordered" ones take `order`, else (tick, arrival), else value.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum AggregateFunction {
    /// Rows (no argument) or non-NULL arguments (all of them, if several); 0 over none. BIGINT.
    Count,
    /// BIGINT for INT and BIGINT (overflow is an error row of the group), DECIMAL(38,s), DOUBLE (exact, rounded once).
    Sum,
    /// DOUBLE, or DECIMAL(38,s+4) of DECIMAL (rounded half away from zero).
    Avg,
    /// Least.
    Min,
    /// Largest.
    Max,
    /// Variance, DOUBLE; sample (n−1, NULL for n = 1) or population.
    Variance {
        /// Over n instead of n − 1.
        population: bool,
    },
    /// Square root of the variance.
    Stddev {
        /// Over n instead of n − 1.
        population: bool,
    },
    /// All true.
    BoolAnd,
    /// Any true.
    BoolOr,
    /// ARRAY of the values in order, NULLs kept; ordered. Empty array over none.
    CollectList,
    /// ARRAY of the distinct values, ascending, NULL last if there is one.
    CollectSet,
    /// The texts in order with a separator between; ordered.
    StringAgg {
        /// Between two texts.
        separator: String,
    },
    /// The value of the last row; an ARRAY of the last `n` if given; ordered.
    Latest {
        /// How many; `None`: one, not in an array.
        n: Option<usize>,
        /// Pass over NULLs.
        ignore_nulls: bool,
    },
    /// The value of the first row; an ARRAY of the first `n` if given; ordered.
    Earliest {
        /// How many; `None`: one, not in an array.
        n: Option<usize>,
        /// Pass over NULLs.
        ignore_nulls: bool,
    },
}

/// A query ready to run.
#[derive(Clone, Debug)]
pub struct Query {
    /// What it maintains: its visible columns first, then hidden ones.
    pub root: Node,
    /// How many columns of the root the reader sees.
    pub visible: usize,
    /// Order in which a finished answer is printed, over the root's columns. Empty: by all columns.
    pub order: Vec<SortKey>,
    /// Columns that identify a row in upsert form.
    pub key: Option<Vec<usize>>,
    /// Changes leave as upserts (one keyed TABLE, filtered and projected) and not as insertions and retractions.
    pub upsert: bool,
    /// A push query ends after this many rows (LIMIT without ORDER BY).
    pub stop_after_rows: Option<usize>,
    /// Relations that it reads, views expanded.
    pub reads: Vec<RelationId>,
}

impl Node {
    /// The inputs, left to right.
    pub fn children(&self) -> Vec<&Node> {
        match &self.op {
            Op::Source { .. } | Op::Constant { .. } => vec![],
            Op::Map { input, .. }
            | Op::Unnest { input, .. }
            | Op::Reduce { input, .. }
            | Op::AssignWindows { input, .. }
            | Op::SessionReduce { input, .. }
            | Op::TopK { input, .. }
            | Op::AtMostOne { input, .. } => vec![input],
            Op::Union { inputs } => inputs.iter().collect(),
            Op::Join(join) => vec![&join.left, &join.right],
            Op::AsOfJoin { stream, table, .. } => vec![stream, table],
            Op::WithinJoin(join) => vec![&join.left, &join.right],
            Op::SetOp { left, right, .. } => vec![left, right],
        }
    }

    /// The same, to be changed.
    pub fn children_mut(&mut self) -> Vec<&mut Node> {
        match &mut self.op {
            Op::Source { .. } | Op::Constant { .. } => vec![],
            Op::Map { input, .. }
            | Op::Unnest { input, .. }
            | Op::Reduce { input, .. }
            | Op::AssignWindows { input, .. }
            | Op::SessionReduce { input, .. }
            | Op::TopK { input, .. }
            | Op::AtMostOne { input, .. } => vec![input],
            Op::Union { inputs } => inputs.iter_mut().collect(),
            Op::Join(join) => vec![&mut join.left, &mut join.right],
            Op::AsOfJoin { stream, table, .. } => vec![stream, table],
            Op::WithinJoin(join) => vec![&mut join.left, &mut join.right],
            Op::SetOp { left, right, .. } => vec![left, right],
        }
    }
}
