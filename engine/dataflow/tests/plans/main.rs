//! Plans made by hand, run by the engine, tick by tick.
//!
//! Every case is run by 1, 2 and 4 workers, by threads and one step at a time, and its changes are compared at each tick.

mod aggregate;
mod as_of;
mod early;
mod engine;
mod harness;
mod idle;
mod join;
mod nodes;
mod paused;
mod random;
mod reduce;
mod rows;
mod session;
mod tables;
mod window;
mod within;
