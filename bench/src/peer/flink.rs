//! Apache Flink, through its Table API, from the package registry of Python.

use std::process::Command;

use super::{Peer, of_peers};

/// See the module.
pub(super) struct Flink;

impl Peer for Flink {
    fn name(&self) -> &'static str {
        "flink"
    }
    fn program(&self) -> Result<Command, String> {
        of_peers("flink")
    }
    fn is_slow(&self, _variant: Option<&str>) -> bool {
        true
    }
}
