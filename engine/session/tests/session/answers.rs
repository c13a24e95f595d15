//! Pull queries: when they are answered, in which order, over what.

use expect_test::expect;

use crate::recorder::{run, run_over, run_with};

const ORDERS: (&str, &str) = ("/orders.csv", "id,customer,amount\n1,ann,10\n2,bob,20\n3,ann,30\n4,,5\n");

#[test]
fn a_constant_needs_no_input() {
    expect![[r#"
        1> ANSWER INT
        1: 42
        1.
    "#]]
    .assert_eq(&run("SELECT 6 * 7 AS answer").text());
}

#[test]
fn rows_come_sorted_by_all_columns_or_as_asked() {
    let rows = |sql: &str| run(sql).rows().join("; ");
    assert_eq!(rows("SELECT * FROM (VALUES (3), (NULL), (1), (3)) t(a)"), "1: 1; 1: 3; 1: 3; 1: NULL");
    assert_eq!(rows("SELECT * FROM (VALUES (3), (NULL), (1)) t(a) ORDER BY a DESC"), "1: NULL; 1: 3; 1: 1");
    assert_eq!(rows("SELECT a FROM (VALUES (1, 3), (2, 1)) t(a, b) ORDER BY b"), "1: 2; 1: 1");
}

#[test]
fn a_file_is_read_filtered_and_counted() {
    let create = "CREATE STREAM orders WITH (CONNECTOR = 'file', PATH = '/orders.csv');";
    let sql = format!("{create} SELECT id, amount FROM orders WHERE amount > 5 AND customer = 'ann'");
    assert_eq!(run_over(&[ORDERS], &sql).rows(), ["2: 1 10", "2: 3 30"]);
    let sql = format!("{create} SELECT customer, count(*), sum(amount) FROM orders GROUP BY customer");
    assert_eq!(run_over(&[ORDERS], &sql).rows(), ["2: ann 2 40", "2: bob 1 20", "2: NULL 1 5"]);
}

#[test]
fn later_statements_find_all_that_has_flowed() {
    // the second, third and fourth readers come when the file has been read
    let sql = "CREATE STREAM orders WITH (CONNECTOR = 'file', PATH = '/orders.csv');
        CREATE TABLE spent AS SELECT customer, sum(amount) AS total FROM orders GROUP BY customer;
        SELECT count(*) FROM orders;
        SELECT count(*) FROM orders WHERE amount > 5;
        SELECT * FROM spent WHERE total > 10;
        CREATE MATERIALIZED VIEW big AS SELECT id FROM orders WHERE amount > 15;
        SELECT * FROM big";
    let run = run_over(&[ORDERS], sql);
    assert_eq!(run.rows(), ["3: 4", "4: 3", "5: ann 40", "5: bob 20", "7: 2", "7: 3"]);
}

#[test]
fn a_statement_at_a_time_finds_the_same() {
    use crate::recorder::{Recorder, options, program};
    use millrace_session::Session;
    use millrace_world::SimulatedWorld;

    let world = SimulatedWorld::new(0);
    world.files().write(ORDERS.0, ORDERS.1.as_bytes());
    let mut session = Session::new(options(&[]), world.world().clone()).unwrap();
    let mut recorder = Recorder::default();
    let sql = "CREATE STREAM orders WITH (CONNECTOR = 'file', PATH = '/orders.csv');
        SELECT count(*) FROM orders;
        CREATE STREAM big AS SELECT id FROM orders WHERE amount > 15;
        SELECT * FROM big;
        SELECT max(id) FROM big";
    for statement in program(sql).statements() {
        session.execute(statement, &mut recorder).unwrap();
    }
    assert_eq!(recorder.rows(), ["2: 4", "4: 2", "4: 3", "5: 3"]);
}

#[test]
fn a_view_over_two_relations_is_maintained() {
    let customers = ("/customers.json", "{\"id\":1,\"name\":\"Ann\"}\n{\"id\":2,\"name\":\"Bob\"}\n");
    let orders = ("/orders.json", "{\"id\":10,\"who\":1}\n{\"id\":11,\"who\":3}\n{\"id\":12,\"who\":1}\n");
    let sql = "CREATE TABLE customers (id BIGINT PRIMARY KEY, name VARCHAR)
          WITH (CONNECTOR = 'file', PATH = '/customers.json');
        CREATE STREAM orders (id BIGINT, who BIGINT) WITH (CONNECTOR = 'file', PATH = '/orders.json');
        CREATE MATERIALIZED VIEW named AS
          SELECT o.id, c.name FROM orders o LEFT JOIN customers c ON o.who = c.id;
        SELECT * FROM named";
    for workers in ["1", "2"] {
        let run = run_with(&[("workers", workers)], &[customers, orders], sql);
        assert_eq!(run.rows(), ["4: 10 Ann", "4: 11 NULL", "4: 12 Ann"]);
    }
}

#[test]
fn inserts_above_a_query_are_in_it_and_those_below_are_not() {
    let sql = "CREATE TABLE t (k INT PRIMARY KEY, v VARCHAR) WITH (CONNECTOR = 'memory');
        INSERT INTO t VALUES (1, 'a'), (2, 'b');
        INSERT INTO t VALUES (1, 'c');
        SELECT * FROM t;
        UPDATE t SET v = v || '!' WHERE k = 2;
        DELETE FROM t WHERE k = 1;
        SELECT * FROM t;
        INSERT INTO t VALUES (3, 'd')";
    assert_eq!(run(sql).rows(), ["4: 1 c", "4: 2 b", "7: 2 b!"]);
}

#[test]
fn an_answer_may_be_too_large() {
    let run = run("SET answer_rows_max = 2; SELECT * FROM (VALUES (1), (2), (3)) t(a)");
    assert!(run.error().contains("error[53200]: the answer has more than 2 rows"), "{}", run.error());
}
