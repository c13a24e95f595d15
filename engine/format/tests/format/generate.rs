//! Random types, and random JSON of these types, with the variety that producers have.

use std::fmt::Write;
use std::sync::Arc;

use arrow::datatypes::{DataType, Field, Fields, TimeUnit};
use millrace_format::{ColumnSpec, RecordSpec, json::write_quoted};
use rand::Rng;
use rand::rngs::SmallRng;
use rand::seq::IndexedRandom;

pub(crate) fn data_type(rng: &mut SmallRng, depth: u32) -> DataType {
    let kinds = if depth == 0 { 10 } else { 13 };
    match rng.random_range(0..kinds) {
        0 => DataType::Boolean,
        1 => DataType::Int32,
        2 => DataType::Int64,
        3 => DataType::Float64,
        4 => {
            let precision = rng.random_range(1..=38_u8);
            DataType::Decimal128(precision, rng.random_range(0..=precision.cast_signed()))
        }
        5 => DataType::Utf8,
        6 => DataType::Binary,
        7 => DataType::Date32,
        8 => DataType::Time64(TimeUnit::Microsecond),
        9 => DataType::Timestamp(TimeUnit::Microsecond, None),
        10 => DataType::List(Arc::new(Field::new("item", data_type(rng, depth - 1), true))),
        11 => {
            let key = data_type(rng, 0);
            let value = data_type(rng, depth - 1);
            let fields = Fields::from(vec![Field::new("key", key, false), Field::new("value", value, true)]);
            DataType::Map(Arc::new(Field::new("entries", DataType::Struct(fields), false)), false)
        }
        _ => {
            let n = rng.random_range(1..4);
            DataType::Struct((0..n).map(|i| Field::new(format!("F{i}"), data_type(rng, depth - 1), true)).collect())
        }
    }
}

pub(crate) fn spec(rng: &mut SmallRng) -> RecordSpec {
    let n = rng.random_range(1..7);
    RecordSpec::all_of((0..n).map(|i| ColumnSpec::new(format!("C{i}"), data_type(rng, 2))).collect())
}

/// A record of the spec's columns: some left out, in any order, with fields that nobody knows.
pub(crate) fn record(rng: &mut SmallRng, spec: &RecordSpec) -> Vec<u8> {
    let mut fields: Vec<String> = Vec::new();
    let shuffled = rng.random_bool(0.2);
    for column in &spec.columns {
        if rng.random_bool(0.1) {
            continue;
        }
        let name = if rng.random_bool(0.1) { column.name.to_lowercase() } else { column.name.clone() };
        let at = if shuffled { rng.random_range(0..=fields.len()) } else { fields.len() };
        fields.insert(at, format!("\"{name}\":{}", value(rng, &column.data_type)));
    }
    if rng.random_bool(0.2) {
        let anything = data_type(rng, 2);
        let at = rng.random_range(0..=fields.len());
        fields.insert(at, format!("\"unknown\":{}", value(rng, &anything)));
    }
    let space = if rng.random_bool(0.2) { " " } else { "" };
    format!("{{{space}{}{space}}}", fields.join(&format!(",{space}"))).into_bytes()
}

/// A JSON text from which a column of the type is read.
pub(crate) fn value(rng: &mut SmallRng, data_type: &DataType) -> String {
    if rng.random_bool(0.1) {
        return "null".to_owned();
    }
    match data_type {
        DataType::List(item) => {
            let n = rng.random_range(0..4);
            let items: Vec<String> = (0..n).map(|_| value(rng, item.data_type())).collect();
            format!("[{}]", items.join(","))
        }
        DataType::Map(entries, _) => {
            let DataType::Struct(fields) = entries.data_type() else { panic!("{entries} has no fields") };
            let n = if rng.random_bool(0.1) { 12 } else { rng.random_range(0..4) };
            let entries: Vec<String> = (0..n)
                .map(|_| format!("{}:{}", key(rng, fields[0].data_type()), value(rng, fields[1].data_type())))
                .collect();
            format!("{{{}}}", entries.join(", "))
        }
        DataType::Struct(fields) => {
            let mut out: Vec<String> = Vec::new();
            for field in fields {
                if rng.random_bool(0.9) {
                    out.push(format!("\"{}\": {}", field.name(), value(rng, field.data_type())));
                }
            }
            format!("{{{}}}", out.join(","))
        }
        _ => scalar(rng, data_type),
    }
}

fn key(rng: &mut SmallRng, data_type: &DataType) -> String {
    let text = scalar(rng, data_type);
    if text.starts_with('"') { text } else { format!("\"{text}\"") }
}

