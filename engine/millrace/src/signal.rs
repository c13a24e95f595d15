//! Ctrl-C and SIGTERM: the first asks the session to stop, the second ends the process.

use std::io;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use millrace_session::Interrupt;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::flag;

use crate::command::INTERRUPTED;

/// The wish to stop, set by a signal.
///
/// # Errors
/// If the system does not let signals be handled.
pub(crate) fn interrupt() -> io::Result<Interrupt> {
    let asked = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // in this order: the first signal finds the flag unset
        flag::register_conditional_shutdown(signal, i32::from(INTERRUPTED), Arc::clone(&asked))?;
        flag::register(signal, Arc::clone(&asked))?;
    }
    Ok(Interrupt::of(&asked))
}
