//! Many threads on a real disk: one sync for all who wait, nothing lost, nothing twice.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use millrace_topic::{BatchInfo, LogOptions, Records, TopicConfig, Topics};
use millrace_world::{FailPoints, TempFolder, World};

/// Counts syncs.
#[derive(Default)]
struct Count(AtomicU64);

impl FailPoints for Count {
    fn reached(&self, name: &'static str) -> std::io::Result<()> {
        if name == "log.before-sync" {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
        Ok(())
    }
    fn is_armed(&self, _: &'static str) -> bool {
        false
    }
}

#[test]
fn one_sync_is_for_all_who_wait() {
    const THREADS: u64 = 8;
    const BATCHES: u64 = 40;
    let count = Arc::new(Count::default());
    let world = World::real().with_fail_points(Arc::<Count>::clone(&count));
    let folder = TempFolder::new(world.files(), "topic").unwrap();
    let options = LogOptions { segment_bytes: 20_000, ..LogOptions::default() };
    let topics = Topics::open(&world, &folder.path().join("a/b"), options).unwrap();
    let topic = topics.create("t", TopicConfig::default()).unwrap();
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let mut appender = topic.appender().unwrap();
            let body = move || {
                for n in 0..BATCHES {
                    let mut records = Records::new();
                    records.push(0, None, Some(format!("{thread}/{n}").as_bytes()));
                    appender.append(&records, BatchInfo::default()).unwrap().wait().unwrap();
                }
            };
            world.threads().spawn("append", Box::new(body)).unwrap()
        })
        .collect();
    // a reader follows meanwhile
    let partition = topic.partition(0).unwrap();
    let bell = millrace_topic::Wakeup::new();
    partition.watch(&bell);
    let (mut reader, mut next) = (partition.reader(0).unwrap(), vec![0; THREADS as usize]);
    while reader.offset() < THREADS * BATCHES {
        let rings = bell.rings();
        while let Some(batch) = reader.next_batch().unwrap() {
            let (thread, n) = std::str::from_utf8(batch.value(0).unwrap()).unwrap().split_once('/').unwrap();
            let (thread, n): (usize, u64) = (thread.parse().unwrap(), n.parse().unwrap());
            assert_eq!(n, next[thread], "the order of thread {thread}");
            next[thread] += 1;
        }
        if reader.offset() < THREADS * BATCHES {
            bell.wait(rings, std::time::Duration::from_secs(20));
        }
    }
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    let syncs = count.0.load(Ordering::SeqCst);
    assert!(syncs < THREADS * BATCHES * 3 / 4, "{syncs} syncs for {} batches", THREADS * BATCHES);

    drop((topic, topics));
    let topics = Topics::open(&world, &folder.path().join("a/b"), options).unwrap();
    assert_eq!(topics.topic("t").unwrap().partition(0).unwrap().end_offset(), THREADS * BATCHES);
}
