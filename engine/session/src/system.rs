//! The state of the engine as relations.
//!
//! A system relation is fed like any other, with rows at ticks, so all of SQL works on it; nobody feeds it while nobody
//! reads it. Most are *snapshots*: what they hold now is compared with what was fed last, and the difference goes in.
//! Those that grow with the data (errors, decode errors, late rows) are *logs*: what was written down since the last
//! time goes in.

mod contents;
mod rows;
mod schema;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use millrace_connect::DecodeErrorRow;
use millrace_data::Batch;
use millrace_data::consolidate::consolidate;
use millrace_dataflow::{ErrorRow, LateRow, RejectedRow, Rows, StreamTime};
use millrace_planner::catalog::{Column, Definition, Relation, RelationId, RelationKind};

pub(crate) use contents::key_of;
pub(crate) use rows::{Cell, batch};
pub(crate) use schema::SystemRelation;
use schema::{DECLARATIONS, Declaration};

use crate::client::Client;
use crate::error::Result;
use crate::query::QueryState;
use crate::relation::{Origin, Stored};
use crate::session::Session;

/// What the session writes down for its relations.
#[derive(Default)]
pub(crate) struct System {
    ids: BTreeMap<SystemRelation, RelationId>,
    /// Snapshots as they were fed last.
    fed: BTreeMap<SystemRelation, Batch>,
    logs: BTreeMap<SystemRelation, Log>,
    decode_errors: BTreeMap<String, u64>,
    late_rows: u64,
    stream_times: BTreeMap<RelationId, StreamTime>,
    tick: u64,
    introspected_ns: u64,
    log_rows_max: u64,
}

/// Rows written down and not fed yet.
#[derive(Default)]
struct Log {
    pending: Vec<Vec<Cell>>,
    diffs: Vec<i64>,
    /// Rows in it, fed or not.
    rows: u64,
}

impl Log {
    /// Beyond `rows_max` rows are counted elsewhere and not kept.
    fn add(&mut self, row: Vec<Cell>, diff: i64, rows_max: u64) {
        if diff > 0 && self.rows >= rows_max {
            return;
        }
        self.rows = self.rows.saturating_add_signed(diff);
        self.pending.push(row);
        self.diffs.push(diff);
    }
}

impl System {
    /// All ticks up to this one are complete.
    pub(crate) fn passed(&mut self, tick: u64) {
        self.tick = tick;
    }

    /// The last complete tick.
    pub(crate) fn tick(&self) -> u64 {
        self.tick
    }

    pub(crate) fn stream_time(&mut self, relation: RelationId, time: StreamTime) {
        self.stream_times.insert(relation, time);
    }

    pub(crate) fn decode_error(&mut self, source: &str, error: DecodeErrorRow) {
        let offset = Cell::Long(error.offset);
        let partition = i32::try_from(error.partition).map_or(Cell::Null, Cell::Int);
        let row = vec![source.into(), partition, offset, error.reason.into(), Cell::Bytes(error.bytes)];
        self.add_decode_error(source, row);
    }

    pub(crate) fn rejected(&mut self, source: &str, row: RejectedRow) {
        let partition = row.partition.map_or(Cell::Null, Cell::Int);
        let offset = row.offset.map_or(Cell::Null, Cell::Long);
        let row = vec![source.into(), partition, offset, row.reason.into(), Cell::Bytes(row.row.into_bytes())];
        self.add_decode_error(source, row);
    }

    fn add_decode_error(&mut self, source: &str, row: Vec<Cell>) {
        *self.decode_errors.entry(source.to_owned()).or_default() += 1;
        self.add(SystemRelation::DecodeErrors, row, 1);
    }

    pub(crate) fn error(&mut self, query: &str, error: ErrorRow) {
        let row = vec![query.into(), error.operator.into(), error.kind.into(), error.message.into(), error.row.into()];
        self.add(SystemRelation::Errors, row, error.diff);
    }

    pub(crate) fn late(&mut self, query: &str, row: LateRow) {
        self.late_rows += 1;
        let partition = row.partition.map_or(Cell::Null, Cell::Int);
        let offset = row.offset.map_or(Cell::Null, Cell::Long);
        let times = [row.window_start, row.window_end, row.row_time].map(Cell::Long);
        let place = [query.into(), row.source.into(), partition, offset];
        let row = place.into_iter().chain(times).chain([row.row.into()]).collect();
        self.add(SystemRelation::Late, row, 1);
    }

    fn add(&mut self, relation: SystemRelation, row: Vec<Cell>, diff: i64) {
        self.logs.entry(relation).or_default().add(row, diff, self.log_rows_max);
    }

    /// Records of a source that could not be read, so far.
    pub(crate) fn decode_errors_of(&self, source: &str) -> u64 {
        self.decode_errors.get(source).copied().unwrap_or(0)
    }

    pub(crate) fn sources_with_decode_errors(&self) -> Vec<String> {
        self.decode_errors.keys().cloned().collect()
    }

