//! Statement to logical plan: names, types, windows, joins.
//!
//! In goes a parsed query and the [`Catalog`]; out comes a [`BoundQuery`], whose plan says what the query means and
//! nothing about how it is maintained. Every name is resolved, every operand has its operator's type, every subquery is
//! still an expression. A reference evaluator can run it as it stands.
//!
//! # The bound plan
//! A DataFusion plan of `TableScan` (its source is a [`RelationSource`]), `Projection`, `Filter`, `Join`, `Aggregate`
//! (over columns only; its functions are [`Aggregate`](crate::function::aggregate::Aggregate)), `Union`, `Distinct`,
//! `Values`, `EmptyRelation`, `SubqueryAlias`, `Subquery` (lateral) and the nodes of [`logical`](crate::logical).
//! Column names in it are unique within the statement; the names that a user sees are in [`BoundQuery::columns`].
//! [`eval::physical`](crate::eval::physical) evaluates its expressions.
//!
//! Errors carry the place where the user wrote what is wrong. Nothing here says what DataFusion says.

pub(crate) mod aggregate;
pub(crate) mod bounds;
pub mod coerce;
pub(crate) mod expr;
pub(crate) mod from;
pub(crate) mod group_by;
pub(crate) mod grouping;
pub(crate) mod grouping_sets;
pub(crate) mod items;
pub(crate) mod join;
pub(crate) mod names;
pub(crate) mod numbered;
pub(crate) mod order;
pub(crate) mod query;
pub(crate) mod repair;
pub(crate) mod scope;
pub(crate) mod select;
pub(crate) mod set_operation;
pub mod source;
pub(crate) mod table_function;
pub(crate) mod unnest;
pub(crate) mod values;
pub(crate) mod window;

use std::collections::HashSet;
use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_common::{Column, DataFusionError, TableReference};
use datafusion_expr::logical_plan::Union;
use datafusion_expr::{Expr, LogicalPlan, Projection};
use sqlparser::ast::Spanned;

pub use source::RelationSource;

use crate::catalog::{Catalog, RelationId};
use crate::error::{ErrorKind, PlanError, Result, Span};
use crate::sql::position::Positions;
use crate::sql::query::{Clauses, EmitMode, StreamingQuery};
use scope::Scope;

/// What a query is for; it decides what a stream beside a table means and how columns are named.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// Answered once.
    Pull,
    /// SELECT … EMIT.
    Push,
    /// CSAS, INSERT INTO a stream.
    Stream,
    /// CTAS.
    Table,
    /// CREATE MATERIALIZED VIEW, CREATE VIEW.
    View,
}

impl Purpose {
    /// Whether only the stream side of a stream–table join makes output.
    pub fn joins_as_of(self) -> bool {
        matches!(self, Purpose::Push | Purpose::Stream | Purpose::Table)
    }
}

/// A query whose names and types are resolved.
#[derive(Clone, Debug)]
pub struct BoundQuery {
    /// What it means. Its columns: `columns`, then hidden ones.
    pub logical: LogicalPlan,
    /// The columns that a reader sees, first in the plan.
    pub columns: Vec<BoundColumn>,
    /// Positions in the plan of ROWTIME, ROWPARTITION, ROWOFFSET, ROWLANETIME, if the result is a stream.
    pub system: Option<[usize; 4]>,
    /// Positions in the plan of columns that are unique in it.
    pub key: Option<Vec<usize>>,
    /// Positions in the plan of the columns by which a stream's records are partitioned.
    pub message_key: Vec<usize>,
    /// Positions in the plan of WINDOWSTART and WINDOWEND, if the result is windowed.
    pub window: Option<(usize, usize)>,
    /// The result only grows, and its rows are events.
    pub is_stream: bool,
    /// It is one keyed table, filtered and projected.
    pub is_table_scan: bool,
    /// Order of a finished answer: position, descending, NULLs first.
    pub order: Vec<(usize, bool, bool)>,
    /// LIMIT without ORDER BY of a push query.
    pub stop_after_rows: Option<usize>,
    /// Relations that it reads, views expanded.
    pub reads: Vec<RelationId>,
    /// Views whose texts are in it.
    pub inlined: Vec<RelationId>,
    /// Base sources that rule its stream time.
    pub time_sources: Vec<RelationId>,
    /// Warnings.
    pub warnings: Vec<PlanError>,
}

