//! The engine itself: relations, queries that come and go, workers that fail.

use std::sync::Arc;

use arrow::array::{AsArray, BooleanArray, Int64Array};
use arrow::datatypes::Int64Type;
use arrow::record_batch::RecordBatch;
use millrace_data::Batch;
use millrace_dataflow::{
    BaseRelation, Dataflow, Engine, EngineError, Intake, Options, Publish, QueryId, Rows, Stepping, TickInputs,
};
use millrace_planner::catalog::RelationId;
use millrace_planner::plan::{AggregateFunction as F, JoinKind, Node, Op};
use millrace_world::SimulatedWorld;

use crate::harness::{Relation, batch, changes, changes_of_query, inputs, install, nodes, schema};
use crate::nodes::{aggregate, join, join_node, reduce};

const STEPPINGS: [Stepping; 2] = [Stepping::Threads, Stepping::Seeded(3)];

fn start(workers: usize, stepping: Stepping) -> Engine {
    let world = SimulatedWorld::new(1);
    Engine::start(&Options { workers, stepping, ticks_in_flight_max: 4, ..Options::default() }, world.world())
        .expect("threads start")
}

/// What the engine says of one tick.
fn tick(engine: &mut Engine, inputs: TickInputs) -> millrace_dataflow::TickOutput {
    engine.tick(inputs).expect("no panic");
    engine.wait().expect("no panic").pop().expect("a tick")
}

fn constant(rows: &str, columns: &str) -> Node {
    let schema = schema(columns);
    let rows: RecordBatch = batch(rows, &schema).to_record_batch(&schema).expect("columns of the schema");
    nodes(Op::Constant { rows }, &schema)
}

#[test]
fn queries_that_are_removed_leave_no_dataflow_behind() {
    for stepping in STEPPINGS {
        for workers in [1, 2] {
            let (l, r) =
                (Relation::new("L", "k bigint, a text").kept(), Relation::new("R", "k bigint, b bigint").kept());
            let mut engine = start(workers, stepping);
            engine.add_relation(l.base());
            engine.add_relation(r.base());
            tick(&mut engine, inputs(&[l.clone(), r.clone()], "L +1,a; R +1,10"));
            for round in 0..10 {
                for i in 0..100 {
                    let joined = join_node(join(l.source(), r.source(), JoinKind::Left, &[(0, 0)]));
                    let plan = reduce(joined, &[0], vec![aggregate(F::Count, &[], "bigint")]);
                    install(&mut engine, QueryId(round * 100 + i), plan);
                }
                let output = tick(&mut engine, TickInputs::default());
                assert_eq!(output.changes.len(), 100);
                assert_eq!(engine.dataflows().expect("no panic"), vec![100; workers]);
                (0..100).for_each(|i| engine.remove(QueryId(round * 100 + i)));
            }
            // one tick for each hand-over of progress between workers
            for _ in 0..8 {
                tick(&mut engine, inputs(&[l.clone(), r.clone()], "L +1,b"));
            }
            assert_eq!(engine.dataflows().expect("no panic"), vec![0; workers]);
            assert!(engine.stats().expect("no panic").is_empty());
        }
    }
}

#[test]
fn rows_that_only_pass_stay_in_order_and_all_workers_share_them() {
    for stepping in STEPPINGS {
        for workers in [1, 2, 3] {
            let t = Relation::new("T", "k bigint");
            let mut engine = start(workers, stepping);
            engine.add_relation(t.base());
            install(&mut engine, QueryId(1), t.stream());
            for first in [0, 10_000] {
                let keys = first..first + 5_000;
                let rows = Batch::new(vec![Arc::new(Int64Array::from_iter_values(keys.clone()))], None, 5_000);
                let rows = vec![Rows { relation: t.id, batch: rows, deletes: None, only: None }];
                let output = tick(&mut engine, TickInputs { rows, ..TickInputs::default() });
                let batches = &output.changes.first().expect("the query's rows").1;
                assert_eq!(batches.len(), workers, "each worker has a share");
                let keys_out = batches.iter().flat_map(|b| b.column(0).as_primitive::<Int64Type>().values().to_vec());
                assert!(keys_out.eq(keys), "{workers} workers");
            }
        }
    }
}

