//! Statements that are too large or too deep end in an error, on the small stack of a test's thread.

use crate::error::ErrorKind;
use crate::sql::limits::*;
use crate::sql::{parse_partial, parse_statement, print::print};

/// Parses, prints, copies and drops.
fn kind(sql: &str) -> Option<ErrorKind> {
    let (statements, error) = parse_partial(sql);
    for parsed in &statements {
        let copy = parsed.statement.clone();
        assert!(!print(&copy).is_empty());
    }
    error.map(|error| {
        assert!(error.span.is_some_and(|span| span.end <= sql.len()) || error.message.contains("script"), "{error:?}");
        error.kind
    })
}

/// `before` and `after` around the middle, so many times.
fn nested(n: usize, before: &str, middle: &str, after: &str) -> String {
    format!("{}{middle}{}", before.repeat(n), after.repeat(n))
}

#[test]
fn nesting_ends_in_an_error_and_not_in_an_overflow() {
    let texts = |n: usize| {
        [
            format!("SELECT {}", nested(n, "(", "1", ")")),
            format!("SELECT {}", nested(n, "(SELECT ", "1", ")")),
            nested(n, "SELECT * FROM (", "SELECT 1", ")"),
            format!("SELECT * FROM {}", nested(n, "(", "t", ")")),
            format!("SELECT * FROM {}", nested(n, "((SELECT 1) x JOIN ", "t", " ON TRUE)")),
            nested(n, "(", "SELECT 1", ")"),
            nested(n, "SELECT EXISTS (", "SELECT 1", ")"),
            format!("SELECT {}", nested(n, "CASE WHEN a THEN ", "1", " END")),
            format!("SELECT {}", nested(n, "f(", "1", ")")),
            format!("SELECT {}", nested(n, "CAST(", "1", " AS INT)")),
            format!("SELECT {}", nested(n, "ARRAY[", "1", "]")),
            format!("SELECT {}", nested(n, "STRUCT(a := ", "1", ")")),
            format!("SELECT {}", nested(n, "MAP('a' := ", "1", ")")),
            format!("SELECT f({})", nested(n, "x => (", "x", ")")),
            format!("SELECT 1 WHERE {}", nested(n, "a IN (SELECT b FROM c WHERE ", "TRUE", ")")),
            nested(n, "WITH a AS (", "SELECT 1", ") SELECT 1"),
            format!("SELECT {}", nested(n, "{", "1", "}")),
        ]
    };
    for sql in texts(20) {
        let found = kind(&sql);
        assert!(found != Some(ErrorKind::TooComplex), "{found:?} {sql}");
    }
    for sql in texts(5_000) {
        assert_eq!(kind(&sql), Some(ErrorKind::TooComplex), "{}", &sql[..60]);
    }
}

#[test]
fn prefixes_and_chains_end_in_an_error_too() {
    let texts = |n: usize| {
        [
            format!("SELECT {} a", "NOT ".repeat(n)),
            format!("SELECT {} 1", "- ".repeat(n)),
            format!("SELECT {} 1", "+ ".repeat(n)),
            format!("SELECT {} 1", "~ ".repeat(n)),
            format!("SELECT 1 {}", "+ 1 ".repeat(n)),
            format!("SELECT 1 {}", "|| 'a' ".repeat(n)),
            format!("SELECT 1 {}", "= 1 ".repeat(n)),
            format!("SELECT 1 {}", "IS NULL ".repeat(n)),
            format!("SELECT 1 {}", "::INT ".repeat(n)),
            format!("SELECT 1 {}", "BETWEEN 1 AND 2 ".repeat(n)),
            format!("SELECT 1 {}", "AT TIME ZONE 'UTC' ".repeat(n)),
            format!("SELECT f({} x)", "x => ".repeat(n)),
            format!("SELECT {}", vec!["SELECT 1"; n].join(" UNION ALL ").trim_start_matches("SELECT ")),
            format!("SELECT {}", vec!["SELECT 1"; n].join(" INTERSECT ").trim_start_matches("SELECT ")),
            format!("SELECT * FROM t {}", "JOIN t ON TRUE ".repeat(n)),
            format!("SELECT 1::INT{}", "[]".repeat(n)),
        ]
    };
    for sql in texts(100) {
        assert_eq!(kind(&sql), None, "{sql}");
    }
    for sql in texts(5_000).into_iter().chain(texts(50_000)) {
        assert_eq!(kind(&sql), Some(ErrorKind::TooComplex), "{}", &sql[..60]);
    }
}

