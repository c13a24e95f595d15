//! A vector indexed by group id that never moves what it holds once it is large.
//!
//! Accumulators are read and written at random by group id. A plain vector of a million entries would copy them all when
//! it grows, in the middle of a tick; this one adds a page.

use std::ops::{Index, IndexMut};

/// Entries of a page but the first, which grows by doubling so that few groups take little.
const PAGE: usize = 1 << PAGE_BITS;
const PAGE_BITS: usize = 12;
/// Entries of the smallest first page.
const PAGE_MIN: usize = 16;

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct ByGroup<T> {
    pages: Vec<Vec<T>>,
}

impl<T: Clone + Default> ByGroup<T> {
    pub(crate) fn new() -> Self {
        ByGroup { pages: vec![] }
    }

    /// Room for groups below `groups`; new entries are the default.
    pub(crate) fn grow(&mut self, groups: usize) {
        if groups == 0 {
            return;
        }
        if self.pages.is_empty() {
            self.pages.push(vec![]);
        }
        let first = groups.min(PAGE).next_power_of_two().max(PAGE_MIN);
        if self.pages[0].len() < first {
            let more = first - self.pages[0].len();
            self.pages[0].reserve_exact(more);
            self.pages[0].resize(first, T::default());
        }
        while self.pages.len() * PAGE < groups {
            self.pages.push(vec![T::default(); PAGE]);
        }
    }

    /// Entries that there is room for.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.pages.iter().map(Vec::len).sum()
    }

    /// Bytes of memory, without what entries point to.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.pages.capacity() * size_of::<Vec<T>>()
            + self.pages.iter().map(|p| p.capacity() * size_of::<T>()).sum::<usize>()
    }

    /// All entries.
    #[cfg(test)]
    pub(crate) fn iter(&self) -> impl Iterator<Item = &T> {
        self.pages.iter().flatten()
    }
}

impl<T> Index<usize> for ByGroup<T> {
    type Output = T;
    #[inline]
    fn index(&self, group: usize) -> &T {
        &self.pages[group >> PAGE_BITS][group & (PAGE - 1)]
    }
}

impl<T> IndexMut<usize> for ByGroup<T> {
    #[inline]
    fn index_mut(&mut self, group: usize) -> &mut T {
        &mut self.pages[group >> PAGE_BITS][group & (PAGE - 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_what_it_holds_while_it_grows() {
        let mut entries: ByGroup<u64> = ByGroup::new();
        let mut groups = 1;
        while groups < 3 * PAGE {
            entries.grow(groups);
            entries[groups - 1] = groups as u64;
            groups += groups / 2 + 1;
        }
        assert!(entries.len() >= groups / 2);
        assert_eq!(entries[0], 1);
        let sum: u64 = entries.iter().sum();
        let (mut want, mut groups) = (0, 1);
        while groups < 3 * PAGE {
            want += groups as u64;
            groups += groups / 2 + 1;
        }
        assert_eq!(sum, want);
    }

    #[test]
    fn few_groups_take_little() {
        let mut entries: ByGroup<u64> = ByGroup::new();
        entries.grow(3);
        assert!(entries.memory_bytes() < 1024, "{}", entries.memory_bytes());
    }
}
