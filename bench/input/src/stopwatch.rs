//! Time and memory of this process while it works.
//!
//! CPU time is that of all threads, to the nanosecond: on a machine that others use too, it is what can be compared.

use std::time::Instant;

use cpu_time::ProcessTime;

/// Starts when the input is there, stops when the last result is.
#[derive(Clone, Debug)]
pub struct Stopwatch {
    origin: Instant,
    cpu_ns: u64,
    wall_ns: u64,
    before_kb: Option<u64>,
    peak_kb: u64,
    first_ns: Option<u64>,
    ticks: Vec<u64>,
}

impl Default for Stopwatch {
    fn default() -> Self {
        let origin = Instant::now();
        Stopwatch { origin, cpu_ns: 0, wall_ns: 0, before_kb: None, peak_kb: 0, first_ns: None, ticks: vec![] }
    }
}

impl Stopwatch {
    /// The input is there. Memory is counted from here: what is resident now is input.
    pub fn ready(&mut self) {
        // the kernel forgets the peak so far; where it may not, the peak is only larger
        let _ = std::fs::write("/proc/self/clear_refs", "5");
        self.before_kb = Some(status_kb("VmRSS:"));
    }

    /// The work begins. Time is counted from here, and memory, unless [`Stopwatch::ready`] came earlier: what was loaded
    /// in between is state.
    pub fn start(&mut self) {
        if self.before_kb.is_none() {
            self.ready();
        }
        self.cpu_ns = process_cpu_ns();
        self.origin = Instant::now();
    }

    /// ns since the start.
    pub fn now(&self) -> u64 {
        self.origin.elapsed().as_nanos() as u64
    }

    /// A tick that began at `begun` is done.
    pub fn tick(&mut self, begun: u64) {
        self.ticks.push(self.now() - begun);
    }

    /// There is a result; only the first call counts.
    pub fn first(&mut self) {
        self.first_ns = self.first_ns.or_else(|| Some(self.now()));
    }

    /// The work is done.
    pub fn stop(&mut self) {
        self.wall_ns = self.now();
        self.cpu_ns = process_cpu_ns() - self.cpu_ns;
        self.peak_kb = status_kb("VmHWM:").saturating_sub(self.before_kb.unwrap_or(0));
    }

    /// CPU time between start and stop.
    pub fn cpu_ns(&self) -> u64 {
        self.cpu_ns
    }
    /// Wall time between start and stop.
    pub fn wall_ns(&self) -> u64 {
        self.wall_ns
    }
    /// Memory on top of what was resident at the start.
    pub fn peak_kb(&self) -> u64 {
        self.peak_kb
    }
    /// When the first result was there, if [`Stopwatch::first`] was called.
    pub fn first_ns(&self) -> Option<u64> {
        self.first_ns
    }
    /// How long each tick took, ns.
    pub fn ticks(&self) -> &[u64] {
        &self.ticks
    }
}

/// CPU time of this process so far, all threads, ns.
pub fn process_cpu_ns() -> u64 {
    ProcessTime::now().as_duration().as_nanos() as u64
}

fn status_kb(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|l| l.starts_with(name));
    line.and_then(|l| l.split_whitespace().nth(1)).and_then(|n| n.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_takes_time_and_memory() {
        let mut clock = Stopwatch::default();
        clock.start();
        let begun = clock.now();
        let block = vec![1u8; 32 << 20];
        let sum: u64 = (0..20).map(|_| block.iter().map(|b| u64::from(*b)).sum::<u64>()).sum();
        clock.tick(begun);
        clock.first();
        clock.first();
        clock.stop();
        assert_eq!(sum, 20 * (32 << 20));
        assert!(clock.cpu_ns() > 0 && clock.wall_ns() >= clock.ticks()[0]);
        // other tests may give memory back meanwhile
        assert!(clock.peak_kb() >= 24 << 10, "{} kB", clock.peak_kb());
        assert!(clock.first_ns().unwrap() >= clock.ticks()[0]);
    }
}
