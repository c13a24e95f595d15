//! What is written is read back, or is not there at all.

use std::collections::BTreeMap;
use std::io::Read as _;
use std::sync::Arc;

use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::datatypes::DataType;
use millrace_world::{SimulatedWorld, TempFolder};

use super::*;
use crate::source::Column;
use crate::{Read, SourceRequest, generate_file, open_sink, open_source};

fn options(text: &str) -> BTreeMap<String, String> {
    let pairs = text.split(' ').filter_map(|pair| pair.split_once('='));
    let pairs = pairs.map(|(k, v)| (k.to_owned(), v.to_owned()));
    pairs.chain([("CONNECTOR".to_owned(), "file".to_owned())]).collect()
}

fn columns() -> Vec<Column> {
    vec![("ID".to_owned(), DataType::Int64), ("NAME".to_owned(), DataType::Utf8)]
}

fn try_open(world: &World, text: &str) -> Result<Box<dyn Sink>, ConnectError> {
    open_sink(&SinkRequest { options: &options(text), columns: &columns() }, world)
}

fn batch() -> Batch {
    let columns: Vec<ArrayRef> =
        vec![Arc::new(Int64Array::from(vec![Some(1), None])), Arc::new(StringArray::from(vec![Some("a,b"), Some("")]))];
    Batch::new(columns, None, 2)
}

#[test]
fn rows_appear_when_the_sink_is_finished() {
    let world = SimulatedWorld::new(0);
    world.files().write("/out/old.json", b"old");
    for (path, want) in [
        ("/out/old.json", "{\"ID\":1,\"NAME\":\"a,b\"}\n{\"ID\":null,\"NAME\":\"\"}\n"),
        ("/out/new.csv", "ID,NAME\n1,\"a,b\"\n,\"\"\n"),
    ] {
        let before = world.files().read(path);
        let mut sink = try_open(world.world(), &format!("PATH={path}")).unwrap();
        sink.write(&batch()).unwrap();
        assert_eq!(world.files().read(path), before);
        let written = sink.finish().unwrap();
        assert_eq!(written, Written { rows: 2, bytes: want.len() as u64 });
        assert_eq!(String::from_utf8(world.files().read(path).unwrap()).unwrap(), want);
    }
    assert_eq!(world.files().paths().len(), 2);
}

#[test]
fn packed_by_name_and_without_a_header() {
    let world = SimulatedWorld::new(0);
    world.files().write("/out/x", b"");
    let mut sink =
        try_open(world.world(), "PATH=/out/a.txt.gz VALUE_FORMAT=DELIMITED HEADER=false VALUE_DELIMITER=;").unwrap();
    sink.write(&batch()).unwrap();
    sink.finish().unwrap();
    let packed = world.files().read("/out/a.txt.gz").unwrap();
    let mut text = String::new();
    flate2::read::GzDecoder::new(&packed[..]).read_to_string(&mut text).unwrap();
    assert_eq!(text, "1;a,b\n;\"\"\n");
}

#[test]
fn a_full_disk_leaves_nothing_under_the_name() {
    for path in ["/out/a.json", "/out/a.csv.gz", "/out/a.parquet"] {
        full_disk(path);
    }
}

fn full_disk(path: &str) {
    let world = SimulatedWorld::new(0);
    world.files().write(path, b"old");
    let mut sink = try_open(world.world(), &format!("PATH={path}")).unwrap();
    world.files().set_disk_bytes_max(Some(100));
    let mut error = None;
    for _ in 0..20_000 {
        error = error.or(sink.write(&batch()).err());
    }
    let error = error.or(sink.finish().err()).unwrap();
    assert_eq!(error.kind, io::ErrorKind::StorageFull, "{error:?}");
    assert_eq!(error.message, format!("{path} cannot be written: the disk is full"));
    assert_eq!(world.files().read(path).unwrap(), b"old");
    assert_eq!(world.files().paths(), [PathBuf::from(path)]);
}

#[test]
fn a_failed_sync_is_not_taken_for_written() {
    let world = SimulatedWorld::new(0);
    world.files().write("/out/x", b"");
    let mut sink = try_open(world.world(), "PATH=/out/a.csv").unwrap();
    sink.write(&batch()).unwrap();
    world.files().fail_sync(io::ErrorKind::Other);
    assert!(sink.finish().is_err());
    assert_eq!(world.files().read("/out/a.csv"), None);
}

#[test]
fn places_that_cannot_be_written_are_errors_of_the_statement() {
    let world = SimulatedWorld::new(0);
    world.files().write("/d/x", b"");
    let message = |text: &str| try_open(world.world(), text).err().unwrap().message;
    assert_eq!(message("PATH=/d VALUE_FORMAT=JSON"), "a sink writes one file, and /d is a folder");
    assert_eq!(message("PATH=/d/*.csv"), "a sink writes one file, and /d/*.csv is a pattern");
    assert_eq!(message("PATH=/no/a.csv"), "/no/a.csv cannot be written: its folder does not exist");
    assert_eq!(message("PATH=/d/a"), "the name of /d/a does not say its format");
    assert_eq!(message("PATH=/d/a.json FOLLOW=true"), "CONNECTOR = 'file' has no property FOLLOW");
    let odd = [("X".to_owned(), DataType::UInt8)];
    let error = open_sink(&SinkRequest { options: &options("PATH=/d/a.csv"), columns: &odd }, world.world());
    assert_eq!(error.err().unwrap().column.as_deref(), Some("X"));
    assert_eq!(world.files().paths(), [PathBuf::from("/d/x")]);
}

/// Rows of a file, with the columns of a generator.
fn read_back(world: &World, path: &Path, columns: &[Column]) -> Batch {
    let options = options(&format!("PATH={}", path.display()));
    let request = SourceRequest { options: &options, columns, table: false, wanted: None };
    let source = open_source(&request, world).unwrap();
    let mut reader = source.open(0).unwrap();
    let mut batches = vec![];
    while let Read::Batch(read) = reader.read(500).unwrap() {
        assert_eq!(read.errors, []);
        batches.push(read.batch);
    }
    Batch::concat(&batches)
}

#[test]
fn generated_files_read_back_as_the_same_rows() {
    let world = World::real();
    let folder = TempFolder::new(world.files(), "generate").unwrap();
    for generator in ["ratings", "customers", "orders"] {
        let from = BTreeMap::from(
            [("CONNECTOR", "generator"), ("GENERATOR", generator), ("SEED", "5"), ("ROWS", "1200")]
                .map(|(k, v)| (k.to_owned(), v.to_owned())),
        );
        let request = SourceRequest { options: &from, columns: &[], table: false, wanted: None };
        let source = open_source(&request, &world).unwrap();
        let Read::Batch(made) = source.open(0).unwrap().read(1_200).unwrap() else { panic!("rows") };
        for extension in ["json", "csv", "json.gz", "csv.zst", "parquet"] {
            let path = folder.path().join(format!("{generator}.{extension}"));
            let written = generate_file(&world, generator, 5, 1_200, &path).unwrap();
            assert_eq!((written.rows, written.bytes), (1_200, world.files().metadata(&path).unwrap().len));
            let back = read_back(&world, &path, source.columns());
            assert_eq!(back.columns(), made.batch.columns(), "{generator}.{extension}");
        }
    }
}
