//! A torn end is cut; anything else is an error that says where.

use std::path::PathBuf;

use millrace_topic::{Damage, TopicError};
use millrace_world::SimulatedWorld;

use crate::{fill, read, topic, topics};

fn segments(world: &SimulatedWorld) -> Vec<PathBuf> {
    let paths = world.files().paths().into_iter();
    paths.filter(|p| p.extension().is_some_and(|e| e == "log")).collect()
}

fn opened(world: &SimulatedWorld) -> Result<u64, TopicError> {
    Ok(topics(world).topic("t").unwrap().partition(0)?.end_offset())
}

#[test]
fn a_torn_end_is_cut_and_the_log_goes_on() {
    let world = SimulatedWorld::new(1);
    let (_, mut appender, partition) = topic(&world);
    fill(&mut appender, &partition, 2);
    let path = &segments(&world)[0];
    let len = world.files().read(path).unwrap().len();
    for garbage in [&b"x"[..], &[0; 200], &[0xD7, b'M', b'R', 1, 0, 0]] {
        world.files().extend(path, garbage);
        assert_eq!(opened(&world).unwrap(), 6);
        assert_eq!(world.files().read(path).unwrap().len(), len);
    }
    // the last batch is not known to have been durable: a part of it is a torn end too
    world.files().truncate(path, len - 1);
    assert_eq!(opened(&world).unwrap(), 3);
    let topic = topics(&world).topic("t").unwrap();
    let (mut appender, partition) = (topic.appender().unwrap(), topic.partition(0).unwrap());
    fill(&mut appender, &partition, 1);
    assert_eq!(read(&partition, 0).len(), 6);
}

#[test]
fn a_changed_bit_in_what_was_durable_is_an_error() {
    let world = SimulatedWorld::new(1);
    let (_, mut appender, partition) = topic(&world);
    fill(&mut appender, &partition, 3);
    let path = segments(&world)[0].clone();
    let bytes = world.files().read(&path).unwrap();
    let batch = bytes.len() / 3;
    for at in 0..2 * batch {
        world.files().flip_bit(&path, at, at as u32);
        let (first, damaged) = ((at / batch * 3) as u64, at / batch * batch);
        let error = opened(&world).unwrap_err();
        let TopicError::Corrupt { path: found, position, offset, what } = &error else { panic!("{error}") };
        assert_eq!((found, *position, *offset), (&path, damaged as u64, first), "byte {at}");
        // its fourth byte is the version
        assert_eq!(*what, if at % batch == 3 { Damage::Version } else { Damage::Batch }, "byte {at}");
        world.files().flip_bit(&path, at, at as u32);
    }
    assert_eq!(world.files().read(&path).unwrap(), bytes, "nothing was cut");
    assert_eq!(opened(&world).unwrap(), 9);
}

#[test]
fn complete_segments_are_held_to_what_they_were() {
    let world = SimulatedWorld::new(1);
    let (_, mut appender, partition) = topic(&world);
    fill(&mut appender, &partition, 12);
    let paths = segments(&world);
    assert!(paths.len() > 3);
    let second: u64 = paths[1].file_stem().unwrap().to_str().unwrap().parse().unwrap();
    let third: u64 = paths[2].file_stem().unwrap().to_str().unwrap().parse().unwrap();

    // a lost index is built again
    let index = paths[1].with_extension("index");
    let bytes = world.files().read(&index).unwrap();
    world.files().flip_bit(&index, 40, 1);
    assert_eq!(opened(&world).unwrap(), 36);
    assert_eq!(world.files().read(&index).unwrap(), bytes);

    // damage shows when it is read
    world.files().flip_bit(&paths[1], 150, 1);
    let partition = topics(&world).topic("t").unwrap().partition(0).unwrap();
    let mut reader = partition.reader(second).unwrap();
    let error = reader.next_batch().unwrap_err();
    assert!(
        matches!(&error, TopicError::Corrupt { offset, position: 0, what: Damage::Batch, .. } if *offset == second)
    );
    assert!(error.to_string().contains(&format!("{second:020}.log, byte 0: ")), "{error}");
    assert!(reader.next_batch().is_err(), "a reader does not skip damage");
    assert_eq!(partition.reader(third).unwrap().next_batch().unwrap().unwrap().base_offset(), third);
    world.files().flip_bit(&paths[1], 150, 1);

    // a file that is cut short, and one that is missing
    let bytes = world.files().read(&paths[1]).unwrap();
    world.files().truncate(&paths[1], 150);
    let error = opened(&world).unwrap_err();
    assert!(matches!(error, TopicError::Corrupt { position: 150, what: Damage::Short, .. }), "{error}");
    world.world().files().remove(&paths[1]).unwrap();
    let error = opened(&world).unwrap_err();
    assert!(matches!(&error, TopicError::Corrupt { path, offset, what: Damage::Gap, .. }
        if *path == paths[2] && *offset == second));
    world.files().write(&paths[1], &bytes);
    assert_eq!(opened(&world).unwrap(), 36);
    world.world().files().remove(&paths[0]).unwrap();
    assert!(matches!(opened(&world).unwrap_err(), TopicError::Corrupt { offset: 0, what: Damage::Gap, .. }));
}

#[test]
fn a_segment_of_another_topic_does_not_match() {
    let world = SimulatedWorld::new(1);
    let (_, mut appender, partition) = topic(&world);
    fill(&mut appender, &partition, 1);
    let other = topics(&world).create("u", Default::default()).unwrap();
    let (mut appender, partition) = (other.appender().unwrap(), other.partition(0).unwrap());
    fill(&mut appender, &partition, 1);
    let [t, u] = &segments(&world)[..] else { panic!() };
    world.files().write(t, &world.files().read(u).unwrap());
    assert_eq!(opened(&world).unwrap(), 0);
}
