//! JSON as it is written: values that keep their text, so that no digit of a number and no order of fields is lost.

use std::borrow::Cow;

/// Arrays and objects may be nested this deep.
const DEPTH_MAX: usize = 128;

/// A value with its text.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Json<'t> {
    /// From its first character to its last.
    pub(crate) text: &'t str,
    pub(crate) kind: Kind<'t>,
}

/// What a value is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind<'t> {
    Null,
    Bool,
    Number,
    String(Cow<'t, str>),
    Array(Vec<Json<'t>>),
    /// In order, equal keys included.
    Object(Vec<(Cow<'t, str>, Json<'t>)>),
}

impl<'t> Json<'t> {
    /// The value that a text is, as a whole.
    pub(crate) fn parse(text: &'t str) -> Option<Json<'t>> {
        let mut reader = Reader { text, at: 0 };
        let value = reader.value(0)?;
        reader.space();
        (reader.at == text.len()).then_some(value)
    }

    /// The value of a field; of equal keys the last.
    pub(crate) fn field(&self, key: &str) -> Option<&Json<'t>> {
        match &self.kind {
            Kind::Object(fields) => fields.iter().rev().find(|(known, _)| known == key).map(|(_, value)| value),
            _ => None,
        }
    }

    /// The items of an array.
    pub(crate) fn items(&self) -> Option<&[Json<'t>]> {
        match &self.kind {
            Kind::Array(items) => Some(items),
            _ => None,
        }
    }

    /// A string's characters, anything else's text; `None` for null.
    pub(crate) fn shown(&self) -> Option<String> {
        match &self.kind {
            Kind::Null => None,
            Kind::String(text) => Some(text.to_string()),
            _ => Some(self.text.to_string()),
        }
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\t' | b'\n' | b'\r') = self.peek() {
            self.at += 1;
        }
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn value(&mut self, depth: usize) -> Option<Json<'t>> {
        self.space();
        let start = self.at;
        let kind = match self.peek()? {
            b'n' => self.word("null", Kind::Null)?,
            b't' => self.word("true", Kind::Bool)?,
            b'f' => self.word("false", Kind::Bool)?,
            b'"' => Kind::String(self.string()?),
            b'[' if depth < DEPTH_MAX => Kind::Array(self.array(depth + 1)?),
            b'{' if depth < DEPTH_MAX => Kind::Object(self.object(depth + 1)?),
            b'-' | b'0'..=b'9' => {
                self.number()?;
                Kind::Number
            }
            _ => return None,
        };
        Some(Json { text: &self.text[start..self.at], kind })
    }

    fn word(&mut self, word: &str, kind: Kind<'t>) -> Option<Kind<'t>> {
        self.text[self.at..].starts_with(word).then(|| {
            self.at += word.len();
            kind
        })
    }

    fn digits(&mut self) -> Option<()> {
        let start = self.at;
        while let Some(b'0'..=b'9') = self.peek() {
            self.at += 1;
        }
        (self.at > start).then_some(())
    }

    fn number(&mut self) -> Option<()> {
        let _ = self.take(b'-');
        match self.peek()? {
            b'0' => self.at += 1,
            _ => self.digits()?,
        }
        if self.take(b'.').is_some() {
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            self.digits()?;
        }
        Some(())
    }

    fn string(&mut self) -> Option<Cow<'t, str>> {
        self.take(b'"')?;
        let start = self.at;
        let rest = &self.text[start..];
        let end = rest.find(|c: char| c == '"' || c == '\\' || c < ' ')?;
        if rest.as_bytes()[end] == b'"' {
            self.at = start + end + 1;
            return Some(Cow::Borrowed(&rest[..end]));
        }
        let mut out = String::from(&rest[..end]);
        self.at = start + end;
        loop {
            let c = self.text[self.at..].chars().next()?;
            self.at += c.len_utf8();
            match c {
                '"' => return Some(Cow::Owned(out)),
                '\\' => out.push(self.escaped()?),
                c if c < ' ' => return None,
                c => out.push(c),
            }
        }
    }

    fn escaped(&mut self) -> Option<char> {
        let escape = self.peek()?;
        self.at += 1;
        Some(match escape {
            b'"' | b'\\' | b'/' => escape as char,
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let high = self.hex()?;
                if !(0xD800..0xDC00).contains(&high) {
                    return char::from_u32(high);
                }
                self.take(b'\\')?;
                self.take(b'u')?;
                let low = self.hex()?.checked_sub(0xDC00).filter(|low| *low < 0x400)?;
                char::from_u32(0x10000 + ((high - 0xD800) << 10) + low)?
            }
            _ => return None,
        })
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        self.at += 4;
        digits.bytes().all(|b| b.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok()).flatten()
    }

    fn array(&mut self, depth: usize) -> Option<Vec<Json<'t>>> {
        self.take(b'[')?;
        let mut items = vec![];
        self.space();
        if self.take(b']').is_some() {
            return Some(items);
        }
        loop {
            items.push(self.value(depth)?);
            self.space();
            if self.take(b']').is_some() {
                return Some(items);
            }
            self.take(b',')?;
        }
    }

    fn object(&mut self, depth: usize) -> Option<Vec<(Cow<'t, str>, Json<'t>)>> {
        self.take(b'{')?;
        let mut fields = vec![];
        self.space();
        if self.take(b'}').is_some() {
            return Some(fields);
        }
        loop {
            self.space();
            let key = self.string()?;
            self.space();
            self.take(b':')?;
            fields.push((key, self.value(depth)?));
            self.space();
            if self.take(b'}').is_some() {
                return Some(fields);
            }
            self.take(b',')?;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_text() {
        let value = Json::parse(r#" {"a": 2.50, "b": [1, "x\u00e9\ud83d\ude00\n"], "a": 3} "#).unwrap();
        assert_eq!(value.field("a").unwrap().shown().as_deref(), Some("3"));
        let items = value.field("b").unwrap().items().unwrap();
        assert_eq!(items[1].shown().as_deref(), Some("xé😀\n"));
        assert_eq!(Json::parse("12345678901234567890.10").unwrap().text, "12345678901234567890.10");
    }

    #[test]
    fn what_is_not_json_is_none() {
        for text in ["", "{", "01", "1.", "[1,]", "{\"a\":1,}", "\"a", "nul", "1 2", "\"\\ud800\"", "\"\u{1}\""] {
            assert_eq!(Json::parse(text), None, "{text}");
        }
        assert_eq!(Json::parse(&"[".repeat(100_000)), None);
    }
}
