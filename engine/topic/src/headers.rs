//! The headers of a record: names and values, in order.
//!
//! Encoded one after the other: name bytes (`u32`), name, value bytes (`u32`, all ones for null), value; little endian.

/// A header's value; `None` is null, which is not the empty value.
pub type HeaderValue<'a> = Option<&'a [u8]>;

const NULL: u32 = u32::MAX;

pub(crate) fn encode_header(out: &mut Vec<u8>, name: &str, value: HeaderValue<'_>) {
    // a batch is smaller than 4 GiB, so lengths within it are too; a longer one is refused as a whole
    out.extend_from_slice(&(name.len() as u32).to_le_bytes());
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(&value.map_or(NULL, |v| v.len() as u32).to_le_bytes());
    out.extend_from_slice(value.unwrap_or_default());
}

/// The headers of one record, in order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Headers<'a> {
    bytes: &'a [u8],
}

impl<'a> Headers<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Headers { bytes }
    }
    /// Whether the record has none.
    pub fn is_empty(self) -> bool {
        self.bytes.is_empty()
    }
}

impl<'a> Iterator for Headers<'a> {
    type Item = (&'a str, HeaderValue<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.bytes.is_empty() {
            return None;
        }
        let name = self.take_u32();
        let name = self.take(name);
        let value = match self.take_u32() {
            NULL => None,
            len => Some(self.take(len)),
        };
        // the batch's checksum holds, and names went in as text
        Some((std::str::from_utf8(name).expect("a header's name was written as text"), value))
    }
}

impl<'a> Headers<'a> {
    fn take(&mut self, len: u32) -> &'a [u8] {
        let (taken, rest) = self.bytes.split_at(len as usize);
        self.bytes = rest;
        taken
    }
    fn take_u32(&mut self) -> u32 {
        let (len, rest) = self.bytes.split_first_chunk().expect("a header's length was written whole");
        self.bytes = rest;
        u32::from_le_bytes(*len)
    }
}
