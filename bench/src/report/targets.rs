//! The targets, each with what this run found. What a run did not measure is said to be open, never to be met.
//!
//! A target is a bound on the worst of some ratios or times, or on their geometric mean; the table shows the figure and
//! where the worst was found.

use millrace_bench_input::figures::Spread;
use millrace_bench_input::spec::LOAD_TICK;
use millrace_bench_input::{Figures, Tier, Workload};

use crate::run::{Measured, OURS, Outcome, Row};
use crate::statistics::{geometric_mean, median, number};
use crate::suite::Name;

use super::{label, middle, per_cpu_s};

/// One line of the table.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Target {
    /// Beside what, in which tier.
    pub(super) what: &'static str,
    /// What is wanted.
    pub(super) wanted: String,
    /// What was found; empty if nothing was.
    pub(super) found: String,
    /// Whether that is what is wanted; `None`: not measured.
    pub(super) met: Option<bool>,
}

/// A figure, and the row that it belongs to.
struct Figure {
    value: f64,
    at: String,
}

/// Which side of a bound is good.
#[derive(Clone, Copy, PartialEq)]
enum Bound {
    AtLeast(f64),
    AtMost(f64),
}

impl Bound {
    fn holds(self, value: f64) -> bool {
        match self {
            Bound::AtLeast(bound) => value >= bound,
            Bound::AtMost(bound) => value <= bound,
        }
    }

    fn text(self) -> String {
        match self {
            Bound::AtLeast(bound) => format!("≥ {bound}"),
            Bound::AtMost(bound) => format!("≤ {bound}"),
        }
    }

    /// The figure that is furthest from what is wanted.
    fn worst(self, figures: &[Figure]) -> Option<&Figure> {
        let by_value = |a: &&Figure, b: &&Figure| a.value.total_cmp(&b.value);
        match self {
            Bound::AtLeast(_) => figures.iter().min_by(by_value),
            Bound::AtMost(_) => figures.iter().max_by(by_value),
        }
    }
}

/// All targets, in the order of the table.
pub(super) fn of(outcome: &Outcome) -> Vec<Target> {
    let faster = |name: &str, fits: fn(&Row) -> bool| rates(outcome, name, fits);
    let mut targets = vec![];
    let by_hand = faster("typed", |row| is(row, Tier::T3, &[Name::Nexmark, Name::Ivm]));
    targets.push(mean("by hand on differential dataflow, T3: rate", &by_hand, Bound::AtLeast(3.0)));
    targets.push(worst("by hand on differential dataflow, T3: rate", &by_hand, Bound::AtLeast(1.2), "×"));
    let dbsp = faster("dbsp", |row| is(row, Tier::T3, &[Name::Nexmark, Name::Ivm]));
    targets.push(mean("DBSP by hand, T3: rate", &dbsp, Bound::AtLeast(3.0)));
    targets.push(worst("DBSP by hand, T3: rate", &dbsp, Bound::AtLeast(1.5), "×"));
    let flink = faster("flink", |row| is(row, Tier::T1, &[Name::Nexmark]));
    targets.push(worst("Flink, T1: rate", &flink, Bound::AtLeast(5.0), "×"));
    let decoded = faster("duckdb", |row| is(row, Tier::T0, &[Name::Decode]));
    targets.push(worst("DuckDB's JSON reader, T0: rate", &decoded, Bound::AtLeast(1.0), "×"));
    let epochs = faster("duckdb:epoch", |row| is(row, Tier::T1, &[Name::Nexmark]) && keeps(row));
    targets.push(worst(
        "DuckDB recomputing each tick, T1, joins and aggregates: rate",
        &epochs,
        Bound::AtLeast(20.0),
        "×",
    ));
    targets.extend(memory(outcome));
    targets.push(worst(
        "the largest state beside the smallest, T3, same change: cost",
        &states(outcome),
        Bound::AtMost(1.5),
        "×",
    ));
    for (what, bound, of) in [
        ("latency, T1, paced at 50 %: p99, ms", 10.0, (|l| l.p99) as fn(&Spread) -> f64),
        ("latency, T1, paced at 50 %: p99.9, ms", 30.0, |l| l.p999),
    ] {
        targets.push(worst(what, &latencies(outcome, of), Bound::AtMost(bound), ""));
    }
    targets.push(worst("two workers beside one, T3: rate by the clock", &speed_ups(outcome), Bound::AtLeast(1.7), "×"));
    targets
}

fn worst(what: &'static str, figures: &[Figure], bound: Bound, unit: &str) -> Target {
    let found = bound.worst(figures);
    let all = if figures.len() > 1 { format!("; worst of {}", figures.len()) } else { String::new() };
    Target {
        what,
        wanted: format!("{} {unit}", bound.text()).trim().to_owned(),
        found: found
            .map(|f| format!("{} {unit} ({}{all})", number(f.value), f.at).replace("  ", " "))
            .unwrap_or_default(),
        met: found.map(|f| bound.holds(f.value)),
    }
}

fn mean(what: &'static str, figures: &[Figure], bound: Bound) -> Target {
    let mean = geometric_mean(&figures.iter().map(|f| f.value).collect::<Vec<_>>());
    let measured = !figures.is_empty();
    Target {
        what,
        wanted: format!("geometric mean {} ×", bound.text()),
        found: if measured { format!("{} × (of {})", number(mean), figures.len()) } else { String::new() },
        met: measured.then(|| bound.holds(mean)),
    }
}

