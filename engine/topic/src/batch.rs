//! A batch of records as it stands in a segment, and reading it without copying.
//!
//! A header of [`HEADER_BYTES`], then columns; integers are little endian. Two checksums (CRC32C, begun with the log's
//! salt, so that a batch of another topic or partition does not match): the header's own, which also covers the body's.
//! So a header alone says where the next one is, and a body is checked without the lock under which offsets are given.
//!
//! | byte | header | |
//! |---:|---|---|
//! | 0 | magic | `D7 4D 52`, then the version, 1 |
//! | 4 | checksum of bytes 8 to 96 | `u32` |
//! | 8 | bytes of the batch, header and all | `u32` |
//! | 12 | checksum of the body | `u32` |
//! | 16 | offset of the first record | `u64` |
//! | 24 | offset up to which the log was durable when this was written | `u64` |
//! | 32 | the engine's tick | `u64` |
//! | 40 | producer, 0 for none | `u64` |
//! | 48 | the producer's sequence | `u64` |
//! | 56 | smallest timestamp, epoch ms | `i64` |
//! | 64 | largest timestamp, epoch ms | `i64` |
//! | 72 | wall clock of the append, epoch ms | `i64` |
//! | 80 | records | `u32` |
//! | 84 | flags | `u32` |
//! | 88 | bytes of all keys | `u32` |
//! | 92 | bytes of all values | `u32` |
//!
//! The body, for *n* records; a part is there if its flag is set: timestamps less the smallest (*n* × `u32`, or `u64` if
//! [`WIDE_TIMES`]; none if [`EQUAL_TIMES`]); ends of the keys (*n* × `u32`, [`KEYS`]) and a bit per null key
//! ([`NULL_KEYS`]); ends of the values (*n* × `u32`) and a bit per tombstone ([`TOMBSTONES`]); ends of the headers
//! (*n* × `u32`, [`HEADERS`]); the bytes of all keys, of all values, of all headers.

use crate::headers::Headers;
use crate::records::{Cells, Records};

pub(crate) const HEADER_BYTES: usize = 96;
pub(crate) const MAGIC: [u8; 4] = [0xD7, b'M', b'R', 1];

const PRODUCER: u32 = 1;
const EQUAL_TIMES: u32 = 2;
const WIDE_TIMES: u32 = 4;
const KEYS: u32 = 8;
const NULL_KEYS: u32 = 16;
const TOMBSTONES: u32 = 32;
const HEADERS: u32 = 64;

/// What a batch says besides its records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BatchInfo {
    /// The tick of the engine that the batch belongs to, 0 if none.
    pub tick: u64,
    /// Who sends it, so that a repetition is known.
    pub producer: Option<Producer>,
}

/// The sender of a batch and the batch's place among the sender's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Producer {
    /// Chosen by the sender, not 0.
    pub id: u64,
    /// Grows from batch to batch; may jump.
    pub sequence: u64,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) bytes: u32,
    pub(crate) body_crc: u32,
    pub(crate) base_offset: u64,
    pub(crate) durable: u64,
    pub(crate) info: BatchInfo,
    pub(crate) timestamp_min_ms: i64,
    pub(crate) timestamp_max_ms: i64,
    pub(crate) appended_ms: i64,
    pub(crate) records: u32,
    flags: u32,
    key_bytes: u32,
    value_bytes: u32,
}

/// Why bytes are not a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NotABatch {
    /// They are none, or damaged.
    Damaged,
    /// They are of a version that is not known here.
    Newer,
}

impl Header {
    pub(crate) fn next_offset(&self) -> u64 {
        self.base_offset + u64::from(self.records)
    }

    /// Reads a header; its own checksum is checked, the body's is not.
    pub(crate) fn parse(bytes: &[u8], salt: u32) -> Result<Header, NotABatch> {
        let header: &[u8; HEADER_BYTES] = bytes.first_chunk().ok_or(NotABatch::Damaged)?;
        if header[..3] != MAGIC[..3] || u32_at(header, 4) != crc32c::crc32c_append(salt, &header[8..]) {
            return Err(NotABatch::Damaged);
        }
        if header[3] != MAGIC[3] {
            return Err(NotABatch::Newer);
        }
        let flags = u32_at(header, 84);
        let producer = Producer { id: u64_at(header, 40), sequence: u64_at(header, 48) };
        let parsed = Header {
            bytes: u32_at(header, 8),
            body_crc: u32_at(header, 12),
            base_offset: u64_at(header, 16),
            durable: u64_at(header, 24),
            info: BatchInfo { tick: u64_at(header, 32), producer: (flags & PRODUCER != 0).then_some(producer) },
            timestamp_min_ms: u64_at(header, 56) as i64,
            timestamp_max_ms: u64_at(header, 64) as i64,
            appended_ms: u64_at(header, 72) as i64,
            records: u32_at(header, 80),
            flags,
            key_bytes: u32_at(header, 88),
            value_bytes: u32_at(header, 92),
        };
        let least = HEADER_BYTES as u64 + parsed.columns_bytes() + parsed.data_bytes();
        if u64::from(parsed.bytes) < least { Err(NotABatch::Damaged) } else { Ok(parsed) }
    }

