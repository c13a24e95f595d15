//! Input flows: sources and waiting statements become ticks, until what somebody waits for is reached.
//!
//! ```text
//! loop:  a statement's rows, if it is their turn        ─┐
//!        else what the ticker gathers from the sources  ─┴→ tick → engine → outputs → deliver
//! ```
//! Each INSERT is a tick of its own, in the order of the statements: it is acknowledged, and an acknowledgement closes a
//! tick. Sources and statements whose rows are the table side of an as-of join come first; see [`crate::ticker`].

use std::collections::BTreeSet;
use std::time::Duration;

use millrace_connect::{Connector, SourceRequest, open_source};
use millrace_dataflow::{Rows, StreamTime, TickInputs};
use millrace_planner::catalog::RelationId;
use millrace_planner::error::{ErrorKind, PlanError};

use crate::client::{Client, Notice, SourceProgress};
use crate::error::{ErrorClass, Result, SessionError};
use crate::query::{QueryState, Running};
use crate::relation::{Origin, Setup, Stored};
use crate::session::Session;
use crate::ticker::{Backlog, FeedError, FeedSpec, Gathered, Input, NO_TIME, Note, Shape, TickParts, levels};

/// What a flow is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Goal {
    /// Statements' rows are in.
    Statements,
    /// Sources with an end are read to it, statements' rows are in.
    Backlogs,
    /// Every query is over.
    End,
    /// The monotonic clock shows so much, and statements' rows are in.
    Until(u64),
}

/// Between two reports of progress.
const PROGRESS_INTERVAL_NS: u64 = 250_000_000;

/// Between two looks at the size of a process that is too large.
const MEMORY_PAUSE: Duration = Duration::from_millis(50);

impl Session {
    /// Lets input flow until every source with an end that somebody reads has been read, and every statement's rows are
    /// in. `timeout_ms` 0: however long it takes.
    pub(crate) fn flow_backlogs(&mut self, timeout_ms: u64, client: &mut dyn Client) -> Result<()> {
        let deadline_ns = (timeout_ms > 0).then(|| self.world.clock().monotonic_ns() + timeout_ms * 1_000_000);
        self.flow(Goal::Backlogs, deadline_ns, client)
    }

    /// Lets input flow until every statement's rows are in; sources bring what must come before these.
    pub(crate) fn flow_statements(&mut self, client: &mut dyn Client) -> Result<()> {
        self.flow(Goal::Statements, None, client)
    }

    /// Lets input flow until every query is over, or paused.
    pub(crate) fn flow_to_the_end(&mut self, client: &mut dyn Client) -> Result<()> {
        self.flow(Goal::End, None, client)?;
        self.summarize(client);
        Ok(())
    }

    /// Lets input flow until the monotonic clock shows `until_ns`.
    pub(crate) fn flow_to(&mut self, until_ns: u64, client: &mut dyn Client) -> Result<()> {
        self.flow(Goal::Until(until_ns), None, client)?;
        // the caller looks in between anyway, and a flow may be too short to report by itself
        client.progress(&self.source_progress());
        Ok(())
    }

    fn flow(&mut self, goal: Goal, deadline_ns: Option<u64>, client: &mut dyn Client) -> Result<()> {
        self.start_feeds()?;
        let mut shown_ns = self.world.clock().monotonic_ns();
        loop {
            self.watch(deadline_ns, &mut shown_ns, client)?;
            if self.pauses(client)? {
                if self.reached(goal) || self.is_over(goal) {
                    break;
                }
                continue;
            }
            if self.statements_turn() && self.apply_statement(client)? {
                continue;
            }
            if self.reached(goal) {
                break;
            }
            let ticker = &mut self.machine()?.ticker;
            let seen = ticker.arrivals();
            match ticker.gather() {
                Gathered::Tick(parts) => {
                    self.source_tick(parts, client)?;
                    if self.running.as_ref().is_some_and(|machine| machine.ticker.keeps_up()) {
                        self.settle(client)?;
                    }
                }
                Gathered::Interrupted => return Err(SessionError::interrupted()),
                Gathered::Ended if goal != Goal::End => break,
                Gathered::Ended => {
                    self.settle(client)?;
                    self.refresh_system(client)?;
                    if self.nothing_can_come() {
                        self.complete_rest(client)?;
                        break;
                    }
                }
                Gathered::Nothing => {
                    self.settle(client)?;
                    self.introspect(client)?;
                    if !self.reached(goal) {
                        self.machine()?.ticker.wait(seen);
                    }
                }
            }
        }
        self.settle(client)
    }

