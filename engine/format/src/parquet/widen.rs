//! From the types of files to those of SQL, without losing anything but nanoseconds.
//!
//! | from | to |
//! |---|---|
//! | whole numbers | INT, BIGINT, DECIMAL that hold all of them; DOUBLE if it holds them exactly |
//! | floats | DOUBLE |
//! | decimals of any width | DECIMAL with as many digits before and behind the point |
//! | texts, bytes of any layout | VARCHAR, BYTES |
//! | dates; times, timestamps of any unit and zone | DATE; TIME, TIMESTAMP in µs, UTC; nanoseconds are cut off |
//! | lists of any layout, maps, structs | ARRAY, MAP, STRUCT of what their parts widen to; fields by name |
//! | dictionaries | what their values widen to |
//! | nothing (all NULL) | everything |

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, PrimitiveArray, StructArray, new_null_array};
use arrow::buffer::{OffsetBuffer, ScalarBuffer};
use arrow::compute::{CastOptions, cast_with_options};
use arrow::datatypes::{
    DataType, Field, FieldRef, Fields, Time64MicrosecondType, Time64NanosecondType, TimeUnit, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType,
};
use arrow::error::ArrowError;
use millrace_data::canonical::canonical;

const MICROSECOND_TIMESTAMP: DataType = DataType::Timestamp(TimeUnit::Microsecond, None);

/// The SQL type that holds every value of a file's type; `None` if there is none.
pub(crate) fn sql_type(from: &DataType) -> Option<DataType> {
    Some(match from {
        DataType::Boolean => DataType::Boolean,
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16 => DataType::Int32,
        DataType::Int64 | DataType::UInt32 => DataType::Int64,
        DataType::UInt64 => DataType::Decimal128(20, 0),
        DataType::Float16 | DataType::Float32 | DataType::Float64 => DataType::Float64,
        DataType::Decimal32(p, s)
        | DataType::Decimal64(p, s)
        | DataType::Decimal128(p, s)
        | DataType::Decimal256(p, s)
            if *p <= 38 && *s >= 0 =>
        {
            DataType::Decimal128(*p, *s)
        }
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View | DataType::Null => DataType::Utf8,
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            DataType::Binary
        }
        DataType::Date32 | DataType::Date64 => DataType::Date32,
        DataType::Time32(_) | DataType::Time64(_) => DataType::Time64(TimeUnit::Microsecond),
        DataType::Timestamp(_, _) => MICROSECOND_TIMESTAMP,
        DataType::Dictionary(_, values) => sql_type(values)?,
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            DataType::List(Arc::new(Field::new("item", sql_type(item.data_type())?, true)))
        }
        DataType::Map(entries, _) => {
            let (key, value) = entry_types(entries)?;
            let fields = vec![Field::new("key", sql_type(key)?, false), Field::new("value", sql_type(value)?, true)];
            DataType::Map(Arc::new(Field::new("entries", DataType::Struct(fields.into()), false)), false)
        }
        DataType::Struct(fields) => {
            let fields = fields.iter().map(|f| Some(Field::new(f.name(), sql_type(f.data_type())?, true)));
            DataType::Struct(fields.collect::<Option<Fields>>()?)
        }
        _ => return None,
    })
}

/// Whether every value of `from` is one of `to`, which is a type of SQL.
pub(crate) fn widens(from: &DataType, to: &DataType) -> bool {
    match (from, to) {
        (DataType::Null, _) => true,
        (DataType::Dictionary(_, values), _) => widens(values, to),
        (DataType::List(a) | DataType::LargeList(a) | DataType::FixedSizeList(a, _), DataType::List(b)) => {
            widens(a.data_type(), b.data_type())
        }
        (DataType::Map(a, _), DataType::Map(b, _)) => match (entry_types(a), entry_types(b)) {
            (Some(a), Some(b)) => widens(a.0, b.0) && widens(a.1, b.1),
            _ => false,
        },
        (DataType::Struct(a), DataType::Struct(b)) => b
            .iter()
            .all(|field| find_field(a, field.name()).is_none_or(|i| widens(a[i].data_type(), field.data_type()))),
        (_, DataType::Decimal128(p, s)) => decimal_digits(from)
            .is_some_and(|(from_p, from_s)| from_s <= *s && from_p.cast_signed() - from_s <= p.cast_signed() - s),
        (_, DataType::Int64) => matches!(sql_type(from), Some(DataType::Int32 | DataType::Int64)),
        (_, DataType::Float64) => {
            from != &DataType::Int64
                && matches!(sql_type(from), Some(DataType::Int32 | DataType::Int64 | DataType::Float64))
        }
        _ => sql_type(from).as_ref() == Some(to),
    }
}

