//! The outside world behind traits, so that the whole engine runs on a simulated one under test.
//!
//! A [`World`] is a handle to four things: a [`Clock`], [`Files`], [`Entropy`] and [`Threads`]; and it is told when code
//! passes one of its [`FailPoints`]. It is made once, by the binary ([`World::real`]) or by a test ([`SimulatedWorld`]),
//! and passed down explicitly; there is no global one.
//! Nothing else in the engine reads a clock, opens a file, asks for randomness or starts a thread: the
//! `disallowed-methods` of `clippy.toml` hold that, and this crate is where they are allowed.
//!
//! It knows nothing of rows, formats or SQL, and errors are plain [`std::io::Error`]s: whoever asked for a path says in
//! its own words what the failure means.
#![allow(clippy::disallowed_methods, reason = "this crate is the one place that touches the outside world")]

mod atomic_file;
mod clock;
mod entropy;
mod fail_points;
mod files;
mod glob;
pub mod real;
pub mod simulated;
mod temp_folder;
mod threads;

use std::fmt;
use std::io;
use std::sync::Arc;

pub use atomic_file::AtomicFile;
pub use clock::Clock;
pub use entropy::{Entropy, SeededEntropy};
pub use fail_points::{FailPoints, NoFailPoints};
pub use files::{FileKind, Files, Metadata, ReadFile, WriteFile};
pub use simulated::SimulatedWorld;
pub use temp_folder::TempFolder;
pub use threads::{Thread, ThreadPanicked, Threads};

/// A handle to the outside world; clones are handles to the same one.
#[derive(Clone)]
pub struct World {
    clock: Arc<dyn Clock>,
    files: Arc<dyn Files>,
    entropy: Arc<dyn Entropy>,
    threads: Arc<dyn Threads>,
    fail_points: Arc<dyn FailPoints>,
}

impl World {
    /// The machine that the process runs on.
    pub fn real() -> Self {
        World {
            clock: Arc::new(real::RealClock::default()),
            files: Arc::new(real::RealFiles),
            entropy: Arc::new(real::OsEntropy),
            threads: Arc::new(real::RealThreads),
            fail_points: Arc::new(real::AbortAtPoint::from_environment()),
        }
    }

    /// A world of these parts, without fail points.
    pub fn of(
        clock: Arc<dyn Clock>,
        files: Arc<dyn Files>,
        entropy: Arc<dyn Entropy>,
        threads: Arc<dyn Threads>,
    ) -> Self {
        World { clock, files, entropy, threads, fail_points: Arc::new(NoFailPoints) }
    }

    /// What time it is.
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.clock
    }
    /// What is stored.
    pub fn files(&self) -> &Arc<dyn Files> {
        &self.files
    }
    /// What cannot be foreseen.
    pub fn entropy(&self) -> &Arc<dyn Entropy> {
        &self.entropy
    }
    /// Who else works.
    pub fn threads(&self) -> &Arc<dyn Threads> {
        &self.threads
    }

    /// The named place was passed.
    ///
    /// # Errors
    /// If the machine goes down there: see [`FailPoints`].
    pub fn fail_point(&self, name: &'static str) -> io::Result<()> {
        self.fail_points.reached(name)
    }
    /// Whether something may happen at a named place: see [`FailPoints::is_armed`].
    pub fn is_armed(&self, name: &'static str) -> bool {
        self.fail_points.is_armed(name)
    }

    /// The same world, but with these fail points.
    pub fn with_fail_points(mut self, fail_points: Arc<dyn FailPoints>) -> Self {
        self.fail_points = fail_points;
        self
    }

    /// The same world, but with the randomness of `seed`: two runs draw the same.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.entropy = Arc::new(SeededEntropy::new(seed));
        self
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}
