//! Operators with state on the hash arrangement: the default.

use millrace_planner::plan::Node;

use crate::render::{Renderer, Rows, Tools, differential};

/// Renders a node with state and its inputs.
pub(crate) fn render<'scope>(cx: &mut Renderer<'scope, '_>, node: &Node, tools: Tools) -> Rows<'scope> {
    differential::render(cx, node, tools)
}
