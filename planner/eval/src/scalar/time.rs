//! Times: printed, read, added to.
//!
//! KSQL has two families: over TIMESTAMP, DATE and TIME (FORMAT_…, PARSE_…), and over epoch milliseconds and days as
//! numbers (TIMESTAMPTOSTRING, STRINGTOTIMESTAMP, …). A zone is an offset; without one it is UTC.

use std::sync::Arc;

use arrow::array::{
    Array, ArrayRef, AsArray, Date32Array, Int32Array, Int64Array, StringArray, Time64MicrosecondArray,
    TimestampMicrosecondArray,
};
use arrow::datatypes::{
    DataType, Date32Type, Int32Type, Int64Type, Time64MicrosecondType, TimeUnit, TimestampMicrosecondType,
};
use chrono::{DateTime, Months, NaiveDateTime, NaiveTime, TimeDelta, Timelike};
use datafusion_common::{Result, exec_datafusion_err, exec_err};
use datafusion_expr::ScalarUDF;

use super::plain;
use super::time_format::{Pattern, zone};
use crate::types::TIMESTAMP;

const TEXT: DataType = DataType::Utf8;
const INT: DataType = DataType::Int32;
const BIGINT: DataType = DataType::Int64;
const DATE: DataType = DataType::Date32;
const TIME: DataType = DataType::Time64(TimeUnit::Microsecond);

/// The functions.
pub(crate) fn all() -> Vec<ScalarUDF> {
    vec![
        plain("format_timestamp", &[&[TIMESTAMP, TEXT], &[TIMESTAMP, TEXT, TEXT]], TEXT, |a| print(a, micros_of)),
        plain("timestamp_to_string", &[&[BIGINT, TEXT], &[BIGINT, TEXT, TEXT]], TEXT, |a| print(a, millis_of)),
        plain("format_date", &[&[DATE, TEXT]], TEXT, |a| print(a, date_of)),
        plain("date_to_string", &[&[INT, TEXT]], TEXT, |a| print(a, days_of)),
        plain("format_time", &[&[TIME, TEXT]], TEXT, |a| print(a, time_of)),
        plain("parse_timestamp", &[&[TEXT, TEXT], &[TEXT, TEXT, TEXT]], TIMESTAMP, |a| {
            Ok(Arc::new(
                read(a, |t| Ok(t.and_utc().timestamp_micros()))?.collect::<Result<TimestampMicrosecondArray>>()?,
            ))
        }),
        plain("string_to_timestamp", &[&[TEXT, TEXT], &[TEXT, TEXT, TEXT]], BIGINT, |a| {
            Ok(Arc::new(read(a, |t| Ok(t.and_utc().timestamp_millis()))?.collect::<Result<Int64Array>>()?))
        }),
        plain("parse_date", &[&[TEXT, TEXT]], DATE, |a| Ok(Arc::new(read(a, days)?.collect::<Result<Date32Array>>()?))),
        plain("string_to_date", &[&[TEXT, TEXT]], INT, |a| {
            Ok(Arc::new(read(a, days)?.collect::<Result<Int32Array>>()?))
        }),
        plain("parse_time", &[&[TEXT, TEXT]], TIME, |a| {
            Ok(Arc::new(read(a, |t| Ok(micros_of_day(t.time())))?.collect::<Result<Time64MicrosecondArray>>()?))
        }),
        plain("unix_timestamp", &[&[TIMESTAMP]], BIGINT, |a| {
            let times = a[0].as_primitive::<TimestampMicrosecondType>();
            Ok(Arc::new(times.iter().map(|t| t.map(|t| t.div_euclid(1000))).collect::<Int64Array>()))
        }),
        plain("from_unixtime", &[&[BIGINT]], TIMESTAMP, |a| {
            let micros = |ms: i64| ms.checked_mul(1000).ok_or_else(|| exec_datafusion_err!("{ms} ms are out of range"));
            let times = a[0].as_primitive::<Int64Type>().iter().map(|ms| ms.map(micros).transpose());
            Ok(Arc::new(times.collect::<Result<TimestampMicrosecondArray>>()?))
        }),
        plain("unix_date", &[&[DATE]], INT, |a| {
            Ok(Arc::new(a[0].as_primitive::<Date32Type>().iter().collect::<Int32Array>()))
        }),
        plain("from_days", &[&[INT]], DATE, |a| {
            Ok(Arc::new(a[0].as_primitive::<Int32Type>().iter().collect::<Date32Array>()))
        }),
        plain("timestampadd", &[&[TEXT, BIGINT, TIMESTAMP]], TIMESTAMP, |a| add_timestamp(a, 1)),
        plain("timestampsub", &[&[TEXT, BIGINT, TIMESTAMP]], TIMESTAMP, |a| add_timestamp(a, -1)),
        plain("dateadd", &[&[TEXT, BIGINT, DATE]], DATE, |a| add_date(a, 1)),
        plain("datesub", &[&[TEXT, BIGINT, DATE]], DATE, |a| add_date(a, -1)),
        plain("timeadd", &[&[TEXT, BIGINT, TIME]], TIME, |a| add_time(a, 1)),
        plain("timesub", &[&[TEXT, BIGINT, TIME]], TIME, |a| add_time(a, -1)),
        plain("convert_tz", &[&[TIMESTAMP, TEXT, TEXT]], TIMESTAMP, convert),
    ]
}

