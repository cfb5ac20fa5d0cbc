//! One pass over the targets.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;

use super::chance::Chance;
use super::guard::{Unfinished, interrupted, panicked};
use super::limits::{Gate, Limits};
use crate::outcome::{Code, Event, Outcome, Stage, Warmth};
use crate::plan::{RetryPolicy, Tried};
use crate::probe::clock::Clock;
use crate::probe::transport::Network;
use crate::probe::{Climbed, Job, Knobs, climb};
use crate::target::TargetId;

/// The pause between two starts. 500 starts in one burst put 25 ms on the median first-token time, all of it our own
/// queueing; spread over 400 ms it is 0.2 ms.
const BETWEEN_STARTS: Duration = Duration::from_micros(800);

/// Why a pass is stopped before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stop {
    /// Nobody asked.
    No,
    /// The deadline of the whole run (`--timeout`).
    Deadline,
    /// A signal.
    Signal,
}

impl Stop {
    fn says(self) -> &'static str {
        match self {
            Self::No | Self::Deadline => "the deadline of the whole run was reached",
            Self::Signal => "a signal asked to stop",
        }
    }
}

/// Stops a pass from outside.
pub type Stopper = watch::Receiver<Stop>;

/// Runs passes. It remembers what providers accept from one pass to the next.
pub struct Runner {
    network: Arc<dyn Network>,
    clock: Arc<dyn Clock>,
    chance: Arc<Chance>,
    retry: RetryPolicy,
    learned: Arc<Mutex<HashMap<TargetId, Knobs>>>,
}

/// Takes events from probes that run at the same time.
pub type Listener = Arc<dyn Fn(Event) + Send + Sync>;

impl Runner {
    /// A runner that has learned nothing yet.
    #[must_use]
    pub fn new(network: Arc<dyn Network>, clock: Arc<dyn Clock>, chance: Arc<Chance>, retry: RetryPolicy) -> Self {
        Self { network, clock, chance, retry, learned: Arc::default() }
    }

    /// Probes every job and returns their outcomes in the same order. `stop` ends it early: what has not finished by
    /// then is interrupted, and nothing is lost.
    pub async fn pass(&self, jobs: Vec<Job>, listener: Listener, stop: Stopper) -> Vec<Arc<Outcome>> {
        let mut limits = Limits::default();
        let mut running = JoinSet::new();
        let mut places = HashMap::new();
        let mut outcomes: Vec<Option<Arc<Outcome>>> = jobs.iter().map(|_| None).collect();
        let begun = self.clock.now();
        for (place, job) in jobs.iter().enumerate() {
            let probe = Probe {
                job: job.clone(),
                network: Arc::clone(&self.network),
                clock: Arc::clone(&self.clock),
                chance: Arc::clone(&self.chance),
                retry: self.retry,
                learned: Arc::clone(&self.learned),
                listener: Arc::clone(&listener),
                progress: Arc::default(),
            };
            let progress = Arc::clone(&probe.progress);
            let due = BETWEEN_STARTS.saturating_mul(u32::try_from(place).unwrap_or(u32::MAX));
            let gate = limits.gate(&job.target);
            let task = running.spawn(probe.run(begun + due, gate, stop.clone()));
            places.insert(task.id(), (place, progress));
        }
        while let Some(joined) = running.join_next_with_id().await {
            let (id, outcome) = match joined {
                Ok((id, outcome)) => (id, Ok(outcome)),
                Err(error) => (error.id(), Err(error)),
            };
            let Some((place, progress)) = places.get(&id) else { continue };
            let Some(job) = jobs.get(*place) else { continue };
            let outcome = match outcome {
                Ok(outcome) => Arc::new(outcome),
                Err(error) => {
                    let unfinished = self.unfinished(progress, begun);
                    let payload: Box<dyn std::any::Any + Send> =
                        error.try_into_panic().unwrap_or_else(|error| Box::new(error.to_string()));
                    Arc::new(panicked(job, unfinished, &*payload))
                }
            };
            listener(Event::Finished(Arc::clone(&outcome)));
            if let Some(slot) = outcomes.get_mut(*place) {
                *slot = Some(outcome);
            }
        }
        outcomes.into_iter().flatten().collect()
    }

