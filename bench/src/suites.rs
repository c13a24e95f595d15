//! What is run and what is printed.

use crate::measure::{Figures, in_process};
use crate::table::{markdown, median, spread};
use crate::workload::{ALL, Workload};

/// `--help`.
pub(crate) const HELP: &str = "\
millrace-bench [WORKLOAD…] [--events N] [--tick N]… [--workers N]… [--repeats N]

Compares Millrace, from SQL text, with the same query written by hand on differential dataflow:
same input, same run, answers checked. Without words: every workload, 1,000,000 events, ticks of
10,000 and 1,000, one worker, three repeats.

Workloads: stateless q3 q4 q5 join-max-random join-max-monotone join-max-deletes tumbling";

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
                let workload = Workload::of(name).ok_or_else(|| format!("no workload {name}\n\n{HELP}"))?;
                options.workloads.push(workload);
            }
        }
    }
    if options.workloads.is_empty() {
        options.workloads = ALL.iter().map(|(_, w)| *w).collect();
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
                rows.push(compare(*workload, [options.events, *tick, *workers], options.repeats)?);
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

fn compare(workload: Workload, numbers: [usize; 3], repeats: usize) -> Result<Vec<String>, String> {
    let (mut ours, mut typed): (Vec<Figures>, Vec<Figures>) = (vec![], vec![]);
    for _ in 0..repeats {
        ours.push(in_process("millrace", workload, numbers)?);
        typed.push(in_process("typed", workload, numbers)?);
    }
    let answers: Vec<_> = ours.iter().chain(&typed).map(|f| f.answer).collect();
    if answers.iter().any(|a| *a != answers[0]) {
        return Err(format!("{workload}: the answers differ: {answers:?}"));
    }
    let rate = |f: &Figures| numbers[0] as f64 / f.cpu_s.max(0.01) / 1e6;
    let rates = |figures: &[Figures]| figures.iter().map(rate).collect::<Vec<_>>();
    let of = |figures: &[Figures], f: fn(&Figures) -> f64| format!("{:.1}", median(figures.iter().map(f).collect()));
    Ok(vec![
        workload.to_string(),
        spread(&rates(&ours), 1),
        spread(&rates(&typed), 1),
        format!("{:.2}", median(rates(&ours)) / median(rates(&typed))),
        of(&ours, |f| f.p99_ms),
        of(&typed, |f| f.p99_ms),
        of(&ours, |f| f.peak_mb),
        of(&typed, |f| f.peak_mb),
    ])
}
