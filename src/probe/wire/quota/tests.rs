//! The literal shapes of providers.md 1.3, 3 and 3.1, and whatever else a server may send.

use proptest::prelude::*;
use serde_json::{Map, json};

use super::*;

const NOW: &str = "2026-09-29T12:00:00Z";

fn now() -> Timestamp {
    NOW.parse().unwrap()
}

/// A reading in one line: `five-hour requests 364/500 +25 at 12:10:00`, with `limited` where it is.
fn told(reading: &Reading) -> String {
    let number = |number: Option<f64>| number.map_or("?".to_owned(), |number| number.to_string());
    let mut text = format!("{} {}", reading.window, reading.unit.name());
    text.push_str(&format!(" {}/{}", number(reading.remaining), number(reading.max)));
    if let Some(gives) = reading.gives {
        text.push_str(&format!(" +{gives}"));
    }
    if let Some(next) = reading.next {
        let day = if next.strftime("%F").to_string() == "2026-09-29" { "%T" } else { "%F %T" };
        text.push_str(&format!(" at {}", next.strftime(day)));
    }
    if reading.limited == Limited::Yes {
        text.push_str(" limited");
    }
    text
}

#[track_caller]
fn says(family: Family, value: &Value, expected: &[&str]) {
    assert_eq!(body(family, value, now()).iter().map(told).collect::<Vec<_>>(), expected, "{value}");
}

fn in_headers(family: Family, headers: &[(&str, &str)]) -> Vec<String> {
    let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    super::headers(family, &Head { status: 200, headers }, now()).iter().map(told).collect()
}

/// August 2026, as captured: `subscription` is a relic.
fn fourth() -> Value {
    json!({
        "subscription": { "limit": 500, "requests": 0, "renewsAt": "2026-09-29T17:00:00Z" },
        "search": { "hourly": { "limit": 250, "requests": 3, "renewsAt": "2026-09-29T13:00:00Z" } },
        "freeToolCalls": { "limit": 0, "requests": 0, "renewsAt": "2026-09-30T00:00:00Z" },
        "weeklyTokenLimit": {
            "nextRegenAt": "2026-09-29T14:30:00Z", "percentRemaining": 46.7, "maxCredits": "$24.00",
            "remainingCredits": "$11.20", "nextRegenCredits": "$0.48",
        },
        "rollingFiveHourLimit": {
            "nextTickAt": "2026-09-29T12:10:00Z", "tickPercent": 0.05, "remaining": 364.5, "max": 500, "limited": false,
        },
    })
}

#[test]
fn synthetic_is_read_in_all_four_generations() {
    let four = ["five-hour requests 364.5/500 +25 at 12:10:00", "week usd 11.2/24 +0.48 at 14:30:00"];
    says(Family::Synthetic, &fourth(), &four);
    says(Family::Synthetic, &json!({ "data": fourth() }), &four);
    let third = json!({
        "weeklyTokenLimit": { "nextRegenAt": "2026-09-29T14:30:00Z", "percentRemaining": 46.7 },
        "rollingFiveHourLimit": { "tickPercent": 0.05, "remaining": 987.4, "max": 1000, "limited": true },
    });
    says(
        Family::Synthetic,
        &third,
        &["five-hour requests 987.4/1000 +50 limited", "week percent 46.7/100 at 14:30:00"],
    );
    let second = json!({
        "subscription": { "limit": 135, "requests": 154.3, "renewsAt": "2026-09-29T17:00:00Z" },
        "search": { "hourly": { "limit": 250, "requests": 0 } }, "toolCallDiscounts": { "limit": 500, "requests": 1 },
    });
    says(Family::Synthetic, &second, &["five-hour requests 0/135 at 17:00:00"]);
    let first = json!({ "subscription": { "limit": 135, "requests": 34.5 } });
    says(Family::Synthetic, &first, &["five-hour requests 100.5/135"]);
}

#[test]
fn an_account_that_pays_as_it_goes_has_no_reading_rather_than_none_left() {
    for value in [
        json!({}),
        json!({ "data": {} }),
        json!({ "search": { "hourly": { "limit": 250, "requests": 0 } }, "freeToolCalls": { "limit": 0, "requests": 0 } }),
        json!({ "subscription": null, "weeklyTokenLimit": null, "rollingFiveHourLimit": null }),
        json!({ "subscription": { "limit": 0, "requests": 0 } }),
        json!({ "subscription": { "limit": 500 } }),
        json!({ "rollingFiveHourLimit": { "remaining": 0, "max": 0, "limited": false } }),
        json!({ "rollingFiveHourLimit": {}, "weeklyTokenLimit": {}, "subscription": { "limit": 500, "requests": 0 } }),
        json!([]),
        json!("quotas"),
    ] {
        says(Family::Synthetic, &value, &[]);
    }
}

