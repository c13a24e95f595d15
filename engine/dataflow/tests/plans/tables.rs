//! Keyed tables and bags, and the arrangements that queries share.

use std::collections::BTreeMap;

use arrow::array::BooleanArray;
use millrace_data::hash::mix;
use millrace_dataflow::{BaseRelation, Engine, Intake, Options, QueryId, Rows, Stepping, TickInputs, TickOutput};
use millrace_planner::plan::{JoinKind, Node, Op, State};
use millrace_world::SimulatedWorld;

use crate::harness::{Changes, Relation, batch, changes, changes_of_query, install, nodes, schema, set_state};
use crate::nodes::{concat, join, join_node};

fn start(workers: usize) -> Engine {
    let world = SimulatedWorld::new(1);
    let options =
        Options { workers, stepping: Stepping::Seeded(workers as u64), ticks_in_flight_max: 4, ..Options::default() };
    Engine::start(&options, world.world()).expect("threads start")
}

fn tick(engine: &mut Engine, rows: Vec<Rows>) -> TickOutput {
    engine.tick(TickInputs { rows, ..TickInputs::default() }).expect("no panic");
    engine.wait().expect("no panic").pop().expect("a tick")
}

/// Rows `+…` and deletes `-…`.
fn rows(relation: &Relation, text: &[String]) -> Rows {
    let deletes: Vec<bool> = text.iter().map(|row| row.starts_with('-')).collect();
    let all: Vec<String> = text.iter().map(|row| format!("+{}", &row[1..])).collect();
    let batch = batch(&all.join(" | "), &relation.schema);
    Rows { relation: relation.id, batch, deletes: Some(BooleanArray::from(deletes)), only: None }
}

fn with_state(mut node: Node, state: State) -> Node {
    set_state(&mut node, state);
    node
}

/// Rows with where they stood in their source.
const COLUMNS: &str = "k text, x bigint, ROWTIME bigint, ROWPARTITION int, ROWOFFSET bigint";

fn base(relation: &Relation, intake: Intake) -> BaseRelation {
    BaseRelation { intake, ..relation.base() }
}

/// What a table or bag holds, by the book: whole rows by identity, oldest first.
#[derive(Default)]
struct Model(BTreeMap<String, Vec<String>>);

impl Model {
    fn identity(row: &str, columns: usize) -> String {
        row.split(',').take(columns).collect::<Vec<_>>().join(",")
    }

    fn upsert(&mut self, row: &str) {
        let key = Self::identity(&row[1..], 1);
        match row.starts_with('+') {
            true => self.0.insert(key, vec![row[1..].to_owned()]),
            false => self.0.remove(&key),
        };
    }

    /// Whether there was such a row.
    fn bag(&mut self, row: &str) -> bool {
        let held = self.0.entry(Self::identity(&row[1..], 2)).or_default();
        if let Some(added) = row.strip_prefix('+') {
            held.push(added.to_owned());
        } else if held.is_empty() {
            return false;
        } else {
            held.remove(0);
        }
        true
    }

    fn rows(&self) -> Changes {
        let mut rows = Changes::new();
        self.0.values().flatten().for_each(|row| *rows.entry(row.clone()).or_default() += 1);
        rows
    }
}

fn add(sum: &mut Changes, changes: &Changes) {
    for (row, diff) in changes {
        *sum.entry(row.clone()).or_default() += diff;
    }
    sum.retain(|_, diff| *diff != 0);
}

