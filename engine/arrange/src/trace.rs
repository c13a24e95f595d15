//! An arrangement shared by its readers: one writer, any number of readers in the same or other dataflows of a worker.
//!
//! ```text
//! writer ── apply ──▶ arrangement ◀── borrow, probe, gather ── reader (since, position among the deltas)
//!        ── advance ─▶ upper                                    reader ── begin_scan ──▶ scan, in slices
//!                └────▶ wakes readers that have something to do
//! ```
//! A dataflow that is created later cannot be connected to the operator that writes. It makes a reader, scans the
//! multiset as of the reader's `since`, and then takes the deltas after it, one by one.
//!
//! # Contract
//! * Ticks below `upper` are complete. Deltas are given out in order, none is left out.
//! * A reader keeps what it may still ask for: as of its `since` or later, and deltas after it. It must move on, or
//!   nothing is ever forgotten.
//! * Readers are woken when there is a delta, or when `upper` has passed the tick that they wait for; never for a
//!   frontier alone.
//! * While an arrangement is borrowed nothing is written: a borrow must not be held over a step of the worker.

use std::cell::{Cell, Ref, RefCell};
use std::rc::Rc;

use millrace_data::Batch;

use crate::RowId;
use crate::arrangement::{Arrangement, Cursor, ReaderId};
use crate::delta::Delta;

/// Rows that a scan looks at per slice: some 3 ms with what a reader does with them.
pub const SCAN_ROWS: usize = 64 << 10;

struct Shared {
    arrangement: RefCell<Arrangement>,
    upper: Cell<u64>,
    wakers: RefCell<Vec<Waker>>,
}

struct Waker {
    reader: ReaderId,
    wake: Box<dyn Fn()>,
    /// The tick that the reader waits for.
    wait: Cell<Option<u64>>,
}

/// The right to write; one per arrangement.
pub struct TraceWriter {
    shared: Rc<Shared>,
}

/// A name for the arrangement, from which readers are made. It keeps the memory, but holds nothing back.
#[derive(Clone)]
pub struct Trace {
    shared: Rc<Shared>,
}

/// A reader. A clone is another one in the same place.
pub struct TraceReader {
    shared: Rc<Shared>,
    id: ReaderId,
    /// Tick up to which deltas were taken.
    read: u64,
}

/// The rows as of a tick, in slices, while the arrangement goes on.
pub struct Scan {
    reader: TraceReader,
    cursor: Cursor,
}

impl TraceWriter {
    /// The writer of an arrangement of which nothing is complete yet.
    pub fn new(arrangement: Arrangement) -> Self {
        let upper = Cell::new(arrangement.now() + 1);
        let shared = Shared { arrangement: RefCell::new(arrangement), upper, wakers: RefCell::default() };
        TraceWriter { shared: Rc::new(shared) }
    }

    /// The arrangement's name.
    pub fn trace(&self) -> Trace {
        Trace { shared: Rc::clone(&self.shared) }
    }

    /// Applies the updates of a tick, which is complete then, and does a piece of the housekeeping.
    ///
    /// # Panics
    /// If the tick was complete already.
    pub fn apply(&mut self, tick: u64, batches: &[Batch]) -> Rc<Delta> {
        assert!(tick >= self.shared.upper.get(), "tick {tick} is complete: upper is {}", self.shared.upper.get());
        let mut arrangement = self.shared.arrangement.borrow_mut();
        let delta = arrangement.apply(tick, batches);
        arrangement.maintain(tick);
        drop(arrangement);
        self.shared.upper.set(tick + 1);
        self.wake(!delta.is_empty());
        delta
    }

    /// Ticks below `upper` are complete: those that were not applied had no updates.
    pub fn advance(&mut self, upper: u64) {
        if upper > self.shared.upper.get() {
            self.shared.upper.set(upper);
            self.maintain();
            self.wake(false);
        }
    }

    /// A piece of the housekeeping, when there is nothing else to do.
    pub fn maintain(&mut self) {
        self.shared.arrangement.borrow_mut().maintain(self.shared.upper.get() - 1);
    }

    fn wake(&self, changed: bool) {
        let upper = self.shared.upper.get();
        for waker in self.shared.wakers.borrow().iter() {
            let passed = waker.wait.get().is_some_and(|tick| tick < upper);
            if passed {
                waker.wait.set(None);
            }
            if changed || passed {
                (waker.wake)();
            }
        }
    }
}

impl Trace {
    /// A reader of what is complete now and of what comes.
    pub fn reader(&self) -> TraceReader {
        self.reader_at(self.shared.upper.get() - 1)
    }

