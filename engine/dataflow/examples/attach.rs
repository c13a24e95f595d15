//! How soon a query that comes late says something: over tables that are there,
//! `cargo run --release -p millrace-dataflow --example attach -- [ROWS] [WORKERS]`.
//!
//! Two tables of ROWS rows (BIGINT key, VARCHAR of 20, BIGINT) and one of a fifth of it. Then, one by one: a filter that
//! one row in a hundred passes, a join of the two on their keys, COUNT and SUM by a thousand groups over the small one.
//! For each: from its statement to its first row, and to the end of its first tick.

// A program that is run by hand prints.
#![allow(clippy::print_stdout)]

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion_common::ScalarValue;
use datafusion_expr::Operator;
use datafusion_physical_expr::expressions::{BinaryExpr, Column, Literal};
use millrace_data::Batch;
use millrace_data::hash::mix;
use millrace_dataflow::{BaseRelation, Dataflow, Engine, Intake, Options, QueryId, Rows, TickInputs};
use millrace_planner::catalog::RelationId;
use millrace_planner::plan::{Aggregate, AggregateFunction, Expr, Join, JoinKind, Node, OnError, Op, State};
use millrace_world::World;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const TICK_ROWS: usize = 100_000;

fn main() {
    let mut words = std::env::args().skip(1).map(|word| word.parse().expect("a number"));
    measure(words.next().unwrap_or(5_000_000), words.next().unwrap_or(1));
}

#[test]
fn runs() {
    measure(2000, 2);
}

fn measure(rows: usize, workers: usize) {
    let world = World::real();
    let options = Options { workers, early: true, ..Options::default() };
    let mut engine = Engine::start(&options, &world).expect("threads start");
    let (left, right, small) = (RelationId(1), RelationId(2), RelationId(3));
    for (table, rows) in [(left, rows), (right, rows), (small, rows / 5)] {
        let schema = schema();
        let intake = Intake::Upsert { key: vec![0] };
        engine.add_relation(BaseRelation { id: table, name: String::new(), schema, intake, keep: true });
        fill(&mut engine, table, rows);
    }
    for (i, (name, root)) in
        [("filter", filter(left)), ("join", join(left, right)), ("aggregate", aggregate(small))].into_iter().enumerate()
    {
        let clock = world.clock();
        let begun = clock.monotonic_ns();
        engine.install(QueryId(i as u64), Dataflow { name: name.to_owned(), root, publish: None, deliver: true });
        engine.tick(TickInputs::default()).expect("no panic");
        let (mut first, mut told) = (None, 0);
        loop {
            let outputs = engine.wait_for_some().expect("no panic");
            let some: usize =
                outputs.iter().flat_map(|o| &o.changes).flat_map(|(_, batches)| batches).map(Batch::len).sum();
            told += some;
            if some > 0 {
                first.get_or_insert(clock.monotonic_ns() - begun);
            }
            if outputs.iter().any(|output| !output.more) {
                break;
            }
        }
        let ms = |ns: u64| ns as f64 / 1e6;
        let all = ms(clock.monotonic_ns() - begun);
        let first = ms(first.expect("every query says something"));
        println!("{name:10} {workers} workers: first row {first:7.1} ms, all {told} rows {all:7.1} ms");
    }
}

fn schema() -> SchemaRef {
    let fields = [("k", DataType::Int64), ("name", DataType::Utf8), ("x", DataType::Int64)];
    Arc::new(Schema::new(fields.map(|(name, t)| Field::new(name, t, true)).to_vec()))
}

fn fill(engine: &mut Engine, table: RelationId, rows: usize) {
    for from in (0..rows).step_by(TICK_ROWS) {
        let n = TICK_ROWS.min(rows - from);
        let keys = || (from..from + n).map(|i| i as u64);
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from_iter_values(keys().map(|k| (mix(k) >> 1) as i64))),
            Arc::new(StringArray::from_iter_values(keys().map(|k| format!("{:020}", mix(k))))),
            Arc::new(Int64Array::from_iter_values(keys().map(|k| (mix(k + 1) % 100_000) as i64))),
        ];
        let rows = Rows { relation: table, batch: Batch::new(columns, None, n), deletes: None, only: None };
        engine.tick(TickInputs { rows: vec![rows], ..TickInputs::default() }).expect("no panic");
    }
    engine.wait().expect("no panic");
}

fn node(op: Op, schema: SchemaRef) -> Node {
    Node { op, schema, append_only: false, unique_key: None, state: State::Hash }
}

fn source(relation: RelationId) -> Node {
    node(Op::Source { relation, name: String::new(), columns: vec![0, 1, 2] }, schema())
}

fn col(c: usize) -> Expr {
    Arc::new(Column::new("", c))
}

fn literal(x: i64) -> Expr {
    Arc::new(Literal::new(ScalarValue::Int64(Some(x))))
}

fn filter(table: RelationId) -> Node {
    let op = Op::Map {
        input: Box::new(source(table)),
        filter: Some(Arc::new(BinaryExpr::new(col(2), Operator::Lt, literal(1000)))),
        exprs: vec![col(0), col(1), col(2)],
        on_error: OnError::DeadLetter,
    };
    node(op, schema())
}

fn join(left: RelationId, right: RelationId) -> Node {
    let (left, right) = (Box::new(source(left)), Box::new(source(right)));
    let fields: Vec<_> = left.schema.fields().iter().chain(right.schema.fields()).map(Arc::clone).collect();
    let (kind, on) = (JoinKind::Inner, vec![(0, 0)]);
    let join = Join { left, right, kind, on, residual: None, null_equal: false, null_aware: false };
    node(Op::Join(join), Arc::new(Schema::new(fields)))
}

fn aggregate(table: RelationId) -> Node {
    let group: Expr = Arc::new(BinaryExpr::new(col(2), Operator::Modulo, literal(1000)));
    let fields = |names: &[&str]| {
        Arc::new(Schema::new(names.iter().map(|name| Field::new(*name, DataType::Int64, true)).collect::<Vec<_>>()))
    };
    let op = Op::Map {
        input: Box::new(source(table)),
        filter: None,
        exprs: vec![group, col(2)],
        on_error: OnError::DeadLetter,
    };
    let of = |function, args: Vec<usize>| Aggregate {
        function,
        args,
        distinct: false,
        filter: None,
        order: vec![],
        arrival: None,
        data_type: DataType::Int64,
        name: "a".to_owned(),
    };
    let aggregates = vec![of(AggregateFunction::Count, vec![]), of(AggregateFunction::Sum, vec![1])];
    let input = Box::new(node(op, fields(&["g", "x"])));
    node(Op::Reduce { input, keys: vec![0], aggregates, window: None }, fields(&["g", "n", "sum"]))
}
