//! A query: WITH, its body, ORDER BY, LIMIT.
//!
//! [`Bound`] is what every query makes, nested or not: a plan whose first columns are visible and whose others are
//! carried along (event time of a stream, keys of a table), and what is known of its rows.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_common::Column;
use datafusion_expr::LogicalPlan;
use sqlparser::ast;

use super::scope::ScopeColumn;
use super::{Binder, BoundColumn, BoundQuery, Env, Purpose, QUERY_DEPTH_MAX, position};
use crate::catalog::RelationId;
use crate::error::{ErrorKind, PlanError, Result, Span};
use crate::sql::name::fold;
use crate::sql::query::StreamingQuery;

/// Whether rows are events or a state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Nature {
    /// Events: it only grows.
    Stream,
    /// A state: rows come and go.
    Table,
}

/// What is known of a plan's rows.
#[derive(Clone, Debug)]
pub(crate) struct Facts {
    /// Events or state.
    pub(crate) nature: Nature,
    /// Of a stream: ROWTIME, ROWPARTITION, ROWOFFSET, ROWLANETIME.
    pub(crate) system: Option<[Column; 4]>,
    /// Columns that are unique.
    pub(crate) key: Option<Vec<Column>>,
    /// Of a stream: the columns by which its records are partitioned.
    pub(crate) message_key: Vec<Column>,
    /// WINDOWSTART and WINDOWEND.
    pub(crate) window: Option<[Column; 2]>,
    /// Base sources that rule its stream time.
    pub(crate) time_sources: Vec<RelationId>,
    /// It is one keyed table, filtered and projected.
    pub(crate) is_table_scan: bool,
}

impl Facts {
    /// Rows of which nothing is known.
    pub(crate) fn state() -> Self {
        Facts {
            nature: Nature::Table,
            system: None,
            key: None,
            message_key: vec![],
            window: None,
            time_sources: vec![],
            is_table_scan: false,
        }
    }

    /// The columns that must be carried along, each once.
    pub(crate) fn carried(&self) -> Vec<Column> {
        let system = self.system.iter().flatten();
        let all = system.chain(self.key.iter().flatten()).chain(&self.message_key).chain(self.window.iter().flatten());
        let mut carried: Vec<Column> = vec![];
        for column in all {
            if !carried.contains(column) {
                carried.push(column.clone());
            }
        }
        carried
    }

    /// The same facts of a plan that calls its columns otherwise. A fact whose columns are gone goes too.
    pub(crate) fn rename(self, rename: impl Fn(&Column) -> Option<Column>) -> Facts {
        let all = |columns: Vec<Column>| columns.iter().map(&rename).collect::<Option<Vec<Column>>>();
        Facts {
            system: self.system.and_then(|columns| all(columns.to_vec())?.try_into().ok()),
            key: self.key.and_then(all),
            message_key: all(self.message_key).unwrap_or_default(),
            window: self.window.and_then(|columns| all(columns.to_vec())?.try_into().ok()),
            ..self
        }
    }
}

/// A visible column of a query.
#[derive(Clone, Debug)]
pub(crate) struct Output {
    /// As a user sees it.
    pub(crate) name: String,
    /// In the plan.
    pub(crate) column: Column,
    /// Its type.
    pub(crate) data_type: DataType,
    /// Where it was written.
    pub(crate) span: Option<Span>,
    /// Its name was given by us.
    pub(crate) unnamed: bool,
}

/// A key of an order.
#[derive(Clone, Debug)]
pub(crate) struct OrderKey {
    pub(crate) column: Column,
    pub(crate) descending: bool,
    pub(crate) nulls_first: bool,
}

/// A bound query.
#[derive(Clone, Debug)]
pub(crate) struct Bound {
    pub(crate) plan: LogicalPlan,
    /// The first columns of the plan.
    pub(crate) outputs: Vec<Output>,
    pub(crate) facts: Facts,
    /// ORDER BY that nothing has used yet.
    pub(crate) order: Vec<OrderKey>,
    /// LIMIT that ends a push query.
    pub(crate) stop_after_rows: Option<usize>,
}

impl Bound {
    /// The names by which a query around may call the columns, under an alias.
    pub(crate) fn scope_columns(&self, alias: Option<&str>) -> Vec<ScopeColumn> {
        let column = |output: &Output| ScopeColumn {
            relation: alias.map(str::to_string),
            name: output.name.clone(),
            column: output.column.clone(),
            data_type: output.data_type.clone(),
            hidden: false,
            merged: false,
        };
        self.outputs.iter().map(column).collect()
    }
}

