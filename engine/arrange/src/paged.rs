//! A vector that grows a page at a time.
//!
//! A plain vector of a million entries copies them all when it grows, in the middle of a tick. This one copies a page at
//! most: the first page grows and shrinks like a vector, later ones are allocated whole and given back.

/// Entries of a page: 16 KB of `u32`s, copied or allocated in about a microsecond.
const PAGE: usize = 4096;

/// See the module.
#[derive(Clone, Debug)]
pub(crate) struct Paged<T> {
    pages: Vec<Vec<T>>,
    len: usize,
}

impl<T: Copy> Paged<T> {
    pub(crate) fn new() -> Self {
        Paged { pages: vec![], len: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    #[inline]
    pub(crate) fn get(&self, at: usize) -> T {
        self.pages[at / PAGE][at % PAGE]
    }

    #[inline]
    pub(crate) fn get_mut(&mut self, at: usize) -> &mut T {
        &mut self.pages[at / PAGE][at % PAGE]
    }

    pub(crate) fn push(&mut self, entry: T) {
        let page = self.len / PAGE;
        if page == self.pages.len() {
            self.pages.push(Vec::with_capacity(if page == 0 { 0 } else { PAGE }));
        }
        self.pages[page].push(entry);
        self.len += 1;
    }

    pub(crate) fn pop(&mut self) -> Option<T> {
        self.len = self.len.checked_sub(1)?;
        let pages = self.pages.len();
        let last = self.pages.last_mut()?;
        let entry = last.pop();
        if last.is_empty() && pages > 1 {
            self.pages.pop();
        } else if pages == 1 && last.len() < last.capacity() / 4 {
            last.shrink_to(last.capacity() / 2);
        }
        entry
    }

    /// Takes the entry at `at` and puts the last one in its place.
    pub(crate) fn swap_remove(&mut self, at: usize) -> T {
        let entry = self.get(at);
        if let Some(last) = self.pop()
            && at < self.len
        {
            *self.get_mut(at) = last;
        }
        entry
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = T> + '_ {
        self.pages.iter().flatten().copied()
    }

    pub(crate) fn memory_bytes(&self) -> usize {
        self.pages.capacity() * size_of::<Vec<T>>()
            + self.pages.iter().map(|p| p.capacity() * size_of::<T>()).sum::<usize>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_entries_over_pages() {
        let mut paged = Paged::new();
        for i in 0..3 * PAGE as u32 {
            paged.push(i);
        }
        assert_eq!(paged.get(PAGE), PAGE as u32);
        assert_eq!(paged.swap_remove(5), 5);
        assert_eq!(paged.get(5), 3 * PAGE as u32 - 1);
        *paged.get_mut(7) = 1;
        assert_eq!(paged.iter().nth(7), Some(1));
        let mut n = paged.len();
        while paged.pop().is_some() {
            n -= 1;
        }
        assert_eq!((n, paged.len(), paged.pop()), (0, 0, None));
        paged.push(9);
        assert_eq!(paged.swap_remove(0), 9);
    }
}
