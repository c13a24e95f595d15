//! LIKE, ILIKE, SIMILAR TO, RLIKE.
//!
//! The escape character is the backslash unless ESCAPE gives another, as in PostgreSQL; a pattern with another is
//! rewritten to one with the backslash.

use arrow::datatypes::DataType;
use datafusion_common::ScalarValue;
use datafusion_expr::{Expr, Like, Operator};
use sqlparser::ast;

use super::Cx;
use super::operator::binary;
use crate::bind::Binder;
use crate::bind::coerce::{Typed, at};
use crate::error::{ErrorKind, PlanError, Result, Span};
use crate::eval::scalar::pattern;

impl Binder<'_> {
    /// A match of a text with a pattern.
    pub(crate) fn bind_like(&mut self, expr: &ast::Expr, cx: &mut Cx<'_>) -> Result<Typed> {
        use ast::Expr as E;
        let span = self.span(expr);
        match expr {
            E::Like { negated, any: false, expr: arg, pattern, escape_char } => {
                self.like(arg, pattern, escape_char.as_ref(), (*negated, false), span, cx)
            }
            E::ILike { negated, any: false, expr: arg, pattern, escape_char } => {
                self.like(arg, pattern, escape_char.as_ref(), (*negated, true), span, cx)
            }
            E::SimilarTo { negated, expr: arg, pattern, escape_char: None } => {
                let (arg, pattern) = self.texts(arg, pattern, cx)?;
                let regex = self.udf_call("similar_to_regex", vec![pattern.expr])?;
                let op = if *negated { Operator::RegexNotMatch } else { Operator::RegexMatch };
                Ok(Typed::new(binary(arg.expr, op, regex), DataType::Boolean))
            }
            E::RLike { negated, expr: arg, pattern, .. } => {
                let (arg, pattern) = self.texts(arg, pattern, cx)?;
                let op = if *negated { Operator::RegexNotMatch } else { Operator::RegexMatch };
                Ok(Typed::new(binary(arg.expr, op, pattern.expr), DataType::Boolean))
            }
            _ => Err(at(PlanError::not_supported("LIKE ANY and SIMILAR TO … ESCAPE"), span)),
        }
    }

    fn texts(&mut self, arg: &ast::Expr, pattern: &ast::Expr, cx: &mut Cx<'_>) -> Result<(Typed, Typed)> {
        let spans = (self.span(arg), self.span(pattern));
        let (arg, pattern) = (self.bind_expr(arg, cx)?, self.bind_expr(pattern, cx)?);
        for (side, span) in [(&arg, spans.0), (&pattern, spans.1)] {
            if !matches!(side.data_type, DataType::Utf8 | DataType::Null) {
                let type_name = crate::eval::types::type_name(&side.data_type);
                let error = PlanError::new(ErrorKind::TypeMismatch, format!("LIKE takes texts, this is {type_name}"));
                return Err(at(error, span).hint("CAST(… AS VARCHAR)"));
            }
        }
        Ok((arg.cast(&DataType::Utf8, spans.0)?, pattern.cast(&DataType::Utf8, spans.1)?))
    }

    fn like(
        &mut self,
        arg: &ast::Expr,
        pattern: &ast::Expr,
        escape: Option<&ast::ValueWithSpan>,
        (negated, case_insensitive): (bool, bool),
        span: Option<Span>,
        cx: &mut Cx<'_>,
    ) -> Result<Typed> {
        let (arg, mut pattern) = self.texts(arg, pattern, cx)?;
        let escape = match escape.map(|escape| &escape.value) {
            None => Some('\\'),
            Some(ast::Value::SingleQuotedString(text)) => {
                let mut chars = text.chars();
                match (chars.next(), chars.next()) {
                    (escape, None) => escape,
                    _ => {
                        let error = PlanError::new(ErrorKind::InvalidParameter, "ESCAPE takes one character");
                        return Err(at(error, span));
                    }
                }
            }
            Some(_) => {
                let error = PlanError::new(ErrorKind::InvalidParameter, "ESCAPE takes a text of one character");
                return Err(at(error, span));
            }
        };
        if escape != Some('\\') {
            let escape_text = escape.map(String::from).unwrap_or_default();
            pattern = match pattern.text() {
                Some(text) => match pattern::with_backslash(text, escape) {
                    Some(text) => Typed::literal(ScalarValue::Utf8(Some(text))),
                    None => {
                        let message = format!("the pattern ends with its escape character {escape_text}");
                        return Err(at(PlanError::new(ErrorKind::InvalidParameter, message), span));
                    }
                },
                None => {
                    let escape = Typed::literal(ScalarValue::Utf8(Some(escape_text)));
                    Typed::new(self.udf_call("like_escape", vec![pattern.expr, escape.expr])?, DataType::Utf8)
                }
            };
        }
        let like = Like::new(negated, Box::new(arg.expr), Box::new(pattern.expr), None, case_insensitive);
        Ok(Typed::new(Expr::Like(like), DataType::Boolean))
    }
}
