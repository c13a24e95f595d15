//! Arrow columns seen as values to be written, by row.
//!
//! [`Values`] resolves a column's type once, so that a value is one match away, and writes scalars as plain text; the
//! formats add their quotes and their nesting.

use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BooleanArray, IntervalMonthDayNanoArray, ListArray, MapArray, StringArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{
    DataType, Date32Type, Decimal128Type, Float64Type, Int32Type, Int64Type, IntervalMonthDayNanoType, IntervalUnit,
    Time64MicrosecondType, TimeUnit, TimestampMicrosecondType,
};
use base64::Engine;

use crate::text::BASE64;
use crate::time::{write_date, write_time, write_timestamp};

/// How dates and times are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum TimeForm {
    /// As ISO text, `2018-09-28T12:00:00.000`: in answers and files.
    #[default]
    Text,
    /// As in topics: TIMESTAMP and TIME in milliseconds (with a fraction where they have microseconds), DATE in days.
    Number,
}

/// A column to be written.
#[derive(Debug)]
pub(crate) struct Values<'a> {
    pub(crate) kind: Kind<'a>,
    nulls: Option<&'a NullBuffer>,
}

/// Its values, by type.
#[derive(Debug)]
pub(crate) enum Kind<'a> {
    Boolean(&'a BooleanArray),
    Int32(&'a [i32]),
    Int64(&'a [i64]),
    Float64(&'a [f64]),
    Decimal(&'a [i128], i8),
    Utf8(&'a StringArray),
    Binary(&'a BinaryArray),
    Date(&'a [i32]),
    Time(&'a [i64]),
    Timestamp(&'a [i64]),
    Interval(&'a IntervalMonthDayNanoArray),
    List(&'a ListArray, Box<Values<'a>>),
    /// Keys, values.
    Map(&'a MapArray, Box<(Values<'a>, Values<'a>)>),
    /// Names, fields.
    Struct(Vec<(&'a str, Values<'a>)>),
}

impl<'a> Values<'a> {
    /// The column as values; `None` if its type is not one of SQL.
    pub(crate) fn new(column: &'a ArrayRef) -> Option<Self> {
        let kind = match column.data_type() {
            DataType::Boolean => Kind::Boolean(column.as_boolean()),
            DataType::Int32 => Kind::Int32(column.as_primitive::<Int32Type>().values()),
            DataType::Int64 => Kind::Int64(column.as_primitive::<Int64Type>().values()),
            DataType::Float64 => Kind::Float64(column.as_primitive::<Float64Type>().values()),
            DataType::Decimal128(_, scale) if *scale >= 0 => {
                Kind::Decimal(column.as_primitive::<Decimal128Type>().values(), *scale)
            }
            DataType::Utf8 => Kind::Utf8(column.as_string()),
            DataType::Binary => Kind::Binary(column.as_binary()),
            DataType::Date32 => Kind::Date(column.as_primitive::<Date32Type>().values()),
            DataType::Time64(TimeUnit::Microsecond) => {
                Kind::Time(column.as_primitive::<Time64MicrosecondType>().values())
            }
            DataType::Timestamp(TimeUnit::Microsecond, None) => {
                Kind::Timestamp(column.as_primitive::<TimestampMicrosecondType>().values())
            }
            DataType::Interval(IntervalUnit::MonthDayNano) => {
                Kind::Interval(column.as_primitive::<IntervalMonthDayNanoType>())
            }
            DataType::List(_) => {
                let list = column.as_list::<i32>();
                Kind::List(list, Box::new(Values::new(list.values())?))
            }
            DataType::Map(_, _) => {
                let map = column.as_map();
                let keys = Values::new(map.keys()).filter(|keys| !keys.is_nested())?;
                Kind::Map(map, Box::new((keys, Values::new(map.values())?)))
            }
            DataType::Struct(_) => {
                let row = column.as_struct();
                let fields = row.fields().iter().zip(row.columns());
                let fields = fields.map(|(field, column)| Some((field.name().as_str(), Values::new(column)?)));
                Kind::Struct(fields.collect::<Option<_>>()?)
            }
            _ => return None,
        };
        Some(Values { kind, nulls: column.nulls().filter(|nulls| nulls.null_count() > 0) })
    }

    #[inline]
    pub(crate) fn is_null(&self, row: usize) -> bool {
        self.nulls.is_some_and(|nulls| nulls.is_null(row))
    }

    pub(crate) fn is_nested(&self) -> bool {
        matches!(self.kind, Kind::List(..) | Kind::Map(..) | Kind::Struct(_))
    }

    /// Appends the value, which is neither NULL nor nested, as plain text: what is read back as the same value.
    pub(crate) fn write_text(&self, row: usize, form: TimeForm, out: &mut Vec<u8>) {
        match &self.kind {
            Kind::Boolean(values) => out.extend_from_slice(if values.value(row) { b"true" } else { b"false" }),
            Kind::Int32(values) => write_int(values[row], out),
            Kind::Int64(values) => write_int(values[row], out),
            Kind::Float64(values) => write_double(values[row], out),
            Kind::Decimal(values, scale) => write_decimal(values[row], *scale, out),
            Kind::Utf8(values) => out.extend_from_slice(values.value(row).as_bytes()),
            Kind::Binary(values) => {
                let value = values.value(row);
                let start = out.len();
                out.resize(start + value.len().div_ceil(3) * 4, 0);
                // The room is exactly what padded base64 takes.
                let written = BASE64.encode_slice(value, &mut out[start..]).unwrap_or(0);
                out.truncate(start + written);
            }
            Kind::Date(values) if form == TimeForm::Number => write_int(values[row], out),
            Kind::Date(values) => write_date(i64::from(values[row]), out),
            Kind::Time(values) if form == TimeForm::Number => write_ms(values[row], out),
            Kind::Time(values) => write_time(values[row], out),
            Kind::Timestamp(values) if form == TimeForm::Number => write_ms(values[row], out),
            Kind::Timestamp(values) => write_timestamp(values[row], out),
            Kind::Interval(values) => {
                let text = arrow::util::display::array_value_to_string(values, row).unwrap_or_default();
                out.extend_from_slice(text.as_bytes());
            }
            Kind::List(..) | Kind::Map(..) | Kind::Struct(_) => {}
        }
    }
}

fn write_int(value: impl itoa::Integer, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// The shortest text that reads back the same; `NaN`, `Infinity`, `-Infinity`.
fn write_double(value: f64, out: &mut Vec<u8>) {
    if value.is_finite() {
        out.extend_from_slice(ryu::Buffer::new().format_finite(value).as_bytes());
    } else if value.is_nan() {
        out.extend_from_slice(b"NaN");
    } else {
        out.extend_from_slice(if value > 0.0 { b"Infinity" } else { b"-Infinity" });
    }
}

/// All digits, with as many behind the point as the scale says.
fn write_decimal(value: i128, scale: i8, out: &mut Vec<u8>) {
    let scale = usize::try_from(scale).unwrap_or(0);
    if value < 0 {
        out.push(b'-');
    }
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(value.unsigned_abs()).as_bytes();
    if scale == 0 {
        out.extend_from_slice(digits);
        return;
    }
    let whole = digits.len().saturating_sub(scale);
    out.extend_from_slice(if whole == 0 { b"0" } else { &digits[..whole] });
    out.push(b'.');
    out.resize(out.len() + scale.saturating_sub(digits.len()), b'0');
    out.extend_from_slice(&digits[whole..]);
}

/// Microseconds as milliseconds, with a fraction where there is one.
fn write_ms(us: i64, out: &mut Vec<u8>) {
    if us % 1000 == 0 {
        write_int(us / 1000, out);
    } else {
        write_decimal(i128::from(us), 3, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_and_milliseconds() {
        let decimal = |value, scale| {
            let mut out = Vec::new();
            write_decimal(value, scale, &mut out);
            String::from_utf8(out).expect("ASCII")
        };
        assert_eq!(decimal(12345, 2), "123.45");
        assert_eq!(decimal(-5, 2), "-0.05");
        assert_eq!(decimal(0, 3), "0.000");
        assert_eq!(decimal(7, 0), "7");
        assert_eq!(decimal(-(10_i128.pow(38) - 1), 38), "-0.99999999999999999999999999999999999999");
        let mut out = Vec::new();
        write_ms(-1_500, &mut out);
        out.push(b' ');
        write_ms(-2_000, &mut out);
        assert_eq!(out, b"-1.500 -2");
    }

    #[test]
    fn doubles_are_short_and_whole() {
        for (value, want) in
            [(1.0, "1.0"), (0.1, "0.1"), (-2.5e-7, "-2.5e-7"), (1e300, "1e300"), (f64::NEG_INFINITY, "-Infinity")]
        {
            let mut out = Vec::new();
            write_double(value, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), want);
        }
    }
}
