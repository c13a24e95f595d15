//! Operators with state on differential's own operators: complete and simple, and what the fast ones are held equal to.

use millrace_planner::plan::Node;

use crate::render::{Renderer, Rows, Tools, name};

/// Renders a node with state and its inputs.
pub(crate) fn render<'scope>(_cx: &mut Renderer<'scope, '_>, node: &Node, _tools: Tools) -> Rows<'scope> {
    panic!("{} has no differential form", name(&node.op))
}
