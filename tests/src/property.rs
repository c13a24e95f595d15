//! The law of the project as a test: for random queries over random changes, what the engine maintains is at every tick
//! what the reference evaluator says, however the work is done.
//!
//! A [`case::Case`] is a query, a list of ticks with changes, and a way to run it; it is drawn from a seed and can be
//! made smaller. [`run`] runs it: maintained on the hash arrangement and on differential, installed late over what was
//! kept, and asked once at the end. [`coverage`] counts what the cases had in them, per operator. [`duckdb`] asks another
//! engine about the same queries, so that one misunderstanding does not hide in both.

pub mod case;
pub mod changes;
pub mod coverage;
pub mod duckdb;
pub mod generate;
pub mod query;
pub mod record;
pub mod run;
pub mod shrink;
