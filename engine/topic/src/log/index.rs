//! The sparse index of a segment, and what stands beside a complete one on the disk.
//!
//! An entry every so many bytes says where a batch begins, with the largest timestamp of everything before it in the
//! segment. The index of the segment being written is in memory; when the segment is complete it is written to a file,
//! after the segment itself was synced, and only its summary stays. So the file is also the mark of completeness: a
//! segment that has one must match it. A lost one is built again by reading the segment.
//!
//! The file, little endian: magic `MRI1`, checksum of the rest (CRC32C), summary (9 words), entries (3 words each),
//! producers (4 words each).

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use millrace_world::{Files, ReadFile};

use super::history::{History, LastBatch, LastTick};
use crate::batch::Header;

const MAGIC: [u8; 4] = *b"MRI1";
const SUMMARY_WORDS: usize = 9;
const ENTRIES_AT: usize = 8 + 8 * SUMMARY_WORDS;
const ENTRY_BYTES: usize = 24;

/// Where a batch begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Entry {
    pub(crate) offset: u64,
    pub(crate) position: u64,
    /// The largest timestamp before it in the segment.
    pub(crate) timestamp_before_ms: i64,
}

/// What is known of a segment without its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Summary {
    pub(crate) base_offset: u64,
    pub(crate) next_offset: u64,
    pub(crate) bytes: u64,
    pub(crate) timestamp_max_ms: i64,
    pub(crate) appended_max_ms: i64,
}

/// A summary and its index, while the segment grows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Growing {
    pub(crate) summary: Summary,
    pub(crate) entries: Vec<Entry>,
}

impl Growing {
    pub(crate) fn new(base_offset: u64) -> Self {
        let summary = Summary {
            base_offset,
            next_offset: base_offset,
            bytes: 0,
            timestamp_max_ms: i64::MIN,
            appended_max_ms: i64::MIN,
        };
        Growing { summary, entries: vec![] }
    }

    /// A batch was added at the end.
    pub(crate) fn note(&mut self, header: &Header, index_bytes: u64) {
        let summary = &mut self.summary;
        if self.entries.last().is_none_or(|last| summary.bytes - last.position >= index_bytes) {
            let timestamp_before_ms = summary.timestamp_max_ms;
            self.entries.push(Entry { offset: header.base_offset, position: summary.bytes, timestamp_before_ms });
        }
        summary.next_offset = header.next_offset();
        summary.bytes += u64::from(header.bytes);
        summary.timestamp_max_ms = summary.timestamp_max_ms.max(header.timestamp_max_ms);
        summary.appended_max_ms = summary.appended_max_ms.max(header.appended_ms);
    }

    /// The bytes of the file beside the complete segment; `history` is the log's at its end.
    pub(crate) fn encode(&self, history: &History, salt: u32) -> Vec<u8> {
        let tick = history.last_tick.unwrap_or(LastTick { tick: 0, records: 0 });
        let summary = &self.summary;
        let mut words = vec![
            summary.base_offset,
            summary.next_offset,
            summary.bytes,
            summary.timestamp_max_ms as u64,
            summary.appended_max_ms as u64,
            tick.tick,
            tick.records,
            self.entries.len() as u64,
            history.producers.len() as u64,
        ];
        words.extend(self.entries.iter().flat_map(|e| [e.offset, e.position, e.timestamp_before_ms as u64]));
        let producers = history.producers.iter();
        words.extend(producers.flat_map(|(id, last)| [*id, last.sequence, last.base_offset, last.next_offset]));
        let mut bytes = MAGIC.to_vec();
        bytes.resize(8, 0);
        bytes.extend(words.iter().flat_map(|word| word.to_le_bytes()));
        let crc = crc32c::crc32c_append(salt, &bytes[8..]);
        bytes[4..8].copy_from_slice(&crc.to_le_bytes());
        bytes
    }
}

/// A complete segment: its summary, and where its index is.
#[derive(Debug)]
pub(crate) struct Sealed {
    pub(crate) summary: Summary,
    pub(crate) path: PathBuf,
    pub(crate) index_path: PathBuf,
    pub(crate) n_entries: usize,
}

/// What the file beside a segment says; `None` if it is damaged.
pub(crate) fn decode(bytes: &[u8], salt: u32) -> Option<(Growing, History)> {
    let (head, rest) = bytes.split_at_checked(8)?;
    if head[..4] != MAGIC || head[4..] != crc32c::crc32c_append(salt, rest).to_le_bytes() {
        return None;
    }
    let mut words = rest.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
    let mut next = || words.next();
    let summary = Summary {
        base_offset: next()?,
        next_offset: next()?,
        bytes: next()?,
        timestamp_max_ms: next()? as i64,
        appended_max_ms: next()? as i64,
    };
    let last_tick = LastTick { tick: next()?, records: next()? };
    let (n_entries, n_producers) = (next()?, next()?);
    let mut entries = vec![];
    for _ in 0..n_entries {
        entries.push(Entry { offset: next()?, position: next()?, timestamp_before_ms: next()? as i64 });
    }
    let mut producers = BTreeMap::new();
    for _ in 0..n_producers {
        producers.insert(next()?, LastBatch { sequence: next()?, base_offset: next()?, next_offset: next()? });
    }
    let history = History { last_tick: (last_tick.tick > 0).then_some(last_tick), producers };
    Some((Growing { summary, entries }, history))
}

impl Sealed {
    /// The last entry for which `before` holds, read from the disk by bisection; it holds for a first part of them.
    pub(crate) fn seek(&self, files: &dyn Files, before: impl Fn(&Entry) -> bool) -> io::Result<Option<Entry>> {
        let file = files.open(&self.index_path)?;
        let (mut low, mut high, mut last) = (0, self.n_entries, None);
        while low < high {
            let middle = low + (high - low) / 2;
            let entry = entry_at(file.as_ref(), middle)?;
            if before(&entry) {
                (low, last) = (middle + 1, Some(entry));
            } else {
                high = middle;
            }
        }
        Ok(last)
    }

    /// The files of a segment in `folder`.
    pub(crate) fn paths(folder: &Path, base_offset: u64) -> (PathBuf, PathBuf) {
        (folder.join(format!("{base_offset:020}.log")), folder.join(format!("{base_offset:020}.index")))
    }
}

fn entry_at(file: &dyn ReadFile, n: usize) -> io::Result<Entry> {
    let mut bytes = [0; ENTRY_BYTES];
    let mut filled = 0;
    while filled < ENTRY_BYTES {
        match file.read_at(&mut bytes[filled..], (ENTRIES_AT + n * ENTRY_BYTES + filled) as u64)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => filled += n,
        }
    }
    let mut words = bytes.as_chunks::<8>().0.iter().map(|word| u64::from_le_bytes(*word));
    let mut next = || words.next().unwrap_or_default();
    Ok(Entry { offset: next(), position: next(), timestamp_before_ms: next() as i64 })
}