    /// A reader that looks as of `since` and later.
    ///
    /// # Panics
    /// If that tick cannot be read any more.
    pub fn reader_at(&self, since: u64) -> TraceReader {
        let id = self.shared.arrangement.borrow_mut().add_reader(since);
        TraceReader { shared: Rc::clone(&self.shared), id, read: since }
    }

    /// The arrangement.
    pub fn borrow(&self) -> Ref<'_, Arrangement> {
        self.shared.arrangement.borrow()
    }

    /// Ticks below are complete.
    pub fn upper(&self) -> u64 {
        self.shared.upper.get()
    }

    /// Whether both are names of one arrangement.
    pub fn is_same(&self, other: &Trace) -> bool {
        Rc::ptr_eq(&self.shared, &other.shared)
    }
}

impl TraceReader {
    /// The arrangement's name.
    pub fn trace(&self) -> Trace {
        Trace { shared: Rc::clone(&self.shared) }
    }

    /// The arrangement.
    pub fn borrow(&self) -> Ref<'_, Arrangement> {
        self.shared.arrangement.borrow()
    }

    /// Ticks below are complete.
    pub fn upper(&self) -> u64 {
        self.shared.upper.get()
    }

    /// The earliest tick that the reader may look as of.
    pub fn since(&self) -> u64 {
        self.borrow().reader_since(self.id).unwrap_or(self.read)
    }

    /// The reader looks as of `since` and later from now on, and at deltas after it.
    pub fn advance_since(&mut self, since: u64) {
        self.shared.arrangement.borrow_mut().advance_reader(self.id, since);
        self.read = self.read.max(since);
    }

    /// The next delta, if there is one yet. Its changes can be read until `since` is moved to its tick.
    pub fn next_delta(&mut self) -> Option<Rc<Delta>> {
        let delta = self.borrow().delta_after(self.read)?;
        self.read = delta.tick();
        Some(delta)
    }

    /// `wake` is called when there is a delta, and when a tick that the reader waits for is complete. It may only take
    /// note, as an activation does: the writer is at work.
    pub fn on_change(&self, wake: impl Fn() + 'static) {
        let mut wakers = self.shared.wakers.borrow_mut();
        wakers.retain(|waker| waker.reader != self.id);
        wakers.push(Waker { reader: self.id, wake: Box::new(wake), wait: Cell::new(None) });
    }

    /// Wakes the reader when `tick` is complete. Whether it is already.
    ///
    /// # Panics
    /// If nothing was given to [`on_change`](Self::on_change).
    #[allow(clippy::expect_used)]
    pub fn wait_for(&self, tick: u64) -> bool {
        let wakers = self.shared.wakers.borrow();
        let waker = wakers.iter().find(|waker| waker.reader == self.id).expect("a reader that waits can be woken");
        let complete = tick < self.upper();
        waker.wait.set((!complete).then_some(tick));
        complete
    }

    /// Begins a scan of the rows as of `as_of`, which it keeps readable. Cleaning waits for its end.
    ///
    /// # Panics
    /// If that tick cannot be read any more.
    pub fn begin_scan(&self, as_of: u64) -> Scan {
        let mut reader = self.clone();
        reader.advance_since(as_of);
        let cursor = self.shared.arrangement.borrow_mut().begin_scan(as_of);
        Scan { reader, cursor }
    }
}

impl Clone for TraceReader {
    fn clone(&self) -> Self {
        let since = self.since();
        let id = self.shared.arrangement.borrow_mut().add_reader(since);
        TraceReader { shared: Rc::clone(&self.shared), id, read: self.read }
    }
}

impl Drop for TraceReader {
    fn drop(&mut self) {
        self.shared.wakers.borrow_mut().retain(|waker| waker.reader != self.id);
        self.shared.arrangement.borrow_mut().remove_reader(self.id);
    }
}

impl Scan {
    /// The tick whose rows are scanned.
    pub fn as_of(&self) -> u64 {
        self.cursor.as_of()
    }

    /// The next slice: calls `f` with rows and their diffs, some 16 Ki at a time. Whether there are more.
    pub fn step(&mut self, f: impl FnMut(&Arrangement, &[RowId], &[i64])) -> bool {
        let arrangement = self.reader.shared.arrangement.borrow();
        let mut f = f;
        arrangement.scan(&mut self.cursor, SCAN_ROWS, |rows, diffs| f(&arrangement, rows, diffs))
    }
}

