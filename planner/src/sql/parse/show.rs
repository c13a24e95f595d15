//! SHOW, LIST and DESCRIBE.

use sqlparser::tokenizer::Token;

use crate::error::Result;
use crate::sql::cursor::Cursor;
use crate::sql::nearest::nearest;
use crate::sql::statement::{Describe, DescribeTarget, Show, ShowWhat, Statement, StreamOrTable};

/// The words behind SHOW.
const SHOWN: [(&[&str], ShowWhat); 26] = [
    (&["STREAMS"], ShowWhat::Streams),
    (&["TABLES"], ShowWhat::Tables),
    (&["VIEWS"], ShowWhat::Views),
    (&["MATERIALIZED", "VIEWS"], ShowWhat::MaterializedViews),
    (&["RELATIONS"], ShowWhat::Relations),
    (&["QUERIES"], ShowWhat::Queries),
    (&["TOPICS"], ShowWhat::Topics),
    (&["FUNCTIONS"], ShowWhat::Functions),
    (&["SETTINGS"], ShowWhat::Settings),
    (&["PROPERTIES"], ShowWhat::Settings),
    (&["TYPES"], ShowWhat::Types),
    (&["VARIABLES"], ShowWhat::Variables),
    (&["SOURCE", "CONNECTORS"], ShowWhat::Connectors { sink: Some(false) }),
    (&["SINK", "CONNECTORS"], ShowWhat::Connectors { sink: Some(true) }),
    (&["CONNECTORS"], ShowWhat::Connectors { sink: None }),
    (&["MODULES"], ShowWhat::Modules),
    (&["COLUMNS"], ShowWhat::Columns),
    (&["OPERATORS"], ShowWhat::Operators),
    (&["FRONTIERS"], ShowWhat::Frontiers),
    (&["SESSIONS"], ShowWhat::Sessions),
    (&["DECODE_ERRORS"], ShowWhat::DecodeErrors),
    (&["DECODE", "ERRORS"], ShowWhat::DecodeErrors),
    (&["ERRORS"], ShowWhat::Errors),
    (&["LATE"], ShowWhat::Late),
    (&["TABLE", "FUNCTIONS"], ShowWhat::Functions),
    (&["AGGREGATES"], ShowWhat::Functions),
];

/// From SHOW or LIST on.
pub(super) fn show(cursor: &mut Cursor) -> Result<Statement> {
    let is_show = cursor.is_word(0, "SHOW");
    cursor.advance();
    let all = match *cursor.peek_nth(1) {
        Token::EOF => false,
        _ => cursor.accept("ALL").is_some(),
    };
    let start = cursor.span();
    if cursor.is_word(0, "CREATE") && *cursor.peek_nth(1) != Token::EOF {
        return show_create(cursor, all);
    }
    let known = SHOWN.iter().find(|(words, _)| cursor.accept_all(words).is_some());
    let what = match known {
        Some((_, what)) => what.clone(),
        None if is_show && !all && matches!(cursor.peek(), Token::Word(_)) => {
            let what = setting(cursor)?;
            let what_span = cursor.since(start);
            let show = Show { what, what_span, all: false, extended: false, from: None, like: None };
            return Ok(Statement::Show(show));
        }
        None => return Err(unknown(cursor)),
    };
    let what_span = cursor.since(start);
    let extended = cursor.accept("EXTENDED").is_some();
    let from = match cursor.accept("FROM").or_else(|| cursor.accept("IN")) {
        Some(_) => Some(cursor.name("a relation")?),
        None if what == ShowWhat::Columns => return Err(cursor.expected("FROM and a relation")),
        None => None,
    };
    let like = match cursor.accept("LIKE") {
        Some(_) => Some(cursor.text("a pattern in quotes")?),
        None => None,
    };
    Ok(Statement::Show(Show { what, what_span, all, extended, from, like }))
}

/// `SHOW CREATE [STREAM | TABLE | [MATERIALIZED] VIEW] n`.
fn show_create(cursor: &mut Cursor, all: bool) -> Result<Statement> {
    let what_span = cursor.span();
    cursor.advance();
    let kinds: [&[&str]; 4] = [&["MATERIALIZED", "VIEW"], &["STREAM"], &["TABLE"], &["VIEW"]];
    if *cursor.peek_nth(1) != Token::EOF {
        kinds.iter().any(|words| cursor.accept_all(words).is_some());
    }
    let from = Some(cursor.name("a relation")?);
    Ok(Statement::Show(Show { what: ShowWhat::Create, what_span, all, extended: false, from, like: None }))
}

/// `SHOW name`: one setting, unless the word was meant to be another one.
fn setting(cursor: &mut Cursor) -> Result<ShowWhat> {
    if let Token::Word(word) = cursor.peek()
        && *cursor.peek_nth(1) != Token::Period
        && nearest(&word.value, SHOWN.map(|(words, _)| words[0])).is_some()
    {
        return Err(unknown(cursor));
    }
    cursor.name("what to show").map(ShowWhat::Setting)
}

fn unknown(cursor: &Cursor) -> crate::error::PlanError {
    let error = cursor.expected("what to show, such as STREAMS, TABLES or QUERIES");
    match cursor.peek() {
        Token::Word(word) => match nearest(&word.value, SHOWN.map(|(words, _)| words[0])) {
            Some(near) => error.hint(format!("did you mean {near}?")),
            None => error,
        },
        _ => error,
    }
}

/// From DESCRIBE on.
pub(super) fn describe(cursor: &mut Cursor) -> Result<Statement> {
    cursor.advance();
    let alone = |cursor: &Cursor, n: usize| *cursor.peek_nth(n) == Token::EOF;
    let mut extended = !alone(cursor, 1) && cursor.accept("EXTENDED").is_some();
    let target = if !alone(cursor, 1) && cursor.accept("FUNCTION").is_some() {
        // KSQL takes the function's name in quotes too
        match cursor.accept_text() {
            Some(text) => DescribeTarget::Function(text.into_name()),
            None => DescribeTarget::Function(cursor.name("a function")?),
        }
    } else if !alone(cursor, 1) && cursor.accept("CONNECTOR").is_some() {
        DescribeTarget::Connector(cursor.name("a connector")?)
    } else if let Some(span) = cursor.accept("STREAMS") {
        DescribeTarget::All(StreamOrTable::Stream, span)
    } else if let Some(span) = cursor.accept("TABLES") {
        DescribeTarget::All(StreamOrTable::Table, span)
    } else {
        let kinds: [&[&str]; 4] = [&["MATERIALIZED", "VIEW"], &["STREAM"], &["TABLE"], &["VIEW"]];
        if matches!(cursor.peek_nth(1), Token::Word(_)) && !cursor.is_word(1, "EXTENDED") {
            kinds.iter().any(|words| cursor.accept_all(words).is_some());
        }
        DescribeTarget::Relation(cursor.name("a relation")?)
    };
    extended |= cursor.accept("EXTENDED").is_some();
    Ok(Statement::Describe(Describe { target, extended }))
}
