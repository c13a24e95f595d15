//! Expressions that our language writes otherwise than sqlparser: their trees, and the way back.

use expect_test::expect;
use sqlparser::ast::{self, AccessExpr, Expr};

use super::check;
use crate::sql::parse_statement;
use crate::sql::query::struct_star;
use crate::sql::statement::Statement;

/// The items of `SELECT items FROM t`.
fn items(items: &str) -> Vec<ast::SelectItem> {
    let sql = format!("SELECT {items} FROM t");
    match parse_statement(&sql) {
        Ok(parsed) => match parsed.statement {
            Statement::Query(query) => match *query.query.body {
                ast::SetExpr::Select(select) => select.projection,
                other => panic!("{other}"),
            },
            other => panic!("{other:?}"),
        },
        Err(error) => panic!("{}", error.render("test.sql", &sql)),
    }
}

fn expr(text: &str) -> Expr {
    match items(text).pop() {
        Some(ast::SelectItem::UnnamedExpr(expr)) => expr,
        other => panic!("{other:?}"),
    }
}

#[test]
fn arrows_are_field_access_and_bind_tightest() {
    let Expr::BinaryOp { left, op: ast::BinaryOperator::Plus, .. } = expr("r.a->b->\"c\"[1]->d + 1") else { panic!() };
    let Expr::CompoundFieldAccess { root, access_chain } = *left else { panic!("{left:?}") };
    assert!(matches!(*root, Expr::CompoundIdentifier(_)), "{root:?}");
    let parts: Vec<String> = access_chain.iter().map(ToString::to_string).collect();
    assert_eq!(parts, [".b", ".\"c\"", "[1]", ".d"]);
    let Expr::CompoundFieldAccess { root, access_chain } = expr("f(x)[2]->a") else { panic!() };
    assert!(matches!(*root, Expr::Function(_)), "{root:?}");
    assert!(matches!(access_chain.as_slice(), [AccessExpr::Subscript(_), AccessExpr::Dot(_)]));
    let Expr::UnaryOp { expr: inner, .. } = expr("-a->b") else { panic!() };
    assert!(matches!(*inner, Expr::CompoundFieldAccess { .. }), "{inner:?}");
}

#[test]
fn a_star_behind_an_arrow_is_all_fields() {
    let items = items("a->*, b, r.a->b->* , *");
    let stars: Vec<Option<String>> = items.iter().map(|item| struct_star(item).map(|expr| expr.to_string())).collect();
    assert_eq!(stars, [Some("a".into()), None, Some("r.a.b".into()), None]);
}

#[test]
fn lambdas_have_one_name_or_several() {
    let Expr::Function(function) = expr("transform(m, (k, v) => ucase(k), x => x + 1, (y) => y)") else { panic!() };
    let ast::FunctionArguments::List(list) = function.args else { panic!() };
    let names: Vec<usize> = list
        .args
        .iter()
        .filter_map(|arg| match arg {
            ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(Expr::Lambda(lambda))) => Some(lambda.params.len()),
            _ => None,
        })
        .collect();
    assert_eq!(names, [2, 1, 1]);
}

#[test]
fn constructors_are_trees_of_their_own() {
    let Expr::Map(map) = expr("MAP('a' := 1, f(x) := MAP())") else { panic!() };
    assert_eq!(map.entries.len(), 2);
    assert!(matches!(&*map.entries[1].value, Expr::Map(inner) if inner.entries.is_empty()));
    assert!(matches!(expr("map(a, b)"), Expr::Function(_)));
    let Expr::Struct { values, fields } = expr("STRUCT(a := 1, `b` := STRUCT(c := 2))") else { panic!() };
    assert!(fields.is_empty());
    assert!(matches!(values.as_slice(), [Expr::Named { .. }, Expr::Named { .. }]), "{values:?}");
    assert!(matches!(expr("ARRAY[1, 2]"), Expr::Array(_)));
    assert!(matches!(expr("ARRAY[]"), Expr::Array(_)));
}

