//! What the tables say of a run that is made up.

use millrace_bench_input::{Answer, Request, Spec, Tier, Workload};

use super::*;
use crate::suite::{Cell, Name};

fn measured(contender: &str, request: &Request, cpu_s: &[f64]) -> Measured {
    let figures = cpu_s.iter().map(|cpu_s| Figures {
        answer: Answer { rows: 1, hash: 1 },
        cpu_s: *cpu_s,
        wall_s: 1.0,
        ..Figures::default()
    });
    Measured {
        contender: contender.to_owned(),
        request: request.clone(),
        figures: figures.collect(),
        others: vec![0.0, 0.5, 0.5],
    }
}

fn outcome() -> Outcome {
    let rows = [(Workload::Q3, 4.0), (Workload::Q4, 1.0)].map(|(workload, slower)| {
        let spec = Spec::new(workload, 1_000_000, 10_000);
        let request = Request { tier: Tier::T3, spec, workers: 1, files: None, rate_per_s: None, variant: None };
        let ours = measured("millrace", &request, &[0.5, 0.25, 1.0]);
        let typed = measured("typed", &request, &[0.5 * slower]);
        Row {
            cell: Cell { suite: Name::Nexmark, request, load_percent: None, once: false, alone: false },
            measured: vec![ours, typed],
        }
    });
    Outcome { contenders: vec![], rows: rows.into(), wrong: vec!["q4: x says 1".to_owned()], absent: vec![] }
}

#[test]
fn a_table_has_medians_ratios_and_their_mean() {
    let outcome = outcome();
    let text = markdown::document(&Machine::here(), &outcome, &targets::of(&outcome), &["a.svg"]);
    let lines: Vec<String> = text.lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let has = |line: &str| assert!(lines.iter().any(|l| l == line), "{line} is not in\n{text}");
    has("## nexmark · T3, in memory · 1 worker · 1000000 events in ticks of 10000");
    has("| M events per CPU-s | millrace | typed | × |");
    has("| q3 | 2.00 (1.00–4.00) * | 0.500 * † | 4.00 |");
    has("| geometric mean | | | 2.00 |");
    has("* q4: x says 1");
    has("![a.svg](a.svg)");
}

#[test]
fn targets_say_what_is_met_what_is_missed_and_what_is_open() {
    let found = targets::of(&outcome());
    let of = |i: usize| (found[i].found.as_str(), found[i].met);
    // twice as fast on one query, as fast on another
    assert_eq!(of(0), ("2.00 × (of 2)", Some(false)));
    assert_eq!(of(1), ("1.00 × (q4, ticks of 10000; worst of 2)", Some(false)));
    assert_eq!(of(2), ("", None));
    let outcome = Outcome { rows: vec![paced(8.0), paced(9.0)], ..outcome() };
    let found = targets::of(&outcome);
    let latency: Vec<_> = found.iter().filter(|t| t.what.contains("p99")).map(|t| (t.found.as_str(), t.met)).collect();
    assert_eq!(latency[0], ("9.00 (q3 · at 50 %; worst of 2)", Some(true)));
    assert_eq!(latency[1], ("90.0 (q3 · at 50 %; worst of 2)", Some(false)));
}

/// A paced run of Millrace whose p99 is so many ms.
fn paced(p99: f64) -> Row {
    let spec = Spec::new(Workload::Q3, 1000, 10);
    let request = Request { tier: Tier::T1, spec, workers: 1, files: None, rate_per_s: Some(10), variant: None };
    let mut ours = measured("millrace", &request, &[1.0]);
    let spread =
        millrace_bench_input::figures::Spread { count: 1000, p50: 1.0, p99, p999: p99 * 10.0, max: p99 * 20.0 };
    ours.figures[0].latency = Some(spread);
    Row {
        cell: Cell { suite: Name::Latency, request, load_percent: Some(50), once: true, alone: true },
        measured: vec![ours],
    }
}

#[test]
fn states_and_workers_are_compared_with_their_like() {
    let row = |suite, workload, load, workers, cpu_s: f64| {
        let spec = Spec { load, ..Spec::new(workload, 1000, 100) };
        let request = Request { tier: Tier::T3, spec, workers, files: None, rate_per_s: None, variant: None };
        let mut ours = measured("millrace", &request, &[cpu_s]);
        ours.figures[0].wall_s = cpu_s;
        Row { cell: Cell { suite, request, load_percent: None, once: false, alone: false }, measured: vec![ours] }
    };
    let rows = vec![
        row(Name::Ivm, Workload::IvmMax, 100_000, 1, 1.0),
        row(Name::Ivm, Workload::IvmMax, 10_000_000, 1, 1.25),
        row(Name::Nexmark, Workload::Q4, 0, 1, 2.0),
        row(Name::Nexmark, Workload::Q4, 0, 2, 1.0),
    ];
    let found = targets::of(&Outcome { rows, ..outcome() });
    let of = |word: &str| found.iter().find(|t| t.what.starts_with(word)).map(|t| (t.found.as_str(), t.met));
    assert_eq!(of("the largest state"), Some(("1.25 × (ivm-max · 100 in 10 M)", Some(true))));
    assert_eq!(of("two workers"), Some(("2.00 × (q4, ticks of 100, 2 workers)", Some(true))));
}

#[test]
fn a_run_is_written_in_three_forms() {
    let folder = std::env::temp_dir().join(format!("millrace-bench-report-{}", std::process::id()));
    write(&Machine::here(), &outcome(), &folder).unwrap();
    let json: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(folder.join("results.json")).unwrap()).unwrap();
    assert_eq!(json["rows"][1]["measured"][0]["figures"][1]["cpu_s"], 0.25);
    assert_eq!(json["rows"][0]["measured"][1]["request"]["spec"]["workload"], "q3");
    let svg = fs::read_to_string(folder.join("throughput-nexmark-0.svg")).unwrap();
    assert_eq!(svg.matches("class=\"bar\"").count(), 4);
    let summary = fs::read_to_string(folder.join("summary.md")).unwrap();
    assert!(
        summary.contains("| q3 ") && summary.contains("**missed**") && summary.contains("not measured"),
        "{summary}"
    );
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn sizes_are_short() {
    assert_eq!([1, 100, 10_000, 1_500_000, 12_345].map(short), ["1", "100", "10 k", "1.5 M", "12345"]);
}
