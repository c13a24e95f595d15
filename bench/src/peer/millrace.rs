//! Millrace itself: in memory the engine through its API, from files the binary `millrace run`.

use std::process::Command;

use super::{Peer, of_this_program};

/// See the module.
pub(super) struct Millrace;

impl Peer for Millrace {
    fn name(&self) -> &'static str {
        "millrace"
    }
    fn program(&self) -> Result<Command, String> {
        of_this_program("millrace")
    }
}
