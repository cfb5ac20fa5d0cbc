//! The daemon with a thousand targets a minute: how late probes begin, what it costs beside the probes alone, its
//! memory; and what ten thousand targets cost while none is due.
//!
//! It takes six minutes, because a minute's schedule has to be watched for minutes.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use anyhow::{Context, ensure};
use cpu_time::ProcessTime;
use pilotlight::plan::RetryPolicy;
use pilotlight::probe::clock::Clock;
use pilotlight::probe::transport::HttpNetwork;
use pilotlight::run::{Chance, Listener, Runner, Stop, SystemClock, Treasury};
use pilotlight::target::Depth;
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::watch;

use super::figures::{Row, percentile};
use super::probes::{jobs, runtime};
use super::simulator::{PILOTLIGHT, Simulator};

const TARGETS: usize = 1000;
const IDLE_TARGETS: usize = 10_000;
/// How long the daemon is watched. The first minute does not count.
const WATCHED: Duration = Duration::from_secs(120);
const SETTLING: Duration = Duration::from_secs(61);
const IDLE: Duration = Duration::from_secs(60);

pub(crate) fn measure() -> anyhow::Result<Vec<Row>> {
    let models: Vec<String> = (0..100).map(|number| format!("vendor/model-{number}")).collect();
    let played: Vec<Value> = models.iter().map(|id| json!({ "id": id })).collect();
    let simulator = Simulator::start(&played, &[json!({ "name": "HTTP" })])?;
    let url = simulator.url("HTTP")?;
    let mut rows = idle(&simulator, &url, &models)?;
    rows.extend(busy(&simulator, &url, &models)?);
    Ok(rows)
}

/// What is read of a line of the log.
#[derive(Deserialize)]
struct Line {
    event: String,
    verdict: Option<String>,
    queued_ms: Option<f64>,
}

/// A probes.yaml of so many targets, each LLM once at each provider.
fn probes(
    simulator: &Simulator,
    name: &str,
    url: &str,
    models: &[String],
    targets: usize,
    auth: &Value,
) -> anyhow::Result<std::path::PathBuf> {
    let names: Vec<String> = (0..targets / models.len()).map(|number| format!("p{number}")).collect();
    let providers: Vec<(&str, Value, Vec<String>)> =
        names.iter().map(|name| (name.as_str(), json!({ "base_url": url }), models.to_vec())).collect();
    let path = simulator.probes(name, &providers)?;
    let mut written: Value = serde_json::from_str(&fs::read_to_string(&path)?)?;
    let whole = written.as_object_mut().context("probes.yaml is no object")?;
    whole.insert("defaults".to_owned(), json!({ "auth": auth, "expect": { "first_token": "10s" } }));
    // A probes.yaml holds 1 MiB at most, so what is the same for ten thousand targets is said once.
    for target in whole.get_mut("targets").and_then(Value::as_array_mut).into_iter().flatten() {
        target.as_object_mut().and_then(|target| target.remove("expect"));
    }
    fs::write(&path, written.to_string())?;
    Ok(path)
}

fn busy(simulator: &Simulator, url: &str, models: &[String]) -> anyhow::Result<Vec<Row>> {
    let path = probes(simulator, "busy.yaml", url, models, TARGETS, &json!({ "every": "1m" }))?;
    let alone = alone(&path)?;
    let folder = tempfile::tempdir()?;
    let (daemon, lines) = Daemon::start(&path, folder.path())?;
    std::thread::sleep(SETTLING);
    let (before, began) = (daemon.cpu()?, SystemClock.now());
    lines.try_iter().for_each(drop);
    std::thread::sleep(WATCHED);
    let (cpu, watched) = (daemon.cpu()? - before, SystemClock.now().saturating_duration_since(began));
    let resident = daemon.resident()?;
    let mut late = Vec::new();
    for line in lines.try_iter() {
        let parsed: Line = serde_json::from_str(&line).with_context(|| line.clone())?;
        if parsed.event == "probe.finished" {
            ensure!(parsed.verdict.as_deref() == Some("ready"), "{line}");
            late.push(parsed.queued_ms.context("no queued_ms")?);
        }
    }
    let due = TARGETS as f64 * watched.as_secs_f64() / 60.0;
    let each = cpu.as_secs_f64() * 1000.0 / late.len() as f64;
    let p99 = percentile(&late, 99);
    let overhead = (each / alone - 1.0) * 100.0;
    Ok(vec![
        Row {
            what: format!("{TARGETS} targets a minute: how late probes begin, p50 / p99 / most"),
            ours: format!("{:.1} / {p99:.1} / {:.1} ms", percentile(&late, 50), percentile(&late, 100)),
            peer: String::new(),
            figure: format!("{p99:.1} ms"),
            target: Some(("≤ 20 ms".to_owned(), p99 <= 20.0)),
        },
        Row {
            what: "the same: probes made, beside those due".to_owned(),
            ours: late.len().to_string(),
            peer: format!("{due:.0}"),
            figure: format!("{:+.0}", late.len() as f64 - due),
            // Who was due at either end of the watch may fall on either side.
            target: Some(("± 20".to_owned(), (late.len() as f64 - due).abs() <= 20.0)),
        },
        Row {
            what: "the same: CPU of one probe, log, history and metrics included; beside bare probes at that pace"
                .to_owned(),
            ours: format!("{each:.3} ms"),
            peer: format!("{alone:.3} ms"),
            figure: format!("{overhead:+.0} %"),
            target: Some(("≤ +25 %".to_owned(), overhead <= 25.0)),
        },
        memory(&format!("{TARGETS} targets a minute: resident memory"), resident, Some(40.0)),
    ])
}

