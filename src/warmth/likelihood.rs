//! How likely a first-token time is of a warm model, and of a cold one. No threshold: two densities on its logarithm.
//!
//! They come from this model's own replies, the last 32 warm and 8 cold ones. What follows from them is Bayes' business
//! (`belief.rs`).

use super::normal::density;
use super::observation::{Reply, Sight};
use super::seconds::Span;

/// How many warm replies are remembered.
pub(super) const WARM: usize = 32;
/// How many cold ones.
pub(super) const COLD: usize = 8;

/// A warm reply's time before any is known, in seconds.
const ASSUMED_WARM: f64 = 0.6;
/// As many replies does the assumption count for.
const ASSUMED_REPLIES: usize = 2;
/// The least deviation of the logarithm of warm times.
const LEAST_WARM_DEVIATION: f64 = 0.25;
/// A deviation is this many median absolute deviations, in a normal distribution.
const DEVIATIONS_PER_MAD: f64 = 1.4826;
/// A reply that waited in a queue is this much slower (its logarithm: ln 8) …
const QUEUED_LATER: f64 = 2.079_441_541_679_835_7;
/// … with this deviation.
const QUEUED_DEVIATION: f64 = 1.0;
/// The share of warm replies that waited in a queue.
const QUEUED: f64 = 0.07;
/// The same where the account was busy in the gap.
const QUEUED_WHEN_BUSY: f64 = 0.2;
/// The same where nobody can see whether it was.
const QUEUED_WHEN_BLIND: f64 = 0.1;

/// So many warm replies are few.
const FEW: usize = 2;

/// A cold start's length before any is known, in seconds.
pub(super) const ASSUMED_COLD: f64 = 25.0;
/// A cold start is at least this many times slower than a warm reply …
const COLD_RATIO: f64 = 4.0;
/// … and nothing below this many times is one.
const LEAST_COLD_RATIO: f64 = 2.5;
/// The least deviation of the logarithm of cold times.
const LEAST_COLD_DEVIATION: f64 = 0.45;
/// A cold start may also be of any length, with this chance while none has been seen …
const UNKNOWN_COLD: f64 = 0.5;
/// … up to this logarithm of seconds (18 min).
const LONGEST_COLD: f64 = 7.0;
/// How much cold starts of one model differ, for their mean and their 95th percentile.
const COLD_SPREAD: f64 = 0.35;
/// The 95th percentile is so many deviations above the median.
const P95: f64 = 1.644_854;

/// Below this chance of having been cold a reply joins the warm ones.
pub(super) const SURELY_WARM: f64 = 0.2;
/// Above this one it joins the cold ones.
pub(super) const SURELY_COLD: f64 = 0.9;

/// A request that hangs for at least this long, in seconds, found the model loading.
const HANGS: f64 = 60.0;
/// The same, in 95th percentiles of the cold start.
const HANGS_COLD_STARTS: f64 = 3.0;

/// What the replies so far say about replies: natural logarithms of seconds, the newest last.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Replies {
    pub(super) warm: Vec<f32>,
    pub(super) cold: Vec<f32>,
    /// What the cold start is before one is seen, in seconds.
    assumed_cold: f64,
}

/// The two likelihoods of one reply.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Likelihoods {
    pub cold: f64,
    pub warm: f64,
    /// If it was warm: the chance that it waited in a queue.
    pub queued: f64,
}

impl Likelihoods {
    /// The chance that the model was cold, if it was so with chance `before`.
    pub(super) fn chance_cold(self, before: f64) -> f64 {
        let (cold, warm) = (self.cold * before, self.warm * (1.0 - before));
        if cold + warm > 0.0 { cold / (cold + warm) } else { 0.0 }
    }
}

fn push(list: &mut Vec<f32>, most: usize, value: f32) {
    if list.len() >= most {
        list.drain(..=list.len() - most);
    }
    list.push(value);
}

/// The middle of the values, and the middle of their distances from it.
fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    let half = values.len() / 2;
    let at = |index: usize| values.get(index).copied().unwrap_or_default();
    if values.len().is_multiple_of(2) { f64::midpoint(at(half.saturating_sub(1)), at(half)) } else { at(half) }
}

impl Replies {
    /// None yet. `cold_start` is what one is expected to take, from a preset or the configuration.
    pub(super) fn new(cold_start: Span) -> Self {
        Self { warm: Vec::new(), cold: Vec::new(), assumed_cold: cold_start.seconds().clamp(1.0, 3600.0) }
    }

    /// Takes replies that were kept. What is no time is left out.
    pub(super) fn restored(mut self, warm: &[f32], cold: &[f32]) -> Self {
        for value in warm.iter().filter(|value| value.abs() < 20.0) {
            push(&mut self.warm, WARM, *value);
        }
        for value in cold.iter().filter(|value| value.abs() < 20.0) {
            push(&mut self.cold, COLD, *value);
        }
        self
    }

