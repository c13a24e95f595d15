//! A machine that writes topics and ticks, loses its power and goes on; and what it knows to be acknowledged.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use millrace_topic::{
    Appender, BatchInfo, FAIL_POINTS, LogOptions, Producer, Receipt, Records, TickLog, TopicConfig, TopicError, Topics,
};
use millrace_world::simulated::MemoryFiles;
use millrace_world::{Entropy, SeededEntropy, SimulatedWorld};

use crate::model::{PartitionModel, TickModel};

const OPTIONS: LogOptions =
    LogOptions { segment_bytes: 1_500, index_bytes: 300, batch_bytes_max: 4_096, read_bytes: 512, producers_max: 8 };
pub(crate) const PARTITIONS: u32 = 2;
const PRODUCER: u64 = 77;

pub(crate) struct Life {
    draw: SeededEntropy,
    world: SimulatedWorld,
    partitions: Vec<PartitionModel>,
    ticks: TickModel,
    /// What was sent by the producer and not acknowledged, in order: sequence and batch.
    to_repeat: Vec<(u64, Sent)>,
    sequence: u64,
    /// Whether the other topic was last created (`true`) or deleted with success; `None`: one of both is under way.
    other: Option<bool>,
    n_records: u64,
}

/// A batch for one partition.
#[derive(Clone)]
struct Sent {
    partition: u32,
    values: Vec<String>,
}

/// What is open between two crashes.
struct Running {
    topics: Topics,
    appender: Appender,
    tick_log: TickLog,
    outstanding: Vec<(u32, u64, Receipt)>,
}

impl Life {
    pub(crate) fn new(seed: u64) -> Self {
        let world = SimulatedWorld::new(seed);
        let topics = Topics::open(world.world(), Path::new("/data/topics"), OPTIONS).unwrap();
        topics.create("t", TopicConfig { partitions: PARTITIONS, ..TopicConfig::default() }).unwrap();
        Life {
            draw: SeededEntropy::new(seed ^ 0x5eed),
            world,
            partitions: (0..PARTITIONS).map(|_| PartitionModel::default()).collect(),
            ticks: TickModel::default(),
            to_repeat: vec![],
            sequence: 0,
            other: Some(false),
            n_records: 0,
        }
    }

