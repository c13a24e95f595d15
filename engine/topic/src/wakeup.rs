//! Being told that there is more to read.

use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::time::Duration;

/// A bell that logs ring when records become durable. One may be hung on many partitions; clones are the same bell, and
/// a log forgets it with its last clone.
#[derive(Clone)]
pub struct Wakeup {
    shared: Arc<Shared>,
}

pub(crate) struct Shared {
    rings: Mutex<u64>,
    rung: Condvar,
    callback: Option<Box<dyn Fn() + Send + Sync>>,
}

impl Default for Wakeup {
    fn default() -> Self {
        Wakeup::new()
    }
}

impl Wakeup {
    /// A bell to wait for with [`Wakeup::wait`].
    pub fn new() -> Self {
        Wakeup { shared: Arc::new(Shared { rings: Mutex::new(0), rung: Condvar::new(), callback: None }) }
    }

    /// A bell that calls `callback` too, on the thread that made the records durable: it must be quick and must not use
    /// the log.
    pub fn calling(callback: impl Fn() + Send + Sync + 'static) -> Self {
        let callback: Box<dyn Fn() + Send + Sync> = Box::new(callback);
        Wakeup { shared: Arc::new(Shared { rings: Mutex::new(0), rung: Condvar::new(), callback: Some(callback) }) }
    }

    /// How often it rang. Ask before reading, and wait with the answer after: then no ring is missed.
    pub fn rings(&self) -> u64 {
        *self.shared.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until it has rung more than `seen` times, or for `timeout`; how often it rang by then.
    pub fn wait(&self, seen: u64, timeout: Duration) -> u64 {
        let rings = self.shared.rings.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.shared.rung.wait_timeout_while(rings, timeout, |rings| *rings <= seen);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }

    /// Rings it.
    pub fn ring(&self) {
        self.shared.ring();
    }

    pub(crate) fn downgrade(&self) -> Weak<Shared> {
        Arc::downgrade(&self.shared)
    }
}

impl Shared {
    pub(crate) fn ring(&self) {
        *self.rings.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.rung.notify_all();
        if let Some(callback) = &self.callback {
            callback();
        }
    }
}

impl std::fmt::Debug for Wakeup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wakeup").field("rings", &self.rings()).finish()
    }
}
