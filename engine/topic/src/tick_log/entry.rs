//! What the tick log says of a tick, and its bytes.
//!
//! Little endian: first tick, tick, wall clock (`u64` each); bindings and statements (`u32` each); per binding source
//! (`u64`), partition (`u32`), next offset (`u64`, all ones if the source is gone); per statement bytes (`u32`) and text.

use std::collections::BTreeMap;

/// A partition of a source, by the numbers that the catalog gave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourcePartition {
    /// Which source.
    pub source: u64,
    /// Which partition of it.
    pub partition: u32,
}

/// How far a source was taken in by the end of a tick.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Of what.
    pub of: SourcePartition,
    /// The offset that the next tick begins with; `None`: the source is gone.
    pub next_offset: Option<u64>,
}

/// A tick, or several that were merged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TickEntry {
    /// The first tick that it stands for: `tick`, if it was not merged.
    pub first_tick: u64,
    /// The last tick that it stands for.
    pub tick: u64,
    /// The wall clock of the last tick, epoch ms: its `now()`.
    pub wall_ms: i64,
    /// The sources that moved.
    pub bindings: Vec<Binding>,
    /// Statements that take effect before the rows of the first tick, in order.
    pub ddl: Vec<String>,
}

const GONE: u64 = u64::MAX;

impl TickEntry {
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        for word in [self.first_tick, self.tick, self.wall_ms as u64] {
            out.extend_from_slice(&word.to_le_bytes());
        }
        // a batch is smaller than 4 GiB
        out.extend_from_slice(&(self.bindings.len() as u32).to_le_bytes());
        out.extend_from_slice(&(self.ddl.len() as u32).to_le_bytes());
        for Binding { of, next_offset } in &self.bindings {
            out.extend_from_slice(&of.source.to_le_bytes());
            out.extend_from_slice(&of.partition.to_le_bytes());
            out.extend_from_slice(&next_offset.unwrap_or(GONE).to_le_bytes());
        }
        for text in &self.ddl {
            out.extend_from_slice(&(text.len() as u32).to_le_bytes());
            out.extend_from_slice(text.as_bytes());
        }
    }

    /// `None` if the bytes are not an entry.
    pub(super) fn decode(bytes: &[u8]) -> Option<TickEntry> {
        let mut rest = Rest(bytes);
        let (first_tick, tick, wall_ms) = (rest.u64()?, rest.u64()?, rest.u64()? as i64);
        let (n_bindings, n_ddl) = (rest.u32()?, rest.u32()?);
        let mut bindings = vec![];
        for _ in 0..n_bindings {
            let of = SourcePartition { source: rest.u64()?, partition: rest.u32()? };
            bindings.push(Binding { of, next_offset: Some(rest.u64()?).filter(|next| *next != GONE) });
        }
        let mut ddl = vec![];
        for _ in 0..n_ddl {
            let bytes = rest.u32()? as usize;
            ddl.push(String::from_utf8(rest.take(bytes)?.to_vec()).ok()?);
        }
        rest.0.is_empty().then_some(TickEntry { first_tick, tick, wall_ms, bindings, ddl })
    }

    /// Takes the entry of the next ticks in, if those bring no statements; gives it back otherwise.
    pub(super) fn absorb(&mut self, next: TickEntry) -> Option<TickEntry> {
        if !next.ddl.is_empty() {
            return Some(next);
        }
        let mut bindings: BTreeMap<SourcePartition, Option<u64>> = BTreeMap::new();
        bindings.extend(self.bindings.iter().chain(&next.bindings).map(|b| (b.of, b.next_offset)));
        self.bindings = bindings.into_iter().map(|(of, next_offset)| Binding { of, next_offset }).collect();
        (self.tick, self.wall_ms) = (next.tick, next.wall_ms);
        None
    }
}

struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(taken)
    }
    fn u32(&mut self) -> Option<u32> {
        Some(u32::from_le_bytes(self.take(4)?.try_into().ok()?))
    }
    fn u64(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(8)?.try_into().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_comes_back_whole_or_not_at_all() {
        let of = |source| SourcePartition { source, partition: 2 };
        let entry = TickEntry {
            first_tick: 3,
            tick: 9,
            wall_ms: -1,
            bindings: vec![Binding { of: of(1), next_offset: Some(7) }, Binding { of: of(2), next_offset: None }],
            ddl: vec!["CREATE STREAM é".to_owned(), String::new()],
        };
        let mut bytes = vec![];
        entry.encode(&mut bytes);
        assert_eq!(TickEntry::decode(&bytes).as_ref(), Some(&entry));
        assert!((0..bytes.len()).all(|n| TickEntry::decode(&bytes[..n]).is_none()));
    }
}
