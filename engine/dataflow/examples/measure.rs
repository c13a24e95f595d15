//! Measures plans by hand, on either way of keeping state:
//! `cargo run --release -p millrace-dataflow --example measure -- WORKLOAD [ROWS] [hash|differential] [WORKERS] [TICK_ROWS]`.
//!
//! | workload | what |
//! |---|---|
//! | `join` | two streams of updates by a million random keys, with texts and NULLs, a tenth of them removals |
//! | `count_sum` | COUNT and SUM over a million keys, a tenth of the rows removals |
//! | `sums` | SUM of DOUBLE, AVG of DECIMAL and of BIGINT over a thousand keys |
//! | `max` | MAX over 100,000 keys, a third of the rows removals |
//! | `distinct` | COUNT DISTINCT of ROWS / 2 values in ten groups |
//! | `topk` | the first three rows of each of 10,000 partitions, a tenth of the rows removals |
//! | `upsert` | a table of 100,000 keys, changed over and over, as of which a stream looks up |
//! | `chain` | a join of monotonic keys with a residual, MAX per key, then COUNT and SUM |
//! | `windows` | tumbling windows that close, COUNT and MAX |
//!
//! Each prints one line: seconds, rows per second, p50 and p99 of a tick, state. Without arguments all run, tiny.

// A program that is run by hand prints.
#![allow(clippy::print_stdout)]

use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Decimal128Array, Float64Array, Int64Array, StringBuilder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion_expr::Operator;
use datafusion_physical_expr::expressions::{BinaryExpr, Column};
use millrace_data::Batch;
use millrace_data::hash::mix;
use millrace_dataflow::{BaseRelation, Dataflow, Engine, Intake, Options, QueryId, Rows, StreamTime, TickInputs};
use millrace_planner::catalog::RelationId;
use millrace_planner::plan::{
    Aggregate, AggregateFunction as F, Expr, Join, JoinKind, Node, Op, SortKey, State, WindowClose,
};
use millrace_world::World;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const LEFT: RelationId = RelationId(1);
const RIGHT: RelationId = RelationId(2);

const WORKLOADS: [&str; 9] = ["join", "count_sum", "sums", "max", "distinct", "topk", "upsert", "chain", "windows"];

/// How to run.
#[derive(Clone, Copy)]
struct Run {
    rows: usize,
    state: State,
    workers: usize,
    tick_rows: usize,
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let Some(name) = args.first().filter(|name| WORKLOADS.contains(&name.as_str())) else { return tiny() };
    let number = |i: usize, default: usize| args.get(i).map_or(default, |n| n.parse().expect("a number"));
    let state = match args.get(2).map(String::as_str) {
        Some("differential") => State::Differential,
        _ => State::Hash,
    };
    let run = Run { rows: number(1, 5_000_000), state, workers: number(3, 1), tick_rows: number(4, 10_000) };
    measure(name, run);
}

fn tiny() {
    for name in WORKLOADS {
        for state in [State::Hash, State::Differential] {
            measure(name, Run { rows: 2000, state, workers: 2, tick_rows: 200 });
        }
    }
}

#[test]
fn runs() {
    tiny();
}

/// Relations, plan, and what comes in at each tick.
struct Workload {
    relations: Vec<BaseRelation>,
    plan: Node,
    ticks: Vec<TickInputs>,
}

fn measure(name: &str, run: Run) {
    let mut workload = workload(name, run);
    set_state(&mut workload.plan, run.state);
    let world = World::real();
    let clock = Arc::clone(world.clock());
    let options = Options { workers: run.workers, ticks_in_flight_max: 1, ..Options::default() };
    let mut engine = Engine::start(&options, &world).expect("threads start");
    workload.relations.into_iter().for_each(|relation| engine.add_relation(relation));
    let dataflow = Dataflow { name: name.to_owned(), root: workload.plan, publish: None, deliver: false };
    engine.install(QueryId(1), dataflow);
    let mut times = vec![];
    let begun = clock.monotonic_ns();
    for inputs in workload.ticks {
        let at = clock.monotonic_ns();
        engine.tick(inputs).expect("no panic");
        engine.wait().expect("no panic");
        times.push(clock.monotonic_ns() - at);
    }
    let seconds = (clock.monotonic_ns() - begun) as f64 / 1e9;
    let stats = engine.stats().expect("no panic");
    let bytes: u64 = stats.iter().map(|s| s.bytes).sum();
    let out: u64 = stats.iter().filter(|s| s.node == 0 && s.query == QueryId(1)).map(|s| s.rows_out).sum();
    times.sort_unstable();
    let percentile = |p: usize| times[(times.len() - 1) * p / 100] as f64 / 1e6;
    println!(
        "{name:10} {:12} {} workers: {seconds:7.3} s, {:9.0} rows/s, tick p50 {:6.2} p99 {:6.2} max {:6.2} ms, state {:5} MB, {out} rows out",
        format!("{:?}", run.state),
        run.workers,
        run.rows as f64 / seconds,
        percentile(50),
        percentile(99),
        percentile(100),
        bytes >> 20,
    );
}

