//! One pass from a timer: what is due by its schedule is probed, with the memory of a daemon.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;

use super::life::Daemon;
use super::parts::Signal;
use super::shared::HeldBack;
use super::slot::Slot;
use crate::outcome::{Outcome, RunId, Service, Status};
use crate::plan::{AUTO, CronBook, Due, Past, TargetSchedule, Timetable, Why};
use crate::target::{Depth, Target, TargetId};

/// The pause between two starts: in one burst, our own queueing would be in every first-token time.
const BETWEEN_STARTS: Duration = Duration::from_micros(800);

/// What a pass led to.
#[derive(Debug)]
pub struct Once {
    /// The outcomes, by the target's name.
    pub outcomes: Vec<Arc<Outcome>>,
    /// How the target of each stands after it, in the same order.
    pub statuses: Vec<Status>,
    /// When the next probe is due, where nothing was.
    pub next: Option<Timestamp>,
    /// What asked it to end before its end.
    pub stopped: Option<Signal>,
}

/// Whom a pass is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// Whoever is due by its schedule.
    Due,
    /// Everybody.
    All,
}

impl Daemon {
    /// Probes whoever is wanted, remembers what was found, and ends.
    pub async fn once(mut self, run_id: &RunId, wanted: Wanted, mut signals: mpsc::UnboundedReceiver<Signal>) -> Once {
        self.treasury.wait_for_turns();
        // `--now` probes at the target's own depth, and the next pass may again.
        self.slots.values_mut().for_each(|slot| slot.forget_other_depths(Some(slot.target.depth)));
        let wall = self.clock.wall();
        let mut due: Vec<(TargetId, Due)> = Vec::new();
        let mut next: Option<Timestamp> = None;
        for (id, slot) in &self.slots {
            match due_by(slot, wall, wanted) {
                Some(one) => due.push((id.clone(), one)),
                None => {
                    let at = slot.due.as_ref().map(|due| due.at);
                    next = [next, at].into_iter().flatten().min();
                }
            }
        }
        due.sort_by(|(one, _), (other, _)| one.cmp(other));
        let mut held = match wanted {
            Wanted::Due => self.hold_back(&mut due),
            Wanted::All => HeldBack::default(),
        };
        let mut outcomes: Vec<Arc<Outcome>> = Vec::with_capacity(due.len());
        let mut start = self.clock.now();
        for (id, due) in due {
            self.begin(&id, due, start, run_id.clone());
            start += BETWEEN_STARTS;
        }
        let mut stopped = None;
        loop {
            tokio::select! {
                biased;
                Some(signal) = signals.recv() => if signal != Signal::Reload {
                    stopped.get_or_insert(signal);
                    self.hurry();
                },
                joined = self.running.join_next_with_id() => {
                    let Some(joined) = joined else { break };
                    let outcome = joined.as_ref().ok().map(|(_, ran)| Arc::clone(&ran.outcome));
                    self.joined(joined).await;
                    let Some(outcome) = outcome else { continue };
                    let target = Arc::clone(&outcome.target);
                    let id = target.id.clone();
                    let warmed = outcome.depth == Depth::Warm;
                    // The second of a first contact says how fast a warm reply is; its outcome stands for both.
                    outcomes.retain(|before| before.target.id != id);
                    outcomes.push(outcome);
                    if wanted == Wanted::All || !warmed || stopped.is_some() {
                        continue;
                    }
                    if self.is_wanted_again(&id) {
                        let wall = self.clock.wall();
                        let due = Due { at: wall, depth: Depth::Warm, why: Why::Schedule, missed: 0 };
                        self.begin(&id, due, self.clock.now(), run_id.clone());
                    } else {
                        self.go_on(&mut held, &target, run_id).await;
                    }
                }
            }
        }
        if let Some(writer) = &self.writer
            && let Err(error) = writer.store().sweep(self.retention, self.clock.wall()).await
        {
            self.tell(Service::StoreFailing { error: error.to_string() });
        }
        self.close().await;
        outcomes.sort_by(|one, other| one.target.id.cmp(&other.target.id));
        let status = |outcome: &Arc<Outcome>| self.slots.get(&outcome.target.id).map(|slot| slot.standing.status());
        let statuses = outcomes.iter().map(|outcome| status(outcome).unwrap_or(Status::Unknown)).collect();
        Once { outcomes, statuses, next, stopped }
    }

    /// Begins what waited for a target to warm its LLM, where that was in vain. Those that need it no more keep what they
    /// were told.
    async fn go_on(&mut self, held: &mut HeldBack, target: &Target, run_id: &RunId) {
        while let Some(id) = held.next(target) {
            let wall = self.clock.wall();
            match self.slots.get(&id).and_then(|slot| due_by(slot, wall, Wanted::Due)) {
                Some(due) => {
                    self.begin(&id, due, self.clock.now(), run_id.clone());
                    if due.depth == Depth::Warm {
                        return;
                    }
                }
                // It has no outcome of its own with which that would be written, and the process is about to end.
                None => {
                    if let Some(saving) = self.save(&id) {
                        saving.await;
                    }
                }
            }
        }
    }
}

/// What a target owes by now: the deepest probe that its schedule has had due since its last. One that was never probed
/// owes whatever its schedule allows at this moment.
fn due_by(slot: &Slot, wall: Timestamp, wanted: Wanted) -> Option<Due> {
    /// Longer ago than any interval.
    const LONG_AGO: SignedDuration = SignedDuration::from_hours(8 * 24);
    let one = |depth| Some(Due { at: wall, depth, why: Why::Schedule, missed: 0 });
    if wanted == Wanted::All {
        return one(slot.target.depth);
    }
    let schedule = slot.schedule.as_ref()?;
    let mut book = CronBook::default();
    let mut timetable = |schedule| Timetable::new(&schedule, slot.target.expect.cold_start, AUTO, &mut book).ok();
    let last = |ran: Option<Timestamp>| {
        ran.filter(|ran| *ran <= wall).unwrap_or_else(|| wall.saturating_sub(LONG_AGO).unwrap_or(wall))
    };
    // What has not come yet was noted by a clock that has been set back. Each pass asks anew, so it was long ago, not now.
    let learned = slot.past.learned.map(|learned| learned.set_back(wall, last(None)));
    let past = Past { auth: Some(last(slot.past.auth)), warm: Some(last(slot.past.warm)), learned, ..slot.past };
    // A warm-up is owed only while its window is open, so it is asked for at this moment; a check at any time.
    if schedule.warm.is_some()
        && let Some(timetable) = timetable(TargetSchedule { auth: None, ..schedule.clone() })
        && timetable.next(wall, &past).is_some_and(|due| due.at <= wall)
    {
        return one(Depth::Warm);
    }
    if schedule.auth.is_some()
        && let Some(timetable) = timetable(TargetSchedule { warm: None, ..schedule.clone() })
        && timetable.next(last(slot.past.auth), &Past { warm: None, ..past }).is_some_and(|due| due.at <= wall)
    {
        return one(Depth::Auth);
    }
    None
}