    fn reached(&self, goal: Goal) -> bool {
        let inputs_in = || {
            let ended = self.running.as_ref().is_none_or(|machine| machine.ticker.bounded_have_ended());
            self.pending.is_empty() && ended
        };
        match goal {
            Goal::Statements => self.pending.is_empty(),
            Goal::Backlogs => inputs_in(),
            Goal::Until(until_ns) => self.pending.is_empty() && self.world.clock().monotonic_ns() >= until_ns,
            Goal::End => {
                let none_left = |query: &Running| query.state.is_over() || query.state.is_paused();
                self.pending.is_empty() && self.queries.values().all(none_left)
            }
        }
    }

    /// Whether the time of a flow that has one is over, whatever waits.
    fn is_over(&self, goal: Goal) -> bool {
        matches!(goal, Goal::Until(until_ns) if self.world.clock().monotonic_ns() >= until_ns)
    }

    /// Whether nothing comes of waiting longer: sources have ended, statements too.
    fn nothing_can_come(&self) -> bool {
        self.pending.is_empty() && self.statements_ended
    }

    /// Starts to read every source that somebody reads and nobody has read so far.
    fn start_feeds(&mut self) -> Result<()> {
        if !std::mem::take(&mut self.feeds_due) {
            return Ok(());
        }
        let active = self.queries.values().filter(|query| !query.state.is_over());
        let read: BTreeSet<RelationId> = active.flat_map(|query| query.reads.iter().copied()).collect();
        let held = self.held_sources();
        for id in self.upstream(read) {
            let waits = |stored: &&mut Stored| !stored.flowing && !held.contains(&id);
            let Some(stored) = self.relations.get_mut(&id).filter(waits) else { continue };
            stored.flowing = true;
            if let Origin::Connector(setup) = stored.origin.clone() {
                self.start_feed(id, &setup)?;
            }
        }
        if let Some(machine) = &mut self.running {
            let levels = levels(&self.precedences);
            machine.ticker.hold(&held);
            machine.ticker.set_levels(|id| levels.get(&Input::Source(id)).copied().unwrap_or(0));
        }
        Ok(())
    }

    /// Starts to read every source that has an end, whether anybody wants its rows or not.
    pub(crate) fn start_all_sources(&mut self) -> Result<()> {
        let unread = |stored: &&Stored| matches!(&stored.origin, Origin::Connector(s) if s.bounded) && !stored.flowing;
        for id in self.relations.values().filter(unread).map(Stored::id).collect::<Vec<_>>() {
            self.ensure_in_engine(id)?;
            self.stored_mut(id)?.flowing = true;
            if let Origin::Connector(setup) = self.stored(id)?.origin.clone() {
                self.start_feed(id, &setup)?;
            }
        }
        Ok(())
    }

