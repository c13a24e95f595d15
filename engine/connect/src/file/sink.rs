//! A file as a sink: JSON, DELIMITED or PARQUET, packed if its name ends in `.gz` or `.zst`.
//!
//! Rows go to a hidden file beside PATH that takes its name when it is whole. A full disk, a crash or a stop leaves what
//! PATH was before: no reader ever sees half a file.

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

use arrow::array::{ArrayRef, new_empty_array};
use arrow::datatypes::{Field, Schema, SchemaRef};
use millrace_data::Batch;
use millrace_format::{DelimitedEncoder, FormatError, JsonEncoder, ParquetWriter, TimeForm};
use millrace_world::{AtomicFile, FileKind, World};

use super::compression::{Compression, Packer};
use super::fault::declaration;
use super::format::{FileFormat, delimited_options};
use crate::SinkRequest;
use crate::error::{ConnectError, ConnectErrorKind, io_words};
use crate::options::Options;
use crate::sink::{Sink, SinkError, Written};

const KNOWN: [&str; 4] = ["PATH", "VALUE_FORMAT", "HEADER", "VALUE_DELIMITER"];

/// Bytes that are collected before they are packed and written.
const BUFFER_BYTES: usize = 256 << 10;

/// See the module.
struct FileSink {
    /// `None` once an error has ended it.
    out: Option<Out>,
    rows: u64,
    path: PathBuf,
    refusal: Refusal,
}

/// What the file system said when it refused a write. Formats wrap errors, or make texts of them.
type Refusal = Arc<OnceLock<SinkError>>;

/// Where rows are encoded to.
enum Out {
    Text { encoder: TextEncoder, buffer: Vec<u8>, packer: Box<Packer<Counted>> },
    Columnar { writer: Box<ParquetWriter<Counted>>, schema: SchemaRef },
}

enum TextEncoder {
    Json(JsonEncoder),
    Delimited(DelimitedEncoder),
}

/// Counts what is written, and keeps the first error.
struct Counted {
    file: AtomicFile,
    bytes: u64,
    refusal: Refusal,
}

/// Opens a file to write to.
pub(crate) fn open(request: &SinkRequest<'_>, world: &World) -> Result<Box<dyn Sink>, ConnectError> {
    let options = Options::new("file", request.options, &KNOWN)?;
    let Some(path) = options.text("PATH") else {
        let error = ConnectError::option("CONNECTOR", "CONNECTOR = 'file' needs a PATH");
        return Err(error.hint("PATH = 'the file to write'"));
    };
    let path = Path::new(path);
    let format = match FileFormat::of_options(&options)?.or_else(|| FileFormat::of_path(path)) {
        Some(format) => format,
        None => return Err(FileFormat::unknown(path)),
    };
    check_path(path, format, world)?;
    let delimited = delimited_options(&options, format, Some(path))?;
    let encoder = match format {
        FileFormat::Json => Some(TextEncoder::Json(JsonEncoder::new(names(request), TimeForm::Text))),
        FileFormat::Delimited => {
            let encoder = DelimitedEncoder::new(names(request), delimited, TimeForm::Text);
            Some(TextEncoder::Delimited(encoder.map_err(|e| declaration(&e))?))
        }
        FileFormat::Parquet => None,
    };
    if let Some(encoder) = &encoder {
        // a type that the format cannot hold is an error of the statement
        let empty: Vec<ArrayRef> = request.columns.iter().map(|(_, t)| new_empty_array(t)).collect();
        encoder.encode(&empty, &mut vec![]).map_err(|e| declaration(&e))?;
    }
    let file = AtomicFile::create(world.files(), path).map_err(|e| unwritable(path, &e))?;
    let refusal = Refusal::default();
    let file = Counted { file, bytes: 0, refusal: Arc::clone(&refusal) };
    let out = match encoder {
        None => {
            let fields = request.columns.iter().map(|(name, t)| Field::new(name, t.clone(), true));
            let schema: SchemaRef = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
            let writer = ParquetWriter::new(file, Arc::clone(&schema)).map_err(|e| declaration(&e))?;
            Out::Columnar { writer: Box::new(writer), schema }
        }
        Some(encoder) => {
            let mut buffer = vec![];
            if let (TextEncoder::Delimited(encoder), true) = (&encoder, delimited.header) {
                encoder.write_header(&mut buffer);
            }
            let packer = Packer::new(file, Compression::of_path(path)).map_err(|e| unwritable(path, &e))?;
            Out::Text { encoder, buffer, packer: Box::new(packer) }
        }
    };
    Ok(Box::new(FileSink { out: Some(out), rows: 0, path: path.to_owned(), refusal }))
}

