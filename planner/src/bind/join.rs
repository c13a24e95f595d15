//! JOIN: which kind of join it is, its condition, its names.
//!
//! A stream beside a table is an as-of join in every statement but views and pulls; two streams are joined WITHIN a
//! time of each other. Everything else is a maintained join. A condition stays as it was written; the equalities in it
//! are found again where the join is lowered.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_common::{Column, NullEquality};
use datafusion_expr::expr::ScalarFunction;
use datafusion_expr::utils::split_conjunction;
use datafusion_expr::{BinaryExpr, Expr, Join, JoinConstraint, JoinType, LogicalPlan, Operator, Projection, ScalarUDF};
use sqlparser::ast;

use super::coerce::{Typed, at};
use super::expr::Cx;
use super::from::From;
use super::query::{Facts, Nature};
use super::scope::{Scope, ScopeColumn};
use super::{Binder, Env, column, internal, named};
use crate::catalog::SYSTEM_COLUMNS;
use crate::error::{ErrorKind, PlanError, Result, Span};
use crate::function;
use crate::logical::Node;
use crate::logical::as_of::AsOf;
use crate::logical::within::Within;
use crate::sql::query::WithinClause;

/// Grace of windows and WITHIN without GRACE PERIOD: a day.
pub(crate) const DEFAULT_GRACE_MS: i64 = 24 * 60 * 60 * 1000;

/// Rows of a join that has no ON.
enum Condition {
    None,
    On(Expr),
    /// Equal columns under one name.
    Merged(Vec<(ScopeColumn, ScopeColumn)>),
}

