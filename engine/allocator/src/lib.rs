//! The allocator of the programs, set for a process that takes and gives back whole columns at every tick.
//!
//! mimalloc returns freed memory to the system a second after the first of it was freed, whatever is in use again by then.
//! An engine frees and takes megabytes per tick: it would fault the same pages in, and have them cleared, for ever. Measured
//! on a top-k over a join (Nexmark q9, 2 M events): 13,900 page faults against 1,850; the system's share of the
//! worker's samples went from 32 % to 16 %.
//!
//! # Contract
//! [`keep_freed_memory`] is called once, first thing in `main`. `MIMALLOC_PURGE_DELAY` in the environment, in ms, wins.

use std::ffi::{c_int, c_long};

/// To be the `#[global_allocator]`.
pub use mimalloc::MiMalloc as Allocator;

/// How long freed memory is kept, ms: so long that taking it again is cheap on the whole, so short that what a dropped
/// query held is back before anybody looks.
const PURGE_DELAY_MS: c_long = 10_000;

/// `mi_option_purge_delay` of mimalloc 3, which the Rust binding has no name for.
const PURGE_DELAY: c_int = 15;

/// Keeps freed memory for ten seconds before the system gets it back.
pub fn keep_freed_memory() {
    set_default(PURGE_DELAY, PURGE_DELAY_MS);
}

#[allow(unsafe_code)]
fn set_default(option: c_int, value: c_long) {
    // SAFETY: the function writes one entry of the allocator's table of options, whose length is checked here; it is
    // sound at any time, and only concurrent calls for the same option would race: there is one caller, before threads.
    unsafe {
        assert!(option < libmimalloc_sys::_mi_option_last, "an option of this version");
        libmimalloc_sys::mi_option_set_default(option, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[global_allocator]
    static ALLOCATOR: Allocator = Allocator;

    fn get(option: c_int) -> c_long {
        // SAFETY: reads an entry of the table.
        #[allow(unsafe_code)]
        unsafe {
            libmimalloc_sys::mi_option_get(option)
        }
    }

    /// The number of the option is right for the version that is linked: before, it has the documented default.
    #[test]
    fn freed_memory_is_kept() {
        assert_eq!(get(PURGE_DELAY), 1000, "mimalloc's own delay, ms");
        keep_freed_memory();
        assert_eq!(get(PURGE_DELAY), PURGE_DELAY_MS);
    }
}
