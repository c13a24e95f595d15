//! A lane's records as rows of the relation: wanted columns in their places, system columns behind them.
//!
//! A *lane* is a partition of a source. Event times of a lane are looked at in the order of its records, here and only
//! here: `ROWLANETIME` of a record is the largest event time among earlier records of its lane, so it must not depend
//! on how records are cut into batches.
//!
//! Where the connector knows no event time, the wall clock of the tick stands in. It is not known yet when the batch is
//! made; [`stamp`] puts it in.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray, Int32Array, Int64Array, new_null_array};
use arrow::buffer::NullBuffer;
use arrow::datatypes::SchemaRef;
use millrace_connect::{DecodeErrorRow, SourceBatch};
use millrace_data::Batch;
use millrace_data::canonical::canonical;

/// Event time of a lane before any record.
pub(crate) const NO_TIME: i64 = i64::MIN;

/// What a lane's batches have to look like.
#[derive(Clone, Debug)]
pub(crate) struct Shape {
    /// Columns of the relation, system columns included.
    pub(crate) schema: SchemaRef,
    /// How many of them the connector brings, or could.
    pub(crate) visible: usize,
    /// Which of those it does bring, in its order. Others are NULL: nobody reads them.
    pub(crate) wanted: Vec<usize>,
}

/// Records of one lane in order.
#[derive(Clone, Debug)]
pub(crate) struct LaneBatch {
    /// All columns of the relation.
    pub(crate) batch: Batch,
    /// Event time of each row; `None`: the tick's clock.
    pub(crate) times: Option<Times>,
    /// Rows that are deletes.
    pub(crate) deletes: Option<BooleanArray>,
    /// Records that could not be read.
    pub(crate) errors: Vec<DecodeErrorRow>,
}

/// Event times of a run of records.
#[derive(Clone, Debug)]
pub(crate) struct Times {
    /// Of each record, epoch ms; NULL where it has none.
    pub(crate) rows: Int64Array,
    /// The largest up to and including each record; [`NO_TIME`] before the first.
    pub(crate) highs: Vec<i64>,
}

impl Times {
    /// The times of `rows`, in a lane whose largest time so far is `high`.
    pub(crate) fn after(high: i64, rows: Int64Array) -> Self {
        let mut highest = high;
        let highs = rows
            .iter()
            .map(|time| {
                highest = highest.max(time.unwrap_or(NO_TIME));
                highest
            })
            .collect();
        Times { rows, highs }
    }

    /// ROWLANETIME of each record: the largest before it.
    fn lane_times(&self, high: i64) -> Int64Array {
        let before = std::iter::once(high).chain(self.highs.iter().copied()).take(self.highs.len());
        before.map(|time| (time != NO_TIME).then_some(time)).collect()
    }

    /// What record `i` is ordered by when lanes are merged: one without a time comes at once.
    pub(crate) fn order(&self, i: usize) -> i64 {
        if self.rows.is_valid(i) { self.rows.value(i) } else { NO_TIME }
    }
}

impl Shape {
    /// The records as rows of the relation. `high` is the largest event time of the lane so far and moves on.
    pub(crate) fn rows(&self, read: SourceBatch, partition: i32, high: &mut i64) -> LaneBatch {
        let len = read.batch.len();
        let mut columns: Vec<Option<ArrayRef>> = vec![None; self.visible];
        for (column, position) in read.batch.columns().iter().zip(&self.wanted) {
            columns[*position] = Some(canonical(column));
        }
        let types = self.schema.fields().iter().map(|f| f.data_type());
        let mut columns: Vec<ArrayRef> =
            columns.into_iter().zip(types).map(|(c, t)| c.unwrap_or_else(|| new_null_array(t, len))).collect();
        let offsets: Int64Array = (0..len).map(|row| read.offset(row)).collect();
        let times = read.row_times.map(|rows| Times::after(*high, rows));
        if self.schema.fields().len() > self.visible {
            let (row_time, lane_time) = match &times {
                Some(times) => (times.rows.clone(), times.lane_times(*high)),
                // stamped when the tick is known
                None => (Int64Array::new_null(len), Int64Array::new_null(len)),
            };
            columns.extend(system_columns(row_time, partition, offsets, lane_time));
        }
        if let Some(last) = times.as_ref().and_then(|t| t.highs.last()) {
            *high = *last;
        }
        let batch = Batch::new(columns, None, len);
        LaneBatch { batch, times, deletes: read.deletes, errors: read.errors }
    }
}

