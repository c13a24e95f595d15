//! What a statement says: the tree that parsing makes and binding reads.
//!
//! A [`Parsed`] is one statement of a script with its text and its place. Expressions and queries are sqlparser's
//! trees; everything that only streaming SQL has is here. Nothing is looked up: names may be wrong, types unknown.
//!
//! # Positions
//! Every [`Span`] counts bytes of the script. Trees of sqlparser carry lines and columns of the same script;
//! [`Parsed::span_of`] converts them.
//!
//! Names are in [`super::name`], queries with their streaming clauses in [`super::query`].

use std::sync::Arc;

use sqlparser::ast;

use super::name::{Ident, Name, Text};
use super::position::Positions;
use super::query::{Duration, StreamingQuery};
use crate::error::Span;

/// One statement of a script.
#[derive(Clone, Debug)]
pub struct Parsed {
    /// What it says.
    pub statement: Statement,
    /// Where it stands in the script, without the semicolon.
    pub span: Span,
    /// The text of `span`.
    pub text: String,
    /// Lines and columns of the script.
    pub positions: Arc<Positions>,
}

impl Parsed {
    /// Bytes of the script that a span of sqlparser's means; `None` for its empty span, which stands for "unknown".
    pub fn span_of(&self, span: sqlparser::tokenizer::Span) -> Option<Span> {
        self.positions.span(span)
    }
}

/// What a statement says.
#[derive(Clone, Debug)]
pub enum Statement {
    /// `CREATE STREAM | TABLE n (columns) WITH (…)`.
    CreateSource(CreateSource),
    /// `CREATE STREAM | TABLE n AS …`, `CREATE MATERIALIZED VIEW n AS …`.
    CreateQuery(CreateQuery),
    /// `CREATE VIEW n AS …`.
    CreateView(CreateView),
    /// `CREATE TYPE n AS type`.
    CreateType(CreateType),
    /// `CREATE FUNCTION | AGGREGATE | TABLE FUNCTION n FROM MODULE …`.
    CreateFunction(CreateFunction),
    /// `CREATE SOURCE | SINK CONNECTOR n …`.
    CreateConnector(CreateConnector),
    /// `INSERT INTO n VALUES …`.
    InsertValues(InsertValues),
    /// `INSERT INTO n SELECT …`.
    InsertQuery(InsertQuery),
    /// `UPDATE`.
    Update(Update),
    /// `DELETE FROM`.
    Delete(Delete),
    /// A query by itself: pull without `emit`, push with it.
    Query(StreamingQuery),
    /// `EXPLAIN`.
    Explain(Explain),
    /// `SHOW`, `LIST`.
    Show(Show),
    /// `DESCRIBE`.
    Describe(Describe),
    /// `SET 'x' = 'y'`, `SET x = y`; `UNSET x` without a value.
    Set(Set),
    /// `DEFINE x = 'y'`; `UNDEFINE x` without a value.
    Define(Define),
    /// `DROP …`.
    Drop(Drop),
    /// `TERMINATE`, `PAUSE`, `RESUME`.
    Control(Control),
    /// `ALTER STREAM | TABLE n ADD COLUMN …`.
    Alter(Alter),
    /// `PRINT topic`.
    Print(Print),
    /// `RUN SCRIPT 'file'`.
    RunScript {
        /// The file.
        path: Text,
    },
    /// `ASSERT …`.
    Assert(Assert),
    /// It parses and is not of the language: the answer is 0A000 at `span`.
    Unsupported {
        /// What it is, for the message: `GRANT`, `CREATE INDEX`.
        what: String,
        /// The words that say so.
        span: Span,
    },
}

/// STREAM or TABLE.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamOrTable {
    /// Events.
    Stream,
    /// Rows by key.
    Table,
}

/// `CREATE [OR REPLACE] [SOURCE] STREAM | TABLE [IF NOT EXISTS] n (…) WITH (…)`.
#[derive(Clone, Debug)]
pub struct CreateSource {
    /// Which of the two.
    pub kind: StreamOrTable,
    /// Its name.
    pub name: Name,
    /// Empty: to be inferred.
    pub columns: Vec<ColumnDef>,
    /// `WITH (…)`.
    pub properties: Vec<Property>,
    /// OR REPLACE.
    pub or_replace: bool,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
    /// SOURCE: nothing may write to it.
    pub read_only: Option<Span>,
}

/// A declared column.
#[derive(Clone, Debug)]
pub struct ColumnDef {
    /// Its name.
    pub name: Ident,
    /// As written; `types::sql_type` makes an Arrow type of it.
    pub data_type: ast::DataType,
    /// Where the type stands.
    pub type_span: Span,
    /// What it is besides a value.
    pub role: ColumnRole,
    /// The words of `role`, or of the constraint `PRIMARY KEY (…)`.
    pub role_span: Option<Span>,
    /// NOT NULL.
    pub not_null: Option<Span>,
}

