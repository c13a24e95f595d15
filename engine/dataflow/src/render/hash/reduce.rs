//! Groups and their aggregates; DISTINCT is groups without aggregates.
//!
//! ```text
//! batches ─ key table ─→ group ids ─ aggregates ─→ state by group id
//!                            └─ touched groups: results before and after the tick ─→ −old +new where they differ
//! ```
//! All of a tick is counted before anything is emitted, so a group changes once per tick. Without keys there is one group
//! from the first tick on, whether or not it has rows.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use millrace_arrange::KeyTable;
use millrace_data::Batch;
use millrace_data::hash::hash_columns;
use millrace_planner::plan::{Aggregate, Node, Op};

use crate::by_group::ByGroup;
use crate::errors::Reporter;
use crate::operator::{Calls, Route, unary};
use crate::render::hash::aggregate::Aggregates;
use crate::render::hash::arrivals::Arrivals;
use crate::render::hash::groups::{Shown, emit_changes};
use crate::render::{Renderer, Rows, Tools};

/// Renders `Op::Reduce` without a window.
pub(crate) fn reduce<'scope>(cx: &mut Renderer<'scope, '_>, node: &Node, tools: Tools) -> Rows<'scope> {
    let Op::Reduce { input, keys, aggregates, .. } = &node.op else { panic!("not Reduce: {:?}", node.op) };
    let rows = cx.render(input);
    let always = keys.is_empty() && !aggregates.is_empty() && cx.env.worker == 0;
    let calls = if always { Calls::First(cx.start) } else { Calls::WithInput };
    let mut groups = Groups::new(input, keys, aggregates, false);
    groups.always = always;
    let (reporter, meter, name) = (tools.reporter, tools.meter.clone(), crate::render::name(&node.op));
    unary(rows, name, Route::Key(keys.clone()), calls, tools.meter, move |tick, batches, emit| {
        groups.apply(tick, &batches, &reporter, emit);
        meter.holds(groups.memory_bytes());
    })
}

/// A batch with the group of each row.
pub(super) struct Located {
    pub(super) batch: Batch,
    pub(super) groups: Vec<u32>,
}

/// Groups with their aggregates.
pub(super) struct Groups {
    keys: Vec<usize>,
    table: KeyTable,
    /// Rows of each group.
    rows: ByGroup<i64>,
    aggregates: Aggregates,
    arrivals: Option<Arrivals>,
    /// There is one group, and it has a row even without rows.
    always: bool,
    /// The row of that group was emitted.
    begun: bool,
    /// The last tick that touched a group, plus 1.
    stamps: ByGroup<u64>,
    hashes: Vec<u64>,
    ids: Vec<u32>,
}

impl Groups {
    /// Of rows of `input`. `erasable`: groups may be taken out or merged while they have rows.
    pub(super) fn new(input: &Node, keys: &[usize], aggregates: &[Aggregate], erasable: bool) -> Self {
        let types: Vec<DataType> = keys.iter().map(|c| input.schema.field(*c).data_type().clone()).collect();
        let arrivals = Aggregates::by_arrival(aggregates) && !input.append_only;
        Groups {
            keys: keys.to_vec(),
            table: KeyTable::new(&types),
            rows: ByGroup::new(),
            aggregates: Aggregates::new(&input.schema, aggregates, input.append_only, erasable),
            arrivals: arrivals.then(|| Arrivals::new(&input.schema)),
            always: false,
            begun: false,
            stamps: ByGroup::new(),
            hashes: vec![],
            ids: vec![],
        }
    }

