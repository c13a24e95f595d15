//! Two streams whose rows are near each other in event time.
//!
//! The window of a left row at x is [x − before, x + after], that of a right row at y [y − after, y + before]; two rows
//! meet when each lies in the other's window. A row's window closes when the *other* stream's time is beyond its end +
//! grace; likewise a row is late for the window of a row of the other side when its lane time is. So a pair that is late
//! never meets, whether or not its rows still lie side by side, and the answer does not depend on ticks.
//!
//! ```text
//! left rows of the tick  → meet the right rows that are there  → are there
//! right rows of the tick → meet the left rows that are there   → are there
//! windows that stream time closed: rows leave, those without a partner as rows with NULLs
//! ```
//! A row that is late for the window of every row that it could meet goes to the late relation.

mod store;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, UInt32Array};
use arrow::compute::take;
use arrow::datatypes::{Int64Type, SchemaRef};
use millrace_data::Batch;
use millrace_data::hash::hash_columns;
use millrace_planner::catalog::RelationId;
use millrace_planner::plan::{JoinKind, Node, WithinJoin};

use self::store::{Entry, Store};
use crate::errors::{LateReporter, Reporter, row_text};
use crate::operator::{Calls, Route, binary};
use crate::render::assign_windows::{EVENT_TIME_MS_MAX, NO_EVENT_TIME};
use crate::render::hash::residual::{Residual, is_true};
use crate::render::hash::segments::RowNumber;
use crate::render::hash::wanted::Wanted;
use crate::render::{Renderer, Rows, Tools};
use crate::tick::TickClock;

/// Pairs of a block.
const PAIRS: usize = 4096;

/// Renders `Op::WithinJoin`.
pub(crate) fn within<'scope>(
    cx: &mut Renderer<'scope, '_>,
    node: &Node,
    join: &WithinJoin,
    tools: Tools,
) -> Rows<'scope> {
    let (left, right) = (cx.render(&join.left), cx.render(&join.right));
    let residual = join.residual.as_ref();
    let residual = residual.map(|r| Residual::new(r, &join.left.schema, &join.right.schema, &tools.reporter));
    let mut near = Near {
        sides: sides(join, &tools.reporter),
        residual,
        output: Wanted::new(&node.schema, tools.wanted),
        reporter: tools.reporter,
        clock: cx.env.tick.clone(),
    };
    let routes = (Route::Key(near.sides[0].on.clone()), Route::Key(near.sides[1].on.clone()));
    let (calls, meter) = (Calls::EveryTick(cx.start, cx.env.tick.clone()), tools.meter.clone());
    binary(left, right, "WithinJoin", routes, calls, tools.meter, move |tick, left, right, emit| {
        left.iter().for_each(|batch| near.add(0, batch, emit));
        right.iter().for_each(|batch| near.add(1, batch, emit));
        (0..2).for_each(|place| near.close(place, tick, emit));
        meter.holds(near.sides.iter().map(|side| side.store.memory_bytes()).sum());
    })
}

/// One of the two streams.
struct Side {
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
    /// The other stream's, whose time closes this one's windows.
    sources: Vec<RelationId>,
    /// Rows without a partner come out.
    outer: bool,
    store: Store,
}

/// When stream time is beyond a window's end and grace.
fn closes(time: i64, after_ms: i64, grace_ms: i64) -> i64 {
    time.saturating_add(after_ms).saturating_add(grace_ms).saturating_add(1)
}

fn sides(join: &WithinJoin, reporter: &Reporter) -> [Side; 2] {
    let (left_on, right_on): (Vec<usize>, Vec<usize>) = join.on.iter().copied().unzip();
    let side = |schema: &SchemaRef, on: Vec<usize>| {
        let types: Vec<_> = on.iter().map(|c| schema.field(*c).data_type().clone()).collect();
        Side {
            schema: Arc::clone(schema),
            on,
            time: join.times.0,
            lane_time: join.lanes.0.map(|lane| lane.time),
            late: reporter.for_late_rows(&join.left, join.lanes.0),
            before_ms: join.before_ms,
            after_ms: join.after_ms,
            grace_ms: join.grace_ms,
            sources: join.time_sources.1.clone(),
            outer: matches!(join.kind, JoinKind::Left | JoinKind::Full),
            store: Store::new(&types),
        }
    };
    let right = Side {
        time: join.times.1,
        lane_time: join.lanes.1.map(|lane| lane.time),
        late: reporter.for_late_rows(&join.right, join.lanes.1),
        before_ms: join.after_ms,
        after_ms: join.before_ms,
        sources: join.time_sources.0.clone(),
        outer: join.kind == JoinKind::Full,
        ..side(&join.right.schema, right_on)
    };
    [side(&join.left.schema, left_on), right]
}

