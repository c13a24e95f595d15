//! From columns to JSON objects.
//!
//! Integers and decimals have all their digits, DOUBLE is the shortest text that reads back the same (`"NaN"`,
//! `"Infinity"` as texts), BYTES base64, dates and times as the [`TimeForm`] says. NULL is `null`; fields are never left
//! out. What is written is read back by [`JsonDecoder`](crate::JsonDecoder) as the same values.

use arrow::array::{Array, ArrayRef};

use crate::error::FormatError;
use crate::json::cursor::find_special;
use crate::values::{Kind, TimeForm, Values};

/// Writes rows of columns with these names as objects.
#[derive(Clone, Debug)]
pub struct JsonEncoder {
    names: Vec<String>,
    /// What comes before each value: `{"A":`, `,"B":`.
    glue: Vec<Vec<u8>>,
    form: TimeForm,
}

/// Columns that were looked at and can be written row by row.
#[derive(Debug)]
pub struct JsonRows<'a> {
    encoder: &'a JsonEncoder,
    columns: Vec<Values<'a>>,
    rows: usize,
}

impl JsonEncoder {
    /// An encoder for columns with these names.
    pub fn new(names: impl IntoIterator<Item = impl Into<String>>, form: TimeForm) -> Self {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        let glue = names.iter().enumerate().map(|(i, name)| {
            let mut glue = vec![if i == 0 { b'{' } else { b',' }];
            write_quoted(name.as_bytes(), &mut glue);
            glue.push(b':');
            glue
        });
        JsonEncoder { glue: glue.collect(), names, form }
    }

    /// Appends every row as an object and a line break.
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
    pub fn rows<'a>(&'a self, columns: &'a [ArrayRef]) -> Result<JsonRows<'a>, FormatError> {
        assert_eq!(columns.len(), self.names.len(), "columns and names");
        let rows = columns.first().map_or(0, |c| c.len());
        let columns = columns.iter().zip(&self.names).map(|(column, name)| {
            Values::new(column).ok_or_else(|| FormatError::UnsupportedType {
                format: "JSON",
                column: name.clone(),
                data_type: column.data_type().clone(),
            })
        });
        Ok(JsonRows { encoder: self, columns: columns.collect::<Result<_, _>>()?, rows })
    }
}

impl JsonRows<'_> {
    /// Appends a row as an object.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn write(&self, row: usize, out: &mut Vec<u8>) {
        if self.columns.is_empty() {
            out.push(b'{');
        }
        for (glue, column) in self.encoder.glue.iter().zip(&self.columns) {
            out.extend_from_slice(glue);
            write_value(column, row, self.encoder.form, out);
        }
        out.push(b'}');
    }

    /// Appends one value of a row.
    ///
    /// # Panics
    /// If there is no such row or column.
    pub fn write_value(&self, column: usize, row: usize, out: &mut Vec<u8>) {
        write_value(&self.columns[column], row, self.encoder.form, out);
    }
}

/// Appends a value as JSON.
pub(crate) fn write_value(values: &Values<'_>, row: usize, form: TimeForm, out: &mut Vec<u8>) {
    if values.is_null(row) {
        out.extend_from_slice(b"null");
        return;
    }
    match &values.kind {
        Kind::Utf8(texts) => write_quoted(texts.value(row).as_bytes(), out),
        Kind::Float64(doubles) if !doubles[row].is_finite() => write_in_quotes(values, row, form, out),
        Kind::Binary(_) | Kind::Interval(_) => write_in_quotes(values, row, form, out),
        Kind::Date(_) | Kind::Time(_) | Kind::Timestamp(_) if form == TimeForm::Text => {
            write_in_quotes(values, row, form, out);
        }
        Kind::List(list, items) => {
            out.push(b'[');
            for (i, item) in range(list.value_offsets(), row).enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_value(items, item, form, out);
            }
            out.push(b']');
        }
        Kind::Map(map, entries) => {
            let (keys, values) = entries.as_ref();
            out.push(b'{');
            for (i, entry) in range(map.value_offsets(), row).enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                match &keys.kind {
                    Kind::Utf8(texts) => write_quoted(texts.value(entry).as_bytes(), out),
                    _ => write_in_quotes(keys, entry, form, out),
                }
                out.push(b':');
                write_value(values, entry, form, out);
            }
            out.push(b'}');
        }
        Kind::Struct(fields) => {
            out.push(b'{');
            for (i, (name, values)) in fields.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_quoted(name.as_bytes(), out);
                out.push(b':');
                write_value(values, row, form, out);
            }
            out.push(b'}');
        }
        _ => values.write_text(row, form, out),
    }
}

/// Positions of the elements of list `row`.
fn range(offsets: &[i32], row: usize) -> std::ops::Range<usize> {
    offsets[row] as usize..offsets[row + 1] as usize
}

/// A value whose text has nothing to escape.
fn write_in_quotes(values: &Values<'_>, row: usize, form: TimeForm, out: &mut Vec<u8>) {
    out.push(b'"');
    values.write_text(row, form, out);
    out.push(b'"');
}

