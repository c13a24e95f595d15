//! TERMINATE of running queries.

use millrace_planner::action::ControlVerb;
use millrace_planner::error::{ErrorKind, PlanError};

use crate::client::Client;
use crate::error::Result;
use crate::query::{Output, QueryKind};
use crate::session::Session;

impl Session {
    pub(crate) fn control(&mut self, verb: ControlVerb, name: Option<&str>, client: &mut dyn Client) -> Result<()> {
        if verb != ControlVerb::Terminate {
            let what = if verb == ControlVerb::Pause { "PAUSE" } else { "RESUME" };
            let error = PlanError::not_supported(what)
                .detail("A query that comes back has to find its state again; that is not built yet.")
                .hint("TERMINATE ends a query; its relation stays as it is.");
            return Err(error.into());
        }
        let ids = match name {
            None => self.queries.values().filter(|q| q.kind != QueryKind::Once).map(|q| q.id).collect(),
            Some(name) => vec![self.find_query(name)?],
        };
        for id in ids {
            let mut ended = self.uninstall(id)?;
            if let Output::Client { answer, .. } = std::mem::replace(&mut ended.output, Output::None)
                && !ended.state.is_over()
            {
                client.done(answer.id())?;
            }
        }
        Ok(())
    }

    /// The query of this name.
    pub(crate) fn find_query(&self, name: &str) -> Result<millrace_dataflow::QueryId> {
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
