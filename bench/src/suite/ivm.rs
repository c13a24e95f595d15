//! One operator each, over a state that is there and changes of one size: what a change costs must follow the change.

use millrace_bench_input::spec::LOAD_TICK;
use millrace_bench_input::{Suite, Tier};

use super::{Cell, Name, Size, workloads};
use crate::options::RunArgs;

pub(super) fn cells(args: &RunArgs) -> Vec<Cell> {
    let (states, changes): (&[usize], &[usize]) = match args.size {
        Size::Small => (&[LOAD_TICK, 1_000_000], &[1, 100, 10_000]),
        Size::Full => (&[LOAD_TICK, 1_000_000, 10_000_000], &[1, 100, 10_000, 1_000_000]),
    };
    let mut cells = vec![];
    for workers in args.workers(&[1]) {
        for workload in workloads(Suite::Ivm) {
            for state in states {
                for change in args.ticks(changes) {
                    let mut spec = args.spec(workload, change * repetitions(change), change);
                    spec.load = args.load.unwrap_or(*state);
                    cells.push(Cell::new(Name::Ivm, Tier::T3, workers, spec));
                }
            }
        }
    }
    cells
}

/// How often a change of this size is made in one measurement: often enough that it takes some milliseconds.
fn repetitions(change: usize) -> usize {
    match change {
        0..=9 => 500,
        10..=999 => 200,
        1_000..=99_999 => 20,
        _ => 3,
    }
}
