//! What warm-ups teach, as the daemon goes about it: learners are set up with the configuration, told of outcomes and of
//! users, and asked when their target is due. Whatever is known of an LLM's uses, all targets that name it are told.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::kept::{keeper_settings, llm, share_llm};
use super::learner::{Learner, Yields};
use super::life::Daemon;
use super::reload::News;
use super::scale::TimeScale;
use super::settle::Memory;
use super::slot::{Remembered, Slot};
use super::turns::{Find, Verdict};
use crate::outcome::{Counter, Outcome, Service};
use crate::quota::whose;
use crate::store::{Learned, Observed, StateKind, Writer, all_touched, touched};
use crate::target::{Depth, Target, TargetId};
use crate::warmth::Hours;

/// A warm-up whose time is further away than this is not due yet, whatever its alarm says.
const NOT_YET: SignedDuration = SignedDuration::from_millis(500);

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
        let stored = memory.learned(&self.target);
        self.learner = Some(match before {
            Some(learner) if learner.has(settings) => learner,
            before => {
                let kept = kept.as_deref().or(stored);
                let history = memory.observations(&self.target);
                let mut learner = Learner::restore(settings, scale, kept, history, fruitless);
                if before.is_none() {
                    // A schedule of another kind may have warmed it since, and did not tell what it found.
                    if let Some(warmed) = self.past.warm.filter(|warm| fruitless.is_none_or(|at| at < *warm)) {
                        learner.was_warmed(warmed);
                    }
                    if stored.is_none() && memory.named_another(&self.target) {
                        learner.begins(wall);
                    }
                }
                learner
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
        let taught = slot.learner.as_ref().zip(learned.observed.as_ref());
        if let Some(find) = taught.and_then(|(learner, seen)| learner.found(outcome, &seen.observation)) {
            self.make_way(id, find, wall);
        }
        self.reckon_stakes(id);
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
        let own = || self.slots.values().filter(|slot| slot.target.provider.id == *provider);
        let prices: Vec<_> = own().map(|slot| (&slot.target.model, slot.price)).collect();
        let mut of_some = outcome.used.counter == Counter::Moved && outcome.used.seen.is_empty();
        let mut used: Vec<(Arc<Target>, Duration)> = Vec::new();
        for seen in &outcome.used.seen {
            let model = whose(seen.requests, &prices);
            let target = model.and_then(|model| own().find(|slot| slot.target.model == *model));
            match target {
                Some(slot) => used.push((Arc::clone(&slot.target), seen.since)),
                None => of_some = true,
            }
        }
        for (target, since) in used {
            for id in self.sharing(&target) {
                if let Some(learner) = self.slots.get_mut(&id).and_then(|slot| slot.learner.as_mut()) {
                    learner.used(outcome.started, since);
                    self.used(&id);
                }
            }
        }
        let counter = match outcome.used.counter {
            Counter::Moved if !of_some => Counter::Still,
            counter => counter,
        };
        let all = self.slots.values_mut().filter(|slot| slot.target.provider.id == *provider);
        all.filter_map(|slot| slot.learner.as_mut()).for_each(|learner| learner.counted(counter));
    }

    /// Whether another warm-up of a target is wanted at once: it was the first contact.
    pub(super) fn is_wanted_again(&self, id: &TargetId) -> bool {
        let slot = self.slots.get(id);
        slot.and_then(|slot| slot.learner.as_ref()).is_some_and(Learner::wants_again)
    }

    /// Has the state directory looked at for uses that users' own tools tell of; the news of it come later.
    pub(super) fn look_at_touches(&mut self) {
        let learns = self.slots.values().any(|slot| slot.learner.is_some());
        let Some(store) = self.writer.as_ref().map(Writer::store).filter(|_| learns) else { return };
        let (directory, news) = (store.directory().to_owned(), self.news.0.clone());
        // Nobody listens only when the daemon is ending. A folder that hangs is not looked at twice.
        self.looking.send(move || drop(news.send(News::Touched(all_touched(&directory)))));
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

    /// Takes in one, for all targets of its LLM; for whom it was news.
    fn touch(&mut self, id: &TargetId, at: Timestamp) -> Vec<TargetId> {
        let wall = self.clock.wall();
        let Some(slot) = self.slots.get(id) else { return Vec::new() };
        // What it was told, the others were told with it.
        if slot.learner.as_ref().is_some_and(|learner| learner.was_told(at, wall)) {
            return Vec::new();
        }
        let target = Arc::clone(&slot.target);
        let mut news = Vec::new();
        for id in self.sharing(&target) {
            let learner = self.slots.get_mut(&id).and_then(|slot| slot.learner.as_mut());
            if learner.is_some_and(|learner| learner.told(at, wall)) {
                self.used(&id);
                news.push(id);
            }
        }
        news
    }

    /// Whether a warm-up that is due need not be made yet: a user's tool has told of a use since it was planned.
    pub(super) fn is_put_off(&mut self, id: &TargetId) -> bool {
        let Some(slot) = self.slots.get_mut(id).filter(|slot| slot.learner.is_some()) else { return false };
        let Some(store) = self.writer.as_ref().map(Writer::store) else { return false };
        // Its alarm has gone off, so it has to be planned anew.
        let (alarm, target) = (slot.alarm.take(), Arc::clone(&slot.target));
        let directory = store.directory().to_owned();
        let names = self.slots.values().filter(|slot| share_llm(&slot.target, &target));
        let names: Vec<TargetId> = names.map(|slot| slot.target.id.clone()).collect();
        let mut news = Vec::new();
        for name in names {
            if let Some(at) = touched(&directory, &name) {
                news.extend(self.touch(&name, at));
            }
        }
        if news.contains(id) {
            return true;
        }
        let Some(slot) = self.slots.get_mut(id) else { return false };
        // It may have been told of between its planning and its alarm.
        let wall = self.clock.wall();
        let next = slot.timetable.as_ref().and_then(|timetable| timetable.next(wall, &slot.past));
        let is_due = next.is_some_and(|next| next.depth == Depth::Warm && next.at.duration_since(wall) <= NOT_YET);
        let known = slot.past.learned.is_some_and(|learned| learned.gap.is_some());
        if known && !is_due && slot.resumes(wall).is_none() {
            self.plan(id, (0, 1));
            return true;
        }
        slot.alarm = alarm;
        false
    }

    /// Has one of two targets left alone whose LLMs push each other out of their server's memory, or may: the one that was
    /// used longer ago.
    fn make_way(&mut self, id: &TargetId, find: Find, wall: Timestamp) {
        let Some(provider) = self.slots.get(id).map(|slot| slot.target.provider.id.clone()) else { return };
        let (rival, why) = match self.turns.entry(provider).or_default().warmed(id, find) {
            None => return,
            Some(Verdict::Suspected(rival)) => (rival, Yields::ToSee),
            Some(Verdict::Sure(rival)) => (rival, Yields::Surely),
        };
        let used = |id: &TargetId| {
            let slot = self.slots.get(id);
            slot.and_then(|slot| slot.learner.as_ref()).and_then(Learner::last_used).map(|at| at.seconds())
        };
        let (way, stays) = if used(id) < used(&rival) { (id.clone(), rival) } else { (rival, id.clone()) };
        let learner = |slot: &mut Slot| slot.learner.as_mut().map(Learner::stay);
        self.slots.get_mut(&stays).and_then(learner);
        let Some(learner) = self.slots.get_mut(&way).and_then(|slot| slot.learner.as_mut()) else { return };
        learner.yield_to(stays, why, wall);
        self.used(&way);
    }

    /// Computes anew when a target is due, after a use was seen, and keeps that.
    pub(super) fn used(&mut self, id: &TargetId) {
        let wall = self.clock.wall();
        let Some(slot) = self.slots.get_mut(id) else { return };
        let Some(learner) = &mut slot.learner else { return };
        slot.past.learned = learner.learned(wall);
        let (state, says) = (learner.new_state(wall), learner.says(wall));
        if let Some(state) = state {
            self.tell(Service::Learned { target: id.clone(), state, says });
        }
        if let Some(saving) = self.save(id) {
            tokio::spawn(saving);
        }
        self.plan(id, (0, 1));
        self.show(id);
    }

    /// Writes what is remembered of a target by now, as others have told it.
    pub(super) fn save(&self, id: &TargetId) -> Option<impl Future<Output = ()> + Send + use<>> {
        let slot = self.slots.get(id)?;
        let kept = slot.learner.as_ref()?.kept(&slot.target);
        let past = serde_json::to_string(&Remembered::of(slot, self.clock.wall())).unwrap_or_default();
        let store = Arc::clone(self.writer.as_ref()?.store());
        let id = id.clone();
        // What cannot be kept is told when the next outcome cannot be.
        Some(async move {
            store.put_state(StateKind::Learned, id.as_str(), &kept).await.ok();
            store.put_state(StateKind::Past, id.as_str(), &past).await.ok();
        })
    }
}
