//! The engine as its caller sees it: commands out to all workers, reports back, ticks in order.
//!
//! Everything takes effect at the next tick: a relation is there, a query has its first output. Ticks overlap: a few may
//! be under way while their inputs are still being gathered by the caller.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex};

use arrow::array::{ArrayRef, BooleanArray};
use arrow::datatypes::SchemaRef;
use millrace_data::Batch;
use millrace_data::exchange::partition_by_key;
use millrace_planner::catalog::RelationId;
use millrace_world::World;
use timely::communication::{Allocator, Config, WorkerGuards, initialize};

use crate::api::{
    BaseRelation, Dataflow, EngineError, Intake, OperatorStats, Options, QueryId, Rows, Stepping, TickInputs,
    TickOutput, Waking,
};
use crate::errors::Findings;
use crate::relation::LogId;
use crate::wake::Wakers;
use crate::worker::{Command, Report, Setup, TickPart, run};

/// A batch of a stream is dealt out to all workers if each gets so many rows. Below that, another worker's overhead of a
/// batch costs more than its help is worth.
const SHARE_ROWS_MIN: usize = 512;

/// What a worker says of a tick that it has completed.
type Said = (Vec<(QueryId, Vec<Batch>)>, Findings);

/// A running engine. Dropping it stops the workers.
pub struct Engine {
    workers: Vec<Sender<Command>>,
    threads: Option<WorkerGuards<()>>,
    reports: Receiver<Report>,
    /// See [`Setup`].
    stopped: Arc<AtomicBool>,
    stepping: Stepping,
    ticks_in_flight_max: usize,
    /// The tick that the next call of `tick` closes.
    next_tick: u64,
    base: HashMap<RelationId, Arc<BaseRelation>>,
    wakers: Wakers,
    /// Reports of ticks that some workers have not completed, a place for each worker.
    partial: BTreeMap<u64, Vec<Option<Said>>>,
    /// Changes of a tick that has not been completed, nor perhaps those before it.
    early: BTreeMap<u64, Vec<(QueryId, Vec<Batch>)>>,
    complete: VecDeque<TickOutput>,
    /// Where the next batch of a stream goes, so that batches are spread over the workers.
    next_worker: usize,
    /// State of the random order of turns.
    turn_seed: u64,
}

impl Engine {
    /// Starts the workers.
    ///
    /// # Errors
    /// If a thread cannot be started.
    ///
    /// # Panics
    /// If `options.workers` or `options.ticks_in_flight_max` is 0.
    pub fn start(options: &Options, world: &World) -> std::io::Result<Engine> {
        assert!(options.workers > 0, "at least one worker");
        assert!(options.ticks_in_flight_max > 0, "at least one tick in flight");
        let config = if options.workers == 1 { Config::Thread } else { Config::Process(options.workers) };
        let (report, reports) = channel();
        let stopped = Arc::new(AtomicBool::new(false));
        let (mut workers, mut setups) = (vec![], vec![]);
        for index in 0..options.workers {
            let (command, commands) = channel();
            setups.push(Some(Setup {
                index,
                commands,
                reports: report.clone(),
                clock: Arc::clone(world.clock()),
                by_turns: options.stepping != Stepping::Threads,
                early: options.early,
                stopped: Arc::clone(&stopped),
            }));
            workers.push(command);
        }
        // timely makes the threads: only it can build what connects them
        let setups = Mutex::new(setups);
        let panicked = Arc::clone(&stopped);
        let body = move |allocator: Allocator| {
            let index = allocator.index();
            let setup = setups.lock().ok().and_then(|mut setups| setups[index].take());
            let report = report.clone();
            let Some(setup) = setup else { return };
            if let Err(panic) = catch_unwind(AssertUnwindSafe(|| run(allocator, setup))) {
                panicked.store(true, Ordering::Release);
                let message = panic_message(panic.as_ref());
                // the engine may be gone; then nobody is left to be told
                drop(report.send(Report::Panicked { worker: index, message }));
            }
        };
        let threads = initialize(config, body).map_err(std::io::Error::other)?;
        let turn_seed = match options.stepping {
            Stepping::Threads => 0,
            Stepping::Seeded(seed) => seed,
        };
        Ok(Engine {
            workers,
            threads: Some(threads),
            reports,
            stopped,
            stepping: options.stepping,
            ticks_in_flight_max: options.ticks_in_flight_max,
            next_tick: 1,
            base: HashMap::new(),
            wakers: Wakers::new(options.waking == Waking::Always),
            partial: BTreeMap::new(),
            early: BTreeMap::new(),
            complete: VecDeque::new(),
            next_worker: 0,
            turn_seed,
        })
    }

