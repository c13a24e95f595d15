//! Dataflows that nothing happens to sleep, and nobody can tell: everything is compared, tick by tick, with an engine
//! that wakes all of them always.

use std::sync::Arc;

use arrow::array::BooleanArray;
use datafusion_expr::Operator;
use millrace_dataflow::{
    BaseRelation, Dataflow, Engine, Intake, Options, Publish, QueryId, Rows, Stepping, TickInputs, Waking,
};
use millrace_planner::catalog::RelationId;
use millrace_planner::plan::{AggregateFunction as F, JoinKind, Node, OnError, Op, State};
use millrace_world::SimulatedWorld;

use crate::harness::{Changes, Relation, batch, changes_of_query, errors_of, inputs, late_of, nodes, set_state};
use crate::nodes::{aggregate, bigint, binary, close, col, join, join_node, reduce, windowed, windows};

/// Event time, lane time, key, value.
const STREAM: &str = "t bigint, lane bigint, k text, x bigint";

const T: usize = 0;
pub(crate) const K: usize = 2;
const X: usize = 3;

pub(crate) struct Net {
    pub(crate) a: Relation,
    pub(crate) b: Relation,
    pub(crate) table: Relation,
}

impl Net {
    pub(crate) fn new() -> Self {
        let table = Relation::new("T", "k text, y bigint");
        Net { a: Relation::new("A", STREAM).kept(), b: Relation::new("B", STREAM).kept(), table }
    }

    fn relations(&self) -> Vec<Relation> {
        vec![self.a.clone(), self.b.clone()]
    }

    /// The `i`th relation of the chain: key and sum.
    fn link(i: u32) -> Relation {
        Relation { id: RelationId(5000 + i), ..Relation::new("D", "k text, x bigint") }
    }

    /// Ten relations, each derived from the one before; the last is kept.
    pub(crate) fn chain(&self) -> Vec<(Node, Option<Publish>)> {
        let mut source = map(self.a.source(), None, &[K, X]);
        (0..10)
            .map(|i| {
                let root = match i % 2 {
                    0 => reduce(source.clone(), &[0], vec![aggregate(F::Sum, &[1], "bigint")]),
                    _ => map(source.clone(), Some((1, Operator::NotEq, 0)), &[0, 1]),
                };
                source = Net::link(i).source();
                (root, Some(Publish { relation: Net::link(i).id, keep: i == 9 }))
            })
            .collect()
    }

    /// Queries that stand beside the chain.
    pub(crate) fn others(&self) -> Vec<Node> {
        let (a, b) = (|| self.a.source(), || self.b.source());
        let last = || Net::link(9).source();
        let table = || self.table.source();
        let sums = |node: Node, x: usize| reduce(node, &[], vec![aggregate(F::Sum, &[x], "bigint")]);
        let stream = windows(self.a.stream(), 10, 10, 2);
        let counts = vec![aggregate(F::Count, &[], "bigint")];
        vec![
            join_node(join(a(), b(), JoinKind::Left, &[(K, K)])),
            join_node(join(last(), b(), JoinKind::Full, &[(0, K)])),
            join_node(join(a(), table(), JoinKind::Left, &[(K, 0)])),
            join_node(join(table(), b(), JoinKind::Anti, &[(0, K)])),
            join_node(join(map(a(), Some((X, Operator::Eq, 3)), &[K, X]), table(), JoinKind::Inner, &[(0, 0)])),
            sums(b(), X),
            sums(table(), 1),
            map(table(), Some((1, Operator::Gt, 2)), &[0]),
            nodes(Op::Union { inputs: vec![map(a(), Some((X, Operator::Eq, 3)), &[K]), map(b(), None, &[K])] }, &{
                crate::harness::schema("k text")
            }),
            windowed(stream, &[K, 4, 5], counts, close(1, 2, 40, &[&self.a])),
        ]
    }

