//! Queries, expressions and types printed back.
//!
//! sqlparser prints its trees; what it would print otherwise than our language writes it is replaced before, in a copy.
//! It prints an identifier without quotes as it stands, so text of ours goes into the copy as such an identifier.

use std::ops::ControlFlow;

use sqlparser::ast::{self, VisitMut, VisitorMut};

use super::{in_quotes, quoted, within};
use crate::sql::query::{Clauses, EmitMode, StreamingQuery};

/// A query with its streaming clauses.
pub(super) fn streaming(query: &StreamingQuery) -> String {
    let mut copy = query.query.clone();
    let _ = copy.visit(&mut InOurWords { clauses: &query.clauses });
    let mut out = format!("{copy:#}");
    if !query.partition_by.is_empty() {
        let exprs: Vec<String> = query.partition_by.iter().map(expr).collect();
        out += &format!("\nPARTITION BY {}", exprs.join(", "));
    }
    match query.emit.map(|emit| emit.mode) {
        Some(EmitMode::Changes) => out += "\nEMIT CHANGES",
        Some(EmitMode::Final) => out += "\nEMIT FINAL",
        None => {}
    }
    out
}

/// An expression outside of a query.
pub(super) fn expr(expr: &ast::Expr) -> String {
    let mut copy = expr.clone();
    let _ = copy.visit(&mut InOurWords { clauses: &Clauses::default() });
    copy.to_string()
}

/// A type: sqlparser writes `Map(K, V)`.
pub(super) fn data_type(written: &ast::DataType) -> String {
    use ast::{ArrayElemTypeDef, DataType};
    match written {
        DataType::Map(key, value) => format!("MAP<{}, {}>", data_type(key), data_type(value)),
        DataType::Array(
            ArrayElemTypeDef::AngleBracket(item)
            | ArrayElemTypeDef::SquareBracket(item, _)
            | ArrayElemTypeDef::Parenthesis(item),
        ) => format!("ARRAY<{}>", data_type(item)),
        DataType::Struct(fields, _) if !fields.is_empty() => {
            let field = |field: &ast::StructField| match &field.field_name {
                Some(name) => format!("{name} {}", data_type(&field.field_type)),
                None => data_type(&field.field_type),
            };
            format!("STRUCT<{}>", fields.iter().map(field).collect::<Vec<_>>().join(", "))
        }
        DataType::Custom(name, modifiers) if !modifiers.is_empty() => {
            format!("{name}({})", modifiers.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(", "))
        }
        other => other.to_string(),
    }
}

fn raw(text: String) -> ast::Ident {
    ast::Ident::new(text)
}

struct InOurWords<'a> {
    clauses: &'a Clauses,
}

impl InOurWords<'_> {
    /// Clauses ride on the relation before them, or on the ON before them.
    fn table(&self, table: &mut ast::TableWithJoins, window: Option<String>) {
        for join in &mut table.joins {
            if let Some(clause) = self.clauses.within(join) {
                behind_relation(&mut join.relation, &within(clause));
            }
        }
        let Some(window) = window else { return };
        match table.joins.last_mut() {
            None => behind_relation(&mut table.relation, &window),
            Some(join) => match constraint(&mut join.join_operator) {
                Some(ast::JoinConstraint::On(on)) => {
                    *on = ast::Expr::Identifier(raw(format!("{} {window}", self.text(on))))
                }
                Some(ast::JoinConstraint::Using(names)) => {
                    let names: Vec<String> = names.iter().map(ToString::to_string).collect();
                    behind_relation(&mut join.relation, &format!("USING ({}) {window}", names.join(", ")));
                    if let Some(constraint) = constraint(&mut join.join_operator) {
                        *constraint = ast::JoinConstraint::None;
                    }
                }
                _ => behind_relation(&mut join.relation, &window),
            },
        }
    }

    fn text(&self, expr: &mut ast::Expr) -> String {
        let _ = expr.visit(&mut InOurWords { clauses: self.clauses });
        expr.to_string()
    }
}

fn constraint(operator: &mut ast::JoinOperator) -> Option<&mut ast::JoinConstraint> {
    use ast::JoinOperator::*;
    match operator {
        Join(c) | Inner(c) | Left(c) | LeftOuter(c) | Right(c) | RightOuter(c) | FullOuter(c) | CrossJoin(c)
        | Semi(c) | LeftSemi(c) | RightSemi(c) | Anti(c) | LeftAnti(c) | RightAnti(c) | StraightJoin(c) => Some(c),
        _ => None,
    }
}

