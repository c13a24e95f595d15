//! DATE, TIME and TIMESTAMP from and to ISO text.
//!
//! Reading takes what ISO 8601 and SQL write: `T` or a space between date and time, seconds and fraction optional, a
//! zone (`Z`, `+02:00`, `+0200`, `+02`) that is turned into UTC, years of more than four digits with a sign. Digits
//! behind the sixth of a fraction are rounded, half up. Writing is the one form that sorts and reads back the same.

use crate::error::{Reason, SqlType};
use crate::number::{digits_value, leading_digits, word};

/// Microseconds of a day.
pub(crate) const DAY_US: i64 = 86_400_000_000;

/// Days since 1970-01-01 of a day of the proleptic Gregorian calendar; months and days within their bounds.
pub(crate) fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Year, month, day of a day.
pub(crate) fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted + 2) / 5 + 1;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// `YYYY-MM-DD` as days.
pub(crate) fn parse_date(text: &[u8]) -> Result<i32, Reason> {
    let bad = Reason::BadText(SqlType::Date);
    let mut reader = Reader { text, at: 0 };
    let days = reader.date().ok_or(bad)?;
    if reader.at != text.len() {
        return Err(bad);
    }
    i32::try_from(days).map_err(|_| Reason::OutOfRange(SqlType::Date))
}

/// `HH:MM[:SS[.fraction]]` as microseconds since midnight.
pub(crate) fn parse_time(text: &[u8]) -> Result<i64, Reason> {
    let bad = Reason::BadText(SqlType::Time);
    let mut reader = Reader { text, at: 0 };
    let time = reader.time().ok_or(bad)?;
    if reader.at != text.len() {
        return Err(bad);
    }
    if time >= DAY_US { Err(Reason::OutOfRange(SqlType::Time)) } else { Ok(time) }
}

/// A date, or a date and a time with or without a zone, as microseconds since 1970-01-01T00:00 UTC.
pub(crate) fn parse_timestamp(text: &[u8]) -> Result<i64, Reason> {
    if let Some(us) = parse_common_timestamp(text) {
        return Ok(us);
    }
    let bad = Reason::BadText(SqlType::Timestamp);
    let mut reader = Reader { text, at: 0 };
    let days = reader.date().ok_or(bad)?;
    let mut time = 0;
    if reader.at < text.len() {
        if !matches!(reader.peek(), b'T' | b't' | b' ') {
            return Err(bad);
        }
        reader.at += 1;
        time = reader.time().ok_or(bad)? - reader.zone().ok_or(bad)?;
        if reader.at != text.len() {
            return Err(bad);
        }
    }
    let us = i128::from(days) * i128::from(DAY_US) + i128::from(time);
    i64::try_from(us).map_err(|_| Reason::OutOfRange(SqlType::Timestamp))
}

