//! Synthetic's quota: a five-hour window of requests and a weekly credit, both refilled in small ticks.
//!
//! Pure: time is an argument. The JSON of `GET /v2/quotas` is rendered here too, in each of its four generations,
//! because its shape is the quota's (shared/reference/providers.md, section 1.3).

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use super::clock::{Clock, Moment};
use super::spans;

/// Requests that one pack allows in five hours.
const REQUESTS_PER_PACK: f64 = 500.0;
/// Dollars that one pack allows in a week.
const CREDIT_PER_PACK: f64 = 24.0;
/// Share of the maximum that a five-hour tick gives back, and the time between two.
const FIVE_HOUR_TICK: (f64, Duration) = (0.05, Duration::from_secs(15 * 60));
/// Share of the maximum that a weekly tick gives back, and the time between two.
const WEEKLY_TICK: (f64, Duration) = (0.02, Duration::from_secs(202 * 60));

/// What an account may use.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct QuotaSpec {
    pub(crate) packs: f64,
    /// Which generation of the JSON is served: 1 to 4, or `none` for the `{}` of a pay-as-you-go account.
    pub(crate) generation: Generation,
    pub(crate) used: Used,
    /// Sent as `Retry-After` with the 429 of a spent window; absent when not given.
    #[serde(deserialize_with = "spans::or_never")]
    pub(crate) retry_after: Option<Duration>,
    /// Dollars of weekly credit that a request of price 1 costs.
    pub(crate) request_credit: f64,
    /// Requests per pack, where a founder's pack is wanted.
    pub(crate) requests_per_pack: f64,
    /// Dollars per pack and week.
    pub(crate) credit_per_pack: f64,
}

impl Default for QuotaSpec {
    fn default() -> Self {
        Self {
            packs: 1.0,
            generation: Generation::Four,
            used: Used::default(),
            retry_after: None,
            request_credit: 0.01,
            requests_per_pack: REQUESTS_PER_PACK,
            credit_per_pack: CREDIT_PER_PACK,
        }
    }
}

impl QuotaSpec {
    /// Says what is wrong with the numbers, if anything.
    pub(crate) fn check(&self) -> Result<(), String> {
        let shares = [self.used.five_hour, self.used.weekly];
        if shares.iter().any(|share| !(0.0..=1.0).contains(share)) {
            return Err("`quota.used` holds shares between 0 and 1".to_owned());
        }
        let amounts = [self.packs, self.request_credit, self.requests_per_pack, self.credit_per_pack];
        if amounts.iter().any(|amount| !amount.is_finite() || *amount < 0.0) {
            return Err("the numbers of `quota` must not be negative".to_owned());
        }
        Ok(())
    }
}

/// Shares that are spent at the start.
#[derive(Debug, Clone, Copy, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Used {
    pub(crate) five_hour: f64,
    pub(crate) weekly: f64,
}

/// The generations of the quota JSON.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "GenerationText")]
pub(crate) enum Generation {
    None,
    One,
    Two,
    Three,
    Four,
}

/// YAML writes the generation as a number or as `none`.
#[derive(Deserialize)]
#[serde(untagged)]
enum GenerationText {
    Number(u8),
    Word(String),
}

impl TryFrom<GenerationText> for Generation {
    type Error = String;

    fn try_from(text: GenerationText) -> Result<Self, String> {
        match text {
            GenerationText::Number(1) => Ok(Self::One),
            GenerationText::Number(2) => Ok(Self::Two),
            GenerationText::Number(3) => Ok(Self::Three),
            GenerationText::Number(4) => Ok(Self::Four),
            GenerationText::Word(word) if word == "none" => Ok(Self::None),
            _ => Err("`generation` is 1, 2, 3, 4 or none".to_owned()),
        }
    }
}

/// A store that refills in ticks.
#[derive(Debug, Clone)]
struct Window {
    max: f64,
    remaining: f64,
    tick_share: f64,
    tick_every: Duration,
    ticked: Moment,
}

impl Window {
    fn new(max: f64, used: f64, (tick_share, tick_every): (f64, Duration)) -> Self {
        let remaining = tidy(max * (1.0 - used));
        Self { max, remaining, tick_share, tick_every, ticked: Moment::default() }
    }

    /// Applies the ticks that have come since the last look.
    fn settle(&mut self, now: Moment) {
        while now.since(self.ticked) >= self.tick_every {
            if self.remaining >= self.max {
                // Full: the ticks still pass, and a long sleep need not be counted one by one.
                let ticks = now.since(self.ticked).as_nanos() / self.tick_every.as_nanos();
                let ticks = u32::try_from(ticks).unwrap_or(u32::MAX);
                self.ticked = self.ticked.plus(self.tick_every.saturating_mul(ticks));
                return;
            }
            self.ticked = self.ticked.plus(self.tick_every);
            self.remaining = tidy((self.remaining + self.max * self.tick_share).min(self.max));
        }
    }

