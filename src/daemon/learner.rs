//! What the daemon learns of one target with `every: auto`: it tells the policy of `warmth/` what was seen, and turns its
//! answer into the next due and a sentence.

use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::kept::Of;
use super::reply::{ended, reply};
use super::scale::TimeScale;
use super::turns::{Find, Found};
use crate::outcome::{Counter, Outcome, Residence};
use crate::plan::Learned;
use crate::target::{Depth, Target, TargetId};
use crate::warmth::{Again, Hours, Keeper, Moment, Observation, Restored, Settings, Sight, Span};

/// For how long after a user's tool has told of a use it is taken to tell of every use, in seconds: a month.
const TOOL_IS_USED: f64 = 30.0 * 86_400.0;
/// How long a user's request may take that was seen only by what it cost, in seconds.
const REQUEST: f64 = 60.0;
/// What is gone again so many seconds after a warm-up did not go by itself: the policy hardly asks sooner.
const SOON: f64 = 180.0;
/// For so many seconds one of two that push each other out is left alone.
const A_DAY: f64 = 86_400.0;
/// For so many, to see whether they do: some gaps of the shortest.
const TRIAL: f64 = 900.0;
/// What users' tools told so many seconds before the last touch that is known is told late, and means nothing any more.
const LONG_BEFORE: f64 = 3_600.0;
/// Two clocks that differ by less have only been read one after the other.
const SAME_CLOCK: Duration = Duration::from_millis(1_500);

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
    /// What the account's counter has told since the last touch.
    others: Others,
    /// What users' tools told before is not of this LLM.
    since: Option<Timestamp>,
    /// How long the server keeps the LLM after its last use, as its own word has shown.
    stays: Option<Span>,
    /// When a user's tool last told of a use.
    told: Option<Timestamp>,
    /// When a probe began that taught nothing, if none has since.
    fruitless: Option<Timestamp>,
    /// The state that was told last.
    state: Option<&'static str>,
    /// Whom it makes way for.
    rival: Option<Rival>,
}

/// A target that pushes it out of the server's memory and is pushed out by it, or may.
#[derive(Debug)]
struct Rival {
    target: TargetId,
    /// Until when it is left alone.
    until: Moment,
    why: Yields,
}

/// Why a target is left alone for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Yields {
    /// To see whether another and it push each other out.
    ToSee,
    /// They do.
    Surely,
}

/// How things stood when a probe was begun.
#[derive(Debug, Clone, Copy)]
struct Begun {
    idle: Option<crate::warmth::Idle>,
    at: Instant,
}