    fn start_feed(&mut self, id: RelationId, setup: &Setup) -> Result<()> {
        let stored = self.stored(id)?;
        let table = !stored.relation.append_only();
        let visible = stored.visible();
        // who comes later may want any column; a bag knows its rows by all of them
        let wanted: Vec<usize> = match table || stored.keep {
            true => (0..visible).collect(),
            false => stored.wanted.iter().copied().filter(|c| *c < visible).collect(),
        };
        self.stored_mut(id)?.wanted.extend(&wanted);
        let stored = self.stored(id)?;
        let request =
            SourceRequest { options: &setup.options, columns: &setup.columns, table, wanted: Some(wanted.as_slice()) };
        let source = open_source(&request, &self.world).map_err(|error| SessionError::connect(error, |_| None))?;
        let backlog = match (setup.bounded, setup.connector) {
            (true, _) => Backlog::Bounded,
            (false, Connector::File) => Backlog::UntilIdle,
            (false, _) => Backlog::Endless,
        };
        let (name, schema) = (stored.relation.name.clone(), std::sync::Arc::clone(&stored.schema));
        let spec =
            FeedSpec { relation: id, name: name.clone(), table, shape: Shape { schema, visible, wanted }, backlog };
        self.machine()?.ticker.add(spec, source.as_ref()).map_err(|error| match error {
            FeedError::Source(error) => error.into(),
            FeedError::Thread(error) => SessionError::world(format!("no thread to read {name}: {error}")),
        })
    }

    /// Whether rows of statements may flow now: the backlogs that come before them are in.
    fn statements_turn(&self) -> bool {
        let level = levels(&self.precedences).get(&Input::Statements).copied().unwrap_or(0);
        self.running.as_ref().is_none_or(|machine| level <= machine.ticker.level())
    }

    /// A tick of what sources have brought.
    fn source_tick(&mut self, parts: TickParts, client: &mut dyn Client) -> Result<()> {
        let TickParts { now_ms, rows, stream_times, ended, notes } = parts;
        for (id, note) in notes {
            self.note(id, note, client)?;
        }
        let brought: Vec<(RelationId, usize)> = rows.iter().map(|rows| (rows.relation, rows.batch.len())).collect();
        let inputs = TickInputs { rows, stream_times, now_ms };
        self.close_tick(inputs, &ended, client)?;
        brought.into_iter().for_each(|(id, rows)| self.note_kept(id, rows));
        Ok(())
    }

    fn note(&mut self, id: RelationId, note: Note, client: &mut dyn Client) -> Result<()> {
        let name = self.stored(id)?.relation.name.clone();
        match note {
            // once per source, however often it is read
            Note::Error(_) if self.stored(id)?.reopened => {}
            Note::Error(error) => self.system.decode_error(&name, error),
            Note::Recovered => self.stored_mut(id)?.stalled = None,
            Note::Stalled(reason) => {
                client.notice(&Notice::Data(format!("{name} is stalled: {reason}")));
                self.stored_mut(id)?.stalled = Some(reason);
            }
            Note::Failed(reason) => {
                self.stored_mut(id)?.failed = Some(reason.clone());
                if let Some(machine) = &mut self.running {
                    machine.ticker.remove(id);
                }
                self.fail_readers(id, ErrorClass::World, &format!("{name} cannot be read: {reason}"), client)?;
            }
        }
        Ok(())
    }

    /// Closes a tick over these inputs. With it `ended` relations end.
    pub(crate) fn close_tick(
        &mut self,
        inputs: TickInputs,
        ended: &[RelationId],
        client: &mut dyn Client,
    ) -> Result<()> {
        for (id, time) in &inputs.stream_times {
            self.system.stream_time(*id, *time);
        }
        let machine = self.machine()?;
        let tick = machine.engine.tick(inputs)?;
        machine.tick_due = false;
        let outputs = machine.engine.poll()?;
        for id in ended {
            self.stored_mut(*id)?.ended = Some(tick);
        }
        outputs.into_iter().try_for_each(|output| self.deliver(output, client))
    }

    /// Waits until the engine is done with everything that it has been told, and delivers it.
    pub(crate) fn settle(&mut self, client: &mut dyn Client) -> Result<()> {
        let Some(machine) = &mut self.running else { return Ok(()) };
        if machine.tick_due {
            let now_ms = self.world.clock().wall_ms();
            self.close_tick(TickInputs { now_ms, ..TickInputs::default() }, &[], client)?;
        }
        while let Some(machine) = &mut self.running {
            let outputs = machine.engine.wait_for_some()?;
            if outputs.is_empty() {
                break;
            }
            outputs.into_iter().try_for_each(|output| self.deliver(output, client))?;
        }
        Ok(())
    }

