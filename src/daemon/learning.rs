//! What warm-ups teach, as the daemon goes about it: learners are set up with the configuration, told of outcomes and of
//! users, and asked when their target is due.

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use super::learner::{Learner, keeper_settings, llm};
use super::life::Daemon;
use super::reload::News;
use super::scale::TimeScale;
use super::settle::Memory;
use super::slot::{Remembered, Slot};
use super::turns::Found;
use crate::outcome::{Outcome, Service};
use crate::quota::whose;
use crate::store::{Learned, Observed, StateKind, Writer, all_touched, touched};
use crate::target::TargetId;
use crate::warmth::Hours;

impl Slot {
    /// Sets up what is to be learned of it, as its schedule says; what was learned goes on.
    pub(super) fn prepare(&mut self, memory: &Memory, scale: TimeScale, wall: Timestamp) {
        let Some(settings) = keeper_settings(&self.target, self.schedule.as_ref()) else {
            (self.learner, self.past.learned) = (None, None);
            return;
        };
        let before = self.learner.take();
        let kept = before.as_ref().map(|learner| learner.kept(&self.target));
        let fruitless = self.past.learned.and_then(|learned| learned.fruitless);
        self.learner = Some(match before {
            Some(learner) if learner.has(settings) => learner,
            _ => {
                let kept = kept.or_else(|| memory.learned(&self.target).map(str::to_owned));
                Learner::restore(settings, scale, kept.as_deref(), memory.observations(&self.target), fruitless)
            }
        });
        self.past.learned = self.learner.as_ref().and_then(|learner| learner.learned(wall));
    }

    /// Takes in an outcome; what is to be kept of it.
    fn learn(&mut self, outcome: &Outcome, began: Timestamp, now: Instant, wall: Timestamp) -> Option<Learned> {
        let inside = self.timetable.as_ref().is_some_and(|timetable| timetable.warms_at(outcome.started));
        let hours = if inside { Hours::Inside } else { Hours::Outside };
        let learner = self.learner.as_mut()?;
        let observation = learner.ran(outcome, began, now, hours);
        self.past.learned = learner.learned(wall);
        let observed = observation.map(|observation| Observed { llm: llm(&self.target), observation });
        Some(Learned { kept: learner.kept(&self.target), observed })
    }
}

impl Daemon {
    /// Takes in what an outcome teaches of its own target.
    pub(super) fn learn(&mut self, id: &TargetId, outcome: &Outcome, began: Timestamp) -> Option<Learned> {
        let (now, wall) = (self.clock.now(), self.clock.wall());
        let slot = self.slots.get_mut(id)?;
        let learned = slot.learn(outcome, began, now, wall)?;
        if let Some(found) = learned.observed.as_ref().and_then(|seen| Learner::found(outcome, &seen.observation)) {
            self.make_way(id, found, wall);
        }
        let slot = self.slots.get_mut(id)?;
        let learner = slot.learner.as_mut()?;
        let (state, says) = (learner.new_state(wall), learner.says(wall));
        if let Some(state) = state {
            self.tell(Service::Learned { target: id.clone(), state, says });
        }
        Some(learned)
    }

    /// Takes in uses of the provider's account that were not ours. The price may tell whose they were.
    pub(super) fn saw_uses(&mut self, outcome: &Outcome) {
        let provider = &outcome.target.provider.id;
        for use_of_account in &outcome.used {
            let own = || self.slots.values().filter(|slot| slot.target.provider.id == *provider);
            let prices: Vec<_> = own().map(|slot| (&slot.target.model, slot.price)).collect();
            let model = whose(use_of_account.requests, &prices).cloned();
            let ids: Vec<TargetId> = own().map(|slot| slot.target.id.clone()).collect();
            for id in ids {
                let Some(slot) = self.slots.get_mut(&id) else { continue };
                let Some(learner) = &mut slot.learner else { continue };
                match &model {
                    Some(model) if *model == slot.target.model => {
                        learner.used(outcome.started, use_of_account.since);
                        self.used(&id);
                    }
                    Some(_) => {}
                    None => learner.somebody_used_some(),
                }
            }
        }
    }

    /// Whether another warm-up of a target is wanted at once: it was the first contact.
    pub(super) fn is_wanted_again(&self, id: &TargetId) -> bool {
        let slot = self.slots.get(id);
        slot.and_then(|slot| slot.learner.as_ref()).is_some_and(Learner::wants_again)
    }

