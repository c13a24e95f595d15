//! Operators: arithmetic, comparison, AND, OR, NOT, `||`.

use arrow::datatypes::{DataType, IntervalUnit, TimeUnit};
use datafusion_common::ScalarValue;
use datafusion_expr::type_coercion::binary::BinaryTypeCoercer;
use datafusion_expr::{BinaryExpr, Cast, Expr, Operator};
use sqlparser::ast;

use super::Cx;
use crate::bind::Binder;
use crate::bind::coerce::{Typed, as_decimal, at, common, is_number};
use crate::error::{ErrorKind, PlanError, Result, Span};
use crate::eval::types::TIMESTAMP;
use crate::eval::types::{list_of, type_name};

/// INTERVAL.
pub(crate) const INTERVAL: DataType = DataType::Interval(IntervalUnit::MonthDayNano);

impl Binder<'_> {
    /// `left op right`.
    pub(crate) fn bind_binary(
        &mut self,
        whole: &ast::Expr,
        left: &ast::Expr,
        op: &ast::BinaryOperator,
        right: &ast::Expr,
        cx: &mut Cx<'_>,
    ) -> Result<Typed> {
        use ast::BinaryOperator as B;
        let operator = match op {
            B::And | B::Or => return self.bind_chain(whole, op, cx),
            B::Eq => Operator::Eq,
            B::NotEq => Operator::NotEq,
            B::Lt => Operator::Lt,
            B::LtEq => Operator::LtEq,
            B::Gt => Operator::Gt,
            B::GtEq => Operator::GtEq,
            B::Plus => Operator::Plus,
            B::Minus => Operator::Minus,
            B::Multiply => Operator::Multiply,
            B::Divide => Operator::Divide,
            B::Modulo => Operator::Modulo,
            B::StringConcat => Operator::StringConcat,
            B::PGRegexMatch => Operator::RegexMatch,
            B::PGRegexIMatch => Operator::RegexIMatch,
            B::PGRegexNotMatch => Operator::RegexNotMatch,
            B::PGRegexNotIMatch => Operator::RegexNotIMatch,
            B::BitwiseAnd => Operator::BitwiseAnd,
            B::BitwiseOr => Operator::BitwiseOr,
            B::BitwiseXor | B::PGBitwiseXor => Operator::BitwiseXor,
            B::PGBitwiseShiftLeft => Operator::BitwiseShiftLeft,
            B::PGBitwiseShiftRight => Operator::BitwiseShiftRight,
            other => {
                return Err(at(PlanError::not_supported(format!("the operator {other}")), self.span(whole)));
            }
        };
        let spans = (self.span(left), self.span(right));
        let left = self.bind_expr(left, cx)?;
        let right = self.bind_expr(right, cx)?;
        let span = self.span(whole);
        match operator {
            Operator::Eq | Operator::NotEq | Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq => {
                self.comparison(operator, left, right, spans)
            }
            Operator::StringConcat => self.concatenation(left, right, span),
            Operator::RegexMatch | Operator::RegexIMatch | Operator::RegexNotMatch | Operator::RegexNotIMatch => {
                let (left, right) = (left.cast(&DataType::Utf8, spans.0)?, right.cast(&DataType::Utf8, spans.1)?);
                Ok(Typed::new(binary(left.expr, operator, right.expr), DataType::Boolean))
            }
            Operator::Plus | Operator::Minus | Operator::Multiply | Operator::Divide | Operator::Modulo => {
                self.arithmetic(operator, left, right, span)
            }
            _ => self.bitwise(operator, left, right, span),
        }
    }

    /// A chain of ANDs or of ORs, as a balanced tree.
    fn bind_chain(&mut self, whole: &ast::Expr, op: &ast::BinaryOperator, cx: &mut Cx<'_>) -> Result<Typed> {
        let mut parts = vec![];
        let mut stack = vec![whole];
        while let Some(expr) = stack.pop() {
            match expr {
                ast::Expr::BinaryOp { left, op: inner, right } if inner == op => {
                    stack.push(right);
                    stack.push(left);
                }
                ast::Expr::Nested(inner) if is_chain(inner, op) => stack.push(inner),
                other => parts.push(other),
            }
        }
        let operator = if *op == ast::BinaryOperator::And { Operator::And } else { Operator::Or };
        let mut level = vec![];
        for part in parts {
            let bound = self.bind_expr(part, cx)?;
            level.push(self.boolean(bound, &op.to_string(), self.span(part))?);
        }
        while level.len() > 1 {
            let mut next = vec![];
            let mut exprs = level.into_iter();
            while let Some(left) = exprs.next() {
                next.push(match exprs.next() {
                    Some(right) => binary(left, operator, right),
                    None => left,
                });
            }
            level = next;
        }
        match level.pop() {
            Some(expr) => Ok(Typed::new(expr, DataType::Boolean)),
            None => Err(PlanError::new(ErrorKind::Internal, "an AND without operands")),
        }
    }

    /// `left op right` over expressions not bound yet.
    pub(crate) fn bind_comparison(
        &mut self,
        op: Operator,
        left: &ast::Expr,
        right: &ast::Expr,
        cx: &mut Cx<'_>,
    ) -> Result<Typed> {
        let spans = (self.span(left), self.span(right));
        let left = self.bind_expr(left, cx)?;
        let right = self.bind_expr(right, cx)?;
        self.comparison(op, left, right, spans)
    }

    /// A comparison: both sides in their common type.
    pub(crate) fn comparison(
        &self,
        op: Operator,
        left: Typed,
        right: Typed,
        spans: (Option<Span>, Option<Span>),
    ) -> Result<Typed> {
        // a whole number beside a DECIMAL needs no more digits than it has
        let is_decimal = |t: &Typed| matches!(t.data_type, DataType::Decimal128(..));
        let (left, right) = match (left.integer().is_some(), right.integer().is_some()) {
            (false, true) if is_decimal(&left) => (left, as_narrow_decimal(right, spans.1)?),
            (true, false) if is_decimal(&right) => (as_narrow_decimal(left, spans.0)?, right),
            _ => (left, right),
        };
        let Some(data_type) = common(&left, &right) else {
            let (l, r) = (type_name(&left.data_type), type_name(&right.data_type));
            let error = PlanError::new(ErrorKind::TypeMismatch, format!("{l} cannot be compared with {r}"));
            return Err(at(error, spans.1.or(spans.0)).hint("CAST one side to the type of the other"));
        };
        let data_type = if data_type == DataType::Null { DataType::Utf8 } else { data_type };
        let (left, right) = (left.cast(&data_type, spans.0)?, right.cast(&data_type, spans.1)?);
        Ok(Typed::new(binary(left.expr, op, right.expr), DataType::Boolean))
    }

    /// `+ - * / %` over numbers, dates, times, intervals.
    pub(crate) fn arithmetic(&self, op: Operator, left: Typed, right: Typed, span: Option<Span>) -> Result<Typed> {
        use DataType::{Date32, Int32, Int64, Null, Time64, Timestamp, Utf8};
        if op == Operator::Plus && left.data_type == Utf8 && right.data_type == Utf8 {
            return self.concatenation(left, right, span);
        }
        // a literal without a type takes the other side's
        let (left, right) = match (left.is_unknown(), right.is_unknown()) {
            (true, false) if is_number(&right.data_type) => (left.cast(&right.data_type, span)?, right),
            (false, true) if is_number(&left.data_type) => {
                let to = left.data_type.clone();
                (left, right.cast(&to, span)?)
            }
            (true, true) => (left.cast(&DataType::Float64, span)?, right.cast(&DataType::Float64, span)?),
            (false, true) if matches!(left.data_type, Date32 | Timestamp(..)) && op == Operator::Minus => {
                let to = left.data_type.clone();
                (left, right.cast(&to, span)?)
            }
            (true, false) if matches!(right.data_type, Date32 | Timestamp(..)) && op == Operator::Minus => {
                (left.cast(&right.data_type, span)?, right)
            }
            (false, true)
                if right.data_type == Null || matches!(left.data_type, Date32 | Timestamp(..) | Time64(_)) =>
            {
                (left, right.cast(&INTERVAL, span)?)
            }
            _ => (left, right),
        };
        let (l, r) = (left.data_type.clone(), right.data_type.clone());
        if is_number(&l) && is_number(&r) {
            return self.numeric(op, left, right, span);
        }
        let time = DataType::Time64(TimeUnit::Microsecond);
        match (&l, op, &r) {
            (Date32, Operator::Minus, Date32) => {
                let days = |typed: Typed| raw_cast(typed.expr, Int32);
                Ok(Typed::new(binary(days(left), op, days(right)), Int32))
            }
            (Date32, Operator::Plus | Operator::Minus, Int32 | Int64) => {
                let days = binary(raw_cast(left.expr, Int32), op, right.cast(&Int32, span)?.expr);
                Ok(Typed::new(raw_cast(days, Date32), Date32))
            }
            (Int32 | Int64, Operator::Plus, Date32) => self.arithmetic(op, right, left, span),
            (Date32 | Timestamp(..), Operator::Plus | Operator::Minus, DataType::Interval(_)) => {
                let left = left.cast(&TIMESTAMP, span)?;
                Ok(Typed::new(binary(left.expr, op, right.expr), TIMESTAMP))
            }
            (Time64(_), Operator::Plus | Operator::Minus, DataType::Interval(_)) => {
                Ok(Typed::new(binary(left.expr, op, right.expr), time))
            }
            (DataType::Interval(_), Operator::Plus, Date32 | Timestamp(..) | Time64(_)) => {
                self.arithmetic(op, right, left, span)
            }
            (DataType::Interval(_), Operator::Plus | Operator::Minus, DataType::Interval(_)) => {
                Ok(Typed::new(binary(left.expr, op, right.expr), INTERVAL))
            }
            (Timestamp(..) | Date32, Operator::Minus, Timestamp(..) | Date32) => {
                let (left, right) = (left.cast(&TIMESTAMP, span)?, right.cast(&TIMESTAMP, span)?);
                Ok(Typed::new(raw_cast(binary(left.expr, op, right.expr), INTERVAL), INTERVAL))
            }
            _ => {
                let message = format!("there is no {} {} {}", type_name(&l), op, type_name(&r));
                let error = PlanError::new(ErrorKind::UndefinedFunction, message);
                Err(at(error, span).hint("CAST the operands to types that go together"))
            }
        }
    }

    fn numeric(&self, op: Operator, left: Typed, right: Typed, span: Option<Span>) -> Result<Typed> {
        let is_decimal = |t: &Typed| matches!(t.data_type, DataType::Decimal128(..));
        let is_double = |t: &Typed| t.data_type == DataType::Float64;
        if (is_decimal(&left) || is_decimal(&right)) && !is_double(&left) && !is_double(&right) {
            let (left, right) = (as_narrow_decimal(left, span)?, as_narrow_decimal(right, span)?);
            let result = BinaryTypeCoercer::new(&left.data_type, &op, &right.data_type).get_result_type();
            let inputs = BinaryTypeCoercer::new(&left.data_type, &op, &right.data_type).get_input_types();
            let (Ok(result @ DataType::Decimal128(..)), Ok((l, r))) = (result, inputs) else {
                let (l, r) = (type_name(&left.data_type), type_name(&right.data_type));
                let error = PlanError::new(ErrorKind::TypeMismatch, format!("{l} {op} {r} has more than 38 digits"));
                return Err(at(error, span).hint("CAST an operand to a DECIMAL of fewer digits, or to DOUBLE"));
            };
            let (left, right) = (left.cast(&l, span)?, right.cast(&r, span)?);
            return Ok(Typed::new(binary(left.expr, op, right.expr), result));
        }
        let data_type = common(&left, &right).unwrap_or(DataType::Float64);
        let (left, right) = (left.cast(&data_type, span)?, right.cast(&data_type, span)?);
        Ok(Typed::new(binary(left.expr, op, right.expr), data_type))
    }

    fn bitwise(&self, op: Operator, left: Typed, right: Typed, span: Option<Span>) -> Result<Typed> {
        let whole = |t: &Typed| matches!(t.data_type, DataType::Int32 | DataType::Int64 | DataType::Null);
        if !whole(&left) || !whole(&right) {
            let (l, r) = (type_name(&left.data_type), type_name(&right.data_type));
            return Err(at(PlanError::new(ErrorKind::UndefinedFunction, format!("there is no {l} {op} {r}")), span));
        }
        let data_type = common(&left, &right).filter(|t| *t != DataType::Null).unwrap_or(DataType::Int64);
        let (left, right) = (left.cast(&data_type, span)?, right.cast(&data_type, span)?);
        Ok(Typed::new(binary(left.expr, op, right.expr), data_type))
    }

    /// `||`, of texts or of arrays.
    pub(crate) fn concatenation(&self, left: Typed, right: Typed, span: Option<Span>) -> Result<Typed> {
        if let (DataType::List(l), DataType::List(r)) = (&left.data_type, &right.data_type) {
            let item = crate::bind::coerce::wider(l.data_type(), r.data_type()).ok_or_else(|| {
                let (l, r) = (type_name(&left.data_type), type_name(&right.data_type));
                at(PlanError::new(ErrorKind::TypeMismatch, format!("{l} and {r} do not go together")), span)
            })?;
            let to = list_of(item);
            let args = vec![left.cast(&to, span)?.expr, right.cast(&to, span)?.expr];
            return Ok(Typed::new(self.udf_call("array_concat", args)?, to));
        }
        let (left, right) = (left.cast(&DataType::Utf8, span)?, right.cast(&DataType::Utf8, span)?);
        Ok(Typed::new(binary(left.expr, Operator::StringConcat, right.expr), DataType::Utf8))
    }

    /// `-x`, `+x`, `NOT x`.
    pub(crate) fn bind_unary(
        &mut self,
        op: ast::UnaryOperator,
        arg: &ast::Expr,
        whole: &ast::Expr,
        cx: &mut Cx<'_>,
    ) -> Result<Typed> {
        let span = self.span(whole);
        let bound = self.bind_expr(arg, cx)?;
        match op {
            ast::UnaryOperator::Not => {
                let arg = self.boolean(bound, "NOT", self.span(arg))?;
                Ok(Typed::new(Expr::Not(Box::new(arg)), DataType::Boolean))
            }
            ast::UnaryOperator::Plus if is_number(&bound.data_type) => Ok(bound),
            ast::UnaryOperator::Minus => negate(bound, span),
            ast::UnaryOperator::Plus => {
                let message = format!("there is no + {}", type_name(&bound.data_type));
                Err(at(PlanError::new(ErrorKind::UndefinedFunction, message), span))
            }
            other => Err(at(PlanError::not_supported(format!("the operator {other}")), span)),
        }
    }
}

