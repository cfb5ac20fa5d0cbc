//! What the daemon learns of one target with `every: auto`: it tells the policy of `warmth/` what was seen, and turns its
//! answer into the next due and a sentence.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::scale::TimeScale;
use super::turns::Found;
use crate::outcome::{Code, Outcome, Proof, QuotaSeen, Residence, Unit};
use crate::plan::{Learned, TargetSchedule, WarmTrigger};
use crate::target::{Depth, Target, TargetId};
use crate::warmth::{Again, Hours, Keeper, Moment, Observation, Reply, Restored, Settings, Sight, Span};

/// Of the time that a cold start may take at most, it takes this part, as long as none was seen.
const EXPECTED_PART: u32 = 6;
/// For how long after a user's tool has told of a use it is taken to tell of every use, in seconds: a month.
const TOOL_IS_USED: f64 = 30.0 * 86_400.0;
/// How long a user's request may take that was seen only by what it cost, in seconds.
const REQUEST: f64 = 60.0;
/// What is gone again so many seconds after a warm-up did not go by itself: the policy hardly asks sooner.
const SOON: f64 = 180.0;
/// For so many seconds one of two that push each other out is left alone.
const A_DAY: f64 = 86_400.0;
/// Two clocks that differ by less have only been read one after the other.
const SAME_CLOCK: Duration = Duration::from_millis(1_500);
/// What a server takes to answer whose LLM is loaded by its own word, however long we waited in its queue.
const LOADED_ANSWERS: Duration = Duration::from_millis(500);

/// What is told to the policy of a target; `None` where it is not warmed by `every: auto`.
#[must_use]
pub fn keeper_settings(target: &Target, schedule: Option<&TargetSchedule>) -> Option<Settings> {
    let warm = schedule?.warm.as_ref()?;
    (warm.trigger == WarmTrigger::Auto).then(|| Settings {
        cold_start: Span::from_seconds((target.expect.cold_start / EXPECTED_PART).as_secs_f64()),
        keep: warm.keep,
    })
}

/// The learning of one target.
#[derive(Debug)]
pub(super) struct Learner {
    keeper: Keeper,
    settings: Settings,
    scale: TimeScale,
    /// When a probe of ours last touched the LLM, by the clock that nobody sets.
    touched: Option<(Moment, Instant)>,
    /// The probe that is under way.
    begun: Option<Begun>,
    /// Whether the account's counter has moved since the last touch, for a reason that is not known.
    moved: Moved,
    /// How long the server keeps the LLM after its last use, as its own word has shown.
    stays: Option<Span>,
    /// When a user's tool last told of a use.
    told: Option<Timestamp>,
    /// When a probe began that taught nothing, if none has since.
    fruitless: Option<Timestamp>,
    /// The state that was told last.
    state: Option<&'static str>,
    /// The target that pushes it out of the server's memory and is pushed out by it, and until when it is left alone.
    rival: Option<(TargetId, Moment)>,
}

/// How things stood when a probe was begun.
#[derive(Debug, Clone, Copy)]
struct Begun {
    idle: Option<crate::warmth::Idle>,
    at: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Moved {
    No,
    Yes,
}

/// What is kept of it in the store, around what the policy keeps: of which LLM it is.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Of {
    model: String,
    base_url: String,
}

impl Of {
    fn new(target: &Target) -> Self {
        Self { model: target.model.as_str().to_owned(), base_url: target.provider.base_url.to_string() }
    }
}

/// Whether what was kept is of a target's LLM.
pub(super) fn is_of(target: &Target, kept: &str) -> bool {
    serde_json::from_str::<Of>(kept).is_ok_and(|of| of == Of::new(target))
}

/// Of which LLM something was learned, in words that change with it.
pub(super) fn llm(target: &Target) -> String {
    format!("{} at {}", target.model.as_str(), target.provider.base_url)
}

