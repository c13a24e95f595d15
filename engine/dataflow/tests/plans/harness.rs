//! Cases as text: what comes in at a tick, what goes out.
//!
//! ```text
//! "L +1,a | -2,NULL *3; @L 100; R +1,x"      inputs: rows of relations, stream time of L
//! "+1,a,x | -2,b,NULL"                       changes, in any order
//! ```
//!
//! A row is a sign, cells separated by commas, and perhaps a multiplicity. `@L 100` moves the stream time of L, `@L 100/70`
//! with another for retention, `@L end` ends it.

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::util::display::{ArrayFormatter, FormatOptions};
use datafusion_common::ScalarValue;
use millrace_data::Batch;
use millrace_dataflow::{
    BaseRelation, Dataflow, Engine, Intake, LateRow, Options, QueryId, Rows, Stepping, StreamTime, TickInputs,
    TickOutput,
};
use millrace_planner::catalog::RelationId;
use millrace_planner::plan::{Node, Op, State};
use millrace_world::SimulatedWorld;

/// The query that cases run.
pub(crate) const QUERY: QueryId = QueryId(7);

/// How often each row changed.
pub(crate) type Changes = BTreeMap<String, i64>;

/// A relation of a case: a name of one letter or more, and columns as `name type, …`.
#[derive(Clone, Debug)]
pub(crate) struct Relation {
    pub(crate) name: &'static str,
    pub(crate) id: RelationId,
    pub(crate) schema: SchemaRef,
    pub(crate) keep: bool,
}

impl Relation {
    pub(crate) fn new(name: &'static str, columns: &str) -> Self {
        let id = name.bytes().fold(0, |id, b| id * 31 + u32::from(b));
        Relation { name, id: RelationId(id), schema: schema(columns), keep: false }
    }

    /// Kept for queries that come later.
    pub(crate) fn kept(self) -> Self {
        Relation { keep: true, ..self }
    }

    /// All of its columns.
    pub(crate) fn source(&self) -> Node {
        let columns = (0..self.schema.fields().len()).collect();
        let op = Op::Source { relation: self.id, name: self.name.to_owned(), columns };
        Node { append_only: false, ..nodes(op, &self.schema) }
    }

    /// The same, as a stream that never retracts.
    pub(crate) fn stream(&self) -> Node {
        Node { append_only: true, ..self.source() }
    }

    pub(crate) fn base(&self) -> BaseRelation {
        BaseRelation {
            id: self.id,
            name: self.name.to_owned(),
            schema: Arc::clone(&self.schema),
            intake: Intake::Append,
            keep: self.keep,
        }
    }
}

/// A node on differential's operators.
pub(crate) fn nodes(op: Op, schema: &SchemaRef) -> Node {
    Node { op, schema: Arc::clone(schema), append_only: false, unique_key: None, state: State::Differential }
}

/// `name type, …`
pub(crate) fn schema(columns: &str) -> SchemaRef {
    let field = |column: &str| {
        let (name, data_type) = column.trim().split_once(' ').expect("name and type");
        Field::new(name, type_of(data_type), true)
    };
    let columns = columns.split(',').filter(|c| !c.trim().is_empty());
    Arc::new(Schema::new(columns.map(field).collect::<Vec<_>>()))
}

/// bigint, int, double, text, bool, dec2 (DECIMAL(10,2)), dec38.2; `[t]` for an array.
pub(crate) fn type_of(name: &str) -> DataType {
    if let Some(item) = name.strip_prefix('[').and_then(|n| n.strip_suffix(']')) {
        return DataType::List(Arc::new(Field::new("item", type_of(item), true)));
    }
    match name {
        "bigint" => DataType::Int64,
        "int" => DataType::Int32,
        "double" => DataType::Float64,
        "text" => DataType::Utf8,
        "bool" => DataType::Boolean,
        "dec2" => DataType::Decimal128(10, 2),
        other => match other.strip_prefix("dec38.") {
            Some(scale) => DataType::Decimal128(38, scale.parse().expect("scale")),
            None => panic!("no type {other}"),
        },
    }
}

