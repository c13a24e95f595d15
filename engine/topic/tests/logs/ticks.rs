//! The tick log: what is bound, where reading begins, and what merging leaves.

use std::path::Path;

use millrace_topic::{Binding, SourcePartition, TickEntry, TickLog, TopicError};
use millrace_world::SimulatedWorld;

use crate::SMALL;

fn open(world: &SimulatedWorld) -> TickLog {
    TickLog::open(world.world(), Path::new("/ticks"), SMALL).unwrap()
}

fn entry(tick: u64, bindings: &[(u64, Option<u64>)], ddl: &[&str]) -> TickEntry {
    let binding = |(source, next_offset): &(u64, Option<u64>)| Binding {
        of: SourcePartition { source: *source, partition: 0 },
        next_offset: *next_offset,
    };
    TickEntry {
        first_tick: tick,
        tick,
        wall_ms: tick as i64 * 100,
        bindings: bindings.iter().map(binding).collect(),
        ddl: ddl.iter().map(|text| (*text).to_owned()).collect(),
    }
}

fn all(log: &TickLog, from: u64) -> Vec<TickEntry> {
    let mut reader = log.read_from(from).unwrap();
    std::iter::from_fn(|| reader.next_entry().unwrap()).collect()
}

fn filled(world: &SimulatedWorld) -> (TickLog, Vec<TickEntry>) {
    let log = open(world);
    let entries = vec![
        entry(1, &[], &["CREATE STREAM A", "CREATE STREAM B"]),
        entry(2, &[(1, Some(10))], &[]),
        entry(5, &[(1, Some(20)), (2, Some(7))], &[]),
        entry(6, &[(1, Some(30))], &["CREATE VIEW V"]),
        entry(7, &[(2, Some(9))], &[]),
        entry(8, &[(1, None)], &[]),
        entry(9, &[(2, Some(11))], &[]),
    ];
    for entry in &entries {
        log.append(entry).unwrap().wait().unwrap();
    }
    (log, entries)
}

#[test]
fn entries_are_read_from_a_tick_on_and_ticks_never_repeat() {
    let world = SimulatedWorld::new(1);
    let (log, entries) = filled(&world);
    for log in [log, open(&world)] {
        assert_eq!(all(&log, 0), entries);
        assert_eq!(all(&log, 3), entries[2..]);
        assert_eq!(all(&log, 9), entries[6..]);
        assert_eq!(all(&log, 10), []);
        assert_eq!(log.last_tick(), Some(9));
        assert!(matches!(log.append(&entry(9, &[], &[])), Err(TopicError::TickRepeats { tick: 9, last: 9 })));
        let bindings =
            |tick| log.bindings_before(tick).unwrap().into_iter().map(|(of, n)| (of.source, n)).collect::<Vec<_>>();
        assert_eq!(bindings(1), []);
        assert_eq!(bindings(6), [(1, 20), (2, 7)]);
        assert_eq!(bindings(9), [(2, 9)]);
        assert_eq!(bindings(100), [(2, 11)]);
    }
}

#[test]
fn merging_keeps_statements_between_their_ticks() {
    let world = SimulatedWorld::new(1);
    let (log, entries) = filled(&world);
    log.merge_below(9).unwrap();
    let range = |first_tick, entry: TickEntry| TickEntry { first_tick, ..entry };
    let want = [
        range(1, TickEntry { ddl: entries[0].ddl.clone(), ..entry(5, &[(1, Some(20)), (2, Some(7))], &[]) }),
        range(6, entry(8, &[(1, None), (2, Some(9))], &["CREATE VIEW V"])),
        entries[6].clone(),
    ];
    for log in [&log, &open(&world)] {
        assert_eq!(all(log, 0), want);
        assert_eq!(all(log, 7), want[1..]);
        assert_eq!((log.unmerged(), log.last_tick()), (1, Some(9)));
    }
    // again, with everything, and on
    log.merge_below(100).unwrap();
    assert_eq!((all(&log, 0).len(), log.unmerged()), (2, 0));
    let log = open(&world);
    assert_eq!(log.last_tick(), Some(9));
    log.append(&entry(10, &[], &[])).unwrap().wait().unwrap();
    assert_eq!(all(&log, 10), [entry(10, &[], &[])]);
}

#[test]
fn merging_frees_the_disk() {
    let world = SimulatedWorld::new(1);
    let log = open(&world);
    let bytes = || world.files().paths().iter().map(|p| world.files().read(p).unwrap().len()).sum::<usize>();
    for tick in 1..=1_000 {
        log.append(&entry(tick, &[(1, Some(tick))], &[])).unwrap().wait().unwrap();
    }
    assert!(bytes() > 100_000);
    log.merge_below(1_000).unwrap();
    assert!(bytes() < 3_000, "{} bytes in {:?}", bytes(), world.files().paths());
    assert_eq!(all(&open(&world), 0).len(), 2);
}
