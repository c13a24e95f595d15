//! Reading a log forward from any offset, up to what is durable.

use std::path::PathBuf;
use std::sync::Arc;

use millrace_world::ReadFile;

use super::index::Entry;
use super::window::{Found, Window};
use super::{Log, State};
use crate::batch::{Batch, Header, NotABatch};
use crate::error::{AtPath, Damage, TopicError};

/// A place in a partition, which moves forward batch by batch. It holds one open file and the memory of one read.
pub struct Reader {
    log: Arc<Log>,
    next: u64,
    at: Option<Place>,
    window: Window,
}

/// A segment that is open, and where in it the next batch begins.
struct Place {
    base_offset: u64,
    file: Box<dyn ReadFile>,
    path: PathBuf,
    position: u64,
    /// Up to where it may be read; the end of a complete segment.
    limit: u64,
}

/// The segment that has an offset.
struct Segment {
    base_offset: u64,
    path: PathBuf,
    limit: u64,
}

impl Reader {
    /// Begins at `offset`, which must be there or be the end.
    pub(crate) fn new(log: Arc<Log>, offset: u64) -> Result<Self, TopicError> {
        log.check_offset(&log.lock(), offset)?;
        Ok(Reader { log, next: offset, at: None, window: Window::default() })
    }

    /// The offset of the record that comes next.
    pub fn offset(&self) -> u64 {
        self.next
    }

    pub(crate) fn folder(&self) -> &std::path::Path {
        &self.log.folder
    }

    /// The next records; `None` when everything durable was read. Then hang a [`crate::Wakeup`] on the partition.
    ///
    /// # Errors
    /// [`TopicError::OffsetOutOfRange`] if retention was faster, [`TopicError::Corrupt`] if what stands there is not what
    /// was written, [`TopicError::Deleted`], or if the disk fails. The reader stays where it was.
    pub fn next_batch(&mut self) -> Result<Option<Batch<'_>>, TopicError> {
        let from = self.next;
        let Some((header, at)) = self.advance()? else { return Ok(None) };
        self.next = header.next_offset();
        Ok(Some(Batch::new(header, self.window.body(at, &header), from)))
    }

    /// The header of the batch with the next record, and where it begins.
    fn advance(&mut self) -> Result<Option<(Header, u64)>, TopicError> {
        loop {
            if self.at.as_ref().is_none_or(|place| place.position >= place.limit) && !self.locate()? {
                return Ok(None);
            }
            let Some(place) = &mut self.at else { return Ok(None) };
            let (salt, read_bytes) = (self.log.salt, self.log.options.read_bytes);
            let found = self.window.batch(place.file.as_ref(), place.position, place.limit, salt, read_bytes);
            let position = place.position;
            let what = match found.at(&place.path)? {
                // an index entry stands before the wanted record
                Found::Whole(header) if header.next_offset() <= self.next => {
                    place.position += u64::from(header.bytes);
                    continue;
                }
                Found::Whole(header) if header.base_offset <= self.next => {
                    place.position += u64::from(header.bytes);
                    return Ok(Some((header, position)));
                }
                Found::Broken(NotABatch::Newer) => Damage::Version,
                Found::Broken(NotABatch::Damaged) => Damage::Batch,
                Found::Whole(_) => Damage::Gap,
                Found::End => Damage::Short,
            };
            let path = place.path.clone();
            self.at = None;
            return Err(TopicError::Corrupt { path, position, offset: self.next, what });
        }
    }

    /// Finds the segment with the next record; whether there is one.
    fn locate(&mut self) -> Result<bool, TopicError> {
        let Some(found) = self.log.find(self.next)? else { return Ok(false) };
        match &mut self.at {
            Some(place) if place.base_offset == found.base_offset => place.limit = found.limit,
            _ => {
                let position = self.log.position_of(self.next)?;
                let file = self.log.world.files().open(&found.path).at(&found.path)?;
                let Segment { base_offset, path, limit } = found;
                self.window.clear();
                self.at = Some(Place { base_offset, file, path, position, limit });
            }
        }
        Ok(true)
    }
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Reader").field("folder", &self.log.folder).field("offset", &self.next).finish()
    }
}

