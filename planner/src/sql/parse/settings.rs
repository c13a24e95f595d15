//! SET, UNSET, RESET, DEFINE and UNDEFINE.

use sqlparser::tokenizer::Token;

use super::properties::value;
use crate::error::{PlanError, Result, Span};
use crate::sql::cursor::Cursor;
use crate::sql::statement::{Define, PropertyValue, Set, Statement};

/// From SET on.
pub(super) fn set(cursor: &mut Cursor) -> Result<Statement> {
    cursor.expect("SET")?;
    if matches!(cursor.peek_nth(1), Token::Word(_)) && !cursor.is_word(1, "TO") {
        if cursor.is_word(0, "LOCAL") || cursor.is_word(0, "GLOBAL") {
            return Err(PlanError::not_supported("SET for anything but the session").at(cursor.span()));
        }
        cursor.accept("SESSION");
    }
    let (name, name_span) = setting(cursor)?;
    if !cursor.accept_token(&Token::Eq) && cursor.accept("TO").is_none() {
        return Err(cursor.expected("= and a value"));
    }
    let start = cursor.span();
    let value = match value(cursor)? {
        PropertyValue::Word(word) if word == "DEFAULT" => None,
        value => Some(value),
    };
    let value_span = Some(cursor.since(start));
    Ok(Statement::Set(Set { name, name_span, value, value_span }))
}

/// From UNSET or RESET on.
pub(super) fn unset(cursor: &mut Cursor) -> Result<Statement> {
    cursor.advance();
    let (name, name_span) = setting(cursor)?;
    Ok(Statement::Set(Set { name, name_span, value: None, value_span: None }))
}

/// `'name'` or `name.with.dots`, in lower case.
fn setting(cursor: &mut Cursor) -> Result<(String, Span)> {
    if let Some(text) = cursor.accept_text() {
        return Ok((text.value.to_lowercase(), text.span));
    }
    let name = cursor.name("the name of a setting")?;
    let parts: Vec<String> = name.parts.iter().map(|part| part.value.to_lowercase()).collect();
    Ok((parts.join("."), name.span))
}

/// From DEFINE on.
pub(super) fn define(cursor: &mut Cursor) -> Result<Statement> {
    cursor.expect("DEFINE")?;
    let name = cursor.ident("the name of a variable")?;
    cursor.expect_token(&Token::Eq)?;
    let value = Some(cursor.text("the value in quotes")?);
    Ok(Statement::Define(Define { name, value }))
}

/// From UNDEFINE on.
pub(super) fn undefine(cursor: &mut Cursor) -> Result<Statement> {
    cursor.expect("UNDEFINE")?;
    let name = cursor.ident("the name of a variable")?;
    Ok(Statement::Define(Define { name, value: None }))
}
