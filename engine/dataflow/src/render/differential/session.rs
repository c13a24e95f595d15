//! Session windows: rows of one key, each at most a gap from the next.
//!
//! ```text
//! rows in time ─ Open: held until their session has closed ─→ (keys, time and arguments) ─ reduce: cut into sessions ─→
//! (keys and window, results) ─ closing ─→ rows
//! ```
//!
//! A row at time x is late when x + gap + grace is below its lane time. So a row that is not late can still join a session
//! whose last row is at e, as long as stream time is at most e + 2 gap + grace; beyond that nothing on time can, and the
//! session closes. Therefore what the sessions are does not depend on ticks.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{DataType, Int64Type};
use millrace_data::Batch;
use millrace_planner::catalog::RelationId;
use millrace_planner::plan::{Node, Op};

use crate::errors::{LateReporter, Reporter, row_text};
use crate::operator::{Calls, Route, unary};
use crate::render::assign_windows::{EVENT_TIME_MS_MAX, NO_EVENT_TIME};
use crate::render::differential::aggregate::Aggregates;
use crate::render::differential::closing::closing;
use crate::render::differential::codec::{Codec, some};
use crate::render::differential::keyed::{Packed, Reduction, batches, keyed, reduce};
use crate::render::differential::reduce::{Groups, Results, packed_results, unpack_results};
use crate::render::{Renderer, Rows, Tools};
use crate::tick::TickClock;

/// Bytes of a packed time.
const TIME_BYTES: usize = 8;
/// Bytes of two packed BIGINTs: one for NULL and eight for the value, each.
const WINDOW_BYTES: usize = 18;

/// Renders `Op::SessionReduce`.
pub(crate) fn session<'scope>(cx: &mut Renderer<'scope, '_>, node: &Node, tools: Tools) -> Rows<'scope> {
    let Op::SessionReduce { input, keys, time, lane, gap_ms, aggregates, window } = &node.op else {
        panic!("not SessionReduce: {:?}", node.op)
    };
    let groups = Groups::new(&input.schema, keys, aggregates);
    let rows = groups.with_ticks(cx.render(input), input.append_only, &tools.meter);
    let (clock, start, time) = (cx.env.tick.clone(), cx.start, *time);
    let mut open = Open {
        lateness: Lateness {
            time,
            lane_time: lane.map(|lane| lane.time),
            reach: gap_ms.saturating_add(window.grace_ms),
        },
        gap_ms: *gap_ms,
        keys: keys.clone(),
        key_codec: Codec::of_columns(groups.schema(), keys),
        codec: Codec::of(groups.schema()),
        width: input.schema.fields().len(),
        rows: HashMap::new(),
        deadlines: BTreeMap::new(),
        passed: i64::MIN,
        late: tools.reporter.for_late_rows(input, *lane),
        reporter: tools.reporter.clone(),
    };
    let close_after = open.close_after();
    let (open_clock, sources) = (clock.clone(), window.time_sources.clone());
    let (route, calls) = (Route::Key(keys.clone()), Calls::EveryTick(start, clock.clone()));
    let rows = unary(rows, "Open", route, calls, tools.meter.part(), move |tick, batches, emit| {
        if let Some(gone) = open.gone() {
            emit(gone);
        }
        batches.iter().for_each(|batch| emit(open.add(batch)));
        open.pass(tick, &open_clock, &sources);
    });
    let (key_codec, key_columns) = (Codec::of_columns(groups.schema(), keys), keys.clone());
    let pack = groups.aggregates();
    let rows = keyed(rows, "Sessions", &tools.meter, move |_, batch, into| {
        let keys = key_codec.pack(&some(batch.columns(), &key_columns), batch.len());
        let times = batch.column(time).as_primitive::<Int64Type>();
        let values = pack.pack(batch.columns(), batch.len());
        for (i, (key, value)) in keys.into_iter().zip(values).enumerate() {
            into.push(((key, [&packed_time(times.value(i))[..], &value].concat()), batch.diff(i)));
        }
    });
    // the window moves from the result to the group
    let results = reduce(rows, "SessionReduce", reduction(groups.aggregates(), *gap_ms)).map(|(key, result)| {
        let (window, results) = result.split_at(WINDOW_BYTES);
        ([&key, window].concat(), results.to_vec())
    });
    let at = (&clock, start);
    let width = keys.len() + 2;
    let results = closing(batches(results, "Results"), &node.schema, width, window, close_after, at, &tools.meter);
    unpack_results(results, Results::new(&node.schema, width, aggregates, tools.reporter), tools.meter)
}

