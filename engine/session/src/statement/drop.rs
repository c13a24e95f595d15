//! DROP of relations.

use millrace_planner::catalog::RelationId;
use millrace_planner::error::{ErrorKind, PlanError};

use crate::error::Result;
use crate::query::QueryKind;
use crate::relation::Origin;
use crate::session::Session;

impl Session {
    /// Takes a relation away with the query that maintains it.
    pub(crate) fn drop_relation(&mut self, id: RelationId) -> Result<()> {
        let name = self.stored(id)?.relation.name.clone();
        self.check_no_dependents(id, &name)?;
        let writers: Vec<_> = self.queries.values().filter(|query| query.target == Some(id)).map(|q| q.id).collect();
        for writer in writers {
            self.uninstall(writer)?;
        }
        self.pending.retain(|pending| pending.target != id);
        if let Some(machine) = &mut self.running {
            if matches!(self.relations.get(&id).map(|stored| &stored.origin), Some(Origin::Connector(_))) {
                machine.ticker.remove(id);
            }
            if self.relations.get(&id).is_some_and(|stored| stored.in_engine) {
                machine.engine.drop_relation(id);
            }
        }
        self.relations.remove(&id);
        self.catalog.remove(&name);
        Ok(())
    }

    /// The same by name; nothing if there is none.
    pub(crate) fn drop_named(&mut self, name: &str) -> Result<()> {
        match self.catalog.get(name).map(|relation| relation.id) {
            Some(id) => self.drop_relation(id),
            None => Ok(()),
        }
    }

    /// That no relation and no running query reads it, and no INSERT of another's writes into it.
    fn check_no_dependents(&self, id: RelationId, name: &str) -> Result<()> {
        let relations = self.catalog.relations().filter(|r| r.id != id && r.reads.contains(&id));
        let mut dependents: Vec<String> = relations.map(|r| r.name.clone()).collect();
        let active = self.queries.values().filter(|query| !query.state.is_over());
        let reads = active.filter(|query| {
            let writes = query.target == Some(id) && query.name != name;
            writes || (query.kind == QueryKind::Push && query.reads.contains(&id))
        });
        dependents.extend(reads.map(|query| query.name.clone()));
        if dependents.is_empty() {
            return Ok(());
        }
        dependents.sort();
        dependents.dedup();
        let list = dependents.join(", ");
        let error = PlanError::new(ErrorKind::DependentObjects, format!("{name} cannot be dropped: {list} need it"));
        Err(error.hint("DROP relations that read it, TERMINATE queries that do.").into())
    }
}
