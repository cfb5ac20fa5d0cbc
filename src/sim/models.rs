//! All models of a provider: who is in memory (`residence.rs`), and a queue in front of each.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::clock::{Clock, Moment};
use super::model_spec::ModelSpec;
use super::random::Random;
use super::residence::Residence;
pub(crate) use super::residence::{Found, Phase};
use super::scenario::Scenario;

/// One model on offer, with its queue.
#[derive(Debug)]
pub(crate) struct Entry {
    index: usize,
    pub(crate) spec: ModelSpec,
    queue: Arc<Semaphore>,
}

#[derive(Debug)]
struct Memory {
    residences: Vec<Residence>,
    random: Random,
}

/// All models of a provider.
#[derive(Debug)]
pub(crate) struct Models {
    entries: Vec<Arc<Entry>>,
    memory: Mutex<Memory>,
    max_loaded: Option<usize>,
    seed: u64,
    clock: Clock,
}

/// How long an idle model stays, when a request says so (Ollama's `keep_alive`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum KeepAlive {
    /// As the model's own settings say.
    Default,
    Forever,
    For(Duration),
}

impl Models {
    pub(crate) fn new(scenario: &Scenario, clock: Clock) -> Arc<Self> {
        let entry = |(index, spec): (usize, &ModelSpec)| {
            let queue = Arc::new(Semaphore::new(spec.concurrency));
            Arc::new(Entry { index, spec: spec.clone(), queue })
        };
        let entries: Vec<_> = scenario.models.iter().enumerate().map(entry).collect();
        let residences = entries.iter().map(|entry| Residence::new(&entry.spec)).collect();
        let memory = Mutex::new(Memory { residences, random: Random::seeded(scenario.seed) });
        Arc::new(Self { entries, memory, max_loaded: scenario.max_loaded, seed: scenario.seed, clock })
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// All models, in the scenario's order.
    pub(crate) fn all(&self) -> &[Arc<Entry>] {
        &self.entries
    }

    /// The model that answers to an id or alias.
    pub(crate) fn find(&self, id: &str) -> Option<&Arc<Entry>> {
        self.entries.iter().find(|entry| entry.spec.answers_to(id))
    }

    /// Where a model is now.
    pub(crate) fn phase(&self, entry: &Entry) -> Phase {
        let now = self.clock.now();
        let mut memory = self.memory();
        memory.residences.get_mut(entry.index).map_or(Phase::Unloaded, |residence| {
            residence.settle(now);
            residence.phase
        })
    }

    /// Begins to load a model that is not loaded, without keeping it; says how it was found and when it is ready.
    pub(crate) fn wake(&self, entry: &Entry) -> (Found, Moment) {
        let now = self.clock.now();
        let mut memory = self.memory();
        let load = memory.random.around(entry.spec.load, entry.spec.jitter);
        let Some(residence) = memory.residences.get_mut(entry.index) else {
            return (Found::Warm, now);
        };
        let (found, ready) = residence.wake(now, load);
        if found == Found::Cold {
            if let Some(mean) = entry.spec.evict.filter(|_| !entry.spec.always_on) {
                let stay = memory.random.exponential(mean);
                if let Some(residence) = memory.residences.get_mut(entry.index) {
                    residence.evict_at = Some(ready.plus(stay));
                }
            }
            self.make_room(&mut memory, entry.index, now);
        }
        (found, ready)
    }

    /// Unloads those that were idle longest until the newcomer fits.
    fn make_room(&self, memory: &mut Memory, newcomer: usize, now: Moment) {
        let Some(max) = self.max_loaded else { return };
        loop {
            memory.residences.iter_mut().for_each(|residence| residence.settle(now));
            let present = memory.residences.iter().filter(|residence| residence.phase != Phase::Unloaded).count();
            let may_leave = |(index, residence): &(usize, &mut Residence)| {
                let pinned = self.entries.get(*index).is_some_and(|entry| entry.spec.always_on);
                *index != newcomer && residence.phase == Phase::Loaded && residence.busy == 0 && !pinned
            };
            let idle = memory.residences.iter_mut().enumerate().filter(may_leave);
            match idle.min_by_key(|(_, residence)| residence.idle_from) {
                Some((_, residence)) if present > max => {
                    (residence.phase, residence.since, residence.evict_at) = (Phase::Unloaded, now, None);
                }
                _ => return,
            }
        }
    }

    /// Takes a seat at once, if one is free.
    pub(crate) fn try_seat(self: &Arc<Self>, entry: &Arc<Entry>) -> Option<Seat> {
        let permit = Arc::clone(&entry.queue).try_acquire_owned().ok()?;
        Some(self.seat(entry, permit))
    }

    /// Waits in the queue for a seat; first come, first served.
    pub(crate) async fn wait_seat(self: &Arc<Self>, entry: &Arc<Entry>) -> Option<Seat> {
        // The semaphore is never closed, so this always yields a seat.
        let permit = Arc::clone(&entry.queue).acquire_owned().await.ok()?;
        Some(self.seat(entry, permit))
    }

    fn seat(self: &Arc<Self>, entry: &Arc<Entry>, permit: OwnedSemaphorePermit) -> Seat {
        let (found, ready_at) = self.wake(entry);
        let mut memory = self.memory();
        if let Some(residence) = memory.residences.get_mut(entry.index) {
            residence.busy += 1;
        }
        let first_token = memory.random.around(entry.spec.first_token, entry.spec.jitter);
        let keep_alive = None;
        Seat {
            models: Arc::clone(self),
            entry: Arc::clone(entry),
            _permit: permit,
            found,
            ready_at,
            first_token,
            keep_alive,
        }
    }

    /// The pause before the next token.
    pub(crate) fn token_gap(&self, entry: &Entry) -> Duration {
        self.memory().random.around(entry.spec.between_tokens, entry.spec.jitter)
    }

    fn leave(&self, entry: &Entry, keep_alive: Option<KeepAlive>) {
        let now = self.clock.now();
        let mut memory = self.memory();
        let Some(residence) = memory.residences.get_mut(entry.index) else {
            return;
        };
        residence.busy = residence.busy.saturating_sub(1);
        residence.idle_from = now;
        residence.idle_timeout = match keep_alive {
            _ if entry.spec.always_on => None,
            None => residence.idle_timeout,
            Some(KeepAlive::Default) => entry.spec.idle_timeout,
            Some(KeepAlive::Forever) => None,
            Some(KeepAlive::For(span)) => Some(span),
        };
        residence.settle(now);
    }

    /// Unloads a model as if it had been evicted; one that is in use stays.
    pub(crate) fn evict(&self, entry: &Entry) {
        let now = self.clock.now();
        let mut memory = self.memory();
        if let Some(residence) = memory.residences.get_mut(entry.index).filter(|residence| residence.busy == 0) {
            (residence.phase, residence.since, residence.evict_at) = (Phase::Unloaded, now, None);
        }
    }

    /// When an idle model will be unloaded: virtual time from now. `None` when it stays.
    pub(crate) fn idle_left(&self, entry: &Entry) -> Option<Duration> {
        let now = self.clock.now();
        let mut memory = self.memory();
        let residence = memory.residences.get_mut(entry.index)?;
        residence.settle(now);
        residence.leaves_at().map(|moment| moment.since(now))
    }

    /// Puts every model back to where it was at the start.
    pub(crate) fn reset(&self) {
        let mut memory = self.memory();
        let now = self.clock.now();
        for (entry, residence) in self.entries.iter().zip(&mut memory.residences) {
            let busy = residence.busy;
            *residence = Residence { busy, idle_from: now, since: now, ..Residence::new(&entry.spec) };
        }
        memory.random = Random::seeded(self.seed);
    }

    /// A model as `/_sim/state` shows it; times are real milliseconds, as a client would measure them.
    pub(crate) fn state(&self, entry: &Entry) -> Value {
        let phase = self.phase(entry);
        let now = self.clock.now();
        let (since, busy) =
            self.memory().residences.get(entry.index).map_or((now, 0), |residence| (residence.since, residence.busy));
        let real = |span: Duration| u64::try_from(self.clock.real(span).as_millis()).unwrap_or(u64::MAX);
        let load_left = match phase {
            Phase::Loading { until } => Some(real(until.since(now))),
            _ => None,
        };
        json!({
            "id": entry.spec.id,
            "state": phase.name(),
            "since_ms": real(now.since(since)),
            "busy": busy,
            "load_left_ms": load_left,
            "idle_left_ms": self.idle_left(entry).map(real),
        })
    }
}

/// A request's right to run on a model. The model's idle clock starts again when it is dropped.
#[derive(Debug)]
pub(crate) struct Seat {
    models: Arc<Models>,
    entry: Arc<Entry>,
    _permit: OwnedSemaphorePermit,
    /// How the request found the model.
    pub(crate) found: Found,
    /// When the model is loaded.
    pub(crate) ready_at: Moment,
    /// The time from there to the first token.
    pub(crate) first_token: Duration,
    keep_alive: Option<KeepAlive>,
}

impl Seat {
    /// Says how long the model stays after this request.
    pub(crate) fn keep_alive(&mut self, keep_alive: KeepAlive) {
        self.keep_alive = Some(keep_alive);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.models.leave(&self.entry, self.keep_alive);
    }
}
