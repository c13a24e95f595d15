//! INSERT INTO: rows, or a query.

use sqlparser::ast;
use sqlparser::tokenizer::Token;

use super::properties::with;
use super::query::{expr, is_query, query};
use crate::error::{Result, Span};
use crate::sql::cursor::Cursor;
use crate::sql::statement::{InsertQuery, InsertValues, Statement};

/// From INSERT on.
pub(super) fn insert(cursor: &mut Cursor) -> Result<Statement> {
    cursor.expect("INSERT")?;
    cursor.expect("INTO")?;
    let target = cursor.name("the relation to insert into")?;
    let properties = with(cursor)?;
    let columns = match *cursor.peek() == Token::LParen && !is_query(cursor, 0) {
        true => cursor.in_brackets(|cursor| cursor.ident("a column"))?,
        false => Vec::new(),
    };
    let properties = match properties.is_empty() {
        true => with(cursor)?,
        false => properties,
    };
    if properties.is_empty() && cursor.is_word(0, "VALUES") {
        cursor.advance();
        let rows = rows(cursor)?;
        return Ok(Statement::InsertValues(InsertValues { target, columns, rows }));
    }
    if !is_query(cursor, 0) {
        return Err(cursor.expected("VALUES or a query"));
    }
    let query = query(cursor)?;
    Ok(Statement::InsertQuery(InsertQuery { target, columns, properties, query }))
}

/// `(1, 'a'), (2, 'b')`, each with the place of its brackets.
pub(super) fn rows(cursor: &mut Cursor) -> Result<Vec<(Vec<ast::Expr>, Span)>> {
    cursor.comma_separated(|cursor| {
        let start = cursor.span();
        let row = cursor.in_brackets(expr)?;
        Ok((row, cursor.since(start)))
    })
}
