//! One pass over the targets, or one probe of one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, watch};
use tokio::task::{self, JoinError, JoinSet};

use super::chance::Chance;
use super::guard::{Unfinished, not_begun, panicked};
use super::limits::{Gate, Lane, Limits};
use super::treasury::{Presence, Treasury};
use crate::outcome::{Code, Cost, Event, Outcome, Residence, Stage, Usage, Uses, Warmth};
use crate::plan::{RetryPolicy, Tried};
use crate::probe::clock::Clock;
use crate::probe::transport::Network;
use crate::probe::{Cause, Climbed, Job, Knobs, climb, cold_start};
use crate::quota::InFlight;
use crate::target::{Depth, Target, TargetId};

/// The pause between two starts. 500 starts in one burst put 25 ms on the median first-token time, all of it our own
/// queueing; spread over 400 ms it is 0.2 ms.
pub(super) const BETWEEN_STARTS: Duration = Duration::from_micros(800);

/// Why a pass is stopped before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Nobody asked.
    No,
    /// Somebody did.
    Because(Cause),
}

/// Stops a pass from outside.
pub type Stopper = watch::Receiver<Stop>;

/// Runs passes. It remembers what providers accept from one pass to the next.
pub struct Runner {
    network: Arc<dyn Network>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) chance: Arc<Chance>,
    retry: RetryPolicy,
    treasury: Arc<Treasury>,
    learned: Arc<Mutex<Learned>>,
    limits: Mutex<Limits>,
    under_way: Arc<AtomicUsize>,
}

/// What providers accept of each target, and of which target it was learned.
type Learned = HashMap<TargetId, (Arc<Target>, Knobs)>;

/// Takes events from probes that run at the same time.
pub type Listener = Arc<dyn Fn(Event) + Send + Sync>;

impl Runner {
    /// A runner that has learned nothing yet.
    #[must_use]
    pub fn new(
        network: Arc<dyn Network>,
        clock: Arc<dyn Clock>,
        chance: Arc<Chance>,
        retry: RetryPolicy,
        treasury: Arc<Treasury>,
    ) -> Self {
        Self {
            network,
            clock,
            chance,
            retry,
            treasury,
            learned: Arc::default(),
            limits: Mutex::default(),
            under_way: Arc::default(),
        }
    }

    /// Probes every job and returns their outcomes in the same order. `stop` ends it early: what has not finished by
    /// then is interrupted, and nothing is lost.
    pub async fn pass(&self, jobs: Vec<Job>, listener: Listener, stop: Stopper) -> Vec<Arc<Outcome>> {
        let mut running = JoinSet::new();
        let mut places = HashMap::new();
        let mut outcomes: Vec<Option<Arc<Outcome>>> = jobs.iter().map(|_| None).collect();
        let begun = self.clock.now();
        for (place, job) in jobs.iter().enumerate() {
            let due = BETWEEN_STARTS.saturating_mul(u32::try_from(place).unwrap_or(u32::MAX));
            let (task, progress, _) = self.start(job, begun + due, &listener, &stop, &mut running);
            places.insert(task, (place, progress));
        }
        while let Some(joined) = running.join_next_with_id().await {
            let id = joined.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
            let Some((place, progress)) = places.get(&id) else { continue };
            let Some(job) = jobs.get(*place) else { continue };
            let outcome = Arc::new(self.guarded(joined.map(|(_, outcome)| outcome), job, progress, begun));
            listener(Event::Finished(Arc::clone(&outcome)));
            if let Some(slot) = outcomes.get_mut(*place) {
                *slot = Some(outcome);
            }
        }
        outcomes.into_iter().flatten().collect()
    }

    /// Probes one job that was due at `due`, within the limits that all probes of this runner share. That it finished
    /// is not told to the listener: whoever asks may know more of the outcome than a probe can.
    pub async fn probe(&self, job: Job, due: Instant, listener: &Listener, stop: &Stopper) -> Outcome {
        let mut running = JoinSet::new();
        let (_, progress, _) = self.start(&job, due, listener, stop, &mut running);
        loop {
            // There is one task, so the set is empty only after it was joined.
            if let Some(joined) = running.join_next().await {
                return self.guarded(joined, &job, &progress, due);
            }
        }
    }

    /// How many probes have begun and not ended. Others that were asked for wait for their turn.
    #[must_use]
    pub fn under_way(&self) -> usize {
        self.under_way.load(Ordering::Relaxed)
    }

    /// Forgets what was learned of targets, and of limits that held for them, but for these.
    pub fn retain(&self, targets: &HashMap<TargetId, Arc<Target>>) {
        self.learned.lock().unwrap_or_else(PoisonError::into_inner).retain(|id, _| targets.contains_key(id));
        let mut limits = self.limits.lock().unwrap_or_else(PoisonError::into_inner);
        limits.retain(targets.values().map(|target| &**target));
    }

