//! UNNEST in FROM: a row per element of lists, beside the row that has them.
//!
//! It may name what stands before it without LATERAL, as in PostgreSQL. Several lists go side by side.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_common::{Column, TableReference};
use datafusion_expr::{Expr, LogicalPlan, Projection};
use sqlparser::ast;

use super::coerce::at;
use super::expr::Cx;
use super::from::From;
use super::query::Facts;
use super::scope::{ScopeColumn, ScopeRelation};
use super::{Binder, Env, internal, named as named_as};
use crate::error::{ErrorKind, PlanError, Result};
use crate::eval::types::type_name;
use crate::logical::Node;
use crate::logical::explode::Explode;
use crate::sql::name::fold;

impl Binder<'_> {
    /// `left [CROSS | LEFT] JOIN UNNEST(…)`.
    pub(crate) fn join_unnest(&mut self, left: From, join: &ast::Join, env: &Env<'_>) -> Result<From> {
        use ast::JoinOperator as J;
        let always = |constraint: &ast::JoinConstraint| match constraint {
            ast::JoinConstraint::None => true,
            ast::JoinConstraint::On(ast::Expr::Value(value)) => value.value == ast::Value::Boolean(true),
            _ => false,
        };
        let keep_empty = match &join.join_operator {
            J::Join(c) | J::Inner(c) | J::CrossJoin(c) if always(c) => false,
            J::CrossApply => false,
            J::Left(c) | J::LeftOuter(c) if always(c) => true,
            J::OuterApply => true,
            _ => {
                let error = PlanError::not_supported("this join with UNNEST");
                return Err(at(error, self.span(&join.relation)).hint("CROSS JOIN UNNEST(…), then WHERE"));
            }
        };
        self.beside_unnest(left, &join.relation, keep_empty, env)
    }

    /// The rows of `left`, each with an element of the lists.
    pub(crate) fn beside_unnest(
        &mut self,
        left: From,
        factor: &ast::TableFactor,
        keep_empty: bool,
        env: &Env<'_>,
    ) -> Result<From> {
        let span = self.span(factor);
        let ast::TableFactor::UNNEST { alias, array_exprs, with_offset: false, with_ordinality: false, .. } = factor
        else {
            return Err(at(PlanError::not_supported("UNNEST WITH ORDINALITY and WITH OFFSET"), span));
        };
        let relation = alias.as_ref().map_or_else(|| "UNNEST".to_string(), |alias| fold(&alias.name));
        let qualifier = self.fresh(&relation);
        let mut exprs: Vec<Expr> = left.plan.schema().columns().into_iter().map(Expr::Column).collect();
        let mut columns: Vec<Column> = vec![];
        let mut named: Vec<ScopeColumn> = vec![];
        for (i, expr) in array_exprs.iter().enumerate() {
            let list = self.bind_expr(expr, &mut Cx::plain(&left.scope, env, "UNNEST"))?;
            let DataType::List(item) = &list.data_type else {
                let message = format!("UNNEST takes an ARRAY, this is {}", type_name(&list.data_type));
                return Err(at(PlanError::new(ErrorKind::TypeMismatch, message), self.span(expr)));
            };
            let given = alias.as_ref().and_then(|alias| alias.columns.get(i));
            // one list under an alias without columns: the column has the alias's name
            let name = match (given, array_exprs.len()) {
                (Some(given), _) => fold(&given.name),
                (None, 1) => relation.clone(),
                (None, _) => format!("{relation}_{}", i + 1),
            };
            let column = Column::new(Some(TableReference::bare(qualifier.as_str())), &name);
            named.push(ScopeColumn {
                relation: Some(relation.clone()),
                name: name.clone(),
                column: column.clone(),
                data_type: item.data_type().clone(),
                hidden: false,
                merged: false,
            });
            exprs.push(named_as(list.expr, &column));
            columns.push(column);
        }
        let projection = Projection::try_new(exprs, Arc::new(left.plan)).map_err(|error| internal(&error))?;
        let inputs = vec![LogicalPlan::Projection(projection)];
        let plan = Node::plan(Explode { columns, keep_empty }, inputs).map_err(|error| internal(&error))?;
        let mut scope = left.scope;
        scope.columns.extend(named);
        scope.relations.push(ScopeRelation { name: relation });
        let facts = Facts { key: None, is_table_scan: false, ..left.facts };
        Ok(From { plan, scope, facts })
    }
}
