//! What a tick brought about goes where it belongs: changes to clients and files, errors to their relations, and the
//! queries' states move on.

use millrace_data::Batch;
use millrace_dataflow::{ErrorRow, QueryId, TickOutput};
use millrace_planner::catalog::RelationId;
use millrace_planner::error::{ErrorKind, PlanError};

use crate::client::{Client, Notice};
use crate::error::{ErrorClass, Result, SessionError};
use crate::query::{ERROR_SAMPLES_MAX, Output, QueryKind, QueryState};
use crate::session::Session;

impl Session {
    pub(crate) fn deliver(&mut self, output: TickOutput, client: &mut dyn Client) -> Result<()> {
        let TickOutput { tick, more, mut changes, errors, late, rejected, failed } = output;
        if more {
            return changes.into_iter().try_for_each(|(query, batches)| self.hand_out(query, tick, batches, client));
        }
        self.system.passed(tick);
        for error in errors {
            self.note_error(error);
        }
        for row in late {
            let name = self.queries.get(&row.query).map(|query| query.name.clone()).unwrap_or_default();
            self.system.late(&name, row);
        }
        for row in rejected {
            let name = self.stored(row.relation)?.relation.name.clone();
            self.system.rejected(&name, row);
        }
        changes.sort_by_key(|(query, _)| *query);
        for (query, batches) in changes {
            self.hand_out(query, tick, batches, client)?;
        }
        for (query, message) in failed {
            self.fail(query, ErrorClass::Statement, ErrorKind::Data, &message, client)?;
        }
        self.complete_ended(tick, client)
    }

    fn note_error(&mut self, error: ErrorRow) {
        let Some(query) = self.queries.get_mut(&error.query) else { return };
        query.error_rows += error.diff;
        if error.diff > 0 && query.error_samples.len() < ERROR_SAMPLES_MAX {
            query.error_samples.push(error.clone());
        }
        if query.kind != QueryKind::Once {
            self.system.error(&query.name, error);
        }
    }

    fn hand_out(&mut self, id: QueryId, tick: u64, batches: Vec<Batch>, client: &mut dyn Client) -> Result<()> {
        let Some(query) = self.queries.get_mut(&id).filter(|query| !query.state.is_over()) else { return Ok(()) };
        match &mut query.output {
            Output::None => {}
            Output::Collect(collected) => collected.add(batches, &query.plan.schema),
            Output::File(sink) => {
                query.rows_out += batches.iter().map(|batch| batch.len() as u64).sum::<u64>();
                if let Err(error) = sink.add(batches) {
                    return self.fail(id, ErrorClass::World, ErrorKind::World, &error.message, client);
                }
            }
            Output::Client { answer, rows_left } => {
                let Some(rows) = answer.changes(tick, &batches, *rows_left)? else { return Ok(()) };
                query.rows_out += rows.rows.num_rows() as u64;
                client.rows(&rows)?;
                if let Some(left) = rows_left {
                    *left = left.saturating_sub(rows.insertions());
                    if *left == 0 {
                        return self.complete(id, client);
                    }
                }
            }
        }
        Ok(())
    }

    /// Completes the queries whose inputs had all ended by this tick.
    fn complete_ended(&mut self, tick: u64, client: &mut dyn Client) -> Result<()> {
        // most ticks end nothing
        let ended_now = self.relations.values().any(|stored| stored.ended == Some(tick));
        let begun_now = self.queries.values().any(|query| query.start == tick || query.resumed == Some(tick));
        if !ended_now && !begun_now {
            return Ok(());
        }
        let active = self.queries.values().filter(|query| query.state == QueryState::Active && query.start <= tick);
        let candidates: Vec<QueryId> = active.filter(|query| query.kind != QueryKind::Once).map(|q| q.id).collect();
        for id in candidates {
            let Some(query) = self.queries.get(&id) else { continue };
            if self.waits_for_paused(&query.reads) {
                continue;
            }
            let inputs = self.inputs_of(query.reads.iter().copied());
            let has_ended = |input: &RelationId| {
                self.relations.get(input).is_none_or(|stored| stored.ended.is_some_and(|end| end <= tick))
            };
            if inputs.iter().all(has_ended) {
                self.complete(id, client)?;
            }
        }
        Ok(())
    }

    /// The query has said all that it will ever say.
    pub(crate) fn complete(&mut self, id: QueryId, client: &mut dyn Client) -> Result<()> {
        let passed = self.system.tick();
        let Some(query) = self.queries.get_mut(&id).filter(|query| !query.state.is_over()) else { return Ok(()) };
        query.state = QueryState::Completed;
        query.ended = Some(passed);
        match std::mem::replace(&mut query.output, Output::None) {
            Output::Client { answer, .. } => {
                let name = query.name.clone();
                if let Some(machine) = &mut self.running {
                    machine.engine.remove(id);
                }
                client.done(answer.id())?;
                self.tell_errors(id, &name, client);
            }
            Output::File(sink) => {
                if let Err(error) = sink.finish() {
                    query.state = QueryState::Active;
                    return self.fail(id, ErrorClass::World, ErrorKind::World, &error.message, client);
                }
            }
            Output::None | Output::Collect(_) => {}
        }
        Ok(())
    }

