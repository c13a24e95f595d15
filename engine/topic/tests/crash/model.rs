//! What must be in a partition and in the tick log.

use std::collections::BTreeMap;

use millrace_topic::{Binding, Partition, SourcePartition, TickEntry, TickLog, TopicError};

/// Everything that was put in a partition, by offset.
#[derive(Default)]
pub(crate) struct PartitionModel {
    values: Vec<String>,
    /// The offsets at which batches end.
    ends: Vec<u64>,
    acknowledged: u64,
    /// Where the log must begin, at least and at most.
    pub(crate) start_min: u64,
    pub(crate) start_max: u64,
}

impl PartitionModel {
    pub(crate) fn next_offset(&self) -> u64 {
        self.values.len() as u64
    }
    pub(crate) fn acknowledged(&self) -> u64 {
        self.acknowledged
    }
    pub(crate) fn put(&mut self, values: &[String]) {
        self.values.extend_from_slice(values);
        self.ends.push(self.next_offset());
    }
    pub(crate) fn has(&self, values: &[String]) -> bool {
        self.values.windows(values.len()).any(|window| window == values)
    }
    pub(crate) fn acknowledge(&mut self, offset: u64) {
        self.acknowledged = self.acknowledged.max(offset);
    }

    /// What is readable is a part of what was put, in its place, up to the end of a batch, with all that was
    /// acknowledged.
    pub(crate) fn compare(&self, partition: &Partition) -> Result<(), TopicError> {
        let (start, end) = (partition.start_offset(), partition.end_offset());
        assert!((self.start_min..=self.start_max).contains(&start), "the start is {start}");
        assert!(end >= self.acknowledged, "{end} of {} acknowledged records are there", self.acknowledged);
        assert!(end == 0 || self.ends.contains(&end), "the end {end} is in the middle of a batch");
        let (mut reader, mut next) = (partition.reader(start)?, start);
        while let Some(batch) = reader.next_batch()? {
            for record in batch.records() {
                assert_eq!(record.offset, next);
                let value = record.value.map(String::from_utf8_lossy);
                assert_eq!(value.as_deref(), Some(self.values[next as usize].as_str()), "offset {next}");
                next += 1;
            }
        }
        assert_eq!(next, end, "the reader came to the end");
        Ok(())
    }

    /// After a restart: what is there now is there for good.
    pub(crate) fn check(&mut self, partition: &Partition) -> Result<(), TopicError> {
        self.compare(partition)?;
        let end = partition.end_offset();
        assert_eq!(partition.next_offset(), end);
        self.values.truncate(end as usize);
        self.ends.retain(|at| *at <= end);
        self.acknowledged = end;
        self.start_min = partition.start_offset();
        self.start_max = self.start_min;
        Ok(())
    }
}

/// Every tick that was appended, each on its own.
#[derive(Default)]
pub(crate) struct TickModel {
    ticks: Vec<TickEntry>,
    acknowledged: u64,
}

impl TickModel {
    pub(crate) fn append(&mut self, log: &TickLog, wall_ms: i64, ddl: bool, moved: u32) -> Result<(), TopicError> {
        let tick = log.last_tick().unwrap_or(0) + 1 + u64::from(moved);
        let binding = |partition| Binding {
            of: SourcePartition { source: tick % 3, partition },
            next_offset: (!tick.is_multiple_of(7)).then_some(tick * 10),
        };
        let ddl = if ddl { vec![format!("CREATE STREAM S{tick}"), "SET 'x' = '1'".to_owned()] } else { vec![] };
        let entry = TickEntry { first_tick: tick, tick, wall_ms, bindings: (0..moved).map(binding).collect(), ddl };
        self.ticks.push(entry.clone());
        let receipt = log.append(&entry)?;
        assert!(matches!(log.append(&entry), Err(TopicError::TickRepeats { .. })));
        receipt.wait()?;
        self.acknowledged = tick;
        Ok(())
    }

    pub(crate) fn merge(&self, log: &TickLog, back: u64) -> Result<(), TopicError> {
        log.merge_below(self.acknowledged.saturating_sub(back))?;
        self.compare(log)
    }

    fn compare(&self, log: &TickLog) -> Result<(), TopicError> {
        let mut reader = log.read_from(0)?;
        let mut single = self.ticks.iter().peekable();
        let mut last = 0;
        while let Some(entry) = reader.next_entry()? {
            assert!(entry.first_tick > last, "tick {} comes after {last}", entry.first_tick);
            let mut bindings = BTreeMap::new();
            let mut wall_ms = 0;
            while let Some(tick) = single.next_if(|tick| tick.tick <= entry.tick) {
                let is_first = tick.tick == entry.first_tick;
                assert!(if is_first { tick.ddl == entry.ddl } else { tick.ddl.is_empty() }, "{tick:?} in {entry:?}");
                bindings.extend(tick.bindings.iter().map(|b| (b.of, b.next_offset)));
                (last, wall_ms) = (tick.tick, tick.wall_ms);
            }
            let found: BTreeMap<_, _> = entry.bindings.iter().map(|b| (b.of, b.next_offset)).collect();
            assert_eq!((last, wall_ms, &found), (entry.tick, entry.wall_ms, &bindings));
        }
        assert!(last >= self.acknowledged, "tick {last} is the last, {} was acknowledged", self.acknowledged);
        let mut bindings = BTreeMap::new();
        for tick in self.ticks.iter().filter(|tick| tick.tick < self.acknowledged) {
            bindings.extend(tick.bindings.iter().map(|b| (b.of, b.next_offset)));
        }
        bindings.retain(|_, next| next.is_some());
        let found: BTreeMap<_, _> =
            log.bindings_before(self.acknowledged)?.into_iter().map(|(of, next)| (of, Some(next))).collect();
        // a merged entry may hold the tick itself
        let is_single = self.entry_of(log, self.acknowledged)?.is_none_or(|entry| entry.first_tick == entry.tick);
        assert!(!is_single || found == bindings, "{found:?} instead of {bindings:?}");
        Ok(())
    }

    fn entry_of(&self, log: &TickLog, tick: u64) -> Result<Option<TickEntry>, TopicError> {
        let entry = log.read_from(tick)?.next_entry()?;
        assert!(entry.as_ref().is_none_or(|entry| entry.tick >= tick));
        Ok(entry)
    }

    /// After a restart: the ticks that are there now are there for good.
    pub(crate) fn check(&mut self, log: &TickLog) -> Result<(), TopicError> {
        self.compare(log)?;
        let last = log.last_tick().unwrap_or(0);
        self.ticks.retain(|tick| tick.tick <= last);
        self.acknowledged = last;
        Ok(())
    }
}
