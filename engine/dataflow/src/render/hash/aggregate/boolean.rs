//! BOOL_AND and BOOL_OR: how many are true.

use arrow::array::AsArray;

use super::{Call, Finished, State, Update, booleans, present};
use crate::by_group::ByGroup;
use millrace_planner::plan::AggregateFunction;

/// See the module.
pub(super) struct Trues {
    arg: usize,
    trues: ByGroup<i64>,
}

impl Trues {
    pub(super) fn new(arg: usize) -> Self {
        Trues { arg, trues: ByGroup::new() }
    }
}

impl State for Trues {
    fn grow(&mut self, groups: usize) {
        self.trues.grow(groups);
    }

    fn update(&mut self, rows: &Update<'_>) {
        let values = rows.columns[self.arg].as_boolean().values();
        for ((group, weight), value) in rows.groups.iter().zip(rows.weights).zip(values) {
            self.trues[*group as usize] += weight * i64::from(value);
        }
    }

    fn finish(&self, call: &Call, groups: &[u32], counts: &ByGroup<i64>) -> Finished {
        let all = call.function == AggregateFunction::BoolAnd;
        let values = groups.iter().map(|group| {
            let (trues, count) = (self.trues[*group as usize], counts[*group as usize]);
            if all { trues == count } else { trues > 0 }
        });
        Finished::of(booleans(values, present(groups, counts)))
    }

    fn merge(&mut self, from: u32, into: u32) {
        self.trues[into as usize] += self.trues[from as usize];
    }

    fn clear(&mut self, groups: &[u32]) {
        groups.iter().for_each(|group| self.trues[*group as usize] = 0);
    }

    fn memory_bytes(&self) -> usize {
        self.trues.memory_bytes()
    }
}
