//! A program planned from its first statement to its last without running: for `--check`, and to know what must be kept.
//!
//! Rows flow at certain statements only (see [`crate::session`]). A stream that has flowed is gone, unless the engine was
//! told beforehand to keep it; so whoever starts a run asks which streams a statement behind such a point reads. The
//! catalog of the rehearsal changes as the real one will.

use std::collections::{BTreeMap, BTreeSet};

use millrace_planner::action::{Action, ControlVerb, Planned};
use millrace_planner::catalog::{Catalog, Definition, RelationId};
use millrace_planner::plan::Query;
use millrace_planner::sql::statement::{ExplainMode, Parsed, Statement};

use crate::error::Result;
use crate::relation::{declare_query, declare_source, declare_view};
use crate::session::Session;
use crate::settings::{Origin, Settings};
use crate::statement::create_source::columns_of;

/// See the module.
pub(crate) struct Rehearsal<'a> {
    session: &'a Session,
    catalog: Catalog,
    settings: Settings,
    /// What the queries that write into a relation read.
    written_from: BTreeMap<RelationId, BTreeSet<RelationId>>,
    /// Relations whose rows have flowed.
    flowed: BTreeSet<RelationId>,
    /// Relations whose rows flow with the next wait.
    due: BTreeSet<RelationId>,
    kept: BTreeSet<String>,
}

impl<'a> Rehearsal<'a> {
    pub(crate) fn new(session: &'a Session) -> Self {
        let stored = session.relations.iter();
        let flowed = stored.filter(|(_, stored)| stored.flowing).map(|(id, _)| *id).collect();
        let mut written_from: BTreeMap<RelationId, BTreeSet<RelationId>> = BTreeMap::new();
        for query in session.queries.values() {
            if let Some(target) = query.target {
                written_from.entry(target).or_default().extend(&query.reads);
            }
        }
        Rehearsal {
            session,
            catalog: session.catalog.clone(),
            settings: session.settings.clone(),
            written_from,
            flowed,
            due: BTreeSet::new(),
            kept: BTreeSet::new(),
        }
    }

    /// Names of the streams and derived relations that must be kept so that every statement finds its whole input. A
    /// statement that cannot run ends the program, and the rehearsal.
    pub(crate) fn kept(mut self, statements: &[Parsed]) -> BTreeSet<String> {
        let Some((_, before_last)) = statements.split_last() else { return self.kept };
        if !before_last.iter().any(may_wait) {
            return self.kept;
        }
        for statement in statements {
            if self.statement(statement).is_err() {
                break;
            }
        }
        self.kept
    }

    /// Plans the statement and changes the catalog as it would.
    ///
    /// # Errors
    /// If it could not run.
    pub(crate) fn statement(&mut self, statement: &Parsed) -> Result<Planned> {
        let now_us = self.session.world.clock().wall_ms().saturating_mul(1000);
        let planned = millrace_planner::plan_at(statement, statement.positions.text(), &self.catalog, now_us)?;
        match &planned.action {
            Action::CreateSource(create) => {
                let (columns, _) = columns_of(self.session, create)?;
                declare_source(&mut self.catalog, create, columns);
            }
            Action::CreateQuery(create) => {
                let relation = declare_query(&mut self.catalog, create);
                self.installs(&create.query, Some(relation.id));
            }
            Action::CreateView { name, columns, sql, reads, .. } => {
                declare_view(&mut self.catalog, name, columns, sql, reads);
            }
            Action::CreateType { name, data_type } => {
                self.catalog.types.insert(name.clone(), data_type.clone());
            }
            Action::InsertQuery { target, query, .. } => {
                let append_only = self.catalog.by_id(*target).is_some_and(|r| r.append_only());
                match append_only {
                    true => self.installs(query, Some(*target)),
                    false => self.waits(query),
                }
            }
            Action::Update { query, .. } | Action::Delete { query, .. } => self.waits(query),
            Action::Push(query) => self.installs(query, None),
            Action::Pull(query) | Action::Show(query) => self.waits(query),
            Action::ExplainAnalyze { .. } => self.flow(),
            Action::Control { verb, .. } => {
                if *verb == ControlVerb::Pause {
                    self.flow();
                }
            }
            Action::Set { name, value } => {
                self.settings.set(name, value.as_deref(), Origin::Statement)?;
                self.catalog.settings = self.settings.for_planner();
            }
            Action::Drop { relation } => {
                let name = relation.and_then(|id| self.catalog.by_id(id)).map(|r| r.name.clone());
                name.and_then(|name| self.catalog.remove(&name));
            }
            Action::DropType { name } => {
                self.catalog.types.remove(name);
            }
            Action::InsertRows { .. } | Action::Explain { .. } | Action::Describe { .. } | Action::Nothing { .. } => {}
        }
        Ok(planned)
    }

    /// A query that goes on.
    fn installs(&mut self, query: &Query, target: Option<RelationId>) {
        self.reads(query);
        if let Some(target) = target {
            self.written_from.entry(target).or_default().extend(&query.reads);
            self.due.insert(target);
        }
        self.due.extend(self.upstream(&query.reads));
    }

    /// A query that is answered before the next statement.
    fn waits(&mut self, query: &Query) {
        self.reads(query);
        self.due.extend(self.upstream(&query.reads));
        self.flow();
    }

    fn reads(&mut self, query: &Query) {
        for id in query.reads.iter().filter(|id| self.flowed.contains(id)) {
            if let Some(relation) = self.catalog.by_id(*id) {
                self.kept.insert(relation.name.clone());
            }
        }
    }

    fn flow(&mut self) {
        let reads_errors =
            |id: &RelationId| self.catalog.by_id(*id).is_some_and(|r| r.name == "millrace.decode_errors");
        if self.due.iter().any(reads_errors) {
            // whether records can be read is asked of every source
            let is_source = |d: &Definition| matches!(d, Definition::Source { .. });
            self.due.extend(self.catalog.relations().filter(|r| is_source(&r.definition)).map(|r| r.id));
        }
        self.flowed.append(&mut self.due);
    }

    fn upstream(&self, relations: &[RelationId]) -> BTreeSet<RelationId> {
        let mut seen = BTreeSet::new();
        let mut open = relations.to_vec();
        while let Some(id) = open.pop() {
            if seen.insert(id) {
                open.extend(self.written_from.get(&id).into_iter().flatten());
            }
        }
        seen
    }
}

/// Whether rows may flow at this statement; what is not known by its form alone counts.
fn may_wait(statement: &Parsed) -> bool {
    match &statement.statement {
        Statement::Query(query) => query.emit.is_none(),
        Statement::Control(control) => control.verb == ControlVerb::Pause,
        Statement::Explain(explain) => explain.mode == ExplainMode::Analyze,
        Statement::Show(_) | Statement::InsertQuery(_) | Statement::Update(_) | Statement::Delete(_) => true,
        _ => false,
    }
}
