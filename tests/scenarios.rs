//! Plays `tests/scenarios/*.yaml`: a provider's behaviour, and what the release binary must make of it.
//!
//! Each file has a `sim` (the scenario of `docs/simulator.md`), a `provider` and a `target` that its cases share, and its
//! `cases`. A case runs `pilotlight check` as a user would, with a probes.yaml, and compares the exit code, the JSON
//! report, the log line and the simulator's own counts with its `expect`. Every case also checks what must always
//! hold: report and log agree, standard output is one JSON document, the key is nowhere, no control character is
//! anywhere.
//!
//! `{plain}` in a provider, target, variable or field is the address of the simulator's door of that name, `{ca}` its
//! authority's file, `{client}` a certificate with its key for doors that ask for one, `{dir}` the case's folder.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde::Deserialize;
use serde_json::{Map, Value, json};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    /// What the file shows; for readers.
    about: String,
    sim: Value,
    #[serde(default)]
    speed: Option<f64>,
    provider: Map<String, Value>,
    target: Map<String, Value>,
    cases: Vec<Case>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// Laid over the file's; `null` takes a key away.
    #[serde(default)]
    provider: Map<String, Value>,
    #[serde(default)]
    target: Map<String, Value>,
    /// Further arguments of `check`.
    #[serde(default)]
    args: Vec<String>,
    #[serde(default)]
    env: BTreeMap<String, String>,
    /// Files to put beside probes.yaml.
    #[serde(default)]
    files: BTreeMap<String, String>,
    expect: Expect,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Expect {
    exit: i32,
    /// Absent: there must be none.
    #[serde(default)]
    code: Option<String>,
    stage: String,
    #[serde(default)]
    verdict: Option<String>,
    /// Parts that the evidence must have.
    #[serde(default)]
    evidence: Vec<String>,
    /// Parts that the remedy must have.
    #[serde(default)]
    remedy: Vec<String>,
    /// Parts that the notes must have.
    #[serde(default)]
    notes: Vec<String>,
    #[serde(default)]
    nearest: Option<Vec<String>>,
    /// Any other field of the record; `null` means that it must be absent.
    #[serde(default)]
    record: Map<String, Value>,
    /// The wait that the provider states, in seconds, within a fifth.
    #[serde(default)]
    retry_after_s: Option<f64>,
    /// The simulator's own counts.
    #[serde(default)]
    counts: Map<String, Value>,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios")
}

