//! GROUP BY: keys, arguments, and what the clauses behind it see.
//!
//! Keys and arguments are computed in a projection, the rows are grouped, and every expression of the SELECT, which was
//! bound over FROM, is rewritten to what the groups have; a column that they do not have is an error at the place where
//! it was written.

use std::sync::Arc;

use datafusion_common::tree_node::{Transformed, TransformedResult, TreeNode, TreeNodeRecursion};
use datafusion_common::{Column, DFSchema, DataFusionError};
use datafusion_expr::expr::AggregateFunction as AggregateExpr;
use datafusion_expr::logical_plan::EmptyRelation;
use datafusion_expr::{Aggregate, Expr, LogicalPlan, Projection, Subquery};

use super::aggregate::AggregateCall;
use super::coerce::at;
use super::expr::over::is_number_of_row;
use super::from::From;
use super::group_by::Keys;
use super::grouping_sets::{Sets, grouping_args, grouping_number};
use super::query::{Facts, Nature};
use super::scope::span_of;
use super::{Binder, column, internal, named};
use crate::error::{ErrorKind, PlanError, Result};
use crate::function::aggregate::Aggregate as AggregateUdf;
use crate::logical::Node;
use crate::logical::session_aggregate::SessionAggregate;
use crate::plan::AggregateFunction;

/// Qualifier of keys and arguments that are computed for a grouping.
const INPUT: &str = "#input";

/// Groups, and how the clauses behind them see their columns.
pub(crate) struct Grouping {
    pub(crate) plan: LogicalPlan,
    pub(crate) facts: Facts,
    /// What was grouped by, and the column that has it.
    keys: Vec<(Expr, Column)>,
    /// For each key the column that says whether it is left out; none where there is one set.
    left_out: Vec<Column>,
    /// The results of the calls.
    results: Vec<Column>,
}

