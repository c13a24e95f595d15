//! Logical plan to incremental plan: every decision of strategy, one a file.
//!
//! A bound and rewritten plan has no subqueries any more. Here columns become positions, expressions become Arrow
//! expressions, a join finds its equal columns and whether it is as of a stream, a grouping finds the window that closes
//! it, and what lies side by side becomes one `Map`. What a node promises (append-only, a unique key) is worked out from
//! its inputs and nothing else.

mod constant;
mod equality;
mod join;
mod map;
mod reduce;
mod source;
mod stream_join;
mod window;

use std::sync::Arc;

use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion_common::{Column, DFSchema};
use datafusion_expr::{Distinct, Expr, LogicalPlan};

use crate::bind::internal;
use crate::error::{ErrorKind, PlanError, Result};
use crate::eval;
use crate::logical::Node as Extension;
use crate::logical::assign_windows::{AssignWindows, Closing};
use crate::logical::at_most_one::AtMostOne;
use crate::logical::explode::Explode;
use crate::logical::mark_join::MarkJoin;
use crate::logical::session_aggregate::SessionAggregate;
use crate::logical::set_op::SetOp;
use crate::logical::top_k::TopK;
use crate::plan::{self, Node, OnError, Op, SetOpKind, SortKey, State};

/// What holds for a whole query.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Where state lies.
    pub state: State,
    /// What a failing expression does.
    pub on_error: OnError,
    /// A stream beside a table is joined as of the stream.
    pub as_of: bool,
}

/// A node with what later nodes ask of it.
#[derive(Clone, Debug)]
struct Lowered {
    node: Node,
    /// Its rows are events.
    is_stream: bool,
    /// Its rows lie in windows that close.
    window: Option<Windowed>,
}

/// Where the bounds of a window are, and when it closes.
#[derive(Clone, Debug)]
struct Windowed {
    start: usize,
    end: usize,
    closing: Closing,
}

/// The incremental plan of a rewritten logical plan, column for column.
///
/// # Errors
/// If the plan has a node that cannot be maintained.
pub fn lower(plan: &LogicalPlan, settings: Settings) -> Result<Node> {
    Ok(Lower { settings }.plan(plan)?.node)
}

struct Lower {
    settings: Settings,
}

impl Lower {
    fn plan(&self, plan: &LogicalPlan) -> Result<Lowered> {
        match plan {
            LogicalPlan::TableScan(scan) => self.scan(plan, scan),
            LogicalPlan::Projection(projection) => {
                let input = self.plan(&projection.input)?;
                let exprs = self.exprs(&projection.expr, projection.input.schema())?;
                Ok(self.map(input, None, exprs, schema_of(plan)))
            }
            LogicalPlan::Filter(filter) => {
                let input = self.plan(&filter.input)?;
                let predicate = self.expr(&filter.predicate, filter.input.schema())?;
                Ok(self.filter(input, predicate))
            }
            LogicalPlan::SubqueryAlias(alias) => Ok(renamed(self.plan(&alias.input)?, schema_of(plan))),
            LogicalPlan::Join(join) => self.join(plan, join),
            LogicalPlan::Aggregate(aggregate) => self.aggregate(plan, aggregate),
            LogicalPlan::Distinct(Distinct::All(input)) => Ok(self.distinct(self.plan(input)?)),
            LogicalPlan::Union(union) => {
                let inputs: Vec<_> = union.inputs.iter().map(|input| self.plan(input)).collect::<Result<_>>()?;
                Ok(self.union(inputs, schema_of(plan)))
            }
            LogicalPlan::Values(values) => self.values(plan, values),
            LogicalPlan::EmptyRelation(empty) => {
                Ok(constant::rows(schema_of(plan), usize::from(empty.produce_one_row)))
            }
            LogicalPlan::Extension(_) => self.extension(plan),
            other => {
                let name = other.display().to_string();
                Err(PlanError::new(ErrorKind::Internal, format!("nothing maintains {name}")))
            }
        }
    }

    fn extension(&self, plan: &LogicalPlan) -> Result<Lowered> {
        if let Some(node) = Extension::<AssignWindows>::of(plan) {
            return self.assign_windows(plan, node);
        }
        if let Some(node) = Extension::<SessionAggregate>::of(plan) {
            return self.session_aggregate(plan, node);
        }
        if let Some(node) = Extension::<TopK>::of(plan) {
            return self.top_k(plan, node);
        }
        if let Some(node) = Extension::<SetOp>::of(plan) {
            return self.set_op(plan, node);
        }
        if let Some(node) = Extension::<AtMostOne>::of(plan) {
            let input = self.plan(&node.inputs[0])?;
            let keys = columns(&node.op.keys, node.inputs[0].schema())?;
            let schema = Arc::clone(&input.node.schema);
            let unique_key = Some(keys.clone());
            let op = Op::AtMostOne { input: Box::new(input.node), keys };
            return Ok(self.table(op, schema, false, unique_key));
        }
        if let Some(node) = Extension::<MarkJoin>::of(plan) {
            return self.mark_join(plan, node);
        }
        if let Some(node) = Extension::<Explode>::of(plan) {
            let input = self.plan(&node.inputs[0])?;
            let exprs: Vec<Expr> = node.op.columns.iter().cloned().map(Expr::Column).collect();
            let exploded = columns(&exprs, node.inputs[0].schema())?;
            let (append_only, is_stream) = (input.node.append_only, input.is_stream);
            let window = input.window;
            let keep_empty = node.op.keep_empty;
            let op = Op::Unnest { input: Box::new(input.node), columns: exploded, keep_empty };
            return Ok(Lowered { is_stream, window, ..self.table(op, schema_of(plan), append_only, None) });
        }
        Err(PlanError::new(ErrorKind::Internal, format!("nothing maintains {}", plan.display())))
    }

