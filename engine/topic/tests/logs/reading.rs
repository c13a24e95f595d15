//! Reading from any offset, by timestamp, and at the tail.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use millrace_topic::{BatchInfo, TopicError, Wakeup};
use millrace_world::SimulatedWorld;

use crate::{batch, fill, read, topic, topics};

#[test]
fn every_offset_can_be_read_from() {
    let world = SimulatedWorld::new(1);
    let (_, mut appender, partition) = topic(&world);
    fill(&mut appender, &partition, 20);
    let segments = world.files().paths().iter().filter(|p| p.extension().is_some_and(|e| e == "log")).count();
    assert!(segments > 5, "{segments} segments");
    for reopened in [false, true] {
        let partition =
            if reopened { topics(&world).topic("t").unwrap().partition(0).unwrap() } else { partition.clone() };
        for from in 0..=60 {
            let found = read(&partition, from);
            assert_eq!(found.iter().map(|(offset, _)| *offset).collect::<Vec<_>>(), (from..60).collect::<Vec<_>>());
            assert!(found.iter().all(|(offset, text)| text.trim_end() == format!("value {offset}")));
        }
        let beyond = partition.reader(61).unwrap_err();
        assert!(matches!(beyond, TopicError::OffsetOutOfRange { offset: 61, start: 0, end: 60 }));
    }
}

#[test]
fn timestamps_lead_to_the_first_record_that_is_not_older() {
    let world = SimulatedWorld::new(1);
    let (_, mut appender, partition) = topic(&world);
    assert_eq!(partition.offset_for_timestamp(0).unwrap(), None);
    fill(&mut appender, &partition, 20);
    for at in 0..60 {
        assert_eq!(partition.offset_for_timestamp(at * 10 - 9).unwrap(), Some((at as u64, at * 10)));
        assert_eq!(partition.offset_for_timestamp(at * 10).unwrap(), Some((at as u64, at * 10)));
    }
    assert_eq!(partition.offset_for_timestamp(i64::MIN).unwrap(), Some((0, 0)));
    assert_eq!(partition.offset_for_timestamp(591).unwrap(), None);
    // an older one behind does not hide a younger one before it
    appender.append(&batch(3, 1), BatchInfo::default()).unwrap().wait().unwrap();
    assert_eq!(partition.offset_for_timestamp(25).unwrap(), Some((3, 30)));
    assert_eq!(partition.offset_for_timestamp(590).unwrap(), Some((59, 590)));
}

#[test]
fn only_durable_records_are_read_and_a_bell_rings_for_them() {
    let world = SimulatedWorld::new(1);
    let (_, mut appender, partition) = topic(&world);
    let called = Arc::new(AtomicU32::new(0));
    let counter = Arc::clone(&called);
    let (bell, calling) = (Wakeup::new(), Wakeup::calling(move || _ = counter.fetch_add(1, Ordering::SeqCst)));
    partition.watch(&bell);
    partition.watch(&calling);
    let mut reader = partition.reader(0).unwrap();
    let rings = bell.rings();
    let receipt = appender.append(&batch(0, 2), BatchInfo { tick: 4, producer: None }).unwrap();
    assert_eq!((partition.next_offset(), partition.end_offset()), (2, 0));
    assert!(reader.next_batch().unwrap().is_none());
    assert_eq!(bell.wait(rings, Duration::ZERO), rings);

    receipt.wait().unwrap();
    assert_eq!(bell.wait(rings, Duration::from_secs(10)), rings + 1);
    assert_eq!(called.load(Ordering::SeqCst), 1);
    let found = reader.next_batch().unwrap().unwrap();
    assert_eq!((found.base_offset(), found.next_offset(), found.info().tick), (0, 2, 4));
    assert_eq!(found.appended_ms(), world.world().clock().wall_ms());
    assert!(reader.next_batch().unwrap().is_none());
    // the same reader goes on
    fill(&mut appender, &partition, 3);
    let next: Vec<u64> = std::iter::from_fn(|| reader.next_batch().unwrap().map(|b| b.base_offset())).collect();
    assert_eq!(next, [2, 5, 8]);
    // a dropped bell is forgotten
    let before = called.load(Ordering::SeqCst);
    drop(calling);
    fill(&mut appender, &partition, 1);
    assert_eq!(called.load(Ordering::SeqCst), before);
}

#[test]
fn a_disk_that_returns_little_changes_nothing() {
    let world = SimulatedWorld::new(1);
    let (_, mut appender, partition) = topic(&world);
    fill(&mut appender, &partition, 10);
    world.files().set_read_bytes_max(Some(7));
    assert_eq!(read(&partition, 4).len(), 26);
}
