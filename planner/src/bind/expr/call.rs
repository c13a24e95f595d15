//! Calls by name: scalar functions, aggregates, EXPLODE.
//!
//! A name means, in this order: an aggregate, a function that makes rows, a function with a lambda, a scalar function
//! under its own name or one of KSQL's. Arguments are cast as the function's signature asks; a result of a type that
//! SQL does not have is cast to the one that it has.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion_common::ScalarValue;
use datafusion_expr::expr::ScalarFunction;
use datafusion_expr::type_coercion::functions::fields_with_udf;
use datafusion_expr::{Cast, Expr, Operator, ReturnFieldArgs, ScalarUDF};
use sqlparser::ast;

use super::{Cx, Explode};
use crate::bind::aggregate::aggregate_named;
use crate::bind::coerce::{Typed, at, common_of_all};
use crate::bind::names::nearest;
use crate::bind::{Binder, aggregate};
use crate::error::{ErrorKind, PlanError, Result, Span};
use crate::eval::types::{sql_type_of, type_name};
use crate::function::{self, alias};

impl Binder<'_> {
    /// A call.
    pub(crate) fn bind_call(&mut self, call: &ast::Function, span: Option<Span>, cx: &mut Cx<'_>) -> Result<Typed> {
        let name = call.name.0.last().map(ToString::to_string).unwrap_or_default();
        let name = name.trim_matches(['"', '`']).to_lowercase();
        let name_span = self.span(&call.name);
        if let Some(over) = &call.over {
            return self.bind_over(&name, call, over, span, cx);
        }
        if let Some(reason) = function::volatile(&name) {
            return Err(at(PlanError::not_supported(format!("{}()", name.to_uppercase())), span).hint(reason));
        }
        if let Some(kind) = aggregate_named(&name) {
            return self.bind_aggregate_call(kind, &name, call, span, cx);
        }
        if name == "grouping" {
            return self.bind_grouping_call(call, span, cx);
        }
        if aggregate::is_foreign(&name) {
            let error = PlanError::not_supported(format!("the aggregate {}", name.to_uppercase()));
            return Err(at(error, name_span));
        }
        if call.filter.is_some() || !call.within_group.is_empty() || call.null_treatment.is_some() {
            let message = format!("{} is not an aggregate", name.to_uppercase());
            let error = PlanError::new(ErrorKind::WrongRelationKind, message);
            return Err(at(error, span).detail("FILTER, WITHIN GROUP and IGNORE NULLS are for aggregates."));
        }
        let args = self.call_args(call, span)?;
        if let Some(typed) = self.bind_present(&name, &args, span)? {
            return Ok(typed);
        }
        if let ("mod", [left, right]) = (name.as_str(), args.as_slice()) {
            let (left, right) = (self.bind_expr(left, cx)?, self.bind_expr(right, cx)?);
            return self.arithmetic(Operator::Modulo, left, right, span);
        }
        if let ("as_value", [arg]) = (name.as_str(), args.as_slice()) {
            return self.bind_expr(arg, cx);
        }
        if let Some(typed) = self.bind_unit_call(&name, &args, span, cx)? {
            return Ok(typed);
        }
        if let "explode" | "unnest" = name.as_str() {
            return self.bind_explode(&name, &args, span, cx);
        }
        if let Some(typed) = self.bind_higher_order(&name, &args, span, cx)? {
            return Ok(typed);
        }
        let (bound, spans) = self.bind_all(&args, cx)?;
        if !function::scalars().contains_key(&name) && alias::target(&name).is_none() {
            return Err(unknown_function(&name, name_span));
        }
        self.call_scalar(&name, bound, &spans, span)
    }

    /// The expressions of a call's arguments.
    pub(crate) fn call_args<'c>(&self, call: &'c ast::Function, span: Option<Span>) -> Result<Vec<&'c ast::Expr>> {
        let list = match &call.args {
            ast::FunctionArguments::None => return Ok(vec![]),
            ast::FunctionArguments::Subquery(_) => {
                return Err(at(PlanError::not_supported("a subquery as the arguments of a call"), span));
            }
            ast::FunctionArguments::List(list) => list,
        };
        let mut args = vec![];
        for arg in &list.args {
            match arg {
                ast::FunctionArg::Unnamed(ast::FunctionArgExpr::Expr(expr)) => args.push(expr),
                other => {
                    return Err(at(PlanError::not_supported(format!("the argument {other}")), span));
                }
            }
        }
        Ok(args)
    }

    /// A call of a scalar function under any of its names.
    pub(crate) fn call_scalar(
        &mut self,
        name: &str,
        args: Vec<Typed>,
        spans: &[Option<Span>],
        span: Option<Span>,
    ) -> Result<Typed> {
        let name = alias::target(name).unwrap_or(name);
        let Some(udf) = function::scalars().get(name) else {
            return Err(unknown_function(name, span));
        };
        let args = match alias::arguments_have_one_type(name) {
            Some(first) => unified(args, spans, first)?,
            None => args,
        };
        let args = alias::adapt(name, args);
        let given: Vec<FieldRef> =
            args.iter().map(|arg| Arc::new(Field::new("arg", arg.data_type.clone(), true))).collect();
        let coerced = fields_with_udf(&given, udf.as_ref()).map_err(|_| no_such_call(udf, &args, span))?;
        let mut exprs = vec![];
        for (i, (arg, field)) in args.iter().zip(&coerced).enumerate() {
            exprs.push(argument(arg.clone(), field.data_type(), spans.get(i).copied().flatten())?);
        }
        let scalars: Vec<_> = exprs
            .iter()
            .map(|expr| match expr {
                Expr::Literal(value, _) => Some(value),
                _ => None,
            })
            .collect();
        let returns = udf
            .return_field_from_args(ReturnFieldArgs { arg_fields: &coerced, scalar_arguments: &scalars })
            .map_err(|_| no_such_call(udf, &args, span))?;
        let data_type = returns.data_type().clone();
        let call = Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(udf), exprs));
        self.normalized(call, data_type).map_err(|error| at(error, span))
    }

    /// A call of a function whose arguments already fit.
    pub(crate) fn udf_call(&self, name: &str, args: Vec<Expr>) -> Result<Expr> {
        match function::scalars().get(name) {
            Some(udf) => Ok(Expr::ScalarFunction(ScalarFunction::new_udf(Arc::clone(udf), args))),
            None => Err(PlanError::new(ErrorKind::Internal, format!("the function {name} is missing"))),
        }
    }

    /// An expression of any Arrow type as one of SQL's.
    pub(crate) fn normalized(&self, expr: Expr, data_type: DataType) -> Result<Typed> {
        let Some(to) = sql_type_of(&data_type) else {
            return Err(PlanError::not_supported(format!("values of the type {data_type}")));
        };
        let to = if to == DataType::Null { DataType::Utf8 } else { to };
        match to == data_type {
            true => Ok(Typed::new(expr, to)),
            false => Ok(Typed::new(Expr::Cast(Cast::new(Box::new(expr), to.clone())), to)),
        }
    }

    /// `TIMESTAMPADD(HOURS, 2, t)`: the unit is a word.
    fn bind_unit_call(
        &mut self,
        name: &str,
        args: &[&ast::Expr],
        span: Option<Span>,
        cx: &mut Cx<'_>,
    ) -> Result<Option<Typed>> {
        let takes_unit =
            matches!(name, "timestampadd" | "timestampsub" | "dateadd" | "datesub" | "timeadd" | "timesub");
        let (true, [ast::Expr::Identifier(unit), rest @ ..]) = (takes_unit, args) else { return Ok(None) };
        let (mut bound, mut spans) = self.bind_all(rest, cx)?;
        bound.insert(0, Typed::literal(ScalarValue::Utf8(Some(unit.value.to_uppercase()))));
        spans.insert(0, self.ident_span(unit));
        self.call_scalar(name, bound, &spans, span).map(Some)
    }

    /// EXPLODE(list): a row per element.
    fn bind_explode(&mut self, name: &str, args: &[&ast::Expr], span: Option<Span>, cx: &mut Cx<'_>) -> Result<Typed> {
        let upper = name.to_uppercase();
        let [arg] = args else {
            let message = format!("{upper} takes one ARRAY");
            return Err(at(PlanError::new(ErrorKind::UndefinedFunction, message), span));
        };
        let arg_span = self.span(*arg);
        let Some(explodes) = cx.explodes.take() else {
            let message = format!("{upper} cannot stand in {}", cx.place);
            let error = PlanError::new(ErrorKind::Grouping, message).detail("It makes several rows of one.");
            return Err(at(error, span).hint(format!("select {upper}(…) in a subquery in FROM")));
        };
        let list = self.bind_expr(arg, cx);
        let result = list.and_then(|list| {
            let DataType::List(item) = &list.data_type else {
                let message = format!("{upper} takes an ARRAY, this is {}", type_name(&list.data_type));
                return Err(at(PlanError::new(ErrorKind::TypeMismatch, message), arg_span));
            };
            let data_type = item.data_type().clone();
            let column = crate::bind::column(aggregate::ELEMENT, self.fresh(&upper));
            explodes.push(Explode { list: list.expr.clone(), column: column.clone() });
            Ok(Typed::new(Expr::Column(column), data_type))
        });
        cx.explodes = Some(explodes);
        result
    }
}

