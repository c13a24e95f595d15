//! One measurement: in a process of its own, its answer beside its figures.

use std::process::Command;
use std::sync::Arc;

use millrace_bench_input::{Figures, Request, Tick};

use crate::{ours, typed};

/// What a contender in memory is given: all ticks, of which the first are loaded before the clock starts.
pub(crate) struct Input {
    /// All of them.
    pub(crate) ticks: Vec<Tick>,
    /// How many are loaded.
    pub(crate) load: usize,
}

/// `one CONTENDER REQUEST`: measures in this process and prints the figures as JSON.
///
/// # Errors
/// If the words are off or the run fails.
pub(crate) fn one(args: &[String]) -> Result<(), String> {
    let [contender, request] = args else { return Err("one CONTENDER REQUEST".to_owned()) };
    let request: Request = serde_json::from_str(request).map_err(|e| format!("the request: {e}"))?;
    let spec = &request.spec;
    let input = Input { ticks: spec.workload.ticks(spec, false).collect(), load: spec.sizes().1 };
    let (answer, clock) = match contender.as_str() {
        "millrace" => ours::run(&request, &input)?,
        "typed" => typed::run(spec.workload, &Arc::new(input), request.workers)?,
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
pub(crate) fn in_process(contender: &str, request: &Request) -> Result<Figures, String> {
    let program = std::env::current_exe().map_err(|e| e.to_string())?;
    let text = serde_json::to_string(request).map_err(|e| e.to_string())?;
    let output = Command::new(program).args(["one", contender, &text]).output().map_err(|e| e.to_string())?;
    let workload = request.spec.workload;
    if !output.status.success() {
        return Err(format!("{contender} {workload}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    serde_json::from_slice(&output.stdout).map_err(|e| format!("{contender} {workload}: {e}"))
}
