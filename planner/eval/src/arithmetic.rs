//! `+ - * / %` and unary minus that fail instead of wrapping.
//!
//! Integers overflow into an error, DECIMAL too when the result has more digits than its type, DOUBLE too when finite
//! operands give an infinity (or a product or quotient too near to zero), and division by zero is one for every type.
//! Integer division truncates, as in PostgreSQL.

use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, Datum, Decimal128Array, Float64Array};
use arrow::compute::kernels::numeric;
use arrow::datatypes::{DataType, FieldRef, Float64Type, Schema};
use arrow::record_batch::RecordBatch;
use datafusion_common::{Result, ScalarValue, exec_err};
use datafusion_expr::{ColumnarValue, Operator};
use datafusion_physical_expr::PhysicalExpr;

use crate::scalar::double::{OVERFLOW, UNDERFLOW};

/// The operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Op {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`
    Divide,
    /// `%`
    Remainder,
}

impl Op {
    /// The arithmetic operator that `op` is, if it is one.
    pub fn of(op: Operator) -> Option<Op> {
        Some(match op {
            Operator::Plus => Op::Add,
            Operator::Minus => Op::Subtract,
            Operator::Multiply => Op::Multiply,
            Operator::Divide => Op::Divide,
            Operator::Modulo => Op::Remainder,
            _ => return None,
        })
    }

    fn sign(self) -> &'static str {
        match self {
            Op::Add => "+",
            Op::Subtract => "-",
            Op::Multiply => "*",
            Op::Divide => "/",
            Op::Remainder => "%",
        }
    }
}

/// `left op right`.
#[derive(Debug, Clone, Eq)]
pub struct Arithmetic {
    left: Arc<dyn PhysicalExpr>,
    op: Op,
    right: Arc<dyn PhysicalExpr>,
    data_type: DataType,
}

impl Arithmetic {
    /// The operation, with the type of its result.
    pub fn new(left: Arc<dyn PhysicalExpr>, op: Op, right: Arc<dyn PhysicalExpr>, data_type: DataType) -> Self {
        Arithmetic { left, op, right, data_type }
    }
}

// derived comparison would move the operands out of their Arc
impl PartialEq for Arithmetic {
    fn eq(&self, other: &Self) -> bool {
        self.op == other.op
            && self.left.eq(&other.left)
            && self.right.eq(&other.right)
            && self.data_type == other.data_type
    }
}

impl Hash for Arithmetic {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (&self.left, self.op, &self.right, &self.data_type).hash(state);
    }
}

impl fmt::Display for Arithmetic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_sql(f)
    }
}

impl PhysicalExpr for Arithmetic {
    fn data_type(&self, _: &Schema) -> Result<DataType> {
        Ok(self.data_type.clone())
    }

    fn nullable(&self, _: &Schema) -> Result<bool> {
        Ok(true)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        let (left, right) = (self.left.evaluate(batch)?, self.right.evaluate(batch)?);
        let result = match (&left, &right) {
            (ColumnarValue::Array(l), ColumnarValue::Array(r)) => compute(self.op, l, r)?,
            (ColumnarValue::Array(l), ColumnarValue::Scalar(r)) => compute(self.op, l, &r.to_scalar()?)?,
            (ColumnarValue::Scalar(l), ColumnarValue::Array(r)) => compute(self.op, &l.to_scalar()?, r)?,
            (ColumnarValue::Scalar(l), ColumnarValue::Scalar(r)) => {
                let one = compute(self.op, &l.to_array()?, &r.to_array()?)?;
                return Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&one, 0)?));
            }
        };
        Ok(ColumnarValue::Array(result))
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.left, &self.right]
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        let [left, right] = children.as_slice() else {
            return exec_err!("an operator has two operands, not {}", children.len());
        };
        Ok(Arc::new(Arithmetic::new(Arc::clone(left), self.op, Arc::clone(right), self.data_type.clone())))
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let operand = |f: &mut fmt::Formatter<'_>, operand: &Arc<dyn PhysicalExpr>| match operand
            .downcast_ref::<Arithmetic>()
            .is_some()
        {
            true => {
                write!(f, "(")?;
                operand.fmt_sql(f)?;
                write!(f, ")")
            }
            false => operand.fmt_sql(f),
        };
        operand(f, &self.left)?;
        write!(f, " {} ", self.op.sign())?;
        operand(f, &self.right)
    }
}

