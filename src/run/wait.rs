//! Waits for gates: asks the targets that a gate still needs, again and again, until all gates are open, one can open no
//! more, or the time is up.
//!
//! It reacts to what happens (a probe that ends, a pause that is over, a stop) and never polls. Whether a gate is open is
//! `plan/waiting.rs`' to say, and how long to pause `plan/patience.rs`'.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::{self, JoinError, JoinSet};

use super::asked::{Asked, Running, Turn, Wanted};
use super::pass::{BETWEEN_STARTS, Listener, Progress, Runner, Stop, Stopper, stopped};
use crate::outcome::{Event, GateNews, GateState, Outcome};
use crate::plan::{Accepts, Gate, GateStanding, How, Known, Patience, Told, says};
use crate::probe::{Cause, Job};
use crate::target::{ProviderId, TargetId};

/// A gate to wait for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Awaited {
    /// Its name, or what it asks for.
    pub name: String,
    /// The line of probes.yaml that names it, where one does.
    pub line: Option<u32>,
    /// Its rule.
    pub gate: Gate,
}

/// How to wait.
#[derive(Debug, Clone, Copy)]
pub struct WaitSettings {
    /// Since when: what came before the wait, as reading keys, counts.
    pub begun: Instant,
    /// For how long.
    pub deadline: Duration,
    /// Whether a fallback is taken while its main target may still come.
    pub accepts: Accepts,
    /// How soon a target is asked again.
    pub patience: Patience,
}

/// What a wait came to.
#[derive(Debug)]
pub struct Waited {
    /// What was found of each target that was asked, in the order of the jobs; the attempts, the usage and the cost of
    /// all its probes are added up in it.
    pub outcomes: Vec<Arc<Outcome>>,
    /// The same of targets that were asked, and stopped before they answered because all was settled without them.
    pub unneeded: Vec<Arc<Outcome>>,
    /// How each gate stands, in the order given.
    pub gates: Vec<GateEnd>,
}

/// How a gate stands at the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateEnd {
    /// How: `Waiting` where the wait ended for another reason than this gate.
    pub state: GateState,
    /// Why, in one sentence.
    pub says: String,
    /// The targets that it would have needed, where it is shut or late.
    pub held_by: Vec<TargetId>,
}

/// Why a wait ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    /// All gates are open, or one is shut.
    Settled,
    Late,
    Stopped(Cause),
}

/// A gate, and how it stood when it was last looked at.
struct Watch<'g> {
    awaited: &'g Awaited,
    /// Once it is open, it stays so.
    open: Option<GateEnd>,
    /// Where its targets are among those that are asked, in its order.
    places: Vec<usize>,
    /// Which of its targets it has turned to.
    turned_to: HashSet<usize>,
}

struct Waiter<'g> {
    runner: &'g Runner,
    settings: &'g WaitSettings,
    listener: &'g Listener,
    gates: Vec<Watch<'g>>,
    asked: Vec<Asked>,
    running: JoinSet<Outcome>,
    /// Which probe is whose, and where it is.
    tasks: HashMap<task::Id, (usize, Arc<std::sync::Mutex<Progress>>)>,
    last_start: Option<Instant>,
}

impl Runner {
    /// Waits until all of the gates are open, one of them can open no more, or the time is up. There is a job for each
    /// target that a gate looks at; a target is asked by one probe at a time. A retry policy of one attempt leaves all
    /// pauses to the settings.
    pub async fn wait(
        &self,
        jobs: Vec<Job>,
        gates: &[Awaited],
        settings: &WaitSettings,
        listener: &Listener,
        stop: Stopper,
    ) -> Waited {
        let mut asked: Vec<Asked> = jobs.into_iter().map(Asked::new).collect();
        let places: HashMap<TargetId, usize> =
            asked.iter().enumerate().map(|(place, asked)| (asked.job.target.id.clone(), place)).collect();
        let mut watches = Vec::new();
        for awaited in gates {
            // A target without a job is one that nobody can ask: it counts as barred.
            let place = |target: &TargetId| places.get(target).copied().unwrap_or(usize::MAX);
            let places: Vec<usize> = awaited.gate.targets().into_iter().map(place).collect();
            for place in &places {
                asked.get_mut(*place).into_iter().for_each(|asked| asked.hurry(&awaited.gate, settings.deadline));
            }
            watches.push(Watch { awaited, open: None, places, turned_to: HashSet::new() });
        }
        let waiter = Waiter {
            runner: self,
            settings,
            listener,
            gates: watches,
            asked,
            running: JoinSet::new(),
            tasks: HashMap::new(),
            last_start: None,
        };
        waiter.run(stop).await
    }
}