impl Learner {
    /// Goes on where it was, or begins.
    pub(super) fn restore(
        settings: Settings,
        scale: TimeScale,
        kept: Option<&str>,
        history: &[Observation],
        fruitless: Option<Timestamp>,
    ) -> Self {
        let keeper = match kept {
            Some(kept) => Keeper::restore(kept, settings, history).0,
            None => Keeper::new(settings),
        };
        Self {
            keeper,
            settings,
            scale,
            touched: None,
            begun: None,
            moved: Moved::No,
            stays: None,
            told: None,
            fruitless,
            state: None,
            rival: None,
        }
    }

    /// Leaves the LLM alone for a day, because it and that of another target push each other out.
    pub(super) fn yield_to(&mut self, rival: TargetId, wall: Timestamp) {
        self.rival = Some((rival, self.scale.moment(wall).plus(Span::from_seconds(A_DAY))));
    }

    /// The target that it makes way for, and until when.
    fn yields(&self, now: Moment) -> Option<(&TargetId, Moment)> {
        self.rival.as_ref().filter(|(_, until)| now < *until).map(|(rival, until)| (rival, *until))
    }

    /// When a user was last seen to use the LLM.
    pub(super) fn last_used(&self) -> Option<Moment> {
        // The moment plays no part in it.
        self.keeper.answer(Moment::default()).used_at
    }

    /// What a warm-up found that taught this, by the server's own word.
    pub(super) fn found(outcome: &Outcome, taught: &Observation) -> Option<Found> {
        let soon = taught.gap.is_some_and(|gap| gap.seconds() <= SOON);
        match outcome.residence? {
            Residence::Loaded { .. } => Some(Found::There),
            Residence::Absent if soon => Some(Found::GoneSoon),
            Residence::Absent => Some(Found::GoneLater),
        }
    }

    /// Whether what was kept has to be computed anew from the observations.
    pub(super) fn needs_history(kept: &str) -> bool {
        Keeper::restore(kept, Settings::default(), []).1 == Restored::Rebuilt
    }

    /// Whether it was told the same.
    pub(super) fn has(&self, settings: Settings) -> bool {
        self.settings == settings
    }

    /// What is kept of it.
    pub(super) fn kept(&self, target: &Target) -> String {
        let (of, kept) = (serde_json::to_string(&Of::new(target)).unwrap_or_default(), self.keeper.keep());
        // One object of the two, so that whoever knows the policy's can read it.
        match (of.strip_suffix('}'), kept.strip_prefix('{')) {
            (Some(of), Some(kept)) => format!("{of},{kept}"),
            _ => kept,
        }
    }

    /// Notes that a probe begins, or waits for its turn.
    pub(super) fn begin(&mut self, wall: Timestamp, now: Instant) {
        self.begun = Some(Begun { idle: self.keeper.idle(self.scale.moment(wall)), at: now });
    }

    /// Takes in a user's request that was told of by the user's tool; `false` where it is no news.
    pub(super) fn told(&mut self, at: Timestamp, wall: Timestamp) -> bool {
        // A time that has not come was written by a clock that was wrong.
        let ahead = at.duration_since(wall) > SignedDuration::from_secs(1);
        let at = at.min(wall);
        if ahead || self.told.is_some_and(|told| told >= at) {
            return false;
        }
        self.told = Some(at);
        let moment = self.scale.moment(at);
        // After a restart what was told is told again.
        if self.keeper.answer(moment).used_at.is_some_and(|used| used >= moment) {
            return false;
        }
        self.touch(moment, Span::ZERO);
        true
    }

    /// Takes in a use that was seen by what it cost: it was within `since` before `wall`.
    pub(super) fn used(&mut self, wall: Timestamp, since: Duration) {
        let from = wall.saturating_sub(since).unwrap_or(wall);
        let slack = Span::from_seconds(self.scale.span(since).seconds() + REQUEST);
        self.touch(self.scale.moment(from), slack);
    }

    /// Takes in that somebody used some LLM of the account.
    pub(super) fn somebody_used_some(&mut self) {
        self.moved = Moved::Yes;
    }

