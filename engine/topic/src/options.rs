//! The limits of a log, each with unit, default and reason.

/// Partitions of one topic, at most: each open one has a folder, and a file handle while it is written.
pub const PARTITIONS_MAX: u32 = 1024;

/// How a log is laid out. The same for all topics of a data directory; may change between two starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogOptions {
    /// A segment that would grow beyond is closed and the next begun, bytes. Default 128 MiB: what a restart reads of
    /// each partition, and the grain of retention.
    pub segment_bytes: u64,
    /// Log bytes per entry of the sparse index. Default 64 KiB: what a look-up reads at most.
    pub index_bytes: u64,
    /// One batch, at most, bytes. Default 16 MiB: a reader holds one in memory.
    pub batch_bytes_max: usize,
    /// Bytes that a reader asks the disk for at once. Default 256 KiB.
    pub read_bytes: usize,
    /// Producers whose last sequence a partition remembers; beyond, those that have been silent for longest are
    /// forgotten, and a batch that they repeat would count as new. Default 4,096: some 200 KB.
    pub producers_max: usize,
}

impl Default for LogOptions {
    fn default() -> Self {
        LogOptions {
            segment_bytes: 128 << 20,
            index_bytes: 64 << 10,
            batch_bytes_max: 16 << 20,
            read_bytes: 256 << 10,
            producers_max: 4096,
        }
    }
}

/// What may be deleted of a topic. Whole segments go, oldest first; the one being written stays.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Records are kept for at least as long after they were appended, ms; `None`: for ever. The clock of the append
    /// counts, not the record's timestamp: a replay of last year's events is not deleted at once.
    pub time_ms: Option<u64>,
    /// The newest records of a partition are kept up to this size, bytes; `None`: whatever it is.
    pub bytes: Option<u64>,
}
