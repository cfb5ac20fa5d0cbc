//! What a flavour says in a situation: the documented body (`refusal_rows.rs`) where there is one.
//!
//! Where a provider's body for a situation is not known, its usual *shape* is filled with a generic text, so every
//! flavour can answer every situation.

use serde::Deserialize;
use serde_json::{Value, json};

use super::flavour::Flavour;
use super::http::Response;
use super::refusal_rows::{COMMON, ROWS};

/// What is wrong with a request, an account or the provider.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Situation {
    MissingKey,
    BadKey,
    NoPermission,
    MissingScope,
    RegionBlocked,
    EdgeBlocked,
    Unpaid,
    PlanEnded,
    Suspended,
    WindowSpent,
    RateLimited,
    Overloaded,
    UpstreamError,
    ModelMissing,
    Loading,
    ScalingUp,
    HfLoading,
    UnsupportedParameter,
    BelowMinimum,
    CouldNotFinish,
    UnsupportedEffort,
    BadRequest,
    UnknownPath,
    MethodNotAllowed,
}

use Flavour as F;
use Situation as S;

/// Details that fill the `{name}` places of a body.
pub(crate) type Details<'a> = &'a [(&'a str, &'a str)];

/// The flavour's answer to a situation.
pub(crate) fn answer(flavour: Flavour, situation: Situation, details: Details<'_>) -> Response {
    let (status, body) = body(flavour, situation, details);
    let mut response = Response::new(status).with_body("application/json", body.into_bytes());
    if flavour == F::Anthropic && situation != S::EdgeBlocked {
        response = response.header("request-id", "req_sim");
    }
    if situation == S::EdgeBlocked {
        response = response.header("server", "cloudflare").header("cf-ray", "8f00000000000000-SIM");
    }
    response
}

/// Status and body of the flavour's answer.
pub(crate) fn body(flavour: Flavour, situation: Situation, details: Details<'_>) -> (u16, String) {
    let row = ROWS.iter().find(|row| row.0 == flavour && row.1 == situation).map(|row| (row.2, row.3));
    let common = || COMMON.iter().find(|row| row.0 == situation).map(|row| (row.1, row.2));
    match row.or_else(common) {
        Some((status, template)) => (status, fill(template, details)),
        None => {
            let (status, kind, code, text) = generic(situation);
            (status, shape(flavour, status, kind, code, &fill_text(text, details)).to_string())
        }
    }
}

/// Fills the places of a JSON template; values are escaped as JSON text.
fn fill(template: &str, details: Details<'_>) -> String {
    details.iter().fold(template.to_owned(), |text, (name, value)| {
        let quoted = Value::from(*value).to_string();
        let escaped = quoted.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or("");
        text.replace(&format!("{{{name}}}"), escaped)
    })
}

/// Fills the places of plain text.
fn fill_text(template: &str, details: Details<'_>) -> String {
    details.iter().fold(template.to_owned(), |text, (name, value)| text.replace(&format!("{{{name}}}"), value))
}

/// Status, type, code and text where a flavour's own are not known.
fn generic(situation: Situation) -> (u16, &'static str, Option<&'static str>, &'static str) {
    match situation {
        S::MissingKey => (401, "invalid_request_error", None, "No API key was provided."),
        S::BadKey => (401, "invalid_request_error", Some("invalid_api_key"), "Invalid API key."),
        S::NoPermission => (403, "permission_error", Some("forbidden"), "This key may not use this resource."),
        S::MissingScope => (403, "permission_error", Some("missing_scope"), "Missing scopes: api.model.read."),
        S::RegionBlocked => {
            (403, "request_forbidden", Some("unsupported_country_region_territory"), "Region not supported.")
        }
        S::EdgeBlocked => (403, "forbidden", None, "Request not allowed"),
        S::Unpaid => (402, "billing_error", Some("insufficient_credits"), "Insufficient credits."),
        S::PlanEnded => (402, "billing_error", Some("plan_ended"), "Your subscription has ended."),
        S::Suspended => (403, "permission_error", Some("account_suspended"), "This account is suspended."),
        S::WindowSpent => (429, "rate_limit_error", Some("quota_exceeded"), "Usage limit reached. Try again later."),
        S::RateLimited => (429, "rate_limit_error", Some("rate_limit_exceeded"), "Rate limit reached for requests."),
        S::Overloaded => (503, "server_error", Some("overloaded"), "The server is overloaded."),
        S::UpstreamError => (500, "server_error", None, "Error from inference backend."),
        S::ModelMissing => {
            (404, "invalid_request_error", Some("model_not_found"), "The model `{model}` does not exist.")
        }
        S::UnknownPath => (404, "invalid_request_error", None, "Not found: {method} {path}"),
        S::MethodNotAllowed => (405, "invalid_request_error", None, "Method not allowed: {method} {path}"),
        S::UnsupportedEffort => {
            (400, "invalid_request_error", Some("unsupported_value"), "Unsupported reasoning effort: '{given}'.")
        }
        S::BadRequest => (400, "invalid_request_error", None, "{message}"),
        S::Loading | S::ScalingUp | S::HfLoading | S::UnsupportedParameter | S::BelowMinimum | S::CouldNotFinish => {
            (400, "invalid_request_error", None, "Bad request.")
        }
    }
}

/// Wraps a generic error in the flavour's usual body (providers.md, section 4.1).
fn shape(flavour: Flavour, status: u16, kind: &str, code: Option<&str>, message: &str) -> Value {
    match flavour {
        F::Synthetic | F::Huggingface | F::Ollama => json!({ "error": message }),
        F::Anthropic => {
            let kind = match status {
                401 => "authentication_error",
                404 => "not_found_error",
                _ => kind,
            };
            json!({ "type": "error", "error": { "type": kind, "message": message }, "request_id": "req_sim" })
        }
        F::Gemini => {
            json!([{ "error": { "code": status, "message": message, "status": google_status(status) } }])
        }
        F::Mistral => {
            json!({ "object": "error", "message": message, "type": kind, "param": null, "code": code })
        }
        F::Openrouter | F::Llamacpp => {
            json!({ "error": { "code": status, "message": message, "type": kind } })
        }
        _ => json!({ "error": { "message": message, "type": kind, "param": null, "code": code } }),
    }
}

fn google_status(status: u16) -> &'static str {
    match status {
        401 => "UNAUTHENTICATED",
        403 => "PERMISSION_DENIED",
        404 => "NOT_FOUND",
        429 => "RESOURCE_EXHAUSTED",
        500..=599 => "UNAVAILABLE",
        _ => "INVALID_ARGUMENT",
    }
}
