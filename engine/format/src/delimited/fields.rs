//! One record into its fields.

use crate::error::{Expected, Reason};
use crate::number::word;

/// A field: bytes of its record, or of the scratch where they are not the field's value as they stand.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Field {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) quoted: bool,
    /// The value has quotes that stand twice; without them it is in `scratch`.
    pub(crate) escaped: bool,
}

/// Goes through the fields of a record.
#[derive(Debug)]
pub(crate) struct Fields<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) pos: usize,
    end: usize,
    delimiter: u8,
    /// The delimiter in each byte.
    pattern: u64,
    done: bool,
    pub(crate) scratch: &'a mut Vec<u8>,
}

const ONES: u64 = 0x0101_0101_0101_0101;

impl<'a> Fields<'a> {
    /// The fields of record `bytes[start..end]`.
    pub(crate) fn new(bytes: &'a [u8], start: usize, end: usize, delimiter: u8, scratch: &'a mut Vec<u8>) -> Self {
        let pattern = ONES * u64::from(delimiter);
        Fields { bytes, pos: start, end, delimiter, pattern, done: false, scratch }
    }

    /// The next one; `None` behind the last. A record without bytes has one field.
    #[inline(always)]
    pub(crate) fn next(&mut self) -> Result<Option<Field>, Reason> {
        if self.done {
            return Ok(None);
        }
        let start = self.pos;
        if start < self.end && self.bytes[start] == b'"' {
            return self.quoted().map(Some);
        }
        let end = self.find_delimiter();
        self.step_over(end);
        Ok(Some(Field { start, end, quoted: false, escaped: false }))
    }

    /// How many there are from here on, broken or not.
    pub(crate) fn count_rest(&mut self) -> u32 {
        let mut n = 0;
        while let Ok(Some(_)) = self.next() {
            n += 1;
        }
        n
    }

    /// The value of a field that `next` gave just now.
    #[inline(always)]
    pub(crate) fn value(&self, field: Field) -> &[u8] {
        if field.escaped { self.scratch } else { &self.bytes[field.start..field.end] }
    }

    #[inline(always)]
    fn step_over(&mut self, end: usize) {
        self.done = end >= self.end;
        self.pos = end + usize::from(!self.done);
    }

    #[inline(always)]
    fn find_delimiter(&self) -> usize {
        let mut at = self.pos;
        while at < self.end {
            let other = word(self.bytes, at) ^ self.pattern;
            let found = other.wrapping_sub(ONES) & !other & (ONES << 7);
            if found != 0 {
                return (at + found.trailing_zeros() as usize / 8).min(self.end);
            }
            at += 8;
        }
        self.end
    }

    fn quoted(&mut self) -> Result<Field, Reason> {
        let start = self.pos + 1;
        let mut from = start;
        let mut escaped = false;
        let end = loop {
            let Some(n) = memchr::memchr(b'"', &self.bytes[from..self.end]) else {
                self.pos = self.end;
                return Err(Reason::Syntax(Expected::Quote));
            };
            let quote = from + n;
            if quote + 1 >= self.end || self.bytes[quote + 1] != b'"' {
                break quote;
            }
            if !escaped {
                self.scratch.clear();
                escaped = true;
            }
            self.scratch.extend_from_slice(&self.bytes[from..=quote]);
            from = quote + 2;
        };
        if escaped {
            self.scratch.extend_from_slice(&self.bytes[from..end]);
        }
        self.pos = end + 1;
        if self.pos < self.end && self.bytes[self.pos] != self.delimiter {
            return Err(Reason::Syntax(Expected::DelimiterAfterQuote));
        }
        self.step_over(self.pos);
        Ok(Field { start, end, quoted: true, escaped })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(record: &str) -> Result<Vec<String>, Reason> {
        let mut scratch = Vec::new();
        // What stands behind the record is not looked at.
        let bytes = [record.as_bytes(), b",x,\"y\n"].concat();
        let mut fields = Fields::new(&bytes, 0, record.len(), b',', &mut scratch);
        let mut out = Vec::new();
        while let Some(field) = fields.next()? {
            let value = String::from_utf8_lossy(fields.value(field)).into_owned();
            out.push(if field.quoted { format!("<{value}>") } else { value });
        }
        Ok(out)
    }

    #[test]
    fn rfc_4180() {
        for (record, want) in [
            ("", vec![""]),
            ("a", vec!["a"]),
            ("a,b", vec!["a", "b"]),
            (",", vec!["", ""]),
            ("a,,long field of text,", vec!["a", "", "long field of text", ""]),
            ("\"\"", vec!["<>"]),
            ("\"a,b\",\"c\nd\"", vec!["<a,b>", "<c\nd>"]),
            ("\"say \"\"hi\"\"\",\"\"\"\"", vec!["<say \"hi\">", "<\">"]),
            ("5\" pipe, \"x\"", vec!["5\" pipe", " \"x\""]),
        ] {
            assert_eq!(fields(record), Ok(want.into_iter().map(str::to_owned).collect()), "{record}");
        }
    }

    #[test]
    fn broken_quotes() {
        assert_eq!(fields("a,\"b"), Err(Reason::Syntax(Expected::Quote)));
        assert_eq!(fields("\"a\"b,c"), Err(Reason::Syntax(Expected::DelimiterAfterQuote)));
        assert_eq!(fields("\"a\"\"\""), Ok(vec!["<a\">".to_owned()]));
        assert_eq!(fields("\"a\"\""), Err(Reason::Syntax(Expected::Quote)));
    }
}
