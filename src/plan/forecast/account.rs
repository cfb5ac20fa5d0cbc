//! One target's part of a forecast, and one provider's sum of them.

use std::sync::Arc;
use std::time::Duration;

use jiff::ToSpan as _;

use super::super::due::{Almanac, Dues, NANOSECONDS, Spans, at, nanoseconds};
use super::super::{AUTO, CronError};
use super::{AccountForecast, Burst, LimitForecast, Planned, Question, TargetForecast, pace, worst};
use crate::quota::{Charge, Limit, QuotaSettings};

/// A count as a number to reckon with.
#[expect(clippy::cast_precision_loss, reason = "probes are fewer than 2^53")]
pub(in crate::plan) fn number(count: u64) -> f64 {
    count as f64
}

/// The moments at which the days begin that are planned, and the end, in nanoseconds since the epoch.
pub(super) fn midnights(question: &Question<'_>) -> Vec<i64> {
    let mut found = vec![nanoseconds(question.from)];
    let mut day = question.zone.to_datetime(question.from).date();
    while let Ok(next) = day.checked_add(1.day())
        && let Ok(begin) = next.to_zoned(question.zone.clone())
        && begin.timestamp() < question.to
    {
        found.push(nanoseconds(begin.timestamp()));
        day = next;
    }
    found.push(nanoseconds(question.to));
    found
}

/// What will be done with a target.
pub(super) fn target(
    planned: &Planned<'_>,
    quota: Option<&QuotaSettings>,
    (midnights, days): (&[i64], f64),
    almanac: &mut Almanac,
) -> Result<TargetForecast, CronError> {
    let target = planned.target;
    let dues = match planned.schedule {
        Some(schedule) => almanac.dues(schedule, target.expect.cold_start, planned.learned.unwrap_or(AUTO))?,
        None => Dues::default(),
    };
    let each_day = midnights.iter().zip(midnights.iter().skip(1));
    let busiest_day = each_day.map(|(from, to)| dues.between(*from, *to)).max().unwrap_or(0);
    let warm = planned.schedule.and_then(|schedule| schedule.warm.as_ref());
    let users = match planned.assumed.and_then(|assumed| assumed.during.as_ref()).or(warm.map(|warm| &warm.windows)) {
        Some(windows) => almanac.spans(windows),
        None => [(i64::MIN, i64::MAX)].into(),
    };
    let kept = warm.map(|warm| almanac.spans(&warm.windows));
    let price = quota.map(|quota| quota.price(&target.model)).unwrap_or_default();
    Ok(TargetForecast {
        target: target.clone(),
        assumed: planned.assumed.cloned().unwrap_or_default(),
        pace: pace(planned.schedule, planned.learned),
        warm_ups: dues.warm_ups(),
        busiest_day,
        checks: dues.checks,
        price,
        charge: Charge::expected(price, target.max_output_tokens),
        days,
        dues,
        users,
        kept,
    })
}

/// What will be done at a provider. `None` where it has no target.
pub(super) fn account(
    question: &Question<'_>,
    quota: QuotaSettings,
    targets: Vec<TargetForecast>,
) -> Option<AccountForecast> {
    let provider = Arc::clone(&targets.first()?.target.provider);
    let warm_time = warm_time(question, &targets);
    let limits = quota.limits.iter().map(|limit| limit_forecast(question, limit, &targets, warm_time)).collect();
    let busiest = busiest(question, &targets);
    Some(AccountForecast { provider, quota, targets, limits, busiest, warm_time, withheld: None })
}

/// For how long at least one target is to be kept warm.
fn warm_time(question: &Question<'_>, targets: &[TargetForecast]) -> Duration {
    let [from, to] = [question.from, question.to].map(nanoseconds);
    let mut kinds: Vec<&Spans> = Vec::new();
    for spans in targets.iter().filter_map(|target| target.kept.as_ref()) {
        // Targets with the same windows share them.
        if !kinds.iter().any(|known| Arc::ptr_eq(known, spans)) {
            kinds.push(spans);
        }
    }
    let mut all: Vec<(i64, i64)> = kinds.into_iter().flat_map(|spans| spans.iter().copied()).collect();
    all.sort_unstable();
    let (mut sum, mut counted) = (0_i64, from);
    for (open, close) in all {
        let (open, close) = (open.max(counted), close.min(to));
        if open < close {
            sum += close - open;
            counted = close;
        }
    }
    Duration::from_nanos(u64::try_from(sum).unwrap_or(0))
}

/// What is spent of a limit.
fn limit_forecast(
    question: &Question<'_>,
    limit: &Limit,
    targets: &[TargetForecast],
    warm_time: Duration,
) -> LimitForecast {
    let regenerates = Some(limit.rate() * warm_time.as_secs_f64()).filter(|amount| *amount > 0.0);
    let prices: Option<Vec<(&TargetForecast, f64)>> = targets
        .iter()
        .filter(|target| target.warm_ups > 0)
        .map(|target| Some((target, target.charge.in_unit(limit.unit)?)))
        .collect();
    let mut forecast = LimitForecast { limit: limit.clone(), spent: None, regenerates, worst: None };
    let Some(prices) = prices else { return forecast };
    forecast.spent = Some(prices.iter().map(|(target, price)| number(target.warm_ups) * price).sum());
    forecast.worst = worst::Spending::of(question, limit, &prices).worst(limit);
    forecast
}

/// The minute in which most warm-ups begin, where it is more than one.
fn busiest(question: &Question<'_>, targets: &[TargetForecast]) -> Option<Burst> {
    const MINUTE: i64 = 60 * NANOSECONDS;
    let begin = nanoseconds(question.from).div_euclid(MINUTE);
    let end = nanoseconds(question.to).div_euclid(MINUTE) + 1;
    // Intervals are spread by their names; what comes together is windows that open, and cron.
    let mut counts: Vec<u32> = vec![0; usize::try_from(end - begin).unwrap_or(0)];
    for moment in targets.iter().flat_map(|target| target.dues.moments()) {
        let place = usize::try_from(moment.div_euclid(MINUTE) - begin).unwrap_or(usize::MAX);
        if let Some(count) = counts.get_mut(place) {
            *count += 1;
        }
    }
    let most = counts.iter().copied().max().filter(|most| *most > 1)?;
    let place = i64::try_from(counts.iter().position(|count| *count == most)?).ok()?;
    Some(Burst { at: at((begin + place) * MINUTE), warm_ups: u64::from(most) })
}

/// How many things have which value, the most frequent first; of equally frequent ones, the one that came first.
pub(super) fn tally<T: Eq>(values: impl Iterator<Item = T>) -> Vec<(T, usize)> {
    let mut counts: Vec<(T, usize)> = Vec::new();
    for value in values {
        match counts.iter_mut().find(|(known, _)| *known == value) {
            Some((_, count)) => *count += 1,
            None => counts.push((value, 1)),
        }
    }
    counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    counts
}
