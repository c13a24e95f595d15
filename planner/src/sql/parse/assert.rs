//! ASSERT: of rows, relations, topics and schemas.

use super::columns::columns;
use super::insert::rows;
use super::print::topic;
use super::properties::with;
use crate::error::{ErrorKind, PlanError, Result};
use crate::sql::cursor::Cursor;
use crate::sql::cut::unit_ms;
use crate::sql::name::Text;
use crate::sql::query::Duration;
use crate::sql::statement::{Assert, Statement, StreamOrTable};
use sqlparser::tokenizer::Token;

/// From ASSERT on.
pub(super) fn assert(cursor: &mut Cursor) -> Result<Statement> {
    cursor.expect("ASSERT")?;
    let exists = cursor.accept_all(&["NOT", "EXISTS"]).is_none();
    let assert = if cursor.accept("TOPIC").is_some() {
        let topic = topic(cursor)?;
        let properties = with(cursor)?;
        Assert::Topic { topic, exists, properties, timeout: timeout(cursor)? }
    } else if cursor.accept("SCHEMA").is_some() {
        schema(cursor, exists)?
    } else if !exists {
        return Err(cursor.expected("TOPIC or SCHEMA"));
    } else if cursor.accept("STREAM").is_some() {
        relation(cursor, StreamOrTable::Stream)?
    } else if cursor.accept("TABLE").is_some() {
        relation(cursor, StreamOrTable::Table)?
    } else {
        values(cursor)?
    };
    Ok(Statement::Assert(assert))
}

fn relation(cursor: &mut Cursor, kind: StreamOrTable) -> Result<Assert> {
    let name = cursor.name("a relation")?;
    let columns = match *cursor.peek() {
        Token::LParen => columns(cursor)?,
        _ => Vec::new(),
    };
    Ok(Assert::Relation { kind, name, columns, properties: with(cursor)? })
}

fn values(cursor: &mut Cursor) -> Result<Assert> {
    let tombstone = cursor.accept_all(&["NULL", "VALUES"]).is_some();
    if !tombstone && cursor.accept("VALUES").is_none() {
        return Err(cursor.expected("VALUES, NULL VALUES, STREAM, TABLE, TOPIC or SCHEMA"));
    }
    let relation = cursor.name("a relation")?;
    let columns = match *cursor.peek() {
        Token::LParen => cursor.in_brackets(|cursor| cursor.ident("a column"))?,
        _ => Vec::new(),
    };
    cursor.expect(if tombstone { "KEY" } else { "VALUES" })?;
    Ok(Assert::Values { relation, columns, rows: rows(cursor)?, tombstone })
}

fn schema(cursor: &mut Cursor, exists: bool) -> Result<Assert> {
    let subject: Option<Text> = match cursor.accept("SUBJECT") {
        Some(_) => Some(topic(cursor)?),
        None => None,
    };
    let id = match cursor.accept("ID") {
        Some(_) => Some(cursor.number("the id of a schema")?),
        None => None,
    };
    if subject.is_none() && id.is_none() {
        return Err(cursor.expected("SUBJECT or ID"));
    }
    Ok(Assert::Schema { subject, id, exists, timeout: timeout(cursor)? })
}

/// `TIMEOUT 5 SECONDS`.
fn timeout(cursor: &mut Cursor) -> Result<Option<Duration>> {
    if cursor.accept("TIMEOUT").is_none() {
        return Ok(None);
    }
    let start = cursor.span();
    let number = cursor.number("a number and a unit")?;
    let unit = match cursor.peek() {
        Token::Word(word) => unit_ms(&word.value),
        _ => None,
    };
    let Some(unit) = unit else { return Err(cursor.expected("MILLISECONDS, SECONDS, MINUTES, HOURS or DAYS")) };
    cursor.advance();
    let span = cursor.since(start);
    let ms = i64::try_from(number).ok().and_then(|number| number.checked_mul(unit));
    let ms = ms.ok_or_else(|| PlanError::new(ErrorKind::InvalidParameter, "the timeout is too long").at(span))?;
    Ok(Some(Duration { ms, span }))
}