/// The tree with brackets around every operator.
fn bracketed(expr: &Expr) -> String {
    match expr {
        Expr::BinaryOp { left, op, right } => format!("({} {op} {})", bracketed(left), bracketed(right)),
        Expr::UnaryOp { op, expr } => format!("({op} {})", bracketed(expr)),
        Expr::IsDistinctFrom(left, right) => format!("({} <> {})", bracketed(left), bracketed(right)),
        Expr::IsNotDistinctFrom(left, right) => format!("({} == {})", bracketed(left), bracketed(right)),
        Expr::IsNull(inner) => format!("({} IS NULL)", bracketed(inner)),
        Expr::Nested(inner) => bracketed(inner),
        other => other.to_string(),
    }
}

#[test]
fn distinct_from_binds_tighter_than_not_and_or() {
    let tree = |text: &str| bracketed(&expr(text));
    assert_eq!(tree("a IS DISTINCT FROM b AND c"), "((a <> b) AND c)");
    assert_eq!(tree("a IS NOT DISTINCT FROM b OR c"), "((a == b) OR c)");
    assert_eq!(tree("c OR a IS DISTINCT FROM b AND d"), "(c OR ((a <> b) AND d))");
    assert_eq!(tree("NOT a IS DISTINCT FROM b AND c"), "((NOT (a <> b)) AND c)");
    assert_eq!(tree("a IS DISTINCT FROM b + 1 AND c"), "((a <> (b + 1)) AND c)");
    // comparisons bind tighter than IS
    assert_eq!(tree("a IS DISTINCT FROM b = c AND d"), "((a <> (b = c)) AND d)");
    assert_eq!(tree("a < b IS DISTINCT FROM c"), "((a < b) <> c)");
    assert_eq!(tree("a IS DISTINCT FROM b IS NULL"), "((a <> b) IS NULL)");
    assert_eq!(tree("a IS DISTINCT FROM (b AND c)"), "(a <> (b AND c))");
}

#[test]
fn expressions_print_as_they_are_written() {
    check(
        "SELECT a->b[1]->`c d`, m['k'], (a->b)->c, CAST(x AS MAP<STRING, ARRAY<STRUCT<a INT, b DECIMAL(4, 2)>>>), x::INT[],
           TRANSFORM(m, (k, v) => k || v, (k, v) => v * 2), FILTER(xs, x => x > 1 AND NOT x IS NULL), MAP('k' := 1, 'l' := 2), STRUCT(a := 'it''s', b := ARRAY['a''''b']),
           CASE WHEN a BETWEEN 1 AND 2 THEN 'x' ELSE 'y' END, a LIKE '%!%' ESCAPE '!', a NOT IN (1, 2), EXISTS (SELECT 1), INTERVAL '1' DAY, TIMESTAMP '2020-01-01T00:00:00',
           count(*) FILTER (WHERE a > 1), sum(DISTINCT x), COUNT_DISTINCT(a), a->*, 1R, SUBSTRING(a, 1, 2), TRIM(BOTH ' ' FROM a), EXTRACT(YEAR FROM d), E'\\n', 'a' 
         FROM t",
        expect![[r#"
            SELECT
              a->b[1]->`c d`,
              m['k'],
              (a->b)->c,
              CAST(x AS MAP<STRING, ARRAY<STRUCT<a INT, b DECIMAL(4,2)>>>),
              x::ARRAY<INT>,
              TRANSFORM(m, (k, v) => k || v, (k, v) => v * 2),
              FILTER(xs, x => x > 1 AND NOT x IS NULL),
              MAP('k' := 1, 'l' := 2),
              STRUCT(a := 'it''s', b := ARRAY['a''''b']),
              CASE
                WHEN a BETWEEN 1 AND 2 THEN
                  'x'
                ELSE
                  'y'
              END,
              a LIKE '%!%' ESCAPE '!',
              a NOT IN (1, 2),
              EXISTS (SELECT 1),
              INTERVAL '1' DAY,
              TIMESTAMP '2020-01-01T00:00:00',
              count(*) FILTER (WHERE a > 1),
              sum(DISTINCT x),
              COUNT_DISTINCT(a),
              a->*,
              1R,
              SUBSTRING(a, 1, 2),
              TRIM(BOTH ' ' FROM a),
              EXTRACT(YEAR FROM d),
              E'\n',
              'a'
            FROM
              t;
        "#]],
    );
}