/// Rows as a batch.
pub(crate) fn batch(rows: &str, schema: &SchemaRef) -> Batch {
    let (mut cells, mut diffs) = (vec![vec![]; schema.fields().len()], vec![]);
    for row in rows.split(" | ") {
        let (row, diff) = signed(row);
        diffs.push(diff);
        let values: Vec<&str> = if cells.is_empty() { vec![] } else { row.split(',').collect() };
        assert_eq!(values.len(), cells.len(), "cells of {row}");
        for ((cells, field), value) in cells.iter_mut().zip(schema.fields()).zip(values) {
            cells.push(cell(value, field.data_type()));
        }
    }
    let columns: Vec<ArrayRef> = cells.into_iter().map(|c| ScalarValue::iter_to_array(c).expect("one type")).collect();
    let len = diffs.len();
    Batch::new(columns, Some(diffs), len)
}

fn cell(text: &str, data_type: &DataType) -> ScalarValue {
    if text == "NULL" {
        return ScalarValue::try_from(data_type).expect("a type");
    }
    ScalarValue::try_from_string(text.to_owned(), data_type).expect("a value of its type")
}

/// A row without its sign and multiplicity, and both as a diff.
fn signed(row: &str) -> (&str, i64) {
    let row = row.trim();
    let (row, times) = match row.rsplit_once(" *") {
        Some((row, times)) => (row, times.parse().expect("multiplicity")),
        None => (row, 1),
    };
    if let Some(row) = row.strip_prefix('+') {
        (row, times)
    } else {
        (row.strip_prefix('-').unwrap_or_else(|| panic!("a sign before {row}")), -times)
    }
}

/// Rows of text as changes.
pub(crate) fn changes(rows: &str) -> Changes {
    let mut changes = Changes::new();
    for row in rows.split(" | ").filter(|r| !r.trim().is_empty()) {
        let (row, diff) = signed(row);
        *changes.entry(row.to_owned()).or_default() += diff;
    }
    changes
}

/// Batches as changes, summed up.
pub(crate) fn changes_of(batches: &[Batch]) -> Changes {
    let options = FormatOptions::new().with_null("NULL");
    let mut changes = Changes::new();
    for batch in batches {
        let columns: Vec<_> = batch
            .columns()
            .iter()
            .map(|c| ArrayFormatter::try_new(c.as_ref(), &options).expect("a type that prints"))
            .collect();
        for i in 0..batch.len() {
            let cells: Vec<String> = columns.iter().map(|c| c.value(i).to_string()).collect();
            *changes.entry(cells.join(",")).or_default() += batch.diff(i);
        }
    }
    changes.retain(|_, diff| *diff != 0);
    changes
}

#[derive(Clone, Debug, Default)]
struct Tick {
    inputs: &'static str,
    changes: &'static str,
    errors: Vec<&'static str>,
    late: Vec<&'static str>,
}

/// A plan and what it does, tick by tick.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    relations: Vec<Relation>,
    plan: Node,
    ticks: Vec<Tick>,
    /// The query is installed before this tick, counted from 0.
    start: usize,
}

impl Case {
    pub(crate) fn new(relations: &[Relation], plan: Node) -> Self {
        Case { relations: relations.to_vec(), plan, ticks: vec![], start: 0 }
    }

    /// One more tick.
    pub(crate) fn tick(mut self, inputs: &'static str, changes: &'static str) -> Self {
        self.ticks.push(Tick { inputs, changes, ..Tick::default() });
        self
    }

    /// The last tick has this error row: `+kind: message: row`.
    pub(crate) fn error(mut self, error: &'static str) -> Self {
        self.ticks.last_mut().expect("a tick").errors.push(error);
        self
    }

    /// The last tick has this late row: `start..end time row`.
    pub(crate) fn late(mut self, late: &'static str) -> Self {
        self.ticks.last_mut().expect("a tick").late.push(late);
        self
    }

    /// The query is installed after the ticks so far.
    pub(crate) fn install_here(mut self) -> Self {
        self.start = self.ticks.len();
        self
    }

    /// Runs the case in every way.
    pub(crate) fn check(self) {
        for state in [State::Differential, State::Hash] {
            let mut case = self.clone();
            set_state(&mut case.plan, state);
            for workers in [1, 2, 4] {
                for stepping in [Stepping::Threads, Stepping::Seeded(11), Stepping::Seeded(12)] {
                    case.run(workers, stepping, state);
                }
            }
        }
    }

