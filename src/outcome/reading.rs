//! What a provider said of its limits: facts, as they came. What follows from them is `quota/`'s.

use std::borrow::Cow;
use std::fmt;
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The name of a limit of a provider, the same in probes.yaml, logs, metrics and plans: `five-hour`, `week`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct WindowName(Cow<'static, str>);

impl WindowName {
    /// Synthetic's rolling five hours of requests.
    pub const FIVE_HOUR: Self = Self(Cow::Borrowed("five-hour"));
    /// A week: Synthetic's credit, Z.AI's tokens.
    pub const WEEK: Self = Self(Cow::Borrowed("week"));
    /// A calendar month.
    pub const MONTH: Self = Self(Cow::Borrowed("month"));
    /// A day of requests.
    pub const REQUESTS_DAY: Self = Self(Cow::Borrowed("requests-day"));
    /// A minute of requests.
    pub const REQUESTS_MINUTE: Self = Self(Cow::Borrowed("requests-minute"));
    /// A second of requests.
    pub const REQUESTS_SECOND: Self = Self(Cow::Borrowed("requests-second"));
    /// Requests, over a time that is not said.
    pub const REQUESTS: Self = Self(Cow::Borrowed("requests"));
    /// A minute of tokens.
    pub const TOKENS_MINUTE: Self = Self(Cow::Borrowed("tokens-minute"));
    /// A day of tokens.
    pub const TOKENS_DAY: Self = Self(Cow::Borrowed("tokens-day"));
    /// Tokens, over a time that is not said.
    pub const TOKENS: Self = Self(Cow::Borrowed("tokens"));
    /// Tokens of prompts.
    pub const INPUT_TOKENS: Self = Self(Cow::Borrowed("input-tokens"));
    /// Generated tokens.
    pub const OUTPUT_TOKENS: Self = Self(Cow::Borrowed("output-tokens"));
    /// Money that was paid in and is used up.
    pub const BALANCE: Self = Self(Cow::Borrowed("balance"));
    /// What a key may spend.
    pub const KEY: Self = Self(Cow::Borrowed("key"));

    /// Whether it is full again before anybody looks a second time: it tells nothing of what others do.
    #[must_use]
    pub fn is_brief(&self) -> bool {
        [Self::REQUESTS_SECOND, Self::REQUESTS_MINUTE, Self::REQUESTS].contains(self)
    }

    /// A name that a person gave in probes.yaml, checked there.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(Cow::Owned(name.to_owned()))
    }

    /// The name as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for WindowName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// What a limit counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Requests, each at its price where the provider weighs them.
    Requests,
    /// Tokens.
    Tokens,
    /// US dollars.
    Usd,
    /// Another currency; what it is worth is not known here.
    OtherMoney,
    /// Hundredths of the whole, where the provider says no more.
    Percent,
}

impl Unit {
    /// The word in probes.yaml, logs and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Requests => "requests",
            Self::Tokens => "tokens",
            Self::Usd => "usd",
            Self::OtherMoney => "other-money",
            Self::Percent => "percent",
        }
    }
}

/// What a provider said of one of its limits. What it did not say is absent, never zero: the `{}` of a pay-as-you-go
/// account is no reading at all. Every number is finite and not negative.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Reading {
    /// Which limit.
    pub window: WindowName,
    /// What it counts.
    pub unit: Unit,
    /// What is left.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remaining: Option<f64>,
    /// What there is when nothing is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<f64>,
    /// When something comes back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next: Option<Timestamp>,
    /// How much of it then comes back, in its unit. Absent where the provider does not say; a window that begins anew
    /// gives all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gives: Option<f64>,
    /// Whether the provider says outright that it refuses for want of this.
    #[serde(default)]
    pub limited: Limited,
}

/// Whether a provider says that it refuses requests for want of quota.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Limited {
    /// It does not, or says nothing of it.
    #[default]
    No,
    /// It does.
    Yes,
}