#[test]
fn tables_and_bags_hold_what_their_rows_say() {
    for (workers, seed) in [(1, 1u64), (2, 2), (4, 3), (1, 4), (2, 5)] {
        for keyed in [true, false] {
            let t = Relation::new("T", COLUMNS);
            let mut engine = start(workers);
            let intake = if keyed { Intake::Upsert { key: vec![0] } } else { Intake::Bag { columns: 2 } };
            engine.add_relation(base(&t, intake));
            let (mut model, mut seen, mut offset) = (Model::default(), Changes::new(), 0);
            install(&mut engine, QueryId(0), t.source());
            for step in 0..30u64 {
                let mut text = vec![];
                let mut rejected = 0;
                for i in 0..mix(seed * 1000 + step) % 9 {
                    let r = mix(seed * 77_777 + step * 100 + i);
                    offset += 1;
                    let sign = if r % 5 < 2 { '-' } else { '+' };
                    let key = ["a", "b", "", "a text of more than seven bytes"][(r >> 8) as usize % 4];
                    let row = format!("{sign}{key},{},{offset},0,{offset}", (r >> 16) % 3);
                    if keyed {
                        model.upsert(&row);
                    } else if !model.bag(&row) {
                        rejected += 1;
                    }
                    text.push(row);
                }
                let inputs = if text.is_empty() { vec![] } else { vec![rows(&t, &text)] };
                let output = tick(&mut engine, inputs);
                add(&mut seen, &changes_of_query(&output, QueryId(0)));
                assert_eq!(seen, model.rows(), "keyed {keyed}, seed {seed}, step {step}: {text:?}");
                assert_eq!(output.rejected.len(), rejected, "keyed {keyed}, seed {seed}, step {step}: {text:?}");
                if step % 7 == 6 {
                    // whoever comes now starts with all of it
                    install(&mut engine, QueryId(step), t.source());
                    let output = tick(&mut engine, vec![]);
                    assert_eq!(changes_of_query(&output, QueryId(step)), model.rows());
                    engine.remove(QueryId(step));
                }
            }
        }
    }
}

#[test]
fn a_row_that_stays_as_it_is_is_not_said() {
    let t = Relation::new("T", "k text, x bigint");
    let mut engine = start(2);
    engine.add_relation(base(&t, Intake::Upsert { key: vec![0] }));
    install(&mut engine, QueryId(1), t.source());
    let texts = |texts: &[&str]| texts.iter().map(|t| (*t).to_owned()).collect::<Vec<_>>();
    tick(&mut engine, vec![rows(&t, &texts(&["+a,1", "+b,2"]))]);
    let output = tick(&mut engine, vec![rows(&t, &texts(&["+a,5", "+a,1", "+b,NULL", "-c,0"]))]);
    assert_eq!(changes_of_query(&output, QueryId(1)), changes("-b,2 | +b,NULL"));
}

fn as_of(stream: &Relation, table: Node) -> Node {
    let schema = concat(&stream.schema, &table.schema);
    let stream = Box::new(stream.stream());
    let op = Op::AsOfJoin { stream, table: Box::new(table), on: vec![(1, 0)], residual: None, outer: true };
    nodes(op, &schema)
}

/// Dataflows and arrangements of the first worker, apart from those of tables.
fn shared(engine: &mut Engine) -> (usize, usize) {
    let dataflows = engine.dataflows().expect("no panic")[0];
    let stats = engine.stats().expect("no panic");
    (dataflows, stats.iter().filter(|s| s.worker == 0 && s.operator == "Arrange").count())
}

