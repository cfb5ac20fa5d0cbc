//! The administrator's surface under `/_sim/`: look at the truth, play another user, start anew.
//!
//! It needs no key and changes no counter; faults do not strike it.

use serde_json::{Value, json};

use super::exchange::Exchange;
use super::http::Response;
use super::models::Found;
use super::wire::Ended;

/// The prefix of every administrator's path.
pub(crate) const PREFIX: &str = "/_sim/";

/// Answers a request to the administrator's surface.
pub(crate) async fn answer(exchange: &mut Exchange<'_>) -> Result<(), Ended> {
    let provider = exchange.provider;
    let response = match (exchange.request.method.as_str(), exchange.request.path.as_str()) {
        ("GET", "/_sim/counts") => plain(serde_json::to_value(provider.counts())),
        ("GET", "/_sim/requests") => plain(serde_json::to_value(provider.ledger.records())),
        ("GET", "/_sim/state") => Response::json(200, &provider.state()),
        ("GET", "/_sim/listeners") => {
            let doors = provider.doors.get().map(Vec::as_slice).unwrap_or_default();
            let urls = doors.iter().map(|door| (door.name.clone(), Value::from(door.base_url.as_str())));
            Response::json(200, &Value::Object(urls.collect()))
        }
        ("POST", "/_sim/use") => {
            let id = exchange.request.text("model").unwrap_or("").to_owned();
            let account = exchange.request.text("account").map(str::to_owned);
            match exchange.wire.wait_for(provider.use_model(&id, account.as_deref())).await? {
                None => unknown(&id),
                Some(found) => Response::json(200, &json!({ "model": id, "was_warm": found == Found::Warm })),
            }
        }
        ("POST", "/_sim/unload") => {
            let id = exchange.request.text("model").unwrap_or("");
            match provider.models.find(id) {
                None => unknown(id),
                Some(entry) => {
                    provider.models.evict(entry);
                    Response::json(200, &json!({ "model": id, "state": provider.models.phase(entry).name() }))
                }
            }
        }
        ("POST", "/_sim/reset") => {
            provider.reset();
            Response::json(200, &json!({ "reset": true }))
        }
        (method, path) => {
            let choices = "GET counts, requests, state, listeners; POST use {model, account}, unload {model}, reset";
            let error = format!("no {method} {path}; there is: {choices}");
            Response::json(404, &json!({ "error": error }))
        }
    };
    exchange.wire.send(response).await
}

fn unknown(id: &str) -> Response {
    Response::json(404, &json!({ "error": format!("the scenario has no model `{id}`") }))
}

fn plain(value: Result<Value, serde_json::Error>) -> Response {
    match value {
        Ok(value) => Response::json(200, &value),
        Err(error) => Response::json(500, &json!({ "error": error.to_string() })),
    }
}