/// Computes a column.
fn compute(op: Op, left: &dyn Datum, right: &dyn Datum) -> Result<ArrayRef> {
    if matches!(op, Op::Divide | Op::Remainder) {
        check_divisor(left, right)?;
    }
    let result = match op {
        Op::Add => numeric::add(left, right)?,
        Op::Subtract => numeric::sub(left, right)?,
        Op::Multiply => numeric::mul(left, right)?,
        Op::Divide => numeric::div(left, right)?,
        Op::Remainder => numeric::rem(left, right)?,
    };
    match result.data_type() {
        DataType::Decimal128(precision, _) => check_precision(result.as_primitive(), *precision)?,
        DataType::Float64 => check_range(op, left, right, result.as_primitive())?,
        _ => {}
    }
    Ok(result)
}

/// That every result has no more digits than its type.
fn check_precision(result: &Decimal128Array, precision: u8) -> Result<()> {
    let bound = 10u128.pow(precision.into());
    // in one pass without branches; what stands behind a NULL may be anything, so that a look at each value follows
    if result.values().iter().fold(true, |fit, x| fit & (x.unsigned_abs() < bound)) {
        return Ok(());
    }
    Ok(result.validate_decimal_precision(precision)?)
}

/// That no result of finite DOUBLEs is infinite, and none of `*` and `/` vanishes.
fn check_range(op: Op, left: &dyn Datum, right: &dyn Datum, result: &Float64Array) -> Result<()> {
    let vanishes = matches!(op, Op::Multiply | Op::Divide);
    let suspicious = |x: f64| x.is_infinite() || (vanishes && x == 0.0);
    if !result.values().iter().any(|x| suspicious(*x)) {
        return Ok(());
    }
    let ((left, left_is_scalar), (right, right_is_scalar)) = (left.get(), right.get());
    let (left, right) = (left.as_primitive::<Float64Type>(), right.as_primitive::<Float64Type>());
    for (i, x) in result.iter().enumerate() {
        let Some(x) = x.filter(|x| suspicious(*x)) else { continue };
        let l = left.value(if left_is_scalar { 0 } else { i });
        let r = right.value(if right_is_scalar { 0 } else { i });
        if !l.is_finite() || !r.is_finite() {
            continue;
        }
        if x.is_infinite() {
            return exec_err!("{OVERFLOW}");
        }
        if l != 0.0 && r != 0.0 {
            return exec_err!("{UNDERFLOW}");
        }
    }
    Ok(())
}

/// That no DOUBLE is divided by zero: Arrow checks the other types itself.
fn check_divisor(left: &dyn Datum, right: &dyn Datum) -> Result<()> {
    let ((left, left_is_scalar), (divisor, is_scalar)) = (left.get(), right.get());
    if divisor.data_type() != &DataType::Float64 {
        return Ok(());
    }
    let zero = |i: usize| divisor.is_valid(i) && divisor.as_primitive::<Float64Type>().value(i) == 0.0;
    let any_left = |i: usize| if left_is_scalar { left.is_valid(0) } else { left.is_valid(i) };
    let fails = match is_scalar {
        true => zero(0) && (0..left.len()).any(|i| left.is_valid(i)),
        false => (0..divisor.len()).any(|i| zero(i) && any_left(i)),
    };
    if fails { Err(arrow::error::ArrowError::DivideByZero.into()) } else { Ok(()) }
}

/// `-arg`.
#[derive(Debug, Clone, Eq)]
pub struct Negative {
    arg: Arc<dyn PhysicalExpr>,
}

impl Negative {
    /// The negation.
    pub fn new(arg: Arc<dyn PhysicalExpr>) -> Self {
        Negative { arg }
    }
}

