//! A thousand small queries over one stream of bids, in ticks of a hundred.

use millrace_bench_input::{Request, Tier, Workload};

use super::{Cell, Name};
use crate::options::RunArgs;
use crate::ours::MANY;

pub(super) fn cells(args: &RunArgs) -> Vec<Cell> {
    let cell = Cell::new(Name::Many, Tier::T3, 1, args.spec(Workload::Stateless, 20_000, 100));
    let request = Request { variant: Some(MANY.to_owned()), ..cell.request };
    vec![Cell { request, ..cell }]
}