    /// Worker threads.
    pub fn workers(&self) -> usize {
        self.workers.len()
    }

    /// The tick that the next call of [`tick`](Self::tick) closes.
    pub fn next_tick(&self) -> u64 {
        self.next_tick
    }

    /// A base relation, from the next tick on.
    pub fn add_relation(&mut self, relation: BaseRelation) {
        let relation = Arc::new(relation);
        self.wakers.add_relation(relation.id, relation.intake == Intake::Append);
        self.base.insert(relation.id, Arc::clone(&relation));
        let start = self.next_tick;
        self.broadcast(|| Command::AddRelation { relation: Arc::clone(&relation), start });
    }

    /// A derived relation without a writer yet. Queries that publish into it add themselves.
    pub fn add_derived(&mut self, relation: RelationId, schema: &SchemaRef, keep: bool) {
        self.wakers.add_relation(relation, false);
        self.broadcast(|| Command::AddDerived { relation, schema: Arc::clone(schema), keep });
    }

    /// Keeps the relation's collection no longer: a reader to come sees what comes with it. Of a relation that is kept
    /// because it said so, not of one that keeps its rows for itself.
    pub fn forget(&mut self, relation: RelationId) {
        self.broadcast(|| Command::Forget(relation));
    }

    /// Forgets a relation. The caller has removed the queries that read or write it.
    pub fn drop_relation(&mut self, relation: RelationId) {
        self.base.remove(&relation);
        self.wakers.drop_relation(relation);
        self.broadcast(|| Command::DropRelation(relation));
    }

    /// A query, from the next tick on: then its first changes are what it says of the present state. A derived relation
    /// that it publishes is made if it is not there.
    pub fn install(&mut self, query: QueryId, dataflow: Dataflow) {
        self.install_with(query, dataflow, false);
    }

    /// The same, but what streams have brought before that tick does not concern it. Tables are there as they are.
    pub fn install_from_now(&mut self, query: QueryId, dataflow: Dataflow) {
        self.install_with(query, dataflow, true);
    }

    fn install_with(&mut self, query: QueryId, dataflow: Dataflow, from_now: bool) {
        if let Some(publish) = &dataflow.publish
            && !self.base.contains_key(&publish.relation)
        {
            self.add_derived(publish.relation, &dataflow.root.schema, publish.keep);
        }
        self.wakers.add(query, &dataflow);
        let dataflow = Arc::new(dataflow);
        let start = self.next_tick;
        self.broadcast(|| Command::Install { query, dataflow: Arc::clone(&dataflow), start, from_now });
    }

    /// Ends a query, after the last tick that was closed. What it published stays.
    pub fn remove(&mut self, query: QueryId) {
        self.wakers.remove(query);
        self.broadcast(|| Command::Remove(query));
    }

    /// The query sleeps from the next tick on: what it maintains stays as it is, what happens waits for it.
    pub fn pause(&mut self, query: QueryId) {
        self.wakers.pause(query);
        self.broadcast(|| Command::Pause(query));
    }

    /// The query goes through all ticks that it missed, as it would have at the time; what comes of them comes with the
    /// next tick.
    pub fn resume(&mut self, query: QueryId) {
        self.wakers.resume(query);
        self.broadcast(|| Command::Resume(query));
    }

