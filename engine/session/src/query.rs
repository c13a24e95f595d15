//! The queries of a session: what each does, how far it is, where its changes go.

use std::collections::BTreeSet;

use millrace_dataflow::{ErrorRow, QueryId};
use millrace_planner::catalog::RelationId;
use millrace_planner::plan::{Node, Op};

use crate::answer::{Answer, Collected};
use crate::sink::FileSink;

/// A query, running or ended.
pub(crate) struct Running {
    pub(crate) id: QueryId,
    /// The relation's name, `INSERT_<target>_<n>`, `PUSH_<n>`.
    pub(crate) name: String,
    pub(crate) kind: QueryKind,
    /// Number of its statement.
    pub(crate) statement: usize,
    /// The statement's text.
    pub(crate) sql: String,
    pub(crate) state: QueryState,
    /// Why it is in this state.
    pub(crate) message: Option<String>,
    /// The relation that it publishes into.
    pub(crate) target: Option<RelationId>,
    /// Relations that its plan reads.
    pub(crate) reads: BTreeSet<RelationId>,
    /// Its first tick.
    pub(crate) start: u64,
    /// The last tick of one that is over.
    pub(crate) ended: Option<u64>,
    /// The tick in which it catches up, if it was resumed.
    pub(crate) resumed: Option<u64>,
    /// Changes that left the engine.
    pub(crate) rows_out: u64,
    /// Rows that are missing because something failed on them.
    pub(crate) error_rows: i64,
    /// A few of them, to show.
    pub(crate) error_samples: Vec<ErrorRow>,
    pub(crate) plan: Node,
    pub(crate) output: Output,
}

/// Error rows of a query that are kept to be shown.
pub(crate) const ERROR_SAMPLES_MAX: usize = 3;

/// What a query is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QueryKind {
    /// It maintains a relation or writes into one.
    Persistent,
    /// A reader is told each change.
    Push,
    /// Answered once; not listed.
    Once,
}

/// How a query is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum QueryState {
    /// It is at work, or will be with its first tick.
    Active,
    /// It sleeps since this tick, until it is resumed.
    Paused { at: u64 },
    /// It has stopped.
    Failed,
    /// All of its inputs have ended.
    Completed,
}

impl QueryState {
    /// Whether nothing more comes of it.
    pub(crate) fn is_over(self) -> bool {
        matches!(self, QueryState::Failed | QueryState::Completed)
    }

    /// Whether it waits to be resumed.
    pub(crate) fn is_paused(self) -> bool {
        matches!(self, QueryState::Paused { .. })
    }
}

/// Where a query's changes go besides its relation.
pub(crate) enum Output {
    /// Nowhere.
    None,
    /// To the client, tick by tick, until so many rows have gone.
    Client { answer: Answer, rows_left: Option<usize> },
    /// Together, until they are asked for.
    Collect(Collected),
    /// Into a file.
    File(FileSink),
}

/// The relations that a plan reads, and which of their columns.
pub(crate) fn sources(root: &Node) -> Vec<(RelationId, &[usize])> {
    let own = match &root.op {
        Op::Source { relation, columns, .. } => Some((*relation, columns.as_slice())),
        _ => None,
    };
    own.into_iter().chain(root.children().into_iter().flat_map(sources)).collect()
}

/// The two sides of every as-of join of a plan: (stream, table).
pub(crate) fn as_of_joins(root: &Node) -> Vec<(&Node, &Node)> {
    let own = match &root.op {
        Op::AsOfJoin { stream, table, .. } => Some((&**stream, &**table)),
        _ => None,
    };
    own.into_iter().chain(root.children().into_iter().flat_map(as_of_joins)).collect()
}