impl Waiter<'_> {
    async fn run(mut self, stop: Stopper) -> Waited {
        let until = self.settings.begun + self.settings.deadline;
        let end = loop {
            let now = self.runner.clock.now();
            self.asked.iter_mut().for_each(|asked| asked.look(now));
            let Some(wanted) = self.look() else { break End::Settled };
            if now >= until {
                break End::Late;
            }
            if self.ask(&wanted, now) {
                // One that was begun may let the next begin.
                continue;
            }
            self.let_go(now);
            let wakes = self.asked.iter().zip(&wanted).filter_map(|(asked, wanted)| asked.wake(*wanted, now));
            let wake = wakes.fold(until, Instant::min);
            tokio::select! {
                biased;
                cause = stopped(stop.clone()) => break End::Stopped(cause),
                Some(joined) = self.running.join_next_with_id() => {
                    self.take(joined, until);
                    while let Some(joined) = self.running.try_join_next_with_id() {
                        self.take(joined, until);
                    }
                }
                () = tokio::time::sleep_until(wake.into()) => {}
            }
        };
        self.end(end).await
    }

    /// Looks at every gate, and tells what has changed. Who is to be asked, by place; `None` where nothing is left to wait
    /// for.
    fn look(&mut self) -> Option<Vec<Wanted>> {
        let mut wanted = vec![Wanted::No; self.asked.len()];
        let mut shut = false;
        let mut news = Vec::new();
        let asked = &self.asked;
        for watch in self.gates.iter_mut().filter(|watch| watch.open.is_none()) {
            let (gate, places) = (&watch.awaited.gate, &watch.places);
            let standing = gate.judge(&known(asked, places), self.settings.accepts);
            let told = |place| told(asked, places, place);
            let tell =
                |state| GateNews { gate: watch.awaited.name.clone(), state, says: says(gate, &standing, &told, None) };
            match &standing {
                GateStanding::Open { how, .. } => {
                    let opened = tell(state_of(*how));
                    watch.open = Some(GateEnd { state: opened.state, says: opened.says.clone(), held_by: Vec::new() });
                    news.push(opened);
                }
                GateStanding::Waiting(asks) => {
                    // It begins, or it turns to one more.
                    let mut turned = false;
                    for place in asks {
                        turned |= watch.turned_to.insert(*place);
                        let place = places.get(*place).copied().unwrap_or(usize::MAX);
                        wanted.get_mut(place).into_iter().for_each(|wanted| *wanted = Wanted::Yes);
                    }
                    if turned {
                        news.push(tell(GateState::Waiting));
                    }
                }
                GateStanding::Shut(_) => {
                    shut = true;
                    news.push(tell(GateState::Shut));
                }
            }
        }
        news.into_iter().for_each(|news| (self.listener)(Event::Gate(news)));
        (!shut && wanted.contains(&Wanted::Yes)).then_some(wanted)
    }

    /// Begins probes of those that are wanted and due, and stops those of whom nobody wants to know any more. Whether
    /// any began.
    fn ask(&mut self, wanted: &[Wanted], now: Instant) -> bool {
        let mut due = Vec::new();
        for ((place, asked), wanted) in self.asked.iter_mut().enumerate().zip(wanted) {
            if *wanted == Wanted::No {
                asked.stop(Cause::Settled);
                continue;
            }
            if asked.is_due(now) {
                due.push(place);
            }
        }
        due.iter().for_each(|place| self.begin(*place, now));
        !due.is_empty()
    }

    /// Begins a probe.
    fn begin(&mut self, place: usize, now: Instant) {
        let Some(asked) = self.asked.get_mut(place) else { return };
        let due = self.last_start.map_or(now, |last| (last + BETWEEN_STARTS).max(now));
        self.last_start = Some(due);
        let (stop, stopper) = watch::channel(Stop::No);
        let (task, progress, beyond) = self.runner.start(&asked.job, due, self.listener, &stopper, &mut self.running);
        self.tasks.insert(task, (place, Arc::clone(&progress)));
        asked.begin(Running { since: now, stop, progress, beyond, is_beyond: false });
    }

    /// Lets one that might open a gate go beyond its provider's limit, where those that hold the places are silent: a
    /// load may take minutes, and generates nothing meanwhile. Of each provider one at a time.
    fn let_go(&mut self, now: Instant) {
        let mut at: HashMap<ProviderId, (usize, bool, bool)> = HashMap::new();
        for asked in &self.asked {
            let (under_way, silent, beyond) = at.entry(asked.job.target.provider.id.clone()).or_default();
            match asked.turn(now) {
                Turn::Idle | Turn::Queued => {}
                Turn::Begun => *under_way += 1,
                Turn::Beyond => *beyond = true,
                Turn::Silent => (*under_way, *silent) = (*under_way + 1, true),
            }
        }
        let full = |asked: &&mut Asked| {
            let provider = &asked.job.target.provider;
            asked.is_held_up(now)
                && at.get(&provider.id).is_some_and(|(under_way, silent, beyond)| {
                    *silent && !*beyond && *under_way >= provider.concurrency.max(1)
                })
        };
        let mut gone = HashSet::new();
        for asked in self.asked.iter_mut().filter(full) {
            if gone.insert(asked.job.target.provider.id.clone()) {
                asked.let_go();
            }
        }
    }

    /// Takes in how a probe ended. After the time is up nothing is planned any more.
    fn take(&mut self, joined: Result<(task::Id, Outcome), JoinError>, until: Instant) {
        let Some((place, outcome)) = self.outcome_of(joined) else { return };
        let Some(asked) = self.asked.get_mut(place) else { return };
        let now = self.runner.clock.now();
        let left = until.saturating_duration_since(now);
        let jitter = self.runner.chance.share();
        let events = asked.ended(outcome, now, left, &self.settings.patience, jitter);
        let (provider, barred) = (asked.job.target.provider.id.clone(), asked.bars_its_provider());
        events.into_iter().for_each(|event| (self.listener)(event));
        if let Some(because) = barred {
            // A refused key is as refused for the next of them.
            let alike = self.asked.iter_mut().filter(|other| other.job.target.provider.id == provider);
            alike.for_each(|other| other.bar_unasked(&because));
        }
    }

    /// Whose probe ended, and with what. A task that broke is an outcome too.
    fn outcome_of(&mut self, joined: Result<(task::Id, Outcome), JoinError>) -> Option<(usize, Outcome)> {
        let id = joined.as_ref().map_or_else(JoinError::id, |(id, _)| *id);
        let (place, progress) = self.tasks.remove(&id)?;
        let job = &self.asked.get(place)?.job;
        Some((place, self.runner.guarded(joined.map(|(_, outcome)| outcome), job, &progress, self.settings.begun)))
    }

    /// Stops what is under way, and says how it all stands.
    async fn end(mut self, end: End) -> Waited {
        let cause = match end {
            End::Settled => Cause::Settled,
            End::Late => Cause::Deadline,
            End::Stopped(cause) => cause,
        };
        self.asked.iter_mut().for_each(|asked| asked.stop(cause));
        if end == End::Late {
            // A key that did not come in time is what was lacking, and that is told by the probe that finds no key.
            let keyless = self.asked.iter().enumerate().filter(|(_, asked)| asked.lacks_its_key());
            let keyless: Vec<usize> = keyless.map(|(place, _)| place).collect();
            keyless.into_iter().for_each(|place| self.begin(place, self.runner.clock.now()));
        }
        while let Some(joined) = self.running.join_next_with_id().await {
            let Some((place, outcome)) = self.outcome_of(joined) else { continue };
            if let Some(asked) = self.asked.get_mut(place) {
                let told = asked.stopped(outcome, self.runner.clock.now(), cause);
                told.into_iter().for_each(|event| (self.listener)(event));
            }
        }
        let waited = self.runner.clock.now().saturating_duration_since(self.settings.begun);
        let mut gates = Vec::new();
        let is_shut = |watch: &&Watch<'_>| {
            let known = known(&self.asked, &watch.places);
            let standing = || watch.awaited.gate.judge(&known, self.settings.accepts);
            watch.open.is_none() && matches!(standing(), GateStanding::Shut(_))
        };
        let shut = self.gates.iter().find(is_shut).filter(|_| end == End::Settled);
        let shut = shut.map(|watch| watch.awaited.name.clone());
        for watch in self.gates {
            let (gate_end, is_news) = match watch.open {
                Some(open) => (open, false),
                None => at_the_end(&watch, end, waited, self.settings.accepts, &self.asked),
            };
            if is_news {
                let (state, says) = (gate_end.state, gate_end.says.clone());
                (self.listener)(Event::Gate(GateNews { gate: watch.awaited.name.clone(), state, says }));
            }
            gates.push(match &shut {
                Some(shut) if gate_end.state == GateState::Waiting => {
                    GateEnd { says: format!("not waited for any more: {shut} cannot open"), ..gate_end }
                }
                _ => gate_end,
            });
        }
        let (unneeded, needed): (Vec<&Asked>, _) = self.asked.iter().partition(|asked| asked.is_unneeded());
        let report = |asked: Vec<&Asked>| asked.into_iter().filter_map(Asked::report).collect();
        Waited { outcomes: report(needed), unneeded: report(unneeded), gates }
    }
}

