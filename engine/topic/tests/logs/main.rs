//! What a log does when nothing crashes, and what it says of damage.
#![allow(clippy::unwrap_used, clippy::print_stdout, reason = "helpers of tests")]

mod catalog;
mod damage;
mod group;
mod producers;
mod reading;
mod retention;
mod ticks;

use std::path::Path;

use millrace_topic::{Appender, BatchInfo, LogOptions, Partition, Records, Topic, TopicConfig, Topics};
use millrace_world::SimulatedWorld;

/// Segments of a few batches, index entries of one.
const SMALL: LogOptions =
    LogOptions { segment_bytes: 1_000, index_bytes: 1, batch_bytes_max: 2_000, read_bytes: 300, producers_max: 8 };

fn topics(world: &SimulatedWorld) -> Topics {
    Topics::open(world.world(), Path::new("/topics"), SMALL).unwrap()
}

/// A topic with one partition.
fn topic(world: &SimulatedWorld) -> (Topic, Appender, Partition) {
    let topic = topics(world).create("t", TopicConfig::default()).unwrap();
    let (appender, partition) = (topic.appender().unwrap(), topic.partition(0).unwrap());
    (topic, appender, partition)
}

fn batch(from: u64, n: u64) -> Records {
    let mut records = Records::new();
    for at in from..from + n {
        records.push(at as i64 * 10, None, Some(format!("value {at} {}", "x".repeat(50)).as_bytes()));
    }
    records
}

/// Appends `n` batches of three records each and waits for each.
fn fill(appender: &mut Appender, partition: &Partition, n: u64) {
    for _ in 0..n {
        appender.append(&batch(partition.next_offset(), 3), BatchInfo::default()).unwrap().wait().unwrap();
    }
}

/// Offsets and first words of what can be read from `offset` on.
fn read(partition: &Partition, offset: u64) -> Vec<(u64, String)> {
    let mut reader = partition.reader(offset).unwrap();
    let mut found = vec![];
    while let Some(batch) = reader.next_batch().unwrap() {
        found.extend(batch.records().map(|r| (r.offset, String::from_utf8(r.value.unwrap()[..8].to_vec()).unwrap())));
    }
    found
}
