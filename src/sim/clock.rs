//! The simulator's own clock: the one place in `sim/` that reads the machine's time.
//!
//! A scenario is written in *virtual* time ("loads in 3 s, unloads after 5 min"). With `speed: N` virtual time passes
//! N times faster than real time, so a client meets a provider whose every duration is shorter by that factor. Time
//! runs on `tokio::time::Instant`, so a test with a paused runtime clock pauses the provider too.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

/// A moment in virtual time, counted from the simulator's start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Moment(Duration);

impl Moment {
    /// The moment `span` after the start, for tests of what is pure.
    #[cfg(test)]
    pub(crate) fn after_start(span: Duration) -> Self {
        Self(span)
    }

    /// The moment `span` later; the far future when that cannot be stated.
    pub(crate) fn plus(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span))
    }

    /// The virtual time from `earlier` to here; zero when `earlier` is later.
    pub(crate) fn since(self, earlier: Moment) -> Duration {
        self.0.saturating_sub(earlier.0)
    }

    /// The virtual time since the simulator's start.
    pub(crate) fn elapsed(self) -> Duration {
        self.0
    }
}

/// Reads and spends virtual time.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Clock {
    origin: Instant,
    wall: Timestamp,
    speed: f64,
}

impl Clock {
    /// Starts a clock at virtual zero. `speed` must be finite and positive, which `Options` has checked.
    #[expect(clippy::disallowed_methods, reason = "the simulator is the other side of the wire: this is its own clock")]
    pub(crate) fn start(speed: f64) -> Self {
        Self { origin: Instant::now(), wall: Timestamp::now(), speed }
    }

    /// The real instant, on the runtime's clock.
    #[expect(clippy::disallowed_methods, reason = "the simulator is the other side of the wire: this is its own clock")]
    pub(crate) fn instant(&self) -> Instant {
        Instant::now()
    }

    /// How many times faster than real time this clock runs.
    pub(crate) fn speed(&self) -> f64 {
        self.speed
    }

    /// The present moment in virtual time.
    pub(crate) fn now(&self) -> Moment {
        self.moment(self.instant())
    }

    /// The virtual moment at a real instant.
    pub(crate) fn moment(&self, instant: Instant) -> Moment {
        let real = instant.saturating_duration_since(self.origin).as_secs_f64();
        Moment(Duration::try_from_secs_f64(real * self.speed).unwrap_or(Duration::MAX))
    }

    /// The real time that a virtual span takes.
    pub(crate) fn real(&self, span: Duration) -> Duration {
        Duration::try_from_secs_f64(span.as_secs_f64() / self.speed).unwrap_or(Duration::MAX)
    }

    /// The real instant at which `moment` comes; `None` when it is too far away to be stated.
    pub(crate) fn instant_of(&self, moment: Moment) -> Option<Instant> {
        self.origin.checked_add(self.real(moment.0))
    }

    /// Sleeps for a virtual span.
    pub(crate) async fn sleep(&self, span: Duration) {
        tokio::time::sleep(self.real(span)).await;
    }

    /// Sleeps until a virtual moment; for ever when it never comes.
    pub(crate) async fn sleep_until(&self, moment: Moment) {
        match self.instant_of(moment) {
            Some(instant) => tokio::time::sleep_until(instant).await,
            None => std::future::pending().await,
        }
    }

    /// The wall clock's time now. It moves with the runtime's clock, so that a paused test sees consistent stamps.
    pub(crate) fn timestamp(&self) -> Timestamp {
        let elapsed = self.instant().saturating_duration_since(self.origin);
        self.wall.checked_add(elapsed).unwrap_or(Timestamp::MAX)
    }

    /// The wall-clock time after `span` of virtual time has passed: a client that compares it with its own clock sees
    /// the *real* remaining time.
    pub(crate) fn timestamp_in(&self, span: Duration) -> Timestamp {
        self.timestamp().checked_add(self.real(span)).unwrap_or(Timestamp::MAX)
    }

    /// [`Self::timestamp_in`] the way JavaScript prints it: RFC 3339, UTC, milliseconds.
    pub(crate) fn stamp_in(&self, span: Duration) -> String {
        self.timestamp_in(span).strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
    }

    /// The present time as an HTTP `Date` (RFC 9110, IMF-fixdate), on a clock that is wrong by so many seconds.
    pub(crate) fn http_date(&self, ahead_s: i64) -> String {
        let now = self.timestamp();
        let shown = now.checked_add(SignedDuration::from_secs(ahead_s)).unwrap_or(now);
        shown.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn virtual_time_passes_faster() {
        let clock = Clock::start(60.0);
        tokio::time::advance(Duration::from_secs(2)).await;
        assert_eq!(clock.now().elapsed(), Duration::from_secs(120));
        assert_eq!(clock.real(Duration::from_secs(120)), Duration::from_secs(2));
    }

    #[tokio::test(start_paused = true)]
    async fn stamps_state_the_real_remaining_time() {
        let clock = Clock::start(10.0);
        let gap = clock.timestamp_in(Duration::from_secs(50)).duration_since(clock.timestamp());
        assert_eq!(gap.as_secs(), 5);
        let stamp = clock.stamp_in(Duration::ZERO);
        assert!(stamp.parse::<Timestamp>().is_ok(), "{stamp}");
        assert!(clock.http_date(0).ends_with(" GMT"));
        assert!(clock.http_date(i64::MAX).ends_with(" GMT"));
    }

    #[tokio::test(start_paused = true)]
    async fn sleeping_until_a_moment_reaches_it() {
        let clock = Clock::start(7.0);
        let goal = clock.now().plus(Duration::from_millis(12_345));
        clock.sleep_until(goal).await;
        assert!(clock.now() >= goal);
    }
}
