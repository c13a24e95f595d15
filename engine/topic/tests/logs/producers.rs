//! Keys choose partitions; repeated batches do no harm.

use millrace_topic::{BatchInfo, Producer, Records, TopicConfig, TopicError, partition_of_key};
use millrace_world::SimulatedWorld;

use crate::{batch, read, topic, topics};

fn info(sequence: u64) -> BatchInfo {
    BatchInfo { tick: 0, producer: Some(Producer { id: 3, sequence }) }
}

#[test]
fn a_key_stays_in_its_partition_and_its_order() {
    let world = SimulatedWorld::new(1);
    let topic = topics(&world).create("t", TopicConfig { partitions: 5, ..TopicConfig::default() }).unwrap();
    let mut appender = topic.appender().unwrap();
    let mut records = Records::new();
    for n in 0..100u32 {
        records.push(0, Some(format!("key {}", n % 13).as_bytes()), Some(&n.to_le_bytes()));
    }
    appender.append(&records, BatchInfo::default()).unwrap().wait().unwrap();
    let mut total = 0;
    for p in 0..5 {
        let partition = topic.partition(p).unwrap();
        let mut reader = partition.reader(0).unwrap();
        while let Some(batch) = reader.next_batch().unwrap() {
            let values: Vec<_> =
                batch.records().map(|r| u32::from_le_bytes(r.value.unwrap().try_into().unwrap())).collect();
            assert!(values.is_sorted());
            assert!(batch.records().all(|r| partition_of_key(r.key.unwrap(), 5) == p));
            total += batch.len();
        }
    }
    assert_eq!(total, 100);
    // records without a key stay together; the next batch goes to the next partition
    let put = |appender: &mut millrace_topic::Appender| {
        let receipt = appender.append(&batch(0, 3), BatchInfo::default()).unwrap();
        receipt.parts().map(|(partition, offsets)| (partition, offsets.count())).collect::<Vec<_>>()
    };
    assert_eq!([put(&mut appender), put(&mut appender)], [vec![(1, 3)], vec![(2, 3)]]);
}

#[test]
fn a_repetition_is_acknowledged_and_not_put_again() {
    let world = SimulatedWorld::new(1);
    let (topic, mut appender, partition) = topic(&world);
    for sequence in [1, 4, 9] {
        let receipt = appender.append(&batch(0, 2), info(sequence)).unwrap();
        assert!(!receipt.is_repeated());
        receipt.wait().unwrap();
    }
    for restarted in [false, true] {
        let topic = if restarted { topics(&world).topic("t").unwrap() } else { topic.clone() };
        let mut appender = topic.appender().unwrap();
        for sequence in [4, 9, 2] {
            let receipt = appender.append(&batch(0, 2), info(sequence)).unwrap();
            assert!(receipt.is_repeated());
            receipt.wait().unwrap();
        }
        assert_eq!(topic.partition(0).unwrap().next_offset(), 6);
    }
    assert_eq!(read(&partition, 0).len(), 6);
}

#[test]
fn what_follows_a_refused_batch_waits_for_it() {
    let world = SimulatedWorld::new(1);
    let (_, mut appender, partition) = topic(&world);
    appender.append(&batch(0, 1), info(1)).unwrap().wait().unwrap();
    world.files().set_disk_bytes_max(Some(0));
    assert!(matches!(appender.append(&batch(1, 1), info(2)), Err(TopicError::DiskFull { .. })));
    world.files().heal();
    let error = appender.append(&batch(2, 1), info(3)).unwrap_err();
    assert!(matches!(error, TopicError::OutOfSequence { producer: 3, sequence: 3, refused: 2 }), "{error}");
    // others are free
    let other = BatchInfo { tick: 0, producer: Some(Producer { id: 4, sequence: 3 }) };
    appender.append(&batch(7, 1), other).unwrap().wait().unwrap();
    for n in [1, 2] {
        appender.append(&batch(n, 1), info(n + 1)).unwrap().wait().unwrap();
    }
    let found: Vec<String> = read(&partition, 0).into_iter().map(|(_, text)| text.trim_end().to_owned()).collect();
    assert_eq!(found, ["value 0", "value 7", "value 1", "value 2"]);
}

#[test]
fn a_batch_that_is_too_large_leaves_nothing() {
    let world = SimulatedWorld::new(1);
    let (_, mut appender, partition) = topic(&world);
    let error = appender.append(&batch(0, 40), info(1)).unwrap_err();
    assert!(matches!(error, TopicError::TooLarge { bytes_max: 2_000, .. }), "{error}");
    assert_eq!(partition.next_offset(), 0);
    // the producer may go on: nothing of it can come again
    appender.append(&batch(0, 1), info(2)).unwrap().wait().unwrap();
    assert_eq!(appender.append(&Records::new(), info(3)).unwrap().parts().len(), 0);
}
