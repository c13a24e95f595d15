//! Valid JSON means the same to this decoder, to Arrow's own and to serde_json.

use std::sync::Arc;

use arrow::array::{Array, AsArray};
use arrow::datatypes::{DataType, Field, Float64Type, Int64Type, Schema};
use millrace_format::{ColumnSpec, JsonDecoder, RecordSpec};
use rand::Rng;
use rand::rngs::SmallRng;
use serde_json::Value;

use crate::{decode, for_seeds, generate};

/// Types about which all three agree how they are written.
fn common_type(rng: &mut SmallRng, depth: u32) -> DataType {
    match rng.random_range(0..if depth == 0 { 4 } else { 6 }) {
        0 => DataType::Boolean,
        1 => DataType::Int64,
        2 => DataType::Float64,
        3 => DataType::Utf8,
        4 => DataType::List(Arc::new(Field::new("item", common_type(rng, depth - 1), true))),
        _ => {
            let n = rng.random_range(1..4);
            DataType::Struct((0..n).map(|i| Field::new(format!("F{i}"), common_type(rng, depth - 1), true)).collect())
        }
    }
}

fn common_value(rng: &mut SmallRng, data_type: &DataType) -> String {
    if rng.random_bool(0.1) {
        return "null".to_owned();
    }
    match data_type {
        DataType::Boolean => rng.random_bool(0.5).to_string(),
        DataType::Int64 => (rng.random::<i64>() >> rng.random_range(0..64)).to_string(),
        DataType::Float64 => format!("{:?}", (rng.random::<f64>() - 0.5) * 10_f64.powi(rng.random_range(-300..300))),
        DataType::Utf8 => generate::quoted(&generate::text(rng)),
        DataType::List(item) => {
            let items: Vec<String> = (0..rng.random_range(0..4)).map(|_| common_value(rng, item.data_type())).collect();
            format!("[{}]", items.join(" , "))
        }
        DataType::Struct(fields) => {
            let fields = fields.iter().map(|f| format!("\"{}\" :{}", f.name(), common_value(rng, f.data_type())));
            format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
        }
        other => panic!("{other}"),
    }
}

#[test]
fn same_as_arrow() {
    for_seeds(800, |rng| {
        let fields: Vec<Field> =
            (0..rng.random_range(1..6)).map(|i| Field::new(format!("C{i}"), common_type(rng, 2), true)).collect();
        let records: Vec<Vec<u8>> = (0..rng.random_range(1..50))
            .map(|_| {
                let mut values: Vec<String> = Vec::new();
                for field in &fields {
                    if rng.random_bool(0.9) {
                        values.push(format!("\"{}\": {}", field.name(), common_value(rng, field.data_type())));
                    }
                }
                format!("{{{}}}", values.join(", ")).into_bytes()
            })
            .collect();
        let spec =
            RecordSpec::all_of(fields.iter().map(|f| ColumnSpec::new(f.name(), f.data_type().clone())).collect());
        let ours = decode(&mut JsonDecoder::new(spec).expect("types of SQL"), &records);
        assert_eq!(ours.errors, []);
        let schema = Arc::new(Schema::new(fields));
        let mut arrow = arrow_json::ReaderBuilder::new(schema).build_decoder().expect("types of Arrow");
        let text = records.join(&b"\n"[..]);
        assert_eq!(arrow.decode(&text).expect("valid JSON"), text.len());
        let theirs = arrow.flush().expect("valid JSON").expect("rows");
        for (ours, theirs) in ours.columns.iter().zip(theirs.columns()) {
            assert_eq!(ours, theirs);
        }
    });
}

#[test]
fn same_as_serde() {
    let columns = [("I", DataType::Int64), ("F", DataType::Float64), ("S", DataType::Utf8)];
    let spec = RecordSpec::all_of(columns.iter().map(|(n, t)| ColumnSpec::new(*n, t.clone())).collect());
    let mut decoder = JsonDecoder::new(spec).expect("types of SQL");
    for_seeds(800, |rng| {
        let records: Vec<Vec<u8>> = (0..50)
            .map(|_| {
                let values = columns.each_ref().map(|(name, t)| format!("\"{name}\":{}", common_value(rng, t)));
                format!("{{{}}}", values.join(",")).into_bytes()
            })
            .collect();
        let rows = decode(&mut decoder, &records);
        for (i, record) in records.iter().enumerate() {
            let value: Value = serde_json::from_slice(record).expect("valid JSON");
            let (ints, floats) =
                (rows.columns[0].as_primitive::<Int64Type>(), rows.columns[1].as_primitive::<Float64Type>());
            let texts = rows.columns[2].as_string::<i32>();
            assert_eq!(ints.is_valid(i).then(|| ints.value(i)), value["I"].as_i64());
            // Theirs is not always the nearest float.
            let near = |a: f64, b: f64| (a - b).abs() <= b.abs() * 1e-15;
            let float = floats.is_valid(i).then(|| floats.value(i));
            assert_eq!(float.is_some(), value["F"].is_number());
            assert!(float.is_none_or(|float| value["F"].as_f64().is_some_and(|theirs| near(float, theirs))));
            assert_eq!(texts.is_valid(i).then(|| texts.value(i)), value["S"].as_str());
        }
    });
}
