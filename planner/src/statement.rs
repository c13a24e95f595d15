//! Statement to action: what a parsed statement asks of the engine, with its queries planned.
//!
//! One file per family. A query goes through all steps in [`query`]; everything else is checked against the catalog.

mod create_query;
mod create_source;
mod drop;
mod explain;
mod insert;
pub(crate) mod query;
mod show;
mod update;

use crate::action::{Action, Planned};
use crate::catalog::{Catalog, Definition, Relation, RelationId, RelationKind};
use crate::error::{ErrorKind, PlanError, Result, Span};
use crate::sql::name::{Ident, Name};
use crate::sql::statement::{DescribeTarget, Parsed, Statement, StreamOrTable};

/// The statement with what surrounds it.
pub(crate) struct Planner<'a> {
    pub(crate) parsed: &'a Parsed,
    pub(crate) catalog: &'a Catalog,
    /// The moment at which the statement is carried out, µs since 1970-01-01 UTC.
    pub(crate) now_us: Option<i64>,
    pub(crate) warnings: Vec<PlanError>,
    /// Where the query begins that is being planned, for what is found wrong behind binding.
    pub(crate) place: Option<Span>,
}

/// Plans a statement.
pub(crate) fn plan(parsed: &Parsed, catalog: &Catalog, now_us: Option<i64>) -> Result<Planned> {
    let mut planner = Planner { parsed, catalog, now_us, warnings: vec![], place: None };
    let action = planner.statement(&parsed.statement)?;
    let mut warnings = planner.warnings;
    warnings.sort_by_key(|warning| warning.span);
    Ok(Planned { action, warnings })
}

impl Planner<'_> {
    fn statement(&mut self, statement: &Statement) -> Result<Action> {
        match statement {
            Statement::CreateSource(create) => self.create_source(create),
            Statement::CreateQuery(create) => self.create_query(create),
            Statement::CreateView(create) => self.create_view(create),
            Statement::CreateType(create) => self.create_type(create),
            Statement::InsertValues(insert) => self.insert_values(insert),
            Statement::InsertQuery(insert) => self.insert_query(insert),
            Statement::Update(update) => self.update(update),
            Statement::Delete(delete) => self.delete(delete),
            Statement::Query(query) => self.query(query),
            Statement::Explain(explain) => self.explain(explain),
            Statement::Show(show) => self.show(show),
            Statement::Describe(describe) => match &describe.target {
                DescribeTarget::Relation(name) => {
                    let relation = self.relation(name)?.id;
                    Ok(Action::Describe { relation, extended: describe.extended })
                }
                DescribeTarget::All(kind, span) => self.show_all(*kind, *span),
                DescribeTarget::Function(name) | DescribeTarget::Connector(name) => {
                    Err(PlanError::not_supported("DESCRIBE FUNCTION and DESCRIBE CONNECTOR").at(name.span))
                }
            },
            Statement::Set(set) => {
                let value = set.value.as_ref().map(|value| value.text());
                Ok(Action::Set { name: set.name.clone(), value })
            }
            Statement::Drop(drop) => self.drop(drop),
            Statement::Control(control) => {
                let query = control.query.as_ref().map(|id| id.value.clone());
                Ok(Action::Control { verb: control.verb, query })
            }
            other => Err(self.unsupported(other)),
        }
    }

    fn unsupported(&self, statement: &Statement) -> PlanError {
        let (what, span) = match statement {
            Statement::CreateFunction(create) => ("CREATE FUNCTION FROM MODULE", create.name.span),
            Statement::CreateConnector(create) => ("CREATE CONNECTOR", create.name.span),
            Statement::Define(define) => ("DEFINE outside of a script", define.name.span),
            Statement::Alter(alter) => ("ALTER", alter.name.span),
            Statement::Print(print) => ("PRINT", print.topic.span),
            Statement::RunScript { path } => ("RUN SCRIPT", path.span),
            Statement::Unsupported { what, span } => (what.as_str(), *span),
            _ => ("ASSERT", self.parsed.span),
        };
        PlanError::not_supported(what).at(span)
    }

    /// The relation of this name.
    pub(crate) fn relation(&self, name: &Name) -> Result<&Relation> {
        let catalog_name = name.catalog_name();
        self.catalog.get(&catalog_name).ok_or_else(|| {
            let error = PlanError::new(ErrorKind::UndefinedRelation, format!("there is no relation {catalog_name}"));
            let names = self.catalog.relations().map(|relation| relation.name.as_str());
            let hint = crate::bind::names::did_you_mean(&catalog_name, names);
            PlanError { hint, ..error.at(name.span) }
        })
    }

    /// What CREATE finds under its name: `true` if there is one and IF NOT EXISTS says to leave it.
    pub(crate) fn taken(&self, name: &Name, or_replace: bool, if_not_exists: bool) -> Result<bool> {
        let catalog_name = name.catalog_name();
        if name.parts.len() > 1 {
            let error = PlanError::new(ErrorKind::InvalidDefinition, format!("{catalog_name} cannot be created"));
            return Err(error.at(name.span).detail("There are no schemas; millrace.… is the engine's own."));
        }
        let Some(relation) = self.catalog.get(&catalog_name) else { return Ok(false) };
        if if_not_exists {
            return Ok(true);
        }
        let kind = relation.kind.name();
        if !or_replace {
            let message = format!("there is a {kind} {catalog_name} already");
            let error = PlanError::new(ErrorKind::DuplicateRelation, message).at(name.span);
            return Err(error.hint(format!("CREATE OR REPLACE, or DROP {kind} {catalog_name}")));
        }
        self.no_dependents(relation, name, "replaced")?;
        Ok(false)
    }

    /// That nothing reads a relation that is to go.
    pub(crate) fn no_dependents(&self, relation: &Relation, name: &Name, verb: &str) -> Result<()> {
        let readers: Vec<&str> = self
            .catalog
            .relations()
            .filter(|other| other.id != relation.id && other.reads.contains(&relation.id))
            .map(|other| other.name.as_str())
            .collect();
        if readers.is_empty() {
            return Ok(());
        }
        let message = format!("{} cannot be {verb}: {} read it", relation.name, crate::bind::names::list(&readers));
        let message = if readers.len() == 1 { message.replace(" read it", " reads it") } else { message };
        let error = PlanError::new(ErrorKind::DependentObjects, message).at(name.span);
        Err(error.hint(format!("drop {} first", crate::bind::names::list(&readers))))
    }

    /// That no two columns have one name.
    pub(crate) fn distinct_names<'n>(
        &self,
        names: impl Iterator<Item = (&'n str, Option<crate::error::Span>)>,
    ) -> Result<()> {
        let mut seen: Vec<&str> = vec![];
        for (name, span) in names {
            if seen.contains(&name) {
                let error = PlanError::new(ErrorKind::DuplicateColumn, format!("two columns are called {name}"));
                return Err(PlanError { span, ..error.hint("give one of them another name with AS") });
            }
            seen.push(name);
        }
        Ok(())
    }
}

