//! Files as people have them, and as they should not be.

use std::collections::BTreeMap;
use std::io;
use std::io::Write as _;
use std::time::Duration;

use arrow::array::{AsArray, Float64Array};
use arrow::datatypes::{DataType, Int64Type};
use millrace_world::SimulatedWorld;
use millrace_world::simulated::WALL_START_MS;

use super::compression::Packer;
use super::*;
use crate::source::{Read, SourceBatch};
use crate::{SourceErrorKind, open_source};

const FOUND: i64 = WALL_START_MS;

fn columns() -> Vec<Column> {
    vec![("ID".to_owned(), DataType::Int64), ("NAME".to_owned(), DataType::Utf8)]
}

/// `KEY=value KEY=value`
fn try_open(
    world: &SimulatedWorld,
    table: bool,
    options: &str,
    columns: &[Column],
) -> Result<Box<dyn Source>, ConnectError> {
    let pairs = options.split(' ').filter_map(|pair| pair.split_once('='));
    let mut options: BTreeMap<String, String> = pairs.map(|(k, v)| (k.to_owned(), v.to_owned())).collect();
    options.insert("CONNECTOR".to_owned(), "file".to_owned());
    open_source(&SourceRequest { options: &options, columns, table, wanted: None }, world.world())
}

fn open(world: &SimulatedWorld, options: &str) -> Box<dyn Source> {
    try_open(world, false, options, &columns()).unwrap()
}

fn error(world: &SimulatedWorld, options: &str) -> (String, String) {
    let error = try_open(world, false, options, &columns()).err().unwrap();
    (error.option.unwrap_or_default(), error.message)
}

/// A row as text: offset, id, name, time (less the start of the clock), `d` for a delete.
fn rows(read: &SourceBatch) -> Vec<String> {
    let ids = read.batch.column(0).as_primitive::<Int64Type>();
    let names = read.batch.column(1).as_string::<i32>();
    let times = read.row_times.as_ref().unwrap();
    (0..read.batch.len())
        .map(|i| {
            let op = if read.deletes.as_ref().is_some_and(|d| d.value(i)) { " d" } else { "" };
            let id = ids.iter().nth(i).flatten().map_or("-".to_owned(), |id| id.to_string());
            let name = names.iter().nth(i).flatten().unwrap_or("-");
            format!("{} {id} {name} {}{op}", read.offset(i), times.value(i) - FOUND)
        })
        .collect()
}

/// Everything up to the end or until nothing comes: rows, then errors as `offset reason [bytes]`.
fn drain(reader: &mut dyn SourceReader, rows_max: usize) -> Result<Vec<String>, SourceError> {
    let (mut all, mut errors) = (vec![], vec![]);
    while let Read::Batch(read) = reader.read(rows_max)? {
        assert!(read.batch.len() <= rows_max);
        all.extend(rows(&read));
        errors.extend(
            read.errors.iter().map(|e| format!("{} {} [{}]", e.offset, e.reason, String::from_utf8_lossy(&e.bytes))),
        );
    }
    all.extend(errors);
    Ok(all)
}

/// The same for every number of rows at a time, and when opened again.
fn read(source: &dyn Source) -> Vec<String> {
    let whole = drain(source.open(0).unwrap().as_mut(), 1_000).unwrap();
    for rows_max in [1, 2, 3] {
        assert_eq!(drain(source.open(0).unwrap().as_mut(), rows_max).unwrap(), whole, "{rows_max} at a time");
    }
    whole
}

fn pack(text: &str, compression: Compression) -> Vec<u8> {
    let mut packer = Packer::new(vec![], compression).unwrap();
    packer.write_all(text.as_bytes()).unwrap();
    packer.finish().unwrap()
}

