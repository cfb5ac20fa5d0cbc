//! The simulated provider in a process of its own, so that its cost is in no figure, and programs measured as children.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context, ensure};
use serde_json::{Value, json};
use tempfile::TempDir;
use wait4::Wait4;

/// The only account's key.
pub(crate) const KEY: &str = "sk-0123456789abcdef0123456789abcdef";
/// The program that is measured.
pub(crate) const PILOTLIGHT: &str = env!("CARGO_BIN_EXE_pilotlight");

/// A running simulator. Dropping it stops it.
pub(crate) struct Simulator {
    child: Child,
    doors: BTreeMap<String, String>,
    folder: TempDir,
}

impl Simulator {
    /// Plays OpenAI with these models behind these doors.
    pub(crate) fn start(models: &[Value], doors: &[Value]) -> anyhow::Result<Self> {
        let folder = tempfile::tempdir()?;
        let scenario = folder.path().join("scenario.yaml");
        // JSON is YAML.
        let played = json!({
            "flavour": "openai",
            "accounts": [{ "name": "bench", "key": KEY }],
            "models": models,
            "listeners": doors,
        });
        fs::write(&scenario, played.to_string())?;
        let mut child = Command::new(PILOTLIGHT)
            .args(["sim", "--log-level", "off", "--scenario"])
            .arg(&scenario)
            .arg("--ca")
            .arg(folder.path().join("ca.pem"))
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .context("failed to start the simulator")?;
        let output = child.stdout.take().context("the simulator has no output")?;
        let mut found = BTreeMap::new();
        for line in BufReader::new(output).lines().take(doors.len()) {
            let line = line?;
            let (name, url) = line.split_once(' ').context("the simulator says something else")?;
            found.insert(name.to_owned(), url.to_owned());
        }
        ensure!(found.len() == doors.len(), "the simulator did not open every door");
        Ok(Self { child, doors: found, folder })
    }

    /// The base URL behind a door.
    pub(crate) fn url(&self, door: &str) -> anyhow::Result<String> {
        Ok(format!("{}/v1", self.doors.get(door).with_context(|| format!("there is no door {door}"))?))
    }

    /// The authority of its certificates.
    pub(crate) fn ca(&self) -> PathBuf {
        self.folder.path().join("ca.pem")
    }

    /// Writes a probes.yaml: for each of `providers` (a name, what differs from the usual, and its models), one target
    /// a model.
    pub(crate) fn probes(&self, name: &str, providers: &[(&str, Value, Vec<String>)]) -> anyhow::Result<PathBuf> {
        let (mut written, mut targets) = (serde_json::Map::new(), Vec::new());
        for (provider, differs, models) in providers {
            let mut whole = json!({ "preset": "openai", "api_key": KEY });
            if let (Some(whole), Some(differs)) = (whole.as_object_mut(), differs.as_object()) {
                whole.extend(differs.clone());
            }
            written.insert((*provider).to_owned(), whole);
            let expect = json!({ "stall": "60s", "cold_start": "60s", "first_token": "10s" });
            targets.extend(models.iter().enumerate().map(|(number, model)| {
                json!({ "name": format!("{provider}-{number}"), "provider": provider, "model": model, "expect": expect })
            }));
        }
        let path = self.folder.path().join(name);
        fs::write(&path, json!({ "version": 1, "providers": written, "targets": targets }).to_string())?;
        Ok(path)
    }
}

impl Drop for Simulator {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// What a child cost.
pub(crate) struct Cost {
    /// User and system time.
    pub cpu: Duration,
    /// The most memory that was resident, in MiB.
    pub peak: f64,
}

/// Runs a program to its end, its output thrown away, and says what it cost.
pub(crate) fn cost(command: &mut Command, exits_with: i32) -> anyhow::Result<Cost> {
    let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
    let used = child.wait4()?;
    ensure!(used.status.code() == Some(exits_with), "{command:?} ended with {}, not {exits_with}", used.status);
    let peak = used.rusage.maxrss as f64 / (1024.0 * 1024.0);
    // Linux counts what this process had resident when it became the child.
    let own = own_peak()?;
    ensure!(peak > own, "the {peak:.1} MiB of {command:?} may be the benchmark's own {own:.1} MiB");
    Ok(Cost { cpu: used.rusage.utime + used.rusage.stime, peak })
}

/// The most memory that this process had resident, in MiB.
fn own_peak() -> anyhow::Result<f64> {
    let status = fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("no VmHWM in /proc/self/status")?;
    let kibibytes: f64 = line.trim().trim_end_matches("kB").trim_end().parse()?;
    Ok(kibibytes / 1024.0)
}

/// `pilotlight check` with this configuration.
pub(crate) fn check(probes: &Path, depth: &str) -> Command {
    let mut command = Command::new(PILOTLIGHT);
    command.args(["check", "--attempts", "1", "--depth", depth, "--config"]).arg(probes);
    command
}
