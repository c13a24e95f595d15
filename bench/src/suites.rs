//! What is run and what is printed.

use millrace_bench_input::{Figures, Request, Spec, Tier, Workload};

use crate::measure::in_process;
use crate::table::{markdown, median, spread};

/// `--help`.
pub(crate) const HELP: &str = "\
millrace-bench [WORKLOAD…] [--events N] [--tick N]… [--workers N]… [--repeats N]

Compares Millrace, from SQL text, with the same query written by hand on differential dataflow:
same input, same run, answers checked. Without words: every workload, 1,000,000 events, ticks of
10,000 and 1,000, one worker, three repeats.

Workloads: q0 q1 q2 q3 q4 q5 q7 q8 q9 stateless most-bids join-max-random join-max-monotone
join-max-deletes tumbling";

/// What runs when nothing is named.
const USUAL: [Workload; 8] = [
    Workload::Stateless,
    Workload::Q3,
    Workload::Q4,
    Workload::MostBids,
    Workload::JoinMaxRandom,
    Workload::JoinMaxMonotone,
    Workload::JoinMaxDeletes,
    Workload::Tumbling,
];

struct Options {
    workloads: Vec<Workload>,
    events: usize,
    ticks: Vec<usize>,
    workers: Vec<usize>,
    repeats: usize,
}

fn options(args: &[String]) -> Result<Options, String> {
    let mut options = Options { workloads: vec![], events: 1_000_000, ticks: vec![], workers: vec![], repeats: 3 };
    let mut args = args.iter();
    while let Some(arg) = args.next() {
        let mut number = || -> Result<usize, String> {
            let text = args.next().ok_or_else(|| format!("{arg} wants a number"))?;
            let number: usize = text.replace('_', "").parse().map_err(|e| format!("{arg} {text}: {e}"))?;
            if number == 0 { Err(format!("{arg} 0: at least 1")) } else { Ok(number) }
        };
        match arg.as_str() {
            "--events" => options.events = number()?,
            "--tick" => options.ticks.push(number()?),
            "--workers" => options.workers.push(number()?),
            "--repeats" => options.repeats = number()?,
            name => {
                options.workloads.push(name.parse().map_err(|e| format!("{e}\n\n{HELP}"))?);
            }
        }
    }
    if options.workloads.is_empty() {
        options.workloads = USUAL.to_vec();
    }
    if options.ticks.is_empty() {
        options.ticks = vec![10_000, 1_000];
    }
    if options.workers.is_empty() {
        options.workers = vec![1];
    }
    Ok(options)
}

/// Runs the suites and prints a table for each tick size.
///
/// # Errors
/// If the words are off, a run fails, or two contenders differ in their answers.
pub(crate) fn run(args: &[String]) -> Result<(), String> {
    let options = options(args)?;
    for tick in &options.ticks {
        for workers in &options.workers {
            let mut rows = vec![];
            for workload in &options.workloads {
                eprintln!("{workload}, ticks of {tick}, {workers} workers …");
                let spec = Spec::new(*workload, options.events, *tick);
                let (tier, workers) = (Tier::T3, *workers);
                let request = Request { tier, spec, workers, files: None, rate_per_s: None, variant: None };
                rows.push(compare(&request, options.repeats)?);
            }
            println!("\n{} events in ticks of {tick}, {workers} workers\n", options.events);
            let head = [
                "workload",
                "M events per CPU-s",
                "by hand",
                "ratio of CPU",
                "p99 ms",
                "by hand",
                "peak MB",
                "by hand",
            ];
            println!("{}", markdown(&head, &rows));
        }
    }
    Ok(())
}

fn compare(request: &Request, repeats: usize) -> Result<Vec<String>, String> {
    let workload = request.spec.workload;
    let (mut ours, mut typed): (Vec<Figures>, Vec<Figures>) = (vec![], vec![]);
    for _ in 0..repeats {
        ours.push(in_process("millrace", request)?);
        typed.push(in_process("typed", request)?);
    }
    let answers: Vec<_> = ours.iter().chain(&typed).map(|f| f.answer).collect();
    if answers.iter().any(|a| *a != answers[0]) {
        return Err(format!("{workload}: the answers differ: {answers:?}"));
    }
    let rate = |f: &Figures| request.spec.events as f64 / f.cpu_s.max(1e-6) / 1e6;
    let rates = |figures: &[Figures]| figures.iter().map(rate).collect::<Vec<_>>();
    let of = |figures: &[Figures], f: fn(&Figures) -> f64| format!("{:.1}", median(figures.iter().map(f).collect()));
    Ok(vec![
        workload.to_string(),
        spread(&rates(&ours), 1),
        spread(&rates(&typed), 1),
        format!("{:.2}", median(rates(&ours)) / median(rates(&typed))),
        of(&ours, |f| f.ticks.map_or(0.0, |t| t.p99)),
        of(&typed, |f| f.ticks.map_or(0.0, |t| t.p99)),
        of(&ours, |f| f.peak_mb),
        of(&typed, |f| f.peak_mb),
    ])
}
