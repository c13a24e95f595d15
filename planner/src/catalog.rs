//! What a plan may know: relations, their columns and settings. A value, not a service.
//!
//! The session owns the catalog, changes it when an [`Action`](crate::action::Action) takes effect and hands it to the
//! planner by reference. Everything external (a schema in a file, a module's signature) is already in it.

use std::collections::BTreeMap;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};

/// Names a relation in plans and in the engine. Never reused within a catalog.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelationId(pub u32);

/// What the relation is to a reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelationKind {
    /// Append-only events.
    Stream,
    /// Rows by primary key, or a bag without one.
    Table,
    /// Whatever its SQL says, exact at every tick.
    MaterializedView,
    /// A text that is inlined.
    View,
}

impl RelationKind {
    /// As a person writes it.
    pub fn name(self) -> &'static str {
        match self {
            RelationKind::Stream => "STREAM",
            RelationKind::Table => "TABLE",
            RelationKind::MaterializedView => "MATERIALIZED VIEW",
            RelationKind::View => "VIEW",
        }
    }
}

/// A declared or derived column.
#[derive(Clone, Debug, PartialEq)]
pub struct Column {
    /// Name as the catalog keeps it (folded unless it was quoted).
    pub name: String,
    /// Its Arrow type; see [`crate::plan`] for the map of SQL types.
    pub data_type: DataType,
    /// Part of the key of a stream, or of the primary key of a table.
    pub key: bool,
}

/// Columns that every STREAM and every source TABLE has behind its own, in this order. `*` leaves them out.
///
/// * `ROWTIME` BIGINT: event time, epoch ms.
/// * `ROWPARTITION` INT, `ROWOFFSET` BIGINT: where the record stood in its source.
/// * `ROWLANETIME` BIGINT, not for users: the largest `ROWTIME` among *earlier* records of the same partition, NULL for
///   the first. It makes lateness a function of the row, the same for every batching and worker count.
pub const SYSTEM_COLUMNS: [(&str, DataType); 4] = [
    ("ROWTIME", DataType::Int64),
    ("ROWPARTITION", DataType::Int32),
    ("ROWOFFSET", DataType::Int64),
    ("ROWLANETIME", DataType::Int64),
];

/// Where a relation's rows come from.
#[derive(Clone, Debug, PartialEq)]
pub enum Definition {
    /// A connector brings them.
    Source {
        /// `WITH (…)` as written: upper-case names, values as text.
        options: BTreeMap<String, String>,
    },
    /// A persistent query maintains them.
    Query {
        /// The statement, for SHOW and for inlining a view.
        sql: String,
    },
    /// The engine itself (`millrace.errors` and its like).
    System,
}

/// One relation of the catalog.
#[derive(Clone, Debug, PartialEq)]
pub struct Relation {
    /// Identity in plans.
    pub id: RelationId,
    /// Name as the catalog keeps it; system relations are called `millrace.…`.
    pub name: String,
    /// Stream, table or view.
    pub kind: RelationKind,
    /// Visible columns in order.
    pub columns: Vec<Column>,
    /// Positions of the primary key in `columns`; empty for streams and bags.
    pub primary_key: Vec<usize>,
    /// Whether the collection carries [`SYSTEM_COLUMNS`] behind its own.
    pub system_columns: bool,
    /// Where its rows come from.
    pub definition: Definition,
    /// Relations that its query reads, for DROP and for cycles.
    pub reads: Vec<RelationId>,
    /// For a windowed derived table: the positions of WINDOWSTART and WINDOWEND in `columns`.
    pub window_columns: Option<(usize, usize)>,
    /// The base sources whose stream time rules windows over this relation.
    pub time_sources: Vec<RelationId>,
}

impl Relation {
    /// Whether the collection never retracts.
    pub fn append_only(&self) -> bool {
        self.kind == RelationKind::Stream
    }

    /// Arrow schema of the collection: visible columns, then [`SYSTEM_COLUMNS`] where it carries them.
    pub fn schema(&self) -> SchemaRef {
        let visible = self.columns.iter().map(|c| Field::new(&c.name, c.data_type.clone(), true));
        let system = SYSTEM_COLUMNS
            .iter()
            .filter(|_| self.system_columns)
            .map(|(name, data_type)| Field::new(*name, data_type.clone(), true));
        std::sync::Arc::new(Schema::new(visible.chain(system).collect::<Vec<_>>()))
    }
}

/// Everything that a statement may refer to.
#[derive(Clone, Debug, Default)]
pub struct Catalog {
    relations: BTreeMap<String, Relation>,
    next_id: u32,
    /// `SET` values, lower-case names.
    pub settings: BTreeMap<String, String>,
    /// `CREATE TYPE` names.
    pub types: BTreeMap<String, DataType>,
}

impl Catalog {
    /// A fresh identity for a relation that is about to be inserted.
    pub fn allocate(&mut self) -> RelationId {
        self.next_id += 1;
        RelationId(self.next_id)
    }
    /// Adds or replaces the relation under its name.
    pub fn insert(&mut self, relation: Relation) {
        self.relations.insert(relation.name.clone(), relation);
    }
    /// Takes the relation out.
    pub fn remove(&mut self, name: &str) -> Option<Relation> {
        self.relations.remove(name)
    }
    /// The relation of exactly this name.
    pub fn get(&self, name: &str) -> Option<&Relation> {
        self.relations.get(name)
    }
    /// The relation with this identity.
    pub fn by_id(&self, id: RelationId) -> Option<&Relation> {
        self.relations.values().find(|r| r.id == id)
    }
    /// All relations in order of their names.
    pub fn relations(&self) -> impl Iterator<Item = &Relation> {
        self.relations.values()
    }
    /// The value of a setting, or `default`.
    pub fn setting<'a>(&'a self, name: &str, default: &'a str) -> &'a str {
        self.settings.get(name).map_or(default, String::as_str)
    }
}
