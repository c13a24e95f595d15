//! Groups and their aggregates; DISTINCT is a group without aggregates.
//!
//! ```text
//! rows → (keys, columns that the aggregates read) ─ reduce ─→ (keys, Ok results | Err message) → rows | error rows
//! ```
//!
//! Without keys there is one group from the first tick on, over no rows if need be: a mark in the collection keeps it
//! there. Rows of a window leave when it has closed (`deadline`), its result when its retention is over (`closing`). A
//! result out of range is an error row of its group, retracted when the group is in range again. Where results
//! depend on arrival, rows carry the tick at which they came; a retraction takes the earliest of equal rows.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Int64Array};
use arrow::datatypes::{DataType, Field, Int64Type, Schema, SchemaRef};
use differential_dataflow::AsCollection;
use millrace_data::Batch;
use millrace_planner::catalog::RelationId;
use millrace_planner::plan::{Aggregate, Node, Op, WindowClose};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::operators::generic::operator::source;

use crate::errors::{LateReporter, Reporter, row_text};
use crate::operator::{Calls, Meter, Route, stateless, unary};
use crate::render::differential::aggregate::{Aggregates, by_arrival};
use crate::render::differential::closing::closing;
use crate::render::differential::codec::{Codec, some};
use crate::render::differential::deadline::{Deadlines, until};
use crate::render::differential::keyed::{Keyed, Packed, Pair, Reduction, batches, bytes, each, keyed, reduce};
use crate::render::{Renderer, Rows, Tools};
use crate::tick::TickClock;

/// What a packed row of a group begins with: a row of the input, or the mark of the group that is always there.
const ROW: u8 = 1;
const MARK: u8 = 0;

/// What a packed result begins with.
const RESULTS: u8 = 0;
const MESSAGE: u8 = 1;

/// Renders `Op::Reduce`.
pub(crate) fn reduce_groups<'scope>(cx: &mut Renderer<'scope, '_>, node: &Node, tools: Tools) -> Rows<'scope> {
    let Op::Reduce { input, keys, aggregates, window } = &node.op else { panic!("not Reduce: {:?}", node.op) };
    let rows = cx.render(input);
    let groups = Groups::new(&input.schema, keys, aggregates);
    let mut rows = groups.with_ticks(rows, input.append_only, &tools.meter);
    if let Some(window) = window {
        let windows = Windows::new(cx, input, keys, window, &tools.reporter);
        let (route, calls) = (Route::Key(keys.clone()), Calls::EveryTick(cx.start, cx.env.tick.clone()));
        rows = until(rows, groups.schema(), route, calls, windows, tools.meter.part());
    }
    let mut collection = groups.keyed(rows, &tools.meter);
    if keys.is_empty() && window.is_none() && !aggregates.is_empty() {
        collection = collection.concat(mark(cx));
    }
    let results = reduce(collection, "Reduce", groups.reduction());
    let mut results = batches(results, "Results");
    if let Some(window) = window {
        let at = (&cx.env.tick, cx.start);
        results = closing(results, &node.schema, keys.len(), window, window.grace_ms, at, &tools.meter);
    }
    unpack_results(results, Results::new(&node.schema, keys.len(), aggregates, tools.reporter), tools.meter)
}

/// Rows of windows leave when their window has closed; rows that come after that are late.
struct Windows {
    start: usize,
    end: usize,
    /// Event time of a row, where the windows were given to it just below.
    time: Option<usize>,
    grace_ms: i64,
    clock: TickClock,
    sources: Vec<RelationId>,
    late: LateReporter,
}

impl Windows {
    fn new(cx: &Renderer<'_, '_>, input: &Node, keys: &[usize], window: &WindowClose, reporter: &Reporter) -> Self {
        let (time, lane) = match &input.op {
            Op::AssignWindows { time, lane, .. } => (Some(*time), *lane),
            _ => (None, None),
        };
        Windows {
            start: keys[window.start],
            end: keys[window.end],
            time,
            grace_ms: window.grace_ms,
            clock: cx.env.tick.clone(),
            sources: window.time_sources.clone(),
            late: reporter.for_late_rows(input, lane),
        }
    }
}

impl Deadlines for Windows {
    fn deadline(&self, batch: &Batch, i: usize) -> Option<i64> {
        let ends = batch.column(self.end).as_primitive::<Int64Type>();
        ends.is_valid(i).then(|| ends.value(i).saturating_add(self.grace_ms))
    }