impl Binder<'_> {
    /// `left`, then a join.
    pub(crate) fn bind_join(&mut self, left: From, join: &ast::Join, env: &Env<'_>) -> Result<From> {
        use ast::JoinOperator as J;
        let span = self.span(&join.relation);
        if let ast::TableFactor::UNNEST { .. } = &join.relation {
            return self.join_unnest(left, join, env);
        }
        let right = self.bind_factor(&join.relation, Some(&left), env)?;
        let (join_type, constraint) = match &join.join_operator {
            J::Join(c) | J::Inner(c) | J::StraightJoin(c) => (JoinType::Inner, c),
            J::CrossJoin(c) => (JoinType::Inner, c),
            J::Left(c) | J::LeftOuter(c) => (JoinType::Left, c),
            J::Right(c) | J::RightOuter(c) => (JoinType::Right, c),
            J::FullOuter(c) => (JoinType::Full, c),
            J::Semi(c) | J::LeftSemi(c) => (JoinType::LeftSemi, c),
            J::Anti(c) | J::LeftAnti(c) => (JoinType::LeftAnti, c),
            J::CrossApply => (JoinType::Inner, &ast::JoinConstraint::None),
            J::OuterApply => (JoinType::Left, &ast::JoinConstraint::None),
            J::RightSemi(_) | J::RightAnti(_) => {
                return Err(at(PlanError::not_supported("RIGHT SEMI and RIGHT ANTI JOIN"), span)
                    .hint("turn the sides round: LEFT SEMI JOIN, LEFT ANTI JOIN"));
            }
            J::AsOf { .. } => {
                return Err(at(PlanError::not_supported("ASOF JOIN"), span)
                    .hint("a JOIN of a STREAM and a TABLE is as of the stream's row by itself"));
            }
            J::ArrayJoin | J::LeftArrayJoin | J::InnerArrayJoin => {
                return Err(at(PlanError::not_supported("ARRAY JOIN"), span).hint("use EXPLODE or UNNEST"));
            }
        };
        let condition = self.bind_condition(&left, &right, constraint, join_type, span, env)?;
        if matches!(condition, Condition::None) && matches!(join_type, JoinType::Full | JoinType::Right) {
            return Err(at(PlanError::new(ErrorKind::Syntax, "an outer join needs ON or USING"), span));
        }
        let within = self.clauses.within(join).copied();
        self.join(left, right, join_type, condition, within, span)
    }

    /// Every pair.
    pub(crate) fn cross_join(&mut self, left: From, right: From, span: Option<Span>) -> Result<From> {
        self.join(left, right, JoinType::Inner, Condition::None, None, span)
    }

    fn bind_condition(
        &mut self,
        left: &From,
        right: &From,
        constraint: &ast::JoinConstraint,
        join_type: JoinType,
        span: Option<Span>,
        env: &Env<'_>,
    ) -> Result<Condition> {
        match constraint {
            ast::JoinConstraint::None => Ok(Condition::None),
            ast::JoinConstraint::On(expr) => {
                let scope = left.scope.clone().join(right.scope.clone());
                let mut cx = Cx::plain(&scope, env, "ON");
                let condition = self.bind_predicate(expr, &mut cx)?;
                if join_type != JoinType::Inner && crate::rewrite::has_subquery(&condition) {
                    let error = PlanError::not_supported("a subquery in ON of an outer join");
                    return Err(at(error, self.span(expr)).hint("put it in a subquery in FROM, under a name"));
                }
                Ok(Condition::On(condition))
            }
            ast::JoinConstraint::Using(names) => {
                let mut pairs = vec![];
                for name in names {
                    let span = self.span(name);
                    let name = self.name_of(name)?.parts.pop().map(|part| part.value).unwrap_or_default();
                    let find =
                        |side: &Scope| side.find(&name, span)?.cloned().ok_or_else(|| side.undefined(&name, span));
                    pairs.push((find(&left.scope)?, find(&right.scope)?));
                }
                Ok(Condition::Merged(pairs))
            }
            ast::JoinConstraint::Natural => {
                let mut pairs = vec![];
                for column in left.scope.star(None) {
                    if let Some(other) = right.scope.find(&column.name, span)?.filter(|c| !c.hidden) {
                        pairs.push((column.clone(), other.clone()));
                    }
                }
                Ok(if pairs.is_empty() { Condition::None } else { Condition::Merged(pairs) })
            }
        }
    }

    /// Joins two sides.
    fn join(
        &mut self,
        mut left: From,
        mut right: From,
        mut join_type: JoinType,
        condition: Condition,
        within: Option<WithinClause>,
        span: Option<Span>,
    ) -> Result<From> {
        let (filter, pairs) = match condition {
            Condition::None => (None, vec![]),
            Condition::On(expr) => (Some(expr), vec![]),
            Condition::Merged(pairs) => (self.equal_pairs(&pairs, span)?, pairs),
        };
        let scope = left.scope.clone().join(right.scope.clone());
        let natures = (left.facts.nature, right.facts.nature);
        if let Some(within) = &within
            && natures != (Nature::Stream, Nature::Stream)
        {
            let error = PlanError::new(ErrorKind::InvalidDefinition, "WITHIN is for a join of two streams");
            return Err(error.at(within.span).detail("Rows of a table have no time at which they happened."));
        }
        let semi = matches!(join_type, JoinType::LeftSemi | JoinType::LeftAnti);
        let as_of = self.purpose.joins_as_of() && natures.0 != natures.1 && !semi;
        let mut joined = if as_of {
            if natures.0 == Nature::Table {
                std::mem::swap(&mut left, &mut right);
                join_type = swapped(join_type);
            }
            self.as_of_join(left, right, join_type, filter, span)?
        } else if natures == (Nature::Stream, Nature::Stream) && !semi {
            self.stream_join(left, right, join_type, filter, within, span)?
        } else {
            maintained_join(left, right, join_type, filter)?
        };
        joined.scope = match semi {
            true => Scope { columns: joined.scope.columns, relations: joined.scope.relations },
            false => scope,
        };
        self.merge_columns(joined, &pairs, join_type, as_of && natures.0 == Nature::Table)
    }

    fn equal_pairs(&self, pairs: &[(ScopeColumn, ScopeColumn)], span: Option<Span>) -> Result<Option<Expr>> {
        let mut all: Option<Expr> = None;
        for (left, right) in pairs {
            let typed = |c: &ScopeColumn| Typed::new(c.expr(None), c.data_type.clone());
            let equal = self.comparison(Operator::Eq, typed(left), typed(right), (span, span))?.expr;
            all = Some(match all {
                Some(before) => before.and(equal),
                None => equal,
            });
        }
        Ok(all)
    }

    /// A stream row meets the table of its tick.
    fn as_of_join(
        &mut self,
        stream: From,
        table: From,
        join_type: JoinType,
        condition: Option<Expr>,
        span: Option<Span>,
    ) -> Result<From> {
        let outer = match join_type {
            JoinType::Inner => false,
            JoinType::Left => true,
            _ => {
                let error = PlanError::new(
                    ErrorKind::InvalidDefinition,
                    "a join of a STREAM and a TABLE keeps rows of the stream only",
                );
                return Err(at(error, span)
                    .detail("Only a row of the stream makes output; a row of the table without one never would.")
                    .hint("put the STREAM on the side that is kept, or CREATE MATERIALIZED VIEW"));
            }
        };
        let mut facts = stream.facts;
        if let Some(condition) = &condition {
            let keys = equalities(condition, &stream.plan, &table.plan);
            if !keys.is_empty() {
                facts.message_key = keys.into_iter().map(|(stream, _)| stream).collect();
            }
        }
        let inputs = vec![stream.plan, table.plan];
        let plan = Node::plan(AsOf { condition, outer }, inputs).map_err(|error| internal(&error))?;
        Ok(From { plan, scope: stream.scope.join(table.scope), facts })
    }

    /// Two streams, near each other in time if the join says so.
    fn stream_join(
        &mut self,
        left: From,
        right: From,
        join_type: JoinType,
        condition: Option<Expr>,
        within: Option<WithinClause>,
        span: Option<Span>,
    ) -> Result<From> {
        let systems = (left.facts.system.clone(), right.facts.system.clone());
        let (Some(left_system), Some(right_system)) = systems else {
            return maintained_join(left, right, join_type, condition);
        };
        let mut time_sources = left.facts.time_sources.clone();
        time_sources.extend(right.facts.time_sources.iter().filter(|id| !left.facts.time_sources.contains(id)));
        let near = within.map(|within| {
            let grace_ms = within.grace.map_or(DEFAULT_GRACE_MS, |grace| grace.ms);
            let sources = (left.facts.time_sources.clone(), right.facts.time_sources.clone());
            let near = Within::new(within.before.ms, within.after.ms, grace_ms, sources);
            // event times, then where the records stood
            let columns = [0, 3, 1, 2].into_iter().flat_map(|c| [&left_system[c], &right_system[c]]);
            let args = columns.map(|column| Expr::Column(column.clone())).collect();
            Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(ScalarUDF::from(near)), args))
        });
        if near.is_none() && self.purpose.joins_as_of() {
            if join_type != JoinType::Inner {
                let error = PlanError::new(ErrorKind::InvalidDefinition, "an outer join of two streams needs WITHIN");
                return Err(at(error, span)
                    .detail("A row without a partner could only come out when none can come any more.")
                    .hint("JOIN … WITHIN 1 HOUR ON …"));
            }
            let warning = PlanError::warning(ErrorKind::InvalidDefinition, "this join keeps both streams for ever");
            self.warn(at(warning, span).hint("JOIN … WITHIN 1 HOUR ON … bounds what it keeps"));
        }
        let mut message_key = vec![];
        if let Some(condition) = &condition {
            message_key = equalities(condition, &left.plan, &right.plan).into_iter().map(|(left, _)| left).collect();
        }
        let bounded = near.is_some();
        let filter = match (condition, near) {
            (Some(condition), Some(near)) => Some(condition.and(near)),
            (condition, near) => condition.or(near),
        };
        let mut joined = maintained_join(left, right, join_type, filter)?;
        let is_stream = bounded || join_type == JoinType::Inner;
        joined.facts = Facts { nature: if is_stream { Nature::Stream } else { Nature::Table }, ..Facts::state() };
        joined.facts.message_key = message_key;
        joined.facts.time_sources = time_sources;
        if is_stream { self.join_system_columns(joined, &left_system, &right_system) } else { Ok(joined) }
    }

    /// Event time of a pair: the larger; lane time: the least, so that a pair is late when both rows are.
    fn join_system_columns(&mut self, joined: From, left: &[Column; 4], right: &[Column; 4]) -> Result<From> {
        let qualifier = self.fresh("JOIN");
        let names = ["greatest", "coalesce", "coalesce", "least"];
        let mut exprs: Vec<Expr> = joined.plan.schema().columns().into_iter().map(Expr::Column).collect();
        for (i, function) in names.into_iter().enumerate() {
            let args = vec![Expr::Column(left[i].clone()), Expr::Column(right[i].clone())];
            let call = match function::scalars().get(function) {
                Some(udf) => Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(udf), args)),
                None => return Err(PlanError::new(ErrorKind::Internal, format!("{function} is missing"))),
            };
            exprs.push(named(call, &column(&qualifier, SYSTEM_COLUMNS[i].0)));
        }
        let plan = Projection::try_new(exprs, Arc::new(joined.plan)).map_err(|error| internal(&error))?;
        let mut facts = joined.facts;
        facts.system = Some(SYSTEM_COLUMNS.map(|(name, _)| column(&qualifier, name)));
        Ok(From { plan: LogicalPlan::Projection(plan), scope: joined.scope, facts })
    }

    /// Columns under USING's names come first; a bare name means them.
    fn merge_columns(
        &mut self,
        mut joined: From,
        pairs: &[(ScopeColumn, ScopeColumn)],
        join_type: JoinType,
        turned: bool,
    ) -> Result<From> {
        if pairs.is_empty() || matches!(join_type, JoinType::LeftSemi | JoinType::LeftAnti) {
            return Ok(joined);
        }
        let mut merged = vec![];
        for (left, right) in pairs {
            let kept_right = matches!((join_type, turned), (JoinType::Right, false) | (JoinType::Left, true));
            let mut column = if kept_right { right.clone() } else { left.clone() };
            if join_type == JoinType::Full {
                let (plan, made) = self.coalesce_columns(joined.plan, left, right)?;
                joined.plan = plan;
                column.column = made;
            }
            merged.push(ScopeColumn { relation: None, merged: false, ..column });
            for old in &mut joined.scope.columns {
                old.merged |= old.column == left.column || old.column == right.column;
            }
        }
        merged.append(&mut joined.scope.columns);
        joined.scope.columns = merged;
        Ok(joined)
    }

    fn coalesce_columns(
        &mut self,
        plan: LogicalPlan,
        left: &ScopeColumn,
        right: &ScopeColumn,
    ) -> Result<(LogicalPlan, Column)> {
        let name = self.fresh(&left.name);
        let Some(coalesce) = function::scalars().get("coalesce") else {
            return Err(PlanError::new(ErrorKind::Internal, "coalesce is missing"));
        };
        let mut exprs: Vec<Expr> = plan.schema().columns().into_iter().map(Expr::Column).collect();
        let args = vec![Expr::Column(left.column.clone()), Expr::Column(right.column.clone())];
        let qualifier = self.fresh("JOIN");
        let call = Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(coalesce), args));
        let made = column(&qualifier, name);
        exprs.push(named(call, &made));
        let plan = Projection::try_new(exprs, Arc::new(plan)).map_err(|error| internal(&error))?;
        Ok((LogicalPlan::Projection(plan), made))
    }
}