    /// Filters that few rows pass, every other one with state.
    pub(crate) fn filters(&self) -> Vec<Node> {
        let conditions = [Operator::Eq, Operator::Lt, Operator::GtEq, Operator::NotEq];
        (0..60)
            .map(|i| {
                let rows = map(self.a.source(), Some((X, conditions[i % 4], i as i64 / 4 - 4)), &[K, T]);
                if i % 8 < 4 { rows } else { reduce(rows, &[0], vec![aggregate(F::Max, &[1], "bigint")]) }
            })
            .collect()
    }
}

/// A filter by a column, and some of the columns.
fn map(input: Node, filter: Option<(usize, Operator, i64)>, columns: &[usize]) -> Node {
    let fields: Vec<_> = columns.iter().map(|c| Arc::clone(&input.schema.fields()[*c])).collect();
    let op = Op::Map {
        input: Box::new(input),
        filter: filter.map(|(c, op, value)| binary(col(c), op, bigint(value))),
        exprs: columns.iter().map(|c| col(*c)).collect(),
        on_error: OnError::DeadLetter,
    };
    nodes(op, &Arc::new(arrow::datatypes::Schema::new(fields)))
}

pub(crate) struct Random(pub(crate) u64);

impl Random {
    fn below(&mut self, n: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        millrace_data::hash::mix(self.0) % n
    }
}

/// What happens in a tick: most of the time to one relation, or to none.
pub(crate) fn happens(net: &Net, random: &mut Random, time: &mut i64) -> TickInputs {
    let key = |random: &mut Random| ["a", "b", "c", "NULL"][random.below(4) as usize];
    let mut text = String::new();
    let what = random.below(10);
    for (name, happens) in [("A", what < 4), ("B", what == 4 || what == 0)] {
        if happens {
            let rows = (0..1 + random.below(3)).map(|_| {
                let (t, lane) = (*time + random.below(6) as i64 - 3, *time);
                *time = t.max(lane);
                format!("+{t},{lane},{},{}", key(random), random.below(12) as i64 - 4)
            });
            text += &format!("{name} {};", rows.collect::<Vec<_>>().join(" | "));
        }
    }
    if random.below(4) == 0 {
        text += &format!("@A {time};");
    }
    let mut inputs = inputs(&net.relations(), &text);
    if what == 5 || what == 6 {
        let rows = format!("+{},{}", ["a", "b", "c"][random.below(3) as usize], random.below(5));
        inputs.rows.push(Rows {
            relation: net.table.id,
            batch: batch(&rows, &net.table.schema),
            deletes: Some(BooleanArray::from(vec![random.below(4) == 0])),
            only: None,
        });
    }
    inputs
}

/// What every query said at every tick.
type Said = Vec<Vec<(Changes, Vec<String>, Vec<String>)>>;

pub(crate) const TICKS: usize = 60;

pub(crate) fn start(waking: Waking, workers: usize, net: &Net) -> Engine {
    let stepping = if workers == 1 { Stepping::Threads } else { Stepping::Seeded(7) };
    let options = Options { workers, stepping, waking, ..Options::default() };
    let mut engine = Engine::start(&options, SimulatedWorld::new(1).world()).expect("threads start");
    engine.add_relation(net.a.base());
    engine.add_relation(net.b.base());
    engine.add_relation(BaseRelation { intake: Intake::Upsert { key: vec![0] }, ..net.table.base() });
    engine
}

