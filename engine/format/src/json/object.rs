//! Objects: the columns of a record or of a STRUCT.
//!
//! A field that is missing is NULL, one that is not asked for is passed over, of one that comes twice the last counts,
//! and one with exactly the column's name counts before one that only differs in case, wherever it stands.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use arrow::error::ArrowError;

use crate::column::Column;
use crate::error::Reason;
use crate::json::cursor::Cursor;
use crate::json::names::{Names, Target};
use crate::json::value::push_value;

/// Columns with names; see the module.
#[derive(Debug)]
pub(crate) struct Object {
    names: Names,
    columns: Vec<Column>,
    /// Rows pushed.
    rows: usize,
    /// For each column the object that last had it, as `turn`, or `turn` + 1 under its exact name.
    seen: Vec<u64>,
    turn: u64,
    /// The column that is being read.
    current: u32,
}

impl Object {
    /// An object type of these columns.
    pub(crate) fn new<'a>(names: impl Iterator<Item = &'a str>, columns: Vec<Column>) -> Self {
        let seen = vec![0; columns.len()];
        Object { names: Names::new(names), columns, rows: 0, seen, turn: 0, current: Target::UNKNOWN }
    }

    /// Rows.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// The column at which the last object failed, if it was in one.
    pub(crate) fn failed_column(&self) -> Option<usize> {
        (self.current != Target::UNKNOWN).then_some(self.current as usize)
    }

    /// Appends a row of NULLs.
    pub(crate) fn push_nulls(&mut self) {
        for column in &mut self.columns {
            column.push_null();
        }
        self.rows += 1;
    }

    /// Keeps the first `rows`. Also takes back the columns of a row that was broken off.
    pub(crate) fn truncate(&mut self, rows: usize) {
        for column in &mut self.columns {
            column.truncate(rows);
        }
        self.rows = rows;
    }

    /// Reads an object, of which the cursor stands at the brace, as a row.
    ///
    /// # Errors
    /// If it is broken. The row is half there then: [`truncate`](Self::truncate) before reading on.
    pub(crate) fn push_object(&mut self, cursor: &mut Cursor<'_>, level: usize) -> Result<(), Reason> {
        self.turn += 2;
        let (mut step, mut n_seen) = (0, 0);
        loop {
            self.current = Target::UNKNOWN;
            let Some(target) = self.names.next(cursor, &mut step)? else { break };
            let c = target.column as usize;
            let (Some(column), Some(seen)) = (self.columns.get_mut(c), self.seen.get_mut(c)) else {
                cursor.skip_value(level)?;
                continue;
            };
            self.current = target.column;
            let mark = self.turn + u64::from(target.exact);
            if *seen < self.turn {
                n_seen += 1;
            } else if mark < *seen {
                cursor.skip_value(level)?;
                continue;
            } else {
                column.truncate(self.rows);
            }
            *seen = mark;
            push_value(column, cursor, level)?;
        }
        if n_seen < self.columns.len() {
            for (column, seen) in self.columns.iter_mut().zip(&self.seen) {
                if *seen < self.turn {
                    column.push_null();
                }
            }
        }
        self.rows += 1;
        Ok(())
    }

    /// The columns, as these types.
    ///
    /// # Errors
    /// As [`Column::finish`].
    pub(crate) fn finish<'a>(
        &mut self,
        types: impl Iterator<Item = &'a DataType>,
    ) -> Result<Vec<ArrayRef>, ArrowError> {
        self.rows = 0;
        self.columns.iter_mut().zip(types).map(|(column, data_type)| column.finish(data_type)).collect()
    }

    /// Some of the columns, as these types; the others are emptied.
    ///
    /// # Errors
    /// As [`Column::finish`].
    pub(crate) fn finish_some(&mut self, wanted: &[(usize, DataType)]) -> Result<Vec<ArrayRef>, ArrowError> {
        let mut out: Vec<ArrayRef> = Vec::with_capacity(wanted.len());
        for (i, (c, data_type)) in wanted.iter().enumerate() {
            // A column may be wanted twice.
            match wanted[..i].iter().position(|(earlier, _)| earlier == c) {
                Some(earlier) => out.push(Arc::clone(&out[earlier])),
                None => out.push(self.columns[*c].finish(data_type)?),
            }
        }
        self.truncate(0);
        Ok(out)
    }
}
