//! How long a rating is under way: from the moment that it happens to the change that it makes.
//!
//! The generator lets rating `i` happen at `start + (i - 1) × step`, and tells some of them late: their ROWTIME lies
//! before the moment at which they come. So the start is the largest `ROWTIME - (i - 1) × step` that was seen, and the
//! time under way is counted from the moment that the rating came, not from its ROWTIME.

use std::collections::VecDeque;

/// Ratings that count: some ten seconds of samples.
const SAMPLES_MAX: usize = 512;

/// See the module.
#[derive(Clone, Debug)]
pub(in crate::command::demo) struct Latency {
    step_ms: f64,
    start_ms: Option<f64>,
    /// The last of them, in milliseconds.
    samples: VecDeque<f64>,
}

impl Latency {
    pub(super) fn new(step_ms: f64) -> Self {
        Latency { step_ms, start_ms: None, samples: VecDeque::new() }
    }

    /// A rating's change is here.
    pub(super) fn seen(&mut self, rating_id: i64, row_time_ms: i64, wall_ms: i64) {
        let offset_ms = (rating_id - 1) as f64 * self.step_ms;
        // ROWTIME is rounded down
        let told = row_time_ms as f64 + 1.0 - offset_ms;
        let start_ms = self.start_ms.map_or(told, |known| known.max(told));
        self.start_ms = Some(start_ms);
        self.samples.push_back((wall_ms as f64 - start_ms - offset_ms).max(0.0));
        if self.samples.len() > SAMPLES_MAX {
            self.samples.pop_front();
        }
    }

    /// So many of a hundred took at most this long, in milliseconds.
    pub(in crate::command::demo) fn percentile(&self, of_hundred: usize) -> Option<f64> {
        let mut sorted: Vec<f64> = self.samples.iter().copied().collect();
        sorted.sort_by(f64::total_cmp);
        sorted.get((sorted.len() * of_hundred / 100).min(sorted.len().checked_sub(1)?)).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ratings_that_are_told_late_are_not_slow() {
        let mut latency = Latency::new(5.0);
        assert_eq!(latency.percentile(50), None);
        for id in 1..=200 {
            let happens = 1_000_000 + (id - 1) * 5;
            // every tenth is told with an old time, and one of them takes long
            let row_time = if id % 10 == 3 { happens - 2_000 } else { happens };
            let under_way = if id == 150 { 80 } else { 4 };
            latency.seen(id, row_time, happens + under_way);
        }
        assert_eq!((latency.percentile(50), latency.percentile(99)), (Some(3.0), Some(3.0)));
        assert_eq!(latency.percentile(100), Some(79.0));
    }
}
