//! Columns of JSON records: every field that one of them has, in order of appearance.
//!
//! Whole numbers are BIGINT, others DOUBLE, and so are whole ones beyond BIGINT; arrays are ARRAY of what their elements
//! have in common, objects STRUCT of the fields of all of them. What has nothing in common is VARCHAR, which takes any
//! value as its JSON text; so is what is always NULL, and an object without fields.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};

use crate::ColumnSpec;
use crate::error::{Expected, FormatError, Found, InferFailure, Reason, SqlType};
use crate::json::cursor::Cursor;
use crate::limits::{INFERRED_COLUMNS_MAX, NESTING_LEVELS_MAX, RECORD_BYTES_MAX};
use crate::records::Records;

/// What the values of a field have been so far.
#[derive(Clone, Debug, Default, PartialEq)]
enum Shape {
    /// NULL, or not there.
    #[default]
    Nothing,
    Boolean,
    Whole,
    Fraction,
    Text,
    Array(Box<Shape>),
    Object(Vec<(String, Shape)>),
    /// Of several kinds.
    Any,
}

/// The columns of a sample of JSON records. Records that cannot be read are passed over, as long as one can.
///
/// # Errors
/// If there is no record that can be read, or none with a field, or too many fields.
pub fn infer_json(sample: Records<'_>) -> Result<Vec<ColumnSpec>, FormatError> {
    let (bytes, spans) = sample.parts();
    let mut fields: Vec<(String, Shape)> = Vec::new();
    let mut scratch = Vec::new();
    let mut first_failure = None;
    let mut n_read = 0;
    for span in spans {
        let (start, end) = (span.start as usize, span.end as usize);
        let mut cursor = Cursor { bytes, pos: start, end, scratch: &mut scratch };
        match record(&mut cursor) {
            Ok(shape) => {
                n_read += 1;
                merge_fields(&mut fields, shape);
            }
            Err(reason) => first_failure = first_failure.or(Some(reason)),
        }
        if fields.len() > INFERRED_COLUMNS_MAX {
            return Err(FormatError::NotInferable(InferFailure::TooManyFields));
        }
    }
    match first_failure {
        Some(reason) if n_read == 0 => return Err(FormatError::NotInferable(InferFailure::Unreadable(reason))),
        None if n_read == 0 => return Err(FormatError::NotInferable(InferFailure::Empty)),
        _ if fields.is_empty() => return Err(FormatError::NotInferable(InferFailure::NoFields)),
        _ => {}
    }
    Ok(fields.into_iter().map(|(name, shape)| ColumnSpec::new(name, shape.data_type())).collect())
}

fn record(cursor: &mut Cursor<'_>) -> Result<Vec<(String, Shape)>, Reason> {
    if cursor.end - cursor.pos > RECORD_BYTES_MAX {
        return Err(Reason::TooLong);
    }
    simdutf8::basic::from_utf8(&cursor.bytes[cursor.pos..cursor.end]).map_err(|_| Reason::BadUtf8)?;
    cursor.skip_whitespace();
    if cursor.peek() != b'{' {
        return Err(Reason::Syntax(Expected::Object));
    }
    let fields = object(cursor, 1)?;
    cursor.skip_whitespace();
    if cursor.pos < cursor.end { Err(Reason::Syntax(Expected::End)) } else { Ok(fields) }
}

fn value(cursor: &mut Cursor<'_>, level: usize) -> Result<Shape, Reason> {
    cursor.skip_whitespace();
    if cursor.peek() == b'n' {
        cursor.literal(b"null")?;
        return Ok(Shape::Nothing);
    }
    let kind = cursor.kind()?;
    match kind {
        Found::Text => cursor.quoted().map(|_| Shape::Text),
        Found::Boolean => cursor.skip_value(level).map(|()| Shape::Boolean),
        Found::Number => {
            let start = cursor.pos;
            let number = cursor.number()?;
            // `5.0` was written by someone who has fractions, although it would be read as BIGINT.
            let digits = cursor.bytes[start..cursor.pos].iter().all(|b| b.is_ascii_digit() || *b == b'-');
            let whole = digits && number.to_i64(SqlType::Bigint).is_ok();
            Ok(if whole { Shape::Whole } else { Shape::Fraction })
        }
        Found::Array | Found::Object if level >= NESTING_LEVELS_MAX => Err(Reason::TooDeep),
        Found::Array => array(cursor, level + 1),
        Found::Object => object(cursor, level + 1).map(Shape::Object),
    }
}

fn array(cursor: &mut Cursor<'_>, level: usize) -> Result<Shape, Reason> {
    let mut items = Shape::Nothing;
    cursor.pos += 1;
    cursor.skip_whitespace();
    if cursor.peek() == b']' {
        cursor.pos += 1;
        return Ok(Shape::Array(Box::new(items)));
    }
    loop {
        items.merge(value(cursor, level)?);
        cursor.skip_whitespace();
        match cursor.peek() {
            b',' => cursor.pos += 1,
            b']' => break,
            _ => return Err(Reason::Syntax(Expected::CommaOrArrayEnd)),
        }
    }
    cursor.pos += 1;
    Ok(Shape::Array(Box::new(items)))
}

