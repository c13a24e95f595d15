//! Reads files of records, one after the other: JSON and DELIMITED.
//!
//! ```text
//! file ─unpack→ chunks ─RecordSplitter→ blocks of whole records ─Decoder→ columns ─RowMaker→ SourceBatch
//! ```
//! What is held is a chunk, the splitter's block and one batch, however long the files are. A file is read as far as it
//! went when it was found, so that reading it again brings the same rows although it has grown.

use std::io::Read as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use millrace_format::{
    Decoder, DelimitedDecoder, DelimitedOptions, FormatError, Framing, JsonDecoder, RecordSplitter, Records,
};
use millrace_world::{FileKind, Files};

use super::compression::{Compression, Counted, unpack};
use super::fault::Fault;
use super::paths::{FileToRead, open_as_found, total_bytes};
use super::rows::{Block, RowMaker};
use crate::error::SourceError;
use crate::source::{Progress, Read, SourceBatch, SourceReader};
use crate::{ERROR_BYTES_MAX, READ_ROWS_MAX};

/// Bytes read at a time.
pub(super) const CHUNK_BYTES: usize = 256 << 10;

/// Most bytes of records in a batch, unless one record alone is longer.
pub(super) const BATCH_BYTES_MAX: usize = 8 << 20;

/// How records stand in a text.
#[derive(Clone, Copy, Debug)]
pub(super) enum TextFormat {
    Json,
    Delimited(DelimitedOptions),
}

impl TextFormat {
    pub(super) fn decoder(self, rows: &RowMaker) -> Result<Box<dyn Decoder>, FormatError> {
        Ok(match self {
            TextFormat::Json => Box::new(JsonDecoder::new(rows.spec.clone())?),
            TextFormat::Delimited(options) => Box::new(DelimitedDecoder::new(rows.spec.clone(), options)?),
        })
    }

    pub(super) fn splitter(self, rows: &RowMaker) -> RecordSplitter {
        RecordSplitter::new(match self {
            TextFormat::Json => Framing::Lines,
            TextFormat::Delimited(options) => {
                options.framing(rows.spec.columns.len() + usize::from(rows.spec.extra.is_some()))
            }
        })
    }

    /// A splitter for files of which the fields are not known.
    pub(super) fn sample_splitter(self) -> RecordSplitter {
        RecordSplitter::new(match self {
            TextFormat::Json => Framing::Lines,
            TextFormat::Delimited(options) => options.framing(0),
        })
    }

    /// Records at the start of a file that are no rows.
    pub(super) fn header_records(self) -> i64 {
        match self {
            TextFormat::Json => 0,
            TextFormat::Delimited(options) => i64::from(options.header),
        }
    }
}

/// Decodes a block of whole records. `first_offset` is the ROWOFFSET of the first of them (less the header, if the first
/// is one).
pub(super) fn decode(
    decoder: &mut dyn Decoder,
    rows: &RowMaker,
    records: Records<'_>,
    first_offset: i64,
    time_ms: i64,
) -> Result<SourceBatch, FormatError> {
    let decoded = decoder.decode(records)?;
    Ok(rows.rows(Block {
        columns: decoded.columns,
        rows: decoded.rows,
        kept: decoded.kept,
        errors: decoded.errors.iter().map(|e| (e.record, e.to_string())).collect(),
        first_offset,
        time_ms,
        excerpt: &|record| records.excerpt(record, ERROR_BYTES_MAX).to_vec(),
    }))
}

/// See the module.
pub(super) struct TextReader {
    files: Arc<dyn Files>,
    to_read: Arc<[FileToRead]>,
    format: TextFormat,
    rows: RowMaker,
    decoder: Box<dyn Decoder>,
    splitter: RecordSplitter,
    /// The file that is read, and how it is packed.
    input: Option<(Box<dyn std::io::Read + Send>, Compression)>,
    /// Position in `to_read` of the file behind it.
    next_file: usize,
    /// The next record is a file's header.
    at_header: bool,
    chunk: Vec<u8>,
    /// Reading failed; the whole records before it come first.
    fault: Option<Fault>,
    next_offset: i64,
    bytes: Arc<AtomicU64>,
}

