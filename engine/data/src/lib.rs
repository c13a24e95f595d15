//! Columns with diffs: what travels between operators.
//!
//! A [`Batch`] is a run of updates of one tick: Arrow columns and a diff per row. It knows nothing of state. Rows are
//! hashed a column at a time ([`hash`]), exchanged between workers by that hash ([`exchange`]), and summed up where
//! equal rows meet ([`consolidate`]).

mod batch;
pub mod canonical;
pub mod consolidate;
pub mod exchange;
pub mod hash;

pub use batch::Batch;
