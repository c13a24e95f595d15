//! From columns to delimited text.
//!
//! NULL is an empty field, the empty text is `""`; quotes stand where RFC 4180 asks for them and nowhere else. ARRAY, MAP
//! and STRUCT are JSON in quotes. Lines end with `\n`.

use arrow::array::{Array, ArrayRef};

use crate::delimited::DelimitedOptions;
use crate::error::FormatError;
use crate::json::encode::write_value;
use crate::values::{Kind, TimeForm, Values};

/// Writes rows of columns with these names as lines.
#[derive(Clone, Debug)]
pub struct DelimitedEncoder {
    names: Vec<String>,
    delimiter: u8,
    form: TimeForm,
}

/// Columns that were looked at and can be written row by row.
#[derive(Debug)]
pub struct DelimitedRows<'a> {
    encoder: &'a DelimitedEncoder,
    columns: Vec<Values<'a>>,
    rows: usize,
}

impl DelimitedEncoder {
    /// An encoder for columns with these names. Whether there is a header line is for the caller to say, by
    /// [`write_header`](Self::write_header).
    ///
    /// # Errors
    /// If the delimiter cannot be one.
    pub fn new(
        names: impl IntoIterator<Item = impl Into<String>>,
        options: DelimitedOptions,
        form: TimeForm,
    ) -> Result<Self, FormatError> {
        options.check()?;
        let names = names.into_iter().map(Into::into).collect();
        Ok(DelimitedEncoder { names, delimiter: options.delimiter, form })
    }

    /// Appends the line of names.
    pub fn write_header(&self, out: &mut Vec<u8>) {
        for (i, name) in self.names.iter().enumerate() {
            if i > 0 {
                out.push(self.delimiter);
            }
            write_text(name.as_bytes(), self.delimiter, out);
        }
        out.push(b'\n');
    }

    /// Appends every row as a line.
    ///
    /// # Errors
    /// If a column has a type that is not one of SQL.
    ///
    /// # Panics
    /// If there are more or fewer columns than names.
    pub fn encode(&self, columns: &[ArrayRef], out: &mut Vec<u8>) -> Result<(), FormatError> {
        let rows = self.rows(columns)?;
        for row in 0..rows.rows {
            rows.write(row, out);
            out.push(b'\n');
        }
        Ok(())
    }

    /// The rows, to be written one by one.
    ///
    /// # Errors
    /// If a column has a type that is not one of SQL.
    ///
    /// # Panics
    /// If there are more or fewer columns than names.
    pub fn rows<'a>(&'a self, columns: &'a [ArrayRef]) -> Result<DelimitedRows<'a>, FormatError> {
        assert_eq!(columns.len(), self.names.len(), "columns and names");
        let rows = columns.first().map_or(0, |c| c.len());
        let columns = columns.iter().zip(&self.names).map(|(column, name)| {
            Values::new(column).ok_or_else(|| FormatError::UnsupportedType {
                format: "DELIMITED",
                column: name.clone(),
                data_type: column.data_type().clone(),
            })
        });
        Ok(DelimitedRows { encoder: self, columns: columns.collect::<Result<_, _>>()?, rows })
    }
}

impl DelimitedRows<'_> {
    /// Appends a row, without a line break.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn write(&self, row: usize, out: &mut Vec<u8>) {
        let DelimitedEncoder { delimiter, form, .. } = *self.encoder;
        for (i, column) in self.columns.iter().enumerate() {
            if i > 0 {
                out.push(delimiter);
            }
            if column.is_null(row) {
                continue;
            }
            match &column.kind {
                Kind::Utf8(texts) => write_text(texts.value(row).as_bytes(), delimiter, out),
                Kind::Binary(bytes) if bytes.value(row).is_empty() => out.extend_from_slice(b"\"\""),
                Kind::List(..) | Kind::Map(..) | Kind::Struct(_) => {
                    let start = out.len();
                    write_value(column, row, form, out);
                    let json = out.split_off(start);
                    write_text(&json, delimiter, out);
                }
                _ => {
                    let start = out.len();
                    column.write_text(row, form, out);
                    // A delimiter such as `.` or `-` stands in numbers.
                    if out[start..].contains(&delimiter) {
                        out.insert(start, b'"');
                        out.push(b'"');
                    }
                }
            }
        }
    }
}

/// Appends a text, in quotes if it needs them.
fn write_text(text: &[u8], delimiter: u8, out: &mut Vec<u8>) {
    let special = |byte: &u8| *byte == delimiter || matches!(*byte, b'"' | b'\n' | b'\r');
    // A byte order mark at the start of a file would not be taken for text.
    if !text.is_empty() && !text.iter().any(special) && !text.starts_with("\u{feff}".as_bytes()) {
        out.extend_from_slice(text);
        return;
    }
    out.push(b'"');
    for byte in text {
        if *byte == b'"' {
            out.push(b'"');
        }
        out.push(*byte);
    }
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{BinaryArray, Float64Array, Int64Array, Int64Builder, ListBuilder, StringArray};

    use super::*;

    #[test]
    fn quotes_where_they_are_needed() {
        let mut list = ListBuilder::new(Int64Builder::new());
        list.append_value([Some(1), Some(2)]);
        list.append_value([]);
        list.append_null();
        let columns: Vec<ArrayRef> = vec![
            Arc::new(StringArray::from(vec![Some("a,\"b\"\n"), Some(""), None])),
            Arc::new(Int64Array::from(vec![Some(1), None, Some(-3)])),
            Arc::new(BinaryArray::from_opt_vec(vec![Some(b"hi"), Some(b""), None])),
            Arc::new(list.finish()),
        ];
        let names = ["a b", "b\"", "", "d"];
        let encoder =
            DelimitedEncoder::new(names, DelimitedOptions::default(), TimeForm::Text).expect("a comma delimits");
        let mut out = Vec::new();
        encoder.write_header(&mut out);
        encoder.encode(&columns, &mut out).expect("SQL types");
        assert_eq!(
            String::from_utf8_lossy(&out),
            "a b,\"b\"\"\",\"\",d\n\"a,\"\"b\"\"\n\",1,aGk=,\"[1,2]\"\n\"\",,\"\",[]\n,-3,,\n"
        );
    }

    #[test]
    fn any_delimiter_is_told_apart() {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(vec![-1])),
            Arc::new(Float64Array::from(vec![1.5])),
            Arc::new(StringArray::from(vec!["a-b,c"])),
        ];
        for (delimiter, want) in [(b'-', "\"-1\"-1.5-\"a-b,c\""), (b'.', "-1.\"1.5\".a-b,c"), (b'\t', "-1\t1.5\ta-b,c")]
        {
            let options = DelimitedOptions { delimiter, header: false };
            let encoder = DelimitedEncoder::new(["x", "y", "z"], options, TimeForm::Text).expect("it delimits");
            let mut out = Vec::new();
            encoder.rows(&columns).expect("SQL types").write(0, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), want);
        }
    }
}
