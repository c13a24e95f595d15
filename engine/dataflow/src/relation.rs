//! A worker's relations: what dataflows read from and write to.
//!
//! A relation is a log of batches with a frontier. Whoever writes it (the tick's inputs, a query) *publishes* batches at
//! ticks and *advances*; the log's frontier is the least of its writers'. Whoever reads it has a queue of its own: a
//! published batch is shared into each queue (columns are reference-counted), read once and gone. So a log holds nothing
//! that every reader has seen, unless it is kept for readers to come.
//!
//! # Contract
//! * A batch is published at a tick that is not before its writer's frontier.
//! * A reader that subscribes at tick `start` gets, at `start`, what the log has kept of all earlier ticks, then every
//!   later batch once. Subscribing happens between ticks, when all logs are complete up to `start`.
//! * The engine itself is a writer of every log, so that a relation whose query has ended stays, complete and frozen.
//! * What a table has taken in lies in its arrangement; its log keeps nothing, and a new reader starts with a scan.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::rc::{Rc, Weak};

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

/// Who writes a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Writer {
    /// The tick's inputs; also keeps frozen relations going.
    Engine,
    /// A query's sink.
    Query(QueryId),
    /// The relation's own intake.
    Intake,
}

/// All logs of one worker.
#[derive(Clone, Default)]
pub(crate) struct Relations(Rc<RefCell<HashMap<LogId, Log>>>);

struct Log {
    writers: HashMap<Writer, u64>,
    frontier: u64,
    readers: Vec<Weak<RefCell<Queue>>>,
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
    query: QueryId,
    /// The collection as of the reader's start, as far as it has not been read.
    scan: Option<Scan>,
    batches: VecDeque<(u64, Batch)>,
    frontier: u64,
    closed: bool,
    activator: Option<Activator>,
}

impl Queue {
    fn activate(&self) {
        if let Some(activator) = &self.activator {
            activator.activate();
        }
    }
}

impl Changes {
    /// Adds changes; sums up when they have doubled, so that the cost stays in proportion to the changes.
    fn add(&mut self, batch: &Batch, schema: &SchemaRef) {
        self.rows += batch.len();
        self.append_only &= batch.diffs().is_none();
        self.batches.push(batch.clone());
        if !self.append_only && self.rows > 2 * self.settled + KEPT_ROWS_MIN {
            self.batches = consolidate(&self.batches, schema).into_iter().collect();
            self.settled = self.batches.iter().map(Batch::len).sum();
            self.rows = self.settled;
        }
    }
}

impl Relations {
    /// Makes an empty log that is complete up to `start`.
    pub(crate) fn create(&self, id: LogId, schema: &SchemaRef, keep: Keep, start: u64) {
        let kept = match keep {
            Keep::Nothing => Kept::Nothing,
            Keep::Log => Kept::Changes(Changes { batches: vec![], rows: 0, settled: 0, append_only: true }),
            Keep::Arrangement(trace) => Kept::Arrangement(trace),
        };
        let writers = HashMap::from([(Writer::Engine, start)]);
        let log = Log { writers, frontier: start, readers: vec![], kept, schema: SchemaRef::clone(schema) };
        self.0.borrow_mut().entry(id).or_insert(log);
    }

    /// Forgets the log. Its readers see no more of it.
    pub(crate) fn drop_log(&self, id: LogId) {
        self.0.borrow_mut().remove(&id);
    }

    /// One more writer, which has nothing to say before `start`.
    ///
    /// # Panics
    /// If there is no such log.
    pub(crate) fn add_writer(&self, id: LogId, writer: Writer, start: u64) {
        let mut logs = self.0.borrow_mut();
        let log = logs.get_mut(&id);
        assert!(log.is_some(), "no log {id:?}");
        if let Some(log) = log {
            log.writers.insert(writer, start);
        }
    }

    /// The writer is gone; the others decide.
    pub(crate) fn remove_writer(&self, id: LogId, writer: Writer) {
        if let Some(log) = self.0.borrow_mut().get_mut(&id) {
            log.writers.remove(&writer);
            log.settle();
        }
    }

    /// Rows of a tick. `only`: for one query's readers, and not to be kept.
    pub(crate) fn publish(&self, id: LogId, tick: u64, batch: &Batch, only: Option<QueryId>) {
        if batch.is_empty() {
            return;
        }
        let mut logs = self.0.borrow_mut();
        let Some(log) = logs.get_mut(&id) else { return };
        log.readers.retain(|reader| {
            let Some(queue) = reader.upgrade() else { return false };
            let mut queue = queue.borrow_mut();
            if only.is_none_or(|q| q == queue.query) {
                queue.batches.push_back((tick, batch.clone()));
                queue.activate();
            }
            true
        });
        if let (None, Kept::Changes(kept)) = (only, &mut log.kept) {
            kept.add(batch, &log.schema);
        }
    }

    /// Whether a reader that comes later sees the whole collection.
    pub(crate) fn is_kept(&self, id: LogId) -> bool {
        self.0.borrow().get(&id).is_some_and(|log| !matches!(log.kept, Kept::Nothing))
    }

    /// The writer is done with every tick before `frontier`.
    pub(crate) fn advance(&self, id: LogId, writer: Writer, frontier: u64) {
        if let Some(log) = self.0.borrow_mut().get_mut(&id)
            && let Some(at) = log.writers.get_mut(&writer)
        {
            *at = frontier.max(*at);
            log.settle();
        }
    }

    /// The engine is done with every tick before `frontier`, in every log.
    pub(crate) fn advance_engine(&self, frontier: u64) {
        for log in self.0.borrow_mut().values_mut() {
            log.writers.insert(Writer::Engine, frontier);
            log.settle();
        }
    }

    /// A reader from `start` on, with what was kept before it.
    ///
    /// # Panics
    /// If there is no such log.
    pub(crate) fn subscribe(&self, id: LogId, query: QueryId, start: u64) -> Rc<RefCell<Queue>> {
        let mut logs = self.0.borrow_mut();
        let log = logs.get_mut(&id);
        assert!(log.is_some(), "no log {id:?}");
        let (scan, batches) = (None, VecDeque::new());
        let mut queue = Queue { query, scan, batches, frontier: start, closed: false, activator: None };
        if let Some(log) = log {
            match &log.kept {
                Kept::Nothing => {}
                Kept::Changes(kept) => queue.batches.extend(kept.batches.iter().map(|b| (start, b.clone()))),
                Kept::Arrangement(trace) => {
                    let before = start.saturating_sub(1);
                    queue.scan = Some(trace.reader_at(before).begin_scan(before));
                }
            }
            queue.frontier = queue.frontier.max(log.frontier);
            let queue = Rc::new(RefCell::new(queue));
            log.readers.push(Rc::downgrade(&queue));
            return queue;
        }
        Rc::new(RefCell::new(queue))
    }
}

impl Log {
    fn settle(&mut self) {
        let frontier = self.writers.values().copied().min().unwrap_or(self.frontier);
        if frontier <= self.frontier {
            return;
        }
        self.frontier = frontier;
        self.readers.retain(|reader| {
            let Some(queue) = reader.upgrade() else { return false };
            let mut queue = queue.borrow_mut();
            queue.frontier = frontier.max(queue.frontier);
            queue.activate();
            true
        });
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
            while let Some((tick, batch)) = queue.batches.pop_front() {
                let at = capability.delayed(&tick);
                meter.iter().for_each(|meter| meter.produced(batch.len()));
                output.session_with_builder(&at).give_container(&mut batch.project(&columns));
            }
            capability.downgrade(&queue.frontier);
        }
    })
}
