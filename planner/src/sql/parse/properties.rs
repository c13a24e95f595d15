//! `WITH (NAME = value, …)` and the values that settings take.

use sqlparser::tokenizer::Token;

use crate::error::{ErrorKind, PlanError, Result};
use crate::sql::cursor::{Cursor, string};
use crate::sql::name::Ident;
use crate::sql::statement::{Property, PropertyValue};

/// `WITH (…)`, if it is next.
pub(super) fn with(cursor: &mut Cursor) -> Result<Vec<Property>> {
    if !cursor.is_word(0, "WITH") || *cursor.peek_nth(1) != Token::LParen {
        return Ok(Vec::new());
    }
    cursor.advance();
    if *cursor.peek_nth(1) == Token::RParen {
        cursor.advance();
        cursor.advance();
        return Ok(Vec::new());
    }
    let mut properties: Vec<Property> = Vec::new();
    cursor.in_brackets(|cursor| {
        let property = property(cursor)?;
        if properties.iter().any(|other| other.name.value == property.name.value) {
            let message = format!("property {} is given twice", property.name.value);
            return Err(PlanError::new(ErrorKind::InvalidParameter, message).at(property.name.span));
        }
        properties.push(property);
        Ok(())
    })?;
    Ok(properties)
}

fn property(cursor: &mut Cursor) -> Result<Property> {
    let name = property_name(cursor)?;
    cursor.expect_token(&Token::Eq)?;
    let start = cursor.span();
    let value = value(cursor)?;
    Ok(Property { name, value, value_span: cursor.since(start) })
}

/// `NAME`, `name.with.dots`, `'name'`.
fn property_name(cursor: &mut Cursor) -> Result<Ident> {
    if let Some(text) = cursor.accept_text() {
        return Ok(Ident { value: text.value, quoted: true, span: text.span });
    }
    let name = cursor.name("a property")?;
    let quoted = name.parts.iter().any(|part| part.quoted);
    let value = name.parts.into_iter().map(|part| part.value).collect::<Vec<_>>().join(".");
    Ok(Ident { value, quoted, span: name.span })
}

/// A literal, a word or two, or a list of values.
pub(super) fn value(cursor: &mut Cursor) -> Result<PropertyValue> {
    if let Some(text) = string(cursor.peek()) {
        let text = text.to_string();
        cursor.advance();
        return Ok(PropertyValue::Text(text));
    }
    match cursor.peek().clone() {
        Token::Number(digits, _) => {
            cursor.advance();
            Ok(PropertyValue::Number(digits))
        }
        Token::Minus | Token::Plus => number(cursor),
        Token::LParen => list(cursor, &Token::RParen),
        Token::LBracket => list(cursor, &Token::RBracket),
        Token::Word(_) => word(cursor),
        _ => Err(cursor.expected("a value")),
    }
}

fn number(cursor: &mut Cursor) -> Result<PropertyValue> {
    let sign = if *cursor.peek() == Token::Minus { "-" } else { "" };
    cursor.advance();
    let Token::Number(digits, _) = cursor.peek() else { return Err(cursor.expected("a number")) };
    let number = format!("{sign}{digits}");
    cursor.advance();
    Ok(PropertyValue::Number(number))
}

fn list(cursor: &mut Cursor, close: &Token) -> Result<PropertyValue> {
    cursor.advance();
    if cursor.accept_token(close) {
        return Ok(PropertyValue::List(Vec::new()));
    }
    let items = cursor.comma_separated(value)?;
    cursor.expect_token(close)?;
    Ok(PropertyValue::List(items))
}

/// Words up to the next token that is none. A word in quotes is a text.
fn word(cursor: &mut Cursor) -> Result<PropertyValue> {
    let first = cursor.ident("a value")?;
    if first.quoted {
        return Ok(PropertyValue::Text(first.value));
    }
    let mut words = vec![first.value];
    while matches!(cursor.peek(), Token::Word(word) if word.quote_style.is_none()) {
        words.push(cursor.ident("a value")?.value);
    }
    Ok(match words.join(" ").as_str() {
        "TRUE" => PropertyValue::Bool(true),
        "FALSE" => PropertyValue::Bool(false),
        "NULL" => PropertyValue::Null,
        words => PropertyValue::Word(words.to_string()),
    })
}
