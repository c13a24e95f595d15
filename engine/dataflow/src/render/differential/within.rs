//! Two streams whose rows are near each other in event time.
//!
//! The window of a left row at x is [x − before, x + after], that of a right row at y [y − after, y + before]; two rows
//! meet when each lies in the other's window. A row's window closes when the *other* stream's time is beyond its end +
//! grace; likewise a row is late for the window of a row of the other side when its lane time is. So a pair that is late
//! never meets, whether or not its rows still lie side by side, and the answer does not depend on ticks.
//!
//! ```text
//! left  ─ checked ─ until its window closed ─┐
//!                                            ├ join on keys ─ near, on time, residual ─→ pairs
//! right ─ checked ─ until its window closed ─┘                                            │ matched rows
//! side  ─ checked ─────────────────────────────→ Lonely: waits, leaves without partner ←──┘
//! ```
//!
//! A row that is late for the window of every row that it could meet goes to the late relation.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{Array, AsArray, BooleanArray};
use arrow::datatypes::{Int64Type, SchemaRef};
use millrace_data::Batch;
use millrace_planner::catalog::RelationId;
use millrace_planner::plan::{JoinKind, WithinJoin};
use timely::dataflow::operators::core::Concatenate;

use crate::errors::{LateReporter, Reporter, row_text};
use crate::operator::{Calls, Route, binary, stateless};
use crate::render::assign_windows::{EVENT_TIME_MS_MAX, NO_EVENT_TIME};
use crate::render::differential::codec::{Codec, any_null, some};
use crate::render::differential::deadline::{Deadlines, until};
use crate::render::differential::join::{Residual, nulls, unpack_pairs};
use crate::render::differential::keyed::{self, Keyed, Packed, batches, bytes, each, keyed};
use crate::render::{Renderer, Rows, Tools};
use crate::tick::TickClock;

/// Renders `Op::WithinJoin`.
pub(crate) fn within<'scope>(cx: &mut Renderer<'scope, '_>, join: &WithinJoin, tools: Tools) -> Rows<'scope> {
    let (left_rows, right_rows) = (cx.render(&join.left), cx.render(&join.right));
    let (left, right) = (Side::left(join, &cx.env.tick, &tools), Side::right(join, &cx.env.tick, &tools));
    let left_rows = left.checked(left_rows, &tools);
    let right_rows = right.checked(right_rows, &tools);
    let start = cx.start;
    let pairs = keyed::join(
        left.keyed(left_rows.clone(), start, &tools),
        right.keyed(right_rows.clone(), start, &tools),
        |_, l, r| (l.clone(), r.clone()),
    );
    let near = Near { left: left.clone(), right: right.clone() };
    let codecs = (Codec::of(&left.schema), Codec::of(&right.schema));
    let residual = join.residual.as_ref().map(|r| Residual::new(r, &left.schema, &right.schema, &tools.reporter));
    let pairs = stateless(batches(pairs, "Pairs"), "Near", tools.meter.part(), move |_, batch, emit| {
        // what leaves takes its pairs along; they stand
        let came: BooleanArray = (0..batch.len()).map(|i| Some(batch.diff(i) > 0)).collect();
        let batch = batch.filter(&came);
        let near = near.mask(&batch.with_columns(unpack_pairs(&codecs.0, &codecs.1, &batch)));
        let batch = batch.filter(&near);
        emit(residual.as_ref().map_or_else(|| batch.clone(), |residual| residual.apply(&batch)));
    });
    let codecs = (Codec::of(&left.schema), Codec::of(&right.schema));
    let mut outputs = vec![stateless(pairs.clone(), "WithinJoin", tools.meter.clone(), move |_, batch, emit| {
        emit(batch.with_columns(unpack_pairs(&codecs.0, &codecs.1, &batch)));
    })];
    if matches!(join.kind, JoinKind::Left | JoinKind::Full) {
        outputs.push(lonely(&left, left_rows, &pairs, &right.schema, start, &tools));
    }
    if join.kind == JoinKind::Full {
        outputs.push(lonely(&right, right_rows, &pairs, &left.schema, start, &tools));
    }
    cx.scope.concatenate(outputs)
}

/// One of the two streams.
#[derive(Clone)]
struct Side {
    /// 0 left, 1 right.
    place: usize,
    schema: SchemaRef,
    on: Vec<usize>,
    time: usize,
    lane_time: Option<usize>,
    late: LateReporter,
    /// Its window begins this much before its time …
    before_ms: i64,
    /// … and ends this much after it, inclusive.
    after_ms: i64,
    grace_ms: i64,
    clock: TickClock,
    /// The other stream's, whose time closes this one's windows.
    sources: Vec<RelationId>,
}

