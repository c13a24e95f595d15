//! Which types go together, and the casts that bring them there.
//!
//! As in PostgreSQL: numbers widen INT → BIGINT → DECIMAL → DOUBLE, DATE widens to TIMESTAMP, a string literal and NULL
//! take the type of what they meet, and text meets numbers only through CAST. The casts stand in the bound plan, so
//! that every operand there has its operator's type.

use arrow::datatypes::{DECIMAL128_MAX_PRECISION, DataType};
use datafusion_common::ScalarValue;
use datafusion_expr::{Cast, Expr};

use crate::error::{ErrorKind, PlanError, Result, Span};
use crate::eval;
use crate::eval::types::{TIMESTAMP, type_name};

/// An expression with its type.
#[derive(Clone, Debug)]
pub(crate) struct Typed {
    /// The expression.
    pub(crate) expr: Expr,
    /// Its type; `Null` for the literal NULL.
    pub(crate) data_type: DataType,
}

impl Typed {
    /// An expression of this type.
    pub(crate) fn new(expr: Expr, data_type: DataType) -> Self {
        Typed { expr, data_type }
    }

    /// A literal.
    pub(crate) fn literal(value: ScalarValue) -> Self {
        Typed { data_type: value.data_type(), expr: Expr::Literal(value, None) }
    }

    /// The text of a string literal.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.expr {
            Expr::Literal(ScalarValue::Utf8(Some(text)), _) => Some(text),
            _ => None,
        }
    }

    /// The value of an integer literal.
    pub(crate) fn integer(&self) -> Option<i64> {
        match &self.expr {
            Expr::Literal(ScalarValue::Int32(Some(i)), _) => Some(i64::from(*i)),
            Expr::Literal(ScalarValue::Int64(Some(i)), _) => Some(*i),
            _ => None,
        }
    }

    /// Whether it takes the type of what it meets.
    pub(crate) fn is_unknown(&self) -> bool {
        self.data_type == DataType::Null || self.text().is_some()
    }

    /// The same as `to`. A literal becomes a literal.
    ///
    /// # Errors
    /// If no value of its type can become one of `to`, or a literal cannot.
    pub(crate) fn cast(self, to: &DataType, span: Option<Span>) -> Result<Typed> {
        if self.data_type == *to {
            return Ok(self);
        }
        if !eval::cast::can_cast(&self.data_type, to) {
            let message = format!("{} cannot become {}", type_name(&self.data_type), type_name(to));
            return Err(at(PlanError::new(ErrorKind::TypeMismatch, message), span));
        }
        if let Expr::Literal(value, _) = &self.expr {
            return match eval::cast::cast_scalar(value, to) {
                Ok(value) => Ok(Typed { expr: Expr::Literal(value, None), data_type: to.clone() }),
                Err(error) => Err(at(PlanError::new(ErrorKind::TypeMismatch, eval::message(&error)), span)),
            };
        }
        Ok(Typed { expr: Expr::Cast(Cast::new(Box::new(self.expr), to.clone())), data_type: to.clone() })
    }
}

/// The type in which both can be compared or chosen between; `None`: there is none.
pub(crate) fn common(left: &Typed, right: &Typed) -> Option<DataType> {
    match (&left.data_type, &right.data_type) {
        (l, r) if l == r => Some(l.clone()),
        (DataType::Null, r) => Some(r.clone()),
        (l, DataType::Null) => Some(l.clone()),
        (l, r) => match (left.text().is_some(), right.text().is_some()) {
            (true, false) => Some(r.clone()),
            (false, true) => Some(l.clone()),
            _ => wider(l, r),
        },
    }
}

/// The type that holds all values of both.
pub(crate) fn wider(left: &DataType, right: &DataType) -> Option<DataType> {
    use DataType::{Date32, Decimal128, Float64, Int32, Int64, List, Null, Timestamp};
    Some(match (left, right) {
        (l, r) if l == r => l.clone(),
        (Null, other) | (other, Null) => other.clone(),
        (Int32, Int64) | (Int64, Int32) => Int64,
        (Float64, other) | (other, Float64) if is_number(other) => Float64,
        (Decimal128(..), other) | (other, Decimal128(..)) if is_number(other) => {
            let ((p1, s1), (p2, s2)) = (as_decimal(left)?, as_decimal(right)?);
            let scale = s1.max(s2);
            let whole = (i16::from(p1) - i16::from(s1)).max(i16::from(p2) - i16::from(s2));
            let precision = (whole + i16::from(scale)).min(i16::from(DECIMAL128_MAX_PRECISION));
            Decimal128(u8::try_from(precision).ok()?, scale)
        }
        (Date32, Timestamp(..)) | (Timestamp(..), Date32) => TIMESTAMP,
        (List(l), List(r)) => {
            let item = wider(l.data_type(), r.data_type())?;
            List(std::sync::Arc::new(l.as_ref().clone().with_data_type(item).with_nullable(true)))
        }
        _ => return None,
    })
}

/// The type that holds all values of all; NULL literals alone are VARCHAR.
pub(crate) fn common_of_all(items: &[Typed], spans: &[Option<Span>]) -> Result<DataType> {
    let mut typed = items.iter().zip(spans).filter(|(item, _)| !item.is_unknown());
    let Some((first, _)) = typed.next() else {
        return Ok(DataType::Utf8);
    };
    let mut widest = first.data_type.clone();
    for (item, span) in typed {
        widest = wider(&widest, &item.data_type).ok_or_else(|| {
            let (a, b) = (type_name(&widest), type_name(&item.data_type));
            at(PlanError::new(ErrorKind::TypeMismatch, format!("{a} and {b} do not go together")), *span)
                .hint("CAST one of them to the type of the other")
        })?;
    }
    Ok(widest)
}

/// INT, BIGINT, DECIMAL, DOUBLE.
pub(crate) fn is_number(data_type: &DataType) -> bool {
    matches!(data_type, DataType::Int32 | DataType::Int64 | DataType::Decimal128(..) | DataType::Float64)
}

/// Precision and scale of the decimal that holds all values of the type.
pub(crate) fn as_decimal(data_type: &DataType) -> Option<(u8, i8)> {
    match data_type {
        DataType::Int32 => Some((10, 0)),
        DataType::Int64 => Some((19, 0)),
        DataType::Decimal128(p, s) => Some((*p, *s)),
        _ => None,
    }
}

/// The error at its place.
pub(crate) fn at(mut error: PlanError, span: Option<Span>) -> PlanError {
    error.span = error.span.or(span);
    error
}
