//! Operators with state on differential's own operators: complete and simple, and what the fast ones are held equal to.
//!
//! Rows are packed into bytes ([`codec`]), arranged and maintained by differential ([`keyed`]), and unpacked again, one
//! batch per tick. Aggregates are computed anew over all rows of a group whenever it changes.

pub(crate) mod aggregate;
pub(crate) mod as_of;
pub(crate) mod at_most_one;
pub(crate) mod closing;
pub(crate) mod codec;
pub(crate) mod deadline;
pub(crate) mod exact;
pub(crate) mod join;
pub(crate) mod keyed;
pub(crate) mod reduce;
pub(crate) mod session;
pub(crate) mod set_op;
pub(crate) mod topk;
pub(crate) mod within;

use millrace_planner::plan::{Node, Op};

use crate::render::{Renderer, Rows, Tools, name};

/// Renders a node with state and its inputs.
///
/// # Panics
/// If the node has no state: the renderer has a form of its own for these.
pub(crate) fn render<'scope>(cx: &mut Renderer<'scope, '_>, node: &Node, tools: Tools) -> Rows<'scope> {
    match &node.op {
        Op::Join(join) => join::join(cx, join, tools),
        Op::AsOfJoin { .. } => as_of::as_of(cx, node, tools),
        Op::WithinJoin(join) => within::within(cx, join, tools),
        Op::Reduce { .. } => reduce::reduce_groups(cx, node, tools),
        Op::SessionReduce { .. } => session::session(cx, node, tools),
        Op::TopK { .. } => topk::topk(cx, node, tools),
        Op::SetOp { .. } => set_op::set_op(cx, node, tools),
        Op::AtMostOne { .. } => at_most_one::at_most_one(cx, node, tools),
        Op::Source { .. }
        | Op::Constant { .. }
        | Op::Map { .. }
        | Op::Unnest { .. }
        | Op::Union { .. }
        | Op::AssignWindows { .. } => panic!("{} has no state", name(&node.op)),
    }
}
