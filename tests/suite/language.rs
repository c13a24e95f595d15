//! The language, form by form, through a whole session: nothing that is promised may answer "not supported", and a query
//! over these data has rows. What is not built says so with its place.

use millrace_planner::error::ErrorKind;
use millrace_session::{
    Client, ClientGone, Notice, Options, Origin, Program, ResultHead, ResultId, ResultRows, Script, Session,
    SessionError, Settings,
};
use millrace_world::SimulatedWorld;

const FILES: [(&str, &str); 4] = [
    (
        "/customers.jsonl",
        r#"{"op":"c","id":1,"name":"ann","city":"Bern","credit":10.5}
{"op":"c","id":2,"name":"bob","city":"Genf","credit":2}
{"op":"c","id":3,"name":"cat","city":"Bern","credit":7}
{"op":"u","id":2,"name":"Bob","city":"Genf","credit":3}
{"op":"d","id":3}
"#,
    ),
    (
        "/orders.csv",
        "id,customer_id,amount,placed\n1,1,20.00,2026-01-01\n2,1,7.25,2026-01-02\n3,2,1.00,2026-02-01\n4,9,3.00,\n",
    ),
    (
        "/clicks.jsonl",
        "{\"user_id\":1,\"page\":\"a\",\"ms\":5,\"at\":1000}\n{\"user_id\":2,\"page\":\"b\",\"ms\":7,\"at\":4000}\n{\"user_id\":1,\"page\":\"c\",\"ms\":1,\"at\":90000}\n",
    ),
    (
        "/nested.jsonl",
        "{\"id\":1,\"tags\":[\"x\",\"y\"],\"home\":{\"street\":\"s\",\"zip\":7}}\n{\"id\":2,\"tags\":[],\"home\":null}\n",
    ),
];

const RELATIONS: &str = "
CREATE TABLE customers (id BIGINT PRIMARY KEY, name VARCHAR, city VARCHAR, credit DOUBLE)
  WITH (CONNECTOR = 'file', PATH = '/customers.jsonl', OP_COLUMN = 'op');
CREATE TABLE orders (id BIGINT, customer_id BIGINT, amount DECIMAL(10,2), placed DATE)
  WITH (CONNECTOR = 'file', PATH = '/orders.csv');
CREATE TABLE bag (a INT, b INT, c VARCHAR) WITH (CONNECTOR = 'memory');
INSERT INTO bag VALUES (1, 2, 'a'), (1, 1, 'b'), (2, 1, '2018-01-01'), (NULL, 3, '7'), (3, 4, 'a_x');
CREATE TABLE accounts (id INT PRIMARY KEY, balance INT);
INSERT INTO accounts VALUES (1, 100), (2, 50);
CREATE STREAM ratings (rating_id BIGINT, user_id BIGINT, stars INT, channel VARCHAR, message VARCHAR)
  WITH (CONNECTOR = 'generator', GENERATOR = 'ratings', ROWS = 200, SEED = 7);
CREATE STREAM clicks (user_id BIGINT, page VARCHAR, ms INT, at BIGINT)
  WITH (CONNECTOR = 'file', PATH = '/clicks.jsonl', TIMESTAMP = 'at');
CREATE STREAM visits (user_id BIGINT, page VARCHAR);
INSERT INTO visits (ROWTIME, user_id, page) VALUES (2000, 1, 'in'), (3000, 2, 'in'), (95000, 1, 'out');
CREATE TABLE nested (id INT PRIMARY KEY, tags ARRAY<VARCHAR>, home STRUCT<street VARCHAR, zip INT>)
  WITH (CONNECTOR = 'file', PATH = '/nested.jsonl');
CREATE VIEW rich AS SELECT id, name FROM customers WHERE credit > 3;
";

