//! EXPLAIN: of a statement, or of a running query.

use sqlparser::tokenizer::Token;

use super::statement;
use crate::error::{PlanError, Result, Span};
use crate::sql::cursor::Cursor;
use crate::sql::statement::{Explain, ExplainMode, ExplainTarget, Parsed, Statement};

/// The modes' words. A statement or a query id may follow each.
const MODES: [(&str, ExplainMode); 5] = [
    ("PARSED", ExplainMode::Parsed),
    ("LOGICAL", ExplainMode::Logical),
    ("OPTIMIZED", ExplainMode::Optimized),
    ("PLAN", ExplainMode::Plan),
    ("ANALYZE", ExplainMode::Analyze),
];

/// From EXPLAIN on.
pub(super) fn explain(cursor: &mut Cursor) -> Result<Statement> {
    cursor.expect("EXPLAIN")?;
    let mut json = options(cursor)?;
    // a mode's word at the end of the statement is a query id
    let mode = MODES.iter().find(|(word, _)| cursor.is_word(0, word) && *cursor.peek_nth(1) != Token::EOF);
    let mode_span = mode.map(|_| cursor.span());
    if mode.is_some() {
        cursor.advance();
        json |= options(cursor)?;
    }
    let mode = mode.map(|(_, mode)| *mode).unwrap_or_default();
    let target = target(cursor)?;
    if let ExplainTarget::Statement(parsed) = &target
        && let Statement::Unsupported { what, span } = &parsed.statement
    {
        return Ok(Statement::Unsupported { what: what.clone(), span: *span });
    }
    Ok(Statement::Explain(Explain { mode, mode_span, json, target }))
}

/// `(FORMAT JSON)` or `(FORMAT TEXT)`, unless the bracket begins a query.
fn options(cursor: &mut Cursor) -> Result<bool> {
    if *cursor.peek() != Token::LParen || !cursor.is_word(1, "FORMAT") {
        return Ok(false);
    }
    cursor.advance();
    cursor.advance();
    let json = cursor.accept("JSON").is_some();
    if !json && cursor.accept("TEXT").is_none() {
        return Err(cursor.expected("JSON or TEXT"));
    }
    cursor.expect_token(&Token::RParen)?;
    Ok(json)
}

fn target(cursor: &mut Cursor) -> Result<ExplainTarget> {
    if cursor.is_word(0, "EXPLAIN") {
        return Err(PlanError::not_supported("EXPLAIN of EXPLAIN").at(cursor.span()));
    }
    if matches!(cursor.peek(), Token::Word(_)) && *cursor.peek_nth(1) == Token::EOF {
        return cursor.ident("a query").map(ExplainTarget::Query);
    }
    if cursor.done() {
        return Err(cursor.expected("a statement or the id of a query"));
    }
    let span = Span::new(cursor.span().start, cursor.end());
    let positions = std::sync::Arc::clone(cursor.positions());
    let text = positions.text().get(span.start..span.end).unwrap_or_default().to_string();
    let statement = statement(cursor)?;
    Ok(ExplainTarget::Statement(Box::new(Parsed { statement, span, text, positions })))
}
