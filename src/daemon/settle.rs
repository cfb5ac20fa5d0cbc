//! What comes back from a probe: log, metrics, standing, history, the next alarm.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::task::{self, JoinError};

use super::kept::{is_of, llm_of_kept};
use super::learner::Learner;
use super::life::Daemon;
use super::reload::News;
use super::reply::ended;
use super::slot::{Pause, Remembered, Slot};
use crate::outcome::{Class, Code, Event, Flip, Outcome, Record, Seen, Service, Standing, Upkeep};
use crate::plan::{Due, Past};
use crate::store::{Entry, StateKind, Store};
use crate::target::{Target, TargetId};
use crate::warmth::Observation;

/// A probe that came back.
pub(super) struct Ran {
    /// Its number: a target that went and came back meanwhile has another under way.
    pub number: u64,
    pub target: Arc<Target>,
    pub due: Due,
    pub outcome: Arc<Outcome>,
}

/// What the store remembers of targets.
#[derive(Debug, Default)]
pub struct Memory {
    standings: HashMap<String, String>,
    pasts: HashMap<String, String>,
    learned: HashMap<String, String>,
    /// Of targets whose learned state was written with another grid.
    observations: HashMap<String, Vec<Observation>>,
}

impl Memory {
    /// Of the states [`StateKind::Standing`] and [`StateKind::Past`].
    #[must_use]
    pub fn new(standings: Vec<(String, String)>, pasts: Vec<(String, String)>) -> Self {
        Self { standings: standings.into_iter().collect(), pasts: pasts.into_iter().collect(), ..Self::default() }
    }

    pub(super) async fn read(store: &Store) -> Self {
        // A store that can be opened but not read costs the memory, not the service; writing will say so again.
        let read = async |kind| store.states(kind).await.unwrap_or_default().into_iter().collect();
        let learned: HashMap<String, String> = read(StateKind::Learned).await;
        let mut observations = HashMap::new();
        for (name, kept) in &learned {
            if Learner::needs_history(kept) {
                let read = store.observations(name, llm_of_kept(kept).as_deref()).await;
                observations.insert(name.clone(), read.unwrap_or_default());
            }
        }
        Self { standings: read(StateKind::Standing).await, pasts: read(StateKind::Past).await, learned, observations }
    }

    /// What was kept of what was learned of a target's LLM.
    pub(super) fn learned(&self, target: &Target) -> Option<&str> {
        self.learned.get(target.id.as_str()).map(String::as_str).filter(|kept| is_of(target, kept))
    }

    /// Whether a target of this name was another LLM's, when it was last heard of.
    pub(super) fn named_another(&self, target: &Target) -> bool {
        let id = target.id.as_str();
        let past = self.pasts.get(id).and_then(|text| serde_json::from_str::<Remembered>(text).ok());
        self.learned.get(id).is_some_and(|kept| !is_of(target, kept)) || past.is_some_and(|past| !past.is_of(target))
    }

    /// The observations that it rests on, where they are needed.
    pub(super) fn observations(&self, target: &Target) -> &[Observation] {
        self.observations.get(target.id.as_str()).map(Vec::as_slice).unwrap_or_default()
    }

    /// What was learned of when a target's LLM unloads, in a sentence.
    #[must_use]
    pub fn says(&self, target: &Target) -> Option<String> {
        let remembered: Remembered = serde_json::from_str(self.pasts.get(target.id.as_str())?).ok()?;
        remembered.says(target)
    }

    /// Why warm-ups of a target are withheld, where they were when it was last probed.
    #[must_use]
    pub fn pause(&self, target: &Target) -> Option<Pause> {
        let remembered: Remembered = serde_json::from_str(self.pasts.get(target.id.as_str())?).ok()?;
        remembered.pause(target)
    }

    /// What is remembered of a target, if it is about the same LLM.
    pub(super) fn of(&self, target: &Target, now: Timestamp) -> (Standing, Past) {
        self.find(target, now).unwrap_or_else(|| (Standing::new(now), Past::default()))
    }

    /// The same; `None` where nothing is remembered.
    #[must_use]
    pub fn find(&self, target: &Target, now: Timestamp) -> Option<(Standing, Past)> {
        let id = target.id.as_str();
        // What another version wrote and this one cannot read is forgotten.
        let past = self.pasts.get(id).and_then(|text| serde_json::from_str::<Remembered>(text).ok());
        let past = past?.past(target)?;
        let standing = self.standings.get(id).and_then(|text| serde_json::from_str(text).ok());
        Some((standing.unwrap_or_else(|| Standing::new(now)), past))
    }
}

impl Daemon {
    pub(super) async fn joined(&mut self, joined: Result<(task::Id, Ran), JoinError>) {
        match joined {
            Ok((task, ran)) => {
                self.tasks.remove(&task);
                self.settle(ran).await;
            }
            // The probe itself is guarded, and what is around it does not panic. Were it to, its target goes on: it is
            // the one whose probe is not among the living.
            Err(error) => {
                let Some(id) = self.tasks.remove(&error.id()) else { return };
                if let Some(slot) = self.slots.get_mut(&id) {
                    slot.running = None;
                }
                self.plan(&id, (0, 1));
            }
        }
    }