    /// Median and deviation of the logarithm of warm times: `s0 = max(.25, 1.4826·MAD)`.
    fn warm_times(&self) -> (f64, f64) {
        let mut values: Vec<f64> = self.warm.iter().map(|value| f64::from(*value)).collect();
        values.extend([ASSUMED_WARM.ln(); ASSUMED_REPLIES]);
        let middle = median(&mut values);
        for value in &mut values {
            *value = (*value - middle).abs();
        }
        (middle, (DEVIATIONS_PER_MAD * median(&mut values)).max(LEAST_WARM_DEVIATION))
    }

    /// Mean of the logarithm of cold times, at least 4 × warm. The assumption counts as two.
    #[expect(clippy::cast_precision_loss, reason = "at most 10")]
    fn cold_time(&self) -> f64 {
        let sum: f64 = self.cold.iter().map(|value| f64::from(*value)).sum();
        let mean = (sum + 2.0 * self.assumed_cold.ln()) / (self.cold.len() + 2) as f64;
        mean.max(self.warm_times().0 + COLD_RATIO.ln())
    }

    /// The mean cold start, in seconds.
    pub(super) fn cold_start(&self) -> f64 {
        (self.cold_time() + COLD_SPREAD * COLD_SPREAD / 2.0).exp()
    }

    /// The 95th percentile of the cold start, in seconds.
    pub(super) fn cold_start_p95(&self) -> f64 {
        (self.cold_time() + P95 * COLD_SPREAD).exp()
    }

    /// How likely a reply is. `None` for a timeout that is too short to say anything.
    ///
    /// Warm: `.93·N(m0, s0) + .07·N(m0 + ln 8, 1)`, the second for queueing (.2 or .1 where others cannot be seen); faster than the median counts as the median.
    /// Cold: `N(m1, max(.45, 1/√(1+n/2)))`, nothing below 2.5 × warm; while few have been seen, partly of any length: a model
    /// that loads in 4 s where 25 s were assumed would be taken for one that queues. What the provider says outright is
    /// not weighed.
    #[expect(clippy::cast_precision_loss, reason = "at most 8")]
    pub(super) fn likelihoods(&self, reply: Reply, sight: Sight) -> Option<Likelihoods> {
        let seconds = match reply {
            Reply::FirstToken(span) => span.seconds(),
            Reply::Loading(_) => return Some(Likelihoods { cold: 1.0, warm: 0.0, queued: 0.0 }),
            Reply::TimedOut(span) => {
                let hangs = HANGS.max(HANGS_COLD_STARTS * self.cold_start_p95());
                return (span.seconds() > hangs).then_some(Likelihoods { cold: 1.0, warm: 0.0, queued: 0.0 });
            }
        };
        let (middle, deviation) = self.warm_times();
        let log = seconds.max(1e-3).ln();
        let slow = log.max(middle);
        let queued = match sight {
            Sight::Seen | Sight::CounterStill => QUEUED,
            Sight::CounterMoved => QUEUED_WHEN_BUSY,
            Sight::Blind => QUEUED_WHEN_BLIND,
        };
        let waited = queued * density(slow, middle + QUEUED_LATER, QUEUED_DEVIATION);
        let warm = ((1.0 - queued) * density(slow, middle, deviation) + waited).max(1e-12);
        let cold_deviation = (1.0 / (1.0 + self.cold.len() as f64 / 2.0).sqrt()).max(LEAST_COLD_DEVIATION);
        let cold = if log < middle + LEAST_COLD_RATIO.ln() {
            0.0
        } else {
            let broad = UNKNOWN_COLD / (1.0 + self.cold.len() as f64 / 2.0);
            let range = (LONGEST_COLD - middle - LEAST_COLD_RATIO.ln()).max(1.0);
            let even = if log < LONGEST_COLD { 1.0 / range } else { 0.0 };
            (1.0 - broad) * density(log, self.cold_time(), cold_deviation) + broad * even
        };
        // Far out both are nothing, and nothing can be divided by nothing.
        Some(Likelihoods { cold, warm, queued: waited / warm })
    }

    /// Takes a reply in that was cold with this chance: with the warm ones, the cold ones, or neither.
    #[expect(clippy::cast_possible_truncation, reason = "a time to seven digits")]
    pub(super) fn remember(&mut self, reply: Reply, likelihoods: Likelihoods, chance_cold: f64) {
        // What waited in a queue says nothing of how fast a warm reply is, once that is known.
        let outlier = likelihoods.queued > 0.5 && self.warm.len() >= FEW;
        let log = reply.span().seconds().max(1e-3).ln() as f32;
        match reply {
            // It would have taken longer still, but nobody knows how long.
            Reply::TimedOut(_) if f64::from(log) < self.cold_time() => {}
            Reply::FirstToken(_) if chance_cold < SURELY_WARM && !outlier => push(&mut self.warm, WARM, log),
            _ if chance_cold > SURELY_COLD => push(&mut self.cold, COLD, log),
            _ => {}
        }
    }
}