fn at_micros(micros: i64) -> Result<NaiveDateTime> {
    let time = DateTime::from_timestamp_micros(micros);
    time.map(|time| time.naive_utc()).ok_or_else(|| exec_datafusion_err!("{micros} µs are out of range"))
}

fn micros_of(array: &ArrayRef, i: usize) -> Result<NaiveDateTime> {
    at_micros(array.as_primitive::<TimestampMicrosecondType>().value(i))
}

fn millis_of(array: &ArrayRef, i: usize) -> Result<NaiveDateTime> {
    let ms = array.as_primitive::<Int64Type>().value(i);
    let time = DateTime::from_timestamp_millis(ms);
    time.map(|time| time.naive_utc()).ok_or_else(|| exec_datafusion_err!("{ms} ms are out of range"))
}

fn at_days(days: i32) -> Result<NaiveDateTime> {
    at_micros(i64::from(days).saturating_mul(86_400_000_000))
}

fn date_of(array: &ArrayRef, i: usize) -> Result<NaiveDateTime> {
    at_days(array.as_primitive::<Date32Type>().value(i))
}

fn days_of(array: &ArrayRef, i: usize) -> Result<NaiveDateTime> {
    at_days(array.as_primitive::<Int32Type>().value(i))
}

fn time_of(array: &ArrayRef, i: usize) -> Result<NaiveDateTime> {
    at_micros(array.as_primitive::<Time64MicrosecondType>().value(i))
}

fn days(time: NaiveDateTime) -> Result<i32> {
    let days = time.and_utc().timestamp().div_euclid(86_400);
    i32::try_from(days).map_err(|_| exec_datafusion_err!("{time} is out of range"))
}

fn micros_of_day(time: NaiveTime) -> i64 {
    i64::from(time.num_seconds_from_midnight()) * 1_000_000 + i64::from(time.nanosecond() / 1000)
}

/// Patterns and zones of the last row, which are those of the next one as a rule.
#[derive(Default)]
struct Last {
    pattern: Option<(String, Pattern)>,
}

impl Last {
    fn pattern(&mut self, written: &str) -> Result<&Pattern> {
        if self.pattern.as_ref().is_none_or(|(known, _)| known != written) {
            self.pattern = Some((written.to_string(), Pattern::new(written)?));
        }
        match &self.pattern {
            Some((_, pattern)) => Ok(pattern),
            None => exec_err!("'{written}' is no pattern of a time"),
        }
    }
}

fn zone_of(args: &[ArrayRef], i: usize) -> Result<chrono::FixedOffset> {
    zone(args.get(2).map_or("UTC", |zones| zones.as_string::<i32>().value(i)))
}

fn all_valid(args: &[ArrayRef], i: usize) -> bool {
    args.iter().all(|arg| arg.is_valid(i))
}

fn print(args: &[ArrayRef], time: fn(&ArrayRef, usize) -> Result<NaiveDateTime>) -> Result<ArrayRef> {
    let patterns = args[1].as_string::<i32>();
    let mut last = Last::default();
    let rows = (0..args[0].len()).map(|i| {
        if !all_valid(args, i) {
            return Ok(None);
        }
        let zone = zone_of(args, i)?;
        last.pattern(patterns.value(i))?.print(time(&args[0], i)?, zone).map(Some)
    });
    Ok(Arc::new(rows.collect::<Result<StringArray>>()?))
}

fn read<'a, T>(
    args: &'a [ArrayRef],
    value: impl Fn(NaiveDateTime) -> Result<T> + 'a,
) -> Result<impl Iterator<Item = Result<Option<T>>> + 'a> {
    let (texts, patterns) = (args[0].as_string::<i32>(), args[1].as_string::<i32>());
    let mut last = Last::default();
    Ok((0..texts.len()).map(move |i| {
        if !all_valid(args, i) {
            return Ok(None);
        }
        let zone = zone_of(args, i)?;
        value(last.pattern(patterns.value(i))?.read(texts.value(i), zone)?).map(Some)
    }))
}

