//! A query that starts over what is already there: how long until its first rows.

use millrace_bench_input::figures::Spread;
use millrace_bench_input::{Figures, Request, Stopwatch};

use super::engine::Running;
use crate::sql;

/// How often it starts.
const STARTS: u64 = 20;

/// The workload's query runs over everything, and starts again and again beside itself; a tick is such a start.
pub(super) fn measure(request: &Request) -> Result<Figures, String> {
    let spec = &request.spec;
    let query = sql::of(spec.workload);
    let mut running = Running::asking(spec, request.workers, query, true)?;
    for tick in spec.workload.ticks(spec, false) {
        let inputs = running.inputs(&tick);
        running.tick(inputs)?;
    }
    let mut clock = Stopwatch::default();
    clock.start();
    for number in 1..=STARTS {
        let begun = clock.now();
        let answer = running.start_late(query, number)?;
        clock.tick(begun);
        if answer != running.answer() {
            return Err(format!("a late start says {answer:?}, the first query {:?}", running.answer()));
        }
        running.end_late(number);
    }
    clock.stop();
    let first_ms = Spread::of_ns(clock.ticks().to_vec()).map(|ticks| ticks.p50);
    Ok(Figures { first_ms, ..Figures::of(running.answer(), &clock) })
}