    fn unfinished(&self, progress: &Mutex<Progress>, begun: std::time::Instant) -> Unfinished {
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
struct Progress {
    stage: Option<Stage>,
    attempts: u32,
}

/// One probe: its attempts, within its limits.
struct Probe {
    job: Job,
    network: Arc<dyn Network>,
    clock: Arc<dyn Clock>,
    chance: Arc<Chance>,
    retry: RetryPolicy,
    learned: Arc<Mutex<HashMap<TargetId, Knobs>>>,
    listener: Listener,
    progress: Arc<Mutex<Progress>>,
}

impl Probe {
    async fn run(self, due: std::time::Instant, gate: Gate, mut stop: Stopper) -> Outcome {
        let started = self.clock.wall();
        let begun = self.clock.now();
        let asked = stop.clone();
        let stopped = async {
            // The sender outlives the pass; if it were gone, nobody could ask to stop.
            if stop.wait_for(|stop| *stop != Stop::No).await.is_err() {
                std::future::pending::<()>().await;
            }
        };
        tokio::select! {
            biased;
            outcome = self.attempts(due, gate, &asked) => return outcome,
            () = stopped => {}
        }
        let why = *stop.borrow();
        let progress = *self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        let unfinished = Unfinished {
            started,
            elapsed: self.clock.now().saturating_duration_since(begun),
            stage: progress.stage.unwrap_or(Stage::Credential),
            attempts: progress.attempts.max(1),
        };
        interrupted(&self.job, unfinished, why.says())
    }

    async fn attempts(&self, due: std::time::Instant, gate: Gate, stop: &Stopper) -> Outcome {
        tokio::time::sleep_until(due.into()).await;
        let _leave = gate.leave().await;
        if *stop.borrow() != Stop::No {
            // The place became free because another probe was stopped: nothing begins any more.
            std::future::pending::<()>().await;
        }
        let begun = self.clock.now();
        let queued = begun.saturating_duration_since(due);
        let mut tried = Tried { attempts: 0, loading: 0, elapsed: Duration::ZERO };
        let mut sum = Sum::default();
        loop {
            let Climbed { mut outcome, knobs } = self.once().await;
            self.remember(knobs);
            if outcome.diagnosis.as_ref().is_some_and(|diagnosis| diagnosis.code == Code::Loading) {
                tried.loading += 1;
            } else {
                tried.attempts += 1;
            }
            sum.add(&mut outcome);
            let elapsed = self.clock.now().saturating_duration_since(begun);
            tried.elapsed = elapsed;
            let pause = self.retry.next(&outcome, tried, self.chance.share());
            let Some(pause) = pause else {
                outcome.timings.queued = Some(queued);
                outcome.timings.total = elapsed;
                return outcome;
            };
            if let Some(diagnosis) = &outcome.diagnosis {
                let attempt = self.count_attempt() + 1;
                let target = self.job.target.id.clone();
                (self.listener)(Event::Retrying { target, attempt, code: diagnosis.code });
            }
            tokio::time::sleep(pause).await;
        }
    }

    async fn once(&self) -> Climbed {
        let knobs = self.recall();
        let on_event = |event: Event| {
            if let Event::Entered { stage, .. } = &event {
                self.progress.lock().unwrap_or_else(PoisonError::into_inner).stage = Some(*stage);
            }
            (self.listener)(event);
        };
        climb(&self.job, &*self.network, &*self.clock, knobs, &on_event).await
    }

    fn count_attempt(&self) -> u32 {
        let mut progress = self.progress.lock().unwrap_or_else(PoisonError::into_inner);
        progress.attempts += 1;
        progress.attempts
    }

    fn recall(&self) -> Knobs {
        let learned = self.learned.lock().unwrap_or_else(PoisonError::into_inner);
        learned.get(&self.job.target.id).cloned().unwrap_or_else(|| Knobs::of(&self.job.target))
    }

    fn remember(&self, knobs: Knobs) {
        if knobs != Knobs::of(&self.job.target) {
            self.learned.lock().unwrap_or_else(PoisonError::into_inner).insert(self.job.target.id.clone(), knobs);
        }
    }
}

/// What the attempts of one probe add up to.
#[derive(Default)]
struct Sum {
    attempts: u32,
    input_tokens: Option<u64>,
    output_tokens: Option<u64>,
    was_loading: bool,
}

impl Sum {
    /// Adds an attempt, and writes the sums so far into its outcome.
    fn add(&mut self, outcome: &mut Outcome) {
        let add = |a: Option<u64>, b: Option<u64>| {
            if a.is_none() && b.is_none() { None } else { Some(a.unwrap_or(0) + b.unwrap_or(0)) }
        };
        self.attempts += outcome.attempts;
        self.input_tokens = add(self.input_tokens, outcome.usage.input_tokens);
        self.output_tokens = add(self.output_tokens, outcome.usage.output_tokens);
        outcome.attempts = self.attempts;
        outcome.usage.input_tokens = self.input_tokens;
        outcome.usage.output_tokens = self.output_tokens;
        // It said that it was loading and then answered: it was cold, however quick the last answer came.
        self.was_loading |= outcome.diagnosis.as_ref().is_some_and(|diagnosis| diagnosis.code == Code::Loading);
        if self.was_loading && outcome.diagnosis.is_none() {
            outcome.warmth = Warmth::Cold;
        }
    }
}
