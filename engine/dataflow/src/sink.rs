//! The end of a dataflow: its changes become a relation, go to whoever asked for them, and the tick is ticked off.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use millrace_data::Batch;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::generic::operator::Operator;

use crate::relation::{LogId, Relations};
use crate::render::Rows;

/// Counts the dataflows that are awake and have not passed the worker's tick yet.
#[derive(Clone, Default)]
pub(crate) struct Completion(Rc<State>);

#[derive(Default)]
struct State {
    tick: Cell<u64>,
    behind: Cell<usize>,
}

impl Completion {
    /// A tick begins; `dataflows` must pass it.
    pub(crate) fn begin(&self, tick: u64, dataflows: usize) {
        self.0.tick.set(tick);
        self.0.behind.set(dataflows);
    }
    /// Whether all have.
    pub(crate) fn complete(&self) -> bool {
        self.0.behind.get() == 0
    }
    /// A dataflow's frontier went from `from` to `to`.
    pub(crate) fn moved(&self, from: u64, to: u64) {
        let tick = self.0.tick.get();
        if from <= tick && to > tick {
            self.0.behind.set(self.0.behind.get().saturating_sub(1));
        }
    }
}

/// Changes that wait for the report of their tick.
pub(crate) type Delivery = Rc<RefCell<Vec<(u64, Batch)>>>;

/// What a sink does with its batches.
pub(crate) struct Target {
    /// Publish into this log.
    pub(crate) publish: Option<LogId>,
    /// Hand out with the report.
    pub(crate) deliver: Option<Delivery>,
}

/// Ends the dataflow that starts at tick `start`.
pub(crate) fn sink(rows: Rows<'_>, start: u64, target: Target, relations: Relations, completion: Completion) {
    let mut at = start;
    rows.sink(Pipeline, "Sink", move |(input, frontier)| {
        input.for_each(|capability, batch| {
            let Some(tick) = capability.stamp().iter().min().copied() else { return };
            if let Some(log) = target.publish {
                relations.publish(log, batch, None);
            }
            if let Some(deliver) = &target.deliver
                && !batch.is_empty()
            {
                deliver.borrow_mut().push((tick, std::mem::take(batch)));
            }
        });
        // an empty frontier is the dataflow's own end: it was removed, and says nothing more
        if let Some(to) = frontier.frontier().iter().min().copied()
            && to > at
        {
            if let Some(log) = target.publish {
                relations.moved(log, at, to);
            }
            completion.moved(at, to);
            at = to;
        }
    });
}
