//! Rows that are there until a deadline in event time.
//!
//! ```text
//! tick t:    rows come; event time passes the deadline of some
//! tick t+1:  these are retracted, before anything that comes then can meet them
//! ```
//!
//! So whatever is maintained over such rows counts a row in the tick in which its deadline passes, and forgets it in the
//! next: that is how operators downstream drop their working state. They must not take the retraction for a change.

use std::collections::{BTreeMap, HashMap};

use arrow::datatypes::SchemaRef;
use millrace_data::Batch;

use crate::operator::{Calls, Meter, Route, unary};
use crate::render::Rows;
use crate::render::differential::codec::Codec;
use crate::render::differential::keyed::Packed;

/// What depends on the operator that the rows are for.
pub(crate) trait Deadlines: 'static {
    /// When row `i` is to leave; `None`: never.
    fn deadline(&self, batch: &Batch, i: usize) -> Option<i64>;

    /// Event time at the end of this tick.
    fn now(&self, tick: u64) -> i64;

    /// Row `i` comes after its deadline had passed in an earlier tick: whether it is there for its one tick still.
    fn missed(&self, batch: &Batch, i: usize) -> bool;
}

/// The rows, retracted in the tick after their deadline.
pub(crate) fn until<'scope>(
    rows: Rows<'scope>,
    schema: &SchemaRef,
    route: Route,
    calls: Calls,
    deadlines: impl Deadlines,
    meter: Meter,
) -> Rows<'scope> {
    let mut held = Held { codec: Codec::of(schema), rows: BTreeMap::new(), passed: i64::MIN };
    unary(rows, "Deadline", route, calls, meter, move |tick, batches, emit| {
        if let Some(gone) = held.gone() {
            emit(gone);
        }
        for batch in batches {
            emit(held.add(&batch, &deadlines));
        }
        held.passed = held.passed.max(deadlines.now(tick));
    })
}

struct Held {
    codec: Codec,
    rows: BTreeMap<i64, HashMap<Packed, i64>>,
    /// Event time at the end of the last tick.
    passed: i64,
}

impl Held {
    /// Retractions of the rows whose deadline has passed.
    fn gone(&mut self) -> Option<Batch> {
        let (mut rows, mut diffs) = (vec![], vec![]);
        while let Some(first) = self.rows.first_entry()
            && *first.key() <= self.passed
        {
            for (row, count) in first.remove() {
                rows.push(row);
                diffs.push(-count);
            }
        }
        let len = rows.len();
        (len > 0).then(|| Batch::new(self.codec.unpack(rows.iter().map(Vec::as_slice)), Some(diffs), len))
    }

    /// The rows that are there.
    fn add(&mut self, batch: &Batch, deadlines: &impl Deadlines) -> Batch {
        let mut there = Vec::with_capacity(batch.len());
        for (i, row) in self.codec.pack(batch.columns(), batch.len()).into_iter().enumerate() {
            let deadline = deadlines.deadline(batch, i);
            if deadline.is_some_and(|d| d <= self.passed) && !deadlines.missed(batch, i) {
                continue;
            }
            there.push(i as u32);
            if let Some(deadline) = deadline {
                let rows = self.rows.entry(deadline).or_default();
                let count = rows.entry(row.clone()).or_default();
                *count += batch.diff(i);
                if *count == 0 {
                    rows.remove(&row);
                }
            }
        }
        if there.len() == batch.len() { batch.clone() } else { batch.take(&there) }
    }
}
