//! Joins of two collections.
//!
//! With L and R as of a tick, and `dL`, `dR` what it changed:
//! ```text
//! pairs             dL ⋈ R(t)  +  L(t−1) ⋈ dR
//! rows of L alone   dL without partner in R(t)  +  L(t−1) whose having one changed from R(t−1) to R(t)
//! ```
//! Both sides are arranged by the key; changes of one probe the other. The whole ON condition decides whether a row has a
//! partner. Without a residual that is a matter of its key: only keys of which the first row came or the last one went
//! matter. With one, the rows that a change meets are looked at again, before and after; no counts are kept.
//!
//! A join that comes later finds all left rows changed at its first tick: it takes them in slices, so that the first pairs
//! leave before the last ones are found.
//!
//! Without a key every pair meets: one side lies on every worker, the other stays where it is.
//!
//! NOT IN (`null_aware`) has a form of its own, unless it has a residual: then any pair of rows may decide, those with a
//! NULL and those of equal keys being the ones that are checked.

mod meet;
mod not_in;

use millrace_arrange::{NullKeys, RowId, Scan};
use millrace_data::Batch;
use millrace_data::hash::hash_columns;
use millrace_planner::plan::{Join, JoinKind, Node, Op};

use self::meet::Meeting;
use crate::operator::{Calls, Route, Slice, binary_in_slices};
use crate::render::hash::arrange::{Arranged, Change, Side, arranged, own};
use crate::render::hash::residual::Residual;
use crate::render::hash::share::{self, JoinSharing};
use crate::render::hash::wanted::Wanted;
use crate::render::{Renderer, Rows, Tools};

/// Renders `Op::Join`.
pub(crate) fn join<'scope>(cx: &mut Renderer<'scope, '_>, node: &Node, join: &Join, tools: Tools) -> Rows<'scope> {
    let mut residual =
        join.residual.as_ref().map(|r| Residual::new(r, &join.left.schema, &join.right.schema, &tools.reporter));
    if join.null_aware {
        match &mut residual {
            None => return not_in::not_in(cx, node, join, tools),
            Some(residual) => residual.only_of(join.on[0], join.left.schema.fields().len()),
        }
    }
    let [left, right] = sides(cx, join);
    let nulls = if join.null_equal { NullKeys::Equal } else { NullKeys::Skip };
    let meeting = Meeting { nulls, residual, output: Wanted::new(&node.schema, tools.wanted) };
    let mut joiner = Joiner { kind: join.kind, meeting, sides: [left.side, right.side], start: cx.start, first: None };
    let ((left, right), routes, meter) = ((left.stream, right.stream), (left.route, right.route), tools.meter.clone());
    binary_in_slices(left, right, "Join", routes, Calls::WithInput, tools.meter, move |tick, left, right, emit| {
        let slice = joiner.apply(tick, [&left, &right], emit);
        meter.holds(joiner.sides.iter().map(Side::memory_bytes).sum());
        slice
    })
}

fn sides<'scope>(cx: &mut Renderer<'scope, '_>, join: &Join) -> [Arranged<'scope>; 2] {
    if !join.on.is_empty() && !join.null_aware {
        let JoinSharing { on, sides: [left, right] } = share::of_join(join, cx.env);
        let (left_on, right_on): (Vec<usize>, Vec<usize>) = on.into_iter().unzip();
        return [arranged(cx, &join.left, &left_on, left), arranged(cx, &join.right, &right_on, right)];
    }
    let (left_route, right_route) = match join.kind {
        // which rows of either side have no partner must be known in one place
        JoinKind::Full => (Route::Key(vec![]), Route::Key(vec![])),
        JoinKind::Inner if is_single(&join.left) => (Route::All, Route::Local),
        _ => (Route::Local, Route::All),
    };
    [own(cx, &join.left, &[], left_route), own(cx, &join.right, &[], right_route)]
}

/// Whether a node never has more than one row.
fn is_single(node: &Node) -> bool {
    match &node.op {
        Op::Map { input, .. } => is_single(input),
        Op::Reduce { keys, .. } | Op::AtMostOne { keys, .. } => keys.is_empty(),
        Op::Constant { rows } => rows.num_rows() <= 1,
        _ => false,
    }
}

