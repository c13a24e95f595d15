//! INSERT INTO … VALUES and INSERT INTO … SELECT.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, RecordBatch, RecordBatchOptions, new_null_array};
use arrow::compute::concat;
use arrow::datatypes::{DataType, Field, Int64Type, Schema};
use datafusion_common::DFSchema;
use datafusion_expr::{Expr, LogicalPlan, Projection, lit};

use super::query::Layout;
use super::{Planner, Target};
use crate::action::Action;
use crate::bind::coerce::Typed;
use crate::bind::expr::Cx;
use crate::bind::scope::Scope;
use crate::bind::{Binder, BoundColumn, BoundQuery, Env, Purpose, internal};
use crate::catalog::{Relation, SYSTEM_COLUMNS};
use crate::error::{ErrorKind, PlanError, Result, Span};
use crate::eval;
use crate::plan::{OnError, Query};
use crate::sql::query::Clauses;
use crate::sql::statement::{InsertQuery, InsertValues};

impl Planner<'_> {
    pub(super) fn insert_values(&mut self, insert: &InsertValues) -> Result<Action> {
        let (relation, _) = self.target(&insert.target)?;
        let time = insert.columns.iter().position(|column| column.value == "ROWTIME");
        let named: Vec<_> = insert.columns.iter().filter(|column| column.value != "ROWTIME").cloned().collect();
        let targets = match insert.columns.is_empty() {
            false if named.is_empty() => vec![],
            _ => self.target_columns(&relation, &named)?,
        };
        let width = targets.len() + usize::from(time.is_some());
        let mut cells: Vec<Vec<ArrayRef>> = vec![vec![]; relation.columns.len()];
        let mut times: Vec<ArrayRef> = vec![];
        for (row, span) in &insert.rows {
            if row.len() != width {
                let message = format!("{} values for {width} columns", row.len());
                return Err(PlanError::new(ErrorKind::Syntax, message).at(*span));
            }
            let mut values = row.clone();
            if let Some(at) = time {
                times.push(self.constant(&values.remove(at), &DataType::Int64, "ROWTIME")?);
            }
            let mut given: Vec<Option<ArrayRef>> = vec![None; relation.columns.len()];
            for (target, value) in targets.iter().zip(&values) {
                let column = &relation.columns[*target];
                given[*target] = Some(self.constant(value, &column.data_type, &column.name)?);
            }
            for ((cells, given), column) in cells.iter_mut().zip(given).zip(&relation.columns) {
                cells.push(given.unwrap_or_else(|| new_null_array(&column.data_type, 1)));
            }
        }
        let rows = batch(&relation, &cells, insert.rows.len())?;
        let row_times = time.map(|_| {
            let time = |cell: &ArrayRef| cell.is_valid(0).then(|| cell.as_primitive::<Int64Type>().value(0));
            times.iter().map(time).collect::<Option<Vec<i64>>>()
        });
        let row_times = match row_times {
            Some(None) => {
                let error = PlanError::new(ErrorKind::TypeMismatch, "ROWTIME cannot be NULL");
                return Err(error.at(insert.target.span));
            }
            Some(times) => times,
            None => None,
        };
        Ok(Action::InsertRows { target: relation.id, rows, row_times })
    }

    /// The value of an expression without columns, as one row.
    fn constant(&mut self, expr: &sqlparser::ast::Expr, to: &DataType, column: &str) -> Result<ArrayRef> {
        let clauses = Clauses::default();
        let mut binder = Binder::new(self.catalog, &self.parsed.positions, &clauses, Purpose::Pull, false);
        binder.shared.now_us = self.now_us;
        let (scope, env) = (Scope::default(), Env::default());
        let span = binder.span(expr);
        let bound = binder.bind_expr(expr, &mut Cx::plain(&scope, &env, "VALUES"))?;
        let bound = bound.cast(to, span).map_err(|error| {
            let detail = format!("The column {column} is {}.", crate::eval::types::type_name(to));
            if error.detail.is_none() { error.detail(detail) } else { error }
        })?;
        let physical = eval::physical(&bound.expr, &DFSchema::empty()).map_err(|_| PlanError {
            span,
            ..PlanError::not_supported("a subquery in VALUES").hint("INSERT INTO … SELECT …")
        })?;
        let options = RecordBatchOptions::new().with_row_count(Some(1));
        let one =
            RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options).map_err(arrow_error)?;
        let value = physical.evaluate(&one).and_then(|value| value.into_array(1));
        value.map_err(|error| PlanError { span, ..PlanError::new(ErrorKind::TypeMismatch, eval::message(&error)) })
    }

    pub(super) fn insert_query(&mut self, insert: &InsertQuery) -> Result<Action> {
        let (relation, target) = self.target(&insert.target)?;
        let targets = self.target_columns(&relation, &insert.columns)?;
        let purpose = if target == Target::Stream { Purpose::Stream } else { Purpose::Pull };
        let bound = self.bind(&insert.query, purpose)?;
        if bound.columns.len() != targets.len() {
            let message = format!("{} columns for {}", bound.columns.len(), targets.len());
            let error = PlanError::new(ErrorKind::TypeMismatch, message).at(insert.query.span);
            return Err(error.detail(format!("{} takes {} columns.", relation.name, targets.len())));
        }
        if target == Target::Stream {
            if !bound.is_stream {
                let error =
                    PlanError::new(ErrorKind::WrongRelationKind, "a STREAM takes events, these rows come and go");
                return Err(error.at(insert.query.span).hint("INSERT INTO a TABLE, or CREATE TABLE … AS"));
            }
            self.no_cycle(&relation, &bound.reads, insert.target.span)?;
        }
        let fitted = fit(&bound, &relation, &targets)?;
        let mut layout = Layout::visible(&fitted);
        let mut key = None;
        if let Some(system) = fitted.system {
            layout.columns.extend(system);
            layout.names.extend(SYSTEM_COLUMNS.iter().map(|(name, _)| (*name).to_string()));
            let keys = relation.columns.iter().enumerate().filter(|(_, column)| column.key);
            let keys: Vec<usize> = keys.map(|(i, _)| i).collect();
            key = (!keys.is_empty()).then_some(keys);
        }
        let (root, _) = self.root(&fitted, &layout, purpose, OnError::DeadLetter)?;
        let query = Query {
            root,
            visible: layout.visible,
            order: vec![],
            key,
            upsert: false,
            stop_after_rows: None,
            reads: bound.reads.clone(),
        };
        Ok(Action::InsertQuery { target: relation.id, query, sql: self.parsed.text.clone() })
    }
}