/// Appends a text as a JSON string.
pub fn write_quoted(text: &[u8], out: &mut Vec<u8>) {
    out.push(b'"');
    let mut from = 0;
    loop {
        let at = find_special(text, from);
        let Some(byte) = text.get(at) else { break };
        out.extend_from_slice(&text[from..at]);
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            8 => out.extend_from_slice(b"\\b"),
            12 => out.extend_from_slice(b"\\f"),
            _ => {
                out.extend_from_slice(b"\\u00");
                out.extend([byte >> 4, byte & 15].map(|digit| b"0123456789abcdef"[usize::from(digit)]));
            }
        }
        from = at + 1;
    }
    out.extend_from_slice(&text[from..]);
    out.push(b'"');
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{
        BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, StringArray,
        StructArray, Time64MicrosecondArray, TimestampMicrosecondArray, UInt8Array,
    };
    use arrow::array::{ListBuilder, MapBuilder, StringBuilder};
    use arrow::datatypes::{DataType, Field};

    use super::*;

    fn encode(columns: &[(&str, ArrayRef)], form: TimeForm) -> String {
        let encoder = JsonEncoder::new(columns.iter().map(|(name, _)| *name), form);
        let columns: Vec<ArrayRef> = columns.iter().map(|(_, c)| Arc::clone(c)).collect();
        let mut out = Vec::new();
        encoder.encode(&columns, &mut out).expect("SQL types");
        String::from_utf8(out).expect("UTF-8")
    }

    #[test]
    fn scalars() {
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("B", Arc::new(BooleanArray::from(vec![Some(true), None]))),
            ("I", Arc::new(Int32Array::from(vec![i32::MIN, 0]))),
            ("L", Arc::new(Int64Array::from(vec![i64::MAX, -1]))),
            ("D", Arc::new(Float64Array::from(vec![0.1, f64::NAN]))),
            ("N", Arc::new(Decimal128Array::from(vec![12345, -5]).with_precision_and_scale(10, 2).expect("fits"))),
            ("S \"", Arc::new(StringArray::from(vec!["a\"b\\c\n\u{1}é", ""]))),
            ("Y", Arc::new(BinaryArray::from(vec![&b"hi"[..], b""]))),
            ("DAY", Arc::new(Date32Array::from(vec![11016, -1]))),
            ("T", Arc::new(Time64MicrosecondArray::from(vec![43_200_000_000, 1]))),
            ("TS", Arc::new(TimestampMicrosecondArray::from(vec![1_538_136_000_000_000, -1]))),
        ];
        assert_eq!(
            encode(&columns, TimeForm::Text),
            "{\"B\":true,\"I\":-2147483648,\"L\":9223372036854775807,\"D\":0.1,\"N\":123.45,\"S \\\"\":\"a\\\"b\\\\c\\n\\u0001é\",\
             \"Y\":\"aGk=\",\"DAY\":\"2000-02-29\",\"T\":\"12:00:00.000\",\"TS\":\"2018-09-28T12:00:00.000\"}\n\
             {\"B\":null,\"I\":0,\"L\":-1,\"D\":\"NaN\",\"N\":-0.05,\"S \\\"\":\"\",\"Y\":\"\",\"DAY\":\"1969-12-31\",\
             \"T\":\"00:00:00.000001\",\"TS\":\"1969-12-31T23:59:59.999999\"}\n"
        );
        assert_eq!(
            encode(&columns[7..], TimeForm::Number),
            "{\"DAY\":11016,\"T\":43200000,\"TS\":1538136000000}\n{\"DAY\":-1,\"T\":0.001,\"TS\":-0.001}\n"
        );
    }

    #[test]
    fn nested() {
        let mut list = ListBuilder::new(arrow::array::Int64Builder::new());
        list.append_value([Some(1), None]);
        list.append_value([]);
        list.append_null();
        let mut map = MapBuilder::new(None, StringBuilder::new(), StringBuilder::new());
        map.keys().append_value("k\"");
        map.values().append_value("v");
        map.append(true).expect("one key, one value");
        map.append(true).expect("no entry");
        map.append(false).expect("NULL");
        let ids: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
        let field = Arc::new(Field::new("id", DataType::Int64, true));
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("L", Arc::new(list.finish())),
            ("M", Arc::new(map.finish())),
            ("S", Arc::new(StructArray::from(vec![(field, ids)]))),
        ];
        assert_eq!(
            encode(&columns, TimeForm::Text),
            "{\"L\":[1,null],\"M\":{\"k\\\"\":\"v\"},\"S\":{\"id\":1}}\n{\"L\":[],\"M\":{},\"S\":{\"id\":2}}\n\
             {\"L\":null,\"M\":null,\"S\":{\"id\":3}}\n"
        );
    }

    #[test]
    fn texts_of_every_length() {
        for len in 0..40 {
            for special in 0..=len {
                let mut text = "x".repeat(len);
                text.insert(special, '"');
                let mut out = Vec::new();
                write_quoted(text.as_bytes(), &mut out);
                assert_eq!(String::from_utf8_lossy(&out), format!("\"{}\"", text.replace('"', "\\\"")));
            }
        }
    }

    #[test]
    fn other_types_are_refused() {
        let column: ArrayRef = Arc::new(UInt8Array::from(vec![1]));
        let error = JsonEncoder::new(["A"], TimeForm::Text).encode(&[column], &mut Vec::new());
        assert!(matches!(error, Err(FormatError::UnsupportedType { column, .. }) if column == "A"));
        assert_eq!(encode(&[], TimeForm::Text), "");
    }
}
