//! `a->b`, `a[i]`, `m['key']`.
//!
//! Array positions count from 1, negative ones from the end; beyond the ends there is NULL. A map answers NULL for a
//! key that it does not have.

use arrow::datatypes::DataType;
use datafusion_common::ScalarValue;
use sqlparser::ast;

use super::Cx;
use crate::bind::Binder;
use crate::bind::coerce::{Typed, at};
use crate::error::{ErrorKind, PlanError, Result};
use crate::eval::types::type_name;
use crate::sql::name::fold;

impl Binder<'_> {
    /// A root and what is taken out of it, step by step.
    pub(crate) fn bind_access(
        &mut self,
        root: &ast::Expr,
        chain: &[ast::AccessExpr],
        cx: &mut Cx<'_>,
    ) -> Result<Typed> {
        let mut value = self.bind_expr(root, cx)?;
        for step in chain {
            value = match step {
                ast::AccessExpr::Dot(ast::Expr::Identifier(name)) => {
                    let span = self.ident_span(name);
                    self.field(value, &fold(name), span)?
                }
                ast::AccessExpr::Dot(other) => {
                    let span = self.span(other);
                    return Err(at(PlanError::not_supported(format!("->{other} in an expression")), span)
                        .hint("select it by itself: SELECT s->* FROM …"));
                }
                ast::AccessExpr::Subscript(ast::Subscript::Index { index }) => self.element(value, index, cx)?,
                ast::AccessExpr::Subscript(ast::Subscript::Slice { lower_bound, upper_bound, stride: None }) => {
                    self.slice(value, lower_bound.as_ref(), upper_bound.as_ref(), cx)?
                }
                ast::AccessExpr::Subscript(_) => {
                    return Err(at(PlanError::not_supported("a slice with a stride"), self.span(root)));
                }
            };
        }
        Ok(value)
    }

    fn element(&mut self, of: Typed, index: &ast::Expr, cx: &mut Cx<'_>) -> Result<Typed> {
        let span = self.span(index);
        let index = self.bind_expr(index, cx)?;
        match &of.data_type {
            DataType::List(item) => {
                let data_type = item.data_type().clone();
                let index = index.cast(&DataType::Int64, span)?;
                Ok(Typed::new(self.udf_call("array_element", vec![of.expr, index.expr])?, data_type))
            }
            DataType::Map(entries, _) => {
                let DataType::Struct(fields) = entries.data_type() else {
                    return Err(at(PlanError::new(ErrorKind::Internal, "a MAP without entries"), span));
                };
                let (key, value) = (fields[0].data_type().clone(), fields[1].data_type().clone());
                let index = index.cast(&key, span)?;
                let found = self.udf_call("map_extract", vec![of.expr, index.expr])?;
                let first = Typed::literal(ScalarValue::Int64(Some(1)));
                Ok(Typed::new(self.udf_call("array_element", vec![found, first.expr])?, value))
            }
            DataType::Struct(fields) => match index.text() {
                Some(name) => {
                    let name = name.to_string();
                    self.field(of, &name, span)
                }
                None => {
                    let names: Vec<&str> = fields.iter().map(|f| f.name().as_str()).collect();
                    let error = PlanError::new(ErrorKind::TypeMismatch, "a field of a STRUCT is named, not numbered");
                    Err(at(error, span).hint(format!("write ->{}", names.first().unwrap_or(&"FIELD"))))
                }
            },
            other => {
                let message = format!("{} has no elements", type_name(other));
                Err(at(PlanError::new(ErrorKind::TypeMismatch, message), span))
            }
        }
    }

    fn slice(
        &mut self,
        of: Typed,
        lower: Option<&ast::Expr>,
        upper: Option<&ast::Expr>,
        cx: &mut Cx<'_>,
    ) -> Result<Typed> {
        let span = lower.or(upper).and_then(|bound| self.span(bound));
        if !matches!(of.data_type, DataType::List(_)) {
            let message = format!("{} has no slices", type_name(&of.data_type));
            return Err(at(PlanError::new(ErrorKind::TypeMismatch, message), span));
        }
        let mut bound = |expr: Option<&ast::Expr>, default: i64| match expr {
            Some(expr) => self.bind_expr(expr, cx)?.cast(&DataType::Int64, span),
            None => Ok(Typed::literal(ScalarValue::Int64(Some(default)))),
        };
        let (lower, upper) = (bound(lower, 1)?, bound(upper, -1)?);
        let data_type = of.data_type.clone();
        Ok(Typed::new(self.udf_call("array_slice", vec![of.expr, lower.expr, upper.expr])?, data_type))
    }
}
