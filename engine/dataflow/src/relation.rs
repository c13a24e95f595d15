//! A worker's relations: what dataflows read from and write to.
//!
//! A relation is a log of batches, tick by tick. Whoever writes it (the tick's inputs, queries, its intake) *publishes*
//! batches at the tick and says when it has *passed* it; when all writers that are awake have, the tick is complete for
//! the log's readers. Whoever reads it has a queue of its own: a published batch is shared into each queue (columns are
//! reference-counted), read once and gone. So a log holds nothing that every reader has seen, unless it is kept for
//! readers to come.
//!
//! ```text
//! begin(t)  expect writers  wake readers     publish …  settle │ publish, passed … of writers
//!                                            (rows of the tick)  → frontier t+1 for readers that are awake
//! ```
//!
//! # Contract
//! * Who is awake at a tick is known when it begins. A reader that sleeps is not told of it: none of its batches is for
//!   that reader.
//! * A reader that is paused is told of nothing, but the batches wait in its queue, each with its tick.
//! * A reader that subscribes at tick `start` gets, at `start`, what the log has kept of all earlier ticks, then every
//!   later batch once. Subscribing happens between ticks, when every earlier tick is complete; its first tick is `start`.
//! * What a table has taken in lies in its arrangement; its log keeps nothing, and a new reader starts with a scan.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::rc::Rc;

use arrow::datatypes::SchemaRef;
use millrace_arrange::{Arrangement, RowId, Scan, Trace};
use millrace_data::Batch;
use millrace_data::consolidate::consolidate;
use millrace_planner::catalog::RelationId;
use timely::dataflow::Scope;
use timely::dataflow::operators::generic::operator::source;
use timely::scheduling::Activator;

use crate::api::QueryId;
use crate::operator::Meter;
use crate::render::Rows;

/// Changes kept before they are summed up, at least; see `Kept::add`.
const KEPT_ROWS_MIN: usize = 16_384;

/// Kept batches of fewer rows than this together become one.
const KEPT_BATCH_ROWS: usize = 8192;

/// Rows that a source gives before what is behind it has a turn: a tick's rows at once, what was kept in slices.
const SLICE_ROWS: usize = 64 << 10;

/// Readers that have a turn at once, at most. A turn sorts all operators that are active, and each dataflow has several:
/// of a thousand that are awake, sorting took 39 % of the time.
const TURN_READERS: usize = 16;

/// A log: what comes in for a relation before its intake, or the collection itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum LogId {
    /// Rows and a BOOLEAN `deleted` behind them, on their way into the intake.
    Input(RelationId),
    /// The collection.
    Collection(RelationId),
    /// Nothing but the passing of ticks, for dataflows that read no relation.
    Ticks,
}

/// All logs of one worker.
#[derive(Clone, Default)]
pub(crate) struct Relations(Rc<RefCell<State>>);

#[derive(Default)]
struct State {
    logs: HashMap<LogId, Log>,
    tick: u64,
    /// Logs that have to do with the tick.
    touched: Vec<LogId>,
    /// Readers that have something to read and wait for their turn.
    ready: Ready,
}

type Ready = VecDeque<Rc<RefCell<Queue>>>;

struct Log {
    /// Writers that are awake and have not passed the tick.
    expected: usize,
    /// Readers that are awake.
    awake: Vec<Rc<RefCell<Queue>>>,
    /// Readers that are paused: rows wait for them.
    paused: Vec<Rc<RefCell<Queue>>>,
    kept: Kept,
    schema: SchemaRef,
}

/// Where the collection so far is, for readers to come.
pub(crate) enum Keep {
    /// Nowhere.
    Nothing,
    /// In the log.
    Log,
    /// In an arrangement of all columns, which is complete whenever the log is.
    Arrangement(Trace),
}

enum Kept {
    Nothing,
    Changes(Changes),
    Arrangement(Trace),
}

/// The collection so far, as changes that are summed up now and then.
struct Changes {
    batches: Vec<Batch>,
    rows: usize,
    /// Rows after the last summing up.
    settled: usize,
    append_only: bool,
}

