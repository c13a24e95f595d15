//! The engine as a library: catalog and plan from SQL text, ticks in, changes out.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, new_null_array};
use arrow::datatypes::Int64Type;
use millrace_bench_input::{Answer, Spec, Table, Tick};
use millrace_data::Batch;
use millrace_dataflow::{
    BaseRelation, Dataflow, Engine, Intake, Options, QueryId, Rows, StreamTime, TickInputs, TickOutput,
};
use millrace_planner::action::{Action, CreateQuery};
use millrace_planner::catalog::{Catalog, RelationId, SYSTEM_COLUMNS};
use millrace_planner::sql::parse_statement;
use millrace_world::World;

use crate::sql;

/// The query whose answer counts.
const FIRST: QueryId = QueryId(1);

/// A running query with its relations.
pub(super) struct Running {
    engine: Engine,
    catalog: Catalog,
    feed: Feed,
    sink: Sink,
}

impl Running {
    /// Plans the workload's query from its text and starts it.
    ///
    /// # Errors
    /// If the planner refuses it or the engine does not start.
    pub(super) fn start(spec: &Spec, workers: usize) -> Result<Running, String> {
        Running::asking(spec, workers, sql::of(spec.workload), false)
    }

    /// The same with another query over the workload's relations; with `keep`, later queries start from what came before.
    ///
    /// # Errors
    /// If the planner refuses it or the engine does not start.
    pub(super) fn asking(spec: &Spec, workers: usize, query: &str, keep: bool) -> Result<Running, String> {
        let (catalog, relations) = catalog(spec)?;
        let create = plan(query, &catalog)?;
        let options = Options { workers, ..Options::default() };
        let mut engine = Engine::start(&options, &World::real()).map_err(|e| e.to_string())?;
        for id in &relations {
            engine.add_relation(base(&catalog, *id, keep)?);
        }
        let visible = create.query.visible;
        engine.install(FIRST, dataflow(create));
        let feed = Feed::new(&relations, spec);
        let sink = Sink { query: FIRST, visible, answer: Answer::default(), hashes: vec![] };
        Ok(Running { engine, catalog, feed, sink })
    }

    /// Starts a further query beside the first and runs a tick without input: its rows at once, as an answer.
    ///
    /// # Errors
    /// If the planner refuses it or the engine fails.
    pub(super) fn start_late(&mut self, query: &str, number: u64) -> Result<Answer, String> {
        let create = plan(query, &self.catalog)?;
        let id = QueryId(FIRST.0 + number);
        let mut sink = Sink { query: id, visible: create.query.visible, answer: Answer::default(), hashes: vec![] };
        self.engine.install(id, dataflow(create));
        self.engine.tick(TickInputs::default()).map_err(|e| e.to_string())?;
        sink.add(&self.engine.wait().map_err(|e| e.to_string())?)?;
        Ok(sink.answer)
    }

    /// Ends a further query.
    pub(super) fn end_late(&mut self, number: u64) {
        self.engine.remove(QueryId(FIRST.0 + number));
    }

    /// A tick in the form that the engine takes: made before the clock starts where the rows are known before.
    pub(super) fn inputs(&self, tick: &Tick) -> TickInputs {
        self.feed.tick(tick)
    }

    /// Runs a tick to its end and sums up what came out.
    ///
    /// # Errors
    /// If the engine fails.
    pub(super) fn tick(&mut self, inputs: TickInputs) -> Result<(), String> {
        self.engine.tick(inputs).map_err(|e| e.to_string())?;
        self.sink.add(&self.engine.wait().map_err(|e| e.to_string())?)
    }

    /// Tells the engine of a tick and sums up what has come out by now, so that ticks overlap as they do in a session.
    /// Returns how many ticks have come to their end.
    ///
    /// # Errors
    /// If the engine fails.
    pub(super) fn submit(&mut self, inputs: TickInputs) -> Result<usize, String> {
        self.engine.tick(inputs).map_err(|e| e.to_string())?;
        let outputs = self.engine.poll().map_err(|e| e.to_string())?;
        self.sink.add(&outputs)?;
        Ok(ended(&outputs))
    }

    /// Waits for every tick that the engine was told of, and returns how many these were.
    ///
    /// # Errors
    /// If the engine fails.
    pub(super) fn finish(&mut self) -> Result<usize, String> {
        let outputs = self.engine.wait().map_err(|e| e.to_string())?;
        self.sink.add(&outputs)?;
        Ok(ended(&outputs))
    }

    /// What came out so far.
    pub(super) fn answer(&self) -> Answer {
        self.sink.answer
    }
}

