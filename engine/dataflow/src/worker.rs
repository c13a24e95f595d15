//! One worker: a thread with a timely worker, its relations and its dataflows.
//!
//! Commands come in the same order to every worker. A tick's command publishes its rows into the logs, advances them and
//! steps until every dataflow has passed the tick; then one report goes back. Between ticks nothing is under way, which is
//! what makes installing, removing and starting from a kept collection simple.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use arrow::datatypes::{Schema, SchemaRef};
use millrace_data::Batch;
use millrace_planner::catalog::RelationId;
use millrace_world::Clock;
use timely::communication::Allocator;
use timely::worker::Worker;

use crate::api::{BaseRelation, Dataflow, OperatorStats, QueryId, StreamTime};
use crate::errors::{Findings, Notebook};
use crate::intake;
use crate::relation::{Keep, LogId, Relations, Writer};
use crate::render::hash::{arrange::arrange, share};
use crate::render::{Environment, Input, Rendered, Renderer};
use crate::shelf::{ArrangementId, Form, Shelf};
use crate::sink::{Completion, Delivery, Target, sink};
use crate::tick::TickClock;

/// How long a worker sleeps at most while it waits for others within a tick. They wake it; this only bounds a lost call.
const PARK_MAX: Duration = Duration::from_millis(1);

/// What a worker is told.
pub(crate) enum Command {
    AddRelation {
        relation: Arc<BaseRelation>,
        start: u64,
    },
    /// A derived relation whose log must be there before its writers and readers.
    AddDerived {
        relation: RelationId,
        schema: SchemaRef,
        keep: bool,
        start: u64,
    },
    DropRelation(RelationId),
    Install {
        query: QueryId,
        dataflow: Arc<Dataflow>,
        start: u64,
    },
    Remove(QueryId),
    Tick(TickPart),
    /// One turn, when turns are given out one by one.
    Step,
    Stats(Sender<Vec<OperatorStats>>),
    Dataflows(Sender<usize>),
    Stop,
}

/// A worker's part of a tick.
pub(crate) struct TickPart {
    pub(crate) tick: u64,
    pub(crate) rows: Vec<(LogId, Batch, Option<QueryId>)>,
    pub(crate) stream_times: Vec<(RelationId, StreamTime)>,
    pub(crate) now_ms: i64,
}

/// What a worker says.
pub(crate) enum Report {
    /// The tick is complete here.
    Tick { tick: u64, changes: Vec<(QueryId, Vec<Batch>)>, findings: Findings },
    /// The turn is over; whether the tick is complete here.
    Turn { complete: bool },
    /// The worker ended with a panic.
    Panicked { worker: usize, message: String },
}

/// What a worker is made from.
pub(crate) struct Setup {
    pub(crate) index: usize,
    pub(crate) commands: Receiver<Command>,
    pub(crate) reports: Sender<Report>,
    pub(crate) clock: Arc<dyn Clock>,
    /// Turns are given out one by one.
    pub(crate) by_turns: bool,
    /// Set when nobody waits for ticks any more: the engine stops, or another worker is gone, without which none completes.
    pub(crate) stopped: Arc<AtomicBool>,
}

/// A dataflow on this worker.
struct Running {
    inputs: Vec<Input>,
    /// Arrangements that it shares.
    arrangements: Vec<ArrangementId>,
    publishes: Option<(LogId, Writer)>,
    delivery: Option<Delivery>,
    operators: Vec<Rendered>,
}

/// Who a running dataflow belongs to.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Owner {
    Query(QueryId),
    Intake(RelationId),
    Arrangement(ArrangementId),
}

struct State {
    worker: Worker,
    env: Environment,
    running: HashMap<Owner, Running>,
    completion: Completion,
    stopped: Arc<AtomicBool>,
}

