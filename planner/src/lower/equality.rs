//! The condition of a join, taken apart: equal pairs that can be looked up, and the rest.

use arrow::datatypes::SchemaRef;
use datafusion_common::DFSchema;
use datafusion_common::NullEquality;
use datafusion_expr::logical_plan::Join;
use datafusion_expr::utils::split_conjunction;
use datafusion_expr::{BinaryExpr, Expr, Operator};

/// `left = right`, each over one side.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    pub(super) left: Expr,
    pub(super) right: Expr,
    /// NULL equals NULL.
    pub(super) null_equal: bool,
}

/// A condition taken apart.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    pub(super) pairs: Vec<Pair>,
    /// What is left, over both sides.
    pub(super) residual: Vec<Expr>,
}

impl Condition {
    /// Takes the condition of a join apart.
    pub(super) fn of(join: &Join) -> Condition {
        let null_equal = join.null_equality == NullEquality::NullEqualsNull;
        let mut pairs: Vec<Pair> = vec![];
        let mut residual = vec![];
        for (left, right) in &join.on {
            add(&mut pairs, Pair { left: left.clone(), right: right.clone(), null_equal });
        }
        let (l, r) = (join.left.schema(), join.right.schema());
        for conjunct in join.filter.iter().flat_map(split_conjunction) {
            match pair(conjunct, l, r) {
                Some(pair) => add(&mut pairs, pair),
                None => residual.push(conjunct.clone()),
            }
        }
        Condition { pairs, residual }
    }

    /// The same for an operator whose keys know no equal NULLs: pairs in which NULL equals NULL are checked one by one.
    pub(super) fn without_equal_nulls(&self) -> Condition {
        let (equal, pairs): (Vec<Pair>, Vec<Pair>) = self.pairs.iter().cloned().partition(|pair| pair.null_equal);
        let checked = equal.into_iter().map(|pair| {
            let (left, right) = (Box::new(pair.left), Box::new(pair.right));
            Expr::BinaryExpr(BinaryExpr { left, op: Operator::IsNotDistinctFrom, right })
        });
        Condition { pairs, residual: self.residual.iter().cloned().chain(checked).collect() }
    }
}

fn add(pairs: &mut Vec<Pair>, pair: Pair) {
    if !pairs.iter().any(|known| known.left == pair.left && known.right == pair.right) {
        pairs.push(pair);
    }
}

fn pair(conjunct: &Expr, left: &DFSchema, right: &DFSchema) -> Option<Pair> {
    let Expr::BinaryExpr(BinaryExpr { left: a, op, right: b }) = conjunct else { return None };
    let null_equal = match op {
        Operator::Eq => false,
        Operator::IsNotDistinctFrom => true,
        _ => return None,
    };
    if is_over(a, left) && is_over(b, right) {
        return Some(Pair { left: (**a).clone(), right: (**b).clone(), null_equal });
    }
    (is_over(b, left) && is_over(a, right)).then(|| Pair { left: (**b).clone(), right: (**a).clone(), null_equal })
}

/// Whether an expression has columns, all of this side.
fn is_over(expr: &Expr, side: &DFSchema) -> bool {
    let columns = expr.column_refs();
    !columns.is_empty() && columns.iter().all(|column| side.has_column(column))
}

/// How many columns a schema has.
pub(super) fn width(schema: &SchemaRef) -> usize {
    schema.fields().len()
}
