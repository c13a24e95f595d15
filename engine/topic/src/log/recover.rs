//! What a log is after a crash: what its files say, with the torn end cut off.
//!
//! Only the last segment can be torn. It is read as a whole; where the first batch does not match its checksums, the log
//! ends, unless a later batch shows that this place was durable (each says how far the log was durable when it was
//! written). Then it is damage, not a torn end, and an error that names the place: nothing acknowledged goes silently.
//!
//! What is kept beyond the durable part is written again in place and synced: it may be readable only because the system
//! has it in memory, after a sync that failed.

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use millrace_world::{Files, ReadFile, World};

use super::history::History;
use super::index::{Growing, Sealed, decode};
use super::window::{Found, Window};
use super::{Active, State, write_atomically};
use crate::batch::{HEADER_BYTES, Header, MAGIC, NotABatch};
use crate::error::{AtPath, Damage, TopicError};
use crate::options::LogOptions;

/// The name of the file that says where a log begins.
pub(super) const START: &str = "start";
const START_MAGIC: [u8; 4] = *b"MRS1";

struct Recovery<'a> {
    world: &'a World,
    folder: &'a Path,
    salt: u32,
    options: &'a LogOptions,
}

/// What reading a segment came to.
struct Scanned {
    growing: Growing,
    /// Where the part begins that no later batch shows to be durable.
    unsure: u64,
    /// Why it ended before the end of the file.
    broken: Option<NotABatch>,
}

/// Reads the log in `folder` and leaves it fit to be written.
pub(super) fn recover(world: &World, folder: &Path, salt: u32, options: &LogOptions) -> Result<State, TopicError> {
    world.fail_point("log.before-recovery").at(folder)?;
    Recovery { world, folder, salt, options }.run()
}

/// The bytes of the file that says where a log begins.
pub(super) fn encode_start(start: u64, salt: u32) -> Vec<u8> {
    let mut bytes = START_MAGIC.to_vec();
    bytes.extend_from_slice(&crc32c::crc32c_append(salt, &start.to_le_bytes()).to_le_bytes());
    bytes.extend_from_slice(&start.to_le_bytes());
    bytes
}

