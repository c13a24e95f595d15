//! The opponent: each workload written by hand on differential dataflow, with compiled row types.
//!
//! This is what somebody would write who knows the library and needs only this query. Input is the same Arrow batches;
//! rows are made from them as they are sent.

mod ivm;
mod joins;
mod nexmark;
mod stateless;
mod tumbling;
mod windows;

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use differential_dataflow::difference::{IsZero, Multiply, Semigroup};
use millrace_bench_input::{Answer, Stopwatch, Tick, Workload};
use serde::{Deserialize, Serialize};
use timely::container::CapacityContainerBuilder;
use timely::dataflow::channels::pact::Pipeline;
use timely::dataflow::operators::{Operator, Probe};
use timely::dataflow::{InputHandle, ProbeHandle, Stream};
use timely::worker::Worker;

use crate::measure::Input as Given;

/// Logical time.
pub(crate) type Time = u64;
/// An input of differential updates.
pub(crate) type Input<D, R = isize> = InputHandle<Time, CapacityContainerBuilder<Vec<(D, Time, R)>>>;

/// A maximum as a difference: what is only added to needs no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct Max(pub(crate) i64);

impl IsZero for Max {
    fn is_zero(&self) -> bool {
        false
    }
}

impl Semigroup for Max {
    fn plus_equals(&mut self, other: &Max) {
        self.0 = self.0.max(other.0);
    }
}

/// A running sum and count as a difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) struct SumCount(pub(crate) i64, pub(crate) i64);

impl IsZero for SumCount {
    fn is_zero(&self) -> bool {
        self.0 == 0 && self.1 == 0
    }
}

impl Semigroup for SumCount {
    fn plus_equals(&mut self, other: &SumCount) {
        self.0 += other.0;
        self.1 += other.1;
    }
}

impl Multiply<isize> for SumCount {
    type Output = SumCount;
    fn multiply(self, times: &isize) -> SumCount {
        SumCount(self.0 * *times as i64, self.1 * *times as i64)
    }
}

/// Runs the workload on `workers` threads.
///
/// # Errors
/// If nobody has written it.
pub(crate) fn run(workload: Workload, input: &Arc<Given>, workers: usize) -> Result<(Answer, Stopwatch), String> {
    let config = timely::Config::process(workers);
    let input = Arc::clone(input);
    let dataflow = of(workload).ok_or_else(|| format!("{workload} is not written by hand"))?;
    let guards = timely::execute(config, move |worker| {
        let run = Run { answer: Rc::default(), probe: ProbeHandle::new() };
        let mut clock = Stopwatch::default();
        dataflow(worker, &run, &input, &mut clock);
        let answer = *run.answer.borrow();
        (answer, clock)
    })?;
    let results: Vec<(Answer, Stopwatch)> = guards.join().into_iter().collect::<Result<_, _>>()?;
    let answer = results.iter().fold(Answer::default(), |a, (b, _)| a.and(*b));
    let clock = results.into_iter().map(|(_, clock)| clock).next().ok_or("no worker")?;
    Ok((answer, clock))
}

/// A workload written by hand.
type Written = fn(&mut Worker, &Run, &Given, &mut Stopwatch);

/// Whoever wrote it knew that streams only grow; a stream with changes is not what is written here.
fn of(workload: Workload) -> Option<Written> {
    Some(match workload {
        Workload::Q0 => |worker, run, input, clock| stateless::bids(worker, run, input, clock, false),
        Workload::Q1 => |worker, run, input, clock| stateless::bids(worker, run, input, clock, true),
        Workload::Q2 => stateless::q2,
        Workload::Q3 => nexmark::q3,
        Workload::Q4 => nexmark::q4,
        Workload::Q5 => windows::q5,
        Workload::Q7 => windows::q7,
        Workload::Q8 => windows::q8,
        Workload::Q9 => windows::q9,
        Workload::Stateless => stateless::run,
        Workload::MostBids => nexmark::most_bids,
        Workload::JoinMaxRandom | Workload::JoinMaxMonotone => joins::additions,
        Workload::JoinMaxDeletes => joins::deletes,
        Workload::Tumbling => tumbling::run,
        Workload::IvmJoin => ivm::join,
        Workload::IvmAggregate => ivm::aggregate,
        Workload::IvmMax => ivm::max,
        Workload::IvmTopK => ivm::top_k,
        Workload::IvmOuterJoin => ivm::outer_join,
        Workload::IvmDistinct => ivm::distinct,
        Workload::IvmWindow => ivm::window,
        Workload::TpchQ1 | Workload::TpchQ3 | Workload::TpchQ5 | Workload::TpchQ6 => return None,
        Workload::TalkUnhappy | Workload::TalkFraud | Workload::TalkBalances => return None,
    })
}

/// What is written by hand.
pub(crate) fn can() -> Vec<Workload> {
    Workload::ALL.iter().copied().filter(|w| of(*w).is_some()).collect()
}

/// What a dataflow and its driver share.
pub(crate) struct Run {
    answer: Rc<RefCell<Answer>>,
    probe: ProbeHandle<Time>,
}

impl Run {
    /// Sums up the output, each row by its hash.
    pub(crate) fn sink<D: 'static>(
        &self,
        rows: Stream<'_, Time, Vec<(D, Time, isize)>>,
        hash: impl Fn(&D) -> u64 + 'static,
    ) {
        let answer = Rc::clone(&self.answer);
        rows.unary::<CapacityContainerBuilder<Vec<()>>, _, _, _>(Pipeline, "Sink", move |_, _| {
            move |input, _| {
                input.for_each(|_, rows| {
                    let mut answer = answer.borrow_mut();
                    for (row, _, diff) in rows.iter() {
                        answer.add(hash(row), *diff as i64);
                    }
                });
            }
        })
        .probe_with(&self.probe);
    }

    /// Sends tick after tick and waits for each.
    pub(crate) fn drive(
        &self,
        worker: &mut Worker,
        input: &Given,
        clock: &mut Stopwatch,
        mut send: impl FnMut(Time, &Tick, &Share),
    ) {
        let share = Share { index: worker.index(), peers: worker.peers() };
        clock.ready();
        for (i, tick) in input.ticks.iter().enumerate() {
            if i == input.load {
                clock.start();
            }
            let begun = clock.now();
            send(i as Time, tick, &share);
            let next = i as Time + 1;
            worker.step_while(|| self.probe.less_than(&next));
            if i >= input.load {
                clock.tick(begun);
            }
        }
        clock.stop();
    }
}

/// Which rows of a batch a worker sends.
pub(crate) struct Share {
    index: usize,
    peers: usize,
}

impl Share {
    /// Its part of `n` rows.
    pub(crate) fn of(&self, n: usize) -> std::ops::Range<usize> {
        n * self.index / self.peers..n * (self.index + 1) / self.peers
    }
}