/// Event time as bytes that compare as it does.
fn packed_time(time: i64) -> [u8; TIME_BYTES] {
    ((time as u64) ^ (1 << 63)).to_be_bytes()
}

fn unpacked_time(bytes: &[u8]) -> i64 {
    let (time, _) = bytes.split_first_chunk::<TIME_BYTES>().map_or(([0; TIME_BYTES], bytes), |(t, rest)| (*t, rest));
    (u64::from_be_bytes(time) ^ (1 << 63)) as i64
}

/// Cuts ascending times into sessions: positions of the first and behind the last of each.
fn sessions(times: &[i64], gap_ms: i64) -> Vec<(usize, usize)> {
    let mut first = 0;
    let lengths = times.chunk_by(|a, b| b.saturating_sub(*a) <= gap_ms).map(<[i64]>::len);
    lengths
        .map(|len| {
            first += len;
            (first - len, first)
        })
        .collect()
}

/// From the rows of a key, (time, arguments), to its sessions: (window, results).
fn reduction(aggregates: Aggregates, gap_ms: i64) -> Reduction {
    let codec = Codec::new(&[DataType::Int64, DataType::Int64]);
    Box::new(move |_, values, out| {
        let present: Vec<&(&Packed, i64)> = values.iter().filter(|(_, n)| *n > 0).collect();
        let times: Vec<i64> = present.iter().map(|(value, _)| unpacked_time(value)).collect();
        let sessions = sessions(&times, gap_ms);
        let starts: ArrayRef = Arc::new(Int64Array::from_iter_values(sessions.iter().map(|(a, _)| times[*a])));
        let ends: ArrayRef = Arc::new(Int64Array::from_iter_values(sessions.iter().map(|(_, b)| times[b - 1])));
        for ((a, b), window) in sessions.iter().zip(codec.pack(&[starts, ends], sessions.len())) {
            let rows: Vec<(&[u8], i64)> = present[*a..*b].iter().map(|(v, n)| (&v[TIME_BYTES..], *n)).collect();
            out.push(([window, packed_results(&aggregates, &rows)].concat(), 1));
        }
    })
}

/// Which rows are late, by what they say themselves.
struct Lateness {
    time: usize,
    lane_time: Option<usize>,
    /// A row is late when this much after its time is before its lane time: gap and grace.
    reach: i64,
}

impl Lateness {
    fn is_late(&self, batch: &Batch, i: usize, time: i64) -> bool {
        let lanes = self.lane_time.map(|c| batch.column(c).as_primitive::<Int64Type>());
        lanes.is_some_and(|lanes| lanes.is_valid(i) && time.saturating_add(self.reach) < lanes.value(i))
    }
}

/// The rows of sessions that have not closed.
struct Open {
    lateness: Lateness,
    gap_ms: i64,
    keys: Vec<usize>,
    key_codec: Codec,
    codec: Codec,
    /// Columns of the input, without the tick of arrival.
    width: usize,
    /// By key and time.
    rows: HashMap<Packed, BTreeMap<i64, BTreeMap<Packed, i64>>>,
    /// Keys by the time at which a session that ends with one of their rows closes.
    deadlines: BTreeMap<i64, BTreeSet<Packed>>,
    /// Stream time at the end of the last tick.
    passed: i64,
    late: LateReporter,
    reporter: Reporter,
}

impl Open {
    /// A session closes when stream time reaches its end plus this.
    fn close_after(&self) -> i64 {
        self.lateness.reach.saturating_add(self.gap_ms).saturating_add(1)
    }