    fn now(&self, tick: u64) -> i64 {
        self.clock.stream_time(tick, &self.sources).close
    }

    fn missed(&self, batch: &Batch, i: usize) -> bool {
        let value = |c: usize| batch.column(c).as_primitive::<Int64Type>().value(i);
        // a retraction of a row that the window has counted is no late row: the window's result stands
        if batch.diff(i) > 0 {
            let start = value(self.start);
            let time = self.time.map_or(start, value);
            self.late.late(batch.columns(), i, (start, value(self.end)), time);
        }
        false
    }
}

/// How rows become groups.
pub(crate) struct Groups {
    /// The input, with the tick of arrival behind its columns where that matters.
    schema: SchemaRef,
    keys: Vec<usize>,
    aggregates: Vec<Aggregate>,
    tick: Option<usize>,
}

impl Groups {
    pub(crate) fn new(input: &SchemaRef, keys: &[usize], aggregates: &[Aggregate]) -> Self {
        let tick = by_arrival(aggregates).then(|| input.fields().len());
        let field = tick.map(|_| Arc::new(Field::new("TICK", DataType::Int64, true)));
        let fields: Vec<_> = input.fields().iter().map(Arc::clone).chain(field).collect();
        let schema = Arc::new(Schema::new(fields));
        Groups { schema, keys: keys.to_vec(), aggregates: aggregates.to_vec(), tick }
    }

    /// The input, with the tick of arrival behind its columns where that matters.
    pub(crate) fn schema(&self) -> &SchemaRef {
        &self.schema
    }

    /// What is computed over a group.
    pub(crate) fn aggregates(&self) -> Aggregates {
        Aggregates::new(&self.schema, &self.aggregates, self.tick)
    }

    /// The rows with their ticks behind them, where that matters.
    pub(crate) fn with_ticks<'scope>(&self, rows: Rows<'scope>, append_only: bool, meter: &Meter) -> Rows<'scope> {
        if self.tick.is_none() {
            return rows;
        }
        let meter = meter.part();
        if append_only {
            return stateless(rows, "Ticks", meter, |tick, batch, emit| {
                let ticks = vec![tick as i64; batch.len()];
                emit(with_column(&batch, batch.columns(), ticks));
            });
        }
        let mut arrivals = Arrivals::new(&self.schema);
        unary(rows, "Ticks", Route::Key(self.keys.clone()), Calls::WithInput, meter, move |tick, batches, emit| {
            emit(arrivals.apply(tick as i64, &Batch::concat(&batches)));
        })
    }

    /// The rows by group.
    fn keyed<'scope>(&self, rows: Rows<'scope>, meter: &Meter) -> Keyed<'scope> {
        let keys = self.keys.clone();
        let key_codec = Codec::of_columns(&self.schema, &keys);
        let aggregates = self.aggregates();
        keyed(rows, "Groups", meter, move |_, batch, into| {
            let packed = key_codec.pack(&some(batch.columns(), &keys), batch.len());
            let values = aggregates.pack(batch.columns(), batch.len());
            let pairs = packed.into_iter().zip(values).enumerate();
            into.extend(pairs.map(|(i, (key, value))| ((key, [&[ROW], &value[..]].concat()), batch.diff(i))));
        })
    }

    /// Results of a group.
    fn reduction(&self) -> Reduction {
        let aggregates = self.aggregates();
        Box::new(move |_, values, out| {
            let marked = values.iter().any(|(value, _)| value[0] == MARK);
            let rows: Vec<(&[u8], i64)> =
                values.iter().filter(|(value, _)| value[0] == ROW).map(|(value, n)| (&value[1..], *n)).collect();
            if marked || rows.iter().any(|(_, n)| *n > 0) {
                out.push((packed_results(&aggregates, &rows), 1));
            }
        })
    }
}

/// The results over rows, or why there are none.
pub(crate) fn packed_results(aggregates: &Aggregates, rows: &[(&[u8], i64)]) -> Packed {
    match aggregates.evaluate(rows) {
        Ok(results) => [&[RESULTS], &results[..]].concat(),
        Err(message) => [&[MESSAGE], message.as_bytes()].concat(),
    }
}