    pub(crate) fn body_matches(&self, body: &[u8], salt: u32) -> bool {
        crc32c::crc32c_append(salt, body) == self.body_crc
    }

    fn write(&self, out: &mut [u8; HEADER_BYTES], salt: u32) {
        let producer = self.info.producer.unwrap_or(Producer { id: 0, sequence: 0 });
        out[..4].copy_from_slice(&MAGIC);
        out[8..12].copy_from_slice(&self.bytes.to_le_bytes());
        out[12..16].copy_from_slice(&self.body_crc.to_le_bytes());
        let words = [
            self.base_offset,
            self.durable,
            self.info.tick,
            producer.id,
            producer.sequence,
            self.timestamp_min_ms as u64,
            self.timestamp_max_ms as u64,
            self.appended_ms as u64,
        ];
        for (n, word) in words.iter().enumerate() {
            out[16 + 8 * n..24 + 8 * n].copy_from_slice(&word.to_le_bytes());
        }
        for (n, word) in [self.records, self.flags, self.key_bytes, self.value_bytes].iter().enumerate() {
            out[80 + 4 * n..84 + 4 * n].copy_from_slice(&word.to_le_bytes());
        }
        let crc = crc32c::crc32c_append(salt, &out[8..]);
        out[4..8].copy_from_slice(&crc.to_le_bytes());
    }

    fn time_bytes(&self) -> u64 {
        match self.flags & (EQUAL_TIMES | WIDE_TIMES) {
            0 => 4,
            WIDE_TIMES => 8,
            _ => 0,
        }
    }

    /// Bytes of the columns that have one entry per record.
    fn columns_bytes(&self) -> u64 {
        let n = u64::from(self.records);
        let ends = 4 * (1 + u64::from(self.flags & KEYS != 0) + u64::from(self.flags & HEADERS != 0));
        let bits = u64::from(self.flags & NULL_KEYS != 0) + u64::from(self.flags & TOMBSTONES != 0);
        n * (self.time_bytes() + ends) + n.div_ceil(8) * bits
    }

    fn data_bytes(&self) -> u64 {
        u64::from(self.key_bytes) + u64::from(self.value_bytes)
    }
}

/// A batch that is ready but for what its place in the log decides.
#[derive(Debug, Default)]
pub(crate) struct Encoded {
    bytes: Vec<u8>,
    header: Option<Header>,
}

impl Encoded {
    /// Encodes the records at `chosen`, at least one, in that order. `None` if they need more than `bytes_max`, with how
    /// many they need.
    pub(crate) fn encode(
        &mut self,
        records: &Records,
        chosen: impl Iterator<Item = usize> + Clone,
        info: BatchInfo,
        salt: u32,
        bytes_max: usize,
    ) -> Result<(), usize> {
        let mut header = header_of(records, chosen.clone(), info);
        let sum = |cells: &Cells| chosen.clone().map(|n| cells.len_of(n)).sum::<usize>();
        let (keys, values, headers) = (sum(&records.keys), sum(&records.values), sum(&records.headers));
        let bytes = HEADER_BYTES + header.columns_bytes() as usize + keys + values + headers;
        if bytes > bytes_max.min(u32::MAX as usize) {
            return Err(bytes);
        }
        (header.bytes, header.key_bytes, header.value_bytes) = (bytes as u32, keys as u32, values as u32);
        self.bytes.clear();
        self.bytes.resize(HEADER_BYTES, 0);
        encode_body(&mut self.bytes, &header, records, chosen);
        assert_eq!(self.bytes.len(), bytes, "a batch has the size that was computed for it");
        header.body_crc = crc32c::crc32c_append(salt, &self.bytes[HEADER_BYTES..]);
        self.header = Some(header);
        Ok(())
    }