fn run(waking: Waking, workers: usize, state: State, seed: u64) -> Said {
    let net = Net::new();
    let mut engine = start(waking, workers, &net);
    let install = |engine: &mut Engine, id: u64, (mut root, publish): (Node, Option<Publish>)| {
        set_state(&mut root, state);
        engine.install(QueryId(id), Dataflow { name: id.to_string(), root, publish, deliver: true });
    };
    let (mut random, mut time) = (Random(seed), 0);
    let others = net.others().into_iter().chain(net.filters()).map(|root| (root, None));
    let queries: Vec<_> = net.chain().into_iter().chain(others).collect();
    let n = queries.len() as u64;
    for tick in 0..TICKS {
        match tick {
            2 => (0..).zip(queries.clone()).for_each(|(id, query)| install(&mut engine, id, query)),
            // late readers of what sleeps, and queries that go
            30 | 31 => {
                let late = queries.iter().skip(10 + tick % 2).step_by(2).cloned();
                (n * (tick as u64)..).zip(late).for_each(|(id, query)| install(&mut engine, id, query));
            }
            40 => (10..n).step_by(3).for_each(|id| engine.remove(QueryId(id))),
            _ => {}
        }
        engine.tick(happens(&net, &mut random, &mut time)).expect("no panic");
    }
    let outputs = engine.wait().expect("no panic");
    let ids: Vec<QueryId> = [0, n * 30, n * 31].into_iter().flat_map(|from| from..from + n).map(QueryId).collect();
    let said = |output| {
        let of = |id: &QueryId| (changes_of_query(output, *id), errors_of(output), late_of(output));
        ids.iter().map(of).collect()
    };
    outputs.iter().map(said).collect()
}

#[test]
fn sleeping_changes_nothing() {
    for (seed, state) in [(1, State::Hash), (2, State::Hash), (3, State::Differential)] {
        let want = run(Waking::Always, 1, state, seed);
        for workers in [1, 2] {
            let got = run(Waking::Needed, workers, state, seed);
            for (tick, (got, want)) in got.iter().zip(&want).enumerate() {
                for (query, (got, want)) in got.iter().zip(want).enumerate() {
                    assert_eq!(got, want, "query {query} at tick {tick}, {workers} workers, {state:?}, seed {seed}");
                }
            }
        }
    }
}

/// Rows of a stream that no row of a filter passes do not reach its dataflow.
#[test]
fn what_no_row_matches_is_not_woken() {
    let net = Net::new();
    let rows_read = |waking| {
        let mut engine = start(waking, 2, &net);
        for i in 0..20 {
            let root = map(net.a.source(), Some((X, Operator::Eq, i)), &[K]);
            engine.install(QueryId(i as u64), Dataflow { name: i.to_string(), root, publish: None, deliver: true });
        }
        // in its first tick a query is awake whatever comes
        engine.tick(TickInputs::default()).expect("no panic");
        for i in 0..20 {
            engine.tick(inputs(&net.relations(), &format!("A +1,1,a,{i} | +1,1,b,{i}"))).expect("no panic");
        }
        let stats = engine.stats().expect("no panic");
        stats.iter().filter(|o| o.operator == "Source").map(|o| o.rows_out).sum::<u64>()
    };
    assert_eq!(rows_read(Waking::Always), 20 * 40);
    assert_eq!(rows_read(Waking::Needed), 40);
}

/// A reader that sleeps keeps nothing from being forgotten: the old rows of a table whose other side is silent.
#[test]
fn what_sleeps_holds_nothing_back() {
    let net = Net::new();
    let bytes = |ticks: i64| {
        let mut engine = start(Waking::Needed, 1, &net);
        let mut joined = join_node(join(net.table.source(), net.b.source(), JoinKind::Inner, &[(0, K)]));
        set_state(&mut joined, State::Hash);
        engine.install(QueryId(1), Dataflow { name: "join".to_owned(), root: joined, publish: None, deliver: true });
        for tick in 0..ticks {
            let rows: Vec<String> = (0..50).map(|i| format!("+{i},{tick}")).collect();
            let rows = batch(&rows.join(" | "), &net.table.schema);
            let rows = Rows { relation: net.table.id, batch: rows, deletes: None, only: None };
            engine.tick(TickInputs { rows: vec![rows], ..TickInputs::default() }).expect("no panic");
        }
        let stats = engine.stats().expect("no panic");
        stats.iter().map(|o| o.bytes).sum::<u64>()
    };
    let (few, many) = (bytes(50), bytes(400));
    assert!(many < 2 * few, "{few} bytes after 50 ticks, {many} after 400");
}
