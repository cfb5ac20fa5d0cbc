//! Money that was paid in: DeepSeek's `GET /user/balance`, Moonshot's `GET /users/me/balance` (providers.md 3).

use serde_json::Value;

use super::{READINGS, amount, unread};
use crate::outcome::{Limited, Reading, Unit, WindowName};

/// DeepSeek: a purse for each currency, `CNY` or `USD`. Of two the dollars count, unless only the other holds money:
/// either pays. `is_available: false` is its word that there is too little to go on.
pub(super) fn deepseek(value: &Value) -> Option<Reading> {
    let limited = if value.get("is_available") == Some(&Value::Bool(false)) { Limited::Yes } else { Limited::No };
    let purses = value.get("balance_infos").and_then(Value::as_array);
    let purse = purses.into_iter().flatten().take(READINGS).filter_map(|info| {
        let dollars = info.get("currency").and_then(Value::as_str) == Some("USD");
        Some((if dollars { Unit::Usd } else { Unit::OtherMoney }, amount(info.get("total_balance"))?))
    });
    let purse = purse.max_by_key(|(unit, money)| (*money > 0.0, *unit == Unit::Usd));
    if purse.is_none() && limited == Limited::No {
        return None;
    }
    let unit = purse.map_or(Unit::OtherMoney, |(unit, _)| unit);
    Some(Reading { remaining: purse.map(|(_, money)| money), limited, ..unread(WindowName::BALANCE, unit) })
}

/// Moonshot: cash and vouchers together. Its answer names no currency. The account at `.cn` is in yuan; what the one at
/// `.ai` is in the reference does not say, so its worth is not known either.
pub(super) fn moonshot(value: &Value) -> Option<Reading> {
    let remaining = amount(value.get("data")?.get("available_balance"))?;
    Some(Reading { remaining: Some(remaining), ..unread(WindowName::BALANCE, Unit::OtherMoney) })
}
