//! SQL text in, incremental plan out: `parse → bind → rewrite → lower`, each a pure function.
//!
//! Nothing here reads a file, a clock or the network, and nothing runs a dataflow: the same text and the same
//! [`Catalog`](catalog::Catalog) always give the same plan. What a statement asks of the engine leaves as an
//! [`Action`](action::Action); what a query maintains is a [`Node`](plan::Node) tree that the engine renders as it
//! stands, because every decision about strategy was made in `lower`.
//!
//! Read in this order: `sql` (text to statement), `bind` (statement to logical plan), `rewrite` (logical plan to a
//! simpler one), `lower` (logical plan to incremental plan), `plan` (what the engine gets).

pub mod action;
pub mod catalog;
pub mod error;
pub mod plan;
pub mod sql;
