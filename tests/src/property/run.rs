//! Runs a case four ways and compares at every tick.
//!
//! On one engine: the query maintained on the hash arrangement, the same on differential, the same installed late over
//! what the relations kept, and the same asked once at the end. The reference evaluator says what each must be.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray};
use datafusion_common::ScalarValue;
use datafusion_expr::LogicalPlan;
use millrace_data::Batch;
use millrace_dataflow::{
    BaseRelation, Dataflow, Engine, Intake, Options, QueryId, Rows, Stepping, TickInputs, TickOutput,
};
use millrace_planner::action::{Action, CreateQuery};
use millrace_planner::bind::{BoundQuery, Purpose, bind_query};
use millrace_planner::catalog::{Catalog, RelationKind};
use millrace_planner::explain;
use millrace_planner::plan::{Node, Op as PlanOp, State};
use millrace_planner::sql::parse_statement;
use millrace_planner::sql::statement::Statement;
use millrace_world::World;

use crate::property::case::Case;
use crate::property::changes::{Op, RELATIONS, ddl};
use crate::property::coverage::Seen;
use crate::property::generate::Shape;
use crate::property::record::Recorder;
use crate::reference::{self, Values};

/// A multiset of rows.
pub type Bag = HashMap<Values, i64>;

/// How a case ended.
#[derive(Debug)]
pub enum Outcome {
    /// All ways agree at every tick.
    Held(Box<Seen>),
    /// The planner refused the query.
    Refused(String),
    /// They do not agree: where, and what each says.
    Broken(String),
}

/// The ways in which a query is run.
const WAYS: [(&str, u64); 4] = [("hash", 1), ("differential", 2), ("late", 3), ("pull", 4)];

/// A planned case.
pub struct Planned {
    /// The reference's plan.
    pub bound: BoundQuery,
    /// The engine's plan.
    pub create: CreateQuery,
    /// The relations.
    pub catalog: Catalog,
}

impl Planned {
    /// A difference, and the plans that led to it.
    fn said(&self, difference: &str) -> String {
        let (bound, plan) = (explain::logical(&self.bound.logical), explain::tree(&self.create.query.root));
        format!("{difference}\n--- bound\n{bound}\n--- plan\n{plan}")
    }
}

/// The catalog of the test's relations.
pub fn catalog() -> Catalog {
    let mut catalog = Catalog::default();
    for shape in RELATIONS {
        let text = ddl(shape);
        let parsed = parse_statement(&text).expect("DDL parses");
        let planned = millrace_planner::plan(&parsed, &text, &catalog).expect("DDL binds");
        let Action::CreateSource(source) = planned.action else { panic!("not a source: {text}") };
        let id = catalog.allocate();
        catalog.insert(source.relation(id, source.columns.clone()));
    }
    catalog
}

/// Plans the case's statement for the reference and for the engine.
///
/// # Errors
/// What the planner says.
pub fn plan(case: &Case) -> Result<Planned, String> {
    let catalog = catalog();
    let text = case.statement();
    let say = |e: &millrace_planner::error::PlanError| e.render("case", &text);
    let parsed = parse_statement(&text).map_err(|e| say(&e))?;
    let Statement::CreateQuery(create) = &parsed.statement else { return Err("not a CREATE … AS".to_owned()) };
    let purpose = match case.shape {
        Shape::View => Purpose::View,
        Shape::Stream => Purpose::Stream,
        Shape::Table => Purpose::Table,
    };
    let bound = bind_query(&create.query, &parsed.positions, &catalog, purpose).map_err(|e| say(&e))?;
    let planned = millrace_planner::plan(&parsed, &text, &catalog).map_err(|e| say(&e))?;
    let Action::CreateQuery(create) = planned.action else { return Err("not a query".to_owned()) };
    Ok(Planned { bound, create: *Box::new(create), catalog })
}

