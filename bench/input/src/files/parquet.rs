//! Parquet, packed with Snappy: the same records as columns.

use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use millrace_data::Batch;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;

use crate::table::{SqlType, Table};

/// A file being written.
pub(super) struct ParquetFile {
    path: String,
    schema: SchemaRef,
    writer: ArrowWriter<File>,
}

impl ParquetFile {
    /// # Errors
    /// If the file cannot be made.
    pub(super) fn create(path: &Path, table: &Table) -> Result<Self, String> {
        let name = path.display().to_string();
        let file = File::create(path).map_err(|e| format!("{name}: {e}"))?;
        let op = table.retracts.then(|| Field::new("op", DataType::Utf8, false));
        let columns = table.columns.iter().map(|c| Field::new(c.name, arrow_type(c.sql_type), true));
        let schema = Arc::new(Schema::new(op.into_iter().chain(columns).collect::<Vec<_>>()));
        let properties = WriterProperties::builder().set_compression(Compression::SNAPPY).build();
        let writer = ArrowWriter::try_new(file, Arc::clone(&schema), Some(properties));
        Ok(ParquetFile { writer: writer.map_err(|e| format!("{name}: {e}"))?, path: name, schema })
    }

    /// # Errors
    /// If the file cannot be written.
    pub(super) fn write(&mut self, ops: Option<&[char]>, rows: &Batch) -> Result<(), String> {
        let ops = ops.map(|ops| Arc::new(StringArray::from_iter_values(ops.iter().map(char::to_string))) as ArrayRef);
        let columns: Vec<ArrayRef> = ops.into_iter().chain(rows.columns().iter().map(Arc::clone)).collect();
        let batch =
            RecordBatch::try_new(Arc::clone(&self.schema), columns).map_err(|e| format!("{}: {e}", self.path))?;
        self.writer.write(&batch).map_err(|e| format!("{}: {e}", self.path))
    }

    /// # Errors
    /// If the file cannot be written.
    pub(super) fn finish(self) -> Result<(), String> {
        let path = self.path;
        self.writer.close().map(|_| ()).map_err(|e| format!("{path}: {e}"))
    }
}

/// The Arrow type of a column.
fn arrow_type(sql_type: SqlType) -> DataType {
    match sql_type {
        SqlType::BigInt => DataType::Int64,
        SqlType::Int => DataType::Int32,
        SqlType::Varchar => DataType::Utf8,
        SqlType::Decimal(precision, scale) => DataType::Decimal128(precision, scale),
        SqlType::Date => DataType::Date32,
        SqlType::Double => DataType::Float64,
    }
}
