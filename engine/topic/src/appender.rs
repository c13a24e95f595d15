//! Appending records to a topic: each goes to the partition of its key.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

use crate::batch::{BatchInfo, Encoded, Producer};
use crate::error::TopicError;
use crate::log::Log;
use crate::partitioner::{partition_of_key, partition_without_key};
use crate::records::Records;
use crate::topic::Topic;

/// Appends to one topic; has the memory in which batches are encoded. Every thread has its own.
pub struct Appender {
    topic: Topic,
    logs: Vec<Arc<Log>>,
    /// Per partition: the records that go there.
    chosen: Vec<Vec<u32>>,
    batches: Vec<Encoded>,
    /// Counts batches without a producer.
    n_batches: u64,
}

/// Where the records of one append were put. They are durable after [`Receipt::wait`].
#[derive(Clone)]
#[must_use = "records are not durable before `wait` has returned"]
pub struct Receipt {
    parts: Vec<Part>,
}

#[derive(Clone)]
struct Part {
    log: Arc<Log>,
    partition: u32,
    offsets: Range<u64>,
    repeated: bool,
    era: u64,
}

/// Producers whose batch was refused in a part of its partitions. What they sent later must not get before it, or its
/// repetition would count as known.
#[derive(Debug, Default)]
pub(crate) struct Refused {
    sequences: Mutex<HashMap<u64, u64>>,
}

impl Refused {
    fn check(&self, producer: Producer) -> Result<(), TopicError> {
        let sequences = self.sequences.lock().unwrap_or_else(PoisonError::into_inner);
        match sequences.get(&producer.id) {
            Some(&refused) if producer.sequence > refused => {
                Err(TopicError::OutOfSequence { producer: producer.id, sequence: producer.sequence, refused })
            }
            _ => Ok(()),
        }
    }

    fn note(&self, producer: Producer, was_taken: bool) {
        let mut sequences = self.sequences.lock().unwrap_or_else(PoisonError::into_inner);
        match sequences.entry(producer.id) {
            Entry::Occupied(entry) if was_taken && *entry.get() == producer.sequence => {
                entry.remove();
            }
            Entry::Vacant(entry) if !was_taken => {
                entry.insert(producer.sequence);
            }
            _ => {}
        }
    }
}

impl Appender {
    pub(crate) fn new(topic: Topic) -> Result<Self, TopicError> {
        let n = topic.config().partitions;
        let logs = (0..n).map(|p| topic.partition(p).map(|p| p.log)).collect::<Result<Vec<_>, _>>()?;
        let batches = (0..n).map(|_| Encoded::default()).collect();
        Ok(Appender { topic, logs, chosen: vec![vec![]; n as usize], batches, n_batches: 0 })
    }

    /// The topic.
    pub fn topic(&self) -> &Topic {
        &self.topic
    }

    /// Puts each record at the end of the partition of its key, in their order; those without a key go to one partition,
    /// which is the next one for the next batch. A batch of a producer that is there already is not put there again.
    ///
    /// A batch lies in a partition whole or not at all; over several partitions it may be in some only after an error or
    /// a crash. A producer then sends it again, with the same sequence, before it sends others.
    ///
    /// # Errors
    /// [`TopicError::TooLarge`], [`TopicError::DiskFull`], [`TopicError::OutOfSequence`], [`TopicError::Poisoned`],
    /// [`TopicError::Deleted`], or if the disk fails.
    pub fn append(&mut self, records: &Records, info: BatchInfo) -> Result<Receipt, TopicError> {
        let sequence = info.producer.map_or(self.n_batches, |producer| producer.sequence);
        self.n_batches += 1;
        let n = self.logs.len() as u32;
        self.chosen.iter_mut().for_each(Vec::clear);
        if n > 1 {
            for at in 0..records.len() {
                let key = records.keys.get(at);
                let partition = key.map_or_else(|| partition_without_key(sequence, n), |key| partition_of_key(key, n));
                self.chosen[partition as usize].push(at as u32);
            }
            let partitions = (0..n).filter(|p| !self.chosen[*p as usize].is_empty()).collect::<Vec<_>>();
            return self.put(records, &partitions, info);
        }
        self.append_to(0, records, info)
    }

    /// Puts all records at the end of one partition, whatever their keys.
    ///
    /// # Errors
    /// As [`Appender::append`], and [`TopicError::UnknownPartition`].
    pub fn append_to(&mut self, partition: u32, records: &Records, info: BatchInfo) -> Result<Receipt, TopicError> {
        let partitions = self.logs.len() as u32;
        if partition >= partitions {
            return Err(TopicError::UnknownPartition { partition, partitions });
        }
        let chosen = &mut self.chosen[partition as usize];
        chosen.clear();
        chosen.extend(0..records.len() as u32);
        self.put(records, if records.is_empty() { &[] } else { std::slice::from_ref(&partition) }, info)
    }

    fn put(&mut self, records: &Records, partitions: &[u32], info: BatchInfo) -> Result<Receipt, TopicError> {
        // all are encoded before the first is put, so that a batch that is too large leaves nothing
        for partition in partitions.iter().map(|p| *p as usize) {
            let (log, chosen) = (&self.logs[partition], self.chosen[partition].iter().map(|n| *n as usize));
            let bytes_max = log.options().batch_bytes_max;
            let encoded = self.batches[partition].encode(records, chosen, info, log.salt(), bytes_max);
            encoded.map_err(|bytes| TopicError::TooLarge { bytes, bytes_max })?;
        }
        let refused = self.topic.refused();
        info.producer.map_or(Ok(()), |producer| refused.check(producer))?;
        let mut parts = Vec::with_capacity(partitions.len());
        for partition in partitions {
            let log = &self.logs[*partition as usize];
            match log.append(&mut self.batches[*partition as usize]) {
                Ok(put) => parts.push(Part {
                    log: Arc::clone(log),
                    partition: *partition,
                    offsets: put.base_offset..put.next_offset,
                    repeated: put.repeated,
                    era: put.era,
                }),
                Err(error) => {
                    info.producer.into_iter().for_each(|producer| refused.note(producer, false));
                    return Err(error);
                }
            }
        }
        info.producer.into_iter().for_each(|producer| refused.note(producer, true));
        Ok(Receipt { parts })
    }
}

impl Receipt {
    /// Waits until all of it is durable. Of all who wait for a partition at the same time, one syncs for all.
    ///
    /// # Errors
    /// [`TopicError::Poisoned`] if a sync failed: whether it is there shows after the partition was reopened.
    pub fn wait(&self) -> Result<(), TopicError> {
        self.parts.iter().try_for_each(|part| part.log.wait(part.offsets.end, part.era))
    }

    /// Partition and offsets of each part. A repeated batch has those of the producer's last batch there.
    pub fn parts(&self) -> impl ExactSizeIterator<Item = (u32, Range<u64>)> + '_ {
        self.parts.iter().map(|part| (part.partition, part.offsets.clone()))
    }

    /// Whether the producer had sent it before, to every partition that it goes to.
    pub fn is_repeated(&self) -> bool {
        !self.parts.is_empty() && self.parts.iter().all(|part| part.repeated)
    }
}

impl std::fmt::Debug for Appender {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Appender").field("topic", &self.topic).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Receipt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_list().entries(self.parts()).finish()
    }
}