/// Runs the case.
///
/// # Panics
/// If the engine does.
pub fn run(case: &Case) -> Outcome {
    let planned = match plan(case) {
        Ok(planned) => planned,
        Err(refusal) => return Outcome::Refused(refusal),
    };
    let mut runner = Runner::new(case, &planned);
    for (i, ops) in case.ticks.iter().enumerate() {
        if i == case.late_from {
            runner.install("late", State::Hash);
        }
        if let Err(difference) = runner.tick(ops) {
            return Outcome::Broken(planned.said(&difference));
        }
    }
    runner.install("pull", State::Hash);
    if let Err(difference) = runner.tick(&[]) {
        return Outcome::Broken(planned.said(&difference));
    }
    Outcome::Held(Box::new(Seen::of(case, &planned.create.query.root, runner.emptied)))
}

struct Runner<'c> {
    planned: &'c Planned,
    engine: Engine,
    recorder: Recorder,
    tick: u64,
    /// Per way: its first tick and what it says now.
    ways: HashMap<&'static str, (u64, Bag)>,
    /// A group or the whole answer went away.
    emptied: bool,
}

impl<'c> Runner<'c> {
    fn new(case: &Case, planned: &'c Planned) -> Self {
        let stepping = case.turns.map_or(Stepping::Threads, Stepping::Seeded);
        let options = Options { workers: case.workers, stepping, ..Options::default() };
        let mut engine = Engine::start(&options, &World::real()).expect("threads can be started");
        for relation in planned.catalog.relations() {
            let intake = match (relation.kind, relation.primary_key.is_empty()) {
                (RelationKind::Stream, _) => Intake::Append,
                (_, true) => Intake::Bag { columns: relation.columns.len() },
                (_, false) => Intake::Upsert { key: relation.primary_key.clone() },
            };
            engine.add_relation(BaseRelation {
                id: relation.id,
                name: relation.name.clone(),
                schema: relation.schema(),
                intake,
                keep: true,
            });
        }
        let mut runner = Runner {
            planned,
            engine,
            recorder: Recorder::new(&planned.catalog),
            tick: 0,
            ways: HashMap::new(),
            emptied: false,
        };
        runner.install("hash", State::Hash);
        runner.install("differential", State::Differential);
        runner
    }

    fn install(&mut self, way: &'static str, state: State) {
        let mut root = self.planned.create.query.root.clone();
        set_state(&mut root, state);
        let dataflow = Dataflow { name: way.to_owned(), root, publish: None, deliver: true };
        let id = WAYS.iter().find(|(name, _)| *name == way).map_or(0, |(_, id)| *id);
        self.engine.install(QueryId(id), dataflow);
        self.ways.insert(way, (self.tick + 1, Bag::new()));
    }

    fn tick(&mut self, ops: &[Op]) -> Result<(), String> {
        self.tick += 1;
        let inputs = self.inputs(ops);
        self.engine.tick(inputs).map_err(|e| e.to_string())?;
        let outputs = self.engine.wait().map_err(|e| e.to_string())?;
        let [output] = <[TickOutput; 1]>::try_from(outputs).map_err(|o| format!("{} outputs of a tick", o.len()))?;
        self.accumulate(&output);
        self.compare(&output)
    }

    fn inputs(&mut self, ops: &[Op]) -> TickInputs {
        let recorded = self.recorder.tick(self.tick, ops);
        let rows = recorded.iter().map(|r| {
            let deletes = (!RELATIONS[r.at].stream).then(|| BooleanArray::from(r.deletes.clone()));
            Rows { relation: r.relation, batch: batch(&r.rows), deletes, only: None }
        });
        TickInputs {
            rows: rows.collect(),
            stream_times: recorded.iter().map(|r| (r.relation, r.time)).collect(),
            now_ms: self.tick as i64 * 1000,
        }
    }

    fn accumulate(&mut self, output: &TickOutput) {
        let visible = self.planned.create.query.visible;
        for (query, batches) in &output.changes {
            let Some((way, _)) = WAYS.iter().find(|(_, id)| QueryId(*id) == *query) else { continue };
            let Some((_, bag)) = self.ways.get_mut(way) else { continue };
            for batch in batches {
                for i in 0..batch.len() {
                    let values = row(batch, i, visible);
                    let count = bag.entry(values.clone()).or_insert(0);
                    *count += batch.diff(i);
                    if *count == 0 {
                        bag.remove(&values);
                        self.emptied = true;
                    }
                }
            }
        }
    }

