//! What the daemon keeps of one target.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::board::Row;
use super::kept::names;
use super::learner::Learner;
use crate::outcome::{Outcome, Standing, Verdict, Warmth, Withholding, judge};
use crate::plan::{Due, Learned, Past, TargetSchedule, Timetable, Why};
use crate::target::{Depth, Target};

/// One target: what it is, when it is due, what is known of it.
pub(super) struct Slot {
    pub target: Arc<Target>,
    pub schedule: Option<TargetSchedule>,
    pub timetable: Option<Timetable>,
    pub past: Past,
    pub standing: Standing,
    /// The next probe, while none is under way.
    pub due: Option<Due>,
    /// When its alarm goes off.
    pub alarm: Option<Instant>,
    /// The number of the probe that is under way.
    pub running: Option<u64>,
    /// Why its last warm-up was withheld, where it was.
    pub pause: Option<Pause>,
    /// What is learned of its LLM, for `every: auto`.
    pub learner: Option<Learner>,
    /// What a request of its LLM costs, in requests as the provider weighs them.
    pub price: f64,
    last: Option<Last>,
}

/// A target whose warm-ups are withheld.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pause {
    /// Why, in a few words: `quota below 15 %`.
    pub why: String,
    /// When it is asked for again, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl Pause {
    /// Of an outcome whose warm-up was withheld for longer than another probe takes.
    fn of(outcome: &Outcome) -> Option<Self> {
        let diagnosis = outcome.diagnosis.as_ref()?;
        outcome.withheld.filter(|why| *why != Withholding::InFlight)?;
        let why = outcome.withheld_says.clone().unwrap_or_else(|| diagnosis.evidence.clone());
        Some(Self { why, until: diagnosis.reset.map(|reset| reset.at) })
    }
}

/// Sooner than so many seconds nothing is asked for again that was withheld.
const RESUME_AT_LEAST: SignedDuration = SignedDuration::from_secs(5);

/// What the board shows of the last probe.
#[derive(Debug, Clone)]
struct Last {
    verdict: Verdict,
    probed: Timestamp,
    warmth: Warmth,
    first_token: Option<Duration>,
}

impl Slot {
    pub(super) fn new(
        target: Arc<Target>,
        schedule: Option<TargetSchedule>,
        timetable: Option<Timetable>,
        standing: Standing,
        past: Past,
    ) -> Self {
        Self {
            target,
            schedule,
            timetable,
            past,
            standing,
            due: None,
            alarm: None,
            running: None,
            pause: None,
            learner: None,
            price: 1.0,
            last: None,
        }
    }

    /// Forgets failures at depths that its schedule does not probe any more, but for one that is probed all the same:
    /// nothing would disprove them.
    pub(super) fn forget_other_depths(&mut self, but: Option<Depth>) {
        if let Some(timetable) = &self.timetable {
            let depths: Vec<Depth> = timetable.depths().into_iter().chain(but).collect();
            self.standing.keep(&depths);
        }
    }

    /// Forgets all that was known: it is another LLM now.
    pub(super) fn begin_anew(&mut self, at: Timestamp) {
        (self.standing, self.past, self.last, self.pause) = (Standing::new(at), Past::default(), None, None);
        self.learner = None;
    }

    /// Takes in what a probe found of the LLM's past.
    pub(super) fn ran(&mut self, outcome: &Outcome, began: Timestamp) {
        self.past.ran(outcome.depth, began);
        if outcome.depth == Depth::Warm && outcome.withheld != Some(Withholding::InFlight) {
            self.pause = Pause::of(outcome);
        }
        if outcome.warmth == Warmth::Cold
            && let Some(first_token) = outcome.timings.first_token
        {
            // The whole wait, attempts that found it loading included.
            let cold = outcome.timings.total.max(first_token);
            self.past.cold_start = Some(self.past.cold_start.map_or(cold, |known| known.max(cold)));
        }
        if let (1, Some(cost)) = (outcome.attempts, outcome.cost.requests.filter(|cost| *cost > 0.0)) {
            self.price = cost;
        }
        let before = self.last.take();
        let warmed = outcome.depth == Depth::Warm;
        self.last = Some(Last {
            verdict: judge(outcome),
            probed: began,
            warmth: match &before {
                Some(before) if !warmed => before.warmth,
                _ => outcome.warmth,
            },
            first_token: outcome.timings.first_token.or_else(|| before.and_then(|before| before.first_token)),
        });
    }

    /// The first contact with an LLM that is to be learned of: at once, where it is to be warm now.
    pub(super) fn first_contact(&self, wall: Timestamp) -> Option<Due> {
        let is_new = self.learner.is_some() && self.past.learned.is_none() && self.past.warm.is_none();
        let timetable = self.timetable.as_ref().filter(|_| is_new)?;
        timetable.warms_at(wall).then_some(Due { at: wall, depth: Depth::Warm, why: Why::Schedule, missed: 0 })
    }

