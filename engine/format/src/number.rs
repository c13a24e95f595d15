//! Numbers from their digits, without detours: eight digits at a time, no rounding where none is due.
//!
//! [`scan`] reads a number and keeps its first nineteen digits and a power of ten; what is asked for is made from these,
//! or from the text itself when there are more digits than that. Integers and decimals never pass through a float.

use millrace_data::canonical::canonical_f64;

use crate::error::{Expected, Reason, SqlType};

/// Powers of ten that a float holds exactly.
const POWERS_F64: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20,
    1e21, 1e22,
];

/// Digits that certainly fit into 64 bits.
const DIGITS_MAX: usize = 19;

/// A number as it stands in a text.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Number<'a> {
    text: &'a [u8],
    negative: bool,
    /// All digits as one integer, if there are at most [`DIGITS_MAX`].
    mantissa: u64,
    /// The value is mantissa × 10^exponent.
    exponent: i32,
    /// Whether the mantissa has all digits.
    whole: bool,
    /// Digits alone: no point, no exponent.
    integer: bool,
}

/// What is allowed beyond JSON's grammar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Grammar {
    /// RFC 8259.
    Json,
    /// As people write them into text files: also `+1`, `.5`, `5.`, `007`.
    Lenient,
}

/// Eight bytes from `at`, the first one lowest; zeros behind the end.
#[inline(always)]
pub(crate) fn word(bytes: &[u8], at: usize) -> u64 {
    match bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        Some(chunk) => u64::from_le_bytes(*chunk),
        None => word_at_end(bytes, at),
    }
}

#[cold]
fn word_at_end(bytes: &[u8], at: usize) -> u64 {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.iter().take(8).enumerate().fold(0, |word, (i, b)| word | u64::from(*b) << (8 * i))
}

/// How many of the eight bytes are digits, from the lowest on.
#[inline(always)]
pub(crate) fn leading_digits(word: u64) -> u32 {
    let values = word ^ 0x3030_3030_3030_3030;
    let others = (values.wrapping_add(0x7676_7676_7676_7676) | values) & 0x8080_8080_8080_8080;
    others.trailing_zeros() / 8
}

/// The value of the lowest `n` bytes, all of them digits, the first one lowest; `n` is 1 to 8.
#[inline(always)]
pub(crate) fn digits_value(word: u64, n: u32) -> u64 {
    let values = (word ^ 0x3030_3030_3030_3030) << (64 - 8 * n);
    let pairs = values.wrapping_mul(10).wrapping_add(values >> 8);
    let mask = 0x0000_00ff_0000_00ff;
    let low = (pairs & mask).wrapping_mul(0x000f_4240_0000_0064);
    let high = ((pairs >> 16) & mask).wrapping_mul(0x0000_2710_0000_0001);
    low.wrapping_add(high) >> 32
}

const POWERS_U64: [u64; 9] = [1, 10, 100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000, 100_000_000];

/// Reads digits from `at`; returns where they end. The mantissa wraps silently beyond nineteen digits.
#[inline(always)]
fn digits(bytes: &[u8], mut at: usize, mantissa: &mut u64) -> usize {
    loop {
        let word = word(bytes, at);
        let n = leading_digits(word);
        if n == 0 {
            return at;
        }
        *mantissa = mantissa.wrapping_mul(POWERS_U64[n as usize]).wrapping_add(digits_value(word, n));
        at += n as usize;
        if n < 8 {
            return at;
        }
    }
}

/// The whole number at `start`, and where it ends, if it is JSON without sign, of at most fifteen digits, and a comma or
/// a closing bracket follows at once: what most numbers are. Otherwise says nothing.
#[inline(always)]
pub(crate) fn scan_plain(bytes: &[u8], start: usize) -> Option<(i64, usize)> {
    let first = word(bytes, start);
    let n = leading_digits(first);
    let (value, n, next) = if n < 8 {
        if n == 0 {
            return None;
        }
        (digits_value(first, n), n, (first >> (8 * n)) as u8)
    } else {
        let second = word(bytes, start + 8);
        let n_second = leading_digits(second);
        if n_second == 8 {
            return None;
        }
        let high = digits_value(first, 8);
        let value = match n_second {
            0 => high,
            n => high * POWERS_U64[n as usize] + digits_value(second, n),
        };
        (value, 8 + n_second, (second >> (8 * n_second)) as u8)
    };
    let ends = matches!(next, b',' | b'}' | b']');
    let leads_with_zero = first as u8 == b'0' && n > 1;
    // Fifteen digits fit.
    (ends && !leads_with_zero).then_some((value as i64, start + n as usize))
}

