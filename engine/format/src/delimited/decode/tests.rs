//! Decoding by hand-picked records.

use arrow::array::Array;
use arrow::datatypes::{Field, TimeUnit};
use arrow::util::display::array_value_to_string;

use super::*;
use crate::{ColumnSpec, RecordBuf, RecordSplitter};

fn spec(columns: &[(&str, DataType)]) -> RecordSpec {
    RecordSpec::all_of(columns.iter().map(|(name, t)| ColumnSpec::new(*name, t.clone())).collect())
}

/// One line per record: its values, or `!` and its error; `#` for a header.
fn decode(decoder: &mut DelimitedDecoder, text: &str) -> Vec<String> {
    let mut splitter = RecordSplitter::new(decoder.options.framing(decoder.columns.len()));
    splitter.push(text.as_bytes());
    splitter.finish();
    let Some(records) = splitter.take(usize::MAX, usize::MAX) else { return vec![] };
    let decoded = decoder.decode(records).expect("a header that fits");
    let mut lines = vec!["#".to_owned(); records.len()];
    for row in 0..decoded.rows {
        let value = |c: &arrow::array::ArrayRef| match c.is_null(row) {
            true => "NULL".to_owned(),
            false => array_value_to_string(c, row).expect("a value that can be shown"),
        };
        lines[decoded.record_of(row)] = decoded.columns.iter().map(value).collect::<Vec<_>>().join("|");
    }
    for error in &decoded.errors {
        lines[error.record] = format!("! {error}");
    }
    lines
}

const PLAIN: DelimitedOptions = DelimitedOptions { delimiter: b',', header: false };

#[test]
fn by_position() {
    let columns = [("ID", DataType::Int64), ("NAME", DataType::Utf8), ("PRICE", DataType::Decimal128(10, 2))];
    let mut decoder = DelimitedDecoder::new(spec(&columns), PLAIN).expect("types of text");
    let got = decode(
        &mut decoder,
        "1,a,1.005\r\n2,,\n3,\"\",\"2.5\"\n, b ,  \n4,a\n5,a,1,x,\"y\n\"\nx,a,1\n6,\"a\n7,b,1\n\"8\"x,b,1\n9,\"b\"\"c\", 1 \n",
    );
    let want = [
        "1|a|1.01",
        "2|NULL|NULL",
        "3||2.50",
        "NULL| b |NULL",
        "! expected 3 fields, found 2 (byte 3)",
        "! expected 3 fields, found 5 (byte 12)",
        "! column ID: the text is not a BIGINT (byte 2)",
        // An open quote in record 6 reaches to the one that should have opened a field of record 8.
        "! column NAME: syntax: expected a delimiter behind the closing quote (byte 12)",
        "9|b\"c|1.00",
    ];
    assert_eq!(got, want);
}

#[test]
fn by_name() {
    let columns = [("ID", DataType::Int64), ("Name", DataType::Utf8)];
    let mut decoder = DelimitedDecoder::new(spec(&columns), DelimitedOptions::default()).expect("types of text");
    assert_eq!(
        decode(&mut decoder, "\u{feff}name, other ,id\na,x,1\nb,x\n"),
        ["#", "1|a", "! expected 3 fields, found 2 (byte 3)"]
    );
    assert_eq!(decode(&mut decoder, "id,x,2\n"), ["2|id"]);
    decoder.set_wanted(vec![1]).expect("declared");
    assert_eq!(decode(&mut decoder, "c,x,3\nc,x,y\n"), ["c", "! column ID: the text is not a BIGINT (byte 5)"]);
    decoder.begin_input();
    assert_eq!(decode(&mut decoder, "NAME,Name,ID\nno,yes,5\n"), ["#", "yes"]);
}

#[test]
fn headers_that_do_not_fit() {
    let columns = [("ID", DataType::Int64)];
    let header = |text: &str| {
        let mut decoder = DelimitedDecoder::new(spec(&columns), DelimitedOptions::default()).expect("types of text");
        let buf: RecordBuf = [text.as_bytes()].into_iter().collect();
        decoder.decode(buf.view()).expect_err("a bad header").to_string()
    };
    assert_eq!(header("a,b"), "the file has no column ID; it has a, b");
    assert_eq!(header("id,Id"), "more than one column is called ID");
    assert_eq!(header("ID,ID"), "more than one column is called ID");
    assert_eq!(header("ID,\"x"), "the header line cannot be read: syntax: expected a closing quote");
}

