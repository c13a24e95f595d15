//! The `.stream` files: changelogs, tick by tick, on both kinds of state and several worker counts.

use std::fs;
use std::path::{Path, PathBuf};

use millrace_tests::stream::check;

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("stream");
    let mut files: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "stream"))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no .stream files were found");
    files
}

#[test]
fn changelogs() {
    let mut wrong = vec![];
    for file in files() {
        for (state, workers) in [("hash", 1), ("differential", 1), ("hash", 2), ("differential", 2), ("hash", 4)] {
            if let Err(difference) = check(&file, state, workers) {
                wrong.push(difference);
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
