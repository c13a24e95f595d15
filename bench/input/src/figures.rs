//! What one measurement says.

use serde::{Deserialize, Serialize};

use crate::answer::Answer;
use crate::stopwatch::Stopwatch;

/// The figures of one run, in the field names of the [protocol](crate::protocol). What a contender does not measure is
/// left out (`null`).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Figures {
    /// The answer after the last tick, what was loaded before the clock started included.
    pub answer: Answer,
    /// CPU time of the process and all its children while the clock ran, s.
    pub cpu_s: f64,
    /// Wall time from the first byte or row to the last, s.
    pub wall_s: f64,
    /// Largest resident memory of all its processes, MB; in T3 without that of the input, which is there before.
    pub peak_mb: f64,
    /// From the start of the process (or of the query, if the process serves many) to the first row of its result, ms.
    #[serde(default)]
    pub first_ms: Option<f64>,
    /// Times of the ticks, ms: there is none where a contender does not work in ticks.
    #[serde(default)]
    pub ticks: Option<Spread>,
    /// Time from scheduled arrival to result in a paced run, ms.
    #[serde(default)]
    pub latency: Option<Spread>,
    /// What the reader must know about this run: a setting that was needed, a transient wrong row.
    #[serde(default)]
    pub note: Option<String>,
}

/// A distribution, ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Spread {
    /// How many.
    pub count: u64,
    /// Median.
    pub p50: f64,
    /// 99th percentile.
    pub p99: f64,
    /// 99.9th percentile.
    pub p999: f64,
    /// Largest.
    pub max: f64,
}

impl Spread {
    /// Of times in ns; `None` of none.
    pub fn of_ns(mut times: Vec<u64>) -> Option<Spread> {
        times.sort_unstable();
        let last = times.len().checked_sub(1)?;
        let at = |q: f64| times[((last as f64 * q).round() as usize).min(last)] as f64 / 1e6;
        Some(Spread { count: times.len() as u64, p50: at(0.5), p99: at(0.99), p999: at(0.999), max: at(1.0) })
    }
}

impl Figures {
    /// What a stopped watch says.
    pub fn of(answer: Answer, clock: &Stopwatch) -> Figures {
        Figures {
            answer,
            cpu_s: clock.cpu_ns() as f64 / 1e9,
            wall_s: clock.wall_ns() as f64 / 1e9,
            peak_mb: clock.peak_kb() as f64 / 1024.0,
            first_ms: clock.first_ns().map(|ns| ns as f64 / 1e6),
            ticks: Spread::of_ns(clock.ticks().to_vec()),
            ..Figures::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_distribution_has_its_quantiles() {
        let spread = Spread::of_ns((1..=1001).rev().map(|ms| ms * 1_000_000).collect()).unwrap();
        assert_eq!(spread, Spread { count: 1001, p50: 501.0, p99: 991.0, p999: 1000.0, max: 1001.0 });
        assert_eq!(Spread::of_ns(vec![]), None);
    }

    #[test]
    fn absent_figures_may_be_left_out_and_unknown_ones_are_refused() {
        let least = r#"{"answer":{"rows":2,"hash":18446744073709551615},"cpu_s":1.5,"wall_s":2.0,"peak_mb":10.0}"#;
        let figures: Figures = serde_json::from_str(least).unwrap();
        assert_eq!(figures.answer, Answer { rows: 2, hash: u64::MAX });
        assert_eq!((figures.first_ms, figures.ticks), (None, None));
        assert!(serde_json::from_str::<Figures>(&least.replace("cpu_s", "cpu")).is_err());
    }
}
