//! PRINT topic, and RUN SCRIPT.

use sqlparser::tokenizer::Token;

use crate::error::Result;
use crate::sql::cursor::Cursor;
use crate::sql::name::Text;
use crate::sql::statement::{Print, Statement};

/// From PRINT on.
pub(super) fn print(cursor: &mut Cursor) -> Result<Statement> {
    cursor.expect("PRINT")?;
    let topic = topic(cursor)?;
    let from_beginning = match cursor.accept("FROM") {
        Some(_) => cursor.expect("BEGINNING").map(|_| true)?,
        None => false,
    };
    let interval = match cursor.accept("INTERVAL").or_else(|| cursor.accept("SAMPLE")) {
        Some(_) => Some(cursor.number("a number of records")?),
        None => None,
    };
    let limit = match cursor.accept("LIMIT") {
        Some(_) => Some(cursor.number("a number of records")?),
        None => None,
    };
    Ok(Statement::Print(Print { topic, from_beginning, interval, limit }))
}

/// A topic's name, in quotes or not; its case is kept.
pub(super) fn topic(cursor: &mut Cursor) -> Result<Text> {
    if let Some(text) = cursor.accept_text() {
        return Ok(text);
    }
    let Token::Word(word) = cursor.peek() else { return Err(cursor.expected("a topic")) };
    let (value, span) = (word.value.clone(), cursor.span());
    cursor.advance();
    Ok(Text { value, span })
}

/// From RUN on.
pub(super) fn run_script(cursor: &mut Cursor) -> Result<Statement> {
    cursor.expect("RUN")?;
    cursor.expect("SCRIPT")?;
    let path = cursor.text("the file in quotes")?;
    Ok(Statement::RunScript { path })
}
