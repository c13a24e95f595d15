//! Figures, each with its answer checked in the same run.
//!
//! ```text
//! options ─▶ suite: cells ─▶ run: every contender in turn, answers compared ─▶ report: Markdown, JSON, SVG
//!                              └ peer: one file each ─▶ a process per measurement, one JSON line back
//! ```
//! The first figure is CPU time, because machines are shared. Contenders that do not give the same answer fail the run.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a program that prints tables")]
#![allow(clippy::disallowed_methods, reason = "it measures real time and real processes")]

mod chart;
mod check;
mod known;
mod machine;
mod measure;
mod options;
mod ours;
mod peer;
mod publish;
mod report;
mod run;
mod sql;
mod statistics;
mod suite;
mod typed;

use std::process::ExitCode;

use clap::Parser;

use crate::machine::Machine;
use crate::options::{Cli, Command, RunArgs};
use crate::run::{Runner, contenders};

#[global_allocator]
static ALLOCATOR: millrace_allocator::Allocator = millrace_allocator::Allocator;

fn main() -> ExitCode {
    millrace_allocator::keep_freed_memory();
    let args: Vec<String> = std::env::args().skip(1).collect();
    if args.first().is_some_and(|word| word == "as") {
        return measure::speak(&args[1..]);
    }
    let cli = Cli::parse();
    let result = match cli.command {
        None => run(&cli.run),
        Some(Command::Run(args)) => run(&args),
        Some(Command::Peers) => peers(),
        Some(Command::Check(args)) => check::run(&args),
        Some(Command::Publish(args)) => publish::run(&args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &RunArgs) -> Result<(), String> {
    let machine = Machine::here();
    let cells = suite::cells(args);
    if cells.is_empty() {
        return Err("nothing to run: no such tier in these suites".to_owned());
    }
    let (contenders, absent) = contenders(&args.peers)?;
    let folder = args.out.clone().unwrap_or_else(|| report::folder(&machine));
    let inputs = report::target_folder().join("bench/input");
    let outcome = Runner::new(args, contenders, inputs).run(cells, absent, |line| eprintln!("{line}"));
    println!("{}", report::write(&machine, &outcome, &folder)?);
    eprintln!("written to {}", folder.display());
    match outcome.wrong.len() {
        0 => Ok(()),
        n => Err(format!("{n} things went wrong: see above")),
    }
}

fn peers() -> Result<(), String> {
    for peer in peer::all() {
        match peer.about() {
            Ok(about) => println!("{}", serde_json::to_string_pretty(&about).map_err(|e| e.to_string())?),
            Err(why) => println!("{}: {why}", peer.name()),
        }
    }
    Ok(())
}
