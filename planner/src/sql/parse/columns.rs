//! Declared columns: `(name type [KEY | PRIMARY KEY | HEADERS | HEADER('name')] [NOT NULL], …)`.

use sqlparser::ast;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::Token;

use crate::error::{ErrorKind, PlanError, Result, Span};
use crate::sql::cursor::Cursor;
use crate::sql::name::Ident;
use crate::sql::nearest::nearest;
use crate::sql::statement::{ColumnDef, ColumnRole};

/// The columns in brackets, with the constraint `PRIMARY KEY (…)` worked into them.
pub(super) fn columns(cursor: &mut Cursor) -> Result<Vec<ColumnDef>> {
    let mut columns: Vec<ColumnDef> = Vec::new();
    let mut primary_key = None;
    cursor.expect_token(&Token::LParen)?;
    if cursor.accept_token(&Token::RParen) {
        return Ok(columns);
    }
    cursor.comma_separated(|cursor| match constraint(cursor)? {
        Some(names) if primary_key.is_none() => {
            primary_key = Some(names);
            Ok(())
        }
        Some(_) => {
            Err(PlanError::new(ErrorKind::InvalidDefinition, "a table has one PRIMARY KEY").at(cursor.last_span()))
        }
        None => {
            let column = column(cursor)?;
            if columns.iter().any(|other| other.name.value == column.name.value) {
                let message = format!("column {} is declared twice", column.name.value);
                return Err(PlanError::new(ErrorKind::DuplicateColumn, message).at(column.name.span));
            }
            columns.push(column);
            Ok(())
        }
    })?;
    cursor.expect_token(&Token::RParen)?;
    if let Some((names, span)) = primary_key {
        apply(&mut columns, &names, span)?;
    }
    Ok(columns)
}

/// `[CONSTRAINT n] PRIMARY KEY (a, b) [NOT ENFORCED]`.
fn constraint(cursor: &mut Cursor) -> Result<Option<(Vec<Ident>, Span)>> {
    let start = cursor.span();
    let at = if cursor.is_word(0, "CONSTRAINT") { 2 } else { 0 };
    if !(cursor.is_word(at, "PRIMARY") && cursor.is_word(at + 1, "KEY") && *cursor.peek_nth(at + 2) == Token::LParen) {
        return Ok(None);
    }
    (0..at + 2).for_each(|_| cursor.advance());
    let span = cursor.since(start);
    let names = cursor.in_brackets(|cursor| cursor.ident("a column"))?;
    cursor.accept_all(&["NOT", "ENFORCED"]);
    Ok(Some((names, span)))
}

fn apply(columns: &mut [ColumnDef], names: &[Ident], span: Span) -> Result<()> {
    if let Some(column) = columns.iter().find(|column| column.role == ColumnRole::PrimaryKey) {
        let error = PlanError::new(ErrorKind::InvalidDefinition, "a table has one PRIMARY KEY");
        return Err(error.at(column.role_span.unwrap_or(span)));
    }
    for name in names {
        let Some(column) = columns.iter_mut().find(|column| column.name.value == name.value) else {
            let message = format!("no column is called {}", name.value);
            let error = PlanError::new(ErrorKind::UndefinedColumn, message).at(name.span);
            return Err(match nearest(&name.value, columns.iter().map(|column| column.name.value.as_str())) {
                Some(near) => error.hint(format!("did you mean {near}?")),
                None => error,
            });
        };
        (column.role, column.role_span) = (ColumnRole::PrimaryKey, Some(span));
    }
    Ok(())
}

/// One column.
pub(super) fn column(cursor: &mut Cursor) -> Result<ColumnDef> {
    let name = cursor.ident("a column")?;
    let (data_type, type_span) = data_type(cursor)?;
    let mut column = ColumnDef { name, data_type, type_span, role: ColumnRole::Value, role_span: None, not_null: None };
    loop {
        let start = cursor.span();
        let role = if cursor.accept_all(&["PRIMARY", "KEY"]).is_some() {
            ColumnRole::PrimaryKey
        } else if cursor.accept("KEY").is_some() {
            ColumnRole::Key
        } else if cursor.accept("HEADERS").is_some() {
            ColumnRole::Headers
        } else if cursor.accept("HEADER").is_some() {
            cursor.expect_token(&Token::LParen)?;
            let header = cursor.text("the name of a header in quotes")?;
            cursor.expect_token(&Token::RParen)?;
            ColumnRole::Header(header)
        } else if let Some(span) = cursor.accept_all(&["NOT", "NULL"]) {
            column.not_null = Some(span);
            continue;
        } else if cursor.accept("NULL").is_some() {
            continue;
        } else if let Some(what) = unsupported(cursor) {
            return Err(PlanError::not_supported(format!("{what} on a column")).at(cursor.span()));
        } else {
            return Ok(column);
        };
        let span = cursor.since(start);
        if column.role != ColumnRole::Value {
            let message = format!("column {} has two roles", column.name.value);
            return Err(PlanError::new(ErrorKind::InvalidDefinition, message).at(span));
        }
        (column.role, column.role_span) = (role, Some(span));
    }
}

fn unsupported(cursor: &Cursor) -> Option<&'static str> {
    ["DEFAULT", "UNIQUE", "REFERENCES", "CHECK", "GENERATED", "COLLATE", "CONSTRAINT", "AS"]
        .into_iter()
        .find(|word| cursor.is_word(0, word))
}

/// A type and where it stands.
pub(super) fn data_type(cursor: &mut Cursor) -> Result<(ast::DataType, Span)> {
    let start = cursor.span();
    if !matches!(cursor.peek(), Token::Word(_)) {
        return Err(cursor.expected("a type"));
    }
    // KSQL's oldest name for text
    if cursor.is_word(0, "VARCHAR") && *cursor.peek_nth(1) == Token::LParen && cursor.is_word(2, "STRING") {
        (0..3).for_each(|_| cursor.advance());
        cursor.expect_token(&Token::RParen)?;
        return Ok((ast::DataType::Varchar(None), cursor.since(start)));
    }
    let data_type = cursor.sql(Parser::parse_data_type)?;
    Ok((data_type, cursor.since(start)))
}
