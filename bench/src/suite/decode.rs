//! Decoding alone: the files of a workload are read, parsed and counted, all their columns.

use millrace_bench_input::{Tier, Workload};

use super::{Cell, Name, Size};
use crate::options::RunArgs;

pub(super) fn cells(args: &RunArgs) -> Vec<Cell> {
    let events = if args.size == Size::Small { 1_000_000 } else { 2_000_000 };
    // bids alone: short records; auctions and bids: long ones too
    let asked = [Workload::Q0, Workload::Q9];
    let spec = |workload| args.spec(workload, events, 10_000);
    asked.map(|workload| Cell::new(Name::Decode, Tier::T0, 1, spec(workload))).into()
}