#[test]
fn a_folder_is_read_in_name_order_packed_or_not() {
    let world = SimulatedWorld::new(0);
    world.files().write("/d/b.json", b"{\"id\":3,\"name\":\"c\"}\n");
    world.files().write("/d/a.jsonl", b"{\"id\":1,\"name\":\"a\"}\n\n{\"id\":2,\"name\":null}");
    world.clock().advance(Duration::from_millis(5));
    world.files().write("/d/c.json.gz", &pack("{\"id\":4}\n", Compression::Gzip));
    world.files().write("/d/d.ndjson.zst", &pack("{\"id\":5}\n", Compression::Zstd));
    world.files().write("/d/_SUCCESS", b"");
    world.files().write("/d/.e.json", b"{");
    world.files().write("/d/readme.md", b"#");
    world.files().set_read_bytes_max(Some(3));
    let source = open(&world, "PATH=/d");
    assert!(source.bounded());
    let want = ["0 1 a 0", "1 2 - 0", "2 3 c 0", "3 4 - 5", "4 5 - 5"];
    assert_eq!(read(source.as_ref()), want);
    let source = open(&world, "PATH=/d/*.json");
    assert_eq!(read(source.as_ref()), ["0 3 c 0"], "a pattern takes what it says");
}

#[test]
fn broken_records_leave_gaps_and_say_why() {
    let world = SimulatedWorld::new(0);
    let text = "{\"id\":1}\n{\"id\":\"x\"}\n{oops\n{\"id\":4}\n{\"id\":99999999999999999999}\n";
    world.files().write("/a.json", text.as_bytes());
    let read = read(open(&world, "PATH=/a.json").as_ref());
    assert_eq!(read[..2], ["0 1 - 0", "3 4 - 0"]);
    let places: Vec<(&str, bool)> = read[2..].iter().map(|e| (&e[..1], e.ends_with(']'))).collect();
    assert_eq!(places, [("1", true), ("2", true), ("4", true)]);
    assert!(read[2].contains("ID") && read[2].ends_with("[{\"id\":\"x\"}]"), "{}", read[2]);
}

#[test]
fn delimited_files_have_a_header_each() {
    let world = SimulatedWorld::new(0);
    world.files().write("/d/a.csv", b"id,name\n1,a\n2,\"b,\nc\"\n");
    world.files().write("/d/b.csv", b"name,other,id\nd,x,3\nbad\n");
    let want = ["0 1 a 0", "1 2 b,\nc 0", "2 3 d 0"];
    let read = read(open(&world, "PATH=/d").as_ref());
    assert_eq!(read[..3], want);
    assert!(read[3].starts_with("3 expected 3 fields, found 1"), "{}", read[3]);
}

#[test]
fn delimiters_and_no_header() {
    let world = SimulatedWorld::new(0);
    world.files().write("/a.txt", b"1;a\n2;b\n");
    world.files().write("/a.tsv", b"id\tname\n1\ta\n");
    let source = open(&world, "PATH=/a.txt VALUE_FORMAT=delimited HEADER=false VALUE_DELIMITER=;");
    assert_eq!(read(source.as_ref()), ["0 1 a 0", "1 2 b 0"]);
    assert_eq!(read(open(&world, "PATH=/a.tsv").as_ref()), ["0 1 a 0"]);
    let (option, message) = error(&world, "PATH=/a.tsv VALUE_DELIMITER=||");
    assert_eq!(option, "VALUE_DELIMITER", "{message}");
    assert_eq!(error(&world, "PATH=/a.tsv VALUE_FORMAT=JSON HEADER=false").0, "HEADER");
}

#[test]
fn a_header_without_a_declared_column_is_an_error_of_the_statement() {
    let world = SimulatedWorld::new(0);
    world.files().write("/a.csv", b"id,nom\n1,a\n");
    let error = try_open(&world, false, "PATH=/a.csv", &columns()).err().unwrap();
    assert_eq!((error.column.as_deref(), error.kind), (Some("NAME"), ConnectErrorKind::Columns));
}

#[test]
fn upserts_and_deletes() {
    let world = SimulatedWorld::new(0);
    let text = "{\"id\":1,\"name\":\"a\",\"op\":\"c\"}\n{\"op\":\"d\",\"id\":1}\n{\"id\":2,\"op\":\"x\"}\n{\"id\":3}\n\
                {\"id\":4,\"op\":\"r\"}\n{\"id\":\"?\",\"op\":\"u\"}\n{\"id\":5,\"op\":\"i\"}\n";
    world.files().write("/a.json", text.as_bytes());
    let source = try_open(&world, true, "PATH=/a.json OP_COLUMN=op", &columns()).unwrap();
    let read = read(source.as_ref());
    assert_eq!(read[..4], ["0 1 a 0", "1 1 - 0 d", "4 4 - 0", "6 5 - 0"]);
    let meaning = "it may be u, c, r or i (upsert) or d (delete)";
    assert_eq!(read[4], format!("2 op is 'x', {meaning} [{{\"id\":2,\"op\":\"x\"}}]"));
    assert_eq!(read[5], format!("3 op is missing, {meaning} [{{\"id\":3}}]"));
    assert!(read[6].starts_with("5 "));

    assert_eq!(error(&world, "PATH=/a.json OP_COLUMN=op").0, "OP_COLUMN", "a stream has no deletes");
    let error = try_open(&world, true, "PATH=/a.json OP_COLUMN=name", &columns()).err().unwrap();
    assert_eq!(error.option.as_deref(), Some("OP_COLUMN"));
}

