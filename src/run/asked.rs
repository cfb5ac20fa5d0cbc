//! One target that is waited for: what is known of it, when it is asked again, and what asking it has come to.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::watch;

use super::pass::Stop;
use crate::outcome::words::{duration, wait};
use crate::outcome::{Code, Cost, Cure, Diagnosis, Event, Outcome, Stage, Usage, Verdict, Warmth, judge};
use crate::plan::{Gate, Known, Next, Patience};
use crate::probe::{Cause, Job, cold_start};
use crate::target::{Depth, TargetId};

/// Whether somebody waits for a target at present.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    Yes,
    No,
}

/// A target that is waited for.
pub(super) struct Asked {
    pub(super) job: Job,
    /// What is known of it.
    pub(super) known: Known,
    /// Why, in a few words.
    pub(super) because: Option<String>,
    /// After how long without an answer it counts as slow.
    slow_after: Duration,
    /// The probe that is under way.
    running: Option<Running>,
    /// Not before this it is asked again.
    not_before: Option<Instant>,
    /// When it was first asked.
    first_asked: Option<Instant>,
    /// Failures in a row.
    failures: u32,
    /// Whether it was found loading, or silent, since it was first asked.
    was_cold: bool,
    /// What is known of it in full.
    latest: Option<Arc<Outcome>>,
    /// When its first probe began.
    started: Option<Timestamp>,
    /// Why its last probe was stopped, where it was.
    stopped_by: Option<Cause>,
    /// What all its probes came to.
    probes: u32,
    attempts: u32,
    usage: Usage,
    cost: Cost,
    ended: Option<Instant>,
}

struct Running {
    since: Instant,
    stop: watch::Sender<Stop>,
}

impl Asked {
    pub(super) fn new(job: Job) -> Self {
        // What is free need not be spared: whoever would do is asked at once.
        let slow_after = if job.depth == Depth::Warm { Duration::MAX } else { Duration::ZERO };
        Self {
            job,
            known: Known::Nothing,
            because: None,
            slow_after,
            running: None,
            not_before: None,
            first_asked: None,
            failures: 0,
            was_cold: false,
            latest: None,
            started: None,
            stopped_by: None,
            probes: 0,
            attempts: 0,
            usage: Usage::default(),
            cost: Cost::default(),
            ended: None,
        }
    }

    /// Lets it count as slow as soon as this gate wants it to.
    pub(super) fn hurry(&mut self, gate: &Gate) {
        self.slow_after = self.slow_after.min(gate.slow_after(self.job.target.expect.first_token));
    }

    /// Notices that it takes its time.
    pub(super) fn look(&mut self, now: Instant) {
        if self.known == Known::Nothing && self.slow_at().is_some_and(|at| at <= now) {
            self.known = Known::Slow;
        }
    }

    fn slow_at(&self) -> Option<Instant> {
        self.running.as_ref().and_then(|running| running.since.checked_add(self.slow_after))
    }

    /// Whether it is to be asked now, where it is wanted.
    pub(super) fn is_due(&self, now: Instant) -> bool {
        self.running.is_none() && self.not_before.is_none_or(|at| at <= now)
    }

    /// When something is to be done about it by itself.
    pub(super) fn wake(&self, wanted: Wanted) -> Option<Instant> {
        match (&self.running, self.known) {
            (Some(_), Known::Nothing) => self.slow_at(),
            (Some(_), _) => None,
            (None, _) => self.not_before.filter(|_| wanted == Wanted::Yes),
        }
    }

    /// Notes that a probe of it begins.
    pub(super) fn begin(&mut self, now: Instant, stop: watch::Sender<Stop>) {
        self.first_asked.get_or_insert(now);
        (self.not_before, self.stopped_by) = (None, None);
        self.running = Some(Running { since: now, stop });
    }

    /// Stops the probe that is under way, if one is.
    pub(super) fn stop(&mut self, cause: Cause) {
        if let Some(running) = &self.running {
            self.stopped_by = Some(cause);
            running.stop.send_replace(Stop::Because(cause));
        }
    }

