//! What the snapshots hold: the session's state, written as rows.

use std::collections::BTreeMap;

use millrace_dataflow::{OperatorStats, QueryId};
use millrace_planner::catalog::{Definition, Relation, RelationId};
use millrace_planner::eval::types::type_name;

use super::rows::Cell;
use super::schema::SystemRelation;
use crate::error::Result;
use crate::query::{QueryKind, QueryState, Running};
use crate::relation::Origin;
use crate::session::Session;
use crate::settings::SETTINGS;

type Row = Vec<Cell>;

impl Session {
    /// All rows of a snapshot, now.
    pub(super) fn system_rows(&mut self, which: SystemRelation) -> Result<Vec<Row>> {
        Ok(match which {
            SystemRelation::Relations => self.catalog.relations().map(|relation| self.relation_row(relation)).collect(),
            SystemRelation::Columns => self.catalog.relations().flat_map(column_rows).collect(),
            SystemRelation::Types => self.type_rows(),
            SystemRelation::Settings => self.setting_rows(),
            SystemRelation::Functions => function_rows(),
            SystemRelation::Connectors => connector_rows(),
            SystemRelation::Queries => self.query_rows()?,
            SystemRelation::Operators => self.operator_rows()?,
            SystemRelation::Frontiers => self.frontier_rows(),
            // logs
            SystemRelation::DecodeErrors | SystemRelation::Errors | SystemRelation::Late => vec![],
        })
    }

    fn relation_row(&self, relation: &Relation) -> Row {
        let (connector, sql) = match &relation.definition {
            Definition::Source { options } => {
                let connector = options.get("CONNECTOR").map_or("topic", String::as_str).to_lowercase();
                (Some(connector), self.relations.get(&relation.id).and_then(|stored| stored.sql.clone()))
            }
            Definition::Query { sql } => (None, Some(sql.clone())),
            Definition::System => (None, None),
        };
        let key: Vec<&str> = relation.primary_key.iter().map(|c| relation.columns[*c].name.as_str()).collect();
        vec![
            relation.name.as_str().into(),
            relation.kind.name().into(),
            Cell::text(connector),
            Cell::text((!key.is_empty()).then(|| key.join(", "))),
            (relation.definition == Definition::System).into(),
            Cell::text(sql),
        ]
    }

    fn type_rows(&self) -> Vec<Row> {
        self.catalog.types.iter().map(|(name, t)| vec![name.clone().into(), type_name(t).into()]).collect()
    }

    fn setting_rows(&self) -> Vec<Row> {
        let row = |setting: &crate::settings::Setting| {
            let (value, origin) = self.settings.get(setting);
            let unit = Cell::text((!setting.unit.is_empty()).then_some(setting.unit));
            vec![
                setting.name.into(),
                value.into(),
                unit,
                setting.default.into(),
                origin.name().into(),
                setting.values_text().into(),
                setting.about.into(),
            ]
        };
        SETTINGS.iter().map(row).collect()
    }

    fn query_rows(&mut self) -> Result<Vec<Row>> {
        let mut rows_in: BTreeMap<QueryId, u64> = BTreeMap::new();
        for operator in self.operator_stats()?.iter().filter(|o| o.operator == "Source") {
            *rows_in.entry(operator.query).or_default() += operator.rows_out;
        }
        let listed = self.queries.values().filter(|query| query.kind != QueryKind::Once);
        Ok(listed.map(|query| self.query_row(query, rows_in.get(&query.id).copied())).collect())
    }

    fn query_row(&self, query: &Running, rows_in: Option<u64>) -> Row {
        let (state, message) = self.state_of(query);
        let relation = query.target.and_then(|id| self.relations.get(&id)).map(|s| s.relation.name.as_str());
        let passed = self.system.tick();
        let last = match query.state {
            QueryState::Paused { at } => at,
            _ => query.ended.unwrap_or(passed),
        };
        let frontier = if query.start > last { Cell::Null } else { last.into() };
        let kind = if query.kind == QueryKind::Push { "PUSH" } else { "PERSISTENT" };
        vec![
            query.name.as_str().into(),
            kind.into(),
            state.into(),
            Cell::text(message),
            Cell::text(relation),
            frontier,
            rows_in.map_or(Cell::Null, Cell::from),
            query.rows_out.into(),
            Cell::Long(query.error_rows),
            query.sql.as_str().into(),
        ]
    }