/// What a column is besides a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ColumnRole {
    /// Nothing.
    Value,
    /// KEY.
    Key,
    /// PRIMARY KEY, behind the column or as a constraint of the table.
    PrimaryKey,
    /// HEADERS: all headers of the record.
    Headers,
    /// HEADER('name'): one header of the record.
    Header(Text),
}

/// `NAME = value` in `WITH (…)`.
#[derive(Clone, Debug, PartialEq)]
pub struct Property {
    /// Upper case unless it was a string (`'key.converter' = …`), which stays as written.
    pub name: Ident,
    /// What it is set to.
    pub value: PropertyValue,
    /// Where the value stands.
    pub value_span: Span,
}

/// A value in `WITH (…)` and `SET`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum PropertyValue {
    /// `'text'`, or a word in quotes.
    Text(String),
    /// `42`, `-1.5`, as written.
    Number(String),
    /// TRUE, FALSE.
    Bool(bool),
    /// NULL.
    Null,
    /// A word without quotes, folded: `DEAD LETTER` is one value of two words.
    Word(String),
    /// `(a, b)` or `[a, b]`.
    List(Vec<PropertyValue>),
}

impl PropertyValue {
    /// The value as text, as the catalog keeps options: TRUE is `true`, NULL is empty, a list is joined by `,`.
    pub fn text(&self) -> String {
        match self {
            PropertyValue::Text(text) | PropertyValue::Number(text) | PropertyValue::Word(text) => text.clone(),
            PropertyValue::Bool(value) => value.to_string(),
            PropertyValue::Null => String::new(),
            PropertyValue::List(items) => items.iter().map(PropertyValue::text).collect::<Vec<_>>().join(","),
        }
    }
}

/// CSAS, CTAS, CREATE MATERIALIZED VIEW.
#[derive(Clone, Debug)]
pub struct CreateQuery {
    /// What the relation will be.
    pub kind: DerivedKind,
    /// Its name.
    pub name: Name,
    /// Names given to its columns, `CREATE MATERIALIZED VIEW v (a, b) AS …`.
    pub columns: Vec<Ident>,
    /// `WITH (…)`.
    pub properties: Vec<Property>,
    /// What it maintains.
    pub query: StreamingQuery,
    /// OR REPLACE.
    pub or_replace: bool,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
}

/// Kinds of relations that a persistent query maintains.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DerivedKind {
    /// CSAS.
    Stream,
    /// CTAS.
    Table,
    /// CREATE MATERIALIZED VIEW.
    MaterializedView,
}

/// `CREATE [OR REPLACE] VIEW [IF NOT EXISTS] n [(columns)] AS …`.
#[derive(Clone, Debug)]
pub struct CreateView {
    /// Its name.
    pub name: Name,
    /// Names given to its columns.
    pub columns: Vec<Ident>,
    /// `WITH (…)`.
    pub properties: Vec<Property>,
    /// The query, never with `emit`.
    pub query: StreamingQuery,
    /// OR REPLACE.
    pub or_replace: bool,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
}

/// `CREATE [OR REPLACE] TYPE [IF NOT EXISTS] n AS type`.
#[derive(Clone, Debug)]
pub struct CreateType {
    /// Its name.
    pub name: Name,
    /// As written.
    pub data_type: ast::DataType,
    /// Where the type stands.
    pub type_span: Span,
    /// OR REPLACE.
    pub or_replace: bool,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
}

/// `CREATE [OR REPLACE] FUNCTION | AGGREGATE | TABLE FUNCTION n FROM MODULE '…' [SHA256 '…']`.
#[derive(Clone, Debug)]
pub struct CreateFunction {
    /// Which.
    pub kind: FunctionKind,
    /// Its name.
    pub name: Name,
    /// Path or URL.
    pub module: Text,
    /// The expected digest.
    pub sha256: Option<Text>,
    /// OR REPLACE.
    pub or_replace: bool,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
}

/// Kinds of functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FunctionKind {
    /// One value of one row.
    Scalar,
    /// One value of a group.
    Aggregate,
    /// Several rows of one row.
    Table,
}

/// `CREATE SOURCE | SINK CONNECTOR n [FROM MODULE '…' [SHA256 '…']] WITH (…) [GRANT …]`.
#[derive(Clone, Debug)]
pub struct CreateConnector {
    /// SINK.
    pub sink: bool,
    /// Its name.
    pub name: Name,
    /// Path or URL.
    pub module: Option<Text>,
    /// The expected digest.
    pub sha256: Option<Text>,
    /// `WITH (…)`.
    pub properties: Vec<Property>,
    /// `HTTP 'host'`, `TCP 'host:port'`: kind in upper case, target.
    pub grants: Vec<(Ident, Text)>,
    /// OR REPLACE.
    pub or_replace: bool,
    /// IF NOT EXISTS.
    pub if_not_exists: bool,
}

