//! A scalar subquery's guard: groups of one row pass, a larger group is an error row until it shrinks.

use millrace_planner::plan::{Node, Op};

use crate::errors::row_text;
use crate::operator::stateless;
use crate::render::differential::codec::{Codec, some};
use crate::render::differential::keyed::{Reduction, batches, bytes, each, keyed, reduce};
use crate::render::{Renderer, Rows, Tools};

/// What a packed result begins with: the row of its group, or nothing because there are several.
const ROW: u8 = 0;
const SEVERAL: u8 = 1;

/// Renders `Op::AtMostOne`.
pub(crate) fn at_most_one<'scope>(cx: &mut Renderer<'scope, '_>, node: &Node, tools: Tools) -> Rows<'scope> {
    let Op::AtMostOne { input, keys } = &node.op else { panic!("not AtMostOne: {:?}", node.op) };
    let keys = keys.clone();
    let (key_codec, row_codec) = (Codec::of_columns(&input.schema, &keys), Codec::of(&input.schema));
    let unpack_keys = Codec::of_columns(&input.schema, &keys);
    let groups = keyed(cx.render(input), "Groups", &tools.meter, move |_, batch, into| {
        let packed = key_codec.pack(&some(batch.columns(), &keys), batch.len());
        let rows = row_codec.pack(batch.columns(), batch.len());
        into.extend(packed.into_iter().zip(rows).enumerate().map(|(i, pair)| (pair, batch.diff(i))));
    });
    let logic: Reduction = Box::new(|_, rows, out| {
        let present: Vec<_> = rows.iter().filter(|(_, n)| *n > 0).collect();
        match present[..] {
            [] => {}
            [(row, 1)] => out.push(([&[ROW], &row[..]].concat(), 1)),
            _ => out.push((vec![SEVERAL], 1)),
        }
    });
    let results = batches(reduce(groups, "AtMostOne", logic), "Results");
    let (codec, reporter) = (Codec::of(&node.schema), tools.reporter);
    stateless(results, "AtMostOne", tools.meter, move |_, batch, emit| {
        let values: Vec<&[u8]> = each(bytes(&batch, 1)).collect();
        let (good, bad): (Vec<u32>, Vec<u32>) = (0..batch.len() as u32).partition(|i| values[*i as usize][0] == ROW);
        if !bad.is_empty() {
            let keys = unpack_keys.unpack(bad.iter().map(|i| bytes(&batch, 0).value(*i as usize)));
            for (row, i) in bad.iter().enumerate() {
                let message = "a subquery that stands for a value gives more than one row".to_owned();
                reporter.error("cardinality", message, row_text(&keys, row), batch.diff(*i as usize));
            }
        }
        let good = batch.take(&good);
        let columns = codec.unpack(each(bytes(&good, 1)).map(|row| &row[1..]));
        emit(good.with_columns(columns));
    })
}
