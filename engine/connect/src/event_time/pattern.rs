//! Patterns of times as Java's `DateTimeFormatter` writes them, the part of them that event times need.
//!
//! | letters | reads |
//! |---|---|
//! | `yyyy` `uuuu` `yy` | a year; two digits are 2000 to 2099 |
//! | `M` `MM` `MMM` `MMMM` | a month: number, two digits, English short name, English name |
//! | `d` `dd` | a day of the month |
//! | `E` … `EEEE` | an English day of the week, not checked |
//! | `H` `HH`, `h` `hh` with `a` | an hour: 0–23, or 1–12 with AM or PM |
//! | `m` `mm`, `s` `ss` | minutes, seconds |
//! | `S` … `SSSSSSSSS` | a fraction of a second with so many digits |
//! | `X` `XX` `XXX` `Z` `z` | `Z`, `+02`, `+0200`, `+02:00`, `UTC`, `GMT`: turned into UTC |
//! | `'text'`, `''`, anything else | itself |
//!
//! One letter reads one digit or more (two at most), several read exactly as many. What the pattern leaves out is that
//! of 1970-01-01T00:00Z. Text behind the pattern's end is an error.

/// A pattern, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Pattern {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    /// A number of one up to `max` digits, at least `min`.
    Number(Field, usize, usize),
    ShortYear,
    MonthName {
        short: bool,
    },
    DayName,
    Fraction(usize),
    HalfDay,
    Zone,
    Literal(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Field {
    Year,
    Month,
    Day,
    Hour,
    HourOfHalf,
    Minute,
    Second,
}

/// What was read so far.
struct Parts {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    hour_of_half: Option<i64>,
    afternoon: bool,
    minute: i64,
    second: i64,
    millis: i64,
    zone_minutes: i64,
}

impl Pattern {
    /// # Errors
    /// With what is wrong, to go behind a colon.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let mut pieces = vec![];
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            if c == '\'' {
                pieces.push(Piece::Literal(quoted(&mut rest)?));
            } else if c.is_ascii_alphabetic() {
                let mut count = 1;
                while rest.next_if_eq(&c).is_some() {
                    count += 1;
                }
                pieces.push(letters(c, count)?);
            } else {
                pieces.push(Piece::Literal(c.to_string()));
            }
        }
        if pieces.iter().all(|p| matches!(p, Piece::Literal(_))) {
            return Err("it has no letter that stands for a part of a time".to_owned());
        }
        let half_hours = pieces.iter().any(|p| matches!(p, Piece::Number(Field::HourOfHalf, ..)));
        if half_hours != pieces.contains(&Piece::HalfDay) {
            return Err("h (1–12) and a (AM or PM) need each other".to_owned());
        }
        Ok(Pattern { pieces })
    }

    /// Milliseconds since 1970 UTC; `None` if the text does not match, or is no time (the 30th of February).
    pub(crate) fn epoch_ms(&self, text: &str) -> Option<i64> {
        let mut parts = Parts {
            year: 1970,
            month: 1,
            day: 1,
            hour: 0,
            hour_of_half: None,
            afternoon: false,
            minute: 0,
            second: 0,
            millis: 0,
            zone_minutes: 0,
        };
        let mut rest = text;
        for piece in &self.pieces {
            rest = parts.read(piece, rest)?;
        }
        rest.is_empty().then(|| parts.epoch_ms())?
    }
}

/// What stands between quotes; two quotes are one, also outside of others.
fn quoted(rest: &mut std::iter::Peekable<std::str::Chars<'_>>) -> Result<String, String> {
    if rest.next_if_eq(&'\'').is_some() {
        return Ok("'".to_owned());
    }
    let mut out = String::new();
    loop {
        match rest.next() {
            Some('\'') if rest.next_if_eq(&'\'').is_some() => out.push('\''),
            Some('\'') => return Ok(out),
            Some(c) => out.push(c),
            None => return Err("a quote is not closed".to_owned()),
        }
    }
}

