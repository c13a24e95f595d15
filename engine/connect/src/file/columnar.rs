//! Reads Parquet files, one after the other.
//!
//! A file brings batches of its own size; a read takes as much of one as was asked for. A record here has no bytes of its
//! own, so error rows (a wrong OP_COLUMN, a text that is no time) have none either.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arrow::array::ArrayRef;
use millrace_format::ParquetReader;
use millrace_world::{Files, ReadFile};

use super::fault::Fault;
use super::paths::{FileToRead, open_as_found, total_bytes};
use super::rows::{Block, RowMaker};
use crate::error::SourceError;
use crate::source::{self, Progress, SourceBatch, SourceReader};

/// Rows that are decoded at a time.
const DECODE_ROWS: usize = 8_192;

/// See the module.
pub(super) struct ColumnarReader {
    files: Arc<dyn Files>,
    to_read: Arc<[FileToRead]>,
    rows: RowMaker,
    input: Option<ParquetReader>,
    /// Position in `to_read` of the file behind `input`.
    next_file: usize,
    /// Decoded rows of which the first `taken` are delivered.
    decoded: Vec<ArrayRef>,
    decoded_rows: usize,
    taken: usize,
    next_offset: i64,
    bytes: Arc<AtomicU64>,
}

/// Counts the bytes that are read, for progress.
struct CountedFile {
    file: Box<dyn ReadFile>,
    bytes: Arc<AtomicU64>,
}

impl ColumnarReader {
    pub(super) fn new(files: &Arc<dyn Files>, to_read: &Arc<[FileToRead]>, rows: &RowMaker) -> Self {
        ColumnarReader {
            files: Arc::clone(files),
            to_read: Arc::clone(to_read),
            rows: rows.clone(),
            input: None,
            next_file: 0,
            decoded: vec![],
            decoded_rows: 0,
            taken: 0,
            next_offset: 0,
            bytes: Arc::default(),
        }
    }

    pub(super) fn next_batch(&mut self, rows_max: usize) -> Result<Option<SourceBatch>, Fault> {
        while self.taken == self.decoded_rows {
            if self.input.is_none() && !self.begin_file()? {
                return Ok(None);
            }
            self.decode()?;
        }
        let rows = rows_max.min(self.decoded_rows - self.taken);
        let batch = self.rows.rows(Block {
            columns: self.decoded.iter().map(|c| c.slice(self.taken, rows)).collect(),
            rows,
            kept: None,
            errors: vec![],
            first_offset: self.next_offset,
            time_ms: self.file().metadata.modified_ms,
            excerpt: &|_| vec![],
        });
        self.taken += rows;
        self.next_offset += rows as i64;
        Ok(Some(batch))
    }

    /// Opens the next file. False if there is none.
    fn begin_file(&mut self) -> Result<bool, Fault> {
        let Some(file) = self.to_read.get(self.next_file) else { return Ok(false) };
        let opened = open_as_found(self.files.as_ref(), file)?;
        let counted = CountedFile { file: opened, bytes: Arc::clone(&self.bytes) };
        let reader = ParquetReader::open(counted, &self.rows.spec, DECODE_ROWS, 0);
        self.input = Some(reader.map_err(|e| Fault::content(&file.path, e))?);
        self.next_file += 1;
        Ok(true)
    }

    fn decode(&mut self) -> Result<(), Fault> {
        match self.input.as_mut().and_then(Iterator::next) {
            None => self.input = None,
            Some(Err(error)) => return Err(Fault::content(&self.file().path, error)),
            Some(Ok(decoded)) => {
                self.decoded = decoded.columns;
                self.decoded_rows = decoded.rows;
                self.taken = 0;
            }
        }
        Ok(())
    }

    /// The file that was opened last.
    fn file(&self) -> &FileToRead {
        &self.to_read[self.next_file - 1]
    }
}

impl SourceReader for ColumnarReader {
    fn read(&mut self, rows_max: usize) -> Result<source::Read, SourceError> {
        let batch = self.next_batch(rows_max).map_err(|fault| fault.to_source())?;
        Ok(batch.map_or(source::Read::End, source::Read::Batch))
    }
    fn progress(&self) -> Progress {
        Progress {
            rows: self.next_offset as u64,
            rows_total: None,
            bytes: self.bytes.load(Ordering::Relaxed),
            bytes_total: total_bytes(&self.to_read),
        }
    }
}

impl Read for CountedFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read(buffer)?;
        self.bytes.fetch_add(n as u64, Ordering::Relaxed);
        Ok(n)
    }
}

impl Seek for CountedFile {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}
