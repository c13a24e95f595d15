//! Groups whose window closes.
//!
//! ```text
//! open groups ── stream time ≥ end + grace ──→ results that stand ── stream time ≥ start + retention ──→ gone
//! EMIT CHANGES   −old +new per tick            (nothing)                                                −result
//! EMIT FINAL     (nothing)                     +result                                                  −result
//! ```
//! When its window closes, a group's state goes and its row stays. What a tick's rows change counts before what its stream
//! time closes; rows of windows that an earlier tick closed are late. Groups lie by the end of their window, so that
//! finding those that close looks at no others.

use std::collections::BTreeMap;

use arrow::array::{Array, AsArray, Int64Array};
use arrow::datatypes::Int64Type;
use millrace_data::Batch;
use millrace_planner::plan::{Node, Op, WindowClose};

use crate::by_group::ByGroup;
use crate::errors::{LateReporter, Reporter};
use crate::operator::{Calls, Route, unary};
use crate::render::hash::groups::{Result, Shown, emit_changes};
use crate::render::hash::reduce::{Groups, Located};
use crate::render::hash::standing::Standing;
use crate::render::{Renderer, Rows, Tools};

/// Renders `Op::Reduce` with a window.
pub(crate) fn windowed<'scope>(cx: &mut Renderer<'scope, '_>, node: &Node, tools: Tools) -> Rows<'scope> {
    let Op::Reduce { input, keys, aggregates, window: Some(window) } = &node.op else {
        panic!("not a windowed Reduce: {:?}", node.op)
    };
    let rows = cx.render(input);
    let (time, lane) = match &input.op {
        Op::AssignWindows { time, lane, .. } => (Some(*time), *lane),
        _ => (None, None),
    };
    let mut windows = Windows {
        groups: Groups::new(input, keys, aggregates, true),
        start: keys[window.start],
        end: keys[window.end],
        time,
        window: window.clone(),
        of: ByGroup::new(),
        open: BTreeMap::new(),
        standing: Standing::default(),
        closed: i64::MIN,
        left: i64::MIN,
        late: tools.reporter.for_late_rows(input, lane),
        reporter: tools.reporter,
    };
    let (clock, sources, meter) = (cx.env.tick.clone(), window.time_sources.clone(), tools.meter.clone());
    let (route, calls) = (Route::Key(keys.clone()), Calls::EveryTick(cx.start, clock.clone()));
    unary(rows, "WindowedReduce", route, calls, tools.meter, move |tick, batches, emit| {
        windows.change(tick, &batches, emit);
        let now = clock.stream_time(tick, &sources);
        windows.close(now.close, emit);
        windows.leave(now.retain, emit);
        meter.holds(windows.memory_bytes());
    })
}

/// A window: end, then start, so that windows lie in the order in which they close.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Window {
    end: i64,
    start: i64,
}

struct Windows {
    groups: Groups,
    /// Positions in the input.
    start: usize,
    end: usize,
    /// Event time of a row, where the windows were given to it just below.
    time: Option<usize>,
    window: WindowClose,
    /// The window of each group that is open.
    of: ByGroup<Option<Window>>,
    /// Groups by window; some may have gone meanwhile.
    open: BTreeMap<Window, Vec<u32>>,
    standing: Standing,
    /// Stream time up to which windows closed before this tick.
    closed: i64,
    /// Stream time up to which results left before this tick.
    left: i64,
    late: LateReporter,
    reporter: Reporter,
}

/// A time plus a distance; a window without it never ends.
fn after(times: &Int64Array, i: usize, distance: i64) -> i64 {
    if times.is_null(i) { i64::MAX } else { times.value(i).saturating_add(distance) }
}

impl Windows {
    fn change(&mut self, tick: u64, batches: &[Batch], emit: &mut dyn FnMut(Batch)) {
        let arrived = self.groups.arrive(tick, batches);
        let batches: Vec<Batch> =
            arrived.as_deref().unwrap_or(batches).iter().map(|batch| self.on_time(batch)).collect();
        let mut touched = vec![];
        let located = self.groups.locate(tick, &batches, &mut touched);
        if touched.is_empty() {
            return;
        }
        located.iter().for_each(|located| self.enter(located));
        let changes = !self.window.emit_final;
        let old = if changes { self.groups.shown(&touched) } else { Shown::default() };
        self.groups.update(tick, &located);
        if changes {
            let new = self.groups.shown(&touched);
            emit_changes(&old, &new, |at| self.groups.keys_at(&touched, at), &self.reporter, emit);
        }
        let dead = self.groups.dead(&touched);
        self.remove(&dead);
    }

