//! Runs the demo on a thread of its own: starts the pipeline, lets input flow, plays the script, and keeps the model.
//!
//! A step of the script is run between two flows, so that what is delivered until it is done is its doing.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use millrace_session::{
    Client, ClientGone, ErrorClass, Interrupt, Notice, Options, Program, ResultHead, ResultId, ResultRows, Session,
    SessionError, Settings, SourceProgress,
};
use millrace_world::{Clock, Thread, World};

use super::model::{Model, Now};
use super::script::{Script, Step};
use super::watch::{Flow, Panel};
use crate::command::{STATEMENT_FAILED, WORLD_FAILED};

/// Longest that input flows without a look at the script.
const FLOW_MS_MAX: u64 = 100;

/// Shortest.
const FLOW_MS_MIN: u64 = 10;

/// What the driver is told.
pub(super) struct Orders {
    pub(super) flow: Flow,
    /// Milliseconds until the end; `None`: when somebody asks for it.
    pub(super) run_ms: Option<u64>,
    pub(super) settings: Settings,
    pub(super) interrupt: Interrupt,
}

/// What the driver and those who show it share.
pub(super) struct State(Mutex<Shown>);

/// See [`State`].
pub(super) struct Shown {
    pub(super) stage: Stage,
    pub(super) model: Model,
    /// The last thing that the session had to say.
    pub(super) notice: Option<String>,
}

/// How far the demo is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Stage {
    /// Statements are planned, tables are loaded.
    Starting,
    /// Events flow, since the monotonic clock showed so much.
    Flowing { start_ns: u64 },
    /// It has ended.
    Over(Ending),
}

/// How it ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ending {
    /// How long events flowed.
    pub(super) ran_ms: u64,
    /// Status and message, if it was not the time or the user.
    pub(super) failure: Option<(u8, String)>,
}

impl State {
    /// Nothing has begun.
    pub(super) fn new(flow: &Flow) -> Self {
        let model = Model::new(flow.rating_step_ms());
        State(Mutex::new(Shown { stage: Stage::Starting, model, notice: None }))
    }

