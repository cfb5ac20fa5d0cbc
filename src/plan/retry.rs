//! Whether a probe is tried again, and when: policy, backoff and budget. Pure; `run/` alone acts on it.
//!
//! Only what can heal is tried again, and never what costs a user's quota for nothing: a refused key, a missing model
//! or a spent window is final. A loading LLM is different: waiting is what the `cold_start` deadline is for.

use std::time::Duration;

use crate::outcome::{Code, Cure, Outcome, Stage};

/// How often, and how patiently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How many attempts in all, the first included. At least 1. Waiting for a loading LLM does not count.
    pub attempts: u32,
    /// The pause before the second attempt; it doubles for each further one.
    pub pause: Duration,
    /// No pause is longer. What a provider asks for beyond it ends the probe instead.
    pub pause_at_most: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self { attempts: 2, pause: Duration::from_millis(500), pause_at_most: Duration::from_secs(10) }
    }
}

/// What has been tried so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tried {
    /// Attempts that counted.
    pub attempts: u32,
    /// Attempts that found the LLM loading.
    pub loading: u32,
    /// Since the first attempt began.
    pub elapsed: Duration,
}

impl RetryPolicy {
    /// The pause before another attempt, or nothing when this outcome stands. `jitter` is from 0 to 1.
    #[must_use]
    pub fn next(&self, outcome: &Outcome, tried: Tried, jitter: f64) -> Option<Duration> {
        let diagnosis = outcome.diagnosis.as_ref()?;
        let asked = diagnosis.reset.map(|reset| reset.after);
        if diagnosis.code == Code::Loading {
            let pause = asked.unwrap_or_else(|| self.backoff(tried.loading, jitter)).clamp(
                Duration::from_millis(250),
                // The model may be ready long before the provider's guess.
                Duration::from_secs(15),
            );
            return (tried.elapsed + pause < outcome.target.expect.cold_start).then_some(pause);
        }
        if tried.attempts >= self.attempts || !may_heal_soon(diagnosis.code, outcome.stage) {
            return None;
        }
        match asked {
            // `Retry-After` is obeyed; one beyond the cap is for a person or the next schedule.
            Some(asked) if asked > self.pause_at_most => None,
            Some(asked) => Some(asked.max(Duration::from_millis(100))),
            None => Some(self.backoff(tried.attempts, jitter)),
        }
    }

    /// Doubles with each attempt, with up to half of itself taken off at random, so that many probes which failed
    /// together do not come back together.
    fn backoff(&self, attempts: u32, jitter: f64) -> Duration {
        let factor = 2_u32.saturating_pow(attempts.saturating_sub(1).min(16));
        let whole = self.pause.saturating_mul(factor).min(self.pause_at_most);
        whole.mul_f64(1.0 - 0.5 * jitter.clamp(0.0, 1.0))
    }
}

/// Whether another try within seconds has a chance, and is not at the user's expense.
fn may_heal_soon(code: Code, stage: Stage) -> bool {
    match code {
        Code::DnsFailed
        | Code::ConnectTimeout
        | Code::ConnectFailed
        | Code::ConnectionLost
        | Code::TlsTimeout
        | Code::AnswerCut
        | Code::AnswerTimeout
        | Code::Overloaded
        | Code::UpstreamFailed => code.cure() == Cure::Waiting,
        // A short limit with a stated end is worth one more try; a spent window never is.
        Code::RateLimited => stage != Stage::Warm,
        _ => false,
    }
}
