//! Subqueries, joins and set operations give the answers that SQL asks for, NULLs included.

use datafusion_common::ScalarValue;
use expect_test::{Expect, expect};
use millrace_planner::action::Action;

use super::catalog::{apply, catalog};
use super::naive::{Row, Tables, all, rows};

const SCHEMA: &str = "
CREATE TABLE r (a INT, b INT) WITH (CONNECTOR='memory');
CREATE TABLE s (a INT, c INT) WITH (CONNECTOR='memory');
CREATE TABLE none (a INT) WITH (CONNECTOR='memory');
";

fn int(value: i32) -> ScalarValue {
    ScalarValue::Int32((value != NULL).then_some(value))
}

const NULL: i32 = i32::MIN;

fn tables() -> Tables {
    let r = [[1, 10], [2, 20], [3, NULL], [NULL, 40], [2, 21]];
    let s = [[1, 5], [1, 7], [2, NULL], [NULL, 9], [4, 20]];
    let table = |rows: &[[i32; 2]]| rows.iter().map(|row| row.iter().map(|v| int(*v)).collect::<Row>()).collect();
    Tables::from([("R".to_string(), table(&r)), ("S".to_string(), table(&s)), ("NONE".to_string(), vec![])])
}

pub(crate) fn check(sql: &str, expect: Expect) {
    let mut catalog = catalog(SCHEMA);
    let query = match apply(&mut catalog, sql) {
        Ok(Some(Action::Pull(query))) => query,
        Ok(other) => panic!("no query: {other:?}"),
        Err(error) => panic!("{}", error.render("test.sql", sql)),
    };
    let mut answer = rows(&query.root, &tables());
    answer.sort_by(all);
    let cell = |value: &ScalarValue| if value.is_null() { "-".to_string() } else { value.to_string() };
    let line = |row: &Row| row.iter().take(query.visible).map(cell).collect::<Vec<_>>().join(" ");
    expect.assert_eq(&answer.iter().map(line).collect::<Vec<_>>().join("\n"));
}