fn is(row: &Row, tier: Tier, suites: &[Name]) -> bool {
    row.cell.request.tier == tier && suites.contains(&row.cell.suite)
}

/// Whether the query keeps something: it joins or aggregates.
fn keeps(row: &Row) -> bool {
    !matches!(row.cell.request.spec.workload, Workload::Q0 | Workload::Q1 | Workload::Q2 | Workload::Stateless)
}

fn one<'a>(row: &'a Row, name: &str) -> Option<&'a Measured> {
    row.measured.iter().find(|m| m.contender == name)
}

fn place(row: &Row) -> String {
    let Row { cell, .. } = row;
    let workers = if cell.request.workers > 1 { format!(", {} workers", cell.request.workers) } else { String::new() };
    let ticks = if cell.suite == Name::Ivm { String::new() } else { format!(", ticks of {}", cell.request.spec.tick) };
    format!("{}{ticks}{workers}", label(row))
}

/// How often as fast as `name` we are, by CPU time, in each row that fits.
fn rates(outcome: &Outcome, name: &str, fits: fn(&Row) -> bool) -> Vec<Figure> {
    let ratio = |row: &Row| {
        let (ours, theirs) = (one(row, OURS)?, one(row, name)?);
        Some(Figure { value: median(per_cpu_s(ours)) / median(per_cpu_s(theirs)), at: place(row) })
    };
    outcome.rows.iter().filter(|row| fits(row)).filter_map(ratio).collect()
}

fn memory(outcome: &Outcome) -> [Target; 2] {
    let peak = |one: &Measured| middle(one, |f: &Figures| Some(f.peak_mb));
    let ratios = |name: &str, fits: &dyn Fn(&Row) -> bool| -> Vec<Figure> {
        let ratio = |row: &Row| {
            let (ours, theirs) = (peak(one(row, OURS)?), peak(one(row, name)?));
            (theirs > LEAST_MB).then(|| Figure { value: ours / theirs, at: place(row) })
        };
        outcome.rows.iter().filter(|row| fits(row)).filter_map(ratio).collect()
    };
    let by_hand = ratios("typed", &|row| is(row, Tier::T3, &[Name::Memory, Name::Nexmark]));
    let flink = ratios("flink", &|row| is(row, Tier::T1, &[Name::Nexmark]));
    [
        worst("by hand on differential dataflow, T3: peak of memory", &by_hand, Bound::AtMost(1.0), "×"),
        worst("Flink, T1: peak of memory", &flink, Bound::AtMost(0.25), "×"),
    ]
}

/// Below this peak, MB, a query keeps nothing that one could compare.
const LEAST_MB: f64 = 10.0;

/// What a change costs in the largest state beside that in the smallest, for each workload and size of change.
fn states(outcome: &Outcome) -> Vec<Figure> {
    let rows: Vec<(&Row, &Measured)> = outcome
        .rows
        .iter()
        .filter(|row| row.cell.suite == Name::Ivm && row.cell.request.workers == 1)
        .filter_map(|row| Some((row, one(row, OURS)?)))
        .collect();
    let load = |row: &Row| row.cell.request.spec.load;
    let Some(largest) = rows.iter().map(|(row, _)| load(row)).max().filter(|most| *most > LOAD_TICK) else {
        return vec![];
    };
    let large = rows.iter().filter(|(row, _)| load(row) == largest);
    let beside = large.filter_map(|(row, ours)| {
        let like = |small: &Row| {
            let (a, b) = (&small.cell.request.spec, &row.cell.request.spec);
            a.load == LOAD_TICK && a.workload == b.workload && a.tick == b.tick
        };
        let (_, small) = rows.iter().find(|(small, _)| like(small))?;
        Some(Figure { value: median(per_cpu_s(small)) / median(per_cpu_s(ours)), at: label(row) })
    });
    beside.collect()
}

fn latencies(outcome: &Outcome, of: fn(&Spread) -> f64) -> Vec<Figure> {
    let fits = |row: &&Row| is(row, Tier::T1, &[Name::Latency]) && row.cell.load_percent == Some(50);
    let figure = |row: &Row| {
        let value = middle(one(row, OURS)?, |f| f.latency.as_ref().map(of));
        Some(Figure { value, at: label(row) })
    };
    outcome.rows.iter().filter(fits).filter_map(figure).collect()
}

/// How often as fast by the clock two workers are as one, where both were measured with the same input.
fn speed_ups(outcome: &Outcome) -> Vec<Figure> {
    let wall = |row: &Row| one(row, OURS).map(|ours| middle(ours, |f| Some(f.wall_s)));
    let two = outcome.rows.iter().filter(|row| is(row, Tier::T3, &[Name::Nexmark]) && row.cell.request.workers == 2);
    let beside = two.filter_map(|row| {
        let like = |single: &&Row| {
            let (a, b) = (&single.cell.request, &row.cell.request);
            a.workers == 1 && a.tier == b.tier && a.spec == b.spec && single.cell.suite == row.cell.suite
        };
        let single = outcome.rows.iter().find(like)?;
        Some(Figure { value: wall(single)? / wall(row)?, at: place(row) })
    });
    beside.collect()
}
