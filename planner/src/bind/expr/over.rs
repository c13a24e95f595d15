//! Window functions: ROW_NUMBER() OVER (PARTITION BY … ORDER BY …), as an item of SELECT.
//!
//! A call is noted as a [`RowNumber`] and stands there as a column of its own until the rows are numbered
//! ([`numbered`](crate::bind::numbered)). Other window functions are refused.

use datafusion_common::Column;
use datafusion_expr::Expr;
use sqlparser::ast;

use super::Cx;
use crate::bind::coerce::{Typed, at};
use crate::bind::order::{SortItem, direction};
use crate::bind::{Binder, column};
use crate::error::{PlanError, Result, Span};

/// Qualifier of the columns that stand for the numbers of rows.
pub(crate) const NUMBER: &str = "#number";

/// A call of ROW_NUMBER, with the column that stands for its result.
#[derive(Clone, Debug)]
pub(crate) struct RowNumber {
    pub(crate) partition: Vec<Expr>,
    pub(crate) order: Vec<SortItem>,
    pub(crate) column: Column,
    pub(crate) span: Option<Span>,
}

/// Whether a column stands for the number of a row.
pub(crate) fn is_number_of_row(column: &Column) -> bool {
    column.relation.as_ref().is_some_and(|relation| relation.table() == NUMBER)
}

impl Binder<'_> {
    /// A call with OVER.
    pub(crate) fn bind_over(
        &mut self,
        name: &str,
        call: &ast::Function,
        over: &ast::WindowType,
        span: Option<Span>,
        cx: &mut Cx<'_>,
    ) -> Result<Typed> {
        let refused = |what: &str| at(PlanError::not_supported(what), span);
        let ast::WindowType::WindowSpec(spec) = over else { return Err(refused("a window with a name (OVER w)")) };
        if name != "row_number" {
            let error = refused("window functions (OVER) but ROW_NUMBER()");
            return Err(error.hint("WINDOW TUMBLING, HOPPING and SESSION group a stream by time"));
        }
        if spec.window_name.is_some() || spec.window_frame.is_some() {
            return Err(refused("ROW_NUMBER() over a window with a name or a frame"));
        }
        if !self.call_args(call, span)?.is_empty() || call.filter.is_some() || call.null_treatment.is_some() {
            return Err(refused("ROW_NUMBER with arguments, FILTER or IGNORE NULLS"));
        }
        let Some(numbers) = cx.row_numbers.take() else {
            let error = refused(&format!("ROW_NUMBER() in {}", cx.place));
            return Err(error.hint("number the rows in a subquery in FROM, then name the column"));
        };
        let bound = self.bind_window_spec(spec, cx);
        let result = bound.map(|(partition, order)| {
            let column = column(NUMBER, self.fresh("ROW_NUMBER"));
            numbers.push(RowNumber { partition, order, column: column.clone(), span });
            Typed::new(Expr::Column(column), arrow::datatypes::DataType::Int64)
        });
        cx.row_numbers = Some(numbers);
        result
    }

    fn bind_window_spec(&mut self, spec: &ast::WindowSpec, cx: &mut Cx<'_>) -> Result<(Vec<Expr>, Vec<SortItem>)> {
        let mut partition = vec![];
        for key in &spec.partition_by {
            partition.push(self.bind_expr(key, cx)?.expr);
        }
        let mut order = vec![];
        for key in &spec.order_by {
            let expr = self.bind_expr(&key.expr, cx)?.expr;
            let (descending, nulls_first) = direction(&key.options);
            order.push(SortItem { expr, descending, nulls_first, span: self.span(&key.expr) });
        }
        Ok((partition, order))
    }
}