impl PartialEq for Negative {
    fn eq(&self, other: &Self) -> bool {
        self.arg.eq(&other.arg)
    }
}

impl Hash for Negative {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.arg.hash(state);
    }
}

impl fmt::Display for Negative {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fmt_sql(f)
    }
}

impl PhysicalExpr for Negative {
    fn return_field(&self, schema: &Schema) -> Result<FieldRef> {
        self.arg.return_field(schema)
    }

    fn evaluate(&self, batch: &RecordBatch) -> Result<ColumnarValue> {
        match self.arg.evaluate(batch)? {
            ColumnarValue::Array(array) => Ok(ColumnarValue::Array(numeric::neg(&array)?)),
            ColumnarValue::Scalar(value) => {
                let one = numeric::neg(&value.to_array()?)?;
                Ok(ColumnarValue::Scalar(ScalarValue::try_from_array(&one, 0)?))
            }
        }
    }

    fn children(&self) -> Vec<&Arc<dyn PhysicalExpr>> {
        vec![&self.arg]
    }

    fn with_new_children(self: Arc<Self>, children: Vec<Arc<dyn PhysicalExpr>>) -> Result<Arc<dyn PhysicalExpr>> {
        match children.into_iter().next() {
            Some(arg) => Ok(Arc::new(Negative::new(arg))),
            None => exec_err!("unary minus has an operand"),
        }
    }

    fn fmt_sql(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "-(")?;
        self.arg.fmt_sql(f)?;
        write!(f, ")")
    }
}

#[cfg(test)]
mod tests {
    use arrow::array::{Decimal128Array, Int32Array};
    use arrow::datatypes::Int32Type;

    use super::*;

    #[test]
    fn integers_divide_towards_zero_and_do_not_wrap() {
        let seven = Int32Array::from(vec![Some(7), Some(-7), None]);
        let result = compute(Op::Divide, &seven, &Int32Array::new_scalar(2)).unwrap();
        assert_eq!(result.as_primitive::<Int32Type>(), &Int32Array::from(vec![Some(3), Some(-3), None]));
        assert!(compute(Op::Add, &Int32Array::from(vec![i32::MAX]), &Int32Array::new_scalar(1)).is_err());
        assert!(compute(Op::Multiply, &Int32Array::from(vec![None]), &Int32Array::new_scalar(1)).is_ok());
    }

    #[test]
    fn doubles_do_not_divide_by_zero() {
        let one = Float64Array::from(vec![Some(1.0), None]);
        assert!(compute(Op::Divide, &one, &Float64Array::from(vec![0.0, 1.0])).is_err());
        assert!(compute(Op::Divide, &one, &Float64Array::from(vec![2.0, 0.0])).is_ok());
        assert!(compute(Op::Divide, &Float64Array::from(vec![None::<f64>]), &Float64Array::new_scalar(-0.0)).is_ok());
    }

    #[test]
    fn doubles_keep_within_their_range() {
        let values = Float64Array::from(vec![Some(1e200), Some(0.0), None, Some(f64::INFINITY)]);
        assert!(compute(Op::Multiply, &values, &values).is_err());
        assert!(compute(Op::Multiply, &values, &Float64Array::new_scalar(1e-200)).is_ok());
        assert!(compute(Op::Add, &Float64Array::from(vec![f64::MAX]), &Float64Array::new_scalar(f64::MAX)).is_err());
        assert!(compute(Op::Multiply, &Float64Array::from(vec![1e-200]), &Float64Array::new_scalar(1e-200)).is_err());
        let quotient = compute(Op::Divide, &Float64Array::from(vec![1.0]), &Float64Array::new_scalar(f64::INFINITY));
        assert_eq!(quotient.unwrap().as_primitive::<Float64Type>().value(0), 0.0);
    }

    #[test]
    fn decimals_keep_within_their_digits() {
        let big = Decimal128Array::from(vec![10_i128.pow(37) * 9]).with_precision_and_scale(38, 0).unwrap();
        assert!(compute(Op::Add, &big, &big).is_err());
    }
}