fn names<'a>(request: &SinkRequest<'a>) -> impl Iterator<Item = &'a str> {
    request.columns.iter().map(|(name, _)| name.as_str())
}

fn check_path(path: &Path, format: FileFormat, world: &World) -> Result<(), ConnectError> {
    let shown = path.display();
    if path.to_string_lossy().contains(['*', '?', '[']) {
        return Err(ConnectError::option("PATH", format!("a sink writes one file, and {shown} is a pattern")));
    }
    match world.files().metadata(path) {
        Ok(found) if found.kind == FileKind::Folder => {
            return Err(ConnectError::option("PATH", format!("a sink writes one file, and {shown} is a folder")));
        }
        Ok(found) if found.kind == FileKind::Other => {
            let message = format!("{shown} is a pipe or a device, and cannot be replaced by a file");
            return Err(ConnectError::option("PATH", message));
        }
        _ => {}
    }
    if format == FileFormat::Parquet && Compression::of_path(path) != Compression::None {
        let mut error = ConnectError::option("PATH", format!("{shown}: PARQUET is packed from within, not as a whole"));
        error.kind = ConnectErrorKind::NotSupported;
        return Err(error);
    }
    Ok(())
}

fn unwritable(path: &Path, error: &io::Error) -> ConnectError {
    let message = match error.kind() {
        io::ErrorKind::NotFound => format!("{} cannot be written: its folder does not exist", path.display()),
        _ => format!("{} cannot be written: {}", path.display(), io_words(error)),
    };
    ConnectError::world("PATH", error.kind(), message)
}

impl TextEncoder {
    fn encode(&self, columns: &[ArrayRef], out: &mut Vec<u8>) -> Result<(), FormatError> {
        match self {
            TextEncoder::Json(encoder) => encoder.encode(columns, out),
            TextEncoder::Delimited(encoder) => encoder.encode(columns, out),
        }
    }
}

impl Out {
    fn write(&mut self, batch: &Batch) -> Result<(), FormatError> {
        match self {
            Out::Columnar { writer, schema } => writer.write(&batch.to_record_batch(schema)?),
            Out::Text { encoder, buffer, packer } => {
                encoder.encode(batch.columns(), buffer)?;
                if buffer.len() >= BUFFER_BYTES {
                    packer.write_all(buffer)?;
                    buffer.clear();
                }
                Ok(())
            }
        }
    }

    /// Writes what is left.
    fn close(self) -> Result<Counted, FormatError> {
        match self {
            Out::Columnar { writer, .. } => writer.close(),
            Out::Text { buffer, mut packer, .. } => {
                packer.write_all(&buffer)?;
                Ok(packer.finish()?)
            }
        }
    }
}

impl FileSink {
    fn failed(&self, error: &FormatError) -> SinkError {
        self.refusal.get().cloned().unwrap_or_else(|| SinkError {
            kind: io::ErrorKind::Other,
            message: format!("{} cannot be written: {error}", self.path.display()),
        })
    }

    fn broken(&self) -> SinkError {
        let message = format!("writing {} has failed before", self.path.display());
        self.refusal.get().cloned().unwrap_or(SinkError { kind: io::ErrorKind::Other, message })
    }
}

impl Sink for FileSink {
    fn write(&mut self, batch: &Batch) -> Result<(), SinkError> {
        assert!(batch.diffs().is_none(), "a sink takes insertions");
        let Some(out) = &mut self.out else { return Err(self.broken()) };
        if let Err(error) = out.write(batch) {
            // dropping it removes what was written
            self.out = None;
            return Err(self.failed(&error));
        }
        self.rows += batch.len() as u64;
        Ok(())
    }

    fn finish(mut self: Box<Self>) -> Result<Written, SinkError> {
        let Some(out) = self.out.take() else { return Err(self.broken()) };
        let counted = out.close().map_err(|e| self.failed(&e))?;
        let bytes = counted.bytes;
        counted.file.commit().map_err(|e| refused(&self.path, &e))?;
        Ok(Written { rows: self.rows, bytes })
    }
}

fn refused(path: &Path, error: &io::Error) -> SinkError {
    let message = format!("{} cannot be written: {}", path.display(), io_words(error));
    SinkError { kind: error.kind(), message }
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.file.write(bytes).inspect_err(|e| {
            // of several errors the first is the cause
            let _ = self.refusal.set(refused(self.file.target(), e));
        })?;
        self.bytes += n as u64;
        Ok(n)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests;
