//! How much memory the process may use, and how much it does.

use std::path::Path;
use std::sync::Arc;

use millrace_world::{Clock, Files, World};

/// Between two looks at the process's size: reading it costs some microseconds.
const INTERVAL_NS: u64 = 100_000_000;

/// Share of the machine's memory that is the limit where none is set, in percent.
const SHARE_PERCENT: u64 = 80;

/// Watches the size of the process against its limit.
pub(crate) struct MemoryWatch {
    files: Arc<dyn Files>,
    clock: Arc<dyn Clock>,
    /// `None`: nothing is known about the machine.
    bytes_max: Option<u64>,
    looked_ns: Option<u64>,
    bytes: u64,
}

impl MemoryWatch {
    /// Watches against `bytes_max`, or against a share of what the machine or its control group has.
    pub(crate) fn new(world: &World, bytes_max: Option<u64>) -> Self {
        let files = Arc::clone(world.files());
        let of_machine = || machine_bytes(files.as_ref()).map(|bytes| bytes / 100 * SHARE_PERCENT);
        let bytes_max = bytes_max.or_else(of_machine);
        MemoryWatch { files, clock: Arc::clone(world.clock()), bytes_max, looked_ns: None, bytes: 0 }
    }

    /// What is wrong, if the process is larger than it may be. Looks at most every 100 ms.
    pub(crate) fn excess(&mut self) -> Option<String> {
        self.bytes_max?;
        let now = self.clock.monotonic_ns();
        if self.looked_ns.is_none_or(|looked| now - looked >= INTERVAL_NS) {
            self.looked_ns = Some(now);
            self.bytes = process_bytes(self.files.as_ref()).unwrap_or(0);
        }
        self.seen()
    }

    /// What was wrong at the last look.
    pub(crate) fn seen(&self) -> Option<String> {
        let bytes_max = self.bytes_max?;
        let mb = |bytes: u64| bytes / (1 << 20);
        let over = self.bytes > bytes_max;
        over.then(|| format!("the process has {} MB of memory, the limit is {} MB", mb(self.bytes), mb(bytes_max)))
    }
}

/// Resident memory of this process.
fn process_bytes(files: &dyn Files) -> Option<u64> {
    kilobytes(&text(files, "/proc/self/status")?, "VmRSS:")
}

/// Memory of the control group, or of the machine.
fn machine_bytes(files: &dyn Files) -> Option<u64> {
    let machine = text(files, "/proc/meminfo").and_then(|info| kilobytes(&info, "MemTotal:"));
    let groups = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let group = groups.iter().find_map(|path| text(files, path)?.trim().parse::<u64>().ok());
    match (machine, group) {
        (Some(machine), Some(group)) => Some(machine.min(group)),
        (one, other) => one.or(other),
    }
}

/// The number behind `name` in lines like `MemTotal:  16 kB`, as bytes.
fn kilobytes(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1024)
}

fn text(files: &dyn Files, path: &str) -> Option<String> {
    String::from_utf8(files.read_whole(Path::new(path)).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use millrace_world::SimulatedWorld;

    use super::*;

    #[test]
    fn the_smaller_of_group_and_machine_is_the_limit() {
        let simulated = SimulatedWorld::new(0);
        let status = |kb: u64| format!("Name: x\nVmRSS:\t  {kb} kB\n");
        simulated.files().write("/proc/meminfo", b"MemTotal:       1024000 kB\nMemFree: 5 kB\n");
        simulated.files().write("/proc/self/status", status(500_000).as_bytes());
        assert_eq!(MemoryWatch::new(simulated.world(), None).excess(), None);
        simulated.files().write("/sys/fs/cgroup/memory.max", b"104857600\n");
        let said = MemoryWatch::new(simulated.world(), None).excess();
        assert_eq!(said.as_deref(), Some("the process has 488 MB of memory, the limit is 80 MB"));
        simulated.files().write("/sys/fs/cgroup/memory.max", b"max\n");
        let mut watch = MemoryWatch::new(simulated.world(), Some(512_000_000));
        assert_eq!(watch.excess(), None);
        simulated.files().write("/proc/self/status", status(600_000).as_bytes());
        assert_eq!(watch.excess(), None, "it looks only now and then");
        simulated.clock().advance(std::time::Duration::from_millis(100));
        assert!(watch.excess().is_some());
    }
}
