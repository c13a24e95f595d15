//! Both ways of keeping state say the same: random changes through plans of every kind, compared tick by tick.
//!
//! What differential's operators say with one worker is what the hash arrangement has to say with one, two and four, from
//! the beginning and from a later tick on. A seed is part of every message.

use arrow::datatypes::DataType;
use datafusion_expr::Operator;
use millrace_dataflow::{Engine, Options, Stepping};
use millrace_planner::plan::{
    Aggregate, AggregateFunction as F, Join, JoinKind, Lane, Node, Op, SetOpKind, State, WithinJoin,
};
use millrace_world::SimulatedWorld;

use crate::harness::{
    Changes, QUERY, Relation, changes_of_query, errors_of, inputs, install, late_of, nodes, schema, set_state,
};
use crate::nodes::{
    aggregate, bigint, binary, by, close, col, concat, join, join_node, lane, numbered, reduce, topk, windowed, windows,
};

/// Numbers from a seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        millrace_data::hash::mix(self.0)
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    fn one_of<'a>(&mut self, of: &[&'a str]) -> &'a str {
        of[self.below(of.len() as u64) as usize]
    }
}

/// Columns of the tables: every type that aggregates and keys treat in a way of its own.
const TABLE: &str = "k text, j bigint, x bigint, d double, m dec2, w dec38.4, b bool, i int";

const K: usize = 0;
const J: usize = 1;
const X: usize = 2;
const D: usize = 3;
const M: usize = 4;
const W: usize = 5;
const B: usize = 6;
const I: usize = 7;

fn table_row(random: &mut Random) -> String {
    let cells = [
        random.one_of(&["a", "b", "", "a text of more than seven bytes", "NULL"]),
        random.one_of(&["1", "2", "3", "NULL"]),
        random.one_of(&["0", "1", "-5", "9223372036854775807", "-9223372036854775808", "7", "NULL"]),
        random.one_of(&["0.1", "-0.1", "1e300", "-1e300", "0.30000000000000004", "1e-300", "NaN", "inf", "NULL"]),
        random.one_of(&["0.01", "-12345678.90", "3.00", "99.99", "NULL"]),
        random.one_of(&["9999999999999999999999999999999999.9999", "0.0001", "-1.5000", "NULL"]),
        random.one_of(&["true", "false", "NULL"]),
        random.one_of(&["5", "-2147483648", "0", "NULL"]),
    ];
    cells.join(",")
}

/// Rows come, and some of those that are there go.
fn table_changes(random: &mut Random, held: &mut Vec<String>, changes: u64) -> String {
    let mut rows = vec![];
    for _ in 0..random.below(changes + 1) {
        if !held.is_empty() && random.below(5) < 2 {
            let at = random.below(held.len() as u64) as usize;
            rows.push(format!("-{}", held.swap_remove(at)));
        } else {
            let row = table_row(random);
            let times = if random.below(6) == 0 { 1 + random.below(3) } else { 1 };
            held.extend(std::iter::repeat_n(row.clone(), times as usize));
            rows.push(format!("+{row} *{times}"));
        }
    }
    rows.join(" | ")
}

/// Inputs of each tick.
fn tables(seed: u64, ticks: usize) -> (Vec<Relation>, Vec<String>) {
    let mut random = Random(seed);
    let relations = vec![Relation::new("L", TABLE).kept(), Relation::new("R", TABLE).kept()];
    let mut held = [vec![], vec![]];
    let inputs = (0..ticks).map(|_| {
        let parts = relations.iter().zip(&mut held).map(|(relation, held)| {
            let rows = table_changes(&mut random, held, 12);
            if rows.is_empty() { String::new() } else { format!("{} {rows};", relation.name) }
        });
        parts.collect()
    });
    let inputs = inputs.collect();
    (relations, inputs)
}

