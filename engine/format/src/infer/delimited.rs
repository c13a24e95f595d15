//! Columns of delimited text: names from the header, or `column0`, `column1`, …; types that fit every value.
//!
//! Whole numbers are BIGINT (unless one has leading zeros, which a number would lose), other numbers DOUBLE, `true` and
//! `false` BOOLEAN, ISO dates DATE, ISO dates with a time TIMESTAMP, and everything else, also what is always empty,
//! VARCHAR.

use arrow::datatypes::{DataType, TimeUnit};

use crate::ColumnSpec;
use crate::delimited::DelimitedOptions;
use crate::delimited::decode::header_names;
use crate::delimited::fields::Fields;
use crate::error::{FormatError, InferFailure, Reason, SqlType};
use crate::limits::{INFERRED_COLUMNS_MAX, RECORD_BYTES_MAX};
use crate::records::Records;
use crate::text::{parse_special, whole_number};
use crate::time::{parse_date, parse_timestamp};

/// The types that still fit a column, one bit each, the narrowest first.
const BOOLEAN: u8 = 1;
const BIGINT: u8 = 2;
const DOUBLE: u8 = 4;
const DATE: u8 = 8;
const TIMESTAMP: u8 = 16;
const ALL: u8 = 31;

/// The columns of a sample of delimited records, the header first if there is one. Records that cannot be read, or have
/// another number of fields, are passed over.
///
/// # Errors
/// If there is no record, the first one cannot be read, or it has too many fields.
pub fn infer_delimited(sample: Records<'_>, options: DelimitedOptions) -> Result<Vec<ColumnSpec>, FormatError> {
    options.check()?;
    if sample.is_empty() {
        return Err(FormatError::NotInferable(InferFailure::Empty));
    }
    let first = header_names(sample.get(0), options.delimiter).map_err(|reason| {
        if options.header {
            FormatError::Header(reason)
        } else {
            FormatError::NotInferable(InferFailure::Unreadable(reason))
        }
    })?;
    if first.len() > INFERRED_COLUMNS_MAX {
        return Err(FormatError::NotInferable(InferFailure::TooManyFields));
    }
    // What fits, and whether there was a value at all.
    let mut fits = vec![(ALL, false); first.len()];
    let mut record_fits = fits.clone();
    for i in usize::from(options.header)..sample.len() {
        record_fits.clone_from(&fits);
        if record(sample.get(i), options.delimiter, &mut record_fits).is_ok() {
            std::mem::swap(&mut fits, &mut record_fits);
        }
    }
    let names = unique_names(first, options.header);
    Ok(names.zip(fits).map(|(name, (fits, seen))| ColumnSpec::new(name, data_type(fits, seen))).collect())
}

/// Names of the header; a field without one is called by its position.
fn unique_names(first: Vec<String>, header: bool) -> impl Iterator<Item = String> {
    first
        .into_iter()
        .enumerate()
        .map(move |(i, name)| if header && !name.is_empty() { name } else { format!("column{i}") })
}

fn record(bytes: &[u8], delimiter: u8, fits: &mut [(u8, bool)]) -> Result<(), Reason> {
    if bytes.len() > RECORD_BYTES_MAX {
        return Err(Reason::TooLong);
    }
    simdutf8::basic::from_utf8(bytes).map_err(|_| Reason::BadUtf8)?;
    let count = |found| Reason::FieldCount { expected: fits.len() as u32, found };
    let mut scratch = Vec::new();
    let n_fields = Fields::new(bytes, 0, bytes.len(), delimiter, &mut scratch).count_rest();
    if n_fields as usize != fits.len() {
        return Err(count(n_fields));
    }
    let mut fields = Fields::new(bytes, 0, bytes.len(), delimiter, &mut scratch);
    for (fits, seen) in fits {
        let Some(field) = fields.next()? else { break };
        let value = fields.value(field);
        if !value.trim_ascii().is_empty() {
            *fits &= types_of(value.trim_ascii(), *fits);
            *seen = true;
        } else if field.quoted || !value.is_empty() {
            // A text, if only of spaces.
            *fits = 0;
            *seen = true;
        }
    }
    Ok(())
}

