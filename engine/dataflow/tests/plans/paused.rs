//! A query that was paused and is resumed has said what it would have said: everything is added up and compared with an
//! engine in which nobody was paused.

use std::collections::BTreeMap;

use millrace_dataflow::{Dataflow, Publish, QueryId, TickInputs, TickOutput, Waking};
use millrace_planner::plan::{AggregateFunction as F, Node, Op, State};

use crate::harness::{
    Changes, Relation, batch, changes, changes_of, changes_of_query, errors_of, inputs, late_of, nodes, set_state,
};
use crate::idle::{K, Net, Random, TICKS, happens, start};
use crate::nodes::{aggregate, close, concat, windowed, windows};

/// Queries are paused before this tick, counted from 0, and resumed before that one.
const PAUSED: std::ops::Range<usize> = 10..35;

/// What there is at the end of each tick, per query: rows so far, late rows and error rows so far.
type SoFar = Vec<(BTreeMap<QueryId, Changes>, Vec<String>, Vec<String>)>;

fn queries(net: &Net) -> Vec<(Node, Option<Publish>)> {
    let as_of = Op::AsOfJoin {
        stream: Box::new(net.a.stream()),
        table: Box::new(net.table.source()),
        on: vec![(K, 0)],
        residual: None,
        outer: true,
    };
    let as_of = nodes(as_of, &concat(&net.a.schema, &net.table.schema));
    let mut window = close(1, 2, 40, &[&net.a]);
    window.emit_final = true;
    let counts = vec![aggregate(F::Count, &[], "bigint")];
    let last = windowed(windows(net.a.stream(), 10, 5, 2), &[K, 4, 5], counts, window);
    let others = net.others().into_iter().chain([as_of, last]).chain(net.filters());
    net.chain().into_iter().chain(others.map(|root| (root, None))).collect()
}

/// `pauses`: whether a third of the queries are paused, and one of them before its first tick.
fn run(pauses: bool, waking: Waking, workers: usize, state: State, seed: u64) -> SoFar {
    let net = Net::new();
    let mut engine = start(waking, workers, &net);
    let (mut random, mut time) = (Random(seed), 0);
    let queries = queries(&net);
    let paused: Vec<QueryId> = (0..queries.len() as u64).filter(|id| id % 3 == seed % 3).map(QueryId).collect();
    for tick in 0..TICKS {
        if tick == 2 {
            for (id, (mut root, publish)) in (0..).map(QueryId).zip(queries.clone()) {
                set_state(&mut root, state);
                engine.install(id, Dataflow { name: id.0.to_string(), root, publish, deliver: true });
            }
            if pauses {
                engine.pause(paused[1]);
            }
        }
        if pauses && tick == PAUSED.start {
            paused.iter().for_each(|id| engine.pause(*id));
        }
        if pauses && tick == PAUSED.end {
            paused.iter().for_each(|id| engine.resume(*id));
        }
        engine.tick(happens(&net, &mut random, &mut time)).expect("no panic");
    }
    let outputs = engine.wait().expect("no panic");
    if pauses {
        for output in &outputs[PAUSED] {
            assert!(output.changes.iter().all(|(id, _)| !paused.contains(id)), "a paused query said something");
        }
    }
    add_up(&outputs)
}

fn add_up(outputs: &[TickOutput]) -> SoFar {
    let (mut rows, mut late, mut errors) = (BTreeMap::<QueryId, Changes>::new(), vec![], vec![]);
    let so_far = |output: &TickOutput| {
        for (id, batches) in &output.changes {
            let sum = rows.entry(*id).or_default();
            for (row, diff) in changes_of(batches) {
                *sum.entry(row).or_default() += diff;
            }
            sum.retain(|_, diff| *diff != 0);
        }
        late.extend(late_of(output));
        errors.extend(errors_of(output));
        late.sort();
        errors.sort();
        (rows.clone(), late.clone(), errors.clone())
    };
    outputs.iter().map(so_far).collect()
}

