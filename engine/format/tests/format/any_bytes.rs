//! Whatever comes, decoding does not panic, each record gives a row or an error, and neither depends on its neighbours
//! or on which columns are wanted.

use arrow::array::Array;
use millrace_format::{
    Decoded, Decoder, DelimitedDecoder, DelimitedOptions, JsonDecoder, RecordSpec, infer_delimited, infer_json,
};
use rand::Rng;
use rand::rngs::SmallRng;

use crate::{block, decode, for_seeds, generate};

const BLOCKS: u64 = 1_000;
const RECORDS: usize = 100;

fn check_shape(decoded: &Decoded, records: usize) {
    assert_eq!(decoded.rows + decoded.errors.len(), records);
    assert!(decoded.columns.iter().all(|c| c.len() == decoded.rows));
    let mut seen: Vec<usize> = (0..decoded.rows).map(|row| decoded.record_of(row)).collect();
    seen.extend(decoded.errors.iter().map(|e| e.record));
    seen.sort_unstable();
    assert!(seen.into_iter().eq(0..records));
}

/// The same rows and errors one record at a time, and with no column wanted.
fn check_laws(decoder: &mut dyn Decoder, records: &[Vec<u8>]) {
    let whole = decode(decoder, records);
    check_shape(&whole, records.len());
    let (mut row, mut errors) = (0, whole.errors.iter());
    for (i, record) in records.iter().enumerate() {
        let alone = decode(decoder, std::slice::from_ref(record));
        check_shape(&alone, 1);
        match alone.errors.first() {
            Some(error) => {
                let want = errors.next().expect("as many errors");
                assert_eq!(
                    (want.record, want.reason, want.at, &want.column),
                    (i, error.reason, error.at, &error.column)
                );
            }
            None => {
                for (one, all) in alone.columns.iter().zip(&whole.columns) {
                    assert_eq!(one, &all.slice(row, 1), "record {i}: {}", String::from_utf8_lossy(record));
                }
                row += 1;
            }
        }
    }
    let wanted = decoder.spec().wanted.clone();
    decoder.set_wanted(vec![]).expect("nothing is always declared");
    let checked = decode(decoder, records);
    assert_eq!((checked.rows, checked.errors, checked.columns.len()), (whole.rows, whole.errors, 0));
    decoder.set_wanted(wanted).expect("as before");
}

fn json_records(rng: &mut SmallRng, spec: &RecordSpec) -> Vec<Vec<u8>> {
    (0..RECORDS)
        .map(|_| {
            let mut record = generate::record(rng, spec);
            match rng.random_range(0..20) {
                0..4 => {}
                4 => record = (0..rng.random_range(0..40)).map(|_| rng.random()).collect(),
                _ => generate::mutate(rng, &mut record),
            }
            record
        })
        .collect()
}

#[test]
fn json() {
    for_seeds(BLOCKS, |rng| {
        let spec = generate::spec(rng);
        let records = json_records(rng, &spec);
        let mut decoder = JsonDecoder::new(spec).expect("types of SQL");
        check_laws(&mut decoder, &records);
        let _ = infer_json(block(&records).view());
    });
}

/// A record is broken exactly where another parser says so.
#[test]
fn json_syntax() {
    let mut broken = 0;
    for_seeds(BLOCKS, |rng| {
        let spec = generate::spec(rng);
        let records = json_records(rng, &spec);
        let mut decoder = JsonDecoder::new(RecordSpec::default()).expect("no columns");
        let decoded = decode(&mut decoder, &records);
        let mut errors = decoded.errors.iter().peekable();
        for (i, record) in records.iter().enumerate() {
            let error = errors.next_if(|e| e.record == i);
            let theirs = serde_json::from_slice::<serde_json::Value>(record);
            // They read numbers, too, and not all; syntax has no largest one.
            if theirs.as_ref().is_err_and(|e| e.to_string().starts_with("number out of range")) {
                continue;
            }
            let fine = theirs.as_ref().is_ok_and(serde_json::Value::is_object);
            assert_eq!(error.is_none(), fine, "{}: {error:?} {theirs:?}", String::from_utf8_lossy(record));
        }
        broken += decoded.errors.len();
    });
    assert!(broken > 30_000, "{broken}");
}

#[test]
fn delimited() {
    for_seeds(BLOCKS, |rng| {
        let spec = generate::spec(rng);
        let records: Vec<Vec<u8>> = (0..RECORDS)
            .map(|_| {
                let fields: Vec<Vec<u8>> = spec
                    .columns
                    .iter()
                    .map(|column| {
                        let value = generate::value(rng, &column.data_type);
                        match rng.random_range(0..3) {
                            0 => format!("\"{}\"", value.replace('"', "\"\"")).into_bytes(),
                            1 => value.trim_matches('"').as_bytes().to_vec(),
                            _ => vec![],
                        }
                    })
                    .collect();
                let mut record = fields.join(&b","[..]);
                if rng.random_bool(0.7) {
                    generate::mutate(rng, &mut record);
                }
                record
            })
            .collect();
        let options = DelimitedOptions { delimiter: b',', header: false };
        let mut decoder = DelimitedDecoder::new(spec.clone(), options).expect("types of SQL");
        check_laws(&mut decoder, &records);
        let _ = infer_delimited(block(&records).view(), options);
        let mut by_name = DelimitedDecoder::new(spec, DelimitedOptions::default()).expect("types of SQL");
        let _ = by_name.decode(block(&records).view());
    });
}
