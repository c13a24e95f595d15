//! Comparisons of DOUBLE.
//!
//! Arrow orders floats totally, so that −0 would be less than 0. Sources and projections keep −0 out of columns; what
//! an expression computes on the way is made canonical before it is compared. NaN equals NaN and is the largest, in
//! Arrow as in PostgreSQL.

use std::sync::Arc;

use arrow::datatypes::{DataType, Schema};
use datafusion_common::{Result, ScalarValue};
use datafusion_expr::Operator;
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::{BinaryExpr, Column, Literal};

use super::arithmetic::{Arithmetic, Op};
use super::cast::SqlCast;

/// The comparison over canonical operands; `None` if they are so already.
pub fn canonical_operands(binary: &BinaryExpr, schema: &Schema) -> Result<Option<Arc<dyn PhysicalExpr>>> {
    let compares = matches!(
        binary.op(),
        Operator::Eq
            | Operator::NotEq
            | Operator::Lt
            | Operator::LtEq
            | Operator::Gt
            | Operator::GtEq
            | Operator::IsDistinctFrom
            | Operator::IsNotDistinctFrom
    );
    if !compares || binary.left().data_type(schema)? != DataType::Float64 {
        return Ok(None);
    }
    let (left, right) = (canonical(binary.left(), schema)?, canonical(binary.right(), schema)?);
    if left.is_none() && right.is_none() {
        return Ok(None);
    }
    let left = left.unwrap_or_else(|| Arc::clone(binary.left()));
    let right = right.unwrap_or_else(|| Arc::clone(binary.right()));
    Ok(Some(Arc::new(BinaryExpr::new(left, *binary.op(), right))))
}

/// `expr + 0`, which is 0 for −0; `None` if it cannot be −0.
fn canonical(expr: &Arc<dyn PhysicalExpr>, schema: &Schema) -> Result<Option<Arc<dyn PhysicalExpr>>> {
    if expr.downcast_ref::<Column>().is_some() {
        return Ok(None);
    }
    if let Some(cast) = expr.downcast_ref::<SqlCast>() {
        // integers and decimals have one zero
        let from = cast.input().data_type(schema)?;
        if matches!(from, DataType::Int32 | DataType::Int64 | DataType::Decimal128(..)) {
            return Ok(None);
        }
    }
    if let Some(literal) = expr.downcast_ref::<Literal>() {
        let negative_zero =
            matches!(literal.value(), ScalarValue::Float64(Some(x)) if *x == 0.0 && x.is_sign_negative());
        return Ok(
            negative_zero.then(|| Arc::new(Literal::new(ScalarValue::Float64(Some(0.0)))) as Arc<dyn PhysicalExpr>)
        );
    }
    let zero = Arc::new(Literal::new(ScalarValue::Float64(Some(0.0))));
    Ok(Some(Arc::new(Arithmetic::new(Arc::clone(expr), Op::Add, zero, DataType::Float64))))
}
