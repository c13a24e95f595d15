//! What a name may mean at one place of a statement.
//!
//! A [`Scope`] holds the columns of a FROM clause (or of a query's output) with the names that the user may call them
//! by; each stands for a column of the plan, whose own name is unique in the statement and of no interest to a user.
//! Hidden columns (event time, partition, offset, window bounds) are found by name and left out of `*`.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion_common::{Column, Spans};
use datafusion_expr::Expr;

use super::names::{did_you_mean, list};
use crate::catalog::SYSTEM_COLUMNS;
use crate::error::{ErrorKind, PlanError, Result, Span};

/// A column that can be named.
#[derive(Clone, Debug)]
pub(crate) struct ScopeColumn {
    /// Alias of its relation, as the user may write it.
    pub(crate) relation: Option<String>,
    /// Its name.
    pub(crate) name: String,
    /// The plan's column.
    pub(crate) column: Column,
    /// Its type.
    pub(crate) data_type: DataType,
    /// Left out of `*`.
    pub(crate) hidden: bool,
    /// A side of USING or NATURAL: its bare name means the merged column.
    pub(crate) merged: bool,
}

/// A relation of FROM, for messages.
#[derive(Clone, Debug)]
pub(crate) struct ScopeRelation {
    /// Its name or alias.
    pub(crate) name: String,
}

/// Columns and relations that can be named.
#[derive(Clone, Debug, Default)]
pub(crate) struct Scope {
    /// In order of `*`.
    pub(crate) columns: Vec<ScopeColumn>,
    /// In order of FROM.
    pub(crate) relations: Vec<ScopeRelation>,
}

impl Scope {
    /// The scope of both sides of a join.
    pub(crate) fn join(mut self, right: Scope) -> Scope {
        self.columns.extend(right.columns);
        self.relations.extend(right.relations);
        self
    }

    /// The column that `name` means; `None` if there is none.
    pub(crate) fn find(&self, name: &str, span: Option<Span>) -> Result<Option<&ScopeColumn>> {
        let all: Vec<&ScopeColumn> = self.columns.iter().filter(|c| c.name == name && !c.merged).collect();
        let visible: Vec<&ScopeColumn> = all.iter().copied().filter(|c| !c.hidden).collect();
        let found = if visible.is_empty() { all } else { visible };
        match found.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one)),
            many => Err(ambiguous(name, many, span)),
        }
    }

    /// The column that `relation.name` means; `None` if there is no such relation.
    pub(crate) fn find_in(&self, relation: &str, name: &str, span: Option<Span>) -> Result<Option<&ScopeColumn>> {
        let of_relation = || self.columns.iter().filter(|c| c.relation.as_deref() == Some(relation));
        let mut found: Vec<&ScopeColumn> = of_relation().filter(|c| c.name == name).collect();
        if found.iter().any(|c| !c.hidden) {
            found.retain(|c| !c.hidden);
        }
        match found.as_slice() {
            [one] => return Ok(Some(one)),
            [] => {}
            many => return Err(ambiguous(name, many, span)),
        }
        if !self.relations.iter().any(|r| r.name == relation) {
            return Ok(None);
        }
        if let Some(error) = no_event_time(name, relation) {
            return Err(PlanError { span, ..error });
        }
        let names: Vec<&str> = of_relation().filter(|c| !c.hidden).map(|c| c.name.as_str()).collect();
        let mut error = PlanError::new(ErrorKind::UndefinedColumn, format!("{relation} has no column {name}"))
            .detail(format!("{relation} has {}.", list(&names)));
        error.span = span;
        error.hint = did_you_mean(name, names);
        Err(error)
    }

    /// Columns of `*`, or of `relation.*`.
    pub(crate) fn star(&self, relation: Option<&str>) -> Vec<&ScopeColumn> {
        let of = |c: &&ScopeColumn| match relation {
            Some(_) => c.relation.as_deref() == relation,
            None => !c.merged,
        };
        self.columns.iter().filter(|c| !c.hidden).filter(of).collect()
    }

    /// That no column is called `name`.
    pub(crate) fn undefined(&self, name: &str, span: Option<Span>) -> PlanError {
        let relations: Vec<&str> = self.relations.iter().map(|r| r.name.as_str()).collect();
        if let Some(error) = no_event_time(name, &list(&relations)).filter(|_| !relations.is_empty()) {
            return PlanError { span, ..error };
        }
        let names: Vec<&str> = self.columns.iter().filter(|c| !c.merged).map(|c| c.name.as_str()).collect();
        let message = format!("there is no column {name}");
        let mut error = PlanError::new(ErrorKind::UndefinedColumn, message);
        if self.relations.is_empty() {
            error = error.detail("The query has no FROM.");
        } else {
            error = error.detail(format!("FROM has {}.", list(&relations)));
        }
        error.span = span;
        error.hint = did_you_mean(name, names);
        error
    }
}

impl ScopeColumn {
    /// The column as an expression that remembers where it was written.
    pub(crate) fn expr(&self, span: Option<Span>) -> Expr {
        Expr::Column(spanned(self.column.clone(), span))
    }

    /// The column as seen from a subquery below.
    pub(crate) fn outer_expr(&self, span: Option<Span>) -> Expr {
        let field = Arc::new(Field::new(&self.column.name, self.data_type.clone(), true));
        Expr::OuterReferenceColumn(field, spanned(self.column.clone(), span))
    }
}

/// The column with the bytes where it was written: a location of DataFusion's holds the start and the end.
fn spanned(mut column: Column, span: Option<Span>) -> Column {
    column.spans = Spans::new();
    if let Some(span) = span {
        let at = datafusion_common::Location { line: span.start as u64, column: span.end as u64 };
        column.spans.add_span(datafusion_common::Span::new(at, at));
    }
    column
}

/// Where a column was written.
pub(crate) fn span_of(column: &Column) -> Option<Span> {
    let span = column.spans.first()?;
    Some(Span::new(span.start.line as usize, span.start.column as usize))
}

/// What is said of ROWTIME and its like where rows do not carry them.
fn no_event_time(name: &str, relation: &str) -> Option<PlanError> {
    let (system, _) = SYSTEM_COLUMNS[..3].iter().find(|(system, _)| *system == name)?;
    let hint = match *system {
        "ROWTIME" => "MAX(ROWTIME) where the rows are grouped, under a name of its own",
        _ => "select it under a name of its own where the rows come from a source",
    };
    Some(
        PlanError::not_supported(format!("{system} of {relation}"))
            .detail("Streams have it, and tables that a source fills; rows that a query makes of others do not.")
            .hint(hint),
    )
}

fn ambiguous(name: &str, found: &[&ScopeColumn], span: Option<Span>) -> PlanError {
    let places: Vec<String> = found
        .iter()
        .map(|c| match &c.relation {
            Some(relation) => format!("{relation}.{name}"),
            None => name.to_string(),
        })
        .collect();
    let mut error = PlanError::new(ErrorKind::AmbiguousColumn, format!("{name} could be {} columns", found.len()));
    let mut distinct = places.clone();
    distinct.dedup();
    error = match distinct.len() == places.len() {
        true => error.hint(format!("write {}", places.join(" or "))),
        false => error.hint("give the columns different names with AS"),
    };
    error.span = span;
    error
}
