//! What is parsed, what is not and what is said about it. `UPDATE_EXPECT=1 cargo test` blesses the snapshots.

mod clauses;
mod errors;
mod expressions;
mod garbage;
mod large;
mod statements;

use expect_test::Expect;

use super::print::print;
use super::{parse_partial, parse_statement};

/// The statements of `sql`, printed back; each text must parse to the same text again.
fn check(sql: &str, expect: Expect) {
    let (statements, error) = parse_partial(sql);
    if let Some(error) = error {
        panic!("{}", error.render("test.sql", sql));
    }
    let mut all = String::new();
    for parsed in &statements {
        assert_eq!(parsed.text, sql[parsed.span.start..parsed.span.end]);
        let once = print(&parsed.statement);
        match parse_statement(&once) {
            Ok(again) => assert_eq!(print(&again.statement), once),
            Err(error) => panic!("{}", error.render("printed.sql", &once)),
        }
        all += &format!("{once};\n");
    }
    expect.assert_eq(&all);
}

/// What is said about the first mistake in `sql`.
fn fails(sql: &str, expect: Expect) {
    match parse_partial(sql) {
        (_, Some(error)) => expect.assert_eq(&error.render("test.sql", sql)),
        (statements, None) => panic!("{statements:#?}"),
    }
}
