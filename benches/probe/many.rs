//! A thousand probes on fresh connections, beside a bare reqwest loop that makes a GET on each.
//!
//! A pass starts its probes 0.8 ms apart, and waking up for each costs what a loop that is never idle does not pay. So
//! there are two loops: one that goes as fast as it can, which the targets are for, and one at a pass's pace.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::ensure;
use cpu_time::ProcessTime;
use pilotlight::probe::clock::Clock;
use pilotlight::probe::transport::HttpNetwork;
use pilotlight::run::SystemClock;
use pilotlight::target::Depth;
use reqwest::Client;
use rustls::client::Resumption;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::CertificateDer;
use rustls_pki_types::pem::PemObject;
use serde_json::{Value, json};

use super::figures::{Row, median, ms};
use super::probes::{jobs, pass, runtime};
use super::simulator::{KEY, Simulator};

const PROBES: usize = 1000;
/// At once, in either.
const AT_ONCE: usize = 64;
const ROUNDS: usize = 5;
/// From one start to the next in a pass (`run/pass.rs`).
const BETWEEN_STARTS: Duration = Duration::from_micros(800);

/// When a bare request is made.
#[derive(Clone, Copy)]
enum Pace {
    /// As soon as there is a place.
    Fast,
    /// As in a pass.
    Spread,
}

pub(crate) fn measure() -> anyhow::Result<Vec<Row>> {
    let mut rows = Vec::new();
    // OpenAI lists about a hundred LLMs in 10 KB; the largest list that we know is OpenRouter's.
    rows.extend(with_list_of(100)?);
    rows.extend(with_list_of(1000)?);
    Ok(rows)
}

/// The same for HTTP and TLS at a provider that lists so many LLMs. An LLM is never probed twice at once at a provider,
/// so there are as many providers as it takes to have a thousand targets.
fn with_list_of(listed: usize) -> anyhow::Result<Vec<Row>> {
    let models: Vec<String> = (0..listed).map(|number| format!("vendor/model-{number}")).collect();
    let played: Vec<Value> = models.iter().map(|id| json!({ "id": id })).collect();
    let doors = [json!({ "name": "HTTP" }), json!({ "name": "TLS", "tls": "good" })];
    let simulator = Simulator::start(&played, &doors)?;
    let names: Vec<String> = (0..PROBES / listed).map(|number| format!("p{number}")).collect();
    let mut rows = Vec::new();
    for door in ["HTTP", "TLS"] {
        let url = simulator.url(door)?;
        let mut differs = json!({ "base_url": url, "concurrency": AT_ONCE });
        if let Some(differs) = differs.as_object_mut()
            && door == "TLS"
        {
            differs.insert("ca_file".to_owned(), json!(simulator.ca()));
        }
        let providers: Vec<_> = names.iter().map(|name| (name.as_str(), differs.clone(), models.clone())).collect();
        let probes = simulator.probes("many.yaml", &providers)?;
        let client = client(&simulator.ca())?;
        let (mut connect, mut auth, mut bare, mut paced) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        let mut bytes = 0;
        for round in 0..=ROUNDS {
            let list = format!("{url}/models");
            let (fast, read) = bare_loop(&client, &list, Pace::Fast)?;
            let (spread, _) = bare_loop(&client, &list, Pace::Spread)?;
            let costs = [fast, spread, probing(&probes, Depth::Connect)?, probing(&probes, Depth::Auth)?];
            // The first round warms caches and the allocator.
            if round > 0 {
                for (all, cost) in [&mut bare, &mut paced, &mut connect, &mut auth].into_iter().zip(costs) {
                    all.push(cost);
                }
            }
            bytes = read;
        }
        let (bare, paced) = (median(&bare), median(&paced));
        let list = format!("{listed} LLMs ({} KB)", bytes / 1000);
        if listed < PROBES {
            let what = format!("1,000 probes, `connect`, {door}: CPU each, beside a bare GET");
            rows.push(Row::ratio(what, median(&connect), bare, Some(2.0)));
        }
        let what = format!("1,000 probes, `auth`, {door}, list of {list}: CPU each, beside a bare GET");
        rows.push(Row::ratio(what, median(&auth), bare, Some(2.0)));
        rows.push(Row::ratio("the same, beside bare GETs 0.8 ms apart", median(&auth), paced, None));
    }
    Ok(rows)
}

/// The CPU that each probe of a pass costs, in milliseconds.
fn probing(probes: &Path, depth: Depth) -> anyhow::Result<f64> {
    let jobs = jobs(probes, depth)?;
    ensure!(jobs.len() == PROBES, "{} targets", jobs.len());
    let runtime = runtime()?;
    let begun = ProcessTime::now();
    runtime.block_on(pass(Arc::new(HttpNetwork::new(Arc::new(SystemClock))), jobs))?;
    Ok(ms(begun.elapsed()) / PROBES as f64)
}

/// One client for all, with the TLS settings that a probe has: a full handshake each, HTTP/1.1, ring.
fn client(ca: &Path) -> anyhow::Result<Client> {
    let mut roots = RootCertStore::empty();
    for certificate in CertificateDer::pem_file_iter(ca)? {
        roots.add(certificate?)?;
    }
    let mut tls = ClientConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    tls.resumption = Resumption::disabled();
    let client = Client::builder().no_proxy().http1_only().pool_max_idle_per_host(0).tls_backend_preconfigured(tls);
    Ok(client.build()?)
}

/// The CPU that each request of a bare loop costs, in milliseconds, and the size of its answer.
fn bare_loop(client: &Client, url: &str, pace: Pace) -> anyhow::Result<(f64, usize)> {
    let runtime = runtime()?;
    let (next, read) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicUsize::new(0)));
    let (begun, first) = (ProcessTime::now(), SystemClock.now());
    runtime.block_on(async {
        let mut workers = tokio::task::JoinSet::new();
        for _ in 0..AT_ONCE {
            let (next, read, client, url) = (Arc::clone(&next), Arc::clone(&read), client.clone(), url.to_owned());
            workers.spawn(async move {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number as usize >= PROBES {
                        return Ok::<(), reqwest::Error>(());
                    }
                    if matches!(pace, Pace::Spread) {
                        tokio::time::sleep_until((first + BETWEEN_STARTS * number).into()).await;
                    }
                    let answer = client.get(&url).bearer_auth(KEY).send().await?.error_for_status()?;
                    read.store(answer.bytes().await?.len(), Ordering::Relaxed);
                }
            });
        }
        while let Some(ended) = workers.join_next().await {
            ended??;
        }
        anyhow::Ok(())
    })?;
    Ok((ms(begun.elapsed()) / PROBES as f64, read.load(Ordering::Relaxed)))
}
