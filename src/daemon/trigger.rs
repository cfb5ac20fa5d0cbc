//! The alarm clock: says who is due, and nothing else.
//!
//! tokio-cron-scheduler alone cannot be trusted with this: it counts whole seconds, looks twice a second, loses fires
//! when many come at once, and stops after a backward step of the clock (shared/reference/dependencies.md, 1). So each
//! target has one armed one-shot there, set to go off two seconds early; the last step is tokio's timer on the monotonic
//! clock; and once a second a sweep takes over whatever the scheduler should have woken by then. One task alone talks to
//! the scheduler, because its `add` breaks under concurrent callers.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;
use tokio_cron_scheduler::{Job, JobScheduler, JobSchedulerError};
use uuid::Uuid;

use crate::probe::clock::Clock;
use crate::target::TargetId;

/// How long before it is due the scheduler wakes a target. Its one-shots go off up to a second early or half a second
/// late.
const EARLY: Duration = Duration::from_secs(2);
/// What is due sooner than this is not given to the scheduler at all.
const NEAR: Duration = Duration::from_millis(3_500);
/// What is due within this and was not woken is counted as lost by the scheduler and taken over. More than a sweep's
/// pause, so that even a lost fire is on time; less than what is left after the scheduler's latest.
const OVERDUE: Duration = Duration::from_millis(1_200);
/// What the scheduler may take for an order. One whose listeners have died never answers.
const PATIENCE: Duration = Duration::from_secs(1);
/// A scheduler that fails is replaced at most this often; meanwhile the sweep does all.
const REPLACED: Duration = Duration::from_secs(30);
/// The pause between two sweeps.
const SWEEP: Duration = Duration::from_secs(1);
/// Targets whose order waits is armed in one go at most, so that an alarm between them is not late.
const FEWEST_PLACES: usize = 1024;

/// A target that is due.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Alarm {
    /// Who.
    pub target: TargetId,
    /// When it was to go off.
    pub due: Instant,
}

/// What the alarm clock has done so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Pulse {
    /// Alarms that went off.
    pub fired: u64,
    /// Of those, how many the scheduler had lost and the sweep found.
    pub lost: u64,
    /// How often it was swept: grows every second for as long as it lives.
    pub sweeps: u64,
}

#[derive(Debug, Default)]
struct Counts {
    fired: AtomicU64,
    lost: AtomicU64,
    sweeps: AtomicU64,
}

/// What the task is told.
enum Order {
    Arm(TargetId, Instant),
    Disarm(TargetId),
}

/// The alarm clock.
pub(super) struct Trigger {
    orders: mpsc::UnboundedSender<Order>,
    counts: Arc<Counts>,
}

impl Trigger {
    /// Starts it for about `targets` targets. Alarms come through the receiver; the clock stops when the trigger is
    /// dropped.
    pub(super) async fn start(
        targets: usize,
        clock: Arc<dyn Clock>,
    ) -> Result<(Self, mpsc::UnboundedReceiver<Alarm>), JobSchedulerError> {
        let places = places_for(targets);
        let scheduler = start(places).await?;
        // Both are bounded by what they carry: an armed target has one alarm at most, and is told of once per run.
        let (orders, ordered) = mpsc::unbounded_channel();
        let (alarms, alarmed) = mpsc::unbounded_channel();
        let counts = Arc::<Counts>::default();
        let (woken, wakes) = mpsc::unbounded_channel();
        let keeper = Keeper {
            scheduler,
            places,
            replaced: clock.now(),
            broken: false,
            clock,
            alarms,
            woken,
            counts: Arc::clone(&counts),
            armed: HashMap::new(),
            far: BTreeSet::new(),
            near: BTreeSet::new(),
        };
        tokio::spawn(keeper.keep(ordered, wakes));
        Ok((Self { orders, counts }, alarmed))
    }

    /// Has the alarm of a target go off at `due`, instead of whenever it was to.
    pub(super) fn arm(&self, target: TargetId, due: Instant) {
        // The task lives as long as this handle.
        self.orders.send(Order::Arm(target, due)).ok();
    }

    /// Has no alarm go off for a target. One that is on its way may still come.
    pub(super) fn disarm(&self, target: TargetId) {
        self.orders.send(Order::Disarm(target)).ok();
    }

