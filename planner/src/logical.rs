//! Nodes of the logical plan that streaming SQL needs and DataFusion does not have.
//!
//! A bound plan is a DataFusion [`LogicalPlan`] in which these appear as extensions. Each operator is a small value
//! that says what it does with the rows of its inputs; [`Node`] carries it with its inputs and its schema, so that the
//! optimiser can walk through. Their meaning is stated per operator as a function from multisets to a multiset, which
//! is what a reference evaluator implements:
//!
//! * [`AsOf`](as_of::AsOf): a stream row meets the table rows of its tick.
//! * [`AssignWindows`](assign_windows::AssignWindows): each row once per window that holds it.
//! * [`SessionAggregate`](session_aggregate::SessionAggregate): groups of rows near each other in time.
//! * [`SetOp`](set_op::SetOp): INTERSECT and EXCEPT, with multiplicities.
//! * [`TopK`](top_k::TopK): the first rows of each partition in a total order.
//! * [`AtMostOne`](at_most_one::AtMostOne): what a scalar subquery may answer.
//! * [`Explode`](explode::Explode): a row per element of a list.
//! * [`MarkJoin`](mark_join::MarkJoin): has a row a partner; in rewritten plans only.
//!
//! The predicate [`within`](within::Within) marks a stream–stream join: see there.

pub mod as_of;
pub mod assign_windows;
pub mod at_most_one;
pub mod explode;
pub mod mark_join;
pub mod session_aggregate;
pub mod set_op;
pub mod top_k;
pub mod within;

use std::cmp::Ordering;
use std::collections::HashSet;
use std::fmt::{self, Debug};
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use datafusion_common::{DFSchemaRef, Result, plan_err};
use datafusion_expr::{Expr, Extension, LogicalPlan, UserDefinedLogicalNodeCore};

/// What a streaming operator is, apart from its inputs.
///
/// # Contract
/// `with_expressions(expressions())` is the same operator; `schema` depends on the inputs' schemas alone.
pub trait Operator: Debug + Clone + Eq + Hash + Send + Sync + 'static {
    /// As EXPLAIN writes it.
    const NAME: &'static str;
    /// The expressions over the inputs' columns.
    fn expressions(&self) -> Vec<Expr>;
    /// The same operator with other expressions, in the order of `expressions`.
    fn with_expressions(&self, exprs: Vec<Expr>) -> Self;
    /// The columns that come out.
    fn schema(&self, inputs: &[LogicalPlan]) -> Result<DFSchemaRef>;
    /// What EXPLAIN writes behind the name.
    fn describe(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result;
    /// Columns of each input that these output columns need, beside those of `expressions`. `None`: all.
    fn needed(&self, output: &[usize], inputs: &[LogicalPlan]) -> Option<Vec<Vec<usize>>>;
}

/// An operator with its inputs.
#[derive(Clone, Debug)]
pub struct Node<O: Operator> {
    /// The operator.
    pub op: O,
    /// Its inputs.
    pub inputs: Vec<LogicalPlan>,
    /// Its columns.
    pub schema: DFSchemaRef,
}

impl<O: Operator> Node<O> {
    /// The plan of `op` over `inputs`.
    ///
    /// # Errors
    /// If two columns have one name.
    pub fn plan(op: O, inputs: Vec<LogicalPlan>) -> Result<LogicalPlan> {
        let schema = op.schema(&inputs)?;
        Ok(LogicalPlan::Extension(Extension { node: Arc::new(Node { op, inputs, schema }) }))
    }

    /// The node of this kind at the root of `plan`, if it is one.
    pub fn of(plan: &LogicalPlan) -> Option<&Node<O>> {
        match plan {
            LogicalPlan::Extension(extension) => extension.node.as_any().downcast_ref(),
            _ => None,
        }
    }
}

impl<O: Operator> PartialEq for Node<O> {
    fn eq(&self, other: &Self) -> bool {
        self.op == other.op && self.inputs == other.inputs
    }
}

impl<O: Operator> Eq for Node<O> {}

impl<O: Operator> Hash for Node<O> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.op.hash(state);
        self.inputs.hash(state);
    }
}

impl<O: Operator> PartialOrd for Node<O> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        (self == other).then_some(Ordering::Equal)
    }
}

impl<O: Operator> UserDefinedLogicalNodeCore for Node<O> {
    fn name(&self) -> &str {
        O::NAME
    }

    fn inputs(&self) -> Vec<&LogicalPlan> {
        self.inputs.iter().collect()
    }

    fn schema(&self) -> &DFSchemaRef {
        &self.schema
    }

    fn expressions(&self) -> Vec<Expr> {
        self.op.expressions()
    }

    fn prevent_predicate_push_down_columns(&self) -> HashSet<String> {
        self.schema.fields().iter().map(|field| field.name().clone()).collect()
    }

    fn fmt_for_explain(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", O::NAME)?;
        self.op.describe(f)
    }

    fn with_exprs_and_inputs(&self, exprs: Vec<Expr>, inputs: Vec<LogicalPlan>) -> Result<Self> {
        if inputs.len() != self.inputs.len() {
            return plan_err!("{} has {} inputs, not {}", O::NAME, self.inputs.len(), inputs.len());
        }
        let op = self.op.with_expressions(exprs);
        let schema = op.schema(&inputs)?;
        Ok(Node { op, inputs, schema })
    }

    fn necessary_children_exprs(&self, output_columns: &[usize]) -> Option<Vec<Vec<usize>>> {
        self.op.needed(output_columns, &self.inputs)
    }
}

/// All columns of each input.
fn all_columns(inputs: &[LogicalPlan]) -> Vec<Vec<usize>> {
    inputs.iter().map(|input| (0..input.schema().fields().len()).collect()).collect()
}

/// Writes ` word=[a, b]`.
fn write_list<T: fmt::Display>(f: &mut fmt::Formatter<'_>, word: &str, items: &[T]) -> fmt::Result {
    write!(f, " {word}=[")?;
    for (i, item) in items.iter().enumerate() {
        let comma = if i > 0 { ", " } else { "" };
        write!(f, "{comma}{item}")?;
    }
    write!(f, "]")
}
