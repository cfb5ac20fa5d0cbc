//! What servers on one's own machine say of themselves: llama.cpp, its router, llama-swap, vLLM, LiteLLM.
//!
//! None of these loads a model or restarts its idle clock (providers.md, section 3.3).

use std::sync::Arc;

use serde_json::{Value, json};

use super::accounts::Purpose;
use super::exchange::Exchange;
use super::flavour::Flavour;
use super::http::Response;
use super::models::{Entry, Phase};
use super::refusals::Situation;
use super::wire::Ended;

/// `GET /health`: llama.cpp says 503 while a model loads; elsewhere it only says that the server lives.
pub(crate) async fn health(exchange: &mut Exchange<'_>) -> Result<(), Ended> {
    let provider = exchange.provider;
    let loading =
        provider.models.all().iter().any(|entry| matches!(provider.models.phase(entry), Phase::Loading { .. }));
    let response = match exchange.listener.flavour {
        Flavour::Llamacpp if loading => exchange.error(Situation::Loading, &[]),
        Flavour::Llamacpp => Response::json(200, &json!({ "status": "ok" })),
        Flavour::Vllm => Response::new(200),
        _ => Response::new(200).with_body("text/plain", b"OK".to_vec()),
    };
    exchange.reply(response).await
}

/// LiteLLM's `/health/liveliness` and `/health/readiness`: no key, no model.
pub(crate) async fn litellm_health(exchange: &mut Exchange<'_>) -> Result<(), Ended> {
    let response = if exchange.request.path.ends_with("readiness") {
        Response::json(200, &json!({ "status": "connected", "db": "Not connected", "litellm_version": "1.80.0" }))
    } else {
        Response::json(200, &json!("I'm alive!"))
    };
    exchange.reply(response).await
}

/// `GET /props` (llama.cpp): settings, and whether the one model sleeps.
pub(crate) async fn props(exchange: &mut Exchange<'_>) -> Result<(), Ended> {
    let provider = exchange.provider;
    let first = provider.models.all().first();
    let asleep = first.is_some_and(|entry| provider.models.phase(entry) == Phase::Unloaded);
    let body = json!({
        "default_generation_settings": { "n_ctx": first.map(|entry| entry.spec.context_length) },
        "total_slots": first.map(|entry| entry.spec.concurrency),
        "model_path": first.map(|entry| entry.spec.id.as_str()),
        "is_sleeping": asleep,
        "build_info": "b7000-sim",
    });
    exchange.reply(Response::json(200, &body)).await
}

/// `GET /models` of llama.cpp's router: every model with its status.
pub(crate) async fn router_models(exchange: &mut Exchange<'_>) -> Result<(), Ended> {
    let provider = exchange.provider;
    let model = |entry: &Arc<Entry>| {
        let status = provider.models.phase(entry).name();
        json!({
            "id": entry.spec.id, "object": "model", "owned_by": "llamacpp", "created": 1_750_000_000,
            "in_cache": true, "path": format!("/models/{}.gguf", entry.spec.id), "status": { "value": status },
        })
    };
    let response = match exchange.admit_to_list() {
        Err(response) => *response,
        Ok(()) => {
            let models: Vec<Value> = provider.models.all().iter().map(model).collect();
            Response::json(200, &json!({ "object": "list", "data": models }))
        }
    };
    exchange.reply(response).await
}

/// `POST /models/load` and `/models/unload` of llama.cpp's router. Loading goes on after the answer.
pub(crate) async fn router_change(exchange: &mut Exchange<'_>) -> Result<(), Ended> {
    let provider = exchange.provider;
    let id = exchange.request.model().unwrap_or("");
    let response = match (exchange.admit(Purpose::Check), provider.models.find(id)) {
        (Err(response), _) => *response,
        (Ok(_), None) => exchange.error(Situation::ModelMissing, &[("model", id)]),
        (Ok(_), Some(entry)) => {
            provider.ledger.on_model(&entry.spec.id, |all, model| {
                (all.preloads, model.preloads) = (all.preloads + 1, model.preloads + 1);
            });
            if exchange.request.path.ends_with("unload") {
                provider.models.evict(entry);
            } else {
                let (found, _) = provider.models.wake(entry);
                provider.ledger.found(&entry.spec.id, found);
            }
            Response::json(200, &json!({ "success": true }))
        }
    };
    exchange.reply(response).await
}

/// `GET /running` (llama-swap): the models that have a process.
pub(crate) async fn running(exchange: &mut Exchange<'_>) -> Result<(), Ended> {
    let provider = exchange.provider;
    let process = |entry: &Arc<Entry>| {
        let state = match provider.models.phase(entry) {
            Phase::Unloaded => return None,
            Phase::Loading { .. } => "starting",
            Phase::Loaded => "ready",
        };
        let ttl = entry.spec.idle_timeout.map_or(0, |timeout| provider.clock.real(timeout).as_secs());
        let id = &entry.spec.id;
        Some(json!({
            "model": id, "state": state, "cmd": format!("llama-server -m {id}"), "proxy": "http://localhost:5800",
            "ttl": ttl, "name": "", "description": "",
        }))
    };
    let running: Vec<Value> = provider.models.all().iter().filter_map(process).collect();
    exchange.reply(Response::json(200, &json!({ "running": running }))).await
}
