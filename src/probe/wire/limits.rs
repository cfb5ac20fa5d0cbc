//! Rate-limit headers as they stand, in every dialect of providers.md 3.1: which limit, what is left of it, how much
//! there is at most, and when it is whole again.
//!
//! What a limit is in our words is `quota/headers.rs`'s; whether waiting for it helps is `reset.rs`'s.

use std::time::Duration;

use jiff::Timestamp;

use super::moment::{parse_moment, parse_number, seconds};
use crate::probe::transport::Head;

/// How headers name a limit and the fields of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// `x-ratelimit-FIELD-WHAT`: OpenAI, Groq and Azure (`requests`, `tokens`), Cerebras (`tokens-minute`,
    /// `requests-day`), Fireworks (`tokens-prompt`).
    OpenAi,
    /// `anthropic-ratelimit-WHAT-FIELD`.
    Anthropic,
    /// `STEM-FIELD`, where the stem is one of [`STEMS`] and the only name.
    Plain,
    /// `ratelimit: "api";r=0;t=55`, the newer form of the IETF draft, as Hugging Face sends it.
    Draft,
}

/// The names of limits that are alone in an answer.
const STEMS: [&str; 6] = [
    // Together, OpenRouter, Mistral.
    "x-ratelimit",
    // The IETF draft's older form.
    "ratelimit",
    "x-rate-limit",
    // Mistral's older form.
    "x-ratelimitbysize",
    "ratelimitbysize",
    // Together's tokens.
    "x-tokenlimit",
];
/// What is said of a limit. The limits of Anthropic's plans (`unified-5h`) have a status and a utilization instead of
/// what remains.
const FIELDS: [&str; 3] = ["limit", "remaining", "reset"];
const FIELDS_OF_PLANS: [&str; 2] = ["status", "utilization"];

/// One limit of those that an answer's headers report.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Limit<'a> {
    pub(super) form: Form,
    /// Its name in the headers: `requests`, `unified-5h`; the stem of a plain one.
    pub(super) what: &'a str,
    pub(super) left: Left,
    /// What is left, where that is a number and not negative.
    pub(super) remaining: Option<f64>,
    /// What there is at most; zero and `-1` are how Azure says that it does not know.
    pub(super) max: Option<f64>,
    /// How much is used, from 0 to 1.
    pub(super) used: Option<f64>,
    /// How long until it is whole again.
    pub(super) after: Option<Duration>,
    /// Whether the provider says outright that it refuses for want of it.
    pub(super) rejects: bool,
}

/// Whether anything is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Left {
    Nothing,
    Something,
    /// There is no word of it.
    NotSaid,
    /// There is a word of it that says nothing: Azure's `-1`.
    NotKnown,
}

/// Every limit that an answer's headers speak of, once.
pub(super) fn limits(head: &Head, now: Timestamp) -> Vec<Limit<'_>> {
    let mut found: Vec<Limit<'_>> = Vec::new();
    for (name, value) in &head.headers {
        if name == "ratelimit" {
            found.extend(draft(value));
        } else if let Some((form, what)) = named(name)
            && !found.iter().any(|limit| limit.form == form && limit.what == what)
        {
            found.push(limit(head, form, what, now));
        }
    }
    found
}

/// Which limit a header speaks of.
fn named(name: &str) -> Option<(Form, &str)> {
    if let Some(rest) = name.strip_prefix("anthropic-ratelimit-") {
        let (what, field) = rest.rsplit_once('-')?;
        return FIELDS.iter().chain(&FIELDS_OF_PLANS).any(|known| *known == field).then_some((Form::Anthropic, what));
    }
    if let Some((field, what)) = name.strip_prefix("x-ratelimit-").and_then(|rest| rest.split_once('-')) {
        return FIELDS.contains(&field).then_some((Form::OpenAi, what));
    }
    let (stem, field) = name.rsplit_once('-')?;
    (STEMS.contains(&stem) && FIELDS.contains(&field)).then_some((Form::Plain, stem))
}

fn limit<'a>(head: &'a Head, form: Form, what: &'a str, now: Timestamp) -> Limit<'a> {
    let field = |field: &str| {
        head.header(&match form {
            Form::Anthropic => format!("anthropic-ratelimit-{what}-{field}"),
            Form::OpenAi => format!("x-ratelimit-{field}-{what}"),
            Form::Plain | Form::Draft => format!("{what}-{field}"),
        })
    };
    let number = |name: &str| parse_number(field(name)?.trim());
    let status = if form == Form::Anthropic { field("status") } else { None };
    let (left, remaining) = match status {
        Some("rejected") => (Left::Nothing, None),
        Some(_) => (Left::Something, None),
        None => remaining(field("remaining")),
    };
    Limit {
        form,
        what,
        left,
        remaining,
        max: number("limit"),
        used: if form == Form::Anthropic { number("utilization") } else { None },
        // Azure's `-1` is "not known", not "now".
        after: field("reset")
            .filter(|text| !text.trim_start().starts_with('-'))
            .and_then(|text| parse_moment(text, now)),
        rejects: status == Some("rejected"),
    }
}

/// What remains of a limit.
fn remaining(value: Option<&str>) -> (Left, Option<f64>) {
    let Some(value) = value else { return (Left::NotSaid, None) };
    match parse_number(value.trim()).filter(|number| *number >= 0.0).map(f64::abs) {
        // Less than one request, or less than one token, is none.
        Some(number) if number < 1.0 => (Left::Nothing, Some(number)),
        Some(number) => (Left::Something, Some(number)),
        None => (Left::NotKnown, None),
    }
}

/// The IETF draft's newer form.
fn draft(value: &str) -> Option<Limit<'_>> {
    let parameter =
        |name: &str| value.split([';', ',']).find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
    let (left, remaining) = remaining(parameter("r"));
    let after = Some(seconds(parse_number(parameter("t")?)?)?);
    Some(Limit { form: Form::Draft, what: "", left, remaining, max: None, used: None, after, rejects: false })
}
