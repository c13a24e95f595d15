//! Joins in which time rules: as of a stream, and of two streams near each other.
//!
//! A stream's row meets the table of its tick; a semi-join does so with the table's distinct keys, an anti-join looks
//! for the row that found none. In a join WITHIN the predicate `within` says how near.

use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Schema};
use datafusion_common::{DFSchema, ScalarValue};
use datafusion_expr::logical_plan::Join as LogicalJoin;
use datafusion_expr::{Expr, JoinType, Operator};
use datafusion_physical_expr::expressions::{BinaryExpr, IsNotNullExpr, IsNullExpr, Literal};

use super::equality::{Condition, width};
use super::join::joined_schema;
use super::map::{column, identity};
use super::{Lower, Lowered, column as plan_column};
use crate::error::{ErrorKind, PlanError, Result};
use crate::logical::within::Within;
use crate::plan::{self, JoinKind, Lane, Op, WithinJoin};

impl Lower {
    /// A stream beside a table; an inner join may have them in either order.
    pub(super) fn as_of_join(
        &self,
        join: &LogicalJoin,
        left: Lowered,
        right: Lowered,
        condition: &Condition,
    ) -> Result<Lowered> {
        if right.is_stream {
            return self.as_of_turned(join, left, right, condition);
        }
        let right_schema = join.right.schema();
        let (right, outer) = match join.join_type {
            JoinType::Inner => (right, false),
            JoinType::Left => (right, true),
            JoinType::LeftSemi | JoinType::LeftAnti | JoinType::LeftMark => {
                return self.as_of_exists(join, left, right, condition);
            }
            _ => {
                let error = PlanError::new(
                    ErrorKind::InvalidDefinition,
                    "a join of a STREAM and a TABLE keeps rows of the stream only",
                );
                return Err(error.hint("CREATE MATERIALIZED VIEW keeps the join exact"));
            }
        };
        self.as_of(left, right, condition, outer, (join.left.schema(), right_schema))
    }

    /// The stream stands on the right: it comes first below, and last above.
    fn as_of_turned(
        &self,
        join: &LogicalJoin,
        table: Lowered,
        stream: Lowered,
        condition: &Condition,
    ) -> Result<Lowered> {
        let n_table = width(&table.node.schema);
        let mut condition = condition.clone();
        for pair in &mut condition.pairs {
            std::mem::swap(&mut pair.left, &mut pair.right);
        }
        let joined = self.as_of(stream, table, &condition, false, (join.right.schema(), join.left.schema()))?;
        let below = Arc::clone(&joined.node.schema);
        let n = width(&below);
        let order: Vec<usize> = (n - n_table..n).chain(0..n - n_table).collect();
        let fields: Vec<Arc<Field>> = order.iter().map(|i| Arc::clone(&below.fields()[*i])).collect();
        let exprs = order.iter().map(|i| column(&below, *i)).collect();
        Ok(self.map(joined, None, exprs, Arc::new(Schema::new(fields))))
    }

    fn as_of(
        &self,
        stream: Lowered,
        table: Lowered,
        condition: &Condition,
        outer: bool,
        schemas: (&datafusion_common::DFSchema, &datafusion_common::DFSchema),
    ) -> Result<Lowered> {
        let window = stream.window.clone();
        let sides = self.sides(stream, table, &condition.without_equal_nulls(), schemas)?;
        let kind = if outer { JoinKind::Left } else { JoinKind::Inner };
        let schema = joined_schema(kind, &sides);
        let widths = sides.widths;
        let computed = (width(&sides.left.node.schema) - widths.0, width(&sides.right.node.schema) - widths.1);
        let op = Op::AsOfJoin {
            stream: Box::new(sides.left.node),
            table: Box::new(sides.right.node),
            on: sides.on,
            residual: sides.residual,
            outer,
        };
        let lowered = Lowered { is_stream: true, window, ..self.table(op, schema, true, None) };
        Ok(self.drop_computed(lowered, kind, widths, computed))
    }