/// `YYYY-MM-DD HH:MM:SS`, with nothing behind it or three digits or six, and perhaps a `Z`: what most are. Otherwise says
/// nothing.
fn parse_common_timestamp(text: &[u8]) -> Option<i64> {
    let head = text.first_chunk::<19>()?;
    let mut wrong = 0_u8;
    let mut digit = |byte: u8| {
        let digit = byte.wrapping_sub(b'0');
        wrong |= u8::from(digit > 9);
        i64::from(digit)
    };
    let mut two = |at: usize| digit(head[at]) * 10 + digit(head[at + 1]);
    let (year, month, day) = (two(0) * 100 + two(2), two(5), two(8));
    let (hour, minute, second) = (two(11), two(14), two(17));
    let rest = &text[19..];
    let us = match rest.strip_suffix(b"Z").unwrap_or(rest) {
        [] => 0,
        [b'.', a, b, c] => (digit(*a) * 100 + digit(*b) * 10 + digit(*c)) * 1000,
        [b'.', fraction @ ..] if fraction.len() == 6 => fraction.iter().fold(0, |us, b| us * 10 + digit(*b)),
        _ => return None,
    };
    let marks = head[4] == b'-' && head[7] == b'-' && head[13] == b':' && head[16] == b':';
    // Days that not every month has are left to the one who knows the calendar.
    let in_range = (1..=12).contains(&month) && (1..=28).contains(&day) && hour < 24 && minute < 60 && second < 60;
    let fine = wrong == 0 && marks && in_range && matches!(head[10], b'T' | b' ');
    fine.then(|| {
        let seconds = (hour * 60 + minute) * 60 + second;
        days_from_civil(year, month, day) * DAY_US + seconds * 1_000_000 + us
    })
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> u8 {
        self.text.get(self.at).copied().unwrap_or(0)
    }

    fn eat(&mut self, byte: u8) -> Option<()> {
        (self.peek() == byte).then(|| self.at += 1)
    }

    fn two(&mut self) -> Option<i64> {
        let [a, b] = *self.text.get(self.at..)?.first_chunk::<2>()?;
        self.at += 2;
        (a.is_ascii_digit() && b.is_ascii_digit()).then(|| i64::from(a - b'0') * 10 + i64::from(b - b'0'))
    }

    fn year(&mut self) -> Option<i64> {
        let negative = self.peek() == b'-';
        let signed = negative || self.peek() == b'+';
        self.at += usize::from(signed);
        let word = word(self.text, self.at);
        let n = leading_digits(word);
        if !(n == 4 || signed && (4..=7).contains(&n)) {
            return None;
        }
        self.at += n as usize;
        let year = digits_value(word, n) as i64;
        Some(if negative { -year } else { year })
    }

    fn date(&mut self) -> Option<i64> {
        let year = self.year()?;
        self.eat(b'-')?;
        let month = self.two()?;
        self.eat(b'-')?;
        let day = self.two()?;
        let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
        let last = match month {
            2 => 28 + i64::from(leap),
            4 | 6 | 9 | 11 => 30,
            1..=12 => 31,
            _ => return None,
        };
        (1..=last).contains(&day).then(|| days_from_civil(year, month, day))
    }

    /// May be the whole day, when a fraction is rounded up to it.
    fn time(&mut self) -> Option<i64> {
        let hour = self.two()?;
        self.eat(b':')?;
        let minute = self.two()?;
        let mut second = 0;
        let mut us = 0;
        if self.eat(b':').is_some() {
            second = self.two()?;
            if self.eat(b'.').is_some() || self.eat(b',').is_some() {
                us = self.fraction()?;
            }
        }
        (hour < 24 && minute < 60 && second < 60).then_some(((hour * 60 + minute) * 60 + second) * 1_000_000 + us)
    }

    fn fraction(&mut self) -> Option<i64> {
        let (mut us, mut n) = (0, 0);
        while self.peek().is_ascii_digit() {
            let digit = i64::from(self.peek() - b'0');
            match n {
                0..6 => us = us * 10 + digit,
                6 => us += i64::from(digit >= 5),
                _ => {}
            }
            n += 1;
            self.at += 1;
        }
        for _ in n..6 {
            us *= 10;
        }
        (n > 0).then_some(us)
    }

    /// The zone's distance from UTC; 0 if there is none.
    fn zone(&mut self) -> Option<i64> {
        if self.at == self.text.len() || self.eat(b'Z').is_some() || self.eat(b'z').is_some() {
            return Some(0);
        }
        let sign = match self.peek() {
            b'+' => 1,
            b'-' => -1,
            _ => return None,
        };
        self.at += 1;
        let hours = self.two()?;
        let mut minutes = 0;
        if self.at < self.text.len() {
            let _ = self.eat(b':');
            minutes = self.two()?;
        }
        (hours < 24 && minutes < 60).then_some(sign * (hours * 60 + minutes) * 60_000_000)
    }
}

/// Appends `YYYY-MM-DD`; years of more than four digits, and those before year 0, with a sign.
pub(crate) fn write_date(days: i64, out: &mut Vec<u8>) {
    let (year, month, day) = civil_from_days(days);
    if (0..=9999).contains(&year) {
        push_padded(out, year, 4);
    } else {
        out.push(if year < 0 { b'-' } else { b'+' });
        push_padded(out, year.abs(), 4);
    }
    out.push(b'-');
    push_padded(out, month, 2);
    out.push(b'-');
    push_padded(out, day, 2);
}

/// Appends `HH:MM:SS.mmm`, or with six digits where three do not say it.
pub(crate) fn write_time(us: i64, out: &mut Vec<u8>) {
    let (seconds, fraction) = (us.div_euclid(1_000_000), us.rem_euclid(1_000_000));
    push_padded(out, seconds / 3600, 2);
    out.push(b':');
    push_padded(out, seconds / 60 % 60, 2);
    out.push(b':');
    push_padded(out, seconds % 60, 2);
    out.push(b'.');
    if fraction % 1000 == 0 {
        push_padded(out, fraction / 1000, 3);
    } else {
        push_padded(out, fraction, 6);
    }
}

/// Appends date, `T` and time.
pub(crate) fn write_timestamp(us: i64, out: &mut Vec<u8>) {
    write_date(us.div_euclid(DAY_US), out);
    out.push(b'T');
    write_time(us.rem_euclid(DAY_US), out);
}