/// The four system columns of rows of one partition, in their order.
pub(crate) fn system_columns(
    row_time: Int64Array,
    partition: i32,
    offsets: Int64Array,
    lane_time: Int64Array,
) -> [ArrayRef; 4] {
    let len = row_time.len();
    let partitions = Int32Array::new(vec![partition; len].into(), None);
    [Arc::new(row_time), Arc::new(partitions), Arc::new(offsets), Arc::new(lane_time)]
}

/// Rows that the tick's clock dates: ROWTIME is `now_ms`, ROWLANETIME the largest time of the lane before each. `high`
/// moves on.
pub(crate) fn stamp(batch: &Batch, visible: usize, now_ms: i64, high: &mut i64) -> Batch {
    let len = batch.len();
    if len == 0 || batch.columns().len() == visible {
        *high = (*high).max(if len == 0 { NO_TIME } else { now_ms });
        return batch.clone();
    }
    let first = *high;
    *high = first.max(now_ms);
    let mut lane_times = vec![*high; len];
    lane_times[0] = first;
    let nulls = (first == NO_TIME).then(|| (0..len).map(|row| row > 0).collect::<Vec<bool>>()).map(NullBuffer::from);
    let mut columns = batch.columns().to_vec();
    columns[visible] = Arc::new(Int64Array::new(vec![now_ms; len].into(), None));
    columns[visible + 3] = Arc::new(Int64Array::new(lane_times.into(), nulls));
    batch.with_columns(columns)
}

#[cfg(test)]
mod tests {
    use arrow::array::AsArray;
    use arrow::datatypes::{DataType, Field, Int64Type, Schema};
    use millrace_planner::catalog::SYSTEM_COLUMNS;

    use super::*;

    fn shape() -> Shape {
        let visible = [("A", DataType::Int64), ("B", DataType::Utf8)];
        let fields = visible.into_iter().chain(SYSTEM_COLUMNS).map(|(name, t)| Field::new(name, t, true));
        Shape { schema: Arc::new(Schema::new(fields.collect::<Vec<_>>())), visible: 2, wanted: vec![0] }
    }

    fn read(first_offset: i64, times: Option<Vec<Option<i64>>>, values: Vec<i64>) -> SourceBatch {
        let len = values.len();
        let column: ArrayRef = Arc::new(Int64Array::from(values));
        SourceBatch {
            batch: Batch::new(vec![column], None, len),
            row_times: times.map(Int64Array::from),
            first_offset,
            offsets: None,
            deletes: None,
            errors: vec![],
        }
    }

    fn longs(batch: &Batch, c: usize) -> Vec<Option<i64>> {
        batch.column(c).as_primitive::<Int64Type>().iter().collect()
    }

    #[test]
    fn lane_time_is_the_largest_before_whatever_the_cut() {
        let times = [Some(10), None, Some(30), Some(20), Some(40)];
        let want = [None, Some(10), Some(10), Some(30), Some(30)];
        for cut in 0..=5 {
            let mut high = NO_TIME;
            let mut got = vec![];
            for (from, to) in [(0, cut), (cut, 5)] {
                let batch = read(from as i64, Some(times[from..to].to_vec()), (from..to).map(|i| i as i64).collect());
                let rows = shape().rows(batch, 3, &mut high);
                got.extend(longs(&rows.batch, 5));
                assert_eq!(longs(&rows.batch, 4), (from..to).map(|i| Some(i as i64)).collect::<Vec<_>>());
            }
            assert_eq!(got, want, "cut at {cut}");
            assert_eq!(high, 40);
        }
    }

    #[test]
    fn unwanted_columns_are_null_and_the_clock_stands_in() {
        let mut high = NO_TIME;
        let rows = shape().rows(read(0, None, vec![7, 8]), 0, &mut high);
        assert_eq!(rows.batch.column(1).null_count(), 2);
        assert_eq!(high, NO_TIME);
        let first = stamp(&rows.batch, 2, 1000, &mut high);
        assert_eq!(longs(&first, 2), [Some(1000), Some(1000)]);
        assert_eq!(longs(&first, 5), [None, Some(1000)]);
        // someone has set the clock back
        let second = stamp(&rows.batch, 2, 900, &mut high);
        assert_eq!(longs(&second, 2), [Some(900), Some(900)]);
        assert_eq!(longs(&second, 5), [Some(1000), Some(1000)]);
        assert_eq!(high, 1000);
    }
}
