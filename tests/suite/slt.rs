//! The `.slt` files: what statements and queries answer, pulled and maintained, on both kinds of state.

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use millrace_tests::slt::{Run, Way, check};

const RUNS: [Run; 3] = [
    Run { way: Way::Pull, state: "hash", workers: 1 },
    Run { way: Way::Maintained, state: "hash", workers: 2 },
    Run { way: Way::Maintained, state: "differential", workers: 1 },
];
/// A folder that lost its files must not pass. Raise it with the number of queries.
const QUERIES_LEAST: usize = 400;

fn files() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("slt");
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    // MILLRACE_SLT=joins runs one file
    let only = std::env::var("MILLRACE_SLT").unwrap_or_default();
    let wanted = |path: &PathBuf| {
        path.extension().is_some_and(|e| e == "slt") && path.file_stem().unwrap().to_string_lossy().contains(&only)
    };
    let mut files: Vec<PathBuf> = entries.filter(wanted).collect();
    files.sort();
    files
}

#[test]
fn answers() {
    let files = files();
    let work: Vec<(&PathBuf, Run)> = files.iter().flat_map(|file| RUNS.map(|run| (file, run))).collect();
    let (next, answered, wrong) = (AtomicUsize::new(0), AtomicUsize::new(0), Mutex::new(vec![]));
    let worker = || {
        while let Some((file, run)) = work.get(next.fetch_add(1, Ordering::Relaxed)) {
            match check(file, *run) {
                Ok(queries) => drop(answered.fetch_add(queries, Ordering::Relaxed)),
                Err(difference) => wrong.lock().unwrap().push(difference),
            }
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(worker);
        scope.spawn(worker);
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
    if std::env::var_os("MILLRACE_SLT").is_none() {
        let least = QUERIES_LEAST * RUNS.len();
        assert!(answered.into_inner() >= least, "fewer than {QUERIES_LEAST} queries");
    }
}