fn behind_relation(relation: &mut ast::TableFactor, text: &str) {
    use ast::TableFactor;
    let (TableFactor::Table { alias, .. }
    | TableFactor::Derived { alias, .. }
    | TableFactor::TableFunction { alias, .. }
    | TableFactor::Function { alias, .. }
    | TableFactor::UNNEST { alias, .. }
    | TableFactor::NestedJoin { alias, .. }) = relation
    else {
        return;
    };
    let before = alias.as_ref().map(|alias| format!("{alias} ")).unwrap_or_default();
    let name = raw(format!("{before}{text}"));
    *alias = Some(ast::TableAlias { explicit: false, name, columns: Vec::new(), at: None });
}

impl VisitorMut for InOurWords<'_> {
    type Break = ();

    fn pre_visit_select(&mut self, select: &mut ast::Select) -> ControlFlow<()> {
        let window = self.clauses.window(select).map(super::window);
        let last = select.from.len().saturating_sub(1);
        for item in &mut select.projection {
            if let ast::SelectItem::ExprWithAlias { alias, .. } = item {
                *alias = raw(identifier(alias));
            }
        }
        for (at, table) in select.from.iter_mut().enumerate() {
            self.table(table, window.clone().filter(|_| at == last));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &mut ast::TableFactor) -> ControlFlow<()> {
        if let ast::TableFactor::NestedJoin { table_with_joins, .. } = factor {
            self.table(table_with_joins, None);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &mut ast::ObjectName) -> ControlFlow<()> {
        for part in &mut relation.0 {
            if let ast::ObjectNamePart::Identifier(name) = part {
                *name = raw(identifier(name));
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_value(&mut self, value: &mut ast::ValueWithSpan) -> ControlFlow<()> {
        // sqlparser takes two quotes in a row for one that is escaped already, and leaves some alone
        let text = match &value.value {
            ast::Value::SingleQuotedString(text) => quoted(text),
            // sqlparser reads escapes in it
            ast::Value::HexStringLiteral(text) => format!("X{}", quoted(&text.replace('\\', "\\\\"))),
            ast::Value::NationalStringLiteral(text) => format!("N{}", quoted(text)),
            ast::Value::SingleQuotedByteStringLiteral(text) => format!("B{}", quoted(text)),
            _ => return ControlFlow::Continue(()),
        };
        value.value = ast::Value::Placeholder(text);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut ast::Expr) -> ControlFlow<()> {
        let text = match expr {
            ast::Expr::CompoundFieldAccess { root, access_chain } => Some(field_access(root, access_chain)),
            ast::Expr::Lambda(lambda) => {
                let names: Vec<String> = lambda.params.iter().map(|parameter| parameter.name.to_string()).collect();
                let names = match names.as_slice() {
                    [only] => only.clone(),
                    names => format!("({})", names.join(", ")),
                };
                Some(format!("{names} => {}", lambda.body))
            }
            ast::Expr::Map(map) => {
                let entry = |entry: &ast::MapEntry| format!("{} := {}", entry.key, entry.value);
                Some(format!("MAP({})", map.entries.iter().map(entry).collect::<Vec<_>>().join(", ")))
            }
            ast::Expr::Struct { values, fields } if fields.is_empty() => structure(values),
            ast::Expr::Cast { data_type: written, .. } => {
                let name = ast::ObjectName::from(vec![raw(data_type(written))]);
                *written = ast::DataType::Custom(name, Vec::new());
                None
            }
            ast::Expr::Identifier(name) => Some(identifier(name)),
            ast::Expr::UnaryOp { op, expr } => {
                // `--` begins a comment
                let (op, operand) = (op.to_string(), expr.to_string());
                operand.starts_with(&op).then(|| format!("{op} {operand}"))
            }
            _ => None,
        };
        if let Some(text) = text {
            *expr = ast::Expr::Identifier(raw(text));
        }
        ControlFlow::Continue(())
    }
}

fn identifier(name: &ast::Ident) -> String {
    match name.quote_style {
        Some(quote @ ('"' | '`')) => in_quotes(&name.value, quote),
        _ => name.to_string(),
    }
}

fn field_access(root: &ast::Expr, chain: &[ast::AccessExpr]) -> String {
    let mut out = match root {
        ast::Expr::Identifier(_) | ast::Expr::CompoundIdentifier(_) | ast::Expr::Function(_) | ast::Expr::Nested(_) => {
            root.to_string()
        }
        other => format!("({other})"),
    };
    for access in chain {
        match access {
            ast::AccessExpr::Dot(field) => out += &format!("->{field}"),
            ast::AccessExpr::Subscript(subscript) => out += &format!("[{subscript}]"),
        }
    }
    out
}

/// `STRUCT(a := 1)`; `None` where a field has no name.
fn structure(values: &[ast::Expr]) -> Option<String> {
    let fields = values.iter().map(|value| match value {
        ast::Expr::Named { expr, name } => Some(format!("{} := {expr}", identifier(name))),
        _ => None,
    });
    Some(format!("STRUCT({})", fields.collect::<Option<Vec<_>>>()?.join(", ")))
}
