//! `millrace demo`: a pipeline on made-up events, watched live.
//!
//! ```text
//! pipeline.sql ─┐                 ┌─ rows, progress ─→ model ─→ view  ─→ screen   (a terminal)
//! watch ────────┼─→ driver ───────┤                        └──→ plain ─→ lines    (--plain, a pipe)
//! script ───────┘   (its thread)  └─ steps of the script
//! ```
//! Read in this order: `pipeline.sql`, `watch` (what is asked of it), `script` (what happens when), `driver` (what runs
//! it), `model` (what is known), `view` and `plain` (how it is shown).

mod driver;
mod model;
mod plain;
mod screen;
mod script;
mod view;
mod watch;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;
use std::sync::Arc;

use clap::Args;
use millrace_session::{Origin, SETTINGS, Settings};
use millrace_world::World;

use self::driver::{Ending, Orders, Stage, State};
use self::watch::Flow;
use super::{DONE, INTERRUPTED, WORLD_FAILED, WRONG_USAGE, fail};
use crate::signal;

/// How long the demo prints lines when nobody says.
const PLAIN_SECONDS_DEFAULT: u64 = 30;

/// What `millrace demo` is told.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DemoArgs {
    /// Seconds until it ends [default: in a terminal when you press q, else 30]
    #[arg(long, value_name = "N", env = "MILLRACE_SECONDS", value_parser = clap::value_parser!(u64).range(1..=31_536_000))]
    seconds: Option<u64>,

    /// Print lines instead of a screen, as it does when stdout is not a terminal
    #[arg(long, env = "MILLRACE_PLAIN")]
    plain: bool,

    /// Rows per second, over all sources
    #[arg(long, value_name = "ROWS_PER_SECOND", env = "MILLRACE_RATE", default_value_t = watch::RATE_DEFAULT, value_parser = rate)]
    rate: f64,

    /// The same seed makes the same events
    #[arg(long, value_name = "N", env = "MILLRACE_SEED", default_value_t = 1)]
    seed: u64,

    /// Print the pipeline, and end
    #[arg(long)]
    show_sql: bool,
}

const EXAMPLES: &str = "\
Keys: q or Ctrl-C quits, space holds the picture, tab shows one pane with its SQL, Esc shows all again.

Examples:
  millrace demo
  millrace demo --rate 100000
  millrace demo --plain --seconds 12
  millrace demo --show-sql > pipeline.sql && millrace run pipeline.sql";

/// Runs the command.
pub(crate) fn run(args: DemoArgs, world: &World) -> ExitCode {
    let flow = Flow { rate: args.rate, seed: args.seed };
    if args.show_sql {
        // a reader that goes away has seen enough
        drop(io::stdout().write_all(flow.pipeline().as_bytes()));
        return ExitCode::from(DONE);
    }
    let settings = match settings() {
        Ok(settings) => settings,
        Err(message) => return fail(WRONG_USAGE, &message),
    };
    let interrupt = match signal::interrupt() {
        Ok(interrupt) => interrupt,
        Err(error) => return fail(WORLD_FAILED, &format!("signals cannot be handled: {error}")),
    };
    let plain = args.plain || !io::stdout().is_terminal() || !io::stdin().is_terminal();
    let seconds = args.seconds.or(plain.then_some(PLAIN_SECONDS_DEFAULT));
    let run_ms = seconds.map(|seconds| seconds * 1_000);
    let state = Arc::new(State::new(&flow));
    let orders = Orders { flow, run_ms, settings, interrupt: interrupt.clone() };
    let thread = match driver::start(orders, world, &state) {
        Ok(thread) => thread,
        Err(error) => return fail(WORLD_FAILED, &format!("the demo's thread cannot be started: {error}")),
    };
    let shown = match plain {
        true => plain::show(&state, world, &thread),
        false => screen::show(&state, world, &thread, seconds, &interrupt),
    };
    let signalled = interrupt.is_set() && plain;
    interrupt.set();
    let panicked = thread.join().err();
    if let Err(error) = shown
        && error.kind() != io::ErrorKind::BrokenPipe
    {
        return fail(WORLD_FAILED, &format!("the demo cannot be shown: {error}"));
    }
    if let Some(panicked) = panicked {
        return fail(WORLD_FAILED, &format!("{} panicked, which is a bug: {}", panicked.name, panicked.message));
    }
    match &state.lock().stage {
        Stage::Over(Ending { failure: Some((status, message)), .. }) => {
            let _ = io::stderr().write_all(message.as_bytes());
            ExitCode::from(*status)
        }
        _ => ExitCode::from(if signalled { INTERRUPTED } else { DONE }),
    }
}

/// Settings from the environment, as `run` has them; changes come as differences.
fn settings() -> Result<Settings, String> {
    let mut settings = Settings::default();
    let said = |error: millrace_planner::error::PlanError| error.message;
    for setting in &SETTINGS {
        if let Ok(value) = std::env::var(setting.variable()) {
            settings.set(setting.name, Some(&value), Origin::Environment).map_err(said)?;
        }
    }
    settings.set("millrace.changes", Some("diff"), Origin::Flag).map_err(said)?;
    Ok(settings)
}

/// A rate that the generators can keep to.
fn rate(text: &str) -> Result<f64, String> {
    const RATE_MAX: f64 = 10_000_000.0;
    match text.replace('_', "").parse() {
        Ok(rate) if (1.0..=RATE_MAX).contains(&rate) => Ok(rate),
        _ => Err(format!("it must be a number between 1 and {RATE_MAX}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_have_bounds() {
        assert_eq!(rate("100_000"), Ok(100_000.0));
        assert_eq!(rate("2.5"), Ok(2.5));
        assert!(["0", "-1", "NaN", "1e9", "fast"].iter().all(|text| rate(text).is_err()));
    }
}
