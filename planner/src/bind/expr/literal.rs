//! Literals: numbers, texts, truth values, intervals, `DATE '…'`.
//!
//! A whole number is INT if it fits, else BIGINT, else DECIMAL; one with a point is DECIMAL; one with an exponent is
//! DOUBLE.

use arrow::compute::kernels::cast_utils::parse_interval_month_day_nano;
use arrow::datatypes::DataType;
use arrow::datatypes::{DECIMAL128_MAX_PRECISION, IntervalUnit};
use datafusion_common::ScalarValue;
use sqlparser::ast;

use crate::bind::Binder;
use crate::bind::coerce::{Typed, at};
use crate::error::{ErrorKind, PlanError, Result, Span};

impl Binder<'_> {
    /// A literal value.
    pub(crate) fn bind_literal(&self, value: &ast::Value, span: Option<Span>) -> Result<Typed> {
        use ast::Value as V;
        Ok(match value {
            V::Number(digits, _) => number(digits, span)?,
            V::Boolean(value) => Typed::literal(ScalarValue::Boolean(Some(*value))),
            V::Null => Typed { expr: datafusion_expr::lit(ScalarValue::Null), data_type: DataType::Null },
            V::SingleQuotedString(text)
            | V::EscapedStringLiteral(text)
            | V::UnicodeStringLiteral(text)
            | V::NationalStringLiteral(text)
            | V::SingleQuotedRawStringLiteral(text)
            | V::TripleSingleQuotedString(text) => Typed::literal(ScalarValue::Utf8(Some(text.clone()))),
            V::DollarQuotedString(text) => Typed::literal(ScalarValue::Utf8(Some(text.value.clone()))),
            V::HexStringLiteral(digits) => {
                let bytes: Option<Vec<u8>> = (digits.len() % 2 == 0)
                    .then(|| {
                        (0..digits.len())
                            .step_by(2)
                            .map(|i| u8::from_str_radix(digits.get(i..i + 2)?, 16).ok())
                            .collect()
                    })
                    .flatten();
                let bytes = bytes.ok_or_else(|| {
                    at(PlanError::new(ErrorKind::Syntax, format!("X'{digits}' is not pairs of hex digits")), span)
                })?;
                Typed::literal(ScalarValue::Binary(Some(bytes)))
            }
            other => return Err(at(PlanError::not_supported(format!("the literal {other}")), span)),
        })
    }

    /// `DATE '2018-01-01'`.
    pub(crate) fn bind_typed_string(&self, typed: &ast::TypedString, span: Option<Span>) -> Result<Typed> {
        let to = self.sql_type(&typed.data_type, span)?;
        self.bind_literal(&typed.value.value, span)?.cast(&to, span)
    }

    /// `INTERVAL '1 day'`, `INTERVAL '1' DAY`, `INTERVAL 5 MINUTES`.
    pub(crate) fn bind_interval(&self, interval: &ast::Interval, span: Option<Span>) -> Result<Typed> {
        let value = match &*interval.value {
            ast::Expr::Value(value) => match &value.value {
                ast::Value::Number(digits, _) => digits.clone(),
                ast::Value::SingleQuotedString(text) => text.clone(),
                other => return Err(at(PlanError::not_supported(format!("INTERVAL {other}")), span)),
            },
            ast::Expr::UnaryOp { op: ast::UnaryOperator::Minus, expr } => format!("-{expr}"),
            _ => {
                let error = PlanError::not_supported("INTERVAL of an expression");
                return Err(at(error, span).hint("multiply: x * INTERVAL '1 day'"));
            }
        };
        if interval.last_field.is_some() || interval.leading_precision.is_some() {
            return Err(at(PlanError::not_supported("fields and precision of INTERVAL"), span));
        }
        let text = match &interval.leading_field {
            Some(unit) => format!("{value} {unit}"),
            None => value,
        };
        let parsed = parse_interval_month_day_nano(&text).map_err(|_| {
            let error = PlanError::new(ErrorKind::Syntax, format!("'{text}' is no INTERVAL"));
            at(error, span).hint("INTERVAL '1 day 2 hours', INTERVAL '5' MINUTE")
        })?;
        let data_type = DataType::Interval(IntervalUnit::MonthDayNano);
        Ok(Typed { data_type, ..Typed::literal(ScalarValue::IntervalMonthDayNano(Some(parsed))) })
    }
}

/// A number without sign.
fn number(digits: &str, span: Option<Span>) -> Result<Typed> {
    let bad = || at(PlanError::new(ErrorKind::Syntax, format!("{digits} is no number")), span);
    if digits.contains(['e', 'E']) {
        let value: f64 = digits.parse().map_err(|_| bad())?;
        return match value.is_finite() {
            true => Ok(Typed::literal(ScalarValue::Float64(Some(value)))),
            false => Err(at(PlanError::new(ErrorKind::TypeMismatch, format!("{digits} is out of range")), span)),
        };
    }
    if let Ok(value) = digits.parse::<i32>() {
        return Ok(Typed::literal(ScalarValue::Int32(Some(value))));
    }
    if let Ok(value) = digits.parse::<i64>() {
        return Ok(Typed::literal(ScalarValue::Int64(Some(value))));
    }
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{whole}{fraction}");
    let significant = all.trim_start_matches('0').len().max(fraction.len()).max(1);
    let precision = u8::try_from(significant).ok().filter(|p| *p <= DECIMAL128_MAX_PRECISION);
    match (precision, all.parse::<i128>(), i8::try_from(fraction.len())) {
        (Some(precision), Ok(value), Ok(scale)) => {
            Ok(Typed::literal(ScalarValue::Decimal128(Some(value), precision, scale)))
        }
        _ if all.bytes().all(|b| b.is_ascii_digit()) && !all.is_empty() => {
            let message = format!("{digits} has more than {DECIMAL128_MAX_PRECISION} digits");
            Err(at(PlanError::new(ErrorKind::TypeMismatch, message), span).hint("write it as a DOUBLE: 1.5e40"))
        }
        _ => Err(bad()),
    }
}