/// Ticks that have come to their end.
fn ended(outputs: &[TickOutput]) -> usize {
    outputs.iter().filter(|output| !output.more).count()
}

fn dataflow(create: CreateQuery) -> Dataflow {
    Dataflow { name: "ANSWER".to_owned(), root: create.query.root, publish: None, deliver: true }
}

/// Sums up what comes out of one query.
struct Sink {
    query: QueryId,
    visible: usize,
    answer: Answer,
    hashes: Vec<u64>,
}

impl Sink {
    fn add(&mut self, outputs: &[TickOutput]) -> Result<(), String> {
        let changes = outputs.iter().flat_map(|o| &o.changes).filter(|(query, _)| *query == self.query);
        let mut batches = changes.flat_map(|(_, batches)| batches);
        batches.try_for_each(|batch| self.answer.add_batch(batch, self.visible, &mut self.hashes))
    }
}

/// The catalog of a workload's relations, and their identities in order.
///
/// # Errors
/// If a definition does not bind.
fn catalog(spec: &Spec) -> Result<(Catalog, Vec<RelationId>), String> {
    let mut catalog = Catalog::default();
    let mut ids = vec![];
    for table in spec.workload.tables(spec, false) {
        let text = create(&table);
        let parsed = parse_statement(&text).map_err(|e| e.render("ddl", &text))?;
        let planned = millrace_planner::plan(&parsed, &text, &catalog).map_err(|e| e.render("ddl", &text))?;
        let Action::CreateSource(source) = planned.action else { return Err(format!("not a source: {text}")) };
        let id = catalog.allocate();
        catalog.insert(source.relation(id, source.columns.clone()));
        ids.push(id);
    }
    Ok((catalog, ids))
}

/// Rows that are taken back make a table.
fn create(table: &Table) -> String {
    let kind = if table.retracts { "TABLE" } else { "STREAM" };
    format!("CREATE {kind} {} ({}) WITH (CONNECTOR='memory');", table.name, table.definitions())
}

/// Plans a statement that makes a query.
///
/// # Errors
/// What the planner says.
fn plan(sql: &str, catalog: &Catalog) -> Result<CreateQuery, String> {
    let parsed = parse_statement(sql).map_err(|e| e.render("query", sql))?;
    let planned = millrace_planner::plan(&parsed, sql, catalog).map_err(|e| e.render("query", sql))?;
    match planned.action {
        Action::CreateQuery(create) => Ok(create),
        other => Err(format!("not a query: {other:?}")),
    }
}

/// The relation as the engine takes it: changes as they come, retractions with their diffs.
///
/// # Errors
/// If there is none.
fn base(catalog: &Catalog, id: RelationId, keep: bool) -> Result<BaseRelation, String> {
    let relation = catalog.by_id(id).ok_or("no such relation")?;
    let (name, schema) = (relation.name.clone(), relation.schema());
    Ok(BaseRelation { id, name, schema, intake: Intake::Append, keep })
}

/// Puts the system columns behind a workload's own.
struct Feed {
    relations: Vec<Fed>,
}

struct Fed {
    id: RelationId,
    /// The column that is its event time.
    time: Option<usize>,
}

impl Feed {
    /// For these relations, in the order of the batches.
    fn new(relations: &[RelationId], spec: &Spec) -> Self {
        let tables = spec.workload.tables(spec, false);
        Feed { relations: relations.iter().zip(tables).map(|(id, t)| Fed { id: *id, time: t.time }).collect() }
    }

    /// A tick's inputs.
    fn tick(&self, tick: &Tick) -> TickInputs {
        let mut inputs = TickInputs::default();
        for (fed, batch) in self.relations.iter().zip(tick) {
            let mut columns: Vec<ArrayRef> = batch.columns().iter().map(Arc::clone).collect();
            for (name, data_type) in &SYSTEM_COLUMNS {
                match fed.time {
                    Some(time) if *name == "ROWTIME" => columns.push(Arc::clone(batch.column(time))),
                    _ => columns.push(new_null_array(data_type, batch.len())),
                }
            }
            if let Some(time) = fed.time.and_then(|time| largest(batch, time)) {
                inputs.stream_times.push((fed.id, StreamTime { close: time, retain: time }));
            }
            let batch = Batch::new(columns, batch.diffs().map(<[i64]>::to_vec), batch.len());
            inputs.rows.push(Rows { relation: fed.id, batch, deletes: None, only: None });
        }
        inputs
    }
}

fn largest(batch: &Batch, column: usize) -> Option<i64> {
    batch.column(column).as_primitive::<Int64Type>().values().iter().max().copied()
}