    /// Takes in how its probe ended, and decides what comes next. What there is to tell.
    pub(super) fn ended(
        &mut self,
        mut outcome: Outcome,
        now: Instant,
        left: Duration,
        patience: &Patience,
        jitter: f64,
    ) -> Vec<Event> {
        self.running = None;
        self.add(&outcome, now);
        let code = outcome.foremost().map(|diagnosis| diagnosis.code);
        if code == Some(Code::Interrupted) {
            // It was not wanted for a while; should it be again, it is asked anew.
            return vec![self.conclude(outcome)];
        }
        let mut events = Vec::new();
        match judge(&outcome) {
            Verdict::Ready | Verdict::Degraded => self.succeeded(&mut outcome, now),
            Verdict::Failed | Verdict::Unknown => {
                self.failures += 1;
                self.was_cold |= matches!(code, Some(Code::Loading | Code::FirstTokenTimeout));
                let says = outcome.diagnosis.as_ref().map(|found| format!("{} at {}", found.code, found.stage));
                let next = patience.next(&outcome, self.failures, left, jitter);
                (self.known, self.because) = match next {
                    Next::Never => (Known::Barred, says),
                    Next::TooLate(after) => (Known::Barred, says.map(|says| too_late(&says, after, left))),
                    Next::After(_) => (Known::Failing, says),
                };
                if let (Next::After(after), Some(code)) = (next, code) {
                    self.not_before = Some(now + after);
                    events.push(Event::Pausing { target: self.job.target.id.clone(), code, after });
                }
            }
        }
        events.insert(0, self.conclude(outcome));
        events
    }

    /// What bars every target of its provider, whatever the LLM: what broke before the LLM was asked for, or the key.
    pub(super) fn bars_its_provider(&self) -> Option<String> {
        let found = self.latest.as_ref().filter(|_| self.known == Known::Barred)?.diagnosis.as_ref()?;
        // A fault of ours says nothing of anybody.
        let of_all = found.stage <= Stage::Authenticate && found.code != Code::ProbePanicked;
        let of_all = of_all || found.code == Code::KeyRefused;
        let says = || format!("like {}: {} at {}", self.job.target.id, found.code, found.stage);
        (of_all && found.code.cure() == Cure::Person).then(says)
    }

    /// Bars it unasked, unless it was asked already.
    pub(super) fn bar_unasked(&mut self, because: &str) {
        if self.first_asked.is_none() {
            (self.known, self.because) = (Known::Barred, Some(because.to_owned()));
        }
    }

    /// Takes in how its probe ended that was stopped, at the end of the wait.
    pub(super) fn stopped(&mut self, mut outcome: Outcome, now: Instant, cause: Cause) -> Event {
        self.running = None;
        self.add(&outcome, now);
        let interrupted = outcome.diagnosis.as_ref().is_some_and(|diagnosis| diagnosis.code == Code::Interrupted);
        if !interrupted && matches!(judge(&outcome), Verdict::Ready | Verdict::Degraded) {
            self.succeeded(&mut outcome, now);
        } else if interrupted && cause == Cause::Deadline && outcome.stage == Stage::Warm {
            // It was asked, and was silent until the time was up: that is what too slow means.
            outcome.diagnosis = outcome.diagnosis.map(|found| silent(found, &outcome.target.id, outcome.timings.total));
        }
        if !self.known.is_ready()
            && let Some(found) = &outcome.diagnosis
            && (found.code != Code::Interrupted || self.because.is_none())
        {
            self.because = Some(format!("{} at {}", found.code, found.stage));
        }
        self.conclude(outcome)
    }

