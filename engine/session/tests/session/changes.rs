//! Push queries: what they tell, in which form and order.

use crate::recorder::{run, run_over, run_with};

const MOVEMENTS: &str = "CREATE STREAM account_movements (account VARCHAR, amount BIGINT) WITH (CONNECTOR = 'memory');
    CREATE TABLE balances AS SELECT account, SUM(amount) AS balance FROM account_movements GROUP BY account;";

#[test]
fn a_stream_and_a_table_are_two_sides_of_one_thing() {
    // +50 +25 −60 gives 50, 75, 15
    let sql = format!(
        "{MOVEMENTS}
        SELECT * FROM balances EMIT CHANGES;
        INSERT INTO account_movements VALUES ('a', 50);
        INSERT INTO account_movements VALUES ('a', 25);
        INSERT INTO account_movements VALUES ('a', -60)"
    );
    assert_eq!(run(&sql).rows(), ["3@1 u (a) → (a, 50)", "3@2 u (a) → (a, 75)", "3@3 u (a) → (a, 15)"]);
}

#[test]
fn inserts_above_the_query_are_told_one_by_one_too() {
    let sql = format!(
        "{MOVEMENTS}
        INSERT INTO account_movements VALUES ('a', 50);
        INSERT INTO account_movements VALUES ('a', 25);
        INSERT INTO account_movements VALUES ('a', -60);
        SELECT balance FROM balances EMIT CHANGES"
    );
    assert_eq!(run(&sql).rows(), ["6@1 u (a) → (50)", "6@2 u (a) → (75)", "6@3 u (a) → (15)"]);
}

#[test]
fn one_tick_tells_what_it_ends_with_and_a_tick_a_record_tells_all() {
    let sql = format!(
        "{MOVEMENTS}
        SELECT * FROM balances EMIT CHANGES;
        INSERT INTO account_movements VALUES ('a', 50), ('a', 25), ('a', -60)"
    );
    assert_eq!(run(&sql).rows(), ["3@1 u (a) → (a, 15)"]);
    let records = run_with(&[("tick", "record")], &[], &sql);
    assert_eq!(records.rows(), ["3@1 u (a) → (a, 50)", "3@2 u (a) → (a, 75)", "3@3 u (a) → (a, 15)"]);
}

#[test]
fn aggregates_are_told_as_diffs_unless_upserts_are_asked_for() {
    let sql = "CREATE STREAM s (k VARCHAR, v BIGINT) WITH (CONNECTOR = 'memory');
        SELECT k, sum(v) AS total FROM s GROUP BY k EMIT CHANGES;
        SET changes = 'upsert';
        SELECT k, sum(v) AS total FROM s GROUP BY k EMIT CHANGES;
        INSERT INTO s VALUES ('a', 1), ('b', 2);
        INSERT INTO s VALUES ('a', 3)";
    assert_eq!(
        run(sql).rows(),
        [
            "2@1 +(a, 1)",
            "2@1 +(b, 2)",
            "4@1 u (a) → (a, 1)",
            "4@1 u (b) → (b, 2)",
            "2@2 -(a, 1)",
            "2@2 +(a, 4)",
            "4@2 u (a) → (a, 4)"
        ]
    );
}

#[test]
fn deletes_are_told() {
    let sql = "CREATE TABLE t (k INT PRIMARY KEY, v VARCHAR) WITH (CONNECTOR = 'memory');
        SELECT v FROM t WHERE v <> 'x' EMIT CHANGES;
        INSERT INTO t VALUES (1, 'a'), (2, 'b');
        UPDATE t SET v = 'x' WHERE k = 1;
        DELETE FROM t WHERE k = 2;
        DELETE FROM t WHERE k = 2";
    // UPDATE and DELETE look at one tick and change at the next
    let run = run(sql);
    assert_eq!(run.rows(), ["2@1 u (1) → (a)", "2@1 u (2) → (b)", "2@3 d (1)", "2@5 d (2)"]);
    assert_eq!(run.recorder.notices(), ["3 2 rows inserted", "4 1 row updated", "5 1 row deleted", "6 0 rows deleted"]);
}

#[test]
fn limit_ends_a_push_query() {
    let file = ("/n.csv", "n\n1\n2\n3\n4\n");
    let sql = "CREATE STREAM n WITH (CONNECTOR = 'file', PATH = '/n.csv');
        SELECT n FROM n EMIT CHANGES LIMIT 2;
        SELECT count(*) FROM n";
    let run = run_over(&[file], sql);
    assert_eq!(run.rows(), ["2@1 +(1)", "2@1 +(2)", "3: 4"]);
    assert!(run.text().contains("\n2.\n"));
}

#[test]
fn two_workers_print_what_one_prints() {
    let lines: String = (0..25_000).map(|i| format!("{},{}\n", i % 97, i)).collect();
    let file = ("/n.csv", format!("k,v\n{lines}"));
    let sql = "CREATE STREAM n WITH (CONNECTOR = 'file', PATH = '/n.csv');
        SELECT k, count(*) AS n, max(v) AS v FROM n GROUP BY k EMIT CHANGES;
        SELECT v FROM n WHERE k = 5 EMIT CHANGES";
    let files = [(file.0, file.1.as_str())];
    let one = run_with(&[("workers", "1")], &files, sql);
    let two = run_with(&[("workers", "2")], &files, sql);
    assert_eq!(one.text(), two.text());
    // ticks of 10,000 rows: three of them
    assert!(one.text().contains("2@3 +(0, 258, 24929)"), "{}", one.text());
    assert!(!one.text().contains("@4 "));
}

#[test]
fn a_derived_stream_takes_writers() {
    let sql = "CREATE STREAM a (x INT) WITH (CONNECTOR = 'memory');
        CREATE STREAM b (x INT) WITH (CONNECTOR = 'memory');
        CREATE STREAM both AS SELECT x FROM a;
        INSERT INTO both SELECT x + 100 FROM b;
        SELECT * FROM both EMIT CHANGES;
        INSERT INTO b VALUES (1);
        INSERT INTO a VALUES (2);
        INSERT INTO both VALUES (3)";
    assert_eq!(run(sql).rows(), ["5@1 +(101)", "5@2 +(2)", "5@3 +(3)"]);
}