    /// Gives the batch its place, and returns its header and all of its bytes.
    pub(crate) fn place(&mut self, base_offset: u64, durable: u64, appended_ms: i64, salt: u32) -> (Header, &[u8]) {
        let header = self.header.as_mut().expect("a batch is encoded before it is placed");
        (header.base_offset, header.durable, header.appended_ms) = (base_offset, durable, appended_ms);
        let out = self.bytes.first_chunk_mut().expect("an encoded batch has a header");
        header.write(out, salt);
        (*header, &self.bytes)
    }

    pub(crate) fn bytes(&self) -> u64 {
        self.bytes.len() as u64
    }
    pub(crate) fn info(&self) -> BatchInfo {
        self.header.map_or(BatchInfo::default(), |header| header.info)
    }
}

fn header_of(records: &Records, chosen: impl Iterator<Item = usize> + Clone, info: BatchInfo) -> Header {
    let (mut n, mut min, mut max) = (0u32, i64::MAX, i64::MIN);
    let mut flags = if info.producer.is_some() { PRODUCER } else { 0 };
    let (mut with_key, mut without_key) = (false, false);
    for at in chosen {
        n += 1;
        (min, max) = (min.min(records.timestamps_ms[at]), max.max(records.timestamps_ms[at]));
        with_key |= !records.keys.is_null(at);
        without_key |= records.keys.is_null(at);
        flags |= if records.values.is_null(at) { TOMBSTONES } else { 0 };
        flags |= if records.headers.len_of(at) > 0 { HEADERS } else { 0 };
    }
    flags |= match max.wrapping_sub(min) as u64 {
        0 => EQUAL_TIMES,
        span if span > u64::from(u32::MAX) => WIDE_TIMES,
        _ => 0,
    };
    flags |= if with_key { KEYS } else { 0 } | if with_key && without_key { NULL_KEYS } else { 0 };
    Header {
        bytes: 0,
        body_crc: 0,
        base_offset: 0,
        durable: 0,
        info,
        timestamp_min_ms: min,
        timestamp_max_ms: max,
        appended_ms: 0,
        records: n,
        flags,
        key_bytes: 0,
        value_bytes: 0,
    }
}

fn encode_body(out: &mut Vec<u8>, header: &Header, records: &Records, chosen: impl Iterator<Item = usize> + Clone) {
    let since = |at: usize| records.timestamps_ms[at].wrapping_sub(header.timestamp_min_ms) as u64;
    match header.time_bytes() {
        4 => chosen.clone().for_each(|at| out.extend_from_slice(&(since(at) as u32).to_le_bytes())),
        8 => chosen.clone().for_each(|at| out.extend_from_slice(&since(at).to_le_bytes())),
        _ => {}
    }
    let columns = [
        (&records.keys, header.flags & KEYS != 0, header.flags & NULL_KEYS != 0),
        (&records.values, true, header.flags & TOMBSTONES != 0),
        (&records.headers, header.flags & HEADERS != 0, false),
    ];
    for (cells, _, nulls) in columns.iter().filter(|(_, there, _)| *there) {
        let mut end = 0u32;
        for at in chosen.clone() {
            end += cells.len_of(at) as u32;
            out.extend_from_slice(&end.to_le_bytes());
        }
        if *nulls {
            let start = out.len();
            out.resize(start + (header.records as usize).div_ceil(8), 0);
            for (n, at) in chosen.clone().enumerate() {
                out[start + n / 8] |= u8::from(cells.is_null(at)) << (n % 8);
            }
        }
    }
    let all = header.records as usize == records.len();
    for (cells, ..) in columns.iter().filter(|(_, there, _)| *there) {
        if all {
            // chosen in order, so the column can be taken as it is
            out.extend_from_slice(cells.bytes());
        } else {
            chosen.clone().for_each(|at| out.extend_from_slice(cells.get(at).unwrap_or_default()));
        }
    }
}

/// Records of a log, borrowed from the reader that found them.
#[derive(Clone, Copy)]
pub struct Batch<'a> {
    header: Header,
    /// Records before this one were not asked for.
    first: usize,
    times: &'a [u8],
    keys: Column<'a>,
    values: Column<'a>,
    headers: Column<'a>,
}

/// One column of byte strings of a batch.
#[derive(Clone, Copy, Default)]
struct Column<'a> {
    ends: &'a [u8],
    nulls: &'a [u8],
    bytes: &'a [u8],
}

