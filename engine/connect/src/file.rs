//! `CONNECTOR = 'file'`: files on this machine, read once or followed; and written, as a sink.
//!
//! ```text
//! PATH ──[paths]──▶ files in order ──[text]─────▶ JSON, DELIMITED, plain or packed   ─┐
//!                                  ──[columnar]─▶ PARQUET                             ├─▶ SourceBatch
//!                                  ──[follow]───▶ JSON, DELIMITED, as they grow      ─┘
//! ```
//! One partition: rows in file order, files in name order. ROWTIME is the TIMESTAMP column's, or the file's modification
//! time. ROWOFFSET counts records over all files; a header is none.

mod columnar;
mod compression;
mod fault;
mod follow;
mod format;
mod infer;
mod paths;
mod rows;
mod sink;
mod text;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use millrace_world::{FileKind, Files, World};

use self::columnar::ColumnarReader;
use self::compression::Compression;
use self::fault::declaration;
use self::follow::Followed;
use self::format::{FileFormat, delimited_options};
use self::paths::{FileToRead, Paths};
use self::rows::RowMaker;
pub(crate) use self::sink::open as open_sink;
use self::text::{TextFormat, TextReader};
use crate::SourceRequest;
use crate::error::{ConnectError, ConnectErrorKind, SourceError};
use crate::event_time::EventTime;
use crate::options::Options;
use crate::source::{Column, Source, SourceReader, resolve_wanted};

const KNOWN: [&str; 8] =
    ["PATH", "VALUE_FORMAT", "HEADER", "VALUE_DELIMITER", "FOLLOW", "TIMESTAMP", "TIMESTAMP_FORMAT", "OP_COLUMN"];

/// See the module.
struct FileSource {
    files: Arc<dyn Files>,
    columns: Vec<Column>,
    content: Content,
}

/// What is read, and how.
enum Content {
    Text { to_read: Arc<[FileToRead]>, format: TextFormat, rows: RowMaker, once: Once },
    Columnar { to_read: Arc<[FileToRead]>, rows: RowMaker },
    Followed(Arc<Followed>),
}

/// Pipes and devices bring their bytes once.
#[derive(Default)]
struct Once {
    cannot_repeat: bool,
    opened: AtomicBool,
}

/// What the options say, before any file is opened.
struct Plan<'a> {
    options: Options<'a>,
    paths: Paths,
    /// What VALUE_FORMAT says.
    value_format: Option<FileFormat>,
    format: FileFormat,
    to_read: Arc<[FileToRead]>,
    follow: bool,
    op_column: Option<&'a str>,
}

/// Opens files.
pub(crate) fn open(request: &SourceRequest<'_>, world: &World) -> Result<Box<dyn Source>, ConnectError> {
    let files = world.files();
    let plan = Plan::of(request, files.as_ref())?;
    let delimited = delimited_options(&plan.options, plan.format, plan.to_read.first().map(|f| f.path.as_path()))?;
    let text = match plan.format {
        FileFormat::Json => Some(TextFormat::Json),
        FileFormat::Delimited => Some(TextFormat::Delimited(delimited)),
        FileFormat::Parquet => None,
    };
    let columns = match request.columns {
        [] => infer::columns(files.as_ref(), &plan.to_read, text, plan.op_column)?,
        declared => declared.to_vec(),
    };
    let event_time = EventTime::resolve(&plan.options, &columns)?;
    let files_time = event_time.is_none();
    let wanted = resolve_wanted(request.wanted, &columns);
    let rows = RowMaker::new(&columns, &wanted, event_time, plan.op_column);
    let content = match text {
        None => Content::Columnar { to_read: plan.to_read, rows },
        Some(format) => {
            format.decoder(&rows).map_err(|e| declaration(&e))?;
            if plan.follow {
                let followed = Followed::new(world, plan.paths, plan.value_format, format, rows, files_time);
                Content::Followed(Arc::new(followed))
            } else {
                let once = Once { cannot_repeat: plan.to_read.iter().any(is_stream), ..Once::default() };
                Content::Text { to_read: plan.to_read, format, rows, once }
            }
        }
    };
    let source = FileSource { files: Arc::clone(files), columns, content };
    source.check_start()?;
    Ok(Box::new(source))
}

impl<'a> Plan<'a> {
    fn of(request: &SourceRequest<'a>, files: &dyn Files) -> Result<Self, ConnectError> {
        let options = Options::new("file", request.options, &KNOWN)?;
        let Some(path) = options.text("PATH") else {
            let error = ConnectError::option("CONNECTOR", "CONNECTOR = 'file' needs a PATH");
            return Err(error.hint("PATH = 'file, folder or pattern'"));
        };
        let follow = options.boolean("FOLLOW", false)?;
        let value_format = FileFormat::of_options(&options)?;
        let paths = Paths::of(path, files)?;
        let listed = paths.list(value_format, files).map_err(|e| paths::unreadable(path.as_ref(), &e))?;
        let infer = request.columns.is_empty();
        if listed.is_empty() && (!follow || infer || value_format.is_none()) {
            let error = paths.nothing_found(value_format);
            return Err(if follow && error.hint.is_none() {
                error.hint("to wait for the first file, declare the columns and the VALUE_FORMAT")
            } else {
                error
            });
        }
        let format = one_format(value_format, &listed)?;
        let op_column = op_column(&options, request)?;
        let plan = Plan { options, paths, value_format, format, to_read: listed.into(), follow, op_column };
        plan.check(infer)?;
        Ok(plan)
    }

