//! The forms of single values: what to call each, how it is judged (`values.rs`), and the regular expression that tells
//! an editor as much of it as one can.

use super::keep_alive::keep_alive;
use super::keys::{Json, Scalar};
use super::values;
use super::values_of_networks as networks;
use super::values_of_quota as quota;
use super::values_of_times as times;

/// A scalar of some form.
const fn scalar(
    noun: &'static str,
    check: fn(&str) -> Result<(), values::Problem>,
    pattern: Option<&'static str>,
    json: Json,
) -> Scalar {
    Scalar { noun, check, pattern, json }
}

const DURATION_PATTERN: &str = "^(\\s*[0-9]+(\\.[0-9]+)?\\s*[a-zµ]+)+$|^P";
const NAME_PATTERN: &str = "^[A-Za-z0-9._-]{1,100}$";

pub(super) static VERSION: Scalar = scalar("a version", values::version, None, Json::One);
pub(super) static NAME: Scalar = scalar("a name", values::name, Some(NAME_PATTERN), Json::TextOrNumber);
// Looked up rather than judged: the name is judged where it is given.
pub(super) static PROVIDER_NAME: Scalar = scalar("a name", values::line, Some(NAME_PATTERN), Json::TextOrNumber);
pub(super) static TAG: Scalar = scalar("a tag", values::tag, Some(NAME_PATTERN), Json::TextOrNumber);
pub(super) static PRESET: Scalar = scalar("a preset's name", values::line, Some(NAME_PATTERN), Json::Text);
pub(super) static MODEL: Scalar = scalar("a model's id", values::model, None, Json::TextOrNumber);
pub(super) static LINE: Scalar = scalar("a text", values::line, None, Json::TextOrNumber);
pub(super) static PAGE: Scalar = scalar("a URL", values::page, Some("^https?://"), Json::Text);
pub(super) static PATH: Scalar = scalar("a path", values::path, Some("^[^\\s#\\\\]+$"), Json::Text);
pub(super) static FILE: Scalar = scalar("a file", values::file, Some("^[^~]"), Json::Text);
pub(super) static ARGUMENT: Scalar = scalar("a text", |_| Ok(()), None, Json::TextOrNumber);
pub(super) static LITERAL_KEY: Scalar = scalar("`none`", values::literal_key, None, Json::TextOrNumber);
pub(super) static VARIABLE: Scalar =
    scalar("the name of a variable", values::variable, Some("^[A-Za-z_][A-Za-z0-9_]*$"), Json::Text);
pub(super) static KEY_HEADER: Scalar =
    scalar("`bearer` or a header's name", values::header_name, Some("^[^\\s:]+$"), Json::Text);
pub(super) static HEADER_NAME: Scalar = scalar("a header's name", values::header_name, Some("^[^\\s:]+$"), Json::Text);
pub(super) static HEADER_VALUE: Scalar = scalar("a text", values::header_value, None, Json::TextOrNumber);
pub(super) static BASE_URL: Scalar =
    scalar("a URL", |text| values::base_url(text).map(drop), Some("^https?://"), Json::Text);
pub(super) static PERCENT: Scalar =
    scalar("a percentage", |text| values::percent(text).map(drop), Some("^[0-9]{1,3}%$"), Json::Text);
pub(super) static WAIT: Scalar =
    scalar("a duration", |text| values::wait(text).map(drop), Some(DURATION_PATTERN), Json::Text);
pub(super) static INTERVAL: Scalar =
    scalar("a duration", |text| values::interval(text).map(drop), Some(DURATION_PATTERN), Json::Text);
pub(super) static CERTIFICATE: Scalar =
    scalar("a duration", |text| values::certificate(text).map(drop), Some(DURATION_PATTERN), Json::Text);
pub(super) static KEEP_ALIVE: Scalar =
    scalar("a duration", |text| keep_alive(text).map(drop), Some(DURATION_PATTERN), Json::Text);
pub(super) static CRON: Scalar = scalar("cron fields", |text| values::cron(text).map(drop), None, Json::Text);
pub(super) static DURING: Scalar = scalar("weekly times", |text| values::during(text).map(drop), None, Json::Text);
// Whether it is a zone is judged in `resolve/`, which reads each only once.
pub(super) static TIMEZONE: Scalar = scalar("a time zone", values::line, None, Json::Text);
pub(super) static DATE: Scalar =
    scalar("a date", |text| values::date(text).map(drop), Some("^[0-9]{4}-[0-9]{2}-[0-9]{2}$"), Json::Text);
// Looked up, as a provider's.
pub(super) static TARGET_NAME: Scalar = scalar("a name", values::line, Some(NAME_PATTERN), Json::TextOrNumber);
pub(super) static LEAD: Scalar =
    scalar("a duration", |text| times::lead(text).map(drop), Some(DURATION_PATTERN), Json::Text);
pub(super) static LONG: Scalar =
    scalar("a duration", |text| times::idle(text).map(drop), Some(DURATION_PATTERN), Json::Text);
pub(super) static HOURLY: Scalar =
    scalar("a number", |text| times::hourly(text).map(drop), Some("^[0-9]+(\\.[0-9]+)?$"), Json::TextOrNumber);
pub(super) static AGE: Scalar =
    scalar("a duration", |text| times::age(text).map(drop), Some(DURATION_PATTERN), Json::Text);
pub(super) static SIZE: Scalar =
    scalar("a size", |text| times::size(text).map(drop), Some("^[0-9]+\\s*[KMGT]iB$"), Json::Text);
pub(super) static MOMENT: Scalar = scalar(
    "a date and a time",
    |text| times::moment(text).map(drop),
    Some("^[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ]"),
    Json::Text,
);
pub(super) static WITNESS: Scalar =
    scalar("a host with a port", |text| times::witness(text).map(drop), Some(":[0-9]{1,5}$"), Json::Text);

const AMOUNT_PATTERN: &str = "^[0-9][0-9_]*(\\.[0-9]+)?$";
const MONEY_PATTERN: &str = "^\\$?[0-9][0-9_]*(\\.[0-9]+)?$";
pub(super) static AMOUNT: Scalar =
    scalar("a number", |text| quota::amount(text).map(drop), Some(AMOUNT_PATTERN), Json::TextOrNumber);
pub(super) static WEIGHT: Scalar =
    scalar("a number", |text| quota::weight(text).map(drop), Some(AMOUNT_PATTERN), Json::TextOrNumber);
pub(super) static MONEY: Scalar =
    scalar("US dollars", |text| quota::money(text).map(drop), Some(MONEY_PATTERN), Json::TextOrNumber);
pub(super) static PRICE_OF_TOKENS: Scalar =
    scalar("US dollars", |text| quota::price(text).map(drop), Some(MONEY_PATTERN), Json::TextOrNumber);
pub(super) static PERIOD: Scalar =
    scalar("a duration", |text| quota::period(text).map(drop), Some(DURATION_PATTERN), Json::Text);
pub(super) static PATTERN: Scalar = scalar("a model's id", quota::pattern, None, Json::TextOrNumber);
pub(super) static PROXY_URL: Scalar = scalar(
    "a proxy's URL",
    |text| networks::proxy(text).map(drop),
    Some("^[^\\s@/]+$|^https?://[^\\s@/]+/?$"),
    Json::Text,
);
pub(super) static ADDRESS: Scalar =
    scalar("an address", |text| networks::address(text).map(drop), Some("^[0-9A-Fa-f:.\\[\\]]+$"), Json::Text);