/// A column that a reader sees.
#[derive(Clone, Debug, PartialEq)]
pub struct BoundColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    pub data_type: DataType,
    /// The expression that makes it.
    pub span: Option<Span>,
    /// It has no name of its own: `KSQL_COL_n` or `?column?` was given.
    pub unnamed: bool,
}

/// Binds a query.
///
/// # Errors
/// What is wrong with it, at its place.
pub fn bind_query(
    query: &StreamingQuery,
    positions: &Arc<Positions>,
    catalog: &Catalog,
    purpose: Purpose,
) -> Result<BoundQuery> {
    bind_query_at(query, positions, catalog, purpose, None)
}

/// Binds a query that is answered at a moment, µs since 1970-01-01 UTC: what NOW() means in it.
///
/// # Errors
/// What is wrong with it, at its place.
pub fn bind_query_at(
    query: &StreamingQuery,
    positions: &Arc<Positions>,
    catalog: &Catalog,
    purpose: Purpose,
    now_us: Option<i64>,
) -> Result<BoundQuery> {
    let emit_final = query.emit.is_some_and(|emit| emit.mode == EmitMode::Final);
    let mut binder = Binder::new(catalog, positions, &query.clauses, purpose, emit_final);
    binder.shared.now_us = now_us;
    let mut bound = binder.bind_top(query)?;
    bound.warnings = std::mem::take(&mut binder.shared.warnings);
    Ok(bound)
}

/// The state of binding one text.
pub(crate) struct Binder<'a> {
    pub(crate) catalog: &'a Catalog,
    pub(crate) positions: &'a Arc<Positions>,
    pub(crate) clauses: &'a Clauses,
    pub(crate) purpose: Purpose,
    pub(crate) emit_final: bool,
    /// PARTITION BY, until the outermost SELECT takes it.
    pub(crate) partition_by: Vec<sqlparser::ast::Expr>,
    pub(crate) shared: Shared,
}

/// The state that the texts of inlined views share with their reader's.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    names: HashSet<String>,
    /// What time it is.
    pub(crate) now_us: Option<i64>,
    pub(crate) warnings: Vec<PlanError>,
    pub(crate) reads: Vec<RelationId>,
    pub(crate) inlined: Vec<RelationId>,
    pub(crate) views: Vec<String>,
    pub(crate) depth: usize,
}

/// What is around a query: CTEs, and the scopes that a correlated subquery may name.
#[derive(Clone, Default)]
pub(crate) struct Env<'e> {
    pub(crate) ctes: Vec<(String, Arc<query::Bound>)>,
    pub(crate) outer: Option<Outer<'e>>,
}

/// The scope of the query around, and its own.
#[derive(Clone, Copy)]
pub(crate) struct Outer<'e> {
    pub(crate) scope: &'e Scope,
    pub(crate) env: &'e Env<'e>,
}

/// Queries may be nested this deep.
pub(crate) const QUERY_DEPTH_MAX: usize = 40;

impl<'a> Binder<'a> {
    pub(crate) fn new(
        catalog: &'a Catalog,
        positions: &'a Arc<Positions>,
        clauses: &'a Clauses,
        purpose: Purpose,
        emit_final: bool,
    ) -> Self {
        Binder { catalog, positions, clauses, purpose, emit_final, partition_by: vec![], shared: Shared::default() }
    }

