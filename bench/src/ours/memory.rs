//! T3: ticks in memory, as fast as they go or at their time.

use std::collections::VecDeque;

use millrace_bench_input::pace::{Pace, merge};
use millrace_bench_input::{Figures, Request, Stopwatch, Tick};
use millrace_dataflow::TickInputs;

use super::engine::Running;

/// Ticks that are taken at once, at most, by one who has fallen behind.
const MERGED_MAX: usize = 1000;

/// As fast as it goes. A tick's time is from when it is told to when its answer is there; ticks that overlap wait in it.
pub(super) fn measure(request: &Request) -> Result<Figures, String> {
    let spec = &request.spec;
    let (ticks, load): (Vec<Tick>, usize) = (spec.workload.ticks(spec, false).collect(), spec.sizes().1);
    let mut running = Running::start(spec, request.workers)?;
    let mut inputs: Vec<TickInputs> = ticks.iter().map(|tick| running.inputs(tick)).collect();
    // events that stream by overlap; where the cost of a change is asked for, each is done before the next
    let overlap = load == 0;
    let mut clock = Stopwatch::default();
    clock.ready();
    inputs.drain(..load).try_for_each(|tick| running.tick(tick))?;
    clock.start();
    let mut begun = VecDeque::new();
    for tick in inputs {
        begun.push_back(clock.now());
        let ended = if overlap { running.submit(tick)? } else { running.tick(tick).map(|()| 1)? };
        begun.drain(..ended).for_each(|begun| clock.tick(begun));
    }
    let ended = running.finish()?;
    begun.drain(..ended).for_each(|begun| clock.tick(begun));
    clock.stop();
    Ok(Figures::of(running.answer(), &clock))
}

/// At the times of the events: what has arrived is taken as one tick.
pub(super) fn paced(request: &Request) -> Result<Figures, String> {
    let spec = &request.spec;
    let mut pace = Pace::of(request)?;
    let (mut ticks, load): (Vec<Tick>, usize) = (spec.workload.ticks(spec, false).collect(), spec.sizes().1);
    let mut running = Running::start(spec, request.workers)?;
    let mut clock = Stopwatch::default();
    clock.ready();
    for tick in ticks.drain(..load) {
        let inputs = running.inputs(&tick);
        running.tick(inputs)?;
    }
    clock.start();
    let mut next = 0;
    while next < ticks.len() {
        pace.wait(next, || clock.now());
        let due = pace.due(clock.now()).min(next + MERGED_MAX);
        let begun = clock.now();
        let inputs = running.inputs(&merge(&ticks[next..due]));
        running.tick(inputs)?;
        clock.tick(begun);
        pace.done(next..due, clock.now());
        next = due;
    }
    clock.stop();
    Ok(Figures { latency: pace.latency(), ..Figures::of(running.answer(), &clock) })
}
