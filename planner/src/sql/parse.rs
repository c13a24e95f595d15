//! One statement: the first words say which, and each family has a file.
//!
//! In: a [`Cursor`] at the first token. Out: the [`Statement`], with every token used. What begins like a statement of
//! SQL's that the language does not have becomes [`Statement::Unsupported`]; anything else is a syntax error with the
//! nearest word of the language as its hint.

mod alter;
mod assert;
mod columns;
mod control;
mod create;
mod explain;
mod insert;
mod modify;
mod module;
mod print;
mod properties;
mod query;
mod settings;
mod show;

use sqlparser::tokenizer::Token;

use super::cursor::Cursor;
use super::nearest::nearest;
use super::statement::Statement;
use crate::error::{ErrorKind, PlanError, Result};

pub(super) use query::expr;

/// The first words of the language's statements.
const STATEMENT_WORDS: [&str; 25] = [
    "SELECT",
    "WITH",
    "VALUES",
    "CREATE",
    "INSERT",
    "UPDATE",
    "DELETE",
    "EXPLAIN",
    "SHOW",
    "LIST",
    "DESCRIBE",
    "SET",
    "UNSET",
    "RESET",
    "DEFINE",
    "UNDEFINE",
    "DROP",
    "TERMINATE",
    "PAUSE",
    "RESUME",
    "ALTER",
    "PRINT",
    "RUN",
    "ASSERT",
    "DESC",
];

/// The first words of statements that other databases have.
const UNSUPPORTED_WORDS: [&str; 45] = [
    "ABORT",
    "ANALYZE",
    "ATTACH",
    "BEGIN",
    "CALL",
    "CHECKPOINT",
    "CLOSE",
    "CLUSTER",
    "COMMENT",
    "COMMIT",
    "COPY",
    "DEALLOCATE",
    "DECLARE",
    "DETACH",
    "DISCARD",
    "DO",
    "END",
    "EXECUTE",
    "EXPORT",
    "FETCH",
    "GRANT",
    "IMPORT",
    "INSTALL",
    "KILL",
    "LISTEN",
    "LOAD",
    "LOCK",
    "MERGE",
    "MOVE",
    "NOTIFY",
    "OPTIMIZE",
    "PRAGMA",
    "PREPARE",
    "REFRESH",
    "REINDEX",
    "RELEASE",
    "RENAME",
    "REVOKE",
    "ROLLBACK",
    "SAVEPOINT",
    "START",
    "SUBSCRIBE",
    "TRUNCATE",
    "USE",
    "VACUUM",
];

/// Reads one statement to its end.
pub(super) fn statement(cursor: &mut Cursor) -> Result<Statement> {
    let statement = match cursor.peek() {
        _ if query::is_query(cursor, 0) => Statement::Query(query::query(cursor)?),
        Token::Word(word) if word.quote_style.is_none() => {
            let word = word.value.to_ascii_uppercase();
            by_word(cursor, &word)?
        }
        _ => return Err(cursor.expected("a statement")),
    };
    cursor.expect_end()?;
    match cursor.cut.rest() {
        Some((clause, span)) => Err(PlanError::new(ErrorKind::Syntax, format!("{clause} belongs to a query")).at(span)),
        None => Ok(statement),
    }
}

fn by_word(cursor: &mut Cursor, word: &str) -> Result<Statement> {
    match word {
        "CREATE" => create::create(cursor),
        "INSERT" => insert::insert(cursor),
        "UPDATE" => modify::update(cursor),
        "DELETE" => modify::delete(cursor),
        "EXPLAIN" => explain::explain(cursor),
        "SHOW" | "LIST" => show::show(cursor),
        "DESCRIBE" | "DESC" => show::describe(cursor),
        "SET" => settings::set(cursor),
        "UNSET" | "RESET" => settings::unset(cursor),
        "DEFINE" => settings::define(cursor),
        "UNDEFINE" => settings::undefine(cursor),
        "DROP" => control::drop(cursor),
        "TERMINATE" | "PAUSE" | "RESUME" => control::control(cursor),
        "ALTER" => alter::alter(cursor),
        "PRINT" => print::print(cursor),
        "RUN" => print::run_script(cursor),
        "ASSERT" => assert::assert(cursor),
        _ if UNSUPPORTED_WORDS.contains(&word) => Ok(unsupported(cursor, 1)),
        _ => {
            let error = PlanError::new(ErrorKind::Syntax, format!("no statement begins with {word}")).at(cursor.span());
            Err(match nearest(word, STATEMENT_WORDS) {
                Some(word) => error.hint(format!("did you mean {word}?")),
                None => error,
            })
        }
    }
}

/// The statement of which the next `n_words` say what it is; the rest is passed over.
fn unsupported(cursor: &mut Cursor, n_words: usize) -> Statement {
    let start = cursor.span();
    let mut what = Vec::new();
    for _ in 0..n_words {
        if let Token::Word(word) = cursor.peek() {
            what.push(word.value.to_uppercase());
            cursor.advance();
        }
    }
    let span = cursor.since(start);
    while !cursor.done() {
        cursor.advance();
    }
    cursor.cut = super::cut::Cut::default();
    Statement::Unsupported { what: what.join(" "), span }
}

/// `IF NOT EXISTS`, if it is next.
fn if_not_exists(cursor: &mut Cursor) -> bool {
    cursor.accept_all(&["IF", "NOT", "EXISTS"]).is_some()
}
