//! Figures, each with its answer checked in the same run.
//!
//! `millrace-bench` runs every suite small and prints tables; `millrace-bench SUITE… --events N --tick N --repeats N`
//! runs some of them otherwise. Each measurement is a process of its own (`one …`), contenders take turns, and the
//! table shows medians with the least and the largest; the time is CPU time of the process, because machines are shared.
//! Contenders that do not give the same answer fail the run.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints tables")]
#![allow(clippy::disallowed_methods, reason = "it measures real time and real processes")]

mod measure;
mod ours;
mod sql;
mod suites;
mod table;
mod typed;

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: millrace_allocator::Allocator = millrace_allocator::Allocator;

fn main() -> ExitCode {
    millrace_allocator::keep_freed_memory();
    let args: Vec<String> = std::env::args().skip(1).collect();
    let result = match args.first().map(String::as_str) {
        Some("one") => measure::one(&args[1..]),
        Some("--help" | "-h") => {
            println!("{}", suites::HELP);
            Ok(())
        }
        _ => suites::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}
