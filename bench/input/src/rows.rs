//! Rows on their way to a batch.

use std::sync::Arc;

use arrow::array::{ArrayRef, Date32Array, Decimal128Array, Float64Array, Int32Array, Int64Array, StringBuilder};
use arrow::datatypes::DataType;
use millrace_data::Batch;

use crate::table::{SqlType, Table};

/// The value of a column.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Value {
    /// BIGINT or INT.
    Int(i64),
    /// VARCHAR.
    Text(String),
    /// DECIMAL, without its point.
    Decimal(i128),
    /// DATE: days since 1970-01-01.
    Date(i32),
    /// DOUBLE.
    Double(f64),
    /// NULL of any type.
    Null,
}

impl Value {
    /// A text or NULL.
    pub(crate) fn text(text: Option<String>) -> Value {
        text.map_or(Value::Null, Value::Text)
    }
    /// A whole number or NULL.
    pub(crate) fn int(x: Option<i64>) -> Value {
        x.map_or(Value::Null, Value::Int)
    }
}

/// The rows of one table in one tick.
pub(crate) struct Rows {
    /// Whose rows.
    pub(crate) table: &'static str,
    columns: Vec<(&'static str, Values)>,
    diffs: Vec<i64>,
}

enum Values {
    Ints(Vec<Option<i64>>),
    Int32s(Vec<Option<i32>>),
    Texts(StringBuilder),
    Decimals(Vec<Option<i128>>, DataType),
    Dates(Vec<Option<i32>>),
    Doubles(Vec<Option<f64>>),
}

impl Rows {
    /// None yet.
    pub(crate) fn new(table: &Table) -> Self {
        let columns = table.columns.iter().map(|c| {
            let values = match c.sql_type {
                SqlType::BigInt => Values::Ints(vec![]),
                SqlType::Int => Values::Int32s(vec![]),
                SqlType::Varchar => Values::Texts(StringBuilder::new()),
                SqlType::Decimal(precision, scale) => Values::Decimals(vec![], DataType::Decimal128(precision, scale)),
                SqlType::Date => Values::Dates(vec![]),
                SqlType::Double => Values::Doubles(vec![]),
            };
            (c.name, values)
        });
        Rows { table: table.name, columns: columns.collect(), diffs: vec![] }
    }

    /// A change with the values that `of` says.
    ///
    /// # Panics
    /// If a value is not of its column's type.
    pub(crate) fn push(&mut self, diff: i64, of: impl Fn(&'static str) -> Value) {
        for (name, values) in &mut self.columns {
            match (values, of(name)) {
                (Values::Ints(values), Value::Int(x)) => values.push(Some(x)),
                (Values::Ints(values), Value::Null) => values.push(None),
                (Values::Int32s(values), Value::Int(x)) => values.push(Some(x as i32)),
                (Values::Int32s(values), Value::Null) => values.push(None),
                (Values::Texts(values), Value::Text(x)) => values.append_value(x),
                (Values::Texts(values), Value::Null) => values.append_null(),
                (Values::Decimals(values, _), Value::Decimal(x)) => values.push(Some(x)),
                (Values::Decimals(values, _), Value::Null) => values.push(None),
                (Values::Dates(values), Value::Date(x)) => values.push(Some(x)),
                (Values::Dates(values), Value::Null) => values.push(None),
                (Values::Doubles(values), Value::Double(x)) => values.push(Some(x)),
                (Values::Doubles(values), Value::Null) => values.push(None),
                (_, value) => panic!("{name} has another type than {value:?}"),
            }
        }
        self.diffs.push(diff);
    }

    /// The batch.
    pub(crate) fn finish(self) -> Batch {
        let len = self.diffs.len();
        let columns = self.columns.into_iter().map(|(_, values)| values.finish()).collect();
        Batch::new(columns, Some(self.diffs), len)
    }
}

impl Values {
    fn finish(self) -> ArrayRef {
        match self {
            Values::Ints(values) => Arc::new(Int64Array::from(values)),
            Values::Int32s(values) => Arc::new(Int32Array::from(values)),
            Values::Texts(mut values) => Arc::new(values.finish()),
            Values::Decimals(values, data_type) => Arc::new(Decimal128Array::from(values).with_data_type(data_type)),
            Values::Dates(values) => Arc::new(Date32Array::from(values)),
            Values::Doubles(values) => Arc::new(Float64Array::from(values)),
        }
    }
}
