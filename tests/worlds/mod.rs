//! Worlds in virtual time, in which a policy is judged: a model that unloads, users who come, a window (section 6 of the
//! reference). Shared by the benchmark and the tests; nothing is asserted here.

pub(crate) mod chance;
pub(crate) mod scenarios;
pub(crate) mod warmers;

use chance::Chance;
use pilotlight::warmth::Sight;
use scenarios::Scenario;
use warmers::{Probed, View, Warmer, Wish};

const DAY: f64 = 86_400.0;
/// A slow reply takes so many times as long as the usual one, in the median: 3 s where that is 0.35 s.
const SLOW: f64 = 3.0 / 0.35;
/// The window: 9 to 18 h, Monday to Friday.
const OPENS: f64 = 9.0 * 3600.0;
const CLOSES: f64 = 18.0 * 3600.0;
/// Everything begins on a Monday at 08:58.
const BEGIN: f64 = OPENS - 120.0;
/// Three weeks; the last Friday is the 19th day.
const END: f64 = 19.0 * DAY;
/// The ninth working day, on which some worlds change.
const CHANGE: f64 = 10.0 * DAY;
/// What a prober does not know of a user's request: the period of its polls and the request's length.
const SLACK: f64 = 30.0;

/// What came of it.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Tally {
    /// Probes on the first day.
    pub(crate) first_day: f64,
    /// Probes a day in the second and third week.
    pub(crate) steady: f64,
    /// Sessions in the window.
    pub(crate) sessions: f64,
    /// Those of them whose first request met a cold model.
    pub(crate) hits: f64,
    /// Those of them in the second and third week.
    pub(crate) steady_hits: f64,
    /// What the policy said in the end.
    pub(crate) state: &'static str,
}

/// The next request of a session.
#[derive(Debug, Clone, Copy)]
struct Request {
    at: f64,
    left: u32,
    first: bool,
}

/// The model and its queue.
struct Model<'a> {
    scenario: &'a Scenario,
    chance: Chance,
    free_at: f64,
    unloads_at: f64,
    loaded_at: f64,
}

/// How a request fared.
struct Served {
    first_token: f64,
    end: f64,
    waited_for_load: f64,
}

impl Model<'_> {
    fn timeout(&self, at: f64) -> f64 {
        self.scenario.later.filter(|_| at >= CHANGE).unwrap_or(self.scenario.timeout)
    }

    /// One request at a time for us and our users; other tenants have a queue of their own.
    fn serve(&mut self, at: f64, length: f64, whose: Whose) -> Served {
        let start = if whose == Whose::Ours { at.max(self.free_at) } else { at };
        if start >= self.unloads_at {
            self.loaded_at = start + self.chance.lognormal(self.scenario.load, 0.35);
        }
        let slow = self.chance.share() < 0.03;
        let usual = self.scenario.warm;
        let reply = if slow { self.chance.lognormal(SLOW * usual, 0.7) } else { self.chance.lognormal(usual, 0.35) };
        let first = start.max(self.loaded_at) + reply;
        let end = first + length;
        if whose == Whose::Ours {
            self.free_at = end;
        }
        let idle = self.timeout(end) * (self.scenario.jitter * self.chance.normal()).exp();
        self.unloads_at = end + idle.min(self.chance.wait(self.scenario.eviction));
        Served { first_token: first - at, end, waited_for_load: (self.loaded_at - at).max(0.0) }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    Ours,
    Others,
}

fn is_working_day(at: f64) -> bool {
    (at / DAY).floor().rem_euclid(7.0) < 5.0
}

fn in_window(at: f64) -> bool {
    is_working_day(at) && (OPENS..CLOSES).contains(&at.rem_euclid(DAY))
}

/// When the next window opens, after `at`.
fn next_opening(at: f64) -> f64 {
    let mut opens = (at / DAY).floor() * DAY + OPENS;
    while opens <= at || !is_working_day(opens) {
        opens += DAY;
    }
    opens
}

/// When sessions begin: a Poisson process in the window, at 3 % of its rate outside.
fn sessions(rate: f64, chance: &mut Chance) -> Vec<Request> {
    let mut starts = Vec::new();
    let mut at = BEGIN;
    loop {
        at += chance.wait(3600.0 / rate.max(1e-9));
        if at >= END {
            return starts;
        }
        if in_window(at) || chance.share() < 0.03 {
            let more = (chance.share().ln() / (1.0_f64 - 1.0 / 8.0).ln()).floor();
            #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a small count")]
            starts.push(Request { at, left: more as u32, first: true });
        }
    }
}

