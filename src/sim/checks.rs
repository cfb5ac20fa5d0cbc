//! The free checks: endpoints that need a key and cost nothing, each in its provider's JSON.
//!
//! Sources: shared/reference/providers.md, section 3 ("free auth check") and section 1.3 for Synthetic's quotas.

use serde_json::{Value, json};

use super::accounts::{Account, Purpose};
use super::exchange::Exchange;
use super::http::Response;
use super::scenario::AccountState;
use super::wire::Ended;

/// Which provider's check is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Check {
    /// `GET /v2/quotas` (Synthetic).
    SyntheticQuotas,
    /// `GET /api/v1/key` (OpenRouter).
    OpenrouterKey,
    /// `GET /user/balance` (DeepSeek).
    DeepseekBalance,
    /// `GET /users/me/balance` (Moonshot).
    MoonshotBalance,
    /// `GET /api/monitor/usage/quota/limit` (Z.AI).
    ZaiQuota,
    /// `GET /v1/accounts` (Fireworks).
    FireworksAccounts,
    /// `GET /key/info` (LiteLLM).
    LitellmKey,
    /// `GET /api/whoami-v2` (Hugging Face).
    HuggingfaceWho,
}

/// Answers a free check.
pub(crate) async fn answer(exchange: &mut Exchange<'_>, check: Check) -> Result<(), Ended> {
    let response = match exchange.admit(Purpose::Check) {
        Err(response) => *response,
        Ok(account) => Response::json(200, &body(exchange, check, &account)),
    };
    exchange.reply(response).await
}

fn body(exchange: &Exchange<'_>, check: Check, account: &Account) -> Value {
    let clock = &exchange.provider.clock;
    // An unpaid account passes its free check and shows an empty purse there.
    let broke = matches!(account.spec.state, AccountState::Unpaid | AccountState::PlanEnded);
    let balance = if broke { 0.0 } else { account.spec.balance };
    let money = format!("{balance:.2}");
    match check {
        Check::SyntheticQuotas => account.quota_json(clock).unwrap_or_else(|| json!({})),
        Check::OpenrouterKey => json!({ "data": {
            "label": "sk-or-v1-sim...key", "limit": account.spec.balance, "limit_reset": null,
            "limit_remaining": balance, "usage": account.spec.balance - balance, "usage_daily": 0,
            "usage_weekly": 0, "usage_monthly": 0, "is_free_tier": false, "is_provisioning_key": false,
            "rate_limit": { "requests": -1, "interval": "10s" },
        } }),
        Check::DeepseekBalance => json!({
            "is_available": !broke,
            "balance_infos": [{
                "currency": "USD", "total_balance": money, "granted_balance": "0.00", "topped_up_balance": money,
            }],
        }),
        Check::MoonshotBalance => json!({
            "code": 0, "scode": "0x0", "status": true,
            "data": { "available_balance": balance, "voucher_balance": 0.0, "cash_balance": balance },
        }),
        Check::ZaiQuota => zai(exchange, account),
        Check::FireworksAccounts => json!({
            "accounts": [{
                "name": "accounts/sim", "displayName": "sim", "createTime": "2026-01-01T00:00:00Z",
                "state": "READY", "suspendState": if broke { "CREDIT_DEPLETED" } else { "UNSUSPENDED" },
            }],
            "nextPageToken": "", "totalSize": 1,
        }),
        Check::LitellmKey => json!({
            "key": "sha256-of-the-key",
            "info": {
                "key_name": "sk-...sim", "key_alias": "sim", "spend": 0.0, "max_budget": account.spec.balance,
                "models": [], "expires": null, "blocked": null, "tpm_limit": null, "rpm_limit": null,
            },
        }),
        Check::HuggingfaceWho => json!({
            "type": "user", "id": "sim", "name": "sim", "canPay": !broke, "isPro": false,
            "auth": { "type": "access_token", "accessToken": { "displayName": "sim", "role": "read" } },
        }),
    }
}

/// Z.AI's coding-plan quota: used percentages, reset as epoch milliseconds.
fn zai(exchange: &Exchange<'_>, account: &Account) -> Value {
    let clock = &exchange.provider.clock;
    let quota = account.state(clock.now());
    let number = |field: &str| quota.get("quota").and_then(|quota| quota.get(field)).and_then(Value::as_f64);
    let used = match (number("five_hour_remaining"), number("five_hour_max")) {
        (Some(remaining), Some(max)) if max > 0.0 => (1.0 - remaining / max) * 100.0,
        _ => 0.0,
    };
    let reset = clock.timestamp_in(std::time::Duration::from_secs(5 * 3600)).as_millisecond();
    json!({
        "code": 200, "msg": "Operation successful", "success": true,
        "data": {
            "level": "pro",
            "limits": [
                { "type": "TOKENS_LIMIT", "unit": 3, "number": 5, "percentage": used.round(), "nextResetTime": reset },
                { "type": "TIME_LIMIT", "unit": 5, "number": 1, "usage": 1000, "currentValue": 0, "remaining": 1000,
                  "percentage": 0 },
            ],
        },
    })
}
