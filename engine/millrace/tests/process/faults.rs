//! Files that are not there, not what they should be, or cannot be written.

use crate::harness::{Folder, said};

/// Reads a file whose columns it has to find out.
fn inferred(path: &str) -> String {
    format!("CREATE STREAM s WITH (CONNECTOR='file', PATH='{path}'); SELECT * FROM s")
}

/// Reads a file whose columns it knows.
fn declared(path: &str) -> String {
    format!("CREATE STREAM s (a BIGINT, b VARCHAR) WITH (CONNECTOR='file', PATH='{path}'); SELECT count(*) AS n FROM s")
}

#[test]
fn files_that_are_not_there() {
    let folder = Folder::with(&[("a.csv", "a\n1\n")]);
    folder.create_folder("folder");
    folder.create_folder("folder.json");
    let fails = |path: &str, parts: &[&str]| {
        for sql in [inferred(path), declared(path)] {
            let said = folder.run(&[], &sql);
            said.failed(3, parts);
            // the caret stands below PATH's value
            assert!(said.err.contains(&format!("{}\n", "^".repeat(path.len() + 2))), "{}", said.err);
            assert_eq!(said.out, "");
        }
    };
    fails(
        "none.csv",
        &["error[58030]: none.csv cannot be read: it does not exist", "= hint: a relative PATH starts in"],
    );
    fails("a.csv/none.csv", &["a part of the path is not a folder"]);
    fails("none*.csv", &["no file matches none*.csv"]);
    fails("folder", &["folder folder has no files"]);
    fails("folder.json", &["folder folder.json has no"]);
}

#[test]
fn files_that_are_damaged() {
    let folder = Folder::with(&[
        ("a.csv", "a,b\n1,x\n2,y\n"),
        ("junk.parquet", "this is not Parquet"),
        ("junk.csv.gz", "a,b\n"),
    ]);
    let write = |path: &str| {
        let sql = "CREATE STREAM s WITH (CONNECTOR='file', PATH='a.csv');";
        folder
            .run(&[], &format!("{sql} CREATE STREAM o WITH (CONNECTOR='file', PATH='{path}') AS SELECT * FROM s"))
            .done();
        let whole = folder.read(path);
        folder.run(&["--format", "csv"], &inferred(path)).done();
        whole
    };
    for path in ["o.parquet", "o.csv.gz", "o.json.zst"] {
        let whole = write(path);
        for share in [1, 2, 3] {
            folder.write(path, &whole[..whole.len() * share / 4]);
            let said = folder.run(&[], &declared(path));
            said.failed(3, &["error[58030]", path]);
            assert_eq!(said.out, "", "{path}");
        }
    }
    folder.run(&[], &declared("junk.parquet")).failed(3, &["junk.parquet cannot be read as PARQUET"]);
    folder.run(&[], &declared("junk.csv.gz")).failed(3, &["its gzip data is damaged"]);
}

#[test]
fn a_damaged_middle_of_a_parquet_file() {
    let folder = Folder::new();
    let sql = "CREATE STREAM g WITH (CONNECTOR='generator', GENERATOR='ratings', ROWS=2000, SEED=7);
        CREATE STREAM o WITH (CONNECTOR='file', PATH='o.parquet') AS SELECT rating_id AS a, message AS b FROM g";
    folder.run(&[], sql).done();
    let whole = folder.read("o.parquet");
    for at in [whole.len() / 4, whole.len() / 2] {
        let mut damaged = whole.clone();
        damaged[at..at + 64].fill(0xff);
        folder.write("o.parquet", &damaged);
        let said = folder.run(&["--format", "csv"], "CREATE STREAM s (a BIGINT, b VARCHAR) WITH (CONNECTOR='file', PATH='o.parquet'); SELECT max(b) AS b FROM s");
        // bits of a text that still are a text are not seen: Parquet has no sum over its pages here
        assert!(matches!(said.status, Some(0 | 3)), "{said:?}");
    }
}

#[test]
fn empty_files_have_no_rows() {
    let folder = Folder::with(&[("a.csv", ""), ("a.json", ""), ("head.csv", "a,b\n")]);
    for path in ["a.csv", "a.json", "head.csv"] {
        assert_eq!(folder.run(&["--format", "csv"], &declared(path)).done(), "N\n0\n", "{path}");
    }
    folder.run(&[], &inferred("a.json")).failed(1, &["columns cannot be inferred", "= hint: declare the columns"]);
    assert_eq!(folder.run(&["--format", "csv"], &inferred("head.csv")).done(), "A,B\n");
}

#[test]
fn bad_records_are_told_and_harm_nothing() {
    let folder = Folder::new();
    folder.write("a.json", b"{\"a\":1}\nnot json\n{\"a\":\"x\"}\n\xff\xfe\n{\"a\":2}\n");
    let sql = format!("{}; SELECT \"OFFSET\" FROM \"millrace.decode_errors\"", declared("a.json"));
    let said = folder.run(&["--format", "csv"], &sql);
    assert_eq!(said.done(), "N\n2\n\nOFFSET\n1\n2\n3\n");
    assert!(said.err.contains("note: 3 records of S could not be read"), "{}", said.err);
}

#[test]
fn stdout_on_a_full_disk_is_3() {
    let folder = Folder::new();
    let full = "exec \"$@\" >/dev/full";
    for format in ["table", "json", "csv"] {
        let said = said(&mut folder.by_shell(full, &["run", "--format", format, "-e", "SELECT 1"]));
        said.failed(3, &["error: answers cannot be written: No space left on device"]);
    }
    said(&mut folder.by_shell(full, &["demo", "--plain", "--seconds", "2"])).failed(3, &["No space left"]);
}

#[test]
fn a_sink_on_a_full_disk_leaves_what_was_there() {
    let folder = Folder::with(&[("o.csv", "what it was\n")]);
    for path in ["o.csv", "new.csv.gz", "new.parquet"] {
        let sql = format!(
            "CREATE STREAM g WITH (CONNECTOR='generator', GENERATOR='ratings', ROWS=20000, SEED=7);
             CREATE STREAM o WITH (CONNECTOR='file', PATH='{path}') AS SELECT * FROM g"
        );
        // a limit on the size of files is a disk that anybody can fill
        let mut limited = folder.by_shell("trap '' XFSZ; ulimit -f 16; exec \"$@\"", &["run", "-e", &sql]);
        said(&mut limited).failed(3, &["error[58030]: O has failed", path, "cannot be written"]);
        assert_eq!(folder.names(), ["o.csv"], "no half of a file");
    }
    assert_eq!(folder.read("o.csv"), b"what it was\n");
}

#[test]
fn sinks_that_cannot_be() {
    let folder = Folder::with(&[("n.csv", "n\n1\n")]);
    folder.create_folder("out.csv");
    let sink = |path: &str| {
        let sql = "CREATE STREAM n WITH (CONNECTOR='file', PATH='n.csv');";
        let with = format!("WITH (CONNECTOR='file', PATH='{path}', VALUE_FORMAT='JSON')");
        folder.run(&[], &format!("{sql} CREATE STREAM o {with} AS SELECT n FROM n"))
    };
    sink("none/o.json").failed(3, &["none/o.json cannot be written: its folder does not exist"]);
    sink("out.csv").failed(1, &["a sink writes one file, and out.csv is a folder"]);
    sink("/dev/full").failed(1, &["/dev/full is a pipe or a device, and cannot be replaced by a file"]);
    assert_eq!(folder.names(), ["n.csv", "out.csv"]);
}
