//! Several groupings of the same rows: GROUPING SETS as a union of aggregates, and GROUPING().
//!
//! Each set is an aggregate of its own. Its rows have NULL for the keys that are not in it, and a column per key that
//! says so (1: not in it), of which GROUPING(a, b) makes a number: the last argument is its lowest bit.

use std::sync::Arc;

use arrow::datatypes::DataType;
use datafusion_common::tree_node::{TreeNode, TreeNodeRecursion};
use datafusion_common::{Column, ExprSchema, Result as DataFusionResult, ScalarValue, exec_err};
use datafusion_expr::expr::ScalarFunction;
use datafusion_expr::{
    ColumnarValue, Expr, LogicalPlan, Operator, Projection, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature,
    Volatility, lit,
};
use sqlparser::ast;

use super::coerce::{Typed, at};
use super::expr::Cx;
use super::expr::operator::binary;
use super::grouping::grouped;
use super::{Binder, column, internal, named, union_of};
use crate::error::{ErrorKind, PlanError, Result, Span};

/// Sets in sets multiply what is grouped; all copies together have at most so many nodes.
const NODES_MAX: usize = 5_000;

/// Arguments of GROUPING: bits of an INT.
const ARGUMENTS_MAX: usize = 31;

/// GROUPING(…) until the groups are made: it has no value of its own.
#[derive(Debug, PartialEq, Eq, Hash)]
struct GroupingCall {
    signature: Signature,
}

impl ScalarUDFImpl for GroupingCall {
    fn name(&self) -> &str {
        "grouping"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _: &[DataType]) -> DataFusionResult<DataType> {
        Ok(DataType::Int32)
    }

    fn invoke_with_args(&self, _: ScalarFunctionArgs) -> DataFusionResult<ColumnarValue> {
        exec_err!("GROUPING() stands for no row")
    }
}

/// The arguments of a call of GROUPING.
pub(super) fn grouping_args(expr: &Expr) -> Option<&[Expr]> {
    match expr {
        Expr::ScalarFunction(call) if call.func.inner().is::<GroupingCall>() => Some(&call.args),
        _ => None,
    }
}

/// Whether GROUPING stands in an expression.
pub(super) fn asks_for_grouping(expr: &Expr) -> bool {
    let mut found = false;
    // the closure never fails
    let _ = expr.apply(|expr| {
        found |= grouping_args(expr).is_some();
        Ok(TreeNodeRecursion::Continue)
    });
    found
}

/// The number of GROUPING, of the columns that say which keys are left out; `None`: all keys are there.
pub(super) fn grouping_number(bits: &[Option<Column>]) -> Expr {
    let all: Option<Vec<&Column>> = bits.iter().map(Option::as_ref).collect();
    let mut number: Option<Expr> = None;
    for bit in all.into_iter().flatten() {
        let bit = Expr::Column(bit.clone());
        number = Some(match number {
            None => bit,
            Some(higher) => binary(binary(higher, Operator::Multiply, lit(2_i32)), Operator::Plus, bit),
        });
    }
    number.unwrap_or_else(|| lit(0_i32))
}

/// What each of the groupings has.
pub(super) struct Sets<'s> {
    /// The rows, with keys and arguments as columns.
    pub(super) below: LogicalPlan,
    /// The columns of all keys.
    pub(super) keys: &'s [Column],
    /// Places of the keys of each set.
    pub(super) sets: &'s [Vec<usize>],
    /// Calls, each under the name of its column.
    pub(super) aggregates: &'s [Expr],
    /// The columns of the calls.
    pub(super) results: &'s [Column],
}

impl Binder<'_> {
    /// GROUPING(a, b).
    pub(crate) fn bind_grouping_call(
        &mut self,
        call: &ast::Function,
        span: Option<Span>,
        cx: &mut Cx<'_>,
    ) -> Result<Typed> {
        if cx.aggregates.is_none() {
            let error = PlanError::new(ErrorKind::Grouping, format!("GROUPING cannot stand in {}", cx.place));
            return Err(at(error, span).detail("Rows are grouped behind it."));
        }
        let args = self.call_args(call, span)?;
        if args.is_empty() || args.len() > ARGUMENTS_MAX {
            let message = format!("GROUPING takes 1 to {ARGUMENTS_MAX} keys of GROUP BY");
            return Err(at(PlanError::new(ErrorKind::UndefinedFunction, message), span));
        }
        let (bound, _) = self.bind_all(&args, cx)?;
        let signature = Signature::variadic_any(Volatility::Immutable);
        let udf = Arc::new(ScalarUDF::from(GroupingCall { signature }));
        let args = bound.into_iter().map(|arg| arg.expr).collect();
        Ok(Typed::new(Expr::ScalarFunction(ScalarFunction::new_udf(udf, args)), DataType::Int32))
    }

    /// The groups of all sets, and for each key the column that says whether it is left out.
    pub(super) fn group_by_sets(&mut self, sets: &Sets<'_>) -> Result<(LogicalPlan, Vec<Column>)> {
        let nodes = size_of(&sets.below, NODES_MAX);
        if nodes.saturating_mul(sets.sets.len()) > NODES_MAX {
            let error = PlanError::new(ErrorKind::TooComplex, "GROUP BY has too many sets over too large a query");
            return Err(error
                .detail("What is grouped is computed for each set.")
                .hint("CREATE MATERIALIZED VIEW of what is grouped, then group it"));
        }
        let qualifier = self.fresh("GROUPING");
        let bits: Vec<Column> = (0..sets.keys.len()).map(|i| column(&qualifier, format!("GROUPING:{i}"))).collect();
        let mut inputs = vec![];
        for set in sets.sets {
            inputs.push(sets.one(set, &bits)?);
        }
        let columns: Vec<Column> = sets.keys.iter().chain(sets.results).chain(&bits).cloned().collect();
        Ok((union_of(inputs, &columns)?, bits))
    }
}

/// How many nodes a plan has; it is not counted beyond `limit`.
fn size_of(plan: &LogicalPlan, limit: usize) -> usize {
    let mut nodes = 0;
    // the closure never fails
    let _ = plan.apply_with_subqueries(|_| {
        nodes += 1;
        Ok(if nodes < limit { TreeNodeRecursion::Continue } else { TreeNodeRecursion::Stop })
    });
    nodes
}

impl Sets<'_> {
    /// The groups of one set, with the columns of all.
    fn one(&self, set: &[usize], bits: &[Column]) -> Result<LogicalPlan> {
        let is_in = |i: usize| set.contains(&i);
        let keys = self.keys.iter().enumerate();
        let group: Vec<Expr> = keys.filter(|(i, _)| is_in(*i)).map(|(_, key)| Expr::Column(key.clone())).collect();
        let plan = grouped(self.below.clone(), group, self.aggregates.to_vec())?;
        let mut exprs = vec![];
        for (i, key) in self.keys.iter().enumerate() {
            exprs.push(match is_in(i) {
                true => Expr::Column(key.clone()),
                false => named(lit(self.null(key).map_err(|error| internal(&error))?), key),
            });
        }
        exprs.extend(self.results.iter().cloned().map(Expr::Column));
        exprs.extend(bits.iter().enumerate().map(|(i, bit)| named(lit(i32::from(!is_in(i))), bit)));
        let projection = Projection::try_new(exprs, Arc::new(plan)).map_err(|error| internal(&error))?;
        Ok(LogicalPlan::Projection(projection))
    }

    fn null(&self, key: &Column) -> DataFusionResult<ScalarValue> {
        ScalarValue::try_from(self.below.schema().field_from_column(key)?.data_type())
    }
}
