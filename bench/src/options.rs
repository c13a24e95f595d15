//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use millrace_bench_input::{Spec, Tier, Workload};

use crate::suite::{Name, Size};

/// Figures of Millrace and others: same bytes, same answers, one run.
#[derive(Debug, Parser)]
#[command(name = "millrace-bench", args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    /// What to do; without it, run.
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    /// What to run.
    #[command(flatten)]
    pub(crate) run: RunArgs,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Measure and compare
    Run(Box<RunArgs>),
    /// Say which contenders there are, in which version and configuration
    Peers,
    /// Count the instructions of a few small runs and compare them with bench/check.json
    Check(CheckArgs),
    /// Put the summary of a run into the README
    Publish(PublishArgs),
}

/// `run`.
#[derive(Clone, Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RunArgs {
    /// Workloads, instead of suites
    #[arg(value_name = "WORKLOAD")]
    pub(crate) workloads: Vec<Workload>,

    /// Suites [default: nexmark ivm decode latency]
    #[arg(long = "suite", value_enum, value_delimiter = ',')]
    pub(crate) suites: Vec<Name>,

    /// Where rows come from: t0 decoding alone, t1 files, t3 memory [default: what the suite has]
    #[arg(long = "tier", value_parser = tier, value_delimiter = ',')]
    tiers: Vec<Tier>,

    /// How much
    #[arg(long, value_enum, default_value_t = Size::Small)]
    pub(crate) size: Size,

    /// Contenders: millrace, typed, dbsp, flink, duckdb, duckdb:epoch [default: all that are built]
    #[arg(long, value_delimiter = ',')]
    pub(crate) peers: Vec<String>,

    /// Worker threads
    #[arg(long, value_delimiter = ',', value_parser = positive)]
    workers: Vec<usize>,

    /// Changes of one tick
    #[arg(long = "tick", value_delimiter = ',', value_parser = positive)]
    ticks: Vec<usize>,

    /// Changes that are measured
    #[arg(long, value_parser = positive)]
    events: Option<usize>,

    /// Changes before the clock starts
    #[arg(long, value_parser = whole)]
    pub(crate) load: Option<usize>,

    /// Of a hundred changes, so many change or take back an earlier row
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u32).range(0..=90))]
    updates_percent: u32,

    /// Event time from one event to the next, µs
    #[arg(long, default_value_t = 100)]
    spacing_us: u64,

    /// Events come up to so many ms late
    #[arg(long, default_value_t = 0)]
    disorder_ms: u64,

    /// Seed of the generator
    #[arg(long, default_value_t = 42)]
    seed: u64,

    /// Runs of each measurement, contenders taking turns
    #[arg(long, default_value_t = 3, value_parser = positive)]
    pub(crate) repeats: usize,

    /// Where results go [default: target/bench/DATE]
    #[arg(long, value_name = "FOLDER")]
    pub(crate) out: Option<PathBuf>,
}

/// `check`.
#[derive(Clone, Debug, Args)]
pub(crate) struct CheckArgs {
    /// Write the counts down instead of comparing them
    #[arg(long)]
    pub(crate) bless: bool,
}

/// `publish`.
#[derive(Clone, Debug, Args)]
pub(crate) struct PublishArgs {
    /// The folder that the run's results are in
    pub(crate) folder: PathBuf,
}

const EXAMPLES: &str = "\
Examples:
  millrace-bench                                         the small matrix, ten minutes
  millrace-bench q3 q4 --events 1000000 --tick 1000      two workloads
  millrace-bench --suite nexmark --tier t3 --size full --peers millrace,typed,dbsp --workers 1,2
  millrace-bench --suite ivm --size full --repeats 5

The first figure is always events per second of CPU time, of all processes: on a machine that others use too it is what
can be compared. A difference between answers fails the run. Results are also written as Markdown, JSON and SVG.";

impl RunArgs {
    /// The tiers that are asked for, of those that there are; if none is asked for, `usual`.
    pub(crate) fn tiers(&self, usual: &[Tier], there_are: &[Tier]) -> Vec<Tier> {
        match self.tiers.is_empty() {
            true => usual.to_vec(),
            false => there_are.iter().copied().filter(|t| self.tiers.contains(t)).collect(),
        }
    }

    /// Numbers of workers.
    pub(crate) fn workers(&self, default: &[usize]) -> Vec<usize> {
        if self.workers.is_empty() { default.to_vec() } else { self.workers.clone() }
    }

    /// Sizes of ticks.
    pub(crate) fn ticks(&self, default: &[usize]) -> Vec<usize> {
        if self.ticks.is_empty() { default.to_vec() } else { self.ticks.clone() }
    }

    /// An input with the knobs as they are set.
    pub(crate) fn spec(&self, workload: Workload, events: usize, tick: usize) -> Spec {
        Spec {
            load: self.load.unwrap_or(0),
            seed: self.seed,
            spacing_us: self.spacing_us,
            disorder_ms: self.disorder_ms,
            updates_percent: self.updates_percent,
            ..Spec::new(workload, self.events.unwrap_or(events), tick)
        }
    }
}

fn whole(text: &str) -> Result<usize, String> {
    text.replace('_', "").parse().map_err(|e| format!("{e}"))
}

fn positive(text: &str) -> Result<usize, String> {
    match whole(text)? {
        0 => Err("at least 1".to_owned()),
        n => Ok(n),
    }
}

fn tier(text: &str) -> Result<Tier, String> {
    match text {
        "t0" => Ok(Tier::T0),
        "t1" => Ok(Tier::T1),
        "t3" => Ok(Tier::T3),
        "t2" => Err("t2, from Kafka to Kafka, comes with the Kafka connector".to_owned()),
        _ => Err("t0, t1 or t3".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn run(words: &str) -> RunArgs {
        Cli::try_parse_from(["x"].into_iter().chain(words.split_whitespace())).unwrap().run
    }

    #[test]
    fn words_are_understood() {
        let args = run("q3 q4 --events 1_000 --tick 10,20 --tick 5 --workers 1,2");
        assert_eq!(args.workloads, [Workload::Q3, Workload::Q4]);
        assert_eq!(args.spec(Workload::Q3, 7, 3).events, 1000);
        assert_eq!((args.ticks(&[1]), args.workers(&[9])), (vec![10, 20, 5], vec![1, 2]));
        let tiers = |words| run(words).tiers(&[Tier::T3], &[Tier::T3, Tier::T1]);
        assert_eq!((tiers("--tier t1"), tiers("--tier t0"), tiers("")), (vec![Tier::T1], vec![], vec![Tier::T3]));
        assert!(Cli::try_parse_from(["x", "q6"]).is_err());
        assert!(Cli::try_parse_from(["x", "--tick", "0"]).is_err());
        assert!(matches!(Cli::try_parse_from(["x", "peers"]).unwrap().command, Some(Command::Peers)));
    }
}
