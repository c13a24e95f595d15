//! Delimited text: RFC 4180 with any delimiter of one byte, with or without a header line.
//!
//! A field in quotes may hold delimiters, line breaks and quotes (twice). Quotes open a field only at its start; within
//! an unquoted field they are ordinary. An empty field is NULL, an empty one in quotes is the empty text. Numbers, times
//! and booleans may have spaces around them; texts keep theirs. ARRAY, MAP and STRUCT are JSON in a field.

pub(crate) mod decode;
pub(crate) mod encode;
pub(crate) mod fields;

pub use decode::DelimitedDecoder;
pub use encode::{DelimitedEncoder, DelimitedRows};

use crate::error::FormatError;
use crate::split::Framing;

/// How the text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DelimitedOptions {
    /// Between two fields: an ASCII character, not a quote or a line break. Default: a comma.
    pub delimiter: u8,
    /// The first record of each input has the names of the fields. Default: true.
    pub header: bool,
}

impl Default for DelimitedOptions {
    fn default() -> Self {
        DelimitedOptions { delimiter: b',', header: true }
    }
}

impl DelimitedOptions {
    /// How the bytes are to be cut into records of `fields` fields. With one field an empty line is a NULL.
    pub fn framing(&self, fields: usize) -> Framing {
        Framing::Delimited { delimiter: self.delimiter, keep_empty: fields == 1 }
    }

    pub(crate) fn check(&self) -> Result<(), FormatError> {
        match self.delimiter {
            b'"' | b'\n' | b'\r' | 0x80.. => Err(FormatError::BadDelimiter(self.delimiter)),
            _ => Ok(()),
        }
    }
}