    /// IN, EXISTS and their negations, as of the stream.
    fn as_of_exists(
        &self,
        join: &LogicalJoin,
        stream: Lowered,
        table: Lowered,
        condition: &Condition,
    ) -> Result<Lowered> {
        if !condition.residual.is_empty() {
            let error = PlanError::not_supported("a subquery over a table that a stream meets by more than equality");
            return Err(error.hint("join the stream with the table, or CREATE MATERIALIZED VIEW"));
        }
        // the table's distinct keys, each with a mark that is never NULL
        let rights: Vec<Expr> = condition.pairs.iter().map(|pair| pair.right.clone()).collect();
        let mut exprs = self.exprs(&rights, join.right.schema())?;
        let below = Arc::clone(&table.node.schema);
        let mut fields = vec![];
        for (i, expr) in exprs.iter().enumerate() {
            let data_type = expr.data_type(&below).map_err(|error| crate::bind::internal(&error))?;
            fields.push(Field::new(format!("key{i}"), data_type, true));
        }
        exprs.push(Arc::new(Literal::new(ScalarValue::Boolean(Some(true)))));
        fields.push(Field::new("found", DataType::Boolean, true));
        let keys = self.distinct(self.map(table, None, exprs, Arc::new(Schema::new(fields.clone()))));
        let qualifier = datafusion_common::TableReference::bare("found");
        let key_schema = datafusion_common::DFSchema::try_from_qualified_schema(qualifier, &Schema::new(fields))
            .map_err(|error| crate::bind::internal(&error))?;
        let mut over_keys = condition.clone();
        for (i, pair) in over_keys.pairs.iter_mut().enumerate() {
            pair.right = Expr::Column(crate::bind::column("found", format!("key{i}")));
        }
        let n_stream = width(&stream.node.schema);
        let outer = join.join_type != JoinType::LeftSemi;
        let mut joined = self.as_of(stream, keys.clone(), &over_keys, outer, (join.left.schema(), &key_schema))?;
        if join.null_aware {
            joined = self.without_unknown(joined, keys, &condition.pairs, join.left.schema(), n_stream)?;
        }
        let below = Arc::clone(&joined.node.schema);
        let found = column(&below, width(&below) - 1);
        let mut exprs = identity(&below);
        exprs.truncate(n_stream);
        let mut fields: Vec<Arc<Field>> = below.fields().iter().take(n_stream).cloned().collect();
        let filter: Option<plan::Expr> = match join.join_type {
            JoinType::LeftAnti => Some(Arc::new(IsNullExpr::new(found))),
            JoinType::LeftMark => {
                exprs.push(Arc::new(IsNotNullExpr::new(found)));
                fields.push(Arc::new(Field::new("mark", DataType::Boolean, true)));
                None
            }
            _ => None,
        };
        Ok(self.map(joined, filter, exprs, Arc::new(Schema::new(fields))))
    }

    /// NOT IN: where a key is NULL on either side the answer is unknown, unless there are no keys at all. What is found
    /// already is marked; here those of which it is unknown are marked too.
    fn without_unknown(
        &self,
        joined: Lowered,
        keys: Lowered,
        pairs: &[super::equality::Pair],
        stream_schema: &datafusion_common::DFSchema,
        n_stream: usize,
    ) -> Result<Lowered> {
        let found_at = width(&joined.node.schema) - 1;
        let is_null = Arc::new(IsNullExpr::new(column(&keys.node.schema, 0)));
        let field = Field::new("is_null", DataType::Boolean, true);
        let nulls = self.map(keys, None, vec![is_null], Arc::new(Schema::new(vec![field])));
        let nulls = self.distinct(nulls);
        // one row: are there keys, are there NULLs among them
        let count = |name: &str, filter: Option<usize>| plan::Aggregate {
            function: plan::AggregateFunction::Count,
            args: vec![],
            distinct: false,
            filter,
            order: vec![],
            arrival: None,
            data_type: DataType::Int64,
            name: name.into(),
        };
        let counts = vec![count("keys", None), count("nulls", Some(0))];
        let fields = ["keys", "nulls"].map(|name| Field::new(name, DataType::Int64, true));
        let reduce = Op::Reduce { input: Box::new(nulls.node), keys: vec![], aggregates: counts, window: None };
        let counted = self.table(reduce, Arc::new(Schema::new(fields.to_vec())), false, Some(vec![]));
        let window = joined.window.clone();
        let n = width(&joined.node.schema);
        let fields: Vec<Arc<Field>> =
            joined.node.schema.fields().iter().chain(counted.node.schema.fields().iter()).cloned().collect();
        let op = Op::AsOfJoin {
            stream: Box::new(joined.node),
            table: Box::new(counted.node),
            on: vec![],
            residual: None,
            outer: false,
        };
        let both = Lowered { is_stream: true, window, ..self.table(op, Arc::new(Schema::new(fields)), true, None) };
        let below = Arc::clone(&both.node.schema);
        let zero = || Arc::new(Literal::new(ScalarValue::Int64(Some(0)))) as plan::Expr;
        let compare = |left: plan::Expr, op: Operator, right: plan::Expr| {
            Arc::new(BinaryExpr::new(left, op, right)) as plan::Expr
        };
        let value = match pairs {
            [pair] => self.expr(&pair.left, stream_schema)?,
            _ => return Err(PlanError::new(ErrorKind::Internal, "NOT IN compares one value")),
        };
        let some_keys = compare(column(&below, n), Operator::Gt, zero());
        let some_nulls = compare(column(&below, n + 1), Operator::Gt, zero());
        let unknown = compare(Arc::new(IsNullExpr::new(value)), Operator::And, some_keys);
        let unknown = compare(unknown, Operator::Or, some_nulls);
        let found = Arc::new(IsNotNullExpr::new(column(&below, found_at)));
        let marked = compare(found, Operator::Or, unknown);
        // TRUE or NULL, as the mark of a key that was found
        let mark = datafusion_physical_expr::expressions::case(
            None,
            vec![(marked, Arc::new(Literal::new(ScalarValue::Boolean(Some(true)))) as plan::Expr)],
            None,
        )
        .map_err(|error| crate::bind::internal(&error))?;
        let mut exprs = identity(&below);
        exprs.truncate(n_stream);
        exprs.push(mark);
        let mut fields: Vec<Arc<Field>> = below.fields().iter().take(n_stream).cloned().collect();
        fields.push(Arc::new(Field::new("found", DataType::Boolean, true)));
        Ok(self.map(both, None, exprs, Arc::new(Schema::new(fields))))
    }

