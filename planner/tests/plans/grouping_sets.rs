//! GROUPING SETS, ROLLUP, CUBE and GROUPING().

use expect_test::{Expect, expect};

use super::catalog::{error, plan};
use super::subqueries::check;

fn fails(sql: &str, expect: Expect) {
    expect.assert_eq(&error(sql));
}

#[test]
fn each_set_is_a_grouping_of_its_own() {
    check(
        "SELECT a, b, COUNT(*) AS n FROM r GROUP BY GROUPING SETS ((a), (b), ())",
        expect![[r#"
        1 - 1
        2 - 2
        3 - 1
        - 10 1
        - 20 1
        - 21 1
        - 40 1
        - - 1
        - - 1
        - - 5"#]],
    );
    check(
        "SELECT a, SUM(b) AS t, GROUPING(a) AS g FROM r GROUP BY ROLLUP (a)",
        expect![[r#"
        1 10 0
        2 41 0
        3 - 0
        - 40 0
        - 91 1"#]],
    );
    check(
        "SELECT a % 2 AS k, c > 6 AS m, COUNT(*), GROUPING(a % 2, c > 6) FROM s GROUP BY CUBE (k, m)",
        expect![[r#"
        0 true 1 0
        0 - 1 0
        0 - 2 1
        1 false 1 0
        1 true 1 0
        1 - 2 1
        - false 1 2
        - true 1 0
        - true 3 2
        - - 1 1
        - - 1 2
        - - 5 3"#]],
    );
    // elements beside each other multiply
    check(
        "SELECT a, b, COUNT(*) FROM r GROUP BY a, ROLLUP (b) HAVING GROUPING(b) = 1",
        expect![[r#"
        1 - 1
        2 - 2
        3 - 1
        - - 1"#]],
    );
    check(
        "SELECT a, COUNT(*) FROM r GROUP BY GROUPING SETS ((a), (a)) HAVING a = 2",
        expect![[r#"
        2 2
        2 2"#]],
    );
}

#[test]
fn a_set_without_keys_always_has_a_row() {
    check("SELECT a, COUNT(*), GROUPING(a) FROM none GROUP BY ROLLUP (a)", expect!["- 0 1"]);
    check("SELECT a FROM none GROUP BY CUBE (a)", expect!["-"]);
    check("SELECT COUNT(*) FROM none GROUP BY GROUPING SETS (())", expect!["0"]);
    check("SELECT 7 AS x FROM none HAVING 1 = 1", expect!["7"]);
    check(
        "SELECT a, COUNT(*) FROM r GROUP BY ROLLUP (a) HAVING a > 1",
        expect![[r#"
        2 2
        3 1"#]],
    );
}

#[test]
fn grouping_tells_null_from_left_out() {
    check(
        "SELECT a, GROUPING(a) AS g, COUNT(*) FROM r GROUP BY ROLLUP (a) HAVING a IS NULL",
        expect![[r#"
        - 0 1
        - 1 5"#]],
    );
    check("SELECT a, GROUPING(a) FROM r GROUP BY a HAVING a > 2", expect!["3 0"]);
    check(
        "SELECT CASE WHEN GROUPING(a) = 1 THEN 'all' ELSE CAST(a AS VARCHAR) END AS k, MAX(b) FROM r GROUP BY ROLLUP (a) ORDER BY GROUPING(a) DESC, k LIMIT 2",
        expect![[r#"
            1 10
            all 40"#]],
    );
    check(
        "SELECT k, t FROM (SELECT a AS k, SUM(b) AS t, GROUPING(a) AS g FROM r GROUP BY CUBE (a)) x WHERE g = 1 AND k IS NULL",
        expect!["- 91"],
    );
}

#[test]
fn sets_are_maintained_as_a_union() {
    let kept = |sql: &str, expect: Expect| expect.assert_eq(&plan(sql));
    kept(
        "CREATE MATERIALIZED VIEW v AS SELECT city, name, SUM(credit) AS s FROM customers GROUP BY ROLLUP (city, name)",
        expect![[r#"
            Emit V  changes
            └ Union
              ├ Reduce  sum(CREDIT)  key=(CITY, NAME)  hash  keeps 1 row per key
              │ └ Project  [CITY, NAME, CREDIT]
              │   └ Source CUSTOMERS  columns=[NAME, CITY, CREDIT]
              ├ Project  [CITY AS CUSTOMERS.CITY, NULL AS CUSTOMERS.NAME, SUM AS #result.SUM]
              │ └ Reduce  sum(CREDIT)  key=CITY  hash  keeps 1 row per key
              │   └ Source CUSTOMERS  columns=[CITY, CREDIT]
              └ Project  [NULL AS CUSTOMERS.CITY, NULL AS CUSTOMERS.NAME, SUM AS #result.SUM]
                └ Reduce  sum(CREDIT)  hash  keeps 1 row
                  └ Source CUSTOMERS  columns=[CREDIT]"#]],
    );
    kept(
        "CREATE TABLE v AS SELECT user_id, page, COUNT(*) AS n FROM clicks WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY GROUPING SETS ((user_id), (page))",
        expect![[r#"
            Emit V  upsert
            └ Project  [CLICKS.USER_ID AS USER_ID, CLICKS.PAGE AS PAGE, #result.COUNT AS N, WINDOW.WINDOWSTART AS WINDOWSTART, WINDOW.WINDOWEND AS WINDOWEND]
              └ Union
                ├ Project  [USER_ID AS CLICKS.USER_ID, NULL AS CLICKS.PAGE, WINDOWSTART AS WINDOW.WINDOWSTART, WINDOWEND AS WINDOW.WINDOWEND, COUNT AS #result.COUNT]
                │ └ WindowedReduce  count(*)  key=USER_ID  window=TUMBLING 1 min  hash  keeps 1 row per key and open window, until window end + grace 24 h; results 24 h 1 min
                │   └ Source CLICKS  append-only  columns=[USER_ID, ROWTIME, ROWPARTITION, ROWOFFSET, ROWLANETIME]
                └ Project  [NULL AS CLICKS.USER_ID, PAGE AS CLICKS.PAGE, WINDOWSTART AS WINDOW.WINDOWSTART, WINDOWEND AS WINDOW.WINDOWEND, COUNT AS #result.COUNT]
                  └ WindowedReduce  count(*)  key=PAGE  window=TUMBLING 1 min  hash  keeps 1 row per key and open window, until window end + grace 24 h; results 24 h 1 min
                    └ Source CLICKS  append-only  columns=[PAGE, ROWTIME, ROWPARTITION, ROWOFFSET, ROWLANETIME]"#]],
    );
}

#[test]
fn what_is_no_set_says_so() {
    fails(
        "SELECT GROUPING(b) FROM bag GROUP BY a",
        expect![[r#"
        error[42803]: an argument of GROUPING is no key of GROUP BY
          --> test.sql:1:17
           |
        1  | SELECT GROUPING(b) FROM bag GROUP BY a
           |                 ^"#]],
    );
    fails(
        "SELECT GROUPING(a) FROM bag",
        expect![[r#"
            error[42803]: an argument of GROUPING is no key of GROUP BY
              --> test.sql:1:17
               |
            1  | SELECT GROUPING(a) FROM bag
               |                 ^"#]],
    );
    fails(
        "SELECT a FROM bag WHERE GROUPING(a) = 1 GROUP BY a",
        expect![[r#"
        error[42803]: GROUPING cannot stand in WHERE
          --> test.sql:1:25
           |
        1  | SELECT a FROM bag WHERE GROUPING(a) = 1 GROUP BY a
           |                         ^^^^^^^^^^
           = detail: Rows are grouped behind it."#]],
    );
    fails(
        "SELECT b, COUNT(*) FROM bag GROUP BY ROLLUP (a)",
        expect![[r#"
        error[42803]: b must be in GROUP BY or inside an aggregate
          --> test.sql:1:8
           |
        1  | SELECT b, COUNT(*) FROM bag GROUP BY ROLLUP (a)
           |        ^
           = hint: add b to GROUP BY, or take LATEST_BY_OFFSET(b)"#]],
    );
    fails(
        "SELECT COUNT(*) FROM bag GROUP BY CUBE (a, b, c, a + 1, a + 2, a + 3, a + 4)",
        expect![[r#"
        error[54001]: GROUP BY has more than 64 sets
          --> test.sql:1:41
           |
        1  | SELECT COUNT(*) FROM bag GROUP BY CUBE (a, b, c, a + 1, a + 2, a + 3, a + 4)
           |                                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"#]],
    );
    let cube =
        |from: &str| format!("(SELECT a, b, COUNT(*) AS c FROM {from} x GROUP BY CUBE (a, b, a + b, a - b, a * b))");
    fails(
        &format!("SELECT * FROM {} x", cube(&cube(&cube("bag")))),
        expect![[r#"
        error[54001]: GROUP BY has too many sets over too large a query
           = detail: What is grouped is computed for each set.
           = hint: CREATE MATERIALIZED VIEW of what is grouped, then group it"#]],
    );
    fails(
        "CREATE TABLE t AS SELECT user_id, COUNT(*) AS n FROM clicks WINDOW SESSION (1 MINUTE) GROUP BY ROLLUP (user_id)",
        expect![[r#"
            error[0A000]: not supported: GROUPING SETS, ROLLUP and CUBE with session windows
              --> test.sql:1:61
               |
            1  | CREATE TABLE t AS SELECT user_id, COUNT(*) AS n FROM clicks WINDOW SESSION (1 MINUTE) GROUP BY ROLLUP (user_id)
               |                                                             ^^^^^^^^^^^^^^^^^^^^^^^^^"#]],
    );
}
