//! Filter and project: side by side they are one.
//!
//! A map over a map becomes one map unless that would compute an expression twice; a map that changes nothing
//! disappears.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion_common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion_expr::Operator;
use datafusion_physical_expr::expressions::{BinaryExpr, Column, Literal};

use super::{Lower, Lowered, Windowed, renamed};
use crate::plan::{Expr, Node, Op};

impl Lower {
    /// Keeps the rows for which `predicate` is TRUE.
    pub(super) fn filter(&self, input: Lowered, predicate: Expr) -> Lowered {
        let schema = Arc::clone(&input.node.schema);
        let exprs = identity(&schema);
        self.map(input, Some(predicate), exprs, schema)
    }

    /// Filters, then projects.
    pub(super) fn map(&self, input: Lowered, filter: Option<Expr>, exprs: Vec<Expr>, schema: SchemaRef) -> Lowered {
        let n_input = input.node.schema.fields().len();
        let is_identity = exprs.len() == n_input && exprs.iter().enumerate().all(|(i, e)| column_index(e) == Some(i));
        if filter.is_none() && is_identity {
            return renamed(input, schema);
        }
        let place = |of: usize| exprs.iter().position(|expr| column_index(expr) == Some(of));
        let window = input.window.and_then(|window| {
            Some(Windowed { start: place(window.start)?, end: place(window.end)?, closing: window.closing })
        });
        let unique_key = input.node.unique_key.clone().and_then(|key| key.into_iter().map(place).collect());
        let append_only = input.node.append_only;
        let (below, filter, exprs) = self.fuse(input.node, filter, exprs);
        let op = Op::Map { input: Box::new(below), filter, exprs, on_error: self.settings.on_error };
        Lowered { is_stream: input.is_stream, window, ..self.table(op, schema, append_only, unique_key) }
    }

    /// The map over the input of `input`, if that is a map too.
    fn fuse(&self, input: Node, filter: Option<Expr>, exprs: Vec<Expr>) -> (Node, Option<Expr>, Vec<Expr>) {
        let Op::Map { exprs: inner, filter: inner_filter, .. } = &input.op else {
            return (input, filter, exprs);
        };
        let mut uses = vec![0_usize; inner.len()];
        for expr in exprs.iter().chain(&filter) {
            count_uses(expr, &mut uses);
        }
        let costs_twice = inner.iter().zip(&uses).any(|(expr, uses)| *uses > 1 && !is_cheap(expr));
        let substitute = |expr: &Expr| substitute(expr, inner);
        let exprs_over: Option<Vec<Expr>> = exprs.iter().map(substitute).collect();
        let filter_over = filter.as_ref().map(substitute);
        let (Some(exprs_over), false, false) = (exprs_over, costs_twice, filter_over == Some(None)) else {
            return (input, filter, exprs);
        };
        let filter_over = match (inner_filter.clone(), filter_over.flatten()) {
            (Some(first), Some(then)) => Some(Arc::new(BinaryExpr::new(first, Operator::And, then)) as Expr),
            (first, then) => first.or(then),
        };
        match input.op {
            Op::Map { input: below, .. } => (*below, filter_over, exprs_over),
            _ => (input, filter, exprs),
        }
    }
}

/// Every column as it is.
pub(super) fn identity(schema: &SchemaRef) -> Vec<Expr> {
    schema.fields().iter().enumerate().map(|(i, field)| Arc::new(Column::new(field.name(), i)) as Expr).collect()
}

/// The column `i` of `schema`.
pub(super) fn column(schema: &SchemaRef, i: usize) -> Expr {
    Arc::new(Column::new(schema.field(i).name(), i))
}

/// The position that an expression reads, if it is a column.
pub(super) fn column_index(expr: &Expr) -> Option<usize> {
    expr.downcast_ref::<Column>().map(Column::index)
}

fn is_cheap(expr: &Expr) -> bool {
    column_index(expr).is_some() || expr.downcast_ref::<Literal>().is_some()
}

fn count_uses(expr: &Expr, uses: &mut [usize]) {
    // the closure never fails
    let _ = expr.apply(|expr| {
        if let Some(used) = column_index(expr).and_then(|i| uses.get_mut(i)) {
            *used += 1;
        }
        Ok(TreeNodeRecursion::Continue)
    });
}

/// The expression with its columns replaced by what makes them.
fn substitute(expr: &Expr, inner: &[Expr]) -> Option<Expr> {
    let replaced = Arc::clone(expr).transform_down(|expr| {
        Ok(match column_index(&expr).and_then(|i| inner.get(i)) {
            Some(made) => Transformed::new(Arc::clone(made), true, TreeNodeRecursion::Jump),
            None => Transformed::no(expr),
        })
    });
    replaced.data().ok()
}
