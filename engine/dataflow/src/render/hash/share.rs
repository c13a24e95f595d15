//! Which inputs of a plan are arranged once for all queries.
//!
//! An input is shared if it is a relation whose collection is kept, or a map over one on which no expression can fail (a
//! failure belongs to one query), and it is looked up by a key. If the key is the table's own, the table's arrangement
//! serves, and the columns of the key are taken in its order.

use std::sync::Arc;

use datafusion_expr::Operator;
use datafusion_physical_expr::expressions::{
    BinaryExpr, Column, InListExpr, IsNotNullExpr, IsNullExpr, Literal, NotExpr,
};
use millrace_planner::catalog::RelationId;
use millrace_planner::plan::{Expr, Join, Node, Op, State};

use crate::expr::plain_column;
use crate::relation::{LogId, Relations};
use crate::render::Environment;
use crate::shelf::{Form, Shelf};

/// An input that is shared.
pub(crate) struct Sharing {
    pub(crate) form: Form,
    /// Where each column of the input lies in the arrangement.
    pub(super) columns: Vec<usize>,
}

/// The equalities of a join, in the order in which its sides are arranged by them, and which sides are shared.
pub(super) struct JoinSharing {
    pub(super) on: Vec<(usize, usize)>,
    pub(super) sides: [Option<Sharing>; 2],
}

/// The arrangements that a plan shares, to be made before it is rendered.
pub(crate) fn wanted(node: &Node, env: &Environment) -> Vec<Form> {
    let mut forms: Vec<Form> = node.children().into_iter().flat_map(|child| wanted(child, env)).collect();
    if node.state == State::Hash {
        match &node.op {
            Op::Join(join) => forms.extend(of_join(join, env).sides.into_iter().flatten().map(|side| side.form)),
            Op::AsOfJoin { table, on, .. } => forms.extend(of_table(table, on, env).1.map(|side| side.form)),
            _ => {}
        }
    }
    forms
}

/// What a join shares.
pub(super) fn of_join(join: &Join, env: &Environment) -> JoinSharing {
    let mut on = join.on.clone();
    if join.on.is_empty() || join.null_aware {
        return JoinSharing { on, sides: [None, None] };
    }
    let by_table = [(&join.right, false), (&join.left, true)].into_iter().find_map(|(node, is_left)| {
        let columns: Vec<usize> = on.iter().map(|(left, right)| if is_left { *left } else { *right }).collect();
        order_by_table(node, &columns, &env.shelf)
    });
    if let Some(order) = by_table {
        on = order.into_iter().map(|i| on[i]).collect();
    }
    let (left_on, right_on): (Vec<usize>, Vec<usize>) = on.iter().copied().unzip();
    let sides = [sharing(&join.left, &left_on, env), sharing(&join.right, &right_on, env)];
    JoinSharing { on, sides }
}

/// What an as-of join shares of its table, and its equalities in order.
pub(super) fn of_table(
    table: &Node,
    on: &[(usize, usize)],
    env: &Environment,
) -> (Vec<(usize, usize)>, Option<Sharing>) {
    if on.is_empty() {
        return (vec![], None);
    }
    let columns: Vec<usize> = on.iter().map(|on| on.1).collect();
    let on = match order_by_table(table, &columns, &env.shelf) {
        Some(order) => order.into_iter().map(|i| on[i]).collect(),
        None => on.to_vec(),
    };
    let key: Vec<usize> = on.iter().map(|on| on.1).collect();
    let sharing = sharing(table, &key, env);
    (on, sharing)
}

/// The columns of a relation that a node shows, if it shows all its rows and no more than that.
fn plain_columns(node: &Node) -> Option<(RelationId, Vec<usize>)> {
    match &node.op {
        Op::Source { relation, columns, .. } => Some((*relation, columns.clone())),
        Op::Map { input, filter: None, exprs, .. } => {
            let (relation, columns) = plain_columns(input)?;
            let of = |(expr, field): (&Expr, &Arc<arrow::datatypes::Field>)| {
                let c = plain_column(expr)?;
                (input.schema.field(c).data_type() == field.data_type()).then(|| columns[c])
            };
            let columns = exprs.iter().zip(node.schema.fields()).map(of).collect::<Option<Vec<_>>>()?;
            Some((relation, columns))
        }
        _ => None,
    }
}

/// The order of key columns in which they are the key of the table below, if they are.
fn order_by_table(node: &Node, key: &[usize], shelf: &Shelf) -> Option<Vec<usize>> {
    let (relation, columns) = plain_columns(node)?;
    let table_key = shelf.table_key(relation)?;
    let key: Vec<usize> = key.iter().map(|c| columns[*c]).collect();
    let order = table_key.iter().map(|c| key.iter().position(|k| k == c)).collect::<Option<Vec<_>>>()?;
    (order.len() == key.len()).then_some(order)
}

/// How a node arranged by these columns is shared, if it is.
fn sharing(node: &Node, key: &[usize], env: &Environment) -> Option<Sharing> {
    if let Some((relation, columns)) = plain_columns(node)
        && let Some(table_key) = env.shelf.table_key(relation)
        && table_key.iter().eq(key.iter().map(|c| &columns[*c]))
    {
        return Some(Sharing { form: Form::Table(relation), columns });
    }
    // what is shared has all of a stream's history
    if !is_shareable(node, &env.relations) || (env.from_now && node.append_only) {
        return None;
    }
    let columns = (0..node.schema.fields().len()).collect();
    Some(Sharing { form: Form::Node { node: Box::new(node.clone()), key: key.to_vec() }, columns })
}

fn is_shareable(node: &Node, relations: &Relations) -> bool {
    match &node.op {
        Op::Source { relation, .. } => relations.is_kept(LogId::Collection(*relation)),
        Op::Map { input, filter, exprs, .. } => {
            let plain = |(expr, field): (&Expr, &Arc<arrow::datatypes::Field>)| {
                // a cast to the column's type might fail
                plain_column(expr).is_none_or(|c| input.schema.field(c).data_type() == field.data_type())
                    && cannot_fail(expr)
            };
            matches!(input.op, Op::Source { .. })
                && is_shareable(input, relations)
                && filter.as_ref().is_none_or(cannot_fail)
                && exprs.iter().zip(node.schema.fields()).all(plain)
        }
        _ => false,
    }
}

/// Whether an expression is made of columns, constants, comparisons, and what combines their truth.
pub(crate) fn cannot_fail(expr: &Expr) -> bool {
    let known = expr.is::<Column>()
        || expr.is::<Literal>()
        || expr.is::<NotExpr>()
        || expr.is::<IsNullExpr>()
        || expr.is::<IsNotNullExpr>()
        || expr.is::<InListExpr>()
        || expr.downcast_ref::<BinaryExpr>().is_some_and(|binary| {
            use Operator::{And, Eq, Gt, GtEq, IsDistinctFrom, IsNotDistinctFrom, Lt, LtEq, NotEq, Or};
            let op = binary.op();
            matches!(op, And | Or | Eq | NotEq | Lt | LtEq | Gt | GtEq | IsDistinctFrom | IsNotDistinctFrom)
        });
    known && expr.children().into_iter().all(cannot_fail)
}
