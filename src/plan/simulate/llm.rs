//! One simulated LLM: it is loaded or not, and it works on so many requests at once; others wait in line.

use super::chance::Chance;

/// The first token of a loaded LLM: the median, and the deviation of its logarithm; and those of the slow few.
const FIRST_TOKEN: (f64, f64) = (0.35, 0.35);
const SLOW: (f64, f64) = (3.0, 0.7);
const SLOW_PART: f64 = 0.03;
/// How much a cold start differs from the next.
const COLD_DEVIATION: f64 = 0.35;
/// How long an answer to a user takes after its first token; a warm-up's is over at once.
const ANSWER: (f64, f64) = (8.0, 0.6);

/// Before any moment, and still a number to reckon with.
const LONG_AGO: i64 = i64::MIN / 4;

/// One LLM. Times are Unix milliseconds.
#[derive(Debug)]
pub(super) struct Llm {
    /// When it is unloaded if nobody asks again.
    unloads_at: i64,
    /// When it has loaded.
    ready_at: i64,
    /// `None`: it never unloads.
    idle_ms: Option<i64>,
    cold_start_s: f64,
    /// When each place is free. Empty: there is room for any number.
    places: Vec<i64>,
    /// The same, if no probe had ever been there.
    without_probes: Vec<i64>,
    chance: Chance,
}

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    User,
    Probe,
}

/// What it took. Times in milliseconds.
#[derive(Debug, Clone, Copy)]
pub(super) struct Served {
    /// How long the loading was waited for, or what was left of it.
    pub(super) cold_ms: i64,
    /// How long earlier requests at this LLM were waited for.
    pub(super) queued_ms: i64,
    /// The part of that which would not have been without probes.
    pub(super) behind_probe_ms: i64,
    /// When it was over.
    pub(super) end: i64,
    /// Whether it had the LLM loaded.
    pub(super) loaded: Loaded,
}

/// What a request found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loaded {
    /// The LLM was loaded, or loading.
    Before,
    /// It had to be loaded for this request.
    ByThis,
}

impl Llm {
    pub(super) fn new(idle_ms: Option<i64>, cold_start_s: f64, parallel: Option<u32>, chance: Chance) -> Self {
        let places = vec![LONG_AGO; parallel.and_then(|parallel| usize::try_from(parallel).ok()).unwrap_or(0)];
        let unloads_at = if idle_ms.is_some() { LONG_AGO } else { i64::MAX };
        let without_probes = places.clone();
        Self { unloads_at, ready_at: LONG_AGO, idle_ms, cold_start_s, places, without_probes, chance }
    }

    /// How long a request has to wait for its first token before it counts as a hit of a cold LLM, in milliseconds.
    pub(super) fn patience_ms(&self) -> i64 {
        milliseconds((self.cold_start_s * 0.3).min(3.0))
    }

    /// Answers a request that comes now.
    pub(super) fn serve(&mut self, now: i64, who: Who) -> Served {
        let place = first_free(&mut self.places);
        let start = place.as_deref().map_or(now, |free| now.max(*free));
        let loaded = if start >= self.unloads_at { Loaded::ByThis } else { Loaded::Before };
        if loaded == Loaded::ByThis {
            self.ready_at = start + milliseconds(self.chance.log_normal(self.cold_start_s, COLD_DEVIATION));
        }
        let (median, deviation) = if self.chance.fraction() < SLOW_PART { SLOW } else { FIRST_TOKEN };
        let mut work = self.chance.log_normal(median, deviation);
        if who == Who::User {
            work += self.chance.log_normal(ANSWER.0, ANSWER.1);
        }
        let end = start.max(self.ready_at) + milliseconds(work);
        if let Some(place) = place {
            *place = end;
        }
        if let Some(idle) = self.idle_ms {
            self.unloads_at = self.unloads_at.max(end + idle);
        }
        let mut behind_probe_ms = 0;
        if who == Who::User
            && let Some(free) = first_free(&mut self.without_probes)
        {
            let undisturbed = now.max(*free);
            *free = undisturbed + (end - start);
            // What is left of a load that a probe began is not its fault: without it, all of it would have been waited for.
            let loading = (self.ready_at - undisturbed).max(0);
            behind_probe_ms = (start - undisturbed - loading).max(0);
        }
        let cold_ms = (self.ready_at - now).max(0);
        Served { cold_ms, queued_ms: start - now, behind_probe_ms, end, loaded }
    }
}

fn first_free(places: &mut [i64]) -> Option<&mut i64> {
    places.iter_mut().min()
}

/// Seconds as whole milliseconds.
#[expect(clippy::cast_possible_truncation, reason = "times of a simulation are far below 2^63 ms")]
pub(super) fn milliseconds(seconds: f64) -> i64 {
    (seconds * 1000.0) as i64
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000;

    fn llm(parallel: Option<u32>) -> Llm {
        Llm::new(Some(15 * MINUTE), 30.0, parallel, Chance::new(1, 1, 1))
    }

    #[test]
    fn it_unloads_when_idle() {
        let mut llm = llm(Some(1));
        let first = llm.serve(0, Who::Probe);
        assert!(first.loaded == Loaded::ByThis && first.cold_ms > 10_000, "{first:?}");
        let second = llm.serve(first.end + 15 * MINUTE - 1, Who::User);
        assert_eq!((second.loaded, second.cold_ms, second.queued_ms), (Loaded::Before, 0, 0));
        assert_eq!(llm.serve(second.end + 15 * MINUTE, Who::User).loaded, Loaded::ByThis);
        let mut never = Llm::new(None, 30.0, None, Chance::new(1, 1, 1));
        assert_eq!(never.serve(i64::from(u32::MAX) * 1000, Who::User).loaded, Loaded::Before);
    }

    #[test]
    fn requests_of_one_llm_wait_for_each_other() {
        let mut one = llm(Some(1));
        one.serve(0, Who::Probe);
        let begun = 5 * MINUTE;
        let first = one.serve(begun, Who::User);
        let second = one.serve(begun, Who::User);
        assert_eq!((second.queued_ms, second.behind_probe_ms), (first.end - begun, 0));
        let mut any = llm(None);
        assert_eq!([any.serve(0, Who::User).queued_ms, any.serve(0, Who::User).queued_ms], [0, 0]);
    }

    #[test]
    fn only_a_warm_probe_is_in_the_way() {
        let mut warm = llm(Some(1));
        let end = warm.serve(0, Who::Probe).end;
        let probe = warm.serve(end + MINUTE, Who::Probe);
        let user = warm.serve(end + MINUTE, Who::User);
        assert_eq!(user.behind_probe_ms, probe.end - end - MINUTE);
        let mut cold = llm(Some(1));
        let probe = cold.serve(0, Who::Probe);
        let user = cold.serve(1, Who::User);
        assert!(user.cold_ms > 10_000 && user.behind_probe_ms < probe.end - user.cold_ms, "{user:?}");
    }
}
