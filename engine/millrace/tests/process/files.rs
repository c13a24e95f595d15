//! Views over JSON, CSV and Parquet files against DuckDB: a small run of what `make compare ROWS=…` does with millions.

use std::path::Path;
use std::process::Command;

/// Records of each file. Ten ticks of each query see a tenth of them each.
const ROWS: &str = "400";

#[test]
fn views_over_files_say_what_duckdb_says() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let python = root.join(".tools/venv/bin/python");
    let mut compare = Command::new(&python);
    compare.arg(root.join("tests/files/compare.py")).args(["--binary", env!("CARGO_BIN_EXE_millrace"), "--rows", ROWS]);
    let output = compare
        .output()
        .unwrap_or_else(|e| panic!("{} cannot be started ({e}): run `make tools` first", python.display()));
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).concat();
    println!("{said}");
    assert!(output.status.success(), "{said}");
    assert!(said.contains("all answers equal"), "{said}");
}
