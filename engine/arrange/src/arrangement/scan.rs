//! All rows: those that a tick changed, and those that are there as of a tick.

use super::Arrangement;
use crate::RowId;
use crate::delta::{Changes, Delta};
use crate::log::RESTATED;
use crate::store::row_id;

/// Where a scan has come to.
#[derive(Clone, Debug)]
pub struct Cursor {
    as_of: u64,
    segment: usize,
    slot: u32,
    /// Segments that were there when the scan began; later rows are not of its tick.
    segments: usize,
}

impl Cursor {
    /// The tick whose rows are scanned.
    pub fn as_of(&self) -> u64 {
        self.as_of
    }
}

impl Arrangement {
    /// The net changes of a tick, into `out`, which is cleared: each changed row with its diff and the hash of its key.
    ///
    /// # Panics
    /// If the delta's tick is not after `since`: its rows may be gone.
    pub fn changes(&self, delta: &Delta, out: &mut Changes) {
        assert!(delta.tick > self.since, "changes of tick {}, but since is {}", delta.tick, self.since);
        out.clear();
        let as_of = self.as_of(delta.tick);
        let mut hashes = delta.added_hashes.iter();
        for run in &delta.added {
            for (row, hash) in (run.first..run.first + run.len).zip(&mut hashes) {
                let head = self.log.head(row);
                if self.is_alive(row, head, as_of) {
                    out.push(row, self.log.weight(row, head), *hash);
                }
            }
        }
        for (row, hash) in delta.died.iter().zip(&delta.died_hashes) {
            out.push(*row, -self.log.weight(*row, self.log.head(*row)), *hash);
        }
        for restated in &delta.restated {
            let (old, new) = (self.log.head(restated.old), self.log.head(restated.new));
            debug_assert!(new & RESTATED != 0);
            let after = if self.is_alive(restated.new, new, as_of) { self.log.weight(restated.new, new) } else { 0 };
            let diff = after - self.log.weight(restated.old, old);
            if diff != 0 {
                out.push(restated.old, diff, restated.hash);
            }
        }
    }

    /// A scan of all rows as of a tick, for [`scan`](Self::scan). If the arrangement is changed before the scan ends,
    /// [`begin_scan`](Self::begin_scan) is to be used, and a reader must hold `since`.
    pub fn cursor(&self, as_of: u64) -> Cursor {
        assert!(as_of >= self.since, "scan as of tick {as_of}, but since is {}", self.since);
        Cursor { as_of, segment: 0, slot: 0, segments: self.log.store.segments.len() }
    }

    /// A scan over which the arrangement may change. Cleaning waits until as many have ended as have begun.
    pub fn begin_scan(&mut self, as_of: u64) -> Cursor {
        self.scans += 1;
        self.cursor(as_of)
    }

    /// The end of a scan that was begun, finished or not.
    pub fn end_scan(&mut self) {
        debug_assert!(self.scans > 0);
        self.scans -= 1;
    }

    /// Goes on with a scan: looks at about `budget` rows and calls `f` with rows and their diffs, up to a segment of them
    /// at once. Whether there are more.
    ///
    /// # Panics
    /// If the scan's tick cannot be read any more.
    pub fn scan(&self, cursor: &mut Cursor, budget: usize, mut f: impl FnMut(&[RowId], &[i64])) -> bool {
        let as_of = self.as_of(cursor.as_of);
        let (mut rows, mut diffs) = (vec![], vec![]);
        let mut left = budget.max(1);
        while left > 0 && cursor.segment < cursor.segments {
            let segment = &self.log.store.segments[cursor.segment];
            let upper = segment.len.min(cursor.slot.saturating_add(left as u32));
            rows.clear();
            diffs.clear();
            if segment.cut < segment.len {
                for slot in cursor.slot..upper {
                    let row = row_id(cursor.segment, slot as usize);
                    let head = self.log.head(row);
                    if self.is_alive(row, head, as_of) {
                        rows.push(RowId(row));
                        diffs.push(self.log.weight(row, head));
                    }
                }
            }
            if !rows.is_empty() {
                f(&rows, &diffs);
            }
            left -= (upper.saturating_sub(cursor.slot) as usize).min(left);
            cursor.slot = upper;
            if upper >= segment.len {
                cursor.segment += 1;
                cursor.slot = 0;
            }
        }
        cursor.segment < cursor.segments
    }
}