/// Appends the number with zeros in front up to `width`, which is at most 6.
fn push_padded(out: &mut Vec<u8>, value: i64, width: usize) {
    const ZEROS: &[u8] = b"000000";
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(value).as_bytes();
    out.extend_from_slice(&ZEROS[..width.saturating_sub(digits.len())]);
    out.extend_from_slice(digits);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_back() {
        assert_eq!(days_from_civil(1970, 1, 1), 0);
        assert_eq!(days_from_civil(2000, 3, 1), 11_017);
        for days in (-1_000_000..1_000_000).step_by(97) {
            let (y, m, d) = civil_from_days(days);
            assert_eq!(days_from_civil(y, m, d), days);
        }
    }

    #[test]
    fn timestamps() {
        let at = 1_538_136_000_000_000; // 2018-09-28T12:00:00
        for (text, want) in [
            ("2018-09-28T12:00:00.000", at),
            ("2018-09-28 12:00", at),
            ("2018-09-28T12:00:00Z", at),
            ("2018-09-28T14:00:00+02:00", at),
            ("2018-09-28T14:00:00+0200", at),
            ("2018-09-28T08:00:00.5-04", at + 500_000),
            ("2018-09-28T12:00:00.123456", at + 123_456),
            ("2018-09-28T12:00:00,1234565", at + 123_457),
            ("2018-09-28", at - 12 * 3_600_000_000),
            ("1969-12-31T23:59:59.999999", -1),
            ("1969-12-31T23:59:59.9999999", 0),
            ("+12018-09-28", days_from_civil(12018, 9, 28) * DAY_US),
            ("-0044-03-15", days_from_civil(-44, 3, 15) * DAY_US),
        ] {
            assert_eq!(parse_timestamp(text.as_bytes()), Ok(want), "{text}");
        }
        for bad in [
            "",
            "2018",
            "2018-9-28",
            "2018-13-01",
            "2018-02-29",
            "2018-00-10",
            "2018-01-00",
            "2018-09-28T",
            "2018-09-28T24:00",
            "2018-09-28T12",
            "2018-09-28T12:00:60",
            "2018-09-28T12:00:00.",
            "2018-09-28T12:00:00Zx",
            "2018-09-28T12:00:00+2",
            "2018-09-28x12:00",
            "12018-09-28",
            "2018-09-28T12:00:00+24:00",
            "20180928",
            "2018-09-2é",
        ] {
            assert_eq!(parse_timestamp(bad.as_bytes()), Err(Reason::BadText(SqlType::Timestamp)), "{bad}");
        }
        assert_eq!(parse_timestamp(b"+9999999-01-01"), Err(Reason::OutOfRange(SqlType::Timestamp)));
    }

    #[test]
    fn common_timestamps_are_the_same() {
        let uncommon = |text: &str| {
            // With one digit more the long way is taken.
            let (head, zone) = text.split_at(text.len() - usize::from(text.ends_with('Z')));
            parse_timestamp(format!("{head}{}{zone}", if head.contains('.') { "0" } else { ".0" }).as_bytes())
        };
        for text in [
            "2018-09-28T12:34:56",
            "0000-01-01 00:00:00.001Z",
            "9999-12-28T23:59:59.999999",
            "2018-09-28T12:34:56.7890",
            "2000-02-29T00:00:00.000",
            "2018-09-28T1::34:56.789",
            "2018-09-28T12:34:56.78x",
            "2018/09-28T12:34:56.789",
            "2018-00-28T12:34:56.789",
            "2018-09-28T24:34:56.789",
            "2018-09-28T12:34:56Z",
        ] {
            assert_eq!(parse_timestamp(text.as_bytes()), uncommon(text), "{text}");
        }
    }

    #[test]
    fn dates_and_times() {
        assert_eq!(parse_date(b"2000-02-29"), Ok(11_016));
        assert_eq!(parse_date(b"1900-02-29"), Err(Reason::BadText(SqlType::Date)));
        assert_eq!(parse_date(b"2000-02-29 "), Err(Reason::BadText(SqlType::Date)));
        assert_eq!(parse_time(b"23:59:59.9"), Ok(DAY_US - 100_000));
        assert_eq!(parse_time(b"00:01"), Ok(60_000_000));
        assert_eq!(parse_time(b"23:59:59.9999999"), Err(Reason::OutOfRange(SqlType::Time)));
        assert_eq!(parse_time(b"1:00"), Err(Reason::BadText(SqlType::Time)));
    }

    #[test]
    fn written_as_read() {
        for (us, want) in [
            (1_538_136_000_000_000, "2018-09-28T12:00:00.000"),
            (-1, "1969-12-31T23:59:59.999999"),
            (1_000, "1970-01-01T00:00:00.001"),
            (days_from_civil(12018, 9, 28) * DAY_US, "+12018-09-28T00:00:00.000"),
            (days_from_civil(-44, 3, 15) * DAY_US, "-0044-03-15T00:00:00.000"),
        ] {
            let mut out = Vec::new();
            write_timestamp(us, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), want);
            assert_eq!(parse_timestamp(&out), Ok(us));
        }
    }
}