#[test]
fn event_time_is_the_columns() {
    let world = SimulatedWorld::new(0);
    world.files().write("/a.csv", b"id,name\n1,2024-01-01 00:01\n2,\n3,noon\n");
    let mut options: BTreeMap<String, String> =
        [("CONNECTOR", "file"), ("PATH", "/a.csv"), ("TIMESTAMP", "NAME"), ("TIMESTAMP_FORMAT", "yyyy-MM-dd HH:mm")]
            .map(|(k, v)| (k.to_owned(), v.to_owned()))
            .into();
    let columns = columns();
    // the time is read although the column is not wanted
    let request = SourceRequest { options: &options, columns: &columns, table: false, wanted: Some(&[0]) };
    let source = open_source(&request, world.world()).unwrap();
    let Read::Batch(read) = source.open(0).unwrap().read(10).unwrap() else { panic!("rows") };
    assert_eq!(read.batch.columns().len(), 1);
    let times: Vec<Option<i64>> = read.row_times.unwrap().iter().collect();
    assert_eq!(times, [Some(WALL_START_MS + 60_000), None]);
    assert_eq!(read.errors[0].reason, "column NAME: 'noon' is not of the TIMESTAMP_FORMAT");
    assert_eq!(read.errors[0].offset, 2);

    options.insert("TIMESTAMP".to_owned(), "NOM".to_owned());
    let request = SourceRequest { options: &options, columns: &columns, table: false, wanted: None };
    assert_eq!(open_source(&request, world.world()).err().unwrap().option.as_deref(), Some("TIMESTAMP"));
}

#[test]
fn floats_are_canonical() {
    let world = SimulatedWorld::new(0);
    world.files().write("/a.csv", b"x\n-0.0\nNaN\n");
    let source = try_open(&world, false, "PATH=/a.csv", &[("X".to_owned(), DataType::Float64)]).unwrap();
    let Read::Batch(read) = source.open(0).unwrap().read(10).unwrap() else { panic!("rows") };
    let floats: &Float64Array = read.batch.column(0).as_primitive();
    assert_eq!(floats.value(0).to_bits(), 0);
}

#[test]
fn what_is_not_there_is_said_clearly() {
    let world = SimulatedWorld::new(0);
    world.files().write("/d/readme.md", b"#");
    world.files().write("/m/a.json", b"{}");
    world.files().write("/m/b.csv", b"id,name\n");
    world.files().write("/secret.json", b"{}");
    world.files().fail_open("/secret.json", io::ErrorKind::PermissionDenied);
    let at_path = |message: &str| ("PATH".to_owned(), message.to_owned());
    assert_eq!(error(&world, "PATH=/x.json"), at_path("/x.json cannot be read: it does not exist"));
    assert_eq!(error(&world, "PATH=/secret.json"), at_path("/secret.json cannot be read: permission denied"));
    assert_eq!(error(&world, "PATH=/x/*.json"), at_path("no file matches /x/*.json"));
    assert_eq!(error(&world, "PATH=/d"), at_path("folder /d has no files of a known format"));
    assert_eq!(error(&world, "PATH=/d VALUE_FORMAT=JSON"), at_path("folder /d has no JSON files"));
    assert_eq!(error(&world, "PATH=/d/readme.md"), at_path("the name of /d/readme.md does not say its format"));
    assert_eq!(
        error(&world, "PATH=/m"),
        at_path("PATH has files of two formats: /m/a.json is JSON, /m/b.csv is DELIMITED")
    );
    assert_eq!(read(open(&world, "PATH=/m VALUE_FORMAT=JSON").as_ref()), ["0 - - 0"]);
    assert_eq!(error(&world, "PATH=/m/a.json VALUE_FORMAT=AVRO").0, "VALUE_FORMAT");
    assert_eq!(error(&world, "VALUE_FORMAT=JSON").0, "CONNECTOR");
    assert_eq!(error(&world, "PATH=/m/a.json HEADERS=true").0, "HEADERS");
}

