//! The part of an ON condition that is not an equality, over pairs of rows that lie in different places.
//!
//! Only the columns that it reads are brought together. A pair on which it fails is an error row and no pair.

use std::sync::Arc;

use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::datatypes::{Field, Schema, SchemaRef};
use datafusion_physical_expr::utils::collect_columns;
use millrace_data::Batch;
use millrace_planner::plan::Expr;

use crate::errors::{Reporter, row_text};
use crate::expr::{Evaluator, Failure};
use crate::render::hash::groups::same_values;
use crate::render::map::narrowed;

/// See the module.
pub(super) struct Residual {
    /// Columns that it reads; left columns, then right columns.
    used: Vec<usize>,
    /// Columns of a pair.
    width: usize,
    predicate: Evaluator,
    /// Only pairs are checked for which these columns are equal or one of them is NULL.
    only_of: Option<(usize, usize)>,
    reporter: Reporter,
}

impl Residual {
    pub(super) fn new(residual: &Expr, left: &SchemaRef, right: &SchemaRef, reporter: &Reporter) -> Self {
        let fields: Vec<Arc<Field>> = left.fields().iter().chain(right.fields()).map(Arc::clone).collect();
        let mut used: Vec<usize> = collect_columns(residual).into_iter().map(|c| c.index()).collect();
        used.sort_unstable();
        used.dedup();
        let narrow = Arc::new(Schema::new(used.iter().map(|c| Arc::clone(&fields[*c])).collect::<Vec<_>>()));
        let predicate = Evaluator::predicate(narrowed(residual, &used), narrow);
        Residual { used, width: fields.len(), predicate, only_of: None, reporter: reporter.clone() }
    }

    /// Checks only pairs of rows whose columns `on` are equal or could be, one of them being NULL.
    pub(super) fn only_of(&mut self, on: (usize, usize), left_width: usize) {
        self.only_of = Some((on.0, left_width + on.1));
    }

    /// For which of `len` pairs it is TRUE. `column` gives a column of the pairs, left columns and then right ones, or
    /// only its value at one pair; failures are reported with the pairs' diffs, if they are given.
    pub(super) fn mask(
        &self,
        len: usize,
        column: impl Fn(usize, Option<usize>) -> ArrayRef,
        diffs: Option<&[i64]>,
    ) -> BooleanArray {
        let pairs = Batch::new(self.used.iter().map(|c| column(*c, None)).collect(), None, len);
        let Some((left, right)) = self.only_of else {
            let (mask, failures) = self.predicate.mask(&pairs);
            self.report(&failures, |i| i, column, diffs);
            return mask;
        };
        let (left, right) = (column(left, None), column(right, None));
        let same = same_values(&left, &right);
        let candidates: Vec<u32> =
            (0..len).filter(|i| left.is_null(*i) || right.is_null(*i) || same.value(*i)).map(|i| i as u32).collect();
        let (mask, failures) = self.predicate.mask(&pairs.take(&candidates));
        self.report(&failures, |i| candidates[i] as usize, column, diffs);
        let mut all = vec![false; len];
        (0..mask.len()).for_each(|i| all[candidates[i] as usize] = is_true(&mask, i));
        BooleanArray::from(all)
    }

    fn report(
        &self,
        failures: &[Failure],
        pair: impl Fn(usize) -> usize,
        column: impl Fn(usize, Option<usize>) -> ArrayRef,
        diffs: Option<&[i64]>,
    ) {
        let Some(diffs) = diffs else { return };
        for failure in failures {
            let i = pair(failure.row);
            let row: Vec<ArrayRef> = (0..self.width).map(|c| column(c, Some(i))).collect();
            self.reporter.error("expression", failure.message.clone(), row_text(&row, 0), diffs[i]);
        }
    }
}

/// Whether row `i` of a mask is TRUE.
#[inline]
pub(super) fn is_true(mask: &BooleanArray, i: usize) -> bool {
    mask.value(i) && mask.is_valid(i)
}
