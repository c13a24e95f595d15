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

#[cfg(test)]
mod tests {
    use millrace_bench_input::{Spec, Workload};

    use super::*;

    fn request(workload: Workload, workers: usize) -> Request {
        // a window is short enough to see several
        let spec = Spec { load: 500, spacing_us: 10_000, ..Spec::new(workload, 3000, 250) };
        Request { tier: Tier::T3, spec, workers, files: None, rate_per_s: None, variant: None }
    }

    #[test]
    fn every_workload_has_the_answer_of_the_one_written_by_hand() {
        for workload in Workload::ALL {
            let ours = ours::measure(&request(*workload, 1)).unwrap();
            assert_eq!(ours.ticks.unwrap().count, 12, "{workload}");
            if typed::can().contains(workload) {
                let typed = measure_typed(&request(*workload, 2)).unwrap();
                assert_eq!(ours.answer, typed.answer, "{workload}");
            }
        }
    }

    #[test]
    fn a_paced_run_has_the_answer_of_one_as_fast_as_can_be() {
        let plain = request(Workload::Q4, 1);
        let mut paced = Request { rate_per_s: Some(20_000), ..plain.clone() };
        paced.spec.tick = 10;
        let (plain, paced) = (ours::measure(&plain).unwrap(), ours::measure(&paced).unwrap());
        assert_eq!(plain.answer, paced.answer);
        let latency = paced.latency.unwrap();
        assert_eq!(latency.count, 3000);
        assert!(paced.wall_s >= 0.149 && latency.p50 <= latency.max, "{latency:?}");
    }

    #[test]
    fn a_late_start_and_a_crowd_say_the_same() {
        // both compare the answers themselves
        let late = Request { variant: Some(ours::LATE.to_owned()), ..request(Workload::IvmJoin, 1) };
        assert_eq!(ours::measure(&late).unwrap().answer, ours::measure(&request(Workload::IvmJoin, 1)).unwrap().answer);
        let wrong = Request { variant: Some(ours::MANY.to_owned()), ..request(Workload::IvmJoin, 1) };
        assert!(ours::measure(&wrong).unwrap_err().contains("not made for each other"));
    }

    #[test]
    fn what_changes_is_not_given_to_what_only_grows() {
        let mut changing = request(Workload::Q3, 1);
        changing.spec.updates_percent = 10;
        assert!(measure_typed(&changing).is_err());
    }
}
