//! Columns that are not declared: what the first file with content says they are.
//!
//! Parquet says its types; of text, a sample from the beginning is looked at. A value further on that does not fit is a
//! decode error like any other: declare the columns where the beginning does not speak for the rest.

use std::io::{self, Read};

use millrace_format::{ColumnSpec, FormatError, InferFailure, fold_names, infer_delimited, infer_json, infer_parquet};
use millrace_world::Files;

use super::compression::{Compression, unpack};
use super::fault::Fault;
use super::paths::{FileToRead, open_as_found};
use super::text::{CHUNK_BYTES, TextFormat};
use crate::error::ConnectError;
use crate::source::Column;

/// Bytes that are looked at: some ten thousand records, in a fraction of a second.
const SAMPLE_BYTES: usize = 4 << 20;

/// The columns of the files; without the OP_COLUMN, which is none. `text` is how records stand in text, `None` for Parquet.
pub(super) fn columns(
    files: &dyn Files,
    to_read: &[FileToRead],
    text: Option<TextFormat>,
    op_column: Option<&str>,
) -> Result<Vec<Column>, ConnectError> {
    let Some(file) = to_read.iter().find(|f| f.metadata.len > 0).or(to_read.first()) else {
        let error = ConnectError::option("PATH", "there is no file to infer the columns from");
        return Err(error.hint("declare the columns in the statement"));
    };
    let specs = match text {
        None => parquet(files, file),
        Some(format) => sample(files, file, format),
    };
    let mut specs = specs.map_err(|fault| fault.to_connect())?;
    fold_names(&mut specs);
    specs.retain(|c| !op_column.is_some_and(|op| op.eq_ignore_ascii_case(&c.name)));
    Ok(specs.into_iter().map(|c| (c.name, c.data_type)).collect())
}

fn parquet(files: &dyn Files, file: &FileToRead) -> Result<Vec<ColumnSpec>, Fault> {
    infer_parquet(open_as_found(files, file)?).map_err(|e| Fault::content(&file.path, e))
}

/// Text says its columns by what stands in a sample from its beginning.
fn sample(files: &dyn Files, file: &FileToRead, format: TextFormat) -> Result<Vec<ColumnSpec>, Fault> {
    let raw = open_as_found(files, file)?;
    let promised = Compression::of_path(&file.path);
    let unreadable = |e| Fault::Read(file.path.clone(), promised, e);
    let (mut content, _) = unpack(raw, promised).map_err(unreadable)?;
    let mut splitter = format.sample_splitter();
    let mut chunk = vec![0; CHUNK_BYTES];
    // whole records only, unless the file ends without a line break
    while splitter.pending_bytes() < SAMPLE_BYTES {
        match content.read(&mut chunk) {
            Ok(0) => {
                splitter.finish();
                break;
            }
            Ok(n) => splitter.push(&chunk[..n]),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(unreadable(error)),
        }
    }
    let empty = || FormatError::NotInferable(InferFailure::Empty);
    let records = splitter.take(usize::MAX, usize::MAX).ok_or_else(empty);
    let specs = records.and_then(|records| match format {
        TextFormat::Json => infer_json(records),
        TextFormat::Delimited(options) => infer_delimited(records, options),
    });
    specs.map_err(|e| Fault::content(&file.path, e))
}