/// The worker's life, until `Stop` or until nobody commands any more.
pub(crate) fn run(allocator: Allocator, setup: Setup) {
    let Setup { index, commands, reports, clock, by_turns, stopped } = setup;
    let worker = Worker::new(timely::WorkerConfig::default(), allocator, None);
    let env = Environment {
        worker: index,
        relations: Relations::default(),
        shelf: Shelf::default(),
        tick: TickClock::default(),
        notebook: Notebook::default(),
        clock,
    };
    let mut state = State { worker, env, running: HashMap::new(), completion: Completion::default(), stopped };
    state.env.relations.create(LogId::Ticks, &Arc::new(Schema::empty()), Keep::Nothing, 0);
    while let Ok(command) = commands.recv() {
        match command {
            Command::AddRelation { relation, start } => state.add_relation(&relation, start),
            Command::AddDerived { relation, schema, keep, start } => {
                let keep = if keep { Keep::Log } else { Keep::Nothing };
                state.env.relations.create(LogId::Collection(relation), &schema, keep, start);
            }
            Command::DropRelation(relation) => state.drop_relation(relation),
            Command::Install { query, dataflow, start } => state.install(query, &dataflow, start),
            Command::Remove(query) => state.remove(Owner::Query(query)),
            Command::Tick(part) => {
                let tick = part.tick;
                state.begin(part);
                let complete = if by_turns { state.take_turns(&commands, &reports) } else { state.finish() };
                if !complete {
                    return;
                }
                if reports.send(state.report(tick)).is_err() {
                    return;
                }
            }
            Command::Step => {}
            Command::Stats(reply) => {
                // whoever asked may have given up
                drop(reply.send(state.stats()));
            }
            Command::Dataflows(reply) => {
                // as above
                let _gave_up = reply.send(state.worker.installed_dataflows().len()).is_err();
            }
            Command::Stop => return,
        }
    }
}

impl State {
    fn add_relation(&mut self, relation: &BaseRelation, start: u64) {
        let collection = LogId::Collection(relation.id);
        let relations = self.env.relations.clone();
        let Some(table) = intake::Table::new(relation, start, &self.env.notebook) else {
            let keep = if relation.keep { Keep::Log } else { Keep::Nothing };
            relations.create(collection, &relation.schema, keep, start);
            return;
        };
        // what the table holds is kept once, for itself, for joins and for readers to come
        let trace = table.trace();
        relations.create(collection, &relation.schema, Keep::Arrangement(trace.clone()), start);
        let arrangement = self.env.shelf.put(Form::Table(relation.id), table.identity(), trace);
        let input = LogId::Input(relation.id);
        relations.create(input, &intake::input_schema(&relation.schema), Keep::Nothing, start);
        relations.add_writer(collection, Writer::Intake, start);
        let completion = self.completion.clone();
        let running = self.worker.dataflow_named(&relation.name, |scope| {
            // rejected rows name the relation, not a query
            let mut renderer = Renderer::new(scope, &self.env, QueryId(0), start);
            let width = relation.schema.fields().len() + 1;
            let rows = renderer.read(input, (0..width).collect(), None);
            let (meter, operators) = self.env.measured("Intake");
            let collection_rows = intake::intake(rows, table, start, meter);
            let publishes = Some((collection, Writer::Intake));
            sink(collection_rows, start, Target { publish: publishes, deliver: None }, relations, completion);
            let arrangements = vec![arrangement];
            Running { inputs: renderer.inputs, arrangements, publishes, delivery: None, operators }
        });
        self.running.insert(Owner::Intake(relation.id), running);
    }

    fn drop_relation(&mut self, relation: RelationId) {
        self.remove(Owner::Intake(relation));
        self.env.relations.drop_log(LogId::Input(relation));
        self.env.relations.drop_log(LogId::Collection(relation));
    }

    fn install(&mut self, query: QueryId, dataflow: &Dataflow, start: u64) {
        let relations = self.env.relations.clone();
        let completion = self.completion.clone();
        let publishes = dataflow.publish.as_ref().map(|p| {
            let log = LogId::Collection(p.relation);
            relations.add_writer(log, Writer::Query(query), start);
            (log, Writer::Query(query))
        });
        let wanted = share::wanted(&dataflow.root, &self.env);
        let arrangements = wanted.iter().map(|form| self.hold(form, start)).collect();
        let delivery = dataflow.deliver.then(Delivery::default);
        let target = Target { publish: publishes, deliver: delivery.clone() };
        let running = self.worker.dataflow_named(&dataflow.name, |scope| {
            let mut renderer = Renderer::new(scope, &self.env, query, start);
            let rows = renderer.render(&dataflow.root);
            sink(rows, start, target, relations, completion);
            let Renderer { inputs, operators, .. } = renderer;
            Running { inputs, arrangements, publishes, delivery, operators }
        });
        self.running.insert(Owner::Query(query), running);
    }

