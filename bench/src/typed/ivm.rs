//! One operator each over rows that come, change and go.

use arrow::array::{Array, AsArray};
use arrow::datatypes::Int64Type;
use differential_dataflow::difference::{IsZero, Multiply, Semigroup};
use differential_dataflow::operators::CountTotal;
use differential_dataflow::{AsCollection, VecCollection};
use millrace_bench_input::answer::{hash_i64, hash_opt_i64, hash_opt_text, hash_text};
use millrace_bench_input::{Stopwatch, Tick};
use millrace_data::Batch;
use serde::{Deserialize, Serialize};
use timely::worker::Worker;

use super::{Input, Run, Share, Time};
use crate::measure::Input as Given;

/// Rows and the sum of their values as a difference: the last is how many values there are, because a sum of none is NULL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
struct Totals(i64, i64, i64);

impl IsZero for Totals {
    fn is_zero(&self) -> bool {
        self.0 == 0 && self.1 == 0 && self.2 == 0
    }
}

impl Semigroup for Totals {
    fn plus_equals(&mut self, other: &Totals) {
        self.0 += other.0;
        self.1 += other.1;
        self.2 += other.2;
    }
}

impl Multiply<isize> for Totals {
    type Output = Totals;
    fn multiply(self, times: &isize) -> Totals {
        let times = *times as i64;
        Totals(self.0 * times, self.1 * times, self.2 * times)
    }
}

impl Totals {
    fn of(v: Option<i64>) -> Totals {
        Totals(1, v.unwrap_or(0), i64::from(v.is_some()))
    }
    fn sum(&self) -> Option<i64> {
        (self.2 > 0).then_some(self.1)
    }
}

fn int(batch: &Batch, c: usize, i: usize) -> i64 {
    batch.column(c).as_primitive::<Int64Type>().value(i)
}

fn opt_int(batch: &Batch, c: usize, i: usize) -> Option<i64> {
    batch.column(c).is_valid(i).then(|| int(batch, c, i))
}

fn opt_text(batch: &Batch, c: usize, i: usize) -> Option<String> {
    batch.column(c).is_valid(i).then(|| batch.column(c).as_string::<i32>().value(i).to_owned())
}

/// Sends what `row` makes of a batch.
fn send<D: Clone + 'static>(
    input: &mut Input<D>,
    time: Time,
    batch: &Batch,
    share: &Share,
    row: impl Fn(&Batch, usize) -> D,
) {
    for i in share.of(batch.len()) {
        input.send((row(batch, i), time, batch.diff(i) as isize));
    }
    input.advance_to(time + 1);
    input.flush();
}

type Facts = Input<(Option<i64>, (i64, Option<String>))>;
type Dims = Input<(i64, String)>;

fn send_both(facts: &mut Facts, dims: &mut Dims, time: Time, tick: &Tick, share: &Share) {
    send(facts, time, &tick[0], share, |b, i| (opt_int(b, 1, i), (int(b, 0, i), opt_text(b, 2, i))));
    send(dims, time, &tick[1], share, |b, i| (int(b, 0, i), opt_text(b, 1, i).unwrap_or_default()));
}

pub(crate) fn join(worker: &mut Worker, run: &Run, input: &Given, clock: &mut Stopwatch) {
    let (mut facts, mut dims) = (Facts::new_with_builder(), Dims::new_with_builder());
    worker.dataflow::<Time, _, _>(|scope| {
        let keyed = facts.to_stream(scope).as_collection().flat_map(|(k, fact)| k.map(|k| (k, fact)));
        let dims = dims.to_stream(scope).as_collection().arrange_by_key();
        let out =
            keyed.arrange_by_key().join_core(dims, |_, (id, name), label| Some((*id, name.clone(), label.clone())));
        run.sink(out.inner, |(id, name, label)| hash_text(hash_opt_text(hash_i64(0, *id), name.as_deref()), label));
    });
    run.drive(worker, input, clock, |time, tick, share| send_both(&mut facts, &mut dims, time, tick, share));
}

pub(crate) fn outer_join(worker: &mut Worker, run: &Run, input: &Given, clock: &mut Stopwatch) {
    let (mut facts, mut dims) = (Facts::new_with_builder(), Dims::new_with_builder());
    worker.dataflow::<Time, _, _>(|scope| {
        let all = facts.to_stream(scope).as_collection();
        let keyless = all.clone().filter(|(k, _)| k.is_none()).map(|(_, (id, name))| (id, name, None));
        let keyed = all.flat_map(|(k, fact)| k.map(|k| (k, fact))).arrange_by_key();
        let dims = dims.to_stream(scope).as_collection().arrange_by_key();
        let found = keyed
            .clone()
            .join_core(dims.clone(), |_, (id, name), label| Some((*id, name.clone(), Some(label.clone()))));
        // a key stands in dims at most once
        let keys = dims.as_collection(|k, _| *k).arrange_by_self();
        let hidden = keyed.clone().join_core(keys, |_, (id, name), ()| Some((*id, name.clone(), None)));
        let unfound = keyed.as_collection(|_, (id, name)| (*id, name.clone(), None)).concat(hidden.negate());
        let out: VecCollection<'_, Time, (i64, Option<String>, Option<String>)> = found.concat(unfound).concat(keyless);
        run.sink(out.inner, |(id, name, label)| {
            hash_opt_text(hash_opt_text(hash_i64(0, *id), name.as_deref()), label.as_deref())
        });
    });
    run.drive(worker, input, clock, |time, tick, share| send_both(&mut facts, &mut dims, time, tick, share));
}