fn scalar(rng: &mut SmallRng, data_type: &DataType) -> String {
    match data_type {
        DataType::Boolean => rng.random_bool(0.5).to_string(),
        DataType::Int32 => (rng.random::<i32>() >> rng.random_range(0..32)).to_string(),
        DataType::Int64 => match rng.random_range(0..10) {
            0 => format!("{}.0", rng.random::<i32>()),
            1 => format!("{}e{}", rng.random::<i16>(), rng.random_range(0..10)),
            _ => (rng.random::<i64>() >> rng.random_range(0..64)).to_string(),
        },
        DataType::Float64 => double(rng),
        DataType::Decimal128(precision, scale) => decimal(rng, *precision, scale.unsigned_abs()),
        DataType::Utf8 => quoted(&text(rng)),
        DataType::Binary => {
            let groups = rng.random_range(0..6);
            let mut out: String = (0..4 * groups)
                .map(|_| {
                    *b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".choose(rng).expect("some")
                })
                .map(char::from)
                .collect();
            out += ["", "QQ==", "QQ", "QUE="].choose(rng).expect("some");
            quoted(&out)
        }
        DataType::Date32 => match rng.random_bool(0.5) {
            true => rng.random_range(-3_000_000..3_000_000).to_string(),
            false => quoted(&date(rng)),
        },
        DataType::Time64(_) => match rng.random_bool(0.5) {
            true => rng.random_range(0..86_400_000).to_string(),
            false => quoted(&time(rng)),
        },
        DataType::Timestamp(_, _) => match rng.random_range(0..3) {
            0 => ((rng.random::<i64>() / 1000) >> rng.random_range(0..60)).to_string(),
            1 => format!("{}.{:03}", rng.random::<i32>(), rng.random_range(0..1000)),
            _ => {
                let zone = ["", "Z", "+02:00", "-1130"].choose(rng).expect("some");
                let between = ["T", " "].choose(rng).expect("some");
                quoted(&format!("{}{between}{}{zone}", date(rng), time(rng)))
            }
        },
        other => panic!("{other} is no scalar"),
    }
}

fn double(rng: &mut SmallRng) -> String {
    match rng.random_range(0..8) {
        0 => quoted(["NaN", "Infinity", "-Infinity"].choose(rng).expect("some")),
        1 => format!("{}", rng.random::<i32>()),
        2 => ["0", "-0", "-0.0", "1e22", "1e-22", "5e-324", "9007199254740993"].choose(rng).expect("some").to_string(),
        3 => format!("{}.{:02}", rng.random_range(-1000..1000), rng.random_range(0..100)),
        4 => format!("{:e}", f64::from_bits(rng.random::<u64>() & !(1 << 62))),
        _ => format!("{:?}", rng.random::<f64>() * 10_f64.powi(rng.random_range(-20..20))),
    }
}

fn decimal(rng: &mut SmallRng, precision: u8, scale: u8) -> String {
    let mut out = if rng.random_bool(0.5) { "-".to_owned() } else { String::new() };
    let whole = precision - scale;
    let n = rng.random_range(0..=whole);
    if n == 0 {
        out.push('0');
    } else {
        let _ = write!(out, "{}", rng.random_range(1..10));
        (1..n).for_each(|_| out.push(char::from(b'0' + rng.random_range(0..10))));
    }
    let n = rng.random_range(0..=scale);
    if n > 0 {
        out.push('.');
        (0..n).for_each(|_| out.push(char::from(b'0' + rng.random_range(0..10))));
    }
    if rng.random_bool(0.3) { quoted(&out) } else { out }
}

fn date(rng: &mut SmallRng) -> String {
    format!("{:04}-{:02}-{:02}", rng.random_range(0..10_000), rng.random_range(1..13), rng.random_range(1..29))
}

fn time(rng: &mut SmallRng) -> String {
    let mut out = format!("{:02}:{:02}", rng.random_range(0..24), rng.random_range(0..60));
    if rng.random_bool(0.9) {
        let _ = write!(out, ":{:02}", rng.random_range(0..60));
        let digits = rng.random_range(0..=6_usize);
        if digits > 0 {
            let fraction = format!("{:06}", rng.random_range(0..1_000_000));
            let _ = write!(out, ".{}", &fraction[..digits]);
        }
    }
    out
}

pub(crate) fn text(rng: &mut SmallRng) -> String {
    const PARTS: &[&str] = &[
        "a",
        "plain",
        " ",
        "\"",
        "\\",
        "\n",
        "\r\n",
        ",",
        "\t",
        "\u{1}",
        "é",
        "😀",
        "\u{feff}",
        "x,y",
        "null",
        "[1]",
        "{",
        "a longer run of plain text",
        "0",
        "'",
        "/",
        "\u{7f}",
        "\u{2028}",
    ];
    let n = rng.random_range(0..6);
    (0..n).map(|_| *PARTS.choose(rng).expect("some")).collect()
}

pub(crate) fn quoted(text: &str) -> String {
    let mut out = Vec::new();
    write_quoted(text.as_bytes(), &mut out);
    String::from_utf8(out).expect("UTF-8")
}

/// The bytes with a few of them changed, left out, doubled, or replaced by syntax.
pub(crate) fn mutate(rng: &mut SmallRng, bytes: &mut Vec<u8>) {
    const PIECES: &[&[u8]] = &[
        b"{",
        b"}",
        b"[",
        b"]",
        b"\"",
        b"\\",
        b",",
        b":",
        b"null",
        b"true",
        b"-",
        b"0",
        b"1e999",
        b".",
        b"\\u",
        b"\\ud800",
        b"\xff",
        b"\xc3",
        b"\n",
        b"\r",
        b" ",
        b"\"C0\":",
        b"\"\"",
        b"\0",
        b"[[[[[[[[",
        b"e",
        b"99999999999999999999",
    ];
    for _ in 0..rng.random_range(1..4) {
        let at = rng.random_range(0..=bytes.len());
        match rng.random_range(0..6) {
            0 if at < bytes.len() => bytes[at] = rng.random(),
            1 if at < bytes.len() => drop(bytes.remove(at)),
            2 => bytes.truncate(at),
            3 => {
                let to = rng.random_range(at..=bytes.len());
                let piece = bytes[at..to].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => {
                let piece = PIECES.choose(rng).expect("some").iter().copied();
                bytes.splice(at..at, piece);
            }
        }
    }
}
