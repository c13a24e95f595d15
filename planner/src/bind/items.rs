//! The SELECT list: expressions, `*`, `relation.*`, `struct->*`, and the names of their columns.

use arrow::datatypes::DataType;
use sqlparser::ast;

use super::coerce::{Typed, at};
use super::expr::Cx;
use super::{Binder, Purpose};
use crate::error::{ErrorKind, PlanError, Result, Span};
use crate::sql::name::fold;
use crate::sql::query::struct_star;

/// An item of the SELECT list.
#[derive(Clone, Debug)]
pub(crate) struct Item {
    pub(crate) name: String,
    pub(crate) typed: Typed,
    pub(crate) span: Option<Span>,
    pub(crate) unnamed: bool,
}

impl Binder<'_> {
    /// Names the columns of `*` and of unnamed expressions as the statement's kind asks.
    pub(crate) fn bind_items(&mut self, select: &ast::Select, top: bool, cx: &mut Cx<'_>) -> Result<Vec<Item>> {
        let mut items: Vec<Item> = vec![];
        let prefixed = top && matches!(self.purpose, Purpose::Stream | Purpose::Table) && cx.scope.relations.len() > 1;
        for item in &select.projection {
            match item {
                ast::SelectItem::Wildcard(options) => {
                    let span = self.span(item);
                    self.star(None, prefixed, options, span, cx, &mut items)?;
                }
                ast::SelectItem::QualifiedWildcard(ast::SelectItemQualifiedWildcardKind::ObjectName(name), options) => {
                    let span = self.span(item);
                    let name = self.name_of(name)?;
                    let relation = name.parts.last().map(|part| part.value.clone()).unwrap_or_default();
                    self.star(Some(&relation), prefixed, options, span, cx, &mut items)?;
                }
                ast::SelectItem::QualifiedWildcard(..) | ast::SelectItem::ExprWithAliases { .. } => {
                    return Err(at(PlanError::not_supported("this item of SELECT"), self.span(item)));
                }
                ast::SelectItem::UnnamedExpr(expr) => match struct_star(item) {
                    Some(of) => self.struct_items(&of, cx, &mut items)?,
                    None => {
                        let typed = self.bind_expr(expr, cx)?;
                        let span = self.span(expr);
                        let (name, unnamed) = match inferred_name(expr) {
                            Some(name) => (name, false),
                            None => (self.name_of_unnamed(expr), true),
                        };
                        items.push(Item { name, typed, span, unnamed });
                    }
                },
                ast::SelectItem::ExprWithAlias { expr, alias } => {
                    let typed = self.bind_expr(expr, cx)?;
                    items.push(Item { name: fold(alias), typed, span: self.span(expr), unnamed: false });
                }
            }
        }
        number_unnamed(&mut items);
        Ok(items)
    }

    /// `KSQL_COL_n` in relations; in answers what PostgreSQL would say.
    fn name_of_unnamed(&self, expr: &ast::Expr) -> String {
        match self.purpose {
            Purpose::Pull | Purpose::Push => match expr {
                ast::Expr::Function(call) => call.name.to_string().to_uppercase(),
                ast::Expr::Case { .. } => "CASE".into(),
                _ => UNNAMED.into(),
            },
            _ => UNNAMED.into(),
        }
    }

    fn star(
        &mut self,
        relation: Option<&str>,
        prefixed: bool,
        options: &ast::WildcardAdditionalOptions,
        span: Option<Span>,
        cx: &Cx<'_>,
        items: &mut Vec<Item>,
    ) -> Result<()> {
        if options.opt_replace.is_some() || options.opt_rename.is_some() || options.opt_ilike.is_some() {
            return Err(at(PlanError::not_supported("REPLACE, RENAME and ILIKE behind *"), span));
        }
        if let Some(relation) = relation.filter(|r| !cx.scope.relations.iter().any(|known| known.name == *r)) {
            let names: Vec<&str> = cx.scope.relations.iter().map(|r| r.name.as_str()).collect();
            let message = format!("{}\"{relation}\"", super::expr::column::NO_SUCH_RELATION);
            let error = PlanError::new(ErrorKind::UndefinedRelation, message);
            return Err(at(error, span).detail(format!("FROM has {}.", super::names::list(&names))));
        }
        if cx.scope.relations.is_empty() && cx.scope.columns.is_empty() {
            return Err(at(PlanError::new(ErrorKind::Syntax, "* needs a FROM"), span));
        }
        let excluded = self.excluded(options)?;
        for name in &excluded {
            if !cx.scope.star(relation).iter().any(|column| column.name == *name) {
                return Err(cx.scope.undefined(name, span));
            }
        }
        for column in cx.scope.star(relation) {
            if excluded.contains(&column.name) {
                continue;
            }
            let name = match (&column.relation, prefixed) {
                (Some(relation), true) => format!("{relation}_{}", column.name),
                _ => column.name.clone(),
            };
            let typed = Typed::new(column.expr(span), column.data_type.clone());
            items.push(Item { name, typed, span, unnamed: false });
        }
        Ok(())
    }

    fn excluded(&self, options: &ast::WildcardAdditionalOptions) -> Result<Vec<String>> {
        let mut excluded = vec![];
        match &options.opt_exclude {
            Some(ast::ExcludeSelectItem::Single(name)) => excluded.push(name),
            Some(ast::ExcludeSelectItem::Multiple(names)) => excluded.extend(names),
            None => {}
        }
        let mut names = vec![];
        for name in excluded {
            names.push(self.name_of(name)?.parts.pop().map(|part| part.value).unwrap_or_default());
        }
        if let Some(except) = &options.opt_except {
            names.push(fold(&except.first_element));
            names.extend(except.additional_elements.iter().map(fold));
        }
        Ok(names)
    }

    /// `struct->*`.
    fn struct_items(&mut self, of: &ast::Expr, cx: &mut Cx<'_>, items: &mut Vec<Item>) -> Result<()> {
        let span = self.span(of);
        let of = self.bind_expr(of, cx)?;
        let DataType::Struct(fields) = &of.data_type else {
            let message =
                format!("->* takes the fields of a STRUCT, this is {}", crate::eval::types::type_name(&of.data_type));
            return Err(at(PlanError::new(ErrorKind::TypeMismatch, message), span));
        };
        for field in fields {
            let typed = self.field(of.clone(), field.name(), span)?;
            items.push(Item { name: field.name().clone(), typed, span, unnamed: false });
        }
        Ok(())
    }
}

/// The name of an unnamed column until its number is known.
const UNNAMED: &str = "?column?";

/// KSQL counts the unnamed columns from 0.
fn number_unnamed(items: &mut [Item]) {
    for (n, item) in items.iter_mut().filter(|item| item.unnamed).enumerate() {
        if item.name == UNNAMED {
            item.name = format!("KSQL_COL_{n}");
        }
    }
}

/// The name that an expression brings: a column's, a field's.
fn inferred_name(expr: &ast::Expr) -> Option<String> {
    match expr {
        ast::Expr::Identifier(ident) => Some(fold(ident)),
        ast::Expr::CompoundIdentifier(parts) => parts.last().map(fold),
        ast::Expr::Nested(inner) => inferred_name(inner),
        ast::Expr::CompoundFieldAccess { access_chain, .. } => match access_chain.last() {
            Some(ast::AccessExpr::Dot(ast::Expr::Identifier(ident))) => Some(fold(ident)),
            _ => None,
        },
        _ => None,
    }
}