    fn touch(&mut self, at: Moment, slack: Span) {
        self.keeper.touch(at, slack);
        self.touched = None;
        self.moved = Moved::No;
    }

    /// Takes in a warm-up. What it taught, if anything.
    pub(super) fn ran(
        &mut self,
        outcome: &Outcome,
        began: Timestamp,
        now: Instant,
        hours: Hours,
    ) -> Option<Observation> {
        if outcome.depth != Depth::Warm {
            return None;
        }
        let begun = self.begun.take();
        let Some(reply) = reply(outcome, self.scale) else {
            self.fruitless = Some(began);
            return None;
        };
        let start = self.scale.moment(outcome.started);
        self.expires(outcome, start);
        let ended = outcome.started.saturating_add(outcome.timings.total).unwrap_or(outcome.started);
        let (gap, slack) = self.idle(outcome, start, begun);
        let observation =
            Observation { at: self.scale.moment(ended), gap, slack, reply, sight: self.sight(outcome), hours };
        self.keeper.observe(&observation);
        self.touched = Some((observation.at, now));
        self.moved = Moved::No;
        self.fruitless = None;
        Some(observation)
    }

    /// For how long the LLM had been idle when a probe began, by the longer of two clocks: after one was set, or a
    /// suspend, the truth is between them.
    fn idle(&self, outcome: &Outcome, start: Moment, begun: Option<Begun>) -> (Option<Span>, Span) {
        let touched = self.keeper.answer(start).touched_at;
        let fresh = touched.filter(|touched| *touched <= start).and_then(|_| self.keeper.idle(start));
        let Some(idle) = fresh.or(begun.and_then(|begun| begun.idle)) else { return (None, Span::ZERO) };
        let waited = outcome.timings.queued.unwrap_or_default();
        let steady = match (self.touched, begun) {
            (Some((_, then)), Some(begun)) => {
                Some(self.scale.span(begun.at.saturating_duration_since(then) + waited).seconds())
            }
            _ => None,
        };
        let wall = idle.gap.seconds();
        let apart = steady.map_or(0.0, |steady| (steady - wall).abs());
        if apart <= self.scale.span(SAME_CLOCK).seconds() {
            return (Some(idle.gap), idle.slack);
        }
        let longest = steady.map_or(wall, |steady| steady.max(wall));
        (Some(Span::from_seconds(longest)), Span::from_seconds(idle.slack.seconds() + apart))
    }

    /// What a server says of when it will unload the LLM tells of a use that was later than the last we know of.
    fn expires(&mut self, outcome: &Outcome, start: Moment) {
        let Some(Residence::Loaded { until: Some(until), stays }) = outcome.residence else { return };
        let touched = self.keeper.answer(start).touched_at;
        // Where nobody said how long it stays, the shortest time that was seen after a touch of ours is it.
        let seen = touched.filter(|_| self.touched.is_some()).map(|touched| self.scale.moment(until).since(touched));
        self.stays = match (self.stays, seen) {
            (Some(known), Some(seen)) => Some(if seen < known { seen } else { known }),
            (known, seen) => known.or(seen),
        };
        let Some(stays) = stays.map(|stays| self.scale.span(stays)).or(self.stays) else { return };
        let used = Moment::from_seconds(self.scale.moment(until).seconds() - stays.seconds());
        // The server sets its clock when it has answered, and rounds it.
        let later = touched.is_none_or(|touched| used.since(touched).seconds() > self.scale.span(SAME_CLOCK).seconds());
        if later && used <= start {
            self.touch(used, Span::ZERO);
        }
    }

