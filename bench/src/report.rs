//! What a run found, for people (Markdown, SVG) and for programs (JSON), below `target/bench`.

mod markdown;
mod plots;
mod targets;

use std::fs;
use std::path::{Path, PathBuf};

use millrace_bench_input::{About, Figures};
use serde::Serialize;

use crate::machine::Machine;
use crate::run::{Measured, Outcome, Row};
use crate::statistics::median;

/// Everything, as it is kept.
#[derive(Serialize)]
struct Document<'a> {
    machine: &'a Machine,
    contenders: Vec<&'a About>,
    absent: &'a [String],
    wrong: &'a [String],
    rows: Vec<DocumentRow<'a>>,
}

#[derive(Serialize)]
struct DocumentRow<'a> {
    suite: String,
    load_percent: Option<u32>,
    measured: &'a [Measured],
}

/// Writes the results to `folder`; returns the Markdown.
///
/// # Errors
/// If a file cannot be written.
pub(crate) fn write(machine: &Machine, outcome: &Outcome, folder: &Path) -> Result<String, String> {
    let put = |name: &str, text: &str| -> Result<(), String> {
        let path = folder.join(name);
        fs::write(&path, text).map_err(|e| format!("{}: {e}", path.display()))
    };
    fs::create_dir_all(folder).map_err(|e| format!("{}: {e}", folder.display()))?;
    let mut abouts: Vec<&About> = outcome.contenders.iter().map(|c| &c.about).collect();
    abouts.dedup_by_key(|about| about.name.clone());
    let rows = outcome.rows.iter().map(|row| DocumentRow {
        suite: row.cell.suite.to_string(),
        load_percent: row.cell.load_percent,
        measured: &row.measured,
    });
    let document =
        Document { machine, contenders: abouts, absent: &outcome.absent, wrong: &outcome.wrong, rows: rows.collect() };
    put("results.json", &serde_json::to_string_pretty(&document).map_err(|e| e.to_string())?)?;
    let plots = plots::of(outcome);
    for (name, svg) in &plots {
        put(name, svg)?;
    }
    let names: Vec<&str> = plots.iter().map(|(name, _)| name.as_str()).collect();
    let targets = targets::of(outcome);
    put("summary.md", &markdown::summary(machine, outcome, &targets))?;
    let text = markdown::document(machine, outcome, &targets, &names);
    put("results.md", &text)?;
    Ok(text)
}

/// The folder of a run that begins now.
pub(crate) fn folder(machine: &Machine) -> PathBuf {
    let name = machine.date.replace([' ', ':'], "-");
    target_folder().join("bench").join(name)
}

/// Where what is built goes.
pub(crate) fn target_folder() -> PathBuf {
    let main = crate::peer::bench_folder().join("../target");
    std::env::var_os("CARGO_TARGET_DIR").map_or(main, PathBuf::from)
}

/// Events per second of CPU time, millions, of each run.
fn per_cpu_s(one: &Measured) -> Vec<f64> {
    one.figures.iter().map(|f| one.request.spec.events as f64 / f.cpu_s.max(1e-9) / 1e6).collect()
}

/// Median of one of the figures; NaN if it was not measured.
fn middle(one: &Measured, figure: impl Fn(&Figures) -> Option<f64>) -> f64 {
    median(one.figures.iter().filter_map(figure).collect())
}

/// The rows by suite, tier, tick and workers: those that stand in one table.
fn groups(outcome: &Outcome) -> Vec<(String, Vec<&Row>)> {
    let mut groups: Vec<(String, Vec<&Row>)> = vec![];
    for row in outcome.rows.iter().filter(|row| !row.measured.is_empty()) {
        let (request, spec) = (&row.cell.request, &row.cell.request.spec);
        let tier = match request.tier {
            millrace_bench_input::Tier::T0 => "T0, decoding alone",
            millrace_bench_input::Tier::T1 => "T1, JSON files to nothing",
            millrace_bench_input::Tier::T3 => "T3, in memory",
        };
        let workers = if request.workers == 1 { "1 worker".to_owned() } else { format!("{} workers", request.workers) };
        let title = match row.cell.suite {
            crate::suite::Name::Ivm => format!("ivm · {tier} · {workers}"),
            crate::suite::Name::Latency => format!("latency · {tier} · {workers}"),
            crate::suite::Name::FirstRow => {
                format!("first row of a query that starts late (a tick is a start) · {workers}")
            }
            crate::suite::Name::Many => format!("a thousand queries at once · {workers} · ticks of {}", spec.tick),
            suite => format!("{suite} · {tier} · {workers} · {} events in ticks of {}", spec.events, spec.tick),
        };
        match groups.iter_mut().find(|(known, _)| *known == title) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((title, vec![row])),
        }
    }
    groups
}

/// What a row is called in its table.
fn label(row: &Row) -> String {
    let spec = &row.cell.request.spec;
    let mut label = spec.workload.to_string();
    if row.cell.suite == crate::suite::Name::Ivm {
        label += &format!(" · {} in {}", short(spec.tick), short(spec.load));
    } else if spec.load > 0 {
        label += &format!(" · {} loaded", short(spec.load));
    }
    if spec.updates_percent > 0 {
        label += &format!(" · {} % changed", spec.updates_percent);
    }
    if let Some(load) = row.cell.load_percent {
        label += &format!(" · at {load} %");
    }
    label
}

/// `10 k`, `1 M`.
fn short(n: usize) -> String {
    match n {
        n if n >= 1_000_000 && n.is_multiple_of(100_000) => format!("{} M", n as f64 / 1e6),
        n if n >= 1_000 && n.is_multiple_of(100) => format!("{} k", n as f64 / 1e3),
        n => n.to_string(),
    }
}

#[cfg(test)]
mod tests;
