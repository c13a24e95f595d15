//! Joins: what is kept exact, what is as of a stream, and on which columns.
//!
//! Right joins are turned round. Equal pairs that are not columns are computed below, and what was computed for the
//! join alone is dropped above it.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use datafusion_common::{DFSchema, NullEquality};
use datafusion_expr::logical_plan::Join as LogicalJoin;
use datafusion_expr::{Expr, JoinConstraint, JoinType, LogicalPlan};

use super::equality::{Condition, width};
use super::map::{column, identity};
use super::{Lower, Lowered, schema_of};
use crate::error::Result;
use crate::logical::Node as Extension;
use crate::logical::mark_join::MarkJoin;
use crate::plan::{self, Join, JoinKind, Op};

/// Two sides and the columns on which they meet.
pub(super) struct Sides {
    pub(super) left: Lowered,
    pub(super) right: Lowered,
    pub(super) on: Vec<(usize, usize)>,
    pub(super) null_equal: bool,
    /// Over left columns, then right columns, those computed for the join included.
    pub(super) residual: Option<plan::Expr>,
    /// Columns of each side without those computed for the join.
    pub(super) widths: (usize, usize),
}

impl Lower {
    pub(super) fn join(&self, plan: &LogicalPlan, join: &LogicalJoin) -> Result<Lowered> {
        let (join, turned) = turn_round(join);
        let lowered = match self.within_join(&join)? {
            Some(lowered) => lowered,
            None => self.plain_join(&join)?,
        };
        let schema = schema_of(plan);
        match turned {
            None => Ok(super::renamed(lowered, schema)),
            Some(n_left) => {
                // the right side of the join is the left side of the plan
                let n = width(&lowered.node.schema);
                let below = Arc::clone(&lowered.node.schema);
                let order = (n - n_left..n).chain(0..n - n_left);
                let exprs = order.map(|i| column(&below, i)).collect();
                Ok(self.map(lowered, None, exprs, schema))
            }
        }
    }

    /// All left rows with a mark.
    pub(super) fn mark_join(&self, plan: &LogicalPlan, node: &Extension<MarkJoin>) -> Result<Lowered> {
        let join = LogicalJoin {
            left: Arc::new(node.inputs[0].clone()),
            right: Arc::new(node.inputs[1].clone()),
            on: vec![],
            filter: node.op.condition.clone(),
            join_type: JoinType::LeftMark,
            join_constraint: JoinConstraint::On,
            schema: Arc::clone(&node.schema),
            null_equality: NullEquality::NullEqualsNothing,
            null_aware: false,
        };
        Ok(super::renamed(self.plain_join(&join)?, schema_of(plan)))
    }

    fn plain_join(&self, join: &LogicalJoin) -> Result<Lowered> {
        let left = self.plan(&join.left)?;
        let right = self.plan(&join.right)?;
        let condition = Condition::of(join);
        let as_of = self.settings.as_of && left.is_stream != right.is_stream;
        if as_of && (left.is_stream || join.join_type == JoinType::Inner) {
            return self.as_of_join(join, left, right, &condition);
        }
        let sides = self.sides(left, right, &condition, (join.left.schema(), join.right.schema()))?;
        self.maintained(join, sides)
    }

