//! DBSP as a contender of the benchmarks: each workload a circuit written by hand, fed from memory.
//!
//! ```text
//! ticks ──▶ [input] rows as DBSP wants them ──▶ append ──▶ [circuit] ──▶ [sink] hash in the worker ──▶ Answer
//!                     (not timed)                    (one transaction a tick, timed)
//! ```
//! Speaks the protocol of `millrace_bench_input::protocol`.
#![allow(clippy::disallowed_methods, reason = "it measures real time")]

mod circuit;
mod driver;
mod input;
mod sink;

use std::process::ExitCode;

use dbsp::mimalloc::MiMalloc;
use millrace_bench_input::protocol::{About, Can, Tier, serve};

#[global_allocator]
static ALLOCATOR: MiMalloc = MiMalloc;

fn main() -> ExitCode {
    serve(about, driver::measure)
}

fn about() -> About {
    let configuration = [
        "circuits by hand, batches indexed by the join key as they are fed, filters and windows applied before",
        "append-only inputs use chain_aggregate for maxima, others aggregate(Max)",
        "one transaction per tick; input appended a tick at once",
        "no storage; as many merger threads as workers (its default), whose CPU time counts",
        "allow_input_during_commit off, as its documentation recommends; the rest default (chunks of 10,000 rows)",
        "the allocator is dbsp::mimalloc, as in its own benchmarks; release, opt-level 3, no LTO (as ours)",
        "rows are hashed in the workers; making DBSP's rows from columns is not timed (but in paced runs)",
    ];
    About {
        name: "dbsp".to_owned(),
        version: "dbsp 0.349.0".to_owned(),
        configuration: configuration.map(str::to_owned).to_vec(),
        durable: "nothing".to_owned(),
        can: vec![Can { tier: Tier::T3, workloads: circuit::all(), paced: true, variants: vec![] }],
    }
}
