//! A session: the catalog, the running queries and their sources, of one process.
//!
//! ```text
//! Parsed ─planner→ Action ─┬→ catalog
//!                          ├→ engine: relations, dataflows
//!                          └→ flow: sources and INSERTs ─ticks→ engine ─changes→ client, files, system relations
//! ```
//! # When input flows
//! A statement that only declares takes effect at once, but no row moves. Input flows when somebody waits for it: a pull
//! query, until all bounded sources above it have been read and every INSERT above it applied; the end of the program,
//! until every query is complete. So all queries between two such points see the same rows from the beginning, in the
//! same ticks, and two runs of a program print the same.
//!
//! A query that comes after rows have flowed starts from what the engine has kept: tables, and every stream that a later
//! statement reads. A program is known as a whole, so [`Session::run`] looks ahead ([`crate::rehearsal`]);
//! [`Session::execute`] cannot, and keeps all. A stream of files is kept up to a limit; beyond, who comes later reads the
//! files again (`statement/read_again`).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;
use std::time::Duration;

use arrow::array::BooleanArray;
use arrow::record_batch::RecordBatch;
use millrace_dataflow::{Engine, QueryId, Stepping};
use millrace_planner::action::Action;
use millrace_planner::catalog::{Catalog, RelationId};
use millrace_planner::error::{ErrorKind, PlanError};
use millrace_planner::sql::statement::Parsed;
use millrace_world::World;

use crate::client::{Client, Notice, ResultId};
use crate::error::{Result, SessionError};
use crate::interrupt::Interrupt;
use crate::memory::MemoryWatch;
use crate::program::Program;
use crate::query::{QueryState, Running};
use crate::rehearsal::Rehearsal;
use crate::relation::Stored;
use crate::settings::Settings;
use crate::statement::change::Pending;
use crate::system::System;
use crate::ticker::{Pace, Precedence, Ticker};

/// How a session is started.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Values of settings; the others have their defaults.
    pub settings: Settings,
    /// Where what is durable lives. `None`: nothing outlives the session.
    pub data_dir: Option<PathBuf>,
    /// Asks the session to stop.
    pub interrupt: Interrupt,
    /// How workers get their turns.
    pub stepping: Stepping,
}

/// See the module.
pub struct Session {
    pub(crate) world: World,
    pub(crate) options: Options,
    pub(crate) settings: Settings,
    pub(crate) catalog: Catalog,
    pub(crate) relations: BTreeMap<RelationId, Stored>,
    pub(crate) queries: BTreeMap<QueryId, Running>,
    pub(crate) system: System,
    /// Changes that statements bring, in their order, until input flows.
    pub(crate) pending: VecDeque<Pending>,
    pub(crate) precedences: Vec<Precedence>,
    pub(crate) memory: MemoryWatch,
    /// A query has come since it was looked which sources are read.
    pub(crate) feeds_due: bool,
    /// Why no rows flow at present, if they do not.
    pub(crate) paused: Option<String>,
    /// Made when the first query or the first row needs it.
    pub(crate) running: Option<Machine>,
    /// Streams that a later statement reads; `None`: not known, all are kept.
    pub(crate) kept: Option<BTreeSet<String>>,
    /// No statement will bring rows any more.
    pub(crate) statements_ended: bool,
    /// Number of the statement at hand, from 1.
    pub(crate) statement: usize,
    /// The first query that failed, and why.
    pub(crate) failure: Option<SessionError>,
    next_query: u64,
    next_result: u64,
    names: BTreeMap<String, u64>,
}

/// What runs.
pub(crate) struct Machine {
    pub(crate) engine: Engine,
    pub(crate) ticker: Ticker,
    /// Queries or relations wait for a tick to begin with.
    pub(crate) tick_due: bool,
}

impl Session {
    /// A session with an empty catalog. Threads are started when something runs.
    ///
    /// # Errors
    /// If the settings cannot be had on this machine.
    pub fn new(options: Options, world: World) -> Result<Self> {
        let settings = options.settings.clone();
        let memory = MemoryWatch::new(&world, settings.number("millrace.memory_bytes_max"));
        let mut session = Session {
            world,
            options,
            settings,
            catalog: Catalog::default(),
            relations: BTreeMap::new(),
            queries: BTreeMap::new(),
            system: System::default(),
            pending: VecDeque::new(),
            precedences: vec![],
            memory,
            feeds_due: false,
            paused: None,
            running: None,
            kept: None,
            statements_ended: false,
            statement: 0,
            failure: None,
            next_query: 1,
            next_result: 1,
            names: BTreeMap::new(),
        };
        session.declare_system_relations();
        session.publish_settings();
        Ok(session)
    }

