//! The circuits, one a file, and which workload is which.

mod ivm_aggregate;
mod ivm_distinct;
mod ivm_join;
mod ivm_max;
mod ivm_outer_join;
mod ivm_top_k;
mod ivm_window;
mod join_max;
mod most_bids;
mod q0;
mod q1;
mod q2;
mod q3;
mod q4;
mod q5;
mod q7;
mod q8;
mod q9;
mod stateless;
mod tumbling;

use dbsp::RootCircuit;
use millrace_bench_input::Workload;

use crate::input::Feed;
use crate::sink::Sink;

/// What a circuit may rely on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Given {
    /// Whether rows are taken back.
    pub(crate) retracts: bool,
}

/// Builds a circuit: the same in each worker.
pub(crate) type Build = fn(&mut RootCircuit, Given, &Sink) -> Feed;

/// The circuit of a workload, if somebody has written it.
pub(crate) fn of(workload: Workload) -> Option<Build> {
    Some(match workload {
        Workload::Q0 => q0::build,
        Workload::Q1 => q1::build,
        Workload::Q2 => q2::build,
        Workload::Q3 => q3::build,
        Workload::Q4 => q4::build,
        Workload::Q5 => q5::build,
        Workload::Q7 => q7::build,
        Workload::Q8 => q8::build,
        Workload::Q9 => q9::build,
        Workload::Stateless => stateless::build,
        Workload::MostBids => most_bids::build,
        Workload::JoinMaxRandom | Workload::JoinMaxMonotone | Workload::JoinMaxDeletes => join_max::build,
        Workload::Tumbling => tumbling::build,
        Workload::IvmAggregate => ivm_aggregate::build,
        Workload::IvmDistinct => ivm_distinct::build,
        Workload::IvmJoin => ivm_join::build,
        Workload::IvmMax => ivm_max::build,
        Workload::IvmOuterJoin => ivm_outer_join::build,
        Workload::IvmTopK => ivm_top_k::build,
        Workload::IvmWindow => ivm_window::build,
        _ => return None,
    })
}

/// The workloads that there is a circuit for.
pub(crate) fn all() -> Vec<Workload> {
    Workload::ALL.iter().copied().filter(|w| of(*w).is_some()).collect()
}
