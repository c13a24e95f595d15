//! NOT IN: left rows that equal no right row, where a NULL might equal anything.
//!
//! A left row has a partner if an equal right row is there, or a right row with NULL, or, when its own key is NULL, any
//! right row. So besides the keys two numbers matter, of all right rows and of those with NULL; the right side lies on
//! every worker, so that each knows them. When one of them comes from 0 or goes to it, all left rows are looked at.

use millrace_arrange::{Arrangement, NullKeys, RowId};
use millrace_data::Batch;
use millrace_planner::plan::{Join, JoinKind, Node};

use super::meet::{Meeting, key_hashes};
use crate::operator::{Calls, Route, binary};
use crate::render::hash::arrange::{Side, own};
use crate::render::hash::wanted::Wanted;
use crate::render::{Renderer, Rows, Tools};

/// Rows of a scan that are looked at together.
const SCAN_ROWS: usize = 16 << 10;

/// Renders a null-aware anti join without a residual.
pub(super) fn not_in<'scope>(cx: &mut Renderer<'scope, '_>, node: &Node, join: &Join, tools: Tools) -> Rows<'scope> {
    let (left_on, right_on) = join.on[0];
    let left = own(cx, &join.left, &[left_on], Route::Local);
    let right = own(cx, &join.right, &[right_on], Route::All);
    let output = Wanted::new(&node.schema, tools.wanted);
    let meeting = Meeting { nulls: NullKeys::Skip, residual: None, output };
    let start = cx.start;
    let mut not_in = NotIn { meeting, sides: [left.side, right.side], start, now: Right::default() };
    let (routes, meter) = ((left.route, right.route), tools.meter.clone());
    binary(left.stream, right.stream, "Join", routes, Calls::WithInput, tools.meter, move |tick, left, right, emit| {
        not_in.apply(tick, &left, &right, emit);
        meter.holds(not_in.sides.iter().map(Side::memory_bytes).sum());
    })
}

/// What matters of the right side besides its keys.
#[derive(Clone, Copy, Debug, Default)]
struct Right {
    rows: i64,
    nulls: i64,
}

struct NotIn {
    meeting: Meeting,
    sides: [Side; 2],
    start: u64,
    now: Right,
}

impl NotIn {
    fn apply(&mut self, tick: u64, left: &[Batch], right: &[Batch], emit: &mut dyn FnMut(Batch)) {
        let changes = [self.sides[0].take(tick, left), self.sides[1].take(tick, right)];
        let before = self.now;
        let (mut now, arrangement) = (before, self.sides[1].borrow());
        self.sides[1].each_change(&changes[1], tick, |rows, diffs, _| {
            for (row, diff) in rows.iter().zip(diffs) {
                now.rows += diff;
                now.nulls += if arrangement.has_null_key(*row) { *diff } else { 0 };
            }
        });
        drop(arrangement);
        self.now = now;
        self.sides[0].each_change(&changes[0], tick, |rows, diffs, hashes| {
            let has = self.has_partner(rows, hashes, tick, now);
            self.out(rows, diffs.iter().zip(&has).map(|(diff, has)| if *has { 0 } else { *diff }), emit);
        });
        if tick > self.start {
            let same = (before.rows > 0, before.nulls > 0) == (now.rows > 0, now.nulls > 0);
            if !same {
                self.turn_all(tick, before, now, emit);
            } else if now.nulls == 0 {
                self.sides[1].each_change(&changes[1], tick, |rows, _, hashes| {
                    let turned = self.meeting.turned(&self.sides[1], tick, rows, hashes);
                    for has in [false, true] {
                        let (rows, diffs) = self.meeting.rows_of(&self.sides[0], tick - 1, &turned, has);
                        self.out(&rows, diffs.iter().map(|diff| if has { -diff } else { *diff }), emit);
                    }
                });
            }
        }
        self.sides.iter_mut().for_each(|side| side.pass(tick));
    }

    /// All left rows that were there before, before and after.
    fn turn_all(&self, tick: u64, before: Right, now: Right, emit: &mut dyn FnMut(Batch)) {
        let arrangement = self.sides[0].borrow();
        let mut cursor = arrangement.cursor(tick - 1);
        let mut turn = |rows: &[RowId], diffs: &[i64]| {
            let hashes = key_hashes(&self.sides[0], rows);
            let had = self.has_partner(rows, &hashes, tick - 1, before);
            let has = self.has_partner(rows, &hashes, tick, now);
            let diffs = diffs.iter().enumerate().map(|(i, diff)| match (had[i], has[i]) {
                (true, false) => *diff,
                (false, true) => -diff,
                _ => 0,
            });
            self.out(rows, diffs, emit);
        };
        while arrangement.scan(&mut cursor, SCAN_ROWS, &mut turn) {}
    }

    fn has_partner(&self, rows: &[RowId], hashes: &[u64], as_of: u64, right: Right) -> Vec<bool> {
        if right.rows == 0 || right.nulls > 0 {
            return vec![right.rows > 0; rows.len()];
        }
        let left: &Arrangement = &self.sides[0].borrow();
        let mut has = self.meeting.of(&self.sides, 0, as_of).exists(rows, hashes);
        has.iter_mut().zip(rows).for_each(|(has, row)| *has |= left.has_null_key(*row));
        has
    }

    /// Left rows with diffs, those of 0 left out.
    fn out(&self, rows: &[RowId], diffs: impl Iterator<Item = i64>, emit: &mut dyn FnMut(Batch)) {
        let (rows, diffs): (Vec<RowId>, Vec<i64>) = rows.iter().zip(diffs).filter(|(_, diff)| *diff != 0).unzip();
        if !rows.is_empty() {
            emit(self.meeting.rows(&self.sides[0], 0, JoinKind::Anti, &rows, diffs, vec![]));
        }
    }
}
