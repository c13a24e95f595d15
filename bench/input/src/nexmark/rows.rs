//! Rows on their way to a batch.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringBuilder};
use millrace_data::Batch;

use crate::table::{SqlType, Table};

/// The value of a column.
pub(super) enum Value {
    Int(i64),
    Text(String),
}

/// The rows of one table in one tick.
pub(super) struct Rows {
    pub(super) table: &'static str,
    columns: Vec<(&'static str, Values)>,
    diffs: Vec<i64>,
}

enum Values {
    Ints(Vec<i64>),
    Texts(StringBuilder),
}

impl Rows {
    pub(super) fn new(table: &Table) -> Self {
        let columns = table.columns.iter().map(|c| match c.sql_type {
            SqlType::Varchar => (c.name, Values::Texts(StringBuilder::new())),
            _ => (c.name, Values::Ints(vec![])),
        });
        Rows { table: table.name, columns: columns.collect(), diffs: vec![] }
    }

    /// A change with the values that `of` says.
    ///
    /// # Panics
    /// If a value is not of its column's type.
    pub(super) fn push(&mut self, diff: i64, of: impl Fn(&str) -> Value) {
        for (name, values) in &mut self.columns {
            match (values, of(name)) {
                (Values::Ints(values), Value::Int(x)) => values.push(x),
                (Values::Texts(values), Value::Text(x)) => values.append_value(x),
                _ => panic!("{name} has another type"),
            }
        }
        self.diffs.push(diff);
    }

    pub(super) fn finish(self) -> Batch {
        let len = self.diffs.len();
        let columns = self.columns.into_iter().map(|(_, values)| match values {
            Values::Ints(values) => Arc::new(Int64Array::from(values)) as ArrayRef,
            Values::Texts(mut values) => Arc::new(values.finish()),
        });
        Batch::new(columns.collect(), Some(self.diffs), len)
    }
}