    /// What statements may refer to.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Runs a program to its end: all statements, then until every query is complete.
    ///
    /// # Errors
    /// With the first statement that failed, or the first query that failed while it ran.
    pub fn run(&mut self, program: &Program, client: &mut dyn Client) -> Result<()> {
        self.kept = Some(self.look_ahead(program));
        let last = program.statements().len();
        for (i, statement) in program.statements().iter().enumerate() {
            let is_last = i + 1 == last && program.mistake().is_none();
            self.statements_ended |= is_last;
            self.execute(statement, client)?;
        }
        if let Some(mistake) = program.mistake() {
            return Err(SessionError::from(mistake.clone()).in_statement(last + 1));
        }
        self.finish(client)
    }

    /// Binds and lowers every statement of a program and runs none.
    ///
    /// # Errors
    /// With the first statement that could not run.
    pub fn check(&self, program: &Program, client: &mut dyn Client) -> Result<()> {
        let mut rehearsal = Rehearsal::new(self);
        for (i, statement) in program.statements().iter().enumerate() {
            let planned = rehearsal.statement(statement).map_err(|e| e.in_statement(i + 1))?;
            for warning in planned.warnings {
                client.notice(&Notice::Statement { statement: i + 1, warning });
            }
        }
        match program.mistake() {
            Some(mistake) => Err(SessionError::from(mistake.clone()).in_statement(program.statements().len() + 1)),
            None => Ok(()),
        }
    }

    /// Runs one statement. A pull query has been answered when this returns; other queries go on with the next wait.
    ///
    /// # Errors
    /// If the statement is wrong, or what it waits for cannot be had.
    pub fn execute(&mut self, statement: &Parsed, client: &mut dyn Client) -> Result<()> {
        self.statement += 1;
        let number = self.statement;
        self.perform(statement, client).map_err(|error| error.in_statement(number))
    }

    /// No statement follows: lets input flow until every query is complete.
    ///
    /// # Errors
    /// If a query failed, a source cannot be read, or somebody asked for the end.
    pub fn finish(&mut self, client: &mut dyn Client) -> Result<()> {
        self.statements_ended = true;
        self.flow_to_the_end(client)?;
        self.failure.take().map_or(Ok(()), Err)
    }

    /// Rows that somebody outside brings into a relation of INSERTs, in a tick of their own: visible columns in order,
    /// event times (the wall clock where there are none), and which rows are deletes. Returns the last tick, complete.
    ///
    /// # Errors
    /// If the relation is not one that statements may write, or the columns are not its own.
    pub fn ingest(
        &mut self,
        relation: &str,
        rows: &RecordBatch,
        row_times: Option<Vec<i64>>,
        deletes: Option<BooleanArray>,
        client: &mut dyn Client,
    ) -> Result<u64> {
        let unknown = || PlanError::new(ErrorKind::UndefinedRelation, format!("there is no relation {relation}"));
        let target = self.catalog.get(relation).ok_or_else(unknown)?;
        let id = target.id;
        let fits = rows.num_columns() == target.columns.len()
            && rows.columns().iter().zip(&target.columns).all(|(c, column)| *c.data_type() == column.data_type);
        if !fits {
            let message = format!("the rows do not have the columns of {relation}");
            return Err(PlanError::new(ErrorKind::TypeMismatch, message).into());
        }
        self.check_writable(id)?;
        self.flow_backlogs(0, client)?;
        self.ingest_rows(id, rows, row_times, deletes, client)?;
        self.settle(client)?;
        Ok(self.system.tick())
    }

    /// Lets input flow as far as it has come in, and returns the last complete tick.
    ///
    /// # Errors
    /// As [`finish`](Self::finish).
    pub fn advance(&mut self, client: &mut dyn Client) -> Result<u64> {
        self.flow_backlogs(0, client)?;
        Ok(self.system.tick())
    }

