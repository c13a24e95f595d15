//! Session windows: rows of one key, each at most a gap from the next.
//!
//! ```text
//! key ─→ its open sessions, each (start, end, group)      a row opens one, extends one, or makes one of two
//!                                        └─→ aggregates by group; those of two sessions are merged
//! ```
//! A row at time x is late when x + gap + grace is below its lane time. So a row that is not late can still join a session
//! whose last row is at e, as long as stream time is at most e + 2 gap + grace; beyond that nothing on time can, and the
//! session closes. Therefore what the sessions are does not depend on ticks.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{DataType, Int64Type};
use millrace_arrange::KeyTable;
use millrace_data::Batch;
use millrace_data::hash::hash_columns;
use millrace_planner::plan::{Node, Op, WindowClose};
use smallvec::SmallVec;

use crate::by_group::ByGroup;
use crate::errors::{LateReporter, Reporter, row_text};
use crate::operator::{Calls, Route, unary};
use crate::render::assign_windows::{EVENT_TIME_MS_MAX, NO_EVENT_TIME};
use crate::render::hash::aggregate::Aggregates;
use crate::render::hash::groups::{Result, Shown};
use crate::render::hash::standing::Standing;
use crate::render::{Renderer, Rows, Tools};

/// Renders `Op::SessionReduce`.
pub(crate) fn session<'scope>(cx: &mut Renderer<'scope, '_>, node: &Node, tools: Tools) -> Rows<'scope> {
    let Op::SessionReduce { input, keys, time, lane, gap_ms, aggregates, window } = &node.op else {
        panic!("not SessionReduce: {:?}", node.op)
    };
    let rows = cx.render(input);
    let types: Vec<DataType> = keys.iter().map(|c| input.schema.field(*c).data_type().clone()).collect();
    let mut sessions = Sessions {
        keys: keys.clone(),
        time: *time,
        lane_time: lane.map(|lane| lane.time),
        gap_ms: *gap_ms,
        reach: gap_ms.saturating_add(window.grace_ms),
        window: window.clone(),
        table: KeyTable::new(&types),
        open: ByGroup::new(),
        aggregates: Aggregates::new(&input.schema, aggregates, input.append_only, true),
        groups: Ids::default(),
        closing: Due::new(),
        leaving: Due::new(),
        standing: Standing::default(),
        closed: i64::MIN,
        left: i64::MIN,
        late: tools.reporter.for_late_rows(input, *lane),
        reporter: tools.reporter,
        hashes: vec![],
        batches: 0,
        key_stamps: ByGroup::new(),
        group_stamps: ByGroup::new(),
    };
    let (clock, sources, meter) = (cx.env.tick.clone(), window.time_sources.clone(), tools.meter.clone());
    let (route, calls) = (Route::Key(keys.clone()), Calls::EveryTick(cx.start, clock.clone()));
    unary(rows, "SessionReduce", route, calls, tools.meter, move |tick, batches, emit| {
        batches.iter().for_each(|batch| sessions.change(tick, batch, emit));
        let now = clock.stream_time(tick, &sources);
        sessions.close(now.close, emit);
        sessions.leave(now.retain, emit);
        meter.holds(sessions.memory_bytes());
    })
}

/// A session of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Session {
    start: i64,
    end: i64,
    group: u32,
}

/// A session with its key.
type OfKey = (u32, Session);

/// Sessions by the time at which something is due.
type Due = BinaryHeap<Reverse<(i64, OfKey)>>;

/// Group ids, those that were given back first.
#[derive(Default)]
struct Ids {
    free: Vec<u32>,
    upper: u32,
}

impl Ids {
    fn take(&mut self) -> u32 {
        self.free.pop().unwrap_or_else(|| {
            self.upper += 1;
            self.upper - 1
        })
    }
}

struct Sessions {
    keys: Vec<usize>,
    time: usize,
    lane_time: Option<usize>,
    gap_ms: i64,
    /// A row is late when this much after its time is before its lane time: gap and grace.
    reach: i64,
    window: WindowClose,
    table: KeyTable,
    /// Open sessions of each key, ascending.
    open: ByGroup<SmallVec<[Session; 1]>>,
    aggregates: Aggregates,
    groups: Ids,
    /// Sessions by the time at which they close, and by the time at which their result leaves. Some have changed since.
    closing: Due,
    leaving: Due,
    standing: Standing,
    /// Stream time before this tick.
    closed: i64,
    /// Stream time up to which results left before this tick.
    left: i64,
    late: LateReporter,
    reporter: Reporter,
    hashes: Vec<u64>,
    /// Batches so far; stamps of keys and groups say which batch touched them last.
    batches: u64,
    key_stamps: ByGroup<u64>,
    group_stamps: ByGroup<u64>,
}

