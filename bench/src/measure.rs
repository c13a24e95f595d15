//! One measurement: in a process of its own, its answer beside its figures.

use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use serde::{Deserialize, Serialize};

use crate::workload::Workload;
use crate::{ours, typed};

/// The output so far: a hash of the changes that does not depend on their order, and how many there were.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// Rows that are there: diffs added up.
    pub(crate) rows: i64,
    /// Hashes of the rows times their diffs, added up.
    pub(crate) hash: u64,
}

impl Answer {
    /// One change.
    pub(crate) fn add(&mut self, hash: u64, diff: i64) {
        self.rows += diff;
        self.hash = self.hash.wrapping_add(hash.wrapping_mul(diff as u64));
    }
    /// Another worker's.
    pub(crate) fn and(self, other: Answer) -> Answer {
        Answer { rows: self.rows + other.rows, hash: self.hash.wrapping_add(other.hash) }
    }
}

/// Time and memory of a run.
#[derive(Clone, Debug)]
pub(crate) struct Stopwatch {
    origin: Instant,
    cpu_ms: u64,
    wall_ns: u64,
    rss_kb: u64,
    /// Per tick, ns.
    pub(crate) ticks: Vec<u64>,
}

impl Default for Stopwatch {
    fn default() -> Self {
        Stopwatch { origin: Instant::now(), cpu_ms: 0, wall_ns: 0, rss_kb: 0, ticks: vec![] }
    }
}

impl Stopwatch {
    /// The input is there, the work begins.
    pub(crate) fn start(&mut self) {
        self.rss_kb = status_kb("VmRSS:");
        self.cpu_ms = cpu_ms();
        self.origin = Instant::now();
    }
    /// ns since the start.
    pub(crate) fn now(&self) -> u64 {
        self.origin.elapsed().as_nanos() as u64
    }
    /// A tick that began at `begun` is done.
    pub(crate) fn tick(&mut self, begun: u64) {
        self.ticks.push(self.now() - begun);
    }
    /// The work is done.
    pub(crate) fn stop(&mut self) {
        self.wall_ns = self.now();
        self.cpu_ms = cpu_ms() - self.cpu_ms;
    }
}

/// What a measurement says.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// The answer.
    pub(crate) answer: Answer,
    /// CPU time of the process, s.
    pub(crate) cpu_s: f64,
    /// Wall time, s.
    pub(crate) wall_s: f64,
    /// Largest memory over that of the input, MB.
    pub(crate) peak_mb: f64,
    /// Median tick, ms.
    pub p50_ms: f64,
    /// 99th percentile of the ticks, ms.
    pub p99_ms: f64,
    /// Longest tick, ms.
    pub(crate) max_ms: f64,
}

impl Figures {
    fn of(answer: Answer, clock: &Stopwatch) -> Figures {
        let mut ticks = clock.ticks.clone();
        ticks.sort_unstable();
        let at = |q: f64| {
            let i = ((ticks.len() as f64 * q) as usize).min(ticks.len().saturating_sub(1));
            ticks.get(i).copied().unwrap_or(0) as f64 / 1e6
        };
        Figures {
            answer,
            cpu_s: clock.cpu_ms as f64 / 1e3,
            wall_s: clock.wall_ns as f64 / 1e9,
            peak_mb: status_kb("VmHWM:").saturating_sub(clock.rss_kb) as f64 / 1024.0,
            p50_ms: at(0.5),
            p99_ms: at(0.99),
            max_ms: at(1.0),
        }
    }
}

/// `one CONTENDER WORKLOAD EVENTS TICK WORKERS`: measures in this process and prints the figures as JSON.
///
/// # Errors
/// If the words are off or the run fails.
pub(crate) fn one(args: &[String]) -> Result<(), String> {
    let [contender, workload, numbers @ ..] = args else { return Err("one CONTENDER WORKLOAD …".to_owned()) };
    let numbers: Vec<usize> =
        numbers.iter().map(|n| n.parse().map_err(|e| format!("{n}: {e}"))).collect::<Result<_, _>>()?;
    let [events, tick, workers] = numbers[..] else { return Err("… EVENTS TICK WORKERS".to_owned()) };
    let workload = Workload::of(workload).ok_or_else(|| format!("no workload {workload}"))?;
    let input = workload.input(events, tick);
    let (answer, clock) = match contender.as_str() {
        "millrace" => ours::run(workload, &input, workers)?,
        "typed" => typed::run(workload, Arc::new(input), workers),
        other => return Err(format!("no contender {other}")),
    };
    let figures = Figures::of(answer, &clock);
    println!("{}", serde_json::to_string(&figures).map_err(|e| e.to_string())?);
    Ok(())
}

/// The same in a process of its own.
///
/// # Errors
/// If it fails.
pub(crate) fn in_process(contender: &str, workload: Workload, numbers: [usize; 3]) -> Result<Figures, String> {
    let program = std::env::current_exe().map_err(|e| e.to_string())?;
    let mut command = Command::new(program);
    command.args(["one", contender, &workload.to_string()]).args(numbers.map(|n| n.to_string()));
    let output = command.output().map_err(|e| e.to_string())?;
    if !output.status.success() {
        return Err(format!("{contender} {workload}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    serde_json::from_slice(&output.stdout).map_err(|e| format!("{contender} {workload}: {e}"))
}

/// CPU time of this process, all threads, ms.
pub(crate) fn cpu_ms() -> u64 {
    /// Linux counts CPU time in hundredths of a second.
    const TICK_MS: u64 = 10;
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    // the second field may hold spaces, but ends with a bracket
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let field = |i: usize| fields.get(i).and_then(|f| f.parse::<u64>().ok()).unwrap_or(0);
    (field(11) + field(12)) * TICK_MS
}

fn status_kb(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with(name));
    line.and_then(|l| l.split_whitespace().nth(1)).and_then(|n| n.parse().ok()).unwrap_or(0)
}