    /// The rows of windows that are open and whose results have not left.
    fn on_time(&self, batch: &Batch) -> Batch {
        let column = |c: usize| batch.column(c).as_primitive::<Int64Type>();
        let (starts, ends) = (column(self.start), column(self.end));
        let mut kept = Vec::with_capacity(batch.len());
        for i in 0..batch.len() {
            if after(ends, i, self.window.grace_ms) <= self.closed {
                // a retraction of a row that the window has counted is no late row: the window's result stands
                if batch.diff(i) > 0 {
                    let time = self.time.map_or(starts, column).value(i);
                    self.late.late(batch.columns(), i, (starts.value(i), ends.value(i)), time);
                }
            } else if after(starts, i, self.window.retention_ms) > self.left {
                kept.push(i as u32);
            }
        }
        if kept.len() == batch.len() { batch.clone() } else { batch.take(&kept) }
    }

    /// Notes the windows of new groups.
    fn enter(&mut self, located: &Located) {
        let column = |c: usize| located.batch.column(c).as_primitive::<Int64Type>();
        let (starts, ends) = (column(self.start), column(self.end));
        for (i, group) in located.groups.iter().enumerate() {
            self.of.grow(*group as usize + 1);
            if self.of[*group as usize].is_none() {
                let window = Window { end: after(ends, i, 0), start: after(starts, i, 0) };
                self.of[*group as usize] = Some(window);
                self.open.entry(window).or_default().push(*group);
            }
        }
    }

    /// Windows close up to stream time `now`.
    fn close(&mut self, now: i64, emit: &mut dyn FnMut(Batch)) {
        self.closed = self.closed.max(now);
        while let Some(first) = self.open.first_entry()
            && first.key().end.saturating_add(self.window.grace_ms) <= self.closed
        {
            let (window, groups) = first.remove_entry();
            let groups = self.current(window, groups);
            if groups.is_empty() {
                continue;
            }
            let shown = self.groups.shown(&groups);
            let result = Result::of(&shown, |at| self.groups.keys_at(&groups, at));
            if self.window.emit_final {
                result.appear(&self.reporter, emit);
            }
            let leaves = window.start.saturating_add(self.window.retention_ms);
            self.standing.add(result, |_| leaves);
            self.remove(&groups);
        }
    }

    /// Results leave up to stream time `now`, those of open windows included.
    fn leave(&mut self, now: i64, emit: &mut dyn FnMut(Batch)) {
        self.left = self.left.max(now);
        self.standing.leave(self.left, &self.reporter, emit);
        while let Some(first) = self.open.first_entry()
            && first.key().start.saturating_add(self.window.retention_ms) <= self.left
        {
            let (window, groups) = first.remove_entry();
            let groups = self.current(window, groups);
            if !self.window.emit_final {
                let shown = self.groups.shown(&groups);
                Result::of(&shown, |at| self.groups.keys_at(&groups, at)).leave(&self.reporter, emit);
            }
            self.remove(&groups);
        }
    }

    /// Those of a window's groups that are still there.
    fn current(&self, window: Window, mut groups: Vec<u32>) -> Vec<u32> {
        groups.sort_unstable();
        groups.dedup();
        groups.retain(|group| self.of[*group as usize] == Some(window));
        groups
    }

    fn remove(&mut self, groups: &[u32]) {
        groups.iter().for_each(|group| self.of[*group as usize] = None);
        self.groups.remove(groups);
    }

    fn memory_bytes(&self) -> usize {
        let open = self.open.values().map(|groups| groups.capacity() * 4 + size_of::<Window>()).sum::<usize>();
        self.groups.memory_bytes() + self.of.memory_bytes() + open + self.standing.memory_bytes()
    }
}