impl Drop for Scan {
    fn drop(&mut self) {
        self.reader.shared.arrangement.borrow_mut().end_scan();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, AsArray, Int64Array};
    use arrow::datatypes::{DataType, Int64Type};

    use super::*;
    use crate::Changes;

    fn writer() -> TraceWriter {
        TraceWriter::new(Arrangement::new(&[DataType::Int64], &[0]))
    }

    fn rows(values: std::ops::Range<i64>, diff: i64) -> Batch {
        let n = values.clone().count();
        Batch::new(vec![Arc::new(Int64Array::from_iter_values(values)) as ArrayRef], Some(vec![diff; n]), n)
    }

    fn values(arrangement: &Arrangement, rows: &[RowId]) -> Vec<i64> {
        arrangement.gather(0, rows).as_primitive::<Int64Type>().values().to_vec()
    }

    /// A reader from elsewhere takes deltas at its own pace and reads each at its tick.
    #[test]
    fn a_reader_takes_deltas_one_by_one() {
        let mut writer = writer();
        writer.apply(1, &[rows(0..3, 1)]);
        let mut reader = writer.trace().reader();
        assert!(reader.next_delta().is_none(), "what was before the reader is for its scan");
        writer.apply(2, &[rows(3..4, 1)]);
        writer.advance(5);
        writer.apply(7, &[rows(0..2, -1)]);
        assert_eq!((reader.upper(), reader.since()), (8, 1));
        let mut changes = Changes::new();
        let mut seen = vec![];
        while let Some(delta) = reader.next_delta() {
            reader.borrow().changes(&delta, &mut changes);
            let values = values(&reader.borrow(), &changes.rows);
            seen.push((delta.tick(), values, changes.diffs.clone()));
            reader.advance_since(delta.tick());
        }
        assert_eq!(seen, [(2, vec![3], vec![1]), (7, vec![0, 1], vec![-1, -1])]);
        writer.maintain();
        assert_eq!(writer.trace().borrow().since(), 7);
        drop(reader);
        writer.advance(20);
        assert_eq!(writer.trace().borrow().since(), 19, "nobody holds it back");
    }

    #[test]
    fn readers_are_woken_for_deltas_and_for_ticks_they_wait_for() {
        let mut writer = writer();
        let reader = writer.trace().reader();
        let woken = Rc::new(Cell::new(0));
        let count = Rc::clone(&woken);
        reader.on_change(move || count.set(count.get() + 1));
        writer.advance(10);
        assert_eq!(woken.get(), 0, "a frontier alone wakes nobody");
        writer.apply(10, &[rows(0..1, 1)]);
        writer.apply(11, &[]);
        assert_eq!(woken.get(), 1);
        assert!(reader.wait_for(11));
        assert!(!reader.wait_for(12));
        writer.advance(12);
        assert_eq!(woken.get(), 1);
        writer.advance(13);
        writer.advance(14);
        assert_eq!(woken.get(), 2);
        drop(reader);
        writer.apply(15, &[rows(1..2, 1)]);
        assert_eq!(woken.get(), 2);
    }

    /// A scan in slices sees the multiset of its tick, each row once, while updates, deaths and cleaning go on.
    #[test]
    fn a_scan_sees_one_tick_while_the_writer_goes_on() {
        let mut writer = writer();
        for tick in 1..=20 {
            writer.apply(tick, &[rows((tick as i64 - 1) * 10_000..tick as i64 * 10_000, 1)]);
        }
        // segments in need of cleaning
        let gone: Vec<u32> = (0..120_000).filter(|i| i % 3 != 0).collect();
        writer.apply(21, &[rows(0..120_000, -1).take(&gone)]);
        writer.apply(22, &[]);
        let reader = writer.trace().reader();
        let mut scan = reader.begin_scan(22);
        drop(reader);
        let (mut seen, mut slices) = (vec![], 1);
        let mut tick = 22;
        while scan.step(|arrangement, ids, _| seen.extend(values(arrangement, ids))) {
            slices += 1;
            for _ in 0..20 {
                tick += 1;
                writer.apply(tick, &[rows(130_000..131_000, if tick % 2 == 0 { 1 } else { -1 })]);
            }
        }
        assert!(slices >= 3, "{slices} slices");
        seen.sort_unstable();
        assert_eq!(seen, (0..200_000).filter(|i| *i >= 120_000 || i % 3 == 0).collect::<Vec<i64>>());
        drop(scan);
        let before = writer.trace().borrow().memory_bytes();
        for _ in 0..200 {
            writer.maintain();
        }
        assert!(writer.trace().borrow().memory_bytes() < before, "cleaning goes on after the scan");
    }
}
