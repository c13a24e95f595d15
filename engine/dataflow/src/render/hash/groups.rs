//! What a tick changed about groups: −old +new for those whose row is another one.

use std::collections::BTreeMap;

use arrow::array::make_comparator;
use arrow::array::{Array, ArrayRef, BooleanArray};
use arrow::compute::SortOptions;
use arrow::compute::kernels::cmp::not_distinct;
use millrace_data::Batch;

use crate::errors::{Reporter, row_text};

/// The rows of some groups at one moment.
#[derive(Default)]
pub(super) struct Shown {
    /// Whether the group has a row.
    pub(super) alive: Vec<bool>,
    /// The columns behind the keys; none if no group is alive.
    pub(super) columns: Vec<ArrayRef>,
    /// Groups that are alive and whose row is an error row, by position, and why.
    pub(super) failed: BTreeMap<usize, String>,
}

impl Shown {
    /// No group has a row.
    pub(super) fn nothing(groups: usize) -> Self {
        Shown { alive: vec![false; groups], ..Shown::default() }
    }

    fn has_row(&self, i: usize) -> bool {
        self.alive[i] && !self.failed.contains_key(&i)
    }
}

/// Emits what changed from `old` to `new`, retractions first; `keys` gives the key columns of some positions.
pub(super) fn emit_changes(
    old: &Shown,
    new: &Shown,
    keys: impl Fn(&[u32]) -> Vec<ArrayRef>,
    reporter: &Reporter,
    emit: &mut dyn FnMut(Batch),
) {
    let groups = old.alive.len();
    let same = same_rows(old, new);
    let (mut gone, mut come) = (vec![], vec![]);
    for i in 0..groups {
        let (was, is) = (old.has_row(i), new.has_row(i));
        let stays = was && is && same.as_ref().is_none_or(|same| same[i]);
        if was && !stays {
            gone.push(i as u32);
        }
        if is && !stays {
            come.push(i as u32);
        }
    }
    if !gone.is_empty() {
        emit(rows_of(old, &gone, &keys, -1));
    }
    if !come.is_empty() {
        emit(rows_of(new, &come, &keys, 1));
    }
    report_failures(old, new, &keys, reporter);
}

/// What groups show: rows, and error rows.
pub(super) struct Result {
    /// The rows, and which groups they are of, by position.
    pub(super) rows: Option<(Batch, Vec<u32>)>,
    /// Position, message and row as text.
    pub(super) failures: Vec<(usize, String, String)>,
}

impl Result {
    /// What all groups show.
    pub(super) fn of(shown: &Shown, keys: impl Fn(&[u32]) -> Vec<ArrayRef>) -> Self {
        let groups: Vec<u32> = (0..shown.alive.len() as u32).filter(|i| shown.has_row(*i as usize)).collect();
        let rows = (!groups.is_empty()).then(|| (rows_of(shown, &groups, &keys, 1), groups));
        let text = |i: usize| row_text(&keys(&[i as u32]), 0);
        let failures = shown.failed.iter().map(|(i, message)| (*i, message.clone(), text(*i))).collect();
        Result { rows, failures }
    }

    /// It appears.
    pub(super) fn appear(&self, reporter: &Reporter, emit: &mut dyn FnMut(Batch)) {
        self.rows.iter().for_each(|(rows, _)| emit(rows.clone()));
        self.report(reporter, 1);
    }

    /// It is taken back.
    pub(super) fn leave(&self, reporter: &Reporter, emit: &mut dyn FnMut(Batch)) {
        self.rows.iter().for_each(|(rows, _)| emit(rows.negate()));
        self.report(reporter, -1);
    }

    fn report(&self, reporter: &Reporter, diff: i64) {
        for (_, message, row) in &self.failures {
            reporter.error("aggregate", message.clone(), row.clone(), diff);
        }
    }
}

/// Some groups' rows.
fn rows_of(shown: &Shown, groups: &[u32], keys: impl Fn(&[u32]) -> Vec<ArrayRef>, diff: i64) -> Batch {
    let len = shown.alive.len();
    let results = Batch::new(shown.columns.clone(), None, len);
    let results = if groups.len() == len { results } else { results.take(groups) };
    let columns = keys(groups).into_iter().chain(results.columns().iter().map(ArrayRef::clone)).collect();
    let diffs = (diff != 1).then(|| vec![diff; groups.len()]);
    Batch::new(columns, diffs, groups.len())
}

/// Whether all result columns are equal, by position; `None` if there are none to compare.
fn same_rows(old: &Shown, new: &Shown) -> Option<Vec<bool>> {
    let mut same: Option<Vec<bool>> = None;
    for (old, new) in old.columns.iter().zip(&new.columns) {
        let column = same_values(old, new);
        match &mut same {
            None => same = Some(column.values().iter().collect()),
            Some(same) => same.iter_mut().zip(column.values()).for_each(|(same, column)| *same &= column),
        }
    }
    same
}

/// Whether values are equal, NULL to NULL.
///
/// # Panics
/// If the columns have different types.
#[allow(clippy::expect_used)]
pub(crate) fn same_values(old: &ArrayRef, new: &ArrayRef) -> BooleanArray {
    if !old.data_type().is_nested() {
        return not_distinct(old, new).expect("values of one type");
    }
    let compare = make_comparator(old, new, SortOptions::default()).expect("values of one type");
    BooleanArray::from((0..old.len()).map(|i| compare(i, i).is_eq()).collect::<Vec<_>>())
}

fn report_failures(old: &Shown, new: &Shown, keys: impl Fn(&[u32]) -> Vec<ArrayRef>, reporter: &Reporter) {
    for (shown, other, diff) in [(old, new, -1), (new, old, 1)] {
        for (i, message) in &shown.failed {
            if other.failed.get(i) != Some(message) {
                let row = row_text(&keys(&[*i as u32]), 0);
                reporter.error("aggregate", message.clone(), row, diff);
            }
        }
    }
}
