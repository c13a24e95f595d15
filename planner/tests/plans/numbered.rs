//! ROW_NUMBER: what it answers, what of it is kept, and where it may not stand.

use expect_test::{Expect, expect};

use super::catalog::{error, plan};
use super::subqueries::check;

fn kept(sql: &str, expect: Expect) {
    expect.assert_eq(&plan(sql));
}

fn fails(sql: &str, expect: Expect) {
    expect.assert_eq(&error(sql));
}

#[test]
fn the_first_rows_of_each_group() {
    check(
        "SELECT a, c FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY a ORDER BY c DESC) AS rn FROM s) WHERE rn <= 1",
        expect![[r#"
            1 7
            2 -
            4 20
            - 9"#]],
    );
    check(
        "SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY a ORDER BY c) AS rn FROM s) x WHERE rn < 3 AND c > 4",
        expect![[r#"
            1 5 1
            1 7 2
            4 20 1
            - 9 1"#]],
    );
    check("SELECT c, rn FROM (SELECT c, ROW_NUMBER() OVER (ORDER BY c) AS rn FROM s) x WHERE rn = 2", expect!["7 2"]);
    check(
        "SELECT c, rn FROM (SELECT c, ROW_NUMBER() OVER (ORDER BY c) AS rn FROM s) x WHERE 3 < rn",
        expect![[r#"
        20 4
        - 5"#]],
    );
    check("SELECT c FROM (SELECT c, ROW_NUMBER() OVER (ORDER BY c) AS rn FROM s) x WHERE rn < 1", expect![""]);
    check(
        "SELECT c FROM (SELECT c, ROW_NUMBER() OVER (ORDER BY c) AS rn FROM s) x WHERE rn > 1 AND rn <= 3 AND rn < 9",
        expect![[r#"
            7
            9"#]],
    );
}

#[test]
fn all_rows_have_numbers() {
    // equal rows are as many as they are, ties are broken by the other columns
    check(
        "SELECT b, ROW_NUMBER() OVER (PARTITION BY a ORDER BY 1) AS rn, a FROM r",
        expect![[r#"
        10 1 1
        20 1 2
        21 2 2
        40 1 -
        - 1 3"#]],
    );
    check(
        "SELECT a, ROW_NUMBER() OVER () FROM (SELECT a FROM s UNION ALL SELECT a FROM s) x",
        expect![[r#"
        1 1
        1 2
        1 3
        1 4
        2 5
        2 6
        4 7
        4 8
        - 9
        - 10"#]],
    );
    check(
        "SELECT a, COUNT(*) AS n, ROW_NUMBER() OVER (ORDER BY COUNT(*) DESC, a) AS rn FROM r GROUP BY a ORDER BY rn",
        expect![[r#"
            1 1 2
            2 2 1
            3 1 3
            - 1 4"#]],
    );
    check(
        "SELECT a, ROW_NUMBER() OVER (ORDER BY b DESC) AS rn FROM r ORDER BY rn LIMIT 2",
        expect![[r#"
        3 1
        - 2"#]],
    );
    check(
        "SELECT x.a, y.rn FROM r x JOIN (SELECT a, c, ROW_NUMBER() OVER (PARTITION BY a ORDER BY c) AS rn FROM s) y ON x.a = y.a AND y.rn <= 1",
        expect![[r#"
            1 1
            2 1
            2 1"#]],
    );
    check(
        "SELECT b, (SELECT c FROM (SELECT s.c, ROW_NUMBER() OVER (ORDER BY s.c DESC NULLS LAST) AS rn FROM s WHERE s.a = r.a) z WHERE rn = 1) AS most FROM r",
        expect![[r#"
            10 7
            20 -
            21 -
            40 -
            - -"#]],
    );
}

#[test]
fn no_more_is_kept_than_is_asked_for() {
    kept(
        "CREATE TABLE t AS SELECT user_id, page, ms FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY ms DESC) AS rn FROM clicks) WHERE rn <= 10",
        expect![[r#"
            Emit T  upsert
            └ TopK  key=USER_ID  order=(MS DESC, USER_ID, PAGE)  limit=10  hash  keeps the first rows
              └ Source CLICKS  append-only  columns=[USER_ID, PAGE, MS]"#]],
    );
    kept(
        "CREATE MATERIALIZED VIEW t AS SELECT * FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY ms DESC) AS rn FROM clicks) WHERE rn <= 10",
        expect![[r#"
            Emit T  changes
            └ TopK  key=USER_ID  order=(MS DESC, USER_ID, PAGE)  limit=10  numbered  hash  keeps the first rows
              └ Source CLICKS  append-only  columns=[USER_ID, PAGE, MS]"#]],
    );
    kept(
        "CREATE MATERIALIZED VIEW t AS SELECT rn + 1 AS m, page FROM (SELECT *, ROW_NUMBER() OVER (PARTITION BY user_id ORDER BY ms) AS rn FROM clicks) WHERE rn = 3 AND page > 'a'",
        expect![[r#"
            Emit T  changes
            └ Map  [3 + 1 AS M, PAGE]  where PAGE > 'a'
              └ TopK  key=USER_ID  order=(MS, USER_ID, PAGE)  offset=2  limit=1  hash  keeps the first rows
                └ Source CLICKS  append-only  columns=[USER_ID, PAGE, MS]"#]],
    );
}

#[test]
fn what_is_not_a_number_of_rows_is_refused() {
    fails(
        "CREATE MATERIALIZED VIEW v AS SELECT a, ROW_NUMBER() OVER (ORDER BY b) AS rn FROM bag",
        expect![[r#"
        error[0A000]: not supported: ROW_NUMBER() over all rows in a query that is maintained
          --> test.sql:1:31
           |
        1  | CREATE MATERIALIZED VIEW v AS SELECT a, ROW_NUMBER() OVER (ORDER BY b) AS rn FROM bag
           |                               ^^^^^^
           = detail: Each change would give new numbers to all rows behind it.
           = hint: SELECT … FROM (SELECT …, ROW_NUMBER() OVER (…) AS n …) WHERE n <= 10"#]],
    );
    fails(
        "SELECT RANK() OVER (ORDER BY b) AS rn FROM bag",
        expect![[r#"
        error[0A000]: not supported: window functions (OVER) but ROW_NUMBER()
          --> test.sql:1:8
           |
        1  | SELECT RANK() OVER (ORDER BY b) AS rn FROM bag
           |        ^^^^
           = hint: WINDOW TUMBLING, HOPPING and SESSION group a stream by time"#]],
    );
    fails(
        "SELECT SUM(a) OVER (ORDER BY b) AS rn FROM bag",
        expect![[r#"
        error[0A000]: not supported: window functions (OVER) but ROW_NUMBER()
          --> test.sql:1:8
           |
        1  | SELECT SUM(a) OVER (ORDER BY b) AS rn FROM bag
           |        ^^^^^
           = hint: WINDOW TUMBLING, HOPPING and SESSION group a stream by time"#]],
    );
    fails(
        "SELECT a FROM bag WHERE ROW_NUMBER() OVER (ORDER BY b) < 3",
        expect![[r#"
        error[0A000]: not supported: ROW_NUMBER() in WHERE
          --> test.sql:1:25
           |
        1  | SELECT a FROM bag WHERE ROW_NUMBER() OVER (ORDER BY b) < 3
           |                         ^^^^^^^^^^
           = hint: number the rows in a subquery in FROM, then name the column"#]],
    );
    fails(
        "SELECT ROW_NUMBER() OVER (ORDER BY b) + 1 AS m FROM bag",
        expect![[r#"
        error[0A000]: not supported: ROW_NUMBER() inside of an expression
          --> test.sql:1:8
           |
        1  | SELECT ROW_NUMBER() OVER (ORDER BY b) + 1 AS m FROM bag
           |        ^^^^^^^^^^
           = hint: number the rows in a subquery in FROM, then name the column"#]],
    );
    fails(
        "SELECT DISTINCT ROW_NUMBER() OVER (ORDER BY b) AS m FROM bag",
        expect![[r#"
        error[0A000]: not supported: ROW_NUMBER() beside DISTINCT or EXPLODE
          --> test.sql:1:17
           |
        1  | SELECT DISTINCT ROW_NUMBER() OVER (ORDER BY b) AS m FROM bag
           |                 ^^^^^^^^^^
           = hint: number the rows in a subquery in FROM"#]],
    );
    fails(
        "SELECT ROW_NUMBER() OVER (ORDER BY a) AS m, ROW_NUMBER() OVER (ORDER BY b) AS n FROM bag",
        expect![[r#"
        error[0A000]: not supported: a second ROW_NUMBER() in one SELECT
          --> test.sql:1:45
           |
        1  | SELECT ROW_NUMBER() OVER (ORDER BY a) AS m, ROW_NUMBER() OVER (ORDER BY b) AS n FROM bag
           |                                             ^^^^^^^^^^
           = hint: number the rows in a subquery in FROM"#]],
    );
    fails(
        "SELECT b, ROW_NUMBER() OVER (ORDER BY a) AS m FROM bag GROUP BY b",
        expect![[r#"
        error[42803]: a must be in GROUP BY or inside an aggregate
          --> test.sql:1:39
           |
        1  | SELECT b, ROW_NUMBER() OVER (ORDER BY a) AS m FROM bag GROUP BY b
           |                                       ^
           = hint: add a to GROUP BY, or take LATEST_BY_OFFSET(a)"#]],
    );
    fails(
        "SELECT ROW_NUMBER() OVER (ORDER BY a ROWS UNBOUNDED PRECEDING) AS m FROM bag",
        expect![[r#"
        error[0A000]: not supported: ROW_NUMBER() over a window with a name or a frame
          --> test.sql:1:8
           |
        1  | SELECT ROW_NUMBER() OVER (ORDER BY a ROWS UNBOUNDED PRECEDING) AS m FROM bag
           |        ^^^^^^^^^^"#]],
    );
}
