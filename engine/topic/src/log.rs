//! One partition: a durable, append-only sequence of batches in segment files of one folder.
//!
//! ```text
//! 00000000000000000000.log    complete: synced, then its .index was written; never touched again
//! 00000000000000000000.index
//! 00000000000000081920.log    being written; up to `durable` it was synced
//! start                       the first offset that may be read, once retention has removed any
//! ```
//!
//! # Invariants
//! * The offsets of a log are gapless from its start to its end. Records up to `durable` were synced; only they are
//!   read and acknowledged. A segment begins after the one before it was synced as a whole.
//! * After a failed sync nothing more is written: what it should have made durable counts as written for the system, and
//!   a later sync would succeed without it. [`Log::reopen`] reads what is there and writes it again.
//! * A full disk leaves the log as it was.

pub(crate) mod history;
mod index;
mod reader;
mod recover;
mod retain;
mod window;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};

use millrace_world::{AtomicFile, Files, World, WriteFile};

use crate::batch::{Encoded, Header};
use crate::error::{AtPath, TopicError};
use crate::options::LogOptions;
use crate::wakeup::{self, Wakeup};
use history::{History, LastTick};
use index::{Growing, Sealed};

pub use reader::Reader;

/// See the module.
pub(crate) struct Log {
    world: World,
    folder: PathBuf,
    /// What checksums begin with: another log's batches do not match.
    salt: u32,
    options: LogOptions,
    state: Mutex<State>,
    /// A sync has ended.
    synced: Condvar,
    /// One at a time removes segments.
    retaining: Mutex<()>,
    watchers: Mutex<Vec<Weak<wakeup::Shared>>>,
}

struct State {
    sealed: Vec<Arc<Sealed>>,
    active: Option<Active>,
    start: u64,
    next: u64,
    durable: u64,
    history: History,
    /// Somebody syncs, without the lock.
    syncing: bool,
    fault: Option<Fault>,
    /// How often the log was poisoned: a receipt from before proves nothing after.
    era: u64,
}

/// The segment being written.
struct Active {
    growing: Growing,
    path: Arc<Path>,
    file: Option<Arc<dyn WriteFile>>,
    durable_bytes: u64,
}

#[derive(Clone)]
enum Fault {
    Poisoned { path: Arc<Path>, message: Arc<str> },
    Deleted,
}

/// Where a batch was put.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Put {
    pub(crate) base_offset: u64,
    pub(crate) next_offset: u64,
    /// The producer's batch was there already.
    pub(crate) repeated: bool,
    pub(crate) era: u64,
}

impl Log {
    /// Opens the log in `folder`, which is there, and repairs what a crash left.
    pub(crate) fn open(world: &World, folder: &Path, salt: u32, options: LogOptions) -> Result<Self, TopicError> {
        Ok(Log {
            world: world.clone(),
            folder: folder.to_owned(),
            salt,
            options,
            state: Mutex::new(recover::recover(world, folder, salt, &options)?),
            synced: Condvar::new(),
            retaining: Mutex::new(()),
            watchers: Mutex::new(vec![]),
        })
    }

    /// Reads again what is on the disk and goes on from there, after a failed write or sync.
    pub(crate) fn reopen(&self) -> Result<(), TopicError> {
        let mut state = self.lock_idle();
        if let Some(Fault::Deleted) = state.fault {
            return Err(self.error(&Fault::Deleted));
        }
        state.era += 1;
        state.active = None;
        match recover::recover(&self.world, &self.folder, self.salt, &self.options) {
            Ok(recovered) => *state = State { era: state.era, ..recovered },
            Err(error) => {
                self.poison(&mut state, &self.folder, &io::Error::other(error.to_string()));
                return Err(error);
            }
        }
        drop(state);
        self.ring();
        Ok(())
    }

