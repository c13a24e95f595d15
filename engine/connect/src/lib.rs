//! Where rows come from and go to: one connector a file or folder.
//!
//! [`open_source`] turns the options of a relation into a [`Source`] whose readers bring decoded batches;
//! [`open_sink`] turns those of a derived relation into a [`Sink`] that takes its rows. [`Connector`] says which there are. Everything outside is reached through the [`World`] that is handed in.
//!
//! What it does not do: embedded topics (they are the engine's log), merging sources by time, cutting ticks, primary
//! keys. Rows are decoded and encoded by `millrace-format`; this crate knows files, time and pace.

mod error;
mod event_time;
mod file;
mod generate;
mod generator;
mod options;
mod sink;
mod source;

use std::collections::BTreeMap;

use millrace_world::World;

pub use error::{ConnectError, ConnectErrorKind, DecodeErrorRow, SourceError, SourceErrorKind};
pub use generate::generate_file;
pub use generator::generator_names;
pub use sink::{Sink, SinkError, Written};
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
    /// As CONNECTOR writes it.
    pub fn name(self) -> &'static str {
        match self {
            Connector::Topic => "topic",
            Connector::File => "file",
            Connector::Generator => "generator",
            Connector::Memory => "memory",
        }
    }

    fn not_here(self, what: &str) -> ConnectError {
        let mut error =
            ConnectError::option("CONNECTOR", format!("CONNECTOR = '{}' has no {what} to open", self.name()));
        error.kind = ConnectErrorKind::NotSupported;
        error
    }

    /// The connector that the options name; without a name, the topic.
    ///
    /// # Errors
    /// If there is none of that name.
    pub fn of(options: &BTreeMap<String, String>) -> Result<Self, ConnectError> {
        const ALL: [Connector; 4] = [Connector::Topic, Connector::File, Connector::Generator, Connector::Memory];
        let Some(name) = options.get("CONNECTOR") else { return Ok(Connector::Topic) };
        let found = ALL.into_iter().find(|c| c.name().eq_ignore_ascii_case(name));
        found.ok_or_else(|| {
            let names = ALL.map(Connector::name);
            ConnectError::option("CONNECTOR", format!("there is no connector '{name}'"))
                .hint(options::suggest(name, &names))
        })
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

/// What a sink is asked to be.
#[derive(Clone, Copy, Debug)]
pub struct SinkRequest<'a> {
    /// `WITH (…)`: upper-case names, values as text.
    pub options: &'a BTreeMap<String, String>,
    /// Columns of the rows that it will get.
    pub columns: &'a [Column],
}

/// Opens what the options of a source describe.
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
        other => Err(other.not_here("source")),
    }
}

/// Opens what the options of a derived relation describe. The place is taken at once; nothing is visible there before
/// the sink is finished.
///
/// # Errors
/// If an option or a column does not fit, or the place cannot be written. The error says which.
pub fn open_sink(request: &SinkRequest<'_>, world: &World) -> Result<Box<dyn Sink>, ConnectError> {
    match Connector::of(request.options)? {
        Connector::File => file::open_sink(request, world),
        other => Err(other.not_here("sink")),
    }
}
