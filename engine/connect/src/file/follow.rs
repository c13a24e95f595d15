//! FOLLOW = true: what is appended to files, and new files, in the order in which they are discovered.
//!
//! ```text
//! sweep: lengths and names now ──▶ segments: (file, up to byte) ──▶ every reader reads these, in this order
//! ```
//! The segments belong to the source, not to a reader: one that is opened later reads the same records in the same order.
//! A record counts when its line break is there; a last line without one waits.
//!
//! A file that is gone, was replaced or has become shorter stalls the source: what was read cannot be read again, and
//! what comes next is not known. Putting things right (the file back, the lost bytes back) lets it go on.

use std::io::{Read as _, Seek, SeekFrom};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use millrace_format::{Decoder, FormatError, RecordSplitter};
use millrace_world::{Metadata, ReadFile, World};

use super::fault::Fault;
use super::format::FileFormat;
use super::paths::Paths;
use super::rows::RowMaker;
use super::text::{BATCH_BYTES_MAX, CHUNK_BYTES, TextFormat, decode};
use crate::READ_ROWS_MAX;
use crate::error::{SourceError, io_words};
use crate::source::{Progress, Read, SourceBatch, SourceReader};

/// Least time between two looks at the lengths of the files, ns, and what each file adds to it: what a followed file adds
/// to latency, against a system call of about a microsecond for each.
const LOOK_INTERVAL_NS: u64 = 1_000_000;
const LOOK_INTERVAL_NS_PER_FILE: u64 = 20_000;

/// Least time between two looks for new files, ns: a folder may be large.
const LIST_INTERVAL_NS: u64 = 50_000_000;

/// What the readers of one source share.
pub(super) struct Followed {
    world: World,
    paths: Paths,
    /// What VALUE_FORMAT says.
    value_format: Option<FileFormat>,
    format: TextFormat,
    rows: RowMaker,
    /// ROWTIME is the files' own: records of different times need segments of their own.
    files_time: bool,
    log: Mutex<Log>,
}

#[derive(Default)]
struct Log {
    files: Vec<FollowedFile>,
    segments: Vec<Segment>,
    /// When the files were last looked at, and what was wrong then.
    swept: Option<(u64, Result<(), SourceError>)>,
    /// When it was last looked for new files.
    listed_ns: Option<u64>,
}

struct FollowedFile {
    path: PathBuf,
    identity: u64,
    /// Where its last segment ends.
    len: u64,
}

/// Bytes of a file, from where its segment before ended.
#[derive(Clone, Copy)]
struct Segment {
    file: usize,
    to: u64,
    time_ms: i64,
}

/// See the module.
pub(super) struct FollowReader {
    shared: Arc<Followed>,
    segment: usize,
    inputs: Vec<Input>,
    /// The file that is open; one at a time.
    open: Option<(usize, Box<dyn ReadFile>)>,
    chunk: Vec<u8>,
    next_offset: i64,
    bytes: u64,
}

/// How far one file has been read.
struct Input {
    position: u64,
    splitter: RecordSplitter,
    decoder: Box<dyn Decoder>,
    at_header: bool,
}

impl Followed {
    pub(super) fn new(
        world: &World,
        paths: Paths,
        value_format: Option<FileFormat>,
        format: TextFormat,
        rows: RowMaker,
        files_time: bool,
    ) -> Self {
        Followed { world: world.clone(), paths, value_format, format, rows, files_time, log: Mutex::default() }
    }

    pub(super) fn reader(self: &Arc<Self>) -> FollowReader {
        FollowReader {
            shared: Arc::clone(self),
            segment: 0,
            inputs: vec![],
            open: None,
            chunk: vec![],
            next_offset: 0,
            bytes: 0,
        }
    }

    /// The log is valid between any two statements, so a panic of another reader does no harm to it.
    fn log(&self) -> MutexGuard<'_, Log> {
        self.log.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Looks at the files if it is time to, and adds segments for what is new.
    fn sweep(&self, log: &mut Log) -> Result<(), SourceError> {
        let now = self.world.clock().monotonic_ns();
        let interval = LOOK_INTERVAL_NS + LOOK_INTERVAL_NS_PER_FILE * log.files.len() as u64;
        match &log.swept {
            Some((when, outcome)) if now.saturating_sub(*when) < interval => outcome.clone(),
            _ => {
                let outcome = self.look(log, now);
                log.swept = Some((now, outcome.clone()));
                outcome
            }
        }
    }

    fn look(&self, log: &mut Log, now: u64) -> Result<(), SourceError> {
        let files = self.world.files();
        for i in 0..log.files.len() {
            let file = &log.files[i];
            let found = files.metadata(&file.path).map_err(|e| stalled(&file.path, &io_words(&e)))?;
            log.grow(i, &found, self.files_time)?;
        }
        let listed_lately = log.listed_ns.is_some_and(|when| now.saturating_sub(when) < LIST_INTERVAL_NS);
        if !listed_lately && (log.files.is_empty() || !matches!(self.paths, Paths::One(_))) {
            log.listed_ns = Some(now);
            let listed = self
                .paths
                .list(self.value_format, files.as_ref())
                .map_err(|e| SourceError::stalled(format!("the files to follow cannot be listed: {}", io_words(&e))))?;
            for file in listed {
                if log.files.iter().all(|f| f.path != file.path) {
                    let identity = file.metadata.identity;
                    log.files.push(FollowedFile { path: file.path, identity, len: 0 });
                    log.grow(log.files.len() - 1, &file.metadata, self.files_time)?;
                }
            }
        }
        Ok(())
    }
}

