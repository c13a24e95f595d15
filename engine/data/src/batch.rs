//! A run of updates of one tick.
//!
//! # Contract
//! All columns have `len` rows; `diffs`, where present, too. Absent diffs mean that every row is an insertion, which is
//! what most batches are and what costs nothing to say. A diff is never 0. Columns are immutable and shared: a clone or
//! a slice copies no row.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, UInt32Array, new_empty_array};
use arrow::buffer::ScalarBuffer;
use arrow::compute::{concat, filter, take};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use arrow::record_batch::{RecordBatch, RecordBatchOptions};

/// Rows with diffs; see the module.
#[derive(Clone, Debug, Default)]
pub struct Batch {
    columns: Vec<ArrayRef>,
    diffs: Option<ScalarBuffer<i64>>,
    len: usize,
}

impl Batch {
    /// A batch of `len` rows. Diffs that are all 1 are dropped.
    ///
    /// # Panics
    /// If a column or the diffs have another length.
    pub fn new(columns: Vec<ArrayRef>, diffs: Option<Vec<i64>>, len: usize) -> Self {
        for column in &columns {
            assert_eq!(column.len(), len, "column length");
        }
        if let Some(diffs) = &diffs {
            assert_eq!(diffs.len(), len, "diff length");
        }
        let diffs = diffs.filter(|d| d.iter().any(|d| *d != 1)).map(ScalarBuffer::from);
        Batch { columns, diffs, len }
    }

    /// Insertions of all rows of `rows`.
    pub fn from_record_batch(rows: &RecordBatch) -> Self {
        Batch { columns: rows.columns().to_vec(), diffs: None, len: rows.num_rows() }
    }

