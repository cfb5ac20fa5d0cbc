//! One world of one account, event by event: sessions begin, requests follow, warm-ups are due. Nothing else happens, and
//! nothing is asked of the allocator while it does.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BinaryHeap};

use jiff::Timestamp;

use super::super::due::{Run, nanoseconds};
use super::super::forecast::{AccountForecast, TargetForecast, number};
use super::super::{Others, Pace, stake};
use super::chance::Chance;
use super::llm::{Llm, Loaded, Served, Who};
use super::pool::{Answer, Pool};
use super::users::{Hours, Users};
use super::{COLD_START, Crowd, IDLE_TIMEOUT, Probing, Tally};
use crate::outcome::Withholding;
use crate::quota::{Charge, InFlight, Ledger, QuotaSettings, Spending, Stake, Stamp, Wish, gaps};
use crate::target::{Family, KeepAlive, TargetId};

const MS: i64 = 1_000_000;

/// Something that happens to a target. The earliest comes first; of several at once, the first target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Event {
    at_ms: i64,
    target: u32,
    what: What,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    /// A warm-up is due.
    Due,
    /// One that was withheld is asked for again.
    Resumed,
    /// A session begins, with so many more requests.
    Session(u32),
    /// The same, at a time when nobody is expected.
    Stray(u32),
    /// A session goes on, with so many more requests.
    Request(u32),
}

/// A target and its world.
struct Actor<'a> {
    users: Users,
    llm: Llm,
    dues: Dues<'a>,
    /// What one request of a user costs: tokens and money are not stated.
    user: Charge,
    charge: Charge,
    wish: Wish,
    /// How far apart our warm-ups are to be while the share is short, in seconds.
    gap_s: Option<f64>,
    /// When the last was granted.
    granted_ms: Option<i64>,
    /// When one that was withheld is asked for again.
    resumes_ms: Option<i64>,
    /// When our last warm-up is over.
    busy_until: i64,
    tally: Tally,
}

/// The warm-ups that are still to come.
struct Dues<'a> {
    runs: std::slice::Iter<'a, Run>,
    run: Option<&'a Run>,
    number: u64,
}

impl Dues<'_> {
    fn next_ms(&mut self) -> Option<i64> {
        loop {
            if let Some(moment) = self.run?.get(self.number) {
                self.number += 1;
                return Some(moment.div_euclid(MS));
            }
            (self.run, self.number) = (self.runs.next(), 0);
        }
    }
}

/// How much the governor sees of what is left.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Sight {
    /// A free endpoint tells it before each warm-up.
    Before,
    /// The answer to a warm-up tells it.
    After,
    Blind,
}

impl Sight {
    fn of(family: Family) -> Self {
        match family {
            Family::Synthetic | Family::Zai | Family::OpenRouter | Family::DeepSeek | Family::Moonshot => Self::Before,
            Family::OpenAi | Family::Anthropic | Family::Groq | Family::Mistral | Family::Together => Self::After,
            _ => Self::Blind,
        }
    }
}

/// What users have spent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Spent {
    Nothing,
    Something,
}

struct World<'a> {
    quota: &'a QuotaSettings,
    probing: Probing,
    sight: Sight,
    pool: Pool,
    ledger: Ledger,
    /// When the ledger was told last what is left, in Unix milliseconds, and whether users have spent anything since. What
    /// we spend and what comes back it reckons itself, so it need not be told again.
    told_ms: i64,
    others_spent: Spent,
    queue: BinaryHeap<Reverse<Event>>,
}