/// Streams with event times that mostly move on, lanes, places of arrival, and stream time.
fn streams(seed: u64, ticks: usize) -> (Vec<Relation>, Vec<String>) {
    let mut random = Random(seed);
    let columns = "t bigint, lane bigint, k text, x bigint, p int, o bigint";
    let relations = vec![Relation::new("L", columns).kept(), Relation::new("R", columns).kept()];
    let mut lanes: [[Option<i64>; 2]; 2] = [[None; 2]; 2];
    let (mut offsets, mut closed) = (0, [i64::MIN; 2]);
    let inputs = (0..ticks).map(|_| {
        let mut text = String::new();
        for ((relation, lanes), closed) in relations.iter().zip(&mut lanes).zip(&mut closed) {
            let mut rows = vec![];
            for _ in 0..random.below(8) {
                let partition = random.below(2) as usize;
                let lane = lanes[partition];
                let time = lane.unwrap_or(0) + random.below(22) as i64 - 9;
                let lane_text = lane.map_or("NULL".to_owned(), |lane| lane.to_string());
                let time_text = if random.below(40) == 0 { "NULL".to_owned() } else { time.to_string() };
                let (key, value) = (random.one_of(&["a", "b", "NULL"]), random.one_of(&["1", "2", "30", "NULL"]));
                offsets += 1;
                rows.push(format!("+{time_text},{lane_text},{key},{value},{partition},{offsets}"));
                lanes[partition] = Some(lane.map_or(time, |lane| lane.max(time)));
            }
            if !rows.is_empty() {
                text += &format!("{} {};", relation.name, rows.join(" | "));
            }
            if let [Some(a), Some(b)] = *lanes {
                // a partition that is idle is sometimes left out
                *closed = (*closed).max(a.min(b) + if random.below(10) == 0 { 5 } else { 0 });
                text += &format!("@{} {closed}/{};", relation.name, a.max(b));
            }
        }
        text
    });
    let inputs = inputs.collect();
    (relations, inputs)
}

/// What a query said at a tick.
type Said = (Changes, Vec<String>, Vec<String>);

fn run(
    (relations, ticks): &(Vec<Relation>, Vec<String>),
    plan: &Node,
    state: State,
    workers: usize,
    start: usize,
) -> Vec<Said> {
    let mut plan = plan.clone();
    set_state(&mut plan, state);
    let stepping = if workers == 1 { Stepping::Threads } else { Stepping::Seeded(start as u64) };
    let options = Options { workers, stepping, ticks_in_flight_max: 4, ..Options::default() };
    let world = SimulatedWorld::new(1);
    let mut engine = Engine::start(&options, world.world()).expect("threads start");
    relations.iter().for_each(|relation| engine.add_relation(relation.base()));
    for (i, tick) in ticks.iter().enumerate() {
        if i == start {
            install(&mut engine, QUERY, plan.clone());
        }
        engine.tick(inputs(relations, tick)).expect("no panic");
    }
    let outputs = engine.wait().expect("no panic");
    outputs.iter().map(|output| (changes_of_query(output, QUERY), errors_of(output), late_of(output))).collect()
}

/// Compares both ways of keeping state, from the beginning and from a later tick on.
fn compare(name: &str, seed: u64, case: &(Vec<Relation>, Vec<String>), plan: &Node) {
    for start in [0, 3] {
        let want = run(case, plan, State::Differential, 1, start);
        for workers in [1, 2, 4] {
            let got = run(case, plan, State::Hash, workers, start);
            for (tick, (got, want)) in got.iter().zip(&want).enumerate() {
                let place = format!("{name}, seed {seed}, start {start}, {workers} workers, tick {tick}");
                let so_far = || case.1[..=tick].join("\n");
                assert_eq!(got.0, want.0, "changes of {place} of\n{}", so_far());
                assert_eq!(got.1, want.1, "errors of {place} of\n{}", so_far());
                assert_eq!(got.2, want.2, "late rows of {place} of\n{}", so_far());
            }
        }
    }
}

fn over_tables(name: &str, ticks: usize, plan: impl Fn(&Relation, &Relation) -> Node) {
    for seed in 1..=3 {
        let case = tables(seed, ticks);
        compare(name, seed, &case, &plan(&case.0[0], &case.0[1]));
    }
}

fn over_streams(name: &str, ticks: usize, plan: impl Fn(&Relation, &Relation) -> Node) {
    for seed in 1..=6 {
        let case = streams(seed, ticks);
        compare(name, seed, &case, &plan(&case.0[0], &case.0[1]));
    }
}

