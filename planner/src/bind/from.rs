//! FROM: relations, subqueries, table functions, and the names that they bring.

use std::sync::Arc;

use datafusion_common::{Column, TableReference};
use datafusion_expr::logical_plan::{EmptyRelation, Subquery, SubqueryAlias, TableScanBuilder};
use datafusion_expr::{LogicalPlan, TableSource};
use sqlparser::ast;

use super::coerce::at;
use super::names::did_you_mean;
use super::query::{Bound, Facts, Nature};
use super::scope::{Scope, ScopeColumn, ScopeRelation};
use super::table_function::Call;
use super::{Binder, Env, Outer, RelationSource, internal};
use crate::catalog::{Definition, Relation, RelationKind, SYSTEM_COLUMNS};
use crate::error::{ErrorKind, PlanError, Result, Span};
use crate::logical::assign_windows::WINDOW_COLUMNS;
use crate::sql::name::{Ident, Name, fold};

/// A relation of FROM, or several joined.
#[derive(Clone, Debug)]
pub(crate) struct From {
    pub(crate) plan: LogicalPlan,
    pub(crate) scope: Scope,
    pub(crate) facts: Facts,
}

/// Views may read views this deep.
const VIEW_DEPTH_MAX: usize = 16;

impl Binder<'_> {
    /// The FROM clause of a SELECT: its items joined, or one row without columns.
    pub(crate) fn bind_from(&mut self, items: &[ast::TableWithJoins], env: &Env<'_>) -> Result<From> {
        let mut all: Option<From> = None;
        for item in items {
            let mut joined = match (all, &item.relation) {
                (Some(left), ast::TableFactor::UNNEST { .. }) => {
                    self.beside_unnest(left, &item.relation, false, env)?
                }
                (None, relation) => self.bind_factor(relation, None, env)?,
                (Some(left), relation) => {
                    let right = self.bind_factor(relation, Some(&left), env)?;
                    self.cross_join(left, right, self.span(relation))?
                }
            };
            for join in &item.joins {
                joined = self.bind_join(joined, join, env)?;
            }
            all = Some(joined);
        }
        Ok(all.unwrap_or_else(|| From {
            plan: LogicalPlan::EmptyRelation(EmptyRelation {
                produce_one_row: true,
                schema: Arc::new(datafusion_common::DFSchema::empty()),
            }),
            scope: Scope::default(),
            facts: Facts::state(),
        }))
    }

    /// One relation; `left` is what stands before it, for LATERAL.
    pub(crate) fn bind_factor(
        &mut self,
        factor: &ast::TableFactor,
        left: Option<&From>,
        env: &Env<'_>,
    ) -> Result<From> {
        match factor {
            ast::TableFactor::Table { name, alias, args: None, .. } => self.bind_relation(name, alias.as_ref(), env),
            ast::TableFactor::Derived { lateral, subquery, alias, .. } => {
                self.bind_derived(subquery, alias.as_ref(), *lateral, left, env)
            }
            ast::TableFactor::NestedJoin { table_with_joins, alias: None } => {
                let mut joined = self.bind_factor(&table_with_joins.relation, left, env)?;
                for join in &table_with_joins.joins {
                    joined = self.bind_join(joined, join, env)?;
                }
                Ok(joined)
            }
            ast::TableFactor::UNNEST { .. } => {
                let nothing = self.bind_from(&[], env)?;
                self.beside_unnest(nothing, factor, false, env)
            }
            ast::TableFactor::Table { name, alias, args: Some(args), .. } => {
                let call = Call { name, args: &args.args, alias: alias.as_ref(), span: self.span(factor) };
                self.bind_table_function(&call, env)
            }
            ast::TableFactor::TableFunction { expr: ast::Expr::Function(function), alias } => {
                let args = match &function.args {
                    ast::FunctionArguments::List(list) => list.args.as_slice(),
                    _ => &[],
                };
                let call = Call { name: &function.name, args, alias: alias.as_ref(), span: self.span(function) };
                self.bind_table_function(&call, env)
            }
            ast::TableFactor::Function { name, .. } => {
                Err(at(PlanError::not_supported(format!("the table function {name}")), self.span(factor)))
            }
            other => {
                let text = self.span(other).map(|span| self.text(span).to_string()).unwrap_or_default();
                let what = text.split_whitespace().next().unwrap_or("this relation").to_uppercase();
                Err(at(PlanError::not_supported(format!("{what} in FROM")), self.span(other)))
            }
        }
    }

    pub(crate) fn bind_relation(
        &mut self,
        name: &ast::ObjectName,
        alias: Option<&ast::TableAlias>,
        env: &Env<'_>,
    ) -> Result<From> {
        let span = self.span(name);
        let name = self.name_of(name)?;
        let catalog_name = name.catalog_name();
        let short = name.parts.last().map_or_else(String::new, |part| part.value.clone());
        let cte = env.ctes.iter().rev().find(|(cte, _)| name.parts.len() == 1 && *cte == catalog_name);
        if let Some((_, bound)) = cte {
            return self.alias_bound(bound.as_ref().clone(), &short, alias);
        }
        let Some(relation) = self.catalog.get(&catalog_name) else {
            return Err(self.no_relation(&catalog_name, env, span));
        };
        if relation.kind == RelationKind::View {
            let bound = self.inline_view(relation, span)?;
            let mut from = self.alias_bound(bound, &short, alias)?;
            // views have no event time, kept or not
            let is_system = |c: &ScopeColumn| c.hidden && SYSTEM_COLUMNS.iter().any(|(system, _)| *system == c.name);
            from.scope.columns.retain(|column| !is_system(column));
            return Ok(from);
        }
        let relation = relation.clone();
        self.scan(&relation, &short, alias)
    }

    /// The name of a relation, folded.
    pub(crate) fn name_of(&self, name: &ast::ObjectName) -> Result<Name> {
        let span = self.span(name).unwrap_or_default();
        let part = |part: &ast::ObjectNamePart| match part {
            ast::ObjectNamePart::Identifier(ident) => Ok(Ident {
                value: fold(ident),
                quoted: ident.quote_style.is_some(),
                span: self.ident_span(ident).unwrap_or(span),
            }),
            ast::ObjectNamePart::Function(_) => Err(PlanError::not_supported("a function call as a name").at(span)),
        };
        Ok(Name { parts: name.0.iter().map(part).collect::<Result<_>>()?, span })
    }

    /// That the catalog has no relation of this name.
    fn no_relation(&self, name: &str, env: &Env<'_>, span: Option<Span>) -> PlanError {
        let error = PlanError::new(ErrorKind::UndefinedRelation, format!("there is no relation {name}"));
        let names = self.catalog.relations().map(|r| r.name.as_str()).chain(env.ctes.iter().map(|(n, _)| n.as_str()));
        let hint = did_you_mean(name, names);
        PlanError { span, hint: hint.or_else(|| Some("SHOW RELATIONS lists what there is".into())), ..error }
    }

    /// Reads a relation of the catalog.
    pub(crate) fn scan(&mut self, relation: &Relation, short: &str, alias: Option<&ast::TableAlias>) -> Result<From> {
        self.read(relation.id);
        let name = alias.map_or_else(|| short.to_uppercase(), |alias| fold(&alias.name));
        let name = if alias.is_none() && !relation.name.contains('.') { short.to_string() } else { name };
        let qualifier = self.fresh(&name);
        let source: Arc<dyn TableSource> = RelationSource::new(relation);
        let scan = TableScanBuilder::new(TableReference::bare(qualifier.as_str()), source)
            .build()
            .map_err(|error| internal(&error))?;
        let column = |name: &str| Column::new(Some(TableReference::bare(qualifier.as_str())), name);
        let mut columns: Vec<ScopeColumn> = vec![];
        for c in &relation.columns {
            columns.push(scope_column(&name, &c.name, column(&c.name), c.data_type.clone(), false));
        }
        if relation.system_columns {
            for (system, data_type) in &SYSTEM_COLUMNS[..3] {
                columns.push(scope_column(&name, system, column(system), data_type.clone(), true));
            }
        }
        if let Some(alias) = alias {
            self.rename_scope(&mut columns, &alias.columns)?;
        }
        let plan = LogicalPlan::TableScan(scan);
        let scope = Scope { columns, relations: vec![ScopeRelation { name }] };
        Ok(From { plan, scope, facts: scan_facts(relation, column) })
    }

    fn rename_scope(&self, columns: &mut [ScopeColumn], names: &[ast::TableAliasColumnDef]) -> Result<()> {
        let visible = columns.iter().filter(|c| !c.hidden).count();
        if names.len() > visible {
            let message = format!("{} names for {visible} columns", names.len());
            let span = names.get(visible).and_then(|n| self.ident_span(&n.name));
            return Err(at(PlanError::new(ErrorKind::InvalidDefinition, message), span));
        }
        for (column, name) in columns.iter_mut().filter(|c| !c.hidden).zip(names) {
            column.name = fold(&name.name);
        }
        Ok(())
    }

    /// A view's query, bound in the place of its name.
    fn inline_view(&mut self, view: &Relation, span: Option<Span>) -> Result<Bound> {
        let Definition::Query { sql } = &view.definition else {
            return Err(at(PlanError::new(ErrorKind::Internal, format!("{} has no text", view.name)), span));
        };
        if self.shared.views.len() >= VIEW_DEPTH_MAX || self.shared.views.contains(&view.name) {
            let message = format!("views are nested more than {VIEW_DEPTH_MAX} deep at {}", view.name);
            return Err(at(PlanError::new(ErrorKind::TooComplex, message), span));
        }
        if !self.shared.inlined.contains(&view.id) {
            self.shared.inlined.push(view.id);
        }
        let within = |error: PlanError| {
            let detail = format!("It is in the view {}.", view.name);
            let detail = error.detail.clone().map_or(detail.clone(), |own| format!("{own} {detail}"));
            PlanError { span, ..error.detail(detail) }
        };
        let (query, positions) = crate::bind::parse_query(sql).map_err(within)?;
        let mut binder = Binder::new(self.catalog, &positions, &query.clauses, self.purpose, self.emit_final);
        binder.shared = std::mem::take(&mut self.shared);
        binder.shared.views.push(view.name.clone());
        let bound = binder.bind_query(&query.query, &Env::default(), false);
        binder.shared.views.pop();
        self.shared = std::mem::take(&mut binder.shared);
        let mut bound = bound.map_err(within)?;
        for (output, column) in bound.outputs.iter_mut().zip(&view.columns) {
            output.name.clone_from(&column.name);
        }
        Ok(bound)
    }

    /// Puts a bound query under an alias.
    pub(crate) fn alias_bound(
        &mut self,
        mut bound: Bound,
        short: &str,
        alias: Option<&ast::TableAlias>,
    ) -> Result<From> {
        let name = alias.map_or_else(|| short.to_string(), |alias| fold(&alias.name));
        if let Some(alias) = alias {
            self.rename_outputs(&mut bound, &alias.columns)?;
        }
        let qualifier = TableReference::bare(self.fresh(if name.is_empty() { "SUBQUERY" } else { &name }));
        let requalify = |column: &Column| Column::new(Some(qualifier.clone()), column.name.clone());
        for output in &mut bound.outputs {
            output.column = requalify(&output.column);
        }
        let scope_alias = (!name.is_empty()).then_some(name.as_str());
        let mut columns = bound.scope_columns(scope_alias);
        let facts = bound.facts.rename(|column| Some(requalify(column)));
        for (i, column) in facts.window.iter().flatten().enumerate() {
            let data_type = arrow::datatypes::DataType::Int64;
            let mut hidden = scope_column(&name, WINDOW_COLUMNS[i], column.clone(), data_type, true);
            hidden.relation = scope_alias.map(str::to_string);
            columns.push(hidden);
        }
        if facts.nature == Nature::Stream {
            for (column, (system, data_type)) in facts.system.iter().flatten().zip(&SYSTEM_COLUMNS[..3]) {
                let mut hidden = scope_column(&name, system, column.clone(), data_type.clone(), true);
                hidden.relation = scope_alias.map(str::to_string);
                columns.push(hidden);
            }
        }
        let plan = SubqueryAlias::try_new(Arc::new(bound.plan), qualifier).map_err(|error| internal(&error))?;
        let relations = match name.is_empty() {
            true => vec![],
            false => vec![ScopeRelation { name }],
        };
        Ok(From { plan: LogicalPlan::SubqueryAlias(plan), scope: Scope { columns, relations }, facts })
    }

    fn bind_derived(
        &mut self,
        subquery: &ast::Query,
        alias: Option<&ast::TableAlias>,
        lateral: bool,
        left: Option<&From>,
        env: &Env<'_>,
    ) -> Result<From> {
        let Some(left) = left.filter(|_| lateral) else {
            let bound = self.bind_query(subquery, env, false)?;
            return self.alias_bound(bound, "", alias);
        };
        let outer = Outer { scope: &left.scope, env };
        let inner = Env { ctes: env.ctes.clone(), outer: Some(outer) };
        let mut bound = self.bind_query(subquery, &inner, false)?;
        let outer_ref_columns = bound.plan.all_out_ref_exprs();
        if !outer_ref_columns.is_empty() {
            bound.facts = Facts::state();
            let subquery = Subquery { subquery: Arc::new(bound.plan), outer_ref_columns, spans: Default::default() };
            bound.plan = LogicalPlan::Subquery(subquery);
        }
        self.alias_bound(bound, "", alias)
    }
}