/// Queries: each answers at least one row, pulled and as a materialized view.
const QUERIES: &[&str] = &[
    // projection, filter, expressions
    "SELECT id, name FROM customers WHERE credit > 2 AND NOT city = 'Genf'",
    "SELECT a + b * 2 - 1 AS x, a % 2 AS y, -a AS z, c || '!' AS w FROM bag",
    "SELECT CASE WHEN a > 1 THEN 'x' WHEN a IS NULL THEN 'y' ELSE c END AS p, CASE a WHEN 1 THEN 2 END AS q FROM bag",
    "SELECT CAST(a AS VARCHAR) AS p, a::DOUBLE AS q, TRY_CAST(c AS DATE) AS r FROM bag",
    "SELECT a FROM bag WHERE c LIKE 'a%' AND c NOT LIKE '%!_%' ESCAPE '!'",
    "SELECT a FROM bag WHERE c ILIKE 'A\\_X'",
    "SELECT a FROM bag WHERE a BETWEEN 1 AND 3 AND b NOT BETWEEN 2 AND 4",
    "SELECT a FROM bag WHERE a IN (1, 7) AND b NOT IN (5, 6)",
    "SELECT a FROM bag WHERE a IS DISTINCT FROM b AND (a > 1) IS NOT TRUE",
    // functions by their own names and by KSQL's
    "SELECT UPPER(c) AS p, LENGTH(c) AS q, SUBSTRING(c, 1, 1) AS r, TRIM(c) AS s, REPLACE(c, 'a', 'b') AS t FROM bag",
    "SELECT UCASE(c) AS p, LCASE(c) AS q, LEN(c) AS r, IFNULL(a, 0) AS s, INSTR(c, 'a') AS t FROM bag",
    "SELECT COALESCE(a, b) AS p, NULLIF(a, b) AS q, GREATEST(a, b) AS r, LEAST(a, b) AS s FROM bag",
    "SELECT ABS(a) AS p, ROUND(amount, 1) AS q, FLOOR(amount) AS r, CEIL(amount) AS s FROM bag JOIN orders ON a = id",
    "SELECT EXTRACT(YEAR FROM placed) AS y, DATE_TRUNC('month', placed) AS m, placed + INTERVAL '1 day' AS d FROM orders",
    "SELECT TIMESTAMPTOSTRING(at, 'yyyy-MM-dd') AS d FROM clicks",
    "SELECT EXTRACTJSONFIELD('{\"a\": 1}', '$.a') AS j",
    "SELECT home->street AS s, tags[1] AS t, ARRAY_LENGTH(tags) AS n FROM nested",
    "SELECT id, EXPLODE(tags) AS tag FROM nested",
    "SELECT n.id, t FROM nested n CROSS JOIN UNNEST(n.tags) AS t",
    "SELECT TRANSFORM(tags, x => UCASE(x)) AS t FROM nested",
    // joins of tables and views
    "SELECT c.name, o.amount FROM customers c JOIN orders o ON c.id = o.customer_id",
    "SELECT c.name, o.amount FROM customers c LEFT JOIN orders o ON c.id = o.customer_id AND o.amount > 100",
    "SELECT c.name, o.amount FROM customers c RIGHT JOIN orders o ON c.id = o.customer_id AND c.credit < o.amount",
    "SELECT c.name, o.amount FROM customers c FULL JOIN orders o ON c.id = o.customer_id AND o.amount > 5",
    "SELECT r.name, o.amount FROM rich r JOIN orders o ON r.id = o.customer_id",
    "SELECT c.name, b.a FROM customers c CROSS JOIN bag b",
    "SELECT c.name, b.a FROM customers c, bag b WHERE c.id = b.a",
    "SELECT x.id AS x, y.id AS y FROM customers x JOIN orders y USING (id)",
    "SELECT c.name, b.a FROM customers c JOIN bag b ON c.id > b.a",
    // sets, VALUES, OFFSET, DISTINCT
    "SELECT a FROM bag UNION SELECT b FROM bag",
    "SELECT a FROM bag UNION ALL SELECT b FROM bag",
    "SELECT a FROM bag INTERSECT SELECT b FROM bag",
    "SELECT a FROM bag INTERSECT ALL SELECT b FROM bag",
    "SELECT b FROM bag EXCEPT SELECT a FROM bag",
    "SELECT a FROM bag EXCEPT ALL SELECT b FROM bag",
    "SELECT v.n FROM (VALUES (1, 'a'), (2, 'b')) AS v (n, t) WHERE n > 1",
    "SELECT a FROM bag ORDER BY a OFFSET 2",
    "SELECT DISTINCT a FROM bag",
    "SELECT DISTINCT ON (a) a, b FROM bag ORDER BY a, b DESC",
    // aggregates
    "SELECT city, COUNT(*) AS n, COUNT(name) AS m, SUM(credit) AS s, AVG(credit) AS v, MIN(name) AS i, MAX(name) AS x FROM customers GROUP BY city",
    "SELECT COUNT(DISTINCT a) AS n, SUM(DISTINCT b) AS s, AVG(DISTINCT b) AS v, MIN(DISTINCT a) AS i, MAX(DISTINCT a) AS x FROM bag",
    "SELECT STDDEV(b) AS p, STDDEV_POP(b) AS q, VARIANCE(b) AS r, VAR_POP(b) AS s, STDDEV(DISTINCT b) AS t FROM bag",
    "SELECT BOOL_AND(a > 0) AS p, BOOL_OR(a > 2) AS q, EVERY(b > 1) AS r FROM bag",
    "SELECT COLLECT_LIST(a) AS p, COLLECT_SET(a) AS q, STRING_AGG(c, ',') AS r, STRING_AGG(DISTINCT c, ',') AS s FROM bag",
    "SELECT ARRAY_AGG(a ORDER BY b) AS p, STRING_AGG(c, ';' ORDER BY c DESC) AS q FROM bag",
    "SELECT channel, LATEST_BY_OFFSET(stars) AS l, EARLIEST_BY_OFFSET(stars) AS e FROM ratings GROUP BY channel",
    "SELECT a, COUNT(*) FILTER (WHERE b > 1) AS n FROM bag GROUP BY a HAVING COUNT(*) > 1",
    "SELECT a, b, COUNT(*) AS n FROM bag GROUP BY GROUPING SETS ((a), (a, b), ())",
    // top-k
    "SELECT name FROM customers ORDER BY credit DESC LIMIT 1",
    "SELECT name FROM customers ORDER BY credit LIMIT 1 OFFSET 1",
    "SELECT a, b FROM (SELECT a, b, ROW_NUMBER() OVER (PARTITION BY a ORDER BY b) AS n FROM bag) x WHERE n = 1",
    // subqueries
    "SELECT name FROM customers WHERE id IN (SELECT customer_id FROM orders)",
    "SELECT id FROM orders WHERE customer_id NOT IN (SELECT id FROM customers)",
    "SELECT a FROM bag WHERE b NOT IN (SELECT a FROM bag WHERE a IS NOT NULL)",
    "SELECT name FROM customers c WHERE EXISTS (SELECT 1 FROM orders o WHERE o.customer_id = c.id AND o.amount > c.credit)",
    "SELECT id FROM orders o WHERE NOT EXISTS (SELECT 1 FROM customers c WHERE o.customer_id = c.id)",
    "SELECT name, (SELECT MAX(amount) FROM orders) AS m FROM customers",
    "SELECT name, (SELECT COUNT(*) FROM orders o WHERE o.customer_id = c.id) AS n FROM customers c",
    "SELECT name FROM customers c WHERE 1 < (SELECT COUNT(*) FROM orders o WHERE o.customer_id = c.id)",
    "SELECT name FROM customers c WHERE credit > ANY (SELECT amount FROM orders o WHERE o.customer_id = c.id)",
    "SELECT b FROM bag WHERE b >= ALL (SELECT b FROM bag)",
    "SELECT c.name, o.amount FROM customers c, LATERAL (SELECT amount FROM orders o WHERE o.customer_id = c.id ORDER BY amount LIMIT 1) o",
    "WITH big AS (SELECT * FROM orders WHERE amount > 2) SELECT COUNT(*) AS n FROM big",
    // a stream as a table of events
    "SELECT stars, COUNT(*) AS n FROM ratings GROUP BY stars",
    "SELECT r.stars, c.name FROM ratings r JOIN customers c ON r.user_id = c.id",
    "SELECT ROWTIME AS t, user_id FROM clicks",
];

