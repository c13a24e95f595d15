//! One row per element of list columns, side by side.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, AsArray, UInt32Array};
use arrow::compute::take;
use millrace_data::Batch;
use millrace_planner::plan::Node;

use crate::operator::stateless;
use crate::render::{Renderer, Rows, Tools};

/// Renders `Op::Unnest`.
pub(crate) fn unnest<'scope>(
    cx: &mut Renderer<'scope, '_>,
    input: &Node,
    columns: &[usize],
    keep_empty: bool,
    tools: Tools,
) -> Rows<'scope> {
    let rows = cx.render(input);
    let columns = columns.to_vec();
    stateless(rows, "Unnest", tools.meter, move |_, batch, emit| {
        emit(unnest_batch(&batch, &columns, keep_empty));
    })
}

/// The rows with the lists in `columns` taken apart.
///
/// # Panics
/// Never: positions are made from the lists' own offsets.
#[allow(clippy::expect_used)]
fn unnest_batch(batch: &Batch, columns: &[usize], keep_empty: bool) -> Batch {
    let lists: Vec<_> = columns.iter().map(|c| batch.column(*c).as_list::<i32>()).collect();
    let (mut rows, mut elements) = (vec![], vec![vec![]; lists.len()]);
    for i in 0..batch.len() {
        let spans: Vec<(usize, usize)> = lists
            .iter()
            .map(|list| {
                if list.is_null(i) {
                    return (0, 0);
                }
                let offsets = list.value_offsets();
                (offsets[i] as usize, (offsets[i + 1] - offsets[i]) as usize)
            })
            .collect();
        let longest = spans.iter().map(|s| s.1).max().unwrap_or(0).max(usize::from(keep_empty));
        for k in 0..longest {
            rows.push(i as u32);
            for (elements, (first, len)) in elements.iter_mut().zip(&spans) {
                elements.push((k < *len).then(|| (first + k) as u32));
            }
        }
    }
    let repeated = batch.take(&rows);
    let mut out: Vec<ArrayRef> = repeated.columns().to_vec();
    for ((column, list), elements) in columns.iter().zip(&lists).zip(elements) {
        let positions = UInt32Array::from(elements);
        out[*column] = take(list.values(), &positions, None).expect("positions lie in the list");
    }
    repeated.with_columns(out.iter().map(Arc::clone).collect())
}

#[cfg(test)]
mod tests {
    use arrow::array::{Int64Array, ListArray};
    use arrow::datatypes::Int64Type;

    use super::*;

    fn batch() -> Batch {
        let ids: ArrayRef = Arc::new(Int64Array::from(vec![1, 2, 3]));
        let a = ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(10), None]), None, Some(vec![])]);
        let b =
            ListArray::from_iter_primitive::<Int64Type, _, _>([Some(vec![Some(7)]), Some(vec![Some(8)]), Some(vec![])]);
        Batch::new(vec![ids, Arc::new(a), Arc::new(b)], Some(vec![1, -1, 1]), 3)
    }

    fn column(batch: &Batch, c: usize) -> Vec<Option<i64>> {
        batch.column(c).as_primitive::<Int64Type>().iter().collect()
    }

    #[test]
    fn lists_go_side_by_side_and_shorter_ones_end_in_null() {
        let out = unnest_batch(&batch(), &[1, 2], false);
        assert_eq!(column(&out, 0), [Some(1), Some(1), Some(2)]);
        assert_eq!(column(&out, 1), [Some(10), None, None]);
        assert_eq!(column(&out, 2), [Some(7), None, Some(8)]);
        assert_eq!(out.diffs(), Some(&[1, 1, -1][..]));
    }

    #[test]
    fn empty_lists_give_a_row_where_they_are_kept() {
        let out = unnest_batch(&batch(), &[1, 2], true);
        assert_eq!(column(&out, 0), [Some(1), Some(1), Some(2), Some(3)]);
        assert_eq!(column(&out, 2)[3], None);
    }
}
