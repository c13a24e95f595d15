//! Decoding by hand-picked records: every type, every coercion, every way to be broken.

use arrow::array::{Array, ArrayRef};
use arrow::datatypes::{Field, Fields, TimeUnit};
use arrow::util::display::array_value_to_string;

use super::*;
use crate::error::{Found, SqlType};
use crate::limits::NESTING_LEVELS_MAX;
use crate::{ColumnSpec, RecordBuf};

fn timestamp() -> DataType {
    DataType::Timestamp(TimeUnit::Microsecond, None)
}

fn list(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("item", item, true)))
}

fn map(key: DataType, value: DataType) -> DataType {
    let fields = Fields::from(vec![Field::new("key", key, false), Field::new("value", value, true)]);
    DataType::Map(Arc::new(Field::new("entries", DataType::Struct(fields), false)), false)
}

fn structure(fields: &[(&str, DataType)]) -> DataType {
    DataType::Struct(fields.iter().map(|(name, t)| Field::new(*name, t.clone(), true)).collect())
}

fn spec(columns: &[(&str, DataType)]) -> RecordSpec {
    RecordSpec::all_of(columns.iter().map(|(name, t)| ColumnSpec::new(*name, t.clone())).collect())
}

fn text_of(column: &ArrayRef, row: usize) -> String {
    if column.is_null(row) {
        return "NULL".to_owned();
    }
    array_value_to_string(column, row).expect("a value that can be shown")
}

/// One line per record: its values, or `!` and its error.
fn decode(decoder: &mut dyn Decoder, records: &[&str]) -> Vec<String> {
    let buf: RecordBuf = records.iter().map(|r| r.as_bytes()).collect();
    let decoded = decoder.decode(buf.view()).expect("a spec that fits");
    let mut lines = vec![String::new(); records.len()];
    for row in 0..decoded.rows {
        let values: Vec<String> = decoded.columns.iter().map(|c| text_of(c, row)).collect();
        lines[decoded.record_of(row)] = values.join("|");
    }
    for error in &decoded.errors {
        lines[error.record] = format!("! {error}");
    }
    lines
}

/// The one column `A` of this type, from `{"A": value}`.
fn check_values(data_type: &DataType, cases: &[(&str, &str)]) {
    let mut decoder = JsonDecoder::new(spec(&[("A", data_type.clone())])).expect("a type of JSON");
    let records: Vec<String> = cases.iter().map(|(value, _)| format!("{{\"A\":{value}}}")).collect();
    let records: Vec<&str> = records.iter().map(String::as_str).collect();
    let got = decode(&mut decoder, &records);
    for ((value, want), got) in cases.iter().zip(got) {
        let got = got.strip_prefix("! column A: ").map_or(got.clone(), |e| format!("! {e}"));
        assert_eq!(&got, want, "{data_type} from {value}");
    }
}

