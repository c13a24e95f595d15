//! Paced load: every event has its time, whether whoever takes it keeps up or not.
//!
//! An event is scheduled at its number over the rate; a tick of the input is there when its last event is. The latency of
//! an event is from its own time to the result of the work that took it in, so waiting counts, in the contender's queue as
//! well as in the tick: a contender that falls behind cannot hide it by being asked less (coordinated omission).

use std::ops::Range;
use std::time::Duration;

use hdrhistogram::Histogram;

use crate::figures::Spread;
use crate::protocol::Request;
use crate::table::Tick;
use millrace_data::Batch;

/// Longest latency that is told apart, ns.
const LATENCY_NS_MAX: u64 = 600_000_000_000;

/// The schedule, and the latencies so far.
#[derive(Debug)]
pub struct Pace {
    rate_per_s: f64,
    tick: usize,
    events: usize,
    latencies: Histogram<u64>,
}

impl Pace {
    /// The schedule of a paced request.
    ///
    /// # Errors
    /// If the request is not paced.
    pub fn of(request: &Request) -> Result<Pace, String> {
        let rate_per_s = request.rate_per_s.ok_or("a request without a rate has no pace")? as f64;
        let latencies = Histogram::new_with_bounds(1_000, LATENCY_NS_MAX, 3).map_err(|e| format!("{e:?}"))?;
        Ok(Pace { rate_per_s, tick: request.spec.tick.max(1), events: request.spec.events, latencies })
    }

    /// How many ticks there are.
    pub fn ticks(&self) -> usize {
        self.events.div_ceil(self.tick)
    }

    /// How many ticks are there at `now`, ns after the start.
    pub fn due(&self, now: u64) -> usize {
        let events = (now as f64 * self.rate_per_s / 1e9) as usize;
        if events >= self.events { self.ticks() } else { events / self.tick }
    }

    /// Sleeps until tick `tick` is there.
    pub fn wait(&self, tick: usize, now: impl Fn() -> u64) {
        let at = self.scheduled(((tick + 1) * self.tick).min(self.events));
        while self.due(now()) <= tick {
            let left = at.saturating_sub(now());
            // a sleeper wakes up late: the last bit is spent awake
            if left > 150_000 {
                std::thread::sleep(Duration::from_nanos(left - 100_000));
            } else {
                std::hint::spin_loop();
            }
        }
    }

    /// The same, asleep to the end: for whoever shares the processors with those that are measured. What it wakes up late
    /// is latency.
    pub fn sleep(&self, tick: usize, now: impl Fn() -> u64) {
        let at = self.scheduled(((tick + 1) * self.tick).min(self.events));
        while self.due(now()) <= tick {
            // at least a little: a schedule rounds
            std::thread::sleep(Duration::from_nanos(at.saturating_sub(now()).max(1_000)));
        }
    }

    /// These ticks have their result at `now`.
    pub fn done(&mut self, ticks: Range<usize>, now: u64) {
        for event in ticks.start * self.tick..(ticks.end * self.tick).min(self.events) {
            self.latencies.saturating_record(now.saturating_sub(self.scheduled(event)));
        }
    }

    /// The latencies.
    pub fn latency(&self) -> Option<Spread> {
        let at = |q: f64| self.latencies.value_at_quantile(q) as f64 / 1e6;
        let count = self.latencies.len();
        (count > 0).then(|| Spread { count, p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1.0) })
    }

    fn scheduled(&self, event: usize) -> u64 {
        (event as f64 * 1e9 / self.rate_per_s) as u64
    }
}

/// Several ticks as one.
pub fn merge(ticks: &[Tick]) -> Tick {
    match ticks {
        [] => vec![],
        [one] => one.clone(),
        [first, ..] => (0..first.len())
            .map(|table| Batch::concat(&ticks.iter().map(|tick| tick[table].clone()).collect::<Vec<_>>()))
            .collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::Tier;
    use crate::spec::Spec;
    use crate::workload::Workload;

    fn pace(events: usize, tick: usize, rate: u64) -> Pace {
        let spec = Spec::new(Workload::Q3, events, tick);
        let request = Request { tier: Tier::T3, spec, workers: 1, files: None, rate_per_s: Some(rate), variant: None };
        Pace::of(&request).unwrap()
    }

    #[test]
    fn ticks_come_when_their_last_event_does() {
        let pace = pace(25, 10, 1000);
        assert_eq!([0, 9_999_999, 10_000_000, 24_999_999, 25_000_000].map(|ns| pace.due(ns)), [0, 0, 1, 2, 3]);
        assert_eq!(pace.ticks(), 3);
    }

    #[test]
    fn a_latency_begins_when_the_event_was_scheduled() {
        let mut pace = pace(1000, 1, 1000);
        // all thousand events, one a millisecond, have their result after two seconds
        pace.done(0..1000, 2_000_000_000);
        let latency = pace.latency().unwrap();
        assert_eq!(latency.count, 1000);
        assert!((latency.max - 2000.0).abs() < 2.0 && (latency.p50 - 1500.0).abs() < 2.0, "{latency:?}");
    }

    #[test]
    fn waiting_ends_when_the_tick_is_there() {
        let pace = pace(100, 10, 10_000);
        let begun = std::time::Instant::now();
        pace.wait(2, || begun.elapsed().as_nanos() as u64);
        assert!(begun.elapsed() >= Duration::from_millis(3));
        pace.sleep(9, || begun.elapsed().as_nanos() as u64);
        assert!(begun.elapsed() >= Duration::from_millis(10));
    }

    #[test]
    fn merged_ticks_hold_the_rows_of_all() {
        let spec = Spec::new(Workload::Q3, 300, 100);
        let ticks: Vec<Tick> = Workload::Q3.ticks(&spec, false).collect();
        let merged = merge(&ticks);
        assert_eq!(merged[0].len(), ticks.iter().map(|t| t[0].len()).sum::<usize>());
        assert_eq!(merged[1].len(), 6);
    }
}
