//! The binary as a process: arguments and files in; stdout, stderr and an exit status out.
//!
//! What the engine makes of SQL is tested where the engine lives. Here stands what only a process has: statuses, signals,
//! pipes, full disks, files that are not what they should be, and the pipeline of the talk from files to answers.

mod demo;
mod faults;
mod files;
mod forms;
mod harness;
mod signals;
mod status;
mod talk;
mod tour;