    pub(crate) fn points_reached(&self) -> BTreeMap<&'static str, u64> {
        self.world.files().points_reached()
    }

    fn files(&self) -> &Arc<MemoryFiles> {
        self.world.files()
    }

    fn below(&self, n: u64) -> u64 {
        self.draw.random_u64().unwrap() % n
    }

    /// Opens everything, checks it, works until the power fails, and lets it come back; says where it failed.
    pub(crate) fn until_crash(&mut self) -> &'static str {
        let mut place = "changes";
        let mut running = loop {
            // now and then the power fails again before everything is open
            if self.below(4) == 0 {
                place = self.arm(8);
            }
            match self.open() {
                Ok(running) => break running,
                Err(error) => {
                    assert!(self.files().is_down(), "recovery failed: {error}");
                    self.files().restart(self.draw.random_u64().unwrap());
                }
            }
        };
        if !self.files().is_down() {
            self.files().heal();
            place = self.arm(40);
        }
        for _ in 0..120 {
            if let Err(error) = self.step(&mut running)
                && !self.files().is_down()
            {
                panic!("without a fault: {error}");
            }
            if self.files().is_down() {
                break;
            }
        }
        drop(running);
        self.files().restart(self.draw.random_u64().unwrap());
        place
    }

    /// Decides when the power fails next.
    fn arm(&self, changes: u64) -> &'static str {
        if self.below(2) == 0 {
            self.files().go_down_after(self.below(changes));
            return "changes";
        }
        let point = FAIL_POINTS[self.below(FAIL_POINTS.len() as u64) as usize];
        self.files().go_down_at(point, 1 + self.below(3));
        self.files().go_down_after(changes * 3);
        point
    }

    fn open(&mut self) -> Result<Running, TopicError> {
        let world = self.world.world();
        let topics = Topics::open(world, Path::new("/data/topics"), OPTIONS)?;
        let topic = topics.topic("t").expect("a topic that was created");
        let appender = topic.appender()?;
        for (n, model) in self.partitions.iter_mut().enumerate() {
            model.check(&topic.partition(n as u32)?)?;
        }
        let tick_log = TickLog::open(world, Path::new("/data/ticks"), OPTIONS)?;
        self.ticks.check(&tick_log)?;
        let is_there = topics.topic("other").is_ok();
        assert!(self.other.is_none_or(|other| other == is_there), "the other topic is there: {is_there}");
        self.other = Some(is_there);
        let mut running = Running { topics, appender, tick_log, outstanding: vec![] };
        self.repeat(&mut running)?;
        Ok(running)
    }

    /// The producer sends again what it got no answer for, before anything else.
    fn repeat(&mut self, running: &mut Running) -> Result<(), TopicError> {
        for (sequence, sent) in self.to_repeat.clone() {
            self.send(running, &sent, Some(sequence))?;
        }
        self.wait(running)
    }

    fn step(&mut self, running: &mut Running) -> Result<(), TopicError> {
        match self.below(38) {
            0..16 => {
                let sent = self.draw_batch();
                let sequence = (self.below(2) == 0).then(|| {
                    self.sequence += 1 + self.below(3);
                    self.to_repeat.push((self.sequence, sent.clone()));
                    self.sequence
                });
                self.send(running, &sent, sequence)
            }
            16..23 => self.wait(running),
            23..28 => self.tick(running),
            28 => self.ticks.merge(&running.tick_log, self.below(4)),
            29..31 => self.retain(running),
            31..33 => self.other_topic(running),
            33..35 => self.full_disk(running),
            35..37 => self.failed_sync(running),
            _ => self.check(running),
        }
    }

    fn draw_batch(&mut self) -> Sent {
        let partition = self.below(u64::from(PARTITIONS)) as u32;
        let values = (0..1 + self.below(4)).map(|_| {
            self.n_records += 1;
            format!("{}:{}", self.n_records, "x".repeat(self.below(120) as usize))
        });
        Sent { partition, values: values.collect() }
    }

    fn send(&mut self, running: &mut Running, sent: &Sent, sequence: Option<u64>) -> Result<(), TopicError> {
        let mut records = Records::new();
        sent.values.iter().for_each(|v| records.push(1_000, None, Some(v.as_bytes())));
        let info = BatchInfo { tick: 0, producer: sequence.map(|sequence| Producer { id: PRODUCER, sequence }) };
        let model = &mut self.partitions[sent.partition as usize];
        match running.appender.append_to(sent.partition, &records, info) {
            Ok(receipt) => {
                let (_, offsets) = receipt.parts().next().unwrap();
                if !receipt.is_repeated() {
                    assert_eq!(offsets.start, model.next_offset(), "a batch is put at the end");
                    model.put(&sent.values);
                } else {
                    // the partition may have later ones of the producer: that it is there is what counts
                    assert!(model.has(&sent.values), "a batch that is said to be there is not");
                }
                running.outstanding.push((sent.partition, sequence.unwrap_or(0), receipt));
                Ok(())
            }
            Err(error) => {
                // the power failed on the way: it may be there
                model.put(&sent.values);
                Err(error)
            }
        }
    }

    fn wait(&mut self, running: &mut Running) -> Result<(), TopicError> {
        for (partition, sequence, receipt) in std::mem::take(&mut running.outstanding) {
            receipt.wait()?;
            let (_, offsets) = receipt.parts().next().unwrap();
            self.partitions[partition as usize].acknowledge(offsets.end);
            self.to_repeat.retain(|(of, _)| *of != sequence);
        }
        Ok(())
    }

    fn tick(&mut self, running: &mut Running) -> Result<(), TopicError> {
        let (ddl, moved) = (self.below(5) == 0, self.below(3) as u32);
        let wall_ms = self.world.world().clock().wall_ms();
        self.world.clock().advance(std::time::Duration::from_millis(7));
        self.ticks.append(&running.tick_log, wall_ms, ddl, moved)
    }

    /// Deletes a first part of a partition.
    fn retain(&mut self, running: &mut Running) -> Result<(), TopicError> {
        let n = self.below(u64::from(PARTITIONS)) as usize;
        let model = &mut self.partitions[n];
        let to = model.start_max + (model.acknowledged() - model.start_max) / 2;
        model.start_max = to;
        running.topics.topic("t")?.partition(n as u32)?.delete_before(to)?;
        model.start_min = to;
        Ok(())
    }

    fn other_topic(&mut self, running: &mut Running) -> Result<(), TopicError> {
        let is_there = self.other.take();
        if is_there == Some(true) {
            running.topics.delete("other")?;
        } else {
            running.topics.create("other", TopicConfig::default())?;
        }
        self.other = is_there.map(|is_there| !is_there);
        Ok(())
    }

    /// Appends are refused while the disk is full, and nothing else happens.
    fn full_disk(&mut self, running: &mut Running) -> Result<(), TopicError> {
        self.files().set_disk_bytes_max(Some(0));
        let sent = self.draw_batch();
        let mut records = Records::new();
        sent.values.iter().for_each(|v| records.push(1_000, None, Some(v.as_bytes())));
        let result = running.appender.append_to(sent.partition, &records, BatchInfo::default());
        self.files().set_disk_bytes_max(None);
        match result {
            Err(TopicError::DiskFull { .. }) => self.check(running),
            Err(error) => Err(error),
            Ok(_) => panic!("a full disk took a batch"),
        }
    }

    /// A failed sync ends the appends until the partition is reopened.
    fn failed_sync(&mut self, running: &mut Running) -> Result<(), TopicError> {
        let sent = self.draw_batch();
        self.wait(running)?;
        self.send(running, &sent, None)?;
        self.files().fail_sync(std::io::ErrorKind::Other);
        let failed = self.wait(running);
        self.files().heal_sync();
        if self.files().is_down() {
            return failed;
        }
        assert!(matches!(failed, Err(TopicError::Poisoned { .. })), "{failed:?}");
        let again = running.appender.append_to(sent.partition, &Records::new(), BatchInfo::default());
        assert!(again.is_ok(), "no records are no append");
        let mut records = Records::new();
        records.push(0, None, None);
        let again = running.appender.append_to(sent.partition, &records, BatchInfo::default());
        assert!(matches!(again, Err(TopicError::Poisoned { .. })), "{again:?}");
        self.check(running)?;
        running.topics.topic("t")?.partition(sent.partition)?.reopen()?;
        self.check(running)
    }

    fn check(&mut self, running: &mut Running) -> Result<(), TopicError> {
        for (n, model) in self.partitions.iter().enumerate() {
            model.compare(&running.topics.topic("t")?.partition(n as u32)?)?;
        }
        Ok(())
    }
}
