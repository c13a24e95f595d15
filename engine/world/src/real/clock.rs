//! The operating system's clocks.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::Clock;

/// The system clock, and a monotonic one that starts with it.
#[derive(Debug)]
pub struct RealClock {
    start: Instant,
}

impl Default for RealClock {
    fn default() -> Self {
        RealClock { start: Instant::now() }
    }
}

impl Clock for RealClock {
    fn wall_ms(&self) -> i64 {
        epoch_ms(SystemTime::now())
    }
    fn monotonic_ns(&self) -> u64 {
        // 584 years
        self.start.elapsed().as_nanos() as u64
    }
    fn sleep(&self, duration: Duration) {
        std::thread::sleep(duration);
    }
}

/// Milliseconds since 1970, negative before it.
pub(super) fn epoch_ms(time: SystemTime) -> i64 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(after) => after.as_millis() as i64,
        Err(before) => -(before.duration().as_millis() as i64),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleeping_lets_time_pass() {
        let clock = RealClock::default();
        let before = clock.monotonic_ns();
        clock.sleep(Duration::from_millis(2));
        assert!(clock.monotonic_ns() - before >= 2_000_000);
        // 2020-01-01 .. 2100-01-01
        assert!((1_577_836_800_000..4_102_444_800_000).contains(&clock.wall_ms()));
    }
}
