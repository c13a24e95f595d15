//! The operating system's threads.

use std::io;

use crate::{Thread, Threads};

/// Starts real threads.
#[derive(Clone, Copy, Debug, Default)]
pub struct RealThreads;

impl Threads for RealThreads {
    fn spawn(&self, name: &str, body: Box<dyn FnOnce() + Send>) -> io::Result<Thread> {
        let handle = std::thread::Builder::new().name(name.to_owned()).spawn(body)?;
        Ok(Thread::new(name, handle))
    }
    fn parallelism(&self) -> usize {
        std::thread::available_parallelism().map_or(1, |n| n.get())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;

    use super::*;

    #[test]
    fn threads_have_names_and_tell_their_panics() {
        let (send, receive) = channel();
        let body = move || {
            send.send(std::thread::current().name().map(str::to_owned)).unwrap();
        };
        RealThreads.spawn("worker-7", Box::new(body)).unwrap().join().unwrap();
        assert_eq!(receive.recv().unwrap().as_deref(), Some("worker-7"));

        let error = RealThreads.spawn("bad", Box::new(|| panic!("of {}", 7))).unwrap().join().unwrap_err();
        assert_eq!(error.to_string(), "thread bad panicked: of 7");
    }
}