pub(crate) fn aggregate(worker: &mut Worker, run: &Run, input: &Given, clock: &mut Stopwatch) {
    let mut facts = Input::<(i64, Option<i64>)>::new_with_builder();
    worker.dataflow::<Time, _, _>(|scope| {
        let rows = facts.to_stream(scope).as_collection();
        let totals = rows.explode(|(g, v)| Some((g, Totals::of(v)))).count_total();
        run.sink(totals.inner, |(g, t)| hash_opt_i64(hash_i64(hash_i64(0, *g), t.0), t.sum()));
    });
    run.drive(worker, input, clock, |time, tick, share| {
        send(&mut facts, time, &tick[0], share, |b, i| (int(b, 1, i), opt_int(b, 2, i)));
    });
}

pub(crate) fn max(worker: &mut Worker, run: &Run, input: &Given, clock: &mut Stopwatch) {
    let mut facts = Input::<(i64, Option<i64>)>::new_with_builder();
    worker.dataflow::<Time, _, _>(|scope| {
        let rows = facts.to_stream(scope).as_collection();
        // None is the least: a group of NULLs alone has NULL
        let best = rows.reduce(|_, values, out| {
            if let Some((largest, _)) = values.last() {
                out.push((**largest, 1isize));
            }
        });
        run.sink(best.inner, |(g, v)| hash_opt_i64(hash_i64(0, *g), *v));
    });
    run.drive(worker, input, clock, |time, tick, share| {
        send(&mut facts, time, &tick[0], share, |b, i| (int(b, 1, i), opt_int(b, 2, i)));
    });
}

/// The hundred largest: of ever larger heaps, so that a change looks at a few hundred rows and not at all.
pub(crate) fn top_k(worker: &mut Worker, run: &Run, input: &Given, clock: &mut Stopwatch) {
    const K: usize = 100;
    type Row = (std::cmp::Reverse<i64>, i64, Option<String>);
    let mut facts = Input::<(i64, Option<String>, Option<i64>)>::new_with_builder();
    worker.dataflow::<Time, _, _>(|scope| {
        let rows = facts.to_stream(scope).as_collection();
        let mut best: VecCollection<'_, Time, Row> =
            rows.flat_map(|(id, name, v)| v.map(|v| (std::cmp::Reverse(v), id, name)));
        for heaps in [1 << 16, 1 << 10, 1 << 4, 1u64] {
            best = best
                .map(move |row| (hash_i64(0, row.1) % heaps, row))
                .reduce(|_, rows, out| out.extend(rows.iter().take(K).map(|(row, _)| ((*row).clone(), 1isize))))
                .map(|(_, row)| row);
        }
        run.sink(best.inner, |(v, id, name)| hash_i64(hash_opt_text(hash_i64(0, *id), name.as_deref()), v.0));
    });
    run.drive(worker, input, clock, |time, tick, share| {
        send(&mut facts, time, &tick[0], share, |b, i| (int(b, 0, i), opt_text(b, 1, i), opt_int(b, 2, i)));
    });
}

pub(crate) fn distinct(worker: &mut Worker, run: &Run, input: &Given, clock: &mut Stopwatch) {
    use differential_dataflow::operators::ThresholdTotal;
    let mut facts = Input::<i64>::new_with_builder();
    worker.dataflow::<Time, _, _>(|scope| {
        let groups = facts.to_stream(scope).as_collection().distinct_total();
        run.sink(groups.inner, |g| hash_i64(0, *g));
    });
    run.drive(worker, input, clock, |time, tick, share| {
        send(&mut facts, time, &tick[0], share, |b, i| int(b, 1, i));
    });
}

pub(crate) fn window(worker: &mut Worker, run: &Run, input: &Given, clock: &mut Stopwatch) {
    let mut events = Input::<(i64, i64, Option<i64>)>::new_with_builder();
    worker.dataflow::<Time, _, _>(|scope| {
        let rows = events.to_stream(scope).as_collection();
        let totals = rows.explode(|(window, k, v)| Some(((window, k), Totals::of(v)))).count_total();
        run.sink(totals.inner, |((window, k), t)| {
            let row = hash_opt_i64(hash_i64(hash_i64(0, *k), t.0), t.sum());
            hash_i64(hash_i64(row, *window), *window + 10_000)
        });
    });
    run.drive(worker, input, clock, |time, tick, share| {
        send(&mut events, time, &tick[0], share, |b, i| {
            (int(b, 2, i) / 10_000 * 10_000, int(b, 0, i), opt_int(b, 1, i))
        });
    });
}
