//! Takes the streaming clauses out of a statement's tokens, so that sqlparser can read the rest.
//!
//! In: the tokens of one statement. Out: the tokens without `WINDOW TUMBLING | HOPPING | SESSION (…)`, `WITHIN …`,
//! `EMIT …` and the query's own `PARTITION BY …`, and those clauses, read. Nothing else moves: every token keeps its
//! place. A clause is known by two words, or a word and a number, so that each of its words stays free as a name.
//!
//! [`super::query`] says how a clause finds its SELECT or JOIN again.

use std::sync::Arc;

use sqlparser::ast;
use sqlparser::keywords::Keyword;
use sqlparser::tokenizer::{Location, Token, TokenWithSpan};

use super::cursor::{Cursor, is_word};
use super::dialect::Millrace;
use super::nearest::nearest;
use super::position::Positions;
use super::query::{Duration, Emit, EmitMode, WindowClause, WindowKind, WithinClause};
use crate::error::{ErrorKind, PlanError, Result, Span};

/// The clauses of one query.
#[derive(Debug, Default)]
pub(super) struct Cut {
    /// By the place of their SELECT.
    pub(super) windows: Vec<(Location, WindowClause)>,
    /// By the place of the first word of the joined relation.
    pub(super) withins: Vec<(Location, WithinClause)>,
    pub(super) emit: Option<Emit>,
    pub(super) partition_by: Option<(Vec<ast::Expr>, Span)>,
}

impl Cut {
    /// A clause that is still here, with its name.
    pub(super) fn rest(&self) -> Option<(&'static str, Span)> {
        let window = self.windows.first().map(|(_, clause)| ("WINDOW", clause.span));
        let within = self.withins.first().map(|(_, clause)| ("WITHIN", clause.span));
        let partition_by = self.partition_by.as_ref().map(|(_, span)| ("PARTITION BY", *span));
        let emit = self.emit.map(|emit| ("EMIT", emit.span));
        [window, within, partition_by, emit].into_iter().flatten().min_by_key(|(_, span)| span.start)
    }
}

/// Tokens without the clauses, and the clauses.
pub(super) fn cut(tokens: Vec<TokenWithSpan>, positions: &Arc<Positions>) -> Result<(Vec<TokenWithSpan>, Cut)> {
    if !tokens.iter().any(|token| is_word(&token.token, "SELECT")) {
        return Ok((tokens, Cut::default()));
    }
    let reader = Reader { tokens: &tokens, at: 0, positions };
    let mut scissors = Scissors { reader, levels: vec![Level::default()], kept: Vec::new(), cut: Cut::default() };
    while scissors.reader.at < tokens.len() {
        if !scissors.clause()? {
            scissors.keep();
        }
    }
    Ok((scissors.kept, scissors.cut))
}

/// What is known of the SELECT inside one pair of brackets.
#[derive(Default)]
struct Level {
    select: Option<Location>,
    from: bool,
    /// The first word of the relation that was joined last.
    join: Option<Location>,
}

struct Scissors<'a> {
    reader: Reader<'a>,
    /// Never empty: [`super::limits`] has matched the brackets.
    levels: Vec<Level>,
    kept: Vec<TokenWithSpan>,
    cut: Cut,
}