#[test]
fn records_before_a_fault_come_and_then_the_fault() {
    let world = SimulatedWorld::new(0);
    world.files().write("/a.json", b"{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n");
    let source = open(&world, "PATH=/a.json");
    world.files().fail_read_at("/a.json", 20, io::ErrorKind::TimedOut);
    let mut reader = source.open(0).unwrap();
    let Ok(Read::Batch(first)) = reader.read(10) else { panic!("two records are whole") };
    assert_eq!(rows(&first), ["0 1 - 0", "1 2 - 0"]);
    let error = reader.read(10).unwrap_err();
    assert_eq!((error.kind, error.message.as_str()), (SourceErrorKind::Failed, "/a.json cannot be read: timed out"));
}

#[test]
fn damaged_packing_is_said_clearly() {
    let world = SimulatedWorld::new(0);
    let mut packed = pack(&"{\"id\":1}\n".repeat(100_000), Compression::Gzip);
    packed.truncate(packed.len() - 4);
    world.files().write("/cut.json.gz", &packed);
    world.files().write("/no.json.gz", b"{\"id\":1}\n");
    let source = open(&world, "PATH=/cut.json.gz");
    let error = drain(source.open(0).unwrap().as_mut(), 10_000).unwrap_err();
    assert_eq!(error.message, "/cut.json.gz cannot be read: its gzip data ends too early: it was cut off");
    let message = self::error(&world, "PATH=/no.json.gz").1;
    assert_eq!(message, "/no.json.gz cannot be read: its gzip data is damaged (it is not a gzip file)");
}

#[test]
fn a_file_is_read_as_it_was_found() {
    let world = SimulatedWorld::new(0);
    world.files().write("/a.json", b"{\"id\":1}\n");
    let source = open(&world, "PATH=/a.json");
    world.files().extend("/a.json", b"{\"id\":2}\n");
    assert_eq!(read(source.as_ref()), ["0 1 - 0"]);
    world.files().truncate("/a.json", 4);
    let error = drain(source.open(0).unwrap().as_mut(), 10).unwrap_err();
    assert_eq!(error.message, "/a.json has become shorter since it was declared");
    world.files().write("/a.json", b"{\"id\":1}\n");
    let error = drain(source.open(0).unwrap().as_mut(), 10).unwrap_err();
    assert_eq!(error.message, "/a.json was replaced by another file since it was declared");
}

/// A Parquet file with these rows in `/p/name`.
fn write_parquet(world: &SimulatedWorld, name: &str, rows: u64) {
    world.files().extend("/p/.keep", b"");
    let path = format!("/p/{name}");
    crate::generate_file(world.world(), "orders", 1, rows, path.as_ref()).unwrap();
}

#[test]
fn parquet_files_are_read_by_name_and_widened() {
    let world = SimulatedWorld::new(0);
    write_parquet(&world, "a.parquet", 9_000);
    write_parquet(&world, "b.parquet", 3);
    let columns = [
        ("STATUS".to_owned(), DataType::Utf8),
        ("id".to_owned(), DataType::Int64),
        ("QUANTITY".to_owned(), DataType::Int64),
    ];
    let source = try_open(&world, false, "PATH=/p TIMESTAMP=ID", &columns).unwrap();
    let mut reader = source.open(0).unwrap();
    let (mut rows, mut ids) = (0, vec![]);
    while let Read::Batch(read) = reader.read(5_000).unwrap() {
        assert!(read.batch.len() <= 5_000);
        assert_eq!((read.first_offset, read.offsets.is_none()), (rows, true));
        rows += read.batch.len() as i64;
        assert_eq!(read.batch.column(1).as_primitive::<Int64Type>(), read.row_times.as_ref().unwrap());
        ids.extend_from_slice(read.batch.column(1).as_primitive::<Int64Type>().values());
    }
    assert_eq!((rows, &ids[..3], &ids[9_000..]), (9_003, &[1, 2, 3][..], &[1, 2, 3][..]));
    assert!(reader.progress().bytes > 0);

    let inferred = try_open(&world, false, "PATH=/p/b.parquet", &[]).unwrap();
    let names: Vec<&str> = inferred.columns().iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["ID", "CUSTOMER_ID", "AMOUNT", "STATUS", "ORDER_TIME", "ITEM", "QUANTITY", "COUNTRY"]);

    // an OP_COLUMN that is never u or d
    let source = try_open(&world, true, "PATH=/p/b.parquet OP_COLUMN=STATUS", &columns[1..]).unwrap();
    let Read::Batch(read) = source.open(0).unwrap().read(10).unwrap() else { panic!("errors") };
    assert_eq!((read.batch.len(), read.errors.len(), read.errors[2].offset), (0, 3, 2));
}

