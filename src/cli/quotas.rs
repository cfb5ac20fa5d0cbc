//! What `status` tells of quotas: the ledgers, read as they were last kept, and what the store knows was spent.

use std::collections::BTreeMap;
use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use crate::config::Config;
use crate::outcome::Unit;
use crate::probe::clock::Clock;
use crate::quota::{Ledger, Limit, QuotaSettings, Stamp, Steady};
use crate::report::{LimitLeft, ProviderQuota};
use crate::store::{LedgerFiles, Spent, TargetSummary};

const DAY_S: f64 = 86_400.0;

/// What the targets of each provider spent in 24 hours, those that are gone too: it came out of the same quota.
pub(super) fn spent_by_provider(summaries: &[TargetSummary]) -> BTreeMap<String, Spent> {
    let mut all: BTreeMap<String, Spent> = BTreeMap::new();
    for summary in summaries {
        all.entry(summary.latest.provider.clone()).or_default().add(summary.spent.day);
    }
    all
}

/// The quota of each of these providers that has a ledger, in the order of probes.yaml.
pub(super) fn quotas(
    config: &Config,
    providers: &[&str],
    state: &Path,
    spent: &BTreeMap<String, Spent>,
    clock: &dyn Clock,
) -> Vec<ProviderQuota> {
    let files = LedgerFiles::new(state.to_owned());
    let now = stamp(clock);
    let mut seen: Vec<&str> = Vec::new();
    let mut quotas = Vec::new();
    for target in &config.targets {
        let id = &target.provider.id;
        if !providers.contains(&id.as_str()) || seen.contains(&id.as_str()) {
            continue;
        }
        seen.push(id.as_str());
        let Some(ledger) = files.peek(id) else { continue };
        let settings = config.quotas.get(id).cloned().unwrap_or_default();
        let day = spent.get(id.as_str()).copied().unwrap_or_default();
        quotas.push(quota(id.as_str(), ledger, &settings, day, now, clock.wall()));
    }
    quotas
}

fn quota(
    provider: &str,
    ledger: Ledger,
    settings: &QuotaSettings,
    day: Spent,
    now: Stamp,
    wall: Timestamp,
) -> ProviderQuota {
    let ledger = ledger.later(settings, now);
    let known = |limit: &str| settings.limits.iter().find(|known| known.name.as_str() == limit);
    let limits = ledger.left(settings).map(|left| {
        // As the governor has it: money that nobody is known to give back is long.
        let money = matches!(left.unit, Unit::Usd | Unit::OtherMoney);
        let long = known(left.window.as_str()).map_or(money, Limit::is_long);
        LimitLeft {
            window: left.window.to_string(),
            unit: left.unit,
            remaining: left.remaining,
            max: left.max,
            share_left: ledger.share_left(left.window),
            floor: if long { settings.long_floor } else { settings.floor }.fraction(),
            next: left.next_s.and_then(|seconds| after(wall, seconds)),
        }
    });
    ProviderQuota {
        provider: provider.to_owned(),
        limits: limits.collect(),
        refused_until: ledger.refused_for(settings).and_then(|seconds| after(wall, seconds)),
        daily_cap_usd: settings.daily_cap,
        today_usd: ledger.spent_today(),
        day,
        part_of_regained: settings.limits.iter().filter_map(|limit| part(limit, &day)).reduce(f64::max),
    }
}

/// The part that was spent of what a limit gives back in a day. `None` where it gives nothing back, or it is not known
/// what of it was spent.
fn part(limit: &Limit, day: &Spent) -> Option<f64> {
    let spent = match limit.unit {
        Unit::Requests => day.price_requests,
        Unit::Usd => day.price_usd,
        Unit::Tokens => day.tokens().map(|tokens| tokens as f64),
        Unit::OtherMoney | Unit::Percent => None,
    };
    let part = spent? / (limit.rate() * DAY_S);
    part.is_finite().then_some(part)
}

fn after(wall: Timestamp, seconds: f64) -> Option<Timestamp> {
    wall.checked_add(SignedDuration::try_from_secs_f64(seconds).ok()?).ok()
}

/// This moment, as ledgers are stamped.
fn stamp(clock: &dyn Clock) -> Stamp {
    let steady = clock
        .since_boot()
        .map(|since| Steady { boot: since.boot, ms: u64::try_from(since.elapsed.as_millis()).unwrap_or(u64::MAX) });
    Stamp { wall_ms: clock.wall().as_millisecond(), steady }
}