#[test]
fn who_was_paused_says_what_it_would_have_said() {
    for (seed, state) in [(1, State::Hash), (2, State::Hash), (3, State::Differential)] {
        let want = run(false, Waking::Needed, 1, state, seed);
        for (waking, workers) in [(Waking::Needed, 1), (Waking::Always, 1), (Waking::Needed, 2)] {
            let got = run(true, waking, workers, state, seed);
            for tick in (0..2).chain(PAUSED.end..TICKS) {
                let place = format!("at tick {tick}, {waking:?}, {workers} workers, {state:?}, seed {seed}");
                let (got, want) = (&got[tick], &want[tick]);
                for (query, want) in &want.0 {
                    assert_eq!(got.0.get(query), Some(want), "query {query:?} {place}");
                }
                assert_eq!(got.1, want.1, "late rows {place}");
                assert_eq!(got.2, want.2, "errors {place}");
            }
        }
    }
}

/// The window of a row has closed while the query was paused; in time the row came all the same.
#[test]
fn windows_close_when_they_would_have() {
    let s = Relation::new("S", "t bigint, lane bigint, k text, x bigint");
    let mut window = close(1, 2, 40, &[&s]);
    window.emit_final = true;
    let sums = vec![aggregate(F::Sum, &[3], "bigint")];
    let mut root = windowed(windows(s.stream(), 10, 10, 2), &[2, 4, 5], sums, window);
    for state in [State::Hash, State::Differential] {
        set_state(&mut root, state);
        let net = Net::new();
        let mut engine = start(Waking::Needed, 1, &net);
        engine.add_relation(s.base());
        let query = QueryId(1);
        let dataflow = Dataflow { name: "sums".to_owned(), root: root.clone(), publish: None, deliver: true };
        engine.install(query, dataflow);
        for (i, text) in ["S +1,NULL,a,1; @S 1", "S +2,1,a,2; @S 2", "S +30,2,a,7; @S 30", "S +3,30,a,100; @S 30", ""]
            .into_iter()
            .enumerate()
        {
            match i {
                1 => engine.pause(query),
                4 => engine.resume(query),
                _ => {}
            }
            engine.tick(inputs(std::slice::from_ref(&s), text)).expect("no panic");
        }
        let outputs = engine.wait().expect("no panic");
        let said: Vec<Changes> = outputs.iter().map(|output| changes_of_query(output, query)).collect();
        assert_eq!(said[..4], vec![Changes::new(); 4], "{state:?}");
        assert_eq!(said[4], changes("+a,0,10,3"), "{state:?}");
        assert_eq!(late_of(&outputs[4]), ["0..10 3 (3, 30, a, 100)"], "{state:?}");
    }
}

/// A table's rows reach who is resumed once, and what was removed while it was paused does no harm.
#[test]
fn who_is_removed_while_paused_is_gone() {
    let net = Net::new();
    let mut engine = start(Waking::Needed, 2, &net);
    let dataflow = |root: Node| Dataflow { name: "q".to_owned(), root, publish: None, deliver: true };
    engine.install(QueryId(1), dataflow(net.a.source()));
    engine.install(QueryId(2), dataflow(net.a.source()));
    engine.tick(TickInputs::default()).expect("no panic");
    (1..3).for_each(|id| engine.pause(QueryId(id)));
    let rows = |row: &str| inputs(std::slice::from_ref(&net.a), &format!("A {row}"));
    engine.tick(rows("+1,1,a,1")).expect("no panic");
    engine.remove(QueryId(1));
    // twice does no harm, and neither does waking who is awake
    engine.pause(QueryId(2));
    engine.resume(QueryId(2));
    engine.resume(QueryId(2));
    engine.tick(rows("+2,1,a,2")).expect("no panic");
    engine.tick(rows("+3,1,a,3")).expect("no panic");
    let said = |output: &TickOutput| -> Vec<(u64, Changes)> {
        output.changes.iter().map(|(id, batches)| (id.0, changes_of(batches))).collect()
    };
    let said: Vec<_> = engine.wait().expect("no panic").iter().map(said).collect();
    let row = |text: &str| changes_of(&[batch(text, &net.a.schema)]);
    let want = [vec![], vec![], vec![(2, row("+1,1,a,1 | +2,1,a,2"))], vec![(2, row("+3,1,a,3"))]];
    assert_eq!(said, want);
}
