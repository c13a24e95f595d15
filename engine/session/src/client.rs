//! Who asks: results, notices and progress go to a [`Client`].
//!
//! ```text
//! head(result 3: columns, form)  rows(3, tick 7, …)  rows(3, tick 8, …)  done(3)
//! ```
//! A result belongs to one statement. Several push queries may run at once: their calls come in turns, each with the
//! number of its result. Everything is sorted, consolidated and cut to what the reader may see; a client only writes.

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use millrace_planner::error::PlanError;

/// Receives what statements bring about.
///
/// # Contract
/// For each result: `head` once, `rows` any number of times in order of ticks, `done` once unless the session stops.
/// After [`ClientGone`] the session makes no further call and ends.
pub trait Client {
    /// A result begins.
    ///
    /// # Errors
    /// If nobody reads any more.
    fn head(&mut self, head: &ResultHead) -> Result<(), ClientGone>;

    /// Some of its rows.
    ///
    /// # Errors
    /// If nobody reads any more.
    fn rows(&mut self, rows: &ResultRows) -> Result<(), ClientGone>;

    /// It is complete.
    ///
    /// # Errors
    /// If nobody reads any more.
    fn done(&mut self, result: ResultId) -> Result<(), ClientGone>;

    /// Something that the user should know and that stops nothing.
    fn notice(&mut self, notice: &Notice);

    /// How far the sources are; a few times a second while they flow.
    fn progress(&mut self, progress: &[SourceProgress]) {
        let _ = progress;
    }
}

/// Nobody reads the answers any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ClientGone;

/// Names a result within a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResultId(pub u64);

/// What a result looks like.
#[derive(Clone, Debug)]
pub struct ResultHead {
    /// Which.
    pub id: ResultId,
    /// Number of its statement in the script, from 1.
    pub statement: usize,
    /// The query's name, where it has one (`PUSH_1`).
    pub query: Option<String>,
    /// Columns that the reader sees.
    pub columns: SchemaRef,
    /// How rows come.
    pub form: Form,
}

/// How a result's rows come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Form {
    /// Once, as an answer.
    Answer,
    /// As lines of text in one column.
    Text,
    /// As changes with a diff.
    Diff {
        /// There may be retractions.
        retracts: bool,
    },
    /// As rows that replace the row of their key, and deletes.
    Upsert {
        /// Columns of the key. They need not be among the visible ones.
        key: SchemaRef,
    },
}

/// Rows of a result.
#[derive(Clone, Debug)]
pub struct ResultRows {
    /// Which result.
    pub id: ResultId,
    /// The tick that they belong to.
    pub tick: u64,
    /// The columns of the head.
    pub rows: RecordBatch,
    /// What they do.
    pub changes: Changes,
}

impl ResultRows {
    /// How many rows are added to the result.
    pub(crate) fn insertions(&self) -> usize {
        match &self.changes {
            Changes::Rows => self.rows.num_rows(),
            Changes::Diffs(diffs) => diffs.iter().map(|diff| (*diff).max(0) as usize).sum(),
            Changes::Upserts { deletes, .. } => deletes.iter().filter(|delete| !**delete).count(),
        }
    }
}

/// What rows do to a result.
#[derive(Clone, Debug)]
pub enum Changes {
    /// They are it: [`Form::Answer`], [`Form::Text`].
    Rows,
    /// Each is added so many times, or taken away: retractions come before insertions.
    Diffs(Vec<i64>),
    /// Each replaces the row of its key, or deletes it: then its values are NULL.
    Upserts {
        /// The keys, row by row.
        key: RecordBatch,
        /// Which rows are deletes.
        deletes: Vec<bool>,
    },
}

/// What the user should know.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// Something about the text of a statement: a warning of its planning.
    Statement {
        /// Number of the statement, from 1.
        statement: usize,
        /// What; a warning, with its place.
        warning: PlanError,
    },
    /// A statement has been done, and what it did: `3 rows inserted`.
    Done {
        /// Number of the statement, from 1.
        statement: usize,
        /// What.
        message: String,
    },
    /// Something about the data or a source.
    Data(String),
}

/// How far the readers of a source are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceProgress {
    /// The relation.
    pub relation: String,
    /// Records read.
    pub rows: u64,
    /// Records in all, if known.
    pub rows_total: Option<u64>,
    /// Bytes read.
    pub bytes: u64,
    /// Bytes in all, if known.
    pub bytes_total: Option<u64>,
    /// Whether it has ended.
    pub ended: bool,
}