    /// No more rows come from statements: their relations end.
    pub(crate) fn statements_that_end(&self) -> (Vec<RelationId>, Vec<(RelationId, StreamTime)>) {
        let open = self.relations.values().filter(|stored| stored.ended.is_none());
        let ends = open.filter_map(|stored| match &stored.origin {
            Origin::Statements(lane) => {
                let time = if lane.high == NO_TIME { StreamTime::START.close } else { lane.high };
                Some((stored.id(), StreamTime { close: time, retain: time }.ended()))
            }
            _ => None,
        });
        let times: Vec<(RelationId, StreamTime)> = ends.collect();
        (times.iter().map(|(id, _)| *id).collect(), times)
    }

    /// Rows for the engine in one tick that ends nothing.
    pub(crate) fn rows_tick(&mut self, rows: Vec<Rows>, client: &mut dyn Client) -> Result<()> {
        let now_ms = self.world.clock().wall_ms();
        self.close_tick(TickInputs { rows, now_ms, ..TickInputs::default() }, &[], client)
    }

    /// Looks whether to go on, and says how far things are.
    fn watch(&mut self, deadline_ns: Option<u64>, shown_ns: &mut u64, client: &mut dyn Client) -> Result<()> {
        if self.options.interrupt.is_set() {
            return Err(SessionError::interrupted());
        }
        let now_ns = self.world.clock().monotonic_ns();
        if deadline_ns.is_some_and(|deadline| now_ns >= deadline) {
            let error = PlanError::new(ErrorKind::Canceled, "the statement took longer than its timeout")
                .hint("SET millrace.statement_timeout_ms = 0 waits as long as it takes.");
            return Err(error.into());
        }
        if now_ns.saturating_sub(*shown_ns) >= PROGRESS_INTERVAL_NS {
            *shown_ns = now_ns;
            client.progress(&self.source_progress());
        }
        Ok(())
    }

    /// Whether the process is too large: then no rows flow. What is under way is finished, queries may be removed, and
    /// as soon as memory is free again, all goes on.
    fn pauses(&mut self, client: &mut dyn Client) -> Result<bool> {
        let excess = self.memory.excess();
        if self.paused.is_some() != excess.is_some() {
            client.notice(&Notice::Data(match &excess {
                Some(excess) => format!(
                    "sources pause until memory is free: {excess}; --set millrace.memory_bytes_max=… sets another \
                     limit, and a window, a LIMIT or a filter bounds what a query holds"
                ),
                None => "sources go on: memory is free again".to_owned(),
            }));
        }
        self.paused = excess;
        if self.paused.is_none() {
            return Ok(false);
        }
        self.settle(client)?;
        self.introspect(client)?;
        self.world.clock().sleep(MEMORY_PAUSE);
        Ok(true)
    }

    fn source_progress(&self) -> Vec<SourceProgress> {
        let Some(machine) = &self.running else { return vec![] };
        let of_feed = |(id, progress, ended): (RelationId, millrace_connect::Progress, bool)| {
            let stored = self.relations.get(&id)?;
            Some(SourceProgress {
                relation: stored.relation.name.clone(),
                rows: progress.rows,
                rows_total: progress.rows_total,
                bytes: progress.bytes,
                bytes_total: progress.bytes_total,
                ended,
            })
        };
        machine.ticker.progress().filter_map(of_feed).collect()
    }

    /// Every input has ended: what is not over yet waits for the session's own relations, and ends.
    fn complete_rest(&mut self, client: &mut dyn Client) -> Result<()> {
        let open = self.queries.values().filter(|query| query.state == QueryState::Active).map(|query| query.id);
        for id in open.collect::<Vec<_>>() {
            self.complete(id, client)?;
        }
        Ok(())
    }
}
