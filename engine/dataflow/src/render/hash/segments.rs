//! Rows by the order in which they came, in batches that go when all of their rows have.
//!
//! Rows that leave at some time of their own are kept as columns: nothing is looked up by their values. Small batches that
//! lie side by side are made one, so that their number stays in proportion to the rows'.

use std::collections::VecDeque;

use arrow::array::{Array, ArrayRef};
use arrow::compute::interleave;
use millrace_data::Batch;

/// Segments of fewer rows than this together become one.
const SEGMENT_ROWS: usize = 8192;

/// A row by its place in the order of arrival.
pub(super) type RowNumber = u64;

struct Segment {
    first: RowNumber,
    batch: Batch,
    live: usize,
    marks: Vec<bool>,
}

/// See the module.
#[derive(Default)]
pub(super) struct Segments {
    segments: VecDeque<Segment>,
    next: RowNumber,
    bytes: usize,
}

impl Segments {
    /// The number that the next row will have.
    pub(super) fn upper(&self) -> RowNumber {
        self.next
    }

    /// Adds rows, each with a mark.
    pub(super) fn push(&mut self, batch: Batch, marks: Vec<bool>) {
        debug_assert_eq!(batch.len(), marks.len());
        let first = self.next;
        self.next += batch.len() as u64;
        self.bytes += batch.memory_bytes();
        self.segments.push_back(Segment { first, live: batch.len(), batch, marks });
        self.settle();
    }

    /// Makes the last segments one while they are small and alike.
    fn settle(&mut self) {
        while let Some(mut last) = self.segments.pop_back() {
            let Some(before) = self.segments.back_mut().filter(|before| {
                // a segment without live rows has no columns any more
                before.live > 0
                    && before.batch.len() <= 2 * last.batch.len()
                    && before.batch.len() + last.batch.len() <= SEGMENT_ROWS
            }) else {
                self.segments.push_back(last);
                return;
            };
            let old = before.batch.memory_bytes() + last.batch.memory_bytes();
            before.batch = Batch::concat(&[before.batch.clone(), last.batch]);
            self.bytes = self.bytes + before.batch.memory_bytes() - old;
            before.live += last.live;
            before.marks.append(&mut last.marks);
        }
    }

    fn segment_of(&self, row: RowNumber) -> usize {
        self.segments.partition_point(|segment| segment.first <= row) - 1
    }

    /// How often a row is there.
    pub(super) fn diff(&self, row: RowNumber) -> i64 {
        let segment = &self.segments[self.segment_of(row)];
        segment.batch.diff((row - segment.first) as usize)
    }

    /// Whether a row is marked.
    pub(super) fn is_marked(&self, row: RowNumber) -> bool {
        let segment = &self.segments[self.segment_of(row)];
        segment.marks[(row - segment.first) as usize]
    }

    /// Marks a row.
    pub(super) fn mark(&mut self, row: RowNumber) {
        let at = self.segment_of(row);
        let segment = &mut self.segments[at];
        segment.marks[(row - segment.first) as usize] = true;
    }

    /// Column `c` of some rows.
    ///
    /// # Panics
    /// If a row has been released.
    #[allow(clippy::expect_used)]
    pub(super) fn column(&self, c: usize, rows: &[RowNumber]) -> ArrayRef {
        let mut used: Vec<usize> = rows.iter().map(|row| self.segment_of(*row)).collect();
        let places: Vec<(usize, usize)> = used
            .iter()
            .zip(rows)
            .map(|(segment, row)| (*segment, (row - self.segments[*segment].first) as usize))
            .collect();
        used.sort_unstable();
        used.dedup();
        let arrays: Vec<&dyn Array> = used.iter().map(|s| self.segments[*s].batch.column(c).as_ref()).collect();
        let at = |segment: usize| used.partition_point(|s| *s < segment);
        let places: Vec<(usize, usize)> = places.into_iter().map(|(segment, i)| (at(segment), i)).collect();
        interleave(&arrays, &places).expect("columns of one type")
    }

    /// The row is not needed any more; each at most once.
    pub(super) fn release(&mut self, row: RowNumber) {
        let at = self.segment_of(row);
        self.segments[at].live -= 1;
        if self.segments[at].live > 0 {
            return;
        }
        // its place is kept until those before it have gone; its columns are not
        self.bytes -= self.segments[at].batch.memory_bytes();
        self.segments[at].batch = Batch::default();
        self.segments[at].marks = vec![];
        while self.segments.front().is_some_and(|segment| segment.live == 0) {
            self.segments.pop_front();
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.bytes
            + self.segments.capacity() * size_of::<Segment>()
            + self.segments.iter().map(|s| s.marks.capacity()).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{AsArray, Int64Array};
    use arrow::datatypes::Int64Type;
    use millrace_data::hash::mix;

    use super::*;

    #[test]
    fn rows_keep_their_numbers_while_segments_merge_and_go() {
        let mut segments = Segments::default();
        let mut live: Vec<RowNumber> = vec![];
        for round in 0..400u64 {
            let len = mix(round) % 40 + 1;
            let first = segments.upper();
            let values: ArrayRef = Arc::new(Int64Array::from_iter_values((first..first + len).map(|v| v as i64)));
            segments.push(Batch::new(vec![values], None, len as usize), vec![false; len as usize]);
            live.extend(first..first + len);
            for i in 0..mix(round + 1) % 45 {
                if !live.is_empty() {
                    let gone = live.swap_remove((mix(round * 100 + i) % live.len() as u64) as usize);
                    segments.release(gone);
                }
            }
            if !live.is_empty() {
                let column = segments.column(0, &live);
                let values = column.as_primitive::<Int64Type>().values();
                assert!(values.iter().zip(&live).all(|(value, row)| *value as u64 == *row));
            }
        }
        live.into_iter().for_each(|row| segments.release(row));
        assert!(segments.segments.is_empty());
        assert_eq!(segments.bytes, 0);
    }

    #[test]
    fn marks_stay_with_their_rows() {
        let mut segments = Segments::default();
        for round in 0..20i64 {
            let values: ArrayRef = Arc::new(Int64Array::from(vec![round]));
            segments.push(Batch::new(vec![values], Some(vec![round + 1]), 1), vec![round % 3 == 0]);
        }
        segments.mark(7);
        let marked: Vec<u64> = (0..20).filter(|row| segments.is_marked(*row)).collect();
        assert_eq!(marked, [0, 3, 6, 7, 9, 12, 15, 18]);
        assert_eq!(segments.diff(11), 12);
        assert!(segments.segments.len() < 8, "{}", segments.segments.len());
    }
}
