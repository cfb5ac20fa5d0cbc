//! Which path is answered by whom. All surfaces are served at once, whatever the flavour.

use super::checks::{self, Check};
use super::exchange::Exchange;
use super::flavour::Flavour;
use super::refusals::Situation;
use super::wire::Ended;
use super::{anthropic, local, ollama, openai};

/// The bases below which the OpenAI dialect is served, as providers' SDK settings have them.
const OPENAI_BASES: &[&str] = &[
    "/openai/v1",
    "/v1",
    "/api/v1",
    "/api/openai/v1",
    "/inference/v1",
    "/api/paas/v4",
    "/api/coding/paas/v4",
    "/v1beta/openai",
];

/// The bases below which the Anthropic dialect is served.
const ANTHROPIC_BASES: &[&str] = &["/anthropic/v1", "/v1", "/api/anthropic/v1"];

/// Answers a request with the surface that its path belongs to.
pub(crate) async fn answer(exchange: &mut Exchange<'_>) -> Result<(), Ended> {
    if let Some(situation) = exchange.provider.accounts.barred(exchange.request) {
        return exchange.refuse(situation, &[]).await;
    }
    let request = exchange.request;
    let path = request.path.as_str();
    // HEAD is GET without a body.
    let method = if request.method == "HEAD" { "GET" } else { request.method.as_str() };
    if let Some(rest) = below(path, ANTHROPIC_BASES) {
        let spoken = path.contains("/anthropic/") || request.header("anthropic-version").is_some();
        match (method, rest) {
            ("POST", "/messages") => return anthropic::messages(exchange).await,
            ("POST", "/messages/count_tokens") => return anthropic::count_tokens(exchange).await,
            ("GET", "/models") if spoken => return anthropic::list(exchange).await,
            ("GET", "/messages" | "/messages/count_tokens") => return wrong_method(exchange).await,
            _ => {}
        }
    }
    let exact = match (method, path) {
        ("GET", "/v2/quotas") => Some(Check::SyntheticQuotas),
        ("GET", "/api/v1/key") => Some(Check::OpenrouterKey),
        ("GET", "/user/balance") => Some(Check::DeepseekBalance),
        ("GET", "/users/me/balance" | "/v1/users/me/balance") => Some(Check::MoonshotBalance),
        ("GET", "/api/monitor/usage/quota/limit") => Some(Check::ZaiQuota),
        ("GET", "/v1/accounts") => Some(Check::FireworksAccounts),
        ("GET", "/key/info") => Some(Check::LitellmKey),
        ("GET", "/api/whoami-v2") => Some(Check::HuggingfaceWho),
        _ => None,
    };
    if let Some(check) = exact {
        return checks::answer(exchange, check).await;
    }
    // DeepSeek's own base has no `/v1`; anybody else's 404 there tells of a wrong base URL.
    let bare = (exchange.listener.flavour == Flavour::Deepseek && path.starts_with("/chat/")).then_some(path);
    if let Some(rest) = below(path, OPENAI_BASES).or(bare) {
        match (method, rest) {
            ("GET", "/models") => return openai::list(exchange).await,
            ("POST", "/chat/completions") => return openai::chat(exchange, None).await,
            ("POST", "/embeddings") => return openai::embed(exchange).await,
            ("GET", "/chat/completions" | "/embeddings") => return wrong_method(exchange).await,
            ("GET", rest) => {
                if let Some(id) = rest.strip_prefix("/models/") {
                    return openai::retrieve(exchange, id).await;
                }
            }
            _ => {}
        }
    }
    if let Some(rest) = path.strip_prefix("/openai/deployments/")
        && let Some((deployment, "chat/completions")) = rest.split_once('/')
        && method == "POST"
    {
        // Azure's older form names the model in the path.
        return openai::chat(exchange, Some(deployment)).await;
    }
    match (method, path) {
        ("GET", "/") if exchange.listener.flavour == Flavour::Ollama => {
            let text = b"Ollama is running".to_vec();
            exchange.reply(super::http::Response::new(200).with_body("text/plain", text)).await
        }
        ("GET", "/api/version") => ollama::version(exchange).await,
        ("GET", "/api/tags") => ollama::tags(exchange).await,
        ("GET", "/api/ps") => ollama::loaded(exchange).await,
        ("POST", "/api/show") => ollama::show(exchange).await,
        ("POST", "/api/generate") => ollama::generate(exchange).await,
        ("POST", "/api/chat") => ollama::chat(exchange).await,
        ("POST", "/api/embed") => ollama::embed(exchange).await,
        ("GET", "/health" | "/ping") => local::health(exchange).await,
        ("GET", "/health/liveliness" | "/health/readiness") => local::litellm_health(exchange).await,
        ("GET", "/props") => local::props(exchange).await,
        ("GET", "/models") => local::router_models(exchange).await,
        ("POST", "/models/load" | "/models/unload") => local::router_change(exchange).await,
        ("GET", "/running") => local::running(exchange).await,
        _ => exchange.refuse(Situation::UnknownPath, &[]).await,
    }
}

/// The rest of a path below the first of the bases that it begins with.
fn below<'a>(path: &'a str, bases: &[&str]) -> Option<&'a str> {
    bases.iter().find_map(|base| path.strip_prefix(base).filter(|rest| rest.starts_with('/')))
}

async fn wrong_method(exchange: &mut Exchange<'_>) -> Result<(), Ended> {
    let response = exchange.error(Situation::MethodNotAllowed, &[]).header("allow", "POST");
    exchange.wire.send(response).await
}
