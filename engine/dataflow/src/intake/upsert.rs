//! A keyed table: the last row of a key in a tick is what the key holds after it.

use arrow::array::{Array, ArrayRef};
use millrace_arrange::RowId;
use millrace_data::Batch;

use super::{Incoming, Table};
use crate::render::hash::groups::same_values;

impl Table {
    /// What the tick changes: retractions, then insertions.
    pub(super) fn upsert(&self, tick: u64, incoming: &Incoming) -> Vec<Batch> {
        let n_keys = incoming.first.len();
        let mut last = vec![0u32; n_keys];
        incoming.ids.iter().enumerate().for_each(|(i, id)| last[*id as usize] = i as u32);
        let all: Vec<u32> = (0..n_keys as u32).collect();
        let mut old: Vec<Option<RowId>> = vec![None; n_keys];
        self.held(tick, incoming, &all, |id, row, _| old[id as usize] = Some(row));
        let deleted = |id: u32| incoming.deletes[last[id as usize] as usize];
        let replaced: Vec<u32> = all.iter().copied().filter(|id| old[*id as usize].is_some()).collect();
        let olds: Vec<RowId> = replaced.iter().filter_map(|id| old[*id as usize]).collect();
        let old_columns = self.gather(&olds);
        // rows that stay as they are need not be said
        let mut stays = vec![false; n_keys];
        let news: Vec<u32> = replaced.iter().map(|id| last[*id as usize]).collect();
        for (i, same) in same_rows(&old_columns, &incoming.rows, &news).into_iter().enumerate() {
            stays[replaced[i] as usize] = same && !deleted(replaced[i]);
        }
        let mut changes = vec![];
        let gone: Vec<u32> = (0..replaced.len() as u32).filter(|i| !stays[replaced[*i as usize] as usize]).collect();
        if !gone.is_empty() {
            let rows = Batch::new(old_columns, None, replaced.len());
            let rows = if gone.len() == replaced.len() { rows } else { rows.take(&gone) };
            changes.push(rows.negate());
        }
        let come: Vec<u32> = all
            .iter()
            .copied()
            .filter(|id| !stays[*id as usize] && !deleted(*id))
            .map(|id| last[id as usize])
            .collect();
        if come.len() == incoming.rows.len() {
            // each row is another key, and in its place
            changes.push(incoming.rows.clone());
        } else if !come.is_empty() {
            changes.push(incoming.rows.take(&come));
        }
        changes
    }
}

/// Whether each of some old rows equals its new one, at `news` in `rows`. The columns that say where and when a row came
/// are the last; they differ most, so they are looked at first.
fn same_rows(old: &[ArrayRef], rows: &Batch, news: &[u32]) -> Vec<bool> {
    let mut same = vec![true; news.len()];
    for (c, old) in old.iter().enumerate().rev() {
        if !same.contains(&true) {
            break;
        }
        let new = rows.project(&[c]).take(news);
        let column = same_values(old, new.column(0));
        debug_assert_eq!(column.null_count(), 0);
        same.iter_mut().zip(column.values()).for_each(|(same, column)| *same &= column);
    }
    same
}