impl<'a> Column<'a> {
    fn get(&self, n: usize) -> Option<&'a [u8]> {
        let is_null = self.nulls.get(n / 8).is_some_and(|bits| bits >> (n % 8) & 1 == 1);
        if is_null || self.ends.is_empty() {
            return None;
        }
        let start = if n == 0 { 0 } else { u32_at(self.ends, 4 * (n - 1)) };
        Some(&self.bytes[start as usize..u32_at(self.ends, 4 * n) as usize])
    }
}

/// One record of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Record<'a> {
    /// Its place in the partition.
    pub offset: u64,
    /// Its own time, epoch ms.
    pub timestamp_ms: i64,
    /// Its key, if it has one.
    pub key: Option<&'a [u8]>,
    /// Its value; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// Its headers.
    pub headers: Headers<'a>,
}

impl<'a> Batch<'a> {
    /// The batch whose body, checked, is `body`; records before offset `from` are left out.
    pub(crate) fn new(header: Header, body: &'a [u8], from: u64) -> Self {
        let n = header.records as usize;
        let mut rest = body;
        let mut take = |there: bool, bytes: usize| -> &'a [u8] {
            let (taken, behind) = rest.split_at(if there { bytes } else { 0 });
            rest = behind;
            taken
        };
        let has = |flag: u32| header.flags & flag != 0;
        let times = take(true, n * header.time_bytes() as usize);
        let (key_ends, key_nulls) = (take(has(KEYS), 4 * n), take(has(NULL_KEYS), n.div_ceil(8)));
        let (value_ends, value_nulls) = (take(true, 4 * n), take(has(TOMBSTONES), n.div_ceil(8)));
        let header_ends = take(has(HEADERS), 4 * n);
        let (keys, values) = (take(true, header.key_bytes as usize), take(true, header.value_bytes as usize));
        Batch {
            header,
            first: from.saturating_sub(header.base_offset) as usize,
            times,
            keys: Column { ends: key_ends, nulls: key_nulls, bytes: keys },
            values: Column { ends: value_ends, nulls: value_nulls, bytes: values },
            headers: Column { ends: header_ends, nulls: &[], bytes: rest },
        }
    }

    /// How many records.
    pub fn len(&self) -> usize {
        self.header.records as usize - self.first
    }
    /// Never: a batch has records.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// The offset of the first record.
    pub fn base_offset(&self) -> u64 {
        self.header.base_offset + self.first as u64
    }
    /// The offset after the last record.
    pub fn next_offset(&self) -> u64 {
        self.header.next_offset()
    }
    /// Its tick and its producer.
    pub fn info(&self) -> BatchInfo {
        self.header.info
    }
    /// The wall clock when it was appended, epoch ms.
    pub fn appended_ms(&self) -> i64 {
        self.header.appended_ms
    }

    /// The n-th record.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn record(&self, n: usize) -> Record<'a> {
        Record {
            offset: self.base_offset() + n as u64,
            timestamp_ms: self.timestamp_ms(n),
            key: self.key(n),
            value: self.value(n),
            headers: Headers::new(self.headers.get(n + self.first).unwrap_or_default()),
        }
    }
    /// The records, in order.
    pub fn records(&self) -> impl ExactSizeIterator<Item = Record<'a>> + '_ {
        (0..self.len()).map(|n| self.record(n))
    }
    /// The key of the n-th record, if it has one.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn key(&self, n: usize) -> Option<&'a [u8]> {
        self.keys.get(n + self.first)
    }
    /// The value of the n-th record; `None` is a tombstone.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn value(&self, n: usize) -> Option<&'a [u8]> {
        self.values.get(n + self.first)
    }
    /// The timestamp of the n-th record, epoch ms.
    ///
    /// # Panics
    /// If there are not so many.
    pub fn timestamp_ms(&self, n: usize) -> i64 {
        let n = n + self.first;
        let since = match self.header.time_bytes() {
            4 => u64::from(u32_at(self.times, 4 * n)),
            8 => u64_at(self.times, 8 * n),
            _ => 0,
        };
        self.header.timestamp_min_ms.wrapping_add(since as i64)
    }
}

impl std::fmt::Debug for Batch<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Batch").field("offsets", &(self.base_offset()..self.next_offset())).finish_non_exhaustive()
    }
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().expect("eight bytes"))
}

#[cfg(test)]
mod tests;
