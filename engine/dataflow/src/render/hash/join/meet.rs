//! Changed rows of one side meet the rows of the other: pairs in blocks, gathered and checked a column at a time.

use std::sync::Arc;

use arrow::array::BooleanArray;
use millrace_arrange::{Arrangement, KeyTable, NullKeys, RowId};
use millrace_data::Batch;
use millrace_data::hash::hash_columns;
use millrace_planner::plan::JoinKind;

use crate::render::hash::arrange::Side;
use crate::render::hash::residual::{Residual, is_true};
use crate::render::hash::wanted::Wanted;

/// Pairs of a block: their row ids, diffs and a few columns stay in the second-level cache.
const PAIRS: usize = 2048;

/// What decides which rows meet.
pub(super) struct Meeting {
    pub(super) nulls: NullKeys,
    pub(super) residual: Option<Residual>,
    pub(super) output: Wanted,
}

impl Meeting {
    /// Rows of side `place` are to meet the other side as of a tick.
    pub(super) fn of<'a>(&'a self, sides: &'a [Side; 2], place: usize, as_of: u64) -> Meet<'a> {
        Meet { meeting: self, sides, place, as_of, report: false, emit: None, matched: None, note: false }
    }

    /// Keys that changed rows of `side` have, each once, and of which the first row came (`false`: it had none before)
    /// or the last one went (`true`).
    pub(super) fn turned(&self, side: &Side, tick: u64, changed: &[RowId], hashes: &[u64]) -> Turned {
        let arrangement = side.borrow();
        let (rows, hashes) = distinct_keys(&arrangement, changed, hashes);
        let keys = arrangement.gather_keys(&rows);
        let (mut before, mut after) = (vec![], vec![]);
        arrangement.probe_exists(&keys, &hashes, tick - 1, self.nulls, &mut before);
        arrangement.probe_exists(&keys, &hashes, tick, self.nulls, &mut after);
        let had: Vec<Option<bool>> = before.iter().zip(&after).map(|(b, a)| (b != a).then_some(*b)).collect();
        Turned { keys: Batch::new(keys, None, rows.len()), hashes, had }
    }

    /// Rows of `side` with keys that turned: those that have one now, or those that have none any more.
    pub(super) fn rows_of(&self, side: &Side, as_of: u64, turned: &Turned, has: bool) -> (Vec<RowId>, Vec<i64>) {
        let which: Vec<u32> = (0..turned.had.len() as u32).filter(|i| turned.had[*i as usize] == Some(!has)).collect();
        let (mut rows, mut diffs) = (vec![], vec![]);
        if !which.is_empty() {
            let keys = turned.keys.take(&which);
            let hashes: Vec<u64> = which.iter().map(|i| turned.hashes[*i as usize]).collect();
            side.borrow().probe(keys.columns(), &hashes, as_of, self.nulls, |_, row, diff| {
                rows.push(row);
                diffs.push(diff);
            });
        }
        (rows, diffs)
    }

    /// Rows of one side as a join of this kind shows them.
    pub(super) fn rows(
        &self,
        side: &Side,
        place: usize,
        kind: JoinKind,
        rows: &[RowId],
        diffs: Vec<i64>,
        marks: Vec<bool>,
    ) -> Batch {
        let (arrangement, len) = (side.borrow(), rows.len());
        let width = self.output.width();
        // where the side's columns lie in the output
        let own = if place == 0 { 0..side.width() } else { width - side.width()..width };
        let mut marks = Some(marks).filter(|_| kind == JoinKind::Mark);
        let column = |c: usize| {
            if own.contains(&c) {
                return self.output.column(c, len, |c| side.column(&arrangement, c - own.start, rows));
            }
            match marks.take() {
                Some(marks) => Arc::new(BooleanArray::from(marks)),
                None => self.output.nulls(c, len),
            }
        };
        Batch::new((0..width).map(column).collect(), Some(diffs), len)
    }
}

/// Keys whose having a row changed.
pub(super) struct Turned {
    keys: Batch,
    hashes: Vec<u64>,
    /// Whether it had one, where that changed.
    had: Vec<Option<bool>>,
}

/// The hashes of the rows' keys.
pub(super) fn key_hashes(side: &Side, rows: &[RowId]) -> Vec<u64> {
    let mut hashes = vec![];
    hash_columns(&side.borrow().gather_keys(rows), rows.len(), &mut hashes);
    hashes
}

/// A row of each key, with the hash of the key.
fn distinct_keys(arrangement: &Arrangement, rows: &[RowId], hashes: &[u64]) -> (Vec<RowId>, Vec<u64>) {
    if rows.len() == 1 {
        return (rows.to_vec(), hashes.to_vec());
    }
    let types: Vec<_> = arrangement.key().iter().map(|c| arrangement.types()[*c].clone()).collect();
    let mut seen = KeyTable::new(&types);
    let mut ids = vec![];
    seen.lookup_or_insert(&arrangement.gather_keys(rows), hashes, rows.len(), &mut ids);
    let (mut distinct, mut of_distinct) = (vec![], vec![]);
    for (i, id) in ids.iter().enumerate() {
        // ids are given out in order
        if *id as usize == distinct.len() {
            distinct.push(rows[i]);
            of_distinct.push(hashes[i]);
        }
    }
    (distinct, of_distinct)
}

/// Rows of one side that are to meet the other, and what is wanted of it.
pub(super) struct Meet<'a> {
    meeting: &'a Meeting,
    sides: &'a [Side; 2],
    /// The side of the rows.
    place: usize,
    as_of: u64,
    report: bool,
    emit: Option<&'a mut dyn FnMut(Batch)>,
    matched: Option<Vec<i64>>,
    note: bool,
}

