//! Topics come, are found again, and go.

use millrace_topic::{Retention, TopicConfig, TopicError};
use millrace_world::SimulatedWorld;

use crate::{fill, topic, topics};

#[test]
fn topics_are_found_again_as_they_were_created() {
    let world = SimulatedWorld::new(1);
    let all = topics(&world);
    let retention = Retention { time_ms: Some(5), bytes: Some(6) };
    let configs = [("Ratings", 3, Retention::default()), ("ratings", 1, retention), ("a.b", 1024, retention)];
    for (name, partitions, retention) in configs {
        all.create(name, TopicConfig { partitions, retention }).unwrap();
    }
    world.files().restart(3);
    let found: Vec<_> = topics(&world).list().iter().map(|t| (t.name().to_owned(), t.config())).collect();
    let want = |n: usize| (configs[n].0.to_owned(), TopicConfig { partitions: configs[n].1, retention: configs[n].2 });
    assert_eq!(found, [want(0), want(2), want(1)]);
}

#[test]
fn what_is_wrong_is_said() {
    let world = SimulatedWorld::new(1);
    let all = topics(&world);
    let topic = all.create("t", TopicConfig::default()).unwrap();
    let create = |name, partitions| all.create(name, TopicConfig { partitions, ..TopicConfig::default() });
    assert!(matches!(create("t", 1), Err(TopicError::TopicExists(name)) if name == "t"));
    assert!(matches!(create("a b", 1), Err(TopicError::InvalidName { .. })));
    assert!(matches!(create("u", 0), Err(TopicError::PartitionCount(0))));
    assert!(matches!(create("u", 1025), Err(TopicError::PartitionCount(1025))));
    assert!(matches!(all.topic("u"), Err(TopicError::UnknownTopic(_))));
    assert!(matches!(all.delete("u"), Err(TopicError::UnknownTopic(_))));
    let error = topic.partition(1).unwrap_err();
    assert_eq!(error.to_string(), "there is no partition 1: the topic has 1");
}

#[test]
fn a_deleted_topic_is_gone_for_everybody() {
    let world = SimulatedWorld::new(1);
    let (topic, mut appender, partition) = topic(&world);
    fill(&mut appender, &partition, 5);
    let mut reader = partition.reader(0).unwrap();
    let all = topics(&world);
    assert!(all.topic("t").is_ok());
    // the handle of the catalog that opened it is not there any more; the one that deletes must know its logs
    let own = all.topic("t").unwrap();
    let (mut own_appender, own_partition) = (own.appender().unwrap(), own.partition(0).unwrap());
    let mut own_reader = own_partition.reader(0).unwrap();
    all.delete("t").unwrap();
    assert!(matches!(own_appender.append(&crate::batch(0, 1), Default::default()), Err(TopicError::Deleted(_))));
    assert!(matches!(own_reader.next_batch(), Err(TopicError::Deleted(_))));
    assert!(matches!(own.partition(0), Err(TopicError::Deleted(_))));
    assert!(reader.next_batch().is_err(), "its files are gone");
    assert!(world.files().paths().is_empty());

    let again = all.create("t", TopicConfig::default()).unwrap();
    assert_ne!(again.id(), topic.id());
    assert_eq!(again.partition(0).unwrap().end_offset(), 0);
}

#[test]
fn what_others_put_into_the_folder_is_left_alone() {
    let world = SimulatedWorld::new(1);
    world.files().write("/topics/notes/todo.txt", b"buy milk");
    world.files().write("/topics/t-0000000000000007/0/leftover", b"of a create that a crash ended");
    assert!(topics(&world).list().is_empty());
    assert_eq!(world.files().paths(), [std::path::PathBuf::from("/topics/notes/todo.txt")]);
}
