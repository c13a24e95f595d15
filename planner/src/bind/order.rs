//! ORDER BY and LIMIT.
//!
//! An order is of use with LIMIT, and where the answer is printed. With LIMIT it becomes a top-k whose ties are broken
//! by all other columns; LIMIT alone orders by all columns. The LIMIT of a push query without an order counts rows as
//! they come and ends it.

use datafusion_expr::{Expr, LogicalPlan, Projection};
use sqlparser::ast;
use std::sync::Arc;

use super::coerce::{Typed, at};
use super::expr::Cx;
use super::items::Item;
use super::query::{Bound, Facts, Nature, OrderKey};
use super::scope::Scope;
use super::select::total_order;
use super::{Binder, Env, Purpose, internal};
use crate::error::{ErrorKind, PlanError, Result, Span};
use crate::logical::Node;
use crate::logical::top_k::TopK;

/// A key of ORDER BY that is not a column yet.
#[derive(Clone, Debug)]
pub(crate) struct SortItem {
    pub(crate) expr: Expr,
    pub(crate) descending: bool,
    pub(crate) nulls_first: bool,
    pub(crate) span: Option<Span>,
}

impl Binder<'_> {
    /// ORDER BY of a SELECT: over its list first, then over FROM.
    pub(crate) fn bind_order_by(
        &mut self,
        order_by: &ast::OrderBy,
        items: &[Item],
        cx: &mut Cx<'_>,
    ) -> Result<Vec<SortItem>> {
        let exprs = self.order_exprs(order_by)?;
        let mut keys = vec![];
        let Some(exprs) = exprs else {
            let (descending, nulls_first) = direction(all_options(order_by));
            let key =
                |item: &Item| SortItem { expr: item.typed.expr.clone(), descending, nulls_first, span: item.span };
            return Ok(items.iter().map(key).collect());
        };
        for key in exprs {
            let typed = self.bind_output_or_expr(&key.expr, items, cx)?;
            let (descending, nulls_first) = direction(&key.options);
            keys.push(SortItem { expr: typed.expr, descending, nulls_first, span: self.span(&key.expr) });
        }
        Ok(keys)
    }

    /// ORDER BY behind a set operation or VALUES: columns of the result only.
    pub(crate) fn order_outputs(&mut self, mut bound: Bound, order_by: Option<&ast::OrderBy>) -> Result<Bound> {
        let Some(order_by) = order_by else { return Ok(bound) };
        let items: Vec<Item> = bound
            .outputs
            .iter()
            .map(|output| Item {
                name: output.name.clone(),
                typed: Typed::new(Expr::Column(output.column.clone()), output.data_type.clone()),
                span: output.span,
                unnamed: output.unnamed,
            })
            .collect();
        let scope = Scope { columns: bound.scope_columns(None), relations: vec![] };
        let env = Env::default();
        let sorts = self.bind_order_by(order_by, &items, &mut Cx::plain(&scope, &env, "ORDER BY"))?;
        for sort in sorts {
            let Expr::Column(column) = sort.expr else {
                let error = PlanError::not_supported("ORDER BY of an expression behind a set operation");
                return Err(at(error, sort.span).hint("put the operation in a subquery in FROM"));
            };
            bound.order.push(OrderKey { column, descending: sort.descending, nulls_first: sort.nulls_first });
        }
        Ok(bound)
    }

    fn order_exprs<'o>(&self, order_by: &'o ast::OrderBy) -> Result<Option<&'o [ast::OrderByExpr]>> {
        if order_by.interpolate.is_some() {
            return Err(at(PlanError::not_supported("INTERPOLATE"), self.span(order_by)));
        }
        Ok(match &order_by.kind {
            ast::OrderByKind::All(_) => None,
            ast::OrderByKind::Expressions(exprs) => Some(exprs),
        })
    }

    /// LIMIT, OFFSET and FETCH of a query.
    pub(crate) fn bind_limit(&mut self, mut bound: Bound, query: &ast::Query, top: bool) -> Result<Bound> {
        let (limit, offset) = self.limits(query)?;
        if limit.is_none() && offset == 0 {
            if !top {
                bound.order.clear();
            }
            return Ok(bound);
        }
        if top && self.purpose == Purpose::Push && bound.order.is_empty() && offset == 0 {
            bound.stop_after_rows = limit;
            return Ok(bound);
        }
        // what is carried along breaks no ties, but keys do: they are of the data
        let kept: Vec<_> = bound
            .outputs
            .iter()
            .map(|output| &output.column)
            .chain(bound.order.iter().map(|key| &key.column))
            .chain(bound.facts.key.iter().flatten())
            .chain(bound.facts.window.iter().flatten())
            .collect();
        let columns = bound.plan.schema().columns();
        if columns.iter().any(|column| !kept.contains(&column)) {
            let exprs = columns.iter().filter(|column| kept.contains(column)).cloned().map(Expr::Column).collect();
            let plan = Projection::try_new(exprs, Arc::new(bound.plan)).map_err(|error| internal(&error))?;
            bound.plan = LogicalPlan::Projection(plan);
        }
        let order = total_order(&bound.plan, &bound.order);
        let op = TopK { partition: vec![], order, offset, limit, rank: None };
        bound.plan = Node::plan(op, vec![bound.plan]).map_err(|error| internal(&error))?;
        bound.facts =
            Facts { nature: Nature::Table, system: None, message_key: vec![], is_table_scan: false, ..bound.facts };
        if !top {
            bound.order.clear();
        }
        Ok(bound)
    }

    fn limits(&self, query: &ast::Query) -> Result<(Option<usize>, usize)> {
        let (limit, offset) = match &query.limit_clause {
            None => (None, None),
            Some(ast::LimitClause::LimitOffset { limit, offset, limit_by }) => {
                if !limit_by.is_empty() {
                    return Err(at(PlanError::not_supported("LIMIT BY"), self.span(query))
                        .hint("SELECT DISTINCT ON (…) keeps the first row of each group"));
                }
                (limit.as_ref(), offset.as_ref().map(|offset| &offset.value))
            }
            Some(ast::LimitClause::OffsetCommaLimit { offset, limit }) => (Some(limit), Some(offset)),
        };
        let fetch = match &query.fetch {
            Some(fetch) if fetch.with_ties || fetch.percent => {
                return Err(at(PlanError::not_supported("FETCH WITH TIES and PERCENT"), self.span(query)));
            }
            Some(ast::Fetch { quantity: Some(quantity), .. }) => Some(self.count(quantity, "FETCH")?),
            Some(_) => Some(1),
            None => None,
        };
        let limit = match limit {
            Some(ast::Expr::Identifier(all)) if all.value.eq_ignore_ascii_case("all") => None,
            Some(limit) => Some(self.count(limit, "LIMIT")?),
            None => None,
        };
        let offset = offset.map(|offset| self.count(offset, "OFFSET")).transpose()?;
        Ok((limit.or(fetch), offset.unwrap_or(0)))
    }

    fn count(&self, expr: &ast::Expr, word: &str) -> Result<usize> {
        let count = match expr {
            ast::Expr::Value(value) => match &value.value {
                ast::Value::Number(digits, _) => digits.parse().ok(),
                _ => None,
            },
            ast::Expr::Nested(inner) => return self.count(inner, word),
            _ => None,
        };
        count.ok_or_else(|| {
            let error = PlanError::new(ErrorKind::InvalidParameter, format!("{word} takes a number of rows"));
            at(error, self.span(expr))
        })
    }
}

/// Descending, and NULLs first: PostgreSQL has NULL as the largest value.
pub(crate) fn direction(options: &ast::OrderByOptions) -> (bool, bool) {
    let descending = !options.asc.unwrap_or(true);
    (descending, options.nulls_first.unwrap_or(descending))
}

fn all_options(order_by: &ast::OrderBy) -> &ast::OrderByOptions {
    const DEFAULT: ast::OrderByOptions = ast::OrderByOptions { asc: None, nulls_first: None };
    match &order_by.kind {
        ast::OrderByKind::All(options) => options,
        ast::OrderByKind::Expressions(_) => &DEFAULT,
    }
}
