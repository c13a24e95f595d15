//! DuckDB, which recomputes: once over everything, or (`duckdb:epoch`) at every tick over what has come so far.

use std::process::Command;

use super::{Peer, of_peers};

/// See the module.
pub(super) struct DuckDb;

impl Peer for DuckDb {
    fn name(&self) -> &'static str {
        "duckdb"
    }
    fn program(&self) -> Result<Command, String> {
        of_peers("duckdb")
    }
    fn is_slow(&self, variant: Option<&str>) -> bool {
        variant.is_some()
    }
}