    /// What does not go together.
    fn check(&self, infer: bool) -> Result<(), ConnectError> {
        let not_supported = |option: &str, message: String| {
            let mut error = ConnectError::option(option, message);
            error.kind = ConnectErrorKind::NotSupported;
            error
        };
        if self.follow && self.format == FileFormat::Parquet {
            let message = "PARQUET files cannot be followed: they are written at once";
            return Err(not_supported("FOLLOW", message.to_owned()));
        }
        for file in self.to_read.iter() {
            let packed = Compression::of_path(&file.path) != Compression::None;
            let path = file.path.display();
            if packed && self.follow {
                return Err(not_supported("FOLLOW", format!("{path} is packed, and a packed file cannot be followed")));
            }
            if packed && self.format == FileFormat::Parquet {
                let message = format!("{path} is packed as a whole; PARQUET is read packed from within only");
                return Err(not_supported("PATH", message));
            }
            if is_stream(file) && (self.follow || infer || self.format == FileFormat::Parquet) {
                let message = format!("{path} is a pipe or a device: it can be read once, from its start");
                let error = not_supported("PATH", message);
                return Err(if infer { error.hint("declare the columns in the statement") } else { error });
            }
        }
        Ok(())
    }
}

fn is_stream(file: &FileToRead) -> bool {
    file.metadata.kind != FileKind::File
}

/// The format of all files: what VALUE_FORMAT says, or their names.
fn one_format(said: Option<FileFormat>, files: &[FileToRead]) -> Result<FileFormat, ConnectError> {
    if let Some(format) = said {
        return Ok(format);
    }
    let mut found: Option<(FileFormat, &FileToRead)> = None;
    for file in files {
        let format = FileFormat::of_path(&file.path).ok_or_else(|| FileFormat::unknown(&file.path))?;
        match found {
            Some((before, other)) if before != format => {
                let message = format!(
                    "PATH has files of two formats: {} is {}, {} is {}",
                    other.path.display(),
                    before.name(),
                    file.path.display(),
                    format.name()
                );
                return Err(ConnectError::option("PATH", message).hint("VALUE_FORMAT = '…' says which to take"));
            }
            _ => found = Some((format, file)),
        }
    }
    found.map(|(format, _)| format).ok_or_else(|| ConnectError::option("VALUE_FORMAT", "VALUE_FORMAT is not known"))
}

/// OP_COLUMN, where it has a meaning.
fn op_column<'a>(options: &Options<'a>, request: &SourceRequest<'_>) -> Result<Option<&'a str>, ConnectError> {
    let Some(name) = options.text("OP_COLUMN") else { return Ok(None) };
    if !request.table {
        let error = ConnectError::option("OP_COLUMN", "OP_COLUMN is for a TABLE: a STREAM only ever inserts");
        return Err(error.hint("CREATE TABLE … (… PRIMARY KEY, …)"));
    }
    if request.columns.iter().any(|(column, _)| column.eq_ignore_ascii_case(name)) {
        let message = format!("OP_COLUMN names a field of the record, and {name} is a column of the relation");
        return Err(ConnectError::option("OP_COLUMN", message).hint("leave the column out of the declaration"));
    }
    Ok(Some(name))
}

impl FileSource {
    /// Reads the first record, so that a header that does not fit or a file that is no file of its format is an error of
    /// the statement and not of a query that runs later.
    fn check_start(&self) -> Result<(), ConnectError> {
        match &self.content {
            Content::Text { once, .. } if once.cannot_repeat => Ok(()),
            Content::Text { to_read, format, rows, .. } => {
                let mut reader = TextReader::new(&self.files, to_read, *format, rows).map_err(|e| declaration(&e))?;
                reader.next_batch(1).map(|_| ()).map_err(|fault| fault.to_connect())
            }
            Content::Columnar { to_read, rows } => {
                let mut reader = ColumnarReader::new(&self.files, to_read, rows);
                reader.next_batch(1).map(|_| ()).map_err(|fault| fault.to_connect())
            }
            // its first lines may be half written
            Content::Followed(_) => Ok(()),
        }
    }
}

impl Source for FileSource {
    fn partitions(&self) -> usize {
        1
    }
    fn bounded(&self) -> bool {
        !matches!(self.content, Content::Followed(_))
    }
    fn columns(&self) -> &[Column] {
        &self.columns
    }
    fn open(&self, partition: usize) -> Result<Box<dyn SourceReader>, SourceError> {
        assert_eq!(partition, 0, "files are one partition");
        match &self.content {
            Content::Followed(followed) => Ok(Box::new(followed.reader())),
            Content::Columnar { to_read, rows } => Ok(Box::new(ColumnarReader::new(&self.files, to_read, rows))),
            Content::Text { to_read, format, rows, once } => {
                if once.cannot_repeat && once.opened.swap(true, Ordering::SeqCst) {
                    return Err(SourceError::failed("a pipe or a device was read before and cannot be read again"));
                }
                let reader = TextReader::new(&self.files, to_read, *format, rows);
                let reader = reader.map_err(|e| SourceError::failed(e.to_string()))?;
                Ok(Box::new(reader))
            }
        }
    }
}

#[cfg(test)]
mod tests;