impl Binder<'_> {
    /// Groups `from` by `keys`.
    pub(crate) fn bind_grouping(
        &mut self,
        from: From,
        keys: Keys,
        calls: &[AggregateCall],
        windowed: bool,
        session: Option<SessionAggregate>,
    ) -> Result<Grouping> {
        let facts = from.facts;
        let Keys { exprs: mut keys, mut sets } = keys;
        // the bounds of a WINDOW are keys without being written; those of a windowed table are columns like others
        let bounds = facts.window.clone().filter(|_| windowed && session.is_none());
        keys.extend(bounds.iter().flatten().cloned().map(Expr::Column));
        let mut input = Input { exprs: vec![], computed: false };
        let mut key_columns: Vec<(Expr, Column)> = vec![];
        for key in keys {
            if !key_columns.iter().any(|(known, _)| *known == key) {
                let column = input.column(self, &key, "KEY");
                key_columns.push((key, column));
            }
        }
        // a window is in every set
        let is_bound = |column: &Column| bounds.iter().flatten().any(|bound| bound == column);
        let windows = key_columns.iter().enumerate().filter(|(_, (_, column))| is_bound(column)).map(|(i, _)| i);
        let windows: Vec<usize> = windows.collect();
        sets.iter_mut().flatten().for_each(|set| set.extend(&windows));
        let aggregates = self.calls_over(calls, &facts, &mut input);
        let group: Vec<Expr> = key_columns.iter().map(|(_, column)| Expr::Column(column.clone())).collect();
        let mut keys: Vec<Column> = key_columns.iter().map(|(_, column)| column.clone()).collect();
        let results: Vec<Column> = calls.iter().map(|call| call.column.clone()).collect();
        let mut left_out = vec![];
        let mut window = facts.window.clone().filter(|bounds| bounds.iter().all(|bound| keys.contains(bound)));
        let plan = match session {
            None => {
                let below = input.plan(from.plan, &[])?;
                match &sets {
                    None => grouped(below, group, aggregates)?,
                    Some(sets) => {
                        let (aggregates, results) = (&aggregates, &results);
                        let (plan, bits) =
                            self.group_by_sets(&Sets { below, keys: &keys, sets, aggregates, results })?;
                        left_out = bits;
                        plan
                    }
                }
            }
            Some(mut session) => {
                let mut carried: Vec<Column> = session.time.column_refs().into_iter().cloned().collect();
                let stood = session.lane_time.iter().chain(session.place.iter().flatten());
                carried.extend(stood.flat_map(|expr| expr.column_refs()).cloned());
                let plan = input.plan(from.plan, &carried)?;
                session.keys = group;
                session.aggregates = aggregates;
                let qualifier = session.qualifier.clone();
                let bounds = crate::logical::assign_windows::WINDOW_COLUMNS.map(|name| column(&qualifier, name));
                keys.extend(bounds.clone());
                for bound in &bounds {
                    key_columns.push((Expr::Column(bound.clone()), bound.clone()));
                }
                window = Some(bounds);
                Node::plan(session, vec![plan]).map_err(|error| internal(&error))?
            }
        };
        // rows of several sets may be equal
        let key = sets.is_none().then_some(keys);
        let facts = Facts { key, window, time_sources: facts.time_sources, ..Facts::state() };
        Ok(Grouping { plan, facts, keys: key_columns, left_out, results })
    }

    /// The calls over the columns of their arguments.
    fn calls_over(&mut self, calls: &[AggregateCall], facts: &Facts, input: &mut Input) -> Vec<Expr> {
        let mut aggregates = vec![];
        for call in calls {
            let arrival = arrival_columns(call, facts);
            let arrives = arrival.is_some();
            let all_args = call.args.iter().cloned().chain(arrival.into_iter().flatten().map(Expr::Column));
            let args = all_args.map(|arg| Expr::Column(input.column(self, &arg, "ARG"))).collect();
            let filter =
                call.filter.as_ref().map(|filter| Box::new(Expr::Column(input.column(self, filter, "FILTER"))));
            let order =
                call.order.iter().map(|key| key.with_expr(Expr::Column(input.column(self, &key.expr, "ORDER"))));
            let udf = AggregateUdf::udf(call.function.clone(), arrives, call.data_type.clone());
            let order = order.collect();
            let aggregate = AggregateExpr::new_udf(udf, args, call.distinct, filter, order, None);
            aggregates.push(named(Expr::AggregateFunction(aggregate), &call.column));
        }
        aggregates
    }

    /// An expression bound before grouping, over the columns of the groups.
    pub(crate) fn over_groups(&self, grouping: &Grouping, expr: Expr) -> Result<Expr> {
        let mut wrong: Option<PlanError> = None;
        let rewritten = expr.transform_down(|expr| {
            if let Some(args) = grouping_args(&expr) {
                let number = grouping.number(args).unwrap_or_else(|| {
                    wrong.get_or_insert_with(|| self.no_key(&expr));
                    grouping_number(&[])
                });
                return Ok(Transformed::new(number, true, TreeNodeRecursion::Jump));
            }
            if let Some((_, column)) = grouping.keys.iter().find(|(key, _)| *key == expr) {
                return Ok(Transformed::new(Expr::Column(column.clone()), true, TreeNodeRecursion::Jump));
            }
            match &expr {
                Expr::Column(column) if !grouping.results.contains(column) && !is_number_of_row(column) => {
                    wrong.get_or_insert_with(|| self.not_grouped(grouping, column));
                }
                Expr::ScalarSubquery(subquery) => self.check_outer(grouping, subquery, &mut wrong)?,
                Expr::Exists(exists) => self.check_outer(grouping, &exists.subquery, &mut wrong)?,
                Expr::InSubquery(test) => self.check_outer(grouping, &test.subquery, &mut wrong)?,
                Expr::SetComparison(test) => self.check_outer(grouping, &test.subquery, &mut wrong)?,
                _ => {}
            }
            Ok(Transformed::no(expr))
        });
        match wrong {
            Some(error) => Err(error),
            None => rewritten.data().map_err(|error| internal(&error)),
        }
    }

    /// That a subquery takes from around it only what the groups have.
    fn check_outer(
        &self,
        grouping: &Grouping,
        subquery: &Subquery,
        wrong: &mut Option<PlanError>,
    ) -> std::result::Result<(), DataFusionError> {
        for outer in &subquery.outer_ref_columns {
            let Expr::OuterReferenceColumn(_, column) = outer else { continue };
            let grouped =
                |(key, made): &(Expr, Column)| matches!(key, Expr::Column(key) if key == column && made == column);
            // columns of queries further out are no business of this one
            let known = grouping.plan.schema().has_column(column);
            if !known && !grouping.keys.iter().any(grouped) && self.is_below(&grouping.plan, column) {
                wrong.get_or_insert_with(|| self.not_grouped(grouping, column));
            }
        }
        Ok(())
    }

    fn no_key(&self, call: &Expr) -> PlanError {
        let error = PlanError::new(ErrorKind::Grouping, "an argument of GROUPING is no key of GROUP BY");
        at(error, call.column_refs().into_iter().find_map(span_of))
    }

    fn is_below(&self, plan: &LogicalPlan, column: &Column) -> bool {
        plan.inputs().iter().any(|input| input.schema().has_column(column) || self.is_below(input, column))
    }

    fn not_grouped(&self, grouping: &Grouping, column: &Column) -> PlanError {
        let span = span_of(column);
        let name = span.map_or_else(|| column.name.clone(), |span| self.text(span).to_string());
        let message = format!("{name} must be in GROUP BY or inside an aggregate");
        let error = at(PlanError::new(ErrorKind::Grouping, message), span);
        match grouping.keys.is_empty() {
            true => error.detail("Without GROUP BY all rows are one group.").hint(format!("GROUP BY {name}")),
            false => error.hint(format!("add {name} to GROUP BY, or take LATEST_BY_OFFSET({name})")),
        }
    }
}

