//! SELECT: its clauses in the order in which they take effect.
//!
//! FROM, WHERE, WINDOW, GROUP BY, HAVING, the list with EXPLODE, DISTINCT, ORDER BY. All expressions are bound over the
//! columns of FROM first; when there are groups they are rewritten to what the groups have.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_common::Column;
use datafusion_expr::{Distinct, Expr, Filter, LogicalPlan, Projection, SortExpr};
use sqlparser::ast;

use super::aggregate::AggregateCall;
use super::coerce::{Typed, at};
use super::expr::over::{RowNumber, is_number_of_row};
use super::expr::{Cx, Explode};
use super::from::From;
use super::grouping_sets::asks_for_grouping;
use super::items::Item;
use super::order::SortItem;
use super::query::{Bound, Facts, Nature, OrderKey, Output};
use super::{Binder, Env, column, internal, named};
use crate::error::{ErrorKind, PlanError, Result};
use crate::logical::Node;
use crate::logical::explode::Explode as ExplodeOp;
use crate::logical::top_k::TopK;
use crate::sql::name::fold;

/// Everything of a SELECT that is bound over FROM's columns.
#[derive(Default)]
struct Clauses {
    items: Vec<Item>,
    having: Option<Expr>,
    sort: Vec<SortItem>,
    distinct_on: Vec<Expr>,
    partition_by: Vec<Expr>,
    /// PARTITION BY is there.
    partitioned: bool,
    calls: Vec<AggregateCall>,
    explodes: Vec<Explode>,
    row_numbers: Vec<RowNumber>,
}

impl Clauses {
    /// All that is computed from rows or groups, but HAVING.
    fn exprs(&mut self) -> impl Iterator<Item = &mut Expr> {
        let numbers = self.row_numbers.iter_mut();
        let numbers = numbers.flat_map(|n| n.partition.iter_mut().chain(n.order.iter_mut().map(|key| &mut key.expr)));
        let items = self.items.iter_mut().map(|item| &mut item.typed.expr);
        let sorts = self.sort.iter_mut().map(|sort| &mut sort.expr);
        let lists = self.explodes.iter_mut().map(|explode| &mut explode.list);
        let keys = self.distinct_on.iter_mut().chain(&mut self.partition_by);
        items.chain(sorts).chain(lists).chain(keys).chain(numbers)
    }
}

