//! Equi-join, then max per key and name.

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use differential_dataflow::AsCollection;
use differential_dataflow::consolidation::ConsolidatingContainerBuilder;
use differential_dataflow::operators::CountTotal;
use differential_dataflow::operators::join::join_traces;
use millrace_bench_input::answer::{hash_i64, hash_opt_i64, hash_opt_text};
use millrace_bench_input::{Stopwatch, Tick};
use timely::container::PushInto;
use timely::worker::Worker;

use super::{Input, Max, Run, Share, Time};
use crate::measure::Input as Given;

type Lefts = Input<(i64, Option<String>)>;
type Rights = Input<(i64, Option<i64>)>;
type Group = (i64, Option<String>);

/// NULL is below every value, so that a group of NULLs alone has a maximum to show.
const NULL: i64 = i64::MIN;

fn hash_group(group: &Group, value: i64) -> u64 {
    let value = Some(value).filter(|v| *v != NULL);
    hash_opt_i64(hash_opt_text(hash_i64(0, group.0), group.1.as_deref()), value)
}

/// Nothing is ever taken back: the maximum is the difference.
pub(crate) fn additions(worker: &mut Worker, run: &Run, input: &Given, clock: &mut Stopwatch) {
    let (mut lefts, mut rights) = (Lefts::new_with_builder(), Rights::new_with_builder());
    worker.dataflow::<Time, _, _>(|scope| {
        let l = lefts.to_stream(scope).as_collection().arrange_by_key();
        let r = rights.to_stream(scope).as_collection().arrange_by_key();
        type Out = ConsolidatingContainerBuilder<Vec<(Group, Time, Max)>>;
        let joined = join_traces::<_, _, _, _, Out>(l, r, "Join", |k, name, value, time, _, _, out| {
            out.push_into(((*k, name.clone()), time, Max(value.unwrap_or(NULL))));
        });
        let best = joined.as_collection().count_total();
        run.sink(best.inner, |(group, max)| hash_group(group, max.0));
    });
    drive(worker, run, input, clock, (lefts, rights));
}

/// Rows are taken back: the maximum is recomputed from what is left.
pub(crate) fn deletes(worker: &mut Worker, run: &Run, input: &Given, clock: &mut Stopwatch) {
    let (mut lefts, mut rights) = (Lefts::new_with_builder(), Rights::new_with_builder());
    worker.dataflow::<Time, _, _>(|scope| {
        let l = lefts.to_stream(scope).as_collection().arrange_by_key();
        let r = rights.to_stream(scope).as_collection().arrange_by_key();
        let joined = l.join_core(r, |k, name, value| Some(((*k, name.clone()), value.unwrap_or(NULL))));
        let best = joined.reduce(|_, values, out| {
            if let Some((largest, _)) = values.last() {
                out.push((**largest, 1isize));
            }
        });
        run.sink(best.inner, |(group, max)| hash_group(group, *max));
    });
    drive(worker, run, input, clock, (lefts, rights));
}

fn drive(
    worker: &mut Worker,
    run: &Run,
    input: &Given,
    clock: &mut Stopwatch,
    (mut lefts, mut rights): (Lefts, Rights),
) {
    run.drive(worker, input, clock, |time, tick, share| {
        send_lefts(&mut lefts, time, tick, share);
        let (keys, values) =
            (tick[1].column(0).as_primitive::<Int64Type>(), tick[1].column(1).as_primitive::<Int64Type>());
        for i in share.of(keys.len()) {
            let value = values.is_valid(i).then(|| values.value(i));
            rights.send(((keys.value(i), value), time, tick[1].diff(i) as isize));
        }
        lefts.advance_to(time + 1);
        lefts.flush();
        rights.advance_to(time + 1);
        rights.flush();
    });
}

fn send_lefts(lefts: &mut Lefts, time: Time, tick: &Tick, share: &Share) {
    let (keys, names) = (tick[0].column(0).as_primitive::<Int64Type>(), tick[0].column(1).as_string::<i32>());
    for i in share.of(keys.len()) {
        let name = names.is_valid(i).then(|| names.value(i).to_owned());
        lefts.send(((keys.value(i), name), time, tick[0].diff(i) as isize));
    }
}