    /// Rows that came too late for a window, so far.
    pub(crate) fn late_rows(&self) -> u64 {
        self.late_rows
    }
}

impl Session {
    /// Puts the system relations into the catalog.
    pub(crate) fn declare_system_relations(&mut self) {
        self.system.log_rows_max = self.settings.number("millrace.errors_rows_max").unwrap_or(u64::MAX);
        for declaration in &DECLARATIONS {
            let id = self.catalog.allocate();
            let relation = system_relation(id, declaration);
            let schema = relation.schema();
            self.catalog.insert(relation.clone());
            let stored = Stored::new(relation, schema, Origin::System(declaration.relation));
            self.relations.insert(id, stored);
            self.system.ids.insert(declaration.relation, id);
        }
    }

    /// Whether what these relations hold depends on what has flowed.
    pub(crate) fn depends_on_input(&self, relations: impl IntoIterator<Item = RelationId>) -> bool {
        let measured = |which: SystemRelation| DECLARATIONS.iter().any(|d| d.relation == which && d.measured);
        self.upstream(relations).iter().filter_map(|id| self.relations.get(id)).any(|stored| match &stored.origin {
            Origin::System(which) => measured(*which),
            Origin::View => false,
            _ => true,
        })
    }

    /// Whether a query of these asks for nothing but the state of the engine.
    pub(crate) fn are_of_the_system(&self, relations: &BTreeSet<RelationId>) -> bool {
        let is_system = |id: &RelationId| self.relations.get(id).is_some_and(Stored::is_system);
        !relations.is_empty() && relations.iter().all(is_system)
    }

    /// Whether this is the relation of records that cannot be read.
    pub(crate) fn is_decode_errors(&self, id: RelationId) -> bool {
        self.system.ids.get(&SystemRelation::DecodeErrors) == Some(&id)
    }

    /// Brings the system relations that somebody reads up to date, with a tick if they have changed.
    pub(crate) fn refresh_system(&mut self, client: &mut dyn Client) -> Result<()> {
        let active = self.queries.values().filter(|query| query.state == QueryState::Active);
        let read: BTreeSet<RelationId> = active.flat_map(|query| query.reads.iter().copied()).collect();
        let mut rows = vec![];
        for (which, id) in self.system.ids.clone() {
            if read.contains(&id)
                && let Some(batch) = self.system_changes(which)?
            {
                rows.push(Rows { relation: id, batch, deletes: None, only: None });
            }
        }
        if rows.is_empty() {
            return Ok(());
        }
        self.rows_tick(rows, client)?;
        self.settle(client)
    }

    /// The same for input that does not end, now and then.
    pub(crate) fn introspect(&mut self, client: &mut dyn Client) -> Result<()> {
        let interval_ns = self.settings.number("millrace.introspection_interval_ms").unwrap_or(1000) * 1_000_000;
        let now_ns = self.world.clock().monotonic_ns();
        if now_ns.saturating_sub(self.system.introspected_ns) < interval_ns {
            return Ok(());
        }
        self.system.introspected_ns = now_ns;
        self.refresh_system(client)
    }

    /// What has changed in a system relation since it was fed last.
    fn system_changes(&mut self, which: SystemRelation) -> Result<Option<Batch>> {
        let schema = schema_of(which);
        let types = schema.fields().iter().map(|f| f.data_type());
        if matches!(which, SystemRelation::DecodeErrors | SystemRelation::Errors | SystemRelation::Late) {
            let Some(log) = self.system.logs.get_mut(&which).filter(|log| !log.pending.is_empty()) else {
                return Ok(None);
            };
            let (rows, diffs) = (std::mem::take(&mut log.pending), std::mem::take(&mut log.diffs));
            return Ok(consolidate(&[batch(types, &rows, Some(diffs))], &schema));
        }
        let now = batch(types, &self.system_rows(which)?, None);
        let before = self.system.fed.insert(which, now.clone());
        Ok(consolidate(&[before.map(|b| b.negate()).unwrap_or_default(), now], &schema))
    }
}

fn declaration_of(which: SystemRelation) -> &'static [(&'static str, arrow::datatypes::DataType)] {
    DECLARATIONS.iter().find(|d| d.relation == which).map_or(&[], |d| d.columns)
}

fn schema_of(which: SystemRelation) -> SchemaRef {
    let fields = declaration_of(which).iter().map(|(name, t)| Field::new(*name, t.clone(), true));
    Arc::new(Schema::new(fields.collect::<Vec<_>>()))
}

fn system_relation(id: RelationId, declaration: &Declaration) -> Relation {
    let column = |(name, t): &(&str, arrow::datatypes::DataType)| Column {
        name: (*name).to_owned(),
        data_type: t.clone(),
        key: false,
    };
    Relation {
        id,
        name: format!("millrace.{}", declaration.name),
        kind: RelationKind::Table,
        columns: declaration.columns.iter().map(column).collect(),
        primary_key: vec![],
        system_columns: false,
        definition: Definition::System,
        reads: vec![],
        window_columns: None,
        time_sources: vec![id],
    }
}
