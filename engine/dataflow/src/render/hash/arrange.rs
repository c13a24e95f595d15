//! How an operator comes by an arrangement of its input: one of its own, or one that it shares.
//!
//! ```text
//! own     rows ─ route ─→ operator: take(t) applies them ──→ change
//! shared  relation ─→ arrangement's dataflow … trace ┄┄┄┄┄→ operator: take(t) reads the trace's delta ──→ change
//!                                                 └ pulse ─→ (a batch of one row without columns when there is one)
//! ```
//! A shared arrangement is a dataflow of its own; what reads it gets a *pulse*: a stream that follows its frontier and
//! says at which ticks it changed. To an operator that starts later, all rows that are there change at its first tick.
//!
//! # Contract
//! * `take(t)` is called once per tick, in order, before anything is looked up; `pass(t)` once nothing as of ticks
//!   before `t` will be asked for. Between them the side can be read as of `t` and of the tick before.

use std::cell::{Cell, Ref, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use millrace_arrange::{Arrangement, Changes, Delta, RowId, Scan, TraceReader, TraceWriter};
use millrace_data::Batch;
use millrace_data::exchange::by_key;
use millrace_data::hash::hash_columns;
use millrace_planner::plan::Node;
use timely::dataflow::Scope;
use timely::dataflow::operators::generic::operator::{Operator, source};
use timely::scheduling::Activator;

use crate::operator::{Meter, Output, Route};
use crate::render::hash::share::Sharing;
use crate::render::{Input, Renderer, Rows};
use crate::shelf::SharedWriter;
use crate::sink::Completion;

/// Rows of a scan that are handled at once.
const SCAN_ROWS: usize = 16 << 10;

/// What a tick changed in an arrangement.
pub(super) enum Change {
    Nothing,
    Delta(Rc<Delta>),
    /// All rows came: it is the operator's first tick.
    All,
}

/// An input by its key; see the module.
pub(super) struct Side {
    held: Held,
    /// Where each column of the input lies in the arrangement.
    columns: Vec<usize>,
    start: u64,
}

enum Held {
    Own(TraceWriter, TraceReader),
    Shared(TraceReader),
}

/// An input of an operator: the stream that drives it, how that is routed, and its arrangement.
pub(super) struct Arranged<'scope> {
    pub(super) stream: Rows<'scope>,
    pub(super) route: Route,
    pub(super) side: Side,
}

/// An input with an arrangement of its own, by some of its columns.
pub(super) fn own<'scope>(cx: &mut Renderer<'scope, '_>, node: &Node, key: &[usize], route: Route) -> Arranged<'scope> {
    let types: Vec<DataType> = node.schema.fields().iter().map(|f| f.data_type().clone()).collect();
    let arrangement =
        if node.append_only { Arrangement::append_only(&types, key) } else { Arrangement::new(&types, key) };
    let writer = TraceWriter::new(arrangement);
    let reader = writer.trace().reader();
    let side = Side { held: Held::Own(writer, reader), columns: (0..types.len()).collect(), start: cx.start };
    Arranged { stream: cx.render(node), route, side }
}

/// An input with the arrangement that it shares, or one of its own if it shares none.
///
/// # Panics
/// If the shared arrangement has not been made.
#[allow(clippy::expect_used)]
pub(super) fn arranged<'scope>(
    cx: &mut Renderer<'scope, '_>,
    node: &Node,
    key: &[usize],
    sharing: Option<Sharing>,
) -> Arranged<'scope> {
    let Some(Sharing { form, columns }) = sharing else {
        return own(cx, node, key, Route::Key(key.to_vec()));
    };
    cx.skip(node);
    let (_, trace) = cx.env.shelf.find(&form).expect("shared arrangements are made before the plan is rendered");
    // as of the tick before the first one: then everything that is there comes at the first one
    let reader = trace.reader_at(cx.start.saturating_sub(1));
    let (stream, pulse) = pulse(cx.scope, reader.clone(), cx.start);
    cx.inputs.push(Input::Pulse(pulse));
    let side = Side { held: Held::Shared(reader), columns, start: cx.start };
    Arranged { stream, route: Route::Local, side }
}

/// What wakes and ends a pulse.
#[derive(Default)]
pub(crate) struct Pulse {
    /// Its dataflow is awake at ticks below.
    due: Cell<u64>,
    closed: Cell<bool>,
    activator: RefCell<Option<Activator>>,
}

impl Pulse {
    /// Its dataflow is awake at this tick.
    pub(crate) fn wake(&self, tick: u64) {
        self.due.set(tick + 1);
        if let Some(activator) = &*self.activator.borrow() {
            activator.activate();
        }
    }

    /// Its reader is no more, its dataflow sees an empty frontier and goes.
    pub(crate) fn close(&self) {
        self.closed.set(true);
        if let Some(activator) = &*self.activator.borrow() {
            activator.activate();
        }
    }
}

/// The frontier of an arrangement from `start` on, as far as the dataflow is awake, and a batch of one row without columns
/// at each tick that changed it, and at `start` if there are rows from before it. While the dataflow sleeps, nothing in
/// the arrangement changes.
fn pulse<'scope>(scope: Scope<'scope, u64>, reader: TraceReader, start: u64) -> (Rows<'scope>, Rc<Pulse>) {
    let pulse = Rc::new(Pulse::default());
    let own = Rc::clone(&pulse);
    let stream = source(scope, "Pulse", move |capability, info| {
        *own.activator.borrow_mut() = Some(scope.activator_for(Rc::clone(&info.address)));
        let wake = scope.activator_for(info.address);
        reader.on_change(move || wake.activate());
        let mut running = Some((reader, capability.delayed(&start)));
        let mut first = true;
        move |output: &mut Output<'_>| {
            if own.closed.get() {
                running = None;
            }
            let Some((reader, capability)) = &mut running else { return };
            if own.due.get() <= start {
                return;
            }
            if std::mem::take(&mut first) && reader.borrow().rows() > 0 {
                output.session_with_builder(capability).give_container(&mut Batch::new(vec![], None, 1));
            }
            while let Some(delta) = reader.next_delta() {
                if delta.tick() >= start {
                    let at = capability.delayed(&delta.tick());
                    output.session_with_builder(&at).give_container(&mut Batch::new(vec![], None, 1));
                }
            }
            let upper = reader.upper().min(own.due.get());
            reader.advance_since(upper - 1);
            capability.downgrade(&upper.max(start));
            if upper < own.due.get() {
                reader.wait_for(upper);
            }
        }
    });
    (stream, pulse)
}

