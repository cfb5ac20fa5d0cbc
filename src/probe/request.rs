//! What every request to a provider carries: the key's header, the dialect's headers, and who is calling.

use super::transport::{Method, Request};
use crate::outcome::RunId;
use crate::target::{Credential, Dialect, KeyHeader, Provider};

/// So that operators can tell probes from users in their logs, and leave them out of their dashboards.
const USER_AGENT: &str = concat!("pilotlight/", env!("CARGO_PKG_VERSION"), " (health check and warm-up)");

/// A GET of a free endpoint.
pub(super) fn get(provider: &Provider, credential: &Credential, run_id: &RunId, path: &str) -> Request {
    Request { method: Method::Get, path: path.to_owned(), headers: headers(provider, credential, run_id), body: None }
}

/// A POST of JSON.
pub(super) fn post(
    provider: &Provider,
    credential: &Credential,
    run_id: &RunId,
    path: &str,
    body: &serde_json::Value,
) -> Request {
    let mut headers = headers(provider, credential, run_id);
    headers.push(("content-type".to_owned(), "application/json".to_owned()));
    Request { method: Method::Post, path: path.to_owned(), headers, body: Some(body.to_string()) }
}

fn headers(provider: &Provider, credential: &Credential, run_id: &RunId) -> Vec<(String, String)> {
    let mut headers = vec![
        ("user-agent".to_owned(), USER_AGENT.to_owned()),
        // No compression: it hides the moment a token arrives, and a small answer can unpack to a large one.
        ("accept-encoding".to_owned(), "identity".to_owned()),
        ("x-client-request-id".to_owned(), run_id.to_string()),
    ];
    if provider.dialect == Dialect::Anthropic {
        headers.push(("anthropic-version".to_owned(), "2023-06-01".to_owned()));
    }
    // The user's own headers win over ours, but not over the key's.
    headers.extend(provider.headers.iter().map(|(name, value)| (name.to_lowercase(), value.expose().to_owned())));
    if let Some(secret) = credential.secret() {
        headers.push(match &provider.key_header {
            KeyHeader::Bearer => ("authorization".to_owned(), format!("Bearer {}", secret.expose())),
            KeyHeader::Named(name) => (name.to_lowercase(), secret.expose().to_owned()),
        });
    }
    headers
}
