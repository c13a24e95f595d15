//! Streams that flowed by before a query came: it reads their source again, for itself.
//!
//! ```text
//! plan:  … Source E      E has flowed by, and nothing kept it
//!     →  … Source E′     E′ is read from the same files, by this query alone, and goes with it
//! ```
//! E′ has lanes and a stream time of its own, so that windows close and rows are late as they were the first time. To the
//! user it is E: it has E's name, and stands in no catalog.

use std::collections::BTreeMap;
use std::sync::Arc;

use millrace_connect::Connector;
use millrace_planner::catalog::RelationId;
use millrace_planner::plan::{Node, Op};

use crate::error::{Result, SessionError};
use crate::query::sources;
use crate::relation::{Origin, Stored};
use crate::session::Session;

impl Session {
    /// The plan over sources that are read again, where rows that it needs have flowed by. `from_now`: it needs none of
    /// those that streams have brought so far.
    pub(crate) fn read_again(&mut self, root: &Node, from_now: bool) -> Result<Node> {
        let mut again = BTreeMap::new();
        for (id, columns) in sources(root) {
            if !again.contains_key(&id) && self.has_flowed_by(id, columns, from_now)? {
                again.insert(id, self.reopened(id)?);
            }
        }
        if again.is_empty() {
            return Ok(root.clone());
        }
        let mut root = root.clone();
        replace(&mut root, &again);
        Ok(root)
    }

    /// Whether rows of the relation that a query needs are gone.
    fn has_flowed_by(&self, id: RelationId, columns: &[usize], from_now: bool) -> Result<bool> {
        let stored = self.stored(id)?;
        if stored.keep || stored.is_system() {
            return Ok(false);
        }
        let passed = self.system.tick();
        let written = || self.queries.values().any(|query| query.target == Some(id) && query.start <= passed);
        // a source brings the columns that somebody wanted when it began
        let visible = stored.visible();
        let has_columns = || columns.iter().all(|c| stored.wanted.contains(c) || *c >= visible);
        let needs_history = || !(from_now && stored.relation.append_only() && has_columns());
        Ok((stored.flowing || written()) && needs_history())
    }

    /// Another relation of the same rows, from their beginning.
    fn reopened(&mut self, id: RelationId) -> Result<RelationId> {
        let stored = self.stored(id)?;
        if !stored.can_be_read_again() {
            let message = format!("rows of {} have flowed by, and nothing kept them", stored.relation.name);
            return Err(SessionError::internal(message));
        }
        let (mut relation, schema, origin) =
            (stored.relation.clone(), Arc::clone(&stored.schema), stored.origin.clone());
        relation.id = self.catalog.allocate();
        let id = relation.id;
        let reopened = Stored { reopened: true, ..Stored::new(relation, schema, origin) };
        self.relations.insert(id, reopened);
        Ok(id)
    }

    /// Forgets the relations that were read again for a query which is no more.
    pub(crate) fn close_reopened(&mut self, reads: impl IntoIterator<Item = RelationId>) {
        for id in reads {
            if self.relations.get(&id).is_some_and(|stored| stored.reopened) {
                self.relations.remove(&id);
                if let Some(machine) = &mut self.running {
                    machine.ticker.remove(id);
                    machine.engine.drop_relation(id);
                }
            }
        }
    }

    /// Counts rows that a source has brought; a stream that can be read again is kept up to a limit.
    pub(crate) fn note_kept(&mut self, id: RelationId, rows: usize) {
        let rows_max = self.settings.number("millrace.history_rows_max").unwrap_or(u64::MAX);
        let Some(stored) = self.relations.get_mut(&id).filter(|stored| stored.keep) else { return };
        stored.rows_kept += rows as u64;
        if stored.rows_kept > rows_max && stored.can_be_read_again() {
            stored.keep = false;
            if let Some(machine) = &mut self.running {
                machine.engine.forget(id);
            }
        }
    }
}

impl Stored {
    /// Whether the same rows come from its source once more.
    fn can_be_read_again(&self) -> bool {
        let file =
            |origin: &Origin| matches!(origin, Origin::Connector(s) if s.bounded && s.connector == Connector::File);
        self.relation.append_only() && file(&self.origin)
    }
}

/// Other relations for some, wherever a plan names them.
fn replace(node: &mut Node, by: &BTreeMap<RelationId, RelationId>) {
    let all = |ids: &mut Vec<RelationId>| ids.iter_mut().for_each(|id| *id = by.get(id).copied().unwrap_or(*id));
    match &mut node.op {
        Op::Source { relation, .. } => *relation = by.get(relation).copied().unwrap_or(*relation),
        Op::Reduce { window: Some(window), .. } | Op::SessionReduce { window, .. } => all(&mut window.time_sources),
        Op::WithinJoin(join) => [&mut join.time_sources.0, &mut join.time_sources.1].into_iter().for_each(all),
        _ => {}
    }
    node.children_mut().into_iter().for_each(|child| replace(child, by));
}
