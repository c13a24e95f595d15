//! From chunks of bytes to blocks of whole records.
//!
//! Bytes are pushed as they come; whole records are taken in blocks of at most so many rows and bytes. A record ends at
//! a line break (`\n` or `\r\n`), in delimited text at one outside quotes, and at the end of the input. Empty lines are
//! passed over unless they mean something. A byte order mark at the start of the stream is passed over.
//!
//! # Contract
//! * The records taken, and their offsets, depend on the bytes alone and not on how they were cut into chunks.
//! * No more is held than what was pushed and not yet taken, and never much more than one record that is too long: of
//!   such a record the first bytes are handed out, so that its decoder reports it, and the rest is dropped.
//! * A quote that is never closed costs its own line: when the end comes before the closing quote, or the record would
//!   be too long with it, the first line is a record by itself and the next one is read anew.

use std::io::{self, Read};

use memchr::{memchr, memchr2};

use crate::limits::{BLOCK_BYTES_MAX, RECORD_BYTES_MAX};
use crate::records::{Records, Span};

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What ends a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// Each line is a record; empty lines are not.
    Lines,
    /// As RFC 4180: a line break within quotes is part of the record. Quotes open a field only at its start.
    Delimited {
        /// Between two fields.
        delimiter: u8,
        /// An empty line is a record: the one NULL of a record with one column.
        keep_empty: bool,
    },
}

/// How far the search for the end of the record in progress has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scan {
    /// Outside quotes.
    Plain,
    /// Within quotes.
    Quoted,
    /// In the rest of a record that was too long.
    Discard,
}

/// Cuts a stream of bytes into records; see the module.
#[derive(Debug)]
pub struct RecordSplitter {
    framing: Framing,
    buffer: Vec<u8>,
    /// Offset in the stream of the buffer's first byte.
    base: u64,
    /// Whole records that were found and not taken; those before `taken` were.
    spans: Vec<Span>,
    taken: usize,
    /// Where the record in progress begins, in the buffer.
    start: usize,
    /// Where to go on searching for its end.
    at: usize,
    scan: Scan,
    finished: bool,
}

impl RecordSplitter {
    /// A splitter at the beginning of a stream.
    pub fn new(framing: Framing) -> Self {
        Self::starting_at(framing, 0)
    }

    /// A splitter whose first byte is byte `offset` of its stream, the first one of a record.
    pub fn starting_at(framing: Framing, offset: u64) -> Self {
        RecordSplitter {
            framing,
            buffer: Vec::new(),
            base: offset,
            spans: Vec::new(),
            taken: 0,
            start: 0,
            at: 0,
            scan: Scan::Plain,
            finished: false,
        }
    }

    /// Appends bytes of the stream.
    ///
    /// # Panics
    /// If it would hold more than [`BLOCK_BYTES_MAX`] bytes, or after [`finish`](Self::finish). Take records first.
    pub fn push(&mut self, chunk: &[u8]) {
        self.make_room(chunk.len());
        self.buffer.extend_from_slice(chunk);
    }

    /// Appends what `input` has, at most `bytes_max` bytes of it, without a copy between; returns how many they were, 0
    /// at its end.
    ///
    /// # Errors
    /// If reading fails; bytes read before that are kept.
    ///
    /// # Panics
    /// As [`push`](Self::push).
    pub fn read_from(&mut self, input: &mut impl Read, bytes_max: usize) -> io::Result<usize> {
        self.make_room(bytes_max);
        input.take(bytes_max as u64).read_to_end(&mut self.buffer)
    }

    /// The stream has ended: what is left is its last record.
    pub fn finish(&mut self) {
        self.finished = true;
    }

    /// Whether the stream has ended and every record was taken.
    pub fn is_done(&self) -> bool {
        self.finished && self.taken == self.spans.len() && self.start == self.buffer.len()
    }

    /// Bytes that were pushed and not taken.
    pub fn pending_bytes(&self) -> usize {
        self.buffer.len() - self.consumed()
    }

    /// Offset in the stream behind the last record taken: where to go on after a restart.
    pub fn position(&self) -> u64 {
        self.base + self.consumed() as u64
    }