/// `INSERT INTO n [(columns)] VALUES (…), …`.
#[derive(Clone, Debug)]
pub struct InsertValues {
    /// Where.
    pub target: Name,
    /// Empty: all columns in order.
    pub columns: Vec<Ident>,
    /// Each with the place of its brackets.
    pub rows: Vec<(Vec<ast::Expr>, Span)>,
}

/// `INSERT INTO n [WITH (…)] [(columns)] SELECT …`.
#[derive(Clone, Debug)]
pub struct InsertQuery {
    /// Where.
    pub target: Name,
    /// Empty: all columns in order.
    pub columns: Vec<Ident>,
    /// `WITH (QUERY_ID = …)`.
    pub properties: Vec<Property>,
    /// What.
    pub query: StreamingQuery,
}

/// `UPDATE n [[AS] alias] SET column = value, … [WHERE …]`.
#[derive(Clone, Debug)]
pub struct Update {
    /// Which relation.
    pub target: Name,
    /// What the expressions may call it.
    pub alias: Option<Ident>,
    /// Column and value.
    pub assignments: Vec<(Ident, ast::Expr)>,
    /// WHERE.
    pub selection: Option<ast::Expr>,
}

/// `DELETE FROM n [[AS] alias] [WHERE …]`.
#[derive(Clone, Debug)]
pub struct Delete {
    /// Which relation.
    pub target: Name,
    /// What the expression may call it.
    pub alias: Option<Ident>,
    /// WHERE.
    pub selection: Option<ast::Expr>,
}

/// `EXPLAIN [PARSED | LOGICAL | OPTIMIZED | PLAN | ANALYZE] [(FORMAT JSON)] statement | query id`.
#[derive(Clone, Debug)]
pub struct Explain {
    /// What to show.
    pub mode: ExplainMode,
    /// Where the mode's word stands, if there is one.
    pub mode_span: Option<Span>,
    /// FORMAT JSON.
    pub json: bool,
    /// Of what.
    pub target: ExplainTarget,
}

/// Which step of the pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum ExplainMode {
    /// The statement, printed back: `print::print`.
    Parsed,
    /// After bind.
    Logical,
    /// After rewrite.
    Optimized,
    /// After lower: the default.
    #[default]
    Plan,
    /// The running dataflow, measured.
    Analyze,
}

/// What to explain.
#[derive(Clone, Debug)]
pub enum ExplainTarget {
    /// A statement.
    Statement(Box<Parsed>),
    /// A running query, by its id.
    Query(Ident),
}

/// `SHOW | LIST [ALL] what [EXTENDED] [FROM n] [LIKE '…']`.
#[derive(Clone, Debug)]
pub struct Show {
    /// What.
    pub what: ShowWhat,
    /// Where its word stands.
    pub what_span: Span,
    /// ALL: internal ones too.
    pub all: bool,
    /// EXTENDED.
    pub extended: bool,
    /// FROM or IN a relation (COLUMNS, CREATE).
    pub from: Option<Name>,
    /// LIKE.
    pub like: Option<Text>,
}

/// What to show.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ShowWhat {
    /// STREAMS.
    Streams,
    /// TABLES.
    Tables,
    /// VIEWS.
    Views,
    /// MATERIALIZED VIEWS.
    MaterializedViews,
    /// RELATIONS: all of the four.
    Relations,
    /// QUERIES.
    Queries,
    /// TOPICS.
    Topics,
    /// FUNCTIONS.
    Functions,
    /// SETTINGS, PROPERTIES.
    Settings,
    /// TYPES.
    Types,
    /// VARIABLES.
    Variables,
    /// CONNECTORS; `Some(true)` for SINK, `Some(false)` for SOURCE ones only.
    Connectors {
        /// See above.
        sink: Option<bool>,
    },
    /// MODULES.
    Modules,
    /// COLUMNS FROM n.
    Columns,
    /// `CREATE n`: the statement that made the relation, in `from`.
    Create,
    /// OPERATORS.
    Operators,
    /// FRONTIERS.
    Frontiers,
    /// SESSIONS.
    Sessions,
    /// ERRORS.
    Errors,
    /// DECODE_ERRORS, or the two words.
    DecodeErrors,
    /// LATE.
    Late,
    /// One setting, as PostgreSQL shows it.
    Setting(Name),
}

