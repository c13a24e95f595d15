//! TERMINATE, PAUSE and RESUME of running queries.
//!
//! A query that is paused sleeps: its relation stays as it is, and sources that nobody else reads are read no further.
//! What statements above PAUSE have written comes before. RESUME lets the query go through what it missed, tick by tick,
//! within one tick.

use millrace_dataflow::QueryId;
use millrace_planner::action::ControlVerb;
use millrace_planner::error::{ErrorKind, PlanError};

use crate::client::{Client, Notice};
use crate::error::Result;
use crate::query::{Output, QueryKind, QueryState};
use crate::session::Session;

impl Session {
    pub(crate) fn control(&mut self, verb: ControlVerb, name: Option<&str>, client: &mut dyn Client) -> Result<()> {
        let ids = match name {
            None => self.queries.values().filter(|q| q.kind != QueryKind::Once).map(|q| q.id).collect(),
            Some(name) => {
                let id = self.find_query(name)?;
                self.tell_state(verb, id, client);
                vec![id]
            }
        };
        match verb {
            ControlVerb::Terminate => self.terminate(&ids, client),
            ControlVerb::Pause => self.pause(&ids, client),
            ControlVerb::Resume => self.resume(&ids),
        }
    }

    fn terminate(&mut self, ids: &[QueryId], client: &mut dyn Client) -> Result<()> {
        for id in ids {
            let mut ended = self.uninstall(*id)?;
            if let Output::Client { answer, .. } = std::mem::replace(&mut ended.output, Output::None)
                && !ended.state.is_over()
            {
                client.done(answer.id())?;
            }
        }
        Ok(())
    }

    fn pause(&mut self, ids: &[QueryId], client: &mut dyn Client) -> Result<()> {
        self.flow_statements(client)?;
        let at = self.system.tick();
        for id in ids {
            let Some(query) = self.queries.get_mut(id).filter(|query| query.state == QueryState::Active) else {
                continue;
            };
            query.state = QueryState::Paused { at };
            if let Some(machine) = &mut self.running {
                machine.engine.pause(*id);
            }
        }
        self.feeds_due = true;
        Ok(())
    }

    fn resume(&mut self, ids: &[QueryId]) -> Result<()> {
        for id in ids {
            let Some(query) = self.queries.get_mut(id).filter(|query| query.state.is_paused()) else { continue };
            query.state = QueryState::Active;
            if let Some(machine) = &mut self.running {
                machine.engine.resume(*id);
                machine.tick_due = true;
                query.resumed = Some(machine.engine.next_tick());
            }
        }
        self.feeds_due = true;
        Ok(())
    }

    /// Says so if there is nothing to pause or resume.
    fn tell_state(&self, verb: ControlVerb, id: QueryId, client: &mut dyn Client) {
        let Some(query) = self.queries.get(&id) else { return };
        let (wanted, word) = match verb {
            ControlVerb::Terminate => return,
            ControlVerb::Pause => (true, "paused already"),
            ControlVerb::Resume => (false, "not paused"),
        };
        if query.state.is_over() {
            let (state, _) = self.state_of(query);
            let message = format!("{} is {state}: nothing comes to it any more", query.name);
            client.notice(&Notice::Done { statement: self.statement, message });
        } else if query.state.is_paused() == wanted {
            let message = format!("{} is {word}", query.name);
            client.notice(&Notice::Done { statement: self.statement, message });
        }
    }

    /// The query of this name.
    pub(crate) fn find_query(&self, name: &str) -> Result<QueryId> {
        self.query_named(name).map(|query| query.id).ok_or_else(|| {
            let listed = self.queries.values().filter(|q| q.kind != QueryKind::Once);
            let names: Vec<&str> = listed.map(|query| query.name.as_str()).collect();
            let error = PlanError::new(ErrorKind::UndefinedRelation, format!("there is no query {name}"));
            match names.is_empty() {
                true => error.hint("No query is running.").into(),
                false => error.hint(format!("There are {}.", names.join(", "))).into(),
            }
        })
    }
}