    fn spent(&self) -> bool {
        self.remaining <= 0.0
    }

    fn take(&mut self, amount: f64) {
        self.remaining = tidy((self.remaining - amount).max(0.0));
    }

    fn until_tick(&self, now: Moment) -> Duration {
        self.tick_every.saturating_sub(now.since(self.ticked))
    }
}

/// An account's quota as it stands.
#[derive(Debug, Clone)]
pub(crate) struct Quota {
    spec: QuotaSpec,
    five_hour: Window,
    weekly: Window,
    charged: u64,
}

/// Which store of a quota is spent, and when it next gives something back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Spent {
    /// Virtual time until the next tick.
    pub(crate) until_tick: Duration,
    /// What the scenario wants in `Retry-After`, in virtual time.
    pub(crate) retry_after: Option<Duration>,
}

impl Quota {
    /// The quota at virtual zero.
    pub(crate) fn new(spec: &QuotaSpec) -> Self {
        let requests = spec.packs * spec.requests_per_pack;
        let credit = spec.packs * spec.credit_per_pack;
        Self {
            spec: spec.clone(),
            five_hour: Window::new(requests, spec.used.five_hour, FIVE_HOUR_TICK),
            weekly: Window::new(credit, spec.used.weekly, WEEKLY_TICK),
            charged: 0,
        }
    }

    /// Says whether a window is spent.
    pub(crate) fn spent(&mut self, now: Moment) -> Option<Spent> {
        self.five_hour.settle(now);
        self.weekly.settle(now);
        let window = [&self.weekly, &self.five_hour].into_iter().find(|window| window.spent())?;
        Some(Spent { until_tick: window.until_tick(now), retry_after: self.spec.retry_after })
    }

    /// Charges one request of the given price.
    pub(crate) fn charge(&mut self, price: f64, now: Moment) {
        self.five_hour.settle(now);
        self.weekly.settle(now);
        self.five_hour.take(price);
        self.weekly.take(price * self.spec.request_credit);
        self.charged += 1;
    }

    /// What `GET /v2/quotas` answers.
    pub(crate) fn json(&mut self, clock: &Clock) -> Value {
        let now = clock.now();
        self.five_hour.settle(now);
        self.weekly.settle(now);
        let renews = clock.stamp_in(self.five_hour.until_tick(now));
        let hourly = json!({ "limit": 250, "requests": 0, "renewsAt": clock.stamp_in(Duration::from_secs(3600)) });
        let used = self.five_hour.max - self.five_hour.remaining;
        let counted = json!({ "limit": self.five_hour.max, "requests": used, "renewsAt": renews });
        let tools = json!({ "limit": 0, "requests": 0, "renewsAt": clock.stamp_in(Duration::from_secs(86_400)) });
        let mut weekly = json!({
            "nextRegenAt": clock.stamp_in(self.weekly.until_tick(now)),
            "percentRemaining": share(self.weekly.remaining, self.weekly.max) * 100.0,
        });
        let five_hour = json!({
            "nextTickAt": renews,
            "tickPercent": self.five_hour.tick_share,
            "remaining": self.five_hour.remaining,
            "max": self.five_hour.max,
            "limited": self.five_hour.spent() || self.weekly.spent(),
        });
        // From the third generation on `subscription` is a relic that stays at zero.
        let relic = json!({ "limit": self.five_hour.max, "requests": 0, "renewsAt": renews });
        match self.spec.generation {
            Generation::None => json!({}),
            Generation::One => json!({ "subscription": counted }),
            Generation::Two => json!({
                "subscription": counted, "search": { "hourly": hourly }, "toolCallDiscounts": tools,
            }),
            Generation::Three | Generation::Four => {
                if self.spec.generation == Generation::Four
                    && let Some(fields) = weekly.as_object_mut()
                {
                    let regen = self.weekly.max * self.weekly.tick_share;
                    fields.insert("maxCredits".to_owned(), dollars(self.weekly.max));
                    fields.insert("remainingCredits".to_owned(), dollars(self.weekly.remaining));
                    fields.insert("nextRegenCredits".to_owned(), dollars(regen));
                }
                json!({
                    "subscription": relic, "search": { "hourly": hourly }, "freeToolCalls": tools,
                    "weeklyTokenLimit": weekly, "rollingFiveHourLimit": five_hour,
                })
            }
        }
    }

