//! What arrives: rows so far, rows per second, and some of the last rows of each source.

use std::collections::VecDeque;

use millrace_session::SourceProgress;

use crate::command::demo::watch::SOURCES;

/// A rate is measured over this time.
const RATE_OVER_US: u64 = 1_000_000;

/// Rates of the past that are kept, one for each report.
const HISTORY_MAX: usize = 120;

/// Samples of a source that are kept.
const SAMPLES_MAX: usize = 24;

/// Between two samples of a source.
const SAMPLE_EVERY_MS: u64 = 250;

/// See the module.
#[derive(Clone, Debug, Default)]
pub(in crate::command::demo) struct Sources {
    all: [Arriving; SOURCES.len()],
    /// Rows per second over all sources, report by report.
    pub(in crate::command::demo) history: VecDeque<u64>,
}

/// A source.
#[derive(Clone, Debug, Default)]
pub(in crate::command::demo) struct Arriving {
    pub(in crate::command::demo) rows: u64,
    /// Rows per second.
    pub(in crate::command::demo) rate: f64,
    /// Newest last.
    pub(in crate::command::demo) samples: VecDeque<String>,
    sampled_ms: Option<u64>,
    /// Counts of the last second: when, how many.
    counts: VecDeque<(u64, u64)>,
}

impl Sources {
    /// How far they are.
    pub(super) fn counted(&mut self, progress: &[SourceProgress], now_us: u64) {
        for (arriving, source) in self.all.iter_mut().zip(&SOURCES) {
            let Some(counted) = progress.iter().find(|p| p.relation == source.generated) else { continue };
            arriving.count(counted.rows, now_us);
        }
        self.history.push_back(self.rate() as u64);
        if self.history.len() > HISTORY_MAX {
            self.history.pop_front();
        }
    }

    /// A row of one of them.
    pub(super) fn sample(&mut self, source: usize, row: String, now_ms: u64) {
        let arriving = &mut self.all[source];
        if arriving.sampled_ms.is_some_and(|last| now_ms < last + SAMPLE_EVERY_MS) {
            return;
        }
        arriving.sampled_ms = Some(now_ms);
        arriving.samples.push_back(row);
        if arriving.samples.len() > SAMPLES_MAX {
            arriving.samples.pop_front();
        }
    }

    /// All, in the order of [`SOURCES`].
    pub(in crate::command::demo) fn all(&self) -> impl Iterator<Item = (&'static str, &Arriving)> {
        SOURCES.iter().map(|source| source.name).zip(&self.all)
    }

    /// Rows so far.
    pub(in crate::command::demo) fn rows(&self) -> u64 {
        self.all.iter().map(|source| source.rows).sum()
    }

    /// Rows per second.
    pub(in crate::command::demo) fn rate(&self) -> f64 {
        self.all.iter().map(|source| source.rate).sum()
    }
}

impl Arriving {
    fn count(&mut self, rows: u64, now_us: u64) {
        self.rows = rows;
        self.counts.push_back((now_us, rows));
        while self.counts.len() > 2 && self.counts[1].0 + RATE_OVER_US <= now_us {
            self.counts.pop_front();
        }
        let (since_us, before) = self.counts[0];
        if now_us > since_us {
            self.rate = (rows - before) as f64 * 1e6 / (now_us - since_us) as f64;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(relation: &str, rows: u64) -> SourceProgress {
        let relation = relation.to_owned();
        SourceProgress { relation, rows, rows_total: None, bytes: 0, bytes_total: None, ended: false }
    }

    #[test]
    fn rates_are_those_of_the_last_second() {
        let mut sources = Sources::default();
        for quarter in 0..=8 {
            let counts = [progress("RATINGS", quarter * 50), progress("WEB_CLICKS", 7), progress("ELSE", 1)];
            sources.counted(&counts, quarter * 250_000);
        }
        let rates: Vec<(&str, f64)> = sources.all().map(|(name, a)| (name, a.rate)).take(2).collect();
        assert_eq!(rates, [("RATINGS", 200.0), ("CLICKSTREAM", 0.0)]);
        assert_eq!((sources.rows(), sources.history.back()), (407, Some(&200)));
    }

    #[test]
    fn samples_come_at_a_pace_that_one_can_read() {
        let mut sources = Sources::default();
        (0..100).for_each(|i| sources.sample(0, format!("row {i}"), i * 10));
        let samples = &sources.all().next().expect("ratings").1.samples;
        assert_eq!(samples.iter().collect::<Vec<_>>(), ["row 0", "row 25", "row 50", "row 75"]);
    }
}
