//! `millrace run`: scripts from files, from `-e`, or from stdin; answers to stdout, everything else to stderr.

use std::io::{self, IsTerminal, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Args;
use millrace_session::{ErrorClass, Options, Origin, Program, SETTINGS, Script, Session, SessionError, Settings};
use millrace_world::World;

use super::{DONE, INTERRUPTED, STATEMENT_FAILED, WORLD_FAILED, WRONG_USAGE, fail};
use crate::output::{Console, Format};
use crate::signal;

/// What `millrace run` is told.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RunArgs {
    /// Scripts, run in order as one program; `-` is stdin. Without any and without -e, stdin is the script
    #[arg(value_name = "FILE")]
    files: Vec<PathBuf>,

    /// SQL to run behind the files; may be given more than once
    #[arg(short = 'e', long = "execute", value_name = "SQL", env = "MILLRACE_EXECUTE")]
    execute: Vec<String>,

    /// How answers are printed
    #[arg(long, value_enum, default_value_t = Format::Table, env = "MILLRACE_FORMAT")]
    format: Format,

    /// Worker threads [default: one for each processor, at most 8]
    #[arg(long, value_name = "N", env = "MILLRACE_WORKERS")]
    workers: Option<u64>,

    /// Where what is durable lives [default: nothing outlives the run]
    #[arg(long, value_name = "DIR", env = "MILLRACE_DATA_DIR")]
    data_dir: Option<PathBuf>,

    /// A setting; SHOW SETTINGS lists them. May be given more than once
    #[arg(long = "set", value_name = "KEY=VALUE", env = "MILLRACE_SET", value_delimiter = ',')]
    set: Vec<String>,

    /// Plan every statement, run none
    #[arg(long, env = "MILLRACE_CHECK")]
    check: bool,
}

const EXAMPLES: &str = "\
Statements run in order. Queries that go on (CREATE … AS, EMIT CHANGES) begin together when input flows: at the first
query without EMIT, and at the end. A query without EMIT waits until the files above it are read, and answers once. The
run ends when every query is complete; over input without an end, with Ctrl-C.

Examples:
  millrace run -e \"SELECT 6 * 7 AS answer\"

  # a file as a stream, counted
  millrace run -e \"CREATE STREAM orders WITH (CONNECTOR='file', PATH='orders.csv');
                  SELECT customer, count(*) AS n FROM orders GROUP BY customer ORDER BY n DESC\"

  # changes as they come, one JSON object a line
  millrace run --format json -e \"CREATE STREAM ratings WITH (CONNECTOR='generator', GENERATOR='ratings', ROWS=1000);
                  SELECT stars, count(*) AS n FROM ratings GROUP BY stars EMIT CHANGES\"

  # does it plan?
  millrace run --check pipeline.sql

Every flag has an environment variable, and so has every setting: MILLRACE_TICK_MS=20.
Exit status: 0 all done, 1 a statement failed, 2 wrong usage, 3 a file, disk or source failed, 130 interrupted.";

/// Runs the command.
pub(crate) fn run(args: RunArgs, world: &World) -> ExitCode {
    let settings = match settings(&args) {
        Ok(settings) => settings,
        Err(message) => return fail(WRONG_USAGE, &message),
    };
    let scripts = match scripts(&args, world) {
        Ok(scripts) => scripts,
        Err((status, message)) => return fail(status, &message),
    };
    let interrupt = match signal::interrupt() {
        Ok(interrupt) => interrupt,
        Err(error) => return fail(WORLD_FAILED, &format!("signals cannot be handled: {error}")),
    };
    let program = Program::parse(scripts);
    let options = Options { settings, data_dir: args.data_dir, interrupt, ..Options::default() };
    let mut console = Console::new(args.format, &program, world);
    let done = Session::new(options, world.clone()).and_then(|mut session| match args.check {
        true => session.check(&program, &mut console),
        false => session.run(&program, &mut console),
    });
    console.end();
    match done {
        Ok(()) => ExitCode::from(DONE),
        Err(error) => ExitCode::from(console.report(&error, status(&error))),
    }
}

fn status(error: &SessionError) -> u8 {
    match error.class {
        ErrorClass::Statement => STATEMENT_FAILED,
        ErrorClass::World => WORLD_FAILED,
        ErrorClass::Interrupted => INTERRUPTED,
        // whoever read the answers has seen enough
        ErrorClass::ClientGone => DONE,
    }
}

/// Settings from the environment, then from flags.
fn settings(args: &RunArgs) -> Result<Settings, String> {
    let mut settings = Settings::default();
    let mut set = |name: &str, value: &str, origin| {
        let said = settings.set(name, Some(value), origin);
        said.map(drop).map_err(|error| match error.hint {
            Some(hint) => format!("{}\n  = hint: {hint}", error.message),
            None => error.message,
        })
    };
    for setting in &SETTINGS {
        if let Ok(value) = std::env::var(setting.variable()) {
            set(setting.name, &value, Origin::Environment)?;
        }
    }
    if let Some(workers) = args.workers {
        set("millrace.workers", &workers.to_string(), Origin::Flag)?;
    }
    for pair in &args.set {
        let (name, value) = pair.split_once('=').ok_or_else(|| format!("--set {pair} is not KEY=VALUE"))?;
        set(name.trim(), value.trim(), Origin::Flag)?;
    }
    Ok(settings)
}

/// The scripts that the arguments name, or the status and the reason why there are none.
fn scripts(args: &RunArgs, world: &World) -> Result<Vec<Script>, (u8, String)> {
    let mut scripts = vec![];
    for path in &args.files {
        scripts.push(match path.as_os_str() == "-" {
            true => stdin()?,
            false => file(path, world)?,
        });
    }
    scripts.extend(args.execute.iter().map(|text| Script { name: "-e".to_owned(), text: text.clone() }));
    if scripts.is_empty() {
        if io::stdin().is_terminal() {
            let message = "nothing to run: name a FILE, give -e SQL, or pipe a script in; see millrace run --help";
            return Err((WRONG_USAGE, message.to_owned()));
        }
        scripts.push(stdin()?);
    }
    Ok(scripts)
}

fn file(path: &Path, world: &World) -> Result<Script, (u8, String)> {
    let name = path.display().to_string();
    let bytes = world.files().read_whole(path).map_err(|error| {
        let why = match error.kind() {
            io::ErrorKind::NotFound => "it does not exist".to_owned(),
            io::ErrorKind::IsADirectory => "it is a folder".to_owned(),
            io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
            _ => error.to_string(),
        };
        (WORLD_FAILED, format!("the script {name} cannot be read: {why}"))
    })?;
    script(name, bytes)
}

fn stdin() -> Result<Script, (u8, String)> {
    let mut bytes = vec![];
    let read = io::stdin().read_to_end(&mut bytes);
    read.map_err(|error| (WORLD_FAILED, format!("stdin cannot be read: {error}")))?;
    script("stdin".to_owned(), bytes)
}

fn script(name: String, bytes: Vec<u8>) -> Result<Script, (u8, String)> {
    match String::from_utf8(bytes) {
        // editors of one system write a mark that means nothing
        Ok(text) => Ok(Script { name, text: text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text) }),
        Err(error) => {
            let at = error.utf8_error().valid_up_to();
            Err((STATEMENT_FAILED, format!("the script {name} is not UTF-8: byte {at} belongs to no character")))
        }
    }
}
