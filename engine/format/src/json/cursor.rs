//! A place in a JSON text: whitespace, texts, numbers, literals, and values that nobody asked for.
//!
//! Texts are searched sixteen bytes at a time. The whole of RFC 8259 is checked, also in what is skipped: whether a record
//! is broken does not depend on the columns declared. UTF-8 is checked elsewhere, for a whole block at once.
//!
//! # Contract
//! The byte at `end` is a line break or the end of `bytes` (see [`crate::records`]). So no scan crosses it: a text or
//! number ends there at the latest, and whitespace is passed over with the end in view.

use crate::error::{Expected, Found, Reason};
use crate::limits::NESTING_LEVELS_MAX;
use crate::number::{Grammar, Number, scan};

/// See the module.
#[derive(Debug)]
pub(crate) struct Cursor<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) pos: usize,
    pub(crate) end: usize,
    /// Room for texts without their escapes.
    pub(crate) scratch: &'a mut Vec<u8>,
}

/// A text between its quotes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Quoted {
    pub(crate) start: usize,
    pub(crate) end: usize,
    pub(crate) escaped: bool,
}

/// Whether a byte ends a run of plain text: a quote, a backslash, a control character.
#[inline(always)]
pub(crate) fn is_special(byte: u8) -> bool {
    (byte == b'"') | (byte == b'\\') | (byte < b' ')
}

/// Position of the first special byte from `at` on, or the end of `bytes`. Sixteen bytes at a time: the compiler turns
/// the inner loop into vector instructions.
#[inline(always)]
pub(crate) fn find_special(bytes: &[u8], mut at: usize) -> usize {
    while let Some(chunk) = bytes.get(at..).and_then(|rest| rest.first_chunk::<16>()) {
        let mut marks = [0; 16];
        for (mark, byte) in marks.iter_mut().zip(chunk) {
            *mark = if is_special(*byte) { u8::MAX } else { 0 };
        }
        let marks = u128::from_le_bytes(marks);
        if marks != 0 {
            return at + marks.trailing_zeros() as usize / 8;
        }
        at += 16;
    }
    find_special_at_end(bytes, at)
}

#[cold]
fn find_special_at_end(bytes: &[u8], at: usize) -> usize {
    let rest = bytes.get(at..).unwrap_or_default();
    rest.iter().position(|b| is_special(*b)).map_or(bytes.len(), |n| at + n)
}

impl<'a> Cursor<'a> {
    /// The byte here; 0 at the end of everything.
    #[inline(always)]
    pub(crate) fn peek(&self) -> u8 {
        self.bytes.get(self.pos).copied().unwrap_or(0)
    }

    /// Passes over whitespace.
    #[inline(always)]
    pub(crate) fn skip_whitespace(&mut self) {
        if self.peek() <= b' ' {
            while self.pos < self.end && matches!(self.peek(), b' ' | b'\t' | b'\n' | b'\r') {
                self.pos += 1;
            }
        }
    }

    /// Passes over `byte`.
    #[inline(always)]
    pub(crate) fn expect(&mut self, byte: u8, expected: Expected) -> Result<(), Reason> {
        if self.peek() != byte {
            return Err(Reason::Syntax(expected));
        }
        self.pos += 1;
        Ok(())
    }

    /// Passes over a text, of which it stands at the opening quote.
    #[inline(always)]
    pub(crate) fn quoted(&mut self) -> Result<Quoted, Reason> {
        let start = self.pos + 1;
        let at = find_special(self.bytes, start);
        self.pos = at;
        if self.peek() == b'"' {
            self.pos = at + 1;
            return Ok(Quoted { start, end: at, escaped: false });
        }
        self.quoted_slow(start)
    }