#[test]
fn scalars() {
    check_values(
        &DataType::Boolean,
        &[
            ("true", "true"),
            ("false", "false"),
            ("null", "NULL"),
            ("\"true\"", "! expected BOOLEAN, found a text (byte 5)"),
            ("1", "! expected BOOLEAN, found a number (byte 5)"),
            ("tru", "! syntax: expected a value (byte 5)"),
        ],
    );
    check_values(
        &DataType::Int32,
        &[
            ("2147483647", "2147483647"),
            ("2147483648", "! out of range for INT (byte 15)"),
            ("-1e1", "-10"),
            ("1.5", "! a number with a fraction is not a INT (byte 8)"),
            ("\"1\"", "! expected INT, found a text (byte 5)"),
            ("[1]", "! expected INT, found an array (byte 5)"),
        ],
    );
    check_values(
        &DataType::Int64,
        &[
            ("9223372036854775807", "9223372036854775807"),
            ("-9223372036854775808", "-9223372036854775808"),
            ("9223372036854775808", "! out of range for BIGINT (byte 24)"),
            (" 5.0 ", "5"),
            ("1e3", "1000"),
            ("5.5", "! a number with a fraction is not a BIGINT (byte 8)"),
            ("01", "! syntax: expected a number without leading zeros (byte 5)"),
            ("1x", "! syntax: expected ',' or '}' (byte 6)"),
            ("-", "! syntax: expected a digit (byte 6)"),
            ("{}", "! expected BIGINT, found an object (byte 5)"),
            ("NaN", "! syntax: expected a value (byte 5)"),
        ],
    );
    check_values(
        &DataType::Float64,
        &[
            ("1", "1.0"),
            ("-0.0", "0.0"),
            ("0.1", "0.1"),
            ("1e400", "! out of range for DOUBLE (byte 10)"),
            ("\"NaN\"", "NaN"),
            ("\"-Infinity\"", "-inf"),
            ("\"1\"", "! expected DOUBLE, found a text (byte 8)"),
            ("true", "! expected DOUBLE, found a boolean (byte 5)"),
        ],
    );
    check_values(
        &DataType::Decimal128(6, 2),
        &[
            ("1234.565", "1234.57"),
            ("-1234.565", "-1234.57"),
            ("\"1234.5\"", "1234.50"),
            ("\"+.5\"", "0.50"),
            ("9999.995", "! out of range for DECIMAL (byte 13)"),
            ("\"12,5\"", "! the text is not a DECIMAL (byte 11)"),
            ("false", "! expected DECIMAL, found a boolean (byte 5)"),
        ],
    );
}

