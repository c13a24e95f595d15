//! CAST, TRY_CAST and `::`.

use datafusion_expr::{Expr, TryCast};
use sqlparser::ast;

use super::Cx;
use crate::bind::Binder;
use crate::bind::coerce::{Typed, at};
use crate::error::{ErrorKind, PlanError, Result, Span};
use crate::eval;
use crate::eval::types::type_name;

impl Binder<'_> {
    /// A conversion of any syntax.
    pub(crate) fn bind_cast(&mut self, expr: &ast::Expr, cx: &mut Cx<'_>) -> Result<Typed> {
        let span = self.span(expr);
        let ast::Expr::Cast { kind, expr: arg, data_type, format: None, array: false } = expr else {
            return Err(at(PlanError::not_supported("this form of conversion"), span).hint("CAST(x AS type)"));
        };
        let to = self.sql_type(data_type, span)?;
        let bound = self.bind_expr(arg, cx)?;
        if matches!(kind, ast::CastKind::Cast | ast::CastKind::DoubleColon) {
            // a literal that does not fit is an error of the row, as it is in a column
            if let (Expr::Literal(value, _), true) = (&bound.expr, eval::cast::can_cast(&bound.data_type, &to))
                && eval::cast::cast_scalar(value, &to).is_err()
                && bound.data_type != to
            {
                return Ok(Typed::new(Expr::Cast(datafusion_expr::Cast::new(Box::new(bound.expr), to.clone())), to));
            }
            return bound.cast(&to, span);
        }
        if !eval::cast::can_cast(&bound.data_type, &to) {
            let message = format!("{} cannot become {}", type_name(&bound.data_type), type_name(&to));
            return Err(at(PlanError::new(ErrorKind::TypeMismatch, message), span));
        }
        let cast = TryCast::new(Box::new(bound.expr), to.clone());
        Ok(Typed::new(Expr::TryCast(cast), to))
    }

    /// The Arrow type of a type as written.
    pub(crate) fn sql_type(&self, data_type: &ast::DataType, span: Option<Span>) -> Result<arrow::datatypes::DataType> {
        crate::sql::types::sql_type(data_type, self.catalog).map_err(|error| at(error, span))
    }
}
