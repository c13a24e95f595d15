//! Queries by themselves: pull queries, answered once; push queries, which tell each change.

use millrace_dataflow::QueryId;
use millrace_planner::catalog::RelationId;
use millrace_planner::plan::Query;
use millrace_planner::sql::statement::Parsed;

use crate::answer::{Answer, Collected};
use crate::client::{Client, Form, ResultHead};
use crate::error::{Result, SessionError};
use crate::query::{Output, QueryKind, Running};
use crate::session::Session;
use crate::statement::install::Installation;

impl Session {
    /// SELECT … EMIT: its changes begin with the next tick.
    pub(crate) fn push(&mut self, query: Query, statement: &Parsed, client: &mut dyn Client) -> Result<()> {
        let answer = Answer::push(self.next_result_id(), &query, &self.settings.word("millrace.changes"))?;
        let name = self.numbered("PUSH");
        let head = ResultHead {
            id: answer.id(),
            statement: self.statement,
            query: Some(name.clone()),
            columns: answer.columns(),
            form: answer.form(),
        };
        let rows_left = query.stop_after_rows;
        let installation = Installation {
            name,
            kind: QueryKind::Push,
            sql: &statement.text,
            query: &query,
            target: None,
            output: Output::Client { answer, rows_left },
        };
        let id = self.install(installation)?;
        client.head(&head)?;
        if rows_left == Some(0) {
            self.complete(id, client)?;
        }
        Ok(())
    }

    /// SELECT without EMIT: waits for what it depends on, and answers.
    pub(crate) fn pull(&mut self, query: Query, statement: &Parsed, client: &mut dyn Client) -> Result<()> {
        let answer = Answer::pull(self.next_result_id(), &query);
        let answered = self.collect(&query, &statement.text, client)?;
        let Output::Collect(collected) = answered.output else {
            return Err(SessionError::internal("an answer was not collected"));
        };
        let rows_max = self.settings.number("millrace.answer_rows_max").unwrap_or(u64::MAX);
        let rows = answer.answer(self.system.tick(), collected, usize::try_from(rows_max).unwrap_or(usize::MAX))?;
        let head = ResultHead {
            id: answer.id(),
            statement: self.statement,
            query: None,
            columns: answer.columns(),
            form: Form::Answer,
        };
        client.head(&head)?;
        client.rows(&rows)?;
        client.done(head.id)?;
        self.tell_errors_upstream(&query.reads, client);
        Ok(())
    }

    /// The query, ended, with what it says of the state in which all that it depends on has come in.
    pub(crate) fn collect(&mut self, query: &Query, sql: &str, client: &mut dyn Client) -> Result<Running> {
        let installation = Installation {
            name: "this answer".to_owned(),
            kind: QueryKind::Once,
            sql,
            query,
            target: None,
            output: Output::Collect(Collected::default()),
        };
        let id = self.install(installation)?;
        let waited = self.wait_for(query, client);
        self.tell_errors(id, "this answer", client);
        let ended = self.uninstall(id);
        waited?;
        ended
    }

    fn wait_for(&mut self, query: &Query, client: &mut dyn Client) -> Result<()> {
        // why sources pause must be told while they do
        let asks_why = self.memory.excess().is_some() && self.are_of_the_system(&query.reads.iter().copied().collect());
        if !asks_why && self.depends_on_input(query.reads.iter().copied()) {
            if query.reads.iter().any(|id: &RelationId| self.is_decode_errors(*id)) {
                self.start_all_sources()?;
            }
            self.flow_backlogs(self.settings.number("millrace.statement_timeout_ms").unwrap_or(0), client)?;
        }
        self.settle(client)?;
        self.refresh_system(client)
    }

    /// Takes a query away as if it had never been.
    pub(crate) fn uninstall(&mut self, id: QueryId) -> Result<Running> {
        if let Some(machine) = &mut self.running {
            machine.engine.remove(id);
        }
        // it may have been the last that took the rows of a source
        self.feeds_due |= self.queries.values().any(|query| query.state.is_paused());
        let ended = self.queries.remove(&id);
        self.close_reopened(ended.iter().flat_map(|query| query.reads.iter().copied()));
        ended.ok_or_else(|| SessionError::internal(format!("no query {}", id.0)))
    }
}
