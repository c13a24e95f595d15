//! Files written and read again, and files of other writers' types.

use std::io::Cursor;
use std::sync::Arc;

use arrow::array::{
    Array, AsArray, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Float32Array, Int16Array, Int64Array,
    ListBuilder, MapBuilder, StringArray, StringBuilder, StructArray, Time64MicrosecondArray,
    TimestampMicrosecondArray, TimestampNanosecondArray,
};
use arrow::array::{DurationSecondArray, Int64Builder};
use arrow::datatypes::{Field, Int64Type, Schema, TimeUnit};
use arrow::record_batch::RecordBatch;

use super::*;
use crate::parquet::ParquetWriter;

fn file(columns: Vec<(&str, ArrayRef)>, batches: usize) -> Vec<u8> {
    let rows = RecordBatch::try_from_iter_with_nullable(columns.into_iter().map(|(n, c)| (n, c, true))).expect("rows");
    let mut writer = ParquetWriter::new(Vec::new(), rows.schema()).expect("types of Parquet");
    for _ in 0..batches {
        writer.write(&rows).expect("memory can be written");
    }
    writer.close().expect("memory can be written")
}

fn spec(columns: &[(&str, DataType)]) -> RecordSpec {
    RecordSpec::all_of(columns.iter().map(|(name, t)| ColumnSpec::new(*name, t.clone())).collect())
}

#[test]
fn every_type_comes_back() {
    let mut list = ListBuilder::new(Int64Builder::new());
    list.append_value([Some(1), None]);
    list.append_null();
    let mut map = MapBuilder::new(None, StringBuilder::new(), Int64Builder::new());
    map.keys().append_value("k");
    map.values().append_value(7);
    map.append(true).expect("one key, one value");
    map.append(false).expect("NULL");
    // The builder has names of its own for the entries.
    let map: ArrayRef = Arc::new(map.finish());
    let map = widen(&map, &sql_type(map.data_type()).expect("a map")).expect("it widens");
    let field = Arc::new(Field::new("x", DataType::Int64, true));
    let ids: ArrayRef = Arc::new(Int64Array::from(vec![Some(1), None]));
    let columns: Vec<(&str, ArrayRef)> = vec![
        ("b", Arc::new(BooleanArray::from(vec![Some(true), None]))),
        ("l", Arc::new(Int64Array::from(vec![Some(i64::MIN), None]))),
        ("n", Arc::new(Decimal128Array::from(vec![Some(12345), None]).with_precision_and_scale(38, 2).expect("fits"))),
        ("s", Arc::new(StringArray::from(vec![Some(""), None]))),
        ("y", Arc::new(BinaryArray::from_opt_vec(vec![Some(b"\x00\xff"), None]))),
        ("day", Arc::new(Date32Array::from(vec![Some(-1), None]))),
        ("t", Arc::new(Time64MicrosecondArray::from(vec![Some(1), None]))),
        ("ts", Arc::new(TimestampMicrosecondArray::from(vec![Some(-1), None]))),
        ("list", Arc::new(list.finish())),
        ("map", map),
        ("row", Arc::new(StructArray::from(vec![(field, ids)]))),
    ];
    let bytes = file(columns.clone(), 1);
    let inferred = infer_parquet(Cursor::new(bytes.clone())).expect("types of SQL");
    for (spec, (name, column)) in inferred.iter().zip(&columns) {
        assert_eq!((spec.name.as_str(), &spec.data_type), (*name, column.data_type()));
    }
    let reader =
        ParquetReader::open(Cursor::new(bytes), &RecordSpec::all_of(inferred), 100, 0).expect("it was inferred");
    let batches: Vec<Decoded> = reader.collect::<Result<_, _>>().expect("a whole file");
    assert_eq!((batches.len(), batches[0].rows, &batches[0].kept), (1, 2, &None));
    for (column, (name, want)) in batches[0].columns.iter().zip(&columns) {
        assert_eq!(column, want, "{name}");
    }
}

