//! Keys with many rows.
//!
//! A chain of thousands of rows is slow to walk, a miss at a time, and slow to search for the row that a removal means.
//! So the rows of such a key lie in a list, which is read ahead, and as soon as removals need it, or before the list
//! gets long, they are indexed by the whole row. Equal rows are linked behind one entry of that index: a key may well
//! have a million equal rows.
//!
//! ```text
//! row of a hot key    next = its place in the list, prev = the list; the key index holds the row at place 0
//! list                rows by place; once indexed, links between the live equal rows by place
//! whole-row index     hash of the row → first of the live rows that equal it
//! ```
//! # Contract
//! Every row of a hot key, dead ones included, is in its list until it is unlinked. Links and the whole-row index hold
//! live rows only. Only this module touches links of rows flagged HOT.

use crate::index::{Index, NIL};
use crate::log::{HOT, Log};
use crate::paged::Paged;

/// A list gets its whole-row index at this length even without a removal: later, making it would stall a tick.
const INDEX_ROWS: usize = 4096;

/// A list that has become this short is a chain again: a key that was hot once must not cost a list for ever. Far enough
/// below the length at which chains become lists that a key does not swing.
const COOL_ROWS: usize = 16;

/// Places of the neighbours among live equal rows.
#[derive(Clone, Copy, Debug)]
struct Equal {
    next: u32,
    prev: u32,
}

const ALONE: Equal = Equal { next: NIL, prev: NIL };

struct List {
    rows: Paged<u32>,
    /// By place, once the list is indexed.
    equal: Option<Paged<Equal>>,
}

/// All lists of an arrangement.
pub(crate) struct Hot {
    lists: Vec<List>,
    free: Vec<u32>,
    index: Index,
}

impl Hot {
    pub(crate) fn new() -> Self {
        Hot { lists: vec![], free: vec![], index: Index::new() }
    }

    /// A list of these rows, which are alive or dead and not cut. The row at place 0, for the key index.
    pub(crate) fn make(&mut self, log: &mut Log, rows: &[u32]) -> u32 {
        let list = self.free.pop().unwrap_or_else(|| {
            self.lists.push(List { rows: Paged::new(), equal: None });
            self.lists.len() as u32 - 1
        });
        for row in rows {
            self.push(log, list, *row, 0);
        }
        rows[0]
    }

    /// Adds a live row, with its hash, to the list of `head`, a row of its key.
    pub(crate) fn add(&mut self, log: &mut Log, head: u32, row: u32, row_hash: u64) {
        let list = list_of(log, head);
        self.push(log, list, row, row_hash);
        let list = &mut self.lists[list as usize];
        if list.equal.is_none() && list.rows.len() >= INDEX_ROWS && !log.is_append_only() {
            list.make_index(log, &mut self.index);
        }
    }

    fn push(&mut self, log: &mut Log, number: u32, row: u32, row_hash: u64) {
        let list = &mut self.lists[number as usize];
        let place = list.rows.len() as u32;
        if log.is_append_only() {
            log.set_next(row, number);
        } else {
            log.set_next(row, place);
            log.set_prev(row, number);
        }
        log.set_flags(row, HOT);
        list.rows.push(row);
        if list.equal.is_some() {
            list.push_equal(log, &mut self.index, row, place, row_hash);
        }
    }

    /// Fetches what [`find`](Self::find) will read.
    #[inline]
    pub(crate) fn prefetch(&self, row_hash: u64) {
        self.index.prefetch(row_hash);
    }

    /// A live row of the list of `head` for which `eq` holds; all such rows are equal.
    pub(crate) fn find(&mut self, log: &Log, head: u32, row_hash: u64, eq: impl FnMut(u32) -> bool) -> Option<u32> {
        let list = &mut self.lists[list_of(log, head) as usize];
        if list.equal.is_none() {
            list.make_index(log, &mut self.index);
        }
        self.index.find(row_hash, eq).map(|(_, row)| row)
    }

    /// A row dies: it is found no more.
    pub(crate) fn died(&mut self, log: &Log, row: u32) {
        let list = &mut self.lists[list_of(log, row) as usize];
        if list.equal.is_some() {
            list.detach(log, &mut self.index, row);
        }
    }