    /// Puts a batch at the end; it is durable after [`Log::wait`].
    pub(crate) fn append(&self, batch: &mut Encoded) -> Result<Put, TopicError> {
        let mut state = self.lock();
        loop {
            self.check(&state)?;
            if let Some(last) = batch.info().producer.and_then(|producer| state.history.repeated(producer)) {
                let (base_offset, next_offset) = (last.base_offset, last.next_offset);
                return Ok(Put { base_offset, next_offset, repeated: true, era: state.era });
            }
            let bytes = state.active.as_ref().map_or(0, |active| active.growing.summary.bytes);
            if bytes == 0 || bytes + batch.bytes() <= self.options.segment_bytes {
                break;
            }
            // an error of the file is told once: nobody else may be waiting for it
            if state.syncing {
                state = self.synced.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            self.roll(&mut state)?;
        }
        self.begin(&mut state)?;
        let header = self.write(&mut state, batch)?;
        let state = &mut *state;
        if let Some(active) = &mut state.active {
            active.growing.note(&header, self.options.index_bytes);
        }
        state.history.note(&header, self.options.producers_max);
        state.next = header.next_offset();
        Ok(Put { base_offset: header.base_offset, next_offset: state.next, repeated: false, era: state.era })
    }

    /// Waits until everything before `offset` is durable. Of all who wait at the same time, one syncs for all.
    pub(crate) fn wait(&self, offset: u64, era: u64) -> Result<(), TopicError> {
        let mut state = self.lock();
        loop {
            if era != state.era {
                return Err(self.error(&self.poisoned(&self.folder, &io::Error::other("it was reopened meanwhile"))));
            }
            if state.durable >= offset {
                return Ok(());
            }
            self.check(&state)?;
            if state.syncing {
                state = self.synced.wait(state).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            let Some((file, path)) = state.active.as_ref().and_then(|a| Some((a.file.clone()?, Arc::clone(&a.path))))
            else {
                unreachable!("what is not durable stands in the segment that is being written");
            };
            let (end, bytes) = (state.next, state.active.as_ref().map_or(0, |active| active.growing.summary.bytes));
            state.syncing = true;
            drop(state);
            let result = self.sync(file.as_ref());
            state = self.lock();
            state.syncing = false;
            match result {
                Ok(()) => {
                    state.durable = state.durable.max(end);
                    if let Some(active) = state.active.as_mut().filter(|active| active.path == path) {
                        active.durable_bytes = active.durable_bytes.max(bytes);
                    }
                }
                Err(error) => self.poison(&mut state, &path, &error),
            }
            self.synced.notify_all();
            drop(state);
            self.ring();
            state = self.lock();
        }
    }

    fn sync(&self, file: &dyn WriteFile) -> io::Result<()> {
        self.world.fail_point("log.before-sync")?;
        file.sync()?;
        self.world.fail_point("log.after-sync")
    }

    /// Completes the segment being written.
    fn roll(&self, state: &mut State) -> Result<(), TopicError> {
        let Some(active) = &state.active else { return Ok(()) };
        let path = Arc::clone(&active.path);
        if let Some(file) = active.file.clone() {
            self.world.fail_point("log.before-roll").at(&path)?;
            if let Err(error) = self.sync(file.as_ref()) {
                self.poison(state, &path, &error);
                return self.check(state);
            }
        }
        let (_, index_path) = Sealed::paths(&self.folder, active.growing.summary.base_offset);
        write_atomically(self.world.files(), &index_path, &active.growing.encode(&state.history, self.salt))?;
        self.world.fail_point("log.after-index").at(&index_path)?;
        let (summary, n_entries) = (active.growing.summary, active.growing.entries.len());
        state.sealed.push(Arc::new(Sealed { summary, path: path.to_path_buf(), index_path, n_entries }));
        state.active = None;
        state.durable = state.next;
        self.synced.notify_all();
        self.ring();
        Ok(())
    }

    /// Sees to it that there is an open file to write to.
    fn begin(&self, state: &mut State) -> Result<(), TopicError> {
        if let Some(active) = &mut state.active {
            if active.file.is_none() {
                active.file = Some(self.world.files().modify(&active.path).at(&active.path)?.into());
            }
            return Ok(());
        }
        let (path, _) = Sealed::paths(&self.folder, state.next);
        let file = self.world.files().create(&path).at(&path)?;
        if let Err(error) = self.world.files().sync_folder(&self.folder) {
            self.poison(state, &path, &error);
            return self.check(state);
        }
        let growing = Growing::new(state.next);
        state.active = Some(Active { growing, path: path.into(), file: Some(file.into()), durable_bytes: 0 });
        Ok(())
    }

    /// Writes a batch behind the last one, whole or not at all.
    fn write(&self, state: &mut State, batch: &mut Encoded) -> Result<Header, TopicError> {
        let Some((file, path, at)) =
            state.active.as_ref().and_then(|a| Some((a.file.clone()?, Arc::clone(&a.path), a.growing.summary.bytes)))
        else {
            unreachable!("a segment was begun");
        };
        let now_ms = self.world.clock().wall_ms();
        let (header, bytes) = batch.place(state.next, state.durable, now_ms, self.salt);
        self.world.fail_point("log.before-write").at(&path)?;
        let written = if self.world.is_armed("log.mid-write") {
            let (one, two) = bytes.split_at(bytes.len() / 2);
            file.write_all_at(one, at)
                .and_then(|()| self.world.fail_point("log.mid-write"))
                .and_then(|()| file.write_all_at(two, at + one.len() as u64))
        } else {
            file.write_all_at(bytes, at)
        };
        let Err(error) = written else { return Ok(header) };
        // what was written of it must not stand behind the end, where the next batch may be shorter
        if let Err(worse) = file.truncate(at) {
            self.poison(state, &path, &worse);
        }
        Err(error).at(&path)
    }

    fn poison(&self, state: &mut State, path: &Path, error: &io::Error) {
        if state.fault.is_none() {
            state.fault = Some(self.poisoned(path, error));
        }
    }

    fn poisoned(&self, path: &Path, error: &io::Error) -> Fault {
        Fault::Poisoned { path: path.into(), message: error.to_string().into() }
    }

    fn error(&self, fault: &Fault) -> TopicError {
        match fault {
            Fault::Deleted => TopicError::Deleted(self.folder.clone()),
            Fault::Poisoned { path, message } => {
                TopicError::Poisoned { path: path.to_path_buf(), message: message.to_string() }
            }
        }
    }

    fn check(&self, state: &State) -> Result<(), TopicError> {
        state.fault.as_ref().map_or(Ok(()), |fault| Err(self.error(fault)))
    }

    /// The state is valid between any two statements that change it together, so a panic elsewhere does no harm to it.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The state, while nobody syncs.
    fn lock_idle(&self) -> MutexGuard<'_, State> {
        let state = self.lock();
        self.synced.wait_while(state, |state| state.syncing).unwrap_or_else(PoisonError::into_inner)
    }

    fn ring(&self) {
        let mut watchers = self.watchers.lock().unwrap_or_else(PoisonError::into_inner);
        watchers.retain(|watcher| watcher.upgrade().inspect(|wakeup| wakeup.ring()).is_some());
    }

    /// Hangs a bell on the log.
    pub(crate) fn watch(&self, wakeup: &Wakeup) {
        self.watchers.lock().unwrap_or_else(PoisonError::into_inner).push(wakeup.downgrade());
    }

    /// The topic is gone: nothing works any more.
    pub(crate) fn delete(&self) {
        let mut state = self.lock_idle();
        state.fault = Some(Fault::Deleted);
        state.active = None;
        drop(state);
        self.synced.notify_all();
        self.ring();
    }

    pub(crate) fn salt(&self) -> u32 {
        self.salt
    }
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }
    pub(crate) fn options(&self) -> &LogOptions {
        &self.options
    }
    pub(crate) fn start_offset(&self) -> u64 {
        self.lock().start
    }
    pub(crate) fn durable_offset(&self) -> u64 {
        self.lock().durable
    }
    pub(crate) fn next_offset(&self) -> u64 {
        self.lock().next
    }
    pub(crate) fn last_tick(&self) -> Option<LastTick> {
        self.lock().history.last_tick
    }
    /// Bytes of all segments.
    pub(crate) fn bytes(&self) -> u64 {
        let state = self.lock();
        let sealed: u64 = state.sealed.iter().map(|s| s.summary.bytes).sum();
        sealed + state.active.as_ref().map_or(0, |active| active.growing.summary.bytes)
    }
}

/// Puts a small file there, whole and durable.
pub(crate) fn write_atomically(files: &Arc<dyn Files>, path: &Path, bytes: &[u8]) -> Result<(), TopicError> {
    let mut file = AtomicFile::create(files, path).at(path)?;
    io::Write::write_all(&mut file, bytes).at(path)?;
    file.commit().at(path)
}