/// How a gate that did not open stands when it is over, and whether that was not told yet.
fn at_the_end(watch: &Watch<'_>, end: End, waited: Duration, accepts: Accepts, asked: &[Asked]) -> (GateEnd, bool) {
    let gate = &watch.awaited.gate;
    let known = known(asked, &watch.places);
    let standing = match (gate.judge(&known, accepts), end) {
        (_, End::Late) => match gate.judge_late(&known) {
            // Whoever is barred is lacking too.
            GateStanding::Waiting(needed) => {
                let lacks = |place: &usize| needed.contains(place) || known.get(*place) == Some(&Known::Barred);
                GateStanding::Waiting((0..known.len()).filter(lacks).collect())
            }
            standing => standing,
        },
        (standing, _) => standing,
    };
    let late = (end == End::Late).then_some(waited);
    let says = says(gate, &standing, &|place| told(asked, &watch.places, place), late);
    let targets = gate.targets();
    let of = |places: &[usize]| -> Vec<TargetId> {
        places.iter().filter_map(|place| targets.get(*place)).map(|target| TargetId::clone(target)).collect()
    };
    let (state, held_by, is_news) = match &standing {
        GateStanding::Open { how, .. } => (state_of(*how), Vec::new(), true),
        // Where it shut only now, nobody was told.
        GateStanding::Shut(barred) => (GateState::Shut, of(barred), end != End::Settled),
        GateStanding::Waiting(needed) if end == End::Late => (GateState::Late, of(needed), true),
        GateStanding::Waiting(_) => (GateState::Waiting, Vec::new(), false),
    };
    (GateEnd { state, says, held_by }, is_news)
}

fn state_of(how: How) -> GateState {
    match how {
        How::Whole => GateState::Open,
        How::Impaired | How::Fallback => GateState::Degraded,
    }
}

/// What is known of the targets of a gate, in its order.
fn known(asked: &[Asked], places: &[usize]) -> Vec<Known> {
    places.iter().map(|place| asked.get(*place).map_or(Known::Barred, |asked| asked.known)).collect()
}

/// What is to be told of one of them.
fn told(asked: &[Asked], places: &[usize], place: usize) -> Told {
    match places.get(place).and_then(|place| asked.get(*place)) {
        Some(asked) => Told { known: asked.known, because: asked.because.clone() },
        None => Told { known: Known::Barred, because: None },
    }
}