    fn apply(&mut self, tick: u64, batches: &[Batch], reporter: &Reporter, emit: &mut dyn FnMut(Batch)) {
        let mut touched = vec![];
        let arrived = self.arrive(tick, batches);
        let located = self.locate(tick, arrived.as_deref().unwrap_or(batches), &mut touched);
        if self.always && touched.is_empty() {
            self.table.lookup_or_insert(&[], &[0], 1, &mut self.ids);
            touched.push(self.ids[0]);
        }
        self.grow();
        let old = self.shown(&touched);
        self.update(tick, &located);
        self.begun = true;
        let new = self.shown(&touched);
        emit_changes(&old, &new, |at| self.keys_at(&touched, at), reporter, emit);
        let dead = self.dead(&touched);
        self.remove(&dead);
    }

    /// Those of the groups that have no rows any more.
    pub(super) fn dead(&self, groups: &[u32]) -> Vec<u32> {
        groups.iter().copied().filter(|group| !self.always && self.rows[*group as usize] == 0).collect()
    }

    /// The rows with the ticks at which they arrived, where that matters.
    pub(super) fn arrive(&mut self, tick: u64, batches: &[Batch]) -> Option<Vec<Batch>> {
        let arrivals = self.arrivals.as_mut().filter(|_| !batches.is_empty())?;
        Some(vec![arrivals.apply(tick, &Batch::concat(batches))])
    }

    /// The groups of all rows, made where absent, and which groups they are, each once.
    pub(super) fn locate(&mut self, tick: u64, batches: &[Batch], touched: &mut Vec<u32>) -> Vec<Located> {
        let mut located = Vec::with_capacity(batches.len());
        for batch in batches {
            let keys: Vec<ArrayRef> = self.keys.iter().map(|c| Arc::clone(batch.column(*c))).collect();
            hash_columns(&keys, batch.len(), &mut self.hashes);
            let mut ids = vec![];
            self.table.lookup_or_insert(&keys, &self.hashes, batch.len(), &mut ids);
            self.stamps.grow(self.table.upper());
            for group in &ids {
                let stamp = &mut self.stamps[*group as usize];
                if *stamp != tick + 1 {
                    *stamp = tick + 1;
                    touched.push(*group);
                }
            }
            located.push(Located { batch: batch.clone(), groups: ids });
        }
        self.grow();
        located
    }

    fn grow(&mut self) {
        let upper = self.table.upper();
        self.rows.grow(upper);
        self.aggregates.grow(upper);
    }

    /// Accumulates the tick.
    pub(super) fn update(&mut self, tick: u64, located: &[Located]) {
        for Located { batch, groups } in located {
            match batch.diffs() {
                None => groups.iter().for_each(|group| self.rows[*group as usize] += 1),
                Some(diffs) => groups.iter().zip(diffs).for_each(|(group, diff)| self.rows[*group as usize] += diff),
            }
            self.aggregates.update(tick, batch, groups);
        }
    }

    /// What these groups show now.
    pub(super) fn shown(&self, groups: &[u32]) -> Shown {
        let alive: Vec<bool> =
            groups.iter().map(|group| if self.always { self.begun } else { self.rows[*group as usize] > 0 }).collect();
        if !alive.contains(&true) {
            return Shown::nothing(groups.len());
        }
        let (columns, mut failed) = self.aggregates.finish(groups);
        failed.retain(|i, _| alive[*i]);
        Shown { alive, columns, failed }
    }

    /// Key columns of the groups at some positions of `groups`.
    pub(super) fn keys_at(&self, groups: &[u32], at: &[u32]) -> Vec<ArrayRef> {
        let groups: Vec<u32> = at.iter().map(|i| groups[*i as usize]).collect();
        self.table.gather_keys(&groups)
    }

    /// Takes groups out.
    pub(super) fn remove(&mut self, groups: &[u32]) {
        self.aggregates.clear(groups);
        groups.iter().for_each(|group| self.rows[*group as usize] = 0);
        self.table.remove(groups);
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.table.memory_bytes()
            + self.rows.memory_bytes()
            + self.stamps.memory_bytes()
            + self.aggregates.memory_bytes()
            + self.arrivals.as_ref().map_or(0, Arrivals::memory_bytes)
    }
}
