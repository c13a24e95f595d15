//! The distinct values of each group, counted, so that a value counts once however often it is there.
//!
//! A table of (group, values) gives each an entry; the entry's count says when a value comes to its group and when it
//! leaves. Where groups may end while they have values, the entries of a group are linked.

use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, Int64Array, new_null_array};
use arrow::datatypes::{DataType, Int64Type, SchemaRef};
use millrace_arrange::KeyTable;
use millrace_data::Batch;
use millrace_data::hash::hash_columns;

use crate::by_group::ByGroup;

/// See the module.
pub(super) struct Distinct {
    args: Vec<usize>,
    /// Types of all columns of the input, for values that are given back.
    types: Vec<DataType>,
    entries: KeyTable,
    counts: ByGroup<i64>,
    links: Option<Links>,
    hashes: Vec<u64>,
    ids: Vec<u32>,
    empty: Vec<u32>,
}

/// Lists of the entries of each group. Links are entries plus 1; 0 is none.
struct Links {
    first: ByGroup<u32>,
    next: ByGroup<u32>,
    prev: ByGroup<u32>,
}

impl Distinct {
    /// Over some columns of `input`. `erasable`: groups may be cleared or merged while they have values.
    pub(super) fn new(input: &SchemaRef, args: &[usize], erasable: bool) -> Self {
        let types: Vec<DataType> = input.fields().iter().map(|f| f.data_type().clone()).collect();
        let key: Vec<DataType> =
            std::iter::once(DataType::Int64).chain(args.iter().map(|c| types[*c].clone())).collect();
        let links = || Links { first: ByGroup::new(), next: ByGroup::new(), prev: ByGroup::new() };
        Distinct {
            args: args.to_vec(),
            types,
            entries: KeyTable::new(&key),
            counts: ByGroup::new(),
            links: erasable.then(links),
            hashes: vec![],
            ids: vec![],
            empty: vec![],
        }
    }

    pub(super) fn grow(&mut self, groups: usize) {
        if let Some(links) = &mut self.links {
            links.first.grow(groups);
        }
    }

    /// Turns the weights of rows into what they change about which values are there: 1, −1 or 0.
    pub(super) fn weigh(&mut self, columns: &[ArrayRef], groups: &[u32], weights: &mut [i64]) {
        let rows: Vec<u32> = (0..weights.len() as u32).filter(|i| weights[*i as usize] != 0).collect();
        let values = self.args.iter().map(|c| Arc::clone(&columns[*c])).collect();
        let values = Batch::new(values, None, groups.len());
        let values = if rows.len() == groups.len() { values } else { values.take(&rows) };
        let of_rows: Vec<u32> = rows.iter().map(|i| groups[*i as usize]).collect();
        self.find(&of_rows, values.columns());
        for (i, entry) in rows.iter().zip(&self.ids) {
            let count = &mut self.counts[*entry as usize];
            let before = *count;
            *count += weights[*i as usize];
            weights[*i as usize] = i64::from(*count > 0) - i64::from(before > 0);
            if *count == 0 {
                self.empty.push(*entry);
            }
        }
        self.drop_empty();
    }

    /// The entries of values in groups, made where there is none, into `ids`.
    fn find(&mut self, groups: &[u32], values: &[ArrayRef]) {
        let group_column: ArrayRef = Arc::new(Int64Array::from_iter_values(groups.iter().map(|g| i64::from(*g))));
        let key: Vec<ArrayRef> = std::iter::once(group_column).chain(values.iter().map(Arc::clone)).collect();
        hash_columns(&key, groups.len(), &mut self.hashes);
        self.entries.lookup_or_insert(&key, &self.hashes, groups.len(), &mut self.ids);
        let upper = self.entries.upper();
        self.counts.grow(upper);
        if let Some(links) = &mut self.links {
            links.next.grow(upper);
            links.prev.grow(upper);
            for (entry, group) in self.ids.iter().zip(groups) {
                // a new entry counts 0 and is not linked yet
                if self.counts[*entry as usize] == 0 && !links.is_linked(*group as usize, *entry) {
                    links.push(*group as usize, *entry);
                }
            }
        }
    }