    /// Begins a probe. With it comes what lets it go beyond the provider's limit.
    pub(super) fn start(
        &self,
        job: &Job,
        due: Instant,
        listener: &Listener,
        stop: &Stopper,
        running: &mut JoinSet<Outcome>,
    ) -> (task::Id, Arc<Mutex<Progress>>, Arc<Notify>) {
        let probe = Probe {
            job: job.clone(),
            network: Arc::clone(&self.network),
            clock: Arc::clone(&self.clock),
            chance: Arc::clone(&self.chance),
            retry: self.retry,
            treasury: Arc::clone(&self.treasury),
            learned: Arc::clone(&self.learned),
            listener: Arc::clone(listener),
            progress: Arc::default(),
            under_way: Arc::clone(&self.under_way),
        };
        let progress = Arc::clone(&probe.progress);
        let gate = self.limits.lock().unwrap_or_else(PoisonError::into_inner).gate(&job.target);
        let beyond = gate.beyond();
        (running.spawn(probe.run(due, gate, stop.clone())).id(), progress, beyond)
    }

    /// The outcome of a probe's task, which may have panicked.
    pub(super) fn guarded(
        &self,
        joined: Result<Outcome, JoinError>,
        job: &Job,
        progress: &Mutex<Progress>,
        begun: Instant,
    ) -> Outcome {
        joined.unwrap_or_else(|error| {
            let payload: Box<dyn std::any::Any + Send> =
                error.try_into_panic().unwrap_or_else(|error| Box::new(error.to_string()));
            panicked(job, self.unfinished(progress, begun), &*payload)
        })
    }

    fn unfinished(&self, progress: &Mutex<Progress>, begun: Instant) -> Unfinished {
        let progress = *progress.lock().unwrap_or_else(PoisonError::into_inner);
        Unfinished {
            started: self.clock.wall(),
            elapsed: self.clock.now().saturating_duration_since(begun),
            stage: progress.stage.unwrap_or(Stage::Credential),
            attempts: progress.attempts.max(1),
        }
    }
}

/// Where a probe is, for the case that it does not come back.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Progress {
    stage: Option<Stage>,
    attempts: u32,
}

/// How far a probe is.
pub(super) fn reached(progress: &Mutex<Progress>) -> Option<Stage> {
    progress.lock().unwrap_or_else(PoisonError::into_inner).stage
}

/// One probe: its attempts, within its limits.
struct Probe {
    job: Job,
    network: Arc<dyn Network>,
    clock: Arc<dyn Clock>,
    chance: Arc<Chance>,
    retry: RetryPolicy,
    treasury: Arc<Treasury>,
    learned: Arc<Mutex<Learned>>,
    listener: Listener,
    progress: Arc<Mutex<Progress>>,
    under_way: Arc<AtomicUsize>,
}

/// Counts a probe for as long as it is under way, however it ends.
struct Counted(Arc<AtomicUsize>);

