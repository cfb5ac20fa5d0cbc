//! How far a measured first-token time is from the true one, with 500 probes at once.
//!
//! The simulator promises each answer's first token for a moment after it has read the request, and states the span in
//! the answer's head. It keeps its promise as well as its own timer and the second core let it: its lateness, and the
//! way over loopback, are part of every figure here.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Context;
use pilotlight::outcome::Outcome;
use pilotlight::probe::clock::Clock;
use pilotlight::probe::transport::{Answer, Boxed, Dialled, ExchangeFault, HttpNetwork, Line, Network, Request};
use pilotlight::run::SystemClock;
use pilotlight::target::{Depth, Provider};
use reqwest::Client;
use serde_json::{Value, json};

use super::figures::{Row, median, ms, percentile};
use super::probes::{jobs, pass, runtime};
use super::simulator::{KEY, Simulator};

const AT_ONCE: usize = 500;
/// Probes in the control, which has one at a time.
const ALONE: usize = 100;
const ROUNDS: usize = 3;
/// The header that states the truth, in milliseconds.
const TRUTH: &str = "x-sim-first-token-ms";

pub(crate) fn measure() -> anyhow::Result<Vec<Row>> {
    let ids = |prefix: &str, count: usize| -> Vec<String> { (0..count).map(|n| format!("{prefix}-{n}")).collect() };
    let (crowd, quiet) = (ids("crowd", AT_ONCE), ids("quiet", ALONE));
    let model = |id: &String, first_token: &str| json!({ "id": id, "first_token": first_token, "jitter": 0.2, "between_tokens": "10ms", "tokens": 4 });
    let models: Vec<Value> = crowd.iter().map(|id| model(id, "400ms")).collect();
    let doors = [json!({ "name": "HTTP" }), json!({ "name": "TLS", "tls": "good" })];
    let simulator = Simulator::start(&models, &doors)?;
    let mut rows = Vec::new();

    let still: Vec<Value> = quiet.iter().map(|id| model(id, "20ms")).collect();
    let alone = Simulator::start(&still, &doors)?;
    let provider = json!({ "base_url": alone.url("HTTP")?, "concurrency": 1 });
    let probes = alone.probes("alone.yaml", &[("p", provider, quiet)])?;
    let floor = errors_of_pass(&jobs(&probes, Depth::Warm)?)?;
    drop(alone);
    rows.push(row("one at a time, HTTP (the simulator's own lateness)", &floor, None));

    for door in ["HTTP", "TLS"] {
        let mut provider = json!({ "base_url": simulator.url(door)?, "concurrency": AT_ONCE });
        if let Some(provider) = provider.as_object_mut()
            && door == "TLS"
        {
            provider.insert("ca_file".to_owned(), json!(simulator.ca()));
        }
        let probes = simulator.probes("crowd.yaml", &[("p", provider, crowd.clone())])?;
        let jobs = jobs(&probes, Depth::Warm)?;
        let mut errors = Vec::new();
        for _ in 0..ROUNDS {
            errors.extend(errors_of_pass(&jobs)?);
        }
        rows.push(row(&format!("500 at once, {door}"), &errors, Some((1.0, 10.0))));
    }

    let mut errors = Vec::new();
    for _ in 0..ROUNDS {
        errors.extend(errors_of_burst(&simulator.url("HTTP")?, &crowd)?);
    }
    rows.push(row("for contrast: 500 of bare reqwest in one burst, HTTP", &errors, None));
    Ok(rows)
}

fn row(what: &str, errors: &[f64], at_most: Option<(f64, f64)>) -> Row {
    let (middle, high) = (median(errors), percentile(errors, 99));
    Row {
        what: format!("error of the first-token time, {what}: median, 99th percentile"),
        ours: format!("{middle:.2} ms, {high:.2} ms"),
        peer: "the simulator's statement".to_owned(),
        figure: format!("most {:.2} ms", percentile(errors, 100)),
        target: at_most.map(|(a, b)| (format!("≤ {a} ms, ≤ {b} ms"), middle <= a && high <= b)),
    }
}

