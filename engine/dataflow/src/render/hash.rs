//! Operators with state on the hash arrangement: the default.
//!
//! Groups are ids in a key table and state in vectors by id ([`reduce`], [`aggregate`]); rows that others look for lie in
//! arrangements. An operator takes a tick's batches when all of them are there, and emits what changed.

pub(crate) mod aggregate;
pub(crate) mod arrange;
mod arrivals;
pub(crate) mod as_of;
pub(crate) mod at_most_one;
pub(crate) mod groups;
pub(crate) mod join;
pub(crate) mod reduce;
mod residual;
mod segments;
pub(crate) mod session;
pub(crate) mod set_op;
pub(crate) mod share;
mod sorted;
mod standing;
pub(crate) mod top_k;
pub(crate) mod wanted;
pub(crate) mod windowed;
pub(crate) mod within;

use millrace_planner::plan::{Node, Op};

use crate::render::{Renderer, Rows, Tools, name};

/// Renders a node with state and its inputs.
pub(crate) fn render<'scope>(cx: &mut Renderer<'scope, '_>, node: &Node, tools: Tools) -> Rows<'scope> {
    match &node.op {
        Op::Join(join) => join::join(cx, node, join, tools),
        Op::AsOfJoin { .. } => as_of::as_of(cx, node, tools),
        Op::Reduce { window: None, .. } => reduce::reduce(cx, node, tools),
        Op::Reduce { window: Some(_), .. } => windowed::windowed(cx, node, tools),
        Op::SessionReduce { .. } => session::session(cx, node, tools),
        Op::WithinJoin(join) => within::within(cx, node, join, tools),
        Op::TopK { .. } => top_k::top_k(cx, node, tools),
        Op::SetOp { .. } => set_op::set_op(cx, node, tools),
        Op::AtMostOne { .. } => at_most_one::at_most_one(cx, node, tools),
        other => panic!("{} has no state", name(other)),
    }
}