fn workload(name: &str, run: Run) -> Workload {
    match name {
        "join" => join(run),
        "count_sum" => count_sum(run),
        "sums" => sums(run),
        "max" => max(run),
        "distinct" => distinct(run),
        "topk" => topk(run),
        "upsert" => upsert(run),
        "chain" => chain(run),
        _ => windows(run),
    }
}

// ---- plans ----

fn schema(columns: &[(&str, DataType)]) -> SchemaRef {
    Arc::new(Schema::new(columns.iter().map(|(n, t)| Field::new(*n, t.clone(), true)).collect::<Vec<_>>()))
}

fn node(op: Op, schema: &SchemaRef, append_only: bool) -> Node {
    Node { op, schema: Arc::clone(schema), append_only, unique_key: None, state: State::Hash }
}

fn source(relation: RelationId, schema: &SchemaRef, append_only: bool) -> Node {
    let columns = (0..schema.fields().len()).collect();
    node(Op::Source { relation, name: String::new(), columns }, schema, append_only)
}

fn base(id: RelationId, schema: &SchemaRef, intake: Intake) -> BaseRelation {
    BaseRelation { id, name: String::new(), schema: Arc::clone(schema), intake, keep: false }
}

fn aggregate(function: F, args: &[usize], data_type: DataType) -> Aggregate {
    let (args, order) = (args.to_vec(), vec![]);
    Aggregate { function, args, distinct: false, filter: None, order, arrival: None, data_type, name: "a".to_owned() }
}

fn reduce(input: Node, keys: &[usize], aggregates: Vec<Aggregate>, window: Option<WindowClose>) -> Node {
    let keyed = keys.iter().map(|k| Arc::clone(&input.schema.fields()[*k]));
    let results = aggregates.iter().map(|a| Arc::new(Field::new(&a.name, a.data_type.clone(), true)));
    let fields = Arc::new(Schema::new(keyed.chain(results).collect::<Vec<_>>()));
    node(Op::Reduce { input: Box::new(input), keys: keys.to_vec(), aggregates, window }, &fields, false)
}

fn join_of(left: Node, right: Node, on: &[(usize, usize)], residual: Option<Expr>) -> Node {
    let fields: Vec<_> = left.schema.fields().iter().chain(right.schema.fields()).map(Arc::clone).collect();
    let append_only = left.append_only && right.append_only;
    let join = Join {
        left: Box::new(left),
        right: Box::new(right),
        kind: JoinKind::Inner,
        on: on.to_vec(),
        residual,
        null_equal: false,
        null_aware: false,
    };
    node(Op::Join(join), &Arc::new(Schema::new(fields)), append_only)
}

fn set_state(node: &mut Node, state: State) {
    node.state = state;
    match &mut node.op {
        Op::Reduce { input, .. } | Op::TopK { input, .. } | Op::AssignWindows { input, .. } => set_state(input, state),
        Op::Join(join) => [&mut join.left, &mut join.right].into_iter().for_each(|side| set_state(side, state)),
        Op::AsOfJoin { stream, table, .. } => [stream, table].into_iter().for_each(|side| set_state(side, state)),
        _ => {}
    }
}

// ---- rows ----

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mix(self.0)
    }
    fn below(&mut self, n: usize) -> i64 {
        (self.next() % n as u64) as i64
    }
}