/// What was read of a provider's limits during a probe.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct QuotaSeen {
    /// Before anything was spent: from the free endpoint.
    pub before: Vec<Reading>,
    /// After: from the answer that was paid for, or from a refusal.
    pub after: Vec<Reading>,
}

/// A use of a provider's account that was not ours: its counter had fallen by more than we know to have spent.
#[derive(Debug, Clone, PartialEq)]
pub struct Used {
    /// Whose counter.
    pub window: WindowName,
    /// By how much it fell, in requests as the provider weighs them.
    pub requests: f64,
    /// It was used within this time before the counter was read.
    pub since: Duration,
}

/// What an account's counters of requests tell of uses that were not ours, since they were read last.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Uses {
    /// Those that are sure.
    pub seen: Vec<Used>,
    /// What it comes to.
    pub counter: Counter,
}

/// Whether a counter fell by more than we know to have spent; the surer, the greater.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Counter {
    /// There is none, or it was not read.
    #[default]
    Absent,
    /// It cannot tell: it was not read before, it is full, or something has come back meanwhile or may have.
    Untold,
    /// It did not.
    Still,
    /// It did.
    Moved,
}

impl Uses {
    /// Adds what another counter tells of the same time: what one of them is sure of holds.
    pub fn beside(&mut self, other: Self) {
        self.counter = self.counter.max(other.counter);
        self.seen.extend(other.seen);
    }

    /// Adds what was told of the time after: it was still only if it was still in both.
    pub fn then(&mut self, later: Self) {
        self.counter = match (self.counter, later.counter) {
            (Counter::Moved, _) | (_, Counter::Moved) => Counter::Moved,
            (Counter::Untold, _) | (_, Counter::Untold) => Counter::Untold,
            (Counter::Still, _) | (_, Counter::Still) => Counter::Still,
            (Counter::Absent, Counter::Absent) => Counter::Absent,
        };
        self.seen.extend(later.seen);
    }
}

/// No provider has more limits than this.
const READINGS: usize = 16;

impl QuotaSeen {
    /// Takes in what was read before anything was spent. Of what was read twice the newer counts.
    pub fn read_before(&mut self, readings: Vec<Reading>) {
        merge(&mut self.before, readings);
    }

    /// Takes in what was read after something was spent. Of what was read twice the newer counts.
    pub fn read_after(&mut self, readings: Vec<Reading>) {
        merge(&mut self.after, readings);
    }

    /// The newest readings, each limit once.
    pub fn newest(&self) -> impl Iterator<Item = &Reading> {
        let again = |reading: &&Reading| !self.after.iter().any(|after| after.window == reading.window);
        self.after.iter().chain(self.before.iter().filter(again))
    }

    /// What is left of the limit that a probe is most likely to run into: requests where they are limited, the longest
    /// window of them first; else the week, the key or the balance. In the unit of that limit.
    #[must_use]
    pub fn remaining(&self) -> Option<f64> {
        /// From the foremost.
        const ORDER: [WindowName; 7] = [
            WindowName::FIVE_HOUR,
            WindowName::REQUESTS_DAY,
            WindowName::REQUESTS_MINUTE,
            WindowName::REQUESTS,
            WindowName::WEEK,
            WindowName::KEY,
            WindowName::BALANCE,
        ];
        ORDER.iter().find_map(|window| self.newest().find(|reading| reading.window == *window)?.remaining)
    }
}

fn merge(known: &mut Vec<Reading>, newer: Vec<Reading>) {
    let again = |reading: &Reading| newer.iter().any(|newer| newer.window == reading.window);
    let older = std::mem::take(known).into_iter().filter(|reading| !again(reading)).collect::<Vec<_>>();
    known.extend(newer.into_iter().chain(older).take(READINGS));
}

/// What a catalogue says that an LLM costs. Both are finite, and from 0 to 10,000.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct ListPrice {
    /// US dollars for a million tokens of prompts.
    pub input_usd_per_million: f64,
    /// US dollars for a million generated tokens.
    pub output_usd_per_million: f64,
}

