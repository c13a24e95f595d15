//! A session: what holds the catalog, the engine, the sources and the running queries of one process together, and
//! turns statements into answers.
//!
//! ```text
//! program ─plan→ actions ─┬ declare ─→ catalog
//!                         ├ install ─→ engine          rows of sources and statements
//!                         └ wait ────→ flow ──ticks──→ engine ──changes──→ answers, files, system relations
//! ```
//! Read in this order: `session` (statements, and when input flows), `flow` (what becomes of input), `ticker` (which rows
//! are a tick), `deliver` (what becomes of a tick's output), `answer` (what a reader sees), `system` (the state of it all
//! as relations). A [`Client`] receives results; it is the only thing that knows how they are written.

mod answer;
mod client;
mod deliver;
mod error;
mod flow;
mod interrupt;
mod live;
mod memory;
mod program;
mod query;
mod rehearsal;
mod relation;
mod session;
mod settings;
mod sink;
mod statement;
mod system;
mod ticker;

pub use client::{Changes, Client, ClientGone, Form, Notice, ResultHead, ResultId, ResultRows, SourceProgress};
pub use error::{ErrorClass, Result, SessionError};
pub use interrupt::Interrupt;
pub use program::{Program, Script};
pub use session::{Options, Session};
pub use settings::{Origin, SETTINGS, Scope, Setting, Settings, Values};
