//! Nexmark: in memory every query, on one worker and on two; from files every query (small: some of them).

use millrace_bench_input::{Suite, Tier, Workload};

use super::{Cell, Name, Size, workloads};
use crate::options::RunArgs;

/// Queries of the small run from files. A peer that takes eight seconds to start would need more than ten minutes for all
/// of them.
const SMALL_FROM_FILES: [Workload; 5] = [Workload::Q0, Workload::Q3, Workload::Q4, Workload::Q5, Workload::Q7];

pub(super) fn cells(args: &RunArgs) -> Vec<Cell> {
    let small = args.size == Size::Small;
    let (events, ticks) = if small { (1_000_000, vec![10_000]) } else { (2_000_000, vec![10_000, 1_000]) };
    let mut cells = vec![];
    for tier in args.tiers(&[Tier::T3, Tier::T1], &[Tier::T3, Tier::T1]) {
        let workers: &[usize] = if small && tier == Tier::T1 { &[1] } else { &[1, 2] };
        for workers in args.workers(workers) {
            for tick in args.ticks(if tier == Tier::T1 { &ticks[..1] } else { &ticks }) {
                let asked =
                    workloads(Suite::Nexmark).filter(|w| tier == Tier::T3 || !small || SMALL_FROM_FILES.contains(w));
                let cell = |w| {
                    // what a second worker brings is asked of Millrace alone, unless somebody wants to know of all
                    let alone = small && workers > 1 && args.peers.is_empty();
                    Cell { alone, ..Cell::new(Name::Nexmark, tier, workers, args.spec(w, events, tick)) }
                };
                cells.extend(asked.map(cell));
            }
        }
    }
    cells
}
