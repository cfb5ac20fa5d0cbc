//! The life of the daemon: start, alarms, reload, drain, end.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::sync::{mpsc, watch};
use tokio::task::{self, JoinSet};
use tokio::time::MissedTickBehavior;

use super::board::{Board, Phase};
use super::drift::{Drift, Step};
use super::errand::Errand;
use super::keys::Keys;
use super::manager::Manager;
use super::parts::{DaemonError, Ended, Pace, Parts, Signal};
use super::reload::{News, Watch};
use super::scale::TimeScale;
use super::settle::{Memory, Ran};
use super::slot::{Slot, instant_of, spread};
use super::source::{Looks, Source};
use super::stakes::Stakes;
use super::trigger::{Alarm, Trigger};
use super::turns::Turns;
use super::witness::Asking;
use crate::outcome::{Damping, Event, Outage, RunId, Service};
use crate::plan::{Due, Maintenance, RetryPolicy, Why};
use crate::probe::Job;
use crate::probe::clock::Clock;
use crate::quota::{Ledgers, MemoryLedgers, Spending};
use crate::run::{Chance, Listener, Runner, Stop, Treasury, run_id};
use crate::store::{LedgerFiles, Retention, Store, Writer};
use crate::target::{Depth, ProviderId, TargetId};
use crate::telemetry::Metrics;

/// How often the daemon looks after itself: the clocks, the trigger's pulse, the watchdog.
const TICK: Duration = Duration::from_secs(1);
/// How often old history is swept out.
const SWEEP: Duration = Duration::from_secs(3_600);
/// How often the size of the store is looked at.
const MEASURE: Duration = Duration::from_secs(30);

/// A daemon.
pub struct Daemon {
    pub(super) source: Source,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) chance: Arc<Chance>,
    pub(super) listener: Listener,
    pub(super) runner: Arc<Runner>,
    pub(super) treasury: Arc<Treasury>,
    pub(super) manager: Manager,
    pub(super) board: Arc<Board>,
    pub(super) metrics: Metrics,
    pub(super) pace: Pace,
    pub(super) time_scale: TimeScale,

    pub(super) damping: Damping,
    pub(super) maintenance: Vec<Maintenance>,
    pub(super) retention: Retention,
    pub(super) slots: HashMap<TargetId, Slot>,
    pub(super) outages: HashMap<ProviderId, Outage>,
    /// Who pushes whom out of memory, at each provider.
    pub(super) turns: HashMap<ProviderId, Turns>,
    pub(super) stakes: Stakes,
    /// The look at what users' tools tell.
    pub(super) looking: Errand,
    pub(super) keys: Keys,
    pub(super) witness: Arc<Asking>,
    pub(super) writer: Option<Writer>,
    /// Whether the store was failing when it was last looked at.
    pub(super) store_failing: bool,
    /// How often it began to fail.
    pub(super) store_failures: u64,

    /// How large it is, in bytes, as it was last measured.
    pub(super) store_bytes: Option<u64>,
    measured: Instant,
    /// What the configuration's files looked like before they were read.
    looks: Vec<Looks>,
    /// Whose probe each task is.
    pub(super) tasks: HashMap<task::Id, TargetId>,
    /// How many probes were begun.
    numbers: u64,

    pub(super) trigger: Trigger,
    alarms: mpsc::UnboundedReceiver<Alarm>,
    pub(super) running: JoinSet<Ran>,
    pub(super) stop: watch::Sender<Stop>,
    pub(super) news: (mpsc::UnboundedSender<News>, mpsc::UnboundedReceiver<News>),
    pub(super) loading: Watch,
    drift: Drift,
    swept: Instant,
    pulse: super::trigger::Pulse,
    pub(super) missed: u64,
    pub(super) interrupted: usize,
    /// When it was asked to end, and until when it waits.
    pub(super) draining: Option<Instant>,
}

