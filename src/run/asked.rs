//! One target that is waited for: what is known of it, when it is asked again, and what asking it has come to.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{Notify, watch};

use super::pass::{Progress, Stop, reached};
use crate::outcome::words::{duration, wait};
use crate::outcome::{Code, Cost, Cure, Diagnosis, Event, Outcome, Stage, Usage, Verdict, Warmth, judge};
use crate::plan::{Gate, Known, Next, Patience};
use crate::probe::{Cause, Job, cold_start};
use crate::target::{Credential, Depth, TargetId};

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
    /// Whether a gate can open on it while others of the gate are silent.
    is_alternative: bool,
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

/// The probe of a target that is under way, or waits for its turn.
pub(super) struct Running {
    pub(super) since: Instant,
    pub(super) stop: watch::Sender<Stop>,
    /// Where it is.
    pub(super) progress: Arc<Mutex<Progress>>,
    /// Lets it go beyond the provider's limit.
    pub(super) beyond: Arc<Notify>,
    /// Whether it was let go.
    pub(super) is_beyond: bool,
}

/// Where the probe of a target is, as far as the limit of its provider is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// None is under way.
    Idle,
    /// It waits for a place.
    Queued,
    /// It has one.
    Begun,
    /// It is under way beyond the limit.
    Beyond,
    /// It is under way, and takes longer than one of a target that is ready.
    Silent,
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
            is_alternative: false,
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

    /// Lets it count as slow as soon as this gate wants it to, and early enough for another one before the deadline.
    pub(super) fn hurry(&mut self, gate: &Gate, deadline: Duration) {
        let slow_after = gate.slow_after(self.job.target.expect.first_token).min(deadline / 3);
        self.slow_after = self.slow_after.min(slow_after);
        self.is_alternative |= gate.has_alternatives();
    }

    /// Where its probe is.
    pub(super) fn turn(&self, now: Instant) -> Turn {
        let Some(running) = &self.running else { return Turn::Idle };
        match reached(&running.progress) {
            None if running.is_beyond => Turn::Beyond,
            None => Turn::Queued,
            // What is free is soon over, however slow.
            Some(_) if self.job.depth == Depth::Warm && self.slow_at().is_some_and(|at| at <= now) => Turn::Silent,
            Some(_) if running.is_beyond => Turn::Beyond,
            Some(_) => Turn::Begun,
        }
    }

    /// Whether it might open a gate, if only its turn came.
    pub(super) fn is_held_up(&self, now: Instant) -> bool {
        self.is_alternative && self.job.depth == Depth::Warm && self.turn(now) == Turn::Queued
    }

    /// Lets its probe go beyond the provider's limit.
    pub(super) fn let_go(&mut self) {
        if let Some(running) = &mut self.running {
            running.is_beyond = true;
            running.beyond.notify_one();
        }
    }

    /// Whether it was never asked, and its key is not there: asking it costs nothing and says so.
    pub(super) fn lacks_its_key(&self) -> bool {
        self.first_asked.is_none() && matches!(*self.job.credential, Credential::Missing { .. })
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
    pub(super) fn wake(&self, wanted: Wanted, now: Instant) -> Option<Instant> {
        match &self.running {
            Some(_) => self.slow_at().filter(|at| *at > now),
            None => self.not_before.filter(|_| wanted == Wanted::Yes),
        }
    }

    /// Notes that a probe of it begins.
    pub(super) fn begin(&mut self, running: Running) {
        self.first_asked.get_or_insert(running.since);
        (self.not_before, self.stopped_by) = (None, None);
        self.running = Some(running);
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
        if self.was_never_begun(&outcome) {
            return Vec::new();
        }
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

    /// Bars it unasked, unless it was asked already. A probe that still waits for its turn, or has sent nothing, is no
    /// asking: it is stopped.
    pub(super) fn bar_unasked(&mut self, because: &str) {
        let sent = |running: &Running| reached(&running.progress).is_some_and(|stage| stage >= Stage::Authenticate);
        if self.latest.is_none() && !self.running.as_ref().is_some_and(sent) {
            (self.known, self.because) = (Known::Barred, Some(because.to_owned()));
            self.stop(Cause::Settled);
        }
    }

    /// Whether its first probe was stopped, because all was settled without it, before its turn had come or anything was
    /// sent.
    fn was_never_begun(&self, outcome: &Outcome) -> bool {
        self.latest.is_none()
            && (outcome.attempts == 0 || self.known == Known::Barred)
            && is_stopped(outcome)
            && self.stopped_by == Some(Cause::Settled)
    }

    /// Takes in how its probe ended that was stopped, at the end of the wait.
    pub(super) fn stopped(&mut self, mut outcome: Outcome, now: Instant, cause: Cause) -> Option<Event> {
        self.running = None;
        if self.was_never_begun(&outcome) {
            return None;
        }
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
        Some(self.conclude(outcome))
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