fn letters(letter: char, count: usize) -> Result<Piece, String> {
    let number = |field| match count {
        1 => Ok(Piece::Number(field, 1, 2)),
        2 => Ok(Piece::Number(field, 2, 2)),
        _ => Err(format!("{} is more than a number of two digits", letter.to_string().repeat(count))),
    };
    match (letter, count) {
        ('y' | 'u', 2) => Ok(Piece::ShortYear),
        ('y' | 'u', 1) => Ok(Piece::Number(Field::Year, 1, 4)),
        ('y' | 'u', 4) => Ok(Piece::Number(Field::Year, 4, 4)),
        ('M' | 'L', 3) => Ok(Piece::MonthName { short: true }),
        ('M' | 'L', 4) => Ok(Piece::MonthName { short: false }),
        ('M' | 'L', _) => number(Field::Month),
        ('d', _) => number(Field::Day),
        ('E', 1..=4) => Ok(Piece::DayName),
        ('H', _) => number(Field::Hour),
        ('h', _) => number(Field::HourOfHalf),
        ('a', 1) => Ok(Piece::HalfDay),
        ('m', _) => number(Field::Minute),
        ('s', _) => number(Field::Second),
        ('S', 1..=9) => Ok(Piece::Fraction(count)),
        ('X' | 'x' | 'Z' | 'z' | 'O', 1..=5) => Ok(Piece::Zone),
        _ => Err(format!("{} has no meaning", letter.to_string().repeat(count))),
    }
}

impl Parts {
    /// Reads one piece off the front of the text.
    fn read<'t>(&mut self, piece: &Piece, text: &'t str) -> Option<&'t str> {
        match piece {
            Piece::Literal(literal) => text.strip_prefix(literal.as_str()),
            Piece::Number(field, min, max) => {
                let (n, rest) = digits(text, *min, *max)?;
                self.set(*field, n);
                Some(rest)
            }
            Piece::ShortYear => {
                let (n, rest) = digits(text, 2, 2)?;
                self.year = 2000 + n;
                Some(rest)
            }
            Piece::Fraction(count) => {
                let (n, rest) = digits(text, *count, *count)?;
                let count = *count as u32;
                self.millis = if count <= 3 { n * 10_i64.pow(3 - count) } else { n / 10_i64.pow(count - 3) };
                Some(rest)
            }
            Piece::MonthName { short } => {
                let (i, rest) = name(text, &MONTHS, *short)?;
                self.month = i as i64 + 1;
                Some(rest)
            }
            // a full name begins with its short form
            Piece::DayName => name(text, &DAYS, false).or_else(|| name(text, &DAYS, true)).map(|(_, rest)| rest),
            Piece::HalfDay => {
                let (i, rest) = name(text, &["AM", "PM"], false)?;
                self.afternoon = i == 1;
                Some(rest)
            }
            Piece::Zone => {
                let (minutes, rest) = zone(text)?;
                self.zone_minutes = minutes;
                Some(rest)
            }
        }
    }

    fn set(&mut self, field: Field, n: i64) {
        match field {
            Field::Year => self.year = n,
            Field::Month => self.month = n,
            Field::Day => self.day = n,
            Field::Hour => self.hour = n,
            Field::HourOfHalf => self.hour_of_half = Some(n),
            Field::Minute => self.minute = n,
            Field::Second => self.second = n,
        }
    }

    fn epoch_ms(&self) -> Option<i64> {
        let hour = match self.hour_of_half {
            None => self.hour,
            Some(h @ 1..=12) => h % 12 + if self.afternoon { 12 } else { 0 },
            Some(_) => return None,
        };
        let in_day = (0..24).contains(&hour) && self.minute < 60 && self.second < 60;
        let in_year = (1..=12).contains(&self.month) && (1..=days_of_month(self.year, self.month)).contains(&self.day);
        if !in_day || !in_year {
            return None;
        }
        let minutes =
            (days_from_civil(self.year, self.month, self.day) * 24 + hour) * 60 + self.minute - self.zone_minutes;
        Some((minutes * 60 + self.second) * 1_000 + self.millis)
    }
}

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