    fn compare(&self, output: &TickOutput) -> Result<(), String> {
        for (way, (_, bag)) in &self.ways {
            if let Some((row, count)) = bag.iter().find(|(_, count)| **count < 0) {
                return Err(format!("tick {}: {way} has {row:?} {count} times", self.tick));
            }
        }
        let mut failed = false;
        for (way, _) in WAYS {
            let Some((start, bag)) = self.ways.get(way) else { continue };
            let expected = self.expected(&self.planned.bound.logical, *start)?;
            failed |= expected.1 > 0;
            if expected.1 == 0 && expected.0 != *bag {
                return Err(self.difference(way, bag, "reference", &expected.0));
            }
        }
        // where an expression failed, only what runs the same plan must agree
        if failed {
            let (_, hash) = &self.ways["hash"];
            let (_, differential) = &self.ways["differential"];
            if hash != differential {
                return Err(self.difference("hash", hash, "differential", differential));
            }
        }
        // rows that come and go within a tick leave errors that come and go
        let mut errors: [HashMap<(String, String), i64>; 2] = Default::default();
        for error in &output.errors {
            if let Some(counts) = errors.get_mut(error.query.0 as usize - 1) {
                *counts.entry((error.message.clone(), error.row.clone())).or_insert(0) += error.diff;
            }
        }
        errors.iter_mut().for_each(|counts| counts.retain(|_, n| *n != 0));
        if errors[0] != errors[1] {
            return Err(format!("tick {}: error rows differ: {:?} and {:?}", self.tick, errors[0], errors[1]));
        }
        Ok(())
    }

    fn expected(&self, plan: &LogicalPlan, start: u64) -> Result<(Bag, usize), String> {
        let answer = reference::answer(plan, self.recorder.history(), start, self.tick)?;
        let mut bag = Bag::new();
        for mut values in answer.rows {
            values.truncate(self.planned.create.query.visible);
            *bag.entry(values).or_insert(0) += 1;
        }
        Ok((bag, answer.failures))
    }

    fn difference(&self, a: &str, one: &Bag, b: &str, other: &Bag) -> String {
        let only = |x: &Bag, y: &Bag| {
            let mut rows: Vec<String> = x
                .iter()
                .filter(|(row, count)| y.get(*row) != Some(count))
                .map(|(row, count)| format!("  {count} × {row:?}"))
                .collect();
            rows.sort();
            rows.join("\n")
        };
        let (left, right) = (only(one, other), only(other, one));
        format!("tick {}: {a} and {b} differ\nonly {a} says:\n{left}\nonly {b} says:\n{right}", self.tick)
    }
}

/// The plan with all state of one kind.
fn set_state(node: &mut Node, state: State) {
    node.state = state;
    match &mut node.op {
        PlanOp::Source { .. } | PlanOp::Constant { .. } => {}
        PlanOp::Map { input, .. }
        | PlanOp::Unnest { input, .. }
        | PlanOp::Reduce { input, .. }
        | PlanOp::AssignWindows { input, .. }
        | PlanOp::SessionReduce { input, .. }
        | PlanOp::TopK { input, .. }
        | PlanOp::AtMostOne { input, .. } => set_state(input, state),
        PlanOp::Union { inputs } => inputs.iter_mut().for_each(|i| set_state(i, state)),
        PlanOp::Join(join) => {
            set_state(&mut join.left, state);
            set_state(&mut join.right, state);
        }
        PlanOp::AsOfJoin { stream, table, .. } => {
            set_state(stream, state);
            set_state(table, state);
        }
        PlanOp::WithinJoin(join) => {
            set_state(&mut join.left, state);
            set_state(&mut join.right, state);
        }
        PlanOp::SetOp { left, right, .. } => {
            set_state(left, state);
            set_state(right, state);
        }
    }
}

/// Rows as columns.
fn batch(rows: &[Values]) -> Batch {
    let columns: Vec<ArrayRef> = (0..rows[0].len())
        .map(|c| ScalarValue::iter_to_array(rows.iter().map(|r| r[c].clone())).expect("values of one type"))
        .collect();
    Batch::new(columns.iter().map(Arc::clone).collect(), None, rows.len())
}

/// The first `n` values of row `i`.
fn row(batch: &Batch, i: usize, n: usize) -> Values {
    batch.columns()[..n].iter().map(|c| ScalarValue::try_from_array(c, i).expect("a value of SQL's types")).collect()
}