/// Statements that last, and what reads them afterwards: at least one row.
const LASTING: &[(&str, &str)] = &[
    ("CREATE STREAM s AS SELECT * FROM ratings WHERE stars < 3", "SELECT * FROM s"),
    ("CREATE STREAM s AS SELECT stars, channel FROM ratings PARTITION BY user_id EMIT CHANGES", "SELECT * FROM s"),
    (
        "CREATE STREAM s AS SELECT r.stars, c.name FROM ratings r LEFT JOIN customers c ON r.user_id = c.id",
        "SELECT * FROM s",
    ),
    ("CREATE STREAM s AS SELECT k.page, c.name FROM clicks k JOIN customers c ON k.user_id = c.id", "SELECT * FROM s"),
    (
        "CREATE STREAM s AS SELECT k.page, v.page AS v FROM clicks k JOIN visits v WITHIN 10 SECONDS GRACE PERIOD 1 SECOND ON k.user_id = v.user_id",
        "SELECT * FROM s",
    ),
    (
        "CREATE STREAM s AS SELECT k.page, v.page AS v FROM clicks k LEFT JOIN visits v WITHIN (1 SECOND, 2 SECONDS) GRACE PERIOD 1 SECOND ON k.user_id = v.user_id",
        "SELECT * FROM s",
    ),
    (
        "CREATE STREAM s AS SELECT k.page, v.page AS v FROM clicks k FULL JOIN visits v WITHIN 1 SECOND GRACE PERIOD 0 SECONDS ON k.user_id = v.user_id",
        "SELECT * FROM s",
    ),
    ("CREATE STREAM s AS SELECT user_id FROM clicks UNION ALL SELECT user_id FROM visits", "SELECT * FROM s"),
    ("CREATE STREAM s AS SELECT page FROM clicks WHERE user_id IN (SELECT id FROM customers)", "SELECT * FROM s"),
    ("CREATE TABLE t AS SELECT user_id, COUNT(*) AS n FROM clicks GROUP BY user_id", "SELECT * FROM t"),
    (
        "CREATE TABLE t AS SELECT user_id, COUNT(*) AS n FROM clicks WINDOW TUMBLING (SIZE 5 SECONDS, RETENTION 2 DAYS, GRACE PERIOD 1 SECOND) GROUP BY user_id HAVING COUNT(*) > 0",
        "SELECT WINDOWSTART, WINDOWEND, user_id, n FROM t",
    ),
    (
        "CREATE TABLE t AS SELECT user_id, SUM(ms) AS n FROM clicks WINDOW HOPPING (SIZE 10 SECONDS, ADVANCE BY 5 SECONDS, GRACE PERIOD 1 SECOND) GROUP BY user_id EMIT FINAL",
        "SELECT * FROM t",
    ),
    (
        "CREATE TABLE t AS SELECT user_id, COUNT(*) AS n FROM clicks WINDOW SESSION (60 SECONDS, GRACE PERIOD 1 SECOND) GROUP BY user_id EMIT FINAL",
        "SELECT * FROM t",
    ),
    (
        "CREATE TABLE t AS SELECT user_id, COUNT(*) AS n FROM clicks WINDOW SESSION (60 SECONDS) GROUP BY user_id EMIT CHANGES",
        "SELECT * FROM t",
    ),
    ("CREATE TABLE t AS SELECT id, UCASE(name) AS name FROM customers", "SELECT * FROM t"),
    ("CREATE MATERIALIZED VIEW v (s, n) AS SELECT stars, COUNT(*) FROM ratings GROUP BY stars", "SELECT s, n FROM v"),
    (
        "CREATE MATERIALIZED VIEW v AS SELECT k.page, v.page AS v FROM clicks k JOIN visits v ON k.user_id = v.user_id",
        "SELECT * FROM v",
    ),
    ("CREATE VIEW v AS SELECT city, COUNT(*) AS n FROM customers GROUP BY city", "SELECT * FROM v"),
    ("CREATE STREAM s WITH (CONNECTOR = 'file', PATH = '/out.jsonl') AS SELECT page FROM clicks", "SELECT page FROM s"),
    ("INSERT INTO accounts (id, balance) VALUES (1 + 2, 3)", "SELECT * FROM accounts WHERE id = 3"),
    ("INSERT INTO accounts SELECT b, b FROM bag WHERE b > 2", "SELECT * FROM accounts WHERE id = 4"),
    ("INSERT INTO visits SELECT user_id, page FROM clicks", "SELECT * FROM visits WHERE page = 'c'"),
    ("UPDATE accounts SET balance = balance * 2 WHERE id = 1", "SELECT * FROM accounts WHERE balance = 200"),
    (
        "DELETE FROM accounts WHERE id IN (SELECT a FROM bag WHERE a = 1)",
        "SELECT COUNT(*) AS n FROM accounts HAVING COUNT(*) = 1",
    ),
    ("CREATE TYPE point AS STRUCT<x INT, y INT>; CREATE TABLE p (id INT PRIMARY KEY, at point)", "SHOW TABLES"),
    ("SET 'millrace.state' = 'differential'; UNSET 'millrace.state'", "SHOW PROPERTIES"),
    ("CREATE OR REPLACE VIEW rich AS SELECT id FROM customers", "SELECT * FROM rich"),
    ("CREATE MATERIALIZED VIEW v AS SELECT COUNT(*) AS n FROM bag", "SHOW QUERIES"),
    ("CREATE STREAM s AS SELECT page FROM clicks", "SELECT name, state FROM \"millrace.queries\""),
    ("DROP VIEW rich; DROP TABLE IF EXISTS nothing; DROP STREAM clicks", "SHOW RELATIONS"),
    ("CREATE STREAM IF NOT EXISTS clicks (user_id BIGINT)", "SELECT page FROM clicks"),
];