/// A join whose result is kept exact.
fn maintained_join(left: From, right: From, join_type: JoinType, filter: Option<Expr>) -> Result<From> {
    let facts = join_facts(&left, &right, join_type, filter.as_ref());
    let scope = match join_type {
        JoinType::LeftSemi | JoinType::LeftAnti => left.scope,
        _ => left.scope.join(right.scope),
    };
    let join = Join::try_new(
        Arc::new(left.plan),
        Arc::new(right.plan),
        vec![],
        filter,
        join_type,
        JoinConstraint::On,
        NullEquality::NullEqualsNothing,
        false,
    )
    .map_err(|error| internal(&error))?;
    Ok(From { plan: LogicalPlan::Join(join), scope, facts })
}

fn join_facts(left: &From, right: &From, join_type: JoinType, filter: Option<&Expr>) -> Facts {
    if matches!(join_type, JoinType::LeftSemi | JoinType::LeftAnti) {
        return Facts { is_table_scan: false, nature: Nature::Table, system: None, ..left.facts.clone() };
    }
    let pairs = filter.map(|filter| equalities(filter, &left.plan, &right.plan)).unwrap_or_default();
    let covered = |key: &[Column], side: fn(&(Column, Column)) -> &Column| {
        key.iter().all(|column| pairs.iter().any(|pair| side(pair) == column))
    };
    let key = match (&left.facts.key, &right.facts.key) {
        (Some(l), Some(r)) => match join_type {
            JoinType::Inner | JoinType::Left if covered(r, |pair| &pair.1) => Some(l.clone()),
            JoinType::Inner | JoinType::Right if covered(l, |pair| &pair.0) => Some(r.clone()),
            _ => Some(l.iter().chain(r).cloned().collect()),
        },
        _ => None,
    };
    let mut time_sources = left.facts.time_sources.clone();
    time_sources.extend(right.facts.time_sources.iter().filter(|id| !left.facts.time_sources.contains(id)));
    Facts { key, time_sources, ..Facts::state() }
}

