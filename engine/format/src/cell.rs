//! Values as a person reads them in a table: text without quotes, times as ISO text, nested values as JSON.

use arrow::array::ArrayRef;

use crate::error::FormatError;
use crate::json::encode::write_value;
use crate::values::{Kind, TimeForm, Values};

/// A column whose values are written one by one.
#[derive(Debug)]
pub struct Cells<'a>(Values<'a>);

impl<'a> Cells<'a> {
    /// The values of a column.
    ///
    /// # Errors
    /// If its type is not one of SQL; `name` is what the error calls it.
    pub fn new(name: &str, column: &'a ArrayRef) -> Result<Self, FormatError> {
        let values = Values::new(column).ok_or_else(|| FormatError::UnsupportedType {
            format: "a table",
            column: name.to_owned(),
            data_type: column.data_type().clone(),
        })?;
        Ok(Cells(values))
    }

    /// Appends value `row`; `false` and nothing if it is NULL.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn write(&self, row: usize, out: &mut Vec<u8>) -> bool {
        if self.0.is_null(row) {
            return false;
        }
        match self.0.kind {
            Kind::List(..) | Kind::Map(..) | Kind::Struct(_) => write_value(&self.0, row, TimeForm::Text, out),
            _ => self.0.write_text(row, TimeForm::Text, out),
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{Int64Builder, ListBuilder, StringArray, TimestampMicrosecondArray};

    use super::*;

    #[test]
    fn values_as_they_are_read() {
        let mut list = ListBuilder::new(Int64Builder::new());
        list.append_value([Some(1), None]);
        list.append_null();
        let columns: [ArrayRef; 3] = [
            Arc::new(StringArray::from(vec![Some("a \"b\""), None])),
            Arc::new(TimestampMicrosecondArray::from(vec![Some(0), None])),
            Arc::new(list.finish()),
        ];
        let mut out = vec![];
        for column in &columns {
            let cells = Cells::new("C", column).expect("a type of SQL");
            assert!(cells.write(0, &mut out));
            out.push(b'|');
            assert!(!cells.write(1, &mut out));
        }
        assert_eq!(String::from_utf8_lossy(&out), "a \"b\"|1970-01-01T00:00:00.000|[1,null]|");
    }
}