/// What an account's counter has told of uses whose LLM is not known, since a target was last touched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Others {
    /// It could not tell, or it was not listened to.
    #[default]
    Untold,
    /// There were none.
    Still,
    /// There were some.
    Moved,
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
        let of = kept.and_then(Of::read);
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
            others: of.as_ref().map_or(Others::Untold, |of| of.others),
            since: of.and_then(|of| of.since),
            stays: None,
            told: None,
            fruitless,
            state: None,
            rival: None,
        }
    }

    /// What users' tools told before this is not of its LLM.
    pub(super) fn begins(&mut self, since: Timestamp) {
        self.since = self.since.max(Some(since));
    }

    /// Takes in that a warm-up began which was not told of. Where it was after all that was, nobody knows any more how long
    /// the LLM has been idle.
    pub(super) fn was_warmed(&mut self, began: Timestamp) {
        let touched = self.keeper.answer(Moment::default()).touched_at;
        let since = |touched| self.scale.moment(began).since(touched).seconds();
        if touched.is_none_or(|touched| since(touched) > self.scale.span(SAME_CLOCK).seconds()) {
            self.keeper.forget_touch();
            self.others = Others::Untold;
            self.begins(began);
        }
    }

    /// Leaves the LLM alone for a while because of another.
    pub(super) fn yield_to(&mut self, target: TargetId, why: Yields, wall: Timestamp) {
        let until = self.scale.moment(wall).plus(Span::from_seconds(if why == Yields::Surely { A_DAY } else { TRIAL }));
        self.rival = Some(Rival { target, until, why });
    }

    /// Ends its making way.
    pub(super) fn stay(&mut self) {
        self.rival = None;
    }

    /// Whom it makes way for.
    fn rival(&self, now: Moment) -> Option<&Rival> {
        self.rival.as_ref().filter(|rival| now < rival.until)
    }

    /// The same, once it is sure.
    fn yields(&self, now: Moment) -> Option<&TargetId> {
        self.rival(now).filter(|rival| rival.why == Yields::Surely).map(|rival| &rival.target)
    }

    /// When a user was last seen to use the LLM.
    pub(super) fn last_used(&self) -> Option<Moment> {
        // The moment plays no part in it.
        self.keeper.answer(Moment::default()).used_at
    }

    /// What a warm-up found that taught this, by the server's own word.
    pub(super) fn found(&self, outcome: &Outcome, taught: &Observation) -> Option<Find> {
        let soon = taught.gap.is_some_and(|gap| gap.seconds() <= SOON);
        let found = match outcome.residence? {
            Residence::Loaded { .. } => Found::There,
            Residence::Absent if soon => Found::GoneSoon,
            Residence::Absent => Found::GoneLater,
        };
        let (gap, stays) = (taught.gap.map(Span::seconds), self.stays.map(Span::seconds));
        let began = self.scale.moment(outcome.started).seconds();
        Some(Find { found, began, at: taught.at.seconds(), gap, stays })
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
        Of::new(target, self.since, self.others).around(self.keeper.keep())
    }

    /// Notes that a probe begins, or waits for its turn.
    pub(super) fn begin(&mut self, wall: Timestamp, now: Instant) {
        self.begun = Some(Begun { idle: self.keeper.idle(self.scale.moment(wall)), at: now });
    }

    /// Whether a user's tool has told of a use at this moment or a later one.
    pub(super) fn was_told(&self, at: Timestamp, wall: Timestamp) -> bool {
        self.told.filter(|told| *told <= wall).is_some_and(|told| told >= at)
    }

    /// Takes in a user's request that was told of by the user's tool; `false` where it is no news.
    pub(super) fn told(&mut self, at: Timestamp, wall: Timestamp) -> bool {
        // What has not come was noted by a clock that was wrong, be it told or remembered.
        let ahead = at.duration_since(wall) > SignedDuration::from_secs(1);
        let at = at.min(wall);
        let of_another = self.since.is_some_and(|since| since <= wall && since > at);
        if ahead || of_another || self.was_told(at, wall) {
            return false;
        }
        self.told = Some(at);
        let (moment, now) = (self.scale.moment(at), self.scale.moment(wall));
        let answer = self.keeper.answer(moment);
        let known = |then: Option<Moment>| then.filter(|then| *then <= now);
        // After a restart what was told is told again.
        let again = known(answer.used_at).is_some_and(|used| used >= moment);
        let late = known(answer.touched_at).is_some_and(|touched| touched.since(moment).seconds() >= LONG_BEFORE);
        if again || late {
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

    /// Takes in what the account's counter tells of uses whose LLM is not known.
    pub(super) fn counted(&mut self, counter: Counter) {
        self.others = match (self.others, counter) {
            (_, Counter::Moved) | (Others::Moved, _) => Others::Moved,
            (_, Counter::Untold) => Others::Untold,
            (others, Counter::Absent | Counter::Still) => others,
        };
    }

    /// Takes in that another target of ours has warmed the same LLM, and what that taught.
    pub(super) fn warmed_beside(&mut self, at: Timestamp, taught: Option<&Observation>, now: Instant) {
        let at = self.scale.moment(at);
        match taught {
            Some(observation) => self.keeper.observe(observation),
            None => self.keeper.warmed(at),
        }
        (self.touched, self.others) = (Some((at, now)), Others::Still);
    }

    /// Whether a warm-up was begun that has not come back.
    pub(super) fn is_under_way(&self) -> bool {
        self.begun.is_some()
    }

    fn touch(&mut self, at: Moment, slack: Span) {
        self.keeper.touch(at, slack);
        (self.touched, self.others) = (None, Others::Still);
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
        let (gap, slack) = self.idle(outcome, start, begun);
        let observation =
            Observation { at: self.scale.moment(ended(outcome)), gap, slack, reply, sight: self.sight(outcome), hours };
        self.keeper.observe(&observation);
        self.touched = Some((observation.at, now));
        self.others = Others::Still;
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
        } else {
            match self.others {
                // What this probe has not read may have moved by now.
                _ if outcome.used.counter == Counter::Absent => Sight::Blind,
                Others::Untold => Sight::Blind,
                Others::Moved => Sight::CounterMoved,
                Others::Still => Sight::CounterStill,
            }
        }
    }

    /// What dues need of what was learned.
    pub(super) fn learned(&self, wall: Timestamp) -> Option<Learned> {
        let now = self.scale.moment(wall);
        let mut answer = self.keeper.answer(now);
        let touched = answer.touched_at?;
        if let Some(rival) = self.rival(now) {
            (answer.next_gap, answer.resume_at, answer.again) = (None, Some(rival.until), Again::AfterGap);
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
            Some(rival) => format!(
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
