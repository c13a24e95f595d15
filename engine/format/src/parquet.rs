//! Parquet files: read as batches of the declared columns, written from batches.
//!
//! Columns are found by name and widened to their declared types ([`widen`]); what does not widen is refused with the
//! column's name before the first row. A file is read page by page and written row group by row group, so that one of
//! many gigabytes takes the memory of a few pages.

pub(crate) mod input;
pub(crate) mod read;
pub(crate) mod widen;
pub(crate) mod write;

pub use read::{ParquetReader, infer_parquet};
pub use write::ParquetWriter;
