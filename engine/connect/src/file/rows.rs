//! From decoded columns to rows of a source: event times, deletes, offsets and errors.
//!
//! A decoder gives the wanted columns, then the time column where it is not among them, then the OP_COLUMN. What these
//! two say is taken out here; rows in which they make no sense become errors.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int64Array};
use arrow::compute::filter;
use millrace_data::Batch;
use millrace_data::canonical::canonical;
use millrace_format::{ColumnSpec, RecordSpec};

use crate::error::DecodeErrorRow;
use crate::event_time::EventTime;
use crate::source::{Column, SourceBatch};

/// How decoded columns become rows.
#[derive(Clone, Debug)]
pub(super) struct RowMaker {
    /// What the decoder is asked for.
    pub(super) spec: RecordSpec,
    /// So many of its columns are the relation's.
    wanted: usize,
    /// The event time, and which of the decoder's columns it is read from.
    event_time: Option<(EventTime, usize)>,
}

/// A run of records that a decoder is through with.
pub(super) struct Block<'a> {
    pub(super) columns: Vec<ArrayRef>,
    pub(super) rows: usize,
    /// For each row its record's position in the run; `None`: row `i` is record `i`.
    pub(super) kept: Option<Vec<u32>>,
    /// Records without a row, by position in the run, and why.
    pub(super) errors: Vec<(usize, String)>,
    /// ROWOFFSET of record 0 of the run.
    pub(super) first_offset: i64,
    /// ROWTIME of rows without their own, epoch ms.
    pub(super) time_ms: i64,
    /// The bytes of a record, cut for an error row.
    pub(super) excerpt: &'a dyn Fn(usize) -> Vec<u8>,
}

impl RowMaker {
    pub(super) fn new(
        columns: &[Column],
        wanted: &[usize],
        event_time: Option<EventTime>,
        op_column: Option<&str>,
    ) -> Self {
        let mut decoded = wanted.to_vec();
        let event_time = event_time.map(|time| {
            let at = decoded.iter().position(|c| *c == time.column).unwrap_or_else(|| {
                decoded.push(time.column);
                decoded.len() - 1
            });
            (time, at)
        });
        let columns = columns.iter().map(|(name, t)| ColumnSpec::new(name, t.clone())).collect();
        let spec = RecordSpec { columns, wanted: decoded, extra: op_column.map(str::to_owned) };
        RowMaker { spec, wanted: wanted.len(), event_time }
    }

    /// The rows of a run of records.
    pub(super) fn rows(&self, block: Block<'_>) -> SourceBatch {
        let mut broken = vec![];
        let deletes = self.spec.extra.as_ref().and_then(|name| {
            let op = block.columns.last()?;
            deletes(name, op, &mut broken)
        });
        let times = self.times(&block, &mut broken);
        let columns = block.columns[..self.wanted].iter().map(canonical).collect();
        let batch = Batch::new(columns, None, block.rows);
        let offset =
            |row: usize| block.first_offset + block.kept.as_ref().map_or(row as i64, |kept| i64::from(kept[row]));
        let error = |record: usize, reason| DecodeErrorRow {
            partition: 0,
            offset: block.first_offset + record as i64,
            reason,
            bytes: (block.excerpt)(record),
        };
        let mut errors: Vec<DecodeErrorRow> =
            block.errors.iter().map(|(record, reason)| error(*record, reason.clone())).collect();
        if broken.is_empty() {
            let offsets = block.kept.is_some().then(|| (0..block.rows).map(offset).collect());
            return source_batch(batch, times, deletes, offsets, block.first_offset, errors);
        }
        broken.sort_by_key(|(row, _)| *row);
        broken.dedup_by_key(|(row, _)| *row);
        let mut keep = vec![true; block.rows];
        for (row, reason) in broken {
            keep[row] = false;
            errors.push(error((offset(row) - block.first_offset) as usize, reason));
        }
        errors.sort_by_key(|e| e.offset);
        let offsets = (0..block.rows).filter(|row| keep[*row]).map(offset).collect();
        let keep = BooleanArray::from(keep);
        let deletes = deletes.map(|deletes| kept(&(Arc::new(deletes) as ArrayRef), &keep).as_boolean().clone());
        let times = kept(&(Arc::new(times) as ArrayRef), &keep).as_primitive().clone();
        source_batch(batch.filter(&keep), times, deletes, Some(offsets), block.first_offset, errors)
    }

    fn times(&self, block: &Block<'_>, broken: &mut Vec<(usize, String)>) -> Int64Array {
        let Some((event_time, at)) = &self.event_time else {
            return Int64Array::from_value(block.time_ms, block.rows);
        };
        let column = &block.columns[*at];
        let (times, not_times) = event_time.times(column);
        let name = &self.spec.columns[event_time.column].name;
        broken.extend(not_times.into_iter().map(|row| {
            let text = column.as_string::<i32>().value(row);
            (row, format!("column {name}: '{text}' is not of the TIMESTAMP_FORMAT"))
        }));
        times
    }
}

/// Drops offsets that say nothing.
fn source_batch(
    batch: Batch,
    times: Int64Array,
    deletes: Option<BooleanArray>,
    offsets: Option<Vec<i64>>,
    block_offset: i64,
    errors: Vec<DecodeErrorRow>,
) -> SourceBatch {
    let first_offset = offsets.as_ref().and_then(|o| o.first().copied()).unwrap_or(block_offset.max(0));
    let offsets = offsets.filter(|offsets| offsets.iter().zip(first_offset..).any(|(offset, next)| *offset != next));
    SourceBatch { batch, row_times: Some(times), first_offset, offsets, deletes, errors }
}

/// Which rows are deletes; `None` when there is none. Rows that say neither upsert nor delete are broken.
fn deletes(name: &str, op: &ArrayRef, broken: &mut Vec<(usize, String)>) -> Option<BooleanArray> {
    let op = op.as_string::<i32>();
    let mut any = false;
    let deletes: Vec<bool> = (0..op.len())
        .map(|row| {
            let what = (!op.is_null(row)).then(|| op.value(row));
            match what {
                Some("u" | "c" | "r" | "i") => false,
                Some("d") => {
                    any = true;
                    true
                }
                Some(other) => {
                    broken.push((row, format!("{name} is '{other}', it may be u, c, r or i (upsert) or d (delete)")));
                    false
                }
                None => {
                    broken.push((row, format!("{name} is missing, it may be u, c, r or i (upsert) or d (delete)")));
                    false
                }
            }
        })
        .collect();
    any.then(|| BooleanArray::from(deletes))
}

#[allow(clippy::expect_used)]
fn kept(column: &ArrayRef, keep: &BooleanArray) -> ArrayRef {
    filter(column, keep).expect("a mask of the column's length")
}
