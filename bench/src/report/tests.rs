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
        Row { cell: Cell { suite: Name::Nexmark, request, load_percent: None }, measured: vec![ours, typed] }
    });
    Outcome { contenders: vec![], rows: rows.into(), wrong: vec!["q4: x says 1".to_owned()], absent: vec![] }
}

#[test]
fn a_table_has_medians_ratios_and_their_mean() {
    let text = markdown::document(&Machine::here(), &outcome(), &["a.svg"]);
    let lines: Vec<String> = text.lines().map(|l| l.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    let has = |line: &str| assert!(lines.iter().any(|l| l == line), "{line} is not in\n{text}");
    has("## nexmark · T3, in memory · 1 worker · 1000000 events in ticks of 10000");
    has("| M events per CPU-s | millrace | typed | × |");
    has("| q3 | 2.00 (1.00–4.00) * | 0.500 * | 4.00 |");
    has("| geometric mean | | | 2.00 |");
    has("* q4: x says 1");
    has("![a.svg](a.svg)");
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
    fs::remove_dir_all(folder).unwrap();
}

#[test]
fn sizes_are_short() {
    assert_eq!([1, 100, 10_000, 1_500_000, 12_345].map(short), ["1", "100", "10 k", "1.5 M", "12345"]);
}