/// `DESCRIBE [EXTENDED] n [EXTENDED]`.
#[derive(Clone, Debug)]
pub struct Describe {
    /// What.
    pub target: DescribeTarget,
    /// EXTENDED.
    pub extended: bool,
}

/// What to describe.
#[derive(Clone, Debug)]
pub enum DescribeTarget {
    /// A relation.
    Relation(Name),
    /// `FUNCTION f`.
    Function(Name),
    /// `CONNECTOR c`.
    Connector(Name),
    /// `STREAMS`, `TABLES`: every relation of the kind.
    All(StreamOrTable, Span),
}

/// `SET`, `UNSET`.
#[derive(Clone, Debug)]
pub struct Set {
    /// Lower case, dots included.
    pub name: String,
    /// Where the name stands.
    pub name_span: Span,
    /// `None` unsets; `SET x TO DEFAULT` too.
    pub value: Option<PropertyValue>,
    /// Where the value stands.
    pub value_span: Option<Span>,
}

/// `DEFINE`, `UNDEFINE`.
#[derive(Clone, Debug)]
pub struct Define {
    /// As written.
    pub name: Ident,
    /// `None` removes it.
    pub value: Option<Text>,
}

/// `DROP kind [IF EXISTS] n [DELETE TOPIC]`.
#[derive(Clone, Debug)]
pub struct Drop {
    /// What.
    pub kind: DropKind,
    /// Its name.
    pub name: Name,
    /// IF EXISTS.
    pub if_exists: bool,
    /// DELETE TOPIC.
    pub delete_topic: Option<Span>,
    /// CASCADE.
    pub cascade: Option<Span>,
}

/// What DROP drops.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DropKind {
    /// STREAM.
    Stream,
    /// TABLE.
    Table,
    /// VIEW.
    View,
    /// MATERIALIZED VIEW.
    MaterializedView,
    /// TYPE.
    Type,
    /// FUNCTION, AGGREGATE, TABLE FUNCTION.
    Function(FunctionKind),
    /// CONNECTOR.
    Connector,
    /// MODULE.
    Module,
}

/// `TERMINATE | PAUSE | RESUME [QUERY] id | ALL`.
#[derive(Clone, Debug)]
pub struct Control {
    /// What to do.
    pub verb: crate::action::ControlVerb,
    /// `None`: all.
    pub query: Option<Ident>,
}

/// `ALTER STREAM | TABLE n ADD [COLUMN] c type, …`.
#[derive(Clone, Debug)]
pub struct Alter {
    /// Which of the two.
    pub kind: StreamOrTable,
    /// Which relation.
    pub name: Name,
    /// What it gets.
    pub columns: Vec<ColumnDef>,
}

/// `PRINT topic [FROM BEGINNING] [INTERVAL n] [LIMIT n]`.
#[derive(Clone, Debug)]
pub struct Print {
    /// The topic, case kept.
    pub topic: Text,
    /// FROM BEGINNING.
    pub from_beginning: bool,
    /// Every n-th record.
    pub interval: Option<u64>,
    /// At most n records.
    pub limit: Option<u64>,
}

/// `ASSERT …`.
#[derive(Clone, Debug)]
pub enum Assert {
    /// `ASSERT [NULL] VALUES n [(columns)] VALUES | KEY (…)`.
    Values {
        /// Of which relation.
        relation: Name,
        /// Empty: all in order.
        columns: Vec<Ident>,
        /// One row each, with the place of its brackets.
        rows: Vec<(Vec<ast::Expr>, Span)>,
        /// NULL VALUES … KEY: a tombstone for this key.
        tombstone: bool,
    },
    /// `ASSERT STREAM | TABLE n (columns) [WITH (…)]`.
    Relation {
        /// Which of the two.
        kind: StreamOrTable,
        /// Its name.
        name: Name,
        /// Its columns.
        columns: Vec<ColumnDef>,
        /// `WITH (…)`.
        properties: Vec<Property>,
    },
    /// `ASSERT [NOT EXISTS] TOPIC t [WITH (…)] [TIMEOUT n unit]`.
    Topic {
        /// The topic, case kept.
        topic: Text,
        /// NOT EXISTS is absent.
        exists: bool,
        /// `WITH (…)`.
        properties: Vec<Property>,
        /// How long to wait.
        timeout: Option<Duration>,
    },
    /// `ASSERT [NOT EXISTS] SCHEMA [SUBJECT s] [ID n] [TIMEOUT n unit]`.
    Schema {
        /// SUBJECT.
        subject: Option<Text>,
        /// ID.
        id: Option<u64>,
        /// NOT EXISTS is absent.
        exists: bool,
        /// How long to wait.
        timeout: Option<Duration>,
    },
}
