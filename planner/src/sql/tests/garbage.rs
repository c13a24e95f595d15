//! No text makes the parser panic, and no span points outside the text; what is parsed is printed so that
//! it parses to the same again.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::panic::{RefUnwindSafe, catch_unwind};

use crate::sql::print::print;
use crate::sql::statement::{Parsed, Statement};
use crate::sql::{parse_partial, parse_statement};

/// A small generator of numbers (xorshift), so that a seed is all that a failure needs.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % n.max(1) as u64) as usize
    }
}

const SEEDS: [&str; 18] = [
    include_str!("talk.sql"),
    "SELECT a->b[1]->*, (x, y) => x + y, MAP('k' := 1), STRUCT(a := 1) FROM s WINDOW TUMBLING (SIZE 1 HOUR, GRACE PERIOD 5 MINUTES) GROUP BY a EMIT CHANGES;",
    "SELECT * FROM a JOIN b WITHIN (1 HOUR, 2 DAYS) GRACE PERIOD 1 SECOND ON a.x = b.x LEFT JOIN (SELECT * FROM c) d ON TRUE PARTITION BY x, y EMIT FINAL LIMIT 3",
    "CREATE OR REPLACE SOURCE TABLE IF NOT EXISTS t (a BIGINT PRIMARY KEY, b MAP<STRING, ARRAY<STRUCT<x INT, y DECIMAL(4, 2)>>> HEADER('x'), PRIMARY KEY (a)) WITH (A='b', c=1, d=DEAD LETTER)",
    "INSERT INTO t (a, `b`) VALUES (1, 'it''s', x'00', E'\\n', -1.5e3, ARRAY[1], NULL), (CASE WHEN a THEN 1 ELSE 2 END)",
    "UPDATE t x SET a = 1, b = b || 'x' WHERE a BETWEEN 1 AND 2; DELETE FROM t WHERE NOT EXISTS (SELECT 1 FROM u)",
    "EXPLAIN ANALYZE (FORMAT JSON) CREATE STREAM s AS SELECT * FROM r; EXPLAIN q; EXPLAIN PARSED INSERT INTO t SELECT 1",
    "SHOW ALL TOPICS EXTENDED; LIST SINK CONNECTORS; SHOW COLUMNS FROM a.b LIKE 'x'; SHOW CREATE VIEW v; DESCRIBE EXTENDED s; DESCRIBE FUNCTION 'f'",
    "SET 'a.b' = 'c'; SET a.b TO (1, 2); UNSET x; DEFINE x = 'y'; UNDEFINE x; RESET a",
    "DROP STREAM IF EXISTS s DELETE TOPIC; DROP TABLE FUNCTION f; TERMINATE ALL; PAUSE QUERY q; RESUME q",
    "ALTER STREAM s ADD COLUMN a INT, ADD b VARCHAR(STRING); PRINT t FROM BEGINNING INTERVAL 2 LIMIT 3; RUN SCRIPT 'a'",
    "CREATE AGGREGATE FUNCTION f FROM MODULE 'm' SHA256 'x'; CREATE SINK CONNECTOR c FROM MODULE 'm' WITH (a=1) GRANT HTTP 'a', TCP 'b'",
    "ASSERT NOT EXISTS TOPIC t WITH (a=1) TIMEOUT 5 SECONDS; ASSERT NULL VALUES t (a) KEY (1); ASSERT SCHEMA SUBJECT s ID 1; ASSERT STREAM s (a INT)",
    "WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r) SELECT DISTINCT ON (a) a, sum(b) OVER (PARTITION BY c ORDER BY d ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM r, LATERAL (SELECT 1) l WINDOW w AS (ORDER BY x)",
    "SELECT CAST(a AS DECIMAL(4, 2)), a::INT[], EXTRACT(YEAR FROM d), SUBSTRING(a FROM 1 FOR 2), TRIM(BOTH 'x' FROM a), INTERVAL '1' DAY, DATE '2020-01-01', a AT TIME ZONE 'UTC' FROM t GROUP BY GROUPING SETS ((a), ()) HAVING count(*) FILTER (WHERE a > 1) > 0",
    "-- comment\nSELECT /* a /* b */ */ \"q\"\"q\", `b``b`, 1R, .5, $1, $$x$$, U&'\\0061', N'n', b'01', é FROM \"T\" AS ü; ${x}",
    "CREATE TYPE t AS STRUCT<a INT>; CREATE VIEW v (a) AS (SELECT 1) EXCEPT ALL VALUES (1), (2) ORDER BY 1 NULLS FIRST OFFSET 2 FETCH FIRST 3 ROWS ONLY",
    "GRANT x; BEGIN; CREATE INDEX i; SELECT * FROM t PIVOT (sum(a) FOR b IN (1)) FOR UPDATE; SELECT * FROM JSON_TABLE(a, '$' COLUMNS (x INT PATH '$.a'))",
];

