//! When a warm-up of `every: auto` is due, once something was learned of its LLM.
//!
//! What is to be learned and what follows from it is `warmth/`'s. Here its answer meets the windows of the week, a clock
//! that is set, and probes that came to nothing.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Due, Why};
use crate::plan::Windows;
use crate::target::Depth;

/// How many windows are looked into for one in which the next warm-up lies.
const WINDOWS: usize = 400;

/// What was learned, as far as dues need it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Learned {
    /// When the LLM was last used by anybody, as far as is known.
    pub touched: Timestamp,
    /// When it is to be warmed next, were there no windows. `None` until somebody uses it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Timestamp>,
    /// How long after a use it is to be warmed. `None` while warming is suspended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gap: Option<Duration>,
    /// How long before a window opens it is warmed.
    pub lead: Duration,
    /// When a warm-up since then began that taught nothing: it was withheld, refused, or met a broken network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fruitless: Option<Timestamp>,
}

impl Learned {
    /// The same, with what has not come yet at `now` as long ago as that: for whoever asks anew again and again, and would
    /// be told each time that it has just been.
    #[must_use]
    pub fn set_back(self, now: Timestamp, long_ago: Timestamp) -> Self {
        // A moment that is reckoned from a beginning and a duration may be a little ahead of the clock that is read after it.
        const SAME_MOMENT: SignedDuration = SignedDuration::from_secs(1);
        let has_come = |at: Timestamp| at.duration_since(now) <= SAME_MOMENT;
        let fruitless = self.fruitless.filter(|at| has_come(*at));
        if has_come(self.touched) {
            return Self { fruitless, ..self };
        }
        let next = self.gap.map(|gap| later(long_ago, gap)).or(self.next);
        Self { touched: long_ago, next, fruitless, ..self }
    }

    /// The next warm-up at or after `now`. `lead` is that of the schedule, where it says one; what came to nothing is
    /// tried again after `retry` at the latest.
    pub(super) fn due(
        &self,
        now: Timestamp,
        windows: &Windows,
        lead: Option<Duration>,
        retry: Duration,
    ) -> Option<Due> {
        let pause = self.gap.map_or(retry, |gap| gap.min(retry));
        // The clock was put back since: what is in the future has just been.
        let ahead = self.touched.duration_since(now).max(SignedDuration::ZERO);
        let touched = self.touched.min(now);
        let again = self.fruitless.map(|at| later(at.min(now), pause));
        let next = self.next?;
        let next = next.saturating_sub(ahead).unwrap_or(next);
        let next = again.map_or(next, |again| next.max(again));
        let due = |at: Timestamp, why: Why, missed: u32| Some(Due { at, depth: Depth::Warm, why, missed });
        let mut from = now;
        if let Some((_, close)) = windows.span(now) {
            let at = next.max(now);
            if at < close {
                let late = later(next, pause / 4) < now;
                return if late { due(now, Why::Missed, 1) } else { due(at, Why::Schedule, 0) };
            }
            from = close;
        }
        let lead = lead.unwrap_or(self.lead);
        for _ in 0..WINDOWS {
            let (open, close) = windows.next_opening(from)?;
            let begin = open.saturating_sub(lead).unwrap_or(open).max(now);
            // A suspension that ends, and an LLM that was used so lately that it is warm by then, have a time of their own.
            let young = |gap: Duration| begin < later(touched, gap / 2);
            let at = match self.gap {
                Some(gap) if !young(gap) => again.map_or(begin, |again| begin.max(again)),
                _ => next.max(begin),
            };
            if at < close {
                return due(at, if at < open { Why::Prewarm } else { Why::Schedule }, 0);
            }
            from = close;
        }
        None
    }
}

fn later(moment: Timestamp, by: Duration) -> Timestamp {
    moment.saturating_add(by).unwrap_or(moment)
}
