//! A file that cannot be read: the same fault for a statement that declares it and for a query that runs over it.

use std::io;
use std::path::{Path, PathBuf};

use millrace_format::FormatError;

use super::compression::{Compression, read_words};
use super::paths::unreadable;
use crate::error::{ConnectError, ConnectErrorKind, SourceError, io_words};

/// What is wrong with a file as a whole.
#[derive(Debug)]
pub(super) enum Fault {
    /// It cannot be opened.
    Open(PathBuf, io::Error),
    /// It cannot be read to its end.
    Read(PathBuf, Compression, io::Error),
    /// Its content is not as declared.
    Content(PathBuf, FormatError),
    /// It is not what it was when it was found.
    Changed(PathBuf, &'static str),
}

impl Fault {
    pub(super) fn open(path: &Path, error: io::Error) -> Self {
        Fault::Open(path.to_owned(), error)
    }
    pub(super) fn content(path: &Path, error: FormatError) -> Self {
        Fault::Content(path.to_owned(), error)
    }

    fn message(&self) -> String {
        match self {
            Fault::Open(path, error) => format!("{} cannot be read: {}", path.display(), io_words(error)),
            Fault::Read(path, compression, error) => {
                format!("{} cannot be read: {}", path.display(), read_words(error, *compression))
            }
            Fault::Content(path, FormatError::Io(error)) => {
                format!("{} cannot be read: {}", path.display(), io_words(error))
            }
            Fault::Content(path, FormatError::Parquet(error)) => {
                format!("{} cannot be read as PARQUET: {error}", path.display())
            }
            Fault::Content(path, error) => format!("{}: {error}", path.display()),
            Fault::Changed(path, how) => format!("{} {how}", path.display()),
        }
    }

    /// What it means for a query that runs.
    pub(super) fn to_source(&self) -> SourceError {
        SourceError::failed(self.message())
    }

    /// What it means for the statement that declares the source.
    pub(super) fn to_connect(&self) -> ConnectError {
        match self {
            Fault::Open(path, error) => unreadable(path, error),
            Fault::Read(_, _, error) => ConnectError::world("PATH", error.kind(), self.message()),
            Fault::Changed(..) => ConnectError::world("PATH", io::ErrorKind::Other, self.message()),
            Fault::Content(_, error) => match error {
                FormatError::UnsupportedType { .. } => declaration(error),
                FormatError::MissingColumn { column, .. }
                | FormatError::AmbiguousColumn { column }
                | FormatError::IncompatibleType { column, .. } => ConnectError::column(column, self.message()),
                FormatError::NoHeader { .. } | FormatError::BadDelimiter(_) => declaration(error),
                FormatError::Io(error) => ConnectError::world("PATH", error.kind(), self.message()),
                FormatError::Header(_) => ConnectError::option("PATH", self.message()).hint(
                    "HEADER = false if the first line is a record, VALUE_DELIMITER if fields are not divided by it",
                ),
                FormatError::NotInferable(_) => {
                    ConnectError::option("PATH", self.message()).hint("declare the columns in the statement")
                }
                _ => ConnectError::world("PATH", io::ErrorKind::InvalidData, self.message()),
            },
        }
    }
}

/// A declaration that the format cannot hold, whatever the files.
pub(super) fn declaration(error: &FormatError) -> ConnectError {
    match error {
        FormatError::UnsupportedType { column, .. } | FormatError::AmbiguousColumn { column } => {
            ConnectError::column(column, error.to_string())
        }
        FormatError::NoHeader { field } => {
            ConnectError::option("OP_COLUMN", format!("field {field} cannot be found: the files have no header"))
                .hint("HEADER = true, if their first line has the names of the fields")
        }
        FormatError::BadDelimiter(_) => ConnectError::option("VALUE_DELIMITER", error.to_string()),
        _ => ConnectError::new(ConnectErrorKind::Columns, error.to_string()),
    }
}