/// What came of it.
pub(super) struct Met {
    /// Per row, how many partners it has, if that was asked for.
    matched: Vec<i64>,
    /// Rows of the other side that were met, with their diffs, if that was asked for; not each once.
    pub(super) met: Vec<(RowId, i64)>,
}

impl Met {
    /// Per row, whether it has a partner.
    pub(super) fn has_partner(&self) -> Vec<bool> {
        self.matched.iter().map(|matched| *matched > 0).collect()
    }
}

/// Pairs of rows, side by side.
#[derive(Default)]
struct Pairs {
    /// Which of the rows.
    at: Vec<u32>,
    mine: Vec<RowId>,
    theirs: Vec<RowId>,
    diffs: Vec<i64>,
    their_diffs: Vec<i64>,
}

impl<'a> Meet<'a> {
    /// Pairs on which the residual fails are reported.
    pub(super) fn reporting(mut self) -> Self {
        self.report = true;
        self
    }

    /// Pairs go out.
    pub(super) fn emitting(mut self, emit: &'a mut dyn FnMut(Batch)) -> Self {
        self.emit = Some(emit);
        self
    }

    /// Partners of each of `rows` rows are counted.
    pub(super) fn matching(mut self, rows: usize) -> Self {
        self.matched = Some(vec![0; rows]);
        self
    }

    /// Rows that are met are noted.
    pub(super) fn noting(mut self) -> Self {
        self.note = true;
        self
    }

    /// Per row, whether the other side has one of its key.
    pub(super) fn exists(self, rows: &[RowId], hashes: &[u64]) -> Vec<bool> {
        let keys = self.sides[self.place].borrow().gather_keys(rows);
        let mut exists = vec![];
        let other = self.sides[1 - self.place].borrow();
        other.probe_exists(&keys, hashes, self.as_of, self.meeting.nulls, &mut exists);
        exists
    }

    /// Lets the rows, with their diffs and the hashes of their keys, meet the other side.
    pub(super) fn meet(mut self, rows: &[RowId], diffs: &[i64], hashes: &[u64]) -> Met {
        let (mine, theirs) = (self.sides[self.place].borrow(), self.sides[1 - self.place].borrow());
        let mut pairs = Pairs::default();
        let mut met = vec![];
        theirs.probe_rows(&mine, rows, hashes, self.as_of, self.meeting.nulls, |i, row, diff| {
            pairs.at.push(i);
            pairs.mine.push(rows[i as usize]);
            pairs.theirs.push(row);
            pairs.diffs.push(diffs[i as usize] * diff);
            pairs.their_diffs.push(diff);
            if pairs.at.len() >= PAIRS {
                self.flush(&mine, &theirs, &mut pairs, &mut met);
            }
        });
        self.flush(&mine, &theirs, &mut pairs, &mut met);
        Met { matched: self.matched.unwrap_or_default(), met }
    }

    fn flush(&mut self, mine: &Arrangement, theirs: &Arrangement, pairs: &mut Pairs, met: &mut Vec<(RowId, i64)>) {
        if pairs.at.is_empty() {
            return;
        }
        let (sides, place) = (self.sides, self.place);
        let left_width = sides[0].width();
        let column = |c: usize, pairs: &Pairs, at: Option<usize>| {
            let (of, c) = if c < left_width { (0, c) } else { (1, c - left_width) };
            let (arrangement, rows) = if of == place { (mine, &pairs.mine) } else { (theirs, &pairs.theirs) };
            sides[of].column(arrangement, c, at.map_or(rows.as_slice(), |i| &rows[i..=i]))
        };
        if let Some(residual) = &self.meeting.residual {
            let diffs = self.report.then_some(pairs.diffs.as_slice());
            let mask = residual.mask(pairs.at.len(), |c, at| column(c, pairs, at), diffs);
            pairs.retain(&mask);
        }
        if let Some(matched) = &mut self.matched {
            for (i, diff) in pairs.at.iter().zip(&pairs.their_diffs) {
                matched[*i as usize] += diff;
            }
        }
        if self.note {
            met.extend(pairs.theirs.iter().copied().zip(pairs.their_diffs.iter().copied()));
        }
        if self.emit.is_some() && !pairs.at.is_empty() {
            let width = left_width + sides[1].width();
            let output = &self.meeting.output;
            let columns = (0..width).map(|c| output.column(c, pairs.at.len(), |c| column(c, pairs, None))).collect();
            let batch = Batch::new(columns, Some(pairs.diffs.clone()), pairs.at.len());
            if let Some(emit) = &mut self.emit {
                emit(batch);
            }
        }
        pairs.clear();
    }
}

impl Pairs {
    fn retain(&mut self, mask: &BooleanArray) {
        let mut kept = 0;
        for i in 0..self.at.len() {
            if is_true(mask, i) {
                self.at[kept] = self.at[i];
                self.mine[kept] = self.mine[i];
                self.theirs[kept] = self.theirs[i];
                self.diffs[kept] = self.diffs[i];
                self.their_diffs[kept] = self.their_diffs[i];
                kept += 1;
            }
        }
        self.truncate(kept);
    }

    fn truncate(&mut self, len: usize) {
        self.at.truncate(len);
        self.mine.truncate(len);
        self.theirs.truncate(len);
        self.diffs.truncate(len);
        self.their_diffs.truncate(len);
    }

    fn clear(&mut self) {
        self.truncate(0);
    }
}
