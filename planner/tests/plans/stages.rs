//! One query after each step, and the forms of plans that are not seen elsewhere.

use expect_test::{Expect, expect};

use super::catalog::plan;

fn check(sql: &str, expect: Expect) {
    expect.assert_eq(&plan(sql));
}

const QUERY: &str = "SELECT c.name, COUNT(*) AS n FROM customers c JOIN orders o ON c.id = o.customer_id WHERE c.credit > 10 AND EXISTS (SELECT 1 FROM bag b WHERE b.a = c.id) GROUP BY c.name";

#[test]
fn a_query_after_each_step() {
    check(
        &format!("EXPLAIN PARSED {QUERY}"),
        expect![[r#"
        SELECT
          c.name,
          COUNT(*) AS n
        FROM
          customers c
          JOIN orders o ON c.id = o.customer_id
        WHERE
          c.credit > 10 AND EXISTS (SELECT 1 FROM bag b WHERE b.a = c.id)
        GROUP BY
          c.name"#]],
    );
    check(
        &format!("EXPLAIN LOGICAL {QUERY}"),
        expect![[r#"
        Projection: C.NAME AS NAME, #result.COUNT AS N
          Aggregate: groupBy=[[C.NAME]], aggr=[[count() AS COUNT]]
            Filter: C.CREDIT > Float64(10) AND EXISTS (<subquery>)
              Subquery:
                Projection: Int32(1) AS KSQL_COL_0
                  Filter: CAST(B.A AS Int64) = outer_ref(C.ID)
                    TableScan: B
              Inner Join:  Filter: C.ID = O.CUSTOMER_ID
                TableScan: C
                TableScan: O"#]],
    );
    check(
        &format!("EXPLAIN OPTIMIZED {QUERY}"),
        expect![[r#"
        Projection: C.NAME AS NAME, #result.COUNT AS N
          Aggregate: groupBy=[[C.NAME]], aggr=[[count() AS COUNT]]
            Projection: C.NAME
              LeftSemi Join:  Filter: CAST(#1.A AS Int64) = C.ID
                Projection: C.ID, C.NAME
                  Inner Join:  Filter: C.ID = O.CUSTOMER_ID
                    Projection: C.ID, C.NAME
                      Filter: C.CREDIT > Float64(10)
                        TableScan: C projection=[ID, NAME, CREDIT]
                    TableScan: O projection=[CUSTOMER_ID]
                Projection: B.A AS A
                  TableScan: B projection=[A]"#]],
    );
    check(
        &format!("EXPLAIN {QUERY}"),
        expect![[r#"
        Pull
        └ Reduce  count(*)  key=NAME  hash  keeps 1 row per key
          └ Project  [NAME]
            └ SemiJoin  on ID = #1.A  hash  keeps both sides
              ├ Project  [ID, NAME]
              │ └ Join  inner  on ID = CUSTOMER_ID  hash  keeps both sides
              │   ├ Map  [ID, NAME]  where CREDIT > 10
              │   │ └ Source CUSTOMERS  columns=[ID, NAME, CREDIT]
              │   └ Source ORDERS  columns=[CUSTOMER_ID]
              └ Project  [A, CAST(A AS BIGINT) AS #1.A]
                └ Source BAG  columns=[A]"#]],
    );
    check(
        "EXPLAIN (FORMAT JSON) SELECT id FROM customers WHERE name = 'x'",
        expect![[
            r#"{"query":"Pull","visible":1,"plan":{"operator":"Map","detail":"[ID]  where NAME = 'x'","columns":[{"name":"ID","type":"BIGINT"}],"append_only":false,"unique_key":[0],"inputs":[{"operator":"Source","detail":"CUSTOMERS  columns=[ID, NAME]","columns":[{"name":"ID","type":"BIGINT"},{"name":"NAME","type":"VARCHAR"}],"append_only":false,"unique_key":[0],"inputs":[]}]}}"#
        ]],
    );
}

#[test]
fn streams_near_each_other() {
    check(
        "CREATE STREAM s AS SELECT r.stars, c.page FROM ratings r LEFT JOIN clicks c WITHIN (1 HOUR, 2 HOURS) GRACE PERIOD 5 MINUTES ON r.user_id = c.user_id AND c.ms > 3",
        expect![[r#"
            Emit S  stream  key=(USER_ID)
            └ Project  [STARS, PAGE, greatest(ROWTIME, ROWTIME) AS ROWTIME, CASE WHEN ROWPARTITION IS NOT NULL THEN ROWPARTITION ELSE ROWPARTITION END AS ROWPARTITION, CASE WHEN ROWOFFSET IS NOT NULL THEN ROWOFFSET ELSE ROWOFFSET END AS ROWOFFSET, least(ROWLANETIME, ROWLANETIME) AS ROWLANETIME, USER_ID]
              └ WithinJoin  left  on USER_ID = USER_ID  within -1 h to +2 h  hash  keeps both sides until window + grace 5 min  append-only
                ├ Source RATINGS  append-only  columns=[USER_ID, STARS, ROWTIME, ROWPARTITION, ROWOFFSET, ROWLANETIME]
                └ Map  [USER_ID, PAGE, ROWTIME, ROWPARTITION, ROWOFFSET, ROWLANETIME]  where MS > 3
                  └ Source CLICKS  append-only  columns=[USER_ID, PAGE, MS, ROWTIME, ROWPARTITION, ROWOFFSET, ROWLANETIME]"#]],
    );
}

#[test]
fn windows_of_all_kinds() {
    check(
        "CREATE TABLE t AS SELECT user_id, SUM(stars) AS s FROM ratings WINDOW HOPPING (SIZE 10 SECONDS, ADVANCE BY 5 SECONDS, GRACE PERIOD 1 SECOND) GROUP BY user_id EMIT FINAL",
        expect![[r#"
            Emit T  upsert  key=(USER_ID, WINDOWSTART, WINDOWEND)
            └ Project  [USER_ID, SUM AS S, WINDOWSTART, WINDOWEND]
              └ WindowedReduce  sum(STARS)  key=USER_ID  window=HOPPING 10 s by 5 s  hash  keeps 1 row per key and open window, until window end + grace 1 s; results 24 h; emits closed windows
                └ Source RATINGS  append-only  columns=[USER_ID, STARS, ROWTIME, ROWPARTITION, ROWOFFSET, ROWLANETIME]"#]],
    );
    check(
        "CREATE TABLE t AS SELECT user_id, COUNT(*) AS n FROM ratings WINDOW SESSION (60 SECONDS, GRACE PERIOD 1 HOUR) GROUP BY user_id",
        expect![[r#"
            Emit T  upsert  key=(USER_ID, WINDOWSTART, WINDOWEND)
            └ Project  [USER_ID, COUNT AS N, WINDOWSTART, WINDOWEND]
              └ SessionReduce  count(*)  key=USER_ID  window=SESSION 1 min  hash  keeps 1 row per key and open window, until window end + grace 1 h; results 24 h
                └ Project  [USER_ID, ROWTIME, ROWLANETIME, ROWPARTITION, ROWOFFSET]
                  └ Source RATINGS  append-only  columns=[USER_ID, ROWTIME, ROWPARTITION, ROWOFFSET, ROWLANETIME]"#]],
    );
}

#[test]
fn a_stream_that_a_table_does_not_know() {
    check(
        "CREATE STREAM s AS SELECT * FROM ratings WHERE user_id NOT IN (SELECT id FROM customers)",
        expect![[r#"
        Emit S  stream
        └ Map  [RATING_ID, USER_ID, STARS, CHANNEL, MESSAGE, ROWTIME, ROWPARTITION, ROWOFFSET, ROWLANETIME]  where CASE WHEN found IS NOT NULL OR USER_ID IS NULL AND keys > 0 OR nulls > 0 THEN TRUE END IS NULL
          └ AsOfJoin  inner  every pair  hash  keeps the table  append-only
            ├ AsOfJoin  left  on USER_ID = key0  hash  keeps the table  append-only
            │ ├ Source RATINGS  append-only  columns=[RATING_ID, USER_ID, STARS, CHANNEL, MESSAGE, ROWTIME, ROWPARTITION, ROWOFFSET, ROWLANETIME]
            │ └ Distinct  key=(key0, found)  hash  keeps 1 row per key
            │   └ Project  [ID AS key0, TRUE AS found]
            │     └ Source CUSTOMERS  columns=[ID]
            └ Reduce  count(*), count(*) FILTER is_null  hash  keeps 1 row
              └ Distinct  key=(is_null)  hash  keeps 1 row per key
                └ Project  [key0 IS NULL AS is_null]
                  └ Distinct  key=(key0, found)  hash  keeps 1 row per key
                    └ Project  [ID AS key0, TRUE AS found]
                      └ Source CUSTOMERS  columns=[ID]"#]],
    );
    check(
        "CREATE STREAM s AS SELECT stars FROM ratings r WHERE NOT EXISTS (SELECT 1 FROM customers c WHERE c.id = r.user_id)",
        expect![[r#"
            Emit S  stream
            └ Map  [STARS, ROWTIME, ROWPARTITION, ROWOFFSET, ROWLANETIME]  where found IS NULL
              └ AsOfJoin  left  on USER_ID = key0  hash  keeps the table  append-only
                ├ Source RATINGS  append-only  columns=[USER_ID, STARS, ROWTIME, ROWPARTITION, ROWOFFSET, ROWLANETIME]
                └ Distinct  key=(key0, found)  hash  keeps 1 row per key
                  └ Project  [ID AS key0, TRUE AS found]
                    └ Source CUSTOMERS  columns=[ID]"#]],
    );
}

#[test]
fn a_view_of_the_same_relations_is_maintained() {
    check(
        "CREATE MATERIALIZED VIEW v AS SELECT r.stars, c.name FROM ratings r JOIN customers c ON r.user_id = c.id",
        expect![[r#"
            Emit V  changes
            └ Project  [STARS, NAME]
              └ Join  inner  on USER_ID = ID  hash  keeps both sides
                ├ Source RATINGS  append-only  columns=[USER_ID, STARS]
                └ Source CUSTOMERS  columns=[ID, NAME]"#]],
    );
}

#[test]
fn keys_that_are_not_selected_belong_to_the_table() {
    check(
        "CREATE TABLE t AS SELECT COUNT(*) AS n FROM ratings GROUP BY user_id",
        expect![[r#"
        Emit T  upsert  key=(USER_ID)
        └ Project  [COUNT AS N, USER_ID]
          └ Reduce  count(*)  key=USER_ID  hash  keeps 1 row per key
            └ Source RATINGS  append-only  columns=[USER_ID]"#]],
    );
    check(
        "CREATE STREAM s AS SELECT stars FROM ratings PARTITION BY channel",
        expect![[r#"
        Emit S  stream  key=(PARTITION_KEY)
        └ Project  [STARS, ROWTIME, ROWPARTITION, ROWOFFSET, ROWLANETIME, CHANNEL AS PARTITION_KEY]
          └ Source RATINGS  append-only  columns=[STARS, CHANNEL, ROWTIME, ROWPARTITION, ROWOFFSET, ROWLANETIME]"#]],
    );
    check(
        "SELECT name FROM customers EMIT CHANGES",
        expect![[r#"
        Push  upsert  key=(ID)
        └ Project  [NAME, ID]
          └ Source CUSTOMERS  columns=[ID, NAME]"#]],
    );
}

#[test]
fn state_may_lie_on_differential() {
    check(
        "SET millrace.state = 'differential'; SELECT city, COUNT(*) FROM customers GROUP BY city",
        expect![[r#"
        Pull
        └ Reduce  count(*)  key=CITY  differential  keeps 1 row per key
          └ Source CUSTOMERS  columns=[CITY]"#]],
    );
}

#[test]
fn windows_of_a_table_are_columns() {
    check(
        "CREATE TABLE w AS SELECT user_id, COUNT(*) AS n FROM ratings WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY user_id;
SELECT user_id, SUM(n), MAX(WINDOWEND) FROM w GROUP BY user_id",
        expect![[r#"
            Pull
            └ Reduce  sum(N), max(WINDOWEND)  key=USER_ID  hash  keeps 1 row per key
              └ Source W  columns=[USER_ID, N, WINDOWEND]"#]],
    );
    check(
        "SELECT user_id, MAX(n) FROM (SELECT user_id, COUNT(*) AS n FROM ratings WINDOW TUMBLING (SIZE 1 MINUTE) GROUP BY user_id) x GROUP BY user_id",
        expect![[r#"
            Pull
            └ Reduce  max(N)  key=USER_ID  hash  keeps 1 row per key
              └ Project  [USER_ID, COUNT AS N]
                └ WindowedReduce  count(*)  key=USER_ID  window=TUMBLING 1 min  hash  keeps 1 row per key and open window, until window end + grace 24 h; results 24 h 1 min
                  └ Source RATINGS  append-only  columns=[USER_ID, ROWTIME, ROWPARTITION, ROWOFFSET, ROWLANETIME]"#]],
    );
}