/// Which of the `asked` types the value is one of.
fn types_of(value: &[u8], asked: u8) -> u8 {
    let mut fits = 0;
    if asked & BOOLEAN != 0 && (value.eq_ignore_ascii_case(b"true") || value.eq_ignore_ascii_case(b"false")) {
        fits |= BOOLEAN;
    }
    if asked & (BIGINT | DOUBLE) != 0 {
        let digits = value.strip_prefix(b"-").unwrap_or(value);
        let padded = digits.len() > 1 && digits[0] == b'0' && digits[1].is_ascii_digit();
        if let Ok(number) = whole_number(value, SqlType::Double)
            && !padded
            && value[0] != b'+'
        {
            let whole = digits.iter().all(u8::is_ascii_digit) && number.to_i64(SqlType::Bigint).is_ok();
            fits |= if whole { BIGINT } else { 0 };
            fits |= if number.to_f64().is_ok() { DOUBLE } else { 0 };
        }
        fits |= if parse_special(value).is_some() { DOUBLE } else { 0 };
    }
    if asked & DATE != 0 && parse_date(value).is_ok() {
        fits |= DATE;
    }
    if asked & TIMESTAMP != 0 && parse_timestamp(value).is_ok() {
        fits |= TIMESTAMP;
    }
    fits
}

fn data_type(fits: u8, seen: bool) -> DataType {
    match fits {
        _ if !seen => DataType::Utf8,
        _ if fits & BOOLEAN != 0 => DataType::Boolean,
        _ if fits & BIGINT != 0 => DataType::Int64,
        _ if fits & DOUBLE != 0 => DataType::Float64,
        _ if fits & DATE != 0 => DataType::Date32,
        _ if fits & TIMESTAMP != 0 => DataType::Timestamp(TimeUnit::Microsecond, None),
        _ => DataType::Utf8,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::RecordSplitter;

    fn infer(text: &str, header: bool) -> Result<String, String> {
        let options = DelimitedOptions { header, ..DelimitedOptions::default() };
        let mut splitter = RecordSplitter::new(options.framing(2));
        splitter.push(text.as_bytes());
        splitter.finish();
        let none = crate::RecordBuf::new();
        let sample = splitter.take(1000, usize::MAX).unwrap_or(none.view());
        let columns = infer_delimited(sample, options).map_err(|e| e.to_string())?;
        Ok(columns.iter().map(|c| format!("{} {}", c.name, c.data_type)).collect::<Vec<_>>().join(", "))
    }

    #[test]
    fn narrowest_types() {
        assert_eq!(
            infer(
                "i,f,b,d,ts,t,zip,phone,empty,both\n\
                 1,1.5,true,2000-01-01,2000-01-01 12:00,x,01234,+49,,2000-01-01\n\
                 -2,2,FALSE,1999-12-31,1999-12-31T00:00:00Z,1,12345,1,,2000-01-01 12:00\n\
                 ,,,,,,,,,\n1,2\n",
                true
            )
            .as_deref(),
            Ok("i Int64, f Float64, b Boolean, d Date32, ts Timestamp(µs), t Utf8, zip Utf8, phone Utf8, empty Utf8, \
                both Timestamp(µs)")
        );
        assert_eq!(
            infer("9223372036854775808,1e999,NaN,\"\",\" \"\n", false).as_deref(),
            Ok("column0 Float64, column1 Utf8, column2 Float64, column3 Utf8, column4 Utf8")
        );
    }

    #[test]
    fn headers() {
        assert_eq!(infer(" a ,,\"b,c\"\n1,2,3\n", true).as_deref(), Ok("a Int64, column1 Int64, b,c Int64"));
        assert_eq!(infer("a,b\n", true).as_deref(), Ok("a Utf8, b Utf8"));
        assert_eq!(
            infer("", true),
            Err("columns cannot be inferred: there is no record to infer them from".to_owned())
        );
        assert_eq!(
            infer("\"a", true),
            Err("the header line cannot be read: syntax: expected a closing quote".to_owned())
        );
    }
}