/// The whole number without sign that is all of `bytes[start..end]`, if it has at most fifteen digits: what most numbers
/// are. Otherwise says nothing.
#[inline(always)]
pub(crate) fn parse_plain(bytes: &[u8], start: usize, end: usize) -> Option<i64> {
    let n = (end - start) as u32;
    let first = word(bytes, start);
    if (1..=8).contains(&n) {
        return (leading_digits(first) >= n).then(|| digits_value(first, n) as i64);
    }
    if !(9..=15).contains(&n) || leading_digits(first) < 8 {
        return None;
    }
    let second = word(bytes, start + 8);
    let value = || digits_value(first, 8) * POWERS_U64[n as usize - 8] + digits_value(second, n - 8);
    // Fifteen digits fit.
    (leading_digits(second) >= n - 8).then(|| value() as i64)
}

/// The number at `start`, and where it ends. Bytes behind it are not looked at.
///
/// # Errors
/// If there is none, at the byte that should have been another one.
#[inline(always)]
pub(crate) fn scan<'a>(
    bytes: &'a [u8],
    start: usize,
    grammar: Grammar,
) -> Result<(Number<'a>, usize), (Reason, usize)> {
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
    let lenient = grammar == Grammar::Lenient;
    let negative = byte(start) == b'-';
    let first = start + usize::from(negative || lenient && byte(start) == b'+');
    let mut mantissa = 0;
    let mut at = digits(bytes, first, &mut mantissa);
    let mut n_digits = at - first;
    if n_digits == 0 && !(lenient && byte(at) == b'.') {
        return Err((Reason::Syntax(Expected::Digit), at));
    }
    if n_digits > 1 && byte(first) == b'0' && !lenient {
        return Err((Reason::Syntax(Expected::NoLeadingZero), first));
    }
    let (mut exponent, mut integer) = (0, true);
    if byte(at) == b'.' {
        integer = false;
        let end = digits(bytes, at + 1, &mut mantissa);
        let n_fraction = end - at - 1;
        if n_fraction == 0 && (!lenient || n_digits == 0) {
            return Err((Reason::Syntax(Expected::Digit), end));
        }
        n_digits += n_fraction;
        // A record is short enough for this.
        exponent = -(n_fraction as i32);
        at = end;
    }
    if byte(at) | 0x20 == b'e' {
        integer = false;
        let (power, end) = scan_exponent(bytes, at + 1)?;
        exponent += power;
        at = end;
    }
    let text = bytes.get(start..at).unwrap_or_default();
    Ok((Number { text, negative, mantissa, exponent, whole: n_digits <= DIGITS_MAX, integer }, at))
}

/// The power behind `e`, held within bounds beyond which nothing changes.
fn scan_exponent(bytes: &[u8], start: usize) -> Result<(i32, usize), (Reason, usize)> {
    const POWER_MAX: i32 = 100_000_000;
    let byte = |at: usize| bytes.get(at).copied().unwrap_or(0);
    let negative = byte(start) == b'-';
    let first = start + usize::from(matches!(byte(start), b'-' | b'+'));
    let mut at = first;
    let mut power = 0_i32;
    while byte(at).is_ascii_digit() {
        power = (power * 10 + i32::from(byte(at) - b'0')).min(POWER_MAX);
        at += 1;
    }
    if at == first {
        return Err((Reason::Syntax(Expected::Digit), at));
    }
    Ok((if negative { -power } else { power }, at))
}

