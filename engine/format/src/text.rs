//! Values from plain text: what stands in a delimited field, in a JSON text of a type that is no text, in a map's key.
//!
//! The whole text must be the value. TIMESTAMP and TIME are also milliseconds, DATE also days, as numbers; BYTES are
//! base64 with or without padding.

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::column::{Column, Data};
use crate::error::{Reason, SqlType};
use crate::number::{Grammar, Number, scan};
use crate::time::{DAY_US, parse_date, parse_time, parse_timestamp};

/// Writes padding, reads with and without.
pub(crate) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Appends the value that `text` says, which is not one of ARRAY, MAP or STRUCT. The text is UTF-8.
pub(crate) fn push_text(column: &mut Column, text: &[u8]) -> Result<(), Reason> {
    match &mut column.data {
        Data::Boolean(values) => values.append(parse_boolean(text)?),
        Data::Int32(values) => values.push(whole_number(text, SqlType::Int)?.to_i32(SqlType::Int)?),
        Data::Int64(values) => values.push(whole_number(text, SqlType::Bigint)?.to_i64(SqlType::Bigint)?),
        Data::Float64(values) => values.push(parse_double(text)?),
        Data::Decimal(d) => {
            let value = whole_number(text, SqlType::Decimal)?.to_decimal(d.precision, d.scale)?;
            d.values.push(value);
        }
        Data::Utf8(bytes) => bytes.push(text),
        Data::Binary(bytes) => bytes.push_with(|out| decode_base64(text, out))?,
        Data::Date(values) => values.push(match as_number(text) {
            Some(days) => days.to_i32(SqlType::Date)?,
            None => parse_date(text)?,
        }),
        Data::Time(values) => values.push(match as_number(text) {
            Some(ms) => time_of_number(ms)?,
            None => parse_time(text)?,
        }),
        Data::Timestamp(values) => values.push(match as_number(text) {
            Some(ms) => timestamp_of_number(ms)?,
            None => parse_timestamp(text)?,
        }),
        Data::List(_) | Data::Map(_) | Data::Struct(_) => return Err(Reason::BadText(column.sql_type())),
    }
    Ok(())
}

/// `true`, `false`, whatever the case.
fn parse_boolean(text: &[u8]) -> Result<bool, Reason> {
    if text.eq_ignore_ascii_case(b"true") {
        Ok(true)
    } else if text.eq_ignore_ascii_case(b"false") {
        Ok(false)
    } else {
        Err(Reason::BadText(SqlType::Boolean))
    }
}

/// A number, or one of the names that JSON has no number for.
pub(crate) fn parse_double(text: &[u8]) -> Result<f64, Reason> {
    match parse_special(text) {
        Some(value) => Ok(value),
        None => whole_number(text, SqlType::Double)?.to_f64(),
    }
}

/// `NaN`, `Infinity`, `-Infinity`.
pub(crate) fn parse_special(text: &[u8]) -> Option<f64> {
    match text {
        b"NaN" => Some(f64::NAN),
        b"Infinity" | b"+Infinity" => Some(f64::INFINITY),
        b"-Infinity" => Some(f64::NEG_INFINITY),
        _ => None,
    }
}

/// The number that is the whole text.
pub(crate) fn whole_number(text: &[u8], t: SqlType) -> Result<Number<'_>, Reason> {
    as_number(text).ok_or(Reason::BadText(t))
}

fn as_number(text: &[u8]) -> Option<Number<'_>> {
    match scan(text, 0, Grammar::Lenient) {
        Ok((number, end)) if end == text.len() => Some(number),
        _ => None,
    }
}

/// Milliseconds, with fractions down to a microsecond, as microseconds.
pub(crate) fn timestamp_of_number(ms: Number<'_>) -> Result<i64, Reason> {
    let out_of_range = Reason::OutOfRange(SqlType::Timestamp);
    let (us, _) = ms.scaled(3).ok_or(out_of_range)?;
    i64::try_from(us).map_err(|_| out_of_range)
}

/// Milliseconds since midnight, likewise.
pub(crate) fn time_of_number(ms: Number<'_>) -> Result<i64, Reason> {
    let out_of_range = Reason::OutOfRange(SqlType::Time);
    let (us, _) = ms.scaled(3).ok_or(out_of_range)?;
    i64::try_from(us).ok().filter(|us| (0..DAY_US).contains(us)).ok_or(out_of_range)
}

