//! Records on their way into a log, in columns: what is appended at once.
//!
//! Keys, values and headers of all records lie in one buffer each, with the ends of the single ones beside. A [`Records`]
//! is filled, appended, cleared and filled again; no record is an allocation.

use crate::headers::{HeaderValue, encode_header};

/// Records in the order in which they are to stand.
#[derive(Clone, Debug, Default)]
pub struct Records {
    pub(crate) timestamps_ms: Vec<i64>,
    pub(crate) keys: Cells,
    pub(crate) values: Cells,
    /// Encoded headers of each record; empty where there are none.
    pub(crate) headers: Cells,
}

/// One column of byte strings, any of which may be null.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cells {
    bytes: Vec<u8>,
    ends: Vec<usize>,
    nulls: Vec<bool>,
}

impl Cells {
    fn push(&mut self, value: Option<&[u8]>) {
        self.bytes.extend_from_slice(value.unwrap_or_default());
        self.ends.push(self.bytes.len());
        self.nulls.push(value.is_none());
    }

    pub(crate) fn get(&self, n: usize) -> Option<&[u8]> {
        let start = if n == 0 { 0 } else { self.ends[n - 1] };
        (!self.nulls[n]).then(|| &self.bytes[start..self.ends[n]])
    }

    /// Bytes of the n-th; 0 for a null.
    pub(crate) fn len_of(&self, n: usize) -> usize {
        self.ends[n] - if n == 0 { 0 } else { self.ends[n - 1] }
    }

    pub(crate) fn is_null(&self, n: usize) -> bool {
        self.nulls[n]
    }

    /// The bytes of all, one after the other.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.nulls.clear();
    }
}

impl Records {
    /// None yet.
    pub fn new() -> Self {
        Records::default()
    }

    /// Adds a record. A null `value` is a tombstone: it takes the key's earlier record back.
    pub fn push(&mut self, timestamp_ms: i64, key: Option<&[u8]>, value: Option<&[u8]>) {
        self.push_with_headers(timestamp_ms, key, value, []);
    }

    /// Adds a record with headers: names, which may repeat, and values, which may be null; their order is kept.
    pub fn push_with_headers<'a>(
        &mut self,
        timestamp_ms: i64,
        key: Option<&[u8]>,
        value: Option<&[u8]>,
        headers: impl IntoIterator<Item = (&'a str, HeaderValue<'a>)>,
    ) {
        self.timestamps_ms.push(timestamp_ms);
        self.keys.push(key);
        self.values.push(value);
        headers.into_iter().for_each(|(name, value)| encode_header(&mut self.headers.bytes, name, value));
        self.headers.ends.push(self.headers.bytes.len());
        self.headers.nulls.push(false);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.timestamps_ms.len()
    }
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.timestamps_ms.is_empty()
    }
    /// Bytes of keys, values and headers.
    pub fn bytes(&self) -> usize {
        self.keys.bytes.len() + self.values.bytes.len() + self.headers.bytes.len()
    }

    /// Takes all records out and keeps the memory for the next ones.
    pub fn clear(&mut self) {
        self.timestamps_ms.clear();
        self.keys.clear();
        self.values.clear();
        self.headers.clear();
    }
}