/// What happened to each target of an account.
pub(super) fn play(
    (from, to): (Timestamp, Timestamp),
    account: &AccountForecast,
    (probing, crowd): (Probing, Crowd),
    seed: u64,
) -> Vec<Tally> {
    let [from, to] = [from, to].map(|moment| nanoseconds(moment).div_euclid(MS));
    let gaps = stretched(account);
    let actors = account.targets.iter().enumerate();
    let mut actors: Vec<Actor<'_>> =
        actors.map(|(place, target)| actor(account, target, place, (from, to), &gaps, seed)).collect();
    let mut world = World {
        quota: &account.quota,
        probing,
        sight: Sight::of(account.provider.family),
        pool: Pool::new(&account.quota.limits, from),
        ledger: Ledger::new(Stamp::of_wall(from)),
        told_ms: i64::MIN,
        others_spent: Spent::Something,
        queue: BinaryHeap::with_capacity(actors.len() * 4),
    };
    for (target, actor) in (0_u32..).zip(&mut actors) {
        if crowd == Crowd::AsStated {
            world.plan_session(actor, target);
        }
        if probing != Probing::No {
            world.queue.extend(actor.next_due(target).map(Reverse));
        }
    }
    while let Some(Reverse(event)) = world.queue.peek().copied() {
        let actor = usize::try_from(event.target).ok().and_then(|place| actors.get_mut(place));
        let Some(actor) = actor else { break };
        let next = match event.what {
            What::Due => {
                world.warm(actor, event.at_ms);
                let next = actor.next_due(event.target);
                // As the daemon does: sooner than its schedule has the next.
                let resumes = actor.resumes_ms.zip(next).filter(|(at_ms, next)| *at_ms < next.at_ms);
                if let Some((at_ms, _)) = resumes {
                    world.queue.push(Reverse(Event { at_ms, target: event.target, what: What::Resumed }));
                }
                next
            }
            What::Resumed => {
                world.warm(actor, event.at_ms);
                None
            }
            What::Session(more) => {
                actor.tally.sessions += 1;
                world.request(actor, event, more)
            }
            What::Stray(more) | What::Request(more) => world.request(actor, event, more),
        };
        // What follows takes the place of what was done, which is cheaper than taking one out and putting one in.
        match next {
            None => drop(world.queue.pop()),
            Some(next) => {
                if let Some(mut first) = world.queue.peek_mut() {
                    *first = Reverse(next);
                }
            }
        }
        if matches!(event.what, What::Session(_) | What::Stray(_)) {
            world.plan_session(actor, event.target);
        }
    }
    actors.into_iter().map(|actor| actor.tally).collect()
}

fn actor<'a>(
    account: &AccountForecast,
    target: &'a TargetForecast,
    place: usize,
    (from, to): (i64, i64),
    gaps: &BTreeMap<TargetId, f64>,
    seed: u64,
) -> Actor<'a> {
    let lane = u64::try_from(place).unwrap_or(0);
    let ms = |time: std::time::Duration| i64::try_from(time.as_millis()).unwrap_or(i64::MAX / 4);
    let provider = &account.provider;
    let unloads = provider.unloads && provider.keep_alive != Some(KeepAlive::Forever);
    let idle = unloads.then(|| ms(target.assumed.idle_timeout.unwrap_or(IDLE_TIMEOUT)));
    let cold_start = target.assumed.cold_start.unwrap_or(COLD_START).as_secs_f64();
    let rate = target.assumed.requests_per_hour.unwrap_or(0.0);
    let mut runs = target.dues.warm.iter();
    let run = runs.next();
    let at_most = Charge::at_most(target.price, target.target.max_output_tokens);
    Actor {
        users: Users::new(rate, &target.users, (from, to), seed, lane),
        llm: Llm::new(idle, cold_start, account.quota.parallel, Chance::new(seed, 3, lane)),
        dues: Dues { runs, run, number: 0 },
        user: Charge { requests: target.price.requests, tokens: 0.0, usd: None },
        charge: target.charge,
        wish: Wish {
            spending: Spending::Scheduled,
            charge: target.charge,
            at_most_usd: at_most.usd,
            in_flight: InFlight::No,
            pace: None,
            outstanding: Charge::default(),
        },
        gap_s: gaps.get(&target.target.id).copied(),
        granted_ms: None,
        resumes_ms: None,
        busy_until: i64::MIN,
        tally: Tally::default(),
    }
}

/// How far apart warm-ups are to be, in seconds, where the share is short.
fn stretched(account: &AccountForecast) -> BTreeMap<TargetId, f64> {
    let others = Others::of(account.targets.iter().map(|target| &target.assumed));
    let hours = account.warm_time.as_secs_f64() / 3600.0;
    let stakes: Vec<Stake> = account
        .targets
        .iter()
        .filter(|target| target.warm_ups > 0)
        .map(|target| {
            let per_hour = match target.pace.as_ref().and_then(Pace::interval) {
                Some(every) => 3600.0 / every.as_secs_f64().max(1.0),
                None => number(target.warm_ups) / hours.max(1.0),
            };
            stake(&target.target.id, &target.assumed, others, None, target.charge, per_hour)
        })
        .collect();
    gaps(&stakes, &account.quota).into_iter().collect()
}

impl Actor<'_> {
    fn next_due(&mut self, target: u32) -> Option<Event> {
        self.dues.next_ms().map(|at_ms| Event { at_ms, target, what: What::Due })
    }
}