impl Binder<'_> {
    /// A SELECT with the ORDER BY of its query.
    pub(crate) fn bind_select(
        &mut self,
        select: &ast::Select,
        order_by: Option<&ast::OrderBy>,
        env: &Env<'_>,
        top: bool,
    ) -> Result<Bound> {
        self.refuse_rare_select(select)?;
        self.bind_select_clauses(select, order_by, env, top).map_err(|error| self.repair(error, select))
    }

    fn bind_select_clauses(
        &mut self,
        select: &ast::Select,
        order_by: Option<&ast::OrderBy>,
        env: &Env<'_>,
        top: bool,
    ) -> Result<Bound> {
        let mut from = self.bind_from(&select.from, env)?;
        if let Some(selection) = &select.selection {
            let scope = from.scope.clone();
            let predicate = self.bind_predicate(selection, &mut Cx::plain(&scope, env, "WHERE"))?;
            let filter = Filter::try_new(predicate, Arc::new(from.plan)).map_err(|error| internal(&error))?;
            from.plan = LogicalPlan::Filter(filter);
        }
        let mut session = None;
        let window = self.clauses.window(select);
        if let Some(clause) = window {
            (from, session) = self.bind_window(from, clause)?;
        }
        let mut clauses = self.bind_clauses(select, order_by, &from, env, top)?;
        let keys = self.bind_group_by(select, &clauses.items, &from, env)?;
        let by_keys = !keys.exprs.is_empty() || keys.sets.is_some() || clauses.exprs().any(|e| asks_for_grouping(e));
        let grouped = by_keys || !clauses.calls.is_empty() || clauses.having.is_some();
        if let (Some(clause), true) = (window.filter(|_| session.is_some()), keys.sets.is_some()) {
            let error = PlanError::not_supported("GROUPING SETS, ROLLUP and CUBE with session windows");
            return Err(error.at(clause.span));
        }
        if let (Some(clause), false) = (window, grouped) {
            let error = PlanError::new(ErrorKind::Grouping, "WINDOW needs GROUP BY or an aggregate");
            return Err(error.at(clause.span));
        }
        let mut plan = from.plan.clone();
        let mut facts = from.facts.clone();
        if grouped {
            self.warn_unbounded_groups(&from, window.is_some(), &keys.exprs, select);
            let grouping = self.bind_grouping(from, keys, &clauses.calls, window.is_some(), session)?;
            let over = |expr: Expr| self.over_groups(&grouping, expr);
            clauses.having = clauses.having.map(over).transpose()?;
            for expr in clauses.exprs() {
                *expr = over(expr.clone())?;
            }
            (plan, facts) = (grouping.plan, grouping.facts);
            if let Some(having) = clauses.having.take() {
                let filter = Filter::try_new(having, Arc::new(plan)).map_err(|error| internal(&error))?;
                plan = LogicalPlan::Filter(filter);
            }
        }
        plan = explode(plan, &clauses.explodes)?;
        if !clauses.explodes.is_empty() {
            facts = Facts { key: None, is_table_scan: false, ..facts };
        }
        self.project(plan, facts, clauses, select)
    }

    /// Binds the list, HAVING, ORDER BY, DISTINCT ON and PARTITION BY.
    fn bind_clauses(
        &mut self,
        select: &ast::Select,
        order_by: Option<&ast::OrderBy>,
        from: &From,
        env: &Env<'_>,
        top: bool,
    ) -> Result<Clauses> {
        let mut clauses = Clauses::default();
        let scope = &from.scope;
        let mut cx = Cx::plain(scope, env, "SELECT");
        cx.aggregates = Some(&mut clauses.calls);
        cx.explodes = Some(&mut clauses.explodes);
        cx.row_numbers = Some(&mut clauses.row_numbers);
        clauses.items = self.bind_items(select, top, &mut cx)?;
        cx.explodes = None;
        cx.row_numbers = None;
        if let Some(having) = &select.having {
            cx.place = "HAVING";
            clauses.having = Some(self.bind_having(having, &clauses.items, &mut cx)?);
        }
        if let Some(order_by) = order_by {
            cx.place = "ORDER BY";
            clauses.sort = self.bind_order_by(order_by, &clauses.items, &mut cx)?;
        }
        if let Some(ast::Distinct::On(exprs)) = &select.distinct {
            cx.place = "DISTINCT ON";
            for expr in exprs {
                clauses.distinct_on.push(self.bind_output_or_expr(expr, &clauses.items, &mut cx)?.expr);
            }
        }
        if top {
            cx.place = "PARTITION BY";
            for expr in std::mem::take(&mut self.partition_by) {
                // PARTITION BY NULL: no key
                let key = self.bind_expr(&expr, &mut cx)?;
                clauses.partition_by.extend((key.data_type != DataType::Null).then_some(key.expr));
                clauses.partitioned = true;
            }
        }
        Ok(clauses)
    }

    /// HAVING may name an item of the list where FROM has no such column.
    fn bind_having(&mut self, having: &ast::Expr, items: &[Item], cx: &mut Cx<'_>) -> Result<Expr> {
        if let ast::Expr::Identifier(ident) = having {
            let name = fold(ident);
            if let (Some(item), None) = (items.iter().find(|i| i.name == name), cx.scope.find(&name, None)?) {
                return self.boolean(item.typed.clone(), "HAVING", self.span(having));
            }
        }
        self.bind_predicate(having, cx)
    }

    /// An expression that may be the name or number of an item.
    pub(crate) fn bind_output_or_expr(&mut self, expr: &ast::Expr, items: &[Item], cx: &mut Cx<'_>) -> Result<Typed> {
        let span = self.span(expr);
        match expr {
            ast::Expr::Identifier(ident) => {
                let name = fold(ident);
                let mut named = items.iter().filter(|item| item.name == name);
                if let Some(item) = named.next() {
                    if named.any(|other| other.typed.expr != item.typed.expr) {
                        let message = format!("{name} could be two columns of the list");
                        return Err(at(PlanError::new(ErrorKind::AmbiguousColumn, message), span));
                    }
                    return Ok(item.typed.clone());
                }
            }
            ast::Expr::Value(value) => {
                if let ast::Value::Number(digits, _) = &value.value {
                    return match digits.parse::<usize>().ok().and_then(|n| items.get(n.checked_sub(1)?)) {
                        Some(item) => Ok(item.typed.clone()),
                        None => {
                            let message = format!("{} {digits} is not in the list of {}", cx.place, items.len());
                            Err(at(PlanError::new(ErrorKind::UndefinedColumn, message), span))
                        }
                    };
                }
            }
            _ => {}
        }
        self.bind_expr(expr, cx)
    }

    /// The list, DISTINCT and ORDER BY over what the groups or FROM have.
    fn project(
        &mut self,
        plan: LogicalPlan,
        mut facts: Facts,
        mut clauses: Clauses,
        select: &ast::Select,
    ) -> Result<Bound> {
        let distinct = matches!(select.distinct, Some(ast::Distinct::Distinct));
        let numbers = std::mem::take(&mut clauses.row_numbers);
        let number = self.row_number(numbers, &clauses.items, select, !clauses.explodes.is_empty())?;
        let mut hidden = Columns { qualifier: self.fresh("SELECT"), exprs: vec![] };
        let outputs = self.outputs(&clauses.items, &mut hidden)?;
        let order = order_keys(&clauses, &outputs, &mut hidden, distinct)?;
        let on: Vec<Column> = clauses
            .distinct_on
            .iter()
            .map(|on| match clauses.items.iter().position(|item| item.typed.expr == *on) {
                Some(i) => outputs[i].column.clone(),
                None => hidden.column(on, "ON"),
            })
            .collect();
        let numbering = number.map(|number| self.numbering(number, &mut hidden));
        if distinct {
            facts = Facts { key: None, system: None, message_key: vec![], window: None, ..facts };
        }
        if numbering.is_some() {
            // what is carried along breaks no ties
            facts = Facts { system: None, message_key: vec![], is_table_scan: false, nature: Nature::Table, ..facts };
        }
        if clauses.partitioned {
            let keys = clauses.partition_by.iter().map(|key| hidden.column(key, "PARTITION_KEY"));
            let keys: Vec<Column> = keys.collect();
            facts.message_key = vec![];
            facts = self.carry(facts, &mut hidden);
            facts.message_key = keys;
        } else {
            facts = self.carry(facts, &mut hidden);
        }
        let projection = Projection::try_new(hidden.exprs, Arc::new(plan)).map_err(|error| internal(&error))?;
        let mut plan = LogicalPlan::Projection(projection);
        if let Some(numbering) = numbering {
            plan = self.number_rows(plan, numbering, &outputs)?;
        }
        if distinct {
            plan = LogicalPlan::Distinct(Distinct::All(Arc::new(plan)));
            let key = outputs.iter().map(|output| output.column.clone()).collect();
            facts = Facts { key: Some(key), is_table_scan: false, nature: Nature::Table, ..facts };
        }
        if !on.is_empty() {
            plan = self.first_of_each(plan, &on, &order)?;
            facts = Facts { key: Some(on), system: None, is_table_scan: false, nature: Nature::Table, ..facts };
        }
        Ok(Bound { plan, outputs, facts, order, stop_after_rows: None })
    }

    /// The visible columns. Numbers of rows have their column already: it is made behind the projection.
    fn outputs(&self, items: &[Item], columns: &mut Columns) -> Result<Vec<Output>> {
        let mut outputs: Vec<Output> = vec![];
        for item in items {
            let typed = match item.typed.data_type {
                DataType::Null => item.typed.clone().cast(&DataType::Utf8, item.span)?,
                _ => item.typed.clone(),
            };
            let column = match &typed.expr {
                Expr::Column(number) if is_number_of_row(number) => number.clone(),
                _ => {
                    let column = columns.output(&item.name);
                    columns.exprs.push(named(typed.expr, &column));
                    column
                }
            };
            let data_type = typed.data_type;
            outputs.push(Output { name: item.name.clone(), column, data_type, span: item.span, unnamed: item.unnamed });
        }
        Ok(outputs)
    }

    /// Keeps the columns of `facts` behind the visible ones.
    fn carry(&self, facts: Facts, hidden: &mut Columns) -> Facts {
        let mut renamed = vec![];
        for column in facts.carried() {
            let made = hidden.column(&Expr::Column(column.clone()), &column.name);
            renamed.push((column, made));
        }
        facts.rename(|column| renamed.iter().find(|(from, _)| from == column).map(|(_, to)| to.clone()))
    }

    /// DISTINCT ON: the first row of each group.
    fn first_of_each(&mut self, plan: LogicalPlan, on: &[Column], order: &[OrderKey]) -> Result<LogicalPlan> {
        let partition: Vec<Expr> = on.iter().cloned().map(Expr::Column).collect();
        let order = total_order(&plan, order);
        let op = TopK { partition, order, offset: 0, limit: Some(1), rank: None };
        Node::plan(op, vec![plan]).map_err(|error| internal(&error))
    }

    fn refuse_rare_select(&self, select: &ast::Select) -> Result<()> {
        let what = match select {
            s if s.top.is_some() => "TOP (write LIMIT)",
            s if s.into.is_some() => "SELECT INTO (write CREATE TABLE … AS SELECT)",
            s if !s.lateral_views.is_empty() => "LATERAL VIEW (write EXPLODE)",
            s if s.prewhere.is_some() => "PREWHERE",
            s if !s.connect_by.is_empty() => "CONNECT BY",
            s if !s.cluster_by.is_empty() || !s.distribute_by.is_empty() || !s.sort_by.is_empty() => {
                "CLUSTER BY, DISTRIBUTE BY and SORT BY"
            }
            s if !s.named_window.is_empty() => "window functions (WINDOW name AS)",
            s if s.qualify.is_some() => "QUALIFY",
            s if s.value_table_mode.is_some() => "SELECT AS STRUCT and AS VALUE",
            s if s.exclude.is_some() => "EXCLUDE behind the list",
            _ => return Ok(()),
        };
        Err(at(PlanError::not_supported(what), self.span(select)))
    }
}

