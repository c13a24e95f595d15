//! The tokens of one statement, read from left to right.
//!
//! A [`Cursor`] is sqlparser's parser with words, names and errors of our own: statements are parsed here, queries,
//! expressions and types in sqlparser, on the same tokens. Errors carry the bytes of the script.

use std::sync::Arc;

use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use super::cut::Cut;
use super::dialect::Millrace;
use super::name::{Ident, Name, Text};
use super::nearest::nearest;
use super::position::Positions;
use crate::error::{ErrorKind, PlanError, Result, Span};

/// Levels of recursion that sqlparser may use, for what [`super::limits`] does not see coming.
const RECURSION_MAX: usize = 256;

/// Words between the parts of statements, for hints.
const CLAUSE_WORDS: [&str; 30] = [
    "SELECT",
    "FROM",
    "WHERE",
    "GROUP",
    "HAVING",
    "ORDER",
    "LIMIT",
    "OFFSET",
    "JOIN",
    "LEFT",
    "RIGHT",
    "FULL",
    "INNER",
    "OUTER",
    "CROSS",
    "WINDOW",
    "WITHIN",
    "PARTITION",
    "EMIT",
    "CHANGES",
    "FINAL",
    "UNION",
    "EXCEPT",
    "INTERSECT",
    "VALUES",
    "WITH",
    "USING",
    "BETWEEN",
    "GRACE",
    "DISTINCT",
];

/// See the module.
pub(super) struct Cursor<'a> {
    parser: Parser<'a>,
    positions: &'a Arc<Positions>,
    /// The streaming clauses of the query that is still to come.
    pub(super) cut: Cut,
    /// The empty span behind the statement.
    end: Span,
}

impl<'a> Cursor<'a> {
    /// At the first of `tokens`, which have no whitespace among them. `end` is the byte behind the last one.
    pub(super) fn new(
        dialect: &'a Millrace,
        tokens: Vec<TokenWithSpan>,
        positions: &'a Arc<Positions>,
        cut: Cut,
        end: usize,
    ) -> Self {
        let parser = Parser::new(dialect).with_recursion_limit(RECURSION_MAX).with_tokens_with_locations(tokens);
        Cursor { parser, positions, cut, end: Span::new(end, end) }
    }