    /// The rows that are not late.
    fn add(&mut self, batch: &Batch) -> Batch {
        let keys = self.key_codec.pack(&some(batch.columns(), &self.keys), batch.len());
        let rows = self.codec.pack(batch.columns(), batch.len());
        let times = batch.column(self.lateness.time).as_primitive::<Int64Type>();
        let mut there = vec![];
        for (i, (key, row)) in keys.into_iter().zip(rows).enumerate() {
            let time = times.value(i);
            if times.is_null(i) || !(-EVENT_TIME_MS_MAX..=EVENT_TIME_MS_MAX).contains(&time) {
                let row = row_text(&batch.columns()[..self.width], i);
                self.reporter.error("event_time", NO_EVENT_TIME.to_owned(), row, batch.diff(i));
                continue;
            }
            let closed = time.saturating_add(self.lateness.reach) < self.passed;
            if closed || self.lateness.is_late(batch, i, time) {
                self.late.late(batch.columns(), i, (time, time), time);
                continue;
            }
            there.push(i as u32);
            self.deadlines.entry(time.saturating_add(self.close_after())).or_default().insert(key.clone());
            *self.rows.entry(key).or_default().entry(time).or_default().entry(row).or_default() += batch.diff(i);
        }
        batch.take(&there)
    }

    /// The tick is over: event time is what it is now.
    fn pass(&mut self, tick: u64, clock: &TickClock, sources: &[RelationId]) {
        self.passed = self.passed.max(clock.stream_time(tick, sources).close);
    }

    /// Retractions of the rows of sessions that have closed.
    fn gone(&mut self) -> Option<Batch> {
        let mut due = BTreeSet::new();
        while let Some(first) = self.deadlines.first_entry()
            && *first.key() <= self.passed
        {
            due.extend(first.remove());
        }
        let (mut gone, mut diffs) = (vec![], vec![]);
        let close_after = self.close_after();
        for key in due {
            let Some(rows) = self.rows.get_mut(&key) else { continue };
            let times: Vec<i64> = rows.keys().copied().collect();
            for (a, b) in sessions(&times, self.gap_ms) {
                if times[b - 1].saturating_add(close_after) > self.passed {
                    continue;
                }
                for time in &times[a..b] {
                    for (row, count) in rows.remove(time).into_iter().flatten() {
                        gone.push(row);
                        diffs.push(-count);
                    }
                }
            }
            if rows.is_empty() {
                self.rows.remove(&key);
            }
        }
        let keep: Vec<usize> = (0..diffs.len()).filter(|i| diffs[*i] != 0).collect();
        let diffs: Vec<i64> = keep.iter().map(|i| diffs[*i]).collect();
        let len = diffs.len();
        (len > 0).then(|| Batch::new(self.codec.unpack(keep.iter().map(|i| gone[*i].as_slice())), Some(diffs), len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_pack_in_their_order() {
        let mut packed: Vec<[u8; TIME_BYTES]> = [5, -1, i64::MIN, 0, i64::MAX].map(packed_time).to_vec();
        packed.sort_unstable();
        let times: Vec<i64> = packed.iter().map(|t| unpacked_time(t)).collect();
        assert_eq!(times, [i64::MIN, -1, 0, 5, i64::MAX]);
    }

    #[test]
    fn a_gap_is_inclusive() {
        assert_eq!(sessions(&[0, 10, 21, 21, 40], 10), [(0, 2), (2, 4), (4, 5)]);
        assert_eq!(sessions(&[], 10), []);
    }

    #[test]
    fn two_bigints_take_the_bytes_that_they_are_said_to_take() {
        let column: ArrayRef = Arc::new(Int64Array::from(vec![Some(7), None]));
        let packed = Codec::new(&[DataType::Int64, DataType::Int64]).pack(&[Arc::clone(&column), column], 2);
        assert!(packed.iter().all(|row| row.len() == WINDOW_BYTES));
    }
}