    pub(super) async fn settle(&mut self, ran: Ran) {
        let Ran { number, target, due, outcome } = ran;
        if outcome.timings.tcp.is_some() || outcome.http_status.is_some() {
            self.witness.reached(&target.provider);
        }
        (self.listener)(Event::Finished(Arc::clone(&outcome)));
        self.metrics.observe(&outcome, outcome.timings.queued);
        let code = outcome.diagnosis.as_ref().map(|diagnosis| diagnosis.code);
        let interrupted = code == Some(Code::Interrupted);
        self.interrupted += usize::from(interrupted);
        if code.is_some_and(|code| code.class() == Class::Unauthorized) {
            self.doubt_key(&target);
        }
        let upkeep = match self.maintenance.iter().any(|window| window.covers(&target, outcome.started)) {
            true => Upkeep::Maintained,
            false => Upkeep::None,
        };
        let mut entry = Entry {
            record: Record::of(&outcome),
            at: outcome.started,
            counts: upkeep == Upkeep::None,
            standing: None,
            past: None,
            learned: None,
            flip: None,
        };
        self.saw_uses(&outcome);
        let current = |slot: &&mut Slot| slot.running == Some(number);
        if let Some(slot) = self.slots.get_mut(&target.id).filter(current) {
            slot.running = None;
            if Slot::is_same_llm(&slot.target, &target) {
                let began = due.at.max(outcome.started);
                if !interrupted {
                    // One that began late counts for when it was due: the next is an interval after that.
                    slot.ran(&outcome, began);
                }
                let seen = Seen::of(&outcome, ended(&outcome));
                let flip = slot.standing.observe(&seen, self.damping, upkeep);
                entry.standing = serde_json::to_string(&slot.standing).ok();
                entry.flip = flip.clone();
                self.announce(&target, &seen, flip);
                entry.learned = self.learn(&target.id, &outcome, began);
                let wall = self.clock.wall();
                entry.past = self.slots.get(&target.id).and_then(|slot| {
                    // Numbers and words: this cannot fail.
                    serde_json::to_string(&Remembered::of(slot, wall)).ok()
                });
            }
        }
        self.tell_beside(&outcome, entry.learned.as_ref());
        if let Some(writer) = &self.writer {
            writer.submit(entry).await;
        }
        self.plan(&target.id, (0, 1));
        self.show(&target.id);
    }

    fn announce(&mut self, target: &Target, seen: &Seen, flip: Option<Flip>) {
        let notices = match self.outages.get_mut(&target.provider.id) {
            Some(outage) => outage.observe(seen, flip),
            None => Vec::new(),
        };
        for notice in notices {
            (self.listener)(Event::Told(notice));
        }
    }

    /// Has a key read again that was refused: it may have been replaced.
    fn doubt_key(&mut self, target: &Target) {
        let provider = Arc::clone(&target.provider);
        if !self.keys.doubt(&provider.id, self.clock.now()) {
            return;
        }
        let (source, news) = (self.source.clone(), self.news.0.clone());
        tokio::task::spawn_blocking(move || {
            // Nobody listens only when the daemon is ending.
            let keys = source.key(&provider).unwrap_or_default();
            news.send(News::Keys(provider, keys)).ok();
        });
    }

    /// Ends pauses outside the times at which a target is kept warm: nothing is withheld then.
    pub(super) fn end_pauses(&mut self, wall: Timestamp) {
        let over = |slot: &Slot| slot.timetable.as_ref().is_none_or(|timetable| !timetable.warms_at(wall));
        let paused = self.slots.iter_mut().filter(|(_, slot)| slot.pause.is_some() && slot.running.is_none());
        let ended: Vec<TargetId> = paused
            .filter(|(_, slot)| over(slot))
            .map(|(id, slot)| {
                slot.pause = None;
                id.clone()
            })
            .collect();
        for id in ended {
            self.show(&id);
        }
    }

    /// Shows how a target stands.
    pub(super) fn show(&self, id: &TargetId) {
        let Some(slot) = self.slots.get(id) else { return };
        self.metrics.standing(&slot.target, slot.standing.status(), slot.standing.since());
        let row = slot.row(self.clock.wall());
        self.metrics.paused(id, row.paused.as_deref());
        self.board.put(row);
    }

    /// Tells when the store begins to fail, and when it is over.
    pub(super) fn watch_store(&mut self) {
        let Some(writer) = &self.writer else { return };
        let health = writer.health().borrow().clone();
        self.metrics.store(health.pending, health.dropped, self.store_failures, self.store_bytes);
        let trouble = self.treasury.trouble().map(|trouble| format!("failed to {trouble}"));
        let failing = !health.ok || trouble.is_some();
        if failing != std::mem::replace(&mut self.store_failing, failing) {
            self.store_failures += u64::from(failing);
            self.tell(if failing {
                let error = if health.ok { trouble } else { health.last_error };
                Service::StoreFailing { error: error.unwrap_or_default() }
            } else {
                Service::StoreRecovered { dropped: health.dropped }
            });
        }
    }
}
