//! The operating system's randomness.

use std::io;

use crate::Entropy;

/// Draws from the operating system.
#[derive(Clone, Copy, Debug, Default)]
pub struct OsEntropy;

impl Entropy for OsEntropy {
    fn random_u64(&self) -> io::Result<u64> {
        getrandom::u64().map_err(io::Error::other)
    }
}