#[test]
fn in_and_not_in_know_nulls() {
    check(
        "SELECT b FROM r WHERE a IN (SELECT a FROM s)",
        expect![[r#"
            10
            20
            21"#]],
    );
    check("SELECT b FROM r WHERE a NOT IN (SELECT a FROM s)", expect![""]);
    check("SELECT b FROM r WHERE a NOT IN (SELECT a FROM s WHERE a IS NOT NULL)", expect!["-"]);
    check(
        "SELECT b FROM r WHERE a NOT IN (SELECT a FROM none)",
        expect![[r#"
            10
            20
            21
            40
            -"#]],
    );
    check("SELECT b FROM r WHERE 9 NOT IN (SELECT a FROM s)", expect![""]);
    check("SELECT b FROM r WHERE a NOT IN (SELECT s.a FROM s WHERE s.c < r.b)", expect!["-"]);
    check(
        "SELECT b, a IN (SELECT a FROM s) AS x, a NOT IN (SELECT a FROM s WHERE c > 8) AS y FROM r",
        expect![[r#"
            10 true -
            20 true -
            21 true -
            40 - -
            - - -"#]],
    );
    check(
        "SELECT b FROM r WHERE a IN (SELECT a FROM s) OR b > 30",
        expect![[r#"
            10
            20
            21
            40"#]],
    );
}

#[test]
fn exists_asks_for_a_row() {
    check("SELECT b FROM r WHERE EXISTS (SELECT 1 FROM s WHERE s.a = r.a AND s.c > 6)", expect!["10"]);
    check(
        "SELECT b FROM r WHERE NOT EXISTS (SELECT 1 FROM s WHERE s.a = r.a)",
        expect![[r#"
            40
            -"#]],
    );
    check(
        "SELECT b, EXISTS (SELECT 1 FROM none) AS x FROM r",
        expect![[r#"
            10 false
            20 false
            21 false
            40 false
            - false"#]],
    );
    check(
        "SELECT b FROM r WHERE EXISTS (SELECT COUNT(*) FROM s WHERE s.a = r.a)",
        expect![[r#"
            10
            20
            21
            40
            -"#]],
    );
    check(
        "SELECT b FROM r WHERE EXISTS (SELECT s.a FROM s WHERE s.a = r.a GROUP BY s.a HAVING COUNT(*) > 1)",
        expect!["10"],
    );
    check(
        "SELECT b FROM r WHERE EXISTS (SELECT a FROM s WHERE s.a = r.a UNION ALL SELECT c FROM s WHERE s.c = r.b)",
        expect![[r#"
            10
            20
            21"#]],
    );
    check(
        "SELECT b FROM r WHERE EXISTS (SELECT 1 FROM s x WHERE x.a = r.a AND EXISTS (SELECT 1 FROM s y WHERE y.a = x.a AND y.c < x.c AND r.b < 15))",
        expect!["10"],
    );
}

#[test]
fn scalar_subqueries_count_nothing_as_zero() {
    check(
        "SELECT b, (SELECT COUNT(*) FROM s WHERE s.a = r.a) AS n FROM r",
        expect![[r#"
            10 2
            20 1
            21 1
            40 0
            - 0"#]],
    );
    check(
        "SELECT b, (SELECT COUNT(*) + MAX(c) FROM s WHERE s.a = r.a) AS n FROM r",
        expect![[r#"
            10 9
            20 -
            21 -
            40 -
            - -"#]],
    );
    check(
        "SELECT b, (SELECT MAX(c) FROM s WHERE s.c < r.b) AS n FROM r",
        expect![[r#"
            10 9
            20 9
            21 20
            40 20
            - -"#]],
    );
    check(
        "SELECT b FROM r WHERE 0 = (SELECT COUNT(*) FROM s WHERE s.a = r.a)",
        expect![[r#"
            40
            -"#]],
    );
    check(
        "SELECT b, (SELECT SUM(c) FROM s WHERE s.a < r.a) AS n FROM r WHERE b > 5",
        expect![[r#"
            10 -
            20 12
            21 12
            40 -"#]],
    );
    check(
        "SELECT b, (SELECT c FROM s WHERE s.a = r.a ORDER BY c NULLS LAST LIMIT 1) AS n FROM r",
        expect![[r#"
            10 5
            20 -
            21 -
            40 -
            - -"#]],
    );
    check(
        "SELECT b, (SELECT COUNT(*) FROM s WHERE s.a = r.a HAVING COUNT(*) > 1) AS n FROM r",
        expect![[r#"
            10 2
            20 -
            21 -
            40 -
            - -"#]],
    );
    check("SELECT (SELECT MAX(a) FROM r) AS x, (SELECT COUNT(*) FROM none) AS y", expect!["3 0"]);
}

#[test]
fn groups_keep_nulls_and_lose_nothing() {
    check(
        "SELECT a, COUNT(*) AS n, COUNT(b) AS m, SUM(b) AS t, MAX(b) AS x FROM r GROUP BY a",
        expect![[r#"
            1 1 1 10 10
            2 2 2 41 21
            3 1 0 - -
            - 1 1 40 40"#]],
    );
    check("SELECT COUNT(*) AS n, SUM(a) AS t, MAX(a) AS x FROM none", expect!["0 - -"]);
    check("SELECT COUNT(*) AS n FROM none HAVING 1 = 2", expect![""]);
    check("SELECT COUNT(*) AS n FROM r HAVING FALSE", expect![""]);
    check("SELECT COUNT(*) AS n FROM r HAVING NULL", expect![""]);
    check("SELECT COUNT(*) AS n FROM r HAVING 1 / 0 = 1", expect![""]);
    check("SELECT COUNT(*) AS n FROM r HAVING COUNT(*) >= 0 AND FALSE", expect![""]);
    check("SELECT COUNT(*) AS n FROM r HAVING COUNT(*) >= 0 AND 1 / 0 = 1", expect![""]);
    check("SELECT * FROM (SELECT COUNT(*) AS n FROM r) x WHERE n >= 0 AND 1 / 0 = 1", expect![""]);
    check("SELECT * FROM (SELECT n + 1 AS m FROM (SELECT COUNT(*) AS n FROM r) x) y WHERE 1 / 0 = 1", expect![""]);
    check("SELECT COUNT(*) AS n FROM r HAVING 1 = 1", expect!["5"]);
    check("SELECT a FROM r GROUP BY a HAVING COUNT(*) > 1", expect!["2"]);
    check("SELECT COUNT(DISTINCT a) AS n, COUNT(*) FILTER (WHERE b > 15) AS m FROM r", expect!["3 3"]);
    check(
        "SELECT a + 1 AS k, MIN(b) AS x FROM r WHERE b < 30 GROUP BY a + 1",
        expect![[r#"
            2 10
            3 20"#]],
    );
}

#[test]
fn conditions_on_a_column_hold_together() {
    check("SELECT b FROM r WHERE a = 1 AND 1 = a", expect!["10"]);
    check("SELECT b FROM r WHERE b <= 20 AND 20 > b", expect!["10"]);
    check("SELECT b FROM r WHERE b >= 21 AND 21 < b", expect!["40"]);
    check("SELECT b FROM r WHERE b > 10 AND b > NULL", expect![""]);
    check("SELECT b FROM r WHERE b = NULL OR b = 10", expect!["10"]);
    check("SELECT b FROM (SELECT b, 20 AS c FROM r) x WHERE b <= 20 AND c > b", expect!["10"]);
    check("SELECT x FROM (SELECT CAST(a AS DOUBLE) - 1 AS x FROM r) y WHERE x = 0e0 AND x = -0e0", expect!["0"]);
    check(
        "SELECT x FROM (SELECT CAST(a AS DOUBLE) - 1 AS x FROM r) y WHERE x > -0e0 AND x >= 0e0 AND x < 2",
        expect![[r#"
        1
        1"#]],
    );
}

#[test]
fn joins_pad_with_nulls() {
    check(
        "SELECT r.b, s.c FROM r JOIN s ON r.a = s.a",
        expect![[r#"
            10 5
            10 7
            20 -
            21 -"#]],
    );
    check(
        "SELECT r.b, s.c FROM r LEFT JOIN s ON r.a = s.a AND s.c > 6",
        expect![[r#"
            10 7
            20 -
            21 -
            40 -
            - -"#]],
    );
    check(
        "SELECT r.b, s.c FROM r RIGHT JOIN s ON r.a = s.a",
        expect![[r#"
            10 5
            10 7
            20 -
            21 -
            - 9
            - 20"#]],
    );
    check(
        "SELECT r.b, s.c FROM r FULL JOIN s ON r.a = s.a",
        expect![[r#"
            10 5
            10 7
            20 -
            21 -
            40 -
            - 9
            - 20
            - -"#]],
    );
    check("SELECT r.b, s.c FROM r LEFT JOIN s ON r.a = s.a WHERE s.c > 6", expect!["10 7"]);
    check("SELECT r.b, s.c FROM r JOIN s ON r.b < s.c", expect!["10 20"]);
    check(
        "SELECT a, b, c FROM r JOIN s USING (a)",
        expect![[r#"
            1 10 5
            1 10 7
            2 20 -
            2 21 -"#]],
    );
}

#[test]
fn set_operations_know_nulls() {
    check(
        "SELECT a FROM r UNION SELECT a FROM s",
        expect![[r#"
            1
            2
            3
            4
            -"#]],
    );
    check(
        "SELECT a FROM r UNION ALL SELECT a FROM s",
        expect![[r#"
            1
            1
            1
            2
            2
            2
            3
            4
            -
            -"#]],
    );
    check(
        "SELECT a FROM r INTERSECT SELECT a FROM s",
        expect![[r#"
            1
            2
            -"#]],
    );
    check("SELECT a FROM r EXCEPT SELECT a FROM s", expect!["3"]);
}

#[test]
fn multiplicities_count_with_all() {
    check(
        "SELECT a FROM r INTERSECT ALL SELECT a FROM s",
        expect![[r#"
        1
        2
        -"#]],
    );
    check(
        "SELECT a FROM r EXCEPT ALL SELECT a FROM s",
        expect![[r#"
        2
        3"#]],
    );
    check(
        "SELECT a FROM s EXCEPT ALL SELECT a FROM r",
        expect![[r#"
        1
        4"#]],
    );
}

#[test]
fn lateral_is_computed_per_row() {
    check(
        "SELECT r.b, x.c FROM r, LATERAL (SELECT c FROM s WHERE s.a = r.a ORDER BY c DESC LIMIT 1) x",
        expect![[r#"
            10 7
            20 -
            21 -"#]],
    );
    check(
        "SELECT r.b, x.n FROM r LEFT JOIN LATERAL (SELECT COUNT(*) AS n FROM s WHERE s.a = r.a) x ON TRUE WHERE r.b < 30",
        expect![[r#"
            10 2
            20 1
            21 1"#]],
    );
}

#[test]
fn quantifiers_know_nulls() {
    check(
        "SELECT b FROM r WHERE b > ALL (SELECT c FROM s WHERE c IS NOT NULL)",
        expect![[r#"
        21
        40"#]],
    );
    check("SELECT b FROM r WHERE b > ALL (SELECT c FROM s)", expect![""]);
    check(
        "SELECT b FROM r WHERE b > ANY (SELECT c FROM s WHERE c > 7)",
        expect![[r#"
        10
        20
        21
        40"#]],
    );
    check("SELECT b, b > ALL (SELECT a FROM none) AS x FROM r WHERE b < 15", expect!["10 true"]);
}

#[test]
fn a_scalar_subquery_has_one_row_at_most() {
    // two rows for a = 1: an error of the row's value, which leaves none
    check(
        "SELECT b, (SELECT c FROM s WHERE s.a = r.a) AS x FROM r WHERE b < 22",
        expect![[r#"
        10 -
        20 -
        21 -"#]],
    );
}

#[test]
fn the_first_of_each_group() {
    check(
        "SELECT DISTINCT ON (a) a, c FROM s ORDER BY a, c DESC NULLS LAST",
        expect![[r#"
        1 7
        2 -
        4 20
        - 9"#]],
    );
    check(
        "SELECT a FROM r ORDER BY b DESC NULLS LAST LIMIT 2 OFFSET 1",
        expect![[r#"
        2
        2"#]],
    );
    check(
        "SELECT x FROM (SELECT ARRAY[a, b] AS l FROM r) q CROSS JOIN UNNEST(q.l) AS x",
        expect![[r#"
        1
        2
        2
        3
        10
        20
        21
        40
        -
        -"#]],
    );
}
