//! Rows of system relations: a few cells of a few types, as columns.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BinaryArray, BooleanArray, Float64Array, Int32Array, Int64Array, StringArray, new_null_array,
};
use arrow::datatypes::DataType;
use millrace_data::Batch;

/// One value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Cell {
    Text(String),
    Int(i32),
    Long(i64),
    Double(f64),
    Bool(bool),
    Bytes(Vec<u8>),
    Null,
}

impl Cell {
    /// Text, or NULL for none.
    pub(crate) fn text(text: Option<impl Into<String>>) -> Self {
        text.map_or(Cell::Null, |text| Cell::Text(text.into()))
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Cell::Text(text.to_owned())
    }
}
impl From<String> for Cell {
    fn from(text: String) -> Self {
        Cell::Text(text)
    }
}
impl From<bool> for Cell {
    fn from(value: bool) -> Self {
        Cell::Bool(value)
    }
}
impl From<u64> for Cell {
    fn from(value: u64) -> Self {
        Cell::Long(i64::try_from(value).unwrap_or(i64::MAX))
    }
}

/// The rows as columns of these types. A cell of another type than its column is NULL.
pub(crate) fn batch<'a>(
    types: impl IntoIterator<Item = &'a DataType>,
    rows: &[Vec<Cell>],
    diffs: Option<Vec<i64>>,
) -> Batch {
    let columns = types.into_iter().enumerate().map(|(c, data_type)| column(data_type, rows, c)).collect();
    Batch::new(columns, diffs, rows.len())
}

fn column(data_type: &DataType, rows: &[Vec<Cell>], c: usize) -> ArrayRef {
    let cells = rows.iter().map(|row| &row[c]);
    match data_type {
        DataType::Utf8 => Arc::new(StringArray::from_iter(cells.map(|cell| match cell {
            Cell::Text(text) => Some(text.as_str()),
            _ => None,
        }))),
        DataType::Int32 => Arc::new(Int32Array::from_iter(cells.map(|cell| match cell {
            Cell::Int(value) => Some(*value),
            _ => None,
        }))),
        DataType::Int64 => Arc::new(Int64Array::from_iter(cells.map(|cell| match cell {
            Cell::Long(value) => Some(*value),
            _ => None,
        }))),
        DataType::Float64 => Arc::new(Float64Array::from_iter(cells.map(|cell| match cell {
            Cell::Double(value) => Some(*value),
            _ => None,
        }))),
        DataType::Boolean => Arc::new(BooleanArray::from_iter(cells.map(|cell| match cell {
            Cell::Bool(value) => Some(*value),
            _ => None,
        }))),
        DataType::Binary => Arc::new(BinaryArray::from_iter(cells.map(|cell| match cell {
            Cell::Bytes(value) => Some(value.as_slice()),
            _ => None,
        }))),
        other => new_null_array(other, rows.len()),
    }
}
