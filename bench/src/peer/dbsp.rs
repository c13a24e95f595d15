//! The same queries as circuits of the crate `dbsp`, written by hand.

use std::process::Command;

use super::{Peer, of_peers};

/// See the module.
pub(super) struct Dbsp;

impl Peer for Dbsp {
    fn name(&self) -> &'static str {
        "dbsp"
    }
    fn program(&self) -> Result<Command, String> {
        of_peers("dbsp")
    }
}