/// When a model's next warm-up is due, as the prober's schedule has it.
fn due(warmer: &dyn Warmer, now: f64, touch: Option<f64>) -> f64 {
    let (at, gap) = match warmer.wish(now) {
        Wish::After(gap) => (touch.map_or(now, |touch| touch + gap), gap),
        Wish::At(at) => (at, 0.0),
        Wish::Asleep => return f64::INFINITY,
    };
    let at = at.max(now);
    let lead = warmer.lead();
    // The lead belongs to the window.
    if in_window(at) || in_window(at + lead) {
        return at;
    }
    let opens = next_opening(at);
    let begin = (opens - lead).max(now);
    if touch.is_some_and(|touch| begin - touch < gap / 2.0) { opens.max(touch.unwrap_or(0.0) + gap) } else { begin }
}

/// Lets a policy live through three weeks.
pub(crate) fn play(scenario: &Scenario, warmer: &mut dyn Warmer, seed: u64) -> Tally {
    let mut users = Chance::new(seed, 1);
    let mut pending = sessions(scenario.users, &mut users);
    pending.reverse();
    let mut others = foreign(scenario, seed);
    others.reverse();
    let mut tenants = Chance::new(seed, 3);
    let mut model = Model { scenario, chance: Chance::new(seed, 2), free_at: 0.0, unloads_at: 0.0, loaded_at: 0.0 };
    let mut under_way: Vec<Request> = Vec::new();
    let mut touch: Option<(f64, f64)> = None;
    let mut moved = false;
    let mut now = BEGIN;
    let mut tally = Tally::default();
    let wait_for_tenant = 3600.0 / scenario.tenants.max(1e-9);
    let mut tenant = now + tenants.wait(wait_for_tenant);
    loop {
        under_way.sort_by(|one, other| other.at.total_cmp(&one.at));
        let opening = pending.last().map_or(f64::INFINITY, |request| request.at);
        let going_on = under_way.last().map_or(f64::INFINITY, |request| request.at);
        let probe = due(warmer, now, touch.map(|(at, _)| at));
        now = probe.min(opening).min(going_on).min(tenant);
        if now >= END {
            break;
        }
        if now == tenant {
            tenant = now + tenants.wait(wait_for_tenant);
            if is_working_day(now) && (8.0..19.0).contains(&(now.rem_euclid(DAY) / 3600.0)) {
                model.serve(now, 5.0, Whose::Others);
            }
        } else if now == probe {
            while others.pop_if(|at| *at <= now).is_some() {
                moved = true;
            }
            let served = model.serve(now, 0.3, Whose::Ours);
            let sight = match warmer.view() {
                View::Seen => Sight::Seen,
                View::Blind => Sight::Blind,
                View::Shared if moved => Sight::CounterMoved,
                View::Shared => Sight::CounterStill,
            };
            warmer.probed(&Probed {
                at: served.end,
                gap: touch.map(|(at, _)| now - at),
                slack: touch.map_or(0.0, |(_, slack)| slack),
                first_token: served.first_token,
                sight,
                inside: in_window(now),
                timeout: model.timeout(now),
            });
            touch = Some((served.end, 0.0));
            moved = false;
            tally.first_day += if now < DAY { 1.0 } else { 0.0 };
            tally.steady += if now >= 7.0 * DAY { 0.1 } else { 0.0 };
        } else {
            let Some(request) = (if opening <= going_on { pending.pop() } else { under_way.pop() }) else { break };
            let served = model.serve(now, users.lognormal(5.0, 0.6), Whose::Ours);
            if request.first && in_window(now) {
                tally.sessions += 1.0;
                let patience = 3.0_f64.min(0.3 * scenario.load);
                let hit = if served.waited_for_load > patience { 1.0 } else { 0.0 };
                tally.hits += hit;
                tally.steady_hits += if now >= 7.0 * DAY { hit } else { 0.0 };
            }
            if let Some(left) = request.left.checked_sub(1) {
                under_way.push(Request { at: served.end + users.wait(20.0), left, first: false });
            }
            moved = true;
            if warmer.view() == View::Seen {
                warmer.used(served.end, SLACK);
                touch = Some((served.end, SLACK));
            }
        }
    }
    tally.state = warmer.state(END);
    tally
}

/// When users of the account's other models begin a session.
fn foreign(scenario: &Scenario, seed: u64) -> Vec<f64> {
    let mut starts: Vec<f64> = (0..scenario.siblings)
        .flat_map(|sibling| sessions(scenario.users, &mut Chance::new(seed, 10 + u64::from(sibling))))
        .map(|session| session.at)
        .collect();
    starts.sort_by(f64::total_cmp);
    starts
}