#[test]
fn queries_by_the_key_of_a_table_read_its_own_arrangement() {
    for workers in [1, 2] {
        let (t, s) = (Relation::new("T", "k text, x bigint"), Relation::new("S", "y bigint, k text"));
        let mut engine = start(workers);
        engine.add_relation(base(&t, Intake::Upsert { key: vec![0] }));
        engine.add_relation(s.base());
        let text = |rows: &[&str]| rows.iter().map(|r| (*r).to_owned()).collect::<Vec<_>>();
        tick(&mut engine, vec![rows(&t, &text(&["+a,1", "+b,2"]))]);
        let reordered = {
            let op = Op::Source { relation: t.id, name: "T".to_owned(), columns: vec![1, 0] };
            nodes(op, &schema("x bigint, k text"))
        };
        let joined = join_node(join(reordered, s.source(), JoinKind::Left, &[(1, 1)]));
        install(&mut engine, QueryId(1), with_state(as_of(&s, t.source()), State::Hash));
        install(&mut engine, QueryId(2), with_state(joined, State::Hash));
        let streamed = Rows { relation: s.id, batch: batch("+7,a | +8,c", &s.schema), deletes: None, only: None };
        let output = tick(&mut engine, vec![streamed.clone(), rows(&t, &text(&["+a,3"]))]);
        assert_eq!(changes_of_query(&output, QueryId(1)), changes("+7,a,a,3 | +8,c,NULL,NULL"));
        assert_eq!(changes_of_query(&output, QueryId(2)), changes("+3,a,7,a | +2,b,NULL,NULL"));
        assert_eq!(shared(&mut engine), (3, 0), "the table's and two queries");
        // a later one, when the table has gone on
        install(&mut engine, QueryId(3), with_state(as_of(&s, t.source()), State::Hash));
        let output = tick(&mut engine, vec![streamed, rows(&t, &text(&["-a,0", "+c,9"]))]);
        assert_eq!(changes_of_query(&output, QueryId(3)), changes("+7,a,NULL,NULL | +8,c,c,9"));
        assert_eq!(changes_of_query(&output, QueryId(2)), changes("-3,a,7,a | +9,c,8,c *2"));
    }
}

#[test]
fn arrangements_by_another_key_are_shared_and_go_with_their_last_query() {
    for workers in [1, 4] {
        let (l, r) = (Relation::new("L", "k bigint, a text").kept(), Relation::new("R", "k bigint, b bigint").kept());
        let mut engine = start(workers);
        engine.add_relation(l.base());
        engine.add_relation(r.base());
        let row = |relation: &Relation, text: &str| Rows {
            relation: relation.id,
            batch: batch(text, &relation.schema),
            deletes: None,
            only: None,
        };
        let plan = |kind| with_state(join_node(join(l.source(), r.source(), kind, &[(0, 0)])), State::Hash);
        install(&mut engine, QueryId(1), plan(JoinKind::Inner));
        let output = tick(&mut engine, vec![row(&l, "+1,a | +2,b"), row(&r, "+1,10 | +1,20")]);
        assert_eq!(changes_of_query(&output, QueryId(1)), changes("+1,a,1,10 | +1,a,1,20"));
        assert_eq!(shared(&mut engine), (3, 2));
        tick(&mut engine, vec![row(&l, "-1,a | +1,c")]);
        for query in 2..10 {
            install(&mut engine, QueryId(query), plan(JoinKind::Full));
        }
        let output = tick(&mut engine, vec![row(&r, "-1,10 | +3,30")]);
        let want = changes("+1,c,1,20 | +2,b,NULL,NULL | +NULL,NULL,3,30");
        (2..10).for_each(|query| assert_eq!(changes_of_query(&output, QueryId(query)), want));
        assert_eq!(changes_of_query(&output, QueryId(1)), changes("-1,c,1,10"));
        assert_eq!(shared(&mut engine), (11, 2));
        (1..9).for_each(|query| engine.remove(QueryId(query)));
        let output = tick(&mut engine, vec![row(&r, "-3,30")]);
        assert_eq!(changes_of_query(&output, QueryId(9)), changes("-NULL,NULL,3,30"));
        engine.remove(QueryId(9));
        for _ in 0..8 {
            tick(&mut engine, vec![row(&l, "+5,e")]);
        }
        assert_eq!(shared(&mut engine), (0, 0));
        // and are made anew
        install(&mut engine, QueryId(10), plan(JoinKind::Semi));
        let output = tick(&mut engine, vec![row(&r, "+5,1")]);
        assert_eq!(changes_of_query(&output, QueryId(10)), changes("+1,c | +5,e *8"));
    }
}