impl Daemon {
    /// Reads the configuration and the store, and arms every target.
    ///
    /// # Errors
    /// When the configuration has mistakes, or the store cannot be opened.
    pub async fn start(parts: Parts) -> Result<Self, DaemonError> {
        let Parts { source, network, clock, chance, listener, state, manager, board, metrics, pace, time_scale } =
            parts;
        // Before it is read, so that no change is overlooked.
        let looks = source.look().await;
        let loaded = source.load_elsewhere().await?;
        let mut writer = None;
        let mut remembered = Memory::default();
        if let Some(directory) = &state {
            let store = Store::open(directory, pace.store, clock.wall()).await?;
            if let Some(path) = &store.opened().set_aside {
                listener(Event::Service(Service::StoreSetAside { path: path.display().to_string() }));
            }
            remembered = Memory::read(&store).await;
            writer = Some(Writer::start(store));
        }
        let ledgers: Arc<dyn Ledgers> = match state {
            Some(directory) => Arc::new(LedgerFiles::new(directory)),
            None => Arc::new(MemoryLedgers::default()),
        };
        let treasury = Arc::new(Treasury::new(Spending::Scheduled, Arc::clone(&clock), ledgers));
        let (trigger, alarms) = Trigger::start(loaded.targets.len(), Arc::clone(&clock))
            .await
            .map_err(|error| DaemonError::Scheduler(error.to_string()))?;
        let (now, wall) = (clock.now(), clock.wall());
        let witness = Asking::new(loaded.config.witness.clone(), Arc::clone(&clock));
        let mut daemon = Self {
            loading: Watch::default(),
            runner: Arc::new(Runner::new(
                network,
                Arc::clone(&clock),
                Arc::clone(&chance),
                RetryPolicy::default(),
                Arc::clone(&treasury),
            )),
            treasury,
            source,
            chance,
            listener,
            manager,
            board,
            metrics,
            pace,
            time_scale,
            damping: loaded.config.damping,
            maintenance: Vec::new(),
            retention: loaded.config.retention,
            slots: HashMap::new(),
            outages: HashMap::new(),
            turns: HashMap::new(),
            stakes: Stakes::default(),
            looking: Errand::default(),
            keys: Keys::default(),
            witness: Arc::new(witness),
            writer,
            store_failing: false,
            store_failures: 0,
            store_bytes: None,
            measured: now,
            looks,
            tasks: HashMap::new(),
            numbers: 0,
            trigger,
            alarms,
            running: JoinSet::new(),
            stop: watch::Sender::new(Stop::No),
            news: mpsc::unbounded_channel(),
            drift: Drift::new(wall, now),
            // The first sweep comes soon after the start, not with it.
            swept: now.checked_sub(SWEEP).map_or(now, |then| then + Duration::from_secs(30)),
            pulse: super::trigger::Pulse::default(),
            missed: 0,
            interrupted: 0,
            draining: None,
            clock,
        };
        daemon.adopt(loaded, &remembered);
        daemon.recall_touches().await;
        daemon.store_bytes = daemon.writer.as_ref().map(|writer| writer.store().bytes());
        daemon.metrics.config_loaded(wall, true);
        Ok(daemon)
    }

