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

fn check(sql: &str, expect: Expect) {
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
