//! The embedded topics and the tick log: durable, partitioned, keyed logs below the data directory.
//!
//! ```text
//! Records ─Appender→ partition of the key ─Receipt::wait→ durable ─Reader→ Batch, slices of one buffer
//! ```
//!
//! * [`Topics`] is the catalog, [`Topic`] has [`Partition`]s, an [`Appender`] writes to a topic, a [`Reader`] follows a
//!   partition, the [`TickLog`] says what the engine took in at each of its ticks.
//! * **Acknowledged is durable.** [`Appender::append`] writes; when [`Receipt::wait`] returns, the records were synced,
//!   and only then does any reader see them. Of all threads that wait for a partition, one syncs for all.
//! * **After a crash** every acknowledged record is there, at its offset, once. A batch that was not acknowledged is there
//!   whole or not at all, and not before one that is missing. Damage to what was acknowledged is an error that names file
//!   and place, never a shorter log.
//! * **A failed sync** ends appends to the partition until it is reopened; a full disk refuses them as long as it is full.
//!   Reads go on.
//! * A batch may carry its producer and a sequence, so that sending it again does no harm.
//! * Memory: per partition in use a sparse index of the segment being written and the last sequences of
//!   [`LogOptions::producers_max`] producers; per reader one read; per appender one batch.
//!
//! It starts no thread, reads no clock and opens no file but through [`millrace_world`], and it knows nothing of rows or
//! formats. [`FAIL_POINTS`] are the places where a test can end the process.

mod appender;
mod batch;
mod catalog;
mod error;
mod headers;
mod log;
mod options;
mod partitioner;
mod records;
mod tick_log;
mod topic;
mod wakeup;

pub use appender::{Appender, Receipt};
pub use batch::{Batch, BatchInfo, Producer, Record};
pub use catalog::Topics;
pub use error::{Damage, InvalidName, TopicError};
pub use headers::{HeaderValue, Headers};
pub use log::Reader;
pub use log::history::LastTick;
pub use options::{LogOptions, PARTITIONS_MAX, Retention};
pub use partitioner::{partition_of_key, partition_without_key};
pub use records::Records;
pub use tick_log::{Binding, SourcePartition, TickEntry, TickLog, TickReader, TickReceipt};
pub use topic::{Partition, Topic, TopicConfig};
pub use wakeup::Wakeup;

/// The places where a [`millrace_world::FailPoints`] may end the process or the machine, in order of their names.
pub const FAIL_POINTS: &[&str] = &[
    "log.after-cut",
    "log.after-index",
    "log.after-repair",
    "log.after-sync",
    "log.before-recovery",
    "log.before-remove",
    "log.before-repair",
    "log.before-roll",
    "log.before-sync",
    "log.before-write",
    "log.mid-write",
    "ticks.before-merge",
    "ticks.mid-merge",
    "topics.before-create",
    "topics.before-delete",
    "topics.mid-delete",
];
