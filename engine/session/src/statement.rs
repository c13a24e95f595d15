//! What each statement does to a session: one family a file.

pub(crate) mod change;
mod control;
mod create_query;
pub(crate) mod create_source;
mod describe;
mod drop;
mod explain;
mod insert;
mod install;
mod query;
mod read_again;
mod set;
