//! TPC-H as a stream: nothing taken back, and one and ten percent of the changes changing or taking back earlier items.

use millrace_bench_input::{Suite, Tier};

use super::{Cell, Name, Size, workloads};
use crate::options::RunArgs;

pub(super) fn cells(args: &RunArgs) -> Vec<Cell> {
    let (events, shares): (usize, &[u32]) = match args.size {
        Size::Small => (400_000, &[0, 10]),
        Size::Full => (2_000_000, &[0, 1, 10]),
    };
    let mut cells = vec![];
    for tier in args.tiers(&[Tier::T3, Tier::T1], &[Tier::T3, Tier::T1]) {
        for workers in args.workers(&[1]) {
            for tick in args.ticks(&[10_000]) {
                for workload in workloads(Suite::Tpch) {
                    for updates_percent in shares {
                        let mut spec = args.spec(workload, events, tick);
                        spec.updates_percent = *updates_percent;
                        cells.push(Cell::new(Name::Tpch, tier, workers, spec));
                    }
                }
            }
        }
    }
    cells
}
