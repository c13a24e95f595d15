//! Everything that is tested across crates, in one binary.
//!
//! `tidy`: the tree itself.
#![allow(clippy::disallowed_methods, reason = "tests read the tree and start programs")]

mod tidy;
