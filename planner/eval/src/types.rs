//! SQL's types as Arrow's: names, and the SQL type that stands for an Arrow type.

use std::sync::Arc;

use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType, Field, FieldRef, IntervalUnit, TimeUnit};

/// TIMESTAMP: UTC, in microseconds.
pub const TIMESTAMP: DataType = DataType::Timestamp(TimeUnit::Microsecond, None);

/// As a person writes it: `DECIMAL(10, 2)`, `ARRAY<BIGINT>`.
pub fn type_name(data_type: &DataType) -> String {
    match data_type {
        DataType::Null => "NULL".into(),
        DataType::Boolean => "BOOLEAN".into(),
        DataType::Int8 | DataType::Int16 | DataType::Int32 | DataType::UInt8 | DataType::UInt16 => "INT".into(),
        DataType::Int64 | DataType::UInt32 | DataType::UInt64 => "BIGINT".into(),
        DataType::Float16 | DataType::Float32 | DataType::Float64 => "DOUBLE".into(),
        DataType::Decimal128(p, s) => format!("DECIMAL({p}, {s})"),
        DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View => "VARCHAR".into(),
        DataType::Binary | DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => {
            "BYTES".into()
        }
        DataType::Date32 | DataType::Date64 => "DATE".into(),
        DataType::Time32(_) | DataType::Time64(_) => "TIME".into(),
        DataType::Timestamp(..) => "TIMESTAMP".into(),
        DataType::Interval(_) | DataType::Duration(_) => "INTERVAL".into(),
        DataType::List(item) => format!("ARRAY<{}>", type_name(item.data_type())),
        DataType::Map(entries, _) => match entries.data_type() {
            DataType::Struct(fields) if fields.len() == 2 => {
                format!("MAP<{}, {}>", type_name(fields[0].data_type()), type_name(fields[1].data_type()))
            }
            other => format!("MAP<{other}>"),
        },
        DataType::Struct(fields) => {
            let fields: Vec<String> =
                fields.iter().map(|f| format!("{} {}", f.name(), type_name(f.data_type()))).collect();
            format!("STRUCT<{}>", fields.join(", "))
        }
        other => other.to_string(),
    }
}

/// The SQL type that holds the values of an Arrow type, as plans have it: 32-bit, signed, without views and zones.
/// `None`: there is none.
pub fn sql_type_of(data_type: &DataType) -> Option<DataType> {
    Some(match data_type {
        DataType::Boolean | DataType::Int32 | DataType::Int64 | DataType::Float64 | DataType::Utf8 => data_type.clone(),
        DataType::Binary | DataType::Date32 | DataType::Null => data_type.clone(),
        DataType::Int8 | DataType::Int16 | DataType::UInt8 | DataType::UInt16 => DataType::Int32,
        DataType::UInt32 | DataType::UInt64 => DataType::Int64,
        DataType::Float16 | DataType::Float32 => DataType::Float64,
        DataType::Decimal128(..) => data_type.clone(),
        DataType::Decimal32(p, s) | DataType::Decimal64(p, s) => DataType::Decimal128(*p, *s),
        DataType::Decimal256(p, s) => DataType::Decimal128((*p).min(DECIMAL128_MAX_PRECISION), *s),
        DataType::LargeUtf8 | DataType::Utf8View => DataType::Utf8,
        DataType::LargeBinary | DataType::BinaryView | DataType::FixedSizeBinary(_) => DataType::Binary,
        DataType::Date64 | DataType::Timestamp(..) => TIMESTAMP,
        DataType::Time32(_) | DataType::Time64(_) => DataType::Time64(TimeUnit::Microsecond),
        DataType::Interval(_) | DataType::Duration(_) => DataType::Interval(IntervalUnit::MonthDayNano),
        DataType::List(item) | DataType::LargeList(item) | DataType::FixedSizeList(item, _) => {
            list_of(sql_type_of(item.data_type())?)
        }
        DataType::ListView(item) | DataType::LargeListView(item) => list_of(sql_type_of(item.data_type())?),
        DataType::Struct(fields) => DataType::Struct(
            fields
                .iter()
                .map(|f| Some(Arc::new(Field::new(f.name(), sql_type_of(f.data_type())?, true))))
                .collect::<Option<Vec<FieldRef>>>()?
                .into(),
        ),
        DataType::Map(entries, _) => {
            let DataType::Struct(fields) = entries.data_type() else { return None };
            let [key, value] = fields.as_ref() else { return None };
            map_of(sql_type_of(key.data_type())?, sql_type_of(value.data_type())?)
        }
        DataType::Dictionary(_, values) => sql_type_of(values)?,
        _ => return None,
    })
}

/// ARRAY<item>.
pub fn list_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("item", item, true)))
}

/// MAP<key, value>.
pub fn map_of(key: DataType, value: DataType) -> DataType {
    let entries = vec![Field::new("key", key, false), Field::new("value", value, true)];
    DataType::Map(Arc::new(Field::new("entries", DataType::Struct(entries.into()), false)), false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_as_sql() {
        let nested = map_of(DataType::Utf8, list_of(DataType::Decimal128(10, 2)));
        assert_eq!(type_name(&nested), "MAP<VARCHAR, ARRAY<DECIMAL(10, 2)>>");
    }

    #[test]
    fn foreign_types_become_sql_types() {
        assert_eq!(sql_type_of(&DataType::UInt64), Some(DataType::Int64));
        assert_eq!(sql_type_of(&DataType::Timestamp(TimeUnit::Nanosecond, Some("+00:00".into()))), Some(TIMESTAMP));
        assert_eq!(
            sql_type_of(&DataType::Union(arrow::datatypes::UnionFields::empty(), arrow::datatypes::UnionMode::Dense)),
            None
        );
    }
}