    /// A join of two streams that has the predicate `within`.
    pub(super) fn within_join(&self, join: &LogicalJoin) -> Result<Option<Lowered>> {
        let mut condition = Condition::of(join);
        let Some(place) = condition.residual.iter().position(|conjunct| within_of(conjunct).is_some()) else {
            return Ok(None);
        };
        let call = condition.residual.remove(place);
        let Some((within, args)) = within_of(&call) else { return Ok(None) };
        let kind = match join.join_type {
            JoinType::Inner => JoinKind::Inner,
            JoinType::Left => JoinKind::Left,
            JoinType::Full => JoinKind::Full,
            _ => {
                let error = PlanError::new(ErrorKind::InvalidDefinition, "WITHIN joins rows of both sides");
                return Err(error.hint("[LEFT | FULL] JOIN … WITHIN"));
            }
        };
        let (l, r) = (join.left.schema(), join.right.schema());
        // the optimiser may have turned the sides round
        let turned = args.first().is_none_or(|time| plan_column(time, l).is_err());
        if args.len() != 8 {
            return Err(PlanError::new(ErrorKind::Internal, "within has eight arguments"));
        }
        let of_side = |right: bool| args.iter().skip(usize::from(right != turned)).step_by(2);
        let (left_args, right_args) = (of_side(false).collect::<Vec<_>>(), of_side(true).collect::<Vec<_>>());
        let times = (plan_column(left_args[0], l)?, plan_column(right_args[0], r)?);
        let lane = |args: &[&Expr], schema: &DFSchema| {
            let place = plan_column(args[2], schema).ok().zip(plan_column(args[3], schema).ok());
            plan_column(args[1], schema).ok().map(|time| Lane { time, place })
        };
        let lanes = (lane(&left_args, l), lane(&right_args, r));
        let (left, right) = (self.plan(&join.left)?, self.plan(&join.right)?);
        let window = left.window.clone();
        let sides = self.sides(left, right, &condition.without_equal_nulls(), (l, r))?;
        let schema = joined_schema(kind, &sides);
        let widths = sides.widths;
        let computed = (width(&sides.left.node.schema) - widths.0, width(&sides.right.node.schema) - widths.1);
        let (before_ms, after_ms) = match turned {
            true => (within.after_ms, within.before_ms),
            false => (within.before_ms, within.after_ms),
        };
        let sources = within.time_sources.clone();
        let op = Op::WithinJoin(WithinJoin {
            left: Box::new(sides.left.node),
            right: Box::new(sides.right.node),
            kind,
            on: sides.on,
            residual: sides.residual,
            times,
            lanes,
            before_ms,
            after_ms,
            grace_ms: within.grace_ms,
            time_sources: if turned { (sources.1, sources.0) } else { sources },
        });
        let lowered = Lowered { is_stream: true, window, ..self.table(op, schema, true, None) };
        Ok(Some(self.drop_computed(lowered, kind, widths, computed)))
    }
}

/// The join window of a call of `within`, and its arguments.
fn within_of(expr: &Expr) -> Option<(&Within, &[Expr])> {
    let Expr::ScalarFunction(call) = expr else { return None };
    let within = (call.func.inner().as_ref() as &dyn std::any::Any).downcast_ref()?;
    Some((within, &call.args))
}
