//! Exact sums of DOUBLEs: what SUM, AVG, VARIANCE and STDDEV say depends on the multiset of values alone.
//!
//! A finite double is an integer times a power of two, so a sum of doubles is one large integer in units of 2^−1074, and
//! a sum of their squares one in units of 2^−2148. It is kept as two's complement words, lowest first, and rounded once,
//! when it is asked for. Addition and subtraction of such integers are exact, in any order.
//!
//! ```text
//! place      0        1        2   …          a word of 64 bits each; bit 0 of place 0 is the unit
//!                   [ w0 | w1 | w2 | w3 ]     narrow: N words from place `base` on; most groups need no more
//! wide     [ w0 | w1 | w2 | …        | w33 ]  all places, for groups whose values are far apart
//! ```
//! # Contract
//! * The value of a group is the sum of what was added, whatever the order, and whichever form it is in.
//! * Rounding is to the nearest double, ties to even, once; beyond the largest double it is an infinity.
//! * NaN and infinities are counted apart by the callers: what is added here is finite.

mod round;
#[cfg(test)]
mod tests;

pub(crate) use round::{divided, round, spread};

use crate::by_group::ByGroup;

/// Places of a sum: 2^−1074 … 2^1024, a weight of 63 bits, a sign.
const SUM_PLACES: usize = (1074 + 1024 + 63 + 1_usize).div_ceil(64);
/// Places of a sum of squares.
const SQUARE_PLACES: usize = (2 * (1074 + 1024) + 63 + 1_usize).div_ceil(64);
/// Power of two of the unit of a sum.
pub(crate) const SUM_UNIT: i32 = -1074;
/// Power of two of the unit of a sum of squares.
pub(crate) const SQUARE_UNIT: i32 = 2 * SUM_UNIT;

/// The place of the first word of a sum.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Base(u8);

/// Nothing was added.
const UNSET: Base = Base(u8::MAX);
/// The first word says which wide sum it is.
const WIDE: Base = Base(u8::MAX - 1);

impl Default for Base {
    fn default() -> Self {
        UNSET
    }
}

/// Sums of doubles, one per group: 33 bytes each in the common case.
pub(crate) type Sums = Table<4, SUM_PLACES>;
/// Sums of squares of doubles, one per group: 49 bytes each in the common case.
pub(crate) type Squares = Table<6, SQUARE_PLACES>;

/// Large integers by group; see the module.
#[derive(Debug)]
pub(crate) struct Table<const N: usize, const PLACES: usize> {
    words: ByGroup<[u64; N]>,
    /// The place of the first word, [`UNSET`] or [`WIDE`].
    base: ByGroup<Base>,
    wide: Vec<Box<[u64; PLACES]>>,
    free: Vec<u32>,
}

impl<const N: usize, const PLACES: usize> Table<N, PLACES>
where
    [u64; N]: Default,
{
    pub(crate) fn new() -> Self {
        Table { words: ByGroup::new(), base: ByGroup::new(), wide: vec![], free: vec![] }
    }

    /// Room for groups below `groups`; new ones are 0.
    pub(crate) fn grow(&mut self, groups: usize) {
        self.words.grow(groups);
        self.base.grow(groups);
    }

    /// Adds `magnitude` × 2^`position` units, or takes it away.
    #[inline]
    pub(crate) fn add(&mut self, group: usize, magnitude: u128, position: u32, negative: bool) {
        if magnitude == 0 {
            return;
        }
        let (place, bits) = ((position / 64) as usize, position % 64);
        // at most 127 + 63 bits
        let low = magnitude << bits;
        let high = if bits == 0 { 0 } else { magnitude >> (128 - bits) };
        let parts = [low as u64, (low >> 64) as u64, high as u64];
        let n_parts = if parts[2] != 0 { 3 } else { 1 + usize::from(parts[1] != 0) };
        let base = self.base[group];
        if base != WIDE && base != UNSET {
            let base = base.0 as usize;
            if place >= base && place + n_parts <= base + N {
                let mut words = self.words[group];
                if !add_parts(&mut words, place - base, parts, negative) {
                    self.words[group] = words;
                    return;
                }
            }
        }
        self.add_slow(group, place, n_parts, parts, negative);
    }

    /// The first addition, one that does not fit the words, or one to a wide sum.
    #[cold]
    fn add_slow(&mut self, group: usize, place: usize, n_parts: usize, parts: [u64; 3], negative: bool) {
        let base = self.base[group];
        if base == UNSET {
            // a word of room below: later values are more often a little finer than a lot
            let base = place.saturating_sub(1).min(PLACES - N);
            let mut words = [0; N];
            if place + n_parts <= base + N && !add_parts(&mut words, place - base, parts, negative) {
                self.base[group] = Base(base as u8);
                self.words[group] = words;
                return;
            }
        } else if base != WIDE && self.shift(group, place, n_parts) {
            let mut words = self.words[group];
            if !add_parts(&mut words, place - self.base[group].0 as usize, parts, negative) {
                self.words[group] = words;
                return;
            }
        }
        let wide = self.widen(group);
        let overflow = add_parts(wide.as_mut_slice(), place, parts, negative);
        debug_assert!(!overflow, "all doubles with weights of 63 bits fit");
    }

    /// Moves the words to another base where both their value and the new parts have room.
    fn shift(&mut self, group: usize, place: usize, n_parts: usize) -> bool {
        let (base, words) = (self.base[group].0 as usize, self.words[group]);
        let fill = if (words[N - 1] as i64) < 0 { u64::MAX } else { 0 };
        // words that say something: others are zero from below, or the sign from above
        let first = words.iter().position(|word| *word != 0).unwrap_or(N);
        let last = (0..N).rev().find(|i| words[*i] != fill).map_or(first, |i| i + 1);
        let (lower, upper) = if first == N {
            (place, place + n_parts)
        } else {
            (place.min(base + first), (place + n_parts).max(base + last))
        };
        // a word of room above for the sign and for carries
        if upper + 1 - lower > N {
            return false;
        }
        let new = lower.min(PLACES - N);
        let at = |place: usize| match place.checked_sub(base) {
            Some(i) if i < N => words[i],
            Some(_) => fill,
            None => 0,
        };
        self.words[group] = std::array::from_fn(|i| at(new + i));
        self.base[group] = Base(new as u8);
        true
    }

    fn widen(&mut self, group: usize) -> &mut [u64; PLACES] {
        if self.base[group] != WIDE {
            let mut all = [0; PLACES];
            if self.base[group] != UNSET {
                let (base, words) = (self.base[group].0 as usize, self.words[group]);
                all[base..base + N].copy_from_slice(&words);
                all[base + N..].fill(if (words[N - 1] as i64) < 0 { u64::MAX } else { 0 });
            }
            let at = self.free.pop().unwrap_or_else(|| {
                self.wide.push(Box::new([0; PLACES]));
                self.wide.len() as u32 - 1
            });
            *self.wide[at as usize] = all;
            self.words[group][0] = u64::from(at);
            self.base[group] = WIDE;
        }
        &mut self.wide[self.words[group][0] as usize]
    }

    /// The words of a group and the place of the first one.
    pub(crate) fn value(&self, group: usize) -> (&[u64], usize) {
        match self.base[group] {
            UNSET => (&[], 0),
            WIDE => (self.wide[self.words[group][0] as usize].as_slice(), 0),
            base => (&self.words[group], base.0 as usize),
        }
    }

    /// Adds the value of `from` to that of `into`.
    pub(crate) fn merge(&mut self, from: usize, into: usize) {
        let (words, base) = self.value(from);
        let (negative, magnitude) = round::magnitude(words);
        for (i, word) in magnitude.iter().enumerate().filter(|(_, word)| **word != 0) {
            self.add(into, u128::from(*word), ((base + i) * 64) as u32, negative);
        }
    }

    /// The group is 0 again, and narrow.
    pub(crate) fn clear(&mut self, group: usize) {
        if self.base[group] == WIDE {
            self.free.push(self.words[group][0] as u32);
        }
        self.words[group] = [0; N];
        self.base[group] = UNSET;
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.words.memory_bytes()
            + self.base.memory_bytes()
            + self.wide.len() * size_of::<[u64; PLACES]>()
            + (self.wide.capacity() + self.free.capacity()) * 8
    }
}