    /// The query stops, and with it every query that reads what it maintains.
    pub(crate) fn fail(
        &mut self,
        id: QueryId,
        class: ErrorClass,
        kind: ErrorKind,
        message: &str,
        client: &mut dyn Client,
    ) -> Result<()> {
        let passed = self.system.tick();
        let Some(query) = self.queries.get_mut(&id).filter(|query| !query.state.is_over()) else { return Ok(()) };
        query.state = QueryState::Failed;
        query.message = Some(message.to_owned());
        query.ended = Some(passed);
        // a file sink that is dropped leaves no file
        query.output = Output::None;
        let (name, kind_of_query, target, statement) = (query.name.clone(), query.kind, query.target, query.statement);
        if let Some(machine) = &mut self.running {
            machine.engine.remove(id);
        }
        let error = PlanError::new(kind, format!("{name} has failed: {message}"));
        let error = SessionError::new(class, error).in_statement(statement);
        if kind_of_query == QueryKind::Once {
            return Err(error);
        }
        client.notice(&Notice::Data(error.error.message.clone()));
        self.failure.get_or_insert(error);
        match target {
            Some(target) => self.fail_readers(target, class, &format!("{name} has failed: {message}"), client),
            None => Ok(()),
        }
    }

    /// Fails every query that reads this relation: what it would say is not the whole answer.
    pub(crate) fn fail_readers(
        &mut self,
        relation: RelationId,
        class: ErrorClass,
        message: &str,
        client: &mut dyn Client,
    ) -> Result<()> {
        let kind = if class == ErrorClass::World { ErrorKind::World } else { ErrorKind::Data };
        let readers = self.queries.values().filter(|query| query.reads.contains(&relation) && !query.state.is_over());
        for id in readers.map(|query| query.id).collect::<Vec<_>>() {
            self.fail(id, class, kind, message, client)?;
        }
        Ok(())
    }

    /// Tells of the rows that are missing from what a query has said.
    pub(crate) fn tell_errors(&self, id: QueryId, name: &str, client: &mut dyn Client) {
        let Some(query) = self.queries.get(&id).filter(|query| query.error_rows > 0) else { return };
        let samples: Vec<String> =
            query.error_samples.iter().map(|e| format!("{} in row {}", e.message, e.row)).collect();
        let (rows, are) = if query.error_rows == 1 { ("row", "is") } else { ("rows", "are") };
        let and_so_on = if query.error_rows as usize > samples.len() { "; …" } else { "" };
        let n = query.error_rows;
        client.notice(&Notice::Data(format!("{n} {rows} of {name} {are} missing: {}{and_so_on}", samples.join("; "))));
    }

    /// Tells of errors in all that an answer was made from.
    pub(crate) fn tell_errors_upstream(&self, relations: &[RelationId], client: &mut dyn Client) {
        for id in self.upstream(relations.iter().copied()) {
            let Some(stored) = self.relations.get(&id) else { continue };
            self.tell_decode_errors(&stored.relation.name, client);
            for query in self.queries.values().filter(|query| query.target == Some(id)) {
                self.tell_errors(query.id, &query.name, client);
            }
        }
    }

    fn tell_decode_errors(&self, name: &str, client: &mut dyn Client) {
        let n = self.system.decode_errors_of(name);
        if n > 0 {
            let (records, them) = if n == 1 { ("record", "it") } else { ("records", "them") };
            let hint = format!("millrace.decode_errors shows {them}");
            client.notice(&Notice::Data(format!("{n} {records} of {name} could not be read; {hint}")));
        }
    }

    /// At the end: errors that no answer has told of.
    pub(crate) fn summarize(&mut self, client: &mut dyn Client) {
        let persistent = self.queries.values().filter(|query| query.kind == QueryKind::Persistent);
        for query in persistent {
            self.tell_errors(query.id, &query.name, client);
        }
        for query in self.queries.values().filter(|query| query.state.is_paused()) {
            let name = &query.name;
            client.notice(&Notice::Data(format!("{name} is paused: what has happened since is not in its answer")));
        }
        for name in self.system.sources_with_decode_errors() {
            self.tell_decode_errors(&name, client);
        }
        let late = self.system.late_rows();
        if late > 0 {
            client.notice(&Notice::Data(format!("{late} rows came too late for a window; millrace.late shows them")));
        }
    }
}
