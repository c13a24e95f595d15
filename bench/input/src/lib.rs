//! What every contender of the benchmarks is given, and what each must say in return.
//!
//! ```text
//! Spec ──▶ Workload::ticks ──▶ Tick: a batch per table ──▶ contenders in memory          (tier T3)
//!                                   └──▶ [files]: JSON lines, Parquet ──▶ the others      (tiers T0, T1)
//! contender ──▶ Answer + Stopwatch ──▶ Figures ──▶ one JSON line on stdout ──▶ harness    [protocol]
//! ```
//! Equal specs give equal rows, whoever asks, whatever the machine. The crate knows neither engine nor planner, so that
//! a contender in another workspace can be built with it alone.
#![allow(clippy::disallowed_methods, reason = "it measures real time and writes real files")]

pub mod answer;
pub mod figures;
#[cfg(feature = "files")]
pub mod files;
mod ivm;
pub mod nexmark;
pub mod pace;
pub mod protocol;
pub mod random;
mod rows;
pub mod spec;
pub mod stopwatch;
pub mod synthetic;
pub mod table;
mod talk;
mod tpch;
pub mod workload;

pub use answer::Answer;
pub use figures::Figures;
pub use protocol::{About, Request, Tier};
pub use spec::Spec;
pub use stopwatch::Stopwatch;
pub use table::{Table, Tick};
pub use workload::{Suite, Workload};