impl Binder<'_> {
    /// The query of a statement.
    pub(crate) fn bind_top(&mut self, query: &StreamingQuery) -> Result<BoundQuery> {
        if let (Some(span), false) = (query.partition_by_span, self.purpose == Purpose::Stream) {
            let error = PlanError::new(ErrorKind::InvalidDefinition, "PARTITION BY is for streams").at(span);
            return Err(error.detail("The rows of a table are partitioned by its primary key."));
        }
        self.partition_by = query.partition_by.clone();
        let bound = self.bind_query(&query.query, &Env::default(), true)?;
        if let (Some(span), false) = (query.partition_by_span, self.partition_by.is_empty()) {
            return Err(PlanError::not_supported("PARTITION BY behind a set operation").at(span));
        }
        let plan = &bound.plan;
        let positions = |columns: &[Column]| columns.iter().map(|c| position(plan, c)).collect::<Result<Vec<usize>>>();
        let facts = &bound.facts;
        let system = match &facts.system {
            Some(columns) => positions(columns)?.try_into().ok(),
            None => None,
        };
        let window = match &facts.window {
            Some([start, end]) => Some((position(plan, start)?, position(plan, end)?)),
            None => None,
        };
        let order = bound.order.iter().map(|o| Ok((position(plan, &o.column)?, o.descending, o.nulls_first)));
        Ok(BoundQuery {
            columns: bound.outputs.iter().map(bound_column).collect(),
            system,
            key: facts.key.as_deref().map(positions).transpose()?,
            message_key: positions(&facts.message_key)?,
            window,
            is_stream: facts.nature == Nature::Stream,
            is_table_scan: facts.is_table_scan,
            order: order.collect::<Result<_>>()?,
            stop_after_rows: bound.stop_after_rows,
            reads: std::mem::take(&mut self.shared.reads),
            inlined: std::mem::take(&mut self.shared.inlined),
            time_sources: facts.time_sources.clone(),
            warnings: vec![],
            logical: bound.plan,
        })
    }

    /// A query at any depth; `top`: its columns are the statement's.
    pub(crate) fn bind_query(&mut self, query: &ast::Query, env: &Env<'_>, top: bool) -> Result<Bound> {
        if self.shared.depth >= QUERY_DEPTH_MAX {
            let message = format!("queries are nested more than {QUERY_DEPTH_MAX} deep");
            let mut error = PlanError::new(ErrorKind::TooComplex, message);
            error.span = self.span(query);
            return Err(error.hint("give the inner queries names with CREATE VIEW"));
        }
        self.shared.depth += 1;
        let bound = self.bind_query_within_depth(query, env, top);
        self.shared.depth -= 1;
        bound
    }

    fn bind_query_within_depth(&mut self, query: &ast::Query, env: &Env<'_>, top: bool) -> Result<Bound> {
        self.refuse_rare_clauses(query)?;
        let mut inner = env.clone();
        if let Some(with) = &query.with {
            self.bind_with(with, &mut inner)?;
        }
        let bound = match &*query.body {
            ast::SetExpr::Select(select) => self.bind_select(select, query.order_by.as_ref(), &inner, top)?,
            body => {
                let bound = self.bind_set_expr(body, &inner, top)?;
                self.order_outputs(bound, query.order_by.as_ref())?
            }
        };
        self.bind_limit(bound, query, top)
    }

    fn refuse_rare_clauses(&self, query: &ast::Query) -> Result<()> {
        let what = match query {
            q if !q.locks.is_empty() => "FOR UPDATE and FOR SHARE",
            q if q.for_clause.is_some() => "FOR XML, FOR JSON and FOR BROWSE",
            q if q.settings.is_some() => "SETTINGS in a query",
            q if q.format_clause.is_some() => "FORMAT in a query",
            q if !q.pipe_operators.is_empty() => "pipe operators",
            _ => return Ok(()),
        };
        let mut error = PlanError::not_supported(what);
        error.span = self.span(query);
        Err(error)
    }

    fn bind_with(&mut self, with: &ast::With, env: &mut Env<'_>) -> Result<()> {
        if with.recursive {
            let mut error = PlanError::not_supported("WITH RECURSIVE");
            error.span = self.span(with);
            return Err(error);
        }
        let outside = env.ctes.len();
        for cte in &with.cte_tables {
            let name = fold(&cte.alias.name);
            if env.ctes[outside..].iter().any(|(other, _)| *other == name) {
                let message = format!("WITH has two queries called {name}");
                let mut error = PlanError::new(ErrorKind::DuplicateRelation, message);
                error.span = self.ident_span(&cte.alias.name);
                return Err(error);
            }
            let mut bound = self.bind_query(&cte.query, env, false)?;
            self.rename_outputs(&mut bound, &cte.alias.columns)?;
            env.ctes.push((name, Arc::new(bound)));
        }
        Ok(())
    }

    /// Gives the first columns the names of an alias's list.
    pub(crate) fn rename_outputs(&self, bound: &mut Bound, names: &[ast::TableAliasColumnDef]) -> Result<()> {
        if names.len() > bound.outputs.len() {
            let message = format!("{} names for {} columns", names.len(), bound.outputs.len());
            let mut error = PlanError::new(ErrorKind::InvalidDefinition, message);
            error.span = names.get(bound.outputs.len()).and_then(|n| self.ident_span(&n.name));
            return Err(error);
        }
        for (output, name) in bound.outputs.iter_mut().zip(names) {
            output.name = fold(&name.name);
            output.unnamed = false;
        }
        Ok(())
    }
}

fn bound_column(output: &Output) -> BoundColumn {
    BoundColumn {
        name: output.name.clone(),
        data_type: output.data_type.clone(),
        span: output.span,
        unnamed: output.unnamed,
    }
}
