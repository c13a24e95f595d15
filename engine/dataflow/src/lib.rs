//! The running engine: incremental plans as timely dataflows on worker threads.
//!
//! An [`Engine`] is told what exists (base relations, queries) and what happens (one tick at a time), and says what
//! each tick brought about. It reads no source and no clock of its own: the same calls give the same outputs.
//!
//! ```text
//! Engine (caller's thread)                     worker 0 … n−1
//!   add_relation, install, remove, tick ──────→ relation logs ─→ dataflows ─→ relation logs, sinks
//!   poll, wait ←──────────────── one report per worker and tick ────────────┘
//! ```
//!
//! `wake` decides what has something to do in a tick; `worker` runs one timely worker; `relation` holds what its dataflows read and write; `render` turns a plan into a
//! dataflow, `operator` is the frame of every stateful operator.

mod api;
mod by_group;
mod engine;
mod errors;
mod exact;
mod expr;
mod gate;
mod intake;
mod operator;
mod relation;
mod render;
mod shelf;
mod sink;
mod tick;
mod wake;
mod worker;

pub use api::{
    BaseRelation, Dataflow, EngineError, ErrorRow, Intake, LateRow, OperatorStats, Options, Publish, QueryId,
    RejectedRow, Rows, Stepping, StreamTime, TickInputs, TickOutput, Waking,
};
pub use engine::Engine;
