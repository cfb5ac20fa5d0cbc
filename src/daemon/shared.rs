//! LLMs that several targets name, as two accounts of one server: whatever is known of the LLM all of them are told, and one of
//! them warms it for all. They take turns, so that each is probed.

use std::collections::{HashMap, HashSet, VecDeque};

use jiff::Timestamp;

use super::kept::{llm, share_llm};
use super::life::Daemon;
use super::reply::touch;
use super::slot::Slot;
use crate::outcome::Outcome;
use crate::plan::{AUTO, Due};
use crate::store::Learned;
use crate::target::{Depth, Target, TargetId};

/// Targets that wait in a pass for another that warms the same LLM, in the order in which they would.
#[derive(Debug, Default)]
pub(super) struct HeldBack(HashMap<String, VecDeque<TargetId>>);

impl HeldBack {
    /// The next that waits for a target's LLM.
    pub(super) fn next(&mut self, target: &Target) -> Option<TargetId> {
        self.0.get_mut(&llm(target)).and_then(VecDeque::pop_front)
    }
}

impl Slot {
    /// Whether a warm-up is under way whose end its learner waits for.
    fn is_warming(&self) -> bool {
        self.running.is_some() && self.learner.as_ref().is_some_and(super::learner::Learner::is_under_way)
    }
}

impl Daemon {
    /// Those of a target's LLM that learn of it.
    pub(super) fn sharing(&self, target: &Target) -> Vec<TargetId> {
        let sharing = |slot: &&Slot| slot.learner.is_some() && share_llm(&slot.target, target);
        self.slots.values().filter(sharing).map(|slot| slot.target.id.clone()).collect()
    }

    /// The others of them.
    fn beside(&self, target: &Target) -> Vec<TargetId> {
        let mut others = self.sharing(target);
        others.retain(|id| *id != target.id);
        others
    }

    /// Takes out of what is due in a pass the warm-ups for which another of the same LLM may stand. The one that was warmed
    /// the longest time ago goes first.
    pub(super) fn hold_back(&self, due: &mut Vec<(TargetId, Due)>) -> HeldBack {
        let learns = |id: &TargetId| self.slots.get(id).filter(|slot| slot.learner.is_some());
        let mut warm: Vec<(&TargetId, &Slot)> = due
            .iter()
            .filter(|(_, due)| due.depth == Depth::Warm)
            .filter_map(|(id, _)| Some((id, learns(id)?)))
            .collect();
        warm.sort_by_key(|(_, slot)| slot.past.warm);
        let mut held: HashMap<String, VecDeque<TargetId>> = HashMap::new();
        for (id, slot) in warm {
            held.entry(llm(&slot.target)).or_default().push_back(id.clone());
        }
        held.values_mut().for_each(|group| drop(group.pop_front()));
        let waiting: HashSet<&TargetId> = held.values().flatten().collect();
        due.retain(|(id, _)| !waiting.contains(id));
        HeldBack(held)
    }

    /// Takes in for other targets of the same LLM what a probe has taught, or that it has warmed it.
    pub(super) fn tell_beside(&mut self, outcome: &Outcome, learned: Option<&Learned>) {
        let taught = learned.and_then(|learned| learned.observed.as_ref()).map(|observed| observed.observation);
        let Some(at) = touch(outcome) else { return self.plan_beside(&outcome.target) };
        let now = self.clock.now();
        for id in self.beside(&outcome.target) {
            if let Some(learner) = self.slots.get_mut(&id).and_then(|slot| slot.learner.as_mut()) {
                learner.warmed_beside(at, taught.as_ref(), now);
                self.used(&id);
            }
        }
    }

    /// Plans those anew that may have waited for this one in vain.
    fn plan_beside(&mut self, target: &Target) {
        for id in self.beside(target) {
            self.plan(&id, (0, 1));
        }
    }

    /// Whether another target warms the same LLM at this moment, or is about to and has waited longer.
    pub(super) fn is_left_to_another(&mut self, id: &TargetId, wall: Timestamp) -> bool {
        let Some(slot) = self.slots.get(id).filter(|slot| slot.learner.is_some()) else { return false };
        let (warmed, gap) = (slot.past.warm, slot.past.learned.and_then(|learned| learned.gap));
        let soon = wall.saturating_add(gap.unwrap_or_default() / 4).unwrap_or(wall);
        let others = self.beside(&slot.target.clone());
        let find = |id: &TargetId| self.slots.get(id);
        let warms = others.iter().filter_map(find).any(Slot::is_warming);
        let waits = |slot: &&Slot| {
            let due = slot.due.filter(|due| due.depth == Depth::Warm && due.at <= soon);
            slot.running.is_none() && slot.alarm.is_some() && due.is_some() && slot.past.warm < warmed
        };
        let next = others.iter().filter_map(find).filter(waits).min_by_key(|slot| slot.past.warm);
        let next = next.filter(|_| !warms).map(|slot| slot.target.id.clone());
        if !warms && next.is_none() {
            return false;
        }
        let now = self.clock.now();
        // When the other is through, this one is planned anew; this is for the case that it is taken away before.
        let later = now + self.time_scale.shrink(AUTO);
        for (id, at) in [(Some(id.clone()), later), (next, now)] {
            let Some((id, slot)) = id.and_then(|id| Some((id.clone(), self.slots.get_mut(&id)?))) else { continue };
            slot.alarm = Some(at);
            self.trigger.arm(id, at);
        }
        true
    }
}
