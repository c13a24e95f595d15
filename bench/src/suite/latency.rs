//! Latency under a paced load. The input is cut so finely that events arrive every half a millisecond, or one by one if
//! they are rarer; a contender takes at once what has arrived.

use millrace_bench_input::{Tier, Workload};

use super::{Cell, Name, Size};
use crate::options::RunArgs;

/// Shares of what a contender bears, in percent.
const LOADS: [u32; 3] = [20, 50, 80];

pub(super) fn cells(args: &RunArgs) -> Vec<Cell> {
    let asked: &[Workload] = match args.size {
        Size::Small => &[Workload::Q4],
        Size::Full => &[Workload::Q1, Workload::Q3, Workload::Q4, Workload::MostBids, Workload::JoinMaxRandom],
    };
    let mut cells = vec![];
    for tier in args.tiers(&[Tier::T3, Tier::T1], &[Tier::T3, Tier::T1]) {
        for workers in args.workers(&[1]) {
            for workload in asked {
                for load in LOADS {
                    // events and tick follow from the rate
                    let cell = Cell::new(Name::Latency, tier, workers, args.spec(*workload, 1_000_000, 10_000));
                    cells.push(Cell { load_percent: Some(load), once: args.size == Size::Small, ..cell });
                }
            }
        }
    }
    cells
}