/// What a batch does to sessions.
#[derive(Default)]
struct Moves {
    /// Sessions that were there and are not the same any more.
    old: Vec<OfKey>,
    /// Groups that became part of others, in order.
    merged: Vec<(u32, u32)>,
    /// Keys that the batch touches.
    touched: Vec<u32>,
}

impl Sessions {
    fn change(&mut self, tick: u64, batch: &Batch, emit: &mut dyn FnMut(Batch)) {
        let batch = self.on_time(batch);
        if batch.is_empty() {
            return;
        }
        let keys: Vec<ArrayRef> = self.keys.iter().map(|c| Arc::clone(batch.column(*c))).collect();
        hash_columns(&keys, batch.len(), &mut self.hashes);
        let mut ids = vec![];
        self.table.lookup_or_insert(&keys, &self.hashes, batch.len(), &mut ids);
        self.open.grow(self.table.upper());
        self.key_stamps.grow(self.table.upper());
        self.batches += 1;
        let mut moves = Moves::default();
        let times = batch.column(self.time).as_primitive::<Int64Type>();
        let mut groups: Vec<u32> =
            ids.iter().zip(times.values()).map(|(key, time)| self.place(*key, *time, &mut moves)).collect();
        self.aggregates.grow(self.groups.upper as usize);
        if !self.window.emit_final {
            let old: Vec<OfKey> = moves.old.iter().copied().filter(|(_, session)| self.is_shown(session)).collect();
            self.result_of(&old).leave(&self.reporter, emit);
        }
        self.merge(&moves, &mut groups);
        self.aggregates.update(tick, &batch, &groups);
        let new = self.settle(&moves);
        if !self.window.emit_final {
            let new: Vec<OfKey> = new.into_iter().filter(|(_, session)| self.is_shown(session)).collect();
            self.result_of(&new).appear(&self.reporter, emit);
        }
    }

    /// The rows that have a time and are not late.
    fn on_time(&self, batch: &Batch) -> Batch {
        let times = batch.column(self.time).as_primitive::<Int64Type>();
        let lanes = self.lane_time.map(|c| batch.column(c).as_primitive::<Int64Type>());
        let mut kept = Vec::with_capacity(batch.len());
        for i in 0..batch.len() {
            let time = times.value(i);
            if times.is_null(i) || !(-EVENT_TIME_MS_MAX..=EVENT_TIME_MS_MAX).contains(&time) {
                let row = row_text(batch.columns(), i);
                self.reporter.error("event_time", NO_EVENT_TIME.to_owned(), row, batch.diff(i));
                continue;
            }
            let reach = time.saturating_add(self.reach);
            if reach < self.closed || lanes.is_some_and(|lanes| lanes.is_valid(i) && reach < lanes.value(i)) {
                self.late.late(batch.columns(), i, (time, time), time);
            } else {
                kept.push(i as u32);
            }
        }
        if kept.len() == batch.len() { batch.clone() } else { batch.take(&kept) }
    }

    /// The group of a row: it joins the sessions within reach, which become one, or opens a session.
    fn place(&mut self, key: u32, time: i64, moves: &mut Moves) -> u32 {
        let sessions = &mut self.open[key as usize];
        let first = sessions.partition_point(|session| session.end.saturating_add(self.gap_ms) < time);
        let after = sessions.partition_point(|session| session.start.saturating_sub(self.gap_ms) <= time);
        if std::mem::replace(&mut self.key_stamps[key as usize], self.batches) != self.batches {
            moves.touched.push(key);
        }
        if first == after {
            let group = self.groups.take();
            self.group_stamps.grow(group as usize + 1);
            self.group_stamps[group as usize] = self.batches;
            sessions.insert(first, Session { start: time, end: time, group });
            return group;
        }
        for session in &sessions[first..after] {
            let stamp = &mut self.group_stamps[session.group as usize];
            if std::mem::replace(stamp, self.batches) != self.batches {
                moves.old.push((key, *session));
            }
        }
        let kept = sessions[first].group;
        moves.merged.extend(sessions[first + 1..after].iter().map(|session| (session.group, kept)));
        let end = sessions[after - 1].end.max(time);
        sessions.drain(first + 1..after);
        sessions[first].start = sessions[first].start.min(time);
        sessions[first].end = end;
        kept
    }

    /// Merges what merged groups hold, and gives rows of the batch to the groups that are left.
    fn merge(&mut self, moves: &Moves, groups: &mut [u32]) {
        if moves.merged.is_empty() {
            return;
        }
        for (from, into) in &moves.merged {
            self.aggregates.merge(*from, *into);
            self.aggregates.clear(&[*from]);
            self.groups.free.push(*from);
        }
        let parents: BTreeMap<u32, u32> = moves.merged.iter().copied().collect();
        for group in groups {
            while let Some(parent) = parents.get(group) {
                *group = *parent;
            }
        }
    }

