//! DROP, and TERMINATE, PAUSE and RESUME of queries.

use sqlparser::tokenizer::Token;

use super::{module, unsupported};
use crate::action::ControlVerb;
use crate::error::Result;
use crate::sql::cursor::Cursor;
use crate::sql::statement::{Control, Drop, DropKind, Statement};

/// What DROP drops in other databases.
const UNSUPPORTED: [&str; 14] = [
    "CATALOG",
    "DATABASE",
    "DOMAIN",
    "EXTENSION",
    "INDEX",
    "OWNED",
    "POLICY",
    "PROCEDURE",
    "ROLE",
    "SCHEMA",
    "SECRET",
    "SEQUENCE",
    "TRIGGER",
    "USER",
];

/// From DROP on.
pub(super) fn drop(cursor: &mut Cursor) -> Result<Statement> {
    if UNSUPPORTED.iter().any(|word| cursor.is_word(1, word)) {
        return Ok(unsupported(cursor, 2));
    }
    cursor.expect("DROP")?;
    let kind = kind(cursor)?;
    let if_exists = cursor.accept_all(&["IF", "EXISTS"]).is_some();
    let name = cursor.name("what to drop")?;
    let delete_topic = cursor.accept_all(&["DELETE", "TOPIC"]);
    let cascade = cursor.accept("CASCADE");
    if cascade.is_none() {
        // it is the default
        cursor.accept("RESTRICT");
    }
    Ok(Statement::Drop(Drop { kind, name, if_exists, delete_topic, cascade }))
}

fn kind(cursor: &mut Cursor) -> Result<DropKind> {
    let is_function = cursor.is_word(0, "FUNCTION")
        || cursor.is_word(0, "AGGREGATE")
        || cursor.is_word(0, "TABLE") && cursor.is_word(1, "FUNCTION") && matches!(cursor.peek_nth(2), Token::Word(_));
    if is_function {
        return module::function_kind(cursor).map(DropKind::Function);
    }
    let kinds: [(&[&str], DropKind); 8] = [
        (&["STREAM"], DropKind::Stream),
        (&["TABLE"], DropKind::Table),
        (&["VIEW"], DropKind::View),
        (&["MATERIALIZED", "VIEW"], DropKind::MaterializedView),
        (&["TYPE"], DropKind::Type),
        (&["CONNECTOR"], DropKind::Connector),
        (&["SOURCE", "CONNECTOR"], DropKind::Connector),
        (&["MODULE"], DropKind::Module),
    ];
    if let Some((_, kind)) = kinds.iter().find(|(words, _)| cursor.accept_all(words).is_some()) {
        return Ok(*kind);
    }
    Err(cursor.expected("STREAM, TABLE, VIEW, MATERIALIZED VIEW, TYPE, FUNCTION, CONNECTOR or MODULE"))
}

/// From TERMINATE, PAUSE or RESUME on.
pub(super) fn control(cursor: &mut Cursor) -> Result<Statement> {
    let verb = if cursor.accept("TERMINATE").is_some() {
        ControlVerb::Terminate
    } else if cursor.accept("PAUSE").is_some() {
        ControlVerb::Pause
    } else {
        cursor.expect("RESUME")?;
        ControlVerb::Resume
    };
    if *cursor.peek_nth(1) != Token::EOF {
        cursor.accept("QUERY");
    }
    let query = match cursor.accept("ALL") {
        Some(_) => None,
        None => Some(cursor.ident("the id of a query, or ALL")?),
    };
    Ok(Statement::Control(Control { verb, query }))
}
