//! The tick log: what the engine took in at each tick, so that a restart does the same again.
//!
//! A tick is bound when its entry is durable: the next offset of every source partition that moved, the statements that
//! take effect, the wall clock. Nobody outside sees what came of a tick before. The rows that a binding names must be
//! durable first: wait for their receipts, then append the binding.
//!
//! The entries lie in a log like that of a partition, one record each, with the tick as timestamp, so that the sparse
//! index leads to a tick. [`TickLog::merge_below`] gathers old entries in one file, `merged`, which also says up to which
//! offset it stands for the log; then the log's segments before that go.
//!
//! # Invariants
//! Ticks grow from entry to entry, over restarts too. A statement keeps its place between the ticks before and after it,
//! whatever is merged.

mod entry;
mod merged;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use millrace_world::World;

use crate::batch::{BatchInfo, Encoded};
use crate::catalog::create_folder_durably;
use crate::error::{AtPath, Damage, TopicError};
use crate::log::{Log, Reader};
use crate::options::LogOptions;
use crate::records::Records;
use merged::Merged;

pub use entry::{Binding, SourcePartition, TickEntry};

/// See the module.
pub struct TickLog {
    world: World,
    folder: PathBuf,
    log: Arc<Log>,
    state: Mutex<State>,
    /// One merge at a time.
    merging: Mutex<()>,
}

struct State {
    last_tick: Option<u64>,
    /// Entries at log offsets before this one stand in the merged file.
    merged_to: u64,
    records: Records,
    batch: Encoded,
    bytes: Vec<u8>,
}

/// An entry that is durable after [`TickReceipt::wait`].
#[must_use = "a tick is not bound before `wait` has returned"]
pub struct TickReceipt {
    log: Arc<Log>,
    offset: u64,
    era: u64,
}

impl TickReceipt {
    /// Waits until the entry is durable. Of all who wait at the same time, one syncs for all.
    ///
    /// # Errors
    /// [`TopicError::Poisoned`] if a sync failed.
    pub fn wait(&self) -> Result<(), TopicError> {
        self.log.wait(self.offset, self.era)
    }
}

impl TickLog {
    /// Opens the tick log in `folder`, which is created if it is not there, and repairs what a crash left.
    ///
    /// # Errors
    /// [`TopicError::Corrupt`], or if the disk fails.
    pub fn open(world: &World, folder: &Path, options: LogOptions) -> Result<Self, TopicError> {
        create_folder_durably(world.files().as_ref(), folder).at(folder)?;
        let log = Log::open(world, folder, crc32c::crc32c(b"ticks"), options)?;
        let merged = Merged::read(world, folder)?;
        let logged = log.last_tick().map(|last| last.tick);
        let state = State {
            last_tick: logged.max(merged.entries.last().map(|entry| entry.tick)),
            merged_to: merged.covers,
            records: Records::new(),
            batch: Encoded::default(),
            bytes: vec![],
        };
        let (world, folder) = (world.clone(), folder.to_owned());
        Ok(TickLog { world, folder, log: Arc::new(log), state: Mutex::new(state), merging: Mutex::new(()) })
    }

    /// The last tick that was appended, durable or not; the next must be larger.
    pub fn last_tick(&self) -> Option<u64> {
        self.lock().last_tick
    }

    /// Appends the entry of one tick; it is bound after [`TickReceipt::wait`].
    ///
    /// # Errors
    /// [`TopicError::TickRepeats`], [`TopicError::DiskFull`], [`TopicError::TooLarge`], [`TopicError::Poisoned`], or if
    /// the disk fails.
    ///
    /// # Panics
    /// If the entry stands for more than one tick, or for tick 0, which means none.
    pub fn append(&self, entry: &TickEntry) -> Result<TickReceipt, TopicError> {
        assert!(entry.first_tick == entry.tick && entry.tick > 0, "an entry is of one tick: {entry:?}");
        let mut state = self.lock();
        let State { last_tick, records, batch, bytes, .. } = &mut *state;
        if let Some(last) = last_tick.filter(|last| entry.tick <= *last) {
            return Err(TopicError::TickRepeats { tick: entry.tick, last });
        }
        bytes.clear();
        entry.encode(bytes);
        records.clear();
        records.push(entry.tick as i64, None, Some(bytes));
        let (bytes_max, info) = (self.log.options().batch_bytes_max, BatchInfo { tick: entry.tick, producer: None });
        let encoded = batch.encode(records, 0..1, info, self.log.salt(), bytes_max);
        encoded.map_err(|bytes| TopicError::TooLarge { bytes, bytes_max })?;
        let put = self.log.append(batch)?;
        *last_tick = Some(entry.tick);
        Ok(TickReceipt { log: Arc::clone(&self.log), offset: put.next_offset, era: put.era })
    }

