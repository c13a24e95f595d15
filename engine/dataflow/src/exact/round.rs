//! From large integers to the nearest double.
//!
//! Quotients are rounded once, too: the integer is divided with enough bits to spare, and what remains only says whether
//! the quotient is above what its bits say.

use smallvec::SmallVec;

use super::{SQUARE_UNIT, SUM_UNIT};

/// Words of a large integer, lowest first.
type Words = SmallVec<[u64; 12]>;

/// Words of a dividend that are divided, beyond one per divisor, so that more than 64 bits of the quotient are left.
const QUOTIENT_WORDS: usize = 2;

/// Sign and magnitude of two's complement words; no leading zeros.
pub(super) fn magnitude(words: &[u64]) -> (bool, Words) {
    let negative = words.last().is_some_and(|top| (*top as i64) < 0);
    let mut out = Words::from_slice(words);
    if negative {
        let mut carry = true;
        for word in &mut out {
            (*word, carry) = (!*word).overflowing_add(u64::from(carry));
        }
    }
    trim(&mut out);
    (negative, out)
}

fn trim(words: &mut Words) {
    while words.last() == Some(&0) {
        words.pop();
    }
}

/// The double nearest to an integer in two's complement times 2^`exponent`.
pub(crate) fn round(words: &[u64], exponent: i32) -> f64 {
    let (negative, magnitude) = magnitude(words);
    signed(negative, round_magnitude(&magnitude, exponent, false))
}

fn signed(negative: bool, x: f64) -> f64 {
    if negative { -x } else { x }
}

/// The double nearest to `words` × 2^`exponent`, or, if `more`, to something between that and one unit above. There must
/// be more than 54 bits then.
fn round_magnitude(words: &[u64], exponent: i32, more: bool) -> f64 {
    let Some(top) = words.iter().rposition(|word| *word != 0) else { return 0.0 };
    let bits = top as i32 * 64 + 64 - words[top].leading_zeros() as i32;
    // the power of two of the last bit that a double of this size has
    let last = (bits - 1 + exponent - 52).max(SUM_UNIT);
    let drop = last - exponent;
    let (mut mantissa, mut half, mut below) = (0, false, more);
    if drop <= 0 {
        // all bits are kept
        mantissa = bits_at(words, 0) << -drop;
    } else if drop <= bits {
        mantissa = if drop < bits { bits_at(words, drop as u32) } else { 0 };
        half = bits_at(words, drop as u32 - 1) & 1 == 1;
        below |= any_below(words, drop as u32 - 1);
    } else {
        // less than half of the smallest double
        below = true;
    }
    if half && (below || mantissa & 1 == 1) {
        mantissa += 1;
    }
    // a subnormal's exponent is that of the least normal one; the hidden bit, where there is one, makes up for it, and a
    // mantissa that was rounded up to the next power of two carries into the exponent
    let biased = (last - SUM_UNIT) as u64;
    if biased > 2045 {
        return f64::INFINITY;
    }
    f64::from_bits((biased << 52) + mantissa)
}

/// 64 bits from bit `at` on.
fn bits_at(words: &[u64], at: u32) -> u64 {
    let (i, shift) = ((at / 64) as usize, at % 64);
    let low = words.get(i).copied().unwrap_or(0) >> shift;
    let high = if shift == 0 { 0 } else { words.get(i + 1).copied().unwrap_or(0) << (64 - shift) };
    low | high
}

/// Whether a bit below bit `at` is set.
fn any_below(words: &[u64], at: u32) -> bool {
    let (i, shift) = ((at / 64) as usize, at % 64);
    words[..i].iter().any(|word| *word != 0) || words[i] & ((1u64 << shift) - 1) != 0
}

/// The double nearest to an integer times 2^`exponent`, divided by `divisors`, none of which is 0, one after the other.
fn quotient(negative: bool, mut words: Words, mut exponent: i32, divisors: &[u64]) -> f64 {
    trim(&mut words);
    let (mut more, n_words) = (false, divisors.len() + QUOTIENT_WORDS);
    if words.is_empty() {
        return 0.0;
    }
    if words.len() < n_words {
        let zeros = n_words - words.len();
        words.insert_many(0, std::iter::repeat_n(0, zeros));
        exponent -= zeros as i32 * 64;
    } else {
        let low = words.len() - n_words;
        more = words.drain(..low).any(|word| word != 0);
        exponent += low as i32 * 64;
    }
    for divisor in divisors {
        let mut rest = 0u64;
        for word in words.iter_mut().rev() {
            let dividend = u128::from(rest) << 64 | u128::from(*word);
            *word = (dividend / u128::from(*divisor)) as u64;
            rest = (dividend % u128::from(*divisor)) as u64;
        }
        more |= rest != 0;
    }
    signed(negative, round_magnitude(&words, exponent, more))
}

/// The double nearest to an integer in two's complement times 2^`exponent`, divided by all of `divisors`.
pub(crate) fn divided(words: &[u64], exponent: i32, divisors: &[u64]) -> f64 {
    let (negative, magnitude) = magnitude(words);
    quotient(negative, magnitude, exponent, divisors)
}

/// The double nearest to `n Σx² − (Σx)²` divided by all of `divisors`, from the two sums (words, place of the first).
pub(crate) fn spread(sum: (&[u64], usize), squares: (&[u64], usize), n: i64, divisors: &[u64]) -> f64 {
    let n = n.unsigned_abs();
    let (_, s) = magnitude(sum.0);
    let (_, q) = magnitude(squares.0);
    // the difference is not below 0; in words from the lower of the two places on
    let base = (2 * sum.1).min(squares.1);
    let mut numerator = Words::new();
    numerator.resize((q.len() + squares.1 + 2).max(2 * (s.len() + sum.1) + 1) - base, 0);
    let mut carry = 0;
    for (i, word) in q.iter().copied().chain([0]).enumerate() {
        let product = u128::from(word) * u128::from(n) + carry;
        numerator[squares.1 - base + i] = product as u64;
        carry = product >> 64;
    }
    subtract_square(&mut numerator[2 * sum.1 - base..], &s);
    quotient(false, numerator, SQUARE_UNIT + base as i32 * 64, divisors)
}

/// Takes the square of `x` away.
fn subtract_square(words: &mut [u64], x: &[u64]) {
    for (i, a) in x.iter().enumerate() {
        let mut carry = 0u128;
        let mut borrow = false;
        for (j, b) in x.iter().copied().chain(std::iter::repeat(0)).enumerate() {
            if j >= x.len() && carry == 0 && !borrow || i + j >= words.len() {
                break;
            }
            let product = u128::from(*a) * u128::from(b) + carry;
            carry = product >> 64;
            let (word, under) = words[i + j].overflowing_sub(product as u64);
            let (word, again) = word.overflowing_sub(u64::from(borrow));
            words[i + j] = word;
            borrow = under | again;
        }
    }
}
