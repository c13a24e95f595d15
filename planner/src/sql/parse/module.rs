//! CREATE FUNCTION, AGGREGATE, TABLE FUNCTION and CONNECTOR: what comes from a module.

use sqlparser::tokenizer::Token;

use super::if_not_exists;
use super::properties::with;
use crate::error::Result;
use crate::sql::cursor::Cursor;
use crate::sql::name::Text;
use crate::sql::statement::{CreateConnector, CreateFunction, FunctionKind, Statement};

/// `FUNCTION`, `AGGREGATE` or `TABLE FUNCTION`, with `FUNCTION` optional behind AGGREGATE.
pub(super) fn function_kind(cursor: &mut Cursor) -> Result<FunctionKind> {
    if cursor.accept_all(&["TABLE", "FUNCTION"]).is_some() {
        Ok(FunctionKind::Table)
    } else if cursor.accept("AGGREGATE").is_some() {
        if matches!(cursor.peek_nth(1), Token::Word(_)) && !cursor.is_word(1, "FROM") {
            cursor.accept("FUNCTION");
        }
        Ok(FunctionKind::Aggregate)
    } else {
        cursor.expect("FUNCTION").map(|_| FunctionKind::Scalar)
    }
}

/// From the kind on.
pub(super) fn function(cursor: &mut Cursor, or_replace: bool) -> Result<Statement> {
    let kind = function_kind(cursor)?;
    let if_not_exists = if_not_exists(cursor);
    let name = cursor.name("the name of the function")?;
    cursor.expect("FROM")?;
    cursor.expect("MODULE")?;
    let module = cursor.text("the module's path or URL in quotes")?;
    let sha256 = sha256(cursor)?;
    Ok(Statement::CreateFunction(CreateFunction { kind, name, module, sha256, or_replace, if_not_exists }))
}

fn sha256(cursor: &mut Cursor) -> Result<Option<Text>> {
    match cursor.accept("SHA256") {
        Some(_) => cursor.text("the digest in quotes").map(Some),
        None => Ok(None),
    }
}

/// From SOURCE or SINK on.
pub(super) fn connector(cursor: &mut Cursor, or_replace: bool) -> Result<Statement> {
    let sink = cursor.is_word(0, "SINK");
    if !sink && !cursor.is_word(0, "SOURCE") {
        return Err(cursor.expected("SOURCE or SINK"));
    }
    cursor.advance();
    cursor.expect("CONNECTOR")?;
    let if_not_exists = if_not_exists(cursor);
    let name = cursor.name("the name of the connector")?;
    let (mut module, mut digest) = (None, None);
    if cursor.accept_all(&["FROM", "MODULE"]).is_some() {
        module = Some(cursor.text("the module's path or URL in quotes")?);
        digest = sha256(cursor)?;
    }
    let properties = with(cursor)?;
    let grants = match cursor.accept("GRANT") {
        Some(_) => cursor.comma_separated(|cursor| {
            let kind = cursor.ident("HTTP or TCP")?;
            Ok((kind, cursor.text("what is granted, in quotes")?))
        })?,
        None => Vec::new(),
    };
    Ok(Statement::CreateConnector(CreateConnector {
        sink,
        name,
        module,
        sha256: digest,
        properties,
        grants,
        or_replace,
        if_not_exists,
    }))
}
