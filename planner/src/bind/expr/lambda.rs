//! Functions that take functions: TRANSFORM(list, x => …), FILTER(list, x => …), ANY_MATCH.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field};
use datafusion_expr::Expr;
use datafusion_expr::expr::{HigherOrderFunction, Lambda};
use sqlparser::ast;

use super::Cx;
use crate::bind::Binder;
use crate::bind::coerce::{Typed, at};
use crate::error::{ErrorKind, PlanError, Result, Span};
use crate::eval::types::{list_of, type_name};
use crate::function;
use crate::sql::name::fold;

/// KSQL's names for DataFusion's functions.
fn target(name: &str) -> &str {
    match name {
        "transform" => "array_transform",
        "filter" => "array_filter",
        other => other,
    }
}

impl Binder<'_> {
    /// A call whose arguments are a list and a lambda; `None`: it is none.
    pub(crate) fn bind_higher_order(
        &mut self,
        name: &str,
        args: &[&ast::Expr],
        span: Option<Span>,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Typed>> {
        let [list, ast::Expr::Lambda(lambda)] = args else {
            return match args.iter().find(|arg| matches!(arg, ast::Expr::Lambda(_))) {
                Some(arg) => Err(at(PlanError::not_supported(format!("{name} with this lambda")), self.span(*arg))),
                None => Ok(None),
            };
        };
        let Some(function) = function::higher_order().get(target(name)) else {
            let error = PlanError::not_supported(format!("{} with a lambda", name.to_uppercase()));
            return Err(at(error, span).hint("TRANSFORM, FILTER and ANY_MATCH take lambdas"));
        };
        let list_span = self.span(*list);
        let list = self.bind_expr(list, cx)?;
        let DataType::List(item) = &list.data_type else {
            let message = format!("{} takes an ARRAY, this is {}", name.to_uppercase(), type_name(&list.data_type));
            return Err(at(PlanError::new(ErrorKind::TypeMismatch, message), list_span));
        };
        let [parameter] = lambda.params.iter().map(|p| fold(&p.name)).collect::<Vec<_>>()[..]
            .to_vec()
            .try_into()
            .map_err(|all: Vec<String>| {
                let message = format!("the lambda has {} parameters, an element is one", all.len());
                at(PlanError::new(ErrorKind::TypeMismatch, message), span)
            })?;
        let field = Arc::new(Field::new(&parameter, item.data_type().clone(), item.is_nullable()));
        cx.lambdas.push(field);
        let body = self.bind_expr(&lambda.body, cx);
        cx.lambdas.pop();
        let body = body?;
        let data_type = match function.name() {
            "array_transform" => list_of(body.data_type.clone()),
            "array_filter" => list.data_type.clone(),
            "array_any_match" => DataType::Boolean,
            _ => item.data_type().clone(),
        };
        let body_expr = match function.name() {
            "array_transform" => body.expr,
            _ => self.boolean(body, name, span)?,
        };
        let lambda = Expr::Lambda(Lambda { params: vec![parameter], body: Box::new(body_expr) });
        let call = HigherOrderFunction::new(Arc::clone(function), vec![list.expr, lambda]);
        self.normalized(Expr::HigherOrderFunction(call), data_type).map(Some)
    }
}
