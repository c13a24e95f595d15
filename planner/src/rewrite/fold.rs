//! Constants, computed once.
//!
//! An expression without columns becomes its value, with the arithmetic of [`eval`](crate::eval). One that fails stays
//! as it is: `1 / 0` is an error of each row that needs it, not of the statement. TRUE and FALSE take AND, OR and NOT
//! with them. A comparison of a column with a constant gets one form ([`upright`]).

use std::sync::Arc;

use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::{DataType, Schema};
use datafusion_common::tree_node::{Transformed, TransformedResult, TreeNode};
use datafusion_common::{DFSchema, Result as DataFusionResult, ScalarValue};
use datafusion_expr::expr_rewriter::NamePreserver;
use datafusion_expr::{BinaryExpr, Expr, LogicalPlan, Operator, lit};

use crate::bind::internal;
use crate::error::Result;
use crate::eval;

/// The plan with its constants computed.
pub(super) fn rewrite(plan: LogicalPlan) -> Result<LogicalPlan> {
    let one = one_row().map_err(|error| internal(&error))?;
    let rewritten = plan.transform_up_with_subqueries(|plan| {
        // joins keep conditions that are constant: a filter there means something else than one above
        let names = NamePreserver::new(&plan);
        plan.map_expressions(|expr| {
            let name = names.save(&expr);
            let folded = expr.transform_up(|expr| fold(expr, &one))?;
            Ok(folded.update_data(|expr| name.restore(expr)))
        })
    });
    rewritten.data().map_err(|error| internal(&error))
}

fn one_row() -> DataFusionResult<RecordBatch> {
    let options = RecordBatchOptions::new().with_row_count(Some(1));
    Ok(RecordBatch::try_new_with_options(Arc::new(Schema::empty()), vec![], &options)?)
}

/// `5 > a` as `a < 5`, −0 as 0, and a comparison with NULL as NULL.
///
/// DataFusion drops conditions on a column that others imply, and takes for granted that those of one meaning have one
/// form: it would read `a = 1 AND 1 = a` as FALSE, and keep `a <= 5` of `a <= 5 AND 5 > a`.
pub(super) fn upright(expr: Expr) -> Transformed<Expr> {
    let Expr::BinaryExpr(BinaryExpr { left, op, right }) = &expr else { return Transformed::no(expr) };
    let is_comparison =
        matches!(op, Operator::Eq | Operator::NotEq | Operator::Lt | Operator::LtEq | Operator::Gt | Operator::GtEq);
    let (column, op, literal) = match (left.as_ref(), right.as_ref(), op.swap()) {
        (Expr::Column(_), Expr::Literal(value, _), _) if is_comparison => (left, *op, value),
        (Expr::Literal(value, _), Expr::Column(_), Some(op)) if is_comparison => (right, op, value),
        _ => return Transformed::no(expr),
    };
    if literal.is_null() {
        return Transformed::yes(lit(ScalarValue::Boolean(None)));
    }
    let literal = match literal {
        ScalarValue::Float64(Some(zero)) if *zero == 0.0 => ScalarValue::Float64(Some(0.0)),
        other => other.clone(),
    };
    let upright = Expr::BinaryExpr(BinaryExpr::new(column.clone(), op, Box::new(lit(literal))));
    let changed = upright != expr;
    Transformed::new_transformed(upright, changed)
}

fn fold(expr: Expr, one: &RecordBatch) -> DataFusionResult<Transformed<Expr>> {
    let upright = upright(expr);
    if upright.transformed {
        return Ok(upright);
    }
    let expr = upright.data;
    match &expr {
        Expr::BinaryExpr(BinaryExpr { left, op: op @ (Operator::And | Operator::Or), right }) => {
            let absorbing = *op == Operator::Or;
            return Ok(match (truth(left), truth(right)) {
                (Some(l), _) if l == absorbing => Transformed::yes(lit(absorbing)),
                (Some(_), _) => Transformed::yes((**right).clone()),
                // the left side is evaluated first and may fail
                (None, Some(r)) if r != absorbing => Transformed::yes((**left).clone()),
                _ => Transformed::no(expr),
            });
        }
        Expr::BinaryExpr(_)
        | Expr::Cast(_)
        | Expr::TryCast(_)
        | Expr::Not(_)
        | Expr::Negative(_)
        | Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsTrue(_)
        | Expr::IsFalse(_)
        | Expr::IsNotTrue(_)
        | Expr::IsNotFalse(_)
        | Expr::IsUnknown(_)
        | Expr::IsNotUnknown(_)
        | Expr::Like(_)
        | Expr::Case(_)
        | Expr::InList(_)
        | Expr::ScalarFunction(_) => {}
        _ => return Ok(Transformed::no(expr)),
    }
    if !is_constant(&expr) {
        return Ok(Transformed::no(expr));
    }
    Ok(match value(&expr, one) {
        Some(value) => Transformed::yes(Expr::Literal(value, None)),
        None => Transformed::no(expr),
    })
}

fn truth(expr: &Expr) -> Option<bool> {
    match expr {
        Expr::Literal(ScalarValue::Boolean(truth), _) => *truth,
        _ => None,
    }
}

/// Whether all that it is made of is literals; its children have been folded before it.
fn is_constant(expr: &Expr) -> bool {
    let mut constant = true;
    let _ = expr.apply_children(|child| {
        constant &= matches!(child, Expr::Literal(..));
        Ok(datafusion_common::tree_node::TreeNodeRecursion::Continue)
    });
    constant
}

fn value(expr: &Expr, one: &RecordBatch) -> Option<ScalarValue> {
    let physical = eval::physical(expr, &DFSchema::empty()).ok()?;
    let array = physical.evaluate(one).ok()?.into_array(1).ok()?;
    let value = ScalarValue::try_from_array(&array, 0).ok()?;
    // the type stays what it was
    let data_type = physical.data_type(&Schema::empty()).ok()?;
    (value.data_type() == data_type && data_type != DataType::Null).then_some(value)
}
