//! Functions that SQL writes with words between their arguments: EXTRACT, SUBSTRING, TRIM, POSITION, OVERLAY, CEIL,
//! FLOOR, AT TIME ZONE.

use datafusion_common::ScalarValue;
use sqlparser::ast;

use super::Cx;
use crate::bind::Binder;
use crate::bind::coerce::{Typed, at};
use crate::error::{PlanError, Result};

impl Binder<'_> {
    /// A call in such a form.
    pub(crate) fn bind_text_syntax(&mut self, expr: &ast::Expr, cx: &mut Cx<'_>) -> Result<Typed> {
        use ast::Expr as E;
        let span = self.span(expr);
        let text = |text: String| Typed::literal(ScalarValue::Utf8(Some(text)));
        let (name, exprs): (&str, Vec<&ast::Expr>) = match expr {
            E::Extract { field, expr: arg, .. } => {
                let arg_span = self.span(&**arg);
                let arg = self.bind_expr(arg, cx)?;
                let args = vec![text(field.to_string().to_lowercase()), arg];
                return self.call_scalar("date_part", args, &[span, arg_span], span);
            }
            E::Ceil { expr: arg, field: ast::CeilFloorKind::DateTimeField(ast::DateTimeField::NoDateTime) } => {
                ("ceil", vec![arg])
            }
            E::Floor { expr: arg, field: ast::CeilFloorKind::DateTimeField(ast::DateTimeField::NoDateTime) } => {
                ("floor", vec![arg])
            }
            E::Position { expr: part, r#in: whole } => ("strpos", vec![whole, part]),
            E::Substring { expr: arg, substring_from, substring_for, .. } => {
                let mut exprs: Vec<&ast::Expr> = vec![arg];
                match (substring_from, substring_for) {
                    (Some(from), length) => {
                        exprs.push(from);
                        exprs.extend(length.as_deref());
                    }
                    (None, Some(length)) => {
                        let (mut bound, mut spans) = self.bind_all(&[arg, length], cx)?;
                        bound.insert(1, Typed::literal(ScalarValue::Int32(Some(1))));
                        spans.insert(1, span);
                        return self.call_scalar("substr", bound, &spans, span);
                    }
                    (None, None) => {}
                }
                ("substr", exprs)
            }
            E::Trim { trim_where, trim_what, expr: arg, trim_characters } => {
                let name = match trim_where {
                    None | Some(ast::TrimWhereField::Both) => "btrim",
                    Some(ast::TrimWhereField::Leading) => "ltrim",
                    Some(ast::TrimWhereField::Trailing) => "rtrim",
                };
                let mut exprs: Vec<&ast::Expr> = vec![arg];
                exprs.extend(trim_what.as_deref());
                exprs.extend(trim_characters.iter().flatten());
                (name, exprs)
            }
            E::Overlay { expr: arg, overlay_what, overlay_from, overlay_for } => {
                let mut exprs: Vec<&ast::Expr> = vec![arg, overlay_what, overlay_from];
                exprs.extend(overlay_for.as_deref());
                ("overlay", exprs)
            }
            E::AtTimeZone { .. } => {
                let error = PlanError::not_supported("AT TIME ZONE");
                return Err(at(error, span).detail("A TIMESTAMP is UTC and has no zone."));
            }
            other => return Err(at(PlanError::not_supported(format!("the expression {other}")), span)),
        };
        let (bound, spans) = self.bind_all(&exprs, cx)?;
        self.call_scalar(name, bound, &spans, span)
    }
}