#[test]
fn a_panic_is_reported_and_the_engine_still_stops() {
    for stepping in STEPPINGS {
        for workers in [1, 2, 4] {
            let t = Relation::new("T", "k text");
            let mut engine = start(workers, stepping);
            engine.add_relation(t.base());
            // SUM of a text is no plan
            install(&mut engine, QueryId(1), reduce(t.source(), &[], vec![aggregate(F::Sum, &[0], "bigint")]));
            let told = (0..10).find_map(|_| {
                let outcome = engine.tick(inputs(std::slice::from_ref(&t), "T +a"));
                outcome.and_then(|_| engine.wait()).err()
            });
            let Some(EngineError::WorkerPanicked { message, .. }) = told else { panic!("nothing was reported") };
            assert!(message.contains("Utf8 is not a type of number"), "{message}");
            drop(engine);
        }
    }
}

#[test]
fn constants_are_there_once_and_do_not_hold_ticks_up() {
    for stepping in STEPPINGS {
        for workers in [1, 2, 4] {
            let mut engine = start(workers, stepping);
            tick(&mut engine, TickInputs::default());
            install(&mut engine, QueryId(1), constant("+1,a | +2,NULL", "x bigint, y text"));
            let output = tick(&mut engine, TickInputs::default());
            assert_eq!(changes_of_query(&output, QueryId(1)), changes("+1,a | +2,NULL"));
            assert!(tick(&mut engine, TickInputs::default()).changes.is_empty());
            // an aggregate over no rows
            let nothing = constant("+1", "x bigint");
            let limited = crate::nodes::topk(nothing, &[], &[], 5, None);
            install(&mut engine, QueryId(2), reduce(limited, &[], vec![aggregate(F::Count, &[], "bigint")]));
            let output = tick(&mut engine, TickInputs::default());
            assert_eq!(changes_of_query(&output, QueryId(2)), changes("+0"));
            assert!(tick(&mut engine, TickInputs::default()).changes.is_empty());
        }
    }
}

#[test]
fn derived_relations_chain_within_a_tick() {
    for stepping in STEPPINGS {
        for workers in [1, 2, 4] {
            let t = Relation::new("T", "k text, x bigint");
            let mut engine = start(workers, stepping);
            engine.add_relation(t.base());
            let mut source = t.source();
            let derived = |i: u32| Relation { id: RelationId(1000 + i), ..Relation::new("D", "k text, x bigint") };
            for i in 0..10 {
                let root = reduce(source, &[0], vec![aggregate(F::Sum, &[1], "bigint")]);
                let publish = Some(Publish { relation: derived(i).id, keep: i == 9 });
                let name = format!("derived {i}");
                engine.install(QueryId(u64::from(i)), Dataflow { name, root, publish, deliver: i == 9 });
                source = derived(i).source();
            }
            let relations = [t.clone()];
            let output = tick(&mut engine, inputs(&relations, "T +a,1 | +a,2 | +b,1"));
            assert_eq!(changes_of_query(&output, QueryId(9)), changes("+a,3 | +b,1"));
            let output = tick(&mut engine, inputs(&relations, "T -a,1"));
            assert_eq!(changes_of_query(&output, QueryId(9)), changes("-a,3 | +a,2"));
            // a reader that comes later starts from what was kept, also when the writer is gone
            engine.remove(QueryId(9));
            tick(&mut engine, inputs(&relations, "T +b,5"));
            install(&mut engine, QueryId(20), derived(9).source());
            let output = tick(&mut engine, inputs(&relations, "T +b,5"));
            assert_eq!(changes_of_query(&output, QueryId(20)), changes("+a,2 | +b,1"));
        }
    }
}

#[test]
fn two_writers_add_up() {
    let t = Relation::new("T", "k text, x bigint");
    let into = Relation { id: RelationId(77), ..t.clone() };
    let mut engine = start(2, Stepping::Seeded(5));
    engine.add_relation(t.base());
    engine.add_derived(into.id, &into.schema, true);
    for query in [1, 2] {
        let publish = Some(Publish { relation: into.id, keep: true });
        engine.install(QueryId(query), Dataflow { name: "w".to_owned(), root: t.source(), publish, deliver: false });
    }
    install(&mut engine, QueryId(3), into.source());
    let output = tick(&mut engine, inputs(std::slice::from_ref(&t), "T +a,1"));
    assert_eq!(changes_of_query(&output, QueryId(3)), changes("+a,1 *2"));
    engine.remove(QueryId(1));
    let output = tick(&mut engine, inputs(std::slice::from_ref(&t), "T +b,1"));
    assert_eq!(changes_of_query(&output, QueryId(3)), changes("+b,1"));
}