/// What a probe costs in milliseconds when nothing is round it, at the daemon's pace.
fn alone(path: &Path) -> anyhow::Result<f64> {
    let jobs = jobs(path, Depth::Auth)?;
    let count = jobs.len();
    let pause = Duration::from_secs(60) / u32::try_from(count)?;
    let clock = Arc::new(SystemClock);
    let retry = RetryPolicy { attempts: 1, ..RetryPolicy::default() };
    let network = Arc::new(HttpNetwork::new(clock.clone()));
    let runner = Arc::new(Runner::new(
        network,
        clock.clone(),
        Arc::new(Chance::from_seed(1)),
        retry,
        Arc::new(Treasury::unlimited(Arc::new(SystemClock))),
    ));
    let (_stop, stopper) = watch::channel(Stop::No);
    let listener: Listener = Arc::new(|_| {});
    runtime()?.block_on(async {
        let begun = ProcessTime::now();
        let mut due = clock.now();
        let mut running = tokio::task::JoinSet::new();
        for job in jobs {
            due += pause;
            tokio::time::sleep_until(due.into()).await;
            let (runner, listener, stopper) = (Arc::clone(&runner), Arc::clone(&listener), stopper.clone());
            running.spawn(async move { runner.probe(job, due, &listener, &stopper).await });
        }
        while let Some(outcome) = running.join_next().await {
            ensure!(outcome?.diagnosis.is_none(), "a bare probe failed");
        }
        Ok(begun.elapsed().as_secs_f64() * 1000.0 / count as f64)
    })
}

fn idle(simulator: &Simulator, url: &str, models: &[String]) -> anyhow::Result<Vec<Row>> {
    // Due on the 29th of February only.
    let path = probes(simulator, "idle.yaml", url, models, IDLE_TARGETS, &json!({ "cron": "0 3 29 2 *" }))?;
    let folder = tempfile::tempdir()?;
    let (daemon, _lines) = Daemon::start(&path, folder.path())?;
    std::thread::sleep(Duration::from_secs(15));
    let (before, began) = (daemon.cpu()?, SystemClock.now());
    std::thread::sleep(IDLE);
    let share = (daemon.cpu()? - before).as_secs_f64()
        / SystemClock.now().saturating_duration_since(began).as_secs_f64()
        * 100.0;
    Ok(vec![
        Row {
            what: format!("{IDLE_TARGETS} targets, none due: CPU of one core"),
            ours: format!("{share:.2} %"),
            peer: String::new(),
            figure: format!("{share:.2} %"),
            target: Some(("≤ 1 %".to_owned(), share <= 1.0)),
        },
        memory(&format!("{IDLE_TARGETS} targets, none due: resident memory"), daemon.resident()?, None),
    ])
}

fn memory(what: &str, mebibytes: f64, at_most: Option<f64>) -> Row {
    Row {
        what: what.to_owned(),
        ours: format!("{mebibytes:.1} MiB"),
        peer: String::new(),
        figure: format!("{mebibytes:.1} MiB"),
        target: at_most.map(|most| (format!("≤ {most} MiB"), mebibytes <= most)),
    }
}

/// A running daemon. Dropping it ends it.
struct Daemon(Child);

impl Daemon {
    /// Starts it; returns when everything is armed. The lines that follow come through the receiver.
    fn start(probes: &Path, folder: &Path) -> anyhow::Result<(Self, Receiver<String>)> {
        let mut child = Command::new(PILOTLIGHT)
            .args(["run", "--listen", "none", "--config"])
            .arg(probes)
            .arg("--state-dir")
            .arg(folder)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("failed to start the daemon")?;
        let output = child.stderr.take().context("the daemon has no log")?;
        let daemon = Self(child);
        let mut output = BufReader::new(output);
        let mut first = String::new();
        output.read_line(&mut first)?;
        ensure!(first.contains("daemon.started"), "the daemon says something else: {first}");
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        Ok((daemon, lines))
    }

    /// The CPU time that it used so far.
    fn cpu(&self) -> anyhow::Result<Duration> {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.0.id()))?;
        // The name in parentheses may hold anything; user and system time are the 12th and 13th fields after it.
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
        let ticks = |index: usize| -> anyhow::Result<u64> { Ok(fields.get(index).context("a short stat")?.parse()?) };
        // Linux counts in hundredths of a second there, on every machine that Debian runs on.
        Ok(Duration::from_millis((ticks(11)? + ticks(12)?) * 10))
    }

    /// What is resident, in MiB.
    fn resident(&self) -> anyhow::Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.0.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).context("no VmRSS")?;
        Ok(line.trim().trim_end_matches("kB").trim_end().parse::<f64>()? / 1024.0)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.0.kill().ok();
        self.0.wait().ok();
    }
}
