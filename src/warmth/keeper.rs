//! The policy of one target: what it is told becomes a belief, and the belief an answer.
//!
//! It puts the rules of the other files together and decides nothing else. It keeps no observations: whoever stores
//! them can replay them (`state.rs`). When a window opens and whether the quota allows a probe is the caller's affair.

use super::belief::{Belief, Evidence, IdleTimeout};
use super::gap::{self, Gap, Hold};
use super::grid::LONGEST;
use super::likelihood::{ASSUMED_COLD, Replies};
use super::observation::{Observation, Sight};
use super::says::Says;
use super::seconds::{Moment, Span};
use super::suspend::{Counts, Keep, Suspension};

/// Two gaps may be told apart once the high end of the set is below so many times the low one.
const KNOWN_WITHIN: f64 = 1.6;
/// The idle timeout has changed when it differs by more than this factor.
const CHANGED_BY: f64 = 1.3;
/// A first reply with less of a chance to have been cold shows how fast warm is.
const CLEARLY_WARM: f32 = 0.2;
/// How long a change is told, in seconds: two days.
const CHANGE_IS_NEWS: f64 = 2.0 * 86_400.0;
/// A touch that was told late is this much older than the last one at most, in seconds; if it is older, the clock was
/// set back.
pub(super) const LATE_TOUCH: f64 = 3600.0;

/// What a keeper is told once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Settings {
    /// How long a cold start is expected to take, before one is seen.
    pub cold_start: Span,
    /// Whether the model is kept warm although nobody uses it.
    pub keep: Keep,
}

impl Default for Settings {
    fn default() -> Self {
        Self { cold_start: Span::from_seconds(ASSUMED_COLD), keep: Keep::WhileUsed }
    }
}

/// A change of the idle timeout.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct Change {
    /// What it was, in seconds.
    pub was: f32,
    /// When it was noticed.
    pub at: Moment,
}

/// What is remembered beside the belief and the replies.
#[derive(Debug, Clone, Copy, PartialEq, Default, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub(super) struct Facts {
    /// Observations with a known gap.
    pub observations: u32,
    /// Probes after the first that taught something, whatever came of them.
    pub followed: u32,
    /// How often the model was found cold.
    pub unloads: u32,
    /// When the last observation was made.
    pub observed_at: Option<Moment>,
    /// When the model was last used by anybody, as far as is known.
    pub touched_at: Option<Moment>,
    /// How much later that can have been.
    pub slack: Span,
    /// The chance that the last probe found it cold.
    pub chance_cold: f32,
    /// The longest gap after which it was warm, in seconds.
    pub warm_after: Option<f32>,
    /// The shortest gap after which it was cold, in seconds.
    pub cold_after: Option<f32>,
    /// The idle timeout that was told last as known, in seconds.
    pub settled: Option<f32>,
    /// The last change of it.
    pub change: Option<Change>,
    /// What `suspend.rs` counts.
    pub counts: Counts,
}

/// What to do next, and what is known.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Answer {
    /// How long after the last touch the next warm-up is due, 2 min to 4 h. `None` while warming is suspended.
    pub next_gap: Option<Span>,
    /// When a suspended warming goes on. `None` if it is not suspended, or until somebody uses the model.
    pub resume_at: Option<Moment>,
    /// How long before a window opens to warm up, so that the model is loaded by then.
    pub lead: Span,
    /// Whether a second probe at once would say how fast a warm reply is. Only after the first.
    pub again: Again,
    /// The chance that the last probe found the model cold.
    pub p_cold: f64,
    /// The chance that the model is unloaded now.
    pub p_unloaded: f64,
    /// The idle timeout, should there be one.
    pub idle_timeout: IdleTimeout,
    /// The chance that there is none.
    pub never: f64,
    /// The share of the time in which the model is expected to be cold, with this gap.
    pub cold_share: f64,
    /// The mean cold start.
    pub cold_start: Span,
    /// When anybody last used the model, as far as is known; never later than that.
    pub touched_at: Option<Moment>,
    /// When a user last did.
    pub used_at: Option<Moment>,
    /// The state, and the sentence for people.
    pub says: Says,
}

/// How long a model has been idle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Idle {
    /// At most so long.
    pub gap: Span,
    /// Up to so much less.
    pub slack: Span,
}

/// Whether a second probe should follow at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Again {
    /// The first probe may have been a cold start; the second is surely warm and shows how fast that is.
    AtOnce,
    /// The next probe is due after the gap.
    AfterGap,
}

impl Answer {
    /// When the next warm-up is due: the last touch and the gap. `None` while suspended, or where nothing is known of
    /// any touch (then it is due at once).
    #[must_use]
    pub fn due(&self) -> Option<Moment> {
        Some(self.touched_at?.plus(self.next_gap?))
    }

