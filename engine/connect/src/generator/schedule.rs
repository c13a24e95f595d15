//! When rows happen, and when they are due.
//!
//! Row `i` happens at `start + i × step`, computed from `i` alone, so that no error adds up however long it runs. Some
//! rows are told late: their event time lies before that of rows in front of them. A paced source stamps around the
//! wall clock and row `i` is due when its time has come; an unpaced one starts at a fixed time, so that runs repeat.

use super::draw::Lane;

/// Event time of row 0 of an unpaced generator: 2024-01-01T00:00:00Z, epoch ms.
pub(super) const EPOCH_MS: i64 = 1_704_067_200_000;

/// How many rows are told late, and by how much.
#[derive(Clone, Copy)]
pub(super) struct Disorder {
    /// Of ten thousand rows, so many come a little late: 1 ms up to `few_ms_max`.
    pub(super) few_per_10k: u64,
    pub(super) few_ms_max: u64,
    /// Of ten thousand rows, so many come very late: up to `late_ms_max`.
    pub(super) late_per_10k: u64,
    pub(super) late_ms_max: u64,
}

impl Disorder {
    pub(super) const NONE: Disorder = Disorder { few_per_10k: 0, few_ms_max: 0, late_per_10k: 0, late_ms_max: 0 };
}

/// See the module.
#[derive(Clone, Copy)]
pub(super) struct Schedule {
    pub(super) start_ms: i64,
    /// Milliseconds of event time from row to row.
    pub(super) step_ms: f64,
    pub(super) disorder: Disorder,
    pub(super) lane: Lane,
}

impl Schedule {
    /// Event time of a row, epoch ms.
    #[inline]
    pub(super) fn time(&self, row: u64) -> i64 {
        self.start_ms + (row as f64 * self.step_ms) as i64 - self.delay_ms(row)
    }

    #[inline]
    fn delay_ms(&self, row: u64) -> i64 {
        let Disorder { few_per_10k, few_ms_max, late_per_10k, late_ms_max } = self.disorder;
        let draw = self.lane.at(row);
        let chance = draw.below(10_000);
        if chance >= few_per_10k + late_per_10k {
            return 0;
        }
        let (max, shift) = if chance < late_per_10k { (late_ms_max, 1) } else { (few_ms_max, 2) };
        1 + self.lane.at(row ^ (shift << 62)).below(max) as i64
    }
}

/// How many of a paced source's rows are due `elapsed_ns` after its start: the first at once.
pub(super) fn rows_due(elapsed_ns: u64, rows_per_second: f64) -> u64 {
    (elapsed_ns as f64 * rows_per_second / 1e9) as u64 + 1
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_error_adds_up() {
        let lane = Lane::new(0, 0);
        let schedule = Schedule { start_ms: 5, step_ms: 1000.0 / 3.0, disorder: Disorder::NONE, lane };
        assert_eq!(schedule.time(0), 5);
        assert_eq!(schedule.time(3_000_000_000), 1_000_000_000_005);
        assert_eq!(rows_due(0, 3.0), 1);
        assert_eq!(rows_due(1_000_000_000 * 1_000_000, 3.0), 3_000_001);
    }

    #[test]
    fn some_rows_are_told_late() {
        let disorder = Disorder { few_per_10k: 500, few_ms_max: 2_000, late_per_10k: 20, late_ms_max: 60_000 };
        let schedule = Schedule { start_ms: 0, step_ms: 100.0, disorder, lane: Lane::new(3, 0) };
        let delays: Vec<i64> = (0..10_000).map(|i| i * 100 - schedule.time(i as u64)).collect();
        let few = delays.iter().filter(|d| (1..=2_000).contains(*d)).count();
        let late = delays.iter().filter(|d| **d > 2_000).count();
        assert!((400..600).contains(&few) && (5..40).contains(&late), "{few} {late}");
        assert!(delays.iter().all(|d| (0..=60_000).contains(d)));
    }
}