#[test]
fn damaged_parquet_is_said_clearly() {
    let world = SimulatedWorld::new(0);
    write_parquet(&world, "a.parquet", 100);
    let len = world.files().read("/p/a.parquet").unwrap().len();
    world.files().truncate("/p/a.parquet", len - 10);
    let (option, message) = error(&world, "PATH=/p/a.parquet");
    assert_eq!(option, "PATH");
    assert!(message.starts_with("/p/a.parquet cannot be read as PARQUET: "), "{message}");
    assert_eq!(error(&world, "PATH=/p/a.parquet FOLLOW=true").0, "FOLLOW");
    let missing = [("NOBODY".to_owned(), DataType::Int64)];
    write_parquet(&world, "b.parquet", 1);
    let error = try_open(&world, false, "PATH=/p/b.parquet", &missing).err().unwrap();
    assert_eq!(error.column.as_deref(), Some("NOBODY"));
    let narrow = [("AMOUNT".to_owned(), DataType::Boolean)];
    let error = try_open(&world, false, "PATH=/p/b.parquet", &narrow).err().unwrap();
    assert_eq!(error.column.as_deref(), Some("AMOUNT"));
}

#[test]
fn progress_counts_bytes_as_they_lie() {
    let world = SimulatedWorld::new(0);
    let packed = pack(&"{\"id\":1}\n".repeat(1_000), Compression::Gzip);
    world.files().write("/a.json.gz", &packed);
    let source = open(&world, "PATH=/a.json.gz");
    let mut reader = source.open(0).unwrap();
    drain(reader.as_mut(), 10).unwrap();
    let progress = reader.progress();
    assert_eq!((progress.rows, progress.bytes), (1_000, packed.len() as u64));
    assert_eq!(progress.bytes_total, Some(packed.len() as u64));
}

#[test]
fn columns_are_inferred_from_the_first_file_with_content() {
    let world = SimulatedWorld::new(0);
    world.files().write("/d/a.json", b"");
    world.files().write("/d/b.json", b"{\"id\":1,\"op\":\"u\",\"at\":{\"x\":1.5}}\n{\"id\":2,\"name\":\"b\"}\n");
    world.files().write("/e/a.csv", b"When,n\n2024-01-01,1\n");
    let inferred = |options: &str| {
        let source = try_open(&world, true, options, &[]).unwrap();
        source.columns().iter().map(|(name, t)| format!("{name} {t}")).collect::<Vec<_>>()
    };
    let json = inferred("PATH=/d OP_COLUMN=op");
    assert_eq!(json.len(), 3, "{json:?}");
    assert_eq!((json[0].as_str(), json[2].as_str()), ("ID Int64", "NAME Utf8"));
    assert_eq!(inferred("PATH=/e"), ["WHEN Date32", "N Int64"]);
    assert_eq!(inferred("PATH=/e FOLLOW=true"), ["WHEN Date32", "N Int64"]);

    let error = try_open(&world, false, "PATH=/d/a.json", &[]).err().unwrap();
    assert_eq!(error.message, "/d/a.json: columns cannot be inferred: there is no record to infer them from");
    assert_eq!(error.hint.as_deref(), Some("declare the columns in the statement"));
}

/// Lets so much time pass that files are looked at again.
fn later(world: &SimulatedWorld) {
    world.clock().advance(Duration::from_millis(100));
}

