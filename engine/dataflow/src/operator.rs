//! The frame of every operator that keeps state: it runs once per tick, when the tick's input is complete.
//!
//! The frame collects batches by tick, waits for the frontier, holds the capability and counts; the operator is a
//! function from a tick and its batches to batches. Ticks are totally ordered and come in order.
//!
//! ```text
//! batches of tick t … ─→ pending[t] ─ frontier passes t ─→ logic(t, inputs, emit) ─→ batches at t
//! ```
//!
//! # Contract
//! * `logic` is called once for each tick that has input on any side, and with [`Calls::EveryTick`] for every tick at
//!   which the dataflow is awake, in order, on every worker. It sleeps through ticks that bring it neither rows nor a
//!   stream time that it depends on.
//! * What it emits leaves at that tick.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;

use millrace_data::Batch;
use millrace_data::exchange::{by_key, by_target, copies};
use millrace_world::Clock;
use timely::container::NoopBuilder;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::Capability;
use timely::dataflow::operators::generic::OutputBuilderSession;
use timely::dataflow::operators::generic::operator::Operator;
use timely::progress::frontier::MutableAntichain;

use crate::render::Rows;
use crate::tick::TickClock;

/// Where an operator's batches go.
pub(crate) type Output<'a> = OutputBuilderSession<'a, u64, NoopBuilder<Batch>>;

/// Counters of one operator on one worker.
#[derive(Default)]
pub(crate) struct Counters {
    pub(crate) rows_out: Cell<u64>,
    pub(crate) bytes: Cell<u64>,
    pub(crate) busy_ns: Cell<u64>,
}

/// Counts for an operator while it works.
#[derive(Clone)]
pub(crate) struct Meter {
    pub(crate) counters: Rc<Counters>,
    pub(crate) clock: Arc<dyn Clock>,
}

impl Meter {
    /// For a part of an operator whose rows are not the operator's: they count nowhere, and neither does its time.
    pub(crate) fn part(&self) -> Meter {
        Meter { counters: Rc::default(), clock: Arc::clone(&self.clock) }
    }

    /// Runs `work`, counting its time.
    pub(crate) fn busy<R>(&self, work: impl FnOnce() -> R) -> R {
        let begun = self.clock.monotonic_ns();
        let result = work();
        let busy = &self.counters.busy_ns;
        busy.set(busy.get() + self.clock.monotonic_ns().saturating_sub(begun));
        result
    }
    /// Rows that left.
    pub(crate) fn produced(&self, rows: usize) {
        self.counters.rows_out.set(self.counters.rows_out.get() + rows as u64);
    }
    /// Bytes of state that the operator holds now.
    pub(crate) fn holds(&self, bytes: usize) {
        self.counters.bytes.set(bytes as u64);
    }
}

/// When the logic is called.
#[derive(Clone)]
pub(crate) enum Calls {
    /// For ticks with input.
    WithInput,
    /// For this tick, and for later ones with input.
    First(u64),
    /// For every tick from this one on at which the dataflow is awake: operators that act on the passing of time. The
    /// clock says which tick that is.
    EveryTick(u64, TickClock),
}

/// How rows come to the worker that needs them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Route {
    /// They stay where they are.
    Local,
    /// Rows of equal key columns come together; no columns: all on one worker.
    Key(Vec<usize>),
    /// Every row comes to every worker.
    All,
}

/// A tick's batches, a list for each side, and the capability to answer them.
type Waiting<const N: usize> = (Option<Capability<u64>>, [Vec<Batch>; N]);

/// Batches waiting for their tick to be complete.
struct Pending<const N: usize> {
    ticks: BTreeMap<u64, Waiting<N>>,
    calls: Calls,
    /// Held for ticks without input; `None` once the input has ended.
    held: Option<Capability<u64>>,
}

impl<const N: usize> Pending<N> {
    fn new(calls: Calls, capability: Capability<u64>) -> Self {
        let held = match &calls {
            Calls::WithInput => None,
            Calls::First(start) | Calls::EveryTick(start, _) => Some(capability.delayed(start)),
        };
        Pending { ticks: BTreeMap::new(), calls, held }
    }

    fn add(&mut self, side: usize, capability: Capability<u64>, batch: Batch) {
        if batch.is_empty() {
            return;
        }
        let entry = self.ticks.entry(*capability.time()).or_insert_with(|| (None, std::array::from_fn(|_| vec![])));
        entry.1[side].push(batch);
        entry.0 = Some(capability);
    }

