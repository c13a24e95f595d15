//! Aggregates of many groups at once: state in vectors by group id, updated a column at a time.
//!
//! ```text
//! batch ─ counters ─→ weights per row ─→ states[group] += weight × value          once per batch
//! groups ─ calls ─→ a column of results per call, and the groups where there is none
//! ```
//! A *counter* says how often each row counts: its diff, or 0 where the filter is not TRUE or an argument is NULL, or,
//! for DISTINCT, what the row changes about whether its value is there. Calls over the same arguments share it. A *state*
//! accumulates values with those weights; SUM and AVG of one column share it. So a row that does not count is a weight of
//! 0, and no loop over rows asks why.
//!
//! # Contract
//! * What a call answers depends on the multiset of the group's rows alone (and, where it says so, on the ticks at which
//!   they came). Rows with negative counts are those of a removal that came first; at the end of a tick there are none.
//! * Group ids are below the number given to `grow`. A group that is removed is cleared first.

mod boolean;
mod counter;
mod distinct;
mod extreme;
mod moments;
mod ordered;
mod sum;

use std::collections::BTreeMap;
use std::sync::Arc;

use arrow::array::{ArrayRef, BooleanArray, Float64Array, Int64Array};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, SchemaRef};
use millrace_data::Batch;
use millrace_data::canonical::canonical_f64;
use millrace_planner::plan::{Aggregate, AggregateFunction};

use self::counter::Counter;
use crate::by_group::ByGroup;

/// What a state accumulates: for row `i`, the arguments at `i`, `weights[i]` times, into `groups[i]`.
struct Update<'a> {
    tick: u64,
    /// The columns of the input, or, when values are taken back, of the same width.
    columns: &'a [ArrayRef],
    groups: &'a [u32],
    /// 0 for rows that do not count.
    weights: &'a [i64],
}

/// Results for some groups.
struct Finished {
    column: ArrayRef,
    /// Groups that have no result, by position, and why.
    failures: Vec<(usize, String)>,
}

impl Finished {
    fn of(column: ArrayRef) -> Self {
        Finished { column, failures: vec![] }
    }
}

/// What an aggregate keeps per group.
trait State {
    /// Room for groups below `groups`; new ones are empty.
    fn grow(&mut self, groups: usize);
    /// Accumulates rows.
    fn update(&mut self, rows: &Update<'_>);
    /// What `call` answers for each of `groups`; `counts` is how many values count there.
    fn finish(&self, call: &Call, groups: &[u32], counts: &ByGroup<i64>) -> Finished;
    /// Adds what `from` holds to `into`.
    fn merge(&mut self, from: u32, into: u32);
    /// The groups are empty.
    fn clear(&mut self, groups: &[u32]);
    /// Bytes of memory.
    fn memory_bytes(&self) -> usize;
}

/// An aggregate call.
struct Call {
    function: AggregateFunction,
    /// Over distinct values, where the counter does not see to it.
    distinct: bool,
    data_type: DataType,
    counter: usize,
    /// `None` for COUNT.
    state: Option<usize>,
}

struct Shared {
    counter: usize,
    /// Calls with an equal identity share the state.
    identity: Identity,
    state: Box<dyn State>,
}

/// What makes two states the same.
#[derive(Clone, Debug, PartialEq)]
enum Identity {
    Sum(usize),
    Moments(usize),
    Boolean(usize),
    Extreme(usize, bool),
    Ordered(ordered::Form),
}

/// The aggregates of one node.
pub(crate) struct Aggregates {
    calls: Vec<Call>,
    counters: Vec<Counter>,
    states: Vec<Shared>,
    /// Diffs of the batch at hand.
    diffs: Vec<i64>,
}

impl Aggregates {
    /// Over rows of `input`. `append_only`: they are never retracted. `erasable`: groups may be cleared or merged while
    /// they have rows.
    ///
    /// # Panics
    /// If a function does not take its arguments' types, which the planner sees to.
    pub(crate) fn new(input: &SchemaRef, aggregates: &[Aggregate], append_only: bool, erasable: bool) -> Self {
        let mut all = Aggregates { calls: vec![], counters: vec![], states: vec![], diffs: vec![] };
        for aggregate in aggregates {
            let counter = all.counter(Counter::new(input, aggregate, erasable));
            let identity = identity(aggregate);
            let state = identity.map(|identity| all.state(counter, identity, input, append_only));
            all.calls.push(Call {
                function: aggregate.function.clone(),
                distinct: aggregate.distinct || aggregate.function == AggregateFunction::CollectSet,
                data_type: aggregate.data_type.clone(),
                counter,
                state,
            });
        }
        all
    }

    fn counter(&mut self, counter: Counter) -> usize {
        self.counters.iter().position(|c| c.is_same(&counter)).unwrap_or_else(|| {
            self.counters.push(counter);
            self.counters.len() - 1
        })
    }