/// Statements that answer: at least one row.
const ANSWERED: &[&str] = &[
    "SHOW STREAMS",
    "SHOW TABLES",
    "SHOW FUNCTIONS",
    "SHOW CREATE VIEW rich",
    "SHOW COLUMNS FROM customers",
    "DESCRIBE customers",
    "DESCRIBE customers EXTENDED",
    "EXPLAIN SELECT * FROM customers",
    "EXPLAIN PARSED SELECT * FROM customers",
    "EXPLAIN LOGICAL SELECT * FROM customers",
    "EXPLAIN OPTIMIZED SELECT * FROM customers",
    "EXPLAIN PLAN SELECT * FROM customers",
    "EXPLAIN (FORMAT JSON) SELECT * FROM customers",
    "SELECT * FROM ratings EMIT CHANGES LIMIT 3",
    "SELECT name, credit FROM customers WHERE credit > 2 EMIT CHANGES",
    "SELECT stars, COUNT(*) FROM ratings GROUP BY stars EMIT CHANGES",
    "SELECT name FROM customers ORDER BY credit LIMIT 1 EMIT CHANGES",
    "SELECT r.stars, c.name FROM ratings r, customers c WHERE r.user_id = c.id EMIT CHANGES",
    "SELECT user_id, COUNT(*) FROM clicks WINDOW TUMBLING (SIZE 5 SECONDS, GRACE PERIOD 0 SECONDS) GROUP BY user_id EMIT FINAL",
];

