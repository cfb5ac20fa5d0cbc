//! What a forecast means, in sentences: each is reckoned from the figures, and none is said that does not hold for them.
//!
//! Nothing here says what a learned interval will do: where an idle timeout is stated, what it needs can be reckoned.

use std::time::Duration;

use super::account::{number, tally};
use super::{AccountForecast, Forecast, LimitForecast, Pace, TargetForecast};
use crate::outcome::words::{count, money};
use crate::quota::QuotaSettings;
use crate::target::KeepAlive;

/// So many names are written out.
const NAMED: usize = 4;
/// A ping that takes less of a limit than this is not worth a sentence. Not of 1 but of the whole.
const WORTH_TELLING: f64 = 0.04;
/// One warm-up in this part of the idle timeout keeps an LLM loaded that nobody uses.
const OF_IDLE: f64 = 0.95;
/// A price that is this much lower is worth moving to.
const CHEAPER: f64 = 0.5;

/// The sentences, the most pressing first.
#[must_use]
pub fn advice(forecast: &Forecast) -> Vec<String> {
    let mut said = Vec::new();
    for account in &forecast.accounts {
        for limit in &account.limits {
            said.extend(beyond(account, limit, forecast));
        }
        said.extend(cap(account, forecast));
        said.extend(useless(account));
        for limit in &account.limits {
            said.extend(pings(account, limit));
            said.extend(cheaper(account, limit));
            said.extend(room(account, limit));
        }
        said.extend(idle(account));
    }
    said
}

/// A part as people read it: `15 %`, `0.4 %`.
#[must_use]
pub fn percent(part: f64) -> String {
    let percent = part * 100.0;
    match percent {
        percent if percent <= 0.0 => "0 %".to_owned(),
        percent if percent < 0.1 => "less than 0.1 %".to_owned(),
        percent if percent < 9.95 => format!("{percent:.1} %").replace(".0 %", " %"),
        percent => format!("{percent:.0} %"),
    }
}

/// An interval as probes.yaml has it: `4m`, `14m15s`.
fn interval(time: Duration) -> String {
    let seconds = time.as_secs();
    let parts = [(seconds / 3600, "h"), (seconds / 60 % 60, "m"), (seconds % 60, "s")];
    let text: String =
        parts.iter().filter(|(amount, _)| *amount > 0).map(|(amount, unit)| format!("{amount}{unit}")).collect();
    if text.is_empty() { "1s".to_owned() } else { text }
}

/// The next whole minute, or from an hour on the next five.
fn rounded_up(seconds: f64) -> Duration {
    let step = if seconds < 3600.0 { 60.0 } else { 300.0 };
    Duration::try_from_secs_f64((seconds / step - 1e-6).ceil().max(1.0) * step).unwrap_or(Duration::MAX)
}