/// What a write may go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    Stream,
    Table,
}

impl Planner<'_> {
    /// A relation that rows can be written to.
    pub(crate) fn target(&self, name: &Name) -> Result<(Relation, Target)> {
        let relation = self.relation(name)?.clone();
        let derived = matches!(relation.definition, Definition::Query { .. });
        let wrong = match (&relation.kind, &relation.definition, derived) {
            (RelationKind::Stream, Definition::Source { .. } | Definition::Query { .. }, _) => {
                return Ok((relation, Target::Stream));
            }
            (RelationKind::Table, Definition::Source { .. }, _) => return Ok((relation, Target::Table)),
            (_, Definition::System, _) => "it is the engine's own",
            (kind, _, _) => match kind {
                RelationKind::Table => "it is what its query says",
                _ => "a view is what its query says",
            },
        };
        let error = PlanError::new(ErrorKind::WrongRelationKind, format!("{} cannot be written to", relation.name));
        Err(error.at(name.span).detail(format!("{}{}.", wrong[..1].to_uppercase(), &wrong[1..])))
    }

    /// Positions of named columns of a relation; all if none are named.
    pub(crate) fn target_columns(&self, relation: &Relation, names: &[Ident]) -> Result<Vec<usize>> {
        if names.is_empty() {
            return Ok((0..relation.columns.len()).collect());
        }
        self.distinct_names(names.iter().map(|name| (name.value.as_str(), Some(name.span))))?;
        names.iter().map(|name| self.target_column(relation, name)).collect()
    }

    /// The position of a column of a relation.
    pub(crate) fn target_column(&self, relation: &Relation, name: &Ident) -> Result<usize> {
        relation.columns.iter().position(|column| column.name == name.value).ok_or_else(|| {
            let message = format!("{} has no column {}", relation.name, name.value);
            let names: Vec<&str> = relation.columns.iter().map(|column| column.name.as_str()).collect();
            let error = PlanError::new(ErrorKind::UndefinedColumn, message).at(name.span);
            let detail = format!("{} has {}.", relation.name, crate::bind::names::list(&names));
            PlanError { hint: crate::bind::names::did_you_mean(&name.value, names), ..error.detail(detail) }
        })
    }

    /// That a relation does not, through its readers, read itself.
    pub(crate) fn no_cycle(&self, target: &Relation, reads: &[RelationId], place: crate::error::Span) -> Result<()> {
        let mut open: Vec<RelationId> = reads.to_vec();
        let mut seen: Vec<RelationId> = vec![];
        while let Some(id) = open.pop() {
            if id == target.id {
                let message = format!("{} would be written from itself", target.name);
                let error = PlanError::new(ErrorKind::InvalidDefinition, message).at(place);
                return Err(error.detail("A cycle of relations never comes to rest."));
            }
            if !seen.contains(&id) {
                seen.push(id);
                open.extend(self.catalog.by_id(id).into_iter().flat_map(|relation| relation.reads.iter().copied()));
            }
        }
        Ok(())
    }
}

/// STREAM or TABLE as the catalog says it.
pub(crate) fn relation_kind(kind: StreamOrTable) -> RelationKind {
    match kind {
        StreamOrTable::Stream => RelationKind::Stream,
        StreamOrTable::Table => RelationKind::Table,
    }
}