/// The columns that a condition says are equal, left and right.
fn equalities(condition: &Expr, left: &LogicalPlan, right: &LogicalPlan) -> Vec<(Column, Column)> {
    let mut pairs = vec![];
    for conjunct in split_conjunction(condition) {
        let Expr::BinaryExpr(BinaryExpr { left: a, op: Operator::Eq, right: b }) = conjunct else { continue };
        let (Some(a), Some(b)) = (plain_column(a), plain_column(b)) else { continue };
        let of = |plan: &LogicalPlan, column: &Column| plan.schema().has_column(column);
        if of(left, a) && of(right, b) {
            pairs.push((a.clone(), b.clone()));
        } else if of(left, b) && of(right, a) {
            pairs.push((b.clone(), a.clone()));
        }
    }
    pairs
}

/// The column that an expression is, widening casts passed over.
fn plain_column(expr: &Expr) -> Option<&Column> {
    match expr {
        Expr::Column(column) => Some(column),
        Expr::Cast(cast) if matches!(cast.field.data_type(), DataType::Int64) => plain_column(&cast.expr),
        _ => None,
    }
}

fn swapped(join_type: JoinType) -> JoinType {
    match join_type {
        JoinType::Left => JoinType::Right,
        JoinType::Right => JoinType::Left,
        other => other,
    }
}
