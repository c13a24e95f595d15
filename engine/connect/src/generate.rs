//! Writes rows of a generator to a file: data for tests and for trying things out.

use std::collections::BTreeMap;
use std::path::Path;

use millrace_world::World;

use crate::error::{ConnectError, ConnectErrorKind};
use crate::sink::Written;
use crate::{READ_ROWS_MAX, Read, SinkRequest, SourceRequest, open_sink, open_source};

/// Writes the first `rows` rows of a generator; the name of the file says format and compression. The same arguments
/// give the same bytes.
///
/// # Errors
/// If there is no such generator, the name says no format, or the file cannot be written.
pub fn generate_file(
    world: &World,
    generator: &str,
    seed: u64,
    rows: u64,
    path: &Path,
) -> Result<Written, ConnectError> {
    let text = |pairs: &[(&str, String)]| -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect()
    };
    let from = text(&[
        ("CONNECTOR", "generator".to_owned()),
        ("GENERATOR", generator.to_owned()),
        ("SEED", seed.to_string()),
        ("ROWS", rows.to_string()),
    ]);
    let Some(path) = path.to_str() else {
        return Err(ConnectError::option("PATH", format!("{} is not UTF-8", path.display())));
    };
    let to = text(&[("CONNECTOR", "file".to_owned()), ("PATH", path.to_owned())]);
    let source = open_source(&SourceRequest { options: &from, columns: &[], table: false, wanted: None }, world)?;
    let mut sink = open_sink(&SinkRequest { options: &to, columns: source.columns() }, world)?;
    let stopped = |message: String| ConnectError::new(ConnectErrorKind::World(std::io::ErrorKind::Other), message);
    let mut reader = source.open(0).map_err(|e| stopped(e.message))?;
    let written = |e: crate::SinkError| ConnectError::world("PATH", e.kind, e.message);
    while let Read::Batch(read) = reader.read(READ_ROWS_MAX).map_err(|e| stopped(e.message))? {
        sink.write(&read.batch).map_err(written)?;
    }
    sink.finish().map_err(written)
}