    fn run(&self, workers: usize, stepping: Stepping, state: State) {
        let world = SimulatedWorld::new(1);
        let options = Options { workers, stepping, ticks_in_flight_max: 4, ..Options::default() };
        let mut engine = Engine::start(&options, world.world()).expect("threads start");
        for relation in &self.relations {
            engine.add_relation(relation.base());
        }
        for (i, tick) in self.ticks.iter().enumerate() {
            if i == self.start {
                install(&mut engine, QUERY, self.plan.clone());
            }
            engine.tick(inputs(&self.relations, tick.inputs)).expect("no panic");
        }
        let outputs = engine.wait().expect("no panic");
        for (i, (tick, output)) in self.ticks.iter().zip(&outputs).enumerate() {
            let place = format!("tick {i} ({}), {state:?}, {workers} workers, {stepping:?}", tick.inputs);
            assert_eq!(changes_of_query(output, QUERY), changes(tick.changes), "changes at {place}");
            assert_eq!(errors_of(output), sorted(&tick.errors), "errors at {place}");
            assert_eq!(late_of(output), sorted(&tick.late), "late rows at {place}");
        }
    }
}

/// Every node of a plan keeps its state this way.
pub(crate) fn set_state(node: &mut Node, state: State) {
    node.state = state;
    node.children_mut().into_iter().for_each(|child| set_state(child, state));
}

fn sorted(texts: &[&str]) -> Vec<String> {
    let mut texts: Vec<String> = texts.iter().map(|t| (*t).to_owned()).collect();
    texts.sort();
    texts
}

/// Error rows, summed up.
pub(crate) fn errors_of(output: &TickOutput) -> Vec<String> {
    let mut sums: BTreeMap<String, i64> = BTreeMap::new();
    for error in &output.errors {
        *sums.entry(format!("{}: {}: {}", error.kind, error.message, error.row)).or_default() += error.diff;
    }
    let signed = |(text, diff): (String, i64)| match diff {
        1 => format!("+{text}"),
        -1 => format!("-{text}"),
        n => format!("{n}× {text}"),
    };
    let mut errors: Vec<String> = sums.into_iter().filter(|(_, diff)| *diff != 0).map(signed).collect();
    errors.sort();
    errors
}

/// Late rows, sorted.
pub(crate) fn late_of(output: &TickOutput) -> Vec<String> {
    let late = output.late.iter();
    let mut late: Vec<String> =
        late.map(|l| format!("{}..{} {} {}{}", l.window_start, l.window_end, l.row_time, l.row, place(l))).collect();
    late.sort();
    late
}

/// ` of L/0/17`: where a late record stood, where that is known.
fn place(late: &LateRow) -> String {
    let Some((partition, offset)) = late.partition.zip(late.offset) else { return String::new() };
    format!(" of {}/{partition}/{offset}", late.source)
}

/// A query that delivers its changes.
pub(crate) fn install(engine: &mut Engine, query: QueryId, root: Node) {
    engine.install(query, Dataflow { name: "case".to_owned(), root, publish: None, deliver: true });
}

/// What a query said.
pub(crate) fn changes_of_query(output: &TickOutput, query: QueryId) -> Changes {
    let batches = output.changes.iter().find(|(q, _)| *q == query).map_or(&[][..], |(_, batches)| batches.as_slice());
    changes_of(batches)
}

/// The inputs of a tick.
pub(crate) fn inputs(relations: &[Relation], text: &str) -> TickInputs {
    let mut inputs = TickInputs::default();
    for part in text.split(';').map(str::trim).filter(|p| !p.is_empty()) {
        let (name, rest) = part.split_once(' ').expect("a name and something");
        let find = |name: &str| relations.iter().find(|r| r.name == name).unwrap_or_else(|| panic!("no {name}"));
        if let Some(name) = name.strip_prefix('@') {
            inputs.stream_times.push((find(name).id, stream_time(rest)));
        } else {
            let relation = find(name);
            let batch = batch(rest, &relation.schema);
            inputs.rows.push(Rows { relation: relation.id, batch, deletes: None, only: None });
        }
    }
    inputs
}

fn stream_time(text: &str) -> StreamTime {
    if let Some(retain) = text.strip_prefix("end/") {
        return StreamTime { close: i64::MAX, retain: retain.parse().expect("a time") };
    }
    let (close, retain) = text.split_once('/').unwrap_or((text, text));
    StreamTime { close: close.parse().expect("a time"), retain: retain.parse().expect("a time") }
}