impl Side {
    /// When the window of a row at `time` closes.
    fn closes(&self, time: i64) -> i64 {
        closes(time, self.after_ms, self.grace_ms)
    }

    /// Rows are there from now on.
    fn keep(
        &mut self,
        batch: Batch,
        keys: (&[ArrayRef], &[u64]),
        matched: Vec<bool>,
        entry: impl Fn(usize, RowNumber) -> Entry,
    ) {
        let (after, grace) = (self.after_ms, self.grace_ms);
        self.store.add(batch, keys, matched, entry, |time| closes(time, after, grace));
    }

    /// The rows that have a time and are not late for everything.
    fn checked(&self, batch: &Batch, reporter: &Reporter) -> Batch {
        let times = batch.column(self.time).as_primitive::<Int64Type>();
        let lanes = self.lane_time.map(|c| batch.column(c).as_primitive::<Int64Type>());
        let mut kept = Vec::with_capacity(batch.len());
        for i in 0..batch.len() {
            let time = times.value(i);
            if times.is_null(i) || !(-EVENT_TIME_MS_MAX..=EVENT_TIME_MS_MAX).contains(&time) {
                let row = row_text(batch.columns(), i);
                reporter.error("event_time", NO_EVENT_TIME.to_owned(), row, batch.diff(i));
                continue;
            }
            // the last row that it could meet is at the end of its window, and has a window of the other side's length
            let last = self.closes(time).saturating_add(self.before_ms);
            if lanes.is_some_and(|lanes| lanes.is_valid(i) && last <= lanes.value(i)) {
                let window = (time.saturating_sub(self.before_ms), time.saturating_add(self.after_ms));
                self.late.late(batch.columns(), i, window, time);
            } else {
                kept.push(i as u32);
            }
        }
        if kept.len() == batch.len() { batch.clone() } else { batch.take(&kept) }
    }
}

struct Near {
    sides: [Side; 2],
    residual: Option<Residual>,
    output: Wanted,
    reporter: Reporter,
    clock: TickClock,
}

/// Rows of a batch with rows of the other side's store.
#[derive(Default)]
struct Pairs {
    mine: Vec<u32>,
    theirs: Vec<RowNumber>,
    diffs: Vec<i64>,
}

impl Near {
    /// Rows of side `place` meet what is there of the other side, and are there.
    fn add(&mut self, place: usize, batch: &Batch, emit: &mut dyn FnMut(Batch)) {
        let batch = self.sides[place].checked(batch, &self.reporter);
        if batch.is_empty() {
            return;
        }
        let side = &self.sides[place];
        let keys: Vec<ArrayRef> = side.on.iter().map(|c| Arc::clone(batch.column(*c))).collect();
        let mut hashes = vec![];
        hash_columns(&keys, batch.len(), &mut hashes);
        let times = batch.column(side.time).as_primitive::<Int64Type>().clone();
        let lanes = side.lane_time.map(|c| batch.column(c).as_primitive::<Int64Type>().clone());
        let entry = |i: usize, row: RowNumber| {
            let lane = lanes.as_ref().filter(|lanes| lanes.is_valid(i)).map_or(i64::MIN, |lanes| lanes.value(i));
            Entry { time: times.value(i), lane, row }
        };
        let mut matched = vec![false; batch.len()];
        self.meet(place, &batch, (&keys, &hashes), entry, &mut matched, emit);
        self.sides[place].keep(batch, (&keys, &hashes), matched, entry);
    }