/// A reader's queue.
pub(crate) struct Queue {
    pub(crate) log: LogId,
    query: QueryId,
    /// The collection as of the reader's start, as far as it has not been read.
    scan: Option<Scan>,
    /// What was kept for it has no retractions.
    pub(crate) insertions_only: bool,
    batches: VecDeque<(u64, Batch)>,
    frontier: u64,
    closed: bool,
    /// It waits for its turn.
    ready: bool,
    activator: Option<Activator>,
}

impl Queue {
    fn activate(&self) {
        if let Some(activator) = &self.activator {
            activator.activate();
        }
    }

    /// `this` is the queue itself.
    fn wait_for_turn(&mut self, this: &Rc<RefCell<Queue>>, ready: &mut Ready) {
        if !std::mem::replace(&mut self.ready, true) {
            ready.push_back(Rc::clone(this));
        }
    }
}

impl Changes {
    /// Adds changes; sums up when they have doubled, so that the cost stays in proportion to the changes.
    fn add(&mut self, batch: &Batch, schema: &SchemaRef) {
        self.rows += batch.len();
        self.append_only &= batch.diffs().is_none();
        self.batches.push(batch.clone());
        self.join_small();
        if !self.append_only && self.rows > 2 * self.settled + KEPT_ROWS_MIN {
            self.batches = consolidate(&self.batches, schema).into_iter().collect();
            self.settled = self.batches.iter().map(Batch::len).sum();
            self.rows = self.settled;
        }
    }

    /// Makes the last batches one while they are small and alike, so that a reader to come finds few. A row is copied as
    /// often as its batch doubles.
    fn join_small(&mut self) {
        while let [.., before, last] = self.batches.as_slice()
            && before.len() <= 2 * last.len()
            && before.len() + last.len() <= KEPT_BATCH_ROWS
        {
            let both = Batch::concat(&[before.clone(), last.clone()]);
            self.batches.truncate(self.batches.len() - 2);
            self.batches.push(both);
        }
    }
}

impl Relations {
    /// Makes an empty log.
    pub(crate) fn create(&self, id: LogId, schema: &SchemaRef, keep: Keep) {
        let kept = match keep {
            Keep::Nothing => Kept::Nothing,
            Keep::Log => Kept::Changes(Changes { batches: vec![], rows: 0, settled: 0, append_only: true }),
            Keep::Arrangement(trace) => Kept::Arrangement(trace),
        };
        let log = Log { expected: 0, awake: vec![], paused: vec![], kept, schema: SchemaRef::clone(schema) };
        self.0.borrow_mut().logs.entry(id).or_insert(log);
    }

    /// Keeps nothing more for readers to come, nor what has been kept in the log.
    pub(crate) fn forget(&self, id: LogId) {
        if let Some(log) = self.0.borrow_mut().logs.get_mut(&id)
            && matches!(log.kept, Kept::Changes(_))
        {
            log.kept = Kept::Nothing;
        }
    }

    /// Forgets the log. Its readers see no more of it.
    pub(crate) fn drop_log(&self, id: LogId) {
        self.0.borrow_mut().logs.remove(&id);
    }

    /// A tick begins. Nobody is awake yet.
    pub(crate) fn begin(&self, tick: u64) {
        let mut state = self.0.borrow_mut();
        state.tick = tick;
        for id in std::mem::take(&mut state.touched) {
            if let Some(log) = state.logs.get_mut(&id) {
                debug_assert_eq!(log.expected, 0, "a writer of {id:?} has not passed the last tick");
                log.awake.clear();
                log.expected = 0;
            }
        }
    }

    /// A writer of the log is awake.
    ///
    /// # Panics
    /// If there is no such log.
    pub(crate) fn expect_writer(&self, id: LogId) {
        let mut state = self.0.borrow_mut();
        state.touched.push(id);
        let log = state.logs.get_mut(&id);
        assert!(log.is_some(), "no log {id:?}");
        if let Some(log) = log {
            log.expected += 1;
        }
    }