    fn perform(&mut self, statement: &Parsed, client: &mut dyn Client) -> Result<()> {
        let now_us = self.world.clock().wall_ms().saturating_mul(1000);
        let planned = millrace_planner::plan_at(statement, statement.positions.text(), &self.catalog, now_us)?;
        for warning in planned.warnings {
            client.notice(&Notice::Statement { statement: self.statement, warning });
        }
        match planned.action {
            Action::CreateSource(create) => self.create_source(create, &statement.text),
            Action::CreateQuery(create) => self.create_query(create),
            Action::CreateView { name, columns, sql, reads, or_replace } => {
                self.create_view(&name, &columns, &sql, &reads, or_replace)
            }
            Action::CreateType { name, data_type } => {
                self.catalog.types.insert(name, data_type);
                Ok(())
            }
            Action::InsertRows { target, rows, row_times } => self.insert_rows(target, rows, row_times),
            Action::InsertQuery { target, query, sql } => self.insert_query(target, query, sql, client),
            Action::Update { target, query } => self.update(target, query, client),
            Action::Delete { target, query } => self.delete(target, query, client),
            Action::Push(query) => self.push(query, statement, client),
            Action::Pull(query) | Action::Show(query) => self.pull(query, statement, client),
            Action::Explain { text } => self.explain(&text, client),
            Action::ExplainAnalyze { query } => self.explain_analyze(&query, client),
            Action::Describe { relation, extended } => self.describe(relation, extended, client),
            Action::Set { name, value } => self.set(&name, value.as_deref()),
            Action::Drop { relation } => relation.map_or(Ok(()), |relation| self.drop_relation(relation)),
            Action::DropType { name } => {
                self.catalog.types.remove(&name);
                Ok(())
            }
            Action::Control { verb, query } => self.control(verb, query.as_deref(), client),
            Action::Nothing { notice } => {
                client.notice(&Notice::Done { statement: self.statement, message: notice });
                Ok(())
            }
        }
    }

    /// Engine and ticker, made now if this is the first use.
    pub(crate) fn machine(&mut self) -> Result<&mut Machine> {
        if self.running.is_none() {
            self.running = Some(self.start_machine()?);
        }
        self.running.as_mut().ok_or_else(|| SessionError::internal("nothing runs"))
    }

    fn start_machine(&self) -> Result<Machine> {
        /// More workers than this exchange more than they compute, for queries of the usual size.
        const WORKERS_AUTO_MAX: usize = 8;
        let workers = match self.settings.number("millrace.workers") {
            Some(workers) => workers as usize,
            None => self.world.threads().parallelism().min(WORKERS_AUTO_MAX),
        };
        let stepping = self.options.stepping;
        let options = millrace_dataflow::Options { workers, stepping, early: true, ..Default::default() };
        let engine = Engine::start(&options, &self.world)
            .map_err(|error| SessionError::world(format!("{workers} worker threads cannot be started: {error}")))?;
        let ticker = Ticker::new(&self.world, self.pace(workers), workers, self.options.interrupt.clone());
        Ok(Machine { engine, ticker, tick_due: false })
    }

    fn pace(&self, workers: usize) -> Pace {
        /// Rows of a tick: enough that a tick's own cost does not show, few enough for milliseconds.
        const TICK_ROWS: usize = 10_000;
        /// The same while live input is behind: a tenth to a fifth more throughput, at ten times the latency.
        const BEHIND_ROWS: usize = 100_000;
        let rows = self.settings.number("millrace.tick.rows").map(|rows| rows as usize);
        let ms = |name: &str| Duration::from_millis(self.settings.number(name).unwrap_or(1));
        Pace {
            record: self.settings.word("millrace.tick") == "record",
            rows_max: rows.unwrap_or(TICK_ROWS),
            live_rows_max: rows.unwrap_or(TICK_ROWS * workers),
            behind_rows_max: rows.unwrap_or(BEHIND_ROWS * workers),
            tick: ms("millrace.tick.ms"),
            idle: ms("millrace.idle_ms"),
        }
    }

    /// One record a tick.
    pub(crate) fn ticks_by_record(&self) -> bool {
        self.settings.word("millrace.tick") == "record"
    }

    pub(crate) fn next_query_id(&mut self) -> QueryId {
        self.next_query += 1;
        QueryId(self.next_query - 1)
    }

