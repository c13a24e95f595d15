//! UPDATE and DELETE: queries over the target whose rows are to change or go.

use std::sync::Arc;

use datafusion_expr::{Expr, Filter, LogicalPlan, Projection};
use sqlparser::ast;

use super::query::Layout;
use super::{Planner, Target};
use crate::action::Action;
use crate::bind::coerce::Typed;
use crate::bind::expr::Cx;
use crate::bind::from::From;
use crate::bind::{Binder, BoundColumn, BoundQuery, Env, Purpose, internal};
use crate::catalog::Relation;
use crate::error::{ErrorKind, PlanError, Result};
use crate::plan::{OnError, Query};
use crate::sql::name::{Ident, Name};
use crate::sql::query::Clauses;
use crate::sql::statement::{Delete, Update};

impl Planner<'_> {
    pub(super) fn update(&mut self, update: &Update) -> Result<Action> {
        let relation = self.changed_table(&update.target, "UPDATE")?;
        self.distinct_names(update.assignments.iter().map(|(name, _)| (name.value.as_str(), Some(name.span))))?;
        let clauses = Clauses::default();
        let mut binder = Binder::new(self.catalog, &self.parsed.positions, &clauses, Purpose::Pull, false);
        binder.shared.now_us = self.now_us;
        let from = selected(&mut binder, &relation, update.alias.as_ref(), update.selection.as_ref())?;
        let env = Env::default();
        let old: Vec<Expr> = from.scope.star(None).iter().map(|column| Expr::Column(column.column.clone())).collect();
        let mut new = old.clone();
        for (name, value) in &update.assignments {
            let at = self.target_column(&relation, name)?;
            let span = binder.span(value);
            let bound = match value {
                ast::Expr::Identifier(word) if word.value.eq_ignore_ascii_case("default") => Typed::new(
                    datafusion_expr::lit(datafusion_common::ScalarValue::Null),
                    arrow::datatypes::DataType::Null,
                ),
                value => binder.bind_expr(value, &mut Cx::plain(&from.scope, &env, "SET"))?,
            };
            new[at] = bound.cast(&relation.columns[at].data_type, span)?.expr;
        }
        let aliased = |exprs: Vec<Expr>, what: &str| {
            let made = |column: &crate::catalog::Column| crate::bind::column(what, column.name.clone());
            exprs.into_iter().zip(&relation.columns).map(|(e, c)| crate::bind::named(e, &made(c))).collect::<Vec<_>>()
        };
        let exprs = aliased(old, "#old").into_iter().chain(aliased(new, "#new")).collect();
        let query = self.rows(from.plan, exprs, &relation, 2, std::mem::take(&mut binder.shared.reads))?;
        Ok(Action::Update { target: relation.id, query })
    }

    pub(super) fn delete(&mut self, delete: &Delete) -> Result<Action> {
        let relation = self.changed_table(&delete.target, "DELETE")?;
        let clauses = Clauses::default();
        let mut binder = Binder::new(self.catalog, &self.parsed.positions, &clauses, Purpose::Pull, false);
        binder.shared.now_us = self.now_us;
        let from = selected(&mut binder, &relation, delete.alias.as_ref(), delete.selection.as_ref())?;
        let exprs = from.scope.star(None).iter().map(|column| Expr::Column(column.column.clone())).collect();
        let query = self.rows(from.plan, exprs, &relation, 1, std::mem::take(&mut binder.shared.reads))?;
        Ok(Action::Delete { target: relation.id, query })
    }

    fn changed_table(&self, name: &Name, verb: &str) -> Result<Relation> {
        let (relation, target) = self.target(name)?;
        if target == Target::Stream {
            let error = PlanError::new(ErrorKind::WrongRelationKind, format!("{verb} is for tables"));
            return Err(error.at(name.span).detail(format!("{} is a STREAM: what happened stays.", relation.name)));
        }
        Ok(relation)
    }

    /// The plan of `times` copies of the relation's columns.
    fn rows(
        &self,
        plan: LogicalPlan,
        exprs: Vec<Expr>,
        relation: &Relation,
        times: usize,
        reads: Vec<crate::catalog::RelationId>,
    ) -> Result<Query> {
        let plan = Projection::try_new(exprs, Arc::new(plan)).map_err(|error| internal(&error))?;
        let column = |column: &crate::catalog::Column| BoundColumn {
            name: column.name.clone(),
            data_type: column.data_type.clone(),
            span: None,
            unnamed: false,
        };
        let columns = (0..times).flat_map(|_| relation.columns.iter().map(column)).collect();
        let bound = BoundQuery {
            logical: LogicalPlan::Projection(plan),
            columns,
            system: None,
            key: None,
            message_key: vec![],
            window: None,
            is_stream: false,
            is_table_scan: false,
            order: vec![],
            stop_after_rows: None,
            reads,
            inlined: vec![],
            time_sources: vec![],
            warnings: vec![],
        };
        let layout = Layout::visible(&bound);
        let (root, _) = self.root(&bound, &layout, Purpose::Pull, OnError::DeadLetter)?;
        Ok(Query {
            root,
            visible: layout.visible,
            order: vec![],
            key: None,
            upsert: false,
            stop_after_rows: None,
            reads: bound.reads,
        })
    }
}

/// The rows of a relation that a condition selects.
fn selected(
    binder: &mut Binder<'_>,
    relation: &Relation,
    alias: Option<&Ident>,
    selection: Option<&ast::Expr>,
) -> Result<From> {
    let name = alias.map_or(relation.name.as_str(), |alias| alias.value.as_str());
    let mut from = binder.scan(relation, name, None)?;
    if let Some(selection) = selection {
        let env = Env::default();
        let predicate = binder.bind_predicate(selection, &mut Cx::plain(&from.scope, &env, "WHERE"))?;
        let filter = Filter::try_new(predicate, Arc::new(from.plan)).map_err(|error| internal(&error))?;
        from.plan = LogicalPlan::Filter(filter);
    }
    Ok(from)
}
