//! The same queries written by hand on differential dataflow, with compiled row types: the limit of what Millrace stands
//! on.

use std::process::Command;

use super::{Peer, of_this_program};

/// See the module.
pub(super) struct Typed;

impl Peer for Typed {
    fn name(&self) -> &'static str {
        "typed"
    }
    fn program(&self) -> Result<Command, String> {
        of_this_program("typed")
    }
}