    /// The state; it is held for moments only.
    pub(super) fn lock(&self) -> MutexGuard<'_, Shown> {
        // whoever panicked leaves a picture that is at worst half a tick old
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts the thread. It ends by itself, with [`Stage::Over`].
///
/// # Errors
/// If there are no more threads.
pub(super) fn start(orders: Orders, world: &World, state: &Arc<State>) -> io::Result<Thread> {
    let (threads_of, world, state) = (world.clone(), world.clone(), Arc::clone(state));
    let body = move || {
        let failure = run(&orders, &world, &state).err();
        let mut shown = state.lock();
        let ran_ms = match shown.stage {
            Stage::Flowing { start_ns } => (world.clock().monotonic_ns() - start_ns) / 1_000_000,
            _ => 0,
        };
        shown.stage = Stage::Over(Ending { ran_ms, failure });
    };
    threads_of.threads().spawn("demo", Box::new(body))
}

/// Runs it to its end. An error is a status and a message.
fn run(orders: &Orders, world: &World, state: &Arc<State>) -> Result<(), (u8, String)> {
    let script = Script::new(orders.run_ms);
    let queries: Vec<String> = Panel::ALL.iter().map(|panel| panel.query(&orders.flow)).collect();
    let text = format!("{}\n{}\n{}\n", orders.flow.pipeline(), script.before(), queries.join("\n"));
    let program = Program::parse(vec![millrace_session::Script { name: "pipeline.sql".to_owned(), text }]);
    let options =
        Options { settings: orders.settings.clone(), interrupt: orders.interrupt.clone(), ..Options::default() };
    let mut watcher = Watcher {
        state: Arc::clone(state),
        clock: Arc::clone(world.clock()),
        start_ns: world.clock().monotonic_ns(),
        first: program.statements().len() + 1 - Panel::ALL.len(),
        panels: BTreeMap::new(),
    };
    let mut session = match Session::new(options, world.clone()) {
        Ok(session) => session,
        Err(error) => return ended(&program, &error),
    };
    if let Err(error) = session.begin(&program, &mut watcher) {
        return ended(&program, &error);
    }
    watcher.start_ns = world.clock().monotonic_ns();
    state.lock().stage = Stage::Flowing { start_ns: watcher.start_ns };
    play(&mut session, &mut watcher, &program, script, orders.run_ms)
}

/// Lets input flow and plays the script, until the end.
fn play(
    session: &mut Session,
    watcher: &mut Watcher,
    program: &Program,
    mut script: Script,
    run_ms: Option<u64>,
) -> Result<(), (u8, String)> {
    loop {
        let now = watcher.now();
        if run_ms.is_some_and(|run_ms| now.ms() >= run_ms) {
            return Ok(());
        }
        if let Some(step) = script.due(now.ms(), now.wall_ms) {
            take(session, watcher, &step)?;
            continue;
        }
        let until_ms = script.at_ms().min(run_ms.unwrap_or(u64::MAX));
        let until_ms = until_ms.clamp(now.ms() + FLOW_MS_MIN, now.ms() + FLOW_MS_MAX);
        if let Err(error) = session.flow_until(watcher.start_ns + until_ms * 1_000_000, watcher) {
            return ended(program, &error);
        }
    }
}

/// Takes a step: its statement, and all that the statement brings about.
fn take(session: &mut Session, watcher: &mut Watcher, step: &Step) -> Result<(), (u8, String)> {
    let script = millrace_session::Script { name: "the script".to_owned(), text: step.sql.clone() };
    let program = Program::parse(vec![script]);
    watcher.state.lock().model.step(step.title, &step.sql, step.remark, watcher.now());
    let mut done = Ok(());
    for statement in program.statements() {
        if done.is_ok() {
            done = session.execute(statement, watcher);
        }
    }
    if done.is_ok() {
        // a moment that has passed: nothing flows but the statement's rows
        done = session.flow_until(0, watcher);
    }
    watcher.state.lock().model.step_done();
    done.or_else(|error| ended(&program, &SessionError { statement: Some(1), ..error }))
}

/// The end that this error is.
fn ended(program: &Program, error: &SessionError) -> Result<(), (u8, String)> {
    let status = match error.class {
        ErrorClass::Interrupted | ErrorClass::ClientGone => return Ok(()),
        ErrorClass::Statement => STATEMENT_FAILED,
        ErrorClass::World => WORLD_FAILED,
    };
    Err((status, program.render(error)))
}

/// The session's client.
struct Watcher {
    state: Arc<State>,
    clock: Arc<dyn Clock>,
    start_ns: u64,
    /// The statement that asks for the first panel.
    first: usize,
    panels: BTreeMap<ResultId, Panel>,
}

impl Watcher {
    fn now(&self) -> Now {
        let us = (self.clock.monotonic_ns().saturating_sub(self.start_ns)) / 1_000;
        Now { us, wall_ms: self.clock.wall_ms() }
    }
}

impl Client for Watcher {
    fn head(&mut self, head: &ResultHead) -> Result<(), ClientGone> {
        let panel = head.statement.checked_sub(self.first).and_then(|i| Panel::ALL.get(i));
        self.panels.extend(panel.map(|panel| (head.id, *panel)));
        Ok(())
    }

    fn rows(&mut self, rows: &ResultRows) -> Result<(), ClientGone> {
        if let Some(panel) = self.panels.get(&rows.id) {
            let now = self.now();
            self.state.lock().model.rows(*panel, rows, now);
        }
        Ok(())
    }

    fn done(&mut self, _result: ResultId) -> Result<(), ClientGone> {
        Ok(())
    }

    fn notice(&mut self, notice: &Notice) {
        // what planning has to say about the pipeline is known, and what a step did is shown
        if let Notice::Data(message) = notice {
            self.state.lock().notice = Some(message.clone());
        }
    }

    fn progress(&mut self, progress: &[SourceProgress]) {
        let now = self.now();
        self.state.lock().model.progress(progress, now);
    }
}