#[test]
fn followed_files_grow_and_join() {
    let world = SimulatedWorld::new(0);
    world.files().write("/d/b.json", b"{\"id\":1}\n{\"id\"");
    let source = open(&world, "PATH=/d FOLLOW=true");
    assert!(!source.bounded());
    let mut reader = source.open(0).unwrap();
    let mut next = || drain(reader.as_mut(), 10).unwrap();
    assert_eq!(next(), ["0 1 - 0"]);
    assert_eq!(next(), Vec::<String>::new());
    later(&world);
    world.files().extend("/d/b.json", b":2}\n");
    assert_eq!(next(), ["1 2 - 100"]);
    later(&world);
    world.files().write("/d/a.json", b"{\"id\":3}\n");
    later(&world);
    world.files().extend("/d/b.json", b"{\"id\":4}\nnone\n");
    let batch = next();
    assert_eq!(batch[..2], ["2 4 - 300", "4 3 - 200"], "known files first, then new ones");
    assert!(batch[2].starts_with("3 "), "{}", batch[2]);
    later(&world);
    world.files().extend("/d/b.json", b"{\"id\":5}\n");
    assert_eq!(next(), ["5 5 - 400"]);

    // opened again: the same records in the same order, also beside the other reader
    let again = drain(source.open(0).unwrap().as_mut(), 1).unwrap();
    assert_eq!(again[..5], ["0 1 - 0", "1 2 - 100", "2 4 - 300", "4 3 - 200", "5 5 - 400"]);
}

#[test]
fn followed_delimited_files_have_a_header_each() {
    let world = SimulatedWorld::new(0);
    world.files().write("/d/a.csv", b"id,na");
    let source = open(&world, "PATH=/d/*.csv FOLLOW=true");
    let mut reader = source.open(0).unwrap();
    let mut next = || drain(reader.as_mut(), 10).unwrap();
    assert_eq!(next(), Vec::<String>::new());
    later(&world);
    world.files().extend("/d/a.csv", b"me\n1,a\n");
    world.files().write("/d/b.csv", b"name,id\nb,2\n");
    assert_eq!(next(), ["0 1 a 100", "1 2 b 100"]);
    later(&world);
    world.files().extend("/d/a.csv", b"3,c\n");
    assert_eq!(next(), ["2 3 c 200"]);
}

#[test]
fn a_followed_file_that_shrinks_or_is_replaced_stalls() {
    let world = SimulatedWorld::new(0);
    world.files().write("/a.json", b"{\"id\":1}\n{\"id\":2}\n");
    let source = open(&world, "PATH=/a.json FOLLOW=true");
    let mut reader = source.open(0).unwrap();
    assert_eq!(drain(reader.as_mut(), 10).unwrap(), ["0 1 - 0", "1 2 - 0"]);
    world.files().truncate("/a.json", 9);
    later(&world);
    for _ in 0..2 {
        let error = drain(reader.as_mut(), 10).unwrap_err();
        assert_eq!(error.kind, SourceErrorKind::Stalled);
        assert_eq!(error.message, "/a.json cannot be followed: it has shrunk from 18 to 9 bytes");
    }
    world.files().extend("/a.json", b"{\"id\":2}\n{\"id\":3}\n");
    later(&world);
    assert_eq!(drain(reader.as_mut(), 10).unwrap(), ["2 3 - 100"], "it heals");
    world.files().write("/a.json", b"{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n{\"id\":4}\n");
    later(&world);
    let error = drain(reader.as_mut(), 10).unwrap_err();
    assert_eq!(error.message, "/a.json cannot be followed: it was replaced by another file");
}

#[test]
fn what_cannot_be_followed_says_so() {
    let world = SimulatedWorld::new(0);
    world.files().write("/a.json.gz", &pack("{}", Compression::Gzip));
    assert_eq!(error(&world, "PATH=/a.json.gz FOLLOW=true").0, "FOLLOW");
    assert_eq!(error(&world, "PATH=/x/*.json FOLLOW=true").1, "no file matches /x/*.json");
    let source = open(&world, "PATH=/x/*.json FOLLOW=true VALUE_FORMAT=JSON");
    let mut reader = source.open(0).unwrap();
    assert_eq!(drain(reader.as_mut(), 10).unwrap(), Vec::<String>::new());
    world.files().write("/x/1.json", b"{\"id\":7}\n");
    later(&world);
    assert_eq!(drain(reader.as_mut(), 10).unwrap(), ["0 7 - 0"], "the first file has come");
}
