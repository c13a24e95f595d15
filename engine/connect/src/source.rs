//! What a source is: partitions of records that are read in order, each from its start.
//!
//! ```text
//! options ─open_source→ Source ─open(partition)→ SourceReader ─read→ Batch | Idle | End
//! ```
//! A source decodes; it does not decide. Ticks, the merging of sources, ROWTIME's fall back to the tick's clock, keys and
//! their old rows belong to whoever reads it.

use arrow::array::{BooleanArray, Int64Array};
use arrow::datatypes::DataType;
use millrace_data::Batch;

use crate::error::{DecodeErrorRow, SourceError};

/// A column: its name as the catalog keeps it, and its type.
pub type Column = (String, DataType);

/// A place that rows come from.
///
/// # Contract
/// * `columns` are all columns of the relation, declared or inferred. Batches have the wanted ones, in the order that
///   they were asked for.
/// * A partition can be opened again at any time and brings the same rows in the same order from the start, as far as the
///   world still has them (a followed file may have grown by then; one that is gone is an error, never fewer rows).
/// * Rows, offsets and errors do not depend on how many rows are asked for at a time.
pub trait Source: Send + Sync {
    /// Partitions, at least 1. Their number does not change.
    fn partitions(&self) -> usize;
    /// Whether reading comes to an end.
    fn bounded(&self) -> bool;
    /// The columns of the relation.
    fn columns(&self) -> &[Column];
    /// A reader at the start of the partition.
    ///
    /// # Errors
    /// If what the source reads cannot be opened.
    ///
    /// # Panics
    /// If there is no such partition.
    fn open(&self, partition: usize) -> Result<Box<dyn SourceReader>, SourceError>;
}

/// Reads one partition.
///
/// # Contract
/// * `read` does not wait: a live source that has nothing now says [`Read::Idle`].
/// * [`Read::End`] is final, and comes from bounded sources only.
/// * After an error of kind `Stalled` the reader is where it was, and may be asked again; after `Failed` it may not.
/// * Offsets rise, from batch to batch too.
pub trait SourceReader: Send {
    /// At most `rows_max` (at least 1) further records, decoded.
    ///
    /// # Errors
    /// If the source cannot be read further. Records before the fault have all come.
    fn read(&mut self, rows_max: usize) -> Result<Read, SourceError>;
    /// How far it is.
    fn progress(&self) -> Progress;
}

/// What a read brought.
#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "one value per batch, and it is moved, not kept")]
pub enum Read {
    /// Rows, or errors, or both.
    Batch(SourceBatch),
    /// Nothing now; the source is live.
    Idle,
    /// Nothing any more.
    End,
}

/// A run of records of one partition, decoded.
#[derive(Clone, Debug)]
pub struct SourceBatch {
    /// The wanted columns, insertions only. In a row that is a delete, columns that the record does not tell are NULL.
    pub batch: Batch,
    /// Event time per row, epoch ms, from the TIMESTAMP column or from the connector; NULL where that column is NULL.
    /// `None`: the connector knows none, and the tick's wall clock stands in.
    pub row_times: Option<Int64Array>,
    /// ROWOFFSET of the first row.
    pub first_offset: i64,
    /// ROWOFFSET of every row, where they are not `first_offset..`: records that failed leave gaps.
    pub offsets: Option<Vec<i64>>,
    /// Rows that are deletes; `None`: all are upserts.
    pub deletes: Option<BooleanArray>,
    /// Records that could not be read, in order of their offsets.
    pub errors: Vec<DecodeErrorRow>,
}

impl SourceBatch {
    /// ROWOFFSET of row `row`.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn offset(&self, row: usize) -> i64 {
        assert!(row < self.batch.len(), "row {row} of {}", self.batch.len());
        self.offsets.as_ref().map_or(self.first_offset + row as i64, |offsets| offsets[row])
    }
}

/// How far a reader is, for people.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Progress {
    /// Records read, with those that failed.
    pub rows: u64,
    /// Records in all, if known.
    pub rows_total: Option<u64>,
    /// Bytes read, as they lie in the world (compressed, if they are).
    pub bytes: u64,
    /// Bytes in all, if known.
    pub bytes_total: Option<u64>,
}

/// The wanted columns of all `columns`, as positions.
pub(crate) fn resolve_wanted(wanted: Option<&[usize]>, columns: &[Column]) -> Vec<usize> {
    let all = || (0..columns.len()).collect();
    let wanted = wanted.map_or_else(all, <[usize]>::to_vec);
    for position in &wanted {
        assert!(*position < columns.len(), "column {position} of {}", columns.len());
    }
    wanted
}
