//! How often each row counts, and how many do in each group.

use arrow::array::{Array, ArrayRef, AsArray};
use arrow::buffer::NullBuffer;
use arrow::datatypes::SchemaRef;
use millrace_data::Batch;
use millrace_planner::plan::{Aggregate, AggregateFunction as F};

use super::distinct::Distinct;
use crate::by_group::ByGroup;

/// See the module.
pub(super) struct Counter {
    /// Rows with a NULL in one of these do not count; over several calls only COUNT has more than one.
    args: Vec<usize>,
    filter: Option<usize>,
    distinct: Option<Distinct>,
    counts: ByGroup<i64>,
    weights: Vec<i64>,
    /// The weights are the diffs as they are.
    plain: bool,
}

impl Counter {
    /// For a call over rows of `input`.
    pub(super) fn new(input: &SchemaRef, aggregate: &Aggregate, erasable: bool) -> Self {
        let keeps_nulls = match &aggregate.function {
            F::CollectList | F::CollectSet => true,
            F::Latest { ignore_nulls, .. } | F::Earliest { ignore_nulls, .. } => !ignore_nulls,
            _ => false,
        };
        // the others answer the same over distinct values, or see to it themselves
        let sums = matches!(aggregate.function, F::Count | F::Sum | F::Avg | F::Variance { .. } | F::Stddev { .. });
        let distinct = (aggregate.distinct && sums).then(|| Distinct::new(input, &aggregate.args, erasable));
        Counter {
            args: if keeps_nulls { vec![] } else { aggregate.args.clone() },
            filter: aggregate.filter,
            distinct,
            counts: ByGroup::new(),
            weights: vec![],
            plain: false,
        }
    }

    /// Whether both always count the same.
    pub(super) fn is_same(&self, other: &Counter) -> bool {
        self.args == other.args && self.filter == other.filter && self.distinct.is_some() == other.distinct.is_some()
    }

    pub(super) fn grow(&mut self, groups: usize) {
        self.counts.grow(groups);
        if let Some(distinct) = &mut self.distinct {
            distinct.grow(groups);
        }
    }

    /// Weighs and counts the rows of a batch.
    pub(super) fn update(&mut self, columns: &[ArrayRef], groups: &[u32], diffs: &[i64]) {
        let nulls = self.args.iter().filter_map(|c| columns[*c].logical_nulls()).filter(|n| n.null_count() > 0);
        let mut masks: Vec<NullBuffer> = nulls.collect();
        if let Some(filter) = self.filter {
            let filter = columns[filter].as_boolean();
            masks.push(NullBuffer::new(filter.values().clone()));
            masks.extend(filter.nulls().cloned());
        }
        self.plain = masks.is_empty() && self.distinct.is_none();
        if !self.plain {
            self.weights.clear();
            self.weights.extend_from_slice(diffs);
            for mask in &masks {
                for (weight, valid) in self.weights.iter_mut().zip(mask.iter()) {
                    *weight *= i64::from(valid);
                }
            }
            if let Some(distinct) = &mut self.distinct {
                distinct.weigh(columns, groups, &mut self.weights);
            }
        }
        let weights = if self.plain { diffs } else { &self.weights };
        for (group, weight) in groups.iter().zip(weights) {
            self.counts[*group as usize] += weight;
        }
    }

    /// The weights of the batch that was counted last, which had these diffs.
    pub(super) fn weights<'a>(&'a self, diffs: &'a [i64]) -> &'a [i64] {
        if self.plain { diffs } else { &self.weights }
    }

    /// How many count in each group.
    pub(super) fn counts(&self) -> &ByGroup<i64> {
        &self.counts
    }

    /// Adds what `from` holds to `into`. The values that both have, if they count once: what was accumulated of them
    /// twice is to be taken back.
    pub(super) fn merge(&mut self, from: u32, into: u32) -> Option<Batch> {
        self.counts[into as usize] += self.counts[from as usize];
        let twice = self.distinct.as_mut()?.merge(from, into);
        self.counts[into as usize] -= twice.len() as i64;
        Some(twice)
    }

    pub(super) fn clear(&mut self, groups: &[u32]) {
        for group in groups {
            self.counts[*group as usize] = 0;
        }
        if let Some(distinct) = &mut self.distinct {
            distinct.clear(groups);
        }
    }

    pub(super) fn memory_bytes(&self) -> usize {
        self.counts.memory_bytes()
            + self.weights.capacity() * 8
            + self.distinct.as_ref().map_or(0, Distinct::memory_bytes)
    }
}