    /// Removes the entries that came to count 0, if they still do.
    fn drop_empty(&mut self) {
        if self.empty.is_empty() {
            return;
        }
        self.empty.sort_unstable();
        self.empty.dedup();
        let counts = &self.counts;
        self.empty.retain(|entry| counts[*entry as usize] == 0);
        if let Some(links) = &mut self.links {
            let groups = self.entries.gather_keys(&self.empty);
            let groups = groups[0].as_primitive::<Int64Type>();
            for (entry, group) in self.empty.iter().zip(groups.values()) {
                links.remove(*group as usize, *entry);
            }
        }
        self.entries.remove(&self.empty);
        self.empty.clear();
    }

    /// Adds the values of `from` to those of `into`. Those that both have, as rows of the input.
    ///
    /// # Panics
    /// If groups are not erasable.
    #[allow(clippy::expect_used)]
    pub(super) fn merge(&mut self, from: u32, into: u32) -> Batch {
        let entries = self.links.as_ref().expect("groups are erasable").of(from as usize);
        let counts: Vec<i64> = entries.iter().map(|entry| self.counts[*entry as usize]).collect();
        let values = self.entries.gather_keys(&entries).split_off(1);
        self.find(&vec![into; entries.len()], &values);
        let mut twice = vec![];
        for (i, (entry, count)) in self.ids.iter().zip(counts).enumerate() {
            let held = &mut self.counts[*entry as usize];
            if *held > 0 && count > 0 {
                twice.push(i as u32);
            }
            *held += count;
        }
        let values = Batch::new(values, None, entries.len()).take(&twice);
        let column = |c: usize, data_type| match self.args.iter().position(|arg| *arg == c) {
            Some(i) => Arc::clone(values.column(i)),
            None => new_null_array(data_type, values.len()),
        };
        let columns = self.types.iter().enumerate().map(|(c, data_type)| column(c, data_type)).collect();
        Batch::new(columns, None, values.len())
    }

    /// The groups have no values any more.
    pub(super) fn clear(&mut self, groups: &[u32]) {
        // without links a group is cleared when its last row has gone, and its values went with it
        let Some(links) = &mut self.links else { return };
        for group in groups {
            let entries = links.of(*group as usize);
            for entry in &entries {
                self.counts[*entry as usize] = 0;
                links.remove(*group as usize, *entry);
            }
            self.entries.remove(&entries);
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        let links = self
            .links
            .as_ref()
            .map_or(0, |links| links.first.memory_bytes() + links.next.memory_bytes() + links.prev.memory_bytes());
        self.entries.memory_bytes() + self.counts.memory_bytes() + links + self.hashes.capacity() * 8
    }
}

impl Links {
    fn is_linked(&self, group: usize, entry: u32) -> bool {
        self.first[group] == entry + 1 || self.prev[entry as usize] != 0
    }

    fn push(&mut self, group: usize, entry: u32) {
        let first = std::mem::replace(&mut self.first[group], entry + 1);
        self.next[entry as usize] = first;
        self.prev[entry as usize] = 0;
        if first != 0 {
            self.prev[first as usize - 1] = entry + 1;
        }
    }

    fn remove(&mut self, group: usize, entry: u32) {
        let next = std::mem::take(&mut self.next[entry as usize]);
        let prev = std::mem::take(&mut self.prev[entry as usize]);
        match prev {
            0 => self.first[group] = next,
            prev => self.next[prev as usize - 1] = next,
        }
        if next != 0 {
            self.prev[next as usize - 1] = prev;
        }
    }

    fn of(&self, group: usize) -> Vec<u32> {
        let mut entries = vec![];
        let mut at = self.first[group];
        while at != 0 {
            entries.push(at - 1);
            at = self.next[at as usize - 1];
        }
        entries
    }
}