    /// Reads the durable entries that end at `tick` or later; 0 reads all. The first may have begun before `tick`, when
    /// it was merged.
    ///
    /// # Errors
    /// [`TopicError::Corrupt`], or if the disk fails.
    pub fn read_from(&self, tick: u64) -> Result<TickReader, TopicError> {
        // neither of the two may change in between
        let _merging = self.merging.lock().unwrap_or_else(PoisonError::into_inner);
        let merged = Merged::read(&self.world, &self.folder)?;
        let is_merged = merged.entries.last().is_some_and(|last| last.tick >= tick);
        let offset = if is_merged || tick == 0 {
            merged.covers
        } else {
            let found = self.log.offset_for_timestamp(i64::try_from(tick).unwrap_or(i64::MAX))?;
            found.map_or_else(|| self.log.durable_offset(), |(offset, _)| offset).max(merged.covers)
        };
        let n = merged.entries.partition_point(|entry| entry.tick < tick);
        let reader = Reader::new(Arc::clone(&self.log), offset.max(self.log.start_offset()))?;
        Ok(TickReader { merged: merged.entries.into_iter().skip(n).collect::<Vec<_>>().into_iter(), reader })
    }

    /// How far each source had been taken in before `tick`.
    ///
    /// # Errors
    /// As [`TickLog::read_from`].
    pub fn bindings_before(&self, tick: u64) -> Result<BTreeMap<SourcePartition, u64>, TopicError> {
        let mut bindings = BTreeMap::new();
        let mut reader = self.read_from(0)?;
        while let Some(entry) = reader.next_entry()?.filter(|entry| entry.tick < tick) {
            for Binding { of, next_offset } in entry.bindings {
                match next_offset {
                    Some(next_offset) => bindings.insert(of, next_offset),
                    None => bindings.remove(&of),
                };
            }
        }
        Ok(bindings)
    }

    /// Merges the entries of the ticks before `tick`: as many as stand between two statements become one. Only what is
    /// durable is merged. To be called with a tick that every sink has committed, and where no operator depends on the
    /// order of ticks.
    ///
    /// # Errors
    /// [`TopicError::Corrupt`], or if the disk fails; then nothing was merged.
    pub fn merge_below(&self, tick: u64) -> Result<(), TopicError> {
        let _one = self.merging.lock().unwrap_or_else(PoisonError::into_inner);
        let mut merged = Merged::read(&self.world, &self.folder)?;
        let before = merged.covers;
        let mut reader = Reader::new(Arc::clone(&self.log), merged.covers.max(self.log.start_offset()))?;
        'log: while let Some(batch) = reader.next_batch()? {
            for record in batch.records() {
                let entry = record.value.and_then(TickEntry::decode);
                let entry = entry.ok_or_else(|| damaged(&self.folder, record.offset))?;
                if entry.tick >= tick {
                    break 'log;
                }
                merged.covers = record.offset + 1;
                let left = match merged.entries.last_mut() {
                    Some(last) => last.absorb(entry),
                    None => Some(entry),
                };
                merged.entries.extend(left);
            }
        }
        if merged.covers == before {
            return Ok(());
        }
        self.world.fail_point("ticks.before-merge").at(&self.folder)?;
        merged.write(&self.world, &self.folder)?;
        self.lock().merged_to = merged.covers;
        self.world.fail_point("ticks.mid-merge").at(&self.folder)?;
        self.log.delete_before(merged.covers).map(|_| ())
    }

    /// How many entries stand in the log itself, not merged.
    pub fn unmerged(&self) -> u64 {
        let merged_to = self.lock().merged_to;
        self.log.durable_offset().saturating_sub(merged_to)
    }

    /// Reads what is on the disk and goes on from there, after [`TopicError::Poisoned`]. Receipts from before fail.
    ///
    /// # Errors
    /// As [`TickLog::open`].
    pub fn reopen(&self) -> Result<(), TopicError> {
        // the ticks that were appended stay used, durable or not
        self.log.reopen()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn damaged(folder: &Path, offset: u64) -> TopicError {
    TopicError::Corrupt { path: folder.to_owned(), position: 0, offset, what: Damage::File }
}

/// Entries in order of ticks, up to the last durable one.
pub struct TickReader {
    merged: std::vec::IntoIter<TickEntry>,
    reader: Reader,
}

impl TickReader {
    /// The next entry; `None` when all durable ones were read, until there are more.
    ///
    /// # Errors
    /// [`TopicError::Corrupt`], or if the disk fails.
    pub fn next_entry(&mut self) -> Result<Option<TickEntry>, TopicError> {
        if let Some(entry) = self.merged.next() {
            return Ok(Some(entry));
        }
        let Some(batch) = self.reader.next_batch()? else { return Ok(None) };
        // every entry is a batch of its own
        let (entry, offset) = (batch.value(0).and_then(TickEntry::decode), batch.base_offset());
        entry.ok_or_else(|| damaged(self.reader.folder(), offset)).map(Some)
    }
}

impl std::fmt::Debug for TickLog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TickLog").field("folder", &self.folder).field("last_tick", &self.last_tick()).finish()
    }
}

impl std::fmt::Debug for TickReceipt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TickReceipt").field("offset", &self.offset).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for TickReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TickReader").field("reader", &self.reader).finish_non_exhaustive()
    }
}
