//! Starts the binary in a folder of its own and says what came of it.
//!
//! Every process has a time limit, and none may panic: both are asserted here, for all tests.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

use millrace_world::{TempFolder, World};

/// Longest that a process may take. A debug build on a busy machine takes a second.
const LIMIT_SECONDS: &str = "120";

/// A folder with files, in which the binary runs.
pub(crate) struct Folder {
    world: World,
    folder: TempFolder,
}

/// What a process that has ended left behind.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// A process that is still at work.
pub(crate) struct Running {
    child: Child,
    out: BufReader<std::process::ChildStdout>,
}

impl Folder {
    /// An empty one.
    pub(crate) fn new() -> Folder {
        let world = World::real();
        let folder = TempFolder::new(world.files(), "process").expect("a temporary folder");
        Folder { world, folder }
    }

    /// One with these files.
    pub(crate) fn with(files: &[(&str, &str)]) -> Folder {
        let folder = Folder::new();
        files.iter().for_each(|(name, text)| folder.write(name, text.as_bytes()));
        folder
    }

    /// Where a file of it is.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, bytes: &[u8]) {
        self.world.files().write_whole(&self.path(name), bytes).expect("the folder can be written");
    }

    pub(crate) fn create_folder(&self, name: &str) {
        self.world.files().create_folder(&self.path(name)).expect("the folder can be written");
    }

    pub(crate) fn read(&self, name: &str) -> Vec<u8> {
        self.world.files().read_whole(&self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }

    /// The names in it, hidden ones among them.
    pub(crate) fn names(&self) -> Vec<String> {
        let paths = self.world.files().list(self.folder.path()).expect("the folder can be listed");
        let name = |path: &PathBuf| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        paths.iter().map(name).collect()
    }

    /// Nanoseconds of a clock that does not jump.
    pub(crate) fn clock_ns(&self) -> u64 {
        self.world.clock().monotonic_ns()
    }

    /// The binary in this folder. Settings of whoever runs the tests are not seen.
    pub(crate) fn millrace(&self, args: &[&str]) -> Command {
        let mut command = Command::new("timeout");
        command.args(["--foreground", "--kill-after=5", LIMIT_SECONDS, env!("CARGO_BIN_EXE_millrace")]);
        let ours = std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("MILLRACE_"));
        for (name, _) in ours {
            command.env_remove(name);
        }
        command.args(args).current_dir(self.folder.path()).stdin(Stdio::null());
        command
    }

    /// The same, started by a line of shell in which it is `"$@"`.
    pub(crate) fn by_shell(&self, line: &str, args: &[&str]) -> Command {
        let inner = self.millrace(args);
        let mut shell = Command::new("sh");
        shell.args(["-c", line, "sh"]).arg(inner.get_program()).args(inner.get_args());
        for (name, value) in inner.get_envs() {
            match value {
                Some(value) => shell.env(name, value),
                None => shell.env_remove(name),
            };
        }
        shell.current_dir(self.folder.path()).stdin(Stdio::null());
        shell
    }

    /// `millrace run -e SQL`, after these flags.
    pub(crate) fn run(&self, flags: &[&str], sql: &str) -> Said {
        let args: Vec<&str> = ["run"].iter().chain(flags).copied().chain(["-e", sql]).collect();
        said(&mut self.millrace(&args))
    }

    /// Starts the process and gives it time until it has written a line to stdout.
    pub(crate) fn start(&self, args: &[&str]) -> Running {
        let mut command = self.millrace(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
        let mut out = BufReader::new(child.stdout.take().expect("stdout is a pipe"));
        let mut line = String::new();
        out.read_line(&mut line).expect("stdout is UTF-8");
        Running { child, out }
    }
}

impl Running {
    /// Sends it a signal by its name (`INT`) and waits for its end.
    pub(crate) fn signal(mut self, name: &str) -> Said {
        let kill = format!("kill -{name} {}", self.child.id());
        let sent = Command::new("sh").args(["-c", &kill]).status().expect("sh runs");
        assert!(sent.success(), "{kill}");
        let mut out = String::new();
        self.out.read_to_string(&mut out).expect("stdout is UTF-8");
        let mut ended = outcome(self.child.wait_with_output().expect("it ends"));
        ended.out = out;
        ended
    }

    /// Closes the pipe that it writes to and waits for its end.
    pub(crate) fn close(self) -> Said {
        let Running { child, out } = self;
        drop(out);
        outcome(child.wait_with_output().expect("it ends"))
    }
}

impl Said {
    /// It ended with this status, and with this on stderr.
    #[track_caller]
    pub(crate) fn failed(&self, status: i32, parts: &[&str]) {
        assert_eq!(self.status, Some(status), "{self:#?}");
        for part in parts {
            assert!(self.err.contains(part), "no {part:?} in\n{}", self.err);
        }
    }

    /// It ended with status 0; what stood on stdout.
    #[track_caller]
    pub(crate) fn done(&self) -> &str {
        assert_eq!(self.status, Some(0), "{}{}", self.out, self.err);
        &self.out
    }
}

/// Waits for the end of a process that reads nothing.
pub(crate) fn said(command: &mut Command) -> Said {
    outcome(command.output().expect("the binary starts"))
}

/// Waits for the end of a process that reads this.
pub(crate) fn said_to(command: &mut Command, input: &str) -> Said {
    let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("the binary starts");
    let mut stdin = child.stdin.take().expect("stdin is a pipe");
    stdin.write_all(input.as_bytes()).expect("it reads");
    drop(stdin);
    outcome(child.wait_with_output().expect("it ends"))
}

fn outcome(output: Output) -> Said {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).expect("UTF-8");
    let said = Said { status: output.status.code(), out: text(output.stdout), err: text(output.stderr) };
    assert!(!said.err.contains("panicked"), "{}", said.err);
    // 124 and 137 are timeout's own
    assert!(!matches!(said.status, Some(124 | 137)), "it does not end: {}{}", said.out, said.err);
    said
}