impl Log {
    /// A segment for what the file has more than before.
    fn grow(&mut self, file: usize, found: &Metadata, files_time: bool) -> Result<(), SourceError> {
        let known = &mut self.files[file];
        if found.identity != known.identity {
            return Err(stalled(&known.path, "it was replaced by another file"));
        }
        if found.len < known.len {
            return Err(stalled(&known.path, &format!("it has shrunk from {} to {} bytes", known.len, found.len)));
        }
        if found.len == known.len {
            return Ok(());
        }
        known.len = found.len;
        match self.segments.last_mut() {
            Some(last) if last.file == file && (last.time_ms == found.modified_ms || !files_time) => {
                last.to = found.len
            }
            _ => self.segments.push(Segment { file, to: found.len, time_ms: found.modified_ms }),
        }
        Ok(())
    }
}

impl FollowReader {
    fn next_batch(&mut self, rows_max: usize) -> Result<Option<SourceBatch>, SourceError> {
        let rows_max = rows_max.min(READ_ROWS_MAX);
        let mut swept = false;
        loop {
            let Some(segment) = self.current_segment(&mut swept)? else { return Ok(None) };
            self.prepare(segment.file)?;
            if let Some(batch) = self.take(segment, rows_max)? {
                if !batch.batch.is_empty() || !batch.errors.is_empty() {
                    return Ok(Some(batch));
                }
            } else if self.inputs[segment.file].position < segment.to {
                self.fill(segment)?;
            } else if !self.step() {
                // the last segment is read; it may grow, or others follow
                if swept {
                    return Ok(None);
                }
                swept = true;
                let shared = Arc::clone(&self.shared);
                shared.sweep(&mut shared.log())?;
            }
        }
    }

    /// The segment to read; none as long as there are no bytes at all.
    fn current_segment(&self, swept: &mut bool) -> Result<Option<Segment>, SourceError> {
        let mut log = self.shared.log();
        if log.segments.is_empty() {
            *swept = true;
            self.shared.sweep(&mut log)?;
        }
        Ok(log.segments.get(self.segment).copied())
    }

    /// On to the next segment, if there is one. The last one may still grow, so it is not left before.
    fn step(&mut self) -> bool {
        let more = self.segment + 1 < self.shared.log().segments.len();
        self.segment += usize::from(more);
        more
    }

    fn prepare(&mut self, file: usize) -> Result<(), SourceError> {
        let (format, rows) = (self.shared.format, &self.shared.rows);
        while self.inputs.len() <= file {
            let mut decoder = format.decoder(rows).map_err(|e| self.content(file, e))?;
            decoder.begin_input();
            self.inputs.push(Input {
                position: 0,
                splitter: format.splitter(rows),
                decoder,
                at_header: format.header_records() > 0,
            });
        }
        Ok(())
    }

    /// The whole records that were read and not yet decoded.
    fn take(&mut self, segment: Segment, rows_max: usize) -> Result<Option<SourceBatch>, SourceError> {
        let input = &mut self.inputs[segment.file];
        let Some(records) = input.splitter.take(rows_max, BATCH_BYTES_MAX) else { return Ok(None) };
        let first_offset = self.next_offset - i64::from(input.at_header);
        self.next_offset = first_offset + records.len() as i64;
        input.at_header = false;
        let decoded = decode(input.decoder.as_mut(), &self.shared.rows, records, first_offset, segment.time_ms);
        decoded.map(Some).map_err(|e| self.content(segment.file, e))
    }

    /// Reads on in the file, at most to the end of the segment.
    fn fill(&mut self, segment: Segment) -> Result<(), SourceError> {
        let input = &mut self.inputs[segment.file];
        let (path, identity) = {
            let log = self.shared.log();
            (log.files[segment.file].path.clone(), log.files[segment.file].identity)
        };
        let failed = |e: std::io::Error| stalled(&path, &io_words(&e));
        if self.open.as_ref().is_none_or(|(open, _)| *open != segment.file) {
            let mut file = self.shared.world.files().open(&path).map_err(failed)?;
            if file.metadata().map_err(failed)?.identity != identity {
                return Err(stalled(&path, "it was replaced by another file"));
            }
            file.seek(SeekFrom::Start(input.position)).map_err(failed)?;
            self.open = Some((segment.file, file));
        }
        let Some((_, file)) = &mut self.open else { return Ok(()) };
        let bytes = usize::try_from(segment.to - input.position).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES);
        self.chunk.resize(bytes, 0);
        match file.read(&mut self.chunk) {
            Ok(0) => {
                self.open = None;
                Err(stalled(&path, "it has become shorter"))
            }
            Ok(n) => {
                input.splitter.push(&self.chunk[..n]);
                input.position += n as u64;
                self.bytes += n as u64;
                Ok(())
            }
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => Ok(()),
            Err(error) => {
                // what the handle stands at is not known after an error
                self.open = None;
                Err(failed(error))
            }
        }
    }

    fn content(&self, file: usize, error: FormatError) -> SourceError {
        Fault::content(&self.shared.log().files[file].path, error).to_source()
    }
}

fn stalled(path: &std::path::Path, why: &str) -> SourceError {
    SourceError::stalled(format!("{} cannot be followed: {why}", path.display()))
}

impl SourceReader for FollowReader {
    fn read(&mut self, rows_max: usize) -> Result<Read, SourceError> {
        Ok(self.next_batch(rows_max)?.map_or(Read::Idle, Read::Batch))
    }
    fn progress(&self) -> Progress {
        let known = self.shared.log().files.iter().map(|f| f.len).sum();
        Progress { rows: self.next_offset as u64, rows_total: None, bytes: self.bytes, bytes_total: Some(known) }
    }
}
