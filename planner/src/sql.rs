//! Text to [`Statement`](statement::Statement): the *parse* step.
//!
//! ```text
//! text ─tokenize→ tokens ─split at ;→ one statement ─limits→ ─cut→ tokens without streaming clauses ─parse→ Statement
//! ```
//! [`parse_script`] reads all statements of a script, [`parse_partial`] those before the first mistake. Nothing is
//! looked up: the result says what was written and where, and binding says whether it means something.
//!
//! Read in this order: `statement`, `name` and `query` (the tree), `script` (from text to statements), `limits` (what
//! is too much), `cut` (WINDOW, WITHIN, EMIT, PARTITION BY), `parse` (one file per family of statements), `dialect`
//! (words and operators for sqlparser).

mod cursor;
mod cut;
mod dialect;
pub mod limits;
pub mod name;
mod nearest;
mod parse;
pub mod position;
pub mod print;
pub mod query;
mod script;
pub mod statement;
pub mod types;

pub use script::{parse_partial, parse_script, parse_statement};

#[cfg(test)]
mod tests;
