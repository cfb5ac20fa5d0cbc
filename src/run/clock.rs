//! The machine's clock: the only place that reads it.

use std::sync::OnceLock;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use crate::probe::clock::{Clock, SinceBoot};

/// The machine's clock.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemClock;

#[expect(clippy::disallowed_methods, reason = "this is the one place that may")]
impl Clock for SystemClock {
    fn now(&self) -> Instant {
        // tokio's instant is the standard one, except where a test has paused it.
        tokio::time::Instant::now().into_std()
    }

    fn wall(&self) -> Timestamp {
        Timestamp::now()
    }

    fn since_boot(&self) -> Option<SinceBoot> {
        static BOOT: OnceLock<Option<u64>> = OnceLock::new();
        let boot = (*BOOT.get_or_init(|| read("/proc/sys/kernel/random/boot_id").map(|id| number_of(&id))))?;
        // Linux counts the time asleep here: seconds, with hundredths.
        let uptime = read("/proc/uptime")?;
        let seconds: f64 = uptime.split_whitespace().next()?.parse().ok()?;
        Some(SinceBoot { boot, elapsed: Duration::try_from_secs_f64(seconds).ok()? })
    }
}

/// A short text of the kernel's.
fn read(path: &str) -> Option<String> {
    std::fs::read_to_string(path).ok().filter(|text| !text.is_empty())
}

/// FNV-1a: all that is asked of it is that another boot is another number.
fn number_of(id: &str) -> u64 {
    id.trim().bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn the_time_since_boot_goes_on_and_the_boot_stays() {
        let one = SystemClock.since_boot().unwrap();
        let other = SystemClock.since_boot().unwrap();
        assert_eq!(one.boot, other.boot);
        assert!(other.elapsed >= one.elapsed && one.elapsed > Duration::ZERO);
        assert_ne!(number_of("a"), number_of("b"));
    }
}