#[test]
fn texts() {
    check_values(
        &DataType::Utf8,
        &[
            ("\"\"", ""),
            ("\"plain\"", "plain"),
            ("\"exactly sixteen.\"", "exactly sixteen."),
            ("\"more than the sixteen bytes of one copy\"", "more than the sixteen bytes of one copy"),
            ("\"Zoë 😀\"", "Zoë 😀"),
            (r#""a\"b\\c\/d\n\u00e9\ud83d\ude00""#, "a\"b\\c/d\né😀"),
            ("1.50", "1.50"),
            ("true", "true"),
            ("{ \"a b\" : [ 1, \"x\\\" y\" ] }", "{\"a b\":[1,\"x\\\" y\"]}"),
            ("[", "! syntax: expected a value (byte 6)"),
            ("\"\\ud800\"", "! syntax: expected a pair of surrogates (byte 6)"),
            ("\"open", "! syntax: expected a closing quote (byte 11)"),
            ("null", "NULL"),
        ],
    );
    check_values(
        &DataType::Binary,
        &[
            ("\"aGk=\"", "6869"),
            ("\"\"", ""),
            ("\"a*\"", "! the text is not a BYTES (byte 9)"),
            ("1", "! expected BYTES, found a number (byte 5)"),
        ],
    );
}

#[test]
fn times() {
    check_values(
        &timestamp(),
        &[
            ("1538136000000", "2018-09-28T12:00:00"),
            ("1538136000000.25", "2018-09-28T12:00:00.000250"),
            ("\"2018-09-28T12:00:00.000\"", "2018-09-28T12:00:00"),
            ("\"2018-09-28 14:00:00+02:00\"", "2018-09-28T12:00:00"),
            ("\"yesterday\"", "! the text is not a TIMESTAMP (byte 16)"),
            ("1e300", "! out of range for TIMESTAMP (byte 10)"),
            ("[]", "! expected TIMESTAMP, found an array (byte 5)"),
        ],
    );
    check_values(&DataType::Date32, &[("11016", "2000-02-29"), ("\"2000-02-29\"", "2000-02-29")]);
    check_values(
        &DataType::Time64(TimeUnit::Microsecond),
        &[("43200001", "12:00:00.001"), ("\"12:00\"", "12:00:00"), ("86400000", "! out of range for TIME (byte 13)")],
    );
}

#[test]
fn nested() {
    check_values(
        &list(DataType::Int64),
        &[
            ("[]", "[]"),
            ("[ 1 , null,3 ]", "[1, , 3]"),
            ("[1,\"x\"]", "! expected BIGINT, found a text (byte 8)"),
            ("[4]", "[4]"),
            ("[1,]", "! syntax: expected a value (byte 8)"),
            ("{}", "! expected ARRAY, found an object (byte 5)"),
            ("[5]", "[5]"),
        ],
    );
    check_values(&list(list(DataType::Utf8)), &[("[[\"a\"],null,[]]", "[[a], , []]")]);
    check_values(
        &map(DataType::Utf8, DataType::Int64),
        &[
            ("{}", "{}"),
            ("{\"a\":1,\"b\":null}", "{a: 1, b: }"),
            ("{\"a\":1,\"b\":2,\"a\":3}", "{a: 3, b: 2}"),
            ("{\"a\":1,\"\\u0061\":3}", "{a: 3}"),
            ("{\"a\":x}", "! syntax: expected a value (byte 10)"),
            ("{\"c\":4}", "{c: 4}"),
            (
                "{\"a\":1,\"b\":2,\"c\":3,\"d\":4,\"e\":5,\"f\":6,\"g\":7,\"h\":8,\"i\":9,\"c\":10}",
                "{a: 1, b: 2, c: 10, d: 4, e: 5, f: 6, g: 7, h: 8, i: 9}",
            ),
        ],
    );
    check_values(
        &map(DataType::Int32, DataType::Boolean),
        &[("{\"1\":true,\"1.0\":false}", "{1: false}"), ("{\"x\":true}", "! the text is not a INT (byte 10)")],
    );
    check_values(
        &structure(&[("X", DataType::Int64), ("Y", list(DataType::Utf8))]),
        &[
            ("{\"x\":1,\"Y\":[\"a\"]}", "{X: 1, Y: [a]}"),
            ("{\"Y\":[]}", "{X: , Y: []}"),
            ("null", "NULL"),
            ("{\"Y\":[\"a\"],\"X\":true}", "! expected BIGINT, found a boolean (byte 20)"),
            ("{\"X\":1,\"Y\":[\"a\"],\"Y\":[\"b\"],\"x\":2}", "{X: 1, Y: [b]}"),
            ("{}", "{X: , Y: }"),
        ],
    );
}

#[test]
fn fields_and_names() {
    let mut decoder =
        JsonDecoder::new(spec(&[("ID", DataType::Int64), ("Name", DataType::Utf8)])).expect("types of JSON");
    let got = decode(
        &mut decoder,
        &[
            r#"{"ID":1,"Name":"a"}"#,
            r#"{"id":2,"NAME":"b"}"#,
            r#"{"Name":"c","ID":3}"#,
            r#"{ "ID" : 4 , "Name" : "d" }"#,
            r#"{}"#,
            r#" { } "#,
            r#"{"other":{"deep":[1,"]",{}]},"ID":5}"#,
            r#"{"ID":6,"ID":7,"Name":"x","Name":"y"}"#,
            r#"{"ID":8,"id":9}"#,
            r#"{"id":9,"ID":8,"iD":10}"#,
            r#"{"id":9,"Id":10}"#,
            r#"{"\u0049D":11}"#,
            r#"{"ID":12,"Name":"a"} x"#,
            r#"{"ID":12,"Name":"a"},"#,
            r#"{"ID":12 "Name":"a"}"#,
            r#"{"ID":12,"Name":"a""#,
            r#"{"ID" 12}"#,
            r#"{ID:12}"#,
            r#"[]"#,
            "",
            "null",
            r#"{"ID":13,"Name":"z"}"#,
        ],
    );
    let want = [
        "1|a",
        "2|b",
        "3|c",
        "4|d",
        "NULL|NULL",
        "NULL|NULL",
        "5|NULL",
        "7|y",
        "8|NULL",
        "8|NULL",
        "10|NULL",
        "11|NULL",
        "! syntax: expected the end of the record (byte 21)",
        "! syntax: expected the end of the record (byte 20)",
        "! syntax: expected ',' or '}' (byte 9)",
        "! syntax: expected ',' or '}' (byte 19)",
        "! syntax: expected ':' (byte 6)",
        "! syntax: expected a field name in quotes (byte 1)",
        "! syntax: expected an object (byte 0)",
        "! syntax: expected an object (byte 0)",
        "! syntax: expected an object (byte 0)",
        "13|z",
    ];
    assert_eq!(got, want);
}

#[test]
fn names_that_differ_in_case_only() {
    let mut decoder = JsonDecoder::new(spec(&[("a", DataType::Int64), ("A", DataType::Int64), ("É", DataType::Int64)]))
        .expect("types of JSON");
    let got = decode(&mut decoder, &[r#"{"a":1,"A":2,"é":3}"#, r#"{"A":2}"#, r#"{"é":1,"É":2}"#]);
    assert_eq!(got, ["1|2|3", "NULL|2|NULL", "NULL|NULL|2"]);
}

#[test]
fn a_record_without_what_others_have_is_foreseen_too() {
    let columns: Vec<(String, DataType)> = (0..8).map(|i| (format!("field_{i}"), DataType::Int64)).collect();
    let columns: Vec<(&str, DataType)> = columns.iter().map(|(n, t)| (n.as_str(), t.clone())).collect();
    let mut decoder = JsonDecoder::new(spec(&columns)).expect("types of JSON");
    let record = |left_out: u32| {
        let fields = (0..8).filter(|i| left_out >> i & 1 == 0).map(|i| format!("\"field_{i}\":{i}"));
        format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
    };
    let records: Vec<String> = (0..256).map(record).collect();
    let got = decode(&mut decoder, &records.iter().map(String::as_str).collect::<Vec<_>>());
    for (left_out, got) in (0_u32..).zip(got) {
        let want = (0..8).map(|i| if left_out >> i & 1 == 0 { i.to_string() } else { "NULL".to_owned() });
        assert_eq!(got, want.collect::<Vec<_>>().join("|"));
    }
}

#[test]
fn all_are_checked_and_some_are_given() {
    let columns = [("A", DataType::Int64), ("B", DataType::Utf8), ("C", list(DataType::Int64))];
    let mut spec = spec(&columns);
    spec.wanted = vec![0];
    spec.extra = Some("op".to_owned());
    let mut decoder = JsonDecoder::new(spec).expect("types of JSON");
    let records = [r#"{"A":1,"B":"x","op":"u"}"#, r#"{"A":2,"B":"\q"}"#, r#"{"A":3,"C":[true]}"#, r#"{"A":4,"OP":7}"#];
    let got = decode(&mut decoder, &records);
    let bad_b = "! column B: syntax: expected an escape sequence (byte 12)";
    let bad_c = "! column C: expected BIGINT, found a boolean (byte 12)";
    assert_eq!(got, ["1|u", bad_b, bad_c, "4|7"]);
    decoder.set_wanted(vec![2, 1, 2]).expect("declared columns");
    assert_eq!(decode(&mut decoder, &records), ["NULL|x|NULL|u", bad_b, bad_c, "NULL|NULL|NULL|7"]);
    assert!(matches!(decoder.set_wanted(vec![3]), Err(FormatError::NotDeclared { position: 3, declared: 3 })));
    assert_eq!(decoder.spec().wanted, [2, 1, 2]);
}

#[test]
fn rows_know_their_records() {
    let mut decoder = JsonDecoder::new(spec(&[("A", DataType::Int64)])).expect("types of JSON");
    let buf: RecordBuf = [&b"{\"A\":1}"[..], b"x", b"{\"A\":2}", b"\xff", b"{\"A\":3}"].into_iter().collect();
    let decoded = decoder.decode(buf.view()).expect("a spec that fits");
    assert_eq!((decoded.rows, decoded.kept.as_deref()), (3, Some(&[0, 2, 4][..])));
    assert_eq!(decoded.errors[1].reason, Reason::BadUtf8);
    let decoded = decoder.decode(buf.view().slice(0, 1)).expect("a spec that fits");
    assert_eq!((decoded.rows, decoded.kept), (1, None));
    let decoded = decoder.decode(buf.view().slice(1, 1)).expect("a spec that fits");
    assert_eq!((decoded.rows, decoded.columns.len()), (0, 1));
}

#[test]
fn broken_utf8_is_an_error_of_its_record() {
    let mut decoder = JsonDecoder::new(spec(&[("A", DataType::Utf8)])).expect("types of JSON");
    let records = [&b"{\"A\":\"\xc3\xa9\"}"[..], b"{\"A\":\"\xc3\"}", b"{\"B\":\"\xed\xa0\x80\"}", b"{\"A\":\"b\"}"];
    let buf: RecordBuf = records.into_iter().collect();
    let decoded = decoder.decode(buf.view()).expect("a spec that fits");
    assert_eq!(decoded.kept.as_deref(), Some(&[0, 3][..]));
    let errors: Vec<(usize, usize)> = decoded.errors.iter().map(|e| (e.record, e.at)).collect();
    assert_eq!(errors, [(1, 6), (2, 6)]);
}

#[test]
fn limits() {
    let mut decoder =
        JsonDecoder::new(spec(&[("A", DataType::Utf8), ("B", list(list(DataType::Int64)))])).expect("types of JSON");
    let deep = |name: &str, n: usize| format!("{{\"{name}\":{}{}}}", "[".repeat(n), "]".repeat(n));
    let fine = NESTING_LEVELS_MAX - 1;
    let got = decode(&mut decoder, &[&deep("A", fine), &deep("A", fine + 1), &deep("x", fine), &deep("x", fine + 1)]);
    assert_eq!(got[0], "[".repeat(fine) + &"]".repeat(fine) + "|NULL");
    assert_eq!(got[1], "! column A: nested deeper than 64 levels (byte 68)");
    assert_eq!(got[2], "NULL|NULL");
    assert_eq!(got[3], "! nested deeper than 64 levels (byte 68)");
    let long = format!("{{\"A\":\"{}\"}}", "x".repeat(RECORD_BYTES_MAX));
    assert_eq!(decode(&mut decoder, &[&long, "{}"]), ["! longer than 16777216 bytes (byte 16777216)", "NULL|NULL"]);
}

#[test]
fn many_spellings_are_not_all_remembered() {
    let mut decoder = JsonDecoder::new(spec(&[("A", DataType::Int64)])).expect("types of JSON");
    for block in 0..20 {
        let records: Vec<String> = (0..1000).map(|i| format!("{{\"k{block}_{i}\":0,\"a\":{i}}}")).collect();
        let got = decode(&mut decoder, &records.iter().map(String::as_str).collect::<Vec<_>>());
        assert!(got.iter().enumerate().all(|(i, line)| *line == i.to_string()));
    }
}

#[test]
fn types_without_a_form_are_refused_by_name() {
    let bad = JsonDecoder::new(spec(&[("A", DataType::Int64), ("B", list(DataType::Int8))]));
    let error = bad.expect_err("no SQL type").to_string();
    assert!(error.starts_with("JSON has no form for column B of type List("), "{error}");
    let twice = JsonDecoder::new(spec(&[("A", DataType::Int64), ("A", DataType::Utf8)]));
    assert!(matches!(twice, Err(FormatError::AmbiguousColumn { column }) if column == "A"));
    assert_eq!(
        Reason::WrongType { expected: SqlType::Bigint, found: Found::Text }.to_string(),
        "expected BIGINT, found a text"
    );
}
