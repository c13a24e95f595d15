//! Aliases that were used and not declared: the FROM clause as it was meant.
//!
//! `FROM RATINGS LEFT JOIN CUSTOMERS ON R.ID = C.ID` names R and C, which no relation is called. When each such name is
//! the beginning of exactly one relation without an alias, the hint is the clause with the aliases put in.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use sqlparser::ast::{self, Visit, Visitor};

use super::Binder;
use super::expr::column::NO_SUCH_RELATION;
use super::names::list;
use crate::error::{ErrorKind, PlanError, Span};
use crate::sql::name::fold;

/// A relation of FROM as it was written.
struct Written {
    name: String,
    alias: Option<String>,
    /// Where an alias would stand.
    end: usize,
}

impl Binder<'_> {
    /// The error, with the repaired FROM as its hint if it is about an undeclared alias.
    pub(crate) fn repair(&self, error: PlanError, select: &ast::Select) -> PlanError {
        if error.kind != ErrorKind::UndefinedRelation || !error.message.starts_with(NO_SUCH_RELATION) {
            return error;
        }
        let mut relations = vec![];
        for item in &select.from {
            self.written(&item.relation, &mut relations);
            for join in &item.joins {
                self.written(&join.relation, &mut relations);
            }
        }
        if relations.is_empty() {
            return error;
        }
        let bare: Vec<&str> = relations.iter().filter(|r| r.alias.is_none()).map(|r| r.name.as_str()).collect();
        let names: Vec<&str> = relations.iter().map(|r| r.alias.as_deref().unwrap_or(&r.name)).collect();
        let error = match bare.len() == relations.len() && bare.len() > 1 {
            true => {
                let detail = format!("FROM has {}, {} of them with an alias.", list(&names), neither(bare.len()));
                error.detail(detail)
            }
            false => error.detail(format!("FROM has {}.", list(&names))),
        };
        match self.repaired(select, &relations) {
            Some(from) => error.hint(from),
            None => error,
        }
    }

    fn written(&self, factor: &ast::TableFactor, relations: &mut Vec<Written>) {
        match factor {
            ast::TableFactor::Table { name, alias, .. } => {
                let Some(span) = self.span(name) else { return };
                let Some(last) = name.0.last().and_then(|part| part.as_ident()) else { return };
                let alias = alias.as_ref().map(|alias| fold(&alias.name));
                relations.push(Written { name: fold(last), alias, end: span.end });
            }
            ast::TableFactor::NestedJoin { table_with_joins, .. } => {
                self.written(&table_with_joins.relation, relations);
                for join in &table_with_joins.joins {
                    self.written(&join.relation, relations);
                }
            }
            _ => {}
        }
    }

    /// `FROM RATINGS R LEFT JOIN CUSTOMERS C ON R.ID = C.ID`.
    fn repaired(&self, select: &ast::Select, relations: &[Written]) -> Option<String> {
        let mut qualifiers = Qualifiers::default();
        let _ = select.visit(&mut qualifiers);
        let known = |name: &str| relations.iter().any(|r| r.alias.as_deref().unwrap_or(&r.name) == name);
        let mut insertions: Vec<(usize, String)> = vec![];
        for qualifier in qualifiers.names.iter().filter(|name| !known(name)) {
            let mut fitting = relations.iter().filter(|r| r.alias.is_none() && r.name.starts_with(qualifier.as_str()));
            let (Some(relation), None) = (fitting.next(), fitting.next()) else { return None };
            if insertions.iter().any(|(end, _)| *end == relation.end) {
                return None;
            }
            insertions.push((relation.end, qualifier.clone()));
        }
        if insertions.is_empty() {
            return None;
        }
        insertions.sort();
        let spans: Vec<Span> = select.from.iter().filter_map(|item| self.span(item)).collect();
        let (start, end) = (spans.first()?.start, spans.iter().map(|span| span.end).max()?);
        let mut from = String::from("FROM ");
        let mut at = start;
        for (place, alias) in insertions {
            from += self.text(Span::new(at, place));
            from += " ";
            from += &alias;
            at = place;
        }
        from += self.text(Span::new(at, end));
        Some(from.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}

fn neither(n: usize) -> &'static str {
    if n == 2 { "neither" } else { "none" }
}

/// The first parts of all names with a dot.
#[derive(Default)]
struct Qualifiers {
    names: BTreeSet<String>,
}

impl Visitor for Qualifiers {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &ast::Expr) -> ControlFlow<()> {
        if let ast::Expr::CompoundIdentifier(parts) = expr
            && let Some(first) = parts.first()
        {
            self.names.insert(fold(first));
        }
        ControlFlow::Continue(())
    }
}
