//! Lines and columns of a script as bytes of it.
//!
//! sqlparser counts lines and characters, both from 1; line 0 stands for "unknown". A line ends at `\n` alone.

use sqlparser::tokenizer;

use crate::error::Span;

/// Where the lines of one text begin, and the text.
#[derive(Clone, Debug, Default)]
pub struct Positions {
    text: String,
    lines: Vec<usize>,
}

impl Positions {
    /// The lines of `text`.
    pub fn new(text: &str) -> Self {
        let starts = text.bytes().enumerate().filter(|(_, byte)| *byte == b'\n').map(|(at, _)| at + 1);
        Positions { text: text.to_string(), lines: std::iter::once(0).chain(starts).collect() }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The byte at which a location points; the end of its line, or of the text, when it points beyond. `None` for the
    /// unknown location.
    pub fn offset(&self, location: tokenizer::Location) -> Option<usize> {
        let (line, column) = (location.line as usize, location.column as usize);
        let start = match (line, column) {
            (0, _) | (_, 0) => return None,
            _ => self.lines.get(line - 1).copied().unwrap_or(self.text.len()),
        };
        let end = self.lines.get(line).copied().unwrap_or(self.text.len());
        let text = self.text.get(start..end)?;
        if text.is_ascii() {
            return Some((start + column - 1).min(end));
        }
        Some(text.char_indices().nth(column - 1).map_or(end, |(at, _)| start + at))
    }

    /// The bytes of a span; `None` for the empty one.
    pub fn span(&self, span: tokenizer::Span) -> Option<Span> {
        let (start, end) = (self.offset(span.start)?, self.offset(span.end)?);
        Some(Span::new(start, end.max(start)))
    }
}