fn read(name: &str) -> File {
    let path = folder().join(name);
    let text = fs::read_to_string(&path).unwrap();
    serde_saphyr::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// The release binary as the simulated provider, stopped when dropped.
pub(crate) struct Sim {
    child: Child,
    pub(crate) doors: BTreeMap<String, String>,
    pub(crate) ca: PathBuf,
    client: PathBuf,
    // Holds the folder until the end.
    _folder: tempfile::TempDir,
}

impl Sim {
    fn of(file: &File) -> Self {
        Self::start(&file.sim, file.speed.unwrap_or(1.0))
    }

    /// Starts it with a scenario.
    pub(crate) fn start(sim: &Value, speed: f64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let scenario = folder.path().join("scenario.yaml");
        // JSON is YAML.
        fs::write(&scenario, sim.to_string()).unwrap();
        let ca = folder.path().join("ca.pem");
        let client = folder.path().join("client.pem");
        let mut child = Command::new(env!("CARGO_BIN_EXE_pilotlight"))
            .args(["sim", "--log-level", "off", "--speed", &speed.to_string()])
            .arg("--scenario")
            .arg(&scenario)
            .arg("--ca")
            .arg(&ca)
            .arg("--client")
            .arg(&client)
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let doors_wanted = sim.get("listeners").and_then(Value::as_array).map_or(1, Vec::len);
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let doors = (0..doors_wanted)
            .map(|_| {
                let line = lines.next().expect("the simulator announces every door").unwrap();
                let (name, url) = line.split_once(' ').unwrap();
                (name.to_owned(), url.to_owned())
            })
            .collect();
        Self { child, doors, ca, client, _folder: folder }
    }

    /// A request of the admin surface at the first plain door.
    pub(crate) fn admin(&self, method: &str, path: &str) -> Value {
        let url = self.doors.values().find(|url| url.starts_with("http://")).expect("a plain door");
        let address = url.trim_start_matches("http://");
        let mut stream = TcpStream::connect(address).unwrap();
        write!(stream, "{method} {path} HTTP/1.1\r\nhost: sim\r\ncontent-length: 0\r\nconnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (_, body) = answer.split_once("\r\n\r\n").unwrap();
        serde_json::from_str(body).unwrap_or(Value::Null)
    }

    fn fill(&self, value: &Value, case_folder: &Path) -> Value {
        match value {
            Value::String(text) => {
                let mut text = text.replace("{dir}", &case_folder.display().to_string());
                text = text.replace("{ca}", &self.ca.display().to_string());
                text = text.replace("{client}", &self.client.display().to_string());
                for (name, url) in &self.doors {
                    text = text.replace(&format!("{{{name}}}"), url);
                    let port = url.rsplit(':').next().unwrap();
                    text = text.replace(&format!("{{{name}.port}}"), port);
                }
                Value::String(text)
            }
            Value::Array(items) => items.iter().map(|item| self.fill(item, case_folder)).collect(),
            Value::Object(fields) => Value::Object(
                fields.iter().map(|(name, value)| (name.clone(), self.fill(value, case_folder))).collect(),
            ),
            other => other.clone(),
        }
    }
}

impl Drop for Sim {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// `over` laid over `base`; `null` takes a key away.
fn laid_over(base: &Map<String, Value>, over: &Map<String, Value>) -> Map<String, Value> {
    let mut merged = base.clone();
    for (name, value) in over {
        match value {
            Value::Null => drop(merged.remove(name)),
            value => drop(merged.insert(name.clone(), value.clone())),
        }
    }
    merged
}

fn play(name: &str) {
    let file = read(name);
    let sim = Sim::of(&file);
    let failures: Vec<String> = file.cases.iter().filter_map(|case| run(&sim, &file, case).err()).collect();
    assert!(failures.is_empty(), "{name} ({}):\n{}", file.about, failures.join("\n"));
}

fn run(sim: &Sim, file: &File, case: &Case) -> Result<(), String> {
    sim.admin("POST", "/_sim/reset");
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in &case.files {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let provider = sim.fill(&Value::Object(laid_over(&file.provider, &case.provider)), folder.path());
    let mut target = laid_over(&file.target, &case.target);
    target.insert("name".to_owned(), json!("it"));
    target.insert("provider".to_owned(), json!("p"));
    let target = sim.fill(&Value::Object(target), folder.path());
    let probes = json!({ "version": 1, "providers": { "p": provider }, "targets": [target] });
    let path = folder.path().join("probes.yaml");
    fs::write(&path, probes.to_string()).unwrap();
    let fill = |text: &str| sim.fill(&json!(text), folder.path()).as_str().unwrap().to_owned();
    let args: Vec<String> = case.args.iter().map(|arg| fill(arg)).collect();
    let attempts = if args.iter().any(|arg| arg == "--attempts") { vec![] } else { vec!["--attempts", "1"] };
    let output = Command::new(env!("CARGO_BIN_EXE_pilotlight"))
        .args(["check", "--format", "json", "--log-format", "json", "--config"])
        .arg(&path)
        .args(attempts)
        .args(&args)
        .env_clear()
        .env("STATE_DIRECTORY", folder.path().join("state"))
        .env("PATH", "/usr/bin:/bin")
        .envs(case.env.iter().map(|(name, value)| (name, fill(value))))
        .output()
        .unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let context = |what: String| format!("- {}: {what}\n  stdout: {out}\n  stderr: {err}", case.name);
    let wrong = |what: &str, found: &dyn std::fmt::Debug, wanted: &dyn std::fmt::Debug| {
        Err(context(format!("{what} is {found:?}, not {wanted:?}")))
    };

    let expect = &case.expect;
    if output.status.code() != Some(expect.exit) {
        return wrong("the exit code", &output.status.code(), &expect.exit);
    }
    let report: Value = serde_json::from_str(&out).map_err(|error| context(format!("no JSON report: {error}")))?;
    if report["exit"]["code"] != json!(expect.exit) {
        return wrong("the report's exit code", &report["exit"], &expect.exit);
    }
    let result = &report["results"][0];
    let lines: Vec<Value> = err.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let finished: Vec<&Value> = lines.iter().filter(|line| line["event"] == "probe.finished").collect();
    let [logged] = finished[..] else {
        return Err(context(format!("{} log lines of a finished probe, not 1", finished.len())));
    };
    for field in ["target", "stage", "verdict", "code", "evidence", "remedy", "run_id", "http_status", "first_token_ms"]
    {
        if result.get(field) != logged.get(field) {
            return wrong(&format!("the log's {field}"), &logged.get(field), &result.get(field));
        }
    }
    if result["code"].as_str() != expect.code.as_deref() {
        return wrong("code", &result["code"], &expect.code);
    }
    if result["stage"] != json!(expect.stage) {
        return wrong("stage", &result["stage"], &expect.stage);
    }
    if let Some(verdict) = &expect.verdict
        && result["verdict"] != json!(verdict)
    {
        return wrong("verdict", &result["verdict"], verdict);
    }
    for (field, parts) in [("evidence", &expect.evidence), ("remedy", &expect.remedy)] {
        for part in parts {
            if !result[field].as_str().is_some_and(|text| text.contains(part.as_str())) {
                return wrong(field, &result[field], part);
            }
        }
    }
    for part in &expect.notes {
        if !result["notes"].to_string().contains(part.as_str()) {
            return wrong("notes", &result["notes"], part);
        }
    }
    if let Some(nearest) = &expect.nearest
        && result["nearest"] != json!(nearest)
    {
        return wrong("nearest", &result["nearest"], nearest);
    }
    if let Some(seconds) = expect.retry_after_s {
        let found = result["retry_after_s"].as_f64().unwrap_or(-1.0);
        if (found - seconds).abs() > seconds * 0.2 + 0.5 {
            return wrong("retry_after_s", &found, &seconds);
        }
    }
    for (field, wanted) in &expect.record {
        let wanted = sim.fill(wanted, folder.path());
        if result.get(field).unwrap_or(&Value::Null) != &wanted {
            return wrong(field, &result.get(field), &wanted);
        }
    }
    let counts = sim.admin("GET", "/_sim/counts");
    for (name, wanted) in &expect.counts {
        if counts.get(name).unwrap_or(&Value::Null) != wanted {
            return wrong(&format!("the simulator's count of {name} (in {counts})"), &counts.get(name), wanted);
        }
    }
    always(&probes, &out, &err, case).map_err(context)
}

/// What must hold whatever happens.
fn always(probes: &Value, out: &str, err: &str, case: &Case) -> Result<(), String> {
    let mut keys: Vec<String> = case.env.values().filter(|value| value.contains("syn_")).cloned().collect();
    keys.extend(probes["providers"]["p"]["api_key"].as_str().map(str::to_owned));
    keys.extend(case.files.iter().filter(|(name, _)| name.ends_with(".key")).map(|(_, text)| text.trim().to_owned()));
    for key in keys.iter().filter(|key| key.len() >= 8) {
        if out.contains(key.as_str()) || err.contains(key.as_str()) {
            return Err("the key was shown".to_owned());
        }
    }
    let unsafe_character =
        |c: char| (c.is_control() && c != '\n') || matches!(c, '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}');
    if out.contains(unsafe_character) || err.contains(unsafe_character) {
        return Err("a control character was shown".to_owned());
    }
    Ok(())
}

macro_rules! scenarios {
    ($($name:ident),* $(,)?) => {
        $(
            #[test]
            fn $name() {
                play(concat!(stringify!($name), ".yaml"));
            }
        )*

        const PLAYED: &[&str] = &[$(concat!(stringify!($name), ".yaml")),*];
    };
}

scenarios!(
    credential,
    dial,
    authenticate,
    locate,
    chat,
    messages,
    ollama,
    embeddings,
    refusals,
    cold,
    hostile,
    quota,
    networks
);

#[test]
fn every_file_is_played_and_every_code_is_shown() {
    let files: BTreeSet<String> =
        fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    let played: BTreeSet<String> = PLAYED.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(files, played);

    let cases: Vec<Case> = PLAYED.iter().flat_map(|name| read(name).cases).collect();
    assert!(cases.len() >= 60, "{} cases", cases.len());
    let shown: BTreeSet<String> = cases.iter().filter_map(|case| case.expect.code.clone()).collect();
    // A server cannot cause these: a fault of pilotlight's own, our own resolver's silence, our own lost network.
    // Which addresses a name has is the machine's affair: `transport/names.rs` shows what excludes all of them.
    let elsewhere =
        ["probe-panicked", "offline", "dns-failed", "connect-timeout", "connect-failed", "addresses-excluded"];
    let missing: Vec<&str> = pilotlight::outcome::Code::ALL
        .into_iter()
        .map(pilotlight::outcome::Code::name)
        .filter(|name| !shown.contains(*name) && !elsewhere.contains(name))
        .collect();
    assert!(missing.is_empty(), "no scenario shows {missing:?}");
}
