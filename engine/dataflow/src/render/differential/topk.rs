//! The first rows of each partition, in a total order.
//!
//! Rows are packed so that their bytes compare in the order that is asked for; then the first rows are the first values.
//! Where their places are asked for, a place stands behind the bytes of its row.

use std::sync::Arc;

use arrow::array::Int64Array;
use millrace_planner::plan::{Node, Op, SortKey};

use crate::operator::stateless;
use crate::render::differential::codec::{Codec, some};
use crate::render::differential::keyed::{Reduction, batches, bytes, each, keyed, reduce};
use crate::render::{Renderer, Rows, Tools};

/// Length of a place behind a row.
const RANK_BYTES: usize = size_of::<i64>();

/// Renders `Op::TopK`.
pub(crate) fn topk<'scope>(cx: &mut Renderer<'scope, '_>, node: &Node, tools: Tools) -> Rows<'scope> {
    let Op::TopK { input, partition, order, offset, limit, rank } = &node.op else { panic!("not TopK: {:?}", node.op) };
    let ranked = *rank;
    let order = total(order, input.schema.fields().len());
    let columns: Vec<usize> = order.iter().map(|key| key.column).collect();
    let codec = || {
        Codec::ordered(order.iter().map(|k| (input.schema.field(k.column).data_type(), k.descending, k.nulls_first)))
    };
    let (partition, partition_codec) = (partition.clone(), Codec::of_columns(&input.schema, partition));
    let (pack, pack_columns) = (codec(), columns.clone());
    let rows = keyed(cx.render(input), "Partitions", &tools.meter, move |_, batch, into| {
        let keys = partition_codec.pack(&some(batch.columns(), &partition), batch.len());
        let rows = pack.pack(&some(batch.columns(), &pack_columns), batch.len());
        into.extend(keys.into_iter().zip(rows).enumerate().map(|(i, pair)| (pair, batch.diff(i))));
    });
    let logic = if ranked { numbered(*offset, *limit) } else { first(*offset, *limit) };
    let first = batches(reduce(rows, "TopK", logic), "First");
    // where each column of the output lies in the packed order
    let places: Vec<usize> = (0..columns.len()).filter_map(|c| columns.iter().position(|o| *o == c)).collect();
    let unpack = codec();
    stateless(first, "TopK", tools.meter, move |_, batch, emit| {
        if !ranked {
            let columns = unpack.unpack(each(bytes(&batch, 1)));
            emit(batch.with_columns(some(&columns, &places)));
            return;
        }
        let apart = || each(bytes(&batch, 1)).filter_map(<[u8]>::split_last_chunk::<RANK_BYTES>);
        let columns = unpack.unpack(apart().map(|(row, _)| row));
        let mut columns = some(&columns, &places);
        columns.push(Arc::new(apart().map(|(_, rank)| i64::from_be_bytes(*rank)).collect::<Int64Array>()));
        emit(batch.with_columns(columns));
    })
}

/// Each column once; any that the order does not name at its end.
fn total(order: &[SortKey], columns: usize) -> Vec<SortKey> {
    let mut total: Vec<SortKey> = vec![];
    let rest = (0..columns).map(|column| SortKey { column, descending: false, nulls_first: false });
    for key in order.iter().copied().chain(rest) {
        if !total.iter().any(|k| k.column == key.column) {
            total.push(key);
        }
    }
    total
}

/// The rows behind the first `offset`, at most `limit`.
fn first(offset: usize, limit: Option<usize>) -> Reduction {
    Box::new(move |_, values, out| {
        let (mut pass, mut keep) = (offset, limit.unwrap_or(usize::MAX));
        for (row, n) in values {
            let n = usize::try_from(*n).unwrap_or(0);
            let passed = n.min(pass);
            pass -= passed;
            let kept = (n - passed).min(keep);
            keep -= kept;
            if kept > 0 {
                out.push(((*row).clone(), kept as i64));
            }
            if keep == 0 {
                break;
            }
        }
    })
}

/// The same, each row as often as it is there, with its place.
fn numbered(offset: usize, limit: Option<usize>) -> Reduction {
    Box::new(move |_, values, out| {
        let each = values.iter().flat_map(|(row, n)| std::iter::repeat_n(*row, usize::try_from(*n).unwrap_or(0)));
        for (i, row) in each.enumerate().skip(offset).take(limit.unwrap_or(usize::MAX)) {
            out.push(([row.as_slice(), &(i as i64 + 1).to_be_bytes()].concat(), 1));
        }
    })
}
