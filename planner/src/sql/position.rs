//! Lines and columns of a script as bytes of it.
//!
//! sqlparser counts lines and characters, both from 1; line 0 stands for "unknown". A line ends at `\n` alone. Looking
//! up a place costs the same however long the line is.

use sqlparser::tokenizer;

use crate::error::Span;

/// Characters between two marks of a line that is not ASCII.
const MARK_CHARS: usize = 64;

/// Where the lines of one text begin, and the text.
#[derive(Clone, Debug, Default)]
pub struct Positions {
    text: String,
    lines: Vec<Line>,
}

#[derive(Clone, Debug)]
struct Line {
    start: usize,
    /// The byte of every `MARK_CHARS`-th character; empty in an ASCII line, where characters are bytes.
    marks: Vec<usize>,
}

impl Positions {
    /// The lines of `text`.
    pub fn new(text: &str) -> Self {
        let mut start = 0;
        let mut lines = Vec::new();
        for line in text.split_inclusive('\n') {
            let marks = match line.is_ascii() {
                true => Vec::new(),
                false => line.char_indices().step_by(MARK_CHARS).map(|(at, _)| start + at).collect(),
            };
            lines.push(Line { start, marks });
            start += line.len();
        }
        Positions { text: text.to_string(), lines }
    }

    /// The text.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The byte at which a location points; the end of its line, or of the text, when it points beyond. `None` for the
    /// unknown location.
    pub fn offset(&self, location: tokenizer::Location) -> Option<usize> {
        if location.line == 0 || location.column == 0 {
            return None;
        }
        let (line_no, column) = (location.line as usize - 1, location.column as usize - 1);
        let end = self.lines.get(line_no + 1).map_or(self.text.len(), |line| line.start);
        let Some(line) = self.lines.get(line_no) else { return Some(self.text.len()) };
        let Some(mark) = line.marks.get(column / MARK_CHARS) else {
            return Some(if line.marks.is_empty() { (line.start + column).min(end) } else { end });
        };
        let rest = self.text.get(*mark..end)?;
        Some(rest.char_indices().nth(column % MARK_CHARS).map_or(end, |(at, _)| mark + at))
    }

    /// The bytes of a span; `None` for the empty one.
    pub fn span(&self, span: tokenizer::Span) -> Option<Span> {
        let (start, end) = (self.offset(span.start)?, self.offset(span.end)?);
        Some(Span::new(start, end.max(start)))
    }
}

#[cfg(test)]
mod tests {
    use sqlparser::tokenizer::Location;

    use super::*;

    #[test]
    fn every_character_of_a_mixed_text_is_found() {
        let wide = "ä€".repeat(100);
        let text = format!("SELECT 'a'\r\n\n{wide} x {wide}\nlast");
        let positions = Positions::new(&text);
        let (mut line, mut column) = (1, 1);
        for (at, c) in text.char_indices() {
            assert_eq!(positions.offset(Location { line, column }), Some(at), "{line}:{column}");
            (line, column) = if c == '\n' { (line + 1, 1) } else { (line, column + 1) };
        }
        assert_eq!(positions.offset(Location { line, column }), Some(text.len()));
    }

    #[test]
    fn places_outside_the_text_are_its_edges() {
        let positions = Positions::new("ab\nc");
        assert_eq!(positions.offset(Location { line: 0, column: 0 }), None);
        assert_eq!(positions.offset(Location { line: 1, column: 99 }), Some(3));
        assert_eq!(positions.offset(Location { line: 9, column: 1 }), Some(4));
        assert_eq!(Positions::new("").offset(Location { line: 1, column: 1 }), Some(0));
    }
}