impl Recovery<'_> {
    fn files(&self) -> &Arc<dyn Files> {
        self.world.files()
    }

    fn run(&self) -> Result<State, TopicError> {
        let start = self.start()?;
        let bases = self.tidy(start)?;
        let mut state = State {
            sealed: vec![],
            active: None,
            start,
            next: start,
            durable: 0,
            history: History::default(),
            syncing: false,
            fault: None,
            era: 0,
        };
        for (n, base) in bases.iter().enumerate() {
            let (path, _) = Sealed::paths(self.folder, *base);
            // the first segment may begin before the start, when retention was told an offset inside of it
            if if n == 0 { *base > start } else { *base != state.next } {
                return Err(TopicError::Corrupt { path, position: 0, offset: state.next, what: Damage::Gap });
            }
            let is_last = n + 1 == bases.len();
            if !self.take_complete(&mut state, *base)? {
                self.take_scanned(&mut state, *base, is_last)?;
            }
        }
        state.next = state.next.max(start);
        state.durable = state.next;
        Ok(state)
    }

    /// Where the log begins.
    fn start(&self) -> Result<u64, TopicError> {
        let path = self.folder.join(START);
        let bytes = match self.files().read_whole(&path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(e) => return Err(e).at(&path),
        };
        let start = bytes.get(8..16).and_then(|b| b.try_into().ok()).map(u64::from_le_bytes);
        start.filter(|start| bytes == encode_start(*start, self.salt)).ok_or(TopicError::Corrupt {
            path,
            position: 0,
            offset: 0,
            what: Damage::File,
        })
    }

    /// The first offsets of the segments that count, in order. Segments before the start and files of crashed writes go.
    fn tidy(&self, start: u64) -> Result<Vec<u64>, TopicError> {
        let (mut bases, mut indices, mut gone) = (vec![], vec![], vec![]);
        for path in self.files().list(self.folder).at(self.folder)? {
            let name = path.file_name().and_then(|n| n.to_str()).unwrap_or_default();
            match name.rsplit_once('.') {
                Some((base, "log")) => bases.extend(base.parse::<u64>()),
                Some((base, "index")) => indices.extend(base.parse::<u64>()),
                Some((_, "part")) => gone.push(path),
                _ => {}
            }
        }
        // one that ends at the start or before it is followed by one that begins there or before it
        let first = bases.iter().rposition(|base| *base <= start).unwrap_or(0);
        gone.extend(bases.drain(..first).map(|base| Sealed::paths(self.folder, base).0));
        indices.retain(|base| bases.binary_search(base).is_err());
        gone.extend(indices.into_iter().map(|base| Sealed::paths(self.folder, base).1));
        gone.iter().try_for_each(|path: &PathBuf| self.files().remove(path).at(path))?;
        Ok(bases)
    }

    /// Takes a segment by the file beside it, if there is a whole one.
    fn take_complete(&self, state: &mut State, base: u64) -> Result<bool, TopicError> {
        let (path, index_path) = Sealed::paths(self.folder, base);
        let bytes = match self.files().read_whole(&index_path) {
            Ok(bytes) => bytes,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(e) => return Err(e).at(&index_path),
        };
        let Some((growing, history)) = decode(&bytes, self.salt).filter(|(g, _)| g.summary.base_offset == base) else {
            return Ok(false);
        };
        let len = self.files().metadata(&path).at(&path)?.len;
        if len != growing.summary.bytes {
            let position = len.min(growing.summary.bytes);
            return Err(TopicError::Corrupt {
                path,
                position,
                offset: growing.summary.next_offset,
                what: Damage::Short,
            });
        }
        state.next = growing.summary.next_offset;
        state.history = history;
        let (summary, n_entries) = (growing.summary, growing.entries.len());
        state.sealed.push(Arc::new(Sealed { summary, path, index_path, n_entries }));
        Ok(true)
    }

    /// Takes a segment by reading it: one that must be whole, or the last one, which may be torn.
    fn take_scanned(&self, state: &mut State, base: u64, is_last: bool) -> Result<(), TopicError> {
        let (path, index_path) = Sealed::paths(self.folder, base);
        let file = self.files().open(&path).at(&path)?;
        let len = file.metadata().at(&path)?.len;
        let scanned = self.scan(state, file.as_ref(), &path, base, len)?;
        let summary = scanned.growing.summary;
        let broken = |what| TopicError::Corrupt {
            path: path.clone(),
            position: summary.bytes,
            offset: summary.next_offset,
            what,
        };
        match scanned.broken {
            Some(NotABatch::Newer) => return Err(broken(Damage::Version)),
            Some(NotABatch::Damaged) if !is_last => return Err(broken(Damage::Batch)),
            Some(NotABatch::Damaged) if self.was_durable(file.as_ref(), &path, &summary, len)? => {
                return Err(broken(Damage::Batch));
            }
            _ => {}
        }
        state.next = summary.next_offset;
        if is_last {
            self.repair(file.as_ref(), &path, &scanned, len)?;
            let durable_bytes = summary.bytes;
            state.active = Some(Active { growing: scanned.growing, path: path.into(), file: None, durable_bytes });
        } else {
            write_atomically(self.files(), &index_path, &scanned.growing.encode(&state.history, self.salt))?;
            let n_entries = scanned.growing.entries.len();
            state.sealed.push(Arc::new(Sealed { summary, path, index_path, n_entries }));
        }
        Ok(())
    }

    fn scan(
        &self,
        state: &mut State,
        file: &dyn ReadFile,
        path: &Path,
        base: u64,
        len: u64,
    ) -> Result<Scanned, TopicError> {
        let (mut window, mut growing) = (Window::default(), Growing::new(base));
        // batches that are not yet shown to be durable
        let mut unsure: VecDeque<(u64, u64)> = VecDeque::new();
        let broken = loop {
            let at = growing.summary.bytes;
            match window.batch(file, at, len, self.salt, self.options.read_bytes).at(path)? {
                Found::End => break None,
                Found::Broken(why) => break Some(why),
                Found::Whole(header) if header.base_offset != growing.summary.next_offset => {
                    break Some(NotABatch::Damaged);
                }
                Found::Whole(header) => {
                    unsure.push_back((header.next_offset(), at));
                    while unsure.front().is_some_and(|(next, _)| *next <= header.durable) {
                        unsure.pop_front();
                    }
                    growing.note(&header, self.options.index_bytes);
                    state.history.note(&header, self.options.producers_max);
                }
            }
        };
        let unsure = unsure.front().map_or(growing.summary.bytes, |(_, at)| *at);
        Ok(Scanned { growing, unsure, broken })
    }

    /// Whether something behind the end of `summary` says that what should stand there was durable.
    fn was_durable(
        &self,
        file: &dyn ReadFile,
        path: &Path,
        summary: &super::index::Summary,
        len: u64,
    ) -> Result<bool, TopicError> {
        let finder = memchr::memmem::Finder::new(&MAGIC);
        let (mut window, mut at) = (Window::default(), summary.bytes);
        while at + HEADER_BYTES as u64 <= len {
            let bytes = window.get(file, at, self.options.read_bytes, len, self.options.read_bytes).at(path)?;
            for found in finder.find_iter(bytes) {
                if let Ok(header) = Header::parse(&bytes[found..], self.salt)
                    && header.durable > summary.next_offset
                {
                    return Ok(true);
                }
            }
            // a header that began in this piece and ends in the next is seen there
            let whole = bytes.len().saturating_sub(HEADER_BYTES - 1);
            if whole == 0 {
                break;
            }
            at += whole as u64;
        }
        Ok(false)
    }

    /// Cuts what is torn, and makes what is kept durable.
    fn repair(&self, file: &dyn ReadFile, path: &Path, scanned: &Scanned, len: u64) -> Result<(), TopicError> {
        let end = scanned.growing.summary.bytes;
        if len == end && scanned.unsure == end {
            return Ok(());
        }
        self.world.fail_point("log.before-repair").at(path)?;
        let out = self.files().modify(path).at(path)?;
        if len > end {
            out.truncate(end).at(path)?;
            self.world.fail_point("log.after-cut").at(path)?;
        }
        let (mut window, mut at) = (Window::default(), scanned.unsure);
        while at < end {
            let bytes = window.get(file, at, 1, end, self.options.read_bytes).at(path)?;
            if bytes.is_empty() {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof)).at(path);
            }
            out.write_all_at(bytes, at).at(path)?;
            at += bytes.len() as u64;
        }
        out.sync().at(path)?;
        self.world.fail_point("log.after-repair").at(path)
    }
}
