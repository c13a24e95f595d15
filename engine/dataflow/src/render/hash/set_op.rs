//! INTERSECT and EXCEPT: how often a row is on each side decides how often it comes out.
//!
//! A table of whole rows with two counts each. A row's times are compared before and after the tick.

use millrace_arrange::KeyTable;
use millrace_data::Batch;
use millrace_data::hash::hash_columns;
use millrace_planner::plan::{Node, Op, SetOpKind};

use crate::by_group::ByGroup;
use crate::operator::{Calls, Route, binary};
use crate::render::{Renderer, Rows, Tools};

/// Renders `Op::SetOp`.
pub(crate) fn set_op<'scope>(cx: &mut Renderer<'scope, '_>, node: &Node, tools: Tools) -> Rows<'scope> {
    let Op::SetOp { left, right, kind, all } = &node.op else { panic!("not SetOp: {:?}", node.op) };
    let (left, right) = (cx.render(left), cx.render(right));
    let types: Vec<_> = node.schema.fields().iter().map(|f| f.data_type().clone()).collect();
    let whole = Route::Key((0..types.len()).collect());
    let mut sides = Sides {
        rows: KeyTable::new(&types),
        counts: ByGroup::new(),
        before: ByGroup::new(),
        kind: *kind,
        all: *all,
        touched: vec![],
        hashes: vec![],
        ids: vec![],
    };
    let (routes, meter) = ((whole.clone(), whole), tools.meter.clone());
    binary(left, right, "SetOp", routes, Calls::WithInput, tools.meter, move |tick, left, right, emit| {
        sides.apply(tick, [&left, &right], emit);
        meter.holds(sides.memory_bytes());
    })
}

/// Left and right count of a row.
type Counts = [i64; 2];

struct Sides {
    rows: KeyTable,
    counts: ByGroup<Counts>,
    /// The tick that touched the row last, plus 1, and the counts before it.
    before: ByGroup<(u64, Counts)>,
    kind: SetOpKind,
    all: bool,
    touched: Vec<u32>,
    hashes: Vec<u64>,
    ids: Vec<u32>,
}

impl Sides {
    fn apply(&mut self, tick: u64, batches: [&[Batch]; 2], emit: &mut dyn FnMut(Batch)) {
        self.touched.clear();
        for (side, batches) in batches.into_iter().enumerate() {
            batches.iter().for_each(|batch| self.count(tick, side, batch));
        }
        let (mut rows, mut diffs, mut gone) = (vec![], vec![], vec![]);
        for row in &self.touched {
            let (before, now) = (self.before[*row as usize].1, self.counts[*row as usize]);
            let diff = self.times(now) - self.times(before);
            if diff != 0 {
                rows.push(*row);
                diffs.push(diff);
            }
            if now == [0; 2] {
                gone.push(*row);
            }
        }
        if !rows.is_empty() {
            emit(Batch::new(self.rows.gather_keys(&rows), Some(diffs), rows.len()));
        }
        self.rows.remove(&gone);
    }

    fn count(&mut self, tick: u64, side: usize, batch: &Batch) {
        hash_columns(batch.columns(), batch.len(), &mut self.hashes);
        self.rows.lookup_or_insert(batch.columns(), &self.hashes, batch.len(), &mut self.ids);
        self.counts.grow(self.rows.upper());
        self.before.grow(self.rows.upper());
        for (i, row) in self.ids.iter().enumerate() {
            let counts = &mut self.counts[*row as usize];
            let before = &mut self.before[*row as usize];
            if before.0 != tick + 1 {
                *before = (tick + 1, *counts);
                self.touched.push(*row);
            }
            counts[side] += batch.diff(i);
        }
    }

    /// How often a row with these counts comes out.
    fn times(&self, [left, right]: Counts) -> i64 {
        let (m, n) = (left.max(0), right.max(0));
        match (self.kind, self.all) {
            (SetOpKind::Intersect, true) => m.min(n),
            (SetOpKind::Except, true) => (m - n).max(0),
            (SetOpKind::Intersect, false) => i64::from(m > 0 && n > 0),
            (SetOpKind::Except, false) => i64::from(m > 0 && n == 0),
        }
    }

    fn memory_bytes(&self) -> usize {
        self.rows.memory_bytes() + self.counts.memory_bytes() + self.before.memory_bytes()
    }
}
