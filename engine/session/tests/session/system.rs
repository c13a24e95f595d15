//! The state of the engine as relations.

use crate::recorder::{run, run_over};

#[test]
fn show_lists_what_the_user_made() {
    let sql = "CREATE STREAM s (a INT) WITH (CONNECTOR = 'memory');
        CREATE TABLE t (k INT PRIMARY KEY, v VARCHAR) WITH (CONNECTOR = 'memory');
        CREATE VIEW w AS SELECT a FROM s;
        SHOW STREAMS;
        SHOW TABLES;
        SHOW COLUMNS FROM t";
    let run = run(sql);
    assert_eq!(
        run.rows(),
        [
            "4: S STREAM memory NULL false CREATE STREAM s (a INT) WITH (CONNECTOR = 'memory')",
            "5: T TABLE memory K false CREATE TABLE t (k INT PRIMARY KEY, v VARCHAR) WITH (CONNECTOR = 'memory')",
            "6: T 1 K INT PRIMARY KEY",
            "6: T 2 V VARCHAR NULL"
        ]
    );
}

#[test]
fn all_of_sql_works_on_system_relations() {
    let sql = "CREATE STREAM s (a INT, b INT, c INT) WITH (CONNECTOR = 'memory');
        SELECT relation, count(*) AS n FROM millrace.columns WHERE relation = 'S' GROUP BY relation;
        CREATE MATERIALIZED VIEW wide AS
          SELECT relation, count(*) AS n FROM millrace.columns GROUP BY relation HAVING count(*) = 3;
        SELECT * FROM wide;
        CREATE STREAM s2 (a INT, b INT, c INT) WITH (CONNECTOR = 'memory');
        SELECT * FROM wide";
    let run = run(sql);
    let rows: Vec<&str> = run.rows().into_iter().filter(|row| !row.contains("millrace.")).collect();
    assert_eq!(rows, ["2: S 3", "4: S 3", "6: S 3", "6: S2 3"]);
}

#[test]
fn queries_say_how_they_are() {
    let file = ("/n.csv", "n\n1\n2\n");
    let sql = "CREATE STREAM n WITH (CONNECTOR = 'file', PATH = '/n.csv');
        CREATE STREAM m (n BIGINT) WITH (CONNECTOR = 'memory');
        CREATE STREAM d AS SELECT n FROM n;
        INSERT INTO m SELECT n FROM n;
        SELECT n FROM d EMIT CHANGES;
        SELECT name, kind, state, relation, rows_in, rows_out FROM millrace.queries;
        SHOW QUERIES";
    let run = run_over(&[file], sql);
    let rows: Vec<&str> = run.rows().into_iter().filter(|row| row.starts_with("6: ")).collect();
    assert_eq!(
        rows,
        [
            "6: D PERSISTENT COMPLETED D 2 0",
            "6: INSERT_M_1 PERSISTENT COMPLETED M 2 0",
            "6: PUSH_1 PUSH COMPLETED NULL NULL 2"
        ]
    );
}

#[test]
fn operators_and_frontiers_are_measured() {
    let file = ("/n.csv", "t\n10\n20\n");
    let sql = "CREATE STREAM n (t BIGINT) WITH (CONNECTOR = 'file', PATH = '/n.csv', TIMESTAMP = 't');
        CREATE STREAM d AS SELECT t + 1 AS u FROM n WHERE t > 10;
        SELECT query, node, operator, rows_out FROM millrace.operators;
        SELECT relation, stream_time, ended FROM millrace.frontiers WHERE relation = 'N'";
    assert_eq!(run_over(&[file], sql).rows(), ["3: D 0 Map 1", "3: D 1 Source 2", "4: N 20 true"]);
}