fn names<'t>(targets: impl Iterator<Item = &'t TargetForecast>) -> String {
    let all: Vec<&str> = targets.map(|target| target.target.id.as_str()).collect();
    let more = all.len().saturating_sub(NAMED);
    let mut shown: Vec<String> = all.iter().take(NAMED).map(|name| (*name).to_owned()).collect();
    if more > 0 {
        shown.push(format!("{more} more"));
    }
    match shown.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

fn warmed(account: &AccountForecast) -> impl Iterator<Item = &TargetForecast> {
    account.targets.iter().filter(|target| target.warm_ups > 0)
}

/// A schedule that asks for more than its share, or than there is.
fn beyond(account: &AccountForecast, limit: &LimitForecast, forecast: &Forecast) -> Option<String> {
    let worst = limit.worst?;
    let id = &account.provider.id;
    let name = &limit.limit.name;
    let share = account.quota.share.fraction();
    if !limit.is_shared() {
        return (worst.part > 1.0).then(|| {
            format!(
                "{id}: warm-ups alone ask for {} of the {name} limit at once: some will be refused",
                percent(worst.part)
            )
        });
    }
    if !account.is_beyond(limit) {
        return None;
    }
    let all = account.warm_ups();
    let withheld = match account.withheld {
        None | Some(0) => String::new(),
        Some(some) => {
            format!(": the governor will leave out about {some} of {all} warm-ups in {}", days(forecast.days))
        }
    };
    let longer = worst.part / share;
    let paces = tally(warmed(account).filter_map(|target| target.pace.as_ref().and_then(Pace::interval)));
    let fits = match paces.as_slice() {
        [(every, _)] => format!("`every: {}` would fit", interval(rounded_up(every.as_secs_f64() * longer))),
        _ => format!("intervals {longer:.1} times as long would fit"),
    };
    Some(format!(
        "{id}: the schedule asks for more than its share of the {name} limit ({} > {}){withheld}; {fits}",
        percent(worst.part),
        percent(share)
    ))
}

fn days(days: f64) -> String {
    if days.round() == 1.0 { "a day".to_owned() } else { format!("{days:.0} days") }
}

/// A cap on a day's money that is reached.
fn cap(account: &AccountForecast, forecast: &Forecast) -> Option<String> {
    let (id, cap) = (&account.provider.id, account.quota.daily_cap?);
    let Some(usd) = account.usd() else {
        return Some(format!(
            "{id}: there is a `daily_cap`, and what a warm-up costs is not known here: none will be made unless the provider's catalogue has a price, or `prices`"
        ));
    };
    let busiest: f64 = warmed(account).filter_map(|target| Some(target.charge.usd? * number(target.busiest_day))).sum();
    (busiest > cap).then(|| {
        format!(
            "{id}: a day of warm-ups costs up to {}, and `daily_cap` is {}: it stops them before the day is over ({} in {})",
            money(busiest),
            money(cap),
            money(usd),
            days(forecast.days)
        )
    })
}

/// Warming what never unloads.
fn useless(account: &AccountForecast) -> Option<String> {
    let provider = &account.provider;
    let kept = provider.keep_alive == Some(KeepAlive::Forever);
    let made = account.warm_ups();
    if made == 0 || (provider.unloads && !kept) {
        return None;
    }
    let why = match kept {
        true => "`keep_alive: forever` keeps them loaded".to_owned(),
        false => format!("no model of {} is known to unload", provider.title),
    };
    let all = names(warmed(account));
    Some(format!("warming {all} buys nothing: {why}; `auth` checks the key for free"))
}

/// What a ping takes: targets of one pace and price together.
fn pings(account: &AccountForecast, limit: &LimitForecast) -> Vec<String> {
    let key = |target: &TargetForecast| {
        let every = target.pace.as_ref()?.interval()?;
        let part = target.part(limit).filter(|part| *part >= WORTH_TELLING)?;
        Some((every, percent(part)))
    };
    let kinds = tally(warmed(account).filter_map(key));
    kinds
        .into_iter()
        .map(|((every, part), alike)| {
            let who = names(warmed(account).filter(|target| key(target).as_ref() == Some(&(every, part.clone()))));
            let each = if alike > 1 { " each" } else { "" };
            format!("a ping of {who} every {} takes {part} of the {} limit{each}", interval(every), limit.limit.name)
        })
        .collect()
}

/// Models that cost a part of what the dear ones do.
fn cheaper(account: &AccountForecast, limit: &LimitForecast) -> Option<String> {
    let worst = limit.worst.filter(|worst| worst.part >= WORTH_TELLING && limit.is_shared())?;
    let price = |target: &TargetForecast| target.charge.in_unit(limit.limit.unit).filter(|price| *price > 0.0);
    let known = account.targets.iter().filter_map(|target| Some((target, price(target)?)));
    let (cheap, least) = known.clone().min_by(|one, other| one.1.total_cmp(&other.1))?;
    let dear: Vec<(&TargetForecast, f64)> =
        known.filter(|(target, price)| target.warm_ups > 0 && least <= price * CHEAPER).collect();
    let now: f64 = dear.iter().filter_map(|(target, _)| target.part(limit)).sum();
    let then: f64 = dear.iter().filter_map(|(target, price)| Some(target.part(limit)? * least / price)).sum();
    if dear.is_empty() || now < worst.part * 0.1 {
        return None;
    }
    Some(format!(
        "at the price of {} the warm-ups of {} would take {} of the {} limit instead of {}",
        cheap.target.id,
        names(dear.iter().map(|(target, _)| *target)),
        percent(then),
        limit.limit.name,
        percent(now)
    ))
}

/// How often the share is enough for.
fn room(account: &AccountForecast, limit: &LimitForecast) -> Option<String> {
    limit.worst?;
    let QuotaSettings { share, .. } = account.quota;
    let per_second = limit.limit.rate() * share.fraction();
    let prices: Vec<f64> = warmed(account).filter_map(|target| target.charge.in_unit(limit.limit.unit)).collect();
    let sum: f64 = prices.iter().sum();
    if !limit.is_shared() || per_second <= 0.0 || sum <= 0.0 {
        return None;
    }
    let each = sum / per_second;
    // Nobody warms more often than every ten seconds: there is room enough.
    (each >= 10.0).then(|| {
        let models = count(prices.len(), "model");
        let each =
            if each < 60.0 { interval(Duration::from_secs_f64(each.ceil())) } else { interval(rounded_up(each)) };
        format!(
            "{} of the {} limit is enough to warm {models} every {each}",
            percent(share.fraction()),
            limit.limit.name
        )
    })
}

/// What a stated idle timeout means for an interval.
fn idle(account: &AccountForecast) -> Vec<String> {
    let key = |target: &TargetForecast| {
        let unloads = account.provider.unloads && account.provider.keep_alive != Some(KeepAlive::Forever);
        Some((target.pace.as_ref()?.interval()?, target.assumed.idle_timeout.filter(|_| unloads)?))
    };
    let kinds = tally(warmed(account).filter_map(key));
    let say = |((every, timeout), alike): ((Duration, Duration), usize)| {
        let (unload, are, stay) = if alike == 1 { ("unloads", "is", "stays") } else { ("unload", "are", "stay") };
        let of_kind = || warmed(account).filter(move |target| key(target) == Some((every, timeout)));
        let (who, least) = (names(of_kind()), timeout.mul_f64(OF_IDLE));
        let (every_text, timeout_text) = (interval(every), interval(timeout));
        if every > timeout {
            let cold = 1.0 - timeout.as_secs_f64() / every.as_secs_f64();
            return Some(format!(
                "{who} {unload} after {timeout_text} (assumed) and {are} warmed every {every_text}: cold for {} of the time \
                 while nobody uses it; `every: {}` would keep it loaded",
                percent(cold),
                interval(Duration::from_secs(least.as_secs()))
            ));
        }
        if every.as_secs_f64() >= least.as_secs_f64() * 0.8 {
            return None;
        }
        let made: u64 = of_kind().map(|target| target.warm_ups).sum();
        let fewer = number(made) * every.as_secs_f64() / least.as_secs_f64();
        Some(format!(
            "{who} {stay} loaded for {timeout_text} (assumed): one warm-up every {} would do while nobody uses it, about \
             {fewer:.0} instead of {made}",
            interval(Duration::from_secs(least.as_secs()))
        ))
    };
    kinds.into_iter().filter_map(say).collect()
}
