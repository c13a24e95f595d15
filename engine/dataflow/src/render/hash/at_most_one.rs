//! A scalar subquery's guard: groups of one row pass, a larger group is an error row until it shrinks.

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use millrace_arrange::{KeyTable, NullKeys, RowId};
use millrace_data::Batch;
use millrace_planner::plan::{Node, Op};

use crate::errors::{Reporter, row_text};
use crate::operator::{Calls, Route, unary};
use crate::render::hash::arrange::{Side, own};
use crate::render::{Renderer, Rows, Tools};

/// What is wrong with a larger group.
const SEVERAL: &str = "a subquery that stands for a value gives more than one row";

/// Renders `Op::AtMostOne`.
pub(crate) fn at_most_one<'scope>(cx: &mut Renderer<'scope, '_>, node: &Node, tools: Tools) -> Rows<'scope> {
    let Op::AtMostOne { input, keys } = &node.op else { panic!("not AtMostOne: {:?}", node.op) };
    let arranged = own(cx, input, keys, Route::Key(keys.clone()));
    let key_types: Vec<DataType> = keys.iter().map(|c| input.schema.field(*c).data_type().clone()).collect();
    let mut guard = Guard { groups: arranged.side, key_types, reporter: tools.reporter };
    let meter = tools.meter.clone();
    unary(arranged.stream, "AtMostOne", arranged.route, Calls::WithInput, tools.meter, move |tick, batches, emit| {
        guard.apply(tick, &batches, emit);
        meter.holds(guard.groups.memory_bytes());
    })
}

struct Guard {
    groups: Side,
    key_types: Vec<DataType>,
    reporter: Reporter,
}

/// A group at one tick.
#[derive(Clone, Copy, Debug, Default)]
struct Group {
    rows: i64,
    /// One of them.
    row: Option<RowId>,
}

impl Guard {
    fn apply(&mut self, tick: u64, batches: &[Batch], emit: &mut dyn FnMut(Batch)) {
        let change = self.groups.take(tick, batches);
        self.groups.each_change(&change, tick, |rows, _, hashes| {
            let arrangement = self.groups.borrow();
            let mut ids = vec![];
            let mut seen = KeyTable::new(&self.key_types);
            seen.lookup_or_insert(&arrangement.gather_keys(rows), hashes, rows.len(), &mut ids);
            let mut of_keys = vec![0; seen.len()];
            ids.iter().zip(hashes).for_each(|(id, hash)| of_keys[*id as usize] = *hash);
            let all: Vec<u32> = (0..seen.len() as u32).collect();
            let keys = seen.gather_keys(&all);
            let groups = |as_of| {
                let mut groups = vec![Group::default(); all.len()];
                arrangement.probe(&keys, &of_keys, as_of, NullKeys::Equal, |i, row, diff| {
                    let group = &mut groups[i as usize];
                    group.rows += diff;
                    group.row = if diff > 0 { Some(row) } else { group.row };
                });
                groups
            };
            self.compare(&groups(tick - 1), &groups(tick), &keys, emit);
        });
        self.groups.pass(tick);
    }

    /// −old +new of groups that changed.
    fn compare(&self, old: &[Group], new: &[Group], keys: &[ArrayRef], emit: &mut dyn FnMut(Batch)) {
        let (mut rows, mut diffs) = (vec![], vec![]);
        for (i, (old, new)) in old.iter().zip(new).enumerate() {
            match ((old.rows > 1), (new.rows > 1)) {
                (false, true) => self.report(keys, i, 1),
                (true, false) => self.report(keys, i, -1),
                _ => {}
            }
            for (group, diff) in [(old, -1), (new, 1)] {
                if let (1, Some(row)) = (group.rows, group.row) {
                    rows.push(row);
                    diffs.push(diff);
                }
            }
        }
        if !rows.is_empty() {
            let columns = self.groups.columns(&self.groups.borrow(), &rows);
            emit(Batch::new(columns, Some(diffs), rows.len()));
        }
    }

    fn report(&self, keys: &[ArrayRef], i: usize, diff: i64) {
        self.reporter.error("cardinality", SEVERAL.to_owned(), row_text(keys, i), diff);
    }
}