#[test]
fn types_nest_so_far() {
    let cast = |n: usize| format!("SELECT CAST(a AS {})", nested(n, "ARRAY<", "INT", ">"));
    let create = |n: usize| format!("CREATE STREAM s (a {})", nested(n, "STRUCT<a ", "INT", ">"));
    for n in [1, 2, 3, TYPE_NESTING_MAX] {
        assert_eq!((kind(&cast(n)), kind(&create(n))), (None, None), "{n}");
    }
    for n in [TYPE_NESTING_MAX + 1, 5_000] {
        assert_eq!(
            (kind(&cast(n)), kind(&create(n))),
            (Some(ErrorKind::TooComplex), Some(ErrorKind::TooComplex)),
            "{n}"
        );
    }
}

#[test]
fn long_conditions_are_balanced() {
    for (word, n) in [("AND", 7), ("OR", 1_000), ("AND", 20_000)] {
        let terms: Vec<String> = (0..n).map(|i| format!("a = {i}")).collect();
        let sql = format!("SELECT 1 WHERE {}", terms.join(&format!(" {word} ")));
        let parsed = parse_statement(&sql).expect("parses");
        assert_eq!(print(&parsed.statement).split_whitespace().collect::<Vec<_>>().join(" "), sql);
    }
}

#[test]
fn many_rows_and_columns_are_no_matter() {
    let rows = vec!["(1, 'ä', NULL)"; 20_000].join(", ");
    assert_eq!(kind(&format!("INSERT INTO t VALUES {rows}")), None);
    let items: Vec<String> = (0..5_000).map(|i| format!("a{i} + 1 AS b{i}")).collect();
    assert_eq!(kind(&format!("SELECT {} FROM t", items.join(", "))), None);
    let whens = "WHEN a = 1 AND b = 2 THEN c + 1 ".repeat(2_000);
    assert_eq!(kind(&format!("SELECT CASE {whens} END")), None);
    let values = vec!["1"; 50_000].join(", ");
    assert_eq!(kind(&format!("SELECT a IN ({values})")), None);
    assert_eq!(kind(&"SELECT 1;".repeat(5_000)), None);
}

#[test]
fn too_many_bytes_are_refused() {
    let long = format!("SELECT '{}'", "a".repeat(STATEMENT_BYTES_MAX));
    assert_eq!(kind(&long), Some(ErrorKind::TooComplex));
    assert_eq!(kind(&" ".repeat(SCRIPT_BYTES_MAX + 1)), Some(ErrorKind::TooComplex));
}

#[test]
fn alternatives_do_not_multiply() {
    // each of these takes exponential time in sqlparser alone
    for (before, after) in [
        ("CAST(", " AS INT)"),
        ("FLOOR(", ")"),
        ("SUBSTRING(", ", 1)"),
        ("TRIM(", ")"),
        ("EXISTS(", ")"),
        ("POSITION(", " IN a)"),
        ("CONVERT(", ", INT)"),
        ("MAP(", ")"),
        ("STRUCT(", ")"),
        ("INTERVAL (", ")"),
        ("a.b(", ")"),
        ("ARRAY(", ")"),
    ] {
        let sql = format!("SELECT {}", nested(50, before, "1 1", after));
        assert!(kind(&sql).is_some(), "{sql}");
    }
    for before in ["INTERVAL ", "DATE ", "CASE ", "a.", "PRIOR ", "EXISTS "] {
        assert!(kind(&format!("SELECT {} FROM", before.repeat(400))).is_some(), "{before}");
    }
    let sql = nested(30, "SELECT * FROM ((", "SELECT 1 1", ") x JOIN y ON TRUE) z");
    assert!(kind(&sql).is_some());
}
