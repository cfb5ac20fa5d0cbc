//! Who may run a model: key, model, parameters, rate, quota, and the errors by which some stacks show a cold start.

use std::sync::Arc;
use std::time::Duration;

use super::accounts::{Account, Purpose};
use super::exchange::{Exchange, utc8};
use super::http::Response;
use super::limits::{self, Granted, whole_seconds};
use super::model_spec::{BelowCap, CapField, ColdSignal, ModelKind, ModelSpec};
use super::models::{Entry, Found};
use super::refusals::Situation;
use super::voice::{Ask, CapName};
use super::wire::Ended;

/// A request that has been let in.
pub(crate) struct Admitted {
    pub(crate) entry: Arc<Entry>,
    /// Headers of the answer that admission already knows: rate limit and quota.
    pub(crate) headers: Vec<(String, String)>,
    /// What a cap below the model's minimum will do.
    pub(crate) below_cap: Option<BelowCap>,
}

/// Checks key, model, parameters, rate and quota, in the order in which providers do.
pub(crate) fn admit(exchange: &Exchange<'_>, ask: &Ask) -> Result<Admitted, Box<Response>> {
    let account = exchange.admit(Purpose::Generate)?;
    let Some(entry) = exchange.provider.models.find(&ask.model) else {
        return Err(Box::new(exchange.error(Situation::ModelMissing, &[("model", &ask.model)])));
    };
    let spec = &entry.spec;
    if spec.kind != ask.kind {
        let message = format!("The model `{}` does not serve this endpoint.", spec.id);
        return Err(Box::new(exchange.error(Situation::BadRequest, &[("message", &message)])));
    }
    let below_cap = check_parameters(exchange, ask, spec)?;
    let headers = check_rate(exchange, &account)?;
    check_quota(exchange, &account, &headers)?;
    Ok(Admitted { entry: Arc::clone(entry), headers, below_cap })
}

/// Refuses parameters that the model does not take; says what a small cap will do later.
fn check_parameters(exchange: &Exchange<'_>, ask: &Ask, spec: &ModelSpec) -> Result<Option<BelowCap>, Box<Response>> {
    let bad = |situation, details: &[(&str, &str)]| Err(Box::new(exchange.error(situation, details)));
    if let Some(effort) = &ask.effort
        && !spec.efforts.contains(effort)
    {
        return bad(Situation::UnsupportedEffort, &[("given", effort)]);
    }
    let Some(cap) = ask.cap else { return Ok(None) };
    let wanted = match (spec.cap_field, cap.field) {
        (CapField::MaxTokens, CapName::MaxCompletionTokens) => Some("max_tokens"),
        (CapField::MaxCompletionTokens, CapName::MaxTokens) => Some("max_completion_tokens"),
        _ => None,
    };
    if let Some(wanted) = wanted {
        return bad(Situation::UnsupportedParameter, &[("given", cap.field.name()), ("wanted", wanted)]);
    }
    if cap.tokens >= spec.min_cap.max(1) {
        return Ok(None);
    }
    match spec.below_cap {
        BelowCap::CouldNotFinish | BelowCap::Empty if cap.tokens > 0 => Ok(Some(spec.below_cap)),
        _ => {
            let (minimum, value) = (spec.min_cap.max(1).to_string(), cap.tokens.to_string());
            bad(Situation::BelowMinimum, &[("given", cap.field.name()), ("minimum", &minimum), ("value", &value)])
        }
    }
}

/// Counts the request against the rate limit; returns the headers that state it.
fn check_rate(exchange: &Exchange<'_>, account: &Account) -> Result<Vec<(String, String)>, Box<Response>> {
    let provider = exchange.provider;
    let Some(limit) = provider.scenario.requests_per_minute else {
        return Ok(Vec::new());
    };
    let allowance = account.take(limit, provider.clock.now());
    let headers = limits::headers(provider.rate_dialect(exchange.listener.flavour), allowance, &provider.clock);
    if allowance.granted == Granted::Yes {
        return Ok(headers);
    }
    let seconds = whole_seconds(provider.clock.real(allowance.reset)).to_string();
    Err(Box::new(exchange.error(Situation::RateLimited, &[("seconds", &seconds)]).with_headers(headers)))
}

/// Refuses an account whose window is spent.
fn check_quota(exchange: &Exchange<'_>, account: &Account, headers: &[(String, String)]) -> Result<(), Box<Response>> {
    let provider = exchange.provider;
    let Some(spent) = account.spent(provider.clock.now()) else {
        return Ok(());
    };
    let reset = utc8(provider.clock.timestamp_in(spent.until_tick));
    let seconds = whole_seconds(provider.clock.real(spent.until_tick)).to_string();
    let details = [("reset_utc8", reset.as_str()), ("seconds", seconds.as_str())];
    let mut response = exchange.error(Situation::WindowSpent, &details).with_headers(headers.to_vec());
    if let Some(after) = spent.retry_after {
        response = response.header("retry-after", &whole_seconds(provider.clock.real(after)).to_string());
    }
    Err(Box::new(response.with_headers(quota_header(exchange, account))))
}

/// Charges the account and returns the header that states what is left.
pub(crate) fn charge(exchange: &Exchange<'_>, entry: &Entry) -> Option<(String, String)> {
    let account = exchange.admit(Purpose::Generate).ok()?;
    // Embeddings do not count against a subscription (providers.md, section 1.1).
    if entry.spec.kind == ModelKind::Chat {
        account.charge(entry.spec.price, exchange.provider.clock.now());
    }
    quota_header(exchange, &account)
}

fn quota_header(exchange: &Exchange<'_>, account: &Account) -> Option<(String, String)> {
    let json = account.quota_json(&exchange.provider.clock)?;
    Some(("x-synthetic-quotas".to_owned(), json.to_string()))
}

/// Answers a cold model with the error that its stack sends while it loads, if it sends one.
pub(crate) async fn refuse_cold(exchange: &mut Exchange<'_>, entry: &Entry) -> Result<Option<Response>, Ended> {
    let situation = match entry.spec.cold_signal {
        ColdSignal::Loading503 => Situation::Loading,
        ColdSignal::ScalingUp503 => Situation::ScalingUp,
        ColdSignal::HfLoading => Situation::HfLoading,
        _ => return Ok(None),
    };
    let clock = exchange.provider.clock;
    let (found, ready_at) = exchange.provider.models.wake(entry);
    exchange.provider.ledger.found(&entry.spec.id, found);
    if found == Found::Warm {
        return Ok(None);
    }
    // Hugging Face's proxy holds the request for as long as this header says; its seconds are the client's own.
    let held = exchange.request.header("x-scale-up-timeout").and_then(|value| value.parse::<f64>().ok());
    let held = held.and_then(|seconds| Duration::try_from_secs_f64(seconds * clock.speed()).ok());
    if let Some(held) = held.filter(|_| situation == Situation::ScalingUp) {
        let deadline = exchange.received.plus(held);
        exchange.wire.sleep_until(deadline.min(ready_at)).await?;
        if ready_at <= deadline {
            return Ok(None);
        }
    }
    let left = clock.real(ready_at.since(clock.now())).as_secs_f64();
    let estimated = format!("{left:.1}");
    Ok(Some(exchange.error(situation, &[("model", &entry.spec.id), ("estimated", &estimated)])))
}