impl Log {
    fn check_offset(&self, state: &State, offset: u64) -> Result<(), TopicError> {
        if let Some(super::Fault::Deleted) = state.fault {
            return Err(self.error(&super::Fault::Deleted));
        }
        let (start, end) = (state.start, state.durable);
        if (start..=end).contains(&offset) { Ok(()) } else { Err(TopicError::OffsetOutOfRange { offset, start, end }) }
    }

    /// The segment that has `offset`; `None` at the end.
    fn find(&self, offset: u64) -> Result<Option<Segment>, TopicError> {
        let state = self.lock();
        self.check_offset(&state, offset)?;
        if offset == state.durable {
            return Ok(None);
        }
        let n = state.sealed.partition_point(|sealed| sealed.summary.next_offset <= offset);
        if let Some(sealed) = state.sealed.get(n) {
            let (base_offset, path, limit) = (sealed.summary.base_offset, sealed.path.clone(), sealed.summary.bytes);
            return Ok(Some(Segment { base_offset, path, limit }));
        }
        Ok(state.active.as_ref().map(|active| Segment {
            base_offset: active.growing.summary.base_offset,
            path: active.path.to_path_buf(),
            limit: active.durable_bytes,
        }))
    }

    /// Where in its segment a batch begins that has `offset` or stands not far before it.
    fn position_of(&self, offset: u64) -> Result<u64, TopicError> {
        let sealed = {
            let state = self.lock();
            let n = state.sealed.partition_point(|sealed| sealed.summary.next_offset <= offset);
            match (state.sealed.get(n), &state.active) {
                (Some(sealed), _) => Arc::clone(sealed),
                (None, Some(active)) => {
                    let entries = &active.growing.entries;
                    let n = entries.partition_point(|entry| entry.offset <= offset);
                    return Ok(n.checked_sub(1).map_or(0, |n| entries[n].position));
                }
                (None, None) => return Ok(0),
            }
        };
        let sought = sealed.seek(self.world.files().as_ref(), |entry| entry.offset <= offset);
        Ok(sought.at(&sealed.index_path)?.map_or(0, |entry| entry.position))
    }

    /// The first durable record whose timestamp is at least `timestamp_ms`, with its timestamp.
    pub(crate) fn offset_for_timestamp(self: &Arc<Self>, timestamp_ms: i64) -> Result<Option<(u64, i64)>, TopicError> {
        let Some(from) = self.offset_before_timestamp(timestamp_ms)? else { return Ok(None) };
        let (start, end) = {
            let state = self.lock();
            (state.start, state.durable)
        };
        if from >= end {
            return Ok(None);
        }
        let mut reader = Reader::new(Arc::clone(self), from.max(start))?;
        while let Some((header, at)) = reader.advance()? {
            let from = reader.next;
            reader.next = header.next_offset();
            if header.timestamp_max_ms < timestamp_ms {
                continue;
            }
            let batch = Batch::new(header, reader.window.body(at, &header), from);
            if let Some(n) = (0..batch.len()).find(|n| batch.timestamp_ms(*n) >= timestamp_ms) {
                return Ok(Some((batch.base_offset() + n as u64, batch.timestamp_ms(n))));
            }
        }
        Ok(None)
    }

    /// An offset before which no record has such a timestamp, by the index; `None` if none at all has.
    fn offset_before_timestamp(&self, timestamp_ms: i64) -> Result<Option<u64>, TopicError> {
        let before = |entry: &Entry| entry.timestamp_before_ms < timestamp_ms;
        let state = self.lock();
        let sealed = state.sealed.iter().find(|s| s.summary.timestamp_max_ms >= timestamp_ms).cloned();
        if let Some(sealed) = sealed {
            drop(state);
            let entry = sealed.seek(self.world.files().as_ref(), before).at(&sealed.index_path)?;
            return Ok(Some(entry.map_or(sealed.summary.base_offset, |entry| entry.offset)));
        }
        let active = state.active.as_ref().filter(|active| active.growing.summary.timestamp_max_ms >= timestamp_ms);
        Ok(active.map(|active| {
            let n = active.growing.entries.partition_point(before);
            n.checked_sub(1).map_or(active.growing.summary.base_offset, |n| active.growing.entries[n].offset)
        }))
    }
}
