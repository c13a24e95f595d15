//! Everything that is tested across crates, in one binary.
//!
//! `tidy`: the tree itself. `property`: incremental answers equal recomputation, for random queries and changes.
//! `language`: every form of SQL runs. `slt`: answers of statements and queries. `stream`: changelogs of small pipelines.
//! `duckdb`: the reference evaluator says what DuckDB says.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends here")]
#![allow(clippy::disallowed_methods, reason = "tests read the tree and start programs")]

mod duckdb;
mod language;
mod property;
mod slt;
mod stream;
mod tidy;
