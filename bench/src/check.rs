//! The guard against slow decay: instructions per event of small fixed runs, compared with what was written down.
//!
//! Times mean nothing on a shared machine, instructions nearly the same everywhere: valgrind counts them. Of each run a
//! second one with a single tick is taken off, so that start and planning do not count; making the input does, and is
//! the same until somebody changes it. A count that grew by 5 % fails, one that shrank as much asks to be written down.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use millrace_bench_input::{Request, Spec, Tier, Workload};
use serde::{Deserialize, Serialize};

use crate::options::CheckArgs;
use crate::peer::bench_folder;

/// What a count may grow by.
const GROWTH_MAX: f64 = 0.05;

/// What is run: events and ticks are small, because valgrind takes fifty times as long.
const RUNS: [(Workload, usize, usize); 6] = [
    (Workload::Stateless, 200_000, 10_000),
    (Workload::Q3, 100_000, 5_000),
    (Workload::Q4, 50_000, 5_000),
    (Workload::MostBids, 50_000, 5_000),
    (Workload::JoinMaxDeletes, 30_000, 3_000),
    (Workload::Tumbling, 50_000, 5_000),
];

/// What is written down.
#[derive(Debug, Default, Serialize, Deserialize, PartialEq)]
struct Counts {
    /// Instructions per event, by workload.
    instructions_per_event: BTreeMap<String, f64>,
}

/// What was written down.
fn read(path: &Path) -> Result<Counts, String> {
    let text = fs::read_to_string(path)
        .map_err(|e| format!("{}: {e}; `millrace-bench check --bless` counts and writes it", path.display()))?;
    serde_json::from_str(&text).map_err(|e| format!("{}: {e}", path.display()))
}

/// Counts, and compares or writes down.
///
/// # Errors
/// If valgrind is not there, a run fails, or a count grew.
pub(crate) fn run(args: &CheckArgs) -> Result<(), String> {
    let path = path();
    // before the minutes that counting takes
    let known = if args.bless { Counts::default() } else { read(&path)? };
    let mut counted = Counts::default();
    for (workload, events, tick) in RUNS {
        let (all, one) = (instructions(workload, events, tick)?, instructions(workload, tick, tick)?);
        let per_event = (all as f64 - one as f64) / (events - tick) as f64;
        eprintln!("{workload}: {per_event:.0} instructions per event");
        counted.instructions_per_event.insert(workload.to_string(), (per_event * 10.0).round() / 10.0);
    }
    if args.bless {
        let text = serde_json::to_string_pretty(&counted).map_err(|e| e.to_string())? + "\n";
        return fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()));
    }
    let (grown, shrunk) = compare(&known, &counted);
    shrunk.iter().for_each(|line| println!("{line}: write it down with check --bless"));
    if grown.is_empty() { Ok(()) } else { Err(grown.join("\n")) }
}

fn path() -> PathBuf {
    bench_folder().join("check.json")
}

/// What grew, and what shrank.
fn compare(known: &Counts, counted: &Counts) -> (Vec<String>, Vec<String>) {
    let (mut grown, mut shrunk) = (vec![], vec![]);
    for (workload, now) in &counted.instructions_per_event {
        let Some(before) = known.instructions_per_event.get(workload) else {
            grown.push(format!("{workload} is not written down: check --bless"));
            continue;
        };
        let change = now / before - 1.0;
        let line =
            format!("{workload}: {now:.0} instructions per event, {before:.0} before ({:+.1} %)", change * 100.0);
        if change > GROWTH_MAX {
            grown.push(line);
        } else if change < -GROWTH_MAX {
            shrunk.push(line);
        }
    }
    (grown, shrunk)
}

/// Instructions of a whole run.
fn instructions(workload: Workload, events: usize, tick: usize) -> Result<u64, String> {
    let spec = Spec::new(workload, events, tick);
    let request = Request { tier: Tier::T3, spec, workers: 1, files: None, rate_per_s: None, variant: None };
    let request = serde_json::to_string(&request).map_err(|e| e.to_string())?;
    let program = std::env::current_exe().map_err(|e| e.to_string())?;
    let output = Command::new("valgrind")
        .args(["--tool=callgrind", "--callgrind-out-file=/dev/null"])
        .arg(program)
        .args(["as", "millrace", "measure", &request])
        .output()
        .map_err(|e| format!("valgrind: {e}; on Debian: apt-get install valgrind"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(format!("{workload}: {}\n{said}", output.status));
    }
    collected(&said).ok_or_else(|| format!("{workload}: valgrind did not count:\n{said}"))
}

/// The count in what callgrind says at its end: `==17== Collected : 123`.
fn collected(said: &str) -> Option<u64> {
    let line = said.lines().find(|line| line.contains("Collected :"))?;
    line.rsplit(':').next()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(q3: f64) -> Counts {
        Counts { instructions_per_event: BTreeMap::from([("q3".to_owned(), q3)]) }
    }

    #[test]
    fn growth_is_told_from_noise() {
        assert_eq!(compare(&counts(100.0), &counts(104.0)), (vec![], vec![]));
        assert_eq!(compare(&counts(100.0), &counts(106.0)).0, ["q3: 106 instructions per event, 100 before (+6.0 %)"]);
        assert_eq!(compare(&counts(100.0), &counts(90.0)).1.len(), 1);
        assert_eq!(compare(&Counts::default(), &counts(1.0)).0, ["q3 is not written down: check --bless"]);
    }

    #[test]
    fn the_count_is_found() {
        assert_eq!(collected("==17== Events    : Ir\n==17== Collected : 12345\n==17=="), Some(12_345));
        assert_eq!(collected("nothing"), None);
    }
}