impl Side {
    fn left(join: &WithinJoin, clock: &TickClock, tools: &Tools) -> Self {
        Side {
            place: 0,
            schema: Arc::clone(&join.left.schema),
            on: join.on.iter().map(|on| on.0).collect(),
            time: join.times.0,
            lane_time: join.lanes.0.map(|lane| lane.time),
            late: tools.reporter.for_late_rows(&join.left, join.lanes.0),
            before_ms: join.before_ms,
            after_ms: join.after_ms,
            grace_ms: join.grace_ms,
            clock: clock.clone(),
            sources: join.time_sources.1.clone(),
        }
    }

    fn right(join: &WithinJoin, clock: &TickClock, tools: &Tools) -> Self {
        Side {
            place: 1,
            schema: Arc::clone(&join.right.schema),
            on: join.on.iter().map(|on| on.1).collect(),
            time: join.times.1,
            lane_time: join.lanes.1.map(|lane| lane.time),
            late: tools.reporter.for_late_rows(&join.right, join.lanes.1),
            before_ms: join.after_ms,
            after_ms: join.before_ms,
            grace_ms: join.grace_ms,
            clock: clock.clone(),
            sources: join.time_sources.0.clone(),
        }
    }

    /// When the window of a row at `time` closes.
    fn closes(&self, time: i64) -> i64 {
        time.saturating_add(self.after_ms).saturating_add(self.grace_ms).saturating_add(1)
    }

    /// The rows that have a time and are not late for everything.
    fn checked<'scope>(&self, rows: Rows<'scope>, tools: &Tools) -> Rows<'scope> {
        let (side, reporter) = (self.clone(), tools.reporter.clone());
        stateless(rows, "Checked", tools.meter.part(), move |_, batch, emit| {
            let good: BooleanArray = (0..batch.len()).map(|i| Some(side.check(&batch, i, &reporter))).collect();
            emit(batch.filter(&good));
        })
    }

    fn check(&self, batch: &Batch, i: usize, reporter: &Reporter) -> bool {
        let times = batch.column(self.time).as_primitive::<Int64Type>();
        let time = times.value(i);
        if times.is_null(i) || !(-EVENT_TIME_MS_MAX..=EVENT_TIME_MS_MAX).contains(&time) {
            reporter.error("event_time", NO_EVENT_TIME.to_owned(), row_text(batch.columns(), i), batch.diff(i));
            return false;
        }
        let lanes = self.lane_time.map(|c| batch.column(c).as_primitive::<Int64Type>());
        // the last row that it could meet is at the end of its window, and has a window of the other side's length
        let last = self.closes(time).saturating_add(self.before_ms);
        let late = lanes.is_some_and(|lanes| lanes.is_valid(i) && last <= lanes.value(i));
        if late {
            let window = (time.saturating_sub(self.before_ms), time.saturating_add(self.after_ms));
            self.late.late(batch.columns(), i, window, time);
        }
        !late
    }

    /// The rows whose window is open, by key; a NULL key meets nothing.
    fn keyed<'scope>(&self, rows: Rows<'scope>, start: u64, tools: &Tools) -> Keyed<'scope> {
        let (route, calls) = (Route::Key(self.on.clone()), Calls::EveryTick(start, self.clock.clone()));
        let rows = until(rows, &self.schema, route, calls, self.clone(), tools.meter.part());
        let on = self.on.clone();
        let (key_codec, codec) = (Codec::of_columns(&self.schema, &on), Codec::of(&self.schema));
        keyed(rows, "Side", &tools.meter, move |_, batch, into| {
            let keys = some(batch.columns(), &on);
            let packed = key_codec.pack(&keys, batch.len()).into_iter().zip(codec.pack(batch.columns(), batch.len()));
            let pairs = packed.enumerate().filter(|(i, _)| !any_null(&keys, *i));
            into.extend(pairs.map(|(i, pair)| (pair, batch.diff(i))));
        })
    }
}

impl Deadlines for Side {
    fn deadline(&self, batch: &Batch, i: usize) -> Option<i64> {
        Some(self.closes(batch.column(self.time).as_primitive::<Int64Type>().value(i)))
    }

    fn now(&self, tick: u64) -> i64 {
        self.clock.stream_time(tick, &self.sources).close
    }

    /// It still meets the rows of the other side that are there.
    fn missed(&self, _: &Batch, _: usize) -> bool {
        true
    }
}

/// What two rows of equal keys must be to meet.
struct Near {
    left: Side,
    right: Side,
}

