//! ALTER STREAM and ALTER TABLE.

use sqlparser::tokenizer::Token;

use super::columns::column;
use super::unsupported;
use crate::error::{PlanError, Result};
use crate::sql::cursor::Cursor;
use crate::sql::statement::{Alter, Statement, StreamOrTable};

/// From ALTER on.
pub(super) fn alter(cursor: &mut Cursor) -> Result<Statement> {
    let kind = match () {
        () if cursor.is_word(1, "STREAM") => StreamOrTable::Stream,
        () if cursor.is_word(1, "TABLE") => StreamOrTable::Table,
        () if matches!(cursor.peek_nth(1), Token::Word(_)) => return Ok(unsupported(cursor, 2)),
        () => {
            cursor.advance();
            return Err(cursor.expected("STREAM or TABLE"));
        }
    };
    cursor.advance();
    cursor.advance();
    let name = cursor.name("the relation to alter")?;
    for word in ["DROP", "RENAME", "ALTER", "SET", "MODIFY"] {
        if cursor.is_word(0, word) {
            let error = PlanError::not_supported(format!("ALTER … {word}")).at(cursor.span());
            return Err(error.hint("ALTER can ADD COLUMN"));
        }
    }
    let columns = cursor.comma_separated(|cursor| {
        cursor.expect("ADD")?;
        // COLUMN may be the column's own name
        if matches!(cursor.peek_nth(2), Token::Word(_)) {
            cursor.accept("COLUMN");
        }
        column(cursor)
    })?;
    Ok(Statement::Alter(Alter { kind, name, columns }))
}