/// What is written down as not built: an error with its place.
const NOT_BUILT: &[&str] = &[
    "CREATE STREAM s WITH (VALUE_FORMAT = 'AVRO') AS SELECT * FROM ratings",
    "CREATE FUNCTION f FROM MODULE 'f.wasm'",
    "CREATE SOURCE CONNECTOR k FROM MODULE 'k.wasm' WITH (a = 'b')",
    "ALTER STREAM clicks ADD COLUMN x INT",
    "PRINT 'clicks'",
    "RUN SCRIPT 'more.sql'",
    "ASSERT STREAM clicks (user_id BIGINT)",
    "WITH RECURSIVE r AS (SELECT 1 AS n UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT * FROM r",
    "SELECT SUM(a) OVER (PARTITION BY b) AS s FROM bag",
    "SELECT a FROM bag FOR UPDATE",
    "SELECT * FROM bag TABLESAMPLE BERNOULLI (10)",
    "DROP TABLE bag CASCADE",
    "EXPLAIN EXPLAIN SELECT 1",
];

#[derive(Default)]
struct Counted {
    rows: usize,
    last: Option<ResultId>,
}

impl Client for Counted {
    fn head(&mut self, head: &ResultHead) -> Result<(), ClientGone> {
        (self.rows, self.last) = (0, Some(head.id));
        Ok(())
    }

