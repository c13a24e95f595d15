//! What can go wrong with a topic. Paths say which file, offsets which record.

use std::fmt;
use std::io;
use std::path::PathBuf;

/// A topic or the tick log could not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum TopicError {
    /// No topic has this name.
    #[error("there is no topic \"{0}\"")]
    UnknownTopic(String),
    /// A topic has this name already.
    #[error("there is a topic \"{0}\" already")]
    TopicExists(String),
    /// The topic was deleted while it was in use.
    #[error("the topic of {0} was deleted")]
    Deleted(PathBuf),
    /// Kafka would not allow the name either.
    #[error("\"{name}\" cannot be the name of a topic: {why}")]
    InvalidName {
        /// What was asked for.
        name: String,
        /// What is wrong with it.
        why: InvalidName,
    },
    /// A topic has 1 to [`crate::PARTITIONS_MAX`] partitions.
    #[error("a topic has between 1 and {max} partitions, not {0}", max = crate::PARTITIONS_MAX)]
    PartitionCount(u32),
    /// The topic has fewer partitions.
    #[error("there is no partition {partition}: the topic has {partitions}")]
    UnknownPartition {
        /// What was asked for.
        partition: u32,
        /// How many there are.
        partitions: u32,
    },
    /// Retention has removed the offset, or it was never written.
    #[error("offset {offset} is not in the log, which has {start} up to {end}")]
    OffsetOutOfRange {
        /// What was asked for.
        offset: u64,
        /// The first offset that is there.
        start: u64,
        /// The offset that the next record gets.
        end: u64,
    },
    /// One batch is larger than [`crate::LogOptions::batch_bytes_max`].
    #[error("a batch of {bytes} bytes is larger than the limit of {bytes_max}")]
    TooLarge {
        /// Its size.
        bytes: usize,
        /// The limit.
        bytes_max: usize,
    },
    /// An earlier batch of the producer was refused and must come again first.
    #[error("sequence {sequence} of producer {producer}: sequence {refused} was refused and must come again first")]
    OutOfSequence {
        /// Whose.
        producer: u64,
        /// What came.
        sequence: u64,
        /// What must come.
        refused: u64,
    },
    /// Ticks grow; this one does not.
    #[error("tick {tick} does not follow tick {last}: a tick never comes again")]
    TickRepeats {
        /// What came.
        tick: u64,
        /// The last tick of the log.
        last: u64,
    },
    /// The disk is full. What was there is as it was; appends work again when there is room.
    #[error("{path}: the disk is full")]
    DiskFull {
        /// The file that could not grow.
        path: PathBuf,
    },
    /// A write or a sync failed, so what is on the disk is unknown until the log is reopened. Reads go on.
    #[error("{path}: the log takes no more records until it is reopened: {message}")]
    Poisoned {
        /// The file that could not be written.
        path: PathBuf,
        /// What the disk said.
        message: String,
    },
    /// What is on the disk is not what was written there.
    #[error("{path}, byte {position}: {what} (offset {offset})")]
    Corrupt {
        /// Which file.
        path: PathBuf,
        /// Where in the file, bytes.
        position: u64,
        /// The offset of the record that should stand there; a tick in the tick log's own files.
        offset: u64,
        /// What is wrong.
        what: Damage,
    },
    /// The disk failed otherwise.
    #[error("{path}: {source}")]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// How.
        source: io::Error,
    },
}

/// What is wrong with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum InvalidName {
    /// It has no characters.
    Empty,
    /// It has more than 249.
    TooLong,
    /// It is `.` or `..`.
    Dots,
    /// It has a character other than ASCII letters, digits, `.`, `_` and `-`.
    Character(char),
}

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            InvalidName::Empty => f.write_str("it is empty"),
            InvalidName::TooLong => f.write_str("it is longer than 249 characters"),
            InvalidName::Dots => f.write_str("it means a folder"),
            InvalidName::Character(c) => write!(f, "{c:?} is none of a-z, A-Z, 0-9, '.', '_', '-'"),
        }
    }
}

/// How a file differs from what was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// A batch does not match its checksums, although later ones show that it was durable.
    Batch,
    /// A segment that was complete ends too early.
    Short,
    /// Records are missing between two segments, or before the first.
    Gap,
    /// A small file (of a topic, a start, merged ticks) does not match its checksum.
    File,
    /// A file was written by a newer version.
    Version,
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Damage::Batch => "a batch that was durable does not match its checksum",
            Damage::Short => "a segment that was complete is cut short",
            Damage::Gap => "records before this segment are missing",
            Damage::File => "the file does not match its checksum",
            Damage::Version => "the file is of a newer version",
        })
    }
}

/// Says which path an [`io::Error`] is about.
pub(crate) trait AtPath<T> {
    /// See the trait.
    fn at(self, path: &std::path::Path) -> Result<T, TopicError>;
}

impl<T> AtPath<T> for io::Result<T> {
    fn at(self, path: &std::path::Path) -> Result<T, TopicError> {
        self.map_err(|source| match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => TopicError::DiskFull { path: path.to_owned() },
            _ => TopicError::Io { path: path.to_owned(), source },
        })
    }
}