/// Left and right.
const PLACES: [usize; 2] = [0, 1];

struct Joiner {
    kind: JoinKind,
    meeting: Meeting,
    sides: [Side; 2],
    /// At the first tick, nothing was there before.
    start: u64,
    /// The first tick, while it is under way: what is left of the left rows, and what changed.
    first: Option<(Scan, [Change; 2])>,
}

impl Joiner {
    fn apply(&mut self, tick: u64, batches: [&[Batch]; 2], emit: &mut dyn FnMut(Batch)) -> Slice {
        let (scan, changes) = match self.first.take() {
            Some((scan, changes)) => (Some(scan), changes),
            None => {
                let changes = PLACES.map(|place| self.sides[place].take(tick, batches[place]));
                let all = matches!(changes[0], Change::All);
                (all.then(|| self.sides[0].begin_scan(tick)).flatten(), changes)
            }
        };
        match scan {
            Some(mut scan) => {
                let mut hashes = vec![];
                let more = scan.step(|arrangement, rows, diffs| {
                    hash_columns(&arrangement.gather_keys(rows), rows.len(), &mut hashes);
                    self.left_changed(tick, rows, diffs, &hashes, emit);
                });
                if more {
                    self.first = Some((scan, changes));
                    return Slice::More;
                }
            }
            None => self.sides[0].each_change(&changes[0], tick, |rows, diffs, hashes| {
                self.left_changed(tick, rows, diffs, hashes, emit);
            }),
        }
        if tick > self.start {
            self.right_changed(tick, &changes[1], emit);
        }
        if self.kind == JoinKind::Full {
            self.right_rows(tick, &changes, emit);
        }
        self.sides.iter_mut().for_each(|side| side.pass(tick));
        Slice::Last
    }

    /// Whether pairs are what the join shows, alone or beside rows without partner.
    fn shows_pairs(&self) -> bool {
        matches!(self.kind, JoinKind::Inner | JoinKind::Left | JoinKind::Full)
    }

    /// Left rows that come and go: with their partners, or alone.
    fn left_changed(&self, tick: u64, rows: &[RowId], diffs: &[i64], hashes: &[u64], emit: &mut dyn FnMut(Batch)) {
        let meeting = self.meeting.of(&self.sides, 0, tick);
        if self.kind == JoinKind::Inner {
            meeting.reporting().emitting(emit).meet(rows, diffs, hashes);
            return;
        }
        let has = if self.shows_pairs() || self.meeting.residual.is_some() {
            let mut pairs = meeting.reporting().matching(rows.len());
            if self.shows_pairs() {
                pairs = pairs.emitting(emit);
            }
            pairs.meet(rows, diffs, hashes).has_partner()
        } else {
            meeting.exists(rows, hashes)
        };
        self.rows_out(0, rows, diffs, |i| has[i], emit);
    }

    /// What right rows that come and go do to the left rows that were there before.
    fn right_changed(&self, tick: u64, change: &Change, emit: &mut dyn FnMut(Batch)) {
        let by_row = self.meeting.residual.is_some() && self.kind != JoinKind::Inner;
        let mut met = vec![];
        self.sides[1].each_change(change, tick, |rows, diffs, hashes| {
            if self.shows_pairs() || by_row {
                let mut pairs = self.meeting.of(&self.sides, 1, tick - 1).reporting();
                if by_row {
                    pairs = pairs.noting();
                }
                if self.shows_pairs() {
                    pairs = pairs.emitting(emit);
                }
                met.extend(pairs.meet(rows, diffs, hashes).met);
            }
            if self.kind != JoinKind::Inner && !by_row {
                self.keys_turned(0, tick, rows, hashes, emit);
            }
        });
        self.rows_turned(0, tick, met, emit);
    }

