//! Asks the processor to fetch a line that will be read soon.
//!
//! The one place of this crate where `unsafe` is allowed. A prefetch changes what is cached and nothing else: no value
//! depends on it, and it cannot fault. On processors without a known instruction it does nothing.

#![allow(unsafe_code)]

/// Fetches the cache line of `slice[index]`, if there is such an element.
#[inline(always)]
pub(crate) fn prefetch<T>(slice: &[T], index: usize) {
    if let Some(element) = slice.get(index) {
        fetch(std::ptr::from_ref(element).cast());
    }
}

#[cfg(target_arch = "x86_64")]
#[inline(always)]
fn fetch(line: *const i8) {
    // SAFETY: `_mm_prefetch` needs SSE, which every x86-64 processor has; it reads nothing into the program and never
    // faults, whatever the address. The address is that of a live element.
    unsafe { std::arch::x86_64::_mm_prefetch::<{ std::arch::x86_64::_MM_HINT_T0 }>(line) }
}

#[cfg(target_arch = "aarch64")]
#[inline(always)]
fn fetch(line: *const i8) {
    // SAFETY: `prfm` is a hint: it changes neither registers, flags nor memory and never faults.
    unsafe { std::arch::asm!("prfm pldl1keep, [{0}]", in(reg) line, options(nostack, preserves_flags, readonly)) }
}

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
#[inline(always)]
fn fetch(_: *const i8) {}