fn distinct(mut aggregate: Aggregate) -> Aggregate {
    aggregate.distinct = true;
    aggregate
}

fn filtered(mut aggregate: Aggregate) -> Aggregate {
    aggregate.filter = Some(B);
    aggregate
}

fn ordered(mut aggregate: Aggregate) -> Aggregate {
    aggregate.order = vec![by(D, true, true), by(J, false, false)];
    aggregate
}

fn numbers() -> Vec<Aggregate> {
    let mut all = vec![aggregate(F::Count, &[], "bigint"), aggregate(F::Count, &[J, D], "bigint")];
    for (c, sum, mean) in
        [(J, "bigint", "double"), (D, "double", "double"), (M, "dec38.2", "dec38.6"), (I, "bigint", "double")]
    {
        all.push(aggregate(F::Sum, &[c], sum));
        all.push(aggregate(F::Avg, &[c], mean));
        all.push(aggregate(F::Variance { population: c == D }, &[c], "double"));
        all.push(aggregate(F::Stddev { population: c == M }, &[c], "double"));
        all.push(distinct(aggregate(F::Sum, &[c], sum)));
        all.push(filtered(distinct(aggregate(F::Avg, &[c], mean))));
        all.push(filtered(aggregate(F::Count, &[c], "bigint")));
    }
    all.push(distinct(aggregate(F::Count, &[K, M], "bigint")));
    all.push(aggregate(F::Avg, &[X], "double"));
    all.push(aggregate(F::Stddev { population: true }, &[X], "double"));
    all.push(aggregate(F::Variance { population: false }, &[W], "double"));
    all
}

fn values() -> Vec<Aggregate> {
    let types = ["text", "bigint", "bigint", "double", "dec2", "dec38.4", "bool", "int"];
    let mut all = vec![aggregate(F::BoolAnd, &[B], "bool"), filtered(aggregate(F::BoolOr, &[B], "bool"))];
    for (c, name) in types.into_iter().enumerate() {
        all.push(aggregate(F::Min, &[c], name));
        all.push(filtered(aggregate(F::Max, &[c], name)));
    }
    let agg = || aggregate(F::StringAgg { separator: "/".to_owned() }, &[K], "text");
    all.extend([agg(), ordered(agg()), distinct(agg()), ordered(distinct(agg()))]);
    all.push(aggregate(F::CollectList, &[J], "[bigint]"));
    all.push(ordered(aggregate(F::CollectList, &[K], "[text]")));
    all.push(aggregate(F::CollectSet, &[M], "[dec2]"));
    all.push(filtered(distinct(aggregate(F::CollectList, &[X], "[bigint]"))));
    for ignore_nulls in [false, true] {
        all.push(ordered(aggregate(F::Latest { n: None, ignore_nulls }, &[X], "bigint")));
        all.push(aggregate(F::Latest { n: Some(2), ignore_nulls }, &[K], "[text]"));
        all.push(ordered(distinct(aggregate(F::Earliest { n: Some(3), ignore_nulls }, &[I], "[int]"))));
        all.push(aggregate(F::Earliest { n: None, ignore_nulls }, &[D], "double"));
    }
    all
}

#[test]
fn aggregates_of_numbers() {
    over_tables("numbers", 8, |l, _| reduce(l.source(), &[K], numbers()));
    over_tables("numbers of all rows", 6, |l, _| reduce(l.source(), &[], numbers()));
}

#[test]
fn aggregates_of_values() {
    over_tables("values", 8, |l, _| reduce(l.source(), &[J], values()));
    over_tables("values of all rows", 6, |l, _| reduce(l.source(), &[], values()));
}

#[test]
fn sums_out_of_range() {
    over_tables("out of range", 10, |l, _| {
        let aggregates = vec![aggregate(F::Sum, &[W], "dec38.4"), aggregate(F::Sum, &[X], "bigint")];
        reduce(l.source(), &[K], aggregates)
    });
    over_tables("means of long decimals", 8, |l, _| {
        reduce(l.source(), &[B], vec![aggregate(F::Avg, &[W], "dec38.8"), aggregate(F::Max, &[W], "dec38.4")])
    });
}