fn digits(text: &str, min: usize, max: usize) -> Option<(i64, &str)> {
    let n = text.bytes().take(max).take_while(u8::is_ascii_digit).count();
    if n < min {
        return None;
    }
    let (digits, rest) = text.split_at(n);
    digits.parse().ok().map(|n| (n, rest))
}

/// Which of the names, or of their first three letters, the text begins with.
fn name<'t>(text: &'t str, names: &[&str], short: bool) -> Option<(usize, &'t str)> {
    names.iter().enumerate().find_map(|(i, name)| {
        let name = if short { &name[..3] } else { name };
        let head = text.get(..name.len())?;
        head.eq_ignore_ascii_case(name).then(|| (i, &text[name.len()..]))
    })
}

/// Minutes east of Greenwich.
fn zone(text: &str) -> Option<(i64, &str)> {
    if let Some(rest) = ["UTC", "GMT", "Z"].iter().find_map(|z| text.strip_prefix(z)) {
        return Some((0, rest));
    }
    let (sign, rest) = match text.strip_prefix('+') {
        Some(rest) => (1, rest),
        None => (-1, text.strip_prefix('-')?),
    };
    let (hours, rest) = digits(rest, 2, 2)?;
    let behind = rest.strip_prefix(':').unwrap_or(rest);
    let (minutes, rest) = digits(behind, 2, 2).unwrap_or((0, rest));
    (hours <= 18 && minutes < 60).then_some((sign * (hours * 60 + minutes), rest))
}

fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 of the proleptic Gregorian calendar, counted in years that begin in March.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(pattern: &str, text: &str) -> Option<i64> {
        Pattern::parse(pattern).unwrap().epoch_ms(text)
    }

    #[test]
    fn what_it_reads() {
        const NOON: i64 = 1_538_136_000_000; // 2018-09-28T12:00:00Z
        assert_eq!(ms("yyyy-MM-dd'T'HH:mm:ss.SSSXXX", "2018-09-28T14:00:00.042+02:00"), Some(NOON + 42));
        assert_eq!(ms("yyyy-MM-dd'T'HH:mm:ssX", "2018-09-28T12:00:00Z"), Some(NOON));
        assert_eq!(ms("yyyy-MM-dd HH:mm:ss.SSSSSS", "2018-09-28 12:00:00.001999"), Some(NOON + 1));
        assert_eq!(ms("d/M/yy h:mm a", "28/9/18 12:00 PM"), Some(NOON));
        assert_eq!(ms("EEE, d MMM yyyy HH:mm:ss z", "Fri, 28 Sep 2018 12:00:00 GMT"), Some(NOON));
        assert_eq!(ms("EEEE d MMMM yyyy HH 'o''clock'", "Friday 28 September 2018 12 o'clock"), Some(NOON));
        assert_eq!(ms("yyyyMMddHHmmss", "20180928120000"), Some(NOON));
        assert_eq!(ms("dd.MM.yyyy", "29.02.2024"), Some(1_709_164_800_000));
        assert_eq!(ms("yyyy-MM-dd", "1969-12-31"), Some(-86_400_000));
        assert_eq!(ms("HH:mm", "00:01"), Some(60_000));
    }

    #[test]
    fn what_it_refuses() {
        for (pattern, text) in [
            ("yyyy-MM-dd", "2023-02-29"),
            ("yyyy-MM-dd", "2018-9-28"),
            ("yyyy-MM-dd", "2018-09-28 "),
            ("yyyy-MM-dd", ""),
            ("HH:mm", "24:00"),
            ("h a", "13 PM"),
            ("MMM", "Sept"),
            ("HH X", "10 +19:00"),
            ("HH", "é"),
        ] {
            assert_eq!(ms(pattern, text), None, "{pattern} {text}");
        }
    }

    #[test]
    fn patterns_without_meaning() {
        for pattern in ["", "'only text'", "yyy", "QQ", "HH 'open", "hh:mm", "HHH"] {
            assert!(Pattern::parse(pattern).is_err(), "{pattern}");
        }
    }
}
