//! What a configuration will do, before it does it: how many probes each target gets, what they spend of each limit of
//! its provider, what they cost, and when it is worst. Pure, and reckoned in whole runs rather than probe by probe.
//!
//! It is what the schedules ask for. What the governor will grant of it is known only against users' load; `simulate/`
//! plays that.

mod account;
mod advice;
mod worst;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::due::{Almanac, Dues, Spans};
use super::simulate::withheld_alone;
use super::{AUTO, Assumed, CronError, TargetSchedule, Trigger, WarmTrigger};
use crate::quota::{Charge, Limit, Price, QuotaSettings};
use crate::target::{Provider, ProviderId, Target};

pub(in crate::plan) use account::number;
pub use advice::{advice, percent};

/// A target to plan for.
#[derive(Debug, Clone, Copy)]
pub struct Planned<'a> {
    /// The target.
    pub target: &'a Target,
    /// When it is probed, if at all.
    pub schedule: Option<&'a TargetSchedule>,
    /// What is stated of its use.
    pub assumed: Option<&'a Assumed>,
    /// The gap that was learned for `every: auto`, where one was.
    pub learned: Option<Duration>,
}

/// What is to be planned.
#[derive(Debug, Clone, Copy)]
pub struct Question<'a> {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
    /// The zone in which days begin.
    pub zone: &'a TimeZone,
    /// The targets, in the order in which they are shown.
    pub targets: &'a [Planned<'a>],
    /// What is said of the providers' quotas.
    pub quotas: &'a BTreeMap<ProviderId, QuotaSettings>,
}

impl Question<'_> {
    fn days(&self) -> f64 {
        self.to.duration_since(self.from).as_secs_f64() / 86_400.0
    }
}

/// What will be done.
#[derive(Debug, Clone)]
pub struct Forecast {
    /// The first moment.
    pub from: Timestamp,
    /// The first moment after it.
    pub to: Timestamp,
    /// How many days that is.
    pub days: f64,
    /// The providers of the targets, in the order of their first target.
    pub accounts: Vec<AccountForecast>,
}

/// What will be done at one provider.
#[derive(Debug, Clone)]
pub struct AccountForecast {
    /// The provider.
    pub provider: Arc<Provider>,
    /// What is said of its quota.
    pub quota: QuotaSettings,
    /// Its targets.
    pub targets: Vec<TargetForecast>,
    /// Its limits.
    pub limits: Vec<LimitForecast>,
    /// The minute in which most warm-ups begin.
    pub busiest: Option<Burst>,
    /// For how long at least one of its targets is to be kept warm: what regenerates in this time is what can be shared.
    pub warm_time: Duration,
    /// How many warm-ups the governor would withhold if nobody else used the account, where more is asked for than the
    /// share of some limit. Users make it more.
    pub withheld: Option<u64>,
}

/// What will be done with one target.
#[derive(Debug, Clone)]
pub struct TargetForecast {
    /// The target.
    pub target: Target,
    /// What is stated of it.
    pub assumed: Assumed,
    /// What sets its warm-ups off. `None` where it is not warmed.
    pub pace: Option<Pace>,
    /// How many warm-ups there are.
    pub warm_ups: u64,
    /// How many there are on the day that has most.
    pub busiest_day: u64,
    /// How many free checks are made by themselves.
    pub checks: u64,
    /// What its requests cost.
    pub price: Price,
    /// What one warm-up is expected to cost.
    pub charge: Charge,
    /// How many days are planned.
    pub days: f64,
    pub(in crate::plan) dues: Dues,
    /// When users are there.
    pub(in crate::plan) users: Spans,
    /// When it is to be kept warm, if it is.
    pub(super) kept: Option<Spans>,
}

/// What sets warm-ups off.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pace {
    /// `every: auto`: the gap that was learned, or the interval that stands for it until one is.
    Auto(Duration),
    /// An interval.
    Every(Duration),
    /// Cron fields.
    Cron(String),
}

impl Pace {
    /// The time between two warm-ups, where it is always the same.
    #[must_use]
    pub fn interval(&self) -> Option<Duration> {
        match self {
            Self::Auto(every) | Self::Every(every) => Some(*every),
            Self::Cron(_) => None,
        }
    }
}

/// What will be spent of one limit.
#[derive(Debug, Clone)]
pub struct LimitForecast {
    /// The limit.
    pub limit: Limit,
    /// What all warm-ups spend of it, in its unit. `None` where no price is known in which it could be told.
    pub spent: Option<f64>,
    /// What comes back in the time in which a target is to be kept warm, in its unit. `None` where nothing does.
    pub regenerates: Option<f64>,
    /// The stretch of its own length in which most is spent. `None` where nothing is, or nothing comes back.
    pub worst: Option<Worst>,
}