    /// A name that no column or relation of the plan has yet: `base`, or `base:2` and so on.
    pub(crate) fn fresh(&mut self, base: &str) -> String {
        let mut name = base.to_string();
        let mut n = 1;
        while !self.shared.names.insert(name.clone()) {
            n += 1;
            name = format!("{base}:{n}");
        }
        name
    }

    /// Where a tree of sqlparser's was written.
    pub(crate) fn span(&self, tree: &impl Spanned) -> Option<Span> {
        self.positions.span(tree.span())
    }

    /// Where a name was written.
    pub(crate) fn ident_span(&self, ident: &sqlparser::ast::Ident) -> Option<Span> {
        self.positions.span(ident.span)
    }

    /// The text of a span.
    pub(crate) fn text(&self, span: Span) -> &str {
        self.positions.text().get(span.start..span.end).unwrap_or_default()
    }

    /// Notes a warning.
    pub(crate) fn warn(&mut self, warning: PlanError) {
        if !self.shared.warnings.contains(&warning) {
            self.shared.warnings.push(warning);
        }
    }

    /// Notes that the query reads a relation.
    pub(crate) fn read(&mut self, relation: RelationId) {
        if !self.shared.reads.contains(&relation) {
            self.shared.reads.push(relation);
        }
    }
}

/// A text that is one query: a view's, or one of ours.
pub(crate) fn parse_query(sql: &str) -> Result<(StreamingQuery, Arc<Positions>)> {
    let parsed = crate::sql::parse_statement(sql)?;
    match parsed.statement {
        crate::sql::statement::Statement::Query(query) => Ok((query, parsed.positions)),
        _ => Err(PlanError::new(ErrorKind::Syntax, "the text is not a query").at(parsed.span)),
    }
}

/// A contradiction inside the planner: what DataFusion found wrong with a plan that binding made.
pub(crate) fn internal(error: &DataFusionError) -> PlanError {
    PlanError::new(ErrorKind::Internal, "the planner made a plan that contradicts itself")
        .detail(error.strip_backtrace().to_string())
        .hint("this is a bug; please report it with the statement")
}

/// A column under a qualifier, both as they are.
pub(crate) fn column(qualifier: &str, name: impl Into<String>) -> Column {
    Column::new(Some(TableReference::bare(qualifier)), name)
}

/// An expression as the column that it makes.
pub(crate) fn named(expr: Expr, column: &Column) -> Expr {
    expr.alias_qualified(column.relation.clone(), column.name.clone())
}

/// The rows of all inputs, whose columns correspond by position, as these columns.
///
/// DataFusion's unions have columns without qualifiers, which must be the names of no other column; a projection above
/// gives them theirs.
pub(crate) fn union_of(inputs: Vec<LogicalPlan>, columns: &[Column]) -> Result<LogicalPlan> {
    let bare = |column: &Column| match &column.relation {
        Some(relation) => format!("{}.{}", relation.table(), column.name),
        None => column.name.clone(),
    };
    let mut projected = vec![];
    for input in inputs {
        let own = input.schema().columns();
        let exprs = own.into_iter().zip(columns).map(|(own, column)| Expr::Column(own).alias(bare(column)));
        let projection = Projection::try_new(exprs.collect(), Arc::new(input)).map_err(|error| internal(&error))?;
        projected.push(Arc::new(LogicalPlan::Projection(projection)));
    }
    let union = match projected.as_slice() {
        [only] => only.as_ref().clone(),
        _ => LogicalPlan::Union(Union::try_new(projected).map_err(|error| internal(&error))?),
    };
    let exprs = columns.iter().map(|c| named(Expr::Column(Column::new_unqualified(bare(c))), c)).collect();
    let projection = Projection::try_new(exprs, Arc::new(union)).map_err(|error| internal(&error))?;
    Ok(LogicalPlan::Projection(projection))
}

/// The position of a column in a plan.
pub(crate) fn position(plan: &LogicalPlan, column: &Column) -> Result<usize> {
    plan.schema().index_of_column(column).map_err(|error| internal(&error))
}
