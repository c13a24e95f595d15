//! Random numbers by position.
//!
//! A value is a function of (seed, lane, row) and of nothing else: no state is carried from row to row, so rows come out
//! the same whatever the batches, a column can be made without the others, and two columns agree on a decision by
//! drawing it from the same lane.

use std::fmt::{self, Write};

use arrow::array::{ArrayRef, Int64Array, StringBuilder};

use super::schedule::Schedule;

/// Rows `start..start + times.len()` to be made.
pub(super) struct Rows<'a> {
    pub(super) seed: u64,
    pub(super) start: u64,
    /// Event time of each row, epoch ms.
    pub(super) times: &'a [i64],
    pub(super) schedule: &'a Schedule,
}

/// One sequence of draws; lanes of one seed are independent of each other.
#[derive(Clone, Copy)]
pub(super) struct Lane {
    key: u64,
}

/// 64 random bits.
#[derive(Clone, Copy)]
pub(super) struct Draw(u64);

impl Rows<'_> {
    pub(super) fn len(&self) -> usize {
        self.times.len()
    }
    /// The row numbers, from 0 at the start of the generator.
    pub(super) fn numbers(&self) -> impl Iterator<Item = u64> {
        self.start..self.start + self.times.len() as u64
    }
    pub(super) fn lane(&self, lane: u64) -> Lane {
        Lane::new(self.seed, lane)
    }

    /// A BIGINT column.
    pub(super) fn bigints(&self, value: impl FnMut(u64) -> i64) -> ArrayRef {
        std::sync::Arc::new(Int64Array::from_iter_values(self.numbers().map(value)))
    }
    /// The event times as a BIGINT column.
    pub(super) fn time_column(&self) -> ArrayRef {
        std::sync::Arc::new(Int64Array::from_iter_values(self.times.iter().copied()))
    }
    /// A VARCHAR column of texts that exist.
    pub(super) fn texts<'t>(&self, bytes_per_row: usize, mut value: impl FnMut(u64) -> &'t str) -> ArrayRef {
        let mut builder = StringBuilder::with_capacity(self.len(), self.len() * bytes_per_row);
        self.numbers().for_each(|row| builder.append_value(value(row)));
        std::sync::Arc::new(builder.finish())
    }
    /// A VARCHAR column of texts that are put together: `value` writes one.
    pub(super) fn written(&self, bytes_per_row: usize, mut value: impl FnMut(u64, &mut Text)) -> ArrayRef {
        let mut text = Text(StringBuilder::with_capacity(self.len(), self.len() * bytes_per_row));
        for row in self.numbers() {
            value(row, &mut text);
            // ends the value that was written piece by piece
            text.0.append_value("");
        }
        std::sync::Arc::new(text.0.finish())
    }
}

impl Lane {
    pub(super) fn new(seed: u64, lane: u64) -> Self {
        Lane { key: finish(seed ^ finish(lane.wrapping_mul(STEP))) }
    }
    #[inline]
    pub(super) fn at(self, position: u64) -> Draw {
        Draw(finish(self.key.wrapping_add(position.wrapping_mul(STEP))))
    }
}

impl Draw {
    /// Uniform in `0..n`.
    #[inline]
    pub(super) fn below(self, n: u64) -> u64 {
        ((u128::from(self.0) * u128::from(n)) >> 64) as u64
    }
    /// In `0..n`, small numbers far more often: the popular few and the long tail.
    #[inline]
    pub(super) fn skewed(self, n: u64) -> u64 {
        let high = self.0 >> 32;
        let low = self.0 & 0xffff_ffff;
        // the product of two uniform numbers
        ((u128::from(high * low) * u128::from(n)) >> 64) as u64
    }
    /// True in so many of a thousand.
    #[inline]
    pub(super) fn permille(self, of_thousand: u64) -> bool {
        self.below(1000) < of_thousand
    }
    /// One of them.
    #[inline]
    pub(super) fn pick<T: Copy>(self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }
}

/// A text in the making.
pub(super) struct Text(StringBuilder);

impl Text {
    #[inline]
    pub(super) fn push(&mut self, piece: &str) {
        // appending to memory cannot fail
        let _ = self.0.write_str(piece);
    }
    pub(super) fn push_fmt(&mut self, piece: fmt::Arguments<'_>) {
        let _ = self.0.write_fmt(piece);
    }
}

const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

/// SplitMix64's finish.
#[inline]
fn finish(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lanes_and_positions_differ_and_repeat() {
        let lane = Lane::new(7, 1);
        assert_eq!(lane.at(3).0, Lane::new(7, 1).at(3).0);
        assert_ne!(lane.at(3).0, lane.at(4).0);
        assert_ne!(lane.at(3).0, Lane::new(7, 2).at(3).0);
        assert_ne!(lane.at(3).0, Lane::new(8, 1).at(3).0);
    }

    #[test]
    fn draws_are_spread_as_they_say() {
        let lane = Lane::new(1, 1);
        let mut tens = [0u32; 10];
        let (mut skewed_low, mut hits) = (0, 0);
        for i in 0..10_000 {
            tens[lane.at(i).below(10) as usize] += 1;
            skewed_low += u32::from(lane.at(i).skewed(1000) < 100);
            hits += u32::from(lane.at(i).permille(20));
        }
        assert!(tens.iter().all(|n| (900..1100).contains(n)), "{tens:?}");
        // P(UV < 0.1) = 0.1 (1 - ln 0.1) = 0.33
        assert!((3100..3500).contains(&skewed_low), "{skewed_low}");
        assert!((150..250).contains(&hits), "{hits}");
    }
}