/// The worst stretch of a limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Worst {
    /// When it begins.
    pub from: Timestamp,
    /// When it is over.
    pub to: Timestamp,
    /// What is spent in it, in the limit's unit.
    pub spent: f64,
    /// The same as a part of the limit: what regenerates in such a stretch. Not of 1.
    pub part: f64,
}

/// Warm-ups that begin together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Burst {
    /// The minute.
    pub at: Timestamp,
    /// How many.
    pub warm_ups: u64,
}

impl Forecast {
    /// Reckons it.
    ///
    /// Fails where cron fields cannot be understood, or never fire.
    pub fn of(question: &Question<'_>) -> Result<Self, CronError> {
        let mut almanac = Almanac::new(question.from, question.to);
        let midnights = account::midnights(question);
        let mut order: Vec<(ProviderId, Vec<TargetForecast>)> = Vec::new();
        let mut places: BTreeMap<&ProviderId, usize> = BTreeMap::new();
        for planned in question.targets {
            let provider = &planned.target.provider;
            let quota = question.quotas.get(&provider.id);
            let target = account::target(planned, quota, (&midnights, question.days()), &mut almanac)?;
            let place = *places.entry(&provider.id).or_insert(order.len());
            match order.get_mut(place) {
                Some((_, targets)) => targets.push(target),
                None => order.push((provider.id.clone(), vec![target])),
            }
        }
        let accounts = order.into_iter().filter_map(|(id, targets)| {
            let quota = question.quotas.get(&id).cloned().unwrap_or_default();
            let mut account = account::account(question, quota, targets)?;
            account.withheld = account.asks_too_much().then(|| withheld_alone(&account, question.from, question.to));
            Some(account)
        });
        Ok(Self { from: question.from, to: question.to, days: question.days(), accounts: accounts.collect() })
    }
}

impl LimitForecast {
    /// Whether its share says something about how much may be spent of it: a share of a minute says little.
    #[must_use]
    pub fn is_shared(&self) -> bool {
        self.limit.refill.period(self.limit.max).is_some_and(|period| period >= Duration::from_secs(3600))
    }
}

impl AccountForecast {
    /// Whether more is asked for than the share of some limit.
    #[must_use]
    pub fn asks_too_much(&self) -> bool {
        self.limits.iter().any(|limit| limit.is_shared() && self.is_beyond(limit))
    }

    /// Whether more is asked for than the share of a limit of it.
    #[must_use]
    pub fn is_beyond(&self, limit: &LimitForecast) -> bool {
        limit.worst.is_some_and(|worst| worst.part > self.quota.share.fraction() + 1e-6)
    }

    /// How many warm-ups there are.
    #[must_use]
    pub fn warm_ups(&self) -> u64 {
        self.targets.iter().map(|target| target.warm_ups).sum()
    }

    /// How many free checks are made by themselves.
    #[must_use]
    pub fn checks(&self) -> u64 {
        self.targets.iter().map(|target| target.checks).sum()
    }

    /// What all warm-ups cost in US dollars. `None` where the price of one of them is not known.
    #[must_use]
    pub fn usd(&self) -> Option<f64> {
        self.targets.iter().map(TargetForecast::usd).sum()
    }
}

impl TargetForecast {
    /// What its warm-ups cost in US dollars. `None` where that is not known.
    #[must_use]
    pub fn usd(&self) -> Option<f64> {
        if self.warm_ups == 0 { Some(0.0) } else { self.charge.usd.map(|usd| usd * account::number(self.warm_ups)) }
    }

    /// The part of a limit that it takes in the limit's worst stretch. Not of 1.
    #[must_use]
    pub fn part(&self, limit: &LimitForecast) -> Option<f64> {
        let worst = limit.worst?;
        let [from, to] = [worst.from, worst.to].map(super::due::nanoseconds);
        let one = self.charge.in_unit(limit.limit.unit)?;
        if worst.spent <= 0.0 {
            return None;
        }
        // A stretch that is longer than what is planned was drawn out to its length.
        let counted: f64 = account::number(self.dues.between(from, to)) * one;
        Some(counted / limit.limit.max * worst::stretched(limit, from, to))
    }
}

/// What sets a target's warm-ups off.
fn pace(schedule: Option<&TargetSchedule>, learned: Option<Duration>) -> Option<Pace> {
    match &schedule?.warm.as_ref()?.trigger {
        WarmTrigger::Auto => Some(Pace::Auto(learned.unwrap_or(AUTO))),
        WarmTrigger::Fixed(Trigger::Every(every)) => Some(Pace::Every(*every)),
        WarmTrigger::Fixed(Trigger::Cron(text)) => Some(Pace::Cron(text.as_str().to_owned())),
    }
}
