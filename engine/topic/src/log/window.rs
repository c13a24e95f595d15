//! Reading a segment forward in large pieces, batch by batch, each checked as it is met.

use std::io;

use millrace_world::ReadFile;

use crate::batch::{HEADER_BYTES, Header, NotABatch};

/// The part of a file that is in memory. It keeps its memory: the size of the largest batch met, or of one read.
#[derive(Debug, Default)]
pub(crate) struct Window {
    bytes: Vec<u8>,
    /// Where `bytes` begins in the file.
    start: u64,
    /// How much of `bytes` was read.
    filled: usize,
}

/// What stands at a position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// A batch that matches its checksums and ends before the limit.
    Whole(Header),
    /// Nothing: the limit is there.
    End,
    /// Something else.
    Broken(NotABatch),
}

impl Window {
    /// Forgets what was read, for another file.
    pub(crate) fn clear(&mut self) {
        self.filled = 0;
    }

    /// The bytes from `at` on: at least `want`, or all up to `limit` if that is nearer or the file ends. Reads
    /// `read_bytes` at once.
    pub(crate) fn get(
        &mut self,
        file: &dyn ReadFile,
        at: u64,
        want: usize,
        limit: u64,
        read_bytes: usize,
    ) -> io::Result<&[u8]> {
        let room = usize::try_from(limit.saturating_sub(at)).unwrap_or(usize::MAX);
        let want = want.min(room);
        let skip = usize::try_from(at.wrapping_sub(self.start)).unwrap_or(usize::MAX);
        if skip > self.filled {
            self.filled = 0;
            self.start = at;
        } else if self.filled - skip < want {
            self.bytes.copy_within(skip..self.filled, 0);
            self.filled -= skip;
            self.start = at;
        } else {
            return Ok(&self.bytes[skip..self.filled.min(skip.saturating_add(room))]);
        }
        let to = want.max(read_bytes).min(room);
        if self.bytes.len() < to {
            self.bytes.resize(to, 0);
        }
        while self.filled < want {
            match file.read_at(&mut self.bytes[self.filled..to], self.start + self.filled as u64) {
                Ok(0) => break,
                Ok(n) => self.filled += n,
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
        Ok(&self.bytes[..self.filled.min(room)])
    }

    /// The body of a batch that was just found at `at`.
    pub(crate) fn body(&self, at: u64, header: &Header) -> &[u8] {
        let start = (at - self.start) as usize;
        &self.bytes[start + HEADER_BYTES..start + header.bytes as usize]
    }

    /// Looks for a batch at `at`.
    pub(crate) fn batch(
        &mut self,
        file: &dyn ReadFile,
        at: u64,
        limit: u64,
        salt: u32,
        read_bytes: usize,
    ) -> io::Result<Found> {
        if at >= limit {
            return Ok(Found::End);
        }
        let header = match Header::parse(self.get(file, at, HEADER_BYTES, limit, read_bytes)?, salt) {
            Ok(header) => header,
            Err(why) => return Ok(Found::Broken(why)),
        };
        let bytes = header.bytes as usize;
        if at + u64::from(header.bytes) > limit {
            return Ok(Found::Broken(NotABatch::Damaged));
        }
        let found = self.get(file, at, bytes, limit, read_bytes)?;
        let whole = found.len() >= bytes && header.body_matches(&found[HEADER_BYTES..bytes], salt);
        Ok(if whole { Found::Whole(header) } else { Found::Broken(NotABatch::Damaged) })
    }
}
