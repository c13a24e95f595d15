//! INTERSECT and EXCEPT: how often a row is on each side decides how often it comes out.

use millrace_planner::plan::{Node, Op, SetOpKind};

use crate::operator::stateless;
use crate::render::differential::codec::Codec;
use crate::render::differential::keyed::{Reduction, batches, bytes, each, keyed, reduce};
use crate::render::{Renderer, Rows, Tools};

const LEFT: u8 = 0;
const RIGHT: u8 = 1;

/// Renders `Op::SetOp`.
pub(crate) fn set_op<'scope>(cx: &mut Renderer<'scope, '_>, node: &Node, tools: Tools) -> Rows<'scope> {
    let Op::SetOp { left, right, kind, all } = &node.op else { panic!("not SetOp: {:?}", node.op) };
    let mut side = |input: &Node, mark: u8| {
        let codec = Codec::of(&input.schema);
        keyed(cx.render(input), "Side", &tools.meter, move |_, batch, into| {
            let rows = codec.pack(batch.columns(), batch.len()).into_iter().enumerate();
            into.extend(rows.map(|(i, row)| ((row, vec![mark]), batch.diff(i))));
        })
    };
    let sides = side(left, LEFT).concat(side(right, RIGHT));
    let rows = batches(reduce(sides, "SetOp", times(*kind, *all)), "Rows");
    let codec = Codec::of(&node.schema);
    stateless(rows, "SetOp", tools.meter, move |_, batch, emit| {
        emit(batch.with_columns(codec.unpack(each(bytes(&batch, 0)))));
    })
}

/// How often a row comes out, by how often it is on each side.
fn times(kind: SetOpKind, all: bool) -> Reduction {
    Box::new(move |_, sides, out| {
        let count = |mark| sides.iter().find(|(side, _)| side[0] == mark).map_or(0, |(_, n)| (*n).max(0));
        let (m, n) = (count(LEFT), count(RIGHT));
        let times = match (kind, all) {
            (SetOpKind::Intersect, true) => m.min(n),
            (SetOpKind::Except, true) => (m - n).max(0),
            (SetOpKind::Intersect, false) => i64::from(m > 0 && n > 0),
            (SetOpKind::Except, false) => i64::from(m > 0 && n == 0),
        };
        if times > 0 {
            out.push((vec![], times));
        }
    })
}
