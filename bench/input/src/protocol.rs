//! How the harness speaks to a contender: two words, one JSON line each.
//!
//! ```text
//! bench/peers/NAME/build            builds or installs it, pinned; quick when that is done
//! bench/peers/NAME/run about        prints an [About] as one line of JSON
//! bench/peers/NAME/run measure REQ  runs one measurement, REQ being a [Request] as JSON, prints [Figures] as one line
//! ```
//! Anything else goes to stderr. The exit status is 0 if there are figures; otherwise the harness fails the run and
//! shows stderr. Every measurement is a process of its own. The contender consolidates its result, and hashes it as
//! [`answer`](crate::answer) says; the harness compares.
//!
//! # Tiers
//! * `t3`: the contender makes the input with [`Workload::ticks`](crate::Workload::ticks), or reads its Parquet files,
//!   puts it into the form that it likes best, and starts the clock when all is there. What `Spec::load` asks for goes
//!   in before the clock starts.
//! * `t1`: from the JSON lines of `Request::files` to nothing, within one clock: opening, reading, parsing, maintaining.
//! * `t0`: the same files, read, parsed and counted, with all columns: the answer is the number of records as `rows`,
//!   and 0 as `hash`.
//!
//! # Files
//! `Request::files` is a folder with, for each table, `NAME.jsonl` (an object a line, columns in order, NULL as `null`,
//! DECIMAL and DOUBLE as numbers, DATE as text) and `NAME.parquet` (the same rows), and `input.json`:
//! ```json
//! {"spec": {…}, "load_ticks": 0,
//!  "tables": [{"name": "bid", "columns": [{"name": "auction", "sql_type": "BigInt"}, …], "key": null, "time": 3, "retracts": false,
//!              "rows": [9200, 9200, …]}]}
//! ```
//! `rows` says how many records of the table each tick has. A table that retracts has a `key` and another first column,
//! `op`: `c` (insert), `u` (the row of this key is now this), `d` (it is gone: the other columns are those that it had).

use std::path::PathBuf;
use std::process::ExitCode;

use serde::{Deserialize, Serialize};

use crate::figures::Figures;
use crate::spec::Spec;
use crate::workload::Workload;

/// Where the rows come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Tier {
    /// Read, parsed, counted: no query.
    T0,
    /// From files to nothing.
    T1,
    /// From memory to nothing.
    T3,
}

/// One measurement.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Request {
    /// Where the rows come from.
    pub tier: Tier,
    /// The input, and with it the query.
    pub spec: Spec,
    /// Threads that maintain the answer.
    pub workers: usize,
    /// In T0 and T1: the folder of the files. In T3 too, for those that do not make the input themselves.
    #[serde(default)]
    pub files: Option<PathBuf>,
    /// Paced: so many events a second arrive, each at its time, whether the contender keeps up or not. The latency is from
    /// the scheduled arrival to the result of the tick that holds the event.
    #[serde(default)]
    pub rate_per_s: Option<u64>,
    /// How a contender that could do it in several ways is to do it: `epoch` makes DuckDB recompute at every tick
    /// instead of once at the end.
    #[serde(default)]
    pub variant: Option<String>,
}

/// What a contender is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct About {
    /// Its name.
    pub name: String,
    /// Its version, and that of what it stands on.
    pub version: String,
    /// Settings that differ from the default or matter, one each.
    pub configuration: Vec<String>,
    /// What would survive a `kill -9` during a run.
    pub durable: String,
    /// Which workloads it can do, by tier and name.
    pub can: Vec<Can>,
}

/// Workloads of a tier.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Can {
    /// The tier.
    pub tier: Tier,
    /// Workloads of the tier.
    pub workloads: Vec<Workload>,
    /// Whether it can be paced.
    #[serde(default)]
    pub paced: bool,
    /// Variants besides the plain one.
    #[serde(default)]
    pub variants: Vec<String>,
}

