//! From Parquet files to columns.

use std::io::{Read, Seek};

use arrow::array::ArrayRef;
use arrow::compute::{CastOptions, can_cast_types, cast_with_options};
use arrow::datatypes::{DataType, Fields};
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder};

use crate::error::FormatError;
use crate::parquet::input::SharedFile;
use crate::parquet::widen::{find_field, sql_type, widen, widens};
use crate::{ColumnSpec, Decoded, RecordSpec};

/// Reads a file from beginning to end as batches of the wanted columns; see [`crate::parquet`].
///
/// # Contract
/// An iterator over the rows of the file in order. Batches never have errors: a file whose columns do not widen is
/// refused when it is opened, and damage ends the iteration with an error.
pub struct ParquetReader {
    batches: ParquetRecordBatchReader,
    /// Columns of the output: position in a batch of the file, type.
    outputs: Vec<(usize, DataType)>,
    rows_total: usize,
}

impl std::fmt::Debug for ParquetReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ParquetReader").field("outputs", &self.outputs).field("rows_total", &self.rows_total).finish()
    }
}

impl ParquetReader {
    /// Opens a file and goes past its first `skip_rows` rows. Batches have `batch_rows` rows, the last one fewer.
    ///
    /// # Errors
    /// If it is not a Parquet file, lacks a declared column or the extra field, or has one of a type that does not
    /// widen; all declared columns are looked at, wanted or not.
    pub fn open(
        input: impl Read + Seek + Send + 'static,
        spec: &RecordSpec,
        batch_rows: usize,
        skip_rows: usize,
    ) -> Result<Self, FormatError> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(SharedFile::new(input)?)?;
        let fields = builder.schema().fields().clone();
        let sources = find_columns(spec, &fields)?;
        let wanted = spec.outputs()?;
        // A batch has its columns in the order of the file.
        let mut read: Vec<usize> = wanted.iter().map(|(c, _)| sources[*c]).collect();
        read.sort_unstable();
        read.dedup();
        let outputs = wanted
            .into_iter()
            .map(|(c, data_type)| (read.partition_point(|source| *source < sources[c]), data_type))
            .collect();
        let mask = ProjectionMask::roots(builder.parquet_schema(), read);
        let rows_total = usize::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
        let batches = builder.with_projection(mask).with_batch_size(batch_rows).with_offset(skip_rows).build()?;
        Ok(ParquetReader { batches, outputs, rows_total })
    }

    /// Rows of the file, those passed over included.
    pub fn rows_total(&self) -> usize {
        self.rows_total
    }
}

impl Iterator for ParquetReader {
    type Item = Result<Decoded, FormatError>;

    fn next(&mut self) -> Option<Self::Item> {
        let batch = match self.batches.next()? {
            Ok(batch) => batch,
            Err(error) => return Some(Err(error.into())),
        };
        let columns = self.outputs.iter().map(|(c, data_type)| to_output(batch.column(*c), data_type));
        let columns = columns.collect::<Result<Vec<ArrayRef>, FormatError>>();
        Some(columns.map(|columns| Decoded::new(columns, batch.num_rows(), 0..batch.num_rows(), Vec::new())))
    }
}

/// The extra field is VARCHAR whatever it is in the file; columns widen.
fn to_output(column: &ArrayRef, data_type: &DataType) -> Result<ArrayRef, FormatError> {
    if widens(column.data_type(), data_type) {
        return Ok(widen(column, data_type)?);
    }
    Ok(cast_with_options(column, data_type, &CastOptions { safe: false, ..CastOptions::default() })?)
}

/// For each declared column, and the extra field behind them, its position in the file.
fn find_columns(spec: &RecordSpec, fields: &Fields) -> Result<Vec<usize>, FormatError> {
    let names = || fields.iter().map(|f| f.name().as_str()).collect::<Vec<_>>().join(", ");
    spec.all()
        .enumerate()
        .map(|(c, column)| {
            let position = find_field(fields, &column.name)
                .ok_or_else(|| FormatError::MissingColumn { column: column.name.clone(), present: names() })?;
            let found = fields[position].data_type();
            let is_extra = c == spec.columns.len();
            if widens(found, &column.data_type) || is_extra && can_cast_types(found, &DataType::Utf8) {
                return Ok(position);
            }
            let found = found.clone();
            Err(FormatError::IncompatibleType { column: column.name, found, declared: column.data_type })
        })
        .collect()
}

/// The columns of a file, with their types widened to those of SQL.
///
/// # Errors
/// If it is not a Parquet file, or has a column of a type that SQL has no equal for.
pub fn infer_parquet(input: impl Read + Seek + Send + 'static) -> Result<Vec<ColumnSpec>, FormatError> {
    let builder = ParquetRecordBatchReaderBuilder::try_new(SharedFile::new(input)?)?;
    let fields = builder.schema().fields();
    fields
        .iter()
        .map(|field| match sql_type(field.data_type()) {
            Some(data_type) => Ok(ColumnSpec::new(field.name(), data_type)),
            None => Err(FormatError::UnsupportedType {
                format: "SQL",
                column: field.name().clone(),
                data_type: field.data_type().clone(),
            }),
        })
        .collect()
}

#[cfg(test)]
mod tests;
