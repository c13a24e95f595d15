//! What is said about mistakes, and where.

use expect_test::expect;

use super::fails;

#[test]
fn unknown_words_have_the_nearest_one_as_hint() {
    fails(
        "SELCT * FROM t",
        expect![[r#"
        error[42601]: no statement begins with SELCT
          --> test.sql:1:1
           |
        1  | SELCT * FROM t
           | ^^^^^
           = hint: did you mean SELECT?"#]],
    );
    fails(
        "CREATE STEAM s (a INT)",
        expect![[r#"
        error[42601]: expected STREAM, TABLE, VIEW, MATERIALIZED VIEW, TYPE, FUNCTION, AGGREGATE or CONNECTOR, found STEAM
          --> test.sql:1:8
           |
        1  | CREATE STEAM s (a INT)
           |        ^^^^^
           = hint: STEAM looks like STREAM"#]],
    );
    fails(
        "SHOW STRAMS",
        expect![[r#"
        error[42601]: expected what to show, such as STREAMS, TABLES or QUERIES, found STRAMS
          --> test.sql:1:6
           |
        1  | SHOW STRAMS
           |      ^^^^^^
           = hint: did you mean STREAMS?"#]],
    );
    fails(
        "DROP STERAM s",
        expect![[r#"
        error[42601]: expected STREAM, TABLE, VIEW, MATERIALIZED VIEW, TYPE, FUNCTION, CONNECTOR or MODULE, found STERAM
          --> test.sql:1:6
           |
        1  | DROP STERAM s
           |      ^^^^^^
           = hint: STERAM looks like STREAM"#]],
    );
    fails(
        "FOO BAR",
        expect![[r#"
        error[42601]: no statement begins with FOO
          --> test.sql:1:1
           |
        1  | FOO BAR
           | ^^^"#]],
    );
    fails(
        "SELECT a FORM t WHERE b = 1",
        expect![[r#"
        error[42601]: expected the end of the statement, found t
          --> test.sql:1:15
           |
        1  | SELECT a FORM t WHERE b = 1
           |               ^
           = hint: FORM looks like FROM"#]],
    );
    fails(
        "SELECT a FROM t WHRE b = 1",
        expect![[r#"
        error[42601]: expected the end of the statement, found b
          --> test.sql:1:22
           |
        1  | SELECT a FROM t WHRE b = 1
           |                      ^
           = hint: WHRE looks like WHERE"#]],
    );
    fails(
        "SELECT a FROM t GROPU BY b",
        expect![[r#"
        error[42601]: expected the end of the statement, found BY
          --> test.sql:1:23
           |
        1  | SELECT a FROM t GROPU BY b
           |                       ^^
           = hint: GROPU looks like GROUP"#]],
    );
}

#[test]
fn the_place_is_where_the_mistake_is() {
    fails(
        "SELECT a,\n  FROM t",
        expect![[r#"
        error[42601]: expected an expression, found FROM
          --> test.sql:2:3
           |
        2  |   FROM t
           |   ^^^^"#]],
    );
    fails(
        "SELECT a FROM",
        expect![[r#"
        error[42601]: expected a name, found the end of the statement
          --> test.sql:1:14
           |
        1  | SELECT a FROM
           |              ^"#]],
    );
    fails(
        "SELECT * FROM a JOIN (SELECT b c d FROM e) f ON TRUE",
        expect![[r#"
        error[42601]: expected the end of the query in brackets, found d
          --> test.sql:1:34
           |
        1  | SELECT * FROM a JOIN (SELECT b c d FROM e) f ON TRUE
           |                                  ^"#]],
    );
    fails(
        "SELECT CAST(a INT) FROM t",
        expect![[r#"
        error[42601]: expected AS, found INT
          --> test.sql:1:15
           |
        1  | SELECT CAST(a INT) FROM t
           |               ^^^"#]],
    );
    fails(
        "SELECT floor(floor(floor(a b))) FROM t",
        expect![[r#"
        error[42601]: expected ), found b
          --> test.sql:1:28
           |
        1  | SELECT floor(floor(floor(a b))) FROM t
           |                            ^"#]],
    );
    fails(
        "SELECT 'ä', x y z FROM t",
        expect![[r#"
        error[42601]: expected the end of the statement, found z
          --> test.sql:1:17
           |
        1  | SELECT 'ä', x y z FROM t
           |                 ^"#]],
    );
    fails(
        "CREATE STREAM s (a INT, b)",
        expect![[r#"
        error[42601]: expected a type, found )
          --> test.sql:1:26
           |
        1  | CREATE STREAM s (a INT, b)
           |                          ^"#]],
    );
    fails(
        "CREATE STREAM s (a INT KEY PRIMARY KEY)",
        expect![[r#"
        error[42P16]: column A has two roles
          --> test.sql:1:28
           |
        1  | CREATE STREAM s (a INT KEY PRIMARY KEY)
           |                            ^^^^^^^^^^^"#]],
    );
    fails(
        "CREATE STREAM s (a INT, A INT)",
        expect![[r#"
        error[42701]: column A is declared twice
          --> test.sql:1:25
           |
        1  | CREATE STREAM s (a INT, A INT)
           |                         ^"#]],
    );
    fails(
        "CREATE TABLE t (name INT, PRIMARY KEY (nmae))",
        expect![[r#"
        error[42703]: no column is called NMAE
          --> test.sql:1:40
           |
        1  | CREATE TABLE t (name INT, PRIMARY KEY (nmae))
           |                                        ^^^^
           = hint: did you mean NAME?"#]],
    );
    fails(
        "CREATE STREAM s (a INT DEFAULT 1)",
        expect![[r#"
        error[0A000]: not supported: DEFAULT on a column
          --> test.sql:1:24
           |
        1  | CREATE STREAM s (a INT DEFAULT 1)
           |                        ^^^^^^^"#]],
    );
    fails(
        "CREATE STREAM s (a INT) WITH (PARTITIONS=1, partitions=2)",
        expect![[r#"
        error[22023]: property PARTITIONS is given twice
          --> test.sql:1:45
           |
        1  | CREATE STREAM s (a INT) WITH (PARTITIONS=1, partitions=2)
           |                                             ^^^^^^^^^^"#]],
    );
    fails(
        "CREATE STREAM s (a INT) WITH (PARTITIONS 1)",
        expect![[r#"
        error[42601]: expected =, found 1
          --> test.sql:1:42
           |
        1  | CREATE STREAM s (a INT) WITH (PARTITIONS 1)
           |                                          ^"#]],
    );
    fails(
        "CREATE STREAM s AS",
        expect![[r#"
        error[42601]: expected a query, found the end of the statement
          --> test.sql:1:17
           |
        1  | CREATE STREAM s AS
           |                 ^^"#]],
    );
    fails(
        "INSERT INTO t (a) VALUES 1",
        expect![[r#"
        error[42601]: expected (, found 1
          --> test.sql:1:26
           |
        1  | INSERT INTO t (a) VALUES 1
           |                          ^"#]],
    );
    fails(
        "SELECT 1 SELECT 2",
        expect![[r#"
        error[42601]: expected the end of the statement, found SELECT
          --> test.sql:1:10
           |
        1  | SELECT 1 SELECT 2
           |          ^^^^^^"#]],
    );
    fails(
        "EXPLAIN EXPLAIN SELECT 1",
        expect![[r#"
        error[0A000]: not supported: EXPLAIN of EXPLAIN
          --> test.sql:1:9
           |
        1  | EXPLAIN EXPLAIN SELECT 1
           |         ^^^^^^^"#]],
    );
}

#[test]
fn brackets_and_quotes_are_closed() {
    fails(
        "SELECT (1 + (2) FROM t",
        expect![[r#"
        error[42601]: this ( is never closed
          --> test.sql:1:8
           |
        1  | SELECT (1 + (2) FROM t
           |        ^"#]],
    );
    fails(
        "SELECT 1) FROM t",
        expect![[r#"
        error[42601]: this bracket was never opened
          --> test.sql:1:9
           |
        1  | SELECT 1) FROM t
           |         ^"#]],
    );
    fails(
        "SELECT a[1) FROM t",
        expect![[r#"
            error[42601]: this bracket does not close the [ before it
              --> test.sql:1:11
               |
            1  | SELECT a[1) FROM t
               |           ^"#]],
    );
    fails(
        "SELECT CASE WHEN a THEN 1 FROM t",
        expect![[r#"
        error[42601]: this CASE has no END
          --> test.sql:1:8
           |
        1  | SELECT CASE WHEN a THEN 1 FROM t
           |        ^^^^"#]],
    );
    fails(
        "SELECT 1;\nSELECT 'abc FROM t; SELECT 2",
        expect![[r#"
        error[42601]: this text is never closed
          --> test.sql:2:8
           |
        2  | SELECT 'abc FROM t; SELECT 2
           |        ^"#]],
    );
    fails(
        "SELECT 1 /* never",
        expect![[r#"
        error[42601]: this comment is never closed
          --> test.sql:1:10
           |
        1  | SELECT 1 /* never
           |          ^"#]],
    );
    fails(
        "SELECT \"a FROM t",
        expect![[r#"
        error[42601]: this name in quotes is never closed
          --> test.sql:1:8
           |
        1  | SELECT "a FROM t
           |        ^"#]],
    );
}

#[test]
fn what_is_read_and_not_of_the_language_is_refused() {
    fails(
        "SELECT * FROM t FOR UPDATE",
        expect![[r#"
        error[0A000]: not supported: FOR UPDATE and FOR SHARE
          --> test.sql:1:1
           |
        1  | SELECT * FROM t FOR UPDATE
           | ^^^^^^^^^^^^^^^"#]],
    );
    fails(
        "SELECT * INTO x FROM t",
        expect![[r#"
        error[0A000]: not supported: SELECT INTO
          --> test.sql:1:1
           |
        1  | SELECT * INTO x FROM t
           | ^^^^^^"#]],
    );
    fails(
        "SELECT * FROM t TABLESAMPLE (10)",
        expect![[r#"
        error[0A000]: not supported: TABLESAMPLE
          --> test.sql:1:15
           |
        1  | SELECT * FROM t TABLESAMPLE (10)
           |               ^"#]],
    );
    fails(
        "WITH x AS (DELETE FROM t) SELECT 1",
        expect![[r#"
        error[0A000]: not supported: INSERT, UPDATE, DELETE or MERGE inside a query
          --> test.sql:1:12
           |
        1  | WITH x AS (DELETE FROM t) SELECT 1
           |            ^^^^^^^^^^^^^"#]],
    );
    fails(
        "UPDATE t SET a = 1 FROM u",
        expect![[r#"
        error[0A000]: not supported: UPDATE … FROM
          --> test.sql:1:20
           |
        1  | UPDATE t SET a = 1 FROM u
           |                    ^^^^"#]],
    );
    fails(
        "ALTER TABLE t DROP COLUMN a",
        expect![[r#"
        error[0A000]: not supported: ALTER … DROP
          --> test.sql:1:15
           |
        1  | ALTER TABLE t DROP COLUMN a
           |               ^^^^
           = hint: ALTER can ADD COLUMN"#]],
    );
    fails(
        "SELECT * FROM ${x}",
        expect![[r#"
        error[0A000]: not supported: variables in statements
          --> test.sql:1:15
           |
        1  | SELECT * FROM ${x}
           |               ^^"#]],
    );
    fails(
        "SELECT * FROM (TABLE t) x",
        expect![[r#"
        error[42601]: expected (, found t
          --> test.sql:1:22
           |
        1  | SELECT * FROM (TABLE t) x
           |                      ^"#]],
    );
    fails(
        "CREATE STREAM s (a INT) AS SELECT 1",
        expect![[r#"
        error[0A000]: not supported: types of columns that a query gives
          --> test.sql:1:18
           |
        1  | CREATE STREAM s (a INT) AS SELECT 1
           |                  ^^^^^
           = hint: give names only, or CAST in the query"#]],
    );
}