    /// A join whose result is kept exact.
    fn maintained(&self, join: &LogicalJoin, sides: Sides) -> Result<Lowered> {
        let kind = match join.join_type {
            JoinType::Left => JoinKind::Left,
            JoinType::Full => JoinKind::Full,
            JoinType::LeftSemi => JoinKind::Semi,
            JoinType::LeftAnti => JoinKind::Anti,
            JoinType::LeftMark => JoinKind::Mark,
            _ => JoinKind::Inner,
        };
        let grows = matches!(kind, JoinKind::Inner | JoinKind::Semi);
        let append_only = grows && sides.left.node.append_only && sides.right.node.append_only;
        // without WITHIN a pair of streams is an event too
        let is_stream = kind == JoinKind::Inner && sides.left.is_stream && sides.right.is_stream;
        let unique_key = unique_key(kind, &sides);
        let schema = joined_schema(kind, &sides);
        let widths = sides.widths;
        let computed = (width(&sides.left.node.schema) - widths.0, width(&sides.right.node.schema) - widths.1);
        let op = Op::Join(Join {
            left: Box::new(sides.left.node),
            right: Box::new(sides.right.node),
            kind,
            on: sides.on,
            residual: sides.residual,
            null_equal: sides.null_equal,
            null_aware: join.null_aware,
        });
        let lowered = Lowered { is_stream, ..self.table(op, schema, append_only, unique_key) };
        Ok(self.drop_computed(lowered, kind, widths, computed))
    }

    /// Both sides with the columns on which they meet.
    pub(super) fn sides(
        &self,
        left: Lowered,
        right: Lowered,
        condition: &Condition,
        schemas: (&DFSchema, &DFSchema),
    ) -> Result<Sides> {
        let widths = (width(&left.node.schema), width(&right.node.schema));
        let null_equal = condition.pairs.iter().any(|pair| pair.null_equal);
        let lefts: Vec<&Expr> = condition.pairs.iter().map(|pair| &pair.left).collect();
        let rights: Vec<&Expr> = condition.pairs.iter().map(|pair| &pair.right).collect();
        let (left, left_keys) = self.with_keys(left, &lefts, schemas.0)?;
        let (right, right_keys) = self.with_keys(right, &rights, schemas.1)?;
        let mut rest = condition.residual.clone();
        if null_equal {
            // an equality of SQL beside one where NULL equals NULL
            let strict = condition.pairs.iter().filter(|pair| !pair.null_equal);
            rest.extend(strict.map(|pair| Expr::IsNotNull(Box::new(pair.left.clone()))));
        }
        let both = schemas.0.join(schemas.1).map_err(|error| crate::bind::internal(&error))?;
        let residual = match datafusion_expr::utils::conjunction(rest) {
            None => None,
            Some(residual) => {
                let made = self.expr(&residual, &both)?;
                let shift = width(&left.node.schema) - widths.0;
                Some(shift_right(made, widths.0, shift)?)
            }
        };
        let on = left_keys.into_iter().zip(right_keys).collect();
        Ok(Sides { left, right, on, null_equal, residual, widths })
    }

    /// The side with its keys: columns, or computed behind its own.
    fn with_keys(&self, side: Lowered, keys: &[&Expr], schema: &DFSchema) -> Result<(Lowered, Vec<usize>)> {
        let below = Arc::clone(&side.node.schema);
        let mut exprs = identity(&below);
        let mut fields: Vec<Arc<Field>> = below.fields().iter().cloned().collect();
        let mut places = vec![];
        for key in keys {
            let made = self.expr(key, schema)?;
            let place = match exprs.iter().position(|known| known.eq(&made)) {
                Some(known) => known,
                None => {
                    let data_type = made.data_type(&below).map_err(|error| crate::bind::internal(&error))?;
                    fields.push(Arc::new(Field::new(key.schema_name().to_string(), data_type, true)));
                    exprs.push(made);
                    exprs.len() - 1
                }
            };
            places.push(place);
        }
        if exprs.len() == width(&below) {
            return Ok((side, places));
        }
        Ok((self.map(side, None, exprs, Arc::new(Schema::new(fields))), places))
    }