    fn succeeded(&mut self, outcome: &mut Outcome, now: Instant) {
        let since_asked = self.first_asked.map_or(Duration::ZERO, |first| now.saturating_duration_since(first));
        if self.was_cold && outcome.warmth != Warmth::Cold {
            // What answered late in the end was cold, however quick the last answer came.
            outcome.warmth = Warmth::Cold;
            if outcome.warnings.iter().all(|warning| warning.code != Code::ColdStart) {
                outcome.warnings.push(cold_start(&self.job, since_asked));
            }
        }
        let cold = outcome.warmth == Warmth::Cold;
        let took = match outcome.timings.first_token {
            _ if self.was_cold => since_asked,
            // It answered the request that was made while it loaded.
            Some(first_token) if outcome.attempts == 1 => first_token,
            _ => outcome.timings.total,
        };
        let warning = outcome.warnings.iter().find(|warning| warning.code != Code::ColdStart);
        (self.known, self.because) = match warning {
            Some(warning) => (Known::Impaired, Some(format!("{} at {}", warning.code, warning.stage))),
            None => (Known::Ready, cold.then(|| format!("after a cold start of {}", duration(took)))),
        };
    }

    fn add(&mut self, outcome: &Outcome, now: Instant) {
        self.probes += 1;
        self.attempts += outcome.attempts;
        self.usage.add(outcome.usage);
        self.cost.add(outcome.cost);
        self.ended = Some(now);
    }

    /// Keeps an outcome, and tells of it: in full where it is news. That a probe was stopped is worth less than what was
    /// found before.
    fn conclude(&mut self, outcome: Outcome) -> Event {
        let outcome = Arc::new(outcome);
        self.started.get_or_insert(outcome.started);
        let alike = self.latest.as_ref().is_some_and(|before| conclusion(before) == conclusion(&outcome));
        let stopped = is_stopped(&outcome);
        if self.latest.is_none() || !stopped {
            self.latest = Some(Arc::clone(&outcome));
        }
        if alike || (stopped && self.stopped_by == Some(Cause::Settled)) {
            Event::FinishedAlike(outcome)
        } else {
            Event::Finished(outcome)
        }
    }

    /// Whether all that is known of it is that nobody waited for it any more.
    pub(super) fn is_unneeded(&self) -> bool {
        self.stopped_by == Some(Cause::Settled) && self.latest.as_ref().is_some_and(|latest| is_stopped(latest))
    }

    /// What was found of it, with all that asking it came to.
    pub(super) fn report(&self) -> Option<Arc<Outcome>> {
        let latest = self.latest.as_ref()?;
        if self.probes == 1 {
            return Some(Arc::clone(latest));
        }
        let mut outcome = Outcome::clone(latest);
        (outcome.attempts, outcome.usage, outcome.cost) = (self.attempts, self.usage, self.cost);
        if let (Some(first), Some(ended), Some(started)) = (self.first_asked, self.ended, self.started) {
            outcome.timings.total = ended.saturating_duration_since(first);
            outcome.started = started;
        }
        Some(Arc::new(outcome))
    }
}

fn is_stopped(outcome: &Outcome) -> bool {
    outcome.diagnosis.as_ref().is_some_and(|found| found.code == Code::Interrupted)
}

/// What a probe came to, as far as it is news to somebody who waits.
fn conclusion(outcome: &Outcome) -> (Verdict, Option<(Code, Stage)>) {
    (judge(outcome), outcome.foremost().map(|found| (found.code, found.stage)))
}

fn too_late(says: &str, after: Duration, left: Duration) -> String {
    format!("{says}: it comes back in {}, and the deadline is in {}", wait(after), wait(left))
}

/// The diagnosis of a target that was still silent when the time was up.
fn silent(found: Diagnosis, target: &TargetId, after: Duration) -> Diagnosis {
    let evidence = format!("no answer to the warm-up by the deadline of the wait, {} into its probe", duration(after));
    let remedy =
        format!("Wait longer with --deadline, or look at how {target} starts: it is still cold, queued, or hanging.");
    Diagnosis { code: Code::FirstTokenTimeout, evidence, remedy, ..found }
}
