//! The rows of one stream that may still meet a row of the other.
//!
//! ```text
//! segments   [ rows 0 … 511 | rows 512 … 600 ]       columns as they came, in order of arrival
//! entries    key → (time, lane time, row) …          by time, so that a window is a range
//! deadlines  (closes, row, key) …                    a heap
//! ```
//! A row leaves when its window has closed; a segment goes with its last row. Small segments that lie side by side are
//! made one, so that their number stays in proportion to the rows'.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

use arrow::array::{Array, ArrayRef};
use arrow::compute::interleave;
use millrace_arrange::KeyTable;
use millrace_data::Batch;

use crate::by_group::ByGroup;

/// Segments of fewer rows than this together become one.
const SEGMENT_ROWS: usize = 8192;

/// A row by its place in the order of arrival.
pub(super) type RowNumber = u64;

/// A row of a key.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry {
    pub(super) time: i64,
    /// Its lane time; the least there is, if it has none.
    pub(super) lane: i64,
    pub(super) row: RowNumber,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Deadline {
    closes: i64,
    row: RowNumber,
    /// [`KeyTable::ABSENT`] for a row that meets nothing.
    key: u32,
    time: i64,
}

struct Segment {
    first: RowNumber,
    batch: Batch,
    live: usize,
    /// Whether each row has met one of the other side.
    matched: Vec<bool>,
}

/// See the module.
pub(super) struct Store {
    keys: KeyTable,
    entries: ByGroup<VecDeque<Entry>>,
    /// Bytes behind `entries`.
    entry_bytes: usize,
    deadlines: BinaryHeap<Reverse<Deadline>>,
    segments: VecDeque<Segment>,
    next: RowNumber,
    bytes: usize,
}

impl Store {
    /// An empty store with keys of these types.
    pub(super) fn new(types: &[arrow::datatypes::DataType]) -> Self {
        Store {
            keys: KeyTable::new(types),
            entries: ByGroup::new(),
            entry_bytes: 0,
            deadlines: BinaryHeap::new(),
            segments: VecDeque::new(),
            next: 0,
            bytes: 0,
        }
    }

    /// The rows of each of some keys.
    pub(super) fn find(&self, keys: &[ArrayRef], hashes: &[u64], ids: &mut Vec<u32>) {
        self.keys.lookup(keys, hashes, hashes.len(), ids);
    }

    /// The rows of a key that [`find`](Self::find) found whose times lie in a range, both ends included.
    pub(super) fn range(&self, key: u32, from: i64, to: i64) -> impl Iterator<Item = &Entry> {
        let entries = (key != KeyTable::ABSENT).then(|| &self.entries[key as usize]);
        entries.into_iter().flat_map(move |entries| {
            let first = entries.partition_point(|entry| entry.time < from);
            entries.range(first..).take_while(move |entry| entry.time <= to)
        })
    }

    /// Adds rows, with their keys and the hashes of these. `entry` says what matters of row `i`, and `closes` when it
    /// leaves; rows with a NULL key meet nothing.
    pub(super) fn add(
        &mut self,
        batch: Batch,
        (keys, hashes): (&[ArrayRef], &[u64]),
        matched: Vec<bool>,
        entry: impl Fn(usize, RowNumber) -> Entry,
        closes: impl Fn(i64) -> i64,
    ) {
        let mut ids = vec![];
        self.keys.lookup_or_insert(keys, hashes, batch.len(), &mut ids);
        self.entries.grow(self.keys.upper());
        let first = self.next;
        let mut unused = vec![];
        for (i, key) in ids.iter().enumerate() {
            let entry = entry(i, first + i as u64);
            let is_null = keys.iter().any(|column| column.is_null(i));
            let deadline = Deadline {
                closes: closes(entry.time),
                row: entry.row,
                key: if is_null { KeyTable::ABSENT } else { *key },
                time: entry.time,
            };
            self.deadlines.push(Reverse(deadline));
            if is_null {
                unused.push(*key);
                continue;
            }
            let entries = &mut self.entries[*key as usize];
            let capacity = entries.capacity();
            let at = entries.partition_point(|other| other.time <= entry.time);
            entries.insert(at, entry);
            self.entry_bytes += (entries.capacity() - capacity) * size_of::<Entry>();
        }
        unused.sort_unstable();
        unused.dedup();
        self.keys.remove(&unused);
        self.next += batch.len() as u64;
        self.bytes += batch.memory_bytes();
        self.segments.push_back(Segment { first, live: batch.len(), batch, matched });
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
            before.matched.append(&mut last.matched);
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

    /// The row has met one of the other side.
    pub(super) fn set_matched(&mut self, row: RowNumber) {
        let at = self.segment_of(row);
        let segment = &mut self.segments[at];
        segment.matched[(row - segment.first) as usize] = true;
    }

    /// Column `c` of some rows.
    ///
    /// # Panics
    /// If a row has left.
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

    /// Rows whose window has closed at `now`, in order of their deadlines; `f` is given those without a partner before
    /// they leave.
    pub(super) fn expire(&mut self, now: i64, f: impl FnOnce(&Self, &[RowNumber])) {
        let mut gone = vec![];
        while let Some(Reverse(first)) = self.deadlines.peek()
            && first.closes <= now
        {
            gone.push(*first);
            self.deadlines.pop();
        }
        if gone.is_empty() {
            return;
        }
        let is_lonely = |row: RowNumber| {
            let segment = &self.segments[self.segment_of(row)];
            !segment.matched[(row - segment.first) as usize]
        };
        let lonely: Vec<RowNumber> = gone.iter().map(|deadline| deadline.row).filter(|row| is_lonely(*row)).collect();
        if !lonely.is_empty() {
            f(self, &lonely);
        }
        gone.iter().for_each(|deadline| self.remove(deadline));
        while self.segments.front().is_some_and(|segment| segment.live == 0) {
            if let Some(segment) = self.segments.pop_front() {
                self.bytes -= segment.batch.memory_bytes();
            }
        }
    }

    fn remove(&mut self, deadline: &Deadline) {
        let at = self.segment_of(deadline.row);
        self.segments[at].live -= 1;
        if self.segments[at].live == 0 && at > 0 {
            // its place is kept until those before it have gone; its columns are not
            self.bytes -= self.segments[at].batch.memory_bytes();
            self.segments[at].batch = Batch::default();
        }
        if deadline.key == KeyTable::ABSENT {
            return;
        }
        let entries = &mut self.entries[deadline.key as usize];
        let first = entries.partition_point(|entry| entry.time < deadline.time);
        if let Some(i) = entries.range(first..).position(|entry| entry.row == deadline.row) {
            entries.remove(first + i);
        }
        if entries.is_empty() {
            self.entry_bytes -= std::mem::take(entries).capacity() * size_of::<Entry>();
            self.keys.remove(&[deadline.key]);
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.keys.memory_bytes()
            + self.entries.memory_bytes()
            + self.entry_bytes
            + self.deadlines.capacity() * size_of::<Deadline>()
            + self.segments.capacity() * size_of::<Segment>()
            + self.bytes
    }
}
