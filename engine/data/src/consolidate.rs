//! Sums the diffs of equal rows.
//!
//! Used where a collection leaves the engine: at sinks, in answers, in tests. Rows come out ordered by all columns, so
//! that equal multisets give equal batches.

use arrow::datatypes::{DataType, SchemaRef};
use arrow::row::{RowConverter, Rows, SortField};

use crate::Batch;

/// One batch with each distinct row once, its diffs summed, rows with sum 0 left out, ascending by all columns (NULL
/// last). `None` when nothing is left.
///
/// # Panics
/// If a type has no row form (none of SQL's types lacks one).
#[allow(clippy::expect_used)]
pub fn consolidate(batches: &[Batch], schema: &SchemaRef) -> Option<Batch> {
    let batches: Vec<&Batch> = batches.iter().filter(|b| !b.is_empty()).collect();
    if batches.is_empty() {
        return None;
    }
    let owned: Vec<Batch> = batches.into_iter().cloned().collect();
    let all = Batch::concat(&owned);
    if schema.fields().is_empty() {
        let total: i64 = (0..all.len()).map(|i| all.diff(i)).sum();
        return (total != 0).then(|| Batch::new(vec![], Some(vec![total]), 1));
    }
    let converter = row_converter(schema.fields().iter().map(|f| f.data_type()));
    let rows: Rows = converter.convert_columns(all.columns()).expect("columns of the schema");
    let mut order: Vec<u32> = (0..all.len() as u32).collect();
    order.sort_unstable_by(|a, b| rows.row(*a as usize).cmp(&rows.row(*b as usize)));
    let (mut keep, mut diffs) = (vec![], vec![]);
    let mut i = 0;
    while i < order.len() {
        let first = order[i];
        let mut sum = 0;
        while i < order.len() && rows.row(order[i] as usize) == rows.row(first as usize) {
            sum += all.diff(order[i] as usize);
            i += 1;
        }
        if sum != 0 {
            keep.push(first);
            diffs.push(sum);
        }
    }
    if keep.is_empty() {
        return None;
    }
    let kept = all.take(&keep);
    Some(Batch::new(kept.columns().to_vec(), Some(diffs), keep.len()))
}

/// A converter to comparable bytes: ascending, NULL last.
///
/// # Panics
/// If a type has no row form.
#[allow(clippy::expect_used)]
pub fn row_converter<'a>(types: impl IntoIterator<Item = &'a DataType>) -> RowConverter {
    let options = arrow::compute::SortOptions { descending: false, nulls_first: false };
    let fields = types.into_iter().map(|t| SortField::new_with_options(t.clone(), options)).collect();
    RowConverter::new(fields).expect("SQL types have a row form")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow::array::{ArrayRef, Int64Array};
    use arrow::datatypes::{Field, Schema};

    use super::*;

    #[test]
    fn sums_and_sorts() {
        let schema: SchemaRef = Arc::new(Schema::new(vec![Field::new("A", DataType::Int64, true)]));
        let batch = |v: Vec<Option<i64>>, d: Vec<i64>| {
            let n = v.len();
            Batch::new(vec![Arc::new(Int64Array::from(v)) as ArrayRef], Some(d), n)
        };
        let a = batch(vec![Some(3), None, Some(1)], vec![1, 1, 1]);
        let b = batch(vec![Some(1), Some(3)], vec![1, -1]);
        let out = consolidate(&[a, b], &schema).expect("rows are left");
        let want: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None]));
        assert_eq!(out.column(0), &want);
        assert_eq!(out.diffs(), Some(&[2, 1][..]));
        let c = batch(vec![Some(1)], vec![1]);
        assert!(consolidate(&[c.clone(), c.negate()], &schema).is_none());
    }
}