    fn sight(&self, outcome: &Outcome) -> Sight {
        let expires = matches!(outcome.residence, Some(Residence::Loaded { until: Some(_), .. }));
        let now = self.scale.moment(outcome.started);
        let told = self.told.is_some_and(|told| now.since(self.scale.moment(told)).seconds() < TOOL_IS_USED);
        if told {
            Sight::Seen
        } else if expires {
            // As good as seen for what it says of the past. But it is read with a warm-up only, so a model that is given up
            // would never be seen to be used again.
            Sight::CounterStill
        } else if !counts(&outcome.quota) {
            Sight::Blind
        } else if self.moved == Moved::Yes {
            Sight::CounterMoved
        } else {
            Sight::CounterStill
        }
    }

    /// What dues need of what was learned.
    pub(super) fn learned(&self, wall: Timestamp) -> Option<Learned> {
        let now = self.scale.moment(wall);
        let mut answer = self.keeper.answer(now);
        let touched = answer.touched_at?;
        if let Some((_, until)) = self.yields(now) {
            (answer.next_gap, answer.resume_at, answer.again) = (None, Some(until), Again::AfterGap);
        }
        let next = if answer.again == Again::AtOnce { Some(touched) } else { answer.due().or(answer.resume_at) };
        Some(Learned {
            touched: self.scale.timestamp(touched),
            next: next.map(|next| self.scale.timestamp(next)),
            gap: answer.next_gap.map(|gap| self.scale.duration(gap)),
            lead: self.scale.duration(answer.lead),
            fruitless: self.fruitless,
        })
    }

    /// Whether another warm-up is wanted at once.
    pub(super) fn wants_again(&self) -> bool {
        // The moment plays no part in it.
        self.fruitless.is_none() && self.rival.is_none() && self.keeper.answer(Moment::default()).again == Again::AtOnce
    }

    /// What is said of it.
    pub(super) fn says(&self, wall: Timestamp) -> String {
        let now = self.scale.moment(wall);
        match self.yields(now) {
            Some((rival, _)) => format!(
                "pushed out by {rival} and pushing it out: the server holds one model at a time; not warmed until tomorrow"
            ),
            None => self.keeper.answer(now).says.to_string(),
        }
    }

    /// The state, if it is another than was told last.
    pub(super) fn new_state(&mut self, wall: Timestamp) -> Option<&'static str> {
        let now = self.scale.moment(wall);
        let state = if self.yields(now).is_some() { "in-turns" } else { self.keeper.answer(now).says.state() };
        (self.state.replace(state) != Some(state)).then_some(state)
    }
}

/// What a warm-up says of the LLM's state. Nothing where it was refused, withheld, interrupted, or the network failed.
fn reply(outcome: &Outcome, scale: TimeScale) -> Option<Reply> {
    let span = |time: Duration| scale.span(time);
    match &outcome.diagnosis {
        Some(diagnosis) if diagnosis.code == Code::FirstTokenTimeout => {
            return Some(Reply::TimedOut(span(outcome.timings.total)));
        }
        // It said so itself, until nobody waited any longer; and our request has had it load.
        Some(diagnosis) if diagnosis.code == Code::Loading => return Some(Reply::Loading(span(outcome.timings.total))),
        Some(_) => return None,
        None => {}
    }
    let timings = &outcome.timings;
    // One whose state is read without a request is not touched by it; a preload has no token, but an answer.
    let spent = outcome.proof != Proof::AlreadyLoaded || timings.headers.is_some();
    let took = timings.first_token.or(timings.last_token).or(timings.headers).filter(|_| spent)?;
    Some(match outcome.residence {
        Some(Residence::Absent) if outcome.attempts > 1 => Reply::Loading(span(timings.total.max(took))),
        Some(Residence::Absent) => Reply::Loading(span(took)),
        Some(Residence::Loaded { .. }) => Reply::FirstToken(span(took.min(LOADED_ANSWERS))),
        None => Reply::FirstToken(span(took)),
    })
}

/// Whether a counter of the account was read that tells of others' requests: one that is not full again a minute later.
fn counts(quota: &QuotaSeen) -> bool {
    quota
        .before
        .iter()
        .any(|reading| reading.unit == Unit::Requests && reading.remaining.is_some() && !reading.window.is_brief())
}
