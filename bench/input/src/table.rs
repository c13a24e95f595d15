//! Tables of a workload, and the changes of one tick.

use serde::{Deserialize, Serialize};

use millrace_data::Batch;

/// The changes of one tick: one batch per table, in the order of [`Workload::tables`](crate::Workload::tables). A
/// change of a row is its old form with diff −1, directly followed by its new form with diff 1.
pub type Tick = Vec<Batch>;

/// A table or stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Table {
    /// Its name, in lower case.
    pub name: &'static str,
    /// Its columns, in the order of the batches.
    pub columns: Vec<Column>,
    /// The column that is its primary key. Without one its rows are only ever added.
    pub key: Option<usize>,
    /// The column that is its event time: a BIGINT, epoch ms.
    pub time: Option<usize>,
    /// Whether rows are taken back. Those of a table without a key only in memory: files cannot say it.
    pub retracts: bool,
}

/// A column.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Column {
    /// Its name, in lower case.
    pub name: &'static str,
    /// Its type.
    pub sql_type: SqlType,
}

/// The types that occur.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum SqlType {
    /// 64 bits; Arrow's `Int64`.
    BigInt,
    /// 32 bits; Arrow's `Int32`.
    Int,
    /// Arrow's `Utf8`.
    Varchar,
    /// Digits in all, digits of the fraction; Arrow's `Decimal128`. In JSON a number.
    Decimal(u8, i8),
    /// Arrow's `Date32`. In JSON a text `2026-11-25`.
    Date,
    /// Arrow's `Float64`.
    Double,
}

impl Table {
    /// Rows are only added, nothing is a key, there is no event time.
    pub fn new(name: &'static str, columns: &[(&'static str, SqlType)]) -> Table {
        let columns = columns.iter().map(|(name, sql_type)| Column { name, sql_type: *sql_type }).collect();
        Table { name, columns, key: None, time: None, retracts: false }
    }

    /// With the event time in this column.
    ///
    /// # Panics
    /// If there is no such column.
    #[must_use]
    pub fn timed_by(mut self, column: &str) -> Table {
        self.time = Some(self.column(column));
        self
    }

    /// Of a table whose rows are taken back.
    #[must_use]
    pub fn retracting(mut self) -> Table {
        self.retracts = true;
        self
    }

    /// With this primary key.
    ///
    /// # Panics
    /// If there is no such column.
    #[must_use]
    pub fn keyed_by(mut self, column: &str) -> Table {
        self.key = Some(self.column(column));
        self
    }

    /// Only these columns, in this order. A key or time that is not among them is none.
    ///
    /// # Panics
    /// If there is no such column.
    #[must_use]
    pub fn only(self, names: &[&str]) -> Table {
        let at = |c: Option<usize>| c.and_then(|c| names.iter().position(|n| *n == self.columns[c].name));
        let columns = names.iter().map(|n| self.columns[self.column(n)]).collect();
        Table { name: self.name, key: at(self.key), time: at(self.time), columns, retracts: self.retracts }
    }

    /// The column of this name.
    ///
    /// # Panics
    /// If there is none: names are written in this crate.
    pub fn column(&self, name: &str) -> usize {
        let at = self.columns.iter().position(|c| c.name == name);
        at.unwrap_or_else(|| panic!("{} has no column {name}", self.name))
    }

    /// The column definitions of a CREATE statement, without the key: `auction BIGINT, price BIGINT`.
    pub fn definitions(&self) -> String {
        let columns: Vec<String> = self.columns.iter().map(|c| format!("{} {}", c.name, c.sql_type.sql())).collect();
        columns.join(", ")
    }
}

impl SqlType {
    /// As in a CREATE statement.
    pub fn sql(self) -> String {
        match self {
            SqlType::BigInt => "BIGINT".to_owned(),
            SqlType::Int => "INT".to_owned(),
            SqlType::Varchar => "VARCHAR".to_owned(),
            SqlType::Decimal(precision, scale) => format!("DECIMAL({precision},{scale})"),
            SqlType::Date => "DATE".to_owned(),
            SqlType::Double => "DOUBLE".to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_projection_keeps_what_is_still_there() {
        let table = Table::new("t", &[("a", SqlType::BigInt), ("b", SqlType::Decimal(12, 2)), ("c", SqlType::Varchar)]);
        let table = table.timed_by("a").keyed_by("c").retracting();
        assert_eq!(table.definitions(), "a BIGINT, b DECIMAL(12,2), c VARCHAR");
        let projected = table.only(&["c", "b"]);
        assert_eq!(projected.definitions(), "c VARCHAR, b DECIMAL(12,2)");
        assert_eq!((projected.key, projected.time, projected.retracts), (Some(0), None, true));
    }
}