    /// What it has done so far.
    pub(super) fn pulse(&self) -> Pulse {
        Pulse {
            fired: self.counts.fired.load(Ordering::Relaxed),
            lost: self.counts.lost.load(Ordering::Relaxed),
            sweeps: self.counts.sweeps.load(Ordering::Relaxed),
        }
    }
}

/// How large its broadcast channels must be: they drop what does not fit, and some listeners then die for good.
fn places_for(targets: usize) -> usize {
    targets.saturating_mul(4).next_power_of_two().max(FEWEST_PLACES)
}

async fn start(places: usize) -> Result<JobScheduler, JobSchedulerError> {
    let scheduler = JobScheduler::new_with_channel_size(places).await?;
    scheduler.start().await?;
    Ok(scheduler)
}

/// An armed alarm.
#[derive(Debug, Clone, Copy)]
struct Armed {
    due: Instant,
    /// The scheduler's job that will wake it, and when that goes off at the earliest.
    job: Option<(Uuid, Instant)>,
}

/// A wake-up by the scheduler: a job says whose it is.
type Wake = (TargetId, Uuid);

/// The one task that talks to the scheduler.
struct Keeper {
    scheduler: JobScheduler,
    /// The size of its channels.
    places: usize,
    /// When it was replaced last.
    replaced: Instant,
    /// It did not do as it was told.
    broken: bool,
    clock: Arc<dyn Clock>,
    alarms: mpsc::UnboundedSender<Alarm>,
    woken: mpsc::UnboundedSender<Wake>,
    counts: Arc<Counts>,
    armed: HashMap<TargetId, Armed>,
    /// Armed and waiting for the scheduler, by time.
    far: BTreeSet<(Instant, TargetId)>,
    /// Armed and due soon, by time.
    near: BTreeSet<(Instant, TargetId)>,
}

impl Keeper {
    async fn keep(mut self, mut orders: mpsc::UnboundedReceiver<Order>, mut wakes: mpsc::UnboundedReceiver<Wake>) {
        let mut sweep = tokio::time::interval(SWEEP);
        sweep.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let next = self.near.first().map(|(due, _)| *due);
            let last_step = async {
                match next {
                    Some(due) => tokio::time::sleep_until(due.into()).await,
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                () = last_step => self.fire(),
                _ = sweep.tick() => {
                    self.sweep();
                    self.replace().await;
                }
                Some((target, job)) = wakes.recv() => self.wake(target, job).await,
                order = orders.recv() => match order {
                    Some(Order::Arm(target, due)) => self.arm(target, due).await,
                    Some(Order::Disarm(target)) => self.disarm(&target).await,
                    None => break,
                },
            }
        }
        // A scheduler that cannot be shut down ends with its runtime.
        tokio::time::timeout(PATIENCE, self.scheduler.shutdown()).await.ok();
    }

    /// Replaces a scheduler that has become too small, or that fails, by one that is large enough.
    async fn replace(&mut self) {
        let now = self.clock.now();
        let small = places_for(self.armed.len()) > self.places;
        let failed = self.broken && now.saturating_duration_since(self.replaced) >= REPLACED;
        if !small && !failed {
            return;
        }
        (self.replaced, self.broken) = (now, false);
        // Twice as many as there are now, so that a fleet that grows one by one does not end here each time.
        let places = places_for(self.armed.len().saturating_mul(2));
        tokio::time::timeout(PATIENCE, self.scheduler.shutdown()).await.ok();
        match start(places).await {
            Ok(scheduler) => (self.scheduler, self.places) = (scheduler, places),
            Err(_) => {
                self.broken = true;
                return;
            }
        }
        let far: Vec<(Instant, TargetId)> = self.far.iter().cloned().collect();
        for (due, target) in far {
            let left = due.saturating_duration_since(self.clock.now());
            // What is near by now is found by the sweep.
            let job = if left > NEAR { self.add(&target, left.saturating_sub(EARLY)).await } else { None };
            let earliest = due.checked_sub(EARLY).unwrap_or(due);
            if let Some(armed) = self.armed.get_mut(&target) {
                armed.job = job.map(|id| (id, earliest));
            }
            // Alarms whose time comes meanwhile are not late because of this.
            self.fire();
        }
    }