#[test]
fn money_is_read_as_it_is_written() {
    for (text, expected) in [
        (json!("$24.00"), Some(24.0)),
        (json!("$1,234.50"), Some(1234.5)),
        (json!(" 3.5 "), Some(3.5)),
        (json!("-$1.20"), Some(0.0)),
        (json!("$-0.00"), Some(0.0)),
        (json!(12.25), Some(12.25)),
        (json!(-1), Some(0.0)),
        (json!("$"), None),
        (json!("24 dollars"), None),
        (json!("inf"), None),
        (json!("1e9"), None),
        (json!("1".repeat(33)), None),
        (json!(null), None),
        (json!(true), None),
        (json!({}), None),
    ] {
        let read = amount(Some(&text));
        assert_eq!(read, expected, "{text}");
        assert!(read.is_none_or(f64::is_sign_positive), "{text}");
    }
}

#[test]
fn the_other_free_endpoints_are_read() {
    // 2026-09-29T17:00:00Z in milliseconds since 1970.
    let zai = json!({ "code": 200, "success": true, "data": { "limits": [
        { "type": "TOKENS_LIMIT", "unit": 3, "number": 5, "percentage": 12.5, "nextResetTime": 1_790_701_200_000_i64 },
        { "type": "TOKENS_LIMIT", "unit": 6, "number": 1, "percentage": 100 },
        { "type": "TOKENS_LIMIT", "unit": 6, "number": 1, "percentage": 3 },
        { "type": "TOKENS_LIMIT", "unit": 5, "number": 1, "percentage": 40 },
        { "type": "TIME_LIMIT", "unit": 3, "number": 5, "usage": 1000, "percentage": 0 },
    ] } });
    says(Family::Zai, &zai, &["five-hour percent 87.5/100 +100 at 17:00:00", "week percent 0/100 +100"]);
    says(Family::Zai, &json!({ "data": { "limits": {} } }), &[]);

    let key = |limit: Value, left: Value, reset: Value| json!({ "data": { "label": "k", "limit": limit, "limit_remaining": left, "limit_reset": reset, "usage": 1.5 } });
    for (limit, left, reset, expected) in [
        (json!(20), json!(18.5), json!(null), Some("key usd 18.5/20")),
        (json!(20), json!(-0.5), json!("daily"), Some("key usd 0/20 +20 at 2026-09-30 00:00:00")),
        // The 29th of September 2026 is a Tuesday.
        (json!(20), json!(1), json!("weekly"), Some("key usd 1/20 +20 at 2026-10-05 00:00:00")),
        (json!(20), json!(1), json!("monthly"), Some("key usd 1/20 +20 at 2026-10-01 00:00:00")),
        (json!(null), json!(null), json!(null), None),
    ] {
        let expected: Vec<&str> = expected.into_iter().collect();
        says(Family::OpenRouter, &key(limit, left, reset), &expected);
    }

    let deepseek = |available: bool, purses: Value| json!({ "is_available": available, "balance_infos": purses });
    let purse = |currency: &str, total: &str| json!({ "currency": currency, "total_balance": total, "granted_balance": "0.00" });
    for (value, expected) in [
        (deepseek(true, json!([purse("USD", "110.00")])), &["balance usd 110/?"][..]),
        (deepseek(true, json!([purse("CNY", "110.00")])), &["balance other-money 110/?"]),
        (deepseek(true, json!([purse("CNY", "5"), purse("USD", "3")])), &["balance usd 3/?"]),
        (deepseek(true, json!([purse("CNY", "5"), purse("USD", "0.00")])), &["balance other-money 5/?"]),
        (deepseek(false, json!([purse("USD", "0.00")])), &["balance usd 0/? limited"]),
        (deepseek(false, json!([])), &["balance other-money ?/? limited"]),
        (deepseek(true, json!([])), &[]),
    ] {
        says(Family::DeepSeek, &value, expected);
    }
    let moonshot =
        json!({ "code": 0, "data": { "available_balance": 49.5, "voucher_balance": 46.5, "cash_balance": 3 } });
    says(Family::Moonshot, &moonshot, &["balance other-money 49.5/?"]);
    says(Family::Moonshot, &json!({ "code": 0, "data": null }), &[]);
    says(Family::Generic, &fourth(), &[]);
}

