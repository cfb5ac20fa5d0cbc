//! What the process itself costs, from `/proc/self`. Elsewhere than on Linux there is nothing to read, so nothing is told.
//!
//! Read when somebody asks for metrics, never in the background.

use std::fs;

/// The kernel shows times in ticks of 1/100 s on every architecture that pilotlight is built for (`USER_HZ`).
const TICKS_PER_SECOND: f64 = 100.0;

/// What was found. What could not be read is absent.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Process {
    /// Memory that is really in use, in bytes.
    pub(super) resident_bytes: Option<u64>,
    /// CPU time in user and kernel, in seconds.
    pub(super) cpu_seconds: Option<f64>,
    /// Open file descriptors, the one that counts them left out.
    pub(super) open_files: Option<u64>,
    /// The limit of file descriptors; absent where there is none.
    pub(super) max_files: Option<u64>,
    /// Threads.
    pub(super) threads: Option<u64>,
    /// When the process began, in seconds since 1970.
    pub(super) start_seconds: Option<f64>,
}

impl Process {
    /// Reads them.
    pub(super) fn read() -> Self {
        let read = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let (status, stat) = (read("/proc/self/status"), read("/proc/self/stat"));
        let open = fs::read_dir("/proc/self/fd").ok().map(|entries| entries.count().saturating_sub(1));
        Self {
            resident_bytes: number_after(&status, "VmRSS:").map(|kibibytes| kibibytes.saturating_mul(1024)),
            cpu_seconds: cpu_seconds(&stat),
            open_files: open.and_then(|count| u64::try_from(count).ok()),
            max_files: number_after(&read("/proc/self/limits"), "Max open files"),
            threads: number_after(&status, "Threads:"),
            start_seconds: start_seconds(&stat, &read("/proc/stat")),
        }
    }
}

/// The first number after a line's beginning.
fn number_after(text: &str, beginning: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(beginning))?;
    rest.split_whitespace().next()?.parse().ok()
}

/// A field of `/proc/self/stat`, counted from 1 as in proc(5). The second is the program's name in parentheses, which may
/// hold spaces and parentheses itself, so the rest is counted from the last one.
fn field(stat: &str, number: usize) -> Option<f64> {
    let (_, rest) = stat.rsplit_once(')')?;
    rest.split_whitespace().nth(number.checked_sub(3)?)?.parse().ok()
}

fn cpu_seconds(stat: &str) -> Option<f64> {
    Some((field(stat, 14)? + field(stat, 15)?) / TICKS_PER_SECOND)
}

/// The time of boot is a line of `/proc/stat`, the start of the process is told in ticks since then.
fn start_seconds(stat: &str, system: &str) -> Option<f64> {
    let boot: f64 = system.lines().find_map(|line| line.strip_prefix("btime "))?.trim().parse().ok()?;
    Some(boot + field(stat, 22)? / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_with_spaces_and_parentheses_shifts_nothing() {
        let stat = "77 (a (b) c) S 1 77 77 0 -1 4194304 91 0 0 0 250 50 0 0 20 0 1 0 12345 1 2 3\n";
        assert_eq!(cpu_seconds(stat), Some(3.0));
        assert_eq!(start_seconds(stat, "cpu 1 2\nbtime 1790000000\nprocesses 3\n"), Some(1_790_000_123.45));
        assert_eq!(number_after("Name:\tx\nVmRSS:\t    1234 kB\n", "VmRSS:"), Some(1234));
        assert_eq!(number_after("Max open files            unlimited    unlimited    files\n", "Max open files"), None);
    }

    #[test]
    fn what_cannot_be_read_is_absent() {
        for text in ["", ")", "1 (x) S", "1 (x S 1 2 3"] {
            assert_eq!((cpu_seconds(text), start_seconds(text, "btime x")), (None, None), "{text:?}");
        }
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_is_seen() {
        let seen = Process::read();
        assert!(seen.resident_bytes.unwrap() > 1_000_000 && seen.open_files.unwrap() >= 3, "{seen:?}");
        assert!(seen.start_seconds.unwrap() > 1_600_000_000.0 && seen.cpu_seconds.is_some(), "{seen:?}");
        assert!(seen.threads.unwrap() >= 1, "{seen:?}");
    }
}
