//! JSON, one object a record.
//!
//! [`JsonDecoder`] goes from bytes to columns in one pass, without a tree or a tape between; [`JsonEncoder`] goes back.

pub(crate) mod cursor;
pub(crate) mod decode;
pub(crate) mod encode;
pub(crate) mod names;
pub(crate) mod object;
pub(crate) mod value;

pub use decode::JsonDecoder;
pub use encode::{JsonEncoder, JsonRows, write_quoted};