    /// The sessions that the batch touched, as they are now; notes when they close and leave.
    fn settle(&mut self, moves: &Moves) -> Vec<OfKey> {
        let mut new = vec![];
        for key in &moves.touched {
            let sessions = self.open[*key as usize].iter().copied();
            new.extend(sessions.filter(|s| self.group_stamps[s.group as usize] == self.batches).map(|s| (*key, s)));
        }
        for of_key in &new {
            self.closing.push(Reverse((self.closes(&of_key.1), *of_key)));
            if !self.window.emit_final && self.is_shown(&of_key.1) {
                self.leaving.push(Reverse((self.leaves(&of_key.1), *of_key)));
            }
        }
        new
    }

    fn closes(&self, session: &Session) -> i64 {
        session.end.saturating_add(self.reach).saturating_add(self.gap_ms).saturating_add(1)
    }

    fn leaves(&self, session: &Session) -> i64 {
        session.start.saturating_add(self.window.retention_ms)
    }

    /// Whether the session's result has not left.
    fn is_shown(&self, session: &Session) -> bool {
        self.leaves(session) > self.left
    }

    /// The results of sessions.
    fn result_of(&self, sessions: &[OfKey]) -> Result {
        let groups: Vec<u32> = sessions.iter().map(|(_, session)| session.group).collect();
        let (columns, failed) = self.aggregates.finish(&groups);
        let shown = Shown { alive: vec![true; groups.len()], columns, failed };
        Result::of(&shown, |at| {
            let at: Vec<&OfKey> = at.iter().map(|i| &sessions[*i as usize]).collect();
            let keys: Vec<u32> = at.iter().map(|(key, _)| *key).collect();
            let mut columns = self.table.gather_keys(&keys);
            columns.push(Arc::new(Int64Array::from_iter_values(at.iter().map(|(_, session)| session.start))));
            columns.push(Arc::new(Int64Array::from_iter_values(at.iter().map(|(_, session)| session.end))));
            columns
        })
    }

    /// Sessions close up to stream time `now`.
    fn close(&mut self, now: i64, emit: &mut dyn FnMut(Batch)) {
        self.closed = self.closed.max(now);
        let due = take_due(&mut self.closing, self.closed);
        let sessions = self.current(due);
        if sessions.is_empty() {
            return;
        }
        let shown: Vec<OfKey> = sessions.iter().copied().filter(|(_, session)| self.is_shown(session)).collect();
        let result = self.result_of(&shown);
        if self.window.emit_final {
            result.appear(&self.reporter, emit);
        }
        let leaves: Vec<i64> = shown.iter().map(|(_, session)| self.leaves(session)).collect();
        self.standing.add(result, |position| leaves[position]);
        self.remove(&sessions);
    }

    /// Results leave up to stream time `now`, those of open sessions included.
    fn leave(&mut self, now: i64, emit: &mut dyn FnMut(Batch)) {
        self.left = self.left.max(now);
        self.standing.leave(self.left, &self.reporter, emit);
        let due = take_due(&mut self.leaving, self.left);
        let sessions = self.current(due);
        if !sessions.is_empty() {
            self.result_of(&sessions).leave(&self.reporter, emit);
        }
    }

    /// Those that are still as they were when they were noted.
    fn current(&self, mut sessions: Vec<OfKey>) -> Vec<OfKey> {
        sessions.sort_unstable();
        sessions.dedup();
        sessions.retain(|(key, session)| self.open[*key as usize].contains(session));
        sessions
    }

    fn remove(&mut self, sessions: &[OfKey]) {
        let mut keys = vec![];
        for (key, session) in sessions {
            let open = &mut self.open[*key as usize];
            open.retain(|other| other.group != session.group);
            self.aggregates.clear(&[session.group]);
            self.groups.free.push(session.group);
            if open.is_empty() {
                keys.push(*key);
            }
        }
        self.table.remove(&keys);
    }

    fn memory_bytes(&self) -> usize {
        self.table.memory_bytes()
            + self.open.memory_bytes()
            + self.aggregates.memory_bytes()
            + (self.closing.capacity() + self.leaving.capacity()) * size_of::<(i64, OfKey)>()
            + self.standing.memory_bytes()
    }
}

/// Those that are due at `now`.
fn take_due(due: &mut Due, now: i64) -> Vec<OfKey> {
    let mut taken = vec![];
    while let Some(Reverse((at, of_key))) = due.peek()
        && *at <= now
    {
        taken.push(*of_key);
        due.pop();
    }
    taken
}
