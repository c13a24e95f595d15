//! Conditions: IS NULL, IS TRUE, BETWEEN, IN lists, CASE.

use arrow::datatypes::DataType;
use datafusion_expr::expr::{Case, InList};
use datafusion_expr::{Expr, Operator};
use sqlparser::ast;

use super::Cx;
use super::operator::binary;
use crate::bind::Binder;
use crate::bind::coerce::{Typed, common_of_all};
use crate::error::Result;

impl Binder<'_> {
    /// `x IS [NOT] NULL`.
    pub(crate) fn bind_null_test(&mut self, arg: &ast::Expr, negated: bool, cx: &mut Cx<'_>) -> Result<Typed> {
        let bound = self.bind_expr(arg, cx)?;
        let arg = match bound.data_type {
            DataType::Null => bound.cast(&DataType::Utf8, None)?.expr,
            _ => bound.expr,
        };
        let test = if negated { Expr::IsNotNull(Box::new(arg)) } else { Expr::IsNull(Box::new(arg)) };
        Ok(Typed::new(test, DataType::Boolean))
    }

    /// `x IS [NOT] TRUE | FALSE | UNKNOWN`.
    pub(crate) fn bind_truth_test(
        &mut self,
        arg: &ast::Expr,
        test: fn(Box<Expr>) -> Expr,
        cx: &mut Cx<'_>,
    ) -> Result<Typed> {
        let bound = self.bind_expr(arg, cx)?;
        let arg = self.boolean(bound, "IS", self.span(arg))?;
        Ok(Typed::new(test(Box::new(arg)), DataType::Boolean))
    }

    /// `x [NOT] BETWEEN low AND high`.
    pub(crate) fn bind_between(
        &mut self,
        arg: &ast::Expr,
        negated: bool,
        low: &ast::Expr,
        high: &ast::Expr,
        cx: &mut Cx<'_>,
    ) -> Result<Typed> {
        let spans = (self.span(arg), self.span(low), self.span(high));
        let arg = self.bind_expr(arg, cx)?;
        let (low, high) = (self.bind_expr(low, cx)?, self.bind_expr(high, cx)?);
        let (from, to) = if negated { (Operator::Lt, Operator::Gt) } else { (Operator::GtEq, Operator::LtEq) };
        let from = self.comparison(from, arg.clone(), low, (spans.0, spans.1))?;
        let to = self.comparison(to, arg, high, (spans.0, spans.2))?;
        let both = if negated { Operator::Or } else { Operator::And };
        Ok(Typed::new(binary(from.expr, both, to.expr), DataType::Boolean))
    }

    /// `x [NOT] IN (…)`.
    pub(crate) fn bind_in_list(
        &mut self,
        arg: &ast::Expr,
        list: &[ast::Expr],
        negated: bool,
        cx: &mut Cx<'_>,
    ) -> Result<Typed> {
        let all: Vec<&ast::Expr> = std::iter::once(arg).chain(list).collect();
        let (bound, spans) = self.bind_all(&all, cx)?;
        let data_type = common_of_all(&bound, &spans)?;
        let mut cast = vec![];
        for (typed, span) in bound.into_iter().zip(spans) {
            cast.push(typed.cast(&data_type, span)?.expr);
        }
        let arg = cast.remove(0);
        Ok(Typed::new(Expr::InList(InList::new(Box::new(arg), cast, negated)), DataType::Boolean))
    }

    /// `CASE [x] WHEN … THEN … ELSE … END`.
    pub(crate) fn bind_case(
        &mut self,
        operand: Option<&ast::Expr>,
        conditions: &[ast::CaseWhen],
        else_result: Option<&ast::Expr>,
        cx: &mut Cx<'_>,
    ) -> Result<Typed> {
        let mut whens = vec![];
        for when in conditions {
            whens.push(match operand {
                Some(operand) => self.bind_comparison(Operator::Eq, operand, &when.condition, cx)?.expr,
                None => {
                    let bound = self.bind_expr(&when.condition, cx)?;
                    self.boolean(bound, "WHEN", self.span(&when.condition))?
                }
            });
        }
        let results: Vec<&ast::Expr> = conditions.iter().map(|when| &when.result).chain(else_result).collect();
        let (bound, spans) = self.bind_all(&results, cx)?;
        let data_type = common_of_all(&bound, &spans)?;
        let mut results = vec![];
        for (typed, span) in bound.into_iter().zip(spans) {
            results.push(typed.cast(&data_type, span)?.expr);
        }
        let otherwise = else_result.and_then(|_| results.pop()).map(Box::new);
        let pairs = whens.into_iter().zip(results).map(|(when, then)| (Box::new(when), Box::new(then)));
        Ok(Typed::new(Expr::Case(Case::new(None, pairs.collect(), otherwise)), data_type))
    }
}