impl Counted {
    fn new(count: Arc<AtomicUsize>) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Probe {
    async fn run(self, due: Instant, gate: Gate, stop: Stopper) -> Outcome {
        let began = self.clock.wall();
        let waiting = async {
            tokio::time::sleep_until(due.into()).await;
            let presence = self.treasury.enter(&self.job);
            let lane = match (&self.job.depth, &presence) {
                (Depth::Warm, Some(presence)) if presence.met == InFlight::No => Lane::Model,
                // What costs nothing, and what will not be warmed because it is being warmed, need not wait for the LLM.
                _ => Lane::Provider,
            };
            (gate.leave(lane).await, presence)
        };
        // Asking to stop comes first: a place that becomes free because another probe was stopped starts nothing.
        let leave = tokio::select! {
            biased;
            cause = stopped(stop.clone()) => Err(cause),
            leave = waiting => Ok(leave),
        };
        match leave {
            Err(cause) => not_begun(&self.job, began, cause),
            Ok((_leave, presence)) => {
                let _counted = Counted::new(Arc::clone(&self.under_way));
                self.attempts(due, presence.as_ref(), &stop).await
            }
        }
    }

    async fn attempts(mut self, due: Instant, presence: Option<&Presence>, stop: &Stopper) -> Outcome {
        let begun = self.clock.now();
        let queued = begun.saturating_duration_since(due);
        let mut tried = Tried { attempts: 0, loading: 0, elapsed: Duration::ZERO };
        let mut sum = Sum::default();
        let mut before: Option<Outcome> = None;
        let mut started = None;
        loop {
            let (mut outcome, knobs) = self.once(presence, stop).await;
            // `total` is of all attempts, and so is the beginning.
            outcome.started = *started.get_or_insert(outcome.started);
            self.remember(knobs);
            if outcome.withheld.is_some()
                && let Some(mut found) = before
            {
                // There is no leave for another try; what the first has found stands.
                found.timings.total = self.clock.now().saturating_duration_since(begun);
                return found;
            }
            let code = outcome.diagnosis.as_ref().map(|diagnosis| diagnosis.code);
            if code == Some(Code::Loading) {
                tried.loading += 1;
                // One wait for a cold LLM, however many attempts it takes.
                self.job.cold_until.get_or_insert(begun + self.job.target.expect.cold_start);
            } else {
                tried.attempts += 1;
            }
            tried.elapsed = self.clock.now().saturating_duration_since(begun);
            sum.add(&mut outcome, &self.job, tried);
            if code == Some(Code::Interrupted)
                && tried.loading > 0
                && let Some(found) = before
            {
                // It was loading; that another look was cut short takes nothing back.
                let Outcome { attempts, usage, cost, used, .. } = outcome;
                outcome = Outcome { attempts, usage, cost, used, ..found };
            }
            outcome.timings.queued = Some(queued);
            outcome.timings.total = tried.elapsed;
            let Some(pause) = self.retry.next(&outcome, tried, self.chance.share()) else { return outcome };
            if let Some(diagnosis) = &outcome.diagnosis {
                let attempt = self.count_attempt() + 1;
                let target = self.job.target.id.clone();
                (self.listener)(Event::Retrying { target, attempt, code: diagnosis.code });
            }
            tokio::select! {
                biased;
                // What the last attempt found stands.
                _ = stopped(stop.clone()) => return outcome,
                () = tokio::time::sleep(pause) => {}
            }
            before = Some(outcome);
        }
    }

    async fn once(&self, presence: Option<&Presence>, stop: &Stopper) -> (Outcome, Knobs) {
        let knobs = self.recall();
        let on_event = |event: Event| {
            if let Event::Entered { stage, .. } = &event {
                self.progress.lock().unwrap_or_else(PoisonError::into_inner).stage = Some(*stage);
            }
            (self.listener)(event);
        };
        let stopped = Box::pin(stopped(stop.clone()));
        let attempt = self.treasury.attempt(&self.job.target, presence);
        let climbed = climb(&self.job, &*self.network, &*self.clock, &attempt, knobs, &on_event, stopped).await;
        let Climbed { mut outcome, knobs, charged } = climbed;
        attempt.settle(&mut outcome, charged).await;
        (outcome, knobs)
    }

    fn count_attempt(&self) -> u32 {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress.attempts += 1;
        progress.attempts
    }

    /// What was learned of this target, as it is now: one that was changed since is another.
    fn recall(&self) -> Knobs {
        let learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        let known = learned.get(&self.job.target.id).filter(|(target, _)| *target == self.job.target);
        known.map_or_else(|| Knobs::of(&self.job.target), |(_, knobs)| knobs.clone())
    }

    fn remember(&self, knobs: Knobs) {
        if knobs != Knobs::of(&self.job.target) {
            self.learned
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .insert(self.job.target.id.clone(), (Arc::clone(&self.job.target), knobs));
        }
    }
}

/// Waits until somebody asks to stop.
pub(super) async fn stopped(mut stop: Stopper) -> Cause {
    let asked = stop.wait_for(|stop| *stop != Stop::No).await.map(|stop| *stop);
    match asked {
        Ok(Stop::Because(cause)) => cause,
        // The sender outlives the pass; if it were gone, nobody could ask any more.
        Ok(Stop::No) | Err(_) => std::future::pending().await,
    }
}

/// What the attempts of one probe add up to.
#[derive(Default)]
struct Sum {
    attempts: u32,
    usage: Usage,
    cost: Cost,
    used: Uses,
}

impl Sum {
    /// Adds an attempt, and writes the sums so far into its outcome.
    fn add(&mut self, outcome: &mut Outcome, job: &Job, tried: Tried) {
        self.attempts += outcome.attempts;
        self.usage.add(outcome.usage);
        self.cost.add(outcome.cost);
        outcome.attempts = self.attempts;
        outcome.usage = self.usage;
        outcome.cost = self.cost;
        self.used.then(std::mem::take(&mut outcome.used));
        outcome.used.clone_from(&self.used);
        if tried.loading > 0 && outcome.diagnosis.is_none() {
            // It said that it was loading and then answered: it was cold, however quick the last answer came.
            (outcome.warmth, outcome.residence) = (Warmth::Cold, Some(Residence::Absent));
            let late = tried.elapsed > job.target.expect.first_token;
            if late && outcome.warnings.iter().all(|warning| warning.code != Code::ColdStart) {
                outcome.warnings.push(cold_start(job, tried.elapsed));
            }
        }
    }
}
