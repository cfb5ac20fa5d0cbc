//! How far a measured first-token time is from the true one, with 500 probes at once.
//!
//! The simulator promises each answer's first token for a moment after it has read the request, and states the span in
//! the answer's head. It keeps its promise as well as its own timer, of whole milliseconds, and the second core let it.
//! So there is a control, a blocking socket with one request at a time and nothing of ours or of tokio's in it: its median
//! is the simulator's own lateness and the way over loopback, and is taken off where a figure is held against its target.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::TcpStream;
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

/// LLMs, each asked for at so many providers at once. They are few, because the simulator writes its list anew for every
/// probe, and a list of 500 would keep it busier than the probes do.
const LLMS: usize = 50;
const PROVIDERS: usize = 10;
const AT_ONCE: usize = LLMS * PROVIDERS;
/// Rounds, of which the middle one is told: what others do on the machine strikes single rounds.
const ROUNDS: usize = 7;
/// The header that states the truth, in milliseconds.
const TRUTH: &str = "x-sim-first-token-ms";
/// A field of the event with the first token, and of no other.
const FIRST: &str = "x_sim_first_token_ms";

pub(crate) fn measure() -> anyhow::Result<Vec<Row>> {
    let ids: Vec<String> = (0..LLMS).map(|number| format!("vendor/model-{number}")).collect();
    let models = |first_token: &str| -> Vec<Value> {
        let model = |id| {
            json!({ "id": id, "first_token": first_token, "jitter": 0.2, "between_tokens": "10ms", "tokens": 4,
                    "concurrency": PROVIDERS })
        };
        ids.iter().map(model).collect()
    };
    let doors = [json!({ "name": "HTTP" }), json!({ "name": "TLS", "tls": "good" })];

    let quiet = Simulator::start(&models("40ms"), &doors)?;
    let provider = json!({ "base_url": quiet.url("HTTP")?, "concurrency": 1 });
    let jobs_alone = jobs(&quiet.probes("alone.yaml", &[("p", provider, ids.clone())])?, Depth::Warm)?;
    let url = quiet.url("HTTP")?;
    let floor = Round::median_of(ROUNDS, || errors_of_socket(&url, &ids))?;
    let alone = Round::median_of(ROUNDS, || errors_of_pass(&jobs_alone))?;
    drop(quiet);
    let control =
        Row { ours: String::new(), peer: floor.words(), ..floor.row("a blocking socket, one at a time, HTTP", None) };
    let mut rows = vec![control, alone.row("one at a time, HTTP", Some(floor.middle))];

    let simulator = Simulator::start(&models("400ms"), &doors)?;
    let names: Vec<String> = (0..PROVIDERS).map(|number| format!("p{number}")).collect();
    for door in ["HTTP", "TLS"] {
        let mut provider = json!({ "base_url": simulator.url(door)?, "concurrency": AT_ONCE });
        if let Some(provider) = provider.as_object_mut()
            && door == "TLS"
        {
            provider.insert("ca_file".to_owned(), json!(simulator.ca()));
        }
        let providers: Vec<_> = names.iter().map(|name| (name.as_str(), provider.clone(), ids.clone())).collect();
        let jobs = jobs(&simulator.probes("crowd.yaml", &providers)?, Depth::Warm)?;
        let round = Round::median_of(ROUNDS, || errors_of_pass(&jobs))?;
        rows.push(round.row(&format!("{AT_ONCE} at once, {door}"), Some(floor.middle)));
    }

    let crowd: Vec<&String> = ids.iter().cycle().take(AT_ONCE).collect();
    let url = simulator.url("HTTP")?;
    let burst = Round::median_of(ROUNDS, || errors_of_burst(&url, &crowd))?;
    rows.push(burst.row(&format!("for contrast: {AT_ONCE} of bare reqwest in one burst, HTTP"), None));
    Ok(rows)
}

/// The errors of one round, in milliseconds.
struct Round {
    middle: f64,
    high: f64,
    most: f64,
}

impl Round {
    /// Of several rounds, the medians of what they came to.
    fn median_of(rounds: usize, errors: impl Fn() -> anyhow::Result<Vec<f64>>) -> anyhow::Result<Self> {
        let (mut middle, mut high, mut most) = (Vec::new(), Vec::new(), Vec::new());
        for _ in 0..rounds {
            let errors = errors()?;
            middle.push(median(&errors));
            high.push(percentile(&errors, 99));
            most.push(percentile(&errors, 100));
        }
        Ok(Self { middle: median(&middle), high: median(&high), most: median(&most) })
    }

