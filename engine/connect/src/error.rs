//! What may be wrong: with a declaration ([`ConnectError`]), with a source that runs ([`SourceError`]), with a record
//! ([`DecodeErrorRow`]). The first stops a statement, the second a source, the third nothing.

use std::fmt;
use std::io;

/// A source or sink that cannot be what its options say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectError {
    /// Class.
    pub kind: ConnectErrorKind,
    /// The option of `WITH (…)` that is at fault: its value is where the caret belongs. `None`: the statement as a whole.
    pub option: Option<String>,
    /// The declared column that is at fault.
    pub column: Option<String>,
    /// One sentence without a full stop: what is wrong.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

/// Class of a [`ConnectError`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConnectErrorKind {
    /// An option has a bad name or value.
    Option,
    /// The declared columns do not fit what the source has.
    Columns,
    /// It means something, and is not supported.
    NotSupported,
    /// The statement may be right; the world is not as it says.
    World(io::ErrorKind),
}

impl ConnectError {
    pub(crate) fn new(kind: ConnectErrorKind, message: impl Into<String>) -> Self {
        ConnectError { kind, option: None, column: None, message: message.into(), hint: None }
    }
    /// The value of `option` is not what it may be.
    pub(crate) fn option(option: &str, message: impl Into<String>) -> Self {
        ConnectError { option: Some(option.to_owned()), ..Self::new(ConnectErrorKind::Option, message) }
    }
    /// The declared column does not fit.
    pub(crate) fn column(column: &str, message: impl Into<String>) -> Self {
        ConnectError { column: Some(column.to_owned()), ..Self::new(ConnectErrorKind::Columns, message) }
    }
    /// Reading or writing what `option` names failed.
    pub(crate) fn world(option: &str, kind: io::ErrorKind, message: impl Into<String>) -> Self {
        ConnectError { option: Some(option.to_owned()), ..Self::new(ConnectErrorKind::World(kind), message) }
    }
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl fmt::Display for ConnectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for ConnectError {}

/// A running source or sink that cannot go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceError {
    /// What that means for its queries.
    pub kind: SourceErrorKind,
    /// One sentence without a full stop, with the path.
    pub message: String,
}

/// What a [`SourceError`] means for the queries that read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SourceErrorKind {
    /// They wait: what was read stands, and reading again may succeed. Shown as STALLED.
    Stalled,
    /// They fail: what follows cannot be read.
    Failed,
}

impl SourceError {
    pub(crate) fn failed(message: impl Into<String>) -> Self {
        SourceError { kind: SourceErrorKind::Failed, message: message.into() }
    }
    pub(crate) fn stalled(message: impl Into<String>) -> Self {
        SourceError { kind: SourceErrorKind::Stalled, message: message.into() }
    }
}

impl fmt::Display for SourceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SourceError {}

/// A record that could not be read: a row of `millrace.decode_errors`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DecodeErrorRow {
    /// Partition of the source.
    pub partition: usize,
    /// The ROWOFFSET that its row would have had.
    pub offset: i64,
    /// What is wrong.
    pub reason: String,
    /// The record, cut to [`ERROR_BYTES_MAX`](crate::ERROR_BYTES_MAX). Empty where it has no bytes of its own (Parquet).
    pub bytes: Vec<u8>,
}

/// What the operating system's refusal means, in words that go behind a path.
pub(crate) fn io_words(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "it does not exist".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
        io::ErrorKind::NotADirectory => "a part of the path is not a folder".to_owned(),
        io::ErrorKind::StorageFull => "the disk is full".to_owned(),
        io::ErrorKind::UnexpectedEof => "it ends too early".to_owned(),
        _ => error.to_string(),
    }
}