/// The query with the columns of its target: cast, in order, NULL where it gives none.
fn fit(bound: &BoundQuery, relation: &Relation, targets: &[usize]) -> Result<BoundQuery> {
    let given = bound.logical.schema().columns();
    let mut exprs = vec![];
    let mut columns = vec![];
    for (i, column) in relation.columns.iter().enumerate() {
        let from = targets.iter().position(|target| *target == i);
        let span: Option<Span> = from.and_then(|at| bound.columns[at].span);
        let typed = match from {
            Some(at) => Typed::new(Expr::Column(given[at].clone()), bound.columns[at].data_type.clone()),
            None => Typed::new(lit(datafusion_common::ScalarValue::Null), DataType::Null),
        };
        let cast = typed.cast(&column.data_type, span).map_err(|error| {
            let detail = format!("The column {} is {}.", column.name, crate::eval::types::type_name(&column.data_type));
            error.detail(detail)
        })?;
        exprs.push(crate::bind::named(cast.expr, &crate::bind::column("#target", column.name.clone())));
        columns.push(BoundColumn {
            name: column.name.clone(),
            data_type: column.data_type.clone(),
            span,
            unnamed: false,
        });
    }
    let n = columns.len();
    let carried = bound.system.iter().flatten();
    exprs.extend(carried.map(|i| Expr::Column(given[*i].clone())));
    let plan = Projection::try_new(exprs, Arc::new(bound.logical.clone())).map_err(|error| internal(&error))?;
    Ok(BoundQuery {
        logical: LogicalPlan::Projection(plan),
        columns,
        system: bound.system.map(|_| [n, n + 1, n + 2, n + 3]),
        key: None,
        message_key: vec![],
        window: None,
        order: vec![],
        ..bound.clone()
    })
}

fn batch(relation: &Relation, cells: &[Vec<ArrayRef>], n_rows: usize) -> Result<RecordBatch> {
    let field = |column: &crate::catalog::Column| Field::new(&column.name, column.data_type.clone(), true);
    let schema = Arc::new(Schema::new(relation.columns.iter().map(field).collect::<Vec<_>>()));
    let columns = cells.iter().map(|cells| {
        let cells: Vec<&dyn Array> = cells.iter().map(AsRef::as_ref).collect();
        concat(&cells)
    });
    let columns: Vec<ArrayRef> = columns.collect::<std::result::Result<_, _>>().map_err(arrow_error)?;
    let options = RecordBatchOptions::new().with_row_count(Some(n_rows));
    RecordBatch::try_new_with_options(schema, columns, &options).map_err(arrow_error)
}

fn arrow_error(error: arrow::error::ArrowError) -> PlanError {
    PlanError::new(ErrorKind::Internal, "rows of VALUES do not fit their columns").detail(error.to_string())
}