impl Number<'_> {
    /// As BIGINT, if it is a whole number and fits.
    #[inline]
    pub(crate) fn to_i64(self, t: SqlType) -> Result<i64, Reason> {
        if self.integer && self.whole {
            return if self.negative {
                0_i64.checked_sub_unsigned(self.mantissa).ok_or(Reason::OutOfRange(t))
            } else {
                i64::try_from(self.mantissa).map_err(|_| Reason::OutOfRange(t))
            };
        }
        let (value, exact) = self.scaled(0).ok_or(Reason::OutOfRange(t))?;
        if !exact {
            return Err(Reason::NotIntegral(t));
        }
        i64::try_from(value).map_err(|_| Reason::OutOfRange(t))
    }

    /// As INT or DATE, if it is a whole number and fits.
    pub(crate) fn to_i32(self, t: SqlType) -> Result<i32, Reason> {
        i32::try_from(self.to_i64(t)?).map_err(|_| Reason::OutOfRange(t))
    }

    /// As DOUBLE: the nearest one, −0 as 0.
    #[inline]
    pub(crate) fn to_f64(self) -> Result<f64, Reason> {
        // Both operands are exact, so the one operation rounds correctly.
        let power = self.exponent.unsigned_abs() as usize;
        let value = if self.whole && self.mantissa < 1 << 53 && power < POWERS_F64.len() {
            let mantissa = self.mantissa as f64;
            let value = if self.exponent < 0 { mantissa / POWERS_F64[power] } else { mantissa * POWERS_F64[power] };
            if self.negative { -value } else { value }
        } else {
            let text = std::str::from_utf8(self.text).map_err(|_| Reason::BadUtf8)?;
            text.parse::<f64>().map_err(|_| Reason::BadText(SqlType::Double))?
        };
        if value.is_infinite() {
            return Err(Reason::OutOfRange(SqlType::Double));
        }
        Ok(canonical_f64(value))
    }

    /// As DECIMAL(precision, scale), times 10^scale; a digit too many behind the point is rounded, half away from zero.
    pub(crate) fn to_decimal(self, precision: u8, scale: i8) -> Result<i128, Reason> {
        let too_large = Reason::OutOfRange(SqlType::Decimal);
        let (value, _) = self.scaled(i32::from(scale)).ok_or(too_large)?;
        if value.unsigned_abs() >= 10_u128.pow(u32::from(precision)) { Err(too_large) } else { Ok(value) }
    }

    /// The value times 10^scale, rounded half away from zero, and whether nothing was rounded. `None` beyond 38 digits.
    pub(crate) fn scaled(self, scale: i32) -> Option<(i128, bool)> {
        const POWER_MAX: i32 = 38;
        if !self.whole {
            return self.scaled_digits(scale);
        }
        let mantissa = i128::from(self.mantissa);
        let power = self.exponent + scale;
        let (magnitude, exact) = if mantissa == 0 {
            (0, true)
        } else if power > POWER_MAX {
            return None;
        } else if power >= 0 {
            (mantissa.checked_mul(10_i128.pow(power as u32))?, true)
        } else if power < -POWER_MAX {
            (0, false)
        } else {
            let unit = 10_i128.pow(power.unsigned_abs());
            let (quotient, rest) = (mantissa / unit, mantissa % unit);
            // Not `2 * rest`: it could overflow.
            (quotient + i128::from(rest >= unit - rest), rest == 0)
        };
        Some((if self.negative { -magnitude } else { magnitude }, exact))
    }

    /// As `scaled`, digit by digit: for numbers with more digits than the mantissa has.
    fn scaled_digits(self, scale: i32) -> Option<(i128, bool)> {
        let body = self.text.split(|b| b | 0x20 == b'e').next().unwrap_or_default();
        let n_digits = body.iter().filter(|b| b.is_ascii_digit()).count() as i64;
        // Digits before the point when the point is moved by `scale`.
        let n_whole = n_digits + i64::from(self.exponent) + i64::from(scale);
        let digits = body.iter().filter(|b| b.is_ascii_digit()).map(|b| i128::from(b - b'0'));
        let (mut magnitude, mut half, mut exact) = (0_i128, false, true);
        for (i, digit) in (0_i64..).zip(digits) {
            if i < n_whole {
                magnitude = magnitude.checked_mul(10)?.checked_add(digit)?;
            } else {
                half |= i == n_whole && digit >= 5;
                exact &= digit == 0;
            }
        }
        if magnitude != 0 {
            for _ in n_digits..n_whole {
                magnitude = magnitude.checked_mul(10)?;
            }
        }
        let magnitude = magnitude.checked_add(i128::from(half))?;
        Some((if self.negative { -magnitude } else { magnitude }, exact))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> Number<'_> {
        let (number, end) = scan(text.as_bytes(), 0, Grammar::Json).expect("a number");
        assert_eq!(end, text.len());
        number
    }

    #[test]
    fn integers() {
        let to = |text| number(text).to_i64(SqlType::Bigint);
        for text in ["0", "-1", "7", "12345678", "123456789", "9223372036854775807", "-9223372036854775808"] {
            assert_eq!(to(text), Ok(text.parse().expect("an integer")), "{text}");
        }
        assert_eq!(to("-0"), Ok(0));
        assert_eq!(to("1e3"), Ok(1000));
        assert_eq!(to("5.0"), Ok(5));
        assert_eq!(to("5.000000000000000000000000000000000000000000000"), Ok(5));
        assert_eq!(to("0.0005e4"), Ok(5));
        assert_eq!(to("0e999999999999"), Ok(0));
        assert_eq!(to("5.5"), Err(Reason::NotIntegral(SqlType::Bigint)));
        assert_eq!(to("1e-999999999999"), Err(Reason::NotIntegral(SqlType::Bigint)));
        for text in
            ["9223372036854775808", "-9223372036854775809", "1e19", "1e999999999999", "123456789012345678901234"]
        {
            assert_eq!(to(text), Err(Reason::OutOfRange(SqlType::Bigint)), "{text}");
        }
        assert_eq!(number("2147483648").to_i32(SqlType::Int), Err(Reason::OutOfRange(SqlType::Int)));
        assert_eq!(number("-2147483648").to_i32(SqlType::Int), Ok(i32::MIN));
    }

    #[test]
    fn plain_numbers_are_the_same() {
        for text in ["0", "7", "12", "1234567", "12345678", "123456789", "123456789012345"] {
            for end in [",", "}", "]"] {
                let value = text.parse().expect("an integer");
                assert_eq!(scan_plain(format!("{text}{end}").as_bytes(), 0), Some((value, text.len())));
            }
            for end in ["", " ", ".", "e", "x", "1234567890123456,"] {
                assert_eq!(scan_plain(format!("{text}{end}").as_bytes(), 0), None, "{text}{end}");
            }
        }
        for text in ["", "-1,", "01,", "00000000,", "1234567890123456,", "+1,", "\u{b1},"] {
            assert_eq!(scan_plain(text.as_bytes(), 0), None, "{text}");
        }
    }

    #[test]
    fn plain_texts_are_the_same() {
        let parse = |text: &str| parse_plain(format!("x{text}1234567890123456").as_bytes(), 1, 1 + text.len());
        for text in ["0", "007", "12345678", "123456789", "000000000000000", "123456789012345"] {
            assert_eq!(parse(text), text.parse().ok(), "{text}");
        }
        for text in ["", "-1", "1.5", "1 ", "x", "12345678x", "1234567x9", "1234567890123456"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn floats_are_the_nearest() {
        for text in [
            "0.1",
            "1.5",
            "-2.25e-3",
            "1e22",
            "1e23",
            "9007199254740993",
            "123456789.123456789",
            "5e-324",
            "1e-400",
            "1.7976931348623157e308",
            "0.30000000000000004",
            "12345678901234567890123",
            "3.141592653589793238462643",
        ] {
            assert_eq!(number(text).to_f64(), Ok(text.parse().expect("a float")), "{text}");
        }
        assert_eq!(number("-0").to_f64().map(f64::to_bits), Ok(0));
        assert_eq!(number("-0.0").to_f64().map(f64::to_bits), Ok(0));
        assert_eq!(number("1e309").to_f64(), Err(Reason::OutOfRange(SqlType::Double)));
    }

    #[test]
    fn decimals_keep_their_digits() {
        let to = |text, precision, scale| number(text).to_decimal(precision, scale);
        assert_eq!(to("12.345", 10, 2), Ok(1235));
        assert_eq!(to("-12.345", 10, 2), Ok(-1235));
        assert_eq!(to("12.344999999999999999999999999", 10, 2), Ok(1234));
        assert_eq!(to("99.995", 4, 2), Err(Reason::OutOfRange(SqlType::Decimal)));
        assert_eq!(to("99.994", 4, 2), Ok(9999));
        let most = "99999999999999999999999999999999999999";
        assert_eq!(to(most, 38, 0), Ok(10_i128.pow(38) - 1));
        assert_eq!(to("0.00000000000000000000000000000000000001", 38, 38), Ok(1));
        assert_eq!(to("0.000000000000000000000000000000000000005", 38, 38), Ok(1));
        assert_eq!(to("1e-40", 38, 38), Ok(0));
        assert_eq!(to("123456789012345678901234567890e-20", 38, 5), Ok(123456789012346));
        assert_eq!(to("1e38", 38, 0), Err(Reason::OutOfRange(SqlType::Decimal)));
        assert_eq!(to("1", 38, 38), Err(Reason::OutOfRange(SqlType::Decimal)));
    }

    #[test]
    fn grammar() {
        for bad in ["", "-", "01", "-01", "1.", ".5", "+1", "1e", "1e+", "a"] {
            assert!(scan(bad.as_bytes(), 0, Grammar::Json).is_err(), "{bad}");
        }
        for (text, value) in [("+1", 1.0), (".5", 0.5), ("5.", 5.0), ("007", 7.0), ("-00.5", -0.5)] {
            let (number, end) = scan(text.as_bytes(), 0, Grammar::Lenient).expect("a number");
            assert_eq!((number.to_f64(), end), (Ok(value), text.len()));
        }
        for bad in ["", "+", ".", "-.", "+e5"] {
            assert!(scan(bad.as_bytes(), 0, Grammar::Lenient).is_err(), "{bad}");
        }
    }
}
