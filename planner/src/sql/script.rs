//! A script: its tokens, its statements.
//!
//! Statements end with `;`, the last one may go without. Each is parsed by itself, so those before a mistake stand, and
//! a mistake is reported in the bytes of the script.

use std::sync::Arc;

use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer, TokenizerError};

use super::cursor::Cursor;
use super::cut::cut;
use super::dialect::Millrace;
use super::limits::{self, SCRIPT_BYTES_MAX};
use super::parse::statement;
use super::position::Positions;
use super::statement::Parsed;
use crate::error::{ErrorKind, PlanError, Result, Span};

/// The statements before the first mistake, and the mistake.
pub fn parse_partial(text: &str) -> (Vec<Parsed>, Option<PlanError>) {
    if text.len() > SCRIPT_BYTES_MAX {
        let message = format!("a script may have {SCRIPT_BYTES_MAX} bytes, this one has {}", text.len());
        return (Vec::new(), Some(PlanError::new(ErrorKind::TooComplex, message)));
    }
    let positions = Arc::new(Positions::new(text));
    let dialect = Millrace::new(0);
    let mut tokens = Vec::new();
    let lexed = Tokenizer::new(&dialect, text).tokenize_with_location_into_buf(&mut tokens);
    let mut statements = Vec::new();
    let mut rest = tokens.into_iter();
    loop {
        let mut ended = false;
        let tokens: Vec<TokenWithSpan> = rest
            .by_ref()
            .take_while(|token| {
                ended = token.token == Token::SemiColon;
                !ended
            })
            .filter(|token| !matches!(token.token, Token::Whitespace(_)))
            .collect();
        if !ended && let Err(error) = lexed {
            return (statements, Some(lexical(&error, &positions)));
        }
        match (tokens.is_empty(), ended) {
            (true, true) => continue,
            (true, false) => return (statements, None),
            (false, _) => {}
        }
        match parse_tokens(tokens, &positions) {
            Ok(parsed) => statements.push(parsed),
            Err(error) => return (statements, Some(error)),
        }
        if !ended {
            return (statements, None);
        }
    }
}

/// All statements of a script.
pub fn parse_script(text: &str) -> Result<Vec<Parsed>> {
    match parse_partial(text) {
        (statements, None) => Ok(statements),
        (_, Some(error)) => Err(error),
    }
}

/// The one statement of a text.
pub fn parse_statement(text: &str) -> Result<Parsed> {
    let mut statements = parse_script(text)?.into_iter();
    match (statements.next(), statements.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(PlanError::new(ErrorKind::Syntax, "expected a statement, found nothing")),
        (_, Some(second)) => {
            Err(PlanError::new(ErrorKind::Syntax, "expected one statement, found another one").at(second.span))
        }
    }
}

/// One statement of its tokens, of which there is at least one and none is whitespace.
fn parse_tokens(tokens: Vec<TokenWithSpan>, positions: &Arc<Positions>) -> Result<Parsed> {
    let place = |token: Option<&TokenWithSpan>| token.and_then(|token| positions.span(token.span)).unwrap_or_default();
    let span = Span::new(place(tokens.first()).start, place(tokens.last()).end);
    no_variables(&tokens, positions)?;
    let tokens = join_words(tokens);
    limits::check(&tokens, positions)?;
    let dialect = Millrace::new(tokens.len());
    let (tokens, cut) = cut(tokens, positions)?;
    let statement = statement(&mut Cursor::new(&dialect, tokens, positions, cut, span.end))?;
    let text = positions.text().get(span.start..span.end).unwrap_or_default().to_string();
    Ok(Parsed { statement, span, text, positions: Arc::clone(positions) })
}

/// KSQL puts the value of a variable where `${name}` stands.
fn no_variables(tokens: &[TokenWithSpan], positions: &Positions) -> Result<()> {
    let is_dollar = |token: &Token| matches!(token, Token::Placeholder(name) if name == "$");
    let variable = tokens.windows(2).find(|pair| is_dollar(&pair[0].token) && pair[1].token == Token::LBrace);
    match variable {
        Some(pair) => {
            let error = PlanError::not_supported("variables in statements");
            Err(error.at(positions.span(pair[0].span.union(&pair[1].span)).unwrap_or_default()))
        }
        None => Ok(()),
    }
}

/// A name may begin with digits, as in KSQL: `1R` comes from sqlparser as a number and a word without space between.
fn join_words(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut joined: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    for token in tokens {
        let named = matches!(&token.token, Token::Word(word) if word.quote_style.is_none() && word.keyword == Keyword::NoKeyword);
        match joined.last_mut() {
            Some(before) if named && before.span.end == token.span.start && is_digits(&before.token) => {
                before.token = Token::make_word(&format!("{}{}", before.token, token.token), None);
                before.span.end = token.span.end;
            }
            _ => joined.push(token),
        }
    }
    joined
}

fn is_digits(token: &Token) -> bool {
    matches!(token, Token::Number(digits, _) if digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// A text that is not made of tokens: mostly a quote or a comment that never ends.
fn lexical(error: &TokenizerError, positions: &Positions) -> PlanError {
    let text = positions.text();
    let mut start = positions.offset(error.location).unwrap_or_default();
    let message = match error.message.as_str() {
        message if message.contains("multi-line comment") => {
            start = text.rfind("/*").unwrap_or(start);
            "this comment is never closed".to_string()
        }
        message if message.starts_with("Unterminated") => "this text is never closed".to_string(),
        message if message.starts_with("Expected close delimiter") => "this name in quotes is never closed".to_string(),
        message => {
            let mut chars = message.chars();
            chars.next().map(|first| first.to_lowercase().chain(chars).collect()).unwrap_or_default()
        }
    };
    let first = text.get(start..).and_then(|rest| rest.chars().next());
    let end = first.map_or(start, |first| start + first.len_utf8());
    PlanError::new(ErrorKind::Syntax, message).at(Span::new(start, end))
}