    /// No rows of these types.
    pub fn empty<'a>(types: impl IntoIterator<Item = &'a DataType>) -> Self {
        Batch { columns: types.into_iter().map(new_empty_array).collect(), diffs: None, len: 0 }
    }

    /// Rows.
    pub fn len(&self) -> usize {
        self.len
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }
    /// The columns.
    pub fn columns(&self) -> &[ArrayRef] {
        &self.columns
    }
    /// Column `c`.
    pub fn column(&self, c: usize) -> &ArrayRef {
        &self.columns[c]
    }
    /// The diffs, absent when all are 1.
    pub fn diffs(&self) -> Option<&[i64]> {
        self.diffs.as_deref()
    }
    /// Diff of row `i`.
    #[inline]
    pub fn diff(&self, i: usize) -> i64 {
        self.diffs.as_ref().map_or(1, |d| d[i])
    }
    /// The diffs as a vector, 1s included.
    pub fn diffs_to_vec(&self) -> Vec<i64> {
        self.diffs.as_ref().map_or_else(|| vec![1; self.len], |d| d.to_vec())
    }

    /// The columns as an Arrow record batch, diffs left aside.
    ///
    /// # Errors
    /// If the columns do not have the types of `schema`.
    pub fn to_record_batch(&self, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
        let options = RecordBatchOptions::new().with_row_count(Some(self.len));
        RecordBatch::try_new_with_options(Arc::clone(schema), self.columns.clone(), &options)
    }

    /// The same rows and diffs under other columns, which must have the same length.
    pub fn with_columns(&self, columns: Vec<ArrayRef>) -> Self {
        for column in &columns {
            assert_eq!(column.len(), self.len, "column length");
        }
        Batch { columns, diffs: self.diffs.clone(), len: self.len }
    }

    /// Some of the columns.
    pub fn project(&self, columns: &[usize]) -> Self {
        let columns = columns.iter().map(|c| Arc::clone(&self.columns[*c])).collect();
        Batch { columns, diffs: self.diffs.clone(), len: self.len }
    }

    /// Rows `offset..offset + len`, shared.
    pub fn slice(&self, offset: usize, len: usize) -> Self {
        if offset == 0 && len == self.len {
            return self.clone();
        }
        Batch {
            columns: self.columns.iter().map(|c| c.slice(offset, len)).collect(),
            diffs: self.diffs.as_ref().map(|d| d.slice(offset, len)),
            len,
        }
    }

    /// Rows at `indices`, in that order.
    ///
    /// # Panics
    /// If an index is out of range.
    #[allow(clippy::expect_used)]
    pub fn take(&self, indices: &[u32]) -> Self {
        let positions = UInt32Array::from(indices.to_vec());
        let columns = self.columns.iter().map(|c| take(c, &positions, None).expect("indices are in range")).collect();
        let diffs = self.diffs.as_ref().map(|d| indices.iter().map(|i| d[*i as usize]).collect());
        Batch { columns, diffs, len: indices.len() }
    }

    /// Rows where `mask` is TRUE.
    ///
    /// # Panics
    /// If `mask` has another length.
    #[allow(clippy::expect_used)]
    pub fn filter(&self, mask: &BooleanArray) -> Self {
        assert_eq!(mask.len(), self.len, "mask length");
        let kept =
            if mask.null_count() == 0 { mask.true_count() } else { mask.iter().filter(|m| *m == Some(true)).count() };
        if kept == self.len {
            return self.clone();
        }
        let columns = self.columns.iter().map(|c| filter(c, mask).expect("mask fits")).collect();
        let diffs = self
            .diffs
            .as_ref()
            .map(|d| (0..self.len).filter(|i| mask.is_valid(*i) && mask.value(*i)).map(|i| d[i]).collect());
        Batch { columns, diffs, len: kept }
    }

    /// Every diff with the other sign.
    pub fn negate(&self) -> Self {
        let diffs = (0..self.len).map(|i| -self.diff(i)).collect::<Vec<_>>();
        Batch::new(self.columns.clone(), Some(diffs), self.len)
    }

    /// One batch of all rows, in order. The batches have the same types; none gives a batch without columns.
    ///
    /// # Panics
    /// If the types differ.
    #[allow(clippy::expect_used)]
    pub fn concat(batches: &[Batch]) -> Self {
        match batches {
            [] => Batch::default(),
            [one] => one.clone(),
            [first, ..] => {
                let len = batches.iter().map(Batch::len).sum();
                let columns = (0..first.columns.len())
                    .map(|c| {
                        let parts: Vec<&dyn Array> = batches.iter().map(|b| b.columns[c].as_ref()).collect();
                        concat(&parts).expect("equal types")
                    })
                    .collect();
                let diffs = batches
                    .iter()
                    .any(|b| b.diffs.is_some())
                    .then(|| batches.iter().flat_map(|b| (0..b.len).map(|i| b.diff(i))).collect());
                Batch { columns, diffs, len }
            }
        }
    }

    /// Bytes of memory that the batch keeps alive; shared buffers count fully.
    pub fn memory_bytes(&self) -> usize {
        self.columns.iter().map(|c| c.get_array_memory_size()).sum::<usize>()
            + self.diffs.as_ref().map_or(0, |d| d.len() * 8)
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, StringArray};

    use super::*;

    fn sample() -> Batch {
        let columns: Vec<ArrayRef> = vec![
            Arc::new(Int64Array::from(vec![Some(1), None, Some(3)])),
            Arc::new(StringArray::from(vec![Some("a"), Some(""), None])),
        ];
        Batch::new(columns, Some(vec![1, -1, 2]), 3)
    }

    #[test]
    fn diffs_follow_their_rows() {
        let batch = sample();
        assert_eq!(batch.take(&[2, 0]).diffs(), Some(&[2, 1][..]));
        assert_eq!(batch.slice(1, 2).diffs(), Some(&[-1, 2][..]));
        assert_eq!(batch.filter(&BooleanArray::from(vec![Some(true), None, Some(true)])).diffs(), Some(&[1, 2][..]));
        assert_eq!(batch.negate().diffs(), Some(&[-1, 1, -2][..]));
    }

    #[test]
    fn diffs_of_one_are_not_kept() {
        assert_eq!(Batch::new(vec![], Some(vec![1, 1]), 2).diffs(), None);
    }

    #[test]
    fn concat_mixes_present_and_absent_diffs() {
        let batch = sample();
        let plain = batch.slice(0, 1);
        let both = Batch::concat(&[plain, batch]);
        assert_eq!(both.diffs(), Some(&[1, 1, -1, 2][..]));
        assert_eq!(both.len(), 4);
    }
}