#[test]
fn every_dialect_of_headers_is_read() {
    let openai = &[
        ("x-ratelimit-limit-requests", "60"),
        ("x-ratelimit-limit-tokens", "150000"),
        ("x-ratelimit-remaining-requests", "59"),
        ("x-ratelimit-remaining-tokens", "149984"),
        ("x-ratelimit-reset-requests", "1s"),
        ("x-ratelimit-reset-tokens", "6m0s"),
        ("x-ratelimit-remaining-tokens_usage_based", "7"),
    ];
    for (family, headers, expected) in [
        (
            Family::OpenAi,
            &openai[..],
            &["requests-minute requests 59/60 at 12:00:01", "tokens-minute tokens 149984/150000 at 12:06:00"][..],
        ),
        (
            Family::Groq,
            openai,
            &["requests-day requests 59/60 at 12:00:01", "tokens-minute tokens 149984/150000 at 12:06:00"],
        ),
        (Family::Generic, openai, &["requests requests 59/60 at 12:00:01", "tokens tokens 149984/150000 at 12:06:00"]),
        (
            Family::Anthropic,
            &[
                ("anthropic-ratelimit-requests-limit", "50"),
                ("anthropic-ratelimit-requests-remaining", "49"),
                ("anthropic-ratelimit-requests-reset", "2026-09-29T12:00:30Z"),
                ("anthropic-ratelimit-tokens-remaining", "70000"),
                ("anthropic-ratelimit-input-tokens-remaining", "50000"),
                ("anthropic-ratelimit-output-tokens-limit", "10000"),
            ],
            &[
                "requests-minute requests 49/50 at 12:00:30",
                "tokens-minute tokens 70000/?",
                "input-tokens tokens 50000/?",
                "output-tokens tokens ?/10000",
            ],
        ),
        (
            Family::Anthropic,
            &[
                ("anthropic-ratelimit-unified-status", "rejected"),
                ("anthropic-ratelimit-unified-5h-status", "rejected"),
                ("anthropic-ratelimit-unified-5h-utilization", "1.02"),
                ("anthropic-ratelimit-unified-5h-reset", "1790683260"),
                ("anthropic-ratelimit-unified-7d-status", "allowed_warning"),
                ("anthropic-ratelimit-unified-7d-utilization", "0.75"),
                ("anthropic-ratelimit-unified-representative-claim", "five_hour"),
            ],
            &["five-hour percent 0/100 at 12:01:00 limited", "week percent 25/100"],
        ),
        // Azure does not know.
        (
            Family::OpenAi,
            &[
                ("x-ratelimit-limit-requests", "-1"),
                ("x-ratelimit-remaining-requests", "0"),
                ("x-ratelimit-reset-requests", "20"),
                ("x-ratelimit-limit-tokens", "1000"),
                ("x-ratelimit-remaining-tokens", "-1"),
                ("x-ratelimit-reset-tokens", "-1"),
            ],
            &["tokens-minute tokens ?/1000"],
        ),
        (
            Family::Together,
            &[
                ("x-ratelimit-limit", "10"),
                ("x-ratelimit-remaining", "9"),
                ("x-ratelimit-reset", "1"),
                ("x-tokenlimit-limit", "3000"),
                ("x-tokenlimit-remaining", "2984"),
            ],
            &["requests-second requests 9/10 at 12:00:01", "tokens tokens 2984/3000"],
        ),
        (
            Family::Fireworks,
            &[
                ("x-ratelimit-limit-tokens-prompt", "60000"),
                ("x-ratelimit-remaining-tokens-prompt", "59984"),
                ("x-ratelimit-limit-tokens-generated", "6000"),
                ("x-ratelimit-over-limit", "no"),
            ],
            &["input-tokens tokens 59984/60000", "output-tokens tokens ?/6000"],
        ),
        (Family::Mistral, &[("x-ratelimit-remaining", "0")], &["requests-second requests 0/?"]),
        (
            Family::Mistral,
            &[
                ("ratelimitbysize-limit", "500000"),
                ("ratelimitbysize-remaining", "499000"),
                ("ratelimitbysize-reset", "20"),
            ],
            &["tokens tokens 499000/500000 at 12:00:20"],
        ),
        (
            Family::OpenRouter,
            &[("x-ratelimit-limit", "20"), ("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", "1790683260000")],
            &["requests requests 0/20 at 12:01:00"],
        ),
        (
            Family::Generic,
            &[
                ("x-ratelimit-limit-requests-day", "14400"),
                ("x-ratelimit-remaining-requests-day", "14399"),
                ("x-ratelimit-reset-requests-day", "33011.5"),
                ("x-ratelimit-remaining-tokens-minute", "60000"),
                ("x-ratelimit-remaining-requests-fortnight", "1"),
            ],
            &["requests-day requests 14399/14400 at 21:10:11", "tokens-minute tokens 60000/?"],
        ),
        (Family::HuggingFace, &[("ratelimit", "\"api\";r=3;t=55")], &["requests requests 3/? at 12:00:55"]),
        (
            Family::Generic,
            &[("content-type", "text/plain"), ("x-request-id", "1"), ("x-ratelimit-remaining-x", "a")],
            &[],
        ),
    ] {
        assert_eq!(in_headers(family, headers), expected, "{family:?} {headers:?}");
    }
}

