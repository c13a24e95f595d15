//! Results of windows: when they appear, when they stand, when they leave.
//!
//! Below, a reduction maintains the result of each window over rows that leave it when the window has closed
//! (`deadline`, `session`). Here its changes become the collection that is asked for:
//!
//! ```text
//! EMIT CHANGES   changes pass until the window closes; then the result stands
//! EMIT FINAL     changes are held; the result appears when the window closes
//! either         the result leaves when stream time reaches window start + retention
//! ```
//!
//! What a tick's rows change counts before what its stream time closes.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Int64Type, SchemaRef};
use differential_dataflow::consolidation::consolidate;
use millrace_data::Batch;
use millrace_planner::plan::WindowClose;

use crate::operator::{Calls, Meter, Route, unary};
use crate::render::Rows;
use crate::render::differential::codec::Codec;
use crate::render::differential::keyed::{Packed, Pair, binary, bytes, each};
use crate::tick::TickClock;

/// The results that stand, as (group, result) like the changes that come in. The groups are the first `keys` columns of
/// `output`, and their window is among them. A window closes when stream time reaches its end + `close_after`.
pub(crate) fn closing<'scope>(
    results: Rows<'scope>,
    output: &SchemaRef,
    keys: usize,
    window: &WindowClose,
    close_after: i64,
    (clock, start): (&TickClock, u64),
    meter: &Meter,
) -> Rows<'scope> {
    let keys: Vec<usize> = (0..keys).collect();
    let mut results_held = Results {
        codec: Codec::of_columns(output, &keys),
        window: window.clone(),
        close_after,
        standing: HashMap::new(),
        closing: BTreeMap::new(),
        leaving: BTreeMap::new(),
        closed: i64::MIN,
        left: i64::MIN,
    };
    let (clock, sources) = (clock.clone(), window.time_sources.clone());
    let calls = Calls::EveryTick(start, clock.clone());
    unary(results, "Closing", Route::Local, calls, meter.part(), move |tick, batches, emit| {
        let mut changes = vec![];
        for batch in &batches {
            results_held.change(batch, &mut changes);
        }
        let now = clock.stream_time(tick, &sources);
        results_held.close(now.close, &mut changes);
        results_held.leave(now.retain, &mut changes);
        consolidate(&mut changes);
        if !changes.is_empty() {
            emit(binary(&changes));
        }
    })
}

struct Results {
    codec: Codec,
    window: WindowClose,
    close_after: i64,
    /// Results of the windows that have not left.
    standing: HashMap<Packed, Standing>,
    /// Groups by the time at which they close, for EMIT FINAL.
    closing: BTreeMap<i64, BTreeSet<Packed>>,
    /// Groups by the time at which they leave.
    leaving: BTreeMap<i64, BTreeSet<Packed>>,
    /// What stream time had closed before this tick.
    closed: i64,
    /// What had left before this tick.
    left: i64,
}

/// The results of one window: one row, or several while something is wrong.
#[derive(Default)]
struct Standing {
    /// Whether they have gone out.
    appeared: bool,
    results: BTreeMap<Packed, i64>,
}

impl Results {
    /// Takes changes of results in, those of windows that are closed or have left excepted: there, only state is dropped.
    fn change(&mut self, batch: &Batch, changes: &mut Vec<(Pair, i64)>) {
        let keys = self.codec.unpack(each(bytes(batch, 0)));
        let (starts, ends) =
            (keys[self.window.start].as_primitive::<Int64Type>(), keys[self.window.end].as_primitive());
        let at = |column: &arrow::array::Int64Array, i: usize, after: i64| {
            if column.is_null(i) { i64::MAX } else { column.value(i).saturating_add(after) }
        };
        for (i, (key, value)) in each(bytes(batch, 0)).zip(each(bytes(batch, 1))).enumerate() {
            let (closes, leaves) = (at(ends, i, self.close_after), at(starts, i, self.window.retention_ms));
            if closes <= self.closed || leaves <= self.left {
                continue;
            }
            if !self.standing.contains_key(key) {
                self.leaving.entry(leaves).or_default().insert(key.to_vec());
                if self.window.emit_final {
                    self.closing.entry(closes).or_default().insert(key.to_vec());
                }
            }
            let standing = self.standing.entry(key.to_vec()).or_default();
            let count = standing.results.entry(value.to_vec()).or_default();
            *count += batch.diff(i);
            if *count == 0 {
                standing.results.remove(value);
            }
            if !self.window.emit_final {
                standing.appeared = true;
                changes.push(((key.to_vec(), value.to_vec()), batch.diff(i)));
            }
        }
    }

    /// Stream time is `now`: with EMIT FINAL the results of the windows that this closes appear.
    fn close(&mut self, now: i64, changes: &mut Vec<(Pair, i64)>) {
        self.closed = self.closed.max(now);
        while let Some(first) = self.closing.first_entry()
            && *first.key() <= self.closed
        {
            for key in first.remove() {
                if let Some(standing) = self.standing.get_mut(&key) {
                    standing.appeared = true;
                    let results = standing.results.iter();
                    changes.extend(results.map(|(value, count)| ((key.clone(), value.clone()), *count)));
                }
            }
        }
    }

    /// Stream time is `now`: results leave. With EMIT FINAL some may never have appeared.
    fn leave(&mut self, now: i64, changes: &mut Vec<(Pair, i64)>) {
        self.left = self.left.max(now);
        while let Some(first) = self.leaving.first_entry()
            && *first.key() <= self.left
        {
            for key in first.remove() {
                if let Some(standing) = self.standing.remove(&key).filter(|s| s.appeared) {
                    let results = standing.results.into_iter();
                    changes.extend(results.map(|(value, count)| ((key.clone(), value), -count)));
                }
            }
        }
    }
}