    /// Has the state directory looked at for uses that users' own tools tell of; the news of it come later.
    pub(super) fn look_at_touches(&self) {
        let learns = self.slots.values().any(|slot| slot.learner.is_some());
        let Some(store) = self.writer.as_ref().map(Writer::store).filter(|_| learns) else { return };
        let (directory, news) = (store.directory().to_owned(), self.news.0.clone());
        // Nobody listens only when the daemon is ending.
        tokio::task::spawn_blocking(move || news.send(News::Touched(all_touched(&directory))).ok());
    }

    /// Takes in what was told before the daemon began.
    pub(super) async fn recall_touches(&mut self) {
        let Some(writer) = &self.writer else { return };
        let directory = writer.store().directory().to_owned();
        let look = move || all_touched(&directory);
        self.touched(tokio::task::spawn_blocking(look).await.unwrap_or_default());
    }

    /// Takes in uses that users' own tools told of.
    pub(super) fn touched(&mut self, touches: Vec<(String, Timestamp)>) {
        for (name, at) in touches {
            // A file with a name that no target can have is not ours.
            let Ok(id) = TargetId::new(&name) else { continue };
            self.touch(&id, at);
        }
    }

    /// Takes in one; `false` where it was no news.
    fn touch(&mut self, id: &TargetId, at: Timestamp) -> bool {
        let wall = self.clock.wall();
        let learner = self.slots.get_mut(id).and_then(|slot| slot.learner.as_mut());
        let is_news = learner.is_some_and(|learner| learner.told(at, wall));
        if is_news {
            self.used(id);
        }
        is_news
    }

    /// Whether a warm-up that is due need not be made yet: a user's tool has told of a use since it was planned.
    pub(super) fn is_put_off(&mut self, id: &TargetId) -> bool {
        let Some(slot) = self.slots.get_mut(id).filter(|slot| slot.learner.is_some()) else { return false };
        let Some(store) = self.writer.as_ref().map(Writer::store) else { return false };
        let Some(at) = touched(store.directory(), id) else { return false };
        // Its alarm has gone off, so it has to be planned anew.
        let alarm = slot.alarm.take();
        if self.touch(id, at) {
            return true;
        }
        if let Some(slot) = self.slots.get_mut(id) {
            slot.alarm = alarm;
        }
        false
    }

    /// Has one of two targets left alone whose LLMs push each other out of their server's memory: the one that was used
    /// longer ago.
    fn make_way(&mut self, id: &TargetId, found: Found, wall: Timestamp) {
        let Some(provider) = self.slots.get(id).map(|slot| slot.target.provider.id.clone()) else { return };
        let Some(rival) = self.turns.entry(provider).or_default().warmed(id, found) else { return };
        let used = |id: &TargetId| {
            let slot = self.slots.get(id);
            slot.and_then(|slot| slot.learner.as_ref()).and_then(Learner::last_used).map(|at| at.seconds())
        };
        let (way, stays) = if used(id) < used(&rival) { (id.clone(), rival) } else { (rival, id.clone()) };
        let Some(slot) = self.slots.get_mut(&way) else { return };
        let Some(learner) = &mut slot.learner else { return };
        learner.yield_to(stays, wall);
        slot.past.learned = learner.learned(wall);
        self.used(&way);
    }

    /// Computes anew when a target is due, after a use was seen, and keeps that.
    fn used(&mut self, id: &TargetId) {
        let wall = self.clock.wall();
        let Some(slot) = self.slots.get_mut(id) else { return };
        let Some(learner) = &mut slot.learner else { return };
        slot.past.learned = learner.learned(wall);
        let (state, says) = (learner.new_state(wall), learner.says(wall));
        let kept = learner.kept(&slot.target);
        let past = serde_json::to_string(&Remembered::of(slot, wall)).unwrap_or_default();
        if let Some(state) = state {
            self.tell(Service::Learned { target: id.clone(), state, says });
        }
        if let Some(store) = self.writer.as_ref().map(|writer| Arc::clone(writer.store())) {
            let id = id.clone();
            // What cannot be kept is told when the next outcome cannot be.
            tokio::spawn(async move {
                store.put_state(StateKind::Learned, id.as_str(), &kept).await.ok();
                store.put_state(StateKind::Past, id.as_str(), &past).await.ok();
            });
        }
        self.plan(id, (0, 1));
        self.show(id);
    }
}