    /// The quota as `/_sim/state` shows it: plain numbers, whatever generation the provider serves.
    pub(crate) fn state(&mut self, now: Moment) -> Value {
        self.five_hour.settle(now);
        self.weekly.settle(now);
        json!({
            "five_hour_remaining": self.five_hour.remaining,
            "five_hour_max": self.five_hour.max,
            "weekly_remaining": self.weekly.remaining,
            "weekly_max": self.weekly.max,
            "charged_requests": self.charged,
        })
    }
}

/// Rounds to a billionth: prices are decimal fractions, and the sum of many must still meet zero.
fn tidy(amount: f64) -> f64 {
    (amount * 1e9).round() / 1e9
}

fn share(part: f64, whole: f64) -> f64 {
    if whole > 0.0 { part / whole } else { 0.0 }
}

fn dollars(amount: f64) -> Value {
    Value::String(format!("${amount:.2}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quota(yaml: &str) -> Quota {
        Quota::new(&serde_saphyr::from_str(yaml).unwrap())
    }

    fn minutes(count: u64) -> Moment {
        Moment::after_start(Duration::from_secs(count * 60))
    }

    #[test]
    fn a_window_refills_in_steps() {
        let mut quota = quota("{ packs: 1, used: { five_hour: 1.0 } }");
        let spent = quota.spent(minutes(14)).unwrap();
        assert_eq!(spent.until_tick, Duration::from_secs(60));
        assert_eq!(quota.spent(minutes(15)), None);
        assert_eq!(quota.five_hour.remaining, 25.0);
        assert_eq!(quota.spent(minutes(45)), None);
        assert_eq!(quota.five_hour.remaining, 75.0);
    }

    #[test]
    fn a_full_window_stays_full_and_keeps_its_rhythm() {
        let mut quota = quota("{ packs: 2 }");
        assert_eq!(quota.spent(minutes(100_000 * 15 + 5)), None);
        assert_eq!(quota.five_hour.remaining, 1000.0);
        assert_eq!(quota.five_hour.until_tick(minutes(100_000 * 15 + 5)), Duration::from_secs(600));
    }

    #[test]
    fn a_request_costs_its_price_in_both_stores() {
        let mut quota = quota("{ request_credit: 0.5 }");
        quota.charge(0.1, minutes(1));
        assert!((quota.five_hour.remaining - 499.9).abs() < 1e-9);
        assert!((quota.weekly.remaining - 23.95).abs() < 1e-9);
    }

    #[test]
    fn the_week_can_be_spent_while_the_five_hours_are_not() {
        let mut quota = quota("{ used: { weekly: 1.0 }, retry_after: 60s }");
        let spent = quota.spent(minutes(1)).unwrap();
        assert_eq!(spent.until_tick, Duration::from_secs(201 * 60));
        assert_eq!(spent.retry_after, Some(Duration::from_secs(60)));
        assert_eq!(quota.spent(minutes(202)), None);
    }

    #[tokio::test(start_paused = true)]
    async fn every_generation_has_its_shape() {
        let clock = Clock::start(1.0);
        let keys = |generation: &str| {
            let json = quota(&format!("{{ generation: {generation}, used: {{ five_hour: 0.25 }} }}")).json(&clock);
            json.as_object().unwrap().keys().cloned().collect::<Vec<_>>()
        };
        assert_eq!(keys("none"), Vec::<String>::new());
        assert_eq!(keys("1"), ["subscription"]);
        assert_eq!(keys("2"), ["search", "subscription", "toolCallDiscounts"]);
        let modern = ["freeToolCalls", "rollingFiveHourLimit", "search", "subscription", "weeklyTokenLimit"];
        assert_eq!(keys("3"), modern);
        assert_eq!(keys("4"), modern);
        let json = quota("{ used: { five_hour: 0.25, weekly: 0.5 } }").json(&clock);
        assert_eq!(json["weeklyTokenLimit"]["remainingCredits"], "$12.00");
        assert_eq!(json["weeklyTokenLimit"]["nextRegenCredits"], "$0.48");
        assert_eq!(json["rollingFiveHourLimit"]["remaining"], 375.0);
        assert_eq!(json["rollingFiveHourLimit"]["limited"], false);
        assert_eq!(json["subscription"]["requests"], 0);
    }

    #[test]
    fn an_unknown_generation_is_refused() {
        assert!(serde_saphyr::from_str::<QuotaSpec>("{ generation: 5 }").is_err());
        assert!(serde_saphyr::from_str::<QuotaSpec>("{ generation: new }").is_err());
    }
}
