//! A clock that stands still until it is moved.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

use crate::Clock;

/// Stands still until [`ManualClock::advance`]. Sleeping moves it by as much and returns at once, so that paced code runs
/// in no time.
#[derive(Debug)]
pub struct ManualClock {
    /// Wall time at monotonic 0, epoch ms.
    wall_base_ms: AtomicI64,
    monotonic_ns: AtomicU64,
}

impl ManualClock {
    /// A clock whose wall shows `wall_ms`.
    pub fn new(wall_ms: i64) -> Self {
        ManualClock { wall_base_ms: AtomicI64::new(wall_ms), monotonic_ns: AtomicU64::new(0) }
    }

    /// Lets time pass, on the wall too.
    pub fn advance(&self, by: Duration) {
        self.monotonic_ns.fetch_add(by.as_nanos() as u64, Ordering::SeqCst);
    }

    /// Someone sets the wall clock; the monotonic clock does not care.
    pub fn set_wall_ms(&self, wall_ms: i64) {
        self.wall_base_ms.store(wall_ms - self.elapsed_ms(), Ordering::SeqCst);
    }

    fn elapsed_ms(&self) -> i64 {
        (self.monotonic_ns.load(Ordering::SeqCst) / 1_000_000) as i64
    }
}

impl Clock for ManualClock {
    fn wall_ms(&self) -> i64 {
        self.wall_base_ms.load(Ordering::SeqCst) + self.elapsed_ms()
    }
    fn monotonic_ns(&self) -> u64 {
        self.monotonic_ns.load(Ordering::SeqCst)
    }
    fn sleep(&self, duration: Duration) {
        self.advance(duration);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_wall_jumps() {
        let clock = ManualClock::new(1_000);
        clock.advance(Duration::from_millis(5));
        clock.sleep(Duration::from_micros(1_500));
        assert_eq!((clock.wall_ms(), clock.monotonic_ns()), (1_006, 6_500_000));
        clock.set_wall_ms(50);
        assert_eq!((clock.wall_ms(), clock.monotonic_ns()), (50, 6_500_000));
        clock.advance(Duration::from_millis(1));
        assert_eq!(clock.wall_ms(), 51);
    }
}
