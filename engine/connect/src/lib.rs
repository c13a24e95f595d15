//! Where rows come from and go to: one connector a file or folder.
//!
//! [`open_source`] turns the options of a relation into a [`Source`] whose readers bring decoded batches;
//! [`open_sink`] turns those of a derived relation into a [`Sink`] that takes them. Which connectors there are says
//! [`Connector`]. Everything outside is reached through the [`World`] that is handed in.
//!
//! What it does not do: embedded topics (they are the engine's log), merging sources by time, cutting ticks, primary
//! keys. Rows are decoded and encoded by `millrace-format`; this crate knows files, time and pace.

mod error;
mod event_time;
mod file;
mod generator;
mod options;
mod source;

use std::collections::BTreeMap;

use millrace_world::World;

pub use error::{ConnectError, ConnectErrorKind, DecodeErrorRow, SourceError, SourceErrorKind};
pub use generator::generator_names;
pub use source::{Column, Progress, Read, Source, SourceBatch, SourceReader};

/// Most rows of one read, whatever is asked for: bounds a batch.
pub const READ_ROWS_MAX: usize = 65_536;

/// Most bytes of a broken record that its error row keeps.
pub const ERROR_BYTES_MAX: usize = 4_096;

/// The connectors that a relation may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Connector {
    /// An embedded topic: the session's, not opened here.
    Topic,
    /// Files on this machine.
    File,
    /// Made-up rows.
    Generator,
    /// Rows of INSERT, UPDATE, DELETE and ingest alone: nothing to open.
    Memory,
}

impl Connector {
    /// The connector that the options name; without a name, the topic.
    ///
    /// # Errors
    /// If there is none of that name.
    pub fn of(options: &BTreeMap<String, String>) -> Result<Self, ConnectError> {
        const NAMES: [&str; 4] = ["topic", "file", "generator", "memory"];
        let Some(name) = options.get("CONNECTOR") else { return Ok(Connector::Topic) };
        match name.to_ascii_lowercase().as_str() {
            "topic" => Ok(Connector::Topic),
            "file" => Ok(Connector::File),
            "generator" => Ok(Connector::Generator),
            "memory" => Ok(Connector::Memory),
            _ => Err(ConnectError::option("CONNECTOR", format!("there is no connector '{name}'"))
                .hint(options::suggest(name, &NAMES))),
        }
    }
}

/// What a source is asked to be.
#[derive(Clone, Copy, Debug)]
pub struct SourceRequest<'a> {
    /// `WITH (…)`: upper-case names, values as text.
    pub options: &'a BTreeMap<String, String>,
    /// Declared columns; none: they are inferred.
    pub columns: &'a [Column],
    /// The relation is a TABLE: OP_COLUMN has a meaning.
    pub table: bool,
    /// Positions of the columns to bring, in this order; `None`: all. All are checked, wanted or not.
    pub wanted: Option<&'a [usize]>,
}

/// Opens what the options describe.
///
/// # Errors
/// If an option or a column does not fit, or what it names cannot be read. The error says which.
///
/// # Panics
/// If a wanted column is none of the declared (or inferred) ones.
pub fn open_source(request: &SourceRequest<'_>, world: &World) -> Result<Box<dyn Source>, ConnectError> {
    match Connector::of(request.options)? {
        Connector::File => file::open(request, world),
        Connector::Generator => generator::open(request, world),
        other => Err(ConnectError::new(
            ConnectErrorKind::NotSupported,
            format!("CONNECTOR = {other:?} has no source of its own"),
        )),
    }
}
