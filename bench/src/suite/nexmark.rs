//! Nexmark: in memory every query, from files every query (small: three), on one worker and on two.

use millrace_bench_input::{Suite, Tier, Workload};

use super::{Cell, Name, Size, workloads};
use crate::options::RunArgs;

/// Queries of the small run from files: one that keeps nothing, a join, a join under two aggregates. A peer that takes
/// eight seconds to start would need more than ten minutes for all of them.
const SMALL_FROM_FILES: [Workload; 3] = [Workload::Q0, Workload::Q3, Workload::Q4];

pub(super) fn cells(args: &RunArgs) -> Vec<Cell> {
    let (events, ticks, workers) = match args.size {
        Size::Small => (500_000, vec![10_000], vec![1]),
        Size::Full => (2_000_000, vec![10_000, 1_000], vec![1, 2]),
    };
    let mut cells = vec![];
    for tier in args.tiers(&[Tier::T3, Tier::T1], &[Tier::T3, Tier::T1]) {
        for workers in args.workers(&workers) {
            for tick in args.ticks(if tier == Tier::T1 { &ticks[..1] } else { &ticks }) {
                let asked = workloads(Suite::Nexmark)
                    .filter(|w| tier == Tier::T3 || args.size == Size::Full || SMALL_FROM_FILES.contains(w));
                cells.extend(asked.map(|w| Cell::new(Name::Nexmark, tier, workers, args.spec(w, events, tick))));
            }
        }
    }
    cells
}
