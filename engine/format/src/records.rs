//! Blocks of records: bytes and where each record lies in them.
//!
//! # Contract
//! Behind every record stands one byte that is no part of it and is a line break or the end of the block. A decoder may
//! look at it, and at what follows, without asking for the record's end at every byte.

use crate::error::FormatError;
use crate::limits::{BLOCK_BYTES_MAX, RECORD_BYTES_MAX};

/// Bytes `start..end` of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) start: u32,
    pub(crate) end: u32,
}

/// A borrowed block of records; see the module for what it promises.
#[derive(Clone, Copy, Debug)]
pub struct Records<'a> {
    bytes: &'a [u8],
    spans: &'a [Span],
    base: u64,
}

impl<'a> Records<'a> {
    pub(crate) fn new(bytes: &'a [u8], spans: &'a [Span], base: u64) -> Self {
        Records { bytes, spans, base }
    }
    /// Records.
    pub fn len(&self) -> usize {
        self.spans.len()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }
    /// Record `i`, without its line break.
    ///
    /// # Panics
    /// If there is no such record.
    pub fn get(&self, i: usize) -> &'a [u8] {
        let span = self.spans[i];
        &self.bytes[span.start as usize..span.end as usize]
    }
    /// Where record `i` begins in the stream that the block was cut from, in bytes.
    pub fn offset(&self, i: usize) -> u64 {
        self.base + u64::from(self.spans[i].start)
    }
    /// At most the first `bytes_max` bytes of record `i`, for an error row.
    pub fn excerpt(&self, i: usize, bytes_max: usize) -> &'a [u8] {
        let record = self.get(i);
        &record[..record.len().min(bytes_max)]
    }
    /// Bytes of all records, without line breaks.
    pub fn bytes(&self) -> usize {
        self.spans.iter().map(|s| (s.end - s.start) as usize).sum()
    }
    /// Records `from..to`, shared.
    ///
    /// # Panics
    /// If the range is not within the block.
    pub fn slice(&self, from: usize, to: usize) -> Records<'a> {
        Records { spans: &self.spans[from..to], ..*self }
    }
    /// A copy that owns its bytes, for another thread or a later time.
    pub fn to_buf(&self) -> RecordBuf {
        let (Some(first), Some(last)) = (self.spans.first(), self.spans.last()) else {
            return RecordBuf::new();
        };
        let (start, end) = (first.start as usize, last.end as usize);
        let mut bytes = Vec::with_capacity(end - start + 1);
        bytes.extend_from_slice(&self.bytes[start..end]);
        bytes.push(b'\n');
        let spans =
            self.spans.iter().map(|s| Span { start: s.start - first.start, end: s.end - first.start }).collect();
        RecordBuf { bytes, spans, base: self.base + start as u64 }
    }

    /// Whether all records are UTF-8. Asked once for the whole block, so that each record need not be asked.
    pub(crate) fn are_utf8(&self) -> bool {
        let (Some(first), Some(last)) = (self.spans.first(), self.spans.last()) else { return true };
        simdutf8::basic::from_utf8(&self.bytes[first.start as usize..last.end as usize]).is_ok()
    }

    /// The whole block, and where its records lie in it.
    pub(crate) fn parts(&self) -> (&'a [u8], &'a [Span]) {
        (self.bytes, self.spans)
    }
}

/// A block of records that owns its bytes. Messages that come one by one are collected in one.
#[derive(Clone, Debug, Default)]
pub struct RecordBuf {
    bytes: Vec<u8>,
    spans: Vec<Span>,
    base: u64,
}

impl RecordBuf {
    /// No records.
    pub fn new() -> Self {
        RecordBuf::default()
    }
    /// Adds a record. Of one that is longer than [`RECORD_BYTES_MAX`] only so much is kept that its decoder sees that
    /// it is too long.
    ///
    /// # Errors
    /// If the block would have more than [`BLOCK_BYTES_MAX`] bytes; it is unchanged then.
    pub fn push(&mut self, record: &[u8]) -> Result<(), FormatError> {
        let record = &record[..record.len().min(RECORD_BYTES_MAX + 1)];
        if self.bytes.len() + record.len() + 1 > BLOCK_BYTES_MAX {
            return Err(FormatError::BlockFull);
        }
        // Below 1 GiB, see the check above.
        let start = self.bytes.len() as u32;
        self.bytes.extend_from_slice(record);
        self.spans.push(Span { start, end: self.bytes.len() as u32 });
        self.bytes.push(b'\n');
        Ok(())
    }
    /// Records.
    pub fn len(&self) -> usize {
        self.spans.len()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }
    /// Bytes held.
    pub fn memory_bytes(&self) -> usize {
        self.bytes.capacity() + self.spans.capacity() * size_of::<Span>()
    }
    /// Forgets the records and keeps the memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.spans.clear();
        self.base = 0;
    }
    /// The records, borrowed.
    pub fn view(&self) -> Records<'_> {
        Records::new(&self.bytes, &self.spans, self.base)
    }
}

impl<'a> FromIterator<&'a [u8]> for RecordBuf {
    /// # Panics
    /// If they are more than [`BLOCK_BYTES_MAX`] bytes.
    fn from_iter<T: IntoIterator<Item = &'a [u8]>>(records: T) -> Self {
        let mut buf = RecordBuf::new();
        for record in records {
            assert!(buf.push(record).is_ok(), "{} bytes and {} more", buf.bytes.len(), record.len());
        }
        buf
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn copies_keep_records_and_offsets() {
        let buf: RecordBuf = [&b"ab"[..], b"", b"cde"].into_iter().collect();
        let view = buf.view();
        assert_eq!((view.len(), view.bytes(), view.get(2), view.offset(2)), (3, 5, &b"cde"[..], 4));
        let copy = view.slice(1, 3).to_buf();
        assert_eq!((copy.view().get(0), copy.view().get(1), copy.view().offset(1)), (&b""[..], &b"cde"[..], 4));
        assert_eq!(view.excerpt(2, 2), b"cd");
        assert!(view.slice(1, 1).to_buf().is_empty());
    }
}