/// `n` units after a time.
fn after(time: NaiveDateTime, unit: &str, n: i64) -> Result<NaiveDateTime> {
    let out_of_range = || exec_datafusion_err!("{n} {unit} from {time} are out of range");
    let unit_name = unit.to_uppercase();
    let unit_name = unit_name.strip_suffix('S').unwrap_or(&unit_name);
    let months = match unit_name {
        "MONTH" => Some(1),
        "QUARTER" => Some(3),
        "YEAR" => Some(12),
        "DECADE" => Some(120),
        _ => None,
    };
    if let Some(months) = months {
        let count =
            n.checked_mul(months).and_then(|m| u32::try_from(m.unsigned_abs()).ok()).ok_or_else(out_of_range)?;
        let moved = if n < 0 {
            time.checked_sub_months(Months::new(count))
        } else {
            time.checked_add_months(Months::new(count))
        };
        return moved.ok_or_else(out_of_range);
    }
    let delta = match unit_name {
        "MICROSECOND" => Some(TimeDelta::microseconds(n)),
        "MILLISECOND" => TimeDelta::try_milliseconds(n),
        "SECOND" => TimeDelta::try_seconds(n),
        "MINUTE" => TimeDelta::try_minutes(n),
        "HOUR" => TimeDelta::try_hours(n),
        "DAY" => TimeDelta::try_days(n),
        "WEEK" => TimeDelta::try_weeks(n),
        _ => return exec_err!("{unit} is no unit of time"),
    };
    delta.and_then(|delta| time.checked_add_signed(delta)).ok_or_else(out_of_range)
}

fn moved(
    args: &[ArrayRef],
    sign: i64,
    time: fn(&ArrayRef, usize) -> Result<NaiveDateTime>,
) -> impl Iterator<Item = Result<Option<NaiveDateTime>>> + '_ {
    let (units, counts) = (args[0].as_string::<i32>(), args[1].as_primitive::<Int64Type>());
    (0..units.len()).map(move |i| {
        if !all_valid(args, i) {
            return Ok(None);
        }
        let n = counts
            .value(i)
            .checked_mul(sign)
            .ok_or_else(|| exec_datafusion_err!("{} is out of range", counts.value(i)))?;
        after(time(&args[2], i)?, units.value(i), n).map(Some)
    })
}

fn add_timestamp(args: &[ArrayRef], sign: i64) -> Result<ArrayRef> {
    let rows = moved(args, sign, micros_of).map(|row| Ok(row?.map(|time| time.and_utc().timestamp_micros())));
    Ok(Arc::new(rows.collect::<Result<TimestampMicrosecondArray>>()?))
}

fn add_date(args: &[ArrayRef], sign: i64) -> Result<ArrayRef> {
    let rows = moved(args, sign, date_of).map(|row| row?.map(days).transpose());
    Ok(Arc::new(rows.collect::<Result<Date32Array>>()?))
}

fn add_time(args: &[ArrayRef], sign: i64) -> Result<ArrayRef> {
    let rows = moved(args, sign, time_of).map(|row| Ok(row?.map(|time| micros_of_day(time.time()))));
    Ok(Arc::new(rows.collect::<Result<Time64MicrosecondArray>>()?))
}

/// The same clock in another zone.
fn convert(args: &[ArrayRef]) -> Result<ArrayRef> {
    let (from, to) = (args[1].as_string::<i32>(), args[2].as_string::<i32>());
    let rows = (0..from.len()).map(|i| {
        if !all_valid(args, i) {
            return Ok(None);
        }
        let shift = zone(to.value(i))?.local_minus_utc() - zone(from.value(i))?.local_minus_utc();
        let moved = micros_of(&args[0], i)?.checked_add_signed(TimeDelta::seconds(i64::from(shift)));
        let moved = moved.ok_or_else(|| exec_datafusion_err!("the time is out of range"))?;
        Ok(Some(moved.and_utc().timestamp_micros()))
    });
    Ok(Arc::new(rows.collect::<Result<TimestampMicrosecondArray>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(values: &[&str]) -> ArrayRef {
        Arc::new(StringArray::from(values.to_vec()))
    }

    #[test]
    fn months_end_where_they_end() {
        let dates: ArrayRef = Arc::new(Date32Array::from(vec![30]));
        let moved = add_date(&[texts(&["MONTHS"]), Arc::new(Int64Array::from(vec![1])), dates], 1).unwrap();
        // 1970-01-31 and a month
        assert_eq!(moved.as_primitive::<Date32Type>().value(0), 58);
    }

    #[test]
    fn epochs_print() {
        let ms: ArrayRef = Arc::new(Int64Array::from(vec![0, -1]));
        let printed = print(&[ms, texts(&["HH:mm:ss.SSS", "yyyy"])], millis_of).unwrap();
        assert_eq!(printed.as_string::<i32>().value(0), "00:00:00.000");
        assert_eq!(printed.as_string::<i32>().value(1), "1969");
    }
}