/// Precision and scale of the decimals that hold a type's values.
fn decimal_digits(from: &DataType) -> Option<(u8, i8)> {
    Some(match from {
        DataType::Int8 | DataType::UInt8 => (3, 0),
        DataType::Int16 | DataType::UInt16 => (5, 0),
        DataType::Int32 | DataType::UInt32 => (10, 0),
        DataType::Int64 => (19, 0),
        DataType::UInt64 => (20, 0),
        DataType::Decimal32(p, s)
        | DataType::Decimal64(p, s)
        | DataType::Decimal128(p, s)
        | DataType::Decimal256(p, s)
            if *p <= 38 && *s >= 0 =>
        {
            (*p, *s)
        }
        _ => return None,
    })
}

fn entry_types(entries: &FieldRef) -> Option<(&DataType, &DataType)> {
    let DataType::Struct(fields) = entries.data_type() else { return None };
    let [key, value] = fields.as_ref() else { return None };
    Some((key.data_type(), value.data_type()))
}

/// The field of this name: exactly, or else the first one in another case.
pub(crate) fn find_field(fields: &Fields, name: &str) -> Option<usize> {
    let lower = name.to_lowercase();
    let exact = fields.iter().position(|f| f.name() == name);
    exact.or_else(|| fields.iter().position(|f| f.name().to_lowercase() == lower))
}

/// The column as one of type `to`, to which its type [`widens`].
///
/// # Errors
/// If a value is beyond the range of `to`, which a time in seconds can be, or offsets are.
pub(crate) fn widen(column: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    let from = column.data_type();
    Ok(match (from, to) {
        (DataType::Null, _) => new_null_array(to, column.len()),
        (DataType::Dictionary(_, values), _) => widen(&cast(column, values)?, to)?,
        (DataType::Timestamp(unit, _), &MICROSECOND_TIMESTAMP) => widen_timestamp(column, *unit)?,
        (DataType::Time64(TimeUnit::Nanosecond), _) => {
            let times = column.as_primitive::<Time64NanosecondType>();
            Arc::new(times.unary::<_, Time64MicrosecondType>(|ns| ns / 1000))
        }
        (DataType::List(_), DataType::List(item)) => {
            let list = column.as_list::<i32>();
            let items = widen(list.values(), item.data_type())?;
            Arc::new(ListArray::try_new(Arc::clone(item), list.offsets().clone(), items, list.nulls().cloned())?)
        }
        (DataType::LargeList(_), DataType::List(item)) => {
            let list = column.as_list::<i64>();
            let items = widen(list.values(), item.data_type())?;
            let offsets = list.offsets().iter().map(|o| i32::try_from(*o).map_err(|_| overflow("list offset")));
            let offsets = OffsetBuffer::new(offsets.collect::<Result<ScalarBuffer<i32>, _>>()?);
            Arc::new(ListArray::try_new(Arc::clone(item), offsets, items, list.nulls().cloned())?)
        }
        (DataType::FixedSizeList(item, _), DataType::List(_)) => {
            widen(&cast(column, &DataType::List(Arc::clone(item)))?, to)?
        }
        (DataType::Map(_, _), DataType::Map(entries, sorted)) => widen_map(column.as_map(), entries, *sorted)?,
        (DataType::Struct(_), DataType::Struct(fields)) => widen_struct(column.as_struct(), fields)?,
        _ => {
            let column = if from == to { Arc::clone(column) } else { cast(column, to)? };
            canonical(&column)
        }
    })
}