    /// The next tick to work on and its batches, given that everything before `frontier` is complete (`None`: everything).
    fn next(&mut self, frontier: Option<u64>) -> Option<(Capability<u64>, [Vec<Batch>; N])> {
        if frontier.is_none() && matches!(self.calls, Calls::EveryTick(..)) {
            // the input has ended: no tick comes without it
            self.held = None;
        }
        let is_complete = |tick: &u64| frontier.is_none_or(|frontier| *tick < frontier);
        let with_input = self.ticks.first_key_value().map(|(tick, _)| *tick).filter(is_complete);
        let without = self.due().filter(is_complete);
        if let Some(tick) = without.filter(|due| with_input.is_none_or(|tick| *due < tick)) {
            return Some((self.call_at(tick)?.delayed(&tick), std::array::from_fn(|_| vec![])));
        }
        let tick = with_input?;
        self.call_at(tick);
        let (capability, inputs) = self.ticks.remove(&tick)?;
        Some((capability?, inputs))
    }

    /// The tick at which the logic is called next if no input comes before.
    fn due(&self) -> Option<u64> {
        let from = *self.held.as_ref()?.time();
        match &self.calls {
            Calls::WithInput => None,
            Calls::First(_) => Some(from),
            // it has slept through the ticks before the worker's, unless somebody was paused in them
            Calls::EveryTick(_, clock) => clock.next(from),
        }
    }

    /// The logic is called at this tick: what is held is for later ones then, or for none. What was held for it.
    fn call_at(&mut self, tick: u64) -> Option<Capability<u64>> {
        let held = self.held.take_if(|held| *held.time() <= tick)?;
        if let Calls::EveryTick(..) = self.calls {
            self.held = Some(held.delayed(&(tick + 1)));
        }
        Some(held)
    }
}

fn least(frontier: &MutableAntichain<u64>) -> Option<u64> {
    frontier.frontier().iter().min().copied()
}

/// A stateful operator with one input: `logic(tick, batches, emit)`.
pub(crate) fn unary<'scope>(
    input: Rows<'scope>,
    name: &str,
    route: Route,
    calls: Calls,
    meter: Meter,
    mut logic: impl FnMut(u64, Vec<Batch>, &mut dyn FnMut(Batch)) + 'static,
) -> Rows<'scope> {
    let (input, route) = spread(input, route);
    macro_rules! build {
        ($pact:expr) => {
            input.unary_frontier::<NoopBuilder<Batch>, _, _, _>($pact, name, move |capability, _| {
                let mut pending = Pending::<1>::new(calls, capability);
                move |(input, frontier), output| {
                    input.for_each(|capability, batch| {
                        let capability = capability.retain_least(0);
                        if let Some(capability) = capability {
                            pending.add(0, capability, std::mem::take(batch));
                        }
                    });
                    let frontier = least(frontier);
                    while let Some((capability, [batches])) = pending.next(frontier) {
                        let tick = *capability.time();
                        meter.busy(|| {
                            logic(tick, batches, &mut |batch| give(output, &capability, batch, &meter));
                        });
                    }
                }
            })
        };
    }
    match route {
        Route::Local => build!(Pipeline),
        Route::Key(key) => build!(by_key(key)),
        Route::All => build!(by_target()),
    }
}

/// How far an operator is with a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Slice {
    /// It goes on with the tick, without input, when what is behind it has had a turn.
    More,
    /// It is done with it.
    Last,
}

/// A stateful operator with two inputs: `logic(tick, left batches, right batches, emit)`.
pub(crate) fn binary<'scope>(
    left: Rows<'scope>,
    right: Rows<'scope>,
    name: &str,
    routes: (Route, Route),
    calls: Calls,
    meter: Meter,
    mut logic: impl FnMut(u64, Vec<Batch>, Vec<Batch>, &mut dyn FnMut(Batch)) + 'static,
) -> Rows<'scope> {
    binary_in_slices(left, right, name, routes, calls, meter, move |tick, left, right, emit| {
        logic(tick, left, right, emit);
        Slice::Last
    })
}