    /// A reader is awake.
    pub(crate) fn wake(&self, queue: &Rc<RefCell<Queue>>) {
        let mut state = self.0.borrow_mut();
        let id = queue.borrow().log;
        state.touched.push(id);
        if let Some(log) = state.logs.get_mut(&id) {
            log.awake.push(Rc::clone(queue));
        }
    }

    /// A reader is paused: it will not be awake, but no batch passes it by.
    pub(crate) fn pause(&self, queue: &Rc<RefCell<Queue>>) {
        let id = queue.borrow().log;
        if let Some(log) = self.0.borrow_mut().logs.get_mut(&id) {
            log.paused.push(Rc::clone(queue));
        }
    }

    /// It is no more. It gets the batches that have waited when it is awake next.
    pub(crate) fn resume(&self, queue: &Rc<RefCell<Queue>>) {
        let id = queue.borrow().log;
        if let Some(log) = self.0.borrow_mut().logs.get_mut(&id) {
            log.paused.retain(|paused| !Rc::ptr_eq(paused, queue));
        }
    }

    /// All that are awake are known, and so are the tick's own rows: logs without a writer that is awake are complete.
    pub(crate) fn settle(&self) {
        let State { logs, tick, touched, ready } = &mut *self.0.borrow_mut();
        for log in touched.iter().filter_map(|id| logs.get(id)) {
            if log.expected == 0 {
                log.complete(*tick, ready);
            }
        }
    }

    /// Gives some of the readers that wait for it their turn; whether others wait.
    pub(crate) fn take_turns(&self) -> bool {
        let ready = &mut self.0.borrow_mut().ready;
        let n = ready.len().min(TURN_READERS);
        for reader in ready.drain(..n) {
            let mut queue = reader.borrow_mut();
            queue.ready = false;
            queue.activate();
        }
        !ready.is_empty()
    }

    /// Rows of the tick, and those of ticks that their writer missed while it was paused: to readers they are the tick's.
    /// `only`: for one query's readers, and not to be kept.
    pub(crate) fn publish(&self, id: LogId, batch: &Batch, only: Option<QueryId>) {
        if batch.is_empty() {
            return;
        }
        let State { logs, tick, ready, .. } = &mut *self.0.borrow_mut();
        let tick = *tick;
        let Some(log) = logs.get_mut(&id) else { return };
        for reader in &log.awake {
            let mut queue = reader.borrow_mut();
            if only.is_none_or(|q| q == queue.query) {
                queue.batches.push_back((tick, batch.clone()));
                queue.wait_for_turn(reader, ready);
            }
        }
        for reader in log.paused.iter().filter(|reader| only.is_none_or(|q| q == reader.borrow().query)) {
            reader.borrow_mut().batches.push_back((tick, batch.clone()));
        }
        if let (None, Kept::Changes(kept)) = (only, &mut log.kept) {
            kept.add(batch, &log.schema);
        }
    }

    /// Whether a reader that comes later sees the whole collection.
    pub(crate) fn is_kept(&self, id: LogId) -> bool {
        self.0.borrow().logs.get(&id).is_some_and(|log| !matches!(log.kept, Kept::Nothing))
    }

    /// A writer's frontier went from `from` to `to`.
    pub(crate) fn moved(&self, id: LogId, from: u64, to: u64) {
        let State { logs, tick, ready, .. } = &mut *self.0.borrow_mut();
        if from <= *tick
            && to > *tick
            && let Some(log) = logs.get_mut(&id)
        {
            log.expected = log.expected.saturating_sub(1);
            if log.expected == 0 {
                log.complete(*tick, ready);
            }
        }
    }

