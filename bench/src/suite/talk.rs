//! The pipelines of the talk.

use millrace_bench_input::{Suite, Tier};

use super::{Cell, Name, Size, workloads};
use crate::options::RunArgs;

pub(super) fn cells(args: &RunArgs) -> Vec<Cell> {
    let events = if args.size == Size::Small { 500_000 } else { 2_000_000 };
    let mut cells = vec![];
    for tier in args.tiers(&[Tier::T3, Tier::T1], &[Tier::T3, Tier::T1]) {
        for workers in args.workers(&[1]) {
            for tick in args.ticks(&[10_000]) {
                let specs = workloads(Suite::Talk).map(|w| args.spec(w, events, tick));
                cells.extend(specs.map(|spec| Cell::new(Name::Talk, tier, workers, spec)));
            }
        }
    }
    cells
}
