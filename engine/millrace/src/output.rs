//! Results on stdout, everything else on stderr.
//!
//! [`Console`] is the session's client: it knows which result is being printed and what separates it from the one before;
//! how rows look is the business of `table`, `csv` and `json`, one form a file.

mod console;
mod csv;
mod json;
mod table;

use std::fmt;

use millrace_session::{ResultHead, ResultRows};

pub(crate) use console::Console;

/// How answers are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Format {
    /// Aligned columns with names and types in the head
    Table,
    /// One object a line
    Json,
    /// A header line, then RFC 4180
    Csv,
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Format::Table => "table",
            Format::Json => "json",
            Format::Csv => "csv",
        })
    }
}

/// One result on its way to text.
///
/// # Contract
/// `head` comes before the first rows, and again when rows of another result stood between.
trait Writer {
    /// What stands above the rows. `rows`: those that come next, if any do.
    fn head(&mut self, rows: Option<&ResultRows>, out: &mut Vec<u8>) -> Result<(), String>;
    /// Rows.
    fn rows(&mut self, rows: &ResultRows, out: &mut Vec<u8>) -> Result<(), String>;
    /// What stands below the last row.
    fn end(&mut self, out: &mut Vec<u8>);
}

/// A writer of this format. `labelled`: the program has more than one result. `width`: columns of the terminal, if it is
/// one.
fn writer(format: Format, head: &ResultHead, labelled: bool, width: Option<usize>) -> Box<dyn Writer> {
    match format {
        Format::Table => Box::new(table::Table::new(head, width)),
        Format::Csv => Box::new(csv::Csv::new(head)),
        Format::Json => Box::new(json::Json::new(head, labelled)),
    }
}