#[test]
fn distinct_rows_and_keys_of_every_type() {
    over_tables("distinct", 8, |l, _| reduce(l.source(), &[K, J, D, M, W, B, I], vec![]));
    over_tables("distinct of few", 8, |l, _| reduce(l.source(), &[D], vec![]));
}

#[test]
fn aggregates_by_arrival() {
    let aggregates = || {
        let mut all = vec![aggregate(F::Min, &[3], "bigint"), aggregate(F::Max, &[2], "text")];
        for n in [None, Some(2)] {
            let name = if n.is_some() { "[bigint]" } else { "bigint" };
            all.push(aggregate(F::Latest { n, ignore_nulls: n.is_none() }, &[3], name));
            all.push(aggregate(F::Earliest { n, ignore_nulls: n.is_some() }, &[3], name));
        }
        all.push(aggregate(F::CollectList, &[3], "[bigint]"));
        all.push(distinct(aggregate(F::CollectList, &[3], "[bigint]")));
        all.iter_mut().for_each(|aggregate| aggregate.arrival = Some((4, 5)));
        all
    };
    over_streams("by arrival", 8, |l, _| reduce(l.stream(), &[2], aggregates()));
    // the same over rows that can be retracted: a join whose right side is a view
    over_streams("by arrival, retracted", 8, |l, r| {
        let joined = join_node(join(l.stream(), r.stream(), JoinKind::Left, &[(3, 3)]));
        reduce(joined, &[2], aggregates())
    });
}

const KINDS: [JoinKind; 6] =
    [JoinKind::Inner, JoinKind::Left, JoinKind::Full, JoinKind::Semi, JoinKind::Anti, JoinKind::Mark];

fn joins(name: &str, ticks: usize, on: &[(usize, usize)], change: impl Fn(&mut Join)) {
    for kind in KINDS {
        over_tables(&format!("{name}, {kind:?}"), ticks, |l, r| {
            let mut join = join(l.source(), r.source(), kind, on);
            change(&mut join);
            join_node(join)
        });
    }
}

#[test]
fn joins_by_keys() {
    joins("one key", 6, &[(J, J)], |_| {});
    joins("two keys, NULL equals NULL", 6, &[(K, K), (J, J)], |join| join.null_equal = true);
    joins("swapped keys", 5, &[(J, X), (X, J)], |_| {});
}

#[test]
fn joins_with_a_residual() {
    let width = schema(TABLE).fields().len();
    joins("residual", 6, &[(J, J)], |join| {
        join.residual = Some(binary(col(I), Operator::LtEq, col(width + I)));
    });
    // 10 / x fails where x is 0
    joins("failing residual", 6, &[(K, K)], |join| {
        join.residual = Some(binary(binary(bigint(10), Operator::Divide, col(width + X)), Operator::Gt, col(J)));
    });
}

#[test]
fn joins_of_everything() {
    joins("no key", 4, &[], |_| {});
    let width = schema(TABLE).fields().len();
    joins("no key, residual", 4, &[], |join| {
        join.residual = Some(binary(col(J), Operator::Lt, col(width + J)));
    });
}

#[test]
fn not_in() {
    for residual in [false, true] {
        over_tables(&format!("NOT IN, residual {residual}"), 12, |l, r| {
            let mut join = join(l.source(), r.source(), JoinKind::Anti, &[(J, I)]);
            join.on = vec![(J, J)];
            join.null_aware = true;
            join.residual = residual.then(|| binary(col(K), Operator::Eq, col(schema(TABLE).fields().len() + K)));
            join_node(join)
        });
    }
    // few rows, so that the right side is often empty or without NULL
    for seed in 1..=8 {
        let mut random = Random(seed * 77);
        let relations = vec![Relation::new("L", "j bigint").kept(), Relation::new("R", "j bigint").kept()];
        let mut held: [Vec<&str>; 2] = [vec![], vec![]];
        let ticks = (0..14).map(|_| {
            let mut text = String::new();
            for (relation, held) in relations.iter().zip(&mut held) {
                let remove = !held.is_empty() && random.below(2) == 0;
                let row = if remove { held.swap_remove(0) } else { random.one_of(&["1", "2", "NULL"]) };
                if !remove {
                    held.push(row);
                }
                text += &format!("{} {}{row};", relation.name, if remove { '-' } else { '+' });
            }
            text
        });
        let case = (relations.clone(), ticks.collect());
        let mut join = join(relations[0].source(), relations[1].source(), JoinKind::Anti, &[(0, 0)]);
        join.null_aware = true;
        compare("NOT IN of few", seed, &case, &join_node(join));
    }
}

