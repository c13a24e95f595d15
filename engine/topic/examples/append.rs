//! What the log does on this machine: acknowledged rows per second, single rows from many threads, reading; and beside
//! it what the disk takes for one sync, which is what an acknowledgement cannot be faster than.
//!
//! ```text
//! cargo run --release -p millrace-topic --example append -- [ROWS] [FOLDER]
//! ```
#![allow(clippy::print_stdout, reason = "it is a program")]

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use millrace_topic::{BatchInfo, LogOptions, Records, Topic, TopicConfig, TopicError, Topics};
use millrace_world::{TempFolder, World};

const ROW_BYTES: usize = 100;
const SYNCS: usize = 200;
const CLIENTS: usize = 32;

fn main() -> Result<(), TopicError> {
    let mut arguments = std::env::args().skip(1);
    let rows: usize = arguments.next().and_then(|text| text.parse().ok()).unwrap_or(2_000_000);
    let world = World::real();
    let folder = TempFolder::new(world.files(), "append").map_err(|source| io(Path::new("/"), source))?;
    let root = arguments.next().map_or_else(|| folder.path().to_owned(), PathBuf::from);
    let topics = Topics::open(&world, &root.join("topics"), LogOptions::default())?;

    println!("{rows} rows of {ROW_BYTES} bytes in {}", root.display());
    let mut times = sync_ms(&world, &root)?;
    times.sort_by(f64::total_cmp);
    println!("one sync of 4 KiB: p50 {:.2} ms, p99 {:.2} ms", times[SYNCS / 2], times[SYNCS * 99 / 100]);

    for (threads, batch_rows, partitions) in [(1, 1_000, 1), (4, 1_000, 1), (4, 1_000, 4), (1, 10_000, 1)] {
        let config = TopicConfig { partitions, ..TopicConfig::default() };
        let topic = topics.create(&format!("t{threads}-{batch_rows}-{partitions}"), config)?;
        let (seconds, syncs) = append(&world, &topic, threads, batch_rows, rows / threads / batch_rows)?;
        println!(
            "{threads} threads, batches of {batch_rows}, {partitions} partitions, each batch acknowledged: \
             {:.0} rows/s ({} syncs)",
            rows as f64 / seconds,
            syncs
        );
        let (seconds, bytes) = read(&world, &topic)?;
        println!("    read: {:.1} M rows/s, {:.0} MB/s", rows as f64 / seconds / 1e6, bytes as f64 / seconds / 1e6);
        topics.delete(topic.name())?;
    }
    let topic = topics.create("single", TopicConfig::default())?;
    let each = (rows / 4_000).clamp(1, 500);
    let (seconds, syncs) = append(&world, &topic, CLIENTS, 1, each)?;
    let all = CLIENTS * each;
    println!("{CLIENTS} threads, single rows: {:.0} rows/s ({syncs} syncs for {all})", all as f64 / seconds);
    topics.delete("single")
}

fn io(path: &Path, source: std::io::Error) -> TopicError {
    TopicError::Io { path: path.to_owned(), source }
}

/// What a file that grows by 4 KiB takes to be synced.
fn sync_ms(world: &World, root: &Path) -> Result<Vec<f64>, TopicError> {
    let path = root.join("sync");
    let file = world.files().create(&path).map_err(|e| io(&path, e))?;
    let times = (0..SYNCS as u64).map(|n| {
        file.write_all_at(&[n as u8; 4096], n * 4096)?;
        let start = world.clock().monotonic_ns();
        file.sync()?;
        Ok((world.clock().monotonic_ns() - start) as f64 / 1e6)
    });
    let times = times.collect::<std::io::Result<Vec<f64>>>();
    times.and_then(|times| world.files().remove(&path).map(|()| times)).map_err(|e| io(&path, e))
}

/// Appends from several threads, each waiting for the acknowledgement of its batch before the next; seconds, and how
/// often the end of a partition moved.
fn append(
    world: &World,
    topic: &Topic,
    threads: usize,
    batch_rows: usize,
    batches: usize,
) -> Result<(f64, u64), TopicError> {
    let syncs = Arc::new(AtomicU64::new(0));
    let counter = Arc::clone(&syncs);
    let bell = millrace_topic::Wakeup::calling(move || {
        counter.fetch_add(1, Ordering::Relaxed);
    });
    (0..topic.config().partitions).try_for_each(|p| topic.partition(p).map(|p| p.watch(&bell)))?;
    let start = world.clock().monotonic_ns();
    let mut running = vec![];
    for thread in 0..threads {
        let mut appender = topic.appender()?;
        let body = move || {
            let mut records = Records::new();
            for n in 0..batches {
                records.clear();
                for row in 0..batch_rows {
                    let key = ((thread * batches + n) * batch_rows + row) as u64;
                    records.push(n as i64, Some(&key.to_le_bytes()), Some(&[b'x'; ROW_BYTES - 8]));
                }
                let done = appender.append(&records, BatchInfo::default()).and_then(|receipt| receipt.wait());
                done.expect("the disk takes the rows");
            }
        };
        running.push(world.threads().spawn("append", Box::new(body)).map_err(|e| io(Path::new("thread"), e))?);
    }
    for thread in running {
        thread.join().expect("a thread that appends ends well");
    }
    Ok(((world.clock().monotonic_ns() - start) as f64 / 1e9, syncs.load(Ordering::Relaxed)))
}

/// Reads every key and value; seconds and bytes.
fn read(world: &World, topic: &Topic) -> Result<(f64, usize), TopicError> {
    let start = world.clock().monotonic_ns();
    let mut bytes = 0;
    for p in 0..topic.config().partitions {
        let mut reader = topic.partition(p)?.reader(0)?;
        while let Some(batch) = reader.next_batch()? {
            let len = |bytes: Option<&[u8]>| bytes.map_or(0, <[u8]>::len);
            bytes += (0..batch.len()).map(|n| len(batch.key(n)) + len(batch.value(n))).sum::<usize>();
        }
    }
    Ok(((world.clock().monotonic_ns() - start) as f64 / 1e9, bytes))
}
