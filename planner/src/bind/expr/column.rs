//! Names: columns, fields of columns, columns of the query around.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_common::ScalarValue;
use datafusion_expr::Expr;
use sqlparser::ast;

use super::Cx;
use crate::bind::coerce::{Typed, at};
use crate::bind::names::list;
use crate::bind::scope::{Scope, ScopeColumn};
use crate::bind::{Binder, Env};
use crate::error::{ErrorKind, PlanError, Result, Span};
use crate::function;
use crate::sql::name::fold;

/// The message that [`repair`](crate::bind::repair) knows undeclared aliases by.
pub(crate) const NO_SUCH_RELATION: &str = "no relation in FROM is called ";

impl Binder<'_> {
    /// `a`, `a.b`, `a.b.c`.
    pub(crate) fn bind_name(&mut self, expr: &ast::Expr, cx: &mut Cx<'_>) -> Result<Typed> {
        let span = self.span(expr);
        let parts: Vec<&ast::Ident> = match expr {
            ast::Expr::Identifier(ident) => vec![ident],
            ast::Expr::CompoundIdentifier(idents) => idents.iter().collect(),
            _ => vec![],
        };
        let names: Vec<String> = parts.iter().map(|part| fold(part)).collect();
        if let [only] = names.as_slice()
            && let Some(parameter) = cx.lambdas.iter().rev().find(|field| field.name() == only)
        {
            let variable = datafusion_expr::expr::LambdaVariable::new(only.clone(), Some(Arc::clone(parameter)));
            return Ok(Typed::new(Expr::LambdaVariable(variable), parameter.data_type().clone()));
        }
        if let Some((typed, used)) = resolve(cx.scope, &names, span)? {
            return self.fields(typed, &names[used..], span);
        }
        let mut outer = cx.env.outer;
        while let Some(around) = outer {
            if let Some((column, used)) = find(around.scope, &names, span)? {
                if cx.in_aggregate && used == names.len() && cx.scope.columns.is_empty() {
                    return Err(at(PlanError::not_supported("an aggregate of the query around"), span));
                }
                let typed = Typed::new(column.outer_expr(span), column.data_type.clone());
                return self.fields(typed, &names[used..], span);
            }
            outer = around.env.outer;
        }
        Err(self.unknown_name(&names, parts[0].quote_style, cx.scope, cx.env, span))
    }

    fn unknown_name(
        &self,
        names: &[String],
        quote: Option<char>,
        scope: &Scope,
        env: &Env<'_>,
        span: Option<Span>,
    ) -> PlanError {
        if let [name] = names {
            if let Some(reason) = function::volatile(&name.to_lowercase()) {
                return at(PlanError::not_supported(name), span).hint(reason);
            }
            let error = scope.undefined(name, span);
            let hint = match (&error.hint, quote) {
                (None, Some('"')) => Some(format!("a text is written in single quotes: '{name}'")),
                (hint, _) => hint.clone(),
            };
            return PlanError { hint, ..error };
        }
        let relation = names[..names.len() - 1].join(".");
        let mut relations: Vec<&str> = scope.relations.iter().map(|r| r.name.as_str()).collect();
        let mut outer = env.outer;
        while let Some(around) = outer {
            relations.extend(around.scope.relations.iter().map(|r| r.name.as_str()));
            outer = around.env.outer;
        }
        let error = PlanError::new(ErrorKind::UndefinedRelation, format!("{NO_SUCH_RELATION}\"{relation}\""));
        let detail = match relations.as_slice() {
            [] => "The query has no FROM.".to_string(),
            all => format!("FROM has {}.", list(all)),
        };
        let hint = crate::bind::names::did_you_mean(&relation, relations);
        PlanError { span, hint, ..error.detail(detail) }
    }

    /// `column.field.field`.
    pub(crate) fn fields(&self, mut typed: Typed, names: &[String], span: Option<Span>) -> Result<Typed> {
        for name in names {
            typed = self.field(typed, name, span)?;
        }
        Ok(typed)
    }

    /// `struct->name`: exactly so, then without regard to case.
    pub(crate) fn field(&self, of: Typed, name: &str, span: Option<Span>) -> Result<Typed> {
        let DataType::Struct(fields) = &of.data_type else {
            let type_name = crate::eval::types::type_name(&of.data_type);
            let message = format!("{type_name} has no field {name}");
            return Err(at(PlanError::new(ErrorKind::TypeMismatch, message), span));
        };
        let exact = fields.iter().find(|f| f.name() == name);
        let Some(field) = exact.or_else(|| fields.iter().find(|f| f.name().eq_ignore_ascii_case(name))) else {
            let names: Vec<&str> = fields.iter().map(|f| f.name().as_str()).collect();
            let error = PlanError::new(ErrorKind::UndefinedColumn, format!("there is no field {name}"))
                .detail(format!("The STRUCT has {}.", list(&names)));
            let hint = crate::bind::names::did_you_mean(name, names);
            return Err(PlanError { span, hint, ..error });
        };
        let data_type = field.data_type().clone();
        let key = Typed::literal(ScalarValue::Utf8(Some(field.name().clone())));
        let args = vec![of.expr, key.expr];
        Ok(Typed::new(self.udf_call("get_field", args)?, data_type))
    }
}

/// The column that the first names mean, and how many of them.
fn find<'s>(scope: &'s Scope, names: &[String], span: Option<Span>) -> Result<Option<(&'s ScopeColumn, usize)>> {
    if let [relation, name, ..] = names {
        match scope.find_in(relation, name, span) {
            Ok(Some(column)) => return Ok(Some((column, 2))),
            Ok(None) => {}
            Err(error) => {
                // a column of that name may be a STRUCT with that field
                return match scope.find(relation, span) {
                    Ok(Some(column)) if matches!(column.data_type, DataType::Struct(_)) => Ok(Some((column, 1))),
                    _ => Err(error),
                };
            }
        }
    }
    let [name, rest @ ..] = names else { return Ok(None) };
    Ok(match scope.find(name, span)? {
        Some(column) if rest.is_empty() || matches!(column.data_type, DataType::Struct(_)) => Some((column, 1)),
        _ => None,
    })
}

fn resolve(scope: &Scope, names: &[String], span: Option<Span>) -> Result<Option<(Typed, usize)>> {
    let found = find(scope, names, span)?;
    Ok(found.map(|(column, used)| (Typed::new(column.expr(span), column.data_type.clone()), used)))
}
