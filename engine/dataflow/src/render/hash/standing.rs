//! Results that stand after their window has closed, until they leave.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use arrow::array::ArrayRef;
use millrace_data::Batch;

use crate::errors::Reporter;
use crate::render::hash::groups::Result;
use crate::render::hash::segments::{RowNumber, Segments};

/// See the module.
#[derive(Default)]
pub(super) struct Standing {
    rows: Segments,
    /// Columns of a row.
    width: usize,
    leaving: BinaryHeap<Reverse<(i64, RowNumber)>>,
    /// Error rows, as (message, row), by the time at which they leave.
    failures: BTreeMap<i64, Vec<(String, String)>>,
}

impl Standing {
    /// Results stand; `leaves` says when a row of them leaves, and a failure, by position.
    pub(super) fn add(&mut self, result: Result, leaves: impl Fn(usize) -> i64) {
        if let Some((rows, positions)) = result.rows {
            let first = self.rows.upper();
            self.width = rows.columns().len();
            let marks = vec![false; rows.len()];
            self.rows.push(rows, marks);
            let each = positions.iter().zip(first..);
            self.leaving.extend(each.map(|(position, row)| Reverse((leaves(*position as usize), row))));
        }
        for (position, message, row) in result.failures {
            self.failures.entry(leaves(position)).or_default().push((message, row));
        }
    }

    /// Results leave up to stream time `now`.
    pub(super) fn leave(&mut self, now: i64, reporter: &Reporter, emit: &mut dyn FnMut(Batch)) {
        let mut gone = vec![];
        while let Some(Reverse((leaves, row))) = self.leaving.peek()
            && *leaves <= now
        {
            gone.push(*row);
            self.leaving.pop();
        }
        if !gone.is_empty() {
            let columns: Vec<ArrayRef> = (0..self.width).map(|c| self.rows.column(c, &gone)).collect();
            emit(Batch::new(columns, Some(vec![-1; gone.len()]), gone.len()));
            gone.iter().for_each(|row| self.rows.release(*row));
        }
        while let Some(first) = self.failures.first_entry()
            && *first.key() <= now
        {
            for (message, row) in first.remove() {
                reporter.error("aggregate", message, row, -1);
            }
        }
    }

    /// Bytes of memory, roughly.
    pub(super) fn memory_bytes(&self) -> usize {
        let failures = self.failures.values().flatten().map(|(message, row)| message.len() + row.len()).sum::<usize>();
        self.rows.memory_bytes() + self.leaving.capacity() * size_of::<(i64, RowNumber)>() + failures
    }
}