impl Scissors<'_> {
    /// Passes a token that stays.
    fn keep(&mut self) {
        let Some(token) = self.reader.tokens.get(self.reader.at) else { return };
        self.reader.at += 1;
        match &token.token {
            Token::LParen => self.levels.push(Level::default()),
            Token::RParen if self.levels.len() > 1 => {
                self.levels.pop();
            }
            Token::Word(word) if word.quote_style.is_none() => {
                let joined = self.reader.tokens[self.reader.at..]
                    .iter()
                    .find(|token| token.token != Token::LParen && !is_word(&token.token, "LATERAL"));
                if let Some(level) = self.levels.last_mut() {
                    match word.keyword {
                        Keyword::SELECT => *level = Level { select: Some(token.span.start), ..Level::default() },
                        Keyword::FROM => level.from = true,
                        Keyword::JOIN => level.join = joined.map(|token| token.span.start),
                        _ => {}
                    }
                }
            }
            _ => {}
        }
        self.kept.push(token.clone());
    }

    /// Takes the clause that begins at the next token, if one does.
    fn clause(&mut self) -> Result<bool> {
        let (this, next) = (self.reader.peek(0), self.reader.peek(1));
        let Token::Word(word) = this else { return Ok(false) };
        if word.quote_style.is_some() {
            return Ok(false);
        }
        match word.value.to_ascii_uppercase().as_str() {
            "WINDOW" if self.begins_window() => self.window()?,
            "WITHIN" if begins_within(next, self.reader.peek(2)) => self.within()?,
            "EMIT" if self.begins_emit(next) => self.emit()?,
            "PARTITION" if is_word(next, "BY") && self.levels.len() == 1 && self.in_select() => self.partition_by()?,
            _ => return Ok(false),
        }
        Ok(true)
    }

    fn in_select(&self) -> bool {
        self.levels.last().is_some_and(|level| level.select.is_some())
    }

    /// `WINDOW [name] word (`, where no word of SQL's stands so: `WINDOW w AS (` does not.
    fn begins_window(&self) -> bool {
        let kind_at = self.reader.window_kind_at();
        let Token::Word(kind) = self.reader.peek(kind_at) else { return false };
        kind.quote_style.is_none()
            && *self.reader.peek(kind_at + 1) == Token::LParen
            && matches!(kind.keyword, Keyword::NoKeyword | Keyword::SESSION)
    }

    fn window(&mut self) -> Result<()> {
        let start = self.reader.span(0);
        let level = self.levels.last().filter(|level| level.from).and_then(|level| level.select);
        let clause = self.reader.window()?;
        let Some(select) = level else {
            return Err(syntax("WINDOW stands behind the FROM of a SELECT").at(start));
        };
        if self.cut.windows.iter().any(|(key, _)| *key == select) {
            return Err(syntax("a SELECT has one WINDOW").at(clause.span));
        }
        self.cut.windows.push((select, clause));
        Ok(())
    }

    fn within(&mut self) -> Result<()> {
        let joined = self.levels.last().and_then(|level| level.join);
        let clause = self.reader.within()?;
        let Some(joined) = joined else {
            return Err(syntax("WITHIN stands between the relation of a JOIN and its ON").at(clause.span));
        };
        if self.cut.withins.iter().any(|(key, _)| *key == joined) {
            return Err(syntax("a JOIN has one WITHIN").at(clause.span));
        }
        self.cut.withins.push((joined, clause));
        Ok(())
    }

    /// EMIT and a word that is, or was meant to be, CHANGES or FINAL; not where a name is due.
    fn begins_emit(&self, next: &Token) -> bool {
        let Token::Word(word) = next else { return false };
        let name_is_due = match self.kept.last().map(|token| &token.token) {
            Some(Token::Word(before)) => {
                matches!(before.keyword, Keyword::SELECT | Keyword::DISTINCT | Keyword::AS | Keyword::FROM)
            }
            Some(Token::Period | Token::Comma) | None => true,
            _ => false,
        };
        let mode = nearest(&word.value, ["CHANGES", "FINAL"]);
        word.quote_style.is_none() && mode.is_some() && !name_is_due && (self.in_select() || self.levels.len() > 1)
    }

    fn emit(&mut self) -> Result<()> {
        let start = self.reader.span(0);
        self.reader.at += 1;
        let mode = if self.reader.accept("CHANGES") {
            EmitMode::Changes
        } else if self.reader.accept("FINAL") {
            EmitMode::Final
        } else {
            return Err(self.reader.expected("CHANGES or FINAL", &["CHANGES", "FINAL"]));
        };
        let emit = Emit { mode, span: self.reader.since(start) };
        if self.levels.len() > 1 {
            let error = syntax("EMIT belongs to the whole query, not to a part of it").at(emit.span);
            return Err(error.hint("EMIT stands at the end of the statement"));
        }
        if self.cut.emit.is_some() {
            return Err(syntax("a query has one EMIT").at(emit.span));
        }
        self.cut.emit = Some(emit);
        Ok(())
    }

    /// The clause ends before the next word of the query outside of brackets.
    fn partition_by(&mut self) -> Result<()> {
        const ENDS: [&str; 12] = [
            "WHERE",
            "GROUP",
            "HAVING",
            "WINDOW",
            "PARTITION",
            "EMIT",
            "ORDER",
            "LIMIT",
            "OFFSET",
            "UNION",
            "EXCEPT",
            "INTERSECT",
        ];
        let start = self.reader.span(0);
        let from = self.reader.at + 2;
        let mut depth = 0usize;
        let length = self.reader.tokens[from..].iter().position(|token| {
            match token.token {
                Token::LParen | Token::LBracket => depth += 1,
                Token::RParen | Token::RBracket => depth = depth.saturating_sub(1),
                _ => {}
            }
            depth == 0 && ENDS.iter().any(|word| is_word(&token.token, word))
        });
        let to = length.map_or(self.reader.tokens.len(), |length| from + length);
        self.reader.at = to;
        let span = self.reader.since(start);
        if self.cut.partition_by.is_some() {
            return Err(syntax("a query has one PARTITION BY").at(span));
        }
        let tokens = self.reader.tokens[from..to].to_vec();
        let dialect = Millrace::new(tokens.len());
        let mut cursor = Cursor::new(&dialect, tokens, self.reader.positions, Cut::default(), span.end);
        let exprs = cursor.comma_separated(super::parse::expr)?;
        if !cursor.done() {
            return Err(cursor.expected_clause("a comma or the next clause"));
        }
        let exprs = match <[ast::Expr; 1]>::try_from(exprs) {
            Ok([ast::Expr::Tuple(exprs)]) => exprs,
            Ok(only) => only.into(),
            Err(exprs) => exprs,
        };
        self.cut.partition_by = Some((exprs, span));
        Ok(())
    }
}

