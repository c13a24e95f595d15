//! VALUES as a query.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use datafusion_common::{DFSchema, TableReference};
use datafusion_expr::LogicalPlan;
use datafusion_expr::logical_plan::Values;
use sqlparser::ast;

use super::coerce::{at, common_of_all};
use super::expr::Cx;
use super::query::{Bound, Facts, Output};
use super::scope::Scope;
use super::{Binder, Env, column, internal};
use crate::error::{ErrorKind, PlanError, Result};

impl Binder<'_> {
    /// Rows as they are written; their columns are COLUMN1, COLUMN2 and so on.
    pub(crate) fn bind_values(&mut self, values: &ast::Values, env: &Env<'_>) -> Result<Bound> {
        let scope = Scope::default();
        let width = values.rows.first().map_or(0, |row| row.content.len());
        let mut columns: Vec<Vec<_>> = vec![vec![]; width];
        let mut spans: Vec<Vec<_>> = vec![vec![]; width];
        for row in &values.rows {
            let row = &row.content;
            if row.len() != width {
                let message = format!("a row of {} values among rows of {width}", row.len());
                let span = row.first().and_then(|expr| self.span(expr));
                return Err(at(PlanError::new(ErrorKind::Syntax, message), span));
            }
            for (i, expr) in row.iter().enumerate() {
                let mut cx = Cx::plain(&scope, env, "VALUES");
                columns[i].push(self.bind_expr(expr, &mut cx)?);
                spans[i].push(self.span(expr));
            }
        }
        let qualifier = self.fresh("VALUES");
        let mut fields = vec![];
        let mut outputs = vec![];
        let mut rows = vec![vec![]; values.rows.len()];
        for (i, cells) in columns.into_iter().enumerate() {
            let data_type = common_of_all(&cells, &spans[i])?;
            let data_type = if data_type == DataType::Null { DataType::Utf8 } else { data_type };
            let name = format!("COLUMN{}", i + 1);
            let made = column(&qualifier, &name);
            fields.push(Field::new(&name, data_type.clone(), true));
            for (r, typed) in cells.into_iter().enumerate() {
                rows[r].push(typed.cast(&data_type, spans[i][r])?.expr);
            }
            outputs.push(Output {
                name,
                column: made,
                data_type,
                span: spans[i].first().copied().flatten(),
                unnamed: true,
            });
        }
        let schema =
            DFSchema::try_from_qualified_schema(TableReference::bare(qualifier.as_str()), &Schema::new(fields))
                .map_err(|error| internal(&error))?;
        let plan = LogicalPlan::Values(Values { schema: Arc::new(schema), values: rows });
        Ok(Bound { plan, outputs, facts: Facts::state(), order: vec![], stop_after_rows: None })
    }
}
