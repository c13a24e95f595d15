//! Every limit of this crate: its unit, its value, its reason.

/// Largest record, in bytes. A longer one is a decode error, and its bytes are passed over without being kept: a file
/// without line breaks must not become one allocation of its own size.
pub const RECORD_BYTES_MAX: usize = 16 << 20;

/// Deepest nesting of arrays and objects in a JSON record, in levels. Bounds the stack; no producer comes near it.
pub const NESTING_LEVELS_MAX: usize = 64;

/// Most bytes that a block of records, or what a splitter holds, may have. Arrow's 32-bit offsets end at 2 GiB, and a
/// column never has more bytes than the block that it came from.
pub const BLOCK_BYTES_MAX: usize = 1 << 30;

/// Spellings of field names that a JSON decoder remembers for one object type. Producers use one spelling; a record
/// with field names made of data must not make the decoder grow.
pub(crate) const SPELLINGS_MAX: usize = 1024;

/// Fields of a record whose order is remembered from one record to the next. Later fields are looked up by name.
pub(crate) const PREDICTED_FIELDS_MAX: usize = 256;

/// Columns that are inferred from a sample. A JSON object with more fields has data in its names.
pub const INFERRED_COLUMNS_MAX: usize = 1600;