#[test]
fn joins_of_reductions_of_joins() {
    over_tables("a chain", 8, |l, r| {
        let inner = join_node(join(l.source(), r.source(), JoinKind::Left, &[(J, J)]));
        let width = l.schema.fields().len();
        let groups =
            reduce(inner, &[K], vec![aggregate(F::Count, &[width + X], "bigint"), aggregate(F::Max, &[D], "double")]);
        let single = reduce(r.source(), &[], vec![aggregate(F::Max, &[I], "int")]);
        let crossed = join_node(join(groups, single, JoinKind::Inner, &[]));
        topk(crossed, &[1], &[by(2, true, false)], 0, Some(2))
    });
}

#[test]
fn top_rows() {
    for (offset, limit) in [(0, Some(1)), (1, Some(2)), (2, None), (0, Some(100)), (0, Some(0))] {
        over_tables(&format!("top {offset} {limit:?}"), 7, |l, _| {
            topk(l.source(), &[K], &[by(X, true, true), by(D, false, false)], offset, limit)
        });
        over_streams(&format!("top of a stream {offset} {limit:?}"), 7, |l, _| {
            topk(l.stream(), &[2], &[by(3, true, false), by(0, false, true)], offset, limit)
        });
        over_tables(&format!("numbered {offset} {limit:?}"), 7, |l, _| {
            numbered(topk(l.source(), &[K], &[by(X, true, true), by(D, false, false)], offset, limit))
        });
        over_streams(&format!("numbered of a stream {offset} {limit:?}"), 7, |l, _| {
            numbered(topk(l.stream(), &[2], &[by(3, true, false), by(0, false, true)], offset, limit))
        });
    }
}

#[test]
fn sets() {
    for kind in [SetOpKind::Intersect, SetOpKind::Except] {
        for all in [false, true] {
            over_tables(&format!("{kind:?} all {all}"), 10, |l, r| {
                let side = |relation: &Relation| {
                    let op = Op::Source { relation: relation.id, name: relation.name.to_owned(), columns: vec![K, J] };
                    nodes(op, &schema("k text, j bigint"))
                };
                let op = Op::SetOp { left: Box::new(side(l)), right: Box::new(side(r)), kind, all };
                nodes(op, &schema("k text, j bigint"))
            });
        }
    }
}

#[test]
fn guards() {
    for keys in [vec![], vec![K, J]] {
        over_tables("at most one", 10, |l, _| {
            let op = Op::AtMostOne { input: Box::new(l.source()), keys: keys.clone() };
            nodes(op, &l.schema)
        });
    }
}

#[test]
fn tables_as_of_a_tick() {
    for (outer, residual) in [(false, false), (true, false), (true, true)] {
        for seed in 1..=4 {
            let (mut relations, tables) = tables(seed, 8);
            let (streams, changes) = streams(seed, 8);
            let stream = Relation {
                name: "S",
                ..Relation::new("S", "t bigint, lane bigint, k text, x bigint, p int, o bigint")
            };
            let text = |tick: usize| {
                let rows = changes[tick].split(';').find(|part| part.starts_with("L "));
                format!("{}{}", tables[tick], rows.map_or(String::new(), |rows| format!("S {}", &rows[2..])))
            };
            let ticks: Vec<String> = (0..8).map(text).collect();
            drop(streams);
            let op = Op::AsOfJoin {
                stream: Box::new(stream.stream()),
                table: Box::new(relations[0].source()),
                on: vec![(2, K)],
                residual: residual
                    .then(|| binary(col(3), Operator::Lt, binary(bigint(10), Operator::Divide, col(6 + X)))),
                outer,
            };
            let plan = nodes(op, &concat(&stream.schema, &relations[0].schema));
            relations.push(stream);
            compare("as of", seed, &(relations, ticks), &Node { append_only: true, ..plan });
        }
    }
}

