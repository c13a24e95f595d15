//! Which measurements belong together: a suite is a list of cells, and a cell is one row of a table.

mod decode;
mod first_row;
mod ivm;
mod latency;
mod many;
mod memory;
mod nexmark;
mod synthetic;
mod talk;
mod tpch;

use std::fmt;

use clap::ValueEnum;
use millrace_bench_input::{Request, Spec, Tier, Workload};

use crate::options::RunArgs;

/// The suites.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Name {
    /// Nexmark's queries, in memory and from files.
    Nexmark,
    /// One operator each: state of several sizes, changes of several sizes.
    Ivm,
    /// One operator or two, over random and monotone keys, with texts and NULLs.
    Synthetic,
    /// TPC-H as a stream, with rows that are taken back.
    Tpch,
    /// The pipelines of the talk.
    Talk,
    /// Reading and parsing, without a query.
    Decode,
    /// Paced load at a fifth, half and four fifths of what can be borne.
    Latency,
    /// What is kept: the peak over that of the input.
    Memory,
    /// A query that starts over what is there: its first row.
    FirstRow,
    /// A thousand small queries over one stream.
    Many,
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = self.to_possible_value();
        f.pad(value.as_ref().map_or("?", |v| v.get_name()))
    }
}

/// How much.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Size {
    /// All suites that run by default, in ten minutes on two processors.
    Small,
    /// As large as the figures of the README.
    Full,
}

/// One row of a table: every contender is given this.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    /// Where it belongs.
    pub(crate) suite: Name,
    /// The measurement; its variant is the contender's.
    pub(crate) request: Request,
    /// In a paced run: this share, in percent, of what each contender bears.
    pub(crate) load_percent: Option<u32>,
    /// It is measured once and not several times: what it says is a distribution, or it takes long.
    pub(crate) once: bool,
    /// Millrace is compared with itself: nobody else is measured.
    pub(crate) alone: bool,
}

impl Cell {
    fn new(suite: Name, tier: Tier, workers: usize, spec: Spec) -> Cell {
        let request = Request { tier, spec, workers, files: None, rate_per_s: None, variant: None };
        Cell { suite, request, load_percent: None, once: false, alone: false }
    }
}

/// The cells that the arguments ask for.
pub(crate) fn cells(args: &RunArgs) -> Vec<Cell> {
    if !args.workloads.is_empty() {
        return synthetic::of_workloads(args);
    }
    let suites = match args.suites.is_empty() {
        true => vec![Name::Nexmark, Name::Ivm, Name::Decode, Name::Latency],
        false => args.suites.clone(),
    };
    let of = |name: &Name| match name {
        Name::Nexmark => nexmark::cells(args),
        Name::Ivm => ivm::cells(args),
        Name::Synthetic => synthetic::cells(args),
        Name::Tpch => tpch::cells(args),
        Name::Talk => talk::cells(args),
        Name::Decode => decode::cells(args),
        Name::Latency => latency::cells(args),
        Name::Memory => memory::cells(args),
        Name::FirstRow => first_row::cells(args),
        Name::Many => many::cells(args),
    };
    suites.iter().flat_map(of).collect()
}

/// Workloads of a suite, by the suite of their input.
fn workloads(suite: millrace_bench_input::Suite) -> impl Iterator<Item = Workload> {
    Workload::ALL.iter().copied().filter(move |w| w.suite() == suite)
}
