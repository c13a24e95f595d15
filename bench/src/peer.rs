//! Those who are measured. Each is a program of its own, spoken to as `millrace_bench_input::protocol` says, and known
//! to the harness by one file here.

mod dbsp;
mod duckdb;
mod flink;
mod millrace;
mod typed;

use std::path::{Path, PathBuf};
use std::process::Command;

use millrace_bench_input::{About, Figures, Request};

/// One who is measured.
///
/// # Contract
/// `program` is cheap: it looks, it does not build. A program that is there answers `about` within seconds, with an error
/// if what it starts is not built yet, and each `measure` is a process of its own.
pub(crate) trait Peer {
    /// As it is named on the command line and in tables.
    fn name(&self) -> &'static str;
    /// The program.
    ///
    /// # Errors
    /// Why it is not there, and what to do.
    fn program(&self) -> Result<Command, String>;

    /// Whether it is run once for each row of the small matrix: it takes long to start, or long for a run in this variant.
    fn is_slow(&self, _variant: Option<&str>) -> bool {
        false
    }

    /// What it says of itself.
    ///
    /// # Errors
    /// If it is not there, or does not speak the protocol.
    fn about(&self) -> Result<About, String> {
        let mut command = self.program()?;
        command.arg("about");
        spoken(self.name(), command)
    }

    /// One measurement.
    ///
    /// # Errors
    /// If it fails.
    fn measure(&self, request: &Request) -> Result<Figures, String> {
        let text = serde_json::to_string(request).map_err(|e| e.to_string())?;
        let mut command = self.program()?;
        command.args(["measure", &text]);
        spoken(&format!("{} {}", self.name(), request.spec.workload), command)
    }
}

/// All of them, in the order of the tables.
pub(crate) fn all() -> Vec<Box<dyn Peer>> {
    vec![
        Box::new(millrace::Millrace),
        Box::new(typed::Typed),
        Box::new(dbsp::Dbsp),
        Box::new(flink::Flink),
        Box::new(duckdb::DuckDb),
    ]
}

/// Runs a program that prints one JSON line.
fn spoken<T: serde::de::DeserializeOwned>(what: &str, mut command: Command) -> Result<T, String> {
    let output = command.output().map_err(|e| format!("{what}: {e}"))?;
    let said = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() {
        let complaint = String::from_utf8_lossy(&output.stderr);
        return Err(format!("{what}: {}\n{complaint}", output.status));
    }
    let line = said.lines().rfind(|l| !l.trim().is_empty()).unwrap_or_default();
    serde_json::from_str(line).map_err(|e| format!("{what} said {line:?}: {e}"))
}

/// The folder `bench`.
pub(crate) fn bench_folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A program of the workspace of peers, which is built by a command of its own.
fn of_peers(name: &str) -> Result<Command, String> {
    let run = bench_folder().join("peers").join(name).join("run");
    if run.is_file() { Ok(Command::new(run)) } else { Err(format!("{name} is not built: make bench-peers")) }
}

/// This program, as one of the contenders that it holds itself.
fn of_this_program(name: &str) -> Result<Command, String> {
    let program = std::env::current_exe().map_err(|e| e.to_string())?;
    let mut command = Command::new(program);
    command.args(["as", name]);
    Ok(command)
}

/// The binary `millrace` of the same build.
pub(crate) fn millrace_binary() -> Result<PathBuf, String> {
    let program = std::env::current_exe().map_err(|e| e.to_string())?;
    let folder = program.parent().unwrap_or(Path::new("."));
    let found = [folder.to_owned(), folder.join("..")].into_iter().map(|f| f.join("millrace")).find(|p| p.is_file());
    found.ok_or_else(|| format!("no millrace beside {}: make build", program.display()))
}
