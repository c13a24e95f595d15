//! Rows as bytes that compare as the rows do, and back.
//!
//! The bytes are those of Arrow's row form: equal values have equal bytes, ascending with NULL last unless said
//! otherwise, and the bytes of several columns are the bytes of each, one behind the other. Rows without columns are
//! empty bytes.

use arrow::array::{Array, ArrayRef};
use arrow::compute::SortOptions;
use arrow::datatypes::{DataType, SchemaRef};
use arrow::row::{RowConverter, SortField};
use millrace_data::consolidate::row_converter;

/// Packs and unpacks rows of fixed types.
pub(crate) struct Codec {
    /// `None` without columns, which Arrow's converter does not take.
    converter: Option<RowConverter>,
}

impl Codec {
    /// Of these types, ascending, NULL last.
    pub(crate) fn new<'a>(types: impl IntoIterator<Item = &'a DataType>) -> Self {
        let types: Vec<&DataType> = types.into_iter().collect();
        Codec { converter: (!types.is_empty()).then(|| row_converter(types)) }
    }

    /// Of all columns of a schema.
    pub(crate) fn of(schema: &SchemaRef) -> Self {
        Self::new(schema.fields().iter().map(|f| f.data_type()))
    }

    /// Of some columns of a schema.
    pub(crate) fn of_columns(schema: &SchemaRef, columns: &[usize]) -> Self {
        Self::new(columns.iter().map(|c| schema.field(*c).data_type()))
    }

    /// Whose bytes compare in an order of one's own: (type, descending, NULLs first) per column.
    ///
    /// # Panics
    /// If a type has no row form (none of SQL's types lacks one).
    #[allow(clippy::expect_used)]
    pub(crate) fn ordered<'a>(columns: impl IntoIterator<Item = (&'a DataType, bool, bool)>) -> Self {
        let fields: Vec<SortField> = columns
            .into_iter()
            .map(|(data_type, descending, nulls_first)| {
                SortField::new_with_options(data_type.clone(), SortOptions { descending, nulls_first })
            })
            .collect();
        let converter = || RowConverter::new(fields.clone()).expect("SQL types have a row form");
        Codec { converter: (!fields.is_empty()).then(converter) }
    }

    /// The bytes of `len` rows.
    ///
    /// # Panics
    /// If the columns have other types.
    #[allow(clippy::expect_used)]
    pub(crate) fn pack(&self, columns: &[ArrayRef], len: usize) -> Vec<Vec<u8>> {
        let Some(converter) = &self.converter else { return vec![vec![]; len] };
        let rows = converter.convert_columns(columns).expect("columns of the codec's types");
        rows.iter().map(|row| row.as_ref().to_vec()).collect()
    }

    /// The columns of packed rows.
    ///
    /// # Panics
    /// If the bytes are not of this codec's making.
    #[allow(clippy::expect_used)]
    pub(crate) fn unpack<'a>(&self, rows: impl IntoIterator<Item = &'a [u8]>) -> Vec<ArrayRef> {
        let Some(converter) = &self.converter else { return vec![] };
        let parser = converter.parser();
        converter.convert_rows(rows.into_iter().map(|row| parser.parse(row))).expect("rows of the codec")
    }
}

/// Some of the columns.
pub(crate) fn some(columns: &[ArrayRef], which: &[usize]) -> Vec<ArrayRef> {
    which.iter().map(|c| ArrayRef::clone(&columns[*c])).collect()
}

/// Whether row `i` has a NULL in one of the columns.
pub(crate) fn any_null(columns: &[ArrayRef], i: usize) -> bool {
    columns.iter().any(|column| column.is_null(i))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Array, StringArray};

    use super::*;

    fn columns() -> Vec<ArrayRef> {
        vec![
            Arc::new(Int64Array::from(vec![Some(2), None, Some(-1)])),
            Arc::new(StringArray::from(vec![Some("b"), Some(""), None])),
        ]
    }

    #[test]
    fn rows_come_back_and_compare_as_values() {
        let codec = Codec::new(&[DataType::Int64, DataType::Utf8]);
        let rows = codec.pack(&columns(), 3);
        assert!(rows[2] < rows[0] && rows[0] < rows[1], "ascending, NULL last");
        assert_eq!(codec.unpack(rows.iter().map(Vec::as_slice)), columns());
    }

    #[test]
    fn bytes_of_columns_lie_one_behind_the_other() {
        let both = Codec::new(&[DataType::Int64, DataType::Utf8]).pack(&columns(), 3);
        let first = Codec::new(&[DataType::Int64]).pack(&columns()[..1], 3);
        let second = Codec::new(&[DataType::Utf8]).pack(&columns()[1..], 3);
        for i in 0..3 {
            assert_eq!(both[i], [first[i].as_slice(), second[i].as_slice()].concat());
        }
    }

    #[test]
    fn an_order_of_ones_own() {
        let codec = Codec::ordered([(&DataType::Int64, true, true)]);
        let rows = codec.pack(&columns()[..1], 3);
        assert!(rows[1] < rows[0] && rows[0] < rows[2], "descending, NULL first");
    }

    #[test]
    fn rows_without_columns_are_counted() {
        let codec = Codec::new([]);
        assert_eq!(codec.pack(&[], 2), [vec![], vec![]] as [Vec<u8>; 2]);
        assert!(codec.unpack([&[][..], &[]]).is_empty());
    }
}
