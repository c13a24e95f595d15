//! The plots: throughput per core, latency, cost against size of state and of change.

use crate::chart::{Bars, Lines, Series};
use crate::run::{Measured, Outcome, Row};
use crate::statistics::median;
use crate::suite::Name;

use super::{groups, label, per_cpu_s, short};

/// Names of files and what is in them.
pub(super) fn of(outcome: &Outcome) -> Vec<(String, String)> {
    let mut plots = vec![];
    for (number, (title, rows)) in groups(outcome).into_iter().enumerate() {
        match rows[0].cell.suite {
            Name::Ivm => {
                plots.push((format!("cost-state-{number}.svg"), cost(&title, &rows, Against::State)));
                plots.push((format!("cost-change-{number}.svg"), cost(&title, &rows, Against::Change)));
            }
            Name::Latency => plots.push((format!("latency-{number}.svg"), latency(&title, &rows))),
            Name::Memory | Name::FirstRow | Name::Many => (),
            suite => plots.push((format!("throughput-{suite}-{number}.svg"), throughput(&title, &rows))),
        }
    }
    plots
}

fn throughput(title: &str, rows: &[&Row]) -> String {
    let mut bars = Bars { title: title.to_owned(), unit: "M events per CPU-second".to_owned(), ..Bars::default() };
    for row in rows {
        for one in &row.measured {
            if !bars.series.contains(&one.contender) {
                bars.series.push(one.contender.clone());
            }
        }
    }
    for row in rows {
        let of = |name: &String| row.measured.iter().find(|m| m.contender == *name).map(|m| median(per_cpu_s(m)));
        bars.groups.push((label(row), bars.series.iter().map(of).collect()));
    }
    bars.svg()
}

#[derive(Clone, Copy, PartialEq)]
enum Against {
    State,
    Change,
}

/// CPU time per change against the size of the state (for changes of 100 rows, or the smallest there are), or against the
/// size of the change (in the largest state).
fn cost(title: &str, rows: &[&Row], against: Against) -> String {
    let ticks: Vec<usize> = rows.iter().map(|r| r.cell.request.spec.tick).collect();
    let tick = if ticks.contains(&100) { 100 } else { ticks.iter().copied().min().unwrap_or(1) };
    let load = rows.iter().map(|r| r.cell.request.spec.load).max().unwrap_or(0);
    let (x_name, fixed) = match against {
        Against::State => ("rows of state", format!("changes of {}", short(tick))),
        Against::Change => ("rows of a change", format!("{} rows of state", short(load))),
    };
    let mut lines = Lines {
        title: format!("{title} · {fixed}"),
        x_name: x_name.to_owned(),
        y_name: "µs of CPU time per changed row".to_owned(),
        ..Lines::default()
    };
    for row in rows {
        let spec = &row.cell.request.spec;
        let (fits, x) = match against {
            Against::State => (spec.tick == tick, spec.load),
            Against::Change => (spec.load == load, spec.tick),
        };
        if fits {
            for one in &row.measured {
                let name = format!("{} {}", spec.workload, one.contender);
                push(&mut lines.series, name, (x as f64, 1.0 / median(per_cpu_s(one)).max(1e-9)));
            }
        }
    }
    lines.svg()
}

fn latency(title: &str, rows: &[&Row]) -> String {
    let mut lines = Lines {
        title: title.to_owned(),
        x_name: "of so many events one is later".to_owned(),
        y_name: "ms from scheduled arrival to result".to_owned(),
        ..Lines::default()
    };
    for row in rows {
        for one in &row.measured {
            let name = format!("{} {}", label(row), one.contender);
            for (rarity, ms) in curve(one) {
                push(&mut lines.series, name.clone(), (rarity, ms));
            }
        }
    }
    lines.svg()
}

/// One event in so many, and its latency: medians over the runs.
fn curve(one: &Measured) -> Vec<(f64, f64)> {
    let at = |q: fn(&millrace_bench_input::figures::Spread) -> f64| {
        median(one.figures.iter().filter_map(|f| f.latency.as_ref()).map(q).collect())
    };
    let last = median(one.figures.iter().filter_map(|f| f.latency.as_ref()).map(|l| l.count as f64).collect());
    let points = [(2.0, at(|l| l.p50)), (100.0, at(|l| l.p99)), (1000.0, at(|l| l.p999)), (last, at(|l| l.max))];
    points.into_iter().filter(|(x, y)| x.is_finite() && y.is_finite() && *y > 0.0).collect()
}

fn push(series: &mut Vec<Series>, name: String, point: (f64, f64)) {
    match series.iter_mut().find(|s| s.name == name) {
        Some(found) => found.points.push(point),
        None => series.push(Series { name, points: vec![point] }),
    }
}