/// What a probe cost. What is not known is absent.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Cost {
    /// In requests, as the provider weighs them.
    pub requests: Option<f64>,
    /// In US dollars.
    pub usd: Option<f64>,
}

impl Cost {
    /// Adds the cost of another probe or attempt. What neither is known of stays absent.
    pub fn add(&mut self, more: Self) {
        let sum = |a: Option<f64>, b: Option<f64>| a.zip(b).map(|(a, b)| a + b).or(a).or(b);
        self.requests = sum(self.requests, more.requests);
        self.usd = sum(self.usd, more.usd);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(window: WindowName, remaining: f64) -> Reading {
        Reading {
            window,
            unit: Unit::Requests,
            remaining: Some(remaining),
            max: None,
            next: None,
            gives: None,
            limited: Limited::No,
        }
    }

    #[test]
    fn of_what_was_read_twice_the_newer_counts() {
        let mut seen = QuotaSeen::default();
        seen.read_before(vec![reading(WindowName::FIVE_HOUR, 9.0), reading(WindowName::WEEK, 5.0)]);
        seen.read_before(vec![reading(WindowName::FIVE_HOUR, 8.0)]);
        seen.read_before(Vec::new());
        assert_eq!(seen.before, [reading(WindowName::FIVE_HOUR, 8.0), reading(WindowName::WEEK, 5.0)]);
        seen.read_after(vec![reading(WindowName::FIVE_HOUR, 7.0)]);
        let newest: Vec<_> = seen.newest().cloned().collect();
        assert_eq!(newest, [reading(WindowName::FIVE_HOUR, 7.0), reading(WindowName::WEEK, 5.0)]);
    }

    #[test]
    fn there_are_never_more_than_sixteen() {
        let mut seen = QuotaSeen::default();
        for number in 0..40_u8 {
            seen.read_after(vec![reading(WindowName::new(&format!("w{number}")), f64::from(number))]);
        }
        let kept: Vec<_> = seen.after.iter().filter_map(|reading| reading.remaining).collect();
        assert_eq!(kept, (24..40).rev().map(f64::from).collect::<Vec<_>>());
    }

    #[test]
    fn requests_come_before_money() {
        let mut seen = QuotaSeen::default();
        assert_eq!(seen.remaining(), None);
        seen.read_before(vec![reading(WindowName::TOKENS_MINUTE, 1.0)]);
        assert_eq!(seen.remaining(), None);
        seen.read_after(vec![reading(WindowName::BALANCE, 2.0), reading(WindowName::WEEK, 3.0)]);
        assert_eq!(seen.remaining(), Some(3.0));
        seen.read_before(vec![reading(WindowName::REQUESTS_MINUTE, 4.0)]);
        assert_eq!(seen.remaining(), Some(4.0));
        seen.read_after(vec![Reading { remaining: None, ..reading(WindowName::FIVE_HOUR, 0.0) }]);
        assert_eq!(seen.remaining(), Some(4.0), "what is not known is passed over");
    }
}

/// Why a warm-up was withheld.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Withholding {
    /// The provider has said that it refuses: a 429, or a quota that is spent.
    Limited,
    /// A request of ours is in flight at this LLM.
    InFlight,
    /// Too little is left of a limit.
    Floor,
    /// The probes' share of a limit is spent.
    Share,
    /// The share is not enough for all schedules, and this target has had its part for now.
    Useful,
    /// The day's money is spent.
    DailyCap,
    /// There is a cap on the day's money, and what the LLM costs is not known.
    PriceUnknown,
}

impl Withholding {
    /// Every reason.
    pub const ALL: [Self; 7] =
        [Self::Limited, Self::InFlight, Self::Floor, Self::Share, Self::Useful, Self::DailyCap, Self::PriceUnknown];

    /// The word in logs and metrics.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Limited => "limited",
            Self::InFlight => "in-flight",
            Self::Floor => "floor",
            Self::Share => "share",
            Self::Useful => "useful",
            Self::DailyCap => "daily-cap",
            Self::PriceUnknown => "price-unknown",
        }
    }
}
