//! Old segments go, by size and by age; the rest stays readable.

use std::time::Duration;

use millrace_topic::{BatchInfo, Producer, Retention, TopicConfig, TopicError};
use millrace_world::SimulatedWorld;

use crate::{batch, fill, read, topics};

#[test]
fn size_keeps_the_newest_segments() {
    let world = SimulatedWorld::new(1);
    let topics = topics(&world);
    let retention = Retention { time_ms: None, bytes: Some(2_500) };
    let topic = topics.create("t", TopicConfig { partitions: 1, retention }).unwrap();
    let (mut appender, partition) = (topic.appender().unwrap(), topic.partition(0).unwrap());
    fill(&mut appender, &partition, 20);
    let mut behind = partition.reader(0).unwrap();
    behind.next_batch().unwrap().unwrap();
    let before = partition.bytes();
    let gone = topics.retain().unwrap();
    let start = partition.start_offset();
    assert!((2_500..3_500).contains(&partition.bytes()), "{} bytes are left", partition.bytes());
    assert_eq!(partition.bytes(), before - gone);
    assert_eq!(read(&partition, start).len() as u64, 60 - start);
    assert!(matches!(partition.reader(0), Err(TopicError::OffsetOutOfRange { .. })));
    // a reader ends its segment, and is told then
    let error = loop {
        match behind.next_batch() {
            Ok(batch) => assert!(batch.is_some()),
            Err(error) => break error,
        }
    };
    assert!(matches!(error, TopicError::OffsetOutOfRange { end: 60, .. }), "{error}");
    assert_eq!(topics.retain().unwrap(), 0);
    let again = crate::topics(&world).topic("t").unwrap().partition(0).unwrap();
    assert_eq!((again.start_offset(), again.end_offset()), (start, 60));
}

#[test]
fn age_takes_everything_and_the_log_goes_on() {
    let world = SimulatedWorld::new(1);
    let topics = topics(&world);
    let topic = topics.create("t", TopicConfig::default()).unwrap();
    let (mut appender, partition) = (topic.appender().unwrap(), topic.partition(0).unwrap());
    let info = BatchInfo { tick: 9, producer: Some(Producer { id: 5, sequence: 6 }) };
    fill(&mut appender, &partition, 8);
    appender.append(&batch(24, 1), info).unwrap().wait().unwrap();
    world.clock().advance(Duration::from_secs(60));
    topics.retain().unwrap();
    assert_eq!(partition.start_offset(), 0, "kept for ever");

    topics.set_retention("t", Retention { time_ms: Some(60_000), bytes: None }).unwrap();
    topics.retain().unwrap();
    assert_eq!(partition.start_offset(), 0, "not older than a minute");
    world.clock().advance(Duration::from_millis(1));
    topics.retain().unwrap();
    assert_eq!((partition.start_offset(), partition.end_offset()), (25, 25));
    assert_eq!(read(&partition, 25), []);

    // what it remembers of its batches stays, over a restart too
    let topics = crate::topics(&world);
    let topic = topics.topic("t").unwrap();
    let (mut appender, partition) = (topic.appender().unwrap(), topic.partition(0).unwrap());
    assert_eq!(topic.config().retention.time_ms, Some(60_000));
    assert_eq!(partition.last_tick().map(|last| (last.tick, last.records)), Some((9, 1)));
    assert!(appender.append(&batch(24, 1), info).unwrap().is_repeated());
    fill(&mut appender, &partition, 1);
    assert_eq!(read(&partition, 25).len(), 3);
    topics.retain().unwrap();
    assert!(partition.bytes() < 500, "the old segment goes when there is a new one");
}

#[test]
fn a_start_within_a_segment_hides_what_is_before() {
    let world = SimulatedWorld::new(1);
    let (_, mut appender, partition) = crate::topic(&world);
    fill(&mut appender, &partition, 4);
    partition.delete_before(4).unwrap();
    assert_eq!(read(&partition, 4).len(), 8);
    assert!(partition.reader(3).is_err());
    assert_eq!(partition.offset_for_timestamp(0).unwrap(), Some((4, 40)));
    let again = topics(&world).topic("t").unwrap().partition(0).unwrap();
    assert_eq!(again.start_offset(), 4);
}