/// `WITHIN 5`, `WITHIN (5`: behind other words it is a name, and `WITHIN GROUP (` is SQL.
fn begins_within(next: &Token, after: &Token) -> bool {
    matches!(next, Token::Number(..)) || *next == Token::LParen && matches!(after, Token::Number(..))
}

/// Reads the inside of a clause.
struct Reader<'a> {
    tokens: &'a [TokenWithSpan],
    at: usize,
    positions: &'a Arc<Positions>,
}

impl<'a> Reader<'a> {
    fn peek(&self, n: usize) -> &'a Token {
        self.tokens.get(self.at + n).map_or(&Token::EOF, |token| &token.token)
    }
    fn span(&self, n: usize) -> Span {
        let end = || self.tokens.last().and_then(|last| self.positions.span(last.span)).unwrap_or_default().end;
        let token = self.tokens.get(self.at + n).and_then(|token| self.positions.span(token.span));
        token.unwrap_or_else(|| Span::new(end(), end()))
    }
    fn since(&self, start: Span) -> Span {
        let last = self.at.checked_sub(1).and_then(|at| self.positions.span(self.tokens.get(at)?.span));
        Span::new(start.start, last.map_or(start.end, |last| last.end.max(start.start)))
    }
    fn accept(&mut self, word: &str) -> bool {
        let found = is_word(self.peek(0), word);
        self.at += usize::from(found);
        found
    }
    fn token(&mut self, token: &Token) -> Result<()> {
        if self.peek(0) != token {
            let what = if *token == Token::Comma { "a comma".to_string() } else { token.to_string() };
            return Err(self.expected(&what, &[]));
        }
        self.at += 1;
        Ok(())
    }
    fn expected(&self, what: &str, words: &[&str]) -> PlanError {
        let (found, hint) = match self.peek(0) {
            Token::EOF => ("the end of the statement".to_string(), None),
            Token::Word(word) => (word.value.clone(), nearest(&word.value, words.iter().copied())),
            token => (token.to_string(), None),
        };
        let error = syntax(format!("expected {what}, found {found}")).at(self.span(0));
        match hint {
            Some(word) => error.hint(format!("did you mean {word}?")),
            None => error,
        }
    }

    /// `5 SECONDS`.
    fn duration(&mut self) -> Result<Duration> {
        let start = self.span(0);
        let Token::Number(digits, _) = self.peek(0) else { return Err(self.expected("a number and a unit", &[])) };
        let Ok(number) = digits.parse::<i64>() else {
            return Err(
                invalid("a duration is a whole number of milliseconds, seconds, minutes, hours or days").at(start)
            );
        };
        self.at += 1;
        let unit = match self.peek(0) {
            Token::Word(word) => unit_ms(&word.value),
            _ => None,
        };
        let Some(unit) = unit else {
            return Err(self.expected("MILLISECONDS, SECONDS, MINUTES, HOURS or DAYS", &UNITS.map(|(unit, _)| unit)));
        };
        self.at += 1;
        let span = self.since(start);
        match number.checked_mul(unit) {
            Some(ms) => Ok(Duration { ms, span }),
            None => Err(invalid("the duration is longer than 292 million years").at(span)),
        }
    }
    fn positive(&mut self, what: &str) -> Result<Duration> {
        let duration = self.duration()?;
        match duration.ms {
            0 => Err(invalid(format!("{what} is longer than nothing")).at(duration.span)),
            _ => Ok(duration),
        }
    }

    /// `[GRACE PERIOD 5 SECONDS]`.
    fn grace(&mut self) -> Result<Option<Duration>> {
        if !(is_word(self.peek(0), "GRACE") && is_word(self.peek(1), "PERIOD")) {
            return Ok(None);
        }
        self.at += 2;
        self.duration().map(Some)
    }

    /// How many tokens behind WINDOW the kind stands: a name may come before it.
    fn window_kind_at(&self) -> usize {
        match (self.peek(1), self.peek(2), self.peek(3)) {
            (Token::Word(_), Token::Word(kind), Token::LParen) if kind.keyword != Keyword::AS => 2,
            _ => 1,
        }
    }

    /// `WINDOW [name] TUMBLING (SIZE 1 HOUR, GRACE PERIOD 5 MINUTES)` and the like; the parts in any order.
    fn window(&mut self) -> Result<WindowClause> {
        let start = self.span(0);
        self.at += self.window_kind_at();
        let kind = ["TUMBLING", "HOPPING", "SESSION"].into_iter().find(|kind| is_word(self.peek(0), kind));
        let Some(kind) = kind else {
            return Err(self.expected("TUMBLING, HOPPING or SESSION", &["TUMBLING", "HOPPING", "SESSION"]));
        };
        self.at += 1;
        self.token(&Token::LParen)?;
        let parts = self.window_parts(kind)?;
        self.token(&Token::RParen)?;
        let span = self.since(start);
        let missing = |what: &str| syntax(format!("a {kind} window has {what}")).at(span);
        let kind = match kind {
            "SESSION" => WindowKind::Session { gap: parts.gap.ok_or_else(|| missing("a gap"))? },
            "TUMBLING" => WindowKind::Tumbling { size: parts.size.ok_or_else(|| missing("a SIZE"))? },
            _ => {
                let size = parts.size.ok_or_else(|| missing("a SIZE"))?;
                let advance = parts.advance.ok_or_else(|| missing("an ADVANCE BY"))?;
                if advance.ms > size.ms {
                    return Err(invalid("a window advances by at most its size, or rows would fall between windows")
                        .at(advance.span));
                }
                WindowKind::Hopping { size, advance }
            }
        };
        Ok(WindowClause { kind, retention: parts.retention, grace: parts.grace, span })
    }

    fn window_parts(&mut self, kind: &str) -> Result<WindowParts> {
        let mut parts = WindowParts::default();
        loop {
            let start = self.span(0);
            let twice = if kind == "SESSION" && matches!(self.peek(0), Token::Number(..)) {
                parts.gap.replace(self.positive("the gap")?).is_some()
            } else if kind != "SESSION" && self.accept("SIZE") {
                parts.size.replace(self.positive("the size")?).is_some()
            } else if kind == "HOPPING" && is_word(self.peek(0), "ADVANCE") && is_word(self.peek(1), "BY") {
                self.at += 2;
                parts.advance.replace(self.positive("the advance")?).is_some()
            } else if self.accept("RETENTION") {
                parts.retention.replace(self.positive("the retention")?).is_some()
            } else if let Some(grace) = self.grace()? {
                parts.grace.replace(grace).is_some()
            } else {
                return Err(match kind {
                    "SESSION" => self.expected("a gap, RETENTION or GRACE PERIOD", &["RETENTION", "GRACE"]),
                    "TUMBLING" => self.expected("SIZE, RETENTION or GRACE PERIOD", &["SIZE", "RETENTION", "GRACE"]),
                    _ => self.expected(
                        "SIZE, ADVANCE BY, RETENTION or GRACE PERIOD",
                        &["SIZE", "ADVANCE", "RETENTION", "GRACE"],
                    ),
                });
            };
            if twice {
                return Err(syntax("this stands here already").at(self.since(start)));
            }
            if *self.peek(0) != Token::Comma {
                return Ok(parts);
            }
            self.at += 1;
        }
    }

    /// `WITHIN 1 HOUR`, `WITHIN (1 HOUR, 2 HOURS)`, with `GRACE PERIOD`.
    fn within(&mut self) -> Result<WithinClause> {
        let start = self.span(0);
        self.at += 1;
        let (before, after) = if *self.peek(0) == Token::LParen {
            self.at += 1;
            let before = self.duration()?;
            self.token(&Token::Comma)?;
            let after = self.duration()?;
            self.token(&Token::RParen)?;
            (before, after)
        } else {
            let both = self.duration()?;
            (both, both)
        };
        let grace = self.grace()?;
        Ok(WithinClause { before, after, grace, span: self.since(start) })
    }
}

#[derive(Default)]
struct WindowParts {
    size: Option<Duration>,
    advance: Option<Duration>,
    gap: Option<Duration>,
    retention: Option<Duration>,
    grace: Option<Duration>,
}

const UNITS: [(&str, i64); 5] =
    [("MILLISECONDS", 1), ("SECONDS", 1_000), ("MINUTES", 60_000), ("HOURS", 3_600_000), ("DAYS", 86_400_000)];

/// Milliseconds of a unit, in singular or plural.
pub(super) fn unit_ms(word: &str) -> Option<i64> {
    let word = word.to_ascii_uppercase();
    let (_, ms) = UNITS.iter().find(|(unit, _)| word == *unit || unit.strip_suffix('S') == Some(&word))?;
    Some(*ms)
}

fn syntax(message: impl Into<String>) -> PlanError {
    PlanError::new(ErrorKind::Syntax, message)
}

fn invalid(message: impl Into<String>) -> PlanError {
    PlanError::new(ErrorKind::InvalidParameter, message)
}