    /// Lines and columns of the script.
    pub(super) fn positions(&self) -> &'a Arc<Positions> {
        self.positions
    }
    /// The next token.
    pub(super) fn peek(&self) -> &Token {
        &self.parser.peek_token_ref().token
    }
    /// The token behind the `n` next ones.
    pub(super) fn peek_nth(&self, n: usize) -> &Token {
        &self.parser.peek_nth_token_ref(n).token
    }
    /// Passes the next token.
    pub(super) fn advance(&mut self) {
        self.parser.advance_token();
    }
    /// Nothing is left.
    pub(super) fn done(&self) -> bool {
        *self.peek() == Token::EOF
    }
    /// Where the next token stands, or the end.
    pub(super) fn span(&self) -> Span {
        self.positions.span(self.parser.peek_token_ref().span).unwrap_or(self.end)
    }
    /// Where the last token that was passed stands.
    pub(super) fn last_span(&self) -> Span {
        self.positions.span(self.parser.get_current_token().span).unwrap_or(self.end)
    }
    /// From `start` to the last token that was passed.
    pub(super) fn since(&self, start: Span) -> Span {
        Span::new(start.start, self.last_span().end.max(start.start))
    }
    /// The byte behind the statement.
    pub(super) fn end(&self) -> usize {
        self.end.end
    }
    /// How many tokens were passed.
    pub(super) fn index(&self) -> usize {
        self.parser.index()
    }
    /// All tokens from the `from`-th on.
    pub(super) fn tokens(&self, from: usize) -> impl Iterator<Item = &TokenWithSpan> {
        (from..).map(|at| self.parser.token_at(at)).take_while(|token| token.token != Token::EOF)
    }

    /// The token behind the `n` next ones is this word, unquoted.
    pub(super) fn is_word(&self, n: usize, word: &str) -> bool {
        is_word(self.peek_nth(n), word)
    }
    /// Passes the word if it is next.
    pub(super) fn accept(&mut self, word: &str) -> Option<Span> {
        let span = self.span();
        self.is_word(0, word).then(|| {
            self.advance();
            span
        })
    }
    /// Passes the words if all of them are next.
    pub(super) fn accept_all(&mut self, words: &[&str]) -> Option<Span> {
        let start = self.span();
        if !words.iter().enumerate().all(|(n, word)| self.is_word(n, word)) {
            return None;
        }
        words.iter().for_each(|_| self.advance());
        Some(self.since(start))
    }
    /// Passes the word.
    pub(super) fn expect(&mut self, word: &str) -> Result<Span> {
        self.accept(word).ok_or_else(|| self.expected(word))
    }
    /// Passes the token if it is next.
    pub(super) fn accept_token(&mut self, token: &Token) -> bool {
        let found = self.peek() == token;
        if found {
            self.advance();
        }
        found
    }
    /// Passes the token.
    pub(super) fn expect_token(&mut self, token: &Token) -> Result<()> {
        match self.accept_token(token) {
            true => Ok(()),
            false => Err(self.expected(&in_our_words(&token.to_string()))),
        }
    }
    /// Nothing may be left.
    pub(super) fn expect_end(&self) -> Result<()> {
        match self.done() {
            true => Ok(()),
            false => Err(self.expected_clause("the end of the statement")),
        }
    }

    /// A name without dots.
    pub(super) fn ident(&mut self, what: &str) -> Result<Ident> {
        let Token::Word(word) = self.peek() else { return Err(self.expected(what)) };
        let (value, quoted) = (folded(word), word.quote_style.is_some());
        let span = self.span();
        self.advance();
        Ok(Ident { value, quoted, span })
    }
    /// A name with dots.
    pub(super) fn name(&mut self, what: &str) -> Result<Name> {
        let mut parts = vec![self.ident(what)?];
        while self.accept_token(&Token::Period) {
            parts.push(self.ident("a name behind the dot")?);
        }
        let span = self.since(parts[0].span);
        Ok(Name { parts, span })
    }
    /// A string literal.
    pub(super) fn text(&mut self, what: &str) -> Result<Text> {
        self.accept_text().ok_or_else(|| self.expected(what))
    }
    /// A string literal, if one is next.
    pub(super) fn accept_text(&mut self) -> Option<Text> {
        let value = string(self.peek())?.to_string();
        let span = self.span();
        self.advance();
        Some(Text { value, span })
    }
    /// A whole number, not negative.
    pub(super) fn number(&mut self, what: &str) -> Result<u64> {
        let value = match self.peek() {
            Token::Number(digits, _) => digits.parse().ok(),
            _ => None,
        };
        let value = value.ok_or_else(|| self.expected(what))?;
        self.advance();
        Ok(value)
    }
    /// `item, item, …`.
    pub(super) fn comma_separated<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let mut items = vec![item(self)?];
        while self.accept_token(&Token::Comma) {
            items.push(item(self)?);
        }
        Ok(items)
    }
    /// `(item, item, …)`.
    pub(super) fn in_brackets<T>(&mut self, item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        self.expect_token(&Token::LParen)?;
        let items = self.comma_separated(item)?;
        self.expect_token(&Token::RParen)?;
        Ok(items)
    }

    /// Lets sqlparser read on.
    pub(super) fn sql<T>(
        &mut self,
        parse: impl FnOnce(&mut Parser<'a>) -> std::result::Result<T, ParserError>,
    ) -> Result<T> {
        parse(&mut self.parser).map_err(|error| self.translated(error))
    }

    /// `expected what, found …` at the next token; a word in capitals in `what` may be its hint.
    pub(super) fn expected(&self, what: &str) -> PlanError {
        self.expected_at(what, self.parser.index(), &[])
    }

    /// The same where a clause may follow: the token, or the one before it, may be a misspelt clause.
    pub(super) fn expected_clause(&self, what: &str) -> PlanError {
        self.expected_at(what, self.parser.index(), &CLAUSE_WORDS)
    }

    fn expected_at(&self, what: &str, index: usize, clauses: &[&str]) -> PlanError {
        let token = self.parser.token_at(index);
        let span = self.positions.span(token.span).unwrap_or(self.end);
        let error = PlanError::new(ErrorKind::Syntax, format!("expected {what}, found {}", found(token))).at(span);
        let in_capitals = |word: &&str| word.len() > 2 && word.bytes().all(|byte| byte.is_ascii_uppercase());
        let mut words: Vec<&str> = what.split(|c: char| !c.is_ascii_alphabetic()).filter(in_capitals).collect();
        words.extend(clauses);
        let before = index.checked_sub(1).filter(|_| !clauses.is_empty());
        match [Some(index), before].into_iter().flatten().find_map(|at| self.misspelt(at, &words)) {
            Some(hint) => error.hint(hint),
            None => error,
        }
    }

    /// Whether the token looks like one of the words, and is none.
    fn misspelt(&self, index: usize, words: &[&str]) -> Option<String> {
        let Token::Word(Word { value, quote_style: None, .. }) = &self.parser.token_at(index).token else {
            return None;
        };
        if value.len() < 3 || words.iter().any(|word| word.eq_ignore_ascii_case(value)) {
            return None;
        }
        nearest(value, words.iter().copied()).map(|word| format!("{value} looks like {word}"))
    }

    /// sqlparser's error as one of ours: it says the place in words.
    fn translated(&self, error: ParserError) -> PlanError {
        let message = match error {
            ParserError::RecursionLimitExceeded => {
                return PlanError::new(ErrorKind::TooComplex, "the statement is too complex to be parsed")
                    .at(self.span());
            }
            ParserError::ParserError(message) | ParserError::TokenizerError(message) => message,
        };
        let (message, index) = match message.rsplit_once(" at Line: ") {
            Some((message, place)) => (message, self.index_at(place)),
            None => (message.as_str(), None),
        };
        let end = self.tokens(0).count();
        let (expected, found) = match message.rsplit_once(", found: ") {
            Some((expected, found)) => (expected, Some(found)),
            None => (message, None),
        };
        // sqlparser may say the place behind the token that it names
        let next = index.unwrap_or(self.parser.index()).min(end);
        let is_found = |at: &usize| found.is_some_and(|found| self.parser.token_at(*at).to_string() == found);
        let index = match next.checked_sub(1).filter(|before| !is_found(&next) && is_found(before)) {
            _ if found == Some("EOF") => end,
            Some(before) => before,
            None => next,
        };
        if let Some(expected) = expected.strip_prefix("Expected").filter(|_| found.is_some()) {
            let expected = in_our_words(expected.trim_start_matches([':', ' ']));
            return self.expected_at(&expected, index, &CLAUSE_WORDS);
        }
        let span = self.positions.span(self.parser.token_at(index).span).unwrap_or(self.end);
        let mut chars = message.chars();
        let lower = chars.next().map(|first| first.to_lowercase().chain(chars).collect::<String>());
        PlanError::new(ErrorKind::Syntax, lower.unwrap_or_default()).at(span)
    }

    /// The token at `3, Column: 7`.
    fn index_at(&self, place: &str) -> Option<usize> {
        let (line, column) = place.split_once(", Column: ")?;
        let (line, column): (u64, u64) = (line.parse().ok()?, column.parse().ok()?);
        self.tokens(0).position(|token| (token.span.start.line, token.span.start.column) == (line, column))
    }
}