    /// When a warm-up that was withheld is to be made, where its schedule would have it later.
    pub(super) fn resumes(&self, wall: Timestamp) -> Option<Due> {
        let until = self.pause.as_ref()?.until?;
        let last = self.past.warm.filter(|last| *last <= wall).unwrap_or(wall);
        let soonest = last.saturating_add(RESUME_AT_LEAST).unwrap_or(last);
        let at = until.max(soonest).max(wall);
        // Somebody may have used it meanwhile, or it is left alone for now.
        let at = match self.past.learned {
            Some(learned) if learned.gap.is_none() => return None,
            Some(learned) => learned.next.map_or(at, |next| next.max(at)),
            None => at,
        };
        let timetable = self.timetable.as_ref()?;
        let sooner = self.due.as_ref().is_none_or(|due| at < due.at);
        (sooner && timetable.warms_at(at)).then_some(Due { at, depth: Depth::Warm, why: Why::Resumed, missed: 0 })
    }

    /// What the board shows of it.
    pub(super) fn row(&self, wall: Timestamp) -> Row {
        let last = self.last.as_ref();
        Row {
            target: self.target.id.clone(),
            provider: self.target.provider.id.clone(),
            model: self.target.model.clone(),
            status: self.standing.status(),
            since: self.standing.since(),
            code: self.standing.code(),
            paused: self.pause.as_ref().map(|pause| pause.why.clone()),
            verdict: last.map(|last| last.verdict),
            warmth: last.map_or(Warmth::Unknown, |last| last.warmth),
            first_token_ms: last.and_then(|last| last.first_token).map(|time| time.as_secs_f64() * 1000.0),
            probed: last.map(|last| last.probed),
            due: self.due.as_ref().map(|due| due.at),
            running: self.running.is_some(),
            learned: self.learner.as_ref().map(|learner| learner.says(wall)),
        }
    }

    /// Whether two targets are the same LLM at the same place, so that what is known of one holds for the other.
    pub(super) fn is_same_llm(one: &Target, other: &Target) -> bool {
        one.model == other.model && one.kind == other.kind && one.provider.base_url == other.provider.base_url
    }
}

/// What is remembered of a target's past in the store. It holds only for the LLM it was learned of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Remembered {
    model: String,
    base_url: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    auth: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    warm: Option<Timestamp>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cold_start_ms: Option<u64>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pause: Option<Pause>,
    /// When it is due by what was learned, and what is said of that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    learned: Option<Learned>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    says: Option<String>,
}

impl Remembered {
    pub(super) fn of(slot: &Slot, wall: Timestamp) -> Self {
        let (target, past, pause) = (&slot.target, &slot.past, slot.pause.clone());
        Self {
            model: target.model.as_str().to_owned(),
            base_url: target.provider.base_url.to_string(),
            auth: past.auth,
            warm: past.warm,
            cold_start_ms: past.cold_start.map(|time| u64::try_from(time.as_millis()).unwrap_or(u64::MAX)),
            pause,
            learned: past.learned,
            says: slot.learner.as_ref().map(|learner| learner.says(wall)),
        }
    }

    /// What was learned, in a sentence, if this is about it.
    pub(super) fn says(&self, target: &Target) -> Option<String> {
        self.past(target).and(self.says.clone())
    }

    /// Why its warm-ups are withheld, if this is about it.
    pub(super) fn pause(&self, target: &Target) -> Option<Pause> {
        self.past(target).and(self.pause.clone())
    }

    /// Whether this is about a target's LLM.
    pub(super) fn is_of(&self, target: &Target) -> bool {
        names(target, &self.model, &self.base_url)
    }

    /// The past of a target, if this is about it.
    pub(super) fn past(&self, target: &Target) -> Option<Past> {
        let cold_start = self.cold_start_ms.map(Duration::from_millis);
        self.is_of(target).then_some(Past { auth: self.auth, warm: self.warm, cold_start, learned: self.learned })
    }
}

/// Spreads probes that were missed together (after a suspend, a thousand may be due at the same moment): `index` of
/// `total` begins this much later.
pub(super) fn spread(index: usize, total: usize) -> Duration {
    /// The pause between two of them, unless there are so many that the last would wait too long.
    const BETWEEN: Duration = Duration::from_millis(20);
    const LAST: Duration = Duration::from_secs(30);
    let total = u32::try_from(total.max(1)).unwrap_or(u32::MAX);
    let index = u32::try_from(index).unwrap_or(u32::MAX);
    (BETWEEN.min(LAST / total)).saturating_mul(index)
}

/// The instant of a moment, as the two clocks stand now. What has passed is now.
pub(super) fn instant_of(moment: Timestamp, wall: Timestamp, now: Instant) -> Instant {
    let left = moment.duration_since(wall).max(SignedDuration::ZERO);
    let left = Duration::try_from(left).unwrap_or_default();
    now.checked_add(left).unwrap_or(now)
}
