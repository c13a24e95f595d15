//! Ticks, event time, and what flows before what.

use crate::recorder::{run, run_over, run_with};

#[test]
fn bounded_inputs_are_merged_by_event_time() {
    let a = ("/a.csv", "t,v\n10,a10\n30,a30\n20,a20\n");
    let b = ("/b.csv", "t,v\n5,b5\n25,b25\n30,b30\n");
    let sql = "CREATE STREAM a (t BIGINT, v VARCHAR) WITH (CONNECTOR = 'file', PATH = '/a.csv', TIMESTAMP = 't');
        CREATE STREAM b (t BIGINT, v VARCHAR) WITH (CONNECTOR = 'file', PATH = '/b.csv', TIMESTAMP = 't');
        CREATE STREAM both AS SELECT v FROM a;
        INSERT INTO both SELECT v FROM b;
        SELECT v FROM both EMIT CHANGES";
    let run = run_with(&[("tick", "record")], &[a, b], sql);
    let order: Vec<&str> = run.rows().iter().map(|line| line.split_once('+').unwrap().1).collect();
    // heads only: a20 comes when it is the head of its file, behind a30, and a30 ties with b30
    assert_eq!(order, ["(b5)", "(a10)", "(b25)", "(a30)", "(a20)", "(b30)"]);
}

#[test]
fn tables_are_loaded_before_the_streams_that_look_at_them() {
    let orders = ("/orders.csv", "t,who\n1,1\n2,2\n");
    // the table's records are later than the stream's
    let names = ("/names.csv", "t,id,name\n100,1,ann\n200,2,bob\n");
    let sql = "CREATE STREAM orders (t BIGINT, who BIGINT)
          WITH (CONNECTOR = 'file', PATH = '/orders.csv', TIMESTAMP = 't');
        CREATE TABLE names (t BIGINT, id BIGINT PRIMARY KEY, name VARCHAR)
          WITH (CONNECTOR = 'file', PATH = '/names.csv', TIMESTAMP = 't');
        SELECT o.who, n.name FROM orders o LEFT JOIN names n ON o.who = n.id EMIT CHANGES";
    assert_eq!(run_over(&[orders, names], sql).rows(), ["3@2 +(1, ann)", "3@2 +(2, bob)"]);
    // by record the merged order alone decides
    let run = run_with(&[("tick", "record")], &[orders, names], sql);
    assert_eq!(run.rows(), ["3@1 +(1, NULL)", "3@2 +(2, NULL)"]);
}

#[test]
fn history_of_a_stream_meets_the_table_that_is_there() {
    let head = "CREATE STREAM s (k INT) WITH (CONNECTOR = 'memory');
        CREATE TABLE t (k INT PRIMARY KEY, v VARCHAR) WITH (CONNECTOR = 'memory');";
    let rows = "INSERT INTO s VALUES (1); INSERT INTO t VALUES (1, 'a'); INSERT INTO s VALUES (1);
        INSERT INTO t VALUES (1, 'b'); INSERT INTO s VALUES (1);";
    let join = "SELECT s.k, t.v FROM s LEFT JOIN t ON s.k = t.k EMIT CHANGES;";
    let values = |sql: &str| -> Vec<String> {
        let run = run(sql);
        run.rows().iter().map(|line| line.split_once('+').unwrap().1.to_owned()).collect()
    };
    // the query is there first: each event meets the table of its moment
    assert_eq!(values(&format!("{head} {join} {rows}")), ["(1, NULL)", "(1, a)", "(1, b)"]);
    // the rows were there first
    assert_eq!(values(&format!("{head} {rows} {join}")), ["(1, b)", "(1, b)", "(1, b)"]);
}

#[test]
fn windows_close_at_the_end_of_the_input() {
    let file = ("/e.csv", "t,k\n1000,a\n2000,a\n7000,a\n3000,b\n");
    let create = "CREATE STREAM e (t BIGINT, k VARCHAR) WITH (CONNECTOR = 'file', PATH = '/e.csv', TIMESTAMP = 't');";
    let query = "SELECT k, count(*) AS n, WINDOWSTART AS ws FROM e
        WINDOW TUMBLING (SIZE 5 SECONDS, GRACE PERIOD 0 SECONDS) GROUP BY k";
    // 3000 is late for [0, 5000): 7000 came before it
    let sql = format!(
        "{create} CREATE TABLE counts AS {query} EMIT FINAL; SELECT k, n, ws FROM counts; SELECT query, window_end, row_time FROM millrace.late"
    );
    let run = run_over(&[file], &sql);
    assert_eq!(run.rows(), ["3: a 1 5000", "3: a 2 0", "4: COUNTS 5000 3000"]);
    assert!(run.recorder.notices().iter().any(|n| n.contains("too late")), "{}", run.text());
}

#[test]
fn every_row_has_a_time_and_a_place() {
    let file = ("/e.csv", "t\n50\n40\nx\n60\n");
    let sql = "CREATE STREAM e (t BIGINT) WITH (CONNECTOR = 'file', PATH = '/e.csv', TIMESTAMP = 't');
        SELECT t, ROWTIME AS rt, ROWPARTITION AS p, ROWOFFSET AS o FROM e;
        CREATE STREAM m (v INT) WITH (CONNECTOR = 'memory');
        INSERT INTO m (v, ROWTIME) VALUES (1, 77);
        INSERT INTO m (v) VALUES (2);
        SELECT v, ROWTIME AS rt, ROWOFFSET AS o FROM m";
    let run = run_over(&[file], sql);
    let wall = millrace_world::simulated::WALL_START_MS;
    let want = ["2: 40 40 0 1", "2: 50 50 0 0", "2: 60 60 0 3", "6: 1 77 0"].map(str::to_owned);
    let mut rows: Vec<String> = run.rows().iter().map(|row| (*row).to_owned()).collect();
    let last = rows.pop().unwrap();
    assert_eq!(rows, want);
    // files let the simulated clock move
    let time: i64 = last.split(' ').nth(2).unwrap().parse().unwrap();
    assert!(last.starts_with("6: 2 ") && last.ends_with(" 1") && time >= wall, "{last}");
}

#[test]
fn now_is_the_moment_of_the_statement() {
    let sql = "CREATE TABLE m (k INT PRIMARY KEY, t TIMESTAMP) WITH (CONNECTOR = 'memory');
        INSERT INTO m VALUES (1, NOW()), (2, CURRENT_TIMESTAMP);
        SELECT COUNT(DISTINCT t) AS n, MAX(t) <= NOW() AS before, MIN(UNIX_TIMESTAMP(t)) AS ms FROM m;
        SELECT NOW() = NOW() AS same, NOW() - CURRENT_DATE < INTERVAL '1 day' AS near;
        UPDATE m SET t = NOW() - INTERVAL '1 hour' WHERE t <= NOW();
        SELECT COUNT(*) AS n FROM m WHERE t < NOW() - INTERVAL '30 minutes'";
    let run = run_over(&[], sql);
    let rows: Vec<String> = run.rows().iter().map(|row| (*row).to_owned()).collect();
    let wall = millrace_world::simulated::WALL_START_MS;
    assert!(rows[0].starts_with("3: 1 true "), "{}", run.text());
    let ms: i64 = rows[0].rsplit(' ').next().unwrap().parse().unwrap();
    assert!((wall..wall + 60_000).contains(&ms), "{ms}");
    assert_eq!(rows[1..], ["4: true true", "6: 2"]);
}