impl TextReader {
    pub(super) fn new(
        files: &Arc<dyn Files>,
        to_read: &Arc<[FileToRead]>,
        format: TextFormat,
        rows: &RowMaker,
    ) -> Result<Self, FormatError> {
        Ok(TextReader {
            files: Arc::clone(files),
            to_read: Arc::clone(to_read),
            format,
            rows: rows.clone(),
            decoder: format.decoder(rows)?,
            splitter: format.splitter(rows),
            input: None,
            next_file: 0,
            at_header: false,
            chunk: vec![],
            fault: None,
            next_offset: 0,
            bytes: Arc::default(),
        })
    }

    pub(super) fn next_batch(&mut self, rows_max: usize) -> Result<Option<SourceBatch>, Fault> {
        let rows_max = rows_max.min(READ_ROWS_MAX);
        loop {
            if self.input.is_none() && !self.begin_file()? {
                return Ok(None);
            }
            if let Some(batch) = self.take(rows_max)? {
                if batch.batch.is_empty() && batch.errors.is_empty() {
                    continue;
                }
                return Ok(Some(batch));
            }
            if let Some(fault) = self.fault.take() {
                return Err(fault);
            }
            if self.splitter.is_done() {
                self.input = None;
            } else {
                self.fill();
            }
        }
    }

    /// Opens the next file. False if there is none.
    fn begin_file(&mut self) -> Result<bool, Fault> {
        let Some(file) = self.to_read.get(self.next_file) else { return Ok(false) };
        let raw = open_as_found(self.files.as_ref(), file)?;
        let bytes = (file.metadata.kind == FileKind::File).then_some(file.metadata.len);
        let raw = Counted::new(raw, bytes, &self.bytes);
        let promised = Compression::of_path(&file.path);
        let input = unpack(raw, promised).map_err(|e| Fault::Read(file.path.clone(), promised, e))?;
        self.input = Some(input);
        self.next_file += 1;
        self.splitter = self.format.splitter(&self.rows);
        self.decoder.begin_input();
        self.at_header = self.format.header_records() > 0;
        Ok(true)
    }

    /// The next block of records, when one is full or the file has ended.
    fn take(&mut self, rows_max: usize) -> Result<Option<SourceBatch>, Fault> {
        let block = match self.fault {
            None => self.splitter.take_full(rows_max, BATCH_BYTES_MAX),
            Some(_) => self.splitter.take(rows_max, BATCH_BYTES_MAX),
        };
        let Some(records) = block else { return Ok(None) };
        let file = &self.to_read[self.next_file - 1];
        let first_offset = self.next_offset - i64::from(self.at_header);
        self.next_offset = first_offset + records.len() as i64;
        self.at_header = false;
        let time_ms = file.metadata.modified_ms;
        let decoded = decode(self.decoder.as_mut(), &self.rows, records, first_offset, time_ms);
        decoded.map(Some).map_err(|e| Fault::content(&file.path, e))
    }

    fn fill(&mut self) {
        let Some((input, compression)) = &mut self.input else { return };
        self.chunk.resize(CHUNK_BYTES, 0);
        match input.read(&mut self.chunk) {
            Ok(0) => self.splitter.finish(),
            Ok(n) => self.splitter.push(&self.chunk[..n]),
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(error) => {
                let path = self.to_read[self.next_file - 1].path.clone();
                self.fault = Some(Fault::Read(path, *compression, error));
            }
        }
    }
}

impl SourceReader for TextReader {
    fn read(&mut self, rows_max: usize) -> Result<Read, SourceError> {
        let batch = self.next_batch(rows_max).map_err(|fault| fault.to_source())?;
        Ok(batch.map_or(Read::End, Read::Batch))
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