/// The keys of ORDER BY, as columns.
fn order_keys(clauses: &Clauses, outputs: &[Output], columns: &mut Columns, distinct: bool) -> Result<Vec<OrderKey>> {
    let key = |sort: &SortItem| {
        let found = clauses.items.iter().position(|item| item.typed.expr == sort.expr);
        let column = match (found, distinct) {
            (Some(i), _) => outputs[i].column.clone(),
            (None, false) => columns.column(&sort.expr, "SORT"),
            (None, true) => {
                let error = PlanError::new(ErrorKind::Grouping, "ORDER BY must name a column of SELECT DISTINCT");
                return Err(at(error, sort.span));
            }
        };
        Ok(OrderKey { column, descending: sort.descending, nulls_first: sort.nulls_first })
    };
    clauses.sort.iter().map(key).collect()
}

/// The columns of a projection: the visible ones, then what is carried along.
pub(super) struct Columns {
    qualifier: String,
    exprs: Vec<Expr>,
}

impl Columns {
    /// A column of this name, or with a number behind it if there is one.
    fn output(&self, name: &str) -> Column {
        let taken = |column: &Column| {
            self.exprs.iter().any(|expr| matches!(expr, Expr::Alias(alias) if alias.name == column.name))
        };
        let mut made = column(&self.qualifier, name);
        let mut n = 1;
        while taken(&made) {
            n += 1;
            made.name = format!("{name}:{n}");
        }
        made
    }

