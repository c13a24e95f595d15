//! UPDATE and DELETE.

use sqlparser::ast;
use sqlparser::tokenizer::Token;

use super::query::expr;
use crate::error::{PlanError, Result};
use crate::sql::cursor::Cursor;
use crate::sql::name::Ident;
use crate::sql::statement::{Delete, Statement, Update};

/// From UPDATE on.
pub(super) fn update(cursor: &mut Cursor) -> Result<Statement> {
    cursor.expect("UPDATE")?;
    let target = cursor.name("the relation to update")?;
    let alias = alias(cursor, "SET")?;
    cursor.expect("SET")?;
    let assignments = cursor.comma_separated(|cursor| {
        let column = cursor.ident("a column")?;
        cursor.expect_token(&Token::Eq)?;
        Ok((column, expr(cursor)?))
    })?;
    if cursor.is_word(0, "FROM") {
        return Err(PlanError::not_supported("UPDATE … FROM").at(cursor.span()));
    }
    let selection = selection(cursor)?;
    Ok(Statement::Update(Update { target, alias, assignments, selection }))
}

/// From DELETE on.
pub(super) fn delete(cursor: &mut Cursor) -> Result<Statement> {
    cursor.expect("DELETE")?;
    cursor.expect("FROM")?;
    let target = cursor.name("the relation to delete from")?;
    let alias = alias(cursor, "WHERE")?;
    if cursor.is_word(0, "USING") {
        return Err(PlanError::not_supported("DELETE … USING").at(cursor.span()));
    }
    let selection = selection(cursor)?;
    Ok(Statement::Delete(Delete { target, alias, selection }))
}

/// `[AS] alias`, before the word `next`.
fn alias(cursor: &mut Cursor, next: &str) -> Result<Option<Ident>> {
    let named = cursor.accept("AS").is_some();
    match cursor.peek() {
        Token::Word(_) if named => cursor.ident("an alias").map(Some),
        Token::Word(_) if !cursor.is_word(0, next) && !cursor.is_word(0, "USING") => cursor.ident("an alias").map(Some),
        _ => Ok(None),
    }
}

fn selection(cursor: &mut Cursor) -> Result<Option<ast::Expr>> {
    match cursor.accept("WHERE") {
        Some(_) => expr(cursor).map(Some),
        None => Ok(None),
    }
}