fn cast(column: &ArrayRef, to: &DataType) -> Result<ArrayRef, ArrowError> {
    cast_with_options(column, to, &CastOptions { safe: false, ..CastOptions::default() })
}

fn overflow(what: &str) -> ArrowError {
    ArrowError::ArithmeticOverflow(format!("{what} out of range"))
}

/// Instants stay what they are, whatever the zone that they are shown in.
fn widen_timestamp(column: &ArrayRef, unit: TimeUnit) -> Result<ArrayRef, ArrowError> {
    let times = |factor: i64| move |t: i64| t.checked_mul(factor).ok_or_else(|| overflow("timestamp"));
    let out: PrimitiveArray<TimestampMicrosecondType> = match unit {
        TimeUnit::Second => column.as_primitive::<TimestampSecondType>().try_unary(times(1_000_000))?,
        TimeUnit::Millisecond => column.as_primitive::<TimestampMillisecondType>().try_unary(times(1_000))?,
        TimeUnit::Microsecond => {
            column.as_primitive::<TimestampMicrosecondType>().clone().with_timezone_opt(None::<Arc<str>>)
        }
        TimeUnit::Nanosecond => column.as_primitive::<TimestampNanosecondType>().unary(|ns| ns.div_euclid(1_000)),
    };
    Ok(Arc::new(out))
}

fn widen_map(map: &MapArray, entries: &FieldRef, sorted: bool) -> Result<ArrayRef, ArrowError> {
    let DataType::Struct(fields) = entries.data_type() else {
        return Err(ArrowError::SchemaError(format!("entries of type {}", entries.data_type())));
    };
    let columns = vec![widen(map.keys(), fields[0].data_type())?, widen(map.values(), fields[1].data_type())?];
    let parts = StructArray::try_new_with_length(fields.clone(), columns, None, map.entries().len())?;
    let offsets = map.offsets().clone();
    Ok(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, parts, map.nulls().cloned(), sorted)?))
}

fn widen_struct(row: &StructArray, fields: &Fields) -> Result<ArrayRef, ArrowError> {
    let columns = fields.iter().map(|field| match find_field(row.fields(), field.name()) {
        Some(i) => widen(row.column(i), field.data_type()),
        None => Ok(new_null_array(field.data_type(), row.len())),
    });
    let columns = columns.collect::<Result<Vec<_>, _>>()?;
    Ok(Arc::new(StructArray::try_new_with_length(fields.clone(), columns, row.nulls().cloned(), row.len())?))
}

#[cfg(test)]
mod tests {
    use arrow::array::{
        Date64Array, Decimal256Array, DictionaryArray, FixedSizeListArray, Float32Array, Float64Array, Int8Array,
        Int32Array, Int64Array, LargeListArray, LargeStringArray, NullArray, StringViewArray, Time32SecondArray,
        TimestampMillisecondArray, TimestampNanosecondArray, TimestampSecondArray, UInt32Array, UInt64Array,
    };
    use arrow::datatypes::{Int32Type, Int64Type, UInt8Type, i256};
    use arrow::util::display::array_value_to_string;

    use super::*;

    fn check(column: impl Array + 'static, to: &DataType, want: &[&str]) {
        let column: ArrayRef = Arc::new(column);
        assert!(widens(column.data_type(), to), "{} to {to}", column.data_type());
        let out = widen(&column, to).expect("it widens");
        assert_eq!(out.data_type(), to);
        let shown: Vec<String> =
            (0..out.len()).map(|i| array_value_to_string(&out, i).expect("a value that can be shown")).collect();
        assert_eq!(shown, want);
    }

    #[test]
    fn numbers() {
        check(Int8Array::from(vec![Some(-1), None]), &DataType::Int32, &["-1", ""]);
        check(UInt32Array::from(vec![u32::MAX]), &DataType::Int64, &["4294967295"]);
        check(UInt32Array::from(vec![u32::MAX]), &DataType::Float64, &["4294967295.0"]);
        check(UInt64Array::from(vec![u64::MAX]), &DataType::Decimal128(22, 2), &["18446744073709551615.00"]);
        check(Float32Array::from(vec![-0.0, 1.5]), &DataType::Float64, &["0.0", "1.5"]);
        check(Float64Array::from(vec![-0.0]), &DataType::Float64, &["0.0"]);
        let wide = Decimal256Array::from(vec![i256::from(12345)]).with_precision_and_scale(38, 3).expect("fits");
        check(wide, &DataType::Decimal128(38, 3), &["12.345"]);
        check(NullArray::new(2), &DataType::Int64, &["", ""]);
    }