    fn rows(&mut self, rows: &ResultRows) -> Result<(), ClientGone> {
        self.rows += if self.last == Some(rows.id) { rows.rows.num_rows() } else { 0 };
        Ok(())
    }

    fn done(&mut self, _: ResultId) -> Result<(), ClientGone> {
        Ok(())
    }

    fn notice(&mut self, _: &Notice) {}
}

/// Runs a program over the relations above; how many rows its last result has.
fn run(state: &str, sql: &str) -> Result<usize, (SessionError, String)> {
    let world = SimulatedWorld::new(0);
    for (path, text) in FILES {
        world.files().write(path, text.as_bytes());
    }
    let mut settings = Settings::default();
    for (name, value) in [("millrace.state", state), ("millrace.workers", "2")] {
        settings.set(name, Some(value), Origin::Flag).unwrap();
    }
    let options = Options { settings, ..Options::default() };
    let mut session = Session::new(options, world.world().clone()).unwrap();
    let script = |name: &str, text: &str| Script { name: name.to_owned(), text: text.to_owned() };
    let program = Program::parse(vec![script("relations", RELATIONS), script("sql", sql)]);
    let mut counted = Counted::default();
    match session.run(&program, &mut counted) {
        Ok(()) => Ok(counted.rows),
        Err(error) => {
            let text = program.render(&error);
            Err((error, text))
        }
    }
}

/// What does not answer with rows, of programs that have a name each.
fn without_rows(programs: impl Iterator<Item = (String, String)>) -> Vec<String> {
    let mut wrong = vec![];
    for (i, (name, sql)) in programs.enumerate() {
        let state = if i % 2 == 0 { "hash" } else { "differential" };
        match run(state, &sql) {
            Ok(0) => wrong.push(format!("{name}: no rows")),
            Ok(_) => {}
            Err((_, text)) => wrong.push(format!("{name}: {text}")),
        }
    }
    wrong
}

#[test]
fn queries_answer_pulled_and_maintained() {
    let pulled = QUERIES.iter().map(|sql| ((*sql).to_owned(), (*sql).to_owned()));
    let maintained = QUERIES.iter().map(|sql| {
        let view = format!("CREATE MATERIALIZED VIEW maintained AS {sql}; SELECT * FROM maintained");
        ((*sql).to_owned(), view)
    });
    let wrong = without_rows(pulled.chain(maintained));
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn lasting_statements_work_and_are_read() {
    let programs = LASTING.iter().map(|(sql, read)| ((*sql).to_owned(), format!("{sql}; {read}")));
    let answered = ANSWERED.iter().map(|sql| ((*sql).to_owned(), (*sql).to_owned()));
    let wrong = without_rows(programs.chain(answered));
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn what_is_not_built_says_so_with_its_place() {
    let mut wrong = vec![];
    for sql in NOT_BUILT {
        match run("hash", sql) {
            Ok(_) => wrong.push(format!("{sql}: succeeds")),
            Err((error, _)) if error.error.kind == ErrorKind::NotSupported && error.error.span.is_some() => {}
            Err((_, text)) => wrong.push(format!("{sql}: {text}")),
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}
