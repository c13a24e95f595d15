//! Patterns of times as KSQL writes them (`yyyy-MM-dd HH:mm:ss.SSS`), for reading and printing.

use std::fmt::Write;

use chrono::format::{Item, Parsed, StrftimeItems, parse};
use chrono::{DateTime, FixedOffset, NaiveDate, NaiveDateTime, NaiveTime, TimeZone, Utc};
use datafusion_common::{Result, exec_datafusion_err, exec_err};

/// A pattern, ready to use.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    written: String,
    items: Vec<Item<'static>>,
}

impl Pattern {
    /// Reads a pattern.
    pub(crate) fn new(written: &str) -> Result<Pattern> {
        let strftime = translated(written)?;
        let items = StrftimeItems::new(&strftime).parse_to_owned();
        let items = items.map_err(|_| exec_datafusion_err!("'{written}' is no pattern of a time"))?;
        Ok(Pattern { written: written.to_string(), items })
    }

    /// A time as text, seen from a zone.
    pub(crate) fn print(&self, time: NaiveDateTime, zone: FixedOffset) -> Result<String> {
        let mut out = String::new();
        let shown = Utc.from_utc_datetime(&time).with_timezone(&zone);
        write!(out, "{}", shown.format_with_items(self.items.iter()))
            .map_err(|_| exec_datafusion_err!("'{}' cannot print {time}", self.written))?;
        Ok(out)
    }

    /// A text as a time; a date without a time is its midnight, a time without a zone is of `zone`.
    pub(crate) fn read(&self, text: &str, zone: FixedOffset) -> Result<NaiveDateTime> {
        let no_time = || exec_datafusion_err!("'{text}' is not of the form '{}'", self.written);
        let mut parsed = Parsed::new();
        parse(&mut parsed, text, self.items.iter()).map_err(|_| no_time())?;
        let date = parsed.to_naive_date();
        let time = parsed.to_naive_time();
        let at = match (date, time) {
            (Ok(date), Ok(time)) => date.and_time(time),
            (Ok(date), Err(_)) => date.and_time(hour_of(&parsed).unwrap_or(NaiveTime::MIN)),
            (Err(_), Ok(time)) => NaiveDate::default().and_time(time),
            (Err(_), Err(_)) => match month_of(&parsed) {
                Some(date) => date.and_time(NaiveTime::MIN),
                None => return Err(no_time()),
            },
        };
        let zone = match parsed.offset() {
            Some(seconds) => FixedOffset::east_opt(seconds).ok_or_else(no_time)?,
            None => zone,
        };
        let local: Option<DateTime<FixedOffset>> = zone.from_local_datetime(&at).single();
        local.map(|time| time.naive_utc()).ok_or_else(no_time)
    }
}

fn hour_of(parsed: &Parsed) -> Option<NaiveTime> {
    let (half, hour) = (parsed.hour_div_12()?, parsed.hour_mod_12()?);
    let minute = parsed.minute().unwrap_or(0);
    NaiveTime::from_hms_opt(half * 12 + hour, minute, 0)
}

/// The first day of a month or year that has no day.
fn month_of(parsed: &Parsed) -> Option<NaiveDate> {
    NaiveDate::from_ymd_opt(parsed.year()?, parsed.month().unwrap_or(1), 1)
}

/// A zone by its offset: `UTC`, `Z`, `+02:00`.
pub(crate) fn zone(name: &str) -> Result<FixedOffset> {
    let utc = FixedOffset::east_opt(0);
    let offset = match name.to_uppercase().as_str() {
        "UTC" | "GMT" | "Z" | "" => utc,
        other => other.trim_start_matches("UTC").trim_start_matches("GMT").parse::<FixedOffset>().ok(),
    };
    match offset {
        Some(offset) => Ok(offset),
        None => exec_err!("the zone '{name}' is not known; UTC and offsets such as +02:00 are"),
    }
}

/// The pattern in the letters of `strftime`.
fn translated(pattern: &str) -> Result<String> {
    let mut out = String::new();
    let mut chars = pattern.chars().peekable();
    while let Some(letter) = chars.next() {
        if letter == '\'' {
            quoted(&mut chars, &mut out);
            continue;
        }
        if !letter.is_ascii_alphabetic() {
            literal(letter, &mut out);
            continue;
        }
        let mut n = 1;
        while chars.peek() == Some(&letter) {
            chars.next();
            n += 1;
        }
        let field = match (letter, n) {
            ('y' | 'u', 2) => "%y",
            ('y' | 'u', _) => "%Y",
            ('M' | 'L', 1) => "%-m",
            ('M' | 'L', 2) => "%m",
            ('M' | 'L', 3) => "%b",
            ('M' | 'L', _) => "%B",
            ('d', 1) => "%-d",
            ('d', _) => "%d",
            ('D', _) => "%j",
            ('H', 1) => "%-H",
            ('H', _) => "%H",
            ('h', 1) => "%-I",
            ('h', _) => "%I",
            ('m', 1) => "%-M",
            ('m', _) => "%M",
            ('s', 1) => "%-S",
            ('s', _) => "%S",
            ('S', 1..=3) => "%3f",
            ('S', 4..=6) => "%6f",
            ('S', _) => "%9f",
            ('a', _) => "%p",
            ('E', 1..=3) => "%a",
            ('E', _) => "%A",
            ('X' | 'x', 1 | 2) | ('Z', 1..=3) => "%z",
            ('X' | 'x' | 'z' | 'Z', _) => "%:z",
            _ => return exec_err!("the letter {letter} of the pattern '{pattern}' is not known"),
        };
        out.push_str(field);
    }
    Ok(out)
}

fn quoted(chars: &mut std::iter::Peekable<std::str::Chars<'_>>, out: &mut String) {
    if chars.peek() == Some(&'\'') {
        chars.next();
        out.push('\'');
        return;
    }
    for c in chars.by_ref() {
        if c == '\'' {
            return;
        }
        literal(c, out);
    }
}

fn literal(c: char, out: &mut String) {
    if c == '%' {
        out.push('%');
    }
    out.push(c);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_read_back() {
        let utc = zone("UTC").unwrap();
        for (pattern, text) in [
            ("yyyy-MM-dd HH:mm:ss.SSS", "2018-09-28 12:34:56.789"),
            ("yyyy-MM-dd'T'HH:mm:ssXXX", "2018-09-28T12:34:56+00:00"),
            ("dd MMM yyyy", "28 Sep 2018"),
            ("yyyy-MM", "2018-09"),
        ] {
            let pattern = Pattern::new(pattern).unwrap();
            let time = pattern.read(text, utc).unwrap();
            assert_eq!(pattern.print(time, utc).unwrap(), text);
        }
    }

    #[test]
    fn zones_shift() {
        let pattern = Pattern::new("yyyy-MM-dd HH:mm").unwrap();
        let time = pattern.read("2018-09-28 12:00", zone("+02:00").unwrap()).unwrap();
        assert_eq!(pattern.print(time, zone("UTC").unwrap()).unwrap(), "2018-09-28 10:00");
        assert!(Pattern::new("yyyy-QQ").is_err());
        assert!(zone("Europe/Berlin").is_err());
    }
}
