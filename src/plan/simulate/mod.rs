//! A forecast played through virtual time: users come as it is stated, LLMs unload and load, the provider counts and
//! refuses, and the real governor grants and withholds. Once without probes and once with them, over the same users.
//!
//! What nobody stated is assumed, and said so by whoever shows it: an idle timeout of 15 minutes, a cold start of 30 s, and
//! no users. Users' tokens and money are not known, so users spend only of limits that count requests. It is a model: what
//! it tells is how two schedules compare, not what a day will bring.

mod chance;
mod llm;
mod play;
mod pool;
#[cfg(test)]
mod tests;
mod users;

use std::time::Duration;

use jiff::Timestamp;

use super::TargetForecast;
use super::forecast::{AccountForecast, Forecast, number};
use crate::outcome::{Unit, WindowName, Withholding};
use crate::target::{ProviderId, TargetId};

/// The idle timeout where none is stated.
pub const IDLE_TIMEOUT: Duration = Duration::from_secs(900);
/// The cold start where none is stated.
pub const COLD_START: Duration = Duration::from_secs(30);

/// Who probes in a simulated world.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Probing {
    /// Nobody.
    No,
    /// The schedule, whatever it takes.
    Unheld,
    /// The schedule, as far as the governor grants it.
    Governed,
}

/// What came of a forecast.
#[derive(Debug, Clone)]
pub struct Simulation {
    /// What its chance was made of.
    pub seed: u64,
    /// The providers, in the order of the forecast.
    pub accounts: Vec<SimulatedAccount>,
}

/// What came of it at one provider.
#[derive(Debug, Clone)]
pub struct SimulatedAccount {
    /// The provider.
    pub provider: ProviderId,
    /// Its targets.
    pub targets: Vec<SimulatedTarget>,
    /// What probes took of each limit.
    pub taken: Vec<Taken>,
}

/// What came of it for one target.
#[derive(Debug, Clone)]
pub struct SimulatedTarget {
    /// The target.
    pub target: TargetId,
    /// Without probes.
    pub without: Tally,
    /// With them.
    pub with: Tally,
}

/// What probes took of a limit.
#[derive(Debug, Clone)]
pub struct Taken {
    /// The limit.
    pub window: WindowName,
    /// What it counts.
    pub unit: Unit,
    /// How much, in its unit. `None` where no price is known in which it could be told.
    pub amount: Option<f64>,
    /// The part of what regenerates while something is to be kept warm. Not of 1.
    pub part: Option<f64>,
}

/// What happened in one world.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    /// How often users began to work, at the times at which they are there.
    pub sessions: u64,
    /// How many requests they made.
    pub requests: u64,
    /// How many of those the provider refused for want of quota.
    pub refused: u64,
    /// How many of `sessions` began with a wait for a cold LLM: of more than 3 s, or three tenths of a cold start.
    pub cold_hits: u64,
    /// How long users waited for loading LLMs, in seconds.
    pub cold_wait_s: f64,
    /// How many of users' requests waited for earlier ones at the same LLM, and for how long, in seconds.
    pub queued: u64,
    /// See `queued`.
    pub queued_s: f64,
    /// How many of users' requests waited behind a probe, and for how long, in seconds.
    pub behind_probe: u64,
    /// See `behind_probe`.
    pub behind_probe_s: f64,
    /// How many warm-ups were made.
    pub sent: u64,
    /// How many of those found the LLM unloaded, and loaded it.
    pub loads: u64,
    /// How many warm-ups the provider refused.
    pub sent_refused: u64,
    /// How many warm-ups the governor withheld, by the order of [`Withholding::ALL`].
    pub withheld: [u64; Withholding::ALL.len()],
}

impl Tally {
    /// Adds what happened elsewhere.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        self.sessions += other.sessions;
        self.requests += other.requests;
        self.refused += other.refused;
        self.cold_hits += other.cold_hits;
        self.cold_wait_s += other.cold_wait_s;
        self.queued += other.queued;
        self.queued_s += other.queued_s;
        self.behind_probe += other.behind_probe;
        self.behind_probe_s += other.behind_probe_s;
        self.sent += other.sent;
        self.loads += other.loads;
        self.sent_refused += other.sent_refused;
        for (own, other) in self.withheld.iter_mut().zip(other.withheld) {
            *own += other;
        }
        self
    }

    /// How many warm-ups the governor withheld.
    #[must_use]
    pub fn all_withheld(&self) -> u64 {
        self.withheld.iter().sum()
    }
}

impl SimulatedAccount {
    /// What happened without probes.
    #[must_use]
    pub fn without(&self) -> Tally {
        self.targets.iter().fold(Tally::default(), |all, target| all.and(&target.without))
    }

    /// What happened with them.
    #[must_use]
    pub fn with(&self) -> Tally {
        self.targets.iter().fold(Tally::default(), |all, target| all.and(&target.with))
    }
}

impl Simulation {
    /// Plays a forecast. The same seed gives the same users and LLMs.
    #[must_use]
    pub fn of(forecast: &Forecast, probing: Probing, seed: u64) -> Self {
        let accounts = forecast.accounts.iter().map(|account| simulated(forecast, account, probing, seed)).collect();
        Self { seed, accounts }
    }
}

/// How many warm-ups the governor withholds where nobody else uses an account.
pub(super) fn withheld_alone(account: &AccountForecast, from: Timestamp, to: Timestamp) -> u64 {
    let played = play::play((from, to), account, (Probing::Governed, Crowd::Nobody), 0);
    let made: u64 = played.iter().map(|tally| tally.sent + tally.sent_refused).sum();
    // One that is withheld is asked for again, so the times it was withheld are not those that were not made.
    account.warm_ups().saturating_sub(made)
}

/// Who uses the LLMs beside us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Crowd {
    /// Nobody.
    Nobody,
    /// Whoever is stated.
    AsStated,
}

fn simulated(forecast: &Forecast, account: &AccountForecast, probing: Probing, seed: u64) -> SimulatedAccount {
    // Two worlds that know nothing of each other.
    let (without, with) = std::thread::scope(|scope| {
        let span = (forecast.from, forecast.to);
        let other = scope.spawn(move || play::play(span, account, (Probing::No, Crowd::AsStated), seed));
        let with = play::play(span, account, (probing, Crowd::AsStated), seed);
        (other.join().unwrap_or_default(), with)
    });
    let taken = account.limits.iter().map(|limit| {
        let unit = limit.limit.unit;
        let spent = |(target, tally): (&TargetForecast, &Tally)| {
            let made = number(tally.sent);
            if tally.sent == 0 { Some(0.0) } else { target.charge.in_unit(unit).map(|price| price * made) }
        };
        let amount: Option<f64> = account.targets.iter().zip(&with).map(spent).sum();
        let part = limit.regenerates.and_then(|all| Some(amount? / all));
        Taken { window: limit.limit.name.clone(), unit, amount, part }
    });
    let taken = taken.collect();
    let pairs = account.targets.iter().zip(without).zip(with);
    let targets =
        pairs.map(|((target, without), with)| SimulatedTarget { target: target.target.id.clone(), without, with });
    SimulatedAccount { provider: account.provider.id.clone(), targets: targets.collect(), taken }
}