/// The same, if a tick may be too much for one activation.
pub(crate) fn binary_in_slices<'scope>(
    left: Rows<'scope>,
    right: Rows<'scope>,
    name: &str,
    routes: (Route, Route),
    calls: Calls,
    meter: Meter,
    mut logic: impl FnMut(u64, Vec<Batch>, Vec<Batch>, &mut dyn FnMut(Batch)) -> Slice + 'static,
) -> Rows<'scope> {
    let scope = left.scope();
    let ((left, left_route), (right, right_route)) = (spread(left, routes.0), spread(right, routes.1));
    macro_rules! build {
        ($left:expr, $right:expr) => {
            left.binary_frontier::<_, NoopBuilder<Batch>, _, _, _, _>(
                right,
                $left,
                $right,
                name,
                move |capability, info| {
                    let mut pending = Pending::<2>::new(calls, capability);
                    let (again, mut begun) = (scope.activator_for(info.address), None);
                    move |(left, left_frontier), (right, right_frontier), output| {
                        left.for_each(|capability, batch| {
                            if let Some(capability) = capability.retain_least(0) {
                                pending.add(0, capability, std::mem::take(batch));
                            }
                        });
                        right.for_each(|capability, batch| {
                            if let Some(capability) = capability.retain_least(0) {
                                pending.add(1, capability, std::mem::take(batch));
                            }
                        });
                        let frontier = match (least(left_frontier), least(right_frontier)) {
                            (Some(a), Some(b)) => Some(a.min(b)),
                            (a, b) => a.or(b),
                        };
                        let more = |at| (at, [vec![], vec![]]);
                        while let Some((capability, [lefts, rights])) =
                            begun.take().map(more).or_else(|| pending.next(frontier))
                        {
                            let tick = *capability.time();
                            let slice = meter.busy(|| {
                                logic(tick, lefts, rights, &mut |batch| {
                                    give(output, &capability, batch, &meter);
                                })
                            });
                            if slice == Slice::More {
                                begun = Some(capability);
                                again.activate();
                                break;
                            }
                        }
                    }
                },
            )
        };
    }
    match (left_route, right_route) {
        (Route::Local, Route::Local) => build!(Pipeline, Pipeline),
        (Route::Local, Route::Key(b)) => build!(Pipeline, by_key(b)),
        (Route::Key(a), Route::Local) => build!(by_key(a), Pipeline),
        (Route::Key(a), Route::Key(b)) => build!(by_key(a), by_key(b)),
        (Route::Local, Route::All) => build!(Pipeline, by_target()),
        (Route::All, Route::Local) => build!(by_target(), Pipeline),
        (Route::Key(a), Route::All) => build!(by_key(a), by_target()),
        (Route::All, Route::Key(b)) => build!(by_target(), by_key(b)),
        (Route::All, Route::All) => build!(by_target(), by_target()),
    }
}

/// What goes to all workers, as copies for each; to a single worker it goes as it is.
fn spread<'scope>(rows: Rows<'scope>, route: Route) -> (Rows<'scope>, Route) {
    let peers = rows.scope().peers();
    match route {
        Route::All if peers == 1 => (rows, Route::Local),
        Route::All => {
            let rows = rows.unary::<NoopBuilder<Batch>, _, _, _>(Pipeline, "Copies", move |_, _| {
                move |input, output| {
                    input.for_each(|capability, batch| {
                        let mut session = output.session_with_builder(&capability);
                        for mut copy in copies(batch, peers) {
                            session.give_container(&mut copy);
                        }
                    });
                }
            });
            (rows, Route::All)
        }
        other => (rows, other),
    }
}

/// A stateless operator: a batch in, batches out at once. `logic(tick, batch, emit)`.
pub(crate) fn stateless<'scope>(
    input: Rows<'scope>,
    name: &str,
    meter: Meter,
    mut logic: impl FnMut(u64, Batch, &mut dyn FnMut(Batch)) + 'static,
) -> Rows<'scope> {
    input.unary::<NoopBuilder<Batch>, _, _, _>(Pipeline, name, move |_, _| {
        move |input, output| {
            input.for_each(|capability, batch| {
                let Some(capability) = capability.retain_least(0) else { return };
                let (tick, batch) = (*capability.time(), std::mem::take(batch));
                if batch.is_empty() {
                    return;
                }
                meter.busy(|| logic(tick, batch, &mut |batch| give(output, &capability, batch, &meter)));
            });
        }
    })
}

fn give(output: &mut Output<'_>, capability: &Capability<u64>, mut batch: Batch, meter: &Meter) {
    if !batch.is_empty() {
        meter.produced(batch.len());
        output.session_with_builder(capability).give_container(&mut batch);
    }
}