    /// Closes a tick over `inputs` and returns its number. Waits only while too many ticks are under way.
    ///
    /// # Errors
    /// If a worker has panicked.
    pub fn tick(&mut self, inputs: TickInputs) -> Result<u64, EngineError> {
        let tick = self.next_tick;
        self.next_tick += 1;
        let peers = self.workers.len();
        let wake = Arc::new(self.wakers.tick(&inputs));
        let mut parts: Vec<Vec<(LogId, Batch, Option<QueryId>)>> = vec![vec![]; peers];
        for rows in inputs.rows {
            self.distribute(rows, &mut parts);
        }
        self.partial.insert(tick, (0..peers).map(|_| None).collect());
        for (worker, rows) in self.workers.iter().zip(parts) {
            let stream_times = inputs.stream_times.clone();
            let part = TickPart { tick, wake: Arc::clone(&wake), rows, stream_times, now_ms: inputs.now_ms };
            // a worker that is gone has reported its panic
            drop(worker.send(Command::Tick(part)));
        }
        if self.stepping != Stepping::Threads {
            self.give_turns()?;
        }
        while self.partial.len() > self.ticks_in_flight_max {
            self.receive()?;
        }
        Ok(tick)
    }

    /// Ticks that are complete, in order, without waiting.
    ///
    /// # Errors
    /// If a worker has panicked.
    pub fn poll(&mut self) -> Result<Vec<TickOutput>, EngineError> {
        while let Ok(report) = self.reports.try_recv() {
            self.note(report)?;
        }
        Ok(self.outputs())
    }

    /// The same after waiting for something; nothing if no tick is under way.
    ///
    /// # Errors
    /// If a worker has panicked.
    pub fn wait_for_some(&mut self) -> Result<Vec<TickOutput>, EngineError> {
        loop {
            let outputs = self.poll()?;
            if !outputs.is_empty() || self.partial.is_empty() {
                return Ok(outputs);
            }
            self.receive()?;
        }
    }

    /// Ticks that are complete, in order, after waiting for every tick that was closed.
    ///
    /// # Errors
    /// If a worker has panicked.
    pub fn wait(&mut self) -> Result<Vec<TickOutput>, EngineError> {
        while !self.partial.is_empty() {
            self.receive()?;
        }
        Ok(self.outputs())
    }

    /// What can be told: ticks that are complete, and what is known of the next one.
    fn outputs(&mut self) -> Vec<TickOutput> {
        let mut outputs: Vec<TickOutput> = self.complete.drain(..).collect();
        if let Some(tick) = self.partial.first_key_value().map(|(tick, _)| *tick)
            && let Some(changes) = self.early.remove(&tick)
        {
            outputs.push(TickOutput { tick, more: true, changes, ..TickOutput::default() });
        }
        outputs
    }

    /// What every operator has done so far, on every worker. Waits for the ticks under way.
    ///
    /// # Errors
    /// If a worker has panicked.
    pub fn stats(&mut self) -> Result<Vec<OperatorStats>, EngineError> {
        while !self.partial.is_empty() {
            self.receive()?;
        }
        let (reply, replies) = channel();
        self.broadcast(|| Command::Stats(reply.clone()));
        drop(reply);
        Ok(replies.iter().flatten().collect())
    }

    /// Dataflows that each worker holds: those of queries, one per relation that is not `Append`, and one per arrangement
    /// that queries share. A removed one goes in the course of the next ticks.
    ///
    /// # Errors
    /// If a worker has panicked.
    pub fn dataflows(&mut self) -> Result<Vec<usize>, EngineError> {
        while !self.partial.is_empty() {
            self.receive()?;
        }
        let (reply, replies) = channel();
        self.broadcast(|| Command::Dataflows(reply.clone()));
        drop(reply);
        Ok(replies.iter().collect())
    }

    fn broadcast(&self, command: impl Fn() -> Command) {
        for worker in &self.workers {
            // a worker that is gone has reported its panic
            drop(worker.send(command()));
        }
    }

    /// A share for each worker, in the workers' order, if there is enough for all; a small batch goes to one, in turn.
    fn deal(&mut self, rows: Rows, parts: &mut [Vec<(LogId, Batch, Option<QueryId>)>]) {
        let (log, len, workers) = (LogId::Collection(rows.relation), rows.batch.len(), parts.len());
        if len < workers * SHARE_ROWS_MIN {
            parts[self.next_worker].push((log, rows.batch, rows.only));
            self.next_worker = (self.next_worker + 1) % workers;
            return;
        }
        for (w, part) in parts.iter_mut().enumerate() {
            let (from, to) = (len * w / workers, len * (w + 1) / workers);
            part.push((log, rows.batch.slice(from, to - from), rows.only));
        }
    }

