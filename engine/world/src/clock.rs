//! What time it is, on the wall and since some start.

use std::time::Duration;

/// A clock.
///
/// # Contract
/// * `monotonic_ns` never goes back, on any thread; its zero means nothing. Measure and pace with it.
/// * `wall_ms` may jump either way (someone sets the clock). Show it and stamp with it, never subtract it.
/// * After `sleep(d)`, `monotonic_ns` has grown by at least `d`.
pub trait Clock: Send + Sync {
    /// Milliseconds since 1970-01-01 UTC.
    fn wall_ms(&self) -> i64;
    /// Nanoseconds since a start that the clock chose.
    fn monotonic_ns(&self) -> u64;
    /// Lets time pass. Never on a worker thread.
    fn sleep(&self, duration: Duration);
}