    /// Runs until it is asked to end.
    pub async fn run(mut self, mut signals: mpsc::UnboundedReceiver<Signal>) -> Ended {
        let scheduled = self.slots.values().filter(|slot| slot.timetable.is_some()).count();
        self.slots.values_mut().for_each(|slot| slot.forget_other_depths(None));
        self.tell(Service::Started { targets: self.slots.len(), scheduled });
        self.board.enter(Phase::Ready);
        self.manager.ready();
        self.manager.status(self.board.line());
        let mut tick = tokio::time::interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let looks = std::mem::take(&mut self.looks);
        let watching = super::reload::watch(&self.source, looks, self.pace.watch, self.news.0.clone());
        loop {
            let deadline = self.draining.map(tokio::time::Instant::from_std);
            tokio::select! {
                biased;
                Some(signal) = signals.recv() => match signal {
                    Signal::Reload => self.reload(),
                    Signal::Terminate | Signal::Interrupt => self.end(),
                },
                Some(alarm) = self.alarms.recv() => self.alarm(&alarm),
                Some(joined) = self.running.join_next_with_id() => self.joined(joined).await,
                Some(news) = self.news.1.recv() => self.hear(news),
                () = until(deadline) => {
                    if *self.stop.borrow() == Stop::No {
                        self.hurry();
                    } else {
                        break;
                    }
                }
                _ = tick.tick() => self.tick().await,
            }
            if self.draining.is_some() && self.running.is_empty() {
                break;
            }
        }
        watching.abort();
        self.close().await;
        self.tell(Service::Stopped { interrupted: self.interrupted });
        Ended { interrupted: self.interrupted }
    }

    pub(super) fn is_draining(&self) -> bool {
        self.draining.is_some()
    }

    pub(super) fn tell(&self, event: Service) {
        (self.listener)(Event::Service(event));
    }

    /// Sets the alarm of a target for its next probe. `place` is its place among those that are set together.
    pub(super) fn plan(&mut self, id: &TargetId, place: (usize, usize)) {
        let Some(slot) = self.slots.get_mut(id) else { return };
        let (wall, now) = (self.clock.wall(), self.clock.now());
        // One whose alarm is on its way is not planned anew: its due would be taken for a missed one.
        if slot.running.is_some() || self.draining.is_some() || slot.alarm.is_some_and(|alarm| alarm <= now) {
            return;
        }
        slot.due = slot.timetable.as_ref().and_then(|timetable| timetable.next(wall, &slot.past));
        slot.due = slot.first_contact(wall).or_else(|| slot.resumes(wall)).or(slot.due);
        self.metrics.next_due(id, slot.due.as_ref().map(|due| due.at));
        let Some(due) = &slot.due else {
            slot.alarm = None;
            return self.trigger.disarm(id.clone());
        };
        let mut at = instant_of(due.at, wall, now);
        if due.why == Why::Missed || due.at <= wall {
            at += spread(place.0, place.1);
        }
        slot.alarm = Some(at);
        self.trigger.arm(id.clone(), at);
    }

    /// Sets every alarm again.
    fn plan_all(&mut self) {
        let ids: Vec<TargetId> = self.slots.keys().cloned().collect();
        let total = ids.len();
        for (index, id) in ids.iter().enumerate() {
            self.plan(id, (index, total));
            self.show(id);
        }
    }

    /// Sets every alarm again for what is planned, because the two clocks have come apart a little.
    fn arm_all(&mut self, now: Instant, wall: Timestamp) {
        for (id, slot) in &mut self.slots {
            let (Some(due), Some(alarm)) = (&slot.due, slot.alarm) else { continue };
            if alarm > now {
                let at = instant_of(due.at, wall, now);
                slot.alarm = Some(at);
                self.trigger.arm(id.clone(), at);
            }
        }
    }

    /// Begins the probe of a target that is due.
    fn alarm(&mut self, alarm: &Alarm) {
        let draining = self.draining.is_some();
        let Some(slot) = self.slots.get_mut(&alarm.target) else { return };
        // One that was on its way when the target was armed anew.
        if slot.running.is_some() || draining || slot.alarm != Some(alarm.due) {
            return;
        }
        let Some(due) = slot.due else { return };
        let wall = self.clock.wall();
        let warm = due.depth == Depth::Warm;
        if warm && (self.is_put_off(&alarm.target) || self.is_left_to_another(&alarm.target, wall)) {
            return;
        }
        if due.missed > 0 {
            self.missed += u64::from(due.missed);
            (self.listener)(Event::Service(Service::Missed { target: alarm.target.clone(), missed: due.missed }));
        }
        let run_id = run_id(self.clock.wall(), &self.chance);
        self.begin(&alarm.target, due, alarm.due, run_id);
        self.show(&alarm.target);
    }