/// Adds to words, or takes away, from word `at` on. Whether the sum does not fit; the words are of no use then.
#[inline]
fn add_parts(words: &mut [u64], at: usize, parts: [u64; 3], negative: bool) -> bool {
    let top = words.len() - 1;
    let before = words[top] as i64 >= 0;
    let mut carry = false;
    for (i, word) in words[at..].iter_mut().enumerate() {
        let part = if i < 3 { parts[i] } else { 0 };
        if i >= 3 && !carry {
            break;
        }
        let (sum, over) = if negative { word.overflowing_sub(part) } else { word.overflowing_add(part) };
        let (sum, again) =
            if negative { sum.overflowing_sub(u64::from(carry)) } else { sum.overflowing_add(u64::from(carry)) };
        *word = sum;
        carry = over | again;
    }
    let after = words[top] as i64 >= 0;
    // only a sum of equal signs can leave the range
    (before != negative) && (before != after)
}

/// A finite double as sign, integer and position of its lowest bit in units of 2^−1074.
#[inline]
pub(crate) fn parts(x: f64) -> (bool, u64, u32) {
    let bits = x.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as u32;
    let fraction = bits & ((1 << 52) - 1);
    let mantissa = if exponent == 0 { fraction } else { fraction | 1 << 52 };
    (bits >> 63 != 0, mantissa, exponent.max(1) - 1)
}

impl Sums {
    /// Adds `x`, which is finite, `weight` times.
    #[inline]
    pub(crate) fn add_value(&mut self, group: usize, x: f64, weight: i64) {
        let (negative, mantissa, position) = parts(x);
        let magnitude = u128::from(mantissa) * u128::from(weight.unsigned_abs());
        self.add(group, magnitude, position, negative != (weight < 0));
    }

    /// The sum, rounded.
    #[inline]
    pub(crate) fn rounded(&self, group: usize) -> f64 {
        let (words, base) = self.value(group);
        round(words, base as i32 * 64 + SUM_UNIT)
    }

    /// The sum divided by all of `divisors`, rounded once.
    pub(crate) fn divided(&self, group: usize, divisors: &[u64]) -> f64 {
        let (words, base) = self.value(group);
        divided(words, base as i32 * 64 + SUM_UNIT, divisors)
    }
}

impl Squares {
    /// Adds the square of `x`, which is finite, `weight` times.
    #[inline]
    pub(crate) fn add_square(&mut self, group: usize, x: f64, weight: i64) {
        let (_, mantissa, position) = parts(x);
        let square = u128::from(mantissa) * u128::from(mantissa);
        let (times, negative) = (u128::from(weight.unsigned_abs()), weight < 0);
        if times == 1 {
            return self.add(group, square, 2 * position, negative);
        }
        // a square of 106 bits times a weight of 63 is added in two pieces
        self.add(group, (square & u128::from(u64::MAX)) * times, 2 * position, negative);
        self.add(group, (square >> 64) * times, 2 * position + 64, negative);
    }
}
