//! Runs a circuit over the ticks of an input: as fast as it can, or paced.
//!
//! The rows of a tick are made from its columns right before it. What that takes is measured on the driving thread and
//! taken off again, so that time is DBSP's alone, while memory is not that of rows which wait for their turn.

use std::time::Instant;

use dbsp::circuit::CircuitConfig;
use dbsp::{DBSPHandle, Runtime};
use millrace_bench_input::pace::{Pace, merge};
use millrace_bench_input::{Answer, Figures, Request, Stopwatch, Tick};
use rustix::time::{ClockId, clock_gettime};

use crate::circuit::{self, Given};
use crate::input::Feed;
use crate::sink::Sink;

/// A circuit with its handles.
struct Running {
    circuit: DBSPHandle,
    feed: Feed,
    sink: Sink,
}

/// What making rows took, s.
#[derive(Default)]
struct Making {
    cpu_s: f64,
    wall_s: f64,
}

/// One measurement.
///
/// # Errors
/// If there is no circuit for it, or DBSP fails.
pub(crate) fn measure(request: &Request) -> Result<Figures, String> {
    let spec = &request.spec;
    let ticks: Vec<Tick> = spec.workload.ticks(spec, false).collect();
    let load = spec.sizes().1;
    let mut clock = Stopwatch::default();
    clock.ready();
    let mut running = start(request)?;
    for tick in &ticks[..load] {
        running.tick((running.feed)(tick))?;
    }
    let figures = match request.rate_per_s {
        None => fast(&mut running, &ticks[load..], clock)?,
        Some(_) => paced(&mut running, &ticks[load..], request, clock)?,
    };
    running.circuit.kill().map_err(|_| "a worker of DBSP panicked".to_owned())?;
    Ok(figures)
}

fn start(request: &Request) -> Result<Running, String> {
    let spec = &request.spec;
    let retracts = spec.workload.tables(spec, false).iter().any(|table| table.retracts);
    let (given, sink) = (Given { retracts }, Sink::default());
    let build = circuit::of(spec.workload).ok_or_else(|| format!("no circuit for {}", spec.workload))?;
    let config = CircuitConfig::with_workers(request.workers).with_allow_input_during_commit(false);
    let answer = sink.clone();
    let (circuit, feed) = Runtime::init_circuit(config, move |root| Ok(build(root, given, &answer)))
        .map_err(|e| format!("the circuit does not start: {e}"))?;
    Ok(Running { circuit, feed, sink })
}

impl Running {
    fn tick(&mut self, append: impl FnOnce()) -> Result<(), String> {
        append();
        self.circuit.transaction().map_err(|e| e.to_string())
    }
}

fn fast(running: &mut Running, ticks: &[Tick], mut clock: Stopwatch) -> Result<Figures, String> {
    let loaded = running.sink.answer();
    let mut making = Making::default();
    clock.start();
    for tick in ticks {
        let (cpu, wall) = (thread_cpu_s(), Instant::now());
        let append = (running.feed)(tick);
        making.cpu_s += thread_cpu_s() - cpu;
        making.wall_s += wall.elapsed().as_secs_f64();
        let begun = clock.now();
        running.tick(append)?;
        clock.tick(begun);
        if running.sink.answer() != loaded {
            clock.first();
        }
    }
    clock.stop();
    let mut figures = Figures::of(answer(running), &clock);
    figures.cpu_s -= making.cpu_s;
    figures.wall_s -= making.wall_s;
    Ok(figures)
}

fn paced(running: &mut Running, ticks: &[Tick], request: &Request, mut clock: Stopwatch) -> Result<Figures, String> {
    let mut pace = Pace::of(request)?;
    let mut done = 0;
    clock.start();
    while done < ticks.len() {
        pace.wait(done, || clock.now());
        let due = pace.due(clock.now()).clamp(done + 1, ticks.len());
        let append = (running.feed)(&merge(&ticks[done..due]));
        running.tick(append)?;
        pace.done(done..due, clock.now());
        clock.first();
        done = due;
    }
    clock.stop();
    Ok(Figures { latency: pace.latency(), ..Figures::of(answer(running), &clock) })
}

fn answer(running: &Running) -> Answer {
    running.sink.answer()
}

fn thread_cpu_s() -> f64 {
    let time = clock_gettime(ClockId::ThreadCPUTime);
    time.tv_sec as f64 + time.tv_nsec as f64 / 1e9
}

#[cfg(test)]
mod tests {
    use millrace_bench_input::{Spec, Tier, Workload};

    use super::*;

    fn measured(workload: Workload, tick: usize, workers: usize, rate_per_s: Option<u64>) -> Figures {
        let spec = Spec { load: 1000, ..Spec::new(workload, 3000, tick) };
        measure(&Request { tier: Tier::T3, spec, workers, files: None, rate_per_s, variant: None }).unwrap()
    }

    #[test]
    fn answers_do_not_depend_on_ticks_nor_workers() {
        for workload in circuit::all() {
            let one = measured(workload, 3000, 1, None);
            let two = measured(workload, 170, 2, None);
            assert_eq!(one.answer, two.answer, "{workload}");
            assert!(one.answer.rows > 0 && one.cpu_s > 0.0, "{workload}");
            assert_eq!(two.ticks.map(|t| t.count), Some(18), "{workload}");
        }
    }

    #[test]
    fn a_paced_run_takes_its_time_and_has_the_same_answer() {
        let fast = measured(Workload::Q4, 100, 1, None);
        let paced = measured(Workload::Q4, 100, 1, Some(10_000));
        assert_eq!(fast.answer, paced.answer);
        assert_eq!(paced.latency.map(|l| l.count), Some(3000));
        assert!(paced.wall_s >= 0.29, "{} s", paced.wall_s);
    }
}