impl Near {
    /// Over pairs, left columns and then right columns.
    fn mask(&self, pairs: &Batch) -> BooleanArray {
        let width = self.left.schema.fields().len();
        let column = |c: usize| pairs.column(c).as_primitive::<Int64Type>();
        let (lefts, rights) = (column(self.left.time), column(width + self.right.time));
        let left_lanes = self.left.lane_time.map(column);
        let right_lanes = self.right.lane_time.map(|c| column(width + c));
        let on_time = |lanes: Option<&arrow::array::Int64Array>, i: usize, closes: i64| {
            lanes.is_none_or(|lanes| lanes.is_null(i) || lanes.value(i) < closes)
        };
        let meet = |i: usize| {
            let (x, y) = (lefts.value(i), rights.value(i));
            y.saturating_add(self.left.before_ms) >= x
                && y <= x.saturating_add(self.left.after_ms)
                && on_time(right_lanes, i, self.left.closes(x))
                && on_time(left_lanes, i, self.right.closes(y))
        };
        (0..pairs.len()).map(|i| Some(meet(i))).collect()
    }
}

/// The rows of a side that found no partner until their window closed, with NULLs for the other side's columns.
fn lonely<'scope>(
    side: &Side,
    rows: Rows<'scope>,
    pairs: &Rows<'scope>,
    other: &SchemaRef,
    start: u64,
    tools: &Tools,
) -> Rows<'scope> {
    let codec = Codec::of(&side.schema);
    let rows = keyed(rows, "Waiting", &tools.meter.part(), move |_, batch, into| {
        let rows = codec.pack(batch.columns(), batch.len()).into_iter().enumerate();
        into.extend(rows.map(|(i, row)| ((row, vec![]), batch.diff(i))));
    });
    let place = side.place;
    let matched = stateless(pairs.clone(), "Matched", tools.meter.part(), move |_, batch, emit| {
        emit(batch.project(&[place]));
    });
    let mut waiting = Waiting { side: side.clone(), codec: Codec::of(&side.schema), rows: BTreeMap::new() };
    let (other, place) = (Arc::clone(other), side.place);
    let routes = (Route::Key(vec![0]), Route::Key(vec![0]));
    let calls = Calls::EveryTick(start, side.clock.clone());
    let meter = tools.meter.clone();
    binary(batches(rows, "Rows"), matched, "Lonely", routes, calls, meter, move |tick, rows, matched, emit| {
        rows.iter().for_each(|batch| waiting.add(batch));
        matched.iter().for_each(|batch| waiting.remove(batch));
        if let Some(batch) = waiting.closed(tick) {
            let (own, nulls) = (batch.columns().to_vec(), nulls(&other, batch.len()));
            emit(batch.with_columns(if place == 0 { [own, nulls].concat() } else { [nulls, own].concat() }));
        }
    })
}

/// Rows without a partner so far, by the time at which their window closes.
struct Waiting {
    side: Side,
    codec: Codec,
    rows: BTreeMap<i64, HashMap<Packed, i64>>,
}

impl Waiting {
    fn deadlines(&self, batch: &Batch) -> Vec<i64> {
        let columns = self.codec.unpack(each(bytes(batch, 0)));
        let times = columns[self.side.time].as_primitive::<Int64Type>();
        times.values().iter().map(|time| self.side.closes(*time)).collect()
    }

    fn add(&mut self, batch: &Batch) {
        let deadlines = self.deadlines(batch);
        for (i, (row, deadline)) in each(bytes(batch, 0)).zip(deadlines).enumerate() {
            *self.rows.entry(deadline).or_default().entry(row.to_vec()).or_default() += batch.diff(i);
        }
    }

    fn remove(&mut self, batch: &Batch) {
        let deadlines = self.deadlines(batch);
        for (row, deadline) in each(bytes(batch, 0)).zip(deadlines) {
            if let Some(rows) = self.rows.get_mut(&deadline) {
                rows.remove(row);
                if rows.is_empty() {
                    self.rows.remove(&deadline);
                }
            }
        }
    }

    /// The rows whose window has closed by the end of this tick.
    fn closed(&mut self, tick: u64) -> Option<Batch> {
        let (now, mut rows, mut diffs) = (self.side.now(tick), vec![], vec![]);
        while let Some(first) = self.rows.first_entry()
            && *first.key() <= now
        {
            for (row, count) in first.remove() {
                rows.push(row);
                diffs.push(count);
            }
        }
        let len = rows.len();
        (len > 0).then(|| Batch::new(self.codec.unpack(rows.iter().map(Vec::as_slice)), Some(diffs), len))
    }
}
