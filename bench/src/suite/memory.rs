//! Memory: state of a size, in the tables of peaks. The changes that are measured are few.

use millrace_bench_input::{Tier, Workload};

use super::{Cell, Name, Size};
use crate::options::RunArgs;

pub(super) fn cells(args: &RunArgs) -> Vec<Cell> {
    let load = args.load.unwrap_or(if args.size == Size::Small { 500_000 } else { 5_000_000 });
    let asked = [
        Workload::Q4,
        Workload::Q9,
        Workload::IvmJoin,
        Workload::IvmOuterJoin,
        Workload::IvmAggregate,
        Workload::IvmMax,
        Workload::IvmDistinct,
    ];
    let mut cells = vec![];
    for workers in args.workers(&[1]) {
        for workload in asked {
            let mut spec = args.spec(workload, 100_000, 10_000);
            spec.load = load;
            cells.push(Cell::new(Name::Memory, Tier::T3, workers, spec));
        }
    }
    cells
}
