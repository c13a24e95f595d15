//! Threads with names, and what they leave behind when they end.

use std::any::Any;
use std::fmt;
use std::io;
use std::thread::JoinHandle;

/// Starts threads.
///
/// # Contract
/// The thread carries `name`, also for the operating system as far as that keeps it. A panic ends that thread alone and
/// is told to whoever joins it.
pub trait Threads: Send + Sync {
    /// Runs `body` on a thread of its own.
    ///
    /// # Errors
    /// If the operating system gives no more threads.
    fn spawn(&self, name: &str, body: Box<dyn FnOnce() + Send>) -> io::Result<Thread>;

    /// How many threads can run at once, at least 1.
    fn parallelism(&self) -> usize;
}

/// A thread that was started.
#[derive(Debug)]
pub struct Thread {
    name: String,
    handle: JoinHandle<()>,
}

impl Thread {
    pub(crate) fn new(name: &str, handle: JoinHandle<()>) -> Self {
        Thread { name: name.to_owned(), handle }
    }

    /// What it was called.
    pub fn name(&self) -> &str {
        &self.name
    }
    /// Whether its body has returned.
    pub fn is_finished(&self) -> bool {
        self.handle.is_finished()
    }
    /// Wakes it from [`std::thread::park`].
    pub fn unpark(&self) {
        self.handle.thread().unpark();
    }
    /// Waits for its end.
    ///
    /// # Errors
    /// With the panic that ended it.
    pub fn join(self) -> Result<(), ThreadPanicked> {
        let Thread { name, handle } = self;
        handle.join().map_err(|panic| ThreadPanicked { name, message: panic_message(panic.as_ref()) })
    }
}

/// A thread ended by a panic.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThreadPanicked {
    /// Which.
    pub name: String,
    /// What it said.
    pub message: String,
}

impl fmt::Display for ThreadPanicked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "thread {} panicked: {}", self.name, self.message)
    }
}

impl std::error::Error for ThreadPanicked {}

fn panic_message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|s| (*s).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
