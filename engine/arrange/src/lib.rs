//! The state of the engine: multisets of rows with versions, indexed by key, and tables of groups.
//!
//! | room | contract |
//! |---|---|
//! | `layout`, `lanes` | SQL's types as words of a row; Arrow columns as lanes of words |
//! | `segment`, `store`, `gather` | words and bytes of rows; reading, comparing and hashing by id; back to Arrow arrays |
//! | `log` | rows in order of birth, in segments that are recycled; owns headers, knows no chains |
//! | `index` | hash → row, growing without pauses; knows no rows |
//! | `hot` | keys with many rows |
//! | [`Arrangement`] | the multiset: apply a tick, probe and scan as of a tick, forget and clean |
//! | [`trace`] | an arrangement shared by readers: their since, their deltas, their first scan |
//! | [`KeyTable`] | key → dense group id, for aggregates |
//!
//! Everything belongs to one worker, so nothing is locked. Rows lie side by side as words, not by column: a probe
//! touches one or two cache lines a row, whatever the number of columns.

mod arrangement;
mod delta;
mod gather;
mod hot;
mod index;
mod key_table;
mod lanes;
mod layout;
mod log;
mod paged;
mod prefetch;
mod segment;
mod store;
pub mod trace;

pub use arrangement::{Arrangement, Cursor, NullKeys, ReaderId};
pub use delta::{Changes, Delta};
pub use key_table::KeyTable;
pub use trace::{Scan, Trace, TraceReader, TraceWriter};

/// A row of an arrangement. Good until the arrangement is next maintained, or longer: see [`Arrangement`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RowId(u32);