    /// Lets every alarm go off whose time has come.
    fn fire(&mut self) {
        let now = self.clock.now();
        while let Some((due, target)) = self.near.pop_first() {
            if due > now {
                self.near.insert((due, target));
                break;
            }
            self.armed.remove(&target);
            self.counts.fired.fetch_add(1, Ordering::Relaxed);
            // Nobody listens only when the daemon is ending.
            self.alarms.send(Alarm { target, due }).ok();
        }
    }

    /// Takes over what the scheduler should have woken.
    fn sweep(&mut self) {
        self.counts.sweeps.fetch_add(1, Ordering::Relaxed);
        let horizon = self.clock.now() + OVERDUE;
        while let Some((due, target)) = self.far.pop_first() {
            if due > horizon {
                self.far.insert((due, target));
                break;
            }
            if let Some(armed) = self.armed.get_mut(&target) {
                armed.job = None;
            }
            self.counts.lost.fetch_add(1, Ordering::Relaxed);
            self.near.insert((due, target));
        }
    }

    async fn wake(&mut self, target: TargetId, job: Uuid) {
        let Some(armed) = self.armed.get_mut(&target) else { return };
        if armed.job.is_none_or(|(id, _)| id != job) {
            return;
        }
        armed.job = None;
        let due = armed.due;
        if due.saturating_duration_since(self.clock.now()) > NEAR {
            // It was put off after the job had been set, or the clock was stepped forward: set the rest.
            self.far.remove(&(due, target.clone()));
            self.set(target, due, None).await;
        } else if self.far.remove(&(due, target.clone())) {
            self.near.insert((due, target));
        }
    }

    async fn arm(&mut self, target: TargetId, due: Instant) {
        let job = self.forget(&target).and_then(|armed| armed.job);
        self.set(target, due, job).await;
    }

    async fn disarm(&mut self, target: &TargetId) {
        if let Some(Armed { job: Some((id, _)), .. }) = self.forget(target) {
            self.remove(id).await;
        }
    }

    fn forget(&mut self, target: &TargetId) -> Option<Armed> {
        let armed = self.armed.remove(target)?;
        let place = (armed.due, target.clone());
        self.far.remove(&place);
        self.near.remove(&place);
        Some(armed)
    }

    /// Arms a target that is not. A job that was set for it before is kept where it goes off in time.
    async fn set(&mut self, target: TargetId, due: Instant, job: Option<(Uuid, Instant)>) {
        let left = due.saturating_duration_since(self.clock.now());
        let wake_at = due.checked_sub(EARLY).unwrap_or(due);
        let kept = job.filter(|(_, earliest)| left > NEAR && *earliest <= wake_at);
        if kept.is_none()
            && let Some((id, _)) = job
        {
            self.remove(id).await;
        }
        if left <= NEAR {
            self.armed.insert(target.clone(), Armed { due, job: None });
            self.near.insert((due, target));
            return;
        }
        let job = match kept {
            Some(job) => Some(job),
            None => self.add(&target, left.saturating_sub(EARLY)).await.map(|id| (id, wake_at)),
        };
        self.armed.insert(target.clone(), Armed { due, job });
        self.far.insert((due, target));
    }

    /// A one-shot at the scheduler. Without one, the sweep finds the target.
    async fn add(&mut self, target: &TargetId, after: Duration) -> Option<Uuid> {
        // One that fails is not asked again before it is replaced. One that is too small would drop what is added.
        if self.broken || self.armed.len() * 2 > self.places {
            return None;
        }
        let (woken, target) = (self.woken.clone(), target.clone());
        let job = Job::new_one_shot_async(after, move |id, _| {
            let (woken, target) = (woken.clone(), target.clone());
            Box::pin(async move {
                woken.send((target, id)).ok();
            })
        });
        let added = tokio::time::timeout(PATIENCE, self.scheduler.add(job.ok()?)).await;
        self.broken |= !matches!(added, Ok(Ok(_)));
        added.ok()?.ok()
    }

    async fn remove(&mut self, id: Uuid) {
        if self.broken {
            return;
        }
        // One that has gone off already is not there any more; its wake is recognized as old.
        self.broken |= tokio::time::timeout(PATIENCE, self.scheduler.remove(&id)).await.is_err();
    }
}

#[cfg(test)]
mod tests;