/// Rows of words that come and go: a word makes its row, so that a removal is the row that came.
fn updates(rows: usize, run: Run, removals: u64, seed: u64, row: impl Fn(&[u64]) -> Vec<ArrayRef>) -> Vec<Batch> {
    let mut random = Random(seed);
    let mut held: Vec<u64> = vec![];
    let tick_rows = (run.tick_rows * rows / run.rows).max(1);
    (0..rows.div_ceil(tick_rows))
        .map(|_| {
            let (mut words, mut diffs) = (vec![], vec![]);
            for _ in 0..tick_rows {
                if held.len() > 100 && random.next() % 100 < removals {
                    let at = random.below(held.len()) as usize;
                    words.push(held.swap_remove(at));
                    diffs.push(-1);
                } else {
                    words.push(random.next());
                    held.extend(words.last());
                    diffs.push(1);
                }
            }
            Batch::new(row(&words), Some(diffs), words.len())
        })
        .collect()
}

fn rows_of(relation: RelationId, batch: Batch) -> Rows {
    Rows { relation, batch, deletes: None, only: None }
}

fn ticks_of(batches: Vec<Vec<(RelationId, Batch)>>) -> Vec<TickInputs> {
    let rows = |batches: Vec<(RelationId, Batch)>| batches.into_iter().map(|(r, b)| rows_of(r, b)).collect();
    batches.into_iter().map(|b| TickInputs { rows: rows(b), ..TickInputs::default() }).collect()
}

fn single(batches: Vec<Batch>) -> Vec<TickInputs> {
    ticks_of(batches.into_iter().map(|b| vec![(LEFT, b)]).collect())
}

fn bigints(words: &[u64], f: impl Fn(u64) -> i64) -> ArrayRef {
    Arc::new(words.iter().map(|w| Some(f(*w))).collect::<Int64Array>())
}

fn texts(words: &[u64]) -> ArrayRef {
    let mut texts = StringBuilder::new();
    for word in words {
        if word % 20 == 0 {
            texts.append_null();
        } else {
            texts.append_value(format!("text {:x}", word >> 20));
        }
    }
    Arc::new(texts.finish())
}

const KEYS: u64 = 1_000_000;

fn join(run: Run) -> Workload {
    let left = schema(&[("k", DataType::Int64), ("v", DataType::Int64), ("s", DataType::Utf8), ("x", DataType::Int64)]);
    let right = schema(&[("k", DataType::Int64), ("w", DataType::Int64), ("t", DataType::Utf8)]);
    let key = |w: u64| (w % KEYS) as i64;
    let l = updates(run.rows / 2, run, 10, 1, |w| {
        vec![bigints(w, key), bigints(w, |w| (w >> 30) as i64), texts(w), bigints(w, |w| (w >> 7) as i64)]
    });
    let r = updates(run.rows / 2, run, 10, 2, |w| vec![bigints(w, key), bigints(w, |w| (w >> 30) as i64), texts(w)]);
    let ticks = l.into_iter().zip(r).map(|(l, r)| vec![(LEFT, l), (RIGHT, r)]).collect();
    let plan = join_of(source(LEFT, &left, false), source(RIGHT, &right, false), &[(0, 0)], None);
    let relations = vec![base(LEFT, &left, Intake::Append), base(RIGHT, &right, Intake::Append)];
    Workload { relations, plan, ticks: ticks_of(ticks) }
}

fn count_sum(run: Run) -> Workload {
    let columns = schema(&[("k", DataType::Int64), ("v", DataType::Int64)]);
    let rows =
        updates(run.rows, run, 10, 3, |w| vec![bigints(w, |w| (w % KEYS) as i64), bigints(w, |w| (w >> 40) as i64)]);
    let aggregates = vec![aggregate(F::Count, &[], DataType::Int64), aggregate(F::Sum, &[1], DataType::Int64)];
    let plan = reduce(source(LEFT, &columns, false), &[0], aggregates, None);
    Workload { relations: vec![base(LEFT, &columns, Intake::Append)], plan, ticks: single(rows) }
}

fn sums(run: Run) -> Workload {
    let decimal = DataType::Decimal128(12, 2);
    let columns =
        schema(&[("k", DataType::Int64), ("d", DataType::Float64), ("m", decimal.clone()), ("v", DataType::Int64)]);
    let rows = updates(run.rows, run, 10, 4, |w| {
        let doubles: Float64Array = w.iter().map(|w| Some((w >> 40) as f64 / 100.0)).collect();
        let decimals: Decimal128Array = w.iter().map(|w| Some(i128::from(w >> 36))).collect();
        let decimals = decimals.with_data_type(decimal.clone());
        vec![bigints(w, |w| (w % 1000) as i64), Arc::new(doubles), Arc::new(decimals), bigints(w, |w| (w >> 40) as i64)]
    });
    let aggregates = vec![
        aggregate(F::Sum, &[1], DataType::Float64),
        aggregate(F::Avg, &[2], DataType::Decimal128(38, 6)),
        aggregate(F::Avg, &[3], DataType::Float64),
    ];
    let plan = reduce(source(LEFT, &columns, false), &[0], aggregates, None);
    Workload { relations: vec![base(LEFT, &columns, Intake::Append)], plan, ticks: single(rows) }
}

