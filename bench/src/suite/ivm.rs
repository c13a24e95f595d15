//! One operator each, over a state that is there and changes of one size: what a change costs must follow the change.

use millrace_bench_input::spec::LOAD_TICK;
use millrace_bench_input::{Suite, Tier};

use super::{Cell, Name, Size, workloads};
use crate::options::RunArgs;

/// States and the sizes of changes in each. The small run compares states by one size of change, once: to load a state
/// takes far longer than what is measured.
const SMALL: [(usize, &[usize]); 2] = [(LOAD_TICK, &[1, 100, 10_000]), (1_000_000, &[100])];
const FULL_CHANGES: &[usize] = &[1, 100, 10_000, 1_000_000];
const FULL: [(usize, &[usize]); 3] = [(LOAD_TICK, FULL_CHANGES), (1_000_000, FULL_CHANGES), (10_000_000, FULL_CHANGES)];

pub(super) fn cells(args: &RunArgs) -> Vec<Cell> {
    let states: &[(usize, &[usize])] = if args.size == Size::Small { &SMALL } else { &FULL };
    let mut cells = vec![];
    for workers in args.workers(&[1]) {
        for workload in workloads(Suite::Ivm) {
            for (state, changes) in states {
                for change in args.ticks(changes) {
                    let mut spec = args.spec(workload, change * repetitions(change), change);
                    spec.load = args.load.unwrap_or(*state);
                    let once = args.size == Size::Small && spec.load > LOAD_TICK;
                    cells.push(Cell { once, ..Cell::new(Name::Ivm, Tier::T3, workers, spec) });
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
