//! A topic and its partitions.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use millrace_world::World;

use crate::appender::{Appender, Refused};
use crate::error::TopicError;
use crate::log::history::LastTick;
use crate::log::{Log, Reader};
use crate::options::{LogOptions, Retention};
use crate::wakeup::Wakeup;

/// What a topic was created with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TopicConfig {
    /// 1 to [`crate::PARTITIONS_MAX`]; never changes.
    pub partitions: u32,
    /// What may be deleted.
    pub retention: Retention,
}

impl Default for TopicConfig {
    /// One partition, kept for ever.
    fn default() -> Self {
        TopicConfig { partitions: 1, retention: Retention::default() }
    }
}

/// A topic; clones are handles to the same one.
#[derive(Clone)]
pub struct Topic {
    shared: Arc<Shared>,
}

struct Shared {
    world: World,
    folder: PathBuf,
    id: u64,
    name: String,
    config: Mutex<TopicConfig>,
    options: LogOptions,
    /// Opened at their first use.
    logs: Vec<Mutex<Option<Arc<Log>>>>,
    refused: Refused,
    is_deleted: AtomicBool,
}

impl Topic {
    pub(crate) fn new(
        world: &World,
        folder: PathBuf,
        id: u64,
        name: String,
        config: TopicConfig,
        options: LogOptions,
    ) -> Self {
        let logs = (0..config.partitions).map(|_| Mutex::new(None)).collect();
        let (world, config) = (world.clone(), Mutex::new(config));
        let (refused, is_deleted) = (Refused::default(), AtomicBool::new(false));
        Topic { shared: Arc::new(Shared { world, folder, id, name, config, options, logs, refused, is_deleted }) }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.shared.name
    }
    /// Its id: another one if a topic of the same name is created anew.
    pub fn id(&self) -> u64 {
        self.shared.id
    }
    /// Partitions and retention.
    pub fn config(&self) -> TopicConfig {
        *self.shared.config.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One partition; opened, and repaired after a crash, at its first use.
    ///
    /// # Errors
    /// [`TopicError::UnknownPartition`], [`TopicError::Corrupt`], [`TopicError::Deleted`], or if the disk fails.
    pub fn partition(&self, partition: u32) -> Result<Partition, TopicError> {
        let shared = &*self.shared;
        let partitions = shared.logs.len() as u32;
        let Some(slot) = shared.logs.get(partition as usize) else {
            return Err(TopicError::UnknownPartition { partition, partitions });
        };
        let mut slot = slot.lock().unwrap_or_else(PoisonError::into_inner);
        if shared.is_deleted.load(Ordering::SeqCst) {
            return Err(TopicError::Deleted(shared.folder.clone()));
        }
        let log = match &*slot {
            Some(log) => Arc::clone(log),
            None => {
                let folder = shared.folder.join(partition.to_string());
                let log = Log::open(&shared.world, &folder, salt(shared.id, partition), shared.options)?;
                Arc::clone(slot.insert(Arc::new(log)))
            }
        };
        Ok(Partition { log, partition })
    }

    /// Something to append with, for one thread.
    ///
    /// # Errors
    /// As [`Topic::partition`], for each.
    pub fn appender(&self) -> Result<Appender, TopicError> {
        Appender::new(self.clone())
    }

    pub(crate) fn folder(&self) -> &Path {
        &self.shared.folder
    }
    pub(crate) fn refused(&self) -> &Refused {
        &self.shared.refused
    }
    pub(crate) fn set_config(&self, config: TopicConfig) {
        *self.shared.config.lock().unwrap_or_else(PoisonError::into_inner) = config;
    }

    /// See [`crate::Topics::retain`].
    pub(crate) fn retain(&self, now_ms: i64) -> Result<u64, TopicError> {
        let TopicConfig { partitions, retention } = self.config();
        if retention == Retention::default() {
            return Ok(0);
        }
        (0..partitions).try_fold(0, |bytes, p| Ok(bytes + self.partition(p)?.log.retain(&retention, now_ms)?))
    }

    /// Ends all use of it; the files are the caller's.
    pub(crate) fn delete(&self) {
        self.shared.is_deleted.store(true, Ordering::SeqCst);
        for slot in &self.shared.logs {
            if let Some(log) = &*slot.lock().unwrap_or_else(PoisonError::into_inner) {
                log.delete();
            }
        }
    }
}

impl std::fmt::Debug for Topic {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Topic").field("name", &self.name()).field("config", &self.config()).finish_non_exhaustive()
    }
}

/// What the checksums of a partition begin with.
fn salt(id: u64, partition: u32) -> u32 {
    crc32c::crc32c_append(crc32c::crc32c(&id.to_le_bytes()), &partition.to_le_bytes())
}

/// One partition; clones are handles to the same one.
#[derive(Clone)]
pub struct Partition {
    pub(crate) log: Arc<Log>,
    partition: u32,
}

impl Partition {
    /// Which one.
    pub fn number(&self) -> u32 {
        self.partition
    }
    /// The first offset that can be read.
    pub fn start_offset(&self) -> u64 {
        self.log.start_offset()
    }
    /// The offset after the last durable record: how far readers get.
    pub fn end_offset(&self) -> u64 {
        self.log.durable_offset()
    }
    /// The offset that the next record gets; records between the end and this one are not durable yet.
    pub fn next_offset(&self) -> u64 {
        self.log.next_offset()
    }
    /// Bytes on the disk.
    pub fn bytes(&self) -> u64 {
        self.log.bytes()
    }
    /// The last tick that any batch had, and how many records of it are there: a sink that writes its output again after
    /// a crash leaves those out.
    pub fn last_tick(&self) -> Option<LastTick> {
        self.log.last_tick()
    }

    /// Reads from `offset` on.
    ///
    /// # Errors
    /// [`TopicError::OffsetOutOfRange`], [`TopicError::Deleted`].
    pub fn reader(&self, offset: u64) -> Result<Reader, TopicError> {
        Reader::new(Arc::clone(&self.log), offset)
    }

    /// The first record whose timestamp is at least `timestamp_ms`, with its timestamp; `None` if there is none yet.
    ///
    /// # Errors
    /// As [`Reader::next_batch`].
    pub fn offset_for_timestamp(&self, timestamp_ms: i64) -> Result<Option<(u64, i64)>, TopicError> {
        self.log.offset_for_timestamp(timestamp_ms)
    }

    /// Rings `wakeup` when more can be read, or nothing ever again.
    pub fn watch(&self, wakeup: &Wakeup) {
        self.log.watch(wakeup);
    }

    /// Makes `offset` the first that can be read; whole segments before it go from the disk.
    ///
    /// # Errors
    /// If the disk fails.
    pub fn delete_before(&self, offset: u64) -> Result<(), TopicError> {
        self.log.delete_before(offset).map(|_| ())
    }

    /// Reads what is on the disk and goes on from there, after [`TopicError::Poisoned`]. Receipts from before fail.
    ///
    /// # Errors
    /// As [`Topic::partition`].
    pub fn reopen(&self) -> Result<(), TopicError> {
        self.log.reopen()
    }
}

impl std::fmt::Debug for Partition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Partition").field("folder", &self.log.folder()).finish_non_exhaustive()
    }
}