/// A shared arrangement of rows by some of their columns, complete up to `start`: the end of its dataflow.
pub(crate) fn arrange(
    rows: Rows<'_>,
    (types, key, append_only): (&[DataType], &[usize], bool),
    start: u64,
    completion: Completion,
    meter: Meter,
) -> SharedWriter {
    let arrangement = if append_only { Arrangement::append_only(types, key) } else { Arrangement::new(types, key) };
    let mut writer = TraceWriter::new(arrangement);
    writer.advance(start);
    let shared = Rc::new(RefCell::new(writer));
    let writer = Rc::clone(&shared);
    let mut at = start;
    let mut ticks: BTreeMap<u64, Vec<Batch>> = BTreeMap::new();
    rows.sink(by_key(key.to_vec()), "Arrange", move |(input, frontier)| {
        input.for_each(|capability, batch| {
            let Some(tick) = capability.stamp().iter().min().copied() else { return };
            ticks.entry(tick).or_default().push(std::mem::take(batch));
        });
        let Some(to) = frontier.frontier().iter().min().copied().filter(|to| *to > at) else { return };
        let mut writer = writer.borrow_mut();
        meter.busy(|| {
            while let Some(first) = ticks.first_entry()
                && *first.key() < to
            {
                let (tick, batches) = first.remove_entry();
                writer.apply(tick, &batches);
            }
            writer.advance(to);
        });
        meter.holds(writer.trace().borrow().memory_bytes());
        completion.moved(at, to);
        at = to;
    });
    shared
}

impl Side {
    /// Takes the tick in. `batches` came by the side's stream.
    pub(super) fn take(&mut self, tick: u64, batches: &[Batch]) -> Change {
        match &mut self.held {
            Held::Own(..) if batches.is_empty() => Change::Nothing,
            Held::Own(writer, _) => Change::Delta(writer.apply(tick, batches)),
            Held::Shared(_) if tick == self.start => Change::All,
            Held::Shared(_) if batches.is_empty() => Change::Nothing,
            Held::Shared(reader) => {
                let delta = reader.next_delta();
                assert!(delta.as_ref().is_some_and(|delta| delta.tick() == tick), "a pulse at tick {tick} has a delta");
                delta.map_or(Change::Nothing, Change::Delta)
            }
        }
    }

    /// Ticks before `tick` will not be looked at again.
    pub(super) fn pass(&mut self, tick: u64) {
        match &mut self.held {
            Held::Own(_, reader) | Held::Shared(reader) => reader.advance_since(tick),
        }
    }

    /// The arrangement. Not to be held while [`take`](Self::take) or [`pass`](Self::pass) is called.
    pub(super) fn borrow(&self) -> Ref<'_, Arrangement> {
        match &self.held {
            Held::Own(_, reader) | Held::Shared(reader) => reader.borrow(),
        }
    }

    /// Column `c` of the input at some rows.
    pub(super) fn column(&self, arrangement: &Arrangement, c: usize, rows: &[RowId]) -> ArrayRef {
        arrangement.gather(self.columns[c], rows)
    }

    /// All columns of the input at some rows.
    pub(super) fn columns(&self, arrangement: &Arrangement, rows: &[RowId]) -> Vec<ArrayRef> {
        self.columns.iter().map(|c| arrangement.gather(*c, rows)).collect()
    }

    /// Columns of the input.
    pub(super) fn width(&self) -> usize {
        self.columns.len()
    }

    /// Calls `f` with the rows that a tick changed, their diffs and the hashes of their keys.
    pub(super) fn each_change(&self, change: &Change, tick: u64, mut f: impl FnMut(&[RowId], &[i64], &[u64])) {
        let arrangement = self.borrow();
        match change {
            Change::Nothing => {}
            Change::Delta(delta) => {
                let mut changes = Changes::new();
                arrangement.changes(delta, &mut changes);
                if !changes.is_empty() {
                    f(&changes.rows, &changes.diffs, &changes.hashes);
                }
            }
            Change::All => {
                let mut cursor = arrangement.cursor(tick);
                let mut hashes = vec![];
                let mut each = |rows: &[RowId], diffs: &[i64]| {
                    hash_columns(&arrangement.gather_keys(rows), rows.len(), &mut hashes);
                    f(rows, diffs, &hashes);
                };
                while arrangement.scan(&mut cursor, SCAN_ROWS, &mut each) {}
            }
        }
    }

    /// A scan, in slices, of all rows that the side shows as of `tick`; of a shared side only.
    pub(super) fn begin_scan(&self, tick: u64) -> Option<Scan> {
        match &self.held {
            Held::Own(..) => None,
            Held::Shared(reader) => Some(reader.begin_scan(tick)),
        }
    }

    /// Bytes of an arrangement that belongs to the operator alone.
    pub(super) fn memory_bytes(&self) -> usize {
        match &self.held {
            Held::Own(_, reader) => reader.borrow().memory_bytes(),
            Held::Shared(_) => 0,
        }
    }
}
