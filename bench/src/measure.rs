//! The contenders that are part of this program: `as NAME about`, `as NAME measure REQUEST`.

use std::process::ExitCode;
use std::sync::Arc;

use millrace_bench_input::protocol::{Can, serve_args};
use millrace_bench_input::{About, Figures, Request, Tick, Tier};

use crate::{ours, typed};

/// What a contender in memory is given: all ticks, of which the first are loaded before the clock starts.
pub(crate) struct Input {
    /// All of them.
    pub(crate) ticks: Vec<Tick>,
    /// How many are loaded.
    pub(crate) load: usize,
}

/// Speaks for the contender of this name.
pub(crate) fn speak(args: &[String]) -> ExitCode {
    match args.first().map(String::as_str) {
        Some("millrace") => serve_args(&args[1..], ours::about, ours::measure),
        Some("typed") => serve_args(&args[1..], about_typed, measure_typed),
        _ => {
            eprintln!("error: as millrace or as typed");
            ExitCode::FAILURE
        }
    }
}

fn about_typed() -> About {
    About {
        name: "typed".to_owned(),
        version: "differential-dataflow 0.26, timely 0.32".to_owned(),
        configuration: vec![
            "compiled row types, differential's own operators".to_owned(),
            "rows are made from Arrow batches while the clock runs".to_owned(),
        ],
        durable: "nothing".to_owned(),
        can: vec![Can { tier: Tier::T3, workloads: typed::can(), paced: false, variants: vec![] }],
    }
}

fn measure_typed(request: &Request) -> Result<Figures, String> {
    let spec = &request.spec;
    if spec.updates_percent > 0 {
        return Err("what is written by hand takes streams that only grow".to_owned());
    }
    let input = Input { ticks: spec.workload.ticks(spec, false).collect(), load: spec.sizes().1 };
    let (answer, clock) = typed::run(spec.workload, &Arc::new(input), request.workers)?;
    Ok(Figures::of(answer, &clock))
}
