//! A daemon to be watched: its folder, its process, the lines of its log, what it shows.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

use serde_json::{Value, json};

use crate::scenarios::Sim;

/// Longer than anything here takes on a machine that is not stuck.
pub(crate) const STUCK: Duration = Duration::from_secs(60);

/// A folder with a probes.yaml and a state.
pub(crate) struct Place {
    pub(crate) folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new(probes: &Value) -> Self {
        let place = Self { folder: tempfile::tempdir().unwrap() };
        place.write(&probes.to_string());
        place
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Replaces probes.yaml as careful editors do: at once.
    pub(crate) fn write(&self, text: &str) {
        fs::write(self.path("fresh"), text).unwrap();
        fs::rename(self.path("fresh"), self.path("probes.yaml")).unwrap();
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_pilotlight"));
        command.arg("run").arg("--config").arg(self.path("probes.yaml"));
        command.arg("--state-dir").arg(self.path("state")).args(args);
        command.env_clear().env("PATH", "/usr/bin:/bin");
        command
    }

    pub(crate) fn start(&self) -> Service {
        let socket = self.path("socket");
        let mut child = self
            .command(&["--listen", &format!("unix:{}", socket.display()), "--drain", "30s"])
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let stderr = child.stderr.take().unwrap();
        let (send, lines) = channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if send.send(line).is_err() {
                    break;
                }
            }
        });
        let mut service = Service { child, lines, seen: Vec::new(), socket };
        service.until("daemon.started", |_| true);
        service
    }

    pub(crate) fn once(&self, args: &[&str]) -> Output {
        let mut all = vec!["--once"];
        all.extend(args);
        self.command(&all).output().unwrap()
    }
}

/// A running daemon.
pub(crate) struct Service {
    pub(crate) child: Child,
    lines: Receiver<String>,
    seen: Vec<Value>,
    socket: PathBuf,
}

impl Drop for Service {
    fn drop(&mut self) {
        // It has ended already where all went well.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

impl Service {
    /// Waits for an event, and keeps all that come before it.
    pub(crate) fn until(&mut self, event: &str, holds: impl Fn(&Value) -> bool) -> Value {
        loop {
            match self.lines.recv_timeout(STUCK) {
                Ok(line) => {
                    let line: Value = serde_json::from_str(&line).unwrap_or_else(|_| panic!("not JSON: {line}"));
                    self.seen.push(line.clone());
                    if line["event"] == event && holds(&line) {
                        return line;
                    }
                }
                Err(RecvTimeoutError::Timeout) => panic!("no {event} after {:#?}", self.seen),
                Err(RecvTimeoutError::Disconnected) => panic!("it ended without {event}: {:#?}", self.seen),
            }
        }
    }

    pub(crate) fn finished(&mut self, target: &str) -> Value {
        self.until("probe.finished", |line| line["target"] == target)
    }

    pub(crate) fn signal(&self, signal: &str) {
        assert!(Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap().success());
    }

    /// Ends it in good order; returns all that it logged.
    pub(crate) fn end(self) -> Vec<Value> {
        self.signal("-TERM");
        self.ended()
    }

    /// Waits for its end; returns all that it logged.
    pub(crate) fn ended(mut self) -> Vec<Value> {
        self.until("daemon.stopped", |_| true);
        assert_eq!(self.child.wait().unwrap().code(), Some(0));
        std::mem::take(&mut self.seen)
    }

    pub(crate) fn get(&self, path: &str) -> (u16, String) {
        get(&self.socket, path)
    }

    pub(crate) fn status_of(&self, target: &str) -> Value {
        let (code, body) = self.get("/status");
        assert_eq!(code, 200);
        // The body may come in chunks; the JSON is on its longest line.
        let json = body.lines().max_by_key(|line| line.len()).unwrap();
        let status: Value = serde_json::from_str(json).unwrap();
        status["targets"].as_array().unwrap().iter().find(|row| row["target"] == target).unwrap().clone()
    }
}

pub(crate) fn get(socket: &Path, path: &str) -> (u16, String) {
    let mut stream = UnixStream::connect(socket).unwrap();
    write!(stream, "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head[9..12].parse().unwrap(), body.to_owned())
}

pub(crate) fn sim(models: &[&str], rest: &Value) -> Sim {
    let models: Vec<Value> = models.iter().map(|id| json!({ "id": id, "first_token": "1ms", "tokens": 2 })).collect();
    let mut scenario = json!({ "flavour": "openai", "models": models });
    scenario.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    Sim::start(&scenario, 1.0)
}

/// A probes.yaml of these targets, each warmed every second.
pub(crate) fn probes(url: &str, targets: &[&str], rest: &Value) -> Value {
    let targets: Vec<Value> =
        targets.iter().map(|name| json!({ "name": name, "provider": "p", "model": name })).collect();
    let mut probes = json!({
        "version": 1,
        "defaults": { "warm": { "every": "1s" } },
        "providers": { "p": { "dialect": "openai", "base_url": format!("{url}/v1"), "api_key": "none" } },
        "targets": targets,
    });
    probes.as_object_mut().unwrap().extend(rest.as_object().unwrap().clone());
    probes
}

pub(crate) fn flips(seen: &[Value], target: &str) -> Vec<String> {
    let flips = seen.iter().filter(|line| line["event"] == "target.status" && line["target"] == target);
    flips.map(|line| line["to"].as_str().unwrap().to_owned()).collect()
}

pub(crate) fn count(seen: &[Value], event: &str) -> usize {
    seen.iter().filter(|line| line["event"] == event).count()
}

/// What the store holds of a target.
pub(crate) fn history(place: &Path, target: &str) -> usize {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let reader = pilotlight::store::Reader::open(&place.join("state")).await.unwrap().unwrap();
        assert_eq!(reader.verify().await.unwrap(), Vec::<String>::new());
        let filter = pilotlight::store::Filter { limit: 100_000, ..Default::default() };
        reader.history(target, filter).await.unwrap().len()
    })
}

/// A provider whose LLMs generate at once, whatever they are called.
pub(crate) fn answer_everything(listener: TcpListener) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let mut stream = stream;
                let mut request = [0; 8192];
                // The request fits into one read on loopback, and the connection is closed after one answer.
                if stream.read(&mut request).is_err() {
                    return;
                }
                let list = request.starts_with(b"GET");
                let models: Vec<Value> = (0..40).map(|n| json!({ "id": format!("t{n}"), "object": "model" })).collect();
                let (kind, body) = if list {
                    ("application/json", json!({ "object": "list", "data": models }).to_string())
                } else {
                    let delta =
                        json!({ "choices": [{ "index": 0, "delta": { "content": "a" }, "finish_reason": "stop" }] });
                    ("text/event-stream", format!("data: {delta}\n\ndata: [DONE]\n\n"))
                };
                let head = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                    body.len()
                );
                stream.write_all((head + &body).as_bytes()).ok();
            });
        }
    })
}
