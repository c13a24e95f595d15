//! The `millrace` command.
//!
//! Each command is a file of [`command`]; [`output`] writes results; `signal` turns Ctrl-C into a wish to stop. What the
//! commands do lives in the engine's crates: nothing here is wanted by another program.

mod command;
mod output;
mod signal;

use std::process::ExitCode;

use clap::Parser;
use millrace_world::World;

use command::{Cli, Command};

#[global_allocator]
static ALLOCATOR: millrace_allocator::Allocator = millrace_allocator::Allocator;

fn main() -> ExitCode {
    millrace_allocator::keep_freed_memory();
    // wrong usage ends here, with status 2
    let cli = Cli::parse();
    let world = World::real();
    match cli.command {
        Command::Demo(args) => command::demo::run(args, &world),
        Command::Run(args) => command::run::run(args, &world),
    }
}
