//! One worker: a thread with a timely worker, its relations and its dataflows.
//!
//! Commands come in the same order to every worker. A tick's command wakes the dataflows that have something to do in it,
//! publishes its rows into the logs and steps until each of them has passed the tick; then one report goes back. Between
//! ticks nothing is under way, which is what makes installing, removing and starting from a kept collection simple.

use std::cell::RefCell;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender};
use std::time::Duration;

use arrow::datatypes::{Schema, SchemaRef};
use millrace_data::Batch;
use millrace_planner::catalog::RelationId;
use millrace_planner::plan::{Node, Op, State as PlanState};
use millrace_world::Clock;
use timely::communication::Allocator;
use timely::worker::Worker;

use crate::api::{BaseRelation, Dataflow, OperatorStats, QueryId, StreamTime};
use crate::errors::{Findings, Notebook};
use crate::intake;
use crate::operator::Calls;
use crate::relation::{Keep, LogId, Queue, Relations};
use crate::render::hash::{arrange::arrange, share};
use crate::render::{Environment, Input, Rendered, Renderer};
use crate::shelf::{ArrangementId, Form, Shelf};
use crate::sink::{Completion, Delivery, Target, sink};
use crate::tick::TickClock;
use crate::wake::Wake;

/// How long a worker sleeps at most while it waits for others within a tick. They wake it; this only bounds a lost call.
const PARK_MAX: Duration = Duration::from_millis(1);

/// A tick that has lasted so long says early what it can. Shorter ones are told as a whole, so that they look the same in
/// every run.
const EARLY_AFTER_NS: u64 = 20_000_000;

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
    },
    Forget(RelationId),
    DropRelation(RelationId),
    Install {
        query: QueryId,
        dataflow: Arc<Dataflow>,
        start: u64,
        /// Without what streams have brought before.
        from_now: bool,
    },
    Remove(QueryId),
    Pause(QueryId),
    Resume(QueryId),
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
    pub(crate) wake: Arc<Wake>,
    pub(crate) rows: Vec<(LogId, Batch, Option<QueryId>)>,
    pub(crate) stream_times: Vec<(RelationId, StreamTime)>,
    pub(crate) now_ms: i64,
}

/// What a worker says.
pub(crate) enum Report {
    /// The tick is complete here.
    Tick { worker: usize, tick: u64, changes: Vec<(QueryId, Vec<Batch>)>, findings: Findings },
    /// Some of what queries that are new say of the present state, while the tick goes on.
    Early { tick: u64, changes: Vec<(QueryId, Vec<Batch>)> },
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
    /// Queries that are new may say things early.
    pub(crate) early: bool,
    /// Set when nobody waits for ticks any more: the engine stops, or another worker is gone, without which none completes.
    pub(crate) stopped: Arc<AtomicBool>,
}

/// A dataflow on this worker.
struct Running {
    inputs: Vec<Input>,
    /// Arrangements that it shares; of a table, its own.
    arrangements: Vec<ArrangementId>,
    publishes: Option<LogId>,
    delivery: Option<Delivery>,
    /// Its first tick, if what it says then stands as soon as it is said.
    early: Option<u64>,
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
    /// Shared arrangements that have not had a tick.
    new: Vec<ArrangementId>,
    /// Queries that are awake at the tick.
    awake: Vec<QueryId>,
    /// Queries that are paused.
    paused: BTreeSet<QueryId>,
    completion: Completion,
    stopped: Arc<AtomicBool>,
}