/// Appends the bytes.
pub(crate) fn decode_base64(text: &[u8], out: &mut Vec<u8>) -> Result<(), Reason> {
    BASE64.decode_vec(text, out).map_err(|_| Reason::BadText(SqlType::Bytes))
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::{DataType, Decimal128Type, Float64Type, Int32Type, TimeUnit, TimestampMicrosecondType};

    use super::*;

    fn column(data_type: &DataType) -> Column {
        Column::new(data_type, true).expect("a type that can be read")
    }

    #[test]
    fn values() {
        let mut doubles = column(&DataType::Float64);
        for text in ["1.5", "NaN", "-Infinity", "-0", "+.5"] {
            assert_eq!(push_text(&mut doubles, text.as_bytes()), Ok(()));
        }
        for text in ["", "nan", "1.5 ", "1,5", "0x1"] {
            assert_eq!(push_text(&mut doubles, text.as_bytes()), Err(Reason::BadText(SqlType::Double)));
        }
        let doubles = doubles.finish(&DataType::Float64).expect("doubles");
        let bits: Vec<u64> = doubles.as_primitive::<Float64Type>().values().iter().map(|x| x.to_bits()).collect();
        let want = [1.5, f64::NAN, f64::NEG_INFINITY, 0.0, 0.5].map(f64::to_bits);
        assert_eq!(bits, want);
    }

    #[test]
    fn times_are_numbers_or_text() {
        let timestamp = DataType::Timestamp(TimeUnit::Microsecond, None);
        let mut times = column(&timestamp);
        for text in ["1538136000000", "2018-09-28T12:00:00", "1538136000000.001", "-1"] {
            assert_eq!(push_text(&mut times, text.as_bytes()), Ok(()));
        }
        assert_eq!(push_text(&mut times, b"1e18"), Err(Reason::OutOfRange(SqlType::Timestamp)));
        let times = times.finish(&timestamp).expect("times");
        let at = 1_538_136_000_000_000;
        assert_eq!(times.as_primitive::<TimestampMicrosecondType>().values(), &[at, at, at + 1, -1000]);
        let mut dates = column(&DataType::Date32);
        assert_eq!(push_text(&mut dates, b"11016"), Ok(()));
        assert_eq!(push_text(&mut dates, b"2000-02-29"), Ok(()));
        assert_eq!(push_text(&mut dates, b"1.5"), Err(Reason::NotIntegral(SqlType::Date)));
        let mut time = column(&DataType::Time64(TimeUnit::Microsecond));
        assert_eq!(push_text(&mut time, b"86399999"), Ok(()));
        assert_eq!(push_text(&mut time, b"86400000"), Err(Reason::OutOfRange(SqlType::Time)));
        assert_eq!(push_text(&mut time, b"-1"), Err(Reason::OutOfRange(SqlType::Time)));
    }

    #[test]
    fn truncation_takes_back_values_and_nulls() {
        let t = DataType::Decimal128(5, 2);
        let mut decimals = column(&t);
        for _ in 0..3 {
            assert_eq!(push_text(&mut decimals, b"1.005"), Ok(()));
            decimals.push_null();
        }
        decimals.truncate(3);
        let decimals = decimals.finish(&t).expect("decimals");
        let values: Vec<Option<i128>> = decimals.as_primitive::<Decimal128Type>().iter().collect();
        assert_eq!(values, [Some(101), None, Some(101)]);
    }

    #[test]
    fn bytes_are_base64() {
        let mut bytes = column(&DataType::Binary);
        for text in ["aGk=", "aGk", ""] {
            assert_eq!(push_text(&mut bytes, text.as_bytes()), Ok(()));
        }
        assert_eq!(push_text(&mut bytes, b"a-k="), Err(Reason::BadText(SqlType::Bytes)));
        assert_eq!(push_text(&mut bytes, b"aGk=="), Err(Reason::BadText(SqlType::Bytes)));
        let bytes = bytes.finish(&DataType::Binary).expect("bytes");
        assert_eq!(bytes.as_binary::<i32>().iter().collect::<Vec<_>>(), [Some(&b"hi"[..]), Some(b"hi"), Some(b"")]);
    }

    #[test]
    fn ints_have_bounds() {
        let mut ints = column(&DataType::Int32);
        assert_eq!(push_text(&mut ints, b"-2147483648"), Ok(()));
        assert_eq!(push_text(&mut ints, b"2147483648"), Err(Reason::OutOfRange(SqlType::Int)));
        assert_eq!(push_text(&mut ints, b"1.5"), Err(Reason::NotIntegral(SqlType::Int)));
        assert_eq!(ints.finish(&DataType::Int32).expect("ints").as_primitive::<Int32Type>().values(), &[i32::MIN]);
    }
}
