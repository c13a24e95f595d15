//! CREATE: sources, persistent queries, views and types.

use sqlparser::tokenizer::Token;

use super::columns::{columns, data_type};
use super::properties::with;
use super::query::{is_query, query};
use super::{if_not_exists, module, unsupported};
use crate::error::{PlanError, Result, Span};
use crate::sql::cursor::Cursor;
use crate::sql::name::{Ident, Name};
use crate::sql::statement::{CreateQuery, CreateSource, CreateType, CreateView, DerivedKind, Statement, StreamOrTable};

/// What CREATE creates in other databases.
const UNSUPPORTED: [&str; 24] = [
    "CAST",
    "CATALOG",
    "CLUSTER",
    "CONNECTION",
    "DATABASE",
    "DOMAIN",
    "EXTENSION",
    "EXTERNAL",
    "GLOBAL",
    "INDEX",
    "LOCAL",
    "MACRO",
    "OPERATOR",
    "POLICY",
    "PROCEDURE",
    "PUBLICATION",
    "ROLE",
    "SCHEMA",
    "SECRET",
    "SEQUENCE",
    "TEMPORARY",
    "TRIGGER",
    "UNIQUE",
    "USER",
];

/// From CREATE on.
pub(super) fn create(cursor: &mut Cursor) -> Result<Statement> {
    let at = match cursor.is_word(1, "OR") && cursor.is_word(2, "REPLACE") {
        true => 3,
        false => 1,
    };
    if UNSUPPORTED.iter().chain(["TEMP", "ROW", "SUBSCRIPTION"].iter()).any(|word| cursor.is_word(at, word)) {
        return Ok(unsupported(cursor, at + 1));
    }
    (0..at).for_each(|_| cursor.advance());
    let or_replace = at == 3;
    let read_only = match cursor.is_word(1, "CONNECTOR") {
        true => None,
        false => cursor.accept("SOURCE"),
    };
    if cursor.is_word(0, "TABLE") && cursor.is_word(1, "FUNCTION") && matches!(cursor.peek_nth(2), Token::Word(_)) {
        return module::function(cursor, or_replace);
    }
    if cursor.accept("STREAM").is_some() {
        return relation(cursor, StreamOrTable::Stream, or_replace, read_only);
    }
    if cursor.accept("TABLE").is_some() {
        return relation(cursor, StreamOrTable::Table, or_replace, read_only);
    }
    if read_only.is_some() {
        return Err(cursor.expected("STREAM, TABLE or CONNECTOR"));
    }
    if cursor.accept_all(&["MATERIALIZED", "VIEW"]).is_some() {
        return materialized_view(cursor, or_replace);
    }
    if cursor.accept("VIEW").is_some() {
        return view(cursor, or_replace);
    }
    if cursor.accept("TYPE").is_some() {
        return create_type(cursor, or_replace);
    }
    if cursor.is_word(0, "FUNCTION") || cursor.is_word(0, "AGGREGATE") {
        return module::function(cursor, or_replace);
    }
    if cursor.is_word(1, "CONNECTOR") {
        return module::connector(cursor, or_replace);
    }
    Err(cursor.expected("STREAM, TABLE, VIEW, MATERIALIZED VIEW, TYPE, FUNCTION, AGGREGATE or CONNECTOR"))
}

/// STREAM or TABLE, with columns or with AS.
fn relation(cursor: &mut Cursor, kind: StreamOrTable, or_replace: bool, read_only: Option<Span>) -> Result<Statement> {
    let if_not_exists = if_not_exists(cursor);
    let name = cursor.name("the name of the relation")?;
    let names = column_names(cursor)?;
    let columns = match names.is_empty() && *cursor.peek() == Token::LParen {
        true => columns(cursor)?,
        false => Vec::new(),
    };
    let properties = with(cursor)?;
    let as_span = cursor.accept("AS");
    if as_span.is_none() && names.is_empty() {
        let source = CreateSource { kind, name, columns, properties, or_replace, if_not_exists, read_only };
        cursor.expect_end()?;
        return Ok(Statement::CreateSource(source));
    }
    let Some(as_span) = as_span else { return Err(cursor.expected("AS and a query")) };
    if let Some(span) = read_only {
        let what = "SOURCE on a relation that a query writes";
        return Err(PlanError::not_supported(what).at(span));
    }
    if let Some(column) = columns.first() {
        let span = Span::new(column.name.span.start, column.type_span.end);
        let error = PlanError::not_supported("types of columns that a query gives").at(span);
        return Err(error.hint("give names only, or CAST in the query"));
    }
    let query = created_query(cursor, as_span)?;
    let kind = match kind {
        StreamOrTable::Stream => DerivedKind::Stream,
        StreamOrTable::Table => DerivedKind::Table,
    };
    Ok(Statement::CreateQuery(CreateQuery { kind, name, columns: names, properties, query, or_replace, if_not_exists }))
}

fn created_query(cursor: &mut Cursor, as_span: Span) -> Result<super::super::query::StreamingQuery> {
    match is_query(cursor, 0) {
        true => query(cursor),
        false if cursor.done() => Err(cursor.expected("a query").at(as_span)),
        false => Err(cursor.expected("SELECT, WITH or VALUES")),
    }
}

/// `(a, b)`: names without types.
fn column_names(cursor: &mut Cursor) -> Result<Vec<Ident>> {
    let only_names = *cursor.peek() == Token::LParen
        && matches!(cursor.peek_nth(1), Token::Word(_))
        && matches!(cursor.peek_nth(2), Token::Comma | Token::RParen);
    match only_names {
        true => cursor.in_brackets(|cursor| cursor.ident("a column")),
        false => Ok(Vec::new()),
    }
}

/// Name, columns and properties of a view, up to AS.
fn view_head(cursor: &mut Cursor) -> Result<(bool, Name, Vec<Ident>)> {
    let if_not_exists = if_not_exists(cursor);
    let name = cursor.name("the name of the view")?;
    let columns = match *cursor.peek() {
        Token::LParen => cursor.in_brackets(|cursor| cursor.ident("a column"))?,
        _ => Vec::new(),
    };
    Ok((if_not_exists, name, columns))
}

fn materialized_view(cursor: &mut Cursor, or_replace: bool) -> Result<Statement> {
    let (if_not_exists, name, columns) = view_head(cursor)?;
    let properties = with(cursor)?;
    let as_span = cursor.expect("AS")?;
    let query = created_query(cursor, as_span)?;
    let kind = DerivedKind::MaterializedView;
    Ok(Statement::CreateQuery(CreateQuery { kind, name, columns, properties, query, or_replace, if_not_exists }))
}

fn view(cursor: &mut Cursor, or_replace: bool) -> Result<Statement> {
    let (if_not_exists, name, columns) = view_head(cursor)?;
    let properties = with(cursor)?;
    let as_span = cursor.expect("AS")?;
    let query = created_query(cursor, as_span)?;
    if let Some(emit) = query.emit {
        let error = PlanError::not_supported("EMIT in a view, which has no changes of its own").at(emit.span);
        return Err(error.hint("leave EMIT out, or CREATE MATERIALIZED VIEW"));
    }
    Ok(Statement::CreateView(CreateView { name, columns, properties, query, or_replace, if_not_exists }))
}

fn create_type(cursor: &mut Cursor, or_replace: bool) -> Result<Statement> {
    let if_not_exists = if_not_exists(cursor);
    let name = cursor.name("the name of the type")?;
    cursor.expect("AS")?;
    let (data_type, type_span) = data_type(cursor)?;
    Ok(Statement::CreateType(CreateType { name, data_type, type_span, or_replace, if_not_exists }))
}
