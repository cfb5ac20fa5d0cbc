//! When a target that is waited for is asked again, and when there is no use in it. Pure; `run/` alone acts on it.
//!
//! [`RetryPolicy`](super::RetryPolicy) is for the attempts of one probe, within seconds; this is for the probes of a wait,
//! within minutes. What costs nothing is tried again sooner than what may cost a request.

use std::time::Duration;

use super::retry::NEARBY;
use crate::outcome::{Code, Cure, Outcome, Stage, Withholding};

/// A provider's guess of how long loading takes is no promise: it is asked again after this at the latest.
const GUESS_AT_MOST: Duration = Duration::from_secs(15);
/// Targets that may all come back at the same moment come back within this.
const SPREAD_AT_MOST: Duration = Duration::from_secs(2);

/// Pauses that double from the first to the longest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Backoff {
    /// After the first failure.
    pub first: Duration,
    /// No pause is longer.
    pub most: Duration,
}

impl Backoff {
    /// The pause after so many failures in a row, from 1, with up to half of itself taken off at random.
    fn pause(self, failures: u32, jitter: f64) -> Duration {
        let factor = 2_u32.saturating_pow(failures.saturating_sub(1).min(16));
        self.first.saturating_mul(factor).min(self.most).mul_f64(1.0 - 0.5 * share(jitter))
    }
}

/// How patiently a target is asked again, by where it broke.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// Below the first answer: a server that is starting refuses connections, and that costs nobody anything.
    pub connecting: Backoff,
    /// At the free endpoints.
    pub free: Backoff,
    /// At the request that may cost.
    pub warm: Backoff,
}

impl Default for Patience {
    fn default() -> Self {
        let backoff =
            |first_ms, most_s| Backoff { first: Duration::from_millis(first_ms), most: Duration::from_secs(most_s) };
        Self { connecting: backoff(200, 2), free: backoff(500, 8), warm: backoff(1_000, 30) }
    }
}

/// What is to be done about a target that is not ready.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// Ask again after this. It may be after the time is up, where there is no use in another try before.
    After(Duration),
    /// Do not: it cannot be otherwise before this has passed, and by then the wait is over.
    TooLate(Duration),
    /// Do not: waiting does not cure it.
    Never,
}

impl Patience {
    /// What to do after `failures` in a row, of which this outcome is the last, with so much time left. `jitter` is from 0
    /// to 1. An outcome without a diagnosis has nothing to wait for, and is asked again like one that may cost.
    #[must_use]
    pub fn next(&self, outcome: &Outcome, failures: u32, left: Duration, jitter: f64) -> Next {
        let Some(diagnosis) = &outcome.diagnosis else { return Next::After(self.warm.pause(failures, jitter)) };
        // A cap without a known price withholds for ever.
        if diagnosis.code.cure() == Cure::Person || outcome.withheld == Some(Withholding::PriceUnknown) {
            return Next::Never;
        }
        let backoff = match self.of(diagnosis.code, diagnosis.stage) {
            // A server nearby that is starting is no burden, and is to be noticed at once.
            backoff if diagnosis.stage == Stage::Connect && outcome.target.provider.base_url.is_near() => {
                Backoff { most: NEARBY.min(backoff.most), ..backoff }
            }
            backoff => backoff,
        };
        let pause = backoff.pause(failures, jitter);
        // A try more before the end is worth more than a long pause, but not a burst of them.
        let in_time = |pause: Duration| if pause >= left && left / 2 >= pause / 4 { left / 2 } else { pause };
        match diagnosis.reset.map(|reset| reset.after) {
            Some(guess) if diagnosis.code == Code::Loading => Next::After(in_time(pause.max(guess.min(GUESS_AT_MOST)))),
            Some(after) if after >= left => Next::TooLate(after),
            Some(after) => {
                let own = in_time(pause);
                // Where a provider says "now", it is not asked ever faster.
                if own > after && (own < left || after < own / 4) {
                    return Next::After(own);
                }
                let spread = (after / 20).min(SPREAD_AT_MOST).mul_f64(share(jitter));
                Next::After(after + spread.min((left - after) / 2))
            }
            None => Next::After(in_time(pause)),
        }
    }

    fn of(&self, code: Code, stage: Stage) -> Backoff {
        match stage {
            // What says that it is asked too often is not asked more often for being free.
            _ if matches!(code, Code::RateLimited | Code::WindowSpent) => self.warm,
            Stage::Credential | Stage::Resolve | Stage::Connect | Stage::Tls => self.connecting,
            Stage::Authenticate | Stage::Locate => self.free,
            Stage::Warm => self.warm,
        }
    }
}

/// From 0 to 1, whatever it was.
fn share(jitter: f64) -> f64 {
    if jitter.is_finite() { jitter.clamp(0.0, 1.0) } else { 0.0 }
}