/// The worker's life, until `Stop` or until nobody commands any more.
pub(crate) fn run(allocator: Allocator, setup: Setup) {
    let Setup { index, commands, reports, clock, by_turns, early, stopped } = setup;
    let worker = Worker::new(timely::WorkerConfig::default(), allocator, None);
    let env = Environment {
        worker: index,
        relations: Relations::default(),
        shelf: Shelf::default(),
        tick: TickClock::default(),
        notebook: Notebook::default(),
        clock,
        from_now: false,
    };
    let mut state = State {
        worker,
        env,
        running: HashMap::new(),
        new: vec![],
        awake: vec![],
        paused: BTreeSet::new(),
        completion: Completion::default(),
        stopped,
    };
    state.env.relations.create(LogId::Ticks, &Arc::new(Schema::empty()), Keep::Nothing);
    while let Ok(command) = commands.recv() {
        match command {
            Command::AddRelation { relation, start } => state.add_relation(&relation, start),
            Command::AddDerived { relation, schema, keep } => {
                let keep = if keep { Keep::Log } else { Keep::Nothing };
                state.env.relations.create(LogId::Collection(relation), &schema, keep);
            }
            Command::Forget(relation) => state.env.relations.forget(LogId::Collection(relation)),
            Command::DropRelation(relation) => state.drop_relation(relation),
            Command::Install { query, dataflow, start, from_now } => {
                state.env.from_now = from_now;
                state.install(query, &dataflow, start);
                state.env.from_now = false;
            }
            Command::Remove(query) => {
                state.resume(query);
                state.remove(Owner::Query(query));
            }
            Command::Pause(query) => state.pause(query),
            Command::Resume(query) => state.resume(query),
            Command::Tick(part) => {
                let tick = part.tick;
                state.begin(part);
                let complete = match (by_turns, early) {
                    (true, _) => state.take_turns(&commands, &reports),
                    (false, early) => state.finish(early.then_some((tick, &reports))),
                };
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
            relations.create(collection, &relation.schema, keep);
            return;
        };
        // what the table holds is kept once, for itself, for joins and for readers to come
        let writer = table.writer();
        relations.create(collection, &relation.schema, Keep::Arrangement(writer.borrow().trace()));
        let arrangement = self.env.shelf.put(Form::Table(relation.id), table.identity(), writer);
        let input = LogId::Input(relation.id);
        relations.create(input, &intake::input_schema(&relation.schema), Keep::Nothing);
        let completion = self.completion.clone();
        let running = self.worker.dataflow_named(&relation.name, |scope| {
            // rejected rows name the relation, not a query
            let mut renderer = Renderer::new(scope, &self.env, QueryId(0), start);
            let width = relation.schema.fields().len() + 1;
            let rows = renderer.read(input, (0..width).collect(), None);
            let (meter, operators) = self.env.measured("Intake");
            let calls = Calls::EveryTick(start, self.env.tick.clone());
            let collection_rows = intake::intake(rows, table, calls, meter);
            let publishes = Some(collection);
            sink(collection_rows, start, Target { publish: publishes, deliver: None }, relations, completion);
            let arrangements = vec![arrangement];
            Running { inputs: renderer.inputs, arrangements, publishes, delivery: None, early: None, operators }
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
        let publishes = dataflow.publish.as_ref().map(|p| LogId::Collection(p.relation));
        let wanted = share::wanted(&dataflow.root, &self.env);
        let arrangements = wanted.iter().map(|form| self.hold(form, start)).collect();
        let delivery = dataflow.deliver.then(Delivery::default);
        let target = Target { publish: publishes, deliver: delivery.clone() };
        let running = self.worker.dataflow_named(&dataflow.name, |scope| {
            let mut renderer = Renderer::new(scope, &self.env, query, start);
            let rows = renderer.render(&dataflow.root);
            sink(rows, start, target, relations, completion);
            let Renderer { inputs, operators, .. } = renderer;
            let stands = says_what_stands(&dataflow.root) && inputs.iter().all(Input::is_insertions_only);
            Running { inputs, arrangements, publishes, delivery, early: stands.then_some(start), operators }
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
        let (inputs, writer) = self.worker.dataflow_named("Arrangement", |scope| {
            let mut renderer = Renderer::new(scope, &self.env, QueryId(0), start);
            let rows = renderer.render(node);
            let writer = arrange(rows, (&types, key, node.append_only), start, completion, meter);
            (renderer.inputs, writer)
        });
        let id = self.env.shelf.put(form.clone(), key, writer);
        self.new.push(id);
        let running = Running { inputs, arrangements: vec![], publishes: None, delivery: None, early: None, operators };
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
        if let Owner::Arrangement(id) = owner {
            self.new.retain(|new| *new != id);
        }
    }

    /// Rows wait for the query, and stream times are remembered for it. Its arrangements take part as before.
    fn pause(&mut self, query: QueryId) {
        let Some(running) = self.running.get(&Owner::Query(query)) else { return };
        if self.paused.insert(query) {
            self.env.tick.remember();
            logs(&running.inputs).for_each(|queue| self.env.relations.pause(queue));
        }
    }

    /// The query finds all that when it is awake next.
    fn resume(&mut self, query: QueryId) {
        let Some(running) = self.running.get(&Owner::Query(query)) else { return };
        if self.paused.remove(&query) {
            logs(&running.inputs).for_each(|queue| self.env.relations.resume(queue));
        }
    }

    /// Who is awake at the tick: intakes and shared arrangements, then queries.
    fn awake(&mut self, wake: &Wake) -> Vec<Owner> {
        // an arrangement whose readers all sleep has no rows to take in
        let mut arrangements = std::mem::take(&mut self.new);
        let readers =
            wake.queries.iter().chain(&self.paused).filter_map(|query| self.running.get(&Owner::Query(*query)));
        let read = readers.flat_map(|running| running.arrangements.iter().copied());
        arrangements.extend(read.filter(|id| self.may_change(*id, wake)));
        arrangements.sort_unstable();
        arrangements.dedup();
        let intakes = wake.changed.iter().map(|relation| Owner::Intake(*relation));
        let owners = intakes.chain(arrangements.into_iter().map(Owner::Arrangement));
        let owners = owners.chain(wake.queries.iter().map(|query| Owner::Query(*query)));
        owners.filter(|owner| self.running.contains_key(owner)).collect()
    }

    /// Whether the relation that a shared arrangement is of has changed.
    fn may_change(&self, id: ArrangementId, wake: &Wake) -> bool {
        let inputs = self.running.get(&Owner::Arrangement(id)).map(|running| running.inputs.as_slice());
        inputs.into_iter().flatten().any(|input| match input {
            Input::Log(queue) => matches!(queue.borrow().log, LogId::Collection(of) if wake.changed.contains(&of)),
            Input::Pulse(_) => false,
        })
    }

    fn begin(&mut self, part: TickPart) {
        let tick = part.tick;
        self.env.tick.begin(tick, part.now_ms, &part.stream_times);
        let awake = self.awake(&part.wake);
        self.completion.begin(tick, awake.len());
        let (relations, shelf) = (self.env.relations.clone(), self.env.shelf.clone());
        relations.begin(tick);
        self.awake.clear();
        for owner in &awake {
            let Some(running) = self.running.get(owner) else { continue };
            running.publishes.iter().for_each(|log| relations.expect_writer(*log));
            for input in &running.inputs {
                match input {
                    Input::Log(queue) => relations.wake(queue),
                    Input::Pulse(pulse) => pulse.wake(tick),
                }
            }
            match owner {
                Owner::Query(query) => self.awake.push(*query),
                Owner::Intake(_) => running.arrangements.iter().for_each(|id| shelf.wake(*id, tick)),
                Owner::Arrangement(id) => shelf.wake(*id, tick),
            }
        }
        for owner in awake.iter().filter(|owner| matches!(owner, Owner::Query(_))) {
            let arrangements = self.running.get(owner).map(|running| running.arrangements.as_slice());
            arrangements.into_iter().flatten().for_each(|id| shelf.pass(*id, tick));
        }
        for (log, batch, only) in &part.rows {
            relations.publish(*log, batch, *only);
        }
        relations.settle();
    }

    /// Works until the tick is complete here; false if it never will be. What can be said early is, to `early`.
    fn finish(&mut self, early: Option<(u64, &Sender<Report>)>) -> bool {
        let begun_ns = self.env.clock.monotonic_ns();
        self.env.relations.take_turns();
        // also when nobody is awake: what was removed goes
        self.worker.step();
        while !self.completion.complete() {
            if self.stopped.load(Ordering::Acquire) {
                return false;
            }
            if let Some((tick, reports)) = early
                && self.env.clock.monotonic_ns() - begun_ns >= EARLY_AFTER_NS
            {
                let changes = self.changes(tick, |running| running.early == Some(tick));
                if !changes.is_empty() && reports.send(Report::Early { tick, changes }).is_err() {
                    return false;
                }
            }
            match self.env.relations.take_turns() {
                true => self.worker.step(),
                false => self.worker.step_or_park(Some(PARK_MAX)),
            };
        }
        true
    }

    /// The same, a turn at a time.
    fn take_turns(&mut self, commands: &Receiver<Command>, reports: &Sender<Report>) -> bool {
        while let Ok(Command::Step) = commands.recv() {
            self.env.relations.take_turns();
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
        if self.paused.is_empty() {
            self.env.tick.forget();
        }
        let changes = self.changes(tick, |_| true);
        let findings = std::mem::take(&mut *self.env.notebook.borrow_mut());
        Report::Tick { worker: self.env.worker, tick, changes, findings }
    }

    /// What waits to be handed out, of the queries that are awake.
    fn changes(&self, tick: u64, of: impl Fn(&Running) -> bool) -> Vec<(QueryId, Vec<Batch>)> {
        let mut changes = vec![];
        for query in &self.awake {
            let running = self.running.get(&Owner::Query(*query)).filter(|running| of(running));
            let Some(delivery) = running.and_then(|running| running.delivery.as_ref()) else { continue };
            let mut delivery = delivery.borrow_mut();
            if delivery.iter().any(|(t, _)| *t <= tick) {
                let (now, later) = delivery.drain(..).partition::<Vec<_>, _>(|(t, _)| *t <= tick);
                *delivery = later;
                changes.push((*query, now.into_iter().map(|(_, batch)| batch).collect()));
            }
        }
        changes
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

/// The relations that a dataflow reads itself.
fn logs(inputs: &[Input]) -> impl Iterator<Item = &Rc<RefCell<Queue>>> {
    inputs.iter().filter_map(|input| match input {
        Input::Log(queue) => Some(queue),
        Input::Pulse(_) => None,
    })
}

/// Whether all that a plan says in its first tick are insertions that stand, if that is what it reads.
fn says_what_stands(node: &Node) -> bool {
    let stateless = matches!(node.op, Op::Source { .. } | Op::Map { .. } | Op::Unnest { .. } | Op::Union { .. });
    let joins = matches!(node.op, Op::Join(_) | Op::AsOfJoin { .. }) && node.state == PlanState::Hash;
    (stateless || joins) && node.children().into_iter().all(says_what_stands)
}
