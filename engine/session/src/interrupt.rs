//! The wish to stop, from another thread or a signal handler.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// A flag that is set once. Clones are the same flag; whatever waits looks at it at least every 50 ms.
#[derive(Clone, Debug, Default)]
pub struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// The flag behind `flag`, for a signal handler that can only set one.
    pub fn of(flag: &Arc<AtomicBool>) -> Self {
        Interrupt(Arc::clone(flag))
    }

    /// Asks for the end.
    pub fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether somebody has.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}