    /// At most `rows_max` whole records of at most `bytes_max` bytes in all (but at least one), if a whole one is there.
    pub fn take(&mut self, rows_max: usize, bytes_max: usize) -> Option<Records<'_>> {
        self.take_when(rows_max, bytes_max, false)
    }

    /// As [`take`](Self::take), and only when the block is full or the stream has ended: then blocks depend on the
    /// bytes alone.
    pub fn take_full(&mut self, rows_max: usize, bytes_max: usize) -> Option<Records<'_>> {
        self.take_when(rows_max, bytes_max, !self.finished)
    }

    fn take_when(&mut self, rows_max: usize, bytes_max: usize, full_only: bool) -> Option<Records<'_>> {
        assert!(rows_max > 0, "a block has at least one row");
        self.find(rows_max);
        let found = &self.spans[self.taken..];
        let mut bytes = 0;
        let rows = found
            .iter()
            .take(rows_max)
            .take_while(|s| {
                bytes += (s.end - s.start) as usize;
                bytes <= bytes_max
            })
            .count();
        if found.is_empty() || (full_only && rows == found.len() && rows < rows_max) {
            return None;
        }
        let from = self.taken;
        self.taken += rows.max(1);
        Some(Records::new(&self.buffer, &self.spans[from..self.taken], self.base))
    }

    /// First byte that is still needed.
    fn consumed(&self) -> usize {
        self.spans.get(self.taken).map_or(self.start, |s| s.start as usize)
    }

    fn make_room(&mut self, bytes: usize) {
        assert!(!self.finished, "bytes behind the end of the stream");
        self.compact();
        let held = self.buffer.len();
        assert!(held + bytes < BLOCK_BYTES_MAX, "{held} bytes held, {bytes} pushed, {BLOCK_BYTES_MAX} allowed");
    }

    /// Drops what was taken, when that is at least half: so each byte moves once at most, on average.
    fn compact(&mut self) {
        let consumed = self.consumed();
        if consumed < self.buffer.len().div_ceil(2) {
            return;
        }
        self.buffer.drain(..consumed);
        self.spans.drain(..self.taken);
        self.taken = 0;
        for span in &mut self.spans {
            // Within the buffer, so below 1 GiB.
            span.start -= consumed as u32;
            span.end -= consumed as u32;
        }
        self.base += consumed as u64;
        self.start -= consumed;
        self.at -= consumed;
    }

    /// Searches for record ends until `rows` records are there to be taken, or no more can be found.
    fn find(&mut self, rows: usize) {
        if !self.past_byte_order_mark() {
            return;
        }
        while self.spans.len() - self.taken < rows {
            let found = match self.scan {
                Scan::Discard => self.discard(),
                _ if self.framing == Framing::Lines => self.find_line(),
                Scan::Plain => self.find_delimited(),
                Scan::Quoted => self.find_quote(),
            };
            if !found && !self.at_limit() && !self.at_end() {
                break;
            }
        }
    }

    /// False while it cannot be told whether the stream begins with a mark.
    fn past_byte_order_mark(&mut self) -> bool {
        if self.base != 0 || self.at != 0 || self.finished && self.buffer.len() < BYTE_ORDER_MARK.len() {
            return true;
        }
        if self.buffer.starts_with(BYTE_ORDER_MARK) {
            self.start = BYTE_ORDER_MARK.len();
            self.at = self.start;
            return true;
        }
        self.buffer.len() >= BYTE_ORDER_MARK.len() || !BYTE_ORDER_MARK.starts_with(&self.buffer)
    }

    /// The record in progress ends before the line break at `end`.
    fn end_record(&mut self, mut end: usize) {
        let start = self.start;
        if end - start > RECORD_BYTES_MAX {
            end = self.first_line_end().unwrap_or(end);
        }
        let without_return = if end > start && self.buffer[end - 1] == b'\r' { end - 1 } else { end };
        let keep_empty = matches!(self.framing, Framing::Delimited { keep_empty: true, .. });
        if without_return > start || keep_empty {
            self.emit(start, without_return);
        }
        self.start = (end + 1).min(self.buffer.len());
        self.at = self.start;
        self.scan = Scan::Plain;
    }

    fn emit(&mut self, start: usize, end: usize) {
        // Of a record that is too long, as much as shows it.
        let end = end.min(start + RECORD_BYTES_MAX + 1);
        self.spans.push(Span { start: start as u32, end: end as u32 });
    }

    fn find_line(&mut self) -> bool {
        match memchr(b'\n', &self.buffer[self.at..]) {
            Some(n) => {
                self.end_record(self.at + n);
                true
            }
            None => {
                self.at = self.buffer.len();
                false
            }
        }
    }

    /// A step outside quotes: to the end of the record or to an opening quote.
    fn find_delimited(&mut self) -> bool {
        let Framing::Delimited { delimiter, .. } = self.framing else { return false };
        while let Some(n) = memchr2(b'\n', b'"', &self.buffer[self.at..]) {
            let at = self.at + n;
            if self.buffer[at] == b'\n' {
                self.end_record(at);
                return true;
            }
            self.at = at + 1;
            if at == self.start || self.buffer[at - 1] == delimiter {
                self.scan = Scan::Quoted;
                return true;
            }
        }
        self.at = self.buffer.len();
        false
    }

    /// A step within quotes: behind the closing one.
    fn find_quote(&mut self) -> bool {
        while let Some(n) = memchr(b'"', &self.buffer[self.at..]) {
            let at = self.at + n;
            match self.buffer.get(at + 1) {
                Some(b'"') => self.at = at + 2,
                None if !self.finished => {
                    self.at = at;
                    return false;
                }
                _ => {
                    self.at = at + 1;
                    self.scan = Scan::Plain;
                    return true;
                }
            }
        }
        self.at = self.buffer.len();
        false
    }

    fn discard(&mut self) -> bool {
        match memchr(b'\n', &self.buffer[self.at..]) {
            Some(n) => {
                self.start = self.at + n + 1;
                self.at = self.start;
                self.scan = Scan::Plain;
                true
            }
            None => {
                self.start = self.buffer.len();
                self.at = self.start;
                false
            }
        }
    }

    /// No end was found: hands out the head of a record that is too long. True if there is more to find.
    fn at_limit(&mut self) -> bool {
        if self.scan == Scan::Discard || self.buffer.len() - self.start <= RECORD_BYTES_MAX {
            return false;
        }
        if let Some(end) = self.first_line_end() {
            self.end_record(end);
            return true;
        }
        self.emit(self.start, self.buffer.len());
        self.start = self.buffer.len();
        self.at = self.start;
        self.scan = Scan::Discard;
        false
    }

    /// No end was found and none will come. True if there is more to find.
    fn at_end(&mut self) -> bool {
        if !self.finished || self.start == self.buffer.len() {
            return false;
        }
        if self.scan == Scan::Quoted
            && let Some(end) = self.first_line_end()
        {
            self.end_record(end);
            return true;
        }
        self.end_record(self.buffer.len());
        self.start != self.buffer.len()
    }

    /// The first line break within the record in progress, if there is one below the limit. It stands in quotes.
    fn first_line_end(&self) -> Option<usize> {
        let head = &self.buffer[self.start..];
        memchr(b'\n', &head[..head.len().min(RECORD_BYTES_MAX + 1)]).map(|n| self.start + n)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CSV: Framing = Framing::Delimited { delimiter: b',', keep_empty: false };

    /// Records with offsets, from chunks of `chunk` bytes, in blocks of `rows`.
    fn split(framing: Framing, text: &[u8], chunk: usize, rows: usize) -> Vec<(u64, String)> {
        let mut splitter = RecordSplitter::new(framing);
        let mut out = Vec::new();
        let take = |splitter: &mut RecordSplitter, out: &mut Vec<(u64, String)>| {
            while let Some(block) = splitter.take(rows, usize::MAX) {
                assert!(block.len() <= rows);
                for i in 0..block.len() {
                    out.push((block.offset(i), String::from_utf8_lossy(block.get(i)).into_owned()));
                }
            }
        };
        for chunk in text.chunks(chunk) {
            splitter.push(chunk);
            take(&mut splitter, &mut out);
        }
        splitter.finish();
        take(&mut splitter, &mut out);
        assert!(splitter.is_done(), "{splitter:?}");
        assert_eq!(splitter.position(), text.len() as u64);
        out
    }

    fn check(framing: Framing, text: &str, want: &[(u64, &str)]) {
        let want: Vec<(u64, String)> = want.iter().map(|(o, r)| (*o, (*r).to_owned())).collect();
        for chunk in 1..=text.len().max(1) {
            for rows in [1, 2, 100] {
                assert_eq!(split(framing, text.as_bytes(), chunk, rows), want, "chunks of {chunk}, {rows} rows");
            }
        }
    }

    #[test]
    fn lines() {
        check(Framing::Lines, "", &[]);
        check(Framing::Lines, "a\nbc\r\n\n\r\nd", &[(0, "a"), (2, "bc"), (9, "d")]);
        check(Framing::Lines, "\n\na\n", &[(2, "a")]);
        check(Framing::Lines, "a\r", &[(0, "a")]);
        check(Framing::Lines, "\u{feff}a\n\u{feff}b", &[(3, "a"), (5, "\u{feff}b")]);
        check(Framing::Lines, "\u{fec0}a", &[(0, "\u{fec0}a")]);
    }

    #[test]
    fn quotes_hold_line_breaks() {
        check(CSV, "a,\"b\nc\"\nd,e\n", &[(0, "a,\"b\nc\""), (8, "d,e")]);
        check(CSV, "\"a\"\"\n\"\"\",x\r\ny", &[(0, "\"a\"\"\n\"\"\",x"), (12, "y")]);
        check(CSV, "5\" pipe,1\n6\" pipe,2\n", &[(0, "5\" pipe,1"), (10, "6\" pipe,2")]);
        check(CSV, "\"\"\n\"\"", &[(0, "\"\""), (3, "\"\"")]);
    }

    #[test]
    fn an_open_quote_costs_its_line() {
        check(CSV, "a\n\"b\nc,d\ne", &[(0, "a"), (2, "\"b"), (5, "c,d"), (9, "e")]);
        check(CSV, "a\n\"b", &[(0, "a"), (2, "\"b")]);
    }

    #[test]
    fn empty_lines_count_where_they_are_null() {
        let framing = Framing::Delimited { delimiter: b',', keep_empty: true };
        check(framing, "a\n\nb\n", &[(0, "a"), (2, ""), (3, "b")]);
    }

    #[test]
    fn readers_are_read_in_pieces() {
        let mut input = &b"a\nbb\nccc"[..];
        let mut splitter = RecordSplitter::new(Framing::Lines);
        assert_eq!(splitter.read_from(&mut input, 4).ok(), Some(4));
        assert_eq!(splitter.take(9, 9).map(|r| r.len()), Some(1));
        assert_eq!(splitter.read_from(&mut input, 9).ok(), Some(4));
        assert_eq!(splitter.read_from(&mut input, 9).ok(), Some(0));
        splitter.finish();
        let rest = splitter.take(9, 9).map(|r| (r.len(), r.get(0).to_vec(), r.get(1).to_vec()));
        assert_eq!(rest, Some((2, b"bb".to_vec(), b"ccc".to_vec())));
    }

    #[test]
    fn full_blocks_wait() {
        let mut splitter = RecordSplitter::starting_at(Framing::Lines, 100);
        splitter.push(b"a\nb\nc\n");
        assert_eq!(splitter.take_full(2, 100).map(|r| r.len()), Some(2));
        assert!(splitter.take_full(2, 100).is_none());
        assert_eq!((splitter.position(), splitter.pending_bytes()), (104, 2));
        splitter.push(b"dddd\ne\n");
        assert_eq!(splitter.take_full(3, 4).map(|r| (r.len(), r.offset(0))), Some((1, 104)));
        assert_eq!(splitter.take_full(3, 4).map(|r| (r.len(), r.offset(0))), Some((1, 106)));
        splitter.finish();
        assert_eq!(splitter.take_full(3, 4).map(|r| (r.len(), r.offset(0))), Some((1, 111)));
        assert!(splitter.take_full(3, 4).is_none() && splitter.is_done());
    }

    #[test]
    fn too_long_records_are_not_kept() {
        for framing in [Framing::Lines, CSV] {
            let mut splitter = RecordSplitter::new(framing);
            splitter.push(b"first\n");
            let chunk = vec![b'x'; 1 << 20];
            let mut lens = Vec::new();
            for _ in 0..40 {
                splitter.push(&chunk);
                while let Some(block) = splitter.take(10, usize::MAX) {
                    lens.extend((0..block.len()).map(|i| block.get(i).len()));
                }
                assert!(splitter.buffer.len() <= RECORD_BYTES_MAX + 2 * chunk.len());
            }
            splitter.push(b"\nlast\n");
            let block = splitter.take(10, usize::MAX).expect("the last line");
            assert_eq!((block.get(0), block.offset(0)), (&b"last"[..], 6 + 40 * (1 << 20) + 1));
            assert_eq!(lens, [5, RECORD_BYTES_MAX + 1]);
        }
    }

    #[test]
    fn too_long_quotes_cost_their_line() {
        let mut splitter = RecordSplitter::new(CSV);
        splitter.push(b"\"open\nfine\n");
        splitter.push(&b"x,y\n".repeat(RECORD_BYTES_MAX / 4 + 1));
        let block = splitter.take(3, usize::MAX).expect("lines");
        assert_eq!((block.get(0), block.get(1), block.get(2)), (&b"\"open"[..], &b"fine"[..], &b"x,y"[..]));
    }
}
