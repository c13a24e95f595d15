//! Statements that are not queries.

use expect_test::expect;

use crate::recorder::{Recorder, options, program, run, run_over};
use millrace_session::Session;
use millrace_world::SimulatedWorld;

#[test]
fn columns_are_inferred_and_described() {
    let file = ("/o.json", "{\"id\":1,\"name\":\"x\",\"price\":1.5}\n");
    let sql = "CREATE STREAM o WITH (CONNECTOR = 'file', PATH = '/o.json'); DESCRIBE o";
    expect![[r#"
        2> NAME VARCHAR, TYPE VARCHAR, KEY VARCHAR
        2: ID BIGINT NULL
        2: NAME VARCHAR NULL
        2: PRICE DOUBLE NULL
        2.
    "#]]
    .assert_eq(&run_over(&[file], sql).text());
}

#[test]
fn what_is_needed_cannot_be_dropped() {
    let sql = "CREATE STREAM s (a INT) WITH (CONNECTOR = 'memory');
        CREATE STREAM d AS SELECT a FROM s;
        DROP STREAM s";
    let run = run(sql);
    assert!(run.error().contains("error[2BP01]") && run.error().contains('D'), "{}", run.error());
}

#[test]
fn what_was_dropped_can_be_made_again() {
    let sql = "CREATE STREAM s (a INT) WITH (CONNECTOR = 'memory');
        CREATE STREAM d AS SELECT a FROM s;
        DROP STREAM d;
        DROP STREAM s;
        CREATE STREAM s (b INT) WITH (CONNECTOR = 'memory');
        INSERT INTO s VALUES (7);
        SELECT b FROM s";
    assert_eq!(run(sql).rows(), ["7: 7"]);
}

#[test]
fn a_relation_can_be_replaced() {
    let sql = "CREATE STREAM s (a INT) WITH (CONNECTOR = 'memory');
        CREATE STREAM d AS SELECT a FROM s;
        CREATE OR REPLACE STREAM d AS SELECT a + 1 AS b FROM s;
        INSERT INTO s VALUES (7);
        SELECT * FROM d";
    assert_eq!(run(sql).rows(), ["5: 8"]);
}

#[test]
fn a_terminated_query_leaves_its_relation_as_it_is() {
    let sql = "CREATE STREAM s (a INT) WITH (CONNECTOR = 'memory');
        CREATE TABLE n AS SELECT a, count(*) AS n FROM s GROUP BY a;
        INSERT INTO s VALUES (7);
        SELECT * FROM n;
        TERMINATE n;
        INSERT INTO s VALUES (7);
        SELECT * FROM n;
        SELECT count(*) FROM s";
    assert_eq!(run(sql).rows(), ["4: 7 1", "7: 7 1", "8: 2"]);
}

#[test]
fn settings_are_checked_and_shown() {
    let sql = "SET 'auto.offset.reset' = 'earliest'; SET tick.ms = 20; SHOW millrace.tick.ms";
    let run_ = run(sql);
    assert!(run_.rows()[0].starts_with("3: millrace.tick.ms 20 ms 5 SET 1 to 60000"), "{}", run_.text());
    let late = run("SELECT 1; SET tick = 'record'");
    assert!(late.error().contains("millrace.tick is fixed by now"), "{}", late.error());
    let wrong = run("SET tick = 'never'");
    assert!(wrong.error().contains("It may be adaptive, record."), "{}", wrong.error());
}

#[test]
fn a_check_plans_all_and_runs_none() {
    let world = SimulatedWorld::new(0);
    world.files().write("/n.csv", b"n\n1\n");
    let session = Session::new(options(&[]), world.world().clone()).unwrap();
    let check = |sql: &str| {
        let program = program(sql);
        let mut recorder = Recorder::default();
        let checked = session.check(&program, &mut recorder);
        assert_eq!(recorder.rows(), Vec::<&str>::new());
        checked.map_err(|error| program.render(&error))
    };
    let create =
        "CREATE STREAM n WITH (CONNECTOR = 'file', PATH = '/n.csv'); CREATE VIEW v AS SELECT n + 1 AS m FROM n;";
    assert_eq!(check(&format!("{create} SELECT m FROM v; SELECT * FROM v EMIT CHANGES")), Ok(()));
    let error = check(&format!("{create} SELECT n FROM v")).unwrap_err();
    assert!(error.contains("error[42703]"), "{error}");
    assert!(check("SELECT 1; SELEC 2").unwrap_err().contains("error[42601]"));
}

#[test]
fn topics_of_a_run_live_in_memory() {
    let sql = "CREATE STREAM ratings (stars INT) WITH (KAFKA_TOPIC = 'ratings', VALUE_FORMAT = 'JSON', PARTITIONS = 4);
        CREATE STREAM poor WITH (VALUE_FORMAT = 'JSON') AS SELECT * FROM ratings WHERE stars < 3;
        INSERT INTO ratings VALUES (1), (5), (2);
        SELECT * FROM poor";
    assert_eq!(run(sql).rows(), ["4: 1", "4: 2"]);
    let shared =
        run("CREATE STREAM a (x INT) WITH (KAFKA_TOPIC = 't'); CREATE STREAM b (x INT) WITH (KAFKA_TOPIC = 't')");
    assert!(shared.error().contains("error[0A000]"), "{}", shared.error());
}

#[test]
fn a_plan_is_explained_and_measured() {
    let sql = "CREATE STREAM s (a INT) WITH (CONNECTOR = 'memory');
        CREATE TABLE n AS SELECT a, count(*) AS n FROM s GROUP BY a;
        INSERT INTO s VALUES (7), (7), (8);
        EXPLAIN SELECT a FROM s WHERE a > 7 EMIT CHANGES;
        EXPLAIN ANALYZE n";
    let run = run(sql);
    let rows = run.rows();
    assert!(rows.iter().any(|row| row.starts_with("4: ") && row.contains("Source S")), "{}", run.text());
    let measured: Vec<_> = rows.iter().filter(|row| row.starts_with("5: ")).collect();
    assert_eq!(measured[0], &"5: N COMPLETED");
    assert!(measured.iter().any(|row| row.contains("Reduce") && row.contains("[rows=2 ")), "{}", run.text());
    assert!(measured.iter().any(|row| row.contains("Source S") && row.contains("[rows=3 ")), "{}", run.text());
}

#[test]
fn a_query_may_read_streams_from_now() {
    let run = run("CREATE STREAM s (x INT) WITH (CONNECTOR = 'memory');
         CREATE TABLE t (x INT PRIMARY KEY, y VARCHAR) WITH (CONNECTOR = 'memory');
         INSERT INTO s VALUES (1), (2);
         INSERT INTO t VALUES (3, 'three');
         SELECT COUNT(*) AS n FROM s;
         SET 'auto.offset.reset' = 'latest';
         SELECT s.x, t.y FROM s JOIN t ON s.x = t.x EMIT CHANGES;
         SELECT SUM(x) AS total FROM s EMIT CHANGES;
         SET 'auto.offset.reset' = 'earliest';
         SELECT MAX(x) AS most FROM s WHERE x < 3 EMIT CHANGES;
         INSERT INTO s VALUES (3)");
    assert!(run.error.is_none(), "{:?}", run.error);
    let rows = run.recorder.rows();
    let of = |prefix: &str| -> Vec<&str> {
        rows.iter().filter(|row| row.starts_with(prefix)).filter_map(|row| Some(row.split_once(' ')?.1)).collect()
    };
    assert_eq!(of("5:"), ["2"]);
    assert_eq!(of("7@"), ["+(3, three)"]);
    assert_eq!(of("8@").last(), Some(&"+(3)"));
    assert_eq!(of("10@").last(), Some(&"+(2)"));
}