/// The mark that keeps the group without keys in existence, from the query's first tick on.
fn mark<'scope>(cx: &Renderer<'scope, '_>) -> Keyed<'scope> {
    let (start, mut first) = (cx.start, cx.env.worker == 0);
    type Builder = CapacityContainerBuilder<Vec<(Pair, u64, i64)>>;
    source::<_, Builder, _, _>(cx.scope, "Mark", move |capability, _| {
        let mut capability = Some(capability.delayed(&start));
        move |output| {
            if let Some(capability) = capability.take()
                && std::mem::take(&mut first)
            {
                output.session(&capability).give(((vec![], vec![MARK]), start, 1));
            }
        }
    })
    .as_collection()
}

/// Unpacks groups with their results.
pub(crate) struct Results {
    keys: Codec,
    results: Codec,
    reporter: Reporter,
}

impl Results {
    /// Into rows of `output`: `keys` columns of the group, then results.
    pub(crate) fn new(output: &SchemaRef, keys: usize, aggregates: &[Aggregate], reporter: Reporter) -> Self {
        let keys: Vec<usize> = (0..keys).collect();
        let results = Codec::new(aggregates.iter().map(|a| &a.data_type));
        Results { keys: Codec::of_columns(output, &keys), results, reporter }
    }

    /// The rows; error rows are reported.
    fn apply(&self, batch: &Batch) -> Batch {
        let values: Vec<&[u8]> = each(bytes(batch, 1)).collect();
        let (good, bad): (Vec<u32>, Vec<u32>) =
            (0..batch.len() as u32).partition(|i| values[*i as usize][0] == RESULTS);
        if !bad.is_empty() {
            let keys = self.keys.unpack(bad.iter().map(|i| bytes(batch, 0).value(*i as usize)));
            for (row, i) in bad.iter().map(|i| *i as usize).enumerate() {
                let message = String::from_utf8_lossy(&values[i][1..]).into_owned();
                self.reporter.error("aggregate", message, row_text(&keys, row), batch.diff(i));
            }
        }
        let good = batch.take(&good);
        let mut columns = self.keys.unpack(each(bytes(&good, 0)));
        columns.extend(self.results.unpack(each(bytes(&good, 1)).map(|value| &value[1..])));
        good.with_columns(columns)
    }
}

/// Groups with their results as rows.
pub(crate) fn unpack_results<'scope>(groups: Rows<'scope>, results: Results, meter: Meter) -> Rows<'scope> {
    stateless(groups, "Reduce", meter, move |_, batch, emit| emit(results.apply(&batch)))
}

fn with_column(batch: &Batch, columns: &[ArrayRef], ticks: Vec<i64>) -> Batch {
    let ticks: ArrayRef = Arc::new(Int64Array::from(ticks));
    batch.with_columns(columns.iter().map(Arc::clone).chain([ticks]).collect())
}

/// When the rows that are there arrived.
struct Arrivals {
    codec: Codec,
    rows: HashMap<Packed, BTreeMap<i64, i64>>,
}

impl Arrivals {
    /// Of rows of `schema` without its last column.
    fn new(schema: &SchemaRef) -> Self {
        let columns: Vec<usize> = (0..schema.fields().len() - 1).collect();
        Arrivals { codec: Codec::of_columns(schema, &columns), rows: HashMap::new() }
    }

    /// The tick's changes with the tick at which each row arrived.
    fn apply(&mut self, tick: i64, batch: &Batch) -> Batch {
        let mut changes: BTreeMap<Packed, (u32, i64)> = BTreeMap::new();
        for (i, row) in self.codec.pack(batch.columns(), batch.len()).into_iter().enumerate() {
            changes.entry(row).or_insert((i as u32, 0)).1 += batch.diff(i);
        }
        let (mut rows, mut ticks, mut diffs) = (vec![], vec![], vec![]);
        for (row, (i, mut change)) in changes {
            let arrived = self.rows.entry(row.clone()).or_default();
            while change < 0
                && let Some(mut first) = arrived.first_entry()
            {
                let gone = (-change).min(*first.get());
                rows.push(i);
                ticks.push(*first.key());
                diffs.push(-gone);
                change += gone;
                *first.get_mut() -= gone;
                if *first.get() == 0 {
                    first.remove();
                }
            }
            if change != 0 {
                rows.push(i);
                ticks.push(tick);
                diffs.push(change);
            }
            if change > 0 {
                *arrived.entry(tick).or_default() += change;
            }
            if arrived.is_empty() {
                self.rows.remove(&row);
            }
        }
        let columns = batch.take(&rows);
        with_column(&Batch::new(columns.columns().to_vec(), Some(diffs), rows.len()), columns.columns(), ticks)
    }
}
