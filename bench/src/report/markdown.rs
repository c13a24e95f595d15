//! The tables.

use millrace_bench_input::About;
use millrace_bench_input::figures::Spread;

use crate::known;
use crate::machine::Machine;
use crate::run::{Measured, OURS, Outcome, Row};
use crate::statistics::{geometric_mean, median, number, spread};
use crate::suite::Name;

use super::targets::Target;
use super::{groups, label, middle, per_cpu_s};

/// Processors that others kept busy; above it a figure is marked.
const DISTURBED: f64 = 0.25;

/// The whole text.
pub(super) fn document(machine: &Machine, outcome: &Outcome, targets: &[Target], plots: &[&str]) -> String {
    let mut out = vec!["# Benchmarks".to_owned(), String::new(), machine.line(), String::new()];
    for about in abouts(outcome) {
        let configuration = about.configuration.join("; ");
        let (name, version, durable) = (&about.name, &about.version, &about.durable);
        out.push(format!("* **{name}** {version}; {configuration}; survives a kill: {durable}"));
    }
    out.extend(outcome.absent.iter().map(|why| format!("* not there: {why}")));
    out.push(String::new());
    out.push(NOTES.to_owned());
    out.push("\n## Targets\n".to_owned());
    out.push(targets_table(targets));
    for (title, rows) in groups(outcome) {
        out.push(format!("\n## {title}\n"));
        out.push(knobs(&rows));
        out.extend(comparison(&rows).map(|table| table + "\n"));
        out.push(details(&rows));
        out.extend(notes(&rows));
    }
    if !plots.is_empty() {
        out.push(String::new());
        out.extend(plots.iter().map(|name| format!("![{name}]({name})")));
    }
    if outcome.wrong.is_empty() {
        out.push("\nAll answers are equal.".to_owned());
    } else {
        out.push("\n## What went wrong\n".to_owned());
        out.extend(outcome.wrong.iter().map(|why| format!("* {}", why.trim().replace('\n', "\n  "))));
    }
    out.join("\n") + "\n"
}

/// What is worth to be shown beside the project: machine, versions, targets, and one table for each suite.
pub(super) fn summary(machine: &Machine, outcome: &Outcome, targets: &[Target]) -> String {
    let versions: Vec<&str> = abouts(outcome).map(|about| about.version.as_str()).collect();
    let mut out = vec![format!("{} · millrace {}", machine.line(), versions.join(" · ")), String::new()];
    out.push(NOTES.to_owned());
    out.push(format!("\n{}", targets_table(targets)));
    for (title, rows) in groups(outcome) {
        let table = match rows[0].cell.suite {
            Name::Latency => latencies(&rows),
            _ => comparison(&rows).unwrap_or_else(|| details(&rows)),
        };
        out.push(format!("\n**{title}**\n\n{table}"));
    }
    if !outcome.wrong.is_empty() {
        out.push(format!("\n{} things went wrong in this run.", outcome.wrong.len()));
    }
    out.join("\n") + "\n"
}

/// What the contenders say of themselves, each once.
fn abouts(outcome: &Outcome) -> impl Iterator<Item = &About> {
    let mut last = "";
    outcome.contenders.iter().map(|contender| &contender.about).filter(move |about| {
        let new = about.name != last;
        last = &about.name;
        new
    })
}

fn targets_table(targets: &[Target]) -> String {
    let head = ["beside", "wanted", "found", ""].map(str::to_owned);
    let line = |target: &Target| {
        let met = match target.met {
            None => "not measured",
            Some(true) => "met",
            Some(false) => "**missed**",
        };
        vec![target.what.to_owned(), target.wanted.clone(), target.found.clone(), met.to_owned()]
    };
    table(&head, &targets.iter().map(line).collect::<Vec<_>>())
}

/// The table that compares the contenders, where the suite has one.
fn comparison(rows: &[&Row]) -> Option<String> {
    let names = names(rows);
    match rows[0].cell.suite {
        Name::Latency | Name::FirstRow | Name::Many => None,
        Name::Memory => Some(compared(rows, &names, "peak MB", peaks, |ours, theirs| theirs / ours)),
        _ => Some(compared(rows, &names, "M events per CPU-s", per_cpu_s, |ours, theirs| ours / theirs)),
    }
}

/// Latencies alone.
fn latencies(rows: &[&Row]) -> String {
    let head = ["latency, ms", "", "M events per s", "p50", "p99", "p99.9", "max"].map(str::to_owned);
    let mut lines = vec![];
    for row in rows {
        for one in &row.measured {
            let time = |q: fn(&Spread) -> f64| number(middle(one, |f| f.latency.as_ref().map(q)));
            let rate = one.request.rate_per_s.map_or(f64::NAN, |rate| rate as f64 / 1e6);
            let mut line = vec![label(row), one.contender.clone(), number(rate)];
            line.extend([time(|l| l.p50), time(|l| l.p99), time(|l| l.p999), time(|l| l.max)]);
            lines.push(line);
        }
    }
    table(&head, &lines)
}

const NOTES: &str = "\
Rates are millions of events per second of CPU time of all processes: medians of runs in turns (least–largest). `×`: \
how often better Millrace is than the column before: its rate over the other's, the other's memory over its. `*`: others kept a quarter of a processor or more busy meanwhile. `†`: a peer that is more than 15 % slower than what \
is known of it on such a machine (`bench/src/known.rs`).";

/// What is the same for all rows of a table.
fn knobs(rows: &[&Row]) -> String {
    let spec = &rows[0].cell.request.spec;
    format!(
        "seed {}, {} µs of event time from event to event, up to {} ms late, {} % of the changes change or take back\n",
        spec.seed, spec.spacing_us, spec.disorder_ms, spec.updates_percent
    )
}