    /// Drops what was computed for the join alone.
    pub(super) fn drop_computed(
        &self,
        lowered: Lowered,
        kind: JoinKind,
        widths: (usize, usize),
        computed: (usize, usize),
    ) -> Lowered {
        if computed == (0, 0) {
            return lowered;
        }
        let below = Arc::clone(&lowered.node.schema);
        let left_all = widths.0 + computed.0;
        let right = match kind {
            JoinKind::Semi | JoinKind::Anti => 0..0,
            JoinKind::Mark => left_all..left_all + 1,
            _ => left_all..left_all + widths.1,
        };
        let kept: Vec<usize> = (0..widths.0).chain(right).collect();
        if kept.len() == width(&below) {
            return lowered;
        }
        let fields: Vec<Arc<Field>> = kept.iter().map(|i| Arc::clone(&below.fields()[*i])).collect();
        let exprs = kept.iter().map(|i| column(&below, *i)).collect();
        self.map(lowered, None, exprs, Arc::new(Schema::new(fields)))
    }
}

/// A right join as a left one, with the width of the plan's left side if it was turned.
fn turn_round(join: &LogicalJoin) -> (LogicalJoin, Option<usize>) {
    let join_type = match join.join_type {
        JoinType::Right => JoinType::Left,
        JoinType::RightSemi => JoinType::LeftSemi,
        JoinType::RightAnti => JoinType::LeftAnti,
        JoinType::RightMark => JoinType::LeftMark,
        _ => return (join.clone(), None),
    };
    let turned = LogicalJoin {
        left: Arc::clone(&join.right),
        right: Arc::clone(&join.left),
        on: join.on.iter().map(|(left, right)| (right.clone(), left.clone())).collect(),
        join_type,
        ..join.clone()
    };
    let keeps_both = join.join_type == JoinType::Right;
    (turned, keeps_both.then(|| join.left.schema().fields().len()))
}

/// The residual with the right side's columns `shift` further on.
fn shift_right(expr: plan::Expr, n_left: usize, shift: usize) -> Result<plan::Expr> {
    use datafusion_common::tree_node::{Transformed, TransformedResult, TreeNode};
    use datafusion_physical_expr::expressions::Column;
    if shift == 0 {
        return Ok(expr);
    }
    expr.transform_down(|expr| {
        Ok(match expr.downcast_ref::<Column>() {
            Some(column) if column.index() >= n_left => {
                let moved: plan::Expr = Arc::new(Column::new(column.name(), column.index() + shift));
                Transformed::new(moved, true, datafusion_common::tree_node::TreeNodeRecursion::Jump)
            }
            _ => Transformed::no(expr),
        })
    })
    .data()
    .map_err(|error| crate::bind::internal(&error))
}

/// Left columns, then what the kind adds.
pub(super) fn joined_schema(kind: JoinKind, sides: &Sides) -> SchemaRef {
    let left = sides.left.node.schema.fields().iter().cloned();
    let right = sides.right.node.schema.fields().iter().cloned();
    let fields: Vec<Arc<Field>> = match kind {
        JoinKind::Semi | JoinKind::Anti => left.collect(),
        JoinKind::Mark => left.chain([Arc::new(Field::new("mark", DataType::Boolean, true))]).collect(),
        _ => left.chain(right).collect(),
    };
    Arc::new(Schema::new(fields))
}

/// Columns that are unique in a join.
fn unique_key(kind: JoinKind, sides: &Sides) -> Option<Vec<usize>> {
    let left = sides.left.node.unique_key.clone();
    if matches!(kind, JoinKind::Semi | JoinKind::Anti | JoinKind::Mark) {
        return left;
    }
    let (left, right) = (left?, sides.right.node.unique_key.clone()?);
    let n_left = width(&sides.left.node.schema);
    let right_is_one = right.iter().all(|column| sides.on.iter().any(|(_, r)| r == column));
    let left_is_one = left.iter().all(|column| sides.on.iter().any(|(l, _)| l == column));
    Some(match kind {
        JoinKind::Inner | JoinKind::Left if right_is_one => left,
        JoinKind::Inner if left_is_one => right.into_iter().map(|column| column + n_left).collect(),
        _ => left.into_iter().chain(right.into_iter().map(|column| column + n_left)).collect(),
    })
}