/// Arguments in their common type, from the `first` on.
fn unified(args: Vec<Typed>, spans: &[Option<Span>], first: usize) -> Result<Vec<Typed>> {
    let first = first.min(args.len());
    let data_type = common_of_all(&args[first..], spans.get(first..).unwrap_or_default())?;
    let cast = |(i, arg): (usize, Typed)| match i < first {
        true => Ok(arg),
        false => arg.cast(&data_type, spans.get(i).copied().flatten()),
    };
    args.into_iter().enumerate().map(cast).collect()
}

/// An argument in the type that a signature asks for, which need not be one of SQL's.
fn argument(arg: Typed, to: &DataType, span: Option<Span>) -> Result<Expr> {
    if arg.data_type == *to {
        return Ok(arg.expr);
    }
    if let Expr::Literal(value, _) = &arg.expr {
        return match crate::eval::cast::cast_scalar(value, to) {
            Ok(value) => Ok(Expr::Literal(value, None)),
            Err(error) => Err(at(PlanError::new(ErrorKind::TypeMismatch, crate::eval::message(&error)), span)),
        };
    }
    Ok(Expr::Cast(Cast::new(Box::new(arg.expr), to.clone())))
}

fn no_such_call(udf: &ScalarUDF, args: &[Typed], span: Option<Span>) -> PlanError {
    let types: Vec<String> = args.iter().map(|arg| type_name(&arg.data_type)).collect();
    let message = format!("there is no {}({})", udf.name().to_uppercase(), types.join(", "));
    let mut error = at(PlanError::new(ErrorKind::UndefinedFunction, message), span);
    if let Some(documentation) = udf.documentation() {
        error = error.hint(format!("it is written {}", documentation.syntax_example));
    }
    error
}

pub(crate) fn unknown_function(name: &str, span: Option<Span>) -> PlanError {
    let message = format!("there is no function {}", name.to_uppercase());
    let error = at(PlanError::new(ErrorKind::UndefinedFunction, message), span);
    let all = function::scalars().keys().map(String::as_str);
    let near =
        nearest(name, all.chain(alias::names()).chain(aggregate::names()).chain(["explode", "transform", "filter"]));
    match near.is_empty() {
        true => error.hint("SHOW FUNCTIONS lists what there is"),
        false => {
            let near: Vec<String> = near.iter().map(|name| name.to_uppercase()).collect();
            error.hint(format!("did you mean {}?", near.join(" or ")))
        }
    }
}
