//! Expressions as the engine runs them: Arrow expressions with PostgreSQL's meaning.
//!
//! [`physical`] makes one of a bound expression. DataFusion's operators are kept where they mean the same; arithmetic
//! ([`arithmetic`]), casts ([`cast`]) and comparisons of DOUBLE ([`compare`]) are replaced by ours, which fail where SQL
//! says so instead of wrapping, truncating or answering infinity.
//!
//! # Contract
//! The value of a row depends on the row alone, and so does whether the expression fails on it. A failure on a batch
//! says that at least one of its rows fails when it is evaluated by itself.

pub mod arithmetic;
pub mod cast;
pub mod compare;
pub mod scalar;
pub mod types;

use std::sync::Arc;

use arrow::error::ArrowError;
use datafusion_common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion_common::{DFSchema, DataFusionError, Result};
use datafusion_expr::Expr;
use datafusion_expr::execution_props::ExecutionProps;
use datafusion_expr::expr::ScalarFunction;
use datafusion_expr::physical_planning_context::PhysicalPlanningContext;
use datafusion_expr::simplify::{ExprSimplifyResult, SimplifyContext};
use datafusion_physical_expr::expressions::{BinaryExpr, CastExpr, NegativeExpr, TryCastExpr};
use datafusion_physical_expr::{PhysicalExpr, create_physical_expr};

/// What went wrong with a value, without the names of the libraries that found it.
pub fn message(error: &DataFusionError) -> String {
    match error.find_root() {
        DataFusionError::ArrowError(error, _) => match error.as_ref() {
            ArrowError::DivideByZero => "division by zero".into(),
            ArrowError::ArithmeticOverflow(what) => what.clone(),
            ArrowError::ParseError(what) | ArrowError::CastError(what) | ArrowError::ComputeError(what) => what.clone(),
            ArrowError::InvalidArgumentError(what) => what.clone(),
            other => other.to_string(),
        },
        DataFusionError::Execution(what) | DataFusionError::Plan(what) => what.clone(),
        other => other.strip_backtrace().to_string(),
    }
}

/// The runnable form of `expr` over rows of `schema`.
///
/// # Errors
/// If the expression has a subquery, an aggregate or a column that is not in the schema.
pub fn physical(expr: &Expr, schema: &DFSchema) -> Result<Arc<dyn PhysicalExpr>> {
    let expr = &spelled_out(expr.clone(), schema)?;
    let context = PhysicalPlanningContext::default();
    let expr = create_physical_expr(expr, schema, &ExecutionProps::new(), &context)?;
    expr.transform_up(|expr| replace(expr, schema)).data()
}

/// Functions that DataFusion has only as another expression (CASE, CAST), which its own optimiser would put in.
const SPELLED_OUT: [&str; 6] = ["coalesce", "nvl2", "arrow_cast", "arrow_try_cast", "cast_to_type", "try_cast_to_type"];

fn spelled_out(expr: Expr, schema: &DFSchema) -> Result<Expr> {
    let context = SimplifyContext::builder().with_schema(Arc::new(schema.clone())).build();
    expr.transform_up(|expr| match expr {
        Expr::ScalarFunction(call) if SPELLED_OUT.contains(&call.func.name()) => {
            let func = Arc::clone(&call.func);
            Ok(match func.simplify(call.args, &context)? {
                ExprSimplifyResult::Simplified(expr) => Transformed::yes(expr),
                ExprSimplifyResult::Original(args) => {
                    Transformed::no(Expr::ScalarFunction(ScalarFunction::new_udf(func, args)))
                }
            })
        }
        other => Ok(Transformed::no(other)),
    })
    .data()
}

/// Puts our operators in the place of DataFusion's.
fn replace(expr: Arc<dyn PhysicalExpr>, schema: &DFSchema) -> Result<Transformed<Arc<dyn PhysicalExpr>>> {
    if let Some(binary) = expr.downcast_ref::<BinaryExpr>() {
        if let Some(op) = arithmetic::Op::of(*binary.op()) {
            let data_type = binary.data_type(schema.as_arrow())?;
            let (left, right) = (Arc::clone(binary.left()), Arc::clone(binary.right()));
            return Ok(Transformed::yes(Arc::new(arithmetic::Arithmetic::new(left, op, right, data_type))));
        }
        return Ok(match compare::canonical_operands(binary, schema.as_arrow())? {
            Some(expr) => Transformed::yes(expr),
            None => Transformed::no(expr),
        });
    }
    if let Some(negative) = expr.downcast_ref::<NegativeExpr>() {
        return Ok(Transformed::yes(Arc::new(arithmetic::Negative::new(Arc::clone(negative.arg())))));
    }
    if let Some(cast) = expr.downcast_ref::<CastExpr>() {
        let (input, to) = (Arc::clone(cast.expr()), cast.cast_type().clone());
        return Ok(Transformed::yes(Arc::new(cast::SqlCast::new(input, to, cast::OnFailure::Fail))));
    }
    if let Some(cast) = expr.downcast_ref::<TryCastExpr>() {
        let (input, to) = (Arc::clone(cast.expr()), cast.cast_type().clone());
        return Ok(Transformed::yes(Arc::new(cast::SqlCast::new(input, to, cast::OnFailure::Null))));
    }
    Ok(Transformed::no(expr))
}
