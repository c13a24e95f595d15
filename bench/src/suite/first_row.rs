//! The first row of a query that starts over what is there.

use millrace_bench_input::{Request, Tier, Workload};

use super::{Cell, Name, Size};
use crate::options::RunArgs;
use crate::ours::LATE;

pub(super) fn cells(args: &RunArgs) -> Vec<Cell> {
    let (rows, groups) = if args.size == Size::Small { (500_000, 500_000) } else { (5_000_000, 1_000_000) };
    // a filter and a join over rows, an aggregate over rows, groups over fewer
    let asked = [
        (Workload::Stateless, rows),
        (Workload::IvmJoin, rows),
        (Workload::IvmAggregate, groups),
        (Workload::IvmMax, groups),
    ];
    let of = |(workload, events)| {
        let cell = Cell::new(Name::FirstRow, Tier::T3, 1, args.spec(workload, events, 100_000));
        let request = Request { variant: Some(LATE.to_owned()), ..cell.request };
        Cell { request, ..cell }
    };
    asked.map(of).into()
}
