//! PAUSE and RESUME.

use crate::recorder::{Run, run, run_over};

#[test]
fn a_paused_view_keeps_its_answer_and_catches_up() {
    let run = run("CREATE TABLE t (k INT PRIMARY KEY, v INT) WITH (CONNECTOR = 'memory');
        CREATE MATERIALIZED VIEW sums AS SELECT SUM(v) AS s FROM t;
        INSERT INTO t VALUES (1, 10);
        PAUSE QUERY sums;
        INSERT INTO t VALUES (2, 5), (1, 11);
        SELECT s FROM sums;
        SELECT s FROM (SELECT SUM(v) AS s FROM t) AS now;
        RESUME QUERY sums;
        SELECT s FROM sums");
    assert_eq!(run.rows(), ["6: 10", "7: 16", "9: 16"]);
}

#[test]
fn its_state_is_shown() {
    let states = "SELECT name, state, message FROM millrace.queries ORDER BY name";
    let run = run(&format!(
        "CREATE STREAM s (a INT) WITH (CONNECTOR = 'memory');
        CREATE STREAM d AS SELECT a FROM s;
        CREATE TABLE n AS SELECT a, COUNT(*) AS n FROM d GROUP BY a;
        PAUSE d; {states}; PAUSE ALL; {states}; RESUME ALL; {states}; SHOW TYPES"
    ));
    let want = ["5: D PAUSED NULL", "5: N RUNNING NULL", "7: D PAUSED NULL", "7: N PAUSED NULL"];
    assert_eq!(run.rows()[..4], want);
    // what is asked for comes after the tick in which they caught up
    assert_eq!(run.rows()[4..], ["9: D RUNNING NULL", "9: N RUNNING NULL"]);
}

#[test]
fn events_meet_the_table_of_their_moment_however_late_they_are_looked_at() {
    let run = run("CREATE STREAM s (k INT) WITH (CONNECTOR = 'memory');
        CREATE TABLE t (k INT PRIMARY KEY, v VARCHAR) WITH (CONNECTOR = 'memory');
        CREATE STREAM j AS SELECT s.k AS k, t.v AS v FROM s LEFT JOIN t ON s.k = t.k;
        CREATE TABLE n AS SELECT v, COUNT(*) AS n FROM j GROUP BY v;
        INSERT INTO t VALUES (1, 'a'); INSERT INTO s VALUES (1);
        PAUSE j;
        INSERT INTO s VALUES (1); INSERT INTO t VALUES (1, 'b'); INSERT INTO s VALUES (1);
        SELECT v, n FROM n;
        RESUME j;
        SELECT v, n FROM n");
    assert_eq!(run.rows(), ["11: a 1", "13: a 2", "13: b 1"]);
}

#[test]
fn errors_and_late_rows_are_told_once() {
    let file = ("/e.csv", "t,k,x\n1000,a,1\n2000,a,0\n9000,b,1\n1500,c,1\n");
    let script = |before: &str, after: &str| {
        format!(
            "CREATE STREAM e (t BIGINT, k VARCHAR, x INT) WITH (CONNECTOR = 'file', PATH = '/e.csv', TIMESTAMP = 't');
            CREATE TABLE w AS SELECT k, SUM(10 / x) AS s FROM e
                WINDOW TUMBLING (SIZE 5 SECONDS, GRACE PERIOD 0 SECONDS) GROUP BY k;
            {before};
            SELECT COUNT(*) AS n FROM e;
            {after};
            SELECT k, s FROM w;
            SELECT source, \"PARTITION\", \"OFFSET\", window_end, row_time FROM millrace.late;
            SELECT query, message FROM millrace.errors"
        )
    };
    let rows = |run: &Run| run.rows().iter().map(|row| row.split_once(": ").unwrap().1.to_owned()).collect::<Vec<_>>();
    let want = run_over(&[file], &script("SHOW TYPES", "SHOW TYPES"));
    let got = run_over(&[file], &script("PAUSE w", "RESUME w"));
    assert_eq!(rows(&got), rows(&want));
    assert!(rows(&want).contains(&"E 0 3 5000 1500".to_owned()), "{}", want.text());
    assert!(rows(&want).contains(&"a 10".to_owned()), "{}", want.text());
}

#[test]
fn a_program_ends_with_what_is_paused() {
    let run = run("CREATE STREAM g WITH (CONNECTOR = 'generator', GENERATOR = 'orders', SEED = 1);
        CREATE STREAM d AS SELECT * FROM g;
        PAUSE d; PAUSE d; RESUME d; RESUME d; PAUSE d");
    let text = run.text();
    assert!(text.contains("4 D is paused already") && text.contains("6 D is not paused"), "{text}");
    assert!(text.contains("D is paused: what has happened since is not in its answer"), "{text}");
}

#[test]
fn names_are_checked() {
    let run = run("CREATE STREAM s (a INT) WITH (CONNECTOR = 'memory');
        CREATE STREAM d AS SELECT a FROM s;
        PAUSE QUERY e");
    assert!(run.error().contains("there is no query E") && run.error().contains("There are D."), "{}", run.error());
}