fn max(run: Run) -> Workload {
    let columns = schema(&[("k", DataType::Int64), ("v", DataType::Int64)]);
    let rows = updates(run.rows, run, 33, 5, |w| {
        vec![bigints(w, |w| (w % (KEYS / 10)) as i64), bigints(w, |w| (w >> 40) as i64)]
    });
    let plan = reduce(source(LEFT, &columns, false), &[0], vec![aggregate(F::Max, &[1], DataType::Int64)], None);
    Workload { relations: vec![base(LEFT, &columns, Intake::Append)], plan, ticks: single(rows) }
}

fn distinct(run: Run) -> Workload {
    let columns = schema(&[("k", DataType::Int64), ("v", DataType::Int64)]);
    let values = (run.rows / 2) as u64;
    let rows = updates(run.rows, run, 10, 6, |w| {
        vec![bigints(w, |w| (w % 10) as i64), bigints(w, |w| ((w >> 8) % values) as i64)]
    });
    let mut count = aggregate(F::Count, &[1], DataType::Int64);
    count.distinct = true;
    let plan = reduce(source(LEFT, &columns, false), &[0], vec![count], None);
    Workload { relations: vec![base(LEFT, &columns, Intake::Append)], plan, ticks: single(rows) }
}

fn topk(run: Run) -> Workload {
    let columns = schema(&[("k", DataType::Int64), ("v", DataType::Int64), ("s", DataType::Utf8)]);
    let rows = updates(run.rows, run, 10, 7, |w| {
        vec![bigints(w, |w| (w % 10_000) as i64), bigints(w, |w| (w >> 40) as i64), texts(w)]
    });
    let order = vec![SortKey { column: 1, descending: true, nulls_first: false }];
    let input = Box::new(source(LEFT, &columns, false));
    let plan =
        node(Op::TopK { input, partition: vec![0], order, offset: 0, limit: Some(3), rank: false }, &columns, false);
    Workload { relations: vec![base(LEFT, &columns, Intake::Append)], plan, ticks: single(rows) }
}

fn upsert(run: Run) -> Workload {
    let table = schema(&[("k", DataType::Int64), ("v", DataType::Int64), ("s", DataType::Utf8)]);
    let stream = schema(&[("k", DataType::Int64), ("x", DataType::Int64)]);
    let key = |w: u64| (w % (KEYS / 10)) as i64;
    let t = updates(run.rows / 2, run, 0, 8, |w| vec![bigints(w, key), bigints(w, |w| (w >> 30) as i64), texts(w)]);
    let s = updates(run.rows / 2, run, 0, 9, |w| vec![bigints(w, key), bigints(w, |w| (w >> 30) as i64)]);
    let ticks = t.into_iter().zip(s).map(|(t, s)| {
        let deletes = Some((0..t.len()).map(|i| Some(i % 20 == 0)).collect::<BooleanArray>());
        let rows = vec![Rows { deletes, ..rows_of(LEFT, t) }, rows_of(RIGHT, s)];
        TickInputs { rows, ..TickInputs::default() }
    });
    let fields: Vec<_> = stream.fields().iter().chain(table.fields()).map(Arc::clone).collect();
    let op = Op::AsOfJoin {
        stream: Box::new(source(RIGHT, &stream, true)),
        table: Box::new(source(LEFT, &table, false)),
        on: vec![(0, 0)],
        residual: None,
        outer: true,
    };
    let plan = node(op, &Arc::new(Schema::new(fields)), true);
    let relations = vec![base(LEFT, &table, Intake::Upsert { key: vec![0] }), base(RIGHT, &stream, Intake::Append)];
    Workload { relations, plan, ticks: ticks.collect() }
}

