//! Everything that is tested across crates, in one binary.
//!
//! `tidy`: the tree itself. `property`: incremental answers equal recomputation, for random queries and changes.
//! `stream`: changelogs of small pipelines. `duckdb`: the reference evaluator says what DuckDB says.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on ends here")]
#![allow(clippy::disallowed_methods, reason = "tests read the tree and start programs")]

mod duckdb;
mod property;
mod stream;
mod tidy;
