//! From columns to Parquet files.

use std::io::Write;

use arrow::datatypes::SchemaRef;
use arrow::record_batch::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use crate::error::FormatError;

/// Rows of a row group, at most.
const ROW_GROUP_ROWS_MAX: usize = 1 << 20;

/// Bytes of a row group, about: it is held in memory until it is written.
const ROW_GROUP_BYTES_MAX: usize = 64 << 20;

/// Writes batches as one file, compressed with Snappy, which every reader knows.
///
/// # Contract
/// Nothing but [`close`](Self::close) makes the file whole. What is dropped before is not a Parquet file.
#[derive(Debug)]
pub struct ParquetWriter<W: Write + Send> {
    writer: ArrowWriter<W>,
}

impl<W: Write + Send> ParquetWriter<W> {
    /// A writer of batches with this schema.
    ///
    /// # Errors
    /// If Parquet has no form for one of its types.
    pub fn new(output: W, schema: SchemaRef) -> Result<Self, FormatError> {
        let properties = WriterProperties::builder()
            .set_compression(Compression::SNAPPY)
            .set_max_row_group_row_count(Some(ROW_GROUP_ROWS_MAX))
            .set_max_row_group_bytes(Some(ROW_GROUP_BYTES_MAX))
            .set_created_by(format!("millrace {}", env!("CARGO_PKG_VERSION")))
            .build();
        Ok(ParquetWriter { writer: ArrowWriter::try_new(output, schema, Some(properties))? })
    }

    /// Appends the rows.
    ///
    /// # Errors
    /// If they have another schema, or the output cannot be written.
    pub fn write(&mut self, rows: &RecordBatch) -> Result<(), FormatError> {
        Ok(self.writer.write(rows)?)
    }

    /// Writes what is left and the end of the file, and gives the output back.
    ///
    /// # Errors
    /// If the output cannot be written.
    pub fn close(self) -> Result<W, FormatError> {
        Ok(self.writer.into_inner()?)
    }
}