#[test]
fn rows_for_one_query_only_reach_no_other_and_are_not_kept() {
    for workers in [1, 2] {
        let t = Relation::new("T", "k text").kept();
        let mut engine = start(workers, Stepping::Threads);
        engine.add_relation(t.base());
        install(&mut engine, QueryId(1), t.source());
        install(&mut engine, QueryId(2), t.source());
        let mut rows = inputs(std::slice::from_ref(&t), "T +all");
        let only = Rows { relation: t.id, batch: batch("+one", &t.schema), deletes: None, only: Some(QueryId(2)) };
        rows.rows.push(only);
        let output = tick(&mut engine, rows);
        assert_eq!(changes_of_query(&output, QueryId(1)), changes("+all"));
        assert_eq!(changes_of_query(&output, QueryId(2)), changes("+all | +one"));
        install(&mut engine, QueryId(3), t.source());
        let output = tick(&mut engine, TickInputs::default());
        assert_eq!(changes_of_query(&output, QueryId(3)), changes("+all"));
    }
}

#[test]
fn keyed_tables_take_upserts_in_and_reject_null_keys() {
    for workers in [1, 2, 4] {
        let t = Relation::new("T", "k bigint, x text");
        let mut engine = start(workers, Stepping::Seeded(9));
        engine.add_relation(BaseRelation { intake: Intake::Upsert { key: vec![0] }, ..t.base() });
        install(&mut engine, QueryId(1), t.source());
        let rows = |rows: &str, deletes: Vec<bool>| Rows {
            relation: t.id,
            batch: batch(rows, &t.schema),
            deletes: Some(BooleanArray::from(deletes)),
            only: None,
        };
        let first = rows("+1,a | +2,b | +1,c | +NULL,n", vec![false; 4]);
        let output = tick(&mut engine, TickInputs { rows: vec![first], ..TickInputs::default() });
        assert_eq!(changes_of_query(&output, QueryId(1)), changes("+1,c | +2,b"));
        assert_eq!(output.rejected.len(), 1);
        assert_eq!(output.rejected[0].reason, "the primary key column k is NULL");
        let second = rows("+2,NULL | +1,c | +3,z", vec![true, false, true]);
        let output = tick(&mut engine, TickInputs { rows: vec![second], ..TickInputs::default() });
        assert_eq!(changes_of_query(&output, QueryId(1)), changes("-2,b"));
    }
}

#[test]
fn operators_count_what_they_produce_and_hold() {
    let t = Relation::new("T", "k text, x bigint");
    let mut engine = start(2, Stepping::Threads);
    engine.add_relation(t.base());
    install(&mut engine, QueryId(1), reduce(t.source(), &[0], vec![aggregate(F::Count, &[], "bigint")]));
    tick(&mut engine, inputs(std::slice::from_ref(&t), "T +a,1 | +b,2 | +b,3"));
    let stats = engine.stats().expect("no panic");
    let reduce = || stats.iter().filter(|s| s.operator == "Reduce");
    assert_eq!(reduce().map(|s| s.rows_out).sum::<u64>(), 2);
    assert!(reduce().map(|s| s.bytes).sum::<u64>() > 0);
    assert_eq!(reduce().count(), 2, "one per worker");
}

#[test]
fn int64_cells_survive_the_way_through() {
    let cells = Arc::new(Int64Array::from(vec![i64::MIN, i64::MAX]));
    let schema = schema("x bigint");
    let rows = RecordBatch::try_new(Arc::clone(&schema), vec![cells]).expect("columns of the schema");
    let mut engine = start(1, Stepping::Threads);
    install(&mut engine, QueryId(1), reduce(nodes(Op::Constant { rows }, &schema), &[0], vec![]));
    let output = tick(&mut engine, TickInputs::default());
    assert_eq!(changes_of_query(&output, QueryId(1)), changes("+-9223372036854775808 | +9223372036854775807"));
}