#[test]
fn the_extra_field_is_found_by_name() {
    let mut with_op = spec(&[("ID", DataType::Int64)]);
    with_op.extra = Some("op".to_owned());
    let bad = DelimitedDecoder::new(with_op.clone(), PLAIN);
    assert!(matches!(bad, Err(FormatError::NoHeader { field }) if field == "op"));
    let mut decoder = DelimitedDecoder::new(with_op, DelimitedOptions::default()).expect("types of text");
    assert_eq!(decode(&mut decoder, "OP,ID\nu,1\n,2\n"), ["#", "1|u", "2|NULL"]);
}

#[test]
fn every_type() {
    let list = DataType::List(Arc::new(Field::new("item", DataType::Int64, true)));
    let columns = [
        ("B", DataType::Boolean),
        ("I", DataType::Int32),
        ("D", DataType::Float64),
        ("Y", DataType::Binary),
        ("DAY", DataType::Date32),
        ("T", DataType::Time64(TimeUnit::Microsecond)),
        ("TS", DataType::Timestamp(TimeUnit::Microsecond, None)),
        ("L", list),
    ];
    let options = DelimitedOptions { delimiter: b';', header: false };
    let mut decoder = DelimitedDecoder::new(spec(&columns), options).expect("types of text");
    let got = decode(
        &mut decoder,
        "TRUE;-1;1e3;aGk=;2000-02-29;12:00;2018-09-28 12:00;[1,null]\nfalse;+2; .5 ;;11016;43200000;1538136000000;\"[ 3 ]\"\n\
         ;;;;;;;\n;;;;;;;[1\n;;;;;;;[1]x\nyes;;;;;;;\n\"\";;;;;;;\n",
    );
    assert_eq!(
        got,
        [
            "true|-1|1000.0|6869|2000-02-29|12:00:00|2018-09-28T12:00:00|[1, ]",
            "false|2|0.5|NULL|2000-02-29|12:00:00|2018-09-28T12:00:00|[3]",
            "NULL|NULL|NULL|NULL|NULL|NULL|NULL|NULL",
            "! column L: syntax: expected ',' or ']' (byte 9)",
            "! column L: the text is not a ARRAY (byte 11)",
            "! column B: the text is not a BOOLEAN (byte 4)",
            "! column B: the text is not a BOOLEAN (byte 3)",
        ]
    );
}

#[test]
fn one_column_has_null_lines() {
    let mut decoder = DelimitedDecoder::new(spec(&[("A", DataType::Utf8)]), PLAIN).expect("types of text");
    assert_eq!(decode(&mut decoder, "a\n\n\"\"\nb"), ["a", "NULL", "", "b"]);
}

#[test]
fn delimiters_are_not_syntax() {
    for delimiter in [b'"', b'\n', b'\r', 0xc3] {
        let options = DelimitedOptions { delimiter, header: false };
        let bad = DelimitedDecoder::new(spec(&[("A", DataType::Utf8)]), options);
        assert!(matches!(bad, Err(FormatError::BadDelimiter(d)) if d == delimiter));
    }
    let options = DelimitedOptions { delimiter: b'\t', header: false };
    let columns = [("A", DataType::Utf8), ("B", DataType::Int64)];
    let mut decoder = DelimitedDecoder::new(spec(&columns), options).expect("types of text");
    assert_eq!(decode(&mut decoder, "a,b\t1\n\t\n"), ["a,b|1", "NULL|NULL"]);
}

#[test]
fn broken_utf8_is_an_error_of_its_record() {
    let mut decoder = DelimitedDecoder::new(spec(&[("A", DataType::Utf8)]), PLAIN).expect("types of text");
    let buf: RecordBuf = [&b"\xc3\xa9"[..], b"\xc3", b"b"].into_iter().collect();
    let decoded = decoder.decode(buf.view()).expect("no header");
    assert_eq!((decoded.rows, decoded.kept.as_deref()), (2, Some(&[0, 2][..])));
    assert_eq!(decoded.errors[0].reason, Reason::BadUtf8);
}