#[test]
fn windows_close_and_leave() {
    for (size, advance) in [(10, 10), (10, 4)] {
        for (emit_final, retention) in [(false, 30), (true, 30), (false, 6), (true, 17)] {
            over_streams(&format!("windows {size} {advance} {emit_final} {retention}"), 14, |l, _| {
                let mut window = close(1, 3, retention, &[l]);
                window.emit_final = emit_final;
                let mut last = aggregate(F::Latest { n: Some(2), ignore_nulls: false }, &[3], "[bigint]");
                last.arrival = Some((4, 5));
                let aggregates = vec![
                    aggregate(F::Sum, &[3], "bigint"),
                    distinct(aggregate(F::Count, &[3], "bigint")),
                    aggregate(F::Max, &[3], "bigint"),
                    last,
                ];
                windowed(windows(l.stream(), size, advance, 3), &[2, 6, 7], aggregates, window)
            });
        }
    }
}

#[test]
fn windows_over_rows_that_can_be_retracted() {
    over_streams("windows over a join", 12, |l, r| {
        let joined = join_node(join(l.stream(), r.stream(), JoinKind::Left, &[(3, 3)]));
        let aggregates = vec![aggregate(F::Count, &[9], "bigint"), aggregate(F::Min, &[5], "bigint")];
        windowed(windows(joined, 10, 10, 3), &[2, 12, 13], aggregates, close(1, 3, 30, &[l]))
    });
}

#[test]
fn sessions() {
    for (emit_final, retention) in [(false, 60), (true, 60), (false, 9)] {
        over_streams(&format!("sessions {emit_final} {retention}"), 16, |l, _| {
            let mut window = close(1, 2, retention, &[l]);
            window.emit_final = emit_final;
            let mut list = aggregate(F::CollectList, &[3], "[bigint]");
            list.arrival = Some((4, 5));
            let aggregates = vec![
                aggregate(F::Count, &[], "bigint"),
                distinct(aggregate(F::Sum, &[3], "bigint")),
                aggregate(F::Min, &[3], "bigint"),
                aggregate(F::Stddev { population: true }, &[3], "double"),
                list,
            ];
            let op = Op::SessionReduce {
                input: Box::new(l.stream()),
                keys: vec![2],
                time: 0,
                lane: Some(Lane { time: 1, place: Some((4, 5)) }),
                gap_ms: 4,
                aggregates,
                window,
            };
            nodes(op, &schema("k text, ws bigint, we bigint, n bigint, s bigint, m bigint, d double, l [bigint]"))
        });
    }
}

#[test]
fn streams_near_each_other() {
    for kind in [JoinKind::Inner, JoinKind::Left, JoinKind::Full] {
        for residual in [false, true] {
            over_streams(&format!("within {kind:?} {residual}"), 14, |l, r| {
                let join = WithinJoin {
                    left: Box::new(l.stream()),
                    right: Box::new(r.stream()),
                    kind,
                    on: vec![(2, 2)],
                    residual: residual.then(|| binary(col(3), Operator::LtEq, col(6 + 3))),
                    times: (0, 0),
                    lanes: (Some(Lane { time: 1, place: Some((4, 5)) }), lane()),
                    before_ms: 3,
                    after_ms: 6,
                    grace_ms: 2,
                    time_sources: (vec![l.id], vec![r.id]),
                };
                nodes(Op::WithinJoin(join), &concat(&l.schema, &r.schema))
            });
        }
    }
}

#[test]
fn the_columns_are_what_they_are_called() {
    let schema = schema(TABLE);
    let types: Vec<&DataType> = schema.fields().iter().map(|f| f.data_type()).collect();
    assert_eq!(
        [types[K], types[X], types[D], types[B]],
        [&DataType::Utf8, &DataType::Int64, &DataType::Float64, &DataType::Boolean]
    );
    assert_eq!((types[J], types[I]), (&DataType::Int64, &DataType::Int32));
    assert!(matches!((types[M], types[W]), (DataType::Decimal128(10, 2), DataType::Decimal128(38, 4))));
}
