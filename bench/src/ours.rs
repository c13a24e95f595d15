//! The contender: the same query from its SQL text, planned at run time, on the engine.

use std::sync::Arc;

use arrow::array::{ArrayRef, new_null_array};
use arrow::datatypes::DataType;
use millrace_data::Batch;
use millrace_data::hash::hash_columns;
use millrace_dataflow::{
    BaseRelation, Dataflow, Engine, Intake, Options, QueryId, Rows, StreamTime, TickInputs, TickOutput,
};
use millrace_planner::action::{Action, CreateQuery};
use millrace_planner::catalog::{Catalog, Definition, Relation, RelationId, SYSTEM_COLUMNS};
use millrace_planner::sql::parse_statement;
use millrace_world::World;

use crate::measure::{Answer, Stopwatch};
use crate::workload::{Tick, Workload};

/// Runs the workload on `workers` threads.
///
/// # Errors
/// If the planner refuses the query or the engine fails.
pub(crate) fn run(workload: Workload, input: &[Tick], workers: usize) -> Result<(Answer, Stopwatch), String> {
    let (catalog, relations) = catalog(workload)?;
    let create = plan(workload.sql(), &catalog)?;
    let world = World::real();
    let mut engine = Engine::start(&Options { workers, ..Options::default() }, &world).map_err(|e| e.to_string())?;
    for id in &relations {
        engine.add_relation(base(&catalog, *id, false)?);
    }
    let root = create.query.root.clone();
    engine.install(QueryId(1), Dataflow { name: "X".to_owned(), root, publish: None, deliver: true });
    let mut feed = Feed::new(&catalog, &relations);
    let ticks: Vec<TickInputs> = input.iter().map(|tick| feed.tick(tick)).collect();
    let (mut answer, mut clock, mut hashes) = (Answer::default(), Stopwatch::default(), vec![]);
    clock.start();
    for inputs in ticks {
        let begun = clock.now();
        engine.tick(inputs).map_err(|e| e.to_string())?;
        for output in engine.wait().map_err(|e| e.to_string())? {
            add(&output, create.query.visible, &mut hashes, &mut answer);
        }
        clock.tick(begun);
    }
    clock.stop();
    Ok((answer, clock))
}

fn add(output: &TickOutput, visible: usize, hashes: &mut Vec<u64>, answer: &mut Answer) {
    for batch in output.changes.iter().flat_map(|(_, batches)| batches) {
        hash_columns(&batch.columns()[..visible], batch.len(), hashes);
        for (i, hash) in hashes.iter().enumerate() {
            answer.add(*hash, batch.diff(i));
        }
    }
}

/// The catalog of a workload's relations, and their identities in order.
///
/// # Errors
/// If a definition does not bind.
pub(crate) fn catalog(workload: Workload) -> Result<(Catalog, Vec<RelationId>), String> {
    let mut catalog = Catalog::default();
    let mut ids = vec![];
    for relation in workload.relations() {
        let kind = if relation.retracts { "TABLE" } else { "STREAM" };
        let text = format!("CREATE {kind} {} ({}) WITH (CONNECTOR='memory');", relation.name, relation.columns);
        let parsed = parse_statement(&text).map_err(|e| e.render("ddl", &text))?;
        let planned = millrace_planner::plan(&parsed, &text, &catalog).map_err(|e| e.render("ddl", &text))?;
        let Action::CreateSource(source) = planned.action else { return Err(format!("not a source: {text}")) };
        let id = catalog.allocate();
        catalog.insert(Relation {
            id,
            name: source.name,
            kind: source.kind,
            columns: source.columns,
            primary_key: source.primary_key,
            system_columns: true,
            definition: Definition::Source { options: source.options },
            reads: vec![],
            window_columns: None,
            time_sources: vec![id],
        });
        ids.push(id);
    }
    Ok((catalog, ids))
}

/// Plans a statement that makes a query.
///
/// # Errors
/// What the planner says.
pub(crate) fn plan(sql: &str, catalog: &Catalog) -> Result<CreateQuery, String> {
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
pub(crate) fn base(catalog: &Catalog, id: RelationId, keep: bool) -> Result<BaseRelation, String> {
    let relation = catalog.by_id(id).ok_or("no such relation")?;
    let (name, schema) = (relation.name.clone(), relation.schema());
    Ok(BaseRelation { id, name, schema, intake: Intake::Append, keep })
}

/// Puts the system columns behind a workload's own.
pub(crate) struct Feed {
    relations: Vec<(RelationId, usize)>,
}

impl Feed {
    /// For these relations, in the order of the batches.
    pub(crate) fn new(catalog: &Catalog, relations: &[RelationId]) -> Self {
        let width = |id: &RelationId| catalog.by_id(*id).map_or(0, |r| r.columns.len());
        Feed { relations: relations.iter().map(|id| (*id, width(id))).collect() }
    }

    /// A tick's inputs. A column more than the relation has is its ROWTIME.
    pub(crate) fn tick(&mut self, tick: &Tick) -> TickInputs {
        let mut inputs = TickInputs::default();
        for ((relation, width), batch) in self.relations.iter().zip(tick) {
            let mut columns: Vec<ArrayRef> = batch.columns().iter().map(Arc::clone).collect();
            let given = columns.len() - width;
            for (_, data_type) in SYSTEM_COLUMNS.iter().skip(given) {
                columns.push(new_null_array(data_type, batch.len()));
            }
            if given > 0 {
                let time = last_bigint(batch, *width);
                inputs.stream_times.push((*relation, StreamTime { close: time, retain: time }));
            }
            let batch = Batch::new(columns, batch.diffs().map(<[i64]>::to_vec), batch.len());
            inputs.rows.push(Rows { relation: *relation, batch, deletes: None, only: None });
        }
        inputs
    }
}

fn last_bigint(batch: &Batch, column: usize) -> i64 {
    use arrow::array::AsArray;
    use arrow::datatypes::Int64Type;
    assert_eq!(batch.column(column).data_type(), &DataType::Int64, "ROWTIME is a BIGINT");
    batch.column(column).as_primitive::<Int64Type>().values().last().copied().unwrap_or(i64::MIN)
}
