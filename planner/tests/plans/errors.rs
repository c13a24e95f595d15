//! What is wrong with a statement: where, what, why, what to do.

use expect_test::{Expect, expect};

use super::catalog::{error, warnings};

fn check(sql: &str, expect: Expect) {
    expect.assert_eq(&error(sql));
}

fn warns(sql: &str, expect: Expect) {
    expect.assert_eq(&warnings(sql));
}

#[test]
fn names_that_are_not_there() {
    check(
        "SELECT nam FROM customers",
        expect![[r#"
        error[42703]: there is no column NAM
          --> test.sql:1:8
           |
        1  | SELECT nam FROM customers
           |        ^^^
           = detail: FROM has CUSTOMERS.
           = hint: did you mean NAME?"#]],
    );
    check(
        "SELECT * FROM custmers",
        expect![[r#"
        error[42P01]: there is no relation CUSTMERS
          --> test.sql:1:15
           |
        1  | SELECT * FROM custmers
           |               ^^^^^^^^
           = hint: did you mean CUSTOMERS?"#]],
    );
    check(
        "SELECT UCSE(name) FROM customers",
        expect![[r#"
        error[42883]: there is no function UCSE
          --> test.sql:1:8
           |
        1  | SELECT UCSE(name) FROM customers
           |        ^^^^
           = hint: did you mean UCASE?"#]],
    );
    check(
        "SELECT c.nam FROM customers c",
        expect![[r#"
        error[42703]: C has no column NAM
          --> test.sql:1:8
           |
        1  | SELECT c.nam FROM customers c
           |        ^^^^^
           = detail: C has ID, NAME, CITY and CREDIT.
           = hint: did you mean NAME?"#]],
    );
    check(
        "SELECT x.name FROM customers c",
        expect![[r#"
        error[42P01]: no relation in FROM is called "X"
          --> test.sql:1:8
           |
        1  | SELECT x.name FROM customers c
           |        ^^^^^^
           = detail: FROM has C.
           = hint: did you mean C?"#]],
    );
    check(
        r#"SELECT "strng" FROM customers"#,
        expect![[r#"
        error[42703]: there is no column strng
          --> test.sql:1:8
           |
        1  | SELECT "strng" FROM customers
           |        ^^^^^^^
           = detail: FROM has CUSTOMERS.
           = hint: a text is written in single quotes: 'strng'"#]],
    );
    check(
        "SELECT address->stret FROM orders",
        expect![[r#"
        error[42703]: there is no field STRET
          --> test.sql:1:17
           |
        1  | SELECT address->stret FROM orders
           |                 ^^^^^
           = detail: The STRUCT has STREET and ZIP.
           = hint: did you mean STREET?"#]],
    );
    check(
        "SELECT c.id FROM customers c JOIN orders o USING (nothing)",
        expect![[r#"
        error[42703]: there is no column NOTHING
          --> test.sql:1:51
           |
        1  | SELECT c.id FROM customers c JOIN orders o USING (nothing)
           |                                                   ^^^^^^^
           = detail: FROM has C."#]],
    );
}

#[test]
fn undeclared_aliases() {
    check(
        "SELECT * FROM RATINGS LEFT JOIN CUSTOMERS ON R.ID = C.ID",
        expect![[r#"
        error[42P01]: no relation in FROM is called "R"
          --> test.sql:1:46
           |
        1  | SELECT * FROM RATINGS LEFT JOIN CUSTOMERS ON R.ID = C.ID
           |                                              ^^^^
           = detail: FROM has RATINGS and CUSTOMERS, neither of them with an alias.
           = hint: FROM RATINGS R LEFT JOIN CUSTOMERS C ON R.ID = C.ID"#]],
    );
    check(
        "SELECT R.stars, C.name FROM ratings JOIN customers ON R.user_id = C.id WHERE R.stars < 3",
        expect![[r#"
        error[42P01]: no relation in FROM is called "R"
          --> test.sql:1:55
           |
        1  | SELECT R.stars, C.name FROM ratings JOIN customers ON R.user_id = C.id WHERE R.stars < 3
           |                                                       ^^^^^^^^^
           = detail: FROM has RATINGS and CUSTOMERS, neither of them with an alias.
           = hint: FROM ratings R JOIN customers C ON R.user_id = C.id"#]],
    );
}

#[test]
fn names_that_mean_two_things() {
    check(
        "SELECT id FROM customers c JOIN orders o ON c.id = o.customer_id",
        expect![[r#"
        error[42702]: ID could be 2 columns
          --> test.sql:1:8
           |
        1  | SELECT id FROM customers c JOIN orders o ON c.id = o.customer_id
           |        ^^
           = hint: write C.ID or O.ID"#]],
    );
    check(
        "CREATE VIEW v AS SELECT c.id, o.id FROM customers c JOIN orders o ON c.id = o.customer_id",
        expect![[r#"
        error[42701]: two columns are called ID
          --> test.sql:1:31
           |
        1  | CREATE VIEW v AS SELECT c.id, o.id FROM customers c JOIN orders o ON c.id = o.customer_id
           |                               ^^^^
           = hint: give one of them another name with AS"#]],
    );
}

#[test]
fn types_that_do_not_fit() {
    check(
        "SELECT name + 1 FROM customers",
        expect![[r#"
        error[42883]: there is no VARCHAR + INT
          --> test.sql:1:8
           |
        1  | SELECT name + 1 FROM customers
           |        ^^^^^^^^
           = hint: CAST the operands to types that go together"#]],
    );
    check(
        "SELECT * FROM customers WHERE name = 5",
        expect![[r#"
        error[42804]: VARCHAR cannot be compared with INT
          --> test.sql:1:38
           |
        1  | SELECT * FROM customers WHERE name = 5
           |                                      ^
           = hint: CAST one side to the type of the other"#]],
    );
    check(
        "SELECT * FROM customers WHERE name",
        expect![[r#"
        error[42804]: WHERE takes a BOOLEAN, this is VARCHAR
          --> test.sql:1:31
           |
        1  | SELECT * FROM customers WHERE name
           |                               ^^^^"#]],
    );
    check(
        "SELECT SUM(name) FROM customers",
        expect![[r#"
        error[42804]: SUM takes a number, this is VARCHAR
          --> test.sql:1:12
           |
        1  | SELECT SUM(name) FROM customers
           |            ^^^^"#]],
    );
    check(
        "SELECT ABS(name, 1) FROM customers",
        expect![[r#"
        error[42883]: there is no ABS(VARCHAR, INT)
          --> test.sql:1:8
           |
        1  | SELECT ABS(name, 1) FROM customers
           |        ^^^^^^^^^^^
           = hint: it is written abs(numeric_expression)"#]],
    );
    check(
        "SELECT id FROM customers UNION SELECT name FROM customers",
        expect![[r#"
        error[42804]: UNION: column ID is BIGINT and VARCHAR
          --> test.sql:1:39
           |
        1  | SELECT id FROM customers UNION SELECT name FROM customers
           |                                       ^^^^
           = hint: CAST one to the type of the other"#]],
    );
    check(
        "SELECT id IN (SELECT name FROM customers) FROM customers",
        expect![[r#"
        error[42804]: BIGINT cannot be compared with VARCHAR
          --> test.sql:1:15
           |
        1  | SELECT id IN (SELECT name FROM customers) FROM customers
           |               ^^^^^^^^^^^^^^^^^^^^^^^^^^
           = hint: CAST one side to the type of the other"#]],
    );
    check(
        "SELECT * FROM orders WHERE placed > 'nonsense'",
        expect![[r#"
        error[42804]: 'nonsense' is no DATE
          --> test.sql:1:37
           |
        1  | SELECT * FROM orders WHERE placed > 'nonsense'
           |                                     ^^^^^^^^^^"#]],
    );
    check(
        "INSERT INTO customers VALUES ('x', 'a', 'b', 1)",
        expect![[r#"
        error[42804]: 'x' is no BIGINT
          --> test.sql:1:31
           |
        1  | INSERT INTO customers VALUES ('x', 'a', 'b', 1)
           |                               ^^^
           = detail: The column ID is BIGINT."#]],
    );
    check(
        "INSERT INTO customers VALUES (1 / 0, 'a', 'b', 1)",
        expect![[r#"
        error[42804]: division by zero
          --> test.sql:1:31
           |
        1  | INSERT INTO customers VALUES (1 / 0, 'a', 'b', 1)
           |                               ^^^^^"#]],
    );
}

#[test]
fn columns_outside_of_groups() {
    check(
        "SELECT city, name, COUNT(*) FROM customers GROUP BY city",
        expect![[r#"
        error[42803]: name must be in GROUP BY or inside an aggregate
          --> test.sql:1:14
           |
        1  | SELECT city, name, COUNT(*) FROM customers GROUP BY city
           |              ^^^^
           = hint: add name to GROUP BY, or take LATEST_BY_OFFSET(name)"#]],
    );
    check(
        "SELECT name, COUNT(*) FROM customers",
        expect![[r#"
        error[42803]: name must be in GROUP BY or inside an aggregate
          --> test.sql:1:8
           |
        1  | SELECT name, COUNT(*) FROM customers
           |        ^^^^
           = detail: Without GROUP BY all rows are one group.
           = hint: GROUP BY name"#]],
    );
    check(
        "SELECT name FROM customers WHERE COUNT(*) > 1",
        expect![[r#"
        error[42803]: COUNT cannot stand in WHERE
          --> test.sql:1:34
           |
        1  | SELECT name FROM customers WHERE COUNT(*) > 1
           |                                  ^^^^^
           = detail: Rows are grouped behind it.
           = hint: a condition on groups stands in HAVING"#]],
    );
    check(
        "SELECT SUM(COUNT(*)) FROM customers",
        expect![[r#"
        error[42803]: COUNT stands inside another aggregate
          --> test.sql:1:12
           |
        1  | SELECT SUM(COUNT(*)) FROM customers
           |            ^^^^^
           = detail: An aggregate takes rows, not groups."#]],
    );
    check(
        "SELECT city FROM customers GROUP BY city ORDER BY credit",
        expect![[r#"
        error[42803]: credit must be in GROUP BY or inside an aggregate
          --> test.sql:1:51
           |
        1  | SELECT city FROM customers GROUP BY city ORDER BY credit
           |                                                   ^^^^^^
           = hint: add credit to GROUP BY, or take LATEST_BY_OFFSET(credit)"#]],
    );
    check(
        "SELECT city, (SELECT MAX(o.id) FROM orders o WHERE o.customer_id = c.id) FROM customers c GROUP BY city",
        expect![[r#"
        error[42803]: c.id must be in GROUP BY or inside an aggregate
          --> test.sql:1:68
           |
        1  | SELECT city, (SELECT MAX(o.id) FROM orders o WHERE o.customer_id = c.id) FROM customers c GROUP BY city
           |                                                                    ^^^^
           = hint: add c.id to GROUP BY, or take LATEST_BY_OFFSET(c.id)"#]],
    );
}

#[test]
fn what_is_not_supported_says_so() {
    check(
        "SELECT COUNT(*) OVER () FROM customers",
        expect![[r#"
            error[0A000]: not supported: window functions (OVER) but ROW_NUMBER()
              --> test.sql:1:8
               |
            1  | SELECT COUNT(*) OVER () FROM customers
               |        ^^^^^
               = hint: WINDOW TUMBLING, HOPPING and SESSION group a stream by time"#]],
    );
    check(
        "WITH RECURSIVE t AS (SELECT 1) SELECT * FROM t",
        expect![[r#"
        error[0A000]: not supported: WITH RECURSIVE
          --> test.sql:1:1
           |
        1  | WITH RECURSIVE t AS (SELECT 1) SELECT * FROM t
           | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^"#]],
    );
    check(
        "SELECT NOW() AS t FROM customers EMIT CHANGES",
        expect![[r#"
        error[0A000]: not supported: NOW() in a query that is maintained
          --> test.sql:1:8
           |
        1  | SELECT NOW() AS t FROM customers EMIT CHANGES
           |        ^^^
           = detail: Its value changes while the query runs.
           = hint: compare ROWTIME or a column with a literal"#]],
    );
    check(
        "CREATE MATERIALIZED VIEW v AS SELECT CURRENT_DATE AS d FROM bag",
        expect![[r#"
        error[0A000]: not supported: CURRENT_DATE() in a query that is maintained
          --> test.sql:1:38
           |
        1  | CREATE MATERIALIZED VIEW v AS SELECT CURRENT_DATE AS d FROM bag
           |                                      ^^^^^^^^^^^^
           = detail: Its value changes while the query runs.
           = hint: compare ROWTIME or a column with a literal"#]],
    );
    check(
        "SELECT NOW()",
        expect![[r#"
        error[0A000]: not supported: NOW() where nobody says what time it is
          --> test.sql:1:8
           |
        1  | SELECT NOW()
           |        ^^^"#]],
    );
    check(
        "CREATE TABLE n AS SELECT city, COUNT(*) AS n FROM customers GROUP BY city; SELECT city, ROWTIME FROM n",
        expect![[r#"
            error[0A000]: not supported: ROWTIME of N
              --> test.sql:1:89
               |
            1  | CREATE TABLE n AS SELECT city, COUNT(*) AS n FROM customers GROUP BY city; SELECT city, ROWTIME FROM n
               |                                                                                         ^^^^^^^
               = detail: Streams have it, and tables that a source fills; rows that a query makes of others do not.
               = hint: MAX(ROWTIME) where the rows are grouped, under a name of its own"#]],
    );
    check(
        "CREATE TABLE n AS SELECT city, COUNT(*) AS n FROM customers GROUP BY city; SELECT x.ROWOFFSET FROM n x",
        expect![[r#"
            error[0A000]: not supported: ROWOFFSET of X
              --> test.sql:1:83
               |
            1  | CREATE TABLE n AS SELECT city, COUNT(*) AS n FROM customers GROUP BY city; SELECT x.ROWOFFSET FROM n x
               |                                                                                   ^^^^^^^^^^^
               = detail: Streams have it, and tables that a source fills; rows that a query makes of others do not.
               = hint: select it under a name of its own where the rows come from a source"#]],
    );
    check(
        "SELECT ROWTIME FROM (SELECT MAX(id) AS m FROM customers) x",
        expect![[r#"
        error[0A000]: not supported: ROWTIME of X
          --> test.sql:1:8
           |
        1  | SELECT ROWTIME FROM (SELECT MAX(id) AS m FROM customers) x
           |        ^^^^^^^
           = detail: Streams have it, and tables that a source fills; rows that a query makes of others do not.
           = hint: MAX(ROWTIME) where the rows are grouped, under a name of its own"#]],
    );
    check(
        "SELECT ROWTIME",
        expect![[r#"
        error[42703]: there is no column ROWTIME
          --> test.sql:1:8
           |
        1  | SELECT ROWTIME
           |        ^^^^^^^
           = detail: The query has no FROM."#]],
    );
    check(
        "SELECT TOPK(id, 3) FROM customers",
        expect![[r#"
        error[0A000]: not supported: the aggregate TOPK
          --> test.sql:1:8
           |
        1  | SELECT TOPK(id, 3) FROM customers
           |        ^^^^"#]],
    );
    check(
        "SELECT * FROM customers c FULL JOIN orders o ON EXISTS (SELECT 1 FROM bag)",
        expect![[r#"
        error[0A000]: not supported: a subquery in ON of an outer join
          --> test.sql:1:57
           |
        1  | SELECT * FROM customers c FULL JOIN orders o ON EXISTS (SELECT 1 FROM bag)
           |                                                         ^^^^^^^^^^^^^^^^^
           = hint: put it in a subquery in FROM, under a name"#]],
    );
    check(
        "PRINT topic",
        expect![[r#"
        error[0A000]: not supported: PRINT
          --> test.sql:1:7
           |
        1  | PRINT topic
           |       ^^^^^"#]],
    );
    check(
        "ALTER STREAM ratings ADD COLUMN x INT",
        expect![[r#"
        error[0A000]: not supported: ALTER
          --> test.sql:1:14
           |
        1  | ALTER STREAM ratings ADD COLUMN x INT
           |              ^^^^^^^"#]],
    );
}

#[test]
fn streams_and_tables() {
    check(
        "CREATE STREAM s AS SELECT stars, COUNT(*) FROM ratings GROUP BY stars",
        expect![[r#"
        error[42809]: the result is a TABLE: its rows come and go
          --> test.sql:1:20
           |
        1  | CREATE STREAM s AS SELECT stars, COUNT(*) FROM ratings GROUP BY stars
           |                    ^^^^^^
           = hint: CREATE TABLE S AS …"#]],
    );
    check(
        "CREATE TABLE t AS SELECT * FROM ratings",
        expect![[r#"
        error[42809]: the result is a STREAM: its rows are events
          --> test.sql:1:19
           |
        1  | CREATE TABLE t AS SELECT * FROM ratings
           |                   ^^^^^^
           = detail: A TABLE is made by GROUP BY, DISTINCT or from other tables.
           = hint: CREATE STREAM T AS …"#]],
    );
    check(
        "CREATE STREAM s AS SELECT * FROM customers c LEFT JOIN ratings r ON r.user_id = c.id",
        expect![[r#"
        error[42P16]: a join of a STREAM and a TABLE keeps rows of the stream only
          --> test.sql:1:56
           |
        1  | CREATE STREAM s AS SELECT * FROM customers c LEFT JOIN ratings r ON r.user_id = c.id
           |                                                        ^^^^^^^^^
           = detail: Only a row of the stream makes output; a row of the table without one never would.
           = hint: put the STREAM on the side that is kept, or CREATE MATERIALIZED VIEW"#]],
    );
    check(
        "CREATE STREAM s AS SELECT r.stars FROM ratings r LEFT JOIN clicks c ON r.user_id = c.user_id",
        expect![[r#"
        error[42P16]: an outer join of two streams needs WITHIN
          --> test.sql:1:60
           |
        1  | CREATE STREAM s AS SELECT r.stars FROM ratings r LEFT JOIN clicks c ON r.user_id = c.user_id
           |                                                            ^^^^^^^^
           = detail: A row without a partner could only come out when none can come any more.
           = hint: JOIN … WITHIN 1 HOUR ON …"#]],
    );
    check(
        "CREATE TABLE t AS SELECT user_id, COUNT(*) FROM ratings GROUP BY user_id EMIT FINAL",
        expect![[r#"
        error[42P16]: EMIT FINAL needs a WINDOW
          --> test.sql:1:74
           |
        1  | CREATE TABLE t AS SELECT user_id, COUNT(*) FROM ratings GROUP BY user_id EMIT FINAL
           |                                                                          ^^^^^^^^^^
           = detail: Without one no result is ever final.
           = hint: EMIT CHANGES"#]],
    );
    check(
        "SELECT COUNT(*) FROM customers WINDOW TUMBLING (SIZE 5 SECONDS)",
        expect![[r#"
        error[42P16]: WINDOW is for streams
          --> test.sql:1:32
           |
        1  | SELECT COUNT(*) FROM customers WINDOW TUMBLING (SIZE 5 SECONDS)
           |                                ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
           = detail: A row of a table is a state and has no time of its own.
           = hint: group by a column of time: GROUP BY DATE_TRUNC('minute', …)"#]],
    );
    check(
        "SELECT name FROM customers PARTITION BY name",
        expect![[r#"
        error[42P16]: PARTITION BY is for streams
          --> test.sql:1:28
           |
        1  | SELECT name FROM customers PARTITION BY name
           |                            ^^^^^^^^^^^^^^^^^
           = detail: The rows of a table are partitioned by its primary key."#]],
    );
    check(
        "CREATE STREAM s AS SELECT ROWTIME FROM ratings",
        expect![[r#"
        error[42701]: a STREAM has its own ROWTIME
          --> test.sql:1:27
           |
        1  | CREATE STREAM s AS SELECT ROWTIME FROM ratings
           |                           ^^^^^^^
           = hint: give it another name with AS"#]],
    );
    check(
        "UPDATE ratings SET stars = 1",
        expect![[r#"
        error[42809]: UPDATE is for tables
          --> test.sql:1:8
           |
        1  | UPDATE ratings SET stars = 1
           |        ^^^^^^^
           = detail: RATINGS is a STREAM: what happened stays."#]],
    );
    check(
        "INSERT INTO rich VALUES (1)",
        expect![[r#"
        error[42809]: RICH cannot be written to
          --> test.sql:1:13
           |
        1  | INSERT INTO rich VALUES (1)
           |             ^^^^
           = detail: A view is what its query says."#]],
    );
    check(
        "INSERT INTO ratings SELECT * FROM ratings",
        expect![[r#"
        error[42P16]: RATINGS would be written from itself
          --> test.sql:1:13
           |
        1  | INSERT INTO ratings SELECT * FROM ratings
           |             ^^^^^^^
           = detail: A cycle of relations never comes to rest."#]],
    );
}

#[test]
fn definitions() {
    check(
        "CREATE TABLE customers (a INT PRIMARY KEY) WITH (CONNECTOR='memory')",
        expect![[r#"
        error[42P07]: there is a TABLE CUSTOMERS already
          --> test.sql:1:14
           |
        1  | CREATE TABLE customers (a INT PRIMARY KEY) WITH (CONNECTOR='memory')
           |              ^^^^^^^^^
           = hint: CREATE OR REPLACE, or DROP TABLE CUSTOMERS"#]],
    );
    check(
        "CREATE TABLE x (a INT) WITH (CONNECTOR='topic')",
        expect![[r#"
        error[42P16]: a TABLE on a topic needs a PRIMARY KEY
          --> test.sql:1:14
           |
        1  | CREATE TABLE x (a INT) WITH (CONNECTOR='topic')
           |              ^
           = detail: Records of a topic are upserts and deletes by key.
           = hint: mark a column: (id BIGINT PRIMARY KEY, …)"#]],
    );
    check(
        "CREATE STREAM x (a INT PRIMARY KEY) WITH (CONNECTOR='topic')",
        expect![[r#"
        error[42P16]: a STREAM has no PRIMARY KEY
          --> test.sql:1:24
           |
        1  | CREATE STREAM x (a INT PRIMARY KEY) WITH (CONNECTOR='topic')
           |                        ^^^^^^^^^^^
           = detail: Events of equal keys stand beside each other.
           = hint: KEY, or CREATE TABLE"#]],
    );
    check(
        "CREATE STREAM x (a INT, A BIGINT) WITH (CONNECTOR='memory')",
        expect![[r#"
        error[42701]: column A is declared twice
          --> test.sql:1:25
           |
        1  | CREATE STREAM x (a INT, A BIGINT) WITH (CONNECTOR='memory')
           |                         ^"#]],
    );
    check(
        "DROP TABLE customers",
        expect![[r#"
        error[2BP01]: CUSTOMERS cannot be dropped: RICH reads it
          --> test.sql:1:12
           |
        1  | DROP TABLE customers
           |            ^^^^^^^^^
           = hint: drop RICH first"#]],
    );
    check(
        "DROP STREAM customers",
        expect![[r#"
        error[42809]: CUSTOMERS is a TABLE, no STREAM
          --> test.sql:1:13
           |
        1  | DROP STREAM customers
           |             ^^^^^^^^^
           = hint: DROP TABLE CUSTOMERS"#]],
    );
    check(
        "CREATE MATERIALIZED VIEW v WITH (ON_ERROR = 'x') AS SELECT * FROM ratings",
        expect![[r#"
        error[22023]: ON_ERROR cannot be X
          --> test.sql:1:45
           |
        1  | CREATE MATERIALIZED VIEW v WITH (ON_ERROR = 'x') AS SELECT * FROM ratings
           |                                             ^^^
           = hint: DEAD LETTER, NULL or FAIL"#]],
    );
}

#[test]
fn nothing_is_made_of_itself() {
    check(
        "CREATE OR REPLACE VIEW rich AS SELECT id FROM rich",
        expect![[r#"
        error[42P16]: RICH would be made of itself
          --> test.sql:1:24
           |
        1  | CREATE OR REPLACE VIEW rich AS SELECT id FROM rich
           |                        ^^^^"#]],
    );
    check(
        "CREATE VIEW richer AS SELECT id FROM rich; DROP VIEW rich",
        expect![[r#"
        error[2BP01]: RICH cannot be dropped: RICHER reads it
          --> test.sql:1:54
           |
        1  | CREATE VIEW richer AS SELECT id FROM rich; DROP VIEW rich
           |                                                      ^^^^
           = hint: drop RICHER first"#]],
    );
}

#[test]
fn state_without_a_bound() {
    warns(
        "CREATE STREAM endless (a INT) WITH (CONNECTOR='topic'); CREATE TABLE t AS SELECT a, COUNT(*) AS n FROM endless GROUP BY a",
        expect![[r#"
        warning[42P16]: GROUP BY over a stream without WINDOW keeps one row per key for ever
          --> test.sql:1:121
           |
        1  | CREATE STREAM endless (a INT) WITH (CONNECTOR='topic'); CREATE TABLE t AS SELECT a, COUNT(*) AS n FROM endless GROUP BY a
           |                                                                                                                         ^
           = hint: bound it: WINDOW TUMBLING (SIZE 1 HOUR)"#]],
    );
    warns(
        "CREATE STREAM j AS SELECT l.stars FROM ratings l JOIN clicks r ON l.user_id = r.user_id",
        expect![[r#"
        warning[42P16]: this join keeps both streams for ever
          --> test.sql:1:55
           |
        1  | CREATE STREAM j AS SELECT l.stars FROM ratings l JOIN clicks r ON l.user_id = r.user_id
           |                                                       ^^^^^^^^
           = hint: JOIN … WITHIN 1 HOUR ON … bounds what it keeps"#]],
    );
    warns(
        "CREATE TABLE t AS SELECT user_id, COUNT(*) FROM ratings WINDOW TUMBLING (SIZE 5 SECONDS) GROUP BY user_id EMIT FINAL",
        expect![[r#"
        warning[42P16]: results come 24 hours of stream time after the end of their window
          --> test.sql:1:57
           |
        1  | CREATE TABLE t AS SELECT user_id, COUNT(*) FROM ratings WINDOW TUMBLING (SIZE 5 SECONDS) GROUP BY user_id EMIT FINAL
           |                                                         ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
           = hint: GRACE PERIOD 0 SECONDS gives them at its end"#]],
    );
}

#[test]
fn bounded_state_is_no_news() {
    warns("CREATE TABLE t AS SELECT stars, COUNT(*) AS n FROM ratings GROUP BY stars", expect![""]);
}