    /// A node that is no stream.
    fn table(&self, op: Op, schema: SchemaRef, append_only: bool, unique_key: Option<Vec<usize>>) -> Lowered {
        let node = Node { op, schema, append_only, unique_key, state: self.settings.state };
        Lowered { node, is_stream: false, window: None }
    }

    fn top_k(&self, plan: &LogicalPlan, node: &Extension<TopK>) -> Result<Lowered> {
        let input = self.plan(&node.inputs[0])?;
        let below = node.inputs[0].schema();
        let order = node.op.order.iter().map(|key| {
            Ok(SortKey { column: column(&key.expr, below)?, descending: !key.asc, nulls_first: key.nulls_first })
        });
        let order: Vec<SortKey> = order.collect::<Result<_>>()?;
        let partition = columns(&node.op.partition, below)?;
        let rank = node.op.rank.is_some();
        let place = input.node.schema.fields().len();
        let unique_key = match (node.op.limit, &input.node.unique_key) {
            (Some(1), _) => Some(partition.clone()),
            (_, None) if rank => Some(partition.iter().copied().chain([place]).collect()),
            (_, key) => key.clone(),
        };
        let (offset, limit) = (node.op.offset, node.op.limit);
        let op = Op::TopK { input: Box::new(input.node), partition, order, offset, limit, rank };
        Ok(self.table(op, schema_of(plan), false, unique_key))
    }

    fn set_op(&self, plan: &LogicalPlan, node: &Extension<SetOp>) -> Result<Lowered> {
        let (left, right) = (self.plan(&node.inputs[0])?, self.plan(&node.inputs[1])?);
        let (kind, all) = (node.op.kind, node.op.all);
        let append_only = kind == SetOpKind::Intersect && left.node.append_only && right.node.append_only;
        let schema = schema_of(plan);
        let unique_key = match all {
            true => left.node.unique_key.clone(),
            false => Some((0..schema.fields().len()).collect()),
        };
        let op = Op::SetOp { left: Box::new(left.node), right: Box::new(right.node), kind, all };
        Ok(self.table(op, schema, append_only, unique_key))
    }

    fn union(&self, inputs: Vec<Lowered>, schema: SchemaRef) -> Lowered {
        let append_only = inputs.iter().all(|input| input.node.append_only);
        let is_stream = inputs.iter().all(|input| input.is_stream);
        let mut flat = vec![];
        for input in inputs {
            match input.node.op {
                Op::Union { inputs } => flat.extend(inputs),
                op => flat.push(Node { op, ..input.node }),
            }
        }
        if let [_] = flat.as_slice()
            && let Some(node) = flat.pop()
        {
            return renamed(Lowered { node, is_stream, window: None }, schema);
        }
        Lowered { is_stream, ..self.table(Op::Union { inputs: flat }, schema, append_only, None) }
    }

    fn expr(&self, expr: &Expr, schema: &DFSchema) -> Result<plan::Expr> {
        eval::physical(expr, schema).map_err(|error| internal(&error))
    }

    fn exprs(&self, exprs: &[Expr], schema: &DFSchema) -> Result<Vec<plan::Expr>> {
        exprs.iter().map(|expr| self.expr(expr, schema)).collect()
    }
}

/// The same under other names.
fn renamed(mut lowered: Lowered, schema: SchemaRef) -> Lowered {
    lowered.node.schema = schema;
    lowered
}

/// The columns of a plan as a node has them.
fn schema_of(plan: &LogicalPlan) -> SchemaRef {
    let field = |field: &Arc<Field>| Field::new(field.name(), field.data_type().clone(), true);
    Arc::new(Schema::new(plan.schema().fields().iter().map(field).collect::<Vec<_>>()))
}

/// The position of an expression that is a column.
fn column(expr: &Expr, schema: &DFSchema) -> Result<usize> {
    match expr {
        Expr::Column(column) => position(column, schema),
        Expr::Alias(alias) => column(&alias.expr, schema),
        other => Err(PlanError::new(ErrorKind::Internal, format!("{other} is not a column"))),
    }
}

fn columns(exprs: &[Expr], schema: &DFSchema) -> Result<Vec<usize>> {
    exprs.iter().map(|expr| column(expr, schema)).collect()
}

fn position(column: &Column, schema: &DFSchema) -> Result<usize> {
    schema.index_of_column(column).map_err(|error| internal(&error))
}
