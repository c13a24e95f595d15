//! Named places where a test can end the process or the machine.
//!
//! Code that promises something about crashes names the places between which the promise could break. In the real world
//! a place costs one comparison; in a simulated one the machine goes down there.

use std::io;

/// Who is told that a place was reached.
///
/// # Contract
/// `Ok` means: go on. An error means that the machine is down: the caller returns it at once and touches nothing more,
/// as if the process had ended there.
pub trait FailPoints: Send + Sync {
    /// The place `name` was reached.
    ///
    /// # Errors
    /// If the machine goes down there.
    fn reached(&self, name: &'static str) -> io::Result<()>;

    /// Whether something may happen at `name`: code that would do a thing in one step does it in two then, so that there
    /// is a place in its middle.
    fn is_armed(&self, name: &'static str) -> bool;
}

/// Nothing ever happens.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFailPoints;

impl FailPoints for NoFailPoints {
    fn reached(&self, _: &'static str) -> io::Result<()> {
        Ok(())
    }
    fn is_armed(&self, _: &'static str) -> bool {
        false
    }
}