    /// A query's state and why, as SHOW QUERIES says it.
    pub(crate) fn state_of(&self, query: &Running) -> (&'static str, Option<String>) {
        match query.state {
            QueryState::Failed => ("FAILED", query.message.clone()),
            QueryState::Completed => ("COMPLETED", None),
            QueryState::Paused { .. } => ("PAUSED", None),
            QueryState::Active => {
                let inputs = self.inputs_of(query.reads.iter().copied());
                let stalled = inputs.iter().find_map(|id| {
                    let stored = self.relations.get(id)?;
                    stored.stalled.as_ref().map(|reason| format!("{}: {reason}", stored.relation.name))
                });
                let waits = |id: &RelationId| {
                    self.relations.get(id).is_some_and(|stored| !stored.is_system() && stored.ended.is_none())
                };
                let paused = self.memory.seen().filter(|_| inputs.iter().any(waits));
                match stalled.or(paused) {
                    Some(reason) => ("STALLED", Some(reason)),
                    None if query.start > self.system.tick() => ("STARTING", None),
                    None if query.resumed.is_some_and(|tick| tick > self.system.tick()) => ("BACKFILLING", None),
                    None => ("RUNNING", None),
                }
            }
        }
    }

    fn operator_rows(&mut self) -> Result<Vec<Row>> {
        let stats = self.operator_stats()?;
        let listed = |o: &OperatorStats| {
            let query = self.queries.get(&o.query).filter(|query| query.kind != QueryKind::Once)?;
            Some(vec![
                query.name.as_str().into(),
                Cell::Int(o.node as i32),
                o.operator.as_str().into(),
                Cell::Int(o.worker as i32),
                o.rows_out.into(),
                o.bytes.into(),
                Cell::Double(o.busy_ns as f64 / 1e6),
            ])
        };
        Ok(stats.iter().filter_map(listed).collect())
    }

    /// What every operator has done so far.
    pub(crate) fn operator_stats(&mut self) -> Result<Vec<OperatorStats>> {
        match &mut self.running {
            Some(machine) => Ok(machine.engine.stats()?),
            None => Ok(vec![]),
        }
    }

    fn frontier_rows(&self) -> Vec<Row> {
        let fed =
            self.relations.values().filter(|s| !s.is_system() && !s.reopened && !matches!(s.origin, Origin::View));
        let row = |id: RelationId, name: &str, ended: Option<u64>| {
            let time = self.system.stream_times.get(&id).map(|t| t.retain).filter(|t| *t != i64::MIN);
            let tick = ended.unwrap_or(self.system.tick());
            vec![name.into(), tick.into(), time.map_or(Cell::Null, Cell::Long), ended.is_some().into()]
        };
        fed.map(|stored| row(stored.id(), &stored.relation.name, stored.ended)).collect()
    }
}

fn column_rows(relation: &Relation) -> Vec<Row> {
    let row = |(i, column): (usize, &millrace_planner::catalog::Column)| {
        vec![
            relation.name.as_str().into(),
            Cell::Int(i as i32 + 1),
            column.name.as_str().into(),
            type_name(&column.data_type).into(),
            Cell::text(key_of(relation, i)),
        ]
    };
    relation.columns.iter().enumerate().map(row).collect()
}

/// What a column is besides a value.
pub(crate) fn key_of(relation: &Relation, column: usize) -> Option<&'static str> {
    if relation.primary_key.contains(&column) {
        Some("PRIMARY KEY")
    } else {
        relation.columns[column].key.then_some("KEY")
    }
}

fn function_rows() -> Vec<Row> {
    let named = |name: &String, kind: &str| vec![Cell::from(name.to_uppercase()), Cell::from(kind)];
    let (scalars, aggregates) = millrace_planner::function::names();
    scalars.iter().map(|n| named(n, "SCALAR")).chain(aggregates.iter().map(|n| named(n, "AGGREGATE"))).collect()
}

fn connector_rows() -> Vec<Row> {
    let row = |name: &str, source: bool, sink: bool, about: &str| {
        vec![Cell::from(name), source.into(), sink.into(), Cell::from(about)]
    };
    vec![
        row("file", true, true, "JSON, delimited and Parquet files of this machine"),
        row("generator", true, false, "made-up rows, the same for the same seed"),
        row("memory", true, false, "rows of INSERT, UPDATE and DELETE, gone at the end"),
        row("topic", true, true, "an embedded topic; in a run without a data directory it lives in memory"),
    ]
}
