//! A file as a sink: JSON, DELIMITED or PARQUET, packed if its name ends in `.gz` or `.zst`.
//!
//! Rows go to a hidden file beside PATH that takes its name when it is whole. A full disk, a crash or a stop leaves what
//! PATH was before: no reader ever sees half a file.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use arrow::array::new_empty_array;
use millrace_data::Batch;
use millrace_format::{DelimitedEncoder, FormatError, JsonEncoder, TimeForm};
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

/// Writes text; see the module.
struct TextSink {
    encoder: TextEncoder,
    /// `None` once an error has ended it.
    out: Option<Packer<Counted>>,
    buffer: Vec<u8>,
    rows: u64,
    path: PathBuf,
}

enum TextEncoder {
    Json(JsonEncoder),
    Delimited(DelimitedEncoder),
}

/// Counts what is written.
struct Counted {
    file: AtomicFile,
    bytes: u64,
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
    let names = request.columns.iter().map(|(name, _)| name.as_str());
    let mut buffer = vec![];
    let encoder = match format {
        FileFormat::Json => TextEncoder::Json(JsonEncoder::new(names, TimeForm::Text)),
        FileFormat::Delimited => {
            let encoder = DelimitedEncoder::new(names, delimited, TimeForm::Text).map_err(|e| declaration(&e))?;
            if delimited.header {
                encoder.write_header(&mut buffer);
            }
            TextEncoder::Delimited(encoder)
        }
        FileFormat::Parquet => return Err(ConnectError::option("PATH", "not yet")),
    };
    // a type that the format cannot hold is an error of the statement
    let empty: Vec<_> = request.columns.iter().map(|(_, t)| new_empty_array(t)).collect();
    encoder.encode(&empty, &mut vec![]).map_err(|e| declaration(&e))?;
    let file = AtomicFile::create(world.files(), path).map_err(|e| unwritable(path, &e))?;
    let out = Packer::new(Counted { file, bytes: 0 }, Compression::of_path(path)).map_err(|e| unwritable(path, &e))?;
    Ok(Box::new(TextSink { encoder, out: Some(out), buffer, rows: 0, path: path.to_owned() }))
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
    fn encode(&self, columns: &[arrow::array::ArrayRef], out: &mut Vec<u8>) -> Result<(), FormatError> {
        match self {
            TextEncoder::Json(encoder) => encoder.encode(columns, out),
            TextEncoder::Delimited(encoder) => encoder.encode(columns, out),
        }
    }
}

impl TextSink {
    fn flush(&mut self) -> Result<(), SinkError> {
        let Some(out) = &mut self.out else { return Err(broken(&self.path)) };
        let written = out.write_all(&self.buffer);
        self.buffer.clear();
        written.map_err(|e| {
            // dropping it removes what was written
            self.out = None;
            failed(&self.path, &e)
        })
    }
}

impl Sink for TextSink {
    fn write(&mut self, batch: &Batch) -> Result<(), SinkError> {
        assert!(batch.diffs().is_none(), "a sink takes insertions");
        let encoded = self.encoder.encode(batch.columns(), &mut self.buffer);
        encoded.map_err(|e| failed(&self.path, &io::Error::new(io::ErrorKind::InvalidData, e.to_string())))?;
        self.rows += batch.len() as u64;
        if self.buffer.len() >= BUFFER_BYTES { self.flush() } else { Ok(()) }
    }

    fn finish(mut self: Box<Self>) -> Result<Written, SinkError> {
        self.flush()?;
        let path = std::mem::take(&mut self.path);
        let Some(out) = self.out.take() else { return Err(broken(&path)) };
        let counted = out.finish().map_err(|e| failed(&path, &e))?;
        let bytes = counted.bytes;
        counted.file.commit().map_err(|e| failed(&path, &e))?;
        Ok(Written { rows: self.rows, bytes })
    }
}

fn failed(path: &Path, error: &io::Error) -> SinkError {
    let message = format!("{} cannot be written: {}", path.display(), io_words(error));
    SinkError { kind: error.kind(), message }
}

fn broken(path: &Path) -> SinkError {
    SinkError { kind: io::ErrorKind::Other, message: format!("writing {} has failed before", path.display()) }
}

impl Write for Counted {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = self.file.write(bytes)?;
        self.bytes += n as u64;
        Ok(n)
    }
    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

#[cfg(test)]
mod tests;