    /// The rest of a text, from the first byte that is neither plain nor a quote. Leaves its value in `scratch`.
    #[cold]
    fn quoted_slow(&mut self, start: usize) -> Result<Quoted, Reason> {
        self.scratch.clear();
        self.scratch.extend_from_slice(&self.bytes[start..self.pos]);
        loop {
            match self.peek() {
                b'"' => {
                    let end = self.pos;
                    self.pos += 1;
                    return Ok(Quoted { start, end, escaped: true });
                }
                b'\\' => self.escape()?,
                byte if byte >= b' ' => {
                    self.scratch.push(byte);
                    self.pos += 1;
                }
                _ => return Err(Reason::Syntax(Expected::Quote)),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Reason> {
        let byte = match self.bytes.get(self.pos + 1).copied().unwrap_or(0) {
            byte @ (b'"' | b'\\' | b'/') => byte,
            b'b' => 8,
            b'f' => 12,
            b'n' => b'\n',
            b'r' => b'\r',
            b't' => b'\t',
            b'u' => return self.unicode_escape(),
            _ => return Err(Reason::Syntax(Expected::Escape)),
        };
        self.scratch.push(byte);
        self.pos += 2;
        Ok(())
    }

    fn unicode_escape(&mut self) -> Result<(), Reason> {
        let mut code = self.hex4(self.pos + 2)?;
        let mut len = 6;
        if (0xd800..0xdc00).contains(&code) {
            if self.bytes.get(self.pos + 6..self.pos + 8) != Some(b"\\u") {
                return Err(Reason::Syntax(Expected::SurrogatePair));
            }
            let low = self.hex4(self.pos + 8)?;
            if !(0xdc00..0xe000).contains(&low) {
                return Err(Reason::Syntax(Expected::SurrogatePair));
            }
            code = 0x1_0000 + ((code - 0xd800) << 10) + (low - 0xdc00);
            len = 12;
        }
        let character = char::from_u32(code).ok_or(Reason::Syntax(Expected::SurrogatePair))?;
        self.scratch.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        self.pos += len;
        Ok(())
    }

    fn hex4(&self, at: usize) -> Result<u32, Reason> {
        let bad = Reason::Syntax(Expected::Escape);
        self.bytes.get(at..at + 4).ok_or(bad)?.iter().try_fold(0, |code, b| {
            let digit = char::from(*b).to_digit(16).ok_or(bad)?;
            Ok(code << 4 | digit)
        })
    }

    /// The value of a text that was just passed over.
    #[inline(always)]
    pub(crate) fn text(&self, quoted: Quoted) -> &[u8] {
        if quoted.escaped { self.scratch } else { &self.bytes[quoted.start..quoted.end] }
    }

    /// Passes over a number.
    #[inline(always)]
    pub(crate) fn number(&mut self) -> Result<Number<'a>, Reason> {
        match scan(self.bytes, self.pos, Grammar::Json) {
            Ok((number, end)) => {
                self.pos = end;
                Ok(number)
            }
            Err((reason, at)) => {
                self.pos = at;
                Err(reason)
            }
        }
    }

    /// Passes over `true`, `false` or `null`.
    pub(crate) fn literal(&mut self, text: &'static [u8]) -> Result<(), Reason> {
        if !self.bytes[self.pos.min(self.bytes.len())..].starts_with(text) {
            return Err(Reason::Syntax(Expected::Value));
        }
        self.pos += text.len();
        Ok(())
    }

    /// The kind of the value that begins here.
    pub(crate) fn kind(&self) -> Result<Found, Reason> {
        match self.peek() {
            b'"' => Ok(Found::Text),
            b'-' | b'0'..=b'9' => Ok(Found::Number),
            b't' | b'f' => Ok(Found::Boolean),
            b'[' => Ok(Found::Array),
            b'{' => Ok(Found::Object),
            _ => Err(Reason::Syntax(Expected::Value)),
        }
    }

    /// Passes over a field name and its colon, and over the whitespace around them.
    pub(crate) fn field_name(&mut self) -> Result<Quoted, Reason> {
        self.skip_whitespace();
        if self.peek() != b'"' {
            return Err(Reason::Syntax(Expected::FieldName));
        }
        let name = self.quoted()?;
        self.skip_whitespace();
        self.expect(b':', Expected::Colon)?;
        self.skip_whitespace();
        Ok(name)
    }

    /// Passes over a value of any kind, `level` levels deep in the record.
    pub(crate) fn skip_value(&mut self, level: usize) -> Result<(), Reason> {
        self.skip_whitespace();
        match self.peek() {
            b'"' => self.quoted().map(drop),
            b'-' | b'0'..=b'9' => self.number().map(drop),
            b't' => self.literal(b"true"),
            b'f' => self.literal(b"false"),
            b'n' => self.literal(b"null"),
            b'{' | b'[' => self.skip_nested(level),
            _ => Err(Reason::Syntax(Expected::Value)),
        }
    }

    /// Passes over an array or object without recursion: one bit per open level says which of them it is.
    fn skip_nested(&mut self, level: usize) -> Result<(), Reason> {
        const _: () = assert!(NESTING_LEVELS_MAX <= u64::BITS as usize);
        let (mut objects, mut depth) = (0_u64, 0);
        loop {
            // At the beginning of a value.
            let opening = self.peek();
            if opening == b'{' || opening == b'[' {
                depth += 1;
                if level + depth > NESTING_LEVELS_MAX {
                    return Err(Reason::TooDeep);
                }
                objects = objects << 1 | u64::from(opening == b'{');
                self.pos += 1;
                self.skip_whitespace();
                // `]` and `}` stand two behind `[` and `{`.
                if self.peek() != opening + 2 {
                    self.skip_name(objects & 1 == 1)?;
                    continue;
                }
                self.pos += 1;
                (objects, depth) = (objects >> 1, depth - 1);
            } else {
                self.skip_value(level)?;
            }
            // Behind a value.
            loop {
                if depth == 0 {
                    return Ok(());
                }
                let in_object = objects & 1 == 1;
                self.skip_whitespace();
                match self.peek() {
                    b',' => {
                        self.pos += 1;
                        self.skip_whitespace();
                        self.skip_name(in_object)?;
                        break;
                    }
                    b'}' if in_object => {}
                    b']' if !in_object => {}
                    _ if in_object => return Err(Reason::Syntax(Expected::CommaOrObjectEnd)),
                    _ => return Err(Reason::Syntax(Expected::CommaOrArrayEnd)),
                }
                self.pos += 1;
                (objects, depth) = (objects >> 1, depth - 1);
            }
        }
    }

    #[inline]
    fn skip_name(&mut self, in_object: bool) -> Result<(), Reason> {
        if in_object { self.field_name().map(drop) } else { Ok(()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn skip(text: &str) -> Result<usize, Reason> {
        let mut scratch = Vec::new();
        let bytes = [text.as_bytes(), b"\n"].concat();
        let mut cursor = Cursor { bytes: &bytes, pos: 0, end: text.len(), scratch: &mut scratch };
        cursor.skip_value(0)?;
        Ok(cursor.pos)
    }

    #[test]
    fn values_are_skipped_whole() {
        for text in [
            "1",
            "-1.5e3",
            "\"\"",
            "\"a\\\"b\\u00e9\\ud83d\\ude00\"",
            "null",
            "true",
            "false",
            "{}",
            "[]",
            "[[],{}]",
            "{ \"a\" : [ 1 , { \"b\" : \"]}\" } ] , \"c\" : null }",
            "[1,[2,[3,{\"x\":[]}]],\"long text of many bytes\"]",
        ] {
            assert_eq!(skip(text), Ok(text.len()), "{text}");
        }
    }

    #[test]
    fn broken_values_are_found() {
        use Expected::*;
        for (text, expected) in [
            ("", Value),
            ("nul", Value),
            ("[1", CommaOrArrayEnd),
            ("[1,", Value),
            ("[1,]", Value),
            ("[1}", CommaOrArrayEnd),
            ("{", FieldName),
            ("{\"a\"", Colon),
            ("{\"a\":1", CommaOrObjectEnd),
            ("{\"a\":1,}", FieldName),
            ("{1:1}", FieldName),
            ("{\"a\":1]", CommaOrObjectEnd),
            ("\"abc", Quote),
            ("\"a\tb\"", Quote),
            ("\"\\x\"", Escape),
            ("\"\\u12g4\"", Escape),
            ("\"\\ud800\"", SurrogatePair),
            ("\"\\ud800\\u0041\"", SurrogatePair),
            ("\"\\udc00\"", SurrogatePair),
            ("01", NoLeadingZero),
            ("-", Digit),
            ("\"\\", Escape),
            ("\"\\ud83d\\u", Escape),
        ] {
            assert_eq!(skip(text), Err(Reason::Syntax(expected)), "{text}");
        }
    }

    #[test]
    fn nesting_has_a_limit() {
        let deep = |n: usize| "[".repeat(n) + &"]".repeat(n);
        assert_eq!(skip(&deep(NESTING_LEVELS_MAX)), Ok(2 * NESTING_LEVELS_MAX));
        assert_eq!(skip(&deep(NESTING_LEVELS_MAX + 1)), Err(Reason::TooDeep));
        assert_eq!(skip(&"{\"a\":[".repeat(100_000)), Err(Reason::TooDeep));
    }

    #[test]
    fn special_bytes_are_found_at_every_place() {
        for len in 0..50 {
            for at in 0..=len {
                let mut text = "x\u{7f}\u{e9}! ".repeat(12).into_bytes();
                text.truncate(len);
                for special in [b'"', b'\\', 0, 0x1f] {
                    text.insert(at, special);
                    assert_eq!(find_special(&text, 0), at);
                    text.remove(at);
                }
                assert_eq!(find_special(&text, at), len);
            }
        }
        assert_eq!(find_special(b"abc", 7), 3);
    }
}
