//! Warnings about state without a bound.

use datafusion_expr::Expr;
use sqlparser::ast;

use super::coerce::at;
use super::from::From;
use super::query::Nature;
use super::{Binder, Purpose};
use crate::catalog::{Definition, RelationId};
use crate::error::{ErrorKind, PlanError};

impl Binder<'_> {
    /// That groups of a stream without end are kept for ever.
    pub(crate) fn warn_unbounded_groups(&mut self, from: &From, windowed: bool, keys: &[Expr], select: &ast::Select) {
        let kept = !windowed && !keys.is_empty() && from.facts.window.is_none() && from.facts.nature == Nature::Stream;
        if !kept || self.purpose == Purpose::Pull || !from.facts.time_sources.iter().any(|id| self.is_endless(*id)) {
            return;
        }
        let warning = PlanError::warning(
            ErrorKind::InvalidDefinition,
            "GROUP BY over a stream without WINDOW keeps one row per key for ever",
        );
        let span = match &select.group_by {
            ast::GroupByExpr::Expressions(exprs, _) => exprs.first().and_then(|expr| self.span(expr)),
            ast::GroupByExpr::All(_) => None,
        };
        self.warn(at(warning, span).hint("bound it: WINDOW TUMBLING (SIZE 1 HOUR)"));
    }

    /// Whether a source goes on for ever.
    pub(crate) fn is_endless(&self, id: RelationId) -> bool {
        let Some(relation) = self.catalog.by_id(id) else { return false };
        let Definition::Source { options } = &relation.definition else { return false };
        let option = |name: &str| options.get(name).map(String::as_str);
        match option("CONNECTOR").unwrap_or("topic") {
            "file" => option("FOLLOW").is_some_and(|value| value.eq_ignore_ascii_case("true")),
            "generator" => option("ROWS").is_none(),
            "memory" => false,
            _ => true,
        }
    }
}
