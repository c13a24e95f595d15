//! TUMBLE and HOP in FROM.

use expect_test::{Expect, expect};

use super::catalog::{error, plan};
use super::subqueries::check;

const EVENTS: &str = "WITH e (t, v) AS (VALUES (TIMESTAMP '1970-01-01 00:00:03', 1), (TIMESTAMP '1970-01-01 00:00:10', 2), (TIMESTAMP '1969-12-31 23:59:59.5', 3), (NULL, 4))";

fn answer(query: &str, expect: Expect) {
    check(&format!("{EVENTS} {query}"), expect);
}

fn fails(sql: &str, expect: Expect) {
    expect.assert_eq(&error(sql));
}

#[test]
fn a_row_is_in_one_tumbling_window() {
    answer(
        "SELECT v, UNIX_TIMESTAMP(window_start), UNIX_TIMESTAMP(window_end) FROM TABLE(TUMBLE(TABLE e, DESCRIPTOR(t), INTERVAL '10' SECOND))",
        expect![[r#"
            1 0 10000
            2 10000 20000
            3 -10000 0"#]],
    );
    answer(
        "SELECT x.v, UNIX_TIMESTAMP(x.window_start) FROM TUMBLE(e, t, INTERVAL '1' SECOND) AS x WHERE x.v < 3",
        expect![[r#"
            1 3000
            2 10000"#]],
    );
    answer(
        "SELECT UNIX_TIMESTAMP(window_end), COUNT(*), SUM(v) FROM TUMBLE(TABLE e, DESCRIPTOR(t), INTERVAL '1' DAY) GROUP BY window_start, window_end",
        expect![[r#"
            0 1 3
            86400000 2 3"#]],
    );
}

#[test]
fn a_row_is_in_each_hopping_window_that_holds_it() {
    answer(
        "SELECT v, UNIX_TIMESTAMP(window_start), UNIX_TIMESTAMP(window_end) FROM TABLE(HOP(TABLE e, DESCRIPTOR(t), INTERVAL '5' SECOND, INTERVAL '10' SECOND))",
        expect![[r#"
            1 -5000 5000
            1 0 10000
            2 5000 15000
            2 10000 20000
            3 -10000 0
            3 -5000 5000"#]],
    );
    // three starts may hold a time, most times are in two
    answer(
        "SELECT v, UNIX_TIMESTAMP(window_start), UNIX_TIMESTAMP(window_end) FROM TABLE(HOP(TABLE e, DESCRIPTOR(t), INTERVAL '4' SECOND, INTERVAL '10' SECOND))",
        expect![[r#"
            1 -4000 6000
            1 0 10000
            2 4000 14000
            2 8000 18000
            3 -8000 2000
            3 -4000 6000"#]],
    );
}

#[test]
fn windows_are_columns_of_the_row() {
    let stream =
        "CREATE STREAM bid (auction BIGINT, price BIGINT, date_time TIMESTAMP) WITH (CONNECTOR='file', PATH='b.json');";
    let kept = |sql: &str, expect: Expect| expect.assert_eq(&plan(&format!("{stream}{sql}")));
    kept(
        "CREATE STREAM w AS SELECT * FROM TABLE(TUMBLE(TABLE bid, DESCRIPTOR(date_time), INTERVAL '10' SECOND))",
        expect![[r#"
            Emit W  stream
            └ Project  [AUCTION, PRICE, DATE_TIME, WINDOW_START, window_end(WINDOW_START, 10000000) AS WINDOW_END, ROWTIME, ROWPARTITION, ROWOFFSET, ROWLANETIME]
              └ Map  [AUCTION, PRICE, DATE_TIME, ROWTIME, ROWPARTITION, ROWOFFSET, ROWLANETIME, window_start(DATE_TIME, 10000000) AS WINDOW_START]  where DATE_TIME IS NOT NULL
                └ Source BID  append-only  columns=[AUCTION, PRICE, DATE_TIME, ROWTIME, ROWPARTITION, ROWOFFSET, ROWLANETIME]"#]],
    );
    kept(
        "CREATE MATERIALIZED VIEW w AS SELECT auction, COUNT(*) AS num, window_start FROM TABLE(HOP(TABLE bid, DESCRIPTOR(date_time), INTERVAL '2' SECOND, INTERVAL '10' SECOND)) GROUP BY auction, window_start, window_end",
        expect![[r#"
            Emit W  changes
            └ Project  [AUCTION, COUNT AS NUM, WINDOW_START]
              └ Reduce  count(*)  key=(AUCTION, WINDOW_START, WINDOW_END)  hash  keeps 1 row per key
                └ Project  [AUCTION, WINDOW_START, window_end(WINDOW_START, 10000000) AS WINDOW_END]
                  └ Unnest  columns=[WINDOW_START]
                    └ Map  [AUCTION, window_starts(DATE_TIME, 2000000, 10000000) AS WINDOW_START]  where DATE_TIME IS NOT NULL
                      └ Source BID  append-only  columns=[AUCTION, DATE_TIME]"#]],
    );
    kept(
        "CREATE MATERIALIZED VIEW w AS SELECT COUNT(*) AS n, window_end FROM TUMBLE(bid, ROWTIME, INTERVAL '1' MINUTE) GROUP BY window_end",
        expect![[r#"
            Emit W  changes  key=(WINDOW_END)
            └ Project  [COUNT AS N, WINDOW_END]
              └ Reduce  count(*)  key=WINDOW_END  hash  keeps 1 row per key
                └ Map  [window_end(window_start(from_unixtime(ROWTIME), 60000000), 60000000) AS WINDOW_END]  where from_unixtime(ROWTIME) IS NOT NULL
                  └ Source BID  append-only  columns=[ROWTIME]"#]],
    );
}

#[test]
fn wrong_arguments_have_places() {
    fails(
        "SELECT * FROM TUMBLE(TABLE orders, DESCRIPTOR(amount), INTERVAL '1' DAY)",
        expect![[r#"
        error[42804]: windows are over a TIMESTAMP or epoch ms, this is DECIMAL(10, 2)
          --> test.sql:1:47
           |
        1  | SELECT * FROM TUMBLE(TABLE orders, DESCRIPTOR(amount), INTERVAL '1' DAY)
           |                                               ^^^^^^"#]],
    );
    fails(
        "SELECT * FROM TUMBLE(TABLE nothing, DESCRIPTOR(t), INTERVAL '1' DAY)",
        expect![[r#"
        error[42P01]: there is no relation NOTHING
          --> test.sql:1:28
           |
        1  | SELECT * FROM TUMBLE(TABLE nothing, DESCRIPTOR(t), INTERVAL '1' DAY)
           |                            ^^^^^^^
           = hint: SHOW RELATIONS lists what there is"#]],
    );
    fails(
        "SELECT * FROM TUMBLE(TABLE ratings, DESCRIPTOR(ROWTIME), INTERVAL '1' MONTH)",
        expect![[r#"
        error[22023]: the length of a window is an INTERVAL above zero
          --> test.sql:1:67
           |
        1  | SELECT * FROM TUMBLE(TABLE ratings, DESCRIPTOR(ROWTIME), INTERVAL '1' MONTH)
           |                                                                   ^^^
           = hint: INTERVAL '10' SECOND; months and years are not all equally long"#]],
    );
    fails(
        "SELECT * FROM TUMBLE(TABLE ratings, DESCRIPTOR(ROWTIME), 10)",
        expect![[r#"
        error[22023]: the length of a window is an INTERVAL above zero
          --> test.sql:1:58
           |
        1  | SELECT * FROM TUMBLE(TABLE ratings, DESCRIPTOR(ROWTIME), 10)
           |                                                          ^^
           = hint: INTERVAL '10' SECOND; months and years are not all equally long"#]],
    );
    fails(
        "SELECT * FROM TUMBLE(TABLE ratings, DESCRIPTOR(ROWTIME))",
        expect![[r#"
        error[42883]: there is no such TUMBLE
          --> test.sql:1:15
           |
        1  | SELECT * FROM TUMBLE(TABLE ratings, DESCRIPTOR(ROWTIME))
           |               ^^^^^^
           = hint: TUMBLE(TABLE t, DESCRIPTOR(time), INTERVAL '10' SECOND)"#]],
    );
    fails(
        "SELECT * FROM HOP(ratings, ROWTIME, INTERVAL '2' DAY, INTERVAL '1' DAY)",
        expect![[r#"
        error[22023]: windows are further apart than they are long: rows between two would be in none
          --> test.sql:1:15
           |
        1  | SELECT * FROM HOP(ratings, ROWTIME, INTERVAL '2' DAY, INTERVAL '1' DAY)
           |               ^^^"#]],
    );
    fails(
        "SELECT * FROM HOP(ratings, ROWTIME, INTERVAL '1' SECOND, INTERVAL '1' DAY)",
        expect![[r#"
        error[22023]: a row would be in more than 1000 windows
          --> test.sql:1:15
           |
        1  | SELECT * FROM HOP(ratings, ROWTIME, INTERVAL '1' SECOND, INTERVAL '1' DAY)
           |               ^^^"#]],
    );
    fails(
        "SELECT * FROM SESSION(TABLE ratings, DESCRIPTOR(ROWTIME), INTERVAL '1' DAY)",
        expect![[r#"
        error[0A000]: not supported: the table function SESSION
          --> test.sql:1:15
           |
        1  | SELECT * FROM SESSION(TABLE ratings, DESCRIPTOR(ROWTIME), INTERVAL '1' DAY)
           |               ^^^^^^^"#]],
    );
    fails(
        "SELECT * FROM TUMBLE((SELECT 1), DESCRIPTOR(ROWTIME), INTERVAL '1' DAY)",
        expect![[r#"
        error[42601]: the first argument is a relation: TABLE t
          --> test.sql:1:23
           |
        1  | SELECT * FROM TUMBLE((SELECT 1), DESCRIPTOR(ROWTIME), INTERVAL '1' DAY)
           |                       ^^^^^^^^
           = hint: a query can be given a name by WITH"#]],
    );
}
