//! What a log remembers of its batches without reading them again: its last tick, and how far each producer got.
//!
//! Both are functions of the batches alone, in order, so that recovery comes to what the running log had.

use std::collections::BTreeMap;

use crate::batch::{Header, Producer};

/// The last tick of a partition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastTick {
    /// Which.
    pub tick: u64,
    /// How many of its records are there. A crash may have left only the first ones.
    pub records: u64,
}

/// The last batch of a producer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LastBatch {
    pub(crate) sequence: u64,
    pub(crate) base_offset: u64,
    pub(crate) next_offset: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct History {
    pub(crate) last_tick: Option<LastTick>,
    pub(crate) producers: BTreeMap<u64, LastBatch>,
}

impl History {
    /// The batch that repeats this one, if it is there already: a producer's sequences only grow.
    pub(crate) fn repeated(&self, producer: Producer) -> Option<LastBatch> {
        self.producers.get(&producer.id).copied().filter(|last| producer.sequence <= last.sequence)
    }

    pub(crate) fn note(&mut self, header: &Header, producers_max: usize) {
        if header.info.tick > 0 {
            let before = self.last_tick.filter(|last| last.tick == header.info.tick).map_or(0, |last| last.records);
            let records = before + u64::from(header.records);
            self.last_tick = Some(LastTick { tick: header.info.tick, records });
        }
        if let Some(Producer { id, sequence }) = header.info.producer {
            let (base_offset, next_offset) = (header.base_offset, header.next_offset());
            self.producers.insert(id, LastBatch { sequence, base_offset, next_offset });
            if self.producers.len() > producers_max * 2 {
                self.forget(producers_max);
            }
        }
    }

    /// Forgets all but the `keep` producers that wrote last.
    fn forget(&mut self, keep: usize) {
        let mut ends: Vec<u64> = self.producers.values().map(|last| last.next_offset).collect();
        ends.sort_unstable();
        let oldest = ends[ends.len() - keep];
        self.producers.retain(|_, last| last.next_offset >= oldest);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_producers_that_wrote_last_are_remembered() {
        let mut history = History::default();
        let last = |at| LastBatch { sequence: 5, base_offset: at, next_offset: at + 1 };
        history.producers.extend((1..=9).map(|id| (id, last(100 - id))));
        history.forget(3);
        assert_eq!(history.producers.keys().copied().collect::<Vec<_>>(), [1, 2, 3]);
        assert_eq!(history.repeated(Producer { id: 1, sequence: 5 }), Some(last(99)));
        assert_eq!(history.repeated(Producer { id: 1, sequence: 6 }), None);
        assert_eq!(history.repeated(Producer { id: 9, sequence: 5 }), None);
    }
}