    /// Rows of streams go to the workers in shares; rows with a key go, in their order, where their key lives.
    fn distribute(&mut self, rows: Rows, parts: &mut [Vec<(LogId, Batch, Option<QueryId>)>]) {
        let intake = self.base.get(&rows.relation).map_or(Intake::Append, |base| base.intake.clone());
        let key: Vec<usize> = match intake {
            Intake::Append => return self.deal(rows, parts),
            Intake::Upsert { key } => key,
            Intake::Bag { columns } => (0..columns).collect(),
        };
        let deletes = rows.deletes.unwrap_or_else(|| BooleanArray::from(vec![false; rows.batch.len()]));
        let mut columns = rows.batch.columns().to_vec();
        columns.push(Arc::new(deletes) as ArrayRef);
        let batch = rows.batch.with_columns(columns);
        for (part, batch) in parts.iter_mut().zip(partition_by_key(&batch, &key, self.workers.len())) {
            if !batch.is_empty() {
                part.push((LogId::Input(rows.relation), batch, rows.only));
            }
        }
    }

    /// Lets the workers step one at a time, in random order, until all have completed the tick.
    fn give_turns(&mut self) -> Result<(), EngineError> {
        let mut waiting: Vec<usize> = (0..self.workers.len()).collect();
        while !waiting.is_empty() {
            self.turn_seed = self.turn_seed.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E_F767_814F);
            let at = (self.turn_seed >> 33) as usize % waiting.len();
            drop(self.workers[waiting[at]].send(Command::Step));
            loop {
                match self.next_report()? {
                    Report::Turn { complete } => {
                        if complete {
                            waiting.swap_remove(at);
                        }
                        break;
                    }
                    report => self.note(report)?,
                }
            }
        }
        Ok(())
    }

    fn receive(&mut self) -> Result<(), EngineError> {
        let report = self.next_report()?;
        self.note(report)
    }

    fn next_report(&mut self) -> Result<Report, EngineError> {
        let gone = || EngineError::WorkerPanicked { worker: 0, message: "all workers are gone".to_owned() };
        self.reports.recv().map_err(|_| gone())
    }

    fn note(&mut self, report: Report) -> Result<(), EngineError> {
        match report {
            Report::Turn { .. } => {}
            Report::Panicked { worker, message } => return Err(EngineError::WorkerPanicked { worker, message }),
            Report::Early { tick, changes } => self.early.entry(tick).or_default().extend(changes),
            Report::Tick { worker, tick, changes, findings } => {
                if let Some(reports) = self.partial.get_mut(&tick) {
                    reports[worker] = Some((changes, findings));
                }
            }
        }
        while let Some(entry) = self.partial.first_entry()
            && entry.get().iter().all(Option::is_some)
        {
            let (tick, reports) = entry.remove_entry();
            let mut output = TickOutput { tick, ..TickOutput::default() };
            if let Some(early) = self.early.remove(&tick) {
                merge(&mut output, early, Findings::default());
            }
            // in the workers' order, in which rows were dealt out: a stream that only passes stays in order
            for (changes, findings) in reports.into_iter().flatten() {
                merge(&mut output, changes, findings);
            }
            self.complete.push_back(output);
        }
        Ok(())
    }
}

fn merge(output: &mut TickOutput, changes: Vec<(QueryId, Vec<Batch>)>, findings: Findings) {
    for (query, batches) in changes {
        match output.changes.iter_mut().find(|(q, _)| *q == query) {
            Some((_, all)) => all.extend(batches),
            None => output.changes.push((query, batches)),
        }
    }
    output.errors.extend(findings.errors);
    output.late.extend(findings.late);
    output.rejected.extend(findings.rejected);
    output.failed.extend(findings.failed);
}

fn panic_message(panic: &(dyn std::any::Any + Send)) -> String {
    if let Some(text) = panic.downcast_ref::<&str>() {
        (*text).to_owned()
    } else if let Some(text) = panic.downcast_ref::<String>() {
        text.clone()
    } else {
        "no message".to_owned()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.stopped.store(true, Ordering::Release);
        self.broadcast(|| Command::Stop);
        if let Some(threads) = self.threads.take() {
            // a panic was reported when it happened
            drop(threads.join());
        }
    }
}