/// The groups of a plan. Without keys and calls they are one, of which nothing is asked.
pub(super) fn grouped(below: LogicalPlan, group: Vec<Expr>, aggregates: Vec<Expr>) -> Result<LogicalPlan> {
    if group.is_empty() && aggregates.is_empty() {
        let schema = Arc::new(DFSchema::empty());
        return Ok(LogicalPlan::EmptyRelation(EmptyRelation { produce_one_row: true, schema }));
    }
    let aggregate = Aggregate::try_new(Arc::new(below), group, aggregates).map_err(|error| internal(&error))?;
    Ok(LogicalPlan::Aggregate(aggregate))
}

impl Grouping {
    /// The value of GROUPING; `None` if an argument is no key.
    fn number(&self, args: &[Expr]) -> Option<Expr> {
        let place = |arg: &Expr| self.keys.iter().position(|(key, _)| key == arg);
        let bits = args.iter().map(|arg| place(arg).map(|place| self.left_out.get(place).cloned()));
        bits.collect::<Option<Vec<_>>>().map(|bits| grouping_number(&bits))
    }
}

/// The columns that keys and arguments are computed into.
struct Input {
    exprs: Vec<(Expr, Column)>,
    computed: bool,
}

impl Input {
    fn column(&mut self, binder: &mut Binder<'_>, expr: &Expr, base: &str) -> Column {
        if let Some((_, column)) = self.exprs.iter().find(|(known, _)| known == expr) {
            return column.clone();
        }
        let column = match expr {
            Expr::Column(column) => column.clone(),
            _ => {
                self.computed = true;
                column(INPUT, binder.fresh(base))
            }
        };
        self.exprs.push((expr.clone(), column.clone()));
        column
    }

    fn plan(self, below: LogicalPlan, carried: &[Column]) -> Result<LogicalPlan> {
        if !self.computed {
            return Ok(below);
        }
        let mut exprs: Vec<Expr> = self
            .exprs
            .into_iter()
            .map(|(expr, column)| match expr {
                Expr::Column(_) => expr,
                computed => named(computed, &column),
            })
            .collect();
        for column in carried {
            let expr = Expr::Column(column.clone());
            if !exprs.contains(&expr) {
                exprs.push(expr);
            }
        }
        let plan = Projection::try_new(exprs, Arc::new(below)).map_err(|error| internal(&error))?;
        Ok(LogicalPlan::Projection(plan))
    }
}

/// Where a row of a stream stood, for a function that depends on it.
fn arrival_columns(call: &AggregateCall, facts: &Facts) -> Option<[Column; 2]> {
    use AggregateFunction as F;
    let ordered = matches!(call.function, F::CollectList | F::StringAgg { .. } | F::Latest { .. } | F::Earliest { .. });
    let system = facts.system.as_ref().filter(|_| facts.nature == Nature::Stream)?;
    (ordered && call.order.is_empty()).then(|| [system[1].clone(), system[2].clone()])
}