impl About {
    /// Whether it can do this.
    pub fn can(&self, request: &Request) -> bool {
        self.can.iter().any(|can| {
            can.tier == request.tier
                && (request.tier == Tier::T0 || can.workloads.contains(&request.spec.workload))
                && (can.paced || request.rate_per_s.is_none())
                && request.variant.as_ref().is_none_or(|v| can.variants.contains(v))
        })
    }
}

/// `main` of a contender in Rust: answers `about` and `measure REQUEST`.
pub fn serve(about: impl FnOnce() -> About, measure: impl FnOnce(&Request) -> Result<Figures, String>) -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    serve_args(&args, about, measure)
}

/// The same, for a program that has other uses: `args` is `about` or `measure REQUEST`.
pub fn serve_args(
    args: &[String],
    about: impl FnOnce() -> About,
    measure: impl FnOnce(&Request) -> Result<Figures, String>,
) -> ExitCode {
    match answer(args, about, measure) {
        Ok(line) => {
            say(&line);
            ExitCode::SUCCESS
        }
        Err(error) => {
            complain(&error);
            ExitCode::FAILURE
        }
    }
}

fn answer(
    args: &[String],
    about: impl FnOnce() -> About,
    measure: impl FnOnce(&Request) -> Result<Figures, String>,
) -> Result<String, String> {
    match args {
        [word] if word == "about" => serde_json::to_string(&about()).map_err(|e| e.to_string()),
        [word, request] if word == "measure" => {
            let request = serde_json::from_str(request).map_err(|e| format!("the request: {e}"))?;
            serde_json::to_string(&measure(&request)?).map_err(|e| e.to_string())
        }
        _ => Err("about | measure REQUEST".to_owned()),
    }
}

#[allow(clippy::print_stdout, reason = "the protocol is on stdout")]
fn say(line: &str) {
    println!("{line}");
}

#[allow(clippy::print_stderr, reason = "errors go to stderr")]
fn complain(error: &str) {
    eprintln!("error: {error}");
}

#[cfg(test)]
mod tests {
    use super::*;

    fn about() -> About {
        let can =
            Can { tier: Tier::T3, workloads: vec![Workload::Q3], paced: false, variants: vec!["epoch".to_owned()] };
        let (name, version, durable) = ("x".to_owned(), "1".to_owned(), "nothing".to_owned());
        About { name, version, configuration: vec![], durable, can: vec![can] }
    }

    fn request() -> Request {
        let spec = Spec::new(Workload::Q3, 10, 5);
        Request { tier: Tier::T3, spec, workers: 1, files: None, rate_per_s: None, variant: None }
    }

    fn args(words: &[&str]) -> Vec<String> {
        words.iter().map(|w| (*w).to_owned()).collect()
    }

    #[test]
    fn a_request_becomes_figures() {
        let text = serde_json::to_string(&request()).unwrap();
        let measure = |r: &Request| Ok(Figures { cpu_s: r.spec.events as f64, ..Figures::default() });
        let line = answer(&args(&["measure", &text]), about, measure).unwrap();
        assert_eq!(serde_json::from_str::<Figures>(&line).unwrap().cpu_s, 10.0);
        let line = answer(&args(&["about"]), about, measure).unwrap();
        assert_eq!(serde_json::from_str::<About>(&line).unwrap(), about());
        assert!(answer(&args(&["measure", "{}"]), about, measure).unwrap_err().starts_with("the request: "));
        assert!(answer(&[], about, measure).is_err());
    }

    #[test]
    fn a_contender_says_what_it_can() {
        let asked = |change: fn(&mut Request)| {
            let mut request = request();
            change(&mut request);
            about().can(&request)
        };
        assert!(asked(|_| ()));
        assert!(asked(|r| r.variant = Some("epoch".to_owned())));
        assert!(!asked(|r| r.variant = Some("other".to_owned())));
        assert!(!asked(|r| r.rate_per_s = Some(1)));
        assert!(!asked(|r| r.tier = Tier::T1));
        assert!(!asked(|r| r.spec.workload = Workload::Q4));
    }
}