    /// The shared arrangement of this form, which is made if it is not there.
    fn hold(&mut self, form: &Form, start: u64) -> ArrangementId {
        if let Some((id, _)) = self.env.shelf.find(form) {
            self.env.shelf.hold(id);
            return id;
        }
        let Form::Node { node, key } = form else { panic!("the arrangement of a table is there while the table is") };
        let types: Vec<_> = node.schema.fields().iter().map(|f| f.data_type().clone()).collect();
        let completion = self.completion.clone();
        let (meter, operators) = self.env.measured("Arrange");
        let (inputs, trace) = self.worker.dataflow_named("Arrangement", |scope| {
            let mut renderer = Renderer::new(scope, &self.env, QueryId(0), start);
            let rows = renderer.render(node);
            let trace = arrange(rows, (&types, key, node.append_only), start, completion, meter);
            (renderer.inputs, trace)
        });
        let id = self.env.shelf.put(form.clone(), key, trace);
        let running = Running { inputs, arrangements: vec![], publishes: None, delivery: None, operators };
        self.running.insert(Owner::Arrangement(id), running);
        id
    }

    /// Closes what the dataflow reads; timely takes it away when its last capability is gone.
    fn remove(&mut self, owner: Owner) {
        let Some(running) = self.running.remove(&owner) else { return };
        running.inputs.iter().for_each(Input::close);
        for id in running.arrangements {
            if self.env.shelf.release(id) {
                self.remove(Owner::Arrangement(id));
            }
        }
        if let Some((log, writer)) = running.publishes {
            self.env.relations.remove_writer(log, writer);
        }
    }

    fn begin(&mut self, part: TickPart) {
        self.env.tick.begin(part.now_ms, &part.stream_times);
        self.completion.begin(part.tick, self.running.len());
        for (log, batch, only) in &part.rows {
            self.env.relations.publish(*log, part.tick, batch, *only);
        }
        self.env.relations.advance_engine(part.tick + 1);
    }

    /// Works until the tick is complete here; false if it never will be.
    fn finish(&mut self) -> bool {
        self.worker.step();
        while !self.completion.complete() {
            if self.stopped.load(Ordering::Acquire) {
                return false;
            }
            self.worker.step_or_park(Some(PARK_MAX));
        }
        true
    }

    /// The same, a turn at a time.
    fn take_turns(&mut self, commands: &Receiver<Command>, reports: &Sender<Report>) -> bool {
        while let Ok(Command::Step) = commands.recv() {
            self.worker.step();
            let complete = self.completion.complete();
            if reports.send(Report::Turn { complete }).is_err() {
                return false;
            }
            if complete {
                return true;
            }
        }
        false
    }

    fn report(&mut self, tick: u64) -> Report {
        let mut changes = vec![];
        for (owner, running) in &self.running {
            let (Owner::Query(query), Some(delivery)) = (owner, &running.delivery) else { continue };
            let mut delivery = delivery.borrow_mut();
            if delivery.iter().any(|(t, _)| *t <= tick) {
                let (now, later) = delivery.drain(..).partition::<Vec<_>, _>(|(t, _)| *t <= tick);
                *delivery = later;
                changes.push((*query, now.into_iter().map(|(_, batch)| batch).collect()));
            }
        }
        let findings = std::mem::take(&mut *self.env.notebook.borrow_mut());
        Report::Tick { tick, changes, findings }
    }

    fn stats(&self) -> Vec<OperatorStats> {
        let operators = self.running.iter().flat_map(|(owner, running)| {
            let query = match owner {
                Owner::Query(query) => *query,
                Owner::Intake(_) | Owner::Arrangement(_) => QueryId(0),
            };
            running.operators.iter().map(move |o| (query, o))
        });
        operators
            .map(|(query, o)| OperatorStats {
                query,
                node: o.node,
                operator: o.operator.to_owned(),
                worker: self.env.worker,
                rows_out: o.counters.rows_out.get(),
                bytes: o.counters.bytes.get(),
                busy_ns: o.counters.busy_ns.get(),
            })
            .collect()
    }
}