    /// Right rows of a full join; pairs are out already.
    fn right_rows(&self, tick: u64, changes: &[Change; 2], emit: &mut dyn FnMut(Batch)) {
        let by_row = self.meeting.residual.is_some();
        let [left, right] = &self.sides;
        right.each_change(&changes[1], tick, |rows, diffs, hashes| {
            let meeting = self.meeting.of(&self.sides, 1, tick);
            let has = if by_row {
                meeting.matching(rows.len()).meet(rows, diffs, hashes).has_partner()
            } else {
                meeting.exists(rows, hashes)
            };
            self.rows_out(1, rows, diffs, |i| has[i], emit);
        });
        if tick == self.start {
            return;
        }
        let mut met = vec![];
        left.each_change(&changes[0], tick, |rows, diffs, hashes| {
            if by_row {
                met.extend(self.meeting.of(&self.sides, 0, tick - 1).noting().meet(rows, diffs, hashes).met);
            } else {
                self.keys_turned(1, tick, rows, hashes, emit);
            }
        });
        self.rows_turned(1, tick, met, emit);
    }

    /// Rows of side `place` that were there before, of keys that changed rows of the other side have: they change when
    /// the key's first row came or its last one went.
    fn keys_turned(&self, place: usize, tick: u64, changed: &[RowId], hashes: &[u64], emit: &mut dyn FnMut(Batch)) {
        let turned = self.meeting.turned(&self.sides[1 - place], tick, changed, hashes);
        for has in [false, true] {
            let (rows, diffs) = self.meeting.rows_of(&self.sides[place], tick - 1, &turned, has);
            self.turn_out(place, &rows, &diffs, |_| !has, |_| has, emit);
        }
    }

    /// Rows of side `place` that were there before and met changed rows of the other side.
    fn rows_turned(&self, place: usize, tick: u64, mut met: Vec<(RowId, i64)>, emit: &mut dyn FnMut(Batch)) {
        met.sort_unstable();
        met.dedup_by_key(|(row, _)| *row);
        if met.is_empty() {
            return;
        }
        let (rows, diffs): (Vec<_>, Vec<_>) = met.into_iter().unzip();
        let hashes = meet::key_hashes(&self.sides[place], &rows);
        let has = |as_of| {
            let meeting = self.meeting.of(&self.sides, place, as_of).matching(rows.len());
            meeting.meet(&rows, &diffs, &hashes).has_partner()
        };
        let (before, after) = (has(tick - 1), has(tick));
        self.turn_out(place, &rows, &diffs, |i| before[i], |i| after[i], emit);
    }

    /// Rows whose having a partner may have changed.
    fn turn_out(
        &self,
        place: usize,
        rows: &[RowId],
        diffs: &[i64],
        before: impl Fn(usize) -> bool,
        after: impl Fn(usize) -> bool,
        emit: &mut dyn FnMut(Batch),
    ) {
        let turned: Vec<usize> = (0..rows.len()).filter(|i| before(*i) != after(*i)).collect();
        let ids: Vec<_> = turned.iter().map(|i| rows[*i]).collect();
        let came: Vec<i64> = turned.iter().map(|i| diffs[*i]).collect();
        let gone: Vec<i64> = came.iter().map(|diff| -diff).collect();
        self.rows_out(place, &ids, &gone, |j| before(turned[j]), emit);
        self.rows_out(place, &ids, &came, |j| after(turned[j]), emit);
    }

    /// Rows of side `place` as the join shows them, given whether each has a partner.
    fn rows_out(
        &self,
        place: usize,
        rows: &[RowId],
        diffs: &[i64],
        has_partner: impl Fn(usize) -> bool,
        emit: &mut dyn FnMut(Batch),
    ) {
        let wanted = |has: bool| match self.kind {
            JoinKind::Semi => has,
            JoinKind::Mark => true,
            _ => !has,
        };
        let (mut ids, mut kept, mut marks) = (vec![], vec![], vec![]);
        for i in 0..rows.len() {
            let has = has_partner(i);
            if wanted(has) {
                ids.push(rows[i]);
                kept.push(diffs[i]);
                marks.push(has);
            }
        }
        if !ids.is_empty() {
            emit(self.meeting.rows(&self.sides[place], place, self.kind, &ids, kept, marks));
        }
    }
}