    fn meet(
        &mut self,
        place: usize,
        batch: &Batch,
        (keys, hashes): (&[ArrayRef], &[u64]),
        entry: impl Fn(usize, RowNumber) -> Entry,
        matched: &mut [bool],
        emit: &mut dyn FnMut(Batch),
    ) {
        let mut ids = vec![];
        self.sides[1 - place].store.find(keys, hashes, &mut ids);
        let mut pairs = Pairs::default();
        let mut met = vec![];
        for (i, key) in ids.iter().enumerate() {
            let (mine, theirs) = (&self.sides[place], &self.sides[1 - place]);
            let row = entry(i, 0);
            let (from, to) = (row.time.saturating_sub(mine.before_ms), row.time.saturating_add(mine.after_ms));
            for other in theirs.store.range(*key, from, to) {
                // neither is late for the other's window
                if other.lane < mine.closes(row.time) && row.lane < theirs.closes(other.time) {
                    pairs.mine.push(i as u32);
                    pairs.theirs.push(other.row);
                    pairs.diffs.push(batch.diff(i) * theirs.store.rows().diff(other.row));
                }
            }
            if pairs.mine.len() >= PAIRS {
                self.flush(place, batch, &mut pairs, matched, &mut met, emit);
            }
        }
        self.flush(place, batch, &mut pairs, matched, &mut met, emit);
        met.into_iter().for_each(|row| self.sides[1 - place].store.set_matched(row));
    }

    /// # Panics
    /// Never: positions are of the batch.
    #[allow(clippy::expect_used)]
    fn flush(
        &self,
        place: usize,
        batch: &Batch,
        pairs: &mut Pairs,
        matched: &mut [bool],
        met: &mut Vec<RowNumber>,
        emit: &mut dyn FnMut(Batch),
    ) {
        if pairs.mine.is_empty() {
            return;
        }
        let left_width = self.sides[0].schema.fields().len();
        let column = |c: usize, pairs: &Pairs, at: Option<usize>| {
            let (of, c) = if c < left_width { (0, c) } else { (1, c - left_width) };
            if of == place {
                let rows = at.map_or(pairs.mine.as_slice(), |i| &pairs.mine[i..=i]);
                take(batch.column(c), &UInt32Array::from(rows.to_vec()), None).expect("positions of the batch")
            } else {
                self.sides[of].store.rows().column(c, at.map_or(pairs.theirs.as_slice(), |i| &pairs.theirs[i..=i]))
            }
        };
        if let Some(residual) = &self.residual {
            let mask = residual.mask(pairs.mine.len(), |c, at| column(c, pairs, at), Some(&pairs.diffs));
            pairs.retain(&mask);
        }
        pairs.mine.iter().for_each(|i| matched[*i as usize] = true);
        if self.sides[1 - place].outer {
            met.extend_from_slice(&pairs.theirs);
        }
        if !pairs.mine.is_empty() {
            let width = left_width + self.sides[1].schema.fields().len();
            let len = pairs.mine.len();
            let columns = (0..width).map(|c| self.output.column(c, len, |c| column(c, pairs, None))).collect();
            emit(Batch::new(columns, Some(std::mem::take(&mut pairs.diffs)), len));
        }
        *pairs = Pairs::default();
    }

    /// Rows of side `place` whose window the tick's stream time has closed leave.
    fn close(&mut self, place: usize, tick: u64, emit: &mut dyn FnMut(Batch)) {
        let now = self.clock.stream_time(tick, &self.sides[place].sources).close;
        let (side, output) = (&mut self.sides[place], &self.output);
        let (outer, width) = (side.outer, side.schema.fields().len());
        // where the side's columns lie in the output
        let own = if place == 0 { 0..width } else { output.width() - width..output.width() };
        side.store.expire(now, |rows, lonely| {
            if outer {
                let len = lonely.len();
                let column = |c: usize| {
                    if own.contains(&c) {
                        output.column(c, len, |c| rows.column(c - own.start, lonely))
                    } else {
                        output.nulls(c, len)
                    }
                };
                let diffs = lonely.iter().map(|row| rows.diff(*row)).collect();
                emit(Batch::new((0..output.width()).map(column).collect(), Some(diffs), len));
            }
        });
    }
}

impl Pairs {
    fn retain(&mut self, mask: &BooleanArray) {
        let kept: Vec<usize> = (0..mask.len()).filter(|i| is_true(mask, *i)).collect();
        self.mine = kept.iter().map(|i| self.mine[*i]).collect();
        self.theirs = kept.iter().map(|i| self.theirs[*i]).collect();
        self.diffs = kept.iter().map(|i| self.diffs[*i]).collect();
    }
}
