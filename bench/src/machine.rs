//! The machine that a run happened on, and who else used it meanwhile.

use std::fs;

use serde::Serialize;

/// What figures must be read with.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    /// The processor's name.
    processor: String,
    /// Processors that there are.
    processors: usize,
    /// Memory, GB.
    memory_gb: u64,
    /// The kernel's version.
    kernel: String,
    /// UTC, to the second.
    pub(crate) date: String,
}

impl Machine {
    /// This one, now.
    pub(crate) fn here() -> Machine {
        let first = |path: &str, field: &str| {
            let text = fs::read_to_string(path).unwrap_or_default();
            let line = text.lines().find(|l| l.starts_with(field)).unwrap_or_default().to_owned();
            line.split_once(':').map(|(_, value)| value.trim().to_owned()).unwrap_or_default()
        };
        let memory = first("/proc/meminfo", "MemTotal");
        let memory_kb: u64 = memory.split(' ').next().and_then(|n| n.parse().ok()).unwrap_or(0);
        Machine {
            processor: first("/proc/cpuinfo", "model name"),
            processors: std::thread::available_parallelism().map_or(1, Into::into),
            memory_gb: memory_kb.div_ceil(1 << 20),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned(),
            date: now_utc(),
        }
    }

    /// One line.
    pub(crate) fn line(&self) -> String {
        let Machine { processor, processors, memory_gb, kernel, date } = self;
        format!("{date} UTC · {processors} × {processor} · {memory_gb} GB · Linux {kernel}")
    }
}

/// `2026-11-25 10:00:00`.
fn now_utc() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default().as_secs();
    let (days, seconds) = ((since / 86_400) as i64, since % 86_400);
    let (y, m, d) = civil(days);
    format!("{y:04}-{m:02}-{d:02} {:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)
}

/// Year, month and day of a day since 1970-01-01, in the Gregorian calendar; days from 1970 on.
fn civil(days: i64) -> (i64, i64, i64) {
    // years begin in March here, so that the leap day is the last of them
    let days = days + 719_468;
    let era = days / 146_097;
    let of_era = days % 146_097;
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * of_year + 2) / 153;
    let (day, month) = (of_year - (153 * month + 2) / 5 + 1, if month < 10 { month + 3 } else { month - 9 });
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// The day since 1970-01-01 of a date in the Gregorian calendar.
pub(crate) fn day_number(y: i64, m: i64, d: i64) -> i64 {
    let y = if m <= 2 { y - 1 } else { y };
    let era = y.div_euclid(400);
    let year_of_era = y.rem_euclid(400);
    let of_year = (153 * (if m > 2 { m - 3 } else { m + 9 }) + 2) / 5 + d - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + of_year - 719_468
}

/// Time that all processors were busy since the machine started, s.
pub(crate) fn busy_s() -> f64 {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let fields: Vec<u64> =
        stat.lines().next().unwrap_or_default().split_whitespace().skip(1).filter_map(|f| f.parse().ok()).collect();
    // user nice system idle iowait irq softirq steal
    let busy: u64 = [0, 1, 2, 5, 6].iter().filter_map(|i| fields.get(*i)).sum();
    busy as f64 / 100.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_become_dates() {
        assert_eq!(civil(0), (1970, 1, 1));
        assert_eq!(civil(11_016), (2000, 2, 29));
        assert_eq!(civil(20_782), (2026, 11, 25));
        for day in [0, 59, 11_016, 11_017, 20_782, 47_541] {
            let (y, m, d) = civil(day);
            assert_eq!(day_number(y, m, d), day);
        }
    }

    #[test]
    fn the_machine_is_known() {
        let machine = Machine::here();
        assert!(machine.processors >= 1 && machine.memory_gb >= 1, "{machine:?}");
        assert!(busy_s() > 0.0);
    }
}