    pub(crate) fn next_result_id(&mut self) -> ResultId {
        self.next_result += 1;
        ResultId(self.next_result - 1)
    }

    /// `prefix_1`, `prefix_2`, … never the same again.
    pub(crate) fn numbered(&mut self, prefix: &str) -> String {
        let n = self.names.entry(prefix.to_owned()).or_default();
        *n += 1;
        format!("{prefix}_{n}")
    }

    /// The relation, which plans have named.
    pub(crate) fn stored(&self, id: RelationId) -> Result<&Stored> {
        self.relations.get(&id).ok_or_else(|| SessionError::internal(format!("no relation {}", id.0)))
    }

    pub(crate) fn stored_mut(&mut self, id: RelationId) -> Result<&mut Stored> {
        self.relations.get_mut(&id).ok_or_else(|| SessionError::internal(format!("no relation {}", id.0)))
    }

    /// The query of this name that is not over, or else the last one.
    pub(crate) fn query_named(&self, name: &str) -> Option<&Running> {
        let named = || self.queries.values().rev().filter(|q| q.name.eq_ignore_ascii_case(name));
        named().find(|q| !q.state.is_over()).or_else(|| named().next())
    }

    /// These relations and all that their rows come from, through every query that writes into one of them.
    pub(crate) fn upstream(&self, relations: impl IntoIterator<Item = RelationId>) -> BTreeSet<RelationId> {
        let mut seen = BTreeSet::new();
        let mut open: Vec<RelationId> = relations.into_iter().collect();
        while let Some(id) = open.pop() {
            if seen.insert(id) {
                let writers = self.queries.values().filter(|q| q.target == Some(id));
                open.extend(writers.flat_map(|q| q.reads.iter().copied()));
            }
        }
        seen
    }

    /// Whether a query that is paused would bring rows to these relations.
    pub(crate) fn waits_for_paused(&self, relations: &BTreeSet<RelationId>) -> bool {
        let paused = || self.queries.values().filter(|query| query.state.is_paused());
        // most of the time nobody is
        paused().next().is_some() && {
            let upstream = self.upstream(relations.iter().copied());
            paused().any(|query| query.target.is_some_and(|target| upstream.contains(&target)))
        }
    }

    /// Sources whose rows nobody takes now: all queries that they come to are paused.
    pub(crate) fn held_sources(&self) -> BTreeSet<RelationId> {
        let reads = |paused: bool| {
            let of = self.queries.values().filter(move |q| !q.state.is_over() && q.state.is_paused() == paused);
            of.flat_map(|query| query.reads.iter().copied()).collect::<BTreeSet<_>>()
        };
        let mut held = self.upstream(reads(true));
        // what only a paused query writes does not change
        let mut open: Vec<RelationId> = reads(false).into_iter().collect();
        let mut taken = BTreeSet::new();
        while let Some(id) = open.pop() {
            if taken.insert(id) {
                let writers = self.queries.values().filter(|q| q.target == Some(id) && !q.state.is_paused());
                open.extend(writers.flat_map(|query| query.reads.iter().copied()));
            }
        }
        held.retain(|id| !taken.contains(id));
        held
    }

    /// Those of [`upstream`](Self::upstream) whose rows come from outside the engine.
    pub(crate) fn inputs_of(&self, relations: impl IntoIterator<Item = RelationId>) -> BTreeSet<RelationId> {
        let mut inputs = self.upstream(relations);
        inputs.retain(|id| self.relations.get(id).is_some_and(Stored::is_base));
        inputs
    }

    /// What has failed among all that these relations' rows come from, if something has.
    pub(crate) fn failed_upstream(&self, relations: &BTreeSet<RelationId>) -> Option<String> {
        self.upstream(relations.iter().copied()).into_iter().find_map(|id| {
            if let Some(stored) = self.relations.get(&id)
                && let Some(reason) = &stored.failed
            {
                return Some(format!("{} cannot be read: {reason}", stored.relation.name));
            }
            let writer = self.queries.values().find(|q| q.target == Some(id) && q.state == QueryState::Failed)?;
            Some(format!("{} has failed: {}", writer.name, writer.message.as_deref().unwrap_or("for no reason")))
        })
    }

    pub(crate) fn look_ahead(&self, program: &Program) -> BTreeSet<String> {
        Rehearsal::new(self).kept(program.statements())
    }
}