/// The contenders of a table, in their order.
fn names(rows: &[&Row]) -> Vec<String> {
    let mut names: Vec<String> = vec![];
    for one in rows.iter().flat_map(|row| &row.measured) {
        if !names.contains(&one.contender) {
            names.push(one.contender.clone());
        }
    }
    names
}

fn of<'a>(row: &'a Row, name: &str) -> Option<&'a Measured> {
    row.measured.iter().find(|m| m.contender == name)
}

/// The peaks of the runs.
fn peaks(one: &Measured) -> Vec<f64> {
    one.figures.iter().map(|f| f.peak_mb).collect()
}

/// What runs had to say.
fn notes(rows: &[&Row]) -> Vec<String> {
    let mut notes: Vec<String> = vec![];
    for one in rows.iter().flat_map(|row| &row.measured) {
        for note in one.figures.iter().filter_map(|f| f.note.as_ref()) {
            let line = format!("* {}, {}: {note}", one.request.spec.workload, one.contender);
            if !notes.contains(&line) {
                notes.push(line);
            }
        }
    }
    notes.splice(0..0, (!notes.is_empty()).then(String::new));
    notes
}

/// A figure of every contender, and how often it is better with Millrace.
fn compared(
    rows: &[&Row],
    names: &[String],
    figure: &str,
    of_runs: fn(&Measured) -> Vec<f64>,
    better: fn(f64, f64) -> f64,
) -> String {
    let is_compared = |name: &String| name != OURS && names.iter().any(|n| n == OURS);
    let mut head = vec![figure.to_owned()];
    for name in names {
        head.push(name.clone());
        head.extend(is_compared(name).then(|| "×".to_owned()));
    }
    let mut ratios: Vec<Vec<f64>> = vec![vec![]; names.len()];
    let mut lines = vec![];
    for row in rows {
        let ours = of(row, OURS).map(|m| median(of_runs(m)));
        let mut line = vec![label(row)];
        for (i, name) in names.iter().enumerate() {
            let one = of(row, name);
            line.push(one.map_or_else(String::new, |m| spread(&of_runs(m)) + &mark(m)));
            if is_compared(name) {
                let ratio = ours.zip(one).map(|(ours, m)| better(ours, median(of_runs(m))));
                ratios[i].extend(ratio);
                line.push(ratio.map_or_else(String::new, number));
            }
        }
        lines.push(line);
    }
    if ratios.iter().any(|r| r.len() > 1) {
        let mut line = vec!["geometric mean".to_owned()];
        for (i, name) in names.iter().enumerate() {
            line.push(String::new());
            if is_compared(name) {
                line.push(if ratios[i].is_empty() { String::new() } else { number(geometric_mean(&ratios[i])) });
            }
        }
        lines.push(line);
    }
    table(&head, &lines)
}

/// `*` and `†`, as the notes say.
fn mark(one: &Measured) -> String {
    let disturbed = median(one.others.clone()) > DISTURBED;
    let slow =
        known::rate(&one.contender, &one.request).is_some_and(|rate| median(per_cpu_s(one)) < rate * known::SLOW);
    let marks = [(disturbed, " *"), (slow, " †")];
    marks.iter().filter(|(is, _)| *is).map(|(_, mark)| *mark).collect()
}

fn details(rows: &[&Row]) -> String {
    let paced = rows[0].cell.suite == Name::Latency;
    let of_times = if paced { "latency" } else { "tick" };
    let mut head: Vec<String> = ["", "", "CPU s", "wall s", "M events per s", "peak MB"].map(str::to_owned).into();
    head.extend(["p50", "p99", "p99.9", "max"].map(|q| format!("{of_times} {q} ms")));
    head.extend(["first row ms", "others"].map(str::to_owned));
    let mut lines = vec![];
    for row in rows {
        for one in &row.measured {
            let time = |q: fn(&Spread) -> f64| {
                number(middle(one, |f| if paced { f.latency.as_ref() } else { f.ticks.as_ref() }.map(q)))
            };
            lines.push(vec![
                label(row),
                one.contender.clone(),
                number(middle(one, |f| Some(f.cpu_s))),
                number(middle(one, |f| Some(f.wall_s))),
                number(middle(one, |f| Some(one.request.spec.events as f64 / f.wall_s.max(1e-9) / 1e6))),
                number(middle(one, |f| Some(f.peak_mb))),
                time(|t| t.p50),
                time(|t| t.p99),
                time(|t| t.p999),
                time(|t| t.max),
                number(middle(one, |f| f.first_ms)),
                number(median(one.others.clone())),
            ]);
        }
    }
    table(&head, &lines)
}

/// A table whose columns are as wide as their widest cell, numbers to the right.
fn table(head: &[String], rows: &[Vec<String>]) -> String {
    let width = |c: usize| {
        let cells = rows.iter().filter_map(|r| r.get(c)).map(|cell| cell.chars().count());
        cells.chain([head[c].chars().count(), 3]).max().unwrap_or(3)
    };
    let widths: Vec<usize> = (0..head.len()).map(width).collect();
    let line = |cells: &[String]| {
        let cells: Vec<String> = cells
            .iter()
            .zip(&widths)
            .enumerate()
            .map(|(c, (cell, w))| if c == 0 { format!("{cell:<w$}") } else { format!("{cell:>w$}") })
            .collect();
        format!("| {} |", cells.join(" | "))
    };
    let rule: Vec<String> = widths
        .iter()
        .enumerate()
        .map(|(c, w)| if c == 0 { "-".repeat(*w) } else { format!("{}:", "-".repeat(w - 1)) })
        .collect();
    let mut out = vec![line(head), line(&rule)];
    out.extend(rows.iter().map(|r| line(r)));
    out.join("\n")
}