/// Pieces that change the meaning of what is around them.
const PIECES: [&str; 62] = [
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "<",
    ">",
    "'",
    "\"",
    "`",
    ",",
    ";",
    ".",
    "->",
    "=>",
    ":=",
    "::",
    "-",
    "*",
    "/*",
    "*/",
    "--",
    "\n",
    "\0",
    "é",
    "$$",
    "$",
    "\\",
    "@",
    "SELECT ",
    " FROM ",
    " WINDOW ",
    " TUMBLING (",
    " WITHIN ",
    " EMIT ",
    " CHANGES ",
    " PARTITION BY ",
    " JOIN ",
    " CASE ",
    " END ",
    " AS ",
    " NOT ",
    " BETWEEN ",
    " AND ",
    " OR ",
    " UNION ",
    " VALUES ",
    " WITH ",
    " KEY ",
    " INTERVAL ",
    " MAP",
    " STRUCT",
    " ARRAY",
    " 1 ",
    " DAYS ",
    "\u{feff}",
    " IN ",
    " ON ",
    " EXPLAIN ",
    " x ",
    " NULL ",
];

/// The text after some edits: pieces put in, taken out, doubled, or taken from another text.
fn mutated(numbers: &mut Numbers) -> String {
    let mut chars: Vec<char> = SEEDS[numbers.below(SEEDS.len())].chars().collect();
    if chars.len() > 400 {
        let start = numbers.below(chars.len() - 400);
        chars = chars[start..start + 400].to_vec();
    }
    for _ in 0..=numbers.below(8) {
        let at = numbers.below(chars.len() + 1);
        let end = (at + numbers.below(12)).min(chars.len());
        match numbers.below(6) {
            0 => drop(chars.drain(at..end)),
            1 => drop(chars.splice(at..at, PIECES[numbers.below(PIECES.len())].chars())),
            2 => drop(chars.splice(at..end, PIECES[numbers.below(PIECES.len())].chars())),
            3 => {
                let copy = chars[at..end].repeat(1 + numbers.below(6));
                drop(chars.splice(at..at, copy));
            }
            4 => {
                let other: Vec<char> = SEEDS[numbers.below(SEEDS.len())].chars().collect();
                let from = numbers.below(other.len());
                let to = (from + numbers.below(80)).min(other.len());
                drop(chars.splice(at..end, other[from..to].iter().copied()));
            }
            _ => chars.truncate(at.max(1)),
        }
    }
    chars.into_iter().collect()
}

/// Parses so many mutated texts; `also` looks at each and its statements.
fn mutate(seed: u64, n_texts: usize, also: impl Fn(&Parsed) + RefUnwindSafe) {
    let mut numbers = Numbers(seed);
    let mut n_parsed = 0;
    for _ in 0..n_texts {
        let text = mutated(&mut numbers);
        let text = text.as_str();
        let result = catch_unwind(|| {
            let (statements, error) = parse_partial(text);
            for parsed in &statements {
                assert_eq!(text.get(parsed.span.start..parsed.span.end), Some(parsed.text.as_str()));
                also(parsed);
            }
            if let Some(span) = error.as_ref().and_then(|error| error.span) {
                assert!(text.get(span.start..span.end).is_some(), "{span:?}");
            }
            if let Some(error) = error {
                assert!(!error.render("x", text).is_empty());
            }
            statements.len()
        });
        match result {
            Ok(n) => n_parsed += n,
            Err(_) => panic!("seed {seed}: {text:?}"),
        }
    }
    assert!(n_parsed > n_texts / 6, "only {n_parsed} statements survive: the edits are too wild");
}

#[test]
fn mutated_statements_never_panic() {
    // a fresh seed each run; a failure prints it
    let seed = RandomState::new().hash_one(0) | 1;
    mutate(seed, 50_000, |parsed| assert!(!print(&parsed.statement).is_empty()));
}

#[test]
fn what_is_printed_parses_to_the_same() {
    mutate(1, 20_000, |parsed| {
        if matches!(parsed.statement, Statement::Unsupported { .. }) {
            return;
        }
        let once = print(&parsed.statement);
        let again = parse_statement(&once).map(|again| print(&again.statement));
        assert_eq!(again.as_deref(), Ok(once.as_str()), "printed otherwise");
    });
}