    /// Begins a probe that is due at `at`, or as soon after it as the limits allow.
    pub(super) fn begin(&mut self, id: &TargetId, due: Due, at: Instant, run_id: RunId) {
        let Some(slot) = self.slots.get_mut(id) else { return };
        slot.alarm = None;
        slot.due = None;
        self.numbers += 1;
        let number = self.numbers;
        slot.running = Some(number);
        if let (Some(learner), Depth::Warm) = (&mut slot.learner, due.depth) {
            learner.begin(self.clock.wall(), self.clock.now());
        }
        let job = Job {
            target: Arc::clone(&slot.target),
            credential: self.keys.of(&slot.target.provider.id),
            depth: due.depth,
            run_id,
            cold_until: None,
        };
        let (runner, listener) = (Arc::clone(&self.runner), Arc::clone(&self.listener));
        let (stopper, witness) = (self.stop.subscribe(), Arc::clone(&self.witness));
        let task = self.running.spawn(async move {
            let target = Arc::clone(&job.target);
            let outcome = runner.probe(job, at, &listener, &stopper).await;
            Ran { number, target, due, outcome: Arc::new(witness.judge(outcome).await) }
        });
        self.tasks.insert(task.id(), id.clone());
    }

    /// Looks after itself.
    async fn tick(&mut self) {
        let (now, wall) = (self.clock.now(), self.clock.wall());
        match self.drift.look(wall, now) {
            Step::None => {}
            Step::Slewed => self.arm_all(now, wall),
            Step::Jumped(by) => {
                self.tell(Service::ClockStepped { seconds: by.as_secs_f64() });
                self.plan_all();
                // Old is what the clock says, and the clock may be wrong for a while.
                self.swept = now;
            }
        }
        let pulse = self.trigger.pulse();
        if pulse.lost > self.pulse.lost {
            self.tell(Service::AlarmsLost { lost: pulse.lost - self.pulse.lost });
        }
        if pulse.sweeps > self.pulse.sweeps {
            // The trigger lives, and so does this task: only then is the watchdog fed.
            self.board.advance(now);
            self.manager.alive();
        }
        self.pulse = pulse;
        self.end_pauses(wall);
        self.metrics.trigger(pulse.fired, pulse.lost, self.missed);
        let under_way = self.runner.under_way();
        self.metrics.queue(self.running.len().saturating_sub(under_way), under_way);
        self.metrics.tasks(tokio::runtime::Handle::current().metrics().num_alive_tasks());
        self.watch_store();
        self.look_at_touches();
        self.manager.status(self.board.line());
        if now.saturating_duration_since(self.measured) >= MEASURE {
            self.measured = now;
            if let Some(store) = self.writer.as_ref().map(|writer| Arc::clone(writer.store())) {
                let news = self.news.0.clone();
                tokio::task::spawn_blocking(move || news.send(News::Stored(store.bytes())).ok());
            }
        }
        if now.saturating_duration_since(self.swept) >= SWEEP {
            self.swept = now;
            self.sweep(wall);
        }
    }

    /// Has old history swept out, while everything else goes on.
    fn sweep(&self, wall: Timestamp) {
        let Some(store) = self.writer.as_ref().map(Writer::store).map(Arc::clone) else { return };
        let (retention, news) = (self.retention, self.news.0.clone());
        tokio::spawn(async move {
            // Nobody listens only when the daemon is ending.
            news.send(News::Swept(store.sweep(retention, wall).await)).ok();
        });
    }
}

async fn until(deadline: Option<tokio::time::Instant>) {
    match deadline {
        Some(deadline) => tokio::time::sleep_until(deadline).await,
        None => std::future::pending().await,
    }
}
