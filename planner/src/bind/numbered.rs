//! ROW_NUMBER: the rows of a SELECT with their places.
//!
//! Rows are numbered behind grouping and before ORDER BY. Ties of the order are broken by the remaining columns of the
//! list, so that the numbers are a function of the data. What is made is the first rows of each partition without a
//! limit; a condition on the number becomes one when the plan is rewritten.

use std::sync::Arc;

use datafusion_expr::{Expr, LogicalPlan, Projection};
use sqlparser::ast;

use super::coerce::at;
use super::expr::over::{RowNumber, is_number_of_row};
use super::items::Item;
use super::query::{OrderKey, Output};
use super::select::{Columns, total_order};
use super::{Binder, internal};
use crate::error::{PlanError, Result};
use crate::logical::Node;
use crate::logical::top_k::TopK;

/// What numbers the rows, as columns of the projection below.
pub(super) struct Numbering {
    partition: Vec<Expr>,
    order: Vec<OrderKey>,
    number: RowNumber,
}

impl Binder<'_> {
    /// The one ROW_NUMBER of a SELECT, if there is one and it stands where it may.
    pub(super) fn row_number(
        &self,
        mut numbers: Vec<RowNumber>,
        items: &[Item],
        select: &ast::Select,
        explodes: bool,
    ) -> Result<Option<RowNumber>> {
        let Some(number) = numbers.pop() else { return Ok(None) };
        let refused = |what: &str| at(PlanError::not_supported(what), number.span);
        if !numbers.is_empty() {
            return Err(refused("a second ROW_NUMBER() in one SELECT").hint("number the rows in a subquery in FROM"));
        }
        if select.distinct.is_some() || explodes {
            let error = refused("ROW_NUMBER() beside DISTINCT or EXPLODE");
            return Err(error.hint("number the rows in a subquery in FROM"));
        }
        let part_of = |item: &Item| match &item.typed.expr {
            Expr::Column(_) => false,
            expr => expr.column_refs().into_iter().any(is_number_of_row),
        };
        if items.iter().any(part_of) {
            let error = refused("ROW_NUMBER() inside of an expression");
            return Err(error.hint("number the rows in a subquery in FROM, then name the column"));
        }
        Ok(Some(number))
    }

    /// The columns that the numbering needs.
    pub(super) fn numbering(&self, number: RowNumber, columns: &mut Columns) -> Numbering {
        let partition = number.partition.iter().map(|key| Expr::Column(columns.column(key, "PARTITION"))).collect();
        let order = number.order.iter().map(|key| OrderKey {
            column: columns.column(&key.expr, "NUMBER"),
            descending: key.descending,
            nulls_first: key.nulls_first,
        });
        let order = order.collect();
        Numbering { partition, order, number }
    }

    /// The rows of `plan` with their numbers: the visible columns first.
    pub(super) fn number_rows(
        &self,
        plan: LogicalPlan,
        numbering: Numbering,
        outputs: &[Output],
    ) -> Result<LogicalPlan> {
        let order = total_order(&plan, &numbering.order);
        let below = plan.schema().columns();
        let rank = Some(numbering.number.column);
        let op = TopK { partition: numbering.partition, order, offset: 0, limit: None, rank };
        let numbered = Node::plan(op, vec![plan]).map_err(|error| internal(&error))?;
        let visible = outputs.iter().map(|output| output.column.clone());
        let hidden = below.into_iter().filter(|column| !outputs.iter().any(|output| output.column == *column));
        let exprs = visible.chain(hidden).map(Expr::Column).collect();
        let projection = Projection::try_new(exprs, Arc::new(numbered)).map_err(|error| internal(&error))?;
        Ok(LogicalPlan::Projection(projection))
    }
}