fn scope_column(
    relation: &str,
    name: &str,
    column: Column,
    data_type: arrow::datatypes::DataType,
    hidden: bool,
) -> ScopeColumn {
    ScopeColumn { relation: Some(relation.into()), name: name.into(), column, data_type, hidden, merged: false }
}

fn scan_facts(relation: &Relation, column: impl Fn(&str) -> Column) -> Facts {
    let is_stream = relation.kind == RelationKind::Stream;
    let primary_key = relation.primary_key.iter().filter_map(|i| relation.columns.get(*i)).map(|c| column(&c.name));
    let key: Vec<Column> = primary_key.collect();
    let window = relation.window_columns.and_then(|(start, end)| {
        let (start, end) = (relation.columns.get(start)?, relation.columns.get(end)?);
        Some([column(&start.name), column(&end.name)])
    });
    let keyed = !key.is_empty();
    Facts {
        nature: if is_stream { Nature::Stream } else { Nature::Table },
        system: (is_stream && relation.system_columns).then(|| SYSTEM_COLUMNS.map(|(name, _)| column(name))),
        key: keyed.then_some(key),
        message_key: match is_stream {
            true => relation.columns.iter().filter(|c| c.key).map(|c| column(&c.name)).collect(),
            false => vec![],
        },
        window,
        time_sources: match relation.time_sources.is_empty() {
            true if is_stream => vec![relation.id],
            _ => relation.time_sources.clone(),
        },
        is_table_scan: keyed && relation.kind == RelationKind::Table,
    }
}
