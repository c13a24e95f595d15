//! What a statement asks the session to do, fully planned: names resolved, types checked, queries lowered.

use std::collections::BTreeMap;

use arrow::record_batch::RecordBatch;

use crate::catalog::{Column, Definition, Relation, RelationId, RelationKind};
use crate::error::PlanError;
use crate::plan::{OnError, Query};

/// A statement's action with the warnings of its planning.
#[derive(Clone, Debug)]
pub struct Planned {
    /// What to do.
    pub action: Action,
    /// Warnings for the user, in order of their position.
    pub warnings: Vec<PlanError>,
}

/// One thing to do.
#[derive(Clone, Debug)]
pub enum Action {
    /// CREATE STREAM | TABLE without AS.
    CreateSource(CreateSource),
    /// CSAS, CTAS, CREATE MATERIALIZED VIEW.
    CreateQuery(CreateQuery),
    /// CREATE VIEW: the text is kept and inlined.
    CreateView {
        /// Its name.
        name: String,
        /// Its columns.
        columns: Vec<Column>,
        /// `SELECT …` as written.
        sql: String,
        /// Relations that it reads.
        reads: Vec<RelationId>,
        /// Replace one of that name.
        or_replace: bool,
    },
    /// CREATE TYPE.
    CreateType {
        /// Its name.
        name: String,
        /// What it stands for.
        data_type: arrow::datatypes::DataType,
    },
    /// INSERT INTO … VALUES.
    InsertRows {
        /// Where.
        target: RelationId,
        /// Rows with the target's visible columns.
        rows: RecordBatch,
        /// ROWTIME given per row, epoch ms.
        row_times: Option<Vec<i64>>,
    },
    /// INSERT INTO stream SELECT: a persistent query. INSERT INTO table SELECT: once.
    InsertQuery {
        /// Where.
        target: RelationId,
        /// What, with the target's visible columns first.
        query: Query,
        /// The statement, for SHOW.
        sql: String,
    },
    /// UPDATE: rows of `query` are old row, then new row of the target, both whole.
    Update {
        /// Where.
        target: RelationId,
        /// Old columns, then new columns.
        query: Query,
    },
    /// DELETE: rows of `query` go.
    Delete {
        /// Where.
        target: RelationId,
        /// The rows to delete, whole.
        query: Query,
    },
    /// SELECT … EMIT CHANGES | FINAL.
    Push(Query),
    /// SELECT without EMIT: answered once.
    Pull(Query),
    /// EXPLAIN: the text to show, or a running query to measure.
    Explain {
        /// Lines to print.
        text: String,
    },
    /// EXPLAIN ANALYZE of a query by its id.
    ExplainAnalyze {
        /// Which.
        query: String,
    },
    /// SHOW …: a pull on a system relation.
    Show(Query),
    /// DESCRIBE relation.
    Describe {
        /// Which.
        relation: RelationId,
        /// With its query, sources and statistics.
        extended: bool,
    },
    /// SET; `None` unsets.
    Set {
        /// Lower-case name.
        name: String,
        /// The value as text.
        value: Option<String>,
    },
    /// DROP.
    Drop {
        /// Which; `None` when IF EXISTS found nothing.
        relation: Option<RelationId>,
    },
    /// DROP TYPE.
    DropType {
        /// Which.
        name: String,
    },
    /// TERMINATE, PAUSE, RESUME of a query, or of all.
    Control {
        /// What to do.
        verb: ControlVerb,
        /// Query id; `None`: all.
        query: Option<String>,
    },
    /// The statement has nothing to do (IF NOT EXISTS found one).
    Nothing {
        /// Why, for the user.
        notice: String,
    },
}

/// What to do with a running query.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ControlVerb {
    /// It ends, its relation stays as it is.
    Terminate,
    /// It sleeps, and its answer stays as it is.
    Pause,
    /// It catches up with what has happened meanwhile.
    Resume,
}

/// CREATE STREAM | TABLE with a connector.
#[derive(Clone, Debug, PartialEq)]
pub struct CreateSource {
    /// Its name.
    pub name: String,
    /// Stream or table.
    pub kind: RelationKind,
    /// Declared columns; empty: the session infers them from the data (file, generator) before it inserts the relation.
    pub columns: Vec<Column>,
    /// Positions of the primary key.
    pub primary_key: Vec<usize>,
    /// `WITH (…)`: upper-case names, values as text. `CONNECTOR` is always there.
    pub options: BTreeMap<String, String>,
    /// The byte span of each option's value, for errors that the connector finds.
    pub option_spans: BTreeMap<String, crate::error::Span>,
    /// Replace one of that name.
    pub or_replace: bool,
}

impl CreateSource {
    /// The relation for the catalog, with columns that were declared or inferred.
    pub fn relation(&self, id: RelationId, columns: Vec<Column>) -> Relation {
        Relation {
            id,
            name: self.name.clone(),
            kind: self.kind,
            columns,
            primary_key: self.primary_key.clone(),
            system_columns: true,
            definition: Definition::Source { options: self.options.clone() },
            reads: vec![],
            window_columns: None,
            time_sources: vec![id],
        }
    }
}

/// A persistent query with a relation of its own.
#[derive(Clone, Debug)]
pub struct CreateQuery {
    /// Name of the relation and of the query.
    pub name: String,
    /// What the relation is.
    pub kind: RelationKind,
    /// Its visible columns.
    pub columns: Vec<Column>,
    /// Positions of its primary key.
    pub primary_key: Vec<usize>,
    /// Whether the root carries the system columns behind the visible ones.
    pub system_columns: bool,
    /// Positions of WINDOWSTART and WINDOWEND in `columns`.
    pub window_columns: Option<(usize, usize)>,
    /// Base sources that rule its stream time.
    pub time_sources: Vec<RelationId>,
    /// What it maintains.
    pub query: Query,
    /// `WITH (…)`.
    pub options: BTreeMap<String, String>,
    /// The byte span of each option's value.
    pub option_spans: BTreeMap<String, crate::error::Span>,
    /// What a failing expression does.
    pub on_error: OnError,
    /// The statement as written.
    pub sql: String,
    /// Replace one of that name.
    pub or_replace: bool,
}

impl CreateQuery {
    /// The relation for the catalog.
    pub fn relation(&self, id: RelationId) -> Relation {
        Relation {
            id,
            name: self.name.clone(),
            kind: self.kind,
            columns: self.columns.clone(),
            primary_key: self.primary_key.clone(),
            system_columns: self.system_columns,
            definition: Definition::Query { sql: self.sql.clone() },
            reads: self.query.reads.clone(),
            window_columns: self.window_columns,
            time_sources: self.time_sources.clone(),
        }
    }
}
