//! Values of a result by column name, as the demo shows them.

use arrow::array::{Array, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Int64Type};
use arrow::record_batch::RecordBatch;
use arrow::util::display::{ArrayFormatter, FormatOptions};

/// See the module.
pub(super) struct Cells<'a> {
    rows: &'a RecordBatch,
}

impl<'a> Cells<'a> {
    pub(super) fn new(rows: &'a RecordBatch) -> Self {
        Cells { rows }
    }

    /// The value as text; empty where it is NULL or there is no such column.
    pub(super) fn text(&self, column: &str, row: usize) -> String {
        self.position(column).map_or_else(String::new, |c| self.at(c, row))
    }

    /// The same of a column whose name may have the alias of its relation before it: `R_STARS` for `STARS`.
    pub(super) fn find(&self, column: &str, row: usize) -> String {
        let ends = |name: &str| name.strip_suffix(column).is_some_and(|alias| alias.ends_with('_') && alias.len() == 2);
        let position = self.position(column).or_else(|| self.names().position(ends));
        position.map_or_else(String::new, |c| self.at(c, row))
    }

    /// The value as a whole number.
    pub(super) fn number(&self, column: &str, row: usize) -> Option<i64> {
        let column = self.rows.column(self.position(column)?).slice(row, 1);
        let whole = cast(&column, &DataType::Int64).ok()?;
        let whole = whole.as_primitive::<Int64Type>();
        whole.is_valid(0).then(|| whole.value(0))
    }

    /// All values of the row, in a line.
    pub(super) fn line(&self, row: usize) -> String {
        let values: Vec<String> = (0..self.rows.num_columns()).map(|c| self.at(c, row)).collect();
        values.join("  ")
    }

    fn names(&self) -> impl Iterator<Item = &str> {
        self.rows.schema_ref().fields().iter().map(|field| field.name().as_str())
    }

    fn position(&self, column: &str) -> Option<usize> {
        self.names().position(|name| name == column)
    }

    fn at(&self, column: usize, row: usize) -> String {
        let options = FormatOptions::default();
        let formatter = ArrayFormatter::try_new(self.rows.column(column).as_ref(), &options);
        formatter.map_or_else(|_| String::new(), |formatter| formatter.value(row).to_string())
    }
}

/// `12,345`
pub(in crate::command::demo) fn grouped(number: i64) -> String {
    let digits = number.unsigned_abs().to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3 + 1);
    if number < 0 {
        text.push('-');
    }
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
