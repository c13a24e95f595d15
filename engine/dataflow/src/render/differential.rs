//! Operators with state on differential's own operators: complete and simple, and what the fast ones are held equal to.
//!
//! Rows are packed into bytes ([`codec`]), arranged and maintained by differential ([`keyed`]), and unpacked again, one
//! batch per tick. Aggregates are computed anew over all rows of a group whenever it changes.

pub(crate) mod codec;
pub(crate) mod join;
pub(crate) mod keyed;

use millrace_planner::plan::{Node, Op};

use crate::render::{Renderer, Rows, Tools, name};

/// Renders a node with state and its inputs.
pub(crate) fn render<'scope>(cx: &mut Renderer<'scope, '_>, node: &Node, tools: Tools) -> Rows<'scope> {
    match &node.op {
        Op::Join(join) => join::join(cx, join, tools),
        other => panic!("{} has no differential form", name(other)),
    }
}