fn object(cursor: &mut Cursor<'_>, level: usize) -> Result<Vec<(String, Shape)>, Reason> {
    let mut fields = Vec::new();
    cursor.pos += 1;
    cursor.skip_whitespace();
    if cursor.peek() == b'}' {
        cursor.pos += 1;
        return Ok(fields);
    }
    loop {
        let quoted = cursor.field_name()?;
        let name = String::from_utf8_lossy(cursor.text(quoted)).into_owned();
        let shape = value(cursor, level)?;
        // One more than there may be shows that there are too many.
        if fields.len() <= INFERRED_COLUMNS_MAX {
            fields.push((name, shape));
        }
        cursor.skip_whitespace();
        match cursor.peek() {
            b',' => cursor.pos += 1,
            b'}' => break,
            _ => return Err(Reason::Syntax(Expected::CommaOrObjectEnd)),
        }
    }
    cursor.pos += 1;
    Ok(fields)
}

fn merge_fields(into: &mut Vec<(String, Shape)>, fields: Vec<(String, Shape)>) {
    for (i, (name, shape)) in fields.into_iter().enumerate() {
        // Most records have their fields at the same places.
        let place = match into.get(i) {
            Some((known, _)) if *known == name => Some(i),
            _ => into.iter().position(|(known, _)| *known == name),
        };
        match place {
            Some(place) => into[place].1.merge(shape),
            None if into.len() <= INFERRED_COLUMNS_MAX => into.push((name, shape)),
            None => {}
        }
    }
}

impl Shape {
    fn merge(&mut self, other: Shape) {
        let both = match (std::mem::take(self), other) {
            (Shape::Nothing, one) | (one, Shape::Nothing) => one,
            (Shape::Whole, Shape::Fraction) | (Shape::Fraction, Shape::Whole) => Shape::Fraction,
            (Shape::Array(mut a), Shape::Array(b)) => {
                a.merge(*b);
                Shape::Array(a)
            }
            (Shape::Object(mut a), Shape::Object(b)) => {
                merge_fields(&mut a, b);
                Shape::Object(a)
            }
            (a, b) if a == b => a,
            _ => Shape::Any,
        };
        *self = both;
    }

    fn data_type(self) -> DataType {
        match self {
            Shape::Boolean => DataType::Boolean,
            Shape::Whole => DataType::Int64,
            Shape::Fraction => DataType::Float64,
            Shape::Array(items) => DataType::List(Arc::new(Field::new("item", items.data_type(), true))),
            Shape::Object(fields) if !fields.is_empty() && fields.len() <= INFERRED_COLUMNS_MAX => DataType::Struct(
                fields.into_iter().map(|(name, shape)| Field::new(name, shape.data_type(), true)).collect(),
            ),
            Shape::Nothing | Shape::Text | Shape::Any | Shape::Object(_) => DataType::Utf8,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RecordBuf;

    fn infer(records: &[&str]) -> Result<String, String> {
        let buf: RecordBuf = records.iter().map(|r| r.as_bytes()).collect();
        let columns = infer_json(buf.view()).map_err(|e| e.to_string())?;
        Ok(columns.iter().map(|c| format!("{} {}", c.name, c.data_type)).collect::<Vec<_>>().join(", "))
    }

    #[test]
    fn fields_of_all_records() {
        assert_eq!(
            infer(&[r#"{"id":1,"a":null,"b":true}"#, "broken", r#"{"id":2,"x":"t","b":false,"a":1.0}"#]).as_deref(),
            Ok("id Int64, a Float64, b Boolean, x Utf8")
        );
    }

    #[test]
    fn kinds_meet() {
        assert_eq!(
            infer(&[
                r#"{"n":1,"f":1,"big":9223372036854775808,"mixed":1,"none":null,"e":{}}"#,
                r#"{"n":-2,"f":1e3,"mixed":"x","big":1}"#
            ])
            .as_deref(),
            Ok("n Int64, f Float64, big Float64, mixed Utf8, none Utf8, e Utf8")
        );
        assert_eq!(
            infer(&[r#"{"l":[],"o":{"x":[1,null]}}"#, r#"{"l":[[1],[]],"o":{"y":{"z":"t"}}}"#]).as_deref(),
            Ok("l List(List(Int64)), o Struct(\"x\": List(Int64), \"y\": Struct(\"z\": Utf8))")
        );
        assert_eq!(infer(&[r#"{"l":[1,"a"]}"#, r#"{"l":3}"#]).as_deref(), Ok("l Utf8"));
    }

    #[test]
    fn failures() {
        assert_eq!(infer(&[]), Err("columns cannot be inferred: there is no record to infer them from".to_owned()));
        assert_eq!(infer(&["{}"]), Err("columns cannot be inferred: the records have no fields".to_owned()));
        assert_eq!(
            infer(&["[]", "x"]),
            Err("columns cannot be inferred: no record can be read (syntax: expected an object)".to_owned())
        );
        let wide: String = (0..=INFERRED_COLUMNS_MAX).map(|i| format!("\"k{i}\":{i},")).collect();
        assert_eq!(
            infer(&[&format!("{{{wide}\"z\":0}}")]),
            Err("columns cannot be inferred: the records have more than 1600 fields".to_owned())
        );
        let deep = format!("{{\"a\":{}}}", "[".repeat(100_000));
        assert!(infer(&[&deep]).is_err());
    }
}