    /// A reader from `start` on, with what was kept before it if it wants `history`.
    ///
    /// # Panics
    /// If there is no such log.
    pub(crate) fn subscribe(&self, id: LogId, query: QueryId, start: u64, history: bool) -> Rc<RefCell<Queue>> {
        let state = self.0.borrow();
        let log = state.logs.get(&id);
        assert!(log.is_some(), "no log {id:?}");
        let (mut scan, mut batches, mut insertions_only) = (None, VecDeque::new(), true);
        match log.map(|log| &log.kept).filter(|_| history) {
            None | Some(Kept::Nothing) => {}
            Some(Kept::Changes(kept)) => {
                insertions_only = kept.append_only;
                batches.extend(kept.batches.iter().map(|b| (start, b.clone())));
            }
            Some(Kept::Arrangement(trace)) => {
                let before = start.saturating_sub(1);
                scan = Some(trace.reader_at(before).begin_scan(before));
            }
        }
        let (log, frontier, closed, ready, activator) = (id, start, false, false, None);
        Rc::new(RefCell::new(Queue { log, query, scan, insertions_only, batches, frontier, closed, ready, activator }))
    }
}

impl Log {
    /// Tells the readers that are awake that the tick is complete.
    fn complete(&self, tick: u64, ready: &mut Ready) {
        for reader in &self.awake {
            let mut queue = reader.borrow_mut();
            queue.frontier = queue.frontier.max(tick + 1);
            queue.wait_for_turn(reader, ready);
        }
    }
}

/// Ends the reader: its dataflow sees an empty frontier and goes.
pub(crate) fn close(queue: &Rc<RefCell<Queue>>) {
    let mut queue = queue.borrow_mut();
    queue.closed = true;
    queue.scan = None;
    queue.batches.clear();
    queue.activate();
}

/// The queue's batches as a stream of some of their columns, from `start` on. `meter` counts them, where they are of
/// interest.
pub(crate) fn replay<'scope>(
    scope: Scope<'scope, u64>,
    queue: Rc<RefCell<Queue>>,
    columns: Vec<usize>,
    start: u64,
    meter: Option<Meter>,
) -> Rows<'scope> {
    source(scope, "Source", move |capability, info| {
        queue.borrow_mut().activator = Some(scope.activator_for(info.address));
        let mut capability = Some(capability);
        if let Some(capability) = &mut capability {
            capability.downgrade(&start);
        }
        move |output: &mut crate::operator::Output<'_>| {
            let mut queue = queue.borrow_mut();
            if queue.closed {
                capability = None;
                return;
            }
            let Some(capability) = &mut capability else { return };
            if let Some(mut scan) = queue.scan.take() {
                let at = capability.delayed(&start);
                let mut give = |arrangement: &Arrangement, rows: &[RowId], diffs: &[i64]| {
                    let columns = columns.iter().map(|c| arrangement.gather(*c, rows)).collect();
                    let mut batch = Batch::new(columns, Some(diffs.to_vec()), rows.len());
                    meter.iter().for_each(|meter| meter.produced(rows.len()));
                    output.session_with_builder(&at).give_container(&mut batch);
                };
                if scan.step(&mut give) {
                    // what is behind it has a turn between slices
                    queue.scan = Some(scan);
                    queue.activate();
                    return;
                }
            }
            let mut given = 0;
            while let Some((tick, batch)) = queue.batches.pop_front() {
                if given >= SLICE_ROWS {
                    // what is behind it has a turn between slices
                    queue.batches.push_front((tick, batch));
                    queue.activate();
                    return;
                }
                let (slice, rest) = cut(batch, SLICE_ROWS - given);
                if let Some(rest) = rest {
                    queue.batches.push_front((tick, rest));
                }
                given += slice.len();
                let at = capability.delayed(&tick);
                meter.iter().for_each(|meter| meter.produced(slice.len()));
                output.session_with_builder(&at).give_container(&mut slice.project(&columns));
            }
            capability.downgrade(&queue.frontier);
        }
    })
}

/// The first rows, and those behind them.
fn cut(batch: Batch, rows: usize) -> (Batch, Option<Batch>) {
    if batch.len() <= rows {
        return (batch, None);
    }
    let rest = batch.slice(rows, batch.len() - rows);
    (batch.slice(0, rows), Some(rest))
}
