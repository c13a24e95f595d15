//! Plans: a collection at a tick, operator by operator.

use std::collections::BTreeMap;

use datafusion_common::{Column, ScalarValue, TableReference};
use datafusion_expr::logical_plan::{Aggregate, Distinct, TableScan};
use datafusion_expr::{Expr, LogicalPlan};
use millrace_planner::bind::RelationSource;
use millrace_planner::function::aggregate::Aggregate as Function;
use millrace_planner::logical::Node;
use millrace_planner::logical::as_of::AsOf;
use millrace_planner::logical::assign_windows::AssignWindows;
use millrace_planner::logical::at_most_one::AtMostOne;
use millrace_planner::logical::explode::Explode;
use millrace_planner::logical::session_aggregate::SessionAggregate;
use millrace_planner::logical::set_op::SetOp;
use millrace_planner::logical::top_k::TopK;
use millrace_planner::plan::SetOpKind;

use crate::reference::aggregate::{self, Input, compare, elements};
use crate::reference::expr::Scope;
use crate::reference::window::closing;
use crate::reference::{Evaluator, Row, Values};

impl Evaluator<'_> {
    /// The rows of `plan` at `tick`, within the row of an outer query if there is one.
    pub(crate) fn plan(&self, plan: &LogicalPlan, tick: u64, outer: Option<&Scope<'_>>) -> Result<Vec<Row>, String> {
        match plan {
            LogicalPlan::TableScan(scan) => self.scan(plan, scan, tick),
            LogicalPlan::EmptyRelation(empty) => {
                Ok(vec![Row { values: vec![], tick: self.start }; usize::from(empty.produce_one_row)])
            }
            LogicalPlan::Values(values) => {
                let empty = datafusion_common::DFSchema::empty();
                let scope = Scope { schema: &empty, row: &[], outer, tick };
                let row = |exprs: &Vec<Expr>| {
                    let values = exprs.iter().map(|e| self.expr(e, scope)).collect::<Result<_, _>>()?;
                    Ok(Row { values, tick: self.start })
                };
                values.values.iter().map(row).collect()
            }
            LogicalPlan::Projection(projection) => {
                let rows = self.plan(&projection.input, tick, outer)?;
                Ok(self.project(&projection.expr, &projection.input, rows, tick, outer))
            }
            LogicalPlan::Filter(filter) => {
                let schema = filter.input.schema();
                let mut rows = self.plan(&filter.input, tick, outer)?;
                rows.retain(|r| self.holds(&filter.predicate, Scope { schema, row: &r.values, outer, tick }));
                Ok(rows)
            }
            LogicalPlan::SubqueryAlias(alias) => self.plan(&alias.input, tick, outer),
            LogicalPlan::Subquery(subquery) => self.plan(&subquery.subquery, tick, outer),
            LogicalPlan::Join(join) => self.join(join, tick, outer),
            LogicalPlan::Aggregate(aggregate) => self.aggregate(aggregate, tick, outer),
            LogicalPlan::Union(union) => {
                let parts: Result<Vec<_>, _> = union.inputs.iter().map(|i| self.plan(i, tick, outer)).collect();
                Ok(parts?.concat())
            }
            LogicalPlan::Distinct(Distinct::All(input)) => Ok(distinct(self.plan(input, tick, outer)?)),
            LogicalPlan::Extension(_) => self.extension(plan, tick, outer),
            other => Err(format!("a bound plan has no {}", other.display())),
        }
    }

    fn scan(&self, plan: &LogicalPlan, scan: &TableScan, tick: u64) -> Result<Vec<Row>, String> {
        let source = RelationSource::of(plan).ok_or("a scan of something else than a relation")?;
        let rows = self.history.rows(source.id(), tick);
        let narrow = |values: &Values| match &scan.projection {
            Some(columns) => columns.iter().map(|c| values[*c].clone()).collect(),
            None => values.clone(),
        };
        if !scan.filters.is_empty() || scan.fetch.is_some() {
            return Err("a scan of a bound plan filters nothing".to_owned());
        }
        Ok(rows.iter().map(|r| Row { values: narrow(&r.values), tick: r.tick.max(self.start) }).collect())
    }

    fn project(
        &self,
        exprs: &[Expr],
        input: &LogicalPlan,
        rows: Vec<Row>,
        tick: u64,
        outer: Option<&Scope<'_>>,
    ) -> Vec<Row> {
        let project = |row: Row| {
            let scope = Scope { schema: input.schema(), row: &row.values, outer, tick };
            match exprs.iter().map(|e| self.expr(e, scope)).collect::<Result<Values, _>>() {
                Ok(values) => Some(Row { values, tick: row.tick }),
                Err(_) => {
                    self.failed();
                    None
                }
            }
        };
        rows.into_iter().filter_map(project).collect()
    }

    fn aggregate(&self, aggregate: &Aggregate, tick: u64, outer: Option<&Scope<'_>>) -> Result<Vec<Row>, String> {
        let input = &aggregate.input;
        let rows = self.plan(input, tick, outer)?;
        let window = closing(input).filter(|(_, qualifier)| {
            aggregate.group_expr.iter().any(|e| {
                matches!(e, Expr::Column(c) if c.name == "WINDOWEND"
                && c.relation.as_ref().is_some_and(|r| r.table() == *qualifier))
            })
        });
        let bound = |row: &Row, name: &str, qualifier: &str| {
            let column = Column::new(Some(TableReference::bare(qualifier)), name);
            let at = input.schema().index_of_column(&column).map_err(|e| e.to_string())?;
            match &row.values[at] {
                ScalarValue::Int64(Some(x)) => Ok(*x),
                other => Err(format!("{name} is {other}")),
            }
        };
        let mut groups: BTreeMap<String, (Values, Vec<&Row>)> = BTreeMap::new();
        for row in &rows {
            if let Some((closing, qualifier)) = window
                && !self.was_open(closing, bound(row, "WINDOWEND", qualifier)?, row.tick)
            {
                continue;
            }
            let scope = Scope { schema: input.schema(), row: &row.values, outer, tick };
            let keys = aggregate.group_expr.iter().map(|e| self.expr(e, scope)).collect::<Result<Values, _>>()?;
            groups.entry(format!("{keys:?}")).or_insert_with(|| (keys, vec![])).1.push(row);
        }
        if aggregate.group_expr.is_empty() && groups.is_empty() {
            groups.insert(String::new(), (vec![], vec![]));
        }
        let mut out = vec![];
        for (mut values, members) in groups.into_values() {
            if let (Some((closing, qualifier)), Some(first)) = (window, members.first()) {
                let (start, end) = (bound(first, "WINDOWSTART", qualifier)?, bound(first, "WINDOWEND", qualifier)?);
                if !self.is_shown(closing, start, end + closing.grace_ms, tick) {
                    continue;
                }
            }
            let latest = members.iter().map(|r| r.tick).max().unwrap_or(tick);
            if let Some(results) = self.aggregates(&aggregate.aggr_expr, input, &members, outer, tick)? {
                values.extend(results);
                out.push(Row { values, tick: latest });
            }
        }
        Ok(out)
    }

    /// The aggregates over the rows of a group; `None` when one of them fails, which leaves the group without a row.
    pub(crate) fn aggregates(
        &self,
        calls: &[Expr],
        input: &LogicalPlan,
        members: &[&Row],
        outer: Option<&Scope<'_>>,
        tick: u64,
    ) -> Result<Option<Values>, String> {
        let mut results = vec![];
        for call in calls {
            match self.call(call, input, members, outer, tick)? {
                Ok(value) => results.push(value),
                Err(_) => {
                    self.failed();
                    return Ok(None);
                }
            }
        }
        Ok(Some(results))
    }

    fn call(
        &self,
        call: &Expr,
        input: &LogicalPlan,
        members: &[&Row],
        outer: Option<&Scope<'_>>,
        tick: u64,
    ) -> Result<Result<ScalarValue, String>, String> {
        let Expr::AggregateFunction(call) = unalias(call) else { return Err(format!("not an aggregate: {call}")) };
        let function =
            Function::of(&call.func).ok_or_else(|| format!("an aggregate of the library: {}", call.func.name()))?;
        let params = &call.params;
        let mut inputs = vec![];
        for row in members {
            let scope = Scope { schema: input.schema(), row: &row.values, outer, tick };
            if params.filter.as_ref().is_some_and(|f| !self.holds(f, scope)) {
                continue;
            }
            let mut args = params.args.iter().map(|e| self.expr(e, scope)).collect::<Result<Values, _>>()?;
            let arrival = if function.arrival {
                let offset = args.pop().ok_or("an ordered aggregate without ROWOFFSET")?;
                let partition = args.pop().ok_or("an ordered aggregate without ROWPARTITION")?;
                Some((row.tick, partition, offset))
            } else {
                None
            };
            let order = params
                .order_by
                .iter()
                .map(|s| Ok((self.expr(&s.expr, scope)?, !s.asc, s.nulls_first)))
                .collect::<Result<Vec<_>, String>>()?;
            inputs.push(Input { args, arrival, order });
        }
        Ok(aggregate::aggregate(&function.function, params.distinct, &function.data_type, inputs))
    }

    fn extension(&self, plan: &LogicalPlan, tick: u64, outer: Option<&Scope<'_>>) -> Result<Vec<Row>, String> {
        if let Some(node) = Node::<AsOf>::of(plan) {
            self.as_of(node, tick, outer)
        } else if let Some(node) = Node::<AssignWindows>::of(plan) {
            self.assign_windows(node, tick, outer)
        } else if let Some(node) = Node::<SessionAggregate>::of(plan) {
            self.session_aggregate(node, tick, outer)
        } else if let Some(node) = Node::<SetOp>::of(plan) {
            let (left, right) = (self.plan(&node.inputs[0], tick, outer)?, self.plan(&node.inputs[1], tick, outer)?);
            Ok(set_op(&node.op, &left, &right))
        } else if let Some(node) = Node::<TopK>::of(plan) {
            self.top_k(node, tick, outer)
        } else if let Some(node) = Node::<AtMostOne>::of(plan) {
            let rows = self.plan(&node.inputs[0], tick, outer)?;
            let mut out = vec![];
            for (_, group) in self.grouped(&node.op.keys, &node.inputs[0], rows, tick, outer)? {
                match <[Row; 1]>::try_from(group) {
                    Ok([row]) => out.push(row),
                    Err(_) => self.failed(),
                }
            }
            Ok(out)
        } else if let Some(node) = Node::<Explode>::of(plan) {
            self.explode(node, tick, outer)
        } else {
            Err(format!("an unknown operator: {}", plan.display()))
        }
    }

    fn grouped(
        &self,
        keys: &[Expr],
        input: &LogicalPlan,
        rows: Vec<Row>,
        tick: u64,
        outer: Option<&Scope<'_>>,
    ) -> Result<BTreeMap<String, Vec<Row>>, String> {
        let mut groups: BTreeMap<String, Vec<Row>> = BTreeMap::new();
        for row in rows {
            let scope = Scope { schema: input.schema(), row: &row.values, outer, tick };
            let key = keys.iter().map(|e| self.expr(e, scope)).collect::<Result<Values, _>>()?;
            groups.entry(format!("{key:?}")).or_default().push(row);
        }
        Ok(groups)
    }

    fn top_k(&self, node: &Node<TopK>, tick: u64, outer: Option<&Scope<'_>>) -> Result<Vec<Row>, String> {
        let (op, input) = (&node.op, &node.inputs[0]);
        let rows = self.plan(input, tick, outer)?;
        let mut out = vec![];
        for (_, group) in self.grouped(&op.partition, input, rows, tick, outer)? {
            let mut keyed = vec![];
            for row in group {
                let scope = Scope { schema: input.schema(), row: &row.values, outer, tick };
                let key = op.order.iter().map(|s| self.expr(&s.expr, scope)).collect::<Result<Values, _>>()?;
                keyed.push((key, row));
            }
            keyed.sort_by(|(a, _), (b, _)| {
                let columns = op.order.iter().zip(a.iter().zip(b));
                columns
                    .map(|(s, (x, y))| compare(x, y, !s.asc, s.nulls_first))
                    .fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
            });
            let rest = keyed.into_iter().enumerate().skip(op.offset).map(|(i, (_, mut row))| {
                row.values.extend(op.rank.as_ref().map(|_| ScalarValue::Int64(Some(i as i64 + 1))));
                row
            });
            out.extend(rest.take(op.limit.unwrap_or(usize::MAX)));
        }
        Ok(out)
    }

    fn explode(&self, node: &Node<Explode>, tick: u64, outer: Option<&Scope<'_>>) -> Result<Vec<Row>, String> {
        let input = &node.inputs[0];
        let mut out = vec![];
        for row in self.plan(input, tick, outer)? {
            let mut lists = vec![];
            for column in &node.op.columns {
                let at = input.schema().index_of_column(column).map_err(|e| e.to_string())?;
                lists.push((at, elements(&row.values[at])));
            }
            let longest = lists.iter().map(|(_, l)| l.len()).max().unwrap_or(0);
            for i in 0..longest.max(usize::from(node.op.keep_empty)) {
                let mut values = row.values.clone();
                for (at, list) in &lists {
                    let null = ScalarValue::try_from(node.schema.field(*at).data_type()).map_err(|e| e.to_string())?;
                    values[*at] = list.get(i).cloned().unwrap_or(null);
                }
                out.push(Row { values, tick: row.tick });
            }
        }
        Ok(out)
    }
}

fn unalias(expr: &Expr) -> &Expr {
    match expr {
        Expr::Alias(alias) => unalias(&alias.expr),
        other => other,
    }
}

/// Each distinct row once.
fn distinct(rows: Vec<Row>) -> Vec<Row> {
    let mut out: Vec<Row> = vec![];
    for row in rows {
        if !out.iter().any(|r| r.values == row.values) {
            out.push(row);
        }
    }
    out
}

fn set_op(op: &SetOp, left: &[Row], right: &[Row]) -> Vec<Row> {
    let count = |rows: &[Row], row: &Row| rows.iter().filter(|r| r.values == row.values).count();
    let mut out = vec![];
    for row in distinct(left.to_vec()) {
        let (m, n) = (count(left, &row), count(right, &row));
        let times = match (op.kind, op.all) {
            (SetOpKind::Intersect, true) => m.min(n),
            (SetOpKind::Except, true) => m.saturating_sub(n),
            (SetOpKind::Intersect, false) => usize::from(n > 0),
            (SetOpKind::Except, false) => usize::from(n == 0),
        };
        out.extend(std::iter::repeat_n(row, times));
    }
    out
}