#[test]
fn wanted_columns_in_any_order_from_any_row() {
    let ids: ArrayRef = Arc::new(Int64Array::from_iter_values(0..1000));
    let small: ArrayRef = Arc::new(Int16Array::from_iter_values(0..1000));
    let floats: ArrayRef = Arc::new(Float32Array::from_iter_values((0..1000).map(|i| i as f32)));
    let ops: ArrayRef = Arc::new(StringArray::from_iter_values((0..1000).map(|i| if i % 2 == 0 { "u" } else { "d" })));
    let bytes = file(vec![("op", ops), ("small", small), ("f", floats), ("Id", ids)], 3);
    let mut spec = spec(&[("ID", DataType::Int64), ("F", DataType::Float64), ("SMALL", DataType::Int64)]);
    spec.wanted = vec![2, 0, 2];
    spec.extra = Some("OP".to_owned());
    let reader = ParquetReader::open(Cursor::new(bytes.clone()), &spec, 700, 1500).expect("all columns are there");
    assert_eq!(reader.rows_total(), 3000);
    let batches: Vec<Decoded> = reader.collect::<Result<_, _>>().expect("a whole file");
    assert_eq!(batches.iter().map(|b| b.rows).collect::<Vec<_>>(), [700, 700, 100]);
    let value = |c: usize| batches[0].columns[c].as_primitive::<Int64Type>().value(1);
    assert_eq!((value(0), value(1), value(2)), (501, 501, 501));
    assert_eq!(batches[0].columns[3].as_string::<i32>().value(1), "d");
    // Nothing but the number of rows.
    let none = RecordSpec { wanted: vec![], extra: None, ..spec };
    let reader = ParquetReader::open(Cursor::new(bytes), &none, 5000, 0).expect("all columns are there");
    assert_eq!(reader.map(|b| b.expect("a whole file").rows).sum::<usize>(), 3000);
}

#[test]
fn columns_that_do_not_fit_are_named() {
    let durations: ArrayRef = Arc::new(DurationSecondArray::from(vec![1]));
    let times: ArrayRef = Arc::new(TimestampNanosecondArray::from(vec![1_500]));
    let bytes = file(vec![("d", durations), ("t", times)], 1);
    let open = |columns: &[(&str, DataType)]| ParquetReader::open(Cursor::new(bytes.clone()), &spec(columns), 10, 0);
    let timestamp = DataType::Timestamp(TimeUnit::Microsecond, None);
    assert!(open(&[("T", timestamp.clone())]).is_ok());
    let error = open(&[("T", timestamp), ("X", DataType::Int64)]).expect_err("no X").to_string();
    assert_eq!(error, "the file has no column X; it has d, t");
    let error = open(&[("T", DataType::Int64)]).expect_err("no number").to_string();
    assert_eq!(error, "column T is Timestamp(ns) in the file, which does not widen to Int64");
    let error = infer_parquet(Cursor::new(bytes.clone())).expect_err("no SQL type").to_string();
    assert!(error.starts_with("SQL has no form for column d of type Duration"), "{error}");
}

#[test]
fn damage_is_an_error() {
    let bytes = file(vec![("a", Arc::new(Int64Array::from_iter_values(0..10_000)))], 1);
    let spec = spec(&[("A", DataType::Int64)]);
    for broken in [&b""[..], b"PAR1", &bytes[..bytes.len() - 1], &bytes[..bytes.len() / 2]] {
        assert!(ParquetReader::open(Cursor::new(broken.to_vec()), &spec, 10, 0).is_err());
        assert!(infer_parquet(Cursor::new(broken.to_vec())).is_err());
    }
    let mut flipped = bytes.clone();
    flipped[4..2000].fill(0xff);
    let reader = ParquetReader::open(Cursor::new(flipped), &spec, 10, 0).expect("the end is whole");
    assert!(reader.take(2000).any(|batch| batch.is_err()));
}

#[test]
fn a_schema_without_rows_is_a_file() {
    let schema = Arc::new(Schema::new(vec![Field::new("a", DataType::Int64, true)]));
    let bytes = ParquetWriter::new(Vec::new(), schema).expect("a type of Parquet").close().expect("memory");
    let spec = spec(&[("a", DataType::Int64)]);
    assert_eq!(ParquetReader::open(Cursor::new(bytes), &spec, 10, 0).expect("a file").count(), 0);
}
