//! Records and their offsets depend on the bytes alone, whatever the chunks and blocks.

use millrace_format::{Framing, RecordSplitter};
use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;

use crate::for_seeds;

fn text(rng: &mut SmallRng) -> Vec<u8> {
    const PIECES: &[&[u8]] =
        &[b"\n", b"\r\n", b"\"", b"\"\"", b",", b"a", b"some text", b"\r", b"\xef\xbb\xbf", b",\"", b"\",", b"\n\n"];
    (0..rng.random_range(0..40)).flat_map(|_| PIECES.choose(rng).expect("some").iter().copied()).collect()
}

fn take_all(splitter: &mut RecordSplitter, rows: usize, bytes: usize, out: &mut Vec<(u64, Vec<u8>)>) {
    while let Some(records) = splitter.take(rows, bytes) {
        assert!(records.len() <= rows && (records.len() == 1 || records.bytes() <= bytes));
        out.extend((0..records.len()).map(|i| (records.offset(i), records.get(i).to_vec())));
    }
}

fn split(rng: &mut SmallRng, framing: Framing, text: &[u8]) -> Vec<(u64, Vec<u8>)> {
    let mut splitter = RecordSplitter::new(framing);
    let mut out = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let (chunk, behind) = rest.split_at(rng.random_range(0..=rest.len()));
        splitter.push(chunk);
        rest = behind;
        if rng.random_bool(0.7) {
            take_all(&mut splitter, rng.random_range(1..5), rng.random_range(0..40), &mut out);
            assert_eq!(
                out.last().map_or(0, |(offset, r)| offset + r.len() as u64).min(splitter.position()),
                out.last().map_or(0, |(offset, r)| offset + r.len() as u64)
            );
        }
    }
    splitter.finish();
    take_all(&mut splitter, 3, 1000, &mut out);
    assert!(splitter.is_done() && splitter.pending_bytes() == 0);
    out
}

#[test]
fn chunks_do_not_matter() {
    for_seeds(10_000, |rng| {
        let text = text(rng);
        for framing in [
            Framing::Lines,
            Framing::Delimited { delimiter: b',', keep_empty: false },
            Framing::Delimited { delimiter: b',', keep_empty: true },
        ] {
            let mut whole = RecordSplitter::new(framing);
            whole.push(&text);
            whole.finish();
            let mut want = Vec::new();
            take_all(&mut whole, usize::MAX, usize::MAX, &mut want);
            let got = split(rng, framing, &text);
            assert_eq!(got, want, "{framing:?} {}", String::from_utf8_lossy(&text));
            // What is no record is line breaks, or the mark.
            let mut at = 0;
            for (offset, record) in &want {
                let offset = *offset as usize;
                assert!(text[at..offset].iter().all(|b| b"\r\n\xef\xbb\xbf".contains(b)));
                assert_eq!(&text[offset..offset + record.len()], record);
                at = offset + record.len();
            }
            assert!(text[at..].iter().all(|b| b"\r\n\xef\xbb\xbf".contains(b)));
        }
    });
}
