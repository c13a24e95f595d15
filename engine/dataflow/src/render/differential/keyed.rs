//! Collections of packed (key, value) rows on differential's operators.
//!
//! Everything in this folder that differential maintains is one type, [`Keyed`]; its operators are instantiated here,
//! once, and take what varies as a function.
//!
//! ```text
//! batches ─keyed→ (key, value) ─join, reduce, distinct …→ (key, value) ─batches→ batches of two BINARY columns
//! ```
//!
//! # Contract
//! * Equal keys meet on one worker.
//! * What leaves by [`batches`] is summed up per worker and tick, ascending by key and value, and leaves when its tick is
//!   complete.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use arrow::array::{ArrayRef, AsArray, BinaryArray, BinaryBuilder};
use differential_dataflow::consolidation::consolidate;
use differential_dataflow::{AsCollection, VecCollection};
use millrace_data::Batch;
use timely::container::{CapacityContainerBuilder, NoopBuilder};
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::operator::Operator;

use crate::operator::Meter;
use crate::render::Rows;

/// Rows of one batch that leaves, at most.
const BATCH_ROWS_MAX: usize = 8_192;

/// A packed row, or part of one.
pub(crate) type Packed = Vec<u8>;

/// A key and a value.
pub(crate) type Pair = (Packed, Packed);

/// A collection of keys with values.
pub(crate) type Keyed<'scope> = VecCollection<'scope, u64, Pair, i64>;

/// What a reduction sees of a key: its values, ascending, with their sums of diffs, and where it puts its own.
pub(crate) type Reduction = Box<dyn FnMut(&Packed, &[(&Packed, i64)], &mut Vec<(Packed, i64)>)>;

/// Takes a batch apart: `logic(tick, batch, into)` gives the batch's rows as keys and values with diffs.
pub(crate) fn keyed<'scope>(
    rows: Rows<'scope>,
    name: &str,
    meter: &Meter,
    mut logic: impl FnMut(u64, &Batch, &mut Vec<(Pair, i64)>) + 'static,
) -> Keyed<'scope> {
    let meter = meter.clone();
    let held = Held(Rc::clone(&meter.counters));
    type Builder = CapacityContainerBuilder<Vec<(Pair, u64, i64)>>;
    rows.unary::<Builder, _, _, _>(Pipeline, name, move |_, _| {
        let mut pairs = vec![];
        move |input, output| {
            input.for_each(|capability, batch| {
                let Some(capability) = capability.retain_least(0) else { return };
                let tick = *capability.time();
                meter.busy(|| {
                    logic(tick, batch, &mut pairs);
                    held.add(&pairs);
                    let mut session = output.session(&capability);
                    session.give_iterator(pairs.drain(..).map(|(pair, diff)| (pair, tick, diff)));
                });
            });
        }
    })
    .as_collection()
}

/// Bytes that went into a collection, less those that went out: what its arrangement holds, roughly.
struct Held(Rc<crate::operator::Counters>);

impl Held {
    fn add(&self, pairs: &[(Pair, i64)]) {
        let change: i64 = pairs.iter().map(|((key, value), diff)| diff * (key.len() + value.len()) as i64).sum();
        let bytes: &Cell<u64> = &self.0.bytes;
        bytes.set(bytes.get().saturating_add_signed(change));
    }
}

/// A tick's updates, and the capability to pass them on.
type Waiting = (Capability<u64>, Vec<(Pair, i64)>);

/// Batches of keys and values, both as BINARY columns.
pub(crate) fn batches<'scope>(collection: Keyed<'scope>, name: &str) -> Rows<'scope> {
    collection.inner.unary_frontier::<NoopBuilder<Batch>, _, _, _>(Pipeline, name, move |_, _| {
        let mut ticks: BTreeMap<u64, Waiting> = BTreeMap::new();
        move |(input, frontier), output| {
            input.for_each(|capability, updates| {
                let Some(capability) = capability.retain_least(0) else { return };
                for (pair, tick, diff) in updates.drain(..) {
                    let entry = ticks.entry(tick).or_insert_with(|| (capability.delayed(&tick), vec![]));
                    entry.1.push((pair, diff));
                }
            });
            while let Some(entry) = ticks.first_entry()
                && !frontier.less_equal(entry.key())
            {
                let (capability, mut pairs) = entry.remove();
                consolidate(&mut pairs);
                for pairs in pairs.chunks(BATCH_ROWS_MAX) {
                    output.session_with_builder(&capability).give_container(&mut binary(pairs));
                }
            }
        }
    })
}

/// Keys and values as a batch.
pub(crate) fn binary(pairs: &[(Pair, i64)]) -> Batch {
    let (mut keys, mut values) = (BinaryBuilder::new(), BinaryBuilder::new());
    for ((key, value), _) in pairs {
        keys.append_value(key);
        values.append_value(value);
    }
    let columns: Vec<ArrayRef> = vec![Arc::new(keys.finish()), Arc::new(values.finish())];
    Batch::new(columns, Some(pairs.iter().map(|(_, diff)| *diff).collect()), pairs.len())
}

/// Column `c` of a batch that [`batches`] made: 0 the keys, 1 the values.
pub(crate) fn bytes(batch: &Batch, c: usize) -> &BinaryArray {
    batch.column(c).as_binary::<i32>()
}

/// The bytes of each row in such a column.
pub(crate) fn each(column: &BinaryArray) -> impl Iterator<Item = &[u8]> {
    column.iter().map(Option::unwrap_or_default)
}

/// One column of such batches as keys without values.
pub(crate) fn column_as_keys<'scope>(rows: Rows<'scope>, c: usize, meter: &Meter) -> Keyed<'scope> {
    keyed(rows, "Keys", meter, move |_, batch, into| {
        into.extend(each(bytes(batch, c)).enumerate().map(|(i, key)| ((key.to_vec(), vec![]), batch.diff(i))));
    })
}

/// All pairs of values of equal keys, as `result(key, left value, right value)` says them.
pub(crate) fn join<'scope>(
    left: Keyed<'scope>,
    right: Keyed<'scope>,
    result: fn(&Packed, &Packed, &Packed) -> Pair,
) -> Keyed<'scope> {
    left.arrange_by_key().join_core(right.arrange_by_key(), move |key, l, r| Some(result(key, l, r)))
}

/// What `logic` makes of each key's values, kept up to date.
pub(crate) fn reduce<'scope>(collection: Keyed<'scope>, name: &str, mut logic: Reduction) -> Keyed<'scope> {
    collection.reduce_named(name, move |key, values, out| logic(key, values, out))
}

/// Each key once, without value.
pub(crate) fn keys<'scope>(collection: Keyed<'scope>) -> Keyed<'scope> {
    let logic: Reduction = Box::new(|_, values, out| {
        if values.iter().any(|(_, n)| *n > 0) {
            out.push((vec![], 1));
        }
    });
    reduce(collection, "Keys", logic)
}

/// The pairs whose key is in `keys`, which has each key at most once.
pub(crate) fn with_key<'scope>(collection: Keyed<'scope>, keys: Keyed<'scope>) -> Keyed<'scope> {
    join(collection, keys, |key, value, _| (key.clone(), value.clone()))
}

/// The pairs whose key is not in `keys`, which has each key at most once.
pub(crate) fn without_key<'scope>(collection: Keyed<'scope>, keys: Keyed<'scope>) -> Keyed<'scope> {
    collection.clone().concat(with_key(collection, keys).negate())
}
