//! Everything that decides an input: equal specs give equal rows.

use serde::{Deserialize, Serialize};

use crate::workload::Workload;

/// The knobs. All are printed beside the figures.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spec {
    /// What is asked, over which tables.
    pub workload: Workload,
    /// Changes that are measured, over all tables.
    pub events: usize,
    /// Changes of one tick, over all tables.
    pub tick: usize,
    /// Changes before the clock starts: the state that is there. In ticks of their own, of [`LOAD_TICK`] changes.
    #[serde(default)]
    pub load: usize,
    /// Seed of the generator.
    pub seed: u64,
    /// Event time from one event to the next, µs.
    pub spacing_us: u64,
    /// Events come up to so many ms later than their event time says.
    pub disorder_ms: u64,
    /// Of a hundred changes, so many change or take back an earlier row, half and half.
    pub updates_percent: u32,
}

/// Changes of a tick before the clock starts.
pub const LOAD_TICK: usize = 100_000;

impl Spec {
    /// Nexmark's usual knobs: 10,000 events per second of event time, in order, nothing taken back.
    pub fn new(workload: Workload, events: usize, tick: usize) -> Spec {
        let (seed, spacing_us) = (42, 100);
        Spec { workload, events, tick, load: 0, seed, spacing_us, disorder_ms: 0, updates_percent: 0 }
    }

    /// Sizes of all ticks, and how many of them come before the clock starts.
    pub fn sizes(&self) -> (Vec<usize>, usize) {
        let cut = |n: usize, tick: usize| (0..n.div_ceil(tick)).map(move |i| tick.min(n - i * tick));
        let load_ticks = self.load.div_ceil(LOAD_TICK);
        (cut(self.load, LOAD_TICK).chain(cut(self.events, self.tick.max(1))).collect(), load_ticks)
    }

    /// A name for files: differs where specs differ.
    pub fn key(&self) -> String {
        let Spec { workload, events, tick, load, seed, spacing_us, disorder_ms, updates_percent } = self;
        format!(
            "{workload}-{events}x{tick}-load{load}-seed{seed}-every{spacing_us}us-late{disorder_ms}ms-updates{updates_percent}"
        )
    }

    /// Event time of an event, epoch ms, before disorder.
    pub fn time_ms(&self, event: u64) -> i64 {
        BASE_MS + (event * self.spacing_us / 1000) as i64
    }
}

/// Event time of the first event, epoch ms.
pub const BASE_MS: i64 = 1_600_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_cover_all_changes() {
        let mut spec = Spec::new(Workload::Q3, 25, 10);
        assert_eq!(spec.sizes(), (vec![10, 10, 5], 0));
        spec.load = LOAD_TICK + 1;
        assert_eq!(spec.sizes(), (vec![LOAD_TICK, 1, 10, 10, 5], 2));
    }

    #[test]
    fn event_time_follows_the_spacing() {
        let mut spec = Spec::new(Workload::Q3, 25, 10);
        assert_eq!([0, 9, 10, 25].map(|e| spec.time_ms(e) - BASE_MS), [0, 0, 1, 2]);
        spec.spacing_us = 10_000;
        assert_eq!(spec.time_ms(3) - BASE_MS, 30);
    }

    #[test]
    fn a_spec_survives_its_text() {
        let spec = Spec { load: 5, ..Spec::new(Workload::JoinMaxRandom, 1, 2) };
        let text = serde_json::to_string(&spec).unwrap();
        assert!(text.contains(r#""workload":"join-max-random""#), "{text}");
        assert_eq!(serde_json::from_str::<Spec>(&text).unwrap(), spec);
    }
}
