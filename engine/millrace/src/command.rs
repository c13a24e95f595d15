//! The command line: commands, flags, their environment variables and their help.

pub(crate) mod demo;
pub(crate) mod run;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Nothing failed.
pub(crate) const DONE: u8 = 0;
/// A statement failed.
pub(crate) const STATEMENT_FAILED: u8 = 1;
/// The command line is wrong. clap uses the same.
pub(crate) const WRONG_USAGE: u8 = 2;
/// A file, a disk, a source failed.
pub(crate) const WORLD_FAILED: u8 = 3;
/// Ctrl-C.
pub(crate) const INTERRUPTED: u8 = 130;

/// Keeps the answers to SQL queries up to date while events arrive.
#[derive(Debug, Parser)]
#[command(version, arg_required_else_help = true, subcommand_required = true, disable_help_subcommand = true)]
#[command(after_help = EXAMPLES, max_term_width = 100)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXAMPLES: &str = "\
Examples:
  millrace demo
  millrace run -e \"SELECT 6 * 7 AS answer\"
  millrace run pipeline.sql
  millrace run --help

Exit status: 0 all done, 1 a statement failed, 2 wrong usage, 3 a file, disk or source failed, 130 interrupted.";

/// What there is to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Watch a pipeline at work on made-up events
    Demo(demo::DemoArgs),
    /// Run SQL over files and made-up streams, print the answers, and end
    Run(run::RunArgs),
}

/// Says on stderr why the command ends, and with which status.
pub(crate) fn fail(status: u8, message: &str) -> ExitCode {
    use std::io::Write;
    // nobody may be listening; the status says it too
    let _ = writeln!(std::io::stderr(), "error: {message}");
    ExitCode::from(status)
}
