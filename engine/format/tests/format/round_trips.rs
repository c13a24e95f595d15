//! What is written is read back as the same columns, in every format and form.

use std::sync::Arc;

use arrow::array::ArrayRef;
use arrow::datatypes::{Field, Schema};
use arrow::record_batch::RecordBatch;
use millrace_format::{
    Decoded, Decoder, DelimitedDecoder, DelimitedEncoder, DelimitedOptions, Framing, JsonDecoder, JsonEncoder,
    ParquetReader, ParquetWriter, RecordSpec, RecordSplitter, TimeForm,
};
use rand::Rng;
use rand::rngs::SmallRng;

use crate::{decode, for_seeds, generate};

fn columns(rng: &mut SmallRng) -> (RecordSpec, Decoded) {
    let spec = generate::spec(rng);
    let records: Vec<Vec<u8>> = (0..rng.random_range(1..60)).map(|_| generate::record(rng, &spec)).collect();
    let mut decoder = JsonDecoder::new(spec.clone()).expect("types of SQL");
    let decoded = decode(&mut decoder, &records);
    // What is generated is in the range of its type nearly always.
    assert!(decoded.errors.len() * 5 <= records.len().max(20), "{:?}", decoded.errors);
    (spec, decoded)
}

fn names(spec: &RecordSpec) -> impl Iterator<Item = &str> {
    spec.columns.iter().map(|c| c.name.as_str())
}

fn read_back(text: &[u8], framing: Framing, decoder: &mut dyn Decoder) -> Decoded {
    let mut splitter = RecordSplitter::new(framing);
    splitter.push(text);
    splitter.finish();
    let records = splitter.take(usize::MAX, usize::MAX).expect("records");
    let decoded = decoder.decode(records).expect("what was written can be read");
    assert_eq!(decoded.errors, [], "{}", String::from_utf8_lossy(text));
    decoded
}

fn check(got: &[ArrayRef], want: &[ArrayRef]) {
    for (got, want) in got.iter().zip(want) {
        assert_eq!(got, want);
    }
    assert_eq!(got.len(), want.len());
}

#[test]
fn json() {
    for_seeds(1_000, |rng| {
        let (spec, rows) = columns(rng);
        if rows.rows == 0 {
            return;
        }
        for form in [TimeForm::Text, TimeForm::Number] {
            let mut out = Vec::new();
            JsonEncoder::new(names(&spec), form).encode(&rows.columns, &mut out).expect("types of SQL");
            let mut decoder = JsonDecoder::new(spec.clone()).expect("types of SQL");
            check(&read_back(&out, Framing::Lines, &mut decoder).columns, &rows.columns);
        }
    });
}

#[test]
fn delimited() {
    for_seeds(1_000, |rng| {
        let (spec, rows) = columns(rng);
        if rows.rows == 0 {
            return;
        }
        let options = DelimitedOptions {
            delimiter: *b",;\t|-.0a".get(rng.random_range(0..8)).unwrap_or(&b','),
            header: rng.random_bool(0.5),
        };
        for form in [TimeForm::Text, TimeForm::Number] {
            let encoder = DelimitedEncoder::new(names(&spec), options, form).expect("it delimits");
            let mut out = Vec::new();
            if options.header {
                encoder.write_header(&mut out);
            }
            encoder.encode(&rows.columns, &mut out).expect("types of SQL");
            let mut decoder = DelimitedDecoder::new(spec.clone(), options).expect("types of SQL");
            let framing = options.framing(spec.columns.len());
            check(&read_back(&out, framing, &mut decoder).columns, &rows.columns);
        }
    });
}

#[test]
fn parquet() {
    for_seeds(200, |rng| {
        let (spec, rows) = columns(rng);
        let fields = spec.columns.iter().map(|c| Field::new(&c.name, c.data_type.clone(), true));
        let schema = Arc::new(Schema::new(fields.collect::<Vec<_>>()));
        let batch = RecordBatch::try_new(Arc::clone(&schema), rows.columns.clone()).expect("columns of the spec");
        let mut writer = ParquetWriter::new(Vec::new(), schema).expect("types of Parquet");
        writer.write(&batch).expect("memory can be written");
        let file = writer.close().expect("memory can be written");
        let mut reader = ParquetReader::open(std::io::Cursor::new(file), &spec, 1000, 0).expect("what was written");
        if rows.rows == 0 {
            assert!(reader.next().is_none());
            return;
        }
        check(&reader.next().expect("a batch").expect("a whole file").columns, &rows.columns);
        assert!(reader.next().is_none());
    });
}