/// The token is this word, unquoted.
pub(super) fn is_word(token: &Token, word: &str) -> bool {
    matches!(token, Token::Word(found) if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word))
}

/// The value of a string literal.
pub(super) fn string(token: &Token) -> Option<&str> {
    match token {
        Token::SingleQuotedString(value)
        | Token::EscapedStringLiteral(value)
        | Token::NationalStringLiteral(value)
        | Token::UnicodeStringLiteral(value) => Some(value),
        Token::DollarQuotedString(value) => Some(&value.value),
        _ => None,
    }
}

fn folded(word: &Word) -> String {
    match word.quote_style {
        None => word.value.to_uppercase(),
        Some(_) => word.value.clone(),
    }
}

fn found(token: &TokenWithSpan) -> String {
    match &token.token {
        Token::EOF => "the end of the statement".into(),
        // a word that an identifier's quotes or a variable made is shown without them
        Token::Word(word) => word.value.clone(),
        Token::SingleQuotedString(text) if text.chars().count() > 32 => "a text".into(),
        token => token.to_string(),
    }
}

/// What is expected, as we say it.
fn in_our_words(expected: &str) -> String {
    match expected {
        "end of statement" => "the end of the statement".into(),
        "identifier" | "an identifier after AS" => "a name".into(),
        "literal int" => "a number".into(),
        "," => "a comma".into(),
        "SELECT, VALUES, or a subquery in the query body" => "SELECT, VALUES or a query in brackets".into(),
        other => other.into(),
    }
}