#[test]
fn other_dialects_words_are_names_here() {
    check(
        "SELECT user, top, format, start, sample, interval, date, key, value, map, headers, offset FROM settings format WHERE interval > 1",
        expect![[r#"
            SELECT
              user,
              top,
              format,
              start,
              sample,
              interval,
              date,
              key,
              value,
              map,
              headers,
              offset
            FROM
              settings format
            WHERE
              interval > 1;
        "#]],
    );
}

#[test]
fn sql_as_postgresql_and_materialize_write_it() {
    check(
        "WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT * FROM r;
         SELECT DISTINCT ON (a) a, b FROM t, LATERAL (SELECT * FROM u WHERE u.x = t.x) l ORDER BY a DESC NULLS LAST LIMIT 3;
         SELECT a, GROUPING(a) FROM t GROUP BY GROUPING SETS ((a, b), (a), ()) HAVING sum(c) > 0;
         SELECT a, b FROM t GROUP BY ROLLUP (a, b);
         SELECT * FROM t CROSS JOIN u NATURAL JOIN v, TUMBLE(bids, ts, INTERVAL '10' MINUTE) w WHERE (a, b) IN (SELECT 1, 2);
         SELECT row_number() OVER (PARTITION BY a ORDER BY b ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t;
         SELECT * FROM (VALUES (1, 'a'), (2, 'b')) AS v (x, y) WHERE x = ANY (SELECT 1) AND now() - INTERVAL '5 minutes' < ts;
         VALUES (1), (2); (SELECT 1) INTERSECT ALL (SELECT 2); SELECT * FROM UNNEST(ARRAY[1, 2]) AS u (x)",
        expect![[r#"
            WITH RECURSIVE r (n) AS (
              SELECT
                1
              UNION ALL
              SELECT
                n + 1
              FROM
                r
              WHERE
                n < 5
            )
            SELECT
              *
            FROM
              r;
            SELECT DISTINCT ON (a)
              a,
              b
            FROM
              t,
              LATERAL (
                SELECT
                  *
                FROM
                  u
                WHERE
                  u.x = t.x
              ) l ORDER BY a DESC NULLS LAST LIMIT 3;
            SELECT
              a,
              GROUPING(a)
            FROM
              t
            GROUP BY
              GROUPING SETS ((a, b), (a), ())
            HAVING
              sum(c) > 0;
            SELECT
              a,
              b
            FROM
              t
            GROUP BY
              ROLLUP (a, b);
            SELECT
              *
            FROM
              t
              CROSS JOIN u
              NATURAL JOIN v,
              TUMBLE(bids, ts, INTERVAL '10' MINUTE) w
            WHERE
              (a, b) IN (SELECT 1, 2);
            SELECT
              row_number() OVER (
                PARTITION BY a
                ORDER BY b
                ROWS BETWEEN 1 PRECEDING AND CURRENT ROW
              )
            FROM
              t;
            SELECT
              *
            FROM
              (
                VALUES
                  (1, 'a'),
                  (2, 'b')
              ) AS v (x, y)
            WHERE
              x = ANY(SELECT 1) AND now() - INTERVAL '5 minutes' < ts;
            VALUES
              (1),
              (2);
            (SELECT
              1)
            INTERSECT ALL
            (SELECT
              2);
            SELECT
              *
            FROM
              UNNEST(ARRAY[1, 2]) AS u (x);
        "#]],
    );
}
