//! The synthetic workloads, and any that are named on the command line.

use millrace_bench_input::{Suite, Tier};

use super::{Cell, Name, Size, workloads};
use crate::options::RunArgs;

pub(super) fn cells(args: &RunArgs) -> Vec<Cell> {
    let events = if args.size == Size::Small { 500_000 } else { 2_000_000 };
    each(args, &workloads(Suite::Synthetic).collect::<Vec<_>>(), events)
}

/// What is named one by one.
pub(super) fn of_workloads(args: &RunArgs) -> Vec<Cell> {
    each(args, &args.workloads, 1_000_000)
}

fn each(args: &RunArgs, workloads: &[millrace_bench_input::Workload], events: usize) -> Vec<Cell> {
    let mut cells = vec![];
    for tier in args.tiers(&[Tier::T3], &[Tier::T3, Tier::T1, Tier::T0]) {
        for workers in args.workers(&[1]) {
            for tick in args.ticks(&[10_000, 1_000]) {
                let specs = workloads.iter().map(|w| args.spec(*w, events, tick));
                cells.extend(specs.map(|spec| Cell::new(Name::Synthetic, tier, workers, spec)));
            }
        }
    }
    cells
}