/// What one pass measured, less what the simulator stated, in milliseconds.
fn errors_of_pass(jobs: &[pilotlight::probe::Job]) -> anyhow::Result<Vec<f64>> {
    let truths = Truths::default();
    let network = Overheard { network: HttpNetwork::new(Arc::new(SystemClock)), truths: truths.clone() };
    let outcomes = runtime()?.block_on(pass(Arc::new(network), jobs.to_vec()))?;
    outcomes.iter().map(|outcome| error_of(outcome, &truths)).collect()
}

fn error_of(outcome: &Outcome, truths: &Truths) -> anyhow::Result<f64> {
    let measured = outcome.timings.first_token.context("no first-token time")?;
    let truth = truths.of(outcome.target.model.as_str()).context("no true time")?;
    Ok(ms(measured) - truth)
}

/// True times in milliseconds, by LLM.
#[derive(Clone, Default)]
struct Truths(Arc<Mutex<HashMap<String, f64>>>);

impl Truths {
    fn put(&self, model: &str, truth: f64) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(model.to_owned(), truth);
    }

    fn of(&self, model: &str) -> Option<f64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(model).copied()
    }
}

/// The real network, with an ear for what the simulator states.
struct Overheard {
    network: HttpNetwork,
    truths: Truths,
}

impl Network for Overheard {
    fn dial<'a>(&'a self, provider: &'a Provider, limit: Duration) -> Boxed<'a, Dialled> {
        Box::pin(async move {
            let Dialled { marks, line } = self.network.dial(provider, limit).await;
            let truths = self.truths.clone();
            Dialled { marks, line: line.map(|line| Box::new(OverheardLine { line, truths }) as Box<dyn Line>) }
        })
    }
}

struct OverheardLine {
    line: Box<dyn Line>,
    truths: Truths,
}

impl Line for OverheardLine {
    fn send<'a>(&'a mut self, request: Request) -> Boxed<'a, Result<Answer, ExchangeFault>> {
        Box::pin(async move {
            let body = request.body.clone();
            let answer = self.line.send(request).await?;
            let body: Option<Value> = body.and_then(|body| serde_json::from_str(&body).ok());
            let truth = answer.head.header(TRUTH).and_then(|truth| truth.parse().ok());
            if let (Some(truth), Some(body)) = (truth, body)
                && let Some(model) = body.get("model").and_then(Value::as_str)
            {
                self.truths.put(model, truth);
            }
            Ok(answer)
        })
    }

    fn reopened(&self) -> bool {
        self.line.reopened()
    }
}

/// The same requests from a bare client that starts them all at once and measures from its call to the token.
fn errors_of_burst(url: &str, models: &[String]) -> anyhow::Result<Vec<f64>> {
    let client = Client::builder().no_proxy().http1_only().pool_max_idle_per_host(0);
    let client = client.tls_backend_preconfigured(rustls_without_roots()?).build()?;
    runtime()?.block_on(async {
        let mut requests = tokio::task::JoinSet::new();
        for model in models {
            let asked = json!({ "model": model, "stream": true, "messages": [{ "role": "user", "content": "ping" }] });
            let request = client.post(format!("{url}/chat/completions")).bearer_auth(KEY).body(asked.to_string());
            requests.spawn(async move {
                let begun = SystemClock.now();
                let mut answer = request.send().await?.error_for_status()?;
                let truth = answer.headers().get(TRUTH).context("no true time")?.to_str()?.parse::<f64>()?;
                let mut first = None;
                while let Some(piece) = answer.chunk().await? {
                    // The field stands in the event with the first token and in no other.
                    if first.is_none() && piece.windows(20).any(|bytes| bytes == b"x_sim_first_token_ms") {
                        first = Some(SystemClock.now().saturating_duration_since(begun));
                    }
                }
                anyhow::Ok(ms(first.context("no token")?) - truth)
            });
        }
        let mut errors = Vec::new();
        while let Some(error) = requests.join_next().await {
            errors.push(error??);
        }
        Ok(errors)
    })
}

/// For a client that speaks no TLS, so that it loads no authorities.
fn rustls_without_roots() -> anyhow::Result<rustls::ClientConfig> {
    Ok(rustls::ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth())
}