    fn state(&mut self, counter: usize, identity: Identity, input: &SchemaRef, append_only: bool) -> usize {
        let found = self.states.iter().position(|s| s.counter == counter && s.identity == identity);
        found.unwrap_or_else(|| {
            let state: Box<dyn State> = match &identity {
                Identity::Sum(arg) => sum::new(*arg, input.field(*arg).data_type()),
                Identity::Moments(arg) => Box::new(moments::Moments::new(*arg, input.field(*arg).data_type())),
                Identity::Boolean(arg) => Box::new(boolean::Trues::new(*arg)),
                Identity::Extreme(arg, max) => extreme::new(*arg, input.field(*arg).data_type(), *max, append_only),
                Identity::Ordered(form) => Box::new(ordered::Ordered::new(form.clone(), input, append_only)),
            };
            self.states.push(Shared { counter, identity, state });
            self.states.len() - 1
        })
    }

    /// Whether an answer depends on the ticks at which rows came.
    pub(crate) fn by_arrival(aggregates: &[Aggregate]) -> bool {
        aggregates.iter().any(|a| a.arrival.is_some() && ordered::is_ordered(&a.function))
    }

    /// Room for groups below `groups`.
    pub(crate) fn grow(&mut self, groups: usize) {
        self.counters.iter_mut().for_each(|counter| counter.grow(groups));
        self.states.iter_mut().for_each(|shared| shared.state.grow(groups));
    }

    /// Accumulates a batch; `groups` is the group of each row.
    pub(crate) fn update(&mut self, tick: u64, batch: &Batch, groups: &[u32]) {
        self.diffs.clear();
        match batch.diffs() {
            None => self.diffs.resize(batch.len(), 1),
            Some(diffs) => self.diffs.extend_from_slice(diffs),
        }
        for counter in &mut self.counters {
            counter.update(batch.columns(), groups, &self.diffs);
        }
        for Shared { counter, state, .. } in &mut self.states {
            let weights = self.counters[*counter].weights(&self.diffs);
            state.update(&Update { tick, columns: batch.columns(), groups, weights });
        }
    }

    /// A column of results per call over `groups`, and the groups that have none, by position, and why.
    pub(crate) fn finish(&self, groups: &[u32]) -> (Vec<ArrayRef>, BTreeMap<usize, String>) {
        let mut failed = BTreeMap::new();
        let columns = self
            .calls
            .iter()
            .map(|call| {
                let counts = self.counters[call.counter].counts();
                let Some(state) = call.state else {
                    return Arc::new(Int64Array::from_iter_values(groups.iter().map(|g| counts[*g as usize]))) as _;
                };
                let finished = self.states[state].state.finish(call, groups, counts);
                for (at, message) in finished.failures {
                    // the first call that fails speaks for the group
                    failed.entry(at).or_insert(message);
                }
                finished.column
            })
            .collect();
        (columns, failed)
    }

    /// Adds what `from` holds to `into`.
    pub(crate) fn merge(&mut self, from: u32, into: u32) {
        self.states.iter_mut().for_each(|shared| shared.state.merge(from, into));
        for (i, counter) in self.counters.iter_mut().enumerate() {
            let Some(twice) = counter.merge(from, into) else { continue };
            // values of both groups count once
            for Shared { state, .. } in self.states.iter_mut().filter(|shared| shared.counter == i) {
                let (groups, weights) = (vec![into; twice.len()], vec![-1; twice.len()]);
                state.update(&Update { tick: 0, columns: twice.columns(), groups: &groups, weights: &weights });
            }
        }
    }

    /// The groups are empty.
    pub(crate) fn clear(&mut self, groups: &[u32]) {
        self.counters.iter_mut().for_each(|counter| counter.clear(groups));
        self.states.iter_mut().for_each(|shared| shared.state.clear(groups));
    }

    /// Bytes of memory.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.counters.iter().map(Counter::memory_bytes).sum::<usize>()
            + self.states.iter().map(|shared| shared.state.memory_bytes()).sum::<usize>()
    }
}

fn identity(aggregate: &Aggregate) -> Option<Identity> {
    use AggregateFunction as F;
    let arg = || aggregate.args[0];
    Some(match &aggregate.function {
        F::Count => return None,
        F::Sum | F::Avg => Identity::Sum(arg()),
        F::Variance { .. } | F::Stddev { .. } => Identity::Moments(arg()),
        F::BoolAnd | F::BoolOr => Identity::Boolean(arg()),
        F::Min => Identity::Extreme(arg(), false),
        F::Max => Identity::Extreme(arg(), true),
        F::CollectList | F::CollectSet | F::StringAgg { .. } | F::Latest { .. } | F::Earliest { .. } => {
            Identity::Ordered(ordered::Form::of(aggregate))
        }
    })
}

/// Doubles, NULL where `valid` says so.
fn doubles(values: Vec<f64>, valid: Option<NullBuffer>) -> ArrayRef {
    Arc::new(Float64Array::new(values.into_iter().map(canonical_f64).collect(), valid))
}

/// Which groups have something that counts.
fn present(groups: &[u32], counts: &ByGroup<i64>) -> Option<NullBuffer> {
    let valid = NullBuffer::from_iter(groups.iter().map(|g| counts[*g as usize] > 0));
    (valid.null_count() > 0).then_some(valid)
}

/// Booleans, NULL where `valid` says so.
fn booleans(values: impl Iterator<Item = bool>, valid: Option<NullBuffer>) -> ArrayRef {
    Arc::new(BooleanArray::new(values.collect::<Vec<_>>().into(), valid))
}