    /// Takes a dead row out of its list. The row that is now at place 0 if that has changed, [`NIL`] if none is left.
    pub(crate) fn unlink(&mut self, log: &mut Log, row: u32) -> Option<u32> {
        let (place, number) = (log.next(row), list_of(log, row));
        let list = &mut self.lists[number as usize];
        debug_assert_eq!(list.rows.get(place as usize), row);
        list.rows.swap_remove(place as usize);
        let moved = (list.rows.len() > place as usize).then(|| list.rows.get(place as usize));
        if let Some(moved) = moved {
            log.set_next(moved, place);
        }
        if let Some(equal) = &mut list.equal {
            equal.swap_remove(place as usize);
            if moved.is_some() {
                let Equal { next, prev } = equal.get(place as usize);
                if next != NIL {
                    equal.get_mut(next as usize).prev = place;
                }
                if prev != NIL {
                    equal.get_mut(prev as usize).next = place;
                }
            }
        }
        if list.rows.len() <= COOL_ROWS {
            self.cool(log, number);
        }
        (place == 0).then_some(moved.unwrap_or(NIL))
    }

    /// A short list becomes a chain, in its own order: the key index holds its first row already.
    fn cool(&mut self, log: &mut Log, number: u32) {
        let list = std::mem::replace(&mut self.lists[number as usize], List { rows: Paged::new(), equal: None });
        self.free.push(number);
        let rows: Vec<u32> = list.rows.iter().collect();
        for (place, row) in rows.iter().enumerate() {
            if list.equal.is_some()
                && let Some((slot, _)) = self.index.find(log.store.row_hash(*row), |x| x == *row)
            {
                self.index.remove(slot);
            }
            log.clear_flags(*row, HOT);
            log.set_prev(*row, if place == 0 { NIL } else { rows[place - 1] });
            log.set_next(*row, rows.get(place + 1).copied().unwrap_or(NIL));
            log.set_chain_len(*row, (rows.len() - place) as u64);
        }
    }

    /// A row is at another id now. Whether it was the one at place 0.
    pub(crate) fn moved(&mut self, log: &Log, row: u32, new: u32) -> bool {
        let place = log.next(new);
        let list = &mut self.lists[list_of(log, new) as usize];
        *list.rows.get_mut(place as usize) = new;
        if let Some(equal) = &list.equal
            && equal.get(place as usize).prev == NIL
            && let Some((slot, _)) = self.index.find(log.store.row_hash(new), |x| x == row)
        {
            self.index.set(slot, new);
        }
        place == 0
    }

    /// The rows of the list of `head`, dead ones included.
    pub(crate) fn rows(&self, log: &Log, head: u32) -> &Paged<u32> {
        &self.lists[list_of(log, head) as usize].rows
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        let lists = self.lists.iter().map(|list| {
            list.rows.memory_bytes() + list.equal.as_ref().map_or(0, Paged::memory_bytes) + size_of::<List>()
        });
        lists.sum::<usize>() + self.index.memory_bytes() + self.free.capacity() * 4
    }
}

/// The list of a hot row. In an append-only log no place is asked for, and the one link is the list.
#[inline]
fn list_of(log: &Log, row: u32) -> u32 {
    if log.is_append_only() { log.next(row) } else { log.prev(row) }
}

impl List {
    fn make_index(&mut self, log: &Log, index: &mut Index) {
        self.equal = Some(Paged::new());
        for place in 0..self.rows.len() as u32 {
            let row = self.rows.get(place as usize);
            if log.head(row) & crate::log::DEAD != 0 {
                if let Some(equal) = &mut self.equal {
                    equal.push(ALONE);
                }
            } else {
                self.push_equal(log, index, row, place, log.store.row_hash(row));
            }
        }
    }

    /// Links a live row, at the end of the list, before the rows that equal it.
    fn push_equal(&mut self, log: &Log, index: &mut Index, row: u32, place: u32, row_hash: u64) {
        let Some(equal) = &mut self.equal else { return };
        let mut links = ALONE;
        match index.find(row_hash, |x| log.store.rows_eq(x, row)) {
            None => index.insert(row_hash, row),
            Some((slot, first)) => {
                links.next = log.next(first);
                equal.get_mut(links.next as usize).prev = place;
                index.set(slot, row);
            }
        }
        equal.push(links);
    }

    fn detach(&mut self, log: &Log, index: &mut Index, row: u32) {
        let Some(equal) = &mut self.equal else { return };
        let links = std::mem::replace(equal.get_mut(log.next(row) as usize), ALONE);
        if links.next != NIL {
            equal.get_mut(links.next as usize).prev = links.prev;
        }
        if links.prev != NIL {
            equal.get_mut(links.prev as usize).next = links.next;
        } else if let Some((slot, _)) = index.find(log.store.row_hash(row), |x| x == row) {
            match links.next {
                NIL => index.remove(slot),
                next => index.set(slot, self.rows.get(next as usize)),
            }
        }
    }
}
