//! A query over much that is kept says early what is sure to stand, and in the end what it would have said at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use arrow::array::{ArrayRef, Int64Array};
use millrace_data::Batch;
use millrace_dataflow::{Engine, Options, Rows, TickInputs, TickOutput};
use millrace_planner::plan::{AggregateFunction as F, JoinKind, Node, State};
use millrace_world::{Clock, SimulatedWorld, World};

use crate::harness::{QUERY, Relation, install, set_state};
use crate::nodes::{aggregate, join, join_node, reduce};

/// Rows that are kept: more than a source gives at once.
const KEPT: i64 = 200_000;

/// Whoever looks at it takes his time.
#[derive(Debug, Default)]
struct SlowClock(AtomicU64);

impl Clock for SlowClock {
    fn wall_ms(&self) -> i64 {
        0
    }
    fn monotonic_ns(&self) -> u64 {
        self.0.fetch_add(10_000_000, Ordering::SeqCst)
    }
    fn sleep(&self, _: Duration) {}
}

fn world() -> World {
    let world = SimulatedWorld::new(1);
    let world = world.world();
    let parts = (Arc::clone(world.files()), Arc::clone(world.entropy()), Arc::clone(world.threads()));
    World::of(Arc::new(SlowClock::default()), parts.0, parts.1, parts.2)
}

/// What the query says in its first tick, in order. `early`: it may say some of it before the tick's end.
fn said(plan: &Node, s: &Relation, early: bool, workers: usize) -> Vec<TickOutput> {
    let mut engine = Engine::start(&Options { workers, early, ..Options::default() }, &world()).expect("threads start");
    engine.add_relation(s.base());
    let column: ArrayRef = Arc::new(Int64Array::from_iter_values(0..KEPT));
    let batch = Batch::new(vec![column], None, KEPT as usize);
    let rows = vec![Rows { relation: s.id, batch, deletes: None, only: None }];
    engine.tick(TickInputs { rows, ..TickInputs::default() }).expect("no panic");
    engine.wait().expect("no panic");
    install(&mut engine, QUERY, plan.clone());
    engine.tick(TickInputs::default()).expect("no panic");
    let mut outputs = vec![];
    loop {
        let some = engine.wait_for_some().expect("no panic");
        if some.is_empty() {
            return outputs;
        }
        outputs.extend(some);
    }
}

/// The values that were said, each as often as it was.
fn values(outputs: &[TickOutput]) -> Vec<i64> {
    let batches = outputs.iter().flat_map(|output| &output.changes).flat_map(|(_, batches)| batches);
    let mut values: Vec<i64> = vec![];
    for batch in batches {
        assert!((0..batch.len()).all(|i| batch.diff(i) == 1), "only insertions");
        let column = batch.column(0).as_any().downcast_ref::<Int64Array>().expect("BIGINT");
        values.extend(column.values());
    }
    values.sort_unstable();
    values
}

fn check(plan: &Node, s: &Relation, workers: usize) {
    let whole = said(plan, s, false, workers);
    assert_eq!(whole.iter().map(|output| output.more).collect::<Vec<_>>(), [false]);
    // who looks too seldom sees all of it at once: then it is tried again
    for _ in 0..20 {
        let parts = said(plan, s, true, workers);
        assert_eq!(values(&parts), values(&whole), "{workers} workers");
        let (last, before) = parts.split_last().expect("a tick ends");
        assert!(!last.more && before.iter().all(|output| output.more && output.tick == last.tick));
        assert!(before.iter().all(|output| output.errors.is_empty() && !output.changes.is_empty()));
        if !before.is_empty() {
            return;
        }
    }
    panic!("nothing was said early with {workers} workers");
}

#[test]
fn rows_of_a_stream_come_as_they_are_found() {
    let s = Relation::new("S", "x bigint").kept();
    for workers in [1, 2] {
        check(&s.stream(), &s, workers);
    }
}

#[test]
fn pairs_of_a_join_come_as_they_are_found() {
    let s = Relation::new("S", "x bigint").kept();
    let mut plan = join_node(join(s.stream(), s.stream(), JoinKind::Inner, &[(0, 0)]));
    set_state(&mut plan, State::Hash);
    check(&plan, &s, 1);
}

/// A sum is not known before the last row.
#[test]
fn what_may_change_is_not_said_early() {
    let s = Relation::new("S", "x bigint").kept();
    let mut plan = reduce(s.stream(), &[], vec![aggregate(F::Sum, &[0], "bigint")]);
    set_state(&mut plan, State::Hash);
    let said = said(&plan, &s, true, 1);
    assert_eq!(said.iter().map(|output| output.more).collect::<Vec<_>>(), [false]);
    assert_eq!(values(&said), [KEPT * (KEPT - 1) / 2]);
}