    fn words(&self) -> String {
        format!("{:.2}, {:.2}, {:.2} ms", self.middle, self.high, self.most)
    }

    fn row(&self, what: &str, floor: Option<f64>) -> Row {
        let Self { middle, high, .. } = self;
        let net = floor.map(|floor| (middle - floor, high - floor));
        Row {
            what: format!("error of the first-token time, {what}: median, 99th percentile, most"),
            ours: self.words(),
            peer: floor.map_or_else(String::new, |floor| format!("{floor:.2} ms, the socket's")),
            figure: net.map_or_else(String::new, |(middle, high)| format!("{middle:+.2}, {high:+.2} ms")),
            target: net.map(|(middle, high)| ("≤ 1 ms, ≤ 10 ms".to_owned(), middle <= 1.0 && high <= 10.0)),
        }
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
    let truth =
        truths.of(outcome.target.provider.id.as_str(), outcome.target.model.as_str()).context("no true time")?;
    Ok(ms(measured) - truth)
}

/// True times in milliseconds, by provider and LLM.
#[derive(Clone, Default)]
struct Truths(Arc<Mutex<HashMap<(String, String), f64>>>);

impl Truths {
    fn put(&self, provider: &str, model: &str, truth: f64) {
        let key = (provider.to_owned(), model.to_owned());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key, truth);
    }

    fn of(&self, provider: &str, model: &str) -> Option<f64> {
        let key = (provider.to_owned(), model.to_owned());
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(&key).copied()
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
            let (truths, provider) = (self.truths.clone(), provider.id.to_string());
            Dialled {
                marks,
                line: line.map(|line| Box::new(OverheardLine { line, provider, truths }) as Box<dyn Line>),
            }
        })
    }
}

struct OverheardLine {
    line: Box<dyn Line>,
    provider: String,
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
                self.truths.put(&self.provider, model, truth);
            }
            Ok(answer)
        })
    }

    fn reopened(&self) -> bool {
        self.line.reopened()
    }
}

/// The same requests from a blocking socket, one after the other.
fn errors_of_socket(url: &str, models: &[String]) -> anyhow::Result<Vec<f64>> {
    let host = url.trim_start_matches("http://").trim_end_matches("/v1");
    let error = |model: &String| {
        let body = question(model).to_string();
        let mut socket = TcpStream::connect(host)?;
        socket.set_nodelay(true)?;
        let request = format!(
            "POST /v1/chat/completions HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {KEY}\r\nconnection: close\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let begun = SystemClock.now();
        socket.write_all(request.as_bytes())?;
        let (mut answer, mut piece, mut first) = (Vec::new(), [0; 4096], None);
        loop {
            let length = socket.read(&mut piece)?;
            answer.extend(piece.iter().take(length));
            let text = String::from_utf8_lossy(&answer);
            if first.is_none() && text.contains(FIRST) {
                first = Some(SystemClock.now().saturating_duration_since(begun));
            }
            if length == 0 {
                let truth = text.lines().find_map(|line| line.strip_prefix(TRUTH)?.strip_prefix(": "));
                let truth: f64 = truth.context("no true time")?.trim().parse()?;
                return anyhow::Ok(ms(first.context("no token")?) - truth);
            }
        }
    };
    models.iter().map(error).collect()
}

fn question(model: &str) -> Value {
    json!({ "model": model, "stream": true, "messages": [{ "role": "user", "content": "ping" }] })
}

/// The same requests from a bare client that starts them all at once and measures from its call to the token.
fn errors_of_burst(url: &str, models: &[&String]) -> anyhow::Result<Vec<f64>> {
    let client = Client::builder().no_proxy().http1_only().pool_max_idle_per_host(0);
    let client = client.tls_backend_preconfigured(rustls_without_roots()?).build()?;
    runtime()?.block_on(async {
        let mut requests = tokio::task::JoinSet::new();
        for model in models {
            let asked = question(model);
            let request = client.post(format!("{url}/chat/completions")).bearer_auth(KEY).body(asked.to_string());
            requests.spawn(async move {
                let begun = SystemClock.now();
                let mut answer = request.send().await?.error_for_status()?;
                let truth = answer.headers().get(TRUTH).context("no true time")?.to_str()?.parse::<f64>()?;
                let mut first = None;
                while let Some(piece) = answer.chunk().await? {
                    if first.is_none() && String::from_utf8_lossy(&piece).contains(FIRST) {
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