fn negate(bound: Typed, span: Option<Span>) -> Result<Typed> {
    if let Expr::Literal(value, _) = &bound.expr {
        // the least INT and BIGINT are written as the negation of what does not fit
        let least = match value {
            ScalarValue::Int64(Some(i)) if -i == i64::from(i32::MIN) => Some(ScalarValue::Int32(Some(i32::MIN))),
            ScalarValue::Decimal128(Some(i), _, 0) if -i == i128::from(i64::MIN) => {
                Some(ScalarValue::Int64(Some(i64::MIN)))
            }
            other => other.arithmetic_negate().ok(),
        };
        if let (Some(value), true) = (least, is_number(&bound.data_type)) {
            return Ok(Typed::literal(value));
        }
    }
    match &bound.data_type {
        t if is_number(t) || *t == INTERVAL => {
            let data_type = t.clone();
            Ok(Typed::new(Expr::Negative(Box::new(bound.expr)), data_type))
        }
        DataType::Null => bound.cast(&DataType::Float64, span),
        other => {
            let message = format!("there is no - {}", type_name(other));
            Err(at(PlanError::new(ErrorKind::UndefinedFunction, message), span))
        }
    }
}

/// A whole number as the DECIMAL that holds it; a literal as the narrowest.
fn as_narrow_decimal(typed: Typed, span: Option<Span>) -> Result<Typed> {
    if let Some(value) = typed.integer() {
        let digits = u8::try_from(value.unsigned_abs().to_string().len()).unwrap_or(19);
        return typed.cast(&DataType::Decimal128(digits, 0), span);
    }
    match as_decimal(&typed.data_type) {
        Some((precision, scale)) => typed.cast(&DataType::Decimal128(precision, scale), span),
        None => typed.cast(&DataType::Decimal128(1, 0), span),
    }
}

fn is_chain(expr: &ast::Expr, op: &ast::BinaryOperator) -> bool {
    match expr {
        ast::Expr::BinaryOp { op: inner, .. } => inner == op,
        ast::Expr::Nested(inner) => is_chain(inner, op),
        _ => false,
    }
}

/// `left op right` of expressions that fit.
pub(crate) fn binary(left: Expr, op: Operator, right: Expr) -> Expr {
    Expr::BinaryExpr(BinaryExpr::new(Box::new(left), op, Box::new(right)))
}

/// A cast that SQL does not have.
fn raw_cast(expr: Expr, to: DataType) -> Expr {
    Expr::Cast(Cast::new(Box::new(expr), to))
}
