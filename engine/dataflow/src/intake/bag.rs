//! A bag: every row is added, and a delete takes away one that equals it in the declared columns.
//!
//! Of several such rows the one that came first goes: those that were there before the tick lie by where they stood in
//! their source, then come those of the tick.

use arrow::array::{Array, AsArray};
use arrow::datatypes::{Int32Type, Int64Type};
use millrace_arrange::RowId;
use millrace_data::Batch;

use super::{Incoming, Table};

/// What a tick does to the rows of one identity.
#[derive(Clone, Debug, Default)]
struct Rows {
    /// How many there are at the row at hand.
    count: i64,
    /// How many of them, from the first on, are taken away.
    taken: i64,
}

impl Table {
    /// What the tick changes: retractions, then insertions.
    pub(super) fn bag(&self, tick: u64, incoming: &Incoming) -> Vec<Batch> {
        if !incoming.deletes.contains(&true) {
            return vec![incoming.rows.clone()];
        }
        let mut wanted = vec![false; incoming.first.len()];
        for (id, delete) in incoming.ids.iter().zip(&incoming.deletes) {
            wanted[*id as usize] |= delete;
        }
        let which: Vec<u32> = (0..wanted.len() as u32).filter(|id| wanted[*id as usize]).collect();
        let held = self.held_in_order(tick, incoming, &which);
        let mut rows = vec![Rows::default(); incoming.first.len()];
        held.iter().for_each(|(id, _, count)| rows[*id as usize].count += count);
        for (i, (id, delete)) in incoming.ids.iter().zip(&incoming.deletes).enumerate() {
            let rows = &mut rows[*id as usize];
            if !delete {
                rows.count += 1;
            } else if rows.count == 0 {
                self.reject(incoming.rows.columns(), i, "a delete of a row that is not there".to_owned());
            } else {
                rows.count -= 1;
                rows.taken += 1;
            }
        }
        let (mut gone, mut diffs) = (vec![], vec![]);
        for (id, row, count) in held {
            let taken = rows[id as usize].taken.min(count);
            if taken > 0 {
                rows[id as usize].taken -= taken;
                gone.push(row);
                diffs.push(-taken);
            }
        }
        let mut come = vec![];
        for (i, (id, delete)) in incoming.ids.iter().zip(&incoming.deletes).enumerate() {
            let rows = &mut rows[*id as usize];
            if *delete {
                continue;
            }
            if rows.taken > 0 {
                rows.taken -= 1;
            } else {
                come.push(i as u32);
            }
        }
        let mut changes = vec![];
        if !gone.is_empty() {
            changes.push(Batch::new(self.gather(&gone), Some(diffs), gone.len()));
        }
        if !come.is_empty() {
            changes.push(incoming.rows.take(&come));
        }
        changes
    }

    /// The rows that some identities hold, (identity, row, how often), each identity's in the order of their source.
    fn held_in_order(&self, tick: u64, incoming: &Incoming, which: &[u32]) -> Vec<(u32, RowId, i64)> {
        let mut held = vec![];
        self.held(tick, incoming, which, |i, row, count| held.push((which[i as usize], row, count)));
        let rows: Vec<RowId> = held.iter().map(|(_, row, _)| *row).collect();
        let column = |name: &str| {
            let c = self.relation.schema.index_of(name).ok()?;
            Some(self.reader.borrow().gather(c, &rows))
        };
        let (partitions, offsets) = (column("ROWPARTITION"), column("ROWOFFSET"));
        let at = |i: usize| {
            let partition = partitions.as_ref().map(|c| c.as_primitive::<Int32Type>()).filter(|c| c.is_valid(i));
            let offset = offsets.as_ref().map(|c| c.as_primitive::<Int64Type>()).filter(|c| c.is_valid(i));
            (partition.map(|c| c.value(i)), offset.map(|c| c.value(i)))
        };
        let mut order: Vec<usize> = (0..held.len()).collect();
        order.sort_by_key(|i| (held[*i].0, at(*i)));
        order.into_iter().map(|i| held[i]).collect()
    }
}
