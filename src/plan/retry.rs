//! Whether a probe is tried again, and when: policy, backoff and budget. Pure; `run/` alone acts on it.
//!
//! Only what can heal is tried again, and never what costs a user's quota for nothing: a refused key, a missing model
//! or a spent window is final. A loading LLM is different: waiting is what the `cold_start` deadline is for.

use std::time::Duration;

use crate::outcome::{Code, Cure, Outcome, Stage};

/// A server nearby that says that it is loading is asked this often by whoever waits for it, so that its readiness is
/// noticed within a quarter of a second.
pub(super) const NEARBY: Duration = Duration::from_millis(200);
/// One of somebody else's is asked this often at first, and then ever more rarely.
const ELSEWHERE: Duration = Duration::from_secs(1);
const ELSEWHERE_AT_MOST: Duration = Duration::from_secs(4);
/// The pause grows with the time that was waited: by 1 s for each of these.
const GROWS_EVERY: u32 = 30;

/// How often an LLM that says that it is loading is looked at. Its answer costs nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Watches {
    /// As other failures are tried again.
    Patiently,
    /// As often as it can be asked of its server: somebody waits.
    Closely,
}

/// How often, and how patiently.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// How many attempts in all, the first included. At least 1. Waiting for a loading LLM does not count.
    pub attempts: u32,
    /// The pause before the second attempt; it doubles for each further one.
    pub pause: Duration,
    /// No pause is longer. What a provider asks for beyond it ends the probe instead.
    pub pause_at_most: Duration,
    /// How often one that is loading is looked at.
    pub loading: Watches,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 2,
            pause: Duration::from_millis(500),
            pause_at_most: Duration::from_secs(10),
            loading: Watches::Patiently,
        }
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
            // Each attempt costs connections and lists, so a provider that says "now" is not asked ever faster; and the
            // model may be ready long before a provider's guess.
            let is_near = outcome.target.provider.base_url.is_near();
            let backoff = match self.loading {
                Watches::Closely if is_near => NEARBY,
                Watches::Closely => (tried.elapsed / GROWS_EVERY).clamp(ELSEWHERE, ELSEWHERE_AT_MOST),
                Watches::Patiently => self.backoff(tried.loading, jitter),
            };
            // A guess of one's own server is not worth waiting for.
            let asked = asked.filter(|_| !(is_near && self.loading == Watches::Closely));
            let pause = asked.unwrap_or(backoff).max(backoff).min(Duration::from_secs(15));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Proof;
    use crate::outcome::sample::{diagnosis, failed, ready, reset_after};

    fn outcome(code: Code, stage: Stage, reset_s: Option<i64>) -> Outcome {
        let mut diagnosis = diagnosis(code, stage, "seen", "do");
        diagnosis.reset = reset_s.map(reset_after);
        let mut outcome = failed(ready("p", "t", "m"), diagnosis, Proof::Connected, Some(503));
        outcome.stage = stage;
        outcome
    }

    fn tried(attempts: u32, loading: u32, elapsed: u64) -> Tried {
        Tried { attempts, loading, elapsed: Duration::from_secs(elapsed) }
    }

    #[test]
    fn only_what_can_heal_is_tried_again() {
        let policy = RetryPolicy::default();
        for code in Code::ALL {
            let next = policy.next(&outcome(code, Stage::Warm, None), tried(1, 1, 1), 0.0);
            if next.is_some() {
                assert_eq!(code.cure(), Cure::Waiting, "{code}");
            }
            // What spends a user's quota for nothing, or needs a person.
            let costly = matches!(
                code,
                Code::WindowSpent
                    | Code::RateLimited
                    | Code::BalanceSpent
                    | Code::KeyRefused
                    | Code::StreamCut
                    | Code::EmptyAnswer
                    | Code::FirstTokenTimeout
            );
            assert!(!(costly && next.is_some()), "{code}");
        }
        assert_eq!(policy.next(&ready("p", "t", "m"), tried(1, 0, 1), 0.0), None);
    }

    #[test]
    fn attempts_are_counted_and_pauses_double_up_to_the_cap() {
        let policy = RetryPolicy { attempts: 9, ..RetryPolicy::default() };
        let failed = outcome(Code::UpstreamFailed, Stage::Authenticate, None);
        let pauses: Vec<u128> =
            (1..9).filter_map(|n| policy.next(&failed, tried(n, 0, 1), 0.0)).map(|pause| pause.as_millis()).collect();
        assert_eq!(pauses, [500, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000]);
        assert_eq!(policy.next(&failed, tried(9, 0, 1), 0.0), None);
        let jittered = policy.next(&failed, tried(1, 0, 1), 1.0).unwrap();
        assert_eq!(jittered.as_millis(), 250);
        assert!(policy.next(&failed, tried(u32::MAX - 1, 0, 1), f64::NAN).is_none());
    }

    #[test]
    fn retry_after_is_obeyed_up_to_the_cap() {
        let policy = RetryPolicy::default();
        let asks = |seconds| policy.next(&outcome(Code::Overloaded, Stage::Warm, Some(seconds)), tried(1, 0, 1), 0.0);
        assert_eq!(asks(7), Some(Duration::from_secs(7)));
        assert_eq!(asks(11), None);
        assert_eq!(asks(0), Some(Duration::from_millis(100)));
    }

    #[test]
    fn a_loading_model_is_waited_for_until_its_deadline() {
        let policy = RetryPolicy { attempts: 1, ..RetryPolicy::default() };
        let loading = outcome(Code::Loading, Stage::Warm, Some(20));
        // The estimate is the provider's; the model may be ready before.
        assert_eq!(policy.next(&loading, tried(0, 1, 1), 0.0), Some(Duration::from_secs(15)));
        assert_eq!(policy.next(&loading, tried(0, 40, 164), 0.0), Some(Duration::from_secs(15)));
        assert_eq!(policy.next(&loading, tried(0, 41, 170), 0.0), None);
        let now = outcome(Code::Loading, Stage::Warm, Some(0));
        assert_eq!(policy.next(&now, tried(0, 4, 10), 0.0), Some(Duration::from_secs(4)));
    }

    #[test]
    fn whoever_waits_looks_every_second_elsewhere_and_five_times_a_second_nearby() {
        let policy = RetryPolicy { loading: Watches::Closely, ..RetryPolicy::default() };
        let pause = |outcome: &Outcome, elapsed| policy.next(outcome, tried(0, 9, elapsed), 0.0).unwrap().as_millis();
        let elsewhere = outcome(Code::Loading, Stage::Warm, None);
        assert_eq!([1, 29, 60, 150].map(|elapsed| pause(&elsewhere, elapsed)), [1000, 1000, 2000, 4000]);
        assert_eq!(pause(&outcome(Code::Loading, Stage::Warm, Some(20)), 1), 15_000);
        let mut nearby = outcome(Code::Loading, Stage::Warm, Some(20));
        let mut target = (*nearby.target).clone();
        let mut provider = (*target.provider).clone();
        provider.base_url = crate::target::BaseUrl::parse("http://10.0.0.7:8000/v1").unwrap();
        target.provider = std::sync::Arc::new(provider);
        nearby.target = std::sync::Arc::new(target);
        assert_eq!([1, 150].map(|elapsed| pause(&nearby, elapsed)), [200, 200]);
    }
}
