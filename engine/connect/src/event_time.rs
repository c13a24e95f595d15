//! TIMESTAMP and TIMESTAMP_FORMAT: which column says when a row happened.
//!
//! The column is BIGINT (epoch ms), TIMESTAMP, DATE (its midnight) or, with a TIMESTAMP_FORMAT, VARCHAR. NULL stays NULL:
//! the row has no time. A text that is not of the format makes its record a decode error.

mod pattern;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array, Int64Builder};
use arrow::datatypes::{DataType, Date32Type, Int64Type, TimeUnit, TimestampMicrosecondType};

use crate::error::ConnectError;
use crate::options::Options;
use crate::source::Column;
use pattern::Pattern;

/// Reads event times from a column.
#[derive(Clone, Debug)]
pub(crate) struct EventTime {
    /// Position of the column among all columns.
    pub(crate) column: usize,
    form: Form,
}

#[derive(Clone, Debug)]
enum Form {
    EpochMs,
    Micros,
    Days,
    Text(Pattern),
}

/// The rows whose text is no time, in order.
pub(crate) type NotTimes = Vec<usize>;

impl EventTime {
    /// The column that TIMESTAMP names; `None` without one.
    ///
    /// # Errors
    /// If there is no such column, its type is no time, or the format is none.
    pub(crate) fn resolve(options: &Options<'_>, columns: &[Column]) -> Result<Option<Self>, ConnectError> {
        let format = options.text("TIMESTAMP_FORMAT");
        let Some(name) = options.text("TIMESTAMP") else {
            return match format {
                None => Ok(None),
                Some(_) => Err(ConnectError::option("TIMESTAMP_FORMAT", "TIMESTAMP_FORMAT is given without TIMESTAMP")
                    .hint("TIMESTAMP = 'column' names the column that it describes")),
            };
        };
        let exact = columns.iter().position(|(c, _)| c == name);
        let column = exact.or_else(|| columns.iter().position(|(c, _)| c.eq_ignore_ascii_case(name)));
        let Some(column) = column else {
            let names: Vec<&str> = columns.iter().map(|(c, _)| c.as_str()).collect();
            return Err(ConnectError::option("TIMESTAMP", format!("there is no column {name}"))
                .hint(crate::options::suggest(name, &names)));
        };
        let form = match (&columns[column].1, format) {
            (DataType::Utf8, Some(format)) => Form::Text(Pattern::parse(format).map_err(|problem| {
                ConnectError::option("TIMESTAMP_FORMAT", format!("'{format}' is not a format of times: {problem}"))
                    .hint("for example yyyy-MM-dd''T''HH:mm:ss.SSSXXX")
            })?),
            (DataType::Utf8, None) => {
                return Err(ConnectError::option(
                    "TIMESTAMP",
                    format!("column {name} is VARCHAR, how is its text to be read?"),
                )
                .hint("declare the column as TIMESTAMP if it is ISO text, or add TIMESTAMP_FORMAT = '…'"));
            }
            (_, Some(_)) => {
                let message = format!("TIMESTAMP_FORMAT describes texts, and column {name} is not VARCHAR");
                return Err(ConnectError::option("TIMESTAMP_FORMAT", message));
            }
            (DataType::Int64, None) => Form::EpochMs,
            (DataType::Timestamp(TimeUnit::Microsecond, None), None) => Form::Micros,
            (DataType::Date32, None) => Form::Days,
            (other, None) => {
                let message = format!("column {name} of type {other} says no time");
                return Err(ConnectError::option("TIMESTAMP", message).hint(
                    "it may be BIGINT (epoch milliseconds), TIMESTAMP, DATE, or VARCHAR with a TIMESTAMP_FORMAT",
                ));
            }
        };
        Ok(Some(EventTime { column, form }))
    }

    /// Epoch ms per row of the column, and the rows whose text is no time.
    pub(crate) fn times(&self, column: &ArrayRef) -> (Int64Array, NotTimes) {
        let mut bad = vec![];
        let times = match &self.form {
            Form::EpochMs => column.as_primitive::<Int64Type>().clone(),
            Form::Micros => column.as_primitive::<TimestampMicrosecondType>().unary(|us| us.div_euclid(1_000)),
            Form::Days => column.as_primitive::<Date32Type>().unary(|days| i64::from(days) * 86_400_000),
            Form::Text(pattern) => {
                let texts = column.as_string::<i32>();
                let mut times = Int64Builder::with_capacity(texts.len());
                for row in 0..texts.len() {
                    let time = (!texts.is_null(row)).then(|| pattern.epoch_ms(texts.value(row)));
                    if time == Some(None) {
                        bad.push(row);
                    }
                    times.append_option(time.flatten());
                }
                times.finish()
            }
        };
        (times, bad)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::sync::Arc;

    use arrow::array::{StringArray, TimestampMicrosecondArray};

    use super::*;

    fn resolve(pairs: &[(&str, &str)], data_type: DataType) -> Result<Option<EventTime>, ConnectError> {
        let values: BTreeMap<String, String> = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        let options = Options::new("file", &values, &["TIMESTAMP", "TIMESTAMP_FORMAT"])?;
        EventTime::resolve(&options, &[("ID".to_owned(), DataType::Int64), ("AT".to_owned(), data_type)])
    }

    #[test]
    fn a_column_of_time() {
        let time = resolve(&[("TIMESTAMP", "at")], DataType::Timestamp(TimeUnit::Microsecond, None)).unwrap().unwrap();
        let column: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![Some(1_999), None, Some(-1)]));
        assert_eq!(time.times(&column), (Int64Array::from(vec![Some(1), None, Some(-1)]), vec![]));
        assert_eq!(time.column, 1);
    }

    #[test]
    fn a_column_of_texts() {
        let pairs = [("TIMESTAMP", "AT"), ("TIMESTAMP_FORMAT", "dd.MM.yyyy HH:mm")];
        let time = resolve(&pairs, DataType::Utf8).unwrap().unwrap();
        let column: ArrayRef = Arc::new(StringArray::from(vec![Some("02.01.1970 00:01"), Some("2.1.1970"), None]));
        assert_eq!(time.times(&column), (Int64Array::from(vec![Some(86_460_000), None, None]), vec![1]));
    }

    #[test]
    fn declarations_that_contradict_themselves() {
        let message = |pairs: &[(&str, &str)], t| resolve(pairs, t).unwrap_err();
        let error = message(&[("TIMESTAMP", "IDS")], DataType::Int64);
        assert_eq!(
            (error.message.as_str(), error.hint.as_deref()),
            ("there is no column IDS", Some("did you mean ID?"))
        );
        assert_eq!(message(&[("TIMESTAMP", "AT")], DataType::Utf8).option.as_deref(), Some("TIMESTAMP"));
        assert_eq!(
            message(&[("TIMESTAMP", "AT")], DataType::Boolean).message,
            "column AT of type Boolean says no time"
        );
        let pairs = [("TIMESTAMP", "AT"), ("TIMESTAMP_FORMAT", "yyyy-QQ")];
        assert_eq!(message(&pairs, DataType::Utf8).option.as_deref(), Some("TIMESTAMP_FORMAT"));
        assert_eq!(message(&pairs, DataType::Int64).option.as_deref(), Some("TIMESTAMP_FORMAT"));
        assert_eq!(message(&pairs[1..], DataType::Int64).option.as_deref(), Some("TIMESTAMP_FORMAT"));
    }
}