#[test]
fn synthetic_s_header_is_the_same_json() {
    let text = fourth().to_string();
    let expected = ["five-hour requests 364.5/500 +25 at 12:10:00", "week usd 11.2/24 +0.48 at 14:30:00"];
    assert_eq!(in_headers(Family::Synthetic, &[("x-synthetic-quotas", &text)]), expected);
    let long = format!("{}{text}", " ".repeat(20_000));
    for nothing in ["{}", "", "{", "null", "[]", &long] {
        assert!(in_headers(Family::Synthetic, &[("x-synthetic-quotas", nothing)]).is_empty());
    }
}

#[test]
fn there_are_at_most_sixteen_and_each_limit_once() {
    let many: Vec<_> = (0..100)
        .flat_map(|_| [("ratelimit-remaining", "1"), ("x-rate-limit-remaining", "2"), ("x-tokenlimit-remaining", "3")])
        .collect();
    assert_eq!(in_headers(Family::Generic, &many), ["requests requests 1/?", "tokens tokens 3/?"]);
}

/// Names that the readers look for, and one that they do not.
const NAMES: &[&str] = &[
    "data",
    "limits",
    "type",
    "unit",
    "number",
    "percentage",
    "nextResetTime",
    "subscription",
    "limit",
    "requests",
    "renewsAt",
    "rollingFiveHourLimit",
    "remaining",
    "max",
    "limited",
    "tickPercent",
    "nextTickAt",
    "weeklyTokenLimit",
    "percentRemaining",
    "maxCredits",
    "remainingCredits",
    "nextRegenAt",
    "nextRegenCredits",
    "limit_remaining",
    "limit_reset",
    "is_available",
    "balance_infos",
    "currency",
    "total_balance",
    "available_balance",
    "other",
];

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "(?s).{0,12}".prop_map(Value::String),
        "-?\\$?[0-9,]{0,12}(\\.[0-9]{0,3})?".prop_map(Value::String),
        prop::sample::select(vec!["TOKENS_LIMIT", "daily", "weekly", "monthly", "USD", "CNY", "9999-12-31T23:59:59Z"])
            .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 64, 12, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..20).prop_map(Value::Array),
            prop::collection::vec((prop::sample::select(NAMES), inner), 0..12).prop_map(|fields| {
                Value::Object(fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect::<Map<_, _>>())
            }),
        ]
    })
}

proptest! {
    #[test]
    fn whatever_comes_is_read_within_bounds(value in any_json(), second in -377_705_023_201_i64..253_402_207_200) {
        let now = Timestamp::from_second(second).unwrap();
        let text = value.to_string();
        let head = Head { status: 200, headers: vec![("x-synthetic-quotas".to_owned(), text)] };
        for family in [Family::Synthetic, Family::Zai, Family::OpenRouter, Family::DeepSeek, Family::Moonshot] {
            for reading in body(family, &value, now).iter().chain(&super::headers(family, &head, now)) {
                for number in [reading.remaining, reading.max, reading.gives].into_iter().flatten() {
                    prop_assert!(number.is_finite() && number >= 0.0, "{reading:?}");
                }
                prop_assert!(reading.next.is_none_or(|next| next >= now));
            }
        }
    }
}
