//! Batches come back as they went in, and no changed byte goes unnoticed.

use super::*;

/// Offset, timestamp, key, value, number of headers.
type Row = (u64, i64, Option<Vec<u8>>, Option<Vec<u8>>, usize);

fn all(batch: &Batch<'_>) -> Vec<Row> {
    let owned = |bytes: Option<&[u8]>| bytes.map(<[u8]>::to_vec);
    batch.records().map(|r| (r.offset, r.timestamp_ms, owned(r.key), owned(r.value), r.headers.count())).collect()
}

fn encode(records: &Records, chosen: &[usize]) -> Vec<u8> {
    let mut encoded = Encoded::default();
    let info = BatchInfo { tick: 9, producer: Some(Producer { id: 3, sequence: 4 }) };
    encoded.encode(records, chosen.iter().copied(), info, 77, 1 << 20).unwrap();
    encoded.place(100, 50, 5, 77).1.to_vec()
}

fn decode(bytes: &[u8], from: u64) -> Batch<'_> {
    let header = Header::parse(bytes, 77).unwrap();
    assert_eq!(header.bytes as usize, bytes.len());
    assert!(header.body_matches(&bytes[HEADER_BYTES..], 77));
    Batch::new(header, &bytes[HEADER_BYTES..], from)
}

fn mixed() -> Records {
    let mut records = Records::new();
    records.push(1_000, Some(b"k"), Some(b"value"));
    records.push(-5, None, Some(b""));
    let headers = [("a", Some(b"1".as_slice())), ("a", None), ("", Some(b""))];
    records.push_with_headers(7, Some(b""), None, headers);
    records
}

#[test]
fn records_come_back() {
    let bytes = encode(&mixed(), &[0, 1, 2]);
    let batch = decode(&bytes, 0);
    let some = |bytes: &[u8]| Some(bytes.to_vec());
    let want =
        [(100, 1_000, some(b"k"), some(b"value"), 0), (101, -5, None, some(b""), 0), (102, 7, some(b""), None, 3)];
    assert_eq!(all(&batch), want);
    assert_eq!((batch.info().tick, batch.info().producer.unwrap().sequence), (9, 4));
    let headers: Vec<_> = batch.record(2).headers.collect();
    assert_eq!(headers, [("a", Some(b"1".as_slice())), ("a", None), ("", Some(b"".as_slice()))]);
    // from the middle
    assert_eq!(all(&decode(&bytes, 102)), want[2..]);
    // some of them
    let bytes = encode(&mixed(), &[1]);
    assert_eq!(all(&decode(&bytes, 0)), [(100, -5, None, some(b""), 0)]);
    let bytes = encode(&mixed(), &[0, 2]);
    assert_eq!(decode(&bytes, 0).value(1), None);
    assert_eq!(decode(&bytes, 0).key(1), Some(b"".as_slice()));
}

#[test]
fn times_take_what_they_need() {
    let size = |times: &[i64]| {
        let mut records = Records::new();
        times.iter().for_each(|t| records.push(*t, None, Some(b"")));
        let chosen: Vec<usize> = (0..times.len()).collect();
        let bytes = encode(&records, &chosen);
        let batch = decode(&bytes, 0);
        assert_eq!(batch.records().map(|r| r.timestamp_ms).collect::<Vec<_>>(), times);
        bytes.len() - HEADER_BYTES - 4 * times.len()
    };
    assert_eq!(size(&[8, 8]), 0);
    assert_eq!(size(&[8, 8 + i64::from(u32::MAX)]), 8);
    assert_eq!(size(&[i64::MIN, i64::MAX, 0]), 24);
}

#[test]
fn every_changed_bit_is_noticed() {
    let bytes = encode(&mixed(), &[0, 1, 2]);
    for at in 0..bytes.len() * 8 {
        let mut bytes = bytes.clone();
        bytes[at / 8] ^= 1 << (at % 8);
        let whole = Header::parse(&bytes, 77).is_ok_and(|h| h.body_matches(&bytes[HEADER_BYTES..], 77));
        // the version stands outside of the checksum: another one is told as such
        assert!(!whole, "bit {at}");
    }
    assert_eq!(Header::parse(&bytes, 78), Err(NotABatch::Damaged), "the batch of another log");
}

#[test]
fn too_much_for_one_batch_is_refused() {
    let mut records = Records::new();
    records.push(0, None, Some(&[0; 100]));
    let mut encoded = Encoded::default();
    let bytes = HEADER_BYTES + 4 + 100;
    let mut fits = |max| encoded.encode(&records, 0..1, BatchInfo::default(), 0, max);
    assert_eq!(fits(bytes), Ok(()));
    assert_eq!(fits(bytes - 1), Err(bytes));
}
