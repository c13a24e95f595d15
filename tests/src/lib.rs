//! The correctness harness: what a query must say, computed without any of the engine's tricks.
//!
//! [`reference`] evaluates a bound query over a history of changes, one row and one tick at a time; nothing is
//! incremental, nothing is vectorised, and it reads like the SQL standard. What the engine maintains is held equal to it.

#![allow(clippy::disallowed_methods, reason = "tests read their own files and start programs")]

pub mod property;
pub mod reference;
pub mod slt;
pub mod stream;