impl World<'_> {
    fn plan_session(&mut self, actor: &mut Actor<'_>, target: u32) {
        if let Some((at_ms, more, hours)) = actor.users.next_session() {
            let what = if hours == Hours::Usual { What::Session(more) } else { What::Stray(more) };
            self.queue.push(Reverse(Event { at_ms, target, what }));
        }
    }

    /// A user asks. What follows is the next request of the session.
    fn request(&mut self, actor: &mut Actor<'_>, event: Event, more: u32) -> Option<Event> {
        let now = event.at_ms;
        actor.tally.requests += 1;
        let over = match self.pool.take(&actor.user, now) {
            Answer::Refused => {
                actor.tally.refused += 1;
                now
            }
            Answer::Served => {
                self.others_spent = Spent::Something;
                let served = actor.llm.serve(now, Who::User);
                let first = matches!(event.what, What::Session(_));
                if first && served.cold_ms > actor.llm.patience_ms() {
                    actor.tally.cold_hits += 1;
                }
                note(&mut actor.tally, &served);
                served.end
            }
        };
        let left = more.checked_sub(1)?;
        Some(Event { at_ms: over + actor.users.think(), target: event.target, what: What::Request(left) })
    }

    /// Tells the ledger what the provider shows.
    fn tell(&mut self, now: i64) {
        /// It is told at least so often.
        const OFTEN_MS: i64 = 600_000;
        if self.others_spent == Spent::Something || now >= self.told_ms.saturating_add(OFTEN_MS) {
            self.ledger.learn(self.quota, self.pool.readings(now), Stamp::of_wall(now));
            (self.told_ms, self.others_spent) = (now, Spent::Nothing);
        }
    }

    /// A warm-up is due.
    fn warm(&mut self, actor: &mut Actor<'_>, now: i64) {
        let stamp = Stamp::of_wall(now);
        let granted = match self.probing {
            Probing::No => return,
            Probing::Unheld => None,
            Probing::Governed => {
                if self.sight == Sight::Before {
                    self.tell(now);
                }
                actor.resumes_ms = None;
                let since =
                    actor.granted_ms.map(|last| number(u64::try_from(now.saturating_sub(last)).unwrap_or(0)) / 1e3);
                actor.wish.pace = actor.gap_s.zip(since);
                actor.wish.in_flight = if actor.busy_until > now { InFlight::Yes } else { InFlight::No };
                match self.ledger.ask(self.quota, &actor.wish, stamp) {
                    Ok(grant) => {
                        actor.granted_ms = Some(now);
                        Some(grant)
                    }
                    Err(withheld) => {
                        #[expect(clippy::cast_possible_truncation, reason = "a wait of at most a month")]
                        let wait = withheld.until_s.map(|seconds| (seconds.min(3e6) * 1e3).ceil() as i64);
                        actor.resumes_ms = wait.map(|wait| now.saturating_add(wait.max(5_000)));
                        let kind = withheld.why.kind();
                        let place = Withholding::ALL.iter().position(|known| *known == kind);
                        if let Some(count) = place.and_then(|place| actor.tally.withheld.get_mut(place)) {
                            *count += 1;
                        }
                        return;
                    }
                }
            }
        };
        let answer = self.pool.take(&actor.charge, now);
        let spent = match answer {
            Answer::Served => {
                let served = actor.llm.serve(now, Who::Probe);
                actor.busy_until = served.end;
                actor.tally.sent += 1;
                actor.tally.loads += u64::from(served.loaded == Loaded::ByThis);
                Some(actor.charge)
            }
            Answer::Refused => {
                actor.tally.sent_refused += 1;
                None
            }
        };
        if let Some(grant) = granted {
            self.ledger.settle(self.quota, grant, spent, stamp);
            if answer == Answer::Refused {
                self.ledger.refused(self.quota, None, stamp);
                self.others_spent = Spent::Something;
            }
            if self.sight == Sight::After {
                self.tell(now);
            }
        }
    }
}

/// What a user's request met.
fn note(tally: &mut Tally, served: &Served) {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of one wait")]
    let seconds = |milliseconds: i64| milliseconds as f64 / 1000.0;
    tally.cold_wait_s += seconds(served.cold_ms);
    if served.queued_ms > 0 {
        tally.queued += 1;
        tally.queued_s += seconds(served.queued_ms);
    }
    if served.behind_probe_ms > 0 {
        tally.behind_probe += 1;
        tally.behind_probe_s += seconds(served.behind_probe_ms);
    }
}
