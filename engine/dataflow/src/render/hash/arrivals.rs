//! When the rows that are there arrived.
//!
//! Where an answer depends on the ticks at which rows came and rows may be retracted, a retraction must take back the
//! tick of the row that it means. Equal rows leave in the order in which they came.

use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array};
use arrow::datatypes::SchemaRef;
use millrace_arrange::KeyTable;
use millrace_data::Batch;
use millrace_data::hash::hash_columns;
use smallvec::SmallVec;

use crate::by_group::ByGroup;

/// See the module.
pub(super) struct Arrivals {
    rows: KeyTable,
    /// Ticks and how often the row came then and is still there, ascending.
    ticks: ByGroup<SmallVec<[(i64, i64); 1]>>,
    /// Change of a row in the tick at hand.
    change: ByGroup<i64>,
    hashes: Vec<u64>,
    ids: Vec<u32>,
}

impl Arrivals {
    /// Of rows of this schema.
    pub(super) fn new(schema: &SchemaRef) -> Self {
        let types: Vec<_> = schema.fields().iter().map(|f| f.data_type().clone()).collect();
        Arrivals {
            rows: KeyTable::new(&types),
            ticks: ByGroup::new(),
            change: ByGroup::new(),
            hashes: vec![],
            ids: vec![],
        }
    }

    /// A tick's net changes, with the tick at which each row arrived as a column behind the others.
    pub(super) fn apply(&mut self, tick: u64, batch: &Batch) -> Batch {
        let (tick, len) = (tick as i64, batch.len());
        hash_columns(batch.columns(), len, &mut self.hashes);
        self.rows.lookup_or_insert(batch.columns(), &self.hashes, len, &mut self.ids);
        self.ticks.grow(self.rows.upper());
        self.change.grow(self.rows.upper());
        for (i, id) in self.ids.iter().enumerate() {
            self.change[*id as usize] += batch.diff(i);
        }
        let (mut rows, mut ticks, mut diffs, mut gone) = (vec![], vec![], vec![], vec![]);
        for (i, id) in self.ids.iter().enumerate() {
            let mut change = std::mem::take(&mut self.change[*id as usize]);
            let mut push = |tick, diff| {
                rows.push(i as u32);
                ticks.push(tick);
                diffs.push(diff);
            };
            let arrived = &mut self.ticks[*id as usize];
            while change < 0
                && let Some((first, count)) = arrived.first_mut()
            {
                let taken = (-change).min(*count);
                push(*first, -taken);
                change += taken;
                *count -= taken;
                if *count == 0 {
                    arrived.remove(0);
                }
            }
            if change != 0 {
                push(tick, change);
            }
            if change > 0 {
                arrived.push((tick, change));
            }
            if arrived.is_empty() {
                gone.push(*id);
            }
        }
        gone.sort_unstable();
        gone.dedup();
        gone.retain(|id| self.ticks[*id as usize].is_empty());
        self.rows.remove(&gone);
        let changes = batch.take(&rows);
        let ticks: ArrayRef = Arc::new(Int64Array::from(ticks));
        let columns = changes.columns().iter().map(Arc::clone).chain([ticks]).collect();
        Batch::new(columns, Some(diffs), rows.len())
    }

    /// Bytes of memory; ticks beyond the first of a row are not counted.
    pub(super) fn memory_bytes(&self) -> usize {
        self.rows.memory_bytes() + self.ticks.memory_bytes() + self.change.memory_bytes()
    }
}