    /// The column that has `expr`; it is added if there is none.
    pub(super) fn column(&mut self, expr: &Expr, base: &str) -> Column {
        for known in &self.exprs {
            if let Expr::Alias(alias) = known
                && *alias.expr == *expr
            {
                return column(&self.qualifier, alias.name.clone());
            }
        }
        let made = self.output(base);
        self.exprs.push(named(expr.clone(), &made));
        made
    }
}

/// A row per element of the lists.
fn explode(plan: LogicalPlan, explodes: &[Explode]) -> Result<LogicalPlan> {
    if explodes.is_empty() {
        return Ok(plan);
    }
    let mut exprs: Vec<Expr> = plan.schema().columns().into_iter().map(Expr::Column).collect();
    exprs.extend(explodes.iter().map(|explode| named(explode.list.clone(), &explode.column)));
    let projection = Projection::try_new(exprs, Arc::new(plan)).map_err(|error| internal(&error))?;
    let columns = explodes.iter().map(|explode| explode.column.clone()).collect();
    Node::plan(ExplodeOp { columns, keep_empty: false }, vec![LogicalPlan::Projection(projection)])
        .map_err(|error| internal(&error))
}

/// `order`, then every other column of the plan, ascending with NULLs last.
pub(crate) fn total_order(plan: &LogicalPlan, order: &[OrderKey]) -> Vec<SortExpr> {
    let mut total: Vec<SortExpr> = vec![];
    for key in order {
        let expr = Expr::Column(key.column.clone());
        if !total.iter().any(|known| known.expr == expr) {
            total.push(SortExpr::new(expr, !key.descending, key.nulls_first));
        }
    }
    for column in plan.schema().columns() {
        let expr = Expr::Column(column);
        if !total.iter().any(|known| known.expr == expr) {
            total.push(SortExpr::new(expr, true, false));
        }
    }
    total
}