fn chain(run: Run) -> Workload {
    let left =
        schema(&[("id", DataType::Int64), ("cat", DataType::Int64), ("a", DataType::Int64), ("b", DataType::Int64)]);
    let right = schema(&[("id", DataType::Int64), ("price", DataType::Int64), ("t", DataType::Int64)]);
    let (mut random, mut next) = (Random(10), 0i64);
    // one left row to nine right ones, which mean one of the last hundred
    let ticks = (0..run.rows / run.tick_rows).map(|_| {
        let (mut l, mut r): ([Vec<i64>; 4], [Vec<i64>; 3]) = Default::default();
        for i in 0..run.tick_rows {
            if i % 10 == 0 {
                next += 1;
                let row = [next, random.below(100), next, next + 80];
                l.iter_mut().zip(row).for_each(|(column, x)| column.push(x));
            } else {
                let row = [(next - random.below(100)).max(1), random.below(10_000), next];
                r.iter_mut().zip(row).for_each(|(column, x)| column.push(x));
            }
        }
        let columns = |c: Vec<Vec<i64>>| c.into_iter().map(|c| Arc::new(Int64Array::from(c)) as ArrayRef).collect();
        let (l_len, r_len) = (l[0].len(), r[0].len());
        let (l, r) = (columns(l.into()), columns(r.into()));
        vec![(LEFT, Batch::new(l, None, l_len)), (RIGHT, Batch::new(r, None, r_len))]
    });
    let ticks = ticks.collect();
    let column = |name: &str, c: usize| -> Expr { Arc::new(Column::new(name, c)) };
    let ge = |a: Expr, b: Expr| -> Expr { Arc::new(BinaryExpr::new(a, Operator::GtEq, b)) };
    let residual: Expr = Arc::new(BinaryExpr::new(
        ge(column("t", 6), column("a", 2)),
        Operator::And,
        ge(column("b", 3), column("t", 6)),
    ));
    let joined = join_of(source(LEFT, &left, true), source(RIGHT, &right, true), &[(0, 0)], Some(residual));
    let highest = reduce(joined, &[0, 1], vec![aggregate(F::Max, &[5], DataType::Int64)], None);
    let aggregates = vec![aggregate(F::Sum, &[2], DataType::Int64), aggregate(F::Count, &[], DataType::Int64)];
    let plan = reduce(highest, &[1], aggregates, None);
    let relations = vec![base(LEFT, &left, Intake::Append), base(RIGHT, &right, Intake::Append)];
    Workload { relations, plan, ticks: ticks_of(ticks) }
}

fn windows(run: Run) -> Workload {
    let columns = schema(&[("t", DataType::Int64), ("k", DataType::Int64), ("v", DataType::Int64)]);
    let mut random = Random(11);
    let mut time = 0i64;
    let ticks = (0..run.rows / run.tick_rows).map(|_| {
        let mut rows: [Vec<i64>; 3] = Default::default();
        for _ in 0..run.tick_rows {
            time += random.below(2);
            let row = [time - random.below(50), random.below(1000), random.below(1_000_000)];
            rows.iter_mut().zip(row).for_each(|(column, x)| column.push(x));
        }
        let rows: Vec<ArrayRef> = rows.into_iter().map(|c| Arc::new(Int64Array::from(c)) as ArrayRef).collect();
        let rows = vec![rows_of(LEFT, Batch::new(rows, None, run.tick_rows))];
        let now = StreamTime { close: time, retain: time };
        TickInputs { rows, stream_times: vec![(LEFT, now)], ..TickInputs::default() }
    });
    let ticks = ticks.collect();
    let fields = columns
        .fields()
        .iter()
        .map(Arc::clone)
        .chain(["s", "e"].map(|name| Arc::new(Field::new(name, DataType::Int64, true))));
    let fields: Vec<_> = fields.collect();
    let input = Box::new(source(LEFT, &columns, true));
    let op = Op::AssignWindows { input, time: 0, lane: None, size_ms: 1000, advance_ms: 1000, grace_ms: 100 };
    let assigned = node(op, &Arc::new(Schema::new(fields)), true);
    let window = WindowClose {
        start: 1,
        end: 2,
        grace_ms: 100,
        retention_ms: 100_000,
        emit_final: false,
        time_sources: vec![LEFT],
    };
    let aggregates = vec![aggregate(F::Count, &[], DataType::Int64), aggregate(F::Max, &[2], DataType::Int64)];
    let plan = reduce(assigned, &[1, 3, 4], aggregates, Some(window));
    Workload { relations: vec![base(LEFT, &columns, Intake::Append)], plan, ticks }
}
