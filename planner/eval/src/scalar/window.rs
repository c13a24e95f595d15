//! Windows of a time, for TUMBLE and HOP: aligned to the epoch, with their start and without their end. Lengths are µs.
//!
//! These are calculations over whole numbers: general arithmetic of TIMESTAMP and INTERVAL goes through calendars.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, TimestampMicrosecondArray};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Int64Type, TimestampMicrosecondType};
use datafusion_common::{DataFusionError, Result, exec_datafusion_err, exec_err};
use datafusion_expr::ScalarUDF;

use super::plain;
use crate::types::TIMESTAMP;
use crate::types::list_of;

const BIGINT: DataType = DataType::Int64;

/// A time may be in so many windows.
pub const WINDOWS_MAX: i64 = 1_000;

/// The functions.
pub(crate) fn all() -> Vec<ScalarUDF> {
    vec![
        plain("window_start", &[&[TIMESTAMP, BIGINT]], TIMESTAMP, |a| each(a, start)),
        plain("window_end", &[&[TIMESTAMP, BIGINT]], TIMESTAMP, |a| {
            each(a, |start, size| start.checked_add(size).ok_or_else(out_of_range))
        }),
        plain("window_starts", &[&[TIMESTAMP, BIGINT, BIGINT]], list_of(TIMESTAMP), starts),
    ]
}

fn out_of_range() -> DataFusionError {
    exec_datafusion_err!("the window is out of range")
}

/// The start of the last window that holds a time, if one begins each `slide`.
fn start(time: i64, slide: i64) -> Result<i64> {
    if slide <= 0 {
        return exec_err!("windows of {slide} µs hold nothing");
    }
    time.div_euclid(slide).checked_mul(slide).ok_or_else(out_of_range)
}

fn each(args: &[ArrayRef], f: fn(i64, i64) -> Result<i64>) -> Result<ArrayRef> {
    let (times, lengths) = (args[0].as_primitive::<TimestampMicrosecondType>(), args[1].as_primitive::<Int64Type>());
    let rows = times.iter().zip(lengths).map(|(time, length)| match (time, length) {
        (Some(time), Some(length)) => f(time, length).map(Some),
        _ => Ok(None),
    });
    Ok(Arc::new(rows.collect::<Result<TimestampMicrosecondArray>>()?))
}

/// The starts of all windows of `size`, one each `slide`, that hold a time; the last one first.
fn starts(args: &[ArrayRef]) -> Result<ArrayRef> {
    let times = args[0].as_primitive::<TimestampMicrosecondType>();
    let (slides, sizes) = (args[1].as_primitive::<Int64Type>(), args[2].as_primitive::<Int64Type>());
    let nulls = NullBuffer::union_many([times.nulls(), slides.nulls(), sizes.nulls()]);
    let mut values: Vec<i64> = vec![];
    let mut ends: Vec<usize> = Vec::with_capacity(times.len() + 1);
    ends.push(0);
    for i in 0..times.len() {
        if nulls.as_ref().is_none_or(|nulls| nulls.is_valid(i)) {
            let (time, slide, size) = (times.value(i), slides.value(i), sizes.value(i));
            let mut at = start(time, slide)?;
            if size / slide > WINDOWS_MAX {
                return exec_err!("a time would be in more than {WINDOWS_MAX} windows");
            }
            while at.checked_add(size).ok_or_else(out_of_range)? > time {
                values.push(at);
                at = at.checked_sub(slide).ok_or_else(out_of_range)?;
            }
        }
        ends.push(values.len());
    }
    let lengths = ends.windows(2).map(|pair| pair[1] - pair[0]);
    let item = Arc::new(Field::new("item", TIMESTAMP, true));
    let values = Arc::new(TimestampMicrosecondArray::from(values));
    Ok(Arc::new(ListArray::try_new(item, OffsetBuffer::from_lengths(lengths), values, nulls)?))
}

#[cfg(test)]
mod tests {
    use arrow::array::Int64Array;

    use super::*;

    fn windows(times: Vec<Option<i64>>, slide: i64, size: i64) -> Vec<Option<Vec<i64>>> {
        let n = times.len();
        let lengths = |length| Arc::new(Int64Array::from(vec![length; n])) as ArrayRef;
        let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from(times));
        let lists = starts(&[times, lengths(slide), lengths(size)]).unwrap();
        let lists = lists.as_list::<i32>();
        let values = |list: ArrayRef| list.as_primitive::<TimestampMicrosecondType>().values().to_vec();
        lists.iter().map(|list| list.map(values)).collect()
    }

    #[test]
    fn a_time_is_in_the_windows_that_hold_it() {
        assert_eq!(windows(vec![Some(10), Some(9), None], 5, 10), [Some(vec![10, 5]), Some(vec![5, 0]), None]);
        assert_eq!(windows(vec![Some(-1)], 4, 10), [Some(vec![-4, -8])]);
        assert_eq!(windows(vec![Some(1)], 4, 10), [Some(vec![0, -4, -8])]);
        assert_eq!(start(-1, 10).unwrap(), -10);
        assert!(start(i64::MIN, 1_000).is_err() && start(0, 0).is_err());
        let lengths = [1, i64::MAX].map(|length| Arc::new(Int64Array::from(vec![length])) as ArrayRef);
        let times: ArrayRef = Arc::new(TimestampMicrosecondArray::from(vec![0]));
        assert!(starts(&[&[times][..], &lengths].concat()).is_err());
    }
}