    #[test]
    fn texts_and_times() {
        check(LargeStringArray::from(vec!["a"]), &DataType::Utf8, &["a"]);
        check(
            StringViewArray::from(vec!["a long text that is not inlined"]),
            &DataType::Utf8,
            &["a long text that is not inlined"],
        );
        let words: DictionaryArray<UInt8Type> = vec!["b", "a", "b"].into_iter().collect();
        check(words, &DataType::Utf8, &["b", "a", "b"]);
        check(Date64Array::from(vec![86_400_000]), &DataType::Date32, &["1970-01-02"]);
        check(Time32SecondArray::from(vec![61]), &DataType::Time64(TimeUnit::Microsecond), &["00:01:01"]);
        check(TimestampSecondArray::from(vec![1]), &MICROSECOND_TIMESTAMP, &["1970-01-01T00:00:01"]);
        check(
            TimestampMillisecondArray::from(vec![1]).with_timezone("+02:00"),
            &MICROSECOND_TIMESTAMP,
            &["1970-01-01T00:00:00.001"],
        );
        check(TimestampNanosecondArray::from(vec![-1]), &MICROSECOND_TIMESTAMP, &["1969-12-31T23:59:59.999999"]);
        let far: ArrayRef = Arc::new(TimestampSecondArray::from(vec![i64::MAX]));
        assert!(widen(&far, &MICROSECOND_TIMESTAMP).is_err());
    }

    #[test]
    fn nested() {
        let list = |t| DataType::List(Arc::new(Field::new("item", t, true)));
        let ints = || vec![Some(vec![Some(1), None]), None];
        check(LargeListArray::from_iter_primitive::<Int32Type, _, _>(ints()), &list(DataType::Int64), &["[1, ]", ""]);
        check(
            FixedSizeListArray::from_iter_primitive::<Int32Type, _, _>(ints(), 2),
            &list(DataType::Int32),
            &["[1, ]", ""],
        );
        check(
            ListArray::from_iter_primitive::<Int64Type, _, _>(vec![Some(vec![Some(-1)])]),
            &list(DataType::Decimal128(20, 1)),
            &["[-1.0]"],
        );
        let field = |name, t| Field::new(name, t, true);
        let row = StructArray::from(vec![
            (Arc::new(field("a", DataType::Int32)), Arc::new(Int32Array::from(vec![1])) as ArrayRef),
            (Arc::new(field("b", DataType::Int64)), Arc::new(Int64Array::from(vec![2])) as ArrayRef),
        ]);
        let to = DataType::Struct(vec![field("B", DataType::Int64), field("C", DataType::Utf8)].into());
        check(row, &to, &["{B: 2, C: }"]);
    }

    #[test]
    fn what_could_lose_is_refused() {
        for (from, to) in [
            (DataType::Int64, DataType::Int32),
            (DataType::UInt32, DataType::Int32),
            (DataType::UInt64, DataType::Int64),
            (DataType::Int64, DataType::Float64),
            (DataType::Float64, DataType::Int64),
            (DataType::Decimal128(10, 2), DataType::Decimal128(10, 3)),
            (DataType::Decimal128(10, 2), DataType::Decimal128(9, 1)),
            (DataType::Int64, DataType::Decimal128(18, 0)),
            (DataType::Binary, DataType::Utf8),
            (DataType::Utf8, DataType::Int64),
            (DataType::Date32, MICROSECOND_TIMESTAMP),
            (DataType::Duration(TimeUnit::Second), DataType::Int64),
        ] {
            assert!(!widens(&from, &to), "{from} to {to}");
        }
        assert_eq!(sql_type(&DataType::Decimal256(40, 2)), None);
        assert_eq!(sql_type(&DataType::Duration(TimeUnit::Second)), None);
    }
}