    /// When to warm up for a window that opens at `opens`: the lead before it. `None` if the last touch will then be
    /// younger than half a gap, so that the model is still warm, or while suspended.
    #[must_use]
    pub fn prewarm(&self, opens: Moment) -> Option<Moment> {
        let gap = self.next_gap?;
        let begin = Moment::from_seconds(opens.seconds() - self.lead.seconds());
        let fresh = self.touched_at.is_some_and(|touched| begin.since(touched).seconds() < gap.seconds() / 2.0);
        (!fresh).then_some(begin)
    }
}

/// What one target's warm-ups have taught, and what follows from it. About 3 KiB.
#[derive(Debug, Clone, PartialEq)]
pub struct Keeper {
    pub(super) settings: Settings,
    pub(super) belief: Belief,
    pub(super) replies: Replies,
    pub(super) facts: Facts,
    /// What the belief comes to; it changes with an observation only.
    pub(super) next: Gap,
    /// The same of the idle timeout.
    timeout: IdleTimeout,
}

impl Keeper {
    /// Knows nothing of its target.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self::from_parts(settings, Belief::prior(), Replies::new(settings.cold_start), Facts::default())
    }

    /// Puts together what was kept.
    pub(super) fn from_parts(settings: Settings, belief: Belief, replies: Replies, facts: Facts) -> Self {
        let next = gap::next(&belief, replies.cold_start(), f64::from(facts.observations));
        let timeout = belief.idle_timeout();
        Self { settings, belief, replies, facts, next, timeout }
    }

    /// Learns from a probe.
    pub fn observe(&mut self, observation: &Observation) {
        self.learn(observation);
        self.timeout = self.belief.idle_timeout();
        self.notice_change(observation.at);
        self.next = gap::next(&self.belief, self.replies.cold_start(), f64::from(self.facts.observations));
    }

    #[expect(clippy::cast_possible_truncation, reason = "told to people, or kept as f32")]
    fn learn(&mut self, observation: &Observation) {
        let at = observation.at;
        if let Some(before) = self.facts.observed_at {
            self.belief.forget(at.since(before));
        }
        self.facts.observed_at = Some(at);
        self.facts.followed = self.facts.followed.saturating_add(u32::from(self.facts.observations > 0));
        self.touched(at);
        let Some(likelihoods) = self.replies.likelihoods(observation.reply, observation.sight) else { return };
        let chance_cold = match observation.gap {
            Some(gap) => self.belief.update(&Evidence {
                longest: gap.seconds(),
                shortest: (gap.seconds() - observation.slack.seconds()).max(0.0),
                hidden: observation.hidden(gap),
                cold: likelihoods.cold,
                warm: likelihoods.warm,
            }),
            // Of a model that was idle for nobody knows how long nothing can be expected.
            None => likelihoods.chance_cold(0.5),
        };
        self.replies.remember(observation.reply, likelihoods, chance_cold);
        self.facts.chance_cold = chance_cold as f32;
        self.facts.counts.probed(at, observation.gap, chance_cold);
        if observation.sight == Sight::Seen {
            self.facts.counts.unused_probe(self.settings.keep);
        }
        self.facts.observations = self.facts.observations.saturating_add(1);
        self.facts.unloads = self.facts.unloads.saturating_add(u32::from(chance_cold > 0.9));
        if let Some(gap) = observation.gap.map(|gap| gap.seconds() as f32) {
            if chance_cold > 0.9 {
                self.facts.cold_after = Some(self.facts.cold_after.map_or(gap, |before| before.min(gap)));
            } else if chance_cold < 0.2 {
                self.facts.warm_after = Some(self.facts.warm_after.map_or(gap, |before| before.max(gap)));
            }
        }
    }

    /// Takes in a user's request that ended at `at` or up to `slack` later.
    pub fn touch(&mut self, at: Moment, slack: Span) {
        if self.touched(at) {
            self.facts.slack = slack;
        } else if let Some(before) = self.facts.touched_at {
            // It may have been later than the last that is known of.
            let later = at.plus(slack).since(before);
            if later.seconds() > self.facts.slack.seconds() {
                self.facts.slack = later;
            }
        }
        self.facts.counts.used(at);
    }

    /// Takes in a warm-up of the same model that was sent at another's behest, and ended at `at`: a touch, and no use.
    pub fn warmed(&mut self, at: Moment) {
        self.touched(at);
    }

    /// Forgets when the model was last used: something has warmed it that nobody told of.
    pub fn forget_touch(&mut self) {
        (self.facts.touched_at, self.facts.slack) = (None, Span::ZERO);
    }

    /// Takes in that the model was used, unless a later use is known already. Returns whether that was news.
    fn touched(&mut self, at: Moment) -> bool {
        let late = |before: Moment| before > at && before.since(at).seconds() < LATE_TOUCH;
        let is_news = !self.facts.touched_at.is_some_and(late);
        if is_news {
            self.facts.touched_at = Some(at);
            self.facts.slack = Span::ZERO;
        }
        is_news
    }

    /// How long the model has been idle at `at`, for the next [`Observation`]; `None` before anything was told.
    #[must_use]
    pub fn idle(&self, at: Moment) -> Option<Idle> {
        let gap = at.since(self.facts.touched_at?);
        Some(Idle { gap, slack: self.facts.slack })
    }

    /// Whether enough is known to name an idle timeout.
    fn is_known(&self, timeout: IdleTimeout) -> bool {
        self.facts.unloads > 0 && self.belief.never() < 0.1 && timeout.high < KNOWN_WITHIN * timeout.low
    }

    #[expect(clippy::cast_possible_truncation, reason = "kept as f32")]
    fn notice_change(&mut self, at: Moment) {
        let timeout = self.timeout;
        if !self.is_known(timeout) {
            return;
        }
        let mode = timeout.mode as f32;
        match self.facts.settled {
            Some(was) if f64::from((mode / was).ln().abs()) > CHANGED_BY.ln() => {
                self.facts.change = Some(Change { was, at });
                self.facts.settled = Some(mode);
            }
            // A little to and fro is no change, and what drifts slowly is followed.
            Some(was) => self.facts.settled = Some(was + 0.1 * (mode - was)),
            None => self.facts.settled = Some(mode),
        }
    }

    /// What to do next, as of `now`.
    #[must_use]
    pub fn answer(&self, now: Moment) -> Answer {
        let facts = &self.facts;
        let suspension = facts.counts.suspended(now);
        let idle_timeout = self.timeout;
        let resume_at = match suspension {
            Some(Suspension::Unkeepable { until, .. }) => Some(until),
            _ => None,
        };
        let idle = facts.touched_at.map(|touched| now.since(touched));
        Answer {
            next_gap: suspension.is_none().then_some(self.next.span),
            resume_at,
            lead: gap::lead(self.replies.cold_start_p95()),
            again: if self.wants_second() { Again::AtOnce } else { Again::AfterGap },
            p_cold: f64::from(facts.chance_cold),
            p_unloaded: idle.map_or(0.5, |idle| self.belief.evicted_by(idle.seconds())),
            idle_timeout,
            never: self.belief.never(),
            cold_share: self.next.cold_share,
            cold_start: Span::from_seconds(self.replies.cold_start()),
            touched_at: facts.touched_at,
            used_at: facts.counts.used_at,
            says: self.says(now, suspension, idle_timeout),
        }
    }

    /// Whether a second probe at once would teach something: the first was not clearly warm, so what warm is, is not known.
    fn wants_second(&self) -> bool {
        let facts = &self.facts;
        facts.observations == 1 && facts.followed == 0 && facts.chance_cold >= CLEARLY_WARM
    }

    fn says(&self, now: Moment, suspension: Option<Suspension>, timeout: IdleTimeout) -> Says {
        let facts = &self.facts;
        let every = self.next.span;
        match suspension {
            Some(Suspension::Unkeepable { .. }) => return Says::Unkeepable,
            Some(Suspension::Unused) => {
                return Says::Asleep { unused_for: facts.counts.used_at.map(|used| now.since(used)) };
            }
            None => {}
        }
        let seconds = |value: f32| Span::from_seconds(f64::from(value));
        let rate = self.belief.eviction_rate();
        if facts.observations == 0 {
            Says::New { next: every }
        } else if self.next.hold == Hold::Slipping && facts.observations > 10 && rate > 1.0 / 86_400.0 {
            let one_per = Span::from_seconds(1.0 / rate);
            Says::RandomEvictions { one_per, cold_share: self.next.cold_share, every }
        } else if every.seconds() >= 0.98 * LONGEST {
            let up_to = seconds(facts.warm_after.unwrap_or_default());
            Says::NeverUnloads { up_to: if up_to > every { every } else { up_to } }
        } else if self.is_known(timeout) {
            match facts.change {
                Some(change) if now.since(change.at).seconds() < CHANGE_IS_NEWS => {
                    Says::Changed { was: f64::from(change.was), timeout, every }
                }
                _ => {
                    let cold_start = Span::from_seconds(self.replies.cold_start());
                    Says::Known { timeout, unloads: facts.unloads, every, cold_start }
                }
            }
        } else {
            Says::Learning {
                probes: facts.observations,
                warm_after: facts.warm_after.map(seconds),
                cold_after: facts.cold_after.map(seconds),
                next: every,
            }
        }
    }
}
