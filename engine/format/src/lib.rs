//! Record formats: between bytes and Arrow columns, one format a file, reading and writing side by side.
//!
//! ```text
//! chunks of bytes ─RecordSplitter→ Records ─Decoder→ Decoded { columns, errors }      columns ─encoder→ bytes
//! Parquet file ─ParquetReader→ record batches                                   record batches ─ParquetWriter→ file
//! ```
//!
//! Bytes go straight into columns: no tree, no tape, no value by itself. A record that cannot be read becomes a
//! [`DecodeError`] and leaves no row; the records around it are not touched. Connectors bring the bytes and know where
//! they stood; this crate knows neither files nor topics nor time.
//!
//! Types are those of SQL as Arrow types: Boolean, Int32, Int64, Float64, Decimal128, Utf8, Binary, Date32, Time64(µs),
//! Timestamp(µs), List, Map, Struct. Others are refused by name where they are declared.

use std::ops::Range;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;

mod cell;
mod column;
pub mod delimited;
mod error;
mod infer;
pub mod json;
pub mod limits;
mod number;
pub mod parquet;
mod records;
mod split;
mod text;
mod time;
mod values;

pub use cell::Cells;
pub use delimited::{DelimitedDecoder, DelimitedEncoder, DelimitedOptions};
pub use error::{DecodeError, Expected, FormatError, Found, InferFailure, Reason, SqlType};
pub use infer::{fold_names, infer_delimited, infer_json};
pub use json::{JsonDecoder, JsonEncoder};
pub use parquet::{ParquetReader, ParquetWriter, infer_parquet};
pub use records::{RecordBuf, Records};
pub use split::{Framing, RecordSplitter};
pub use values::TimeForm;

use column::Column;

/// A declared column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ColumnSpec {
    /// Name as the catalog keeps it.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
}

impl ColumnSpec {
    /// A column of this name and type.
    pub fn new(name: impl Into<String>, data_type: DataType) -> Self {
        ColumnSpec { name: name.into(), data_type }
    }
}

/// What to read from records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RecordSpec {
    /// The declared columns. Every one is checked in every record, wanted or not.
    pub columns: Vec<ColumnSpec>,
    /// Positions in `columns` of those to give, in the order in which to give them.
    pub wanted: Vec<usize>,
    /// A field that is not a declared column and is given as VARCHAR behind the wanted ones: what `OP_COLUMN` names.
    /// Found by the same rules as a column's name; NULL where it is missing.
    pub extra: Option<String>,
}

impl RecordSpec {
    /// All columns, in order, and no extra field.
    pub fn all_of(columns: Vec<ColumnSpec>) -> Self {
        let wanted = (0..columns.len()).collect();
        RecordSpec { columns, wanted, extra: None }
    }

    /// Types of the columns of [`Decoded`].
    ///
    /// # Errors
    /// If a wanted column is not declared.
    pub fn output_types(&self) -> Result<Vec<DataType>, FormatError> {
        Ok(self.outputs()?.into_iter().map(|(_, data_type)| data_type).collect())
    }

    /// The declared columns and the extra one.
    pub(crate) fn all(&self) -> impl Iterator<Item = ColumnSpec> + '_ {
        let extra = self.extra.iter().map(|name| ColumnSpec::new(name, DataType::Utf8));
        self.columns.iter().cloned().chain(extra)
    }

    /// Positions in [`all`](Self::all) of what is given, and types.
    pub(crate) fn outputs(&self) -> Result<Vec<(usize, DataType)>, FormatError> {
        let declared = self.columns.len();
        let extra = self.extra.as_ref().map(|_| (declared, DataType::Utf8));
        let wanted = self.wanted.iter().map(|&position| match self.columns.get(position) {
            Some(column) => Ok((position, column.data_type.clone())),
            None => Err(FormatError::NotDeclared { position, declared }),
        });
        wanted.chain(extra.map(Ok)).collect()
    }

    /// Columns to fill, for [`all`](Self::all). Of those that are not wanted no text is kept.
    pub(crate) fn make_columns(&self, format: &'static str) -> Result<Vec<Column>, FormatError> {
        self.all()
            .enumerate()
            .map(|(i, column)| {
                if self.columns[..i.min(self.columns.len())].iter().any(|c| c.name == column.name) {
                    return Err(FormatError::AmbiguousColumn { column: column.name });
                }
                let keep = i >= self.columns.len() || self.wanted.contains(&i);
                Column::new(&column.data_type, keep).ok_or(FormatError::UnsupportedType {
                    format,
                    column: column.name,
                    data_type: column.data_type,
                })
            })
            .collect()
    }
}

/// The rows of a block of records.
#[derive(Clone, Debug)]
pub struct Decoded {
    /// The wanted columns in the order asked for, then the extra field.
    pub columns: Vec<ArrayRef>,
    /// Rows of each.
    pub rows: usize,
    /// For each row the position of its record in the block, ascending. `None`: row `i` is record `i`.
    pub kept: Option<Vec<u32>>,
    /// Records that left no row because they cannot be read, in order.
    pub errors: Vec<DecodeError>,
}

impl Decoded {
    /// The records of which those in `errors`, and only those, left no row.
    fn new(columns: Vec<ArrayRef>, rows: usize, records: Range<usize>, errors: Vec<DecodeError>) -> Self {
        let kept = (records.start > 0 || !errors.is_empty()).then(|| {
            let mut failed = errors.iter().map(|e| e.record).peekable();
            // A block has fewer records than bytes, so their positions fit.
            records.filter(|r| failed.next_if_eq(r).is_none()).map(|r| r as u32).collect()
        });
        Decoded { columns, rows, kept, errors }
    }

    /// The record that row `i` comes from.
    pub fn record_of(&self, row: usize) -> usize {
        self.kept.as_ref().map_or(row, |kept| kept[row] as usize)
    }
}

/// Turns blocks of records into columns.
///
/// # Contract
/// * Each record of the block gives one row, or one error, or nothing if it is a header. Rows and errors are in the
///   order of the records. A record's row depends on the record alone (and on the header of its input).
/// * Every declared column is checked in every record: whether a record is broken does not depend on what is wanted.
/// * Any bytes may come: decoding does not panic, and its memory is bounded by a multiple of the block's bytes and of
///   its records times the columns.
pub trait Decoder: Send + std::fmt::Debug {
    /// The rows of the block.
    ///
    /// # Errors
    /// If the input as a whole is not what was declared: a header without a declared column. Broken records are not
    /// an error of the call.
    fn decode(&mut self, records: Records<'_>) -> Result<Decoded, FormatError>;

    /// What it reads.
    fn spec(&self) -> &RecordSpec;

    /// From now on gives these columns; nothing else changes.
    ///
    /// # Errors
    /// If one is not declared.
    fn set_wanted(&mut self, wanted: Vec<usize>) -> Result<(), FormatError>;

    /// The next record is the first of an input (a file), with its own header where the format has one.
    fn begin_input(&mut self);
}
