//! SQL text in, incremental plan out: `parse → bind → rewrite → lower`, each a pure function.
//!
//! Nothing here reads a file, a clock or the network, and nothing runs a dataflow: the same text, the same
//! [`Catalog`](catalog::Catalog) and the same moment always give the same plan. What a statement asks of the engine leaves as an
//! [`Action`](action::Action); what a query maintains is a [`Node`](plan::Node) tree that the engine renders as it
//! stands, because every decision about strategy was made in `lower`.
//!
//! Read in this order: `sql` (text to statement), `bind` (statement to logical plan), `rewrite` (logical plan to a
//! simpler one), `lower` (logical plan to incremental plan), `plan` (what the engine gets).

pub mod action;
pub mod bind;
pub mod catalog;
pub mod error;
pub mod explain;
pub mod function;
pub mod logical;
pub mod lower;
pub mod plan;
pub mod rewrite;
pub mod sql;
mod statement;

pub use millrace_eval as eval;

use action::Planned;
use catalog::Catalog;
use error::Result;
use sql::statement::Parsed;

/// Stack for planning one statement; only what is used is backed by memory.
const STACK_BYTES: usize = 256 << 20;

/// Plans a statement over a catalog. `text` is the script that the statement stands in; errors have places in it.
///
/// # Errors
/// What is wrong with the statement, with its place, and where it helps a detail and a hint.
pub fn plan(statement: &Parsed, text: &str, catalog: &Catalog) -> Result<Planned> {
    plan_when(statement, text, catalog, None)
}

/// Plans a statement that is carried out at a moment, µs since 1970-01-01 UTC: what NOW() means in it.
///
/// # Errors
/// As [`plan`], which refuses NOW() everywhere.
pub fn plan_at(statement: &Parsed, text: &str, catalog: &Catalog, now_us: i64) -> Result<Planned> {
    plan_when(statement, text, catalog, Some(now_us))
}

fn plan_when(statement: &Parsed, text: &str, catalog: &Catalog, now_us: Option<i64>) -> Result<Planned> {
    debug_assert_eq!(statement.positions.text(), text, "the statement is of this script");
    // plans are walked recursively, and a statement within its limits can be deeper than a thread's stack
    stacker::grow(STACK_BYTES, || statement::plan(statement, catalog, now_us))
}
