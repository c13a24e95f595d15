//! Each family of statements, printed back.

use expect_test::expect;

use super::{check, fails};
use crate::sql::parse_partial;
use crate::sql::statement::{CreateSource, DescribeTarget, ShowWhat, Statement};

#[test]
fn the_talks_pipeline_parses_statement_by_statement() {
    let sql = include_str!("talk.sql");
    let (statements, error) = parse_partial(sql);
    assert_eq!(error, None);
    assert_eq!(statements.len(), 16);
    check(
        sql,
        expect![[r#"
        CREATE STREAM RATINGS (
          RATING_ID BIGINT,
          USER_ID BIGINT,
          STARS INT,
          ROUTE_ID BIGINT,
          RATING_TIME BIGINT,
          CHANNEL VARCHAR,
          MESSAGE VARCHAR
        )
        WITH (KAFKA_TOPIC = 'ratings', PARTITIONS = 4, TIMESTAMP = 'rating_time', VALUE_FORMAT = 'JSON');
        CREATE TABLE CUSTOMERS (
          ID BIGINT PRIMARY KEY,
          FIRST_NAME VARCHAR,
          LAST_NAME VARCHAR,
          EMAIL VARCHAR,
          GENDER VARCHAR,
          CLUB_STATUS VARCHAR,
          COMMENTS VARCHAR
        )
        WITH (KAFKA_TOPIC = 'customers', PARTITIONS = 4, VALUE_FORMAT = 'JSON');
        CREATE STREAM POOR_RATINGS
        AS SELECT
          *
        FROM
          ratings
        WHERE
          STARS < 3;
        CREATE STREAM RATINGS_WITH_CUSTOMER_DATA
        AS SELECT
          r.rating_id,
          r.stars,
          r.route_id,
          r.channel,
          r.message,
          c.id,
          c.first_name,
          c.last_name,
          c.email,
          c.club_status
        FROM
          ratings r
          LEFT JOIN customers c ON r.user_id = c.id;
        CREATE STREAM UNHAPPY_PLATINUM_CUSTOMERS
        AS SELECT
          *
        FROM
          RATINGS_WITH_CUSTOMER_DATA
        WHERE
          STARS < 3 AND CLUB_STATUS = 'platinum';
        CREATE STREAM SYSLOG (
          HOST VARCHAR,
          MESSAGE VARCHAR
        )
        WITH (KAFKA_TOPIC = 'syslog', PARTITIONS = 1, VALUE_FORMAT = 'JSON');
        CREATE STREAM SYSLOG_INVALID_USERS
        AS SELECT
          HOST,
          MESSAGE
        FROM
          SYSLOG
        WHERE
          MESSAGE LIKE '%Invalid user%';
        CREATE STREAM CLICKSTREAM (
          USERID BIGINT,
          PAGE VARCHAR,
          ACTION VARCHAR
        )
        WITH (KAFKA_TOPIC = 'clickstream', PARTITIONS = 4, VALUE_FORMAT = 'JSON');
        CREATE TABLE USERS (
          USER_ID BIGINT PRIMARY KEY,
          LEVEL VARCHAR
        )
        WITH (KAFKA_TOPIC = 'users', PARTITIONS = 4, VALUE_FORMAT = 'JSON');
        CREATE STREAM VIP_ACTIONS
        AS SELECT
          userid,
          page,
          action
        FROM
          clickstream c
          LEFT JOIN users u ON c.userid = u.user_id
        WHERE
          u.level = 'Platinum';
        CREATE STREAM AUTHORIZATION_ATTEMPTS (
          CARD_NUMBER VARCHAR,
          AMOUNT DOUBLE
        )
        WITH (KAFKA_TOPIC = 'authorization_attempts', PARTITIONS = 4, VALUE_FORMAT = 'JSON');
        CREATE TABLE POSSIBLE_FRAUD
        AS SELECT
          card_number,
          count(*)
        FROM
          authorization_attempts WINDOW TUMBLING (SIZE 5 SECONDS)
        GROUP BY
          card_number
        HAVING
          count(*) > 3;
        CREATE STREAM PAGEVIEWS_JSON (
          VIEWTIME BIGINT,
          USERID VARCHAR,
          PAGEID VARCHAR
        )
        WITH (KAFKA_TOPIC = 'pageviews_json', PARTITIONS = 1, VALUE_FORMAT = 'JSON');
        CREATE STREAM PAGEVIEWS
        WITH (PARTITIONS = 4, VALUE_FORMAT = 'AVRO')
        AS SELECT
          *
        FROM
          pageviews_json;
        CREATE STREAM ACCOUNT_MOVEMENTS (
          ACCOUNT VARCHAR,
          AMOUNT BIGINT
        )
        WITH (KAFKA_TOPIC = 'account_movements', PARTITIONS = 1, VALUE_FORMAT = 'JSON');
        CREATE TABLE BALANCES
        AS SELECT
          account,
          SUM(amount) AS balance
        FROM
          account_movements
        GROUP BY
          account;
    "#]],
    );
}

#[test]
fn sources_have_columns_roles_and_properties() {
    check(
        "create or replace source table if not exists Users (
           id bigint primary key, `Name` varchar not null, at bytes header('at'), all_of_them array<struct<key varchar, value bytes>> headers
         ) with (kafka_topic = 'users', partitions=4, wrap_single_value=false, on_error = dead letter, 'x.y' = 'z');
         CREATE STREAM S (k VARCHAR KEY, m MAP<STRING, ARRAY<INT>>, d DECIMAL(4, 2), s STRUCT<A INT, `b` VARCHAR>);
         CREATE STREAM s WITH (PATH='a.csv', CONNECTOR='file');
         CREATE TABLE t (a INT, b INT, c INT, PRIMARY KEY (b, a) NOT ENFORCED)",
        expect![[r#"
            CREATE OR REPLACE SOURCE TABLE IF NOT EXISTS USERS (
              ID BIGINT PRIMARY KEY,
              "Name" VARCHAR NOT NULL,
              AT BYTES HEADER('at'),
              ALL_OF_THEM ARRAY<STRUCT<key VARCHAR, value BYTES>> HEADERS
            )
            WITH ('x.y' = 'z', KAFKA_TOPIC = 'users', ON_ERROR = DEAD LETTER, PARTITIONS = 4, WRAP_SINGLE_VALUE = FALSE);
            CREATE STREAM S (
              K VARCHAR KEY,
              M MAP<STRING, ARRAY<INT>>,
              D DECIMAL(4,2),
              S STRUCT<A INT, `b` VARCHAR>
            );
            CREATE STREAM S
            WITH (CONNECTOR = 'file', PATH = 'a.csv');
            CREATE TABLE T (
              A INT PRIMARY KEY,
              B INT PRIMARY KEY,
              C INT
            );
        "#]],
    );
}

#[test]
fn persistent_queries_and_views() {
    check(
        "CREATE TABLE possible_fraud WITH (PARTITIONS=2) AS SELECT card, count(*) FROM attempts a
           WINDOW HOPPING (SIZE 30 SECONDS, ADVANCE BY 10 SECONDS, GRACE PERIOD 1 HOUR) WHERE x > 1 GROUP BY card HAVING count(*) > 3 EMIT FINAL;
         CREATE STREAM keyed AS SELECT * FROM s PARTITION BY user_id, UCASE(name) EMIT CHANGES LIMIT 4;
         CREATE MATERIALIZED VIEW v (a, b) AS WITH x AS (SELECT 1 a, 2 b) SELECT a, b FROM x UNION ALL SELECT 3, 4 ORDER BY 1 LIMIT 5 OFFSET 1;
         CREATE OR REPLACE VIEW IF NOT EXISTS w AS (SELECT a FROM t) EXCEPT VALUES (1);
         CREATE TYPE address AS STRUCT<street VARCHAR, city VARCHAR>;",
        expect![[r#"
            CREATE TABLE POSSIBLE_FRAUD
            WITH (PARTITIONS = 2)
            AS SELECT
              card,
              count(*)
            FROM
              attempts a WINDOW HOPPING (SIZE 30 SECONDS, ADVANCE BY 10 SECONDS, GRACE PERIOD 1 HOUR)
            WHERE
              x > 1
            GROUP BY
              card
            HAVING
              count(*) > 3
            EMIT FINAL;
            CREATE STREAM KEYED
            AS SELECT
              *
            FROM
              s LIMIT 4
            PARTITION BY user_id, UCASE(name)
            EMIT CHANGES;
            CREATE MATERIALIZED VIEW V (A, B)
            AS WITH x AS (
              SELECT
                1 AS a,
                2 AS b
            )
            SELECT
              a,
              b
            FROM
              x
            UNION ALL
            SELECT
              3,
              4 ORDER BY 1 LIMIT 5 OFFSET 1;
            CREATE OR REPLACE VIEW IF NOT EXISTS W
            AS (SELECT
              a
            FROM
              t)
            EXCEPT
            VALUES
              (1);
            CREATE TYPE ADDRESS AS STRUCT<street VARCHAR, city VARCHAR>;
        "#]],
    );
}

#[test]
fn rows_and_changes_of_rows() {
    check(
        "INSERT INTO s VALUES (1, 'it''s', NULL, -2.5e3), (ARRAY[1,2], MAP('k' := 1), STRUCT(a := 1), x'00ff');
         INSERT INTO s (a, `b`) VALUES (1, DATE '2020-01-01');
         INSERT INTO s SELECT * FROM r EMIT CHANGES;
         INSERT INTO s WITH (QUERY_ID='q') (a) SELECT 1;
         UPDATE t AS x SET a = a + 1, b = (SELECT max(b) FROM t) WHERE x.a IN (1, 2);
         DELETE FROM t WHERE a IS NULL;
         DELETE FROM t",
        expect![[r#"
            INSERT INTO S
            VALUES (1, 'it''s', NULL, -2.5e3), (ARRAY[1, 2], MAP('k' := 1), STRUCT(a := 1), X'00ff');
            INSERT INTO S (A, "b")
            VALUES (1, DATE '2020-01-01');
            INSERT INTO S
            SELECT
              *
            FROM
              r
            EMIT CHANGES;
            INSERT INTO S (A)
            WITH (QUERY_ID = 'q')
            SELECT
              1;
            UPDATE T AS X
            SET A = a + 1, B = (SELECT max(b) FROM t)
            WHERE x.a IN (1, 2);
            DELETE FROM T
            WHERE a IS NULL;
            DELETE FROM T;
        "#]],
    );
}

#[test]
fn questions_about_the_engine() {
    check(
        "SHOW STREAMS; LIST ALL TOPICS EXTENDED; show source connectors; SHOW COLUMNS FROM millrace.queries LIKE 'A%';
         SHOW CREATE STREAM s; SHOW millrace.tick.ms; SHOW PROPERTIES; SHOW DECODE ERRORS;
         DESCRIBE s; DESCRIBE EXTENDED s; DESC s EXTENDED; DESCRIBE FUNCTION 'ucase'; DESCRIBE TABLES EXTENDED; DESCRIBE extended;
         EXPLAIN SELECT 1; EXPLAIN PARSED SELECT 1; EXPLAIN ANALYZE possible_fraud; EXPLAIN (FORMAT JSON) (SELECT 1);
         EXPLAIN LOGICAL (FORMAT JSON) CREATE STREAM x AS SELECT * FROM s; EXPLAIN plan",
        expect![[r#"
            SHOW STREAMS;
            SHOW ALL TOPICS EXTENDED;
            SHOW SOURCE CONNECTORS;
            SHOW COLUMNS FROM MILLRACE.QUERIES LIKE 'A%';
            SHOW CREATE S;
            SHOW MILLRACE.TICK.MS;
            SHOW SETTINGS;
            SHOW DECODE_ERRORS;
            DESCRIBE S;
            DESCRIBE S EXTENDED;
            DESCRIBE S EXTENDED;
            DESCRIBE FUNCTION UCASE;
            DESCRIBE TABLES EXTENDED;
            DESCRIBE EXTENDED;
            EXPLAIN
            SELECT
              1;
            EXPLAIN PARSED
            SELECT
              1;
            EXPLAIN ANALYZE POSSIBLE_FRAUD;
            EXPLAIN (FORMAT JSON)
            (SELECT
              1);
            EXPLAIN LOGICAL (FORMAT JSON)
            CREATE STREAM X
            AS SELECT
              *
            FROM
              s;
            EXPLAIN PLAN;
        "#]],
    );
}

#[test]
fn settings_variables_and_control() {
    check(
        "SET 'auto.offset.reset' = 'earliest'; SET Millrace.Tick.MS = 5; SET x TO DEFAULT; SET SESSION search_path = a; UNSET 'x'; RESET x.y;
         DEFINE topic = 'it''s'; UNDEFINE topic; TERMINATE q; TERMINATE ALL; PAUSE QUERY q; RESUME `q`;
         DROP STREAM IF EXISTS s DELETE TOPIC; DROP MATERIALIZED VIEW v CASCADE; DROP TABLE FUNCTION f; DROP TABLE t RESTRICT; DROP TYPE a;
         ALTER STREAM s ADD COLUMN a INT, ADD COLUMN b VARCHAR; ALTER TABLE t ADD c ARRAY<INT>;
         PRINT 'my-topic' FROM BEGINNING INTERVAL 2 LIMIT 3; PRINT Topic; RUN SCRIPT 'a.sql'",
        expect![[r#"
            SET 'auto.offset.reset' = 'earliest';
            SET 'millrace.tick.ms' = 5;
            UNSET 'x';
            SET 'search_path' = A;
            UNSET 'x';
            UNSET 'x.y';
            DEFINE TOPIC = 'it''s';
            UNDEFINE TOPIC;
            TERMINATE Q;
            TERMINATE ALL;
            PAUSE Q;
            RESUME "q";
            DROP STREAM IF EXISTS S DELETE TOPIC;
            DROP MATERIALIZED VIEW V CASCADE;
            DROP TABLE FUNCTION F;
            DROP TABLE T;
            DROP TYPE A;
            ALTER STREAM S
            ADD COLUMN A INT,
            ADD COLUMN B VARCHAR;
            ALTER TABLE T
            ADD COLUMN C ARRAY<INT>;
            PRINT 'my-topic' FROM BEGINNING INTERVAL 2 LIMIT 3;
            PRINT 'Topic';
            RUN SCRIPT 'a.sql';
        "#]],
    );
}

#[test]
fn modules_and_assertions() {
    check(
        "CREATE OR REPLACE FUNCTION f FROM MODULE 'f.wasm' SHA256 'ab'; CREATE AGGREGATE FUNCTION g FROM MODULE 'g.wasm';
         CREATE TABLE FUNCTION h FROM MODULE 'h.wasm'; CREATE SINK CONNECTOR c FROM MODULE 'c.wasm' WITH (a = 1) GRANT HTTP 'x', TCP 'y:1';
         CREATE SOURCE CONNECTOR IF NOT EXISTS c WITH (\"connector.class\" = 'x');
         ASSERT VALUES s (a, b) VALUES (1, 'x'); ASSERT NULL VALUES t (id) KEY (1); ASSERT STREAM s (a INT) WITH (KAFKA_TOPIC='s');
         ASSERT NOT EXISTS TOPIC t WITH (PARTITIONS=1) TIMEOUT 5 SECONDS; ASSERT SCHEMA SUBJECT 's-value' ID 3 TIMEOUT 90 MINUTES",
        expect![[r#"
            CREATE OR REPLACE FUNCTION F
            FROM MODULE 'f.wasm' SHA256 'ab';
            CREATE AGGREGATE G
            FROM MODULE 'g.wasm';
            CREATE TABLE FUNCTION H
            FROM MODULE 'h.wasm';
            CREATE SINK CONNECTOR C
            FROM MODULE 'c.wasm'
            WITH (A = 1)
            GRANT HTTP 'x', TCP 'y:1';
            CREATE SOURCE CONNECTOR IF NOT EXISTS C
            WITH ('connector.class' = 'x');
            ASSERT VALUES S (A, B) VALUES (1, 'x');
            ASSERT NULL VALUES T (ID) KEY (1);
            ASSERT STREAM S (
              A INT
            )
            WITH (KAFKA_TOPIC = 's');
            ASSERT NOT EXISTS TOPIC 't'
            WITH (PARTITIONS = 1) TIMEOUT 5 SECONDS;
            ASSERT SCHEMA SUBJECT 's-value' ID 3 TIMEOUT 90 MINUTES;
        "#]],
    );
}

#[test]
fn names_fold_and_keep_their_places() {
    let sql = "-- é\nCREATE STREAM \"Mixed\" (`aB` INT, cD INT);  DESCRIBE millrace.Errors";
    let (statements, error) = parse_partial(sql);
    assert_eq!(error, None);
    let [create, describe] = statements.as_slice() else { panic!("{statements:?}") };
    let Statement::CreateSource(CreateSource { name, columns, .. }) = &create.statement else { panic!() };
    assert_eq!((name.catalog_name().as_str(), &sql[name.span.start..name.span.end]), ("Mixed", "\"Mixed\""));
    let found: Vec<_> = columns
        .iter()
        .map(|c| {
            (c.name.value.as_str(), &sql[c.name.span.start..c.name.span.end], &sql[c.type_span.start..c.type_span.end])
        })
        .collect();
    assert_eq!(found, [("aB", "`aB`", "INT"), ("CD", "cD", "INT")]);
    let Statement::Describe(describe) = &describe.statement else { panic!() };
    let DescribeTarget::Relation(name) = &describe.target else { panic!() };
    assert_eq!(name.catalog_name(), "millrace.errors");
}

#[test]
fn statements_before_a_mistake_stand() {
    let sql = "SELECT 1;; SHOW STREAMS; SELCT 2; SELECT 3";
    let (statements, error) = parse_partial(sql);
    assert_eq!(statements.len(), 2);
    assert!(matches!(&statements[1].statement, Statement::Show(show) if show.what == ShowWhat::Streams));
    assert!(error.is_some());
    fails(
        sql,
        expect![[r#"
        error[42601]: no statement begins with SELCT
          --> test.sql:1:26
           |
        1  | SELECT 1;; SHOW STREAMS; SELCT 2; SELECT 3
           |                          ^^^^^
           = hint: did you mean SELECT?"#]],
    );
}

#[test]
fn empty_scripts_have_no_statements() {
    for sql in ["", "  \n", ";", ";; -- a\n ; /* b /* nested */ */"] {
        let (statements, error) = parse_partial(sql);
        assert_eq!((statements.len(), error), (0, None), "{sql:?}");
    }
}

#[test]
fn statements_of_other_databases_say_what_they_are() {
    for (sql, want) in [
        ("BEGIN", "BEGIN"),
        ("GRANT SELECT ON t TO u", "GRANT"),
        ("CREATE INDEX i ON t (a)", "CREATE INDEX"),
        ("CREATE OR REPLACE TEMPORARY TABLE t (a INT)", "CREATE OR REPLACE TEMPORARY"),
        ("DROP SCHEMA s", "DROP SCHEMA"),
        ("ALTER SYSTEM SET x = 1", "ALTER SYSTEM"),
        ("MERGE INTO t USING s ON t.a = s.a WHEN MATCHED THEN DELETE", "MERGE"),
    ] {
        let (statements, error) = parse_partial(sql);
        assert_eq!(error, None, "{sql}");
        let Some(Statement::Unsupported { what, span }) = statements.first().map(|parsed| &parsed.statement) else {
            panic!("{statements:?}")
        };
        assert_eq!((what.as_str(), span.start, span.end), (want, 0, want.len()));
    }
}
