//! What a sink is: it takes rows, and shows them when they are whole.

use std::fmt;
use std::io;

use millrace_data::Batch;

/// A place that rows go to.
///
/// # Contract
/// * Rows come in order: those of a stream as they come, those of a table once, when it is final. Every diff is 1.
/// * Nothing is visible before `finish`; without it (an error, a stop, a crash) what was there before is left as it was.
/// * After an error the sink is of no use.
pub trait Sink: Send {
    /// Takes the rows of a batch with the sink's columns.
    ///
    /// # Errors
    /// If they cannot be written; a full disk says so.
    ///
    /// # Panics
    /// If the columns are others, or a diff is not 1.
    fn write(&mut self, batch: &Batch) -> Result<(), SinkError>;

    /// Makes everything durable and visible.
    ///
    /// # Errors
    /// If that fails; nothing is visible then.
    fn finish(self: Box<Self>) -> Result<Written, SinkError>;
}

/// What a sink has written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Written {
    /// Rows.
    pub rows: u64,
    /// Bytes, as they lie in the world (compressed, if they are).
    pub bytes: u64,
}

/// Rows that could not be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SinkError {
    /// What the operating system said.
    pub kind: io::ErrorKind,
    /// One sentence without a full stop, with the path.
    pub message: String,
}

impl fmt::Display for SinkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for SinkError {}
