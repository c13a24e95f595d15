//! Nodes and expressions, shortly.

use std::sync::Arc;

use arrow::datatypes::SchemaRef;
use datafusion_common::ScalarValue;
use datafusion_expr::Operator;
use datafusion_physical_expr::expressions::{BinaryExpr, Column, Literal};
use millrace_planner::plan::{
    Aggregate, AggregateFunction, Expr, Join, JoinKind, Lane, Node, Op, SortKey, WindowClose,
};

use crate::harness::{Relation, nodes, schema, type_of};

/// Column `c`.
pub(crate) fn col(c: usize) -> Expr {
    Arc::new(Column::new(&format!("c{c}"), c))
}

/// A BIGINT.
pub(crate) fn bigint(x: i64) -> Expr {
    Arc::new(Literal::new(ScalarValue::Int64(Some(x))))
}

/// Two expressions with an operator between.
pub(crate) fn binary(left: Expr, op: Operator, right: Expr) -> Expr {
    Arc::new(BinaryExpr::new(left, op, right).with_fail_on_overflow(true))
}

/// A join, to be changed before it becomes a node.
pub(crate) fn join(left: Node, right: Node, kind: JoinKind, on: &[(usize, usize)]) -> Join {
    let (left, right) = (Box::new(left), Box::new(right));
    Join { left, right, kind, on: on.to_vec(), residual: None, null_equal: false, null_aware: false }
}

/// The node of a join.
pub(crate) fn join_node(join: Join) -> Node {
    let (left, right) = (&join.left.schema, &join.right.schema);
    let fields = match join.kind {
        JoinKind::Inner | JoinKind::Left | JoinKind::Full => concat(left, right),
        JoinKind::Semi | JoinKind::Anti => Arc::clone(left),
        JoinKind::Mark => concat(left, &schema("mark bool")),
    };
    nodes(Op::Join(join), &fields)
}

/// Columns of both.
pub(crate) fn concat(left: &SchemaRef, right: &SchemaRef) -> SchemaRef {
    let fields: Vec<_> = left.fields().iter().chain(right.fields()).map(Arc::clone).collect();
    Arc::new(arrow::datatypes::Schema::new(fields))
}

/// An aggregate over columns.
pub(crate) fn aggregate(function: AggregateFunction, args: &[usize], data_type: &str) -> Aggregate {
    Aggregate {
        function,
        args: args.to_vec(),
        distinct: false,
        filter: None,
        order: vec![],
        arrival: None,
        data_type: type_of(data_type),
        name: "a".to_owned(),
    }
}

/// Groups.
pub(crate) fn reduce(input: Node, keys: &[usize], aggregates: Vec<Aggregate>) -> Node {
    let keyed = keys.iter().map(|k| Arc::clone(&input.schema.fields()[*k]));
    let results = aggregates.iter().map(|a| Arc::new(arrow::datatypes::Field::new(&a.name, a.data_type.clone(), true)));
    let fields = Arc::new(arrow::datatypes::Schema::new(keyed.chain(results).collect::<Vec<_>>()));
    nodes(Op::Reduce { input: Box::new(input), keys: keys.to_vec(), aggregates, window: None }, &fields)
}

/// A sort key.
pub(crate) fn by(column: usize, descending: bool, nulls_first: bool) -> SortKey {
    SortKey { column, descending, nulls_first }
}

/// The first rows.
pub(crate) fn topk(input: Node, partition: &[usize], order: &[SortKey], offset: usize, limit: Option<usize>) -> Node {
    let schema = Arc::clone(&input.schema);
    let (partition, order) = (partition.to_vec(), order.to_vec());
    nodes(Op::TopK { input: Box::new(input), partition, order, offset, limit, rank: false }, &schema)
}

/// The same with the place of each row behind it.
pub(crate) fn numbered(mut topk: Node) -> Node {
    if let Op::TopK { rank, .. } = &mut topk.op {
        *rank = true;
        topk.schema = concat(&topk.schema, &schema("n bigint"));
    }
    topk
}

/// The lane time is the second column, and nobody knows where the records stood.
pub(crate) fn lane() -> Option<Lane> {
    Some(Lane { time: 1, place: None })
}

/// Tumbling or hopping windows over the event time in column 0 and the lane time in column 1.
pub(crate) fn windows(input: Node, size_ms: i64, advance_ms: i64, grace_ms: i64) -> Node {
    let fields = concat(&input.schema, &schema("ws bigint, we bigint"));
    let append_only = input.append_only;
    let input = Box::new(input);
    let op = Op::AssignWindows { input, time: 0, lane: lane(), size_ms, advance_ms, grace_ms };
    Node { append_only, ..nodes(op, &fields) }
}

/// The closing of a window at these places of the output, by the time of these relations.
pub(crate) fn close(start: usize, grace_ms: i64, retention_ms: i64, sources: &[&Relation]) -> WindowClose {
    WindowClose {
        start,
        end: start + 1,
        grace_ms,
        retention_ms,
        emit_final: false,
        time_sources: sources.iter().map(|r| r.id).collect(),
    }
}

/// Groups with a window among their keys.
pub(crate) fn windowed(input: Node, keys: &[usize], aggregates: Vec<Aggregate>, close: WindowClose) -> Node {
    let mut node = reduce(input, keys, aggregates);
    if let Op::Reduce { window, .. } = &mut node.op {
        *window = Some(close);
    }
    node
}
