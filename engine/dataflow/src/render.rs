//! A plan becomes a dataflow: one timely operator per node, in the order of the plan.
//!
//! Rendering decides nothing. Stateless nodes are the same everywhere; a node with state is rendered by `hash` or by
//! `differential`, as its `state` says. Both take and give the same streams of batches, so they may be mixed.

pub(crate) mod assign_windows;
pub(crate) mod constant;
pub(crate) mod differential;
pub(crate) mod hash;
pub(crate) mod map;
pub(crate) mod unnest;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use millrace_data::Batch;
use millrace_planner::plan::{Node, Op, State};
use millrace_world::Clock;
use timely::dataflow::operators::core::Concatenate;
use timely::dataflow::{Scope, Stream};

use crate::api::QueryId;
use crate::errors::{Notebook, Reporter};
use crate::operator::{Counters, Meter};
use crate::relation::{LogId, Queue, Relations, close, replay};
use crate::render::hash::arrange::Pulse;
use crate::shelf::Shelf;
use crate::tick::TickClock;

/// A collection on its way: batches at ticks.
pub(crate) type Rows<'scope> = Stream<'scope, u64, Batch>;

/// What all dataflows of a worker share.
#[derive(Clone)]
pub(crate) struct Environment {
    pub(crate) worker: usize,
    pub(crate) relations: Relations,
    pub(crate) shelf: Shelf,
    pub(crate) tick: TickClock,
    pub(crate) notebook: Notebook,
    pub(crate) clock: Arc<dyn Clock>,
    /// What streams have brought before the query does not concern it.
    pub(crate) from_now: bool,
}

impl Environment {
    /// A meter for an operator that belongs to no query, and what it measures.
    pub(crate) fn measured(&self, operator: &'static str) -> (Meter, Vec<Rendered>) {
        let counters = Rc::new(Counters::default());
        let (of_meter, clock) = (Rc::clone(&counters), Arc::clone(&self.clock));
        let meter = Meter { counters: of_meter, clock };
        (meter, vec![Rendered { node: 0, operator, counters }])
    }
}

/// An operator that was rendered, for measurement.
pub(crate) struct Rendered {
    pub(crate) node: usize,
    pub(crate) operator: &'static str,
    pub(crate) counters: Rc<Counters>,
}

/// What a dataflow reads.
pub(crate) enum Input {
    Log(Rc<RefCell<Queue>>),
    Pulse(Rc<Pulse>),
}

impl Input {
    /// Whether what is there at its first tick has no retractions.
    pub(crate) fn is_insertions_only(&self) -> bool {
        match self {
            Input::Log(queue) => queue.borrow().insertions_only,
            Input::Pulse(_) => true,
        }
    }

    /// Ends it: the dataflow sees an empty frontier and goes.
    pub(crate) fn close(&self) {
        match self {
            Input::Log(queue) => close(queue),
            Input::Pulse(pulse) => pulse.close(),
        }
    }
}

/// Renders one query's plan into one scope.
pub(crate) struct Renderer<'scope, 'env> {
    pub(crate) scope: Scope<'scope, u64>,
    pub(crate) env: &'env Environment,
    pub(crate) query: QueryId,
    /// The query's first tick.
    pub(crate) start: u64,
    /// What it reads; closing these ends the dataflow.
    pub(crate) inputs: Vec<Input>,
    pub(crate) operators: Vec<Rendered>,
    /// Which columns of the next node are read by what is above it; `None`: all.
    pub(crate) wanted: Option<Vec<bool>>,
    nodes: usize,
}

/// What an operator needs besides its inputs.
pub(crate) struct Tools {
    pub(crate) meter: Meter,
    pub(crate) reporter: Reporter,
    /// Which columns of its output are read; the others may hold anything of their type. `None`: all are.
    pub(crate) wanted: Option<Vec<bool>>,
}

impl<'scope, 'env> Renderer<'scope, 'env> {
    pub(crate) fn new(scope: Scope<'scope, u64>, env: &'env Environment, query: QueryId, start: u64) -> Self {
        Renderer { scope, env, query, start, inputs: vec![], operators: vec![], wanted: None, nodes: 0 }
    }

    /// The collection of `node`.
    pub(crate) fn render(&mut self, node: &Node) -> Rows<'scope> {
        let tools = self.tools(node);
        match &node.op {
            Op::Source { relation, columns, .. } => {
                let history = !(self.env.from_now && node.append_only);
                self.read_with(LogId::Collection(*relation), columns.clone(), Some(tools.meter), history)
            }
            Op::Constant { rows } => constant::constant(self, rows, &tools),
            Op::Map { input, filter, exprs, on_error } => {
                map::map(self, node, input, filter.as_ref(), exprs, *on_error, tools)
            }
            Op::Unnest { input, columns, keep_empty } => unnest::unnest(self, input, columns, *keep_empty, tools),
            Op::Union { inputs } => {
                let inputs: Vec<_> = inputs.iter().map(|input| self.render(input)).collect();
                self.scope.concatenate(inputs)
            }
            Op::AssignWindows { .. } => assign_windows::assign_windows(self, node, tools),
            _ => match node.state {
                State::Hash => hash::render(self, node, tools),
                State::Differential => differential::render(self, node, tools),
            },
        }
    }

    /// A relation's log, from the query's first tick on.
    pub(crate) fn read(&mut self, log: LogId, columns: Vec<usize>, meter: Option<Meter>) -> Rows<'scope> {
        self.read_with(log, columns, meter, true)
    }

    /// The same, with or without what was kept before that tick.
    fn read_with(&mut self, log: LogId, columns: Vec<usize>, meter: Option<Meter>, history: bool) -> Rows<'scope> {
        let queue = self.env.relations.subscribe(log, self.query, self.start, history);
        self.inputs.push(Input::Log(Rc::clone(&queue)));
        replay(self.scope, queue, columns, self.start, meter)
    }

    /// The node is not rendered here, and neither is what is below it.
    pub(crate) fn skip(&mut self, node: &Node) {
        self.nodes += 1;
        node.children().into_iter().for_each(|child| self.skip(child));
    }

    fn tools(&mut self, node: &Node) -> Tools {
        let operator = name(&node.op);
        let counters = Rc::new(Counters::default());
        self.operators.push(Rendered { node: self.nodes, operator, counters: Rc::clone(&counters) });
        self.nodes += 1;
        Tools {
            meter: Meter { counters, clock: Arc::clone(&self.env.clock) },
            reporter: Reporter::new(&self.env.notebook, self.query, operator),
            wanted: self.wanted.take(),
        }
    }
}

/// The operator's name, as EXPLAIN writes it.
pub(crate) fn name(op: &Op) -> &'static str {
    match op {
        Op::Source { .. } => "Source",
        Op::Constant { .. } => "Constant",
        Op::Map { .. } => "Map",
        Op::Unnest { .. } => "Unnest",
        Op::Union { .. } => "Union",
        Op::Join(_) => "Join",
        Op::AsOfJoin { .. } => "AsOfJoin",
        Op::WithinJoin(_) => "WithinJoin",
        Op::Reduce { window: Some(_), .. } => "WindowedReduce",
        Op::Reduce { aggregates, .. } if aggregates.is_empty() => "Distinct",
        Op::Reduce { .. } => "Reduce",
        Op::AssignWindows { .. } => "AssignWindows",
        Op::SessionReduce { .. } => "SessionReduce",
        Op::TopK { .. } => "TopK",
        Op::SetOp { .. } => "SetOp",
        Op::AtMostOne { .. } => "AtMostOne",
    }
}
