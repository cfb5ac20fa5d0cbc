//! A scripted world for tests of waits, in paused time: what each probe of a target meets, and what a wait came to.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::watch;

use crate::outcome::sample::{run_id, target};
use crate::outcome::{Event, GateState};
use crate::plan::{Accepts, Gate, Patience, RetryPolicy};
use crate::probe::clock::Clock;
use crate::probe::transport::{
    Answer, Body, BodyFault, Boxed, DialFault, DialMarks, Dialled, ExchangeFault, Head, Line, Network, Request,
};
use crate::probe::{Cause, Job};
use crate::run::{Awaited, Chance, Listener, Runner, Stop, SystemClock, Treasury, WaitSettings, Waited};
use crate::target::{Credential, CredentialFault, CredentialSource, Depth, Provider, TargetId};

/// What one probe of a target meets.
#[derive(Debug, Clone, Copy)]
pub(super) enum Meets {
    /// Nothing listens.
    Nobody,
    /// An answer after so many seconds: the status, and `Retry-After` in seconds.
    Status(f64, u16, Option<u32>),
    /// Silence.
    Silence,
    /// A panic of ours.
    Panic,
}

pub(super) use Meets::{Nobody, Panic, Silence, Status};

pub(super) const READY: Meets = Status(0.0, 200, None);
pub(super) const REFUSED: Meets = Status(0.0, 401, None);
pub(super) const FAILS: Meets = Status(0.0, 500, None);

pub(super) fn ready_after(seconds: f64) -> Meets {
    Status(seconds, 200, None)
}

/// Each target has a provider of its own name; its n-th probe meets the n-th of its script, and then the last again.
pub(super) struct Scripted {
    scripts: HashMap<String, Vec<Meets>>,
    dials: Mutex<Vec<(String, Instant)>>,
}

pub(super) struct Wire(Meets);

pub(super) struct Whole(Option<&'static str>);

impl Body for Whole {
    fn chunk(&mut self) -> Boxed<'_, Result<Option<Bytes>, BodyFault>> {
        Box::pin(async { Ok(self.0.take().map(Bytes::from)) })
    }
}

impl Line for Wire {
    fn send<'a>(&'a mut self, _: Request) -> Boxed<'a, Result<Answer, ExchangeFault>> {
        Box::pin(async move {
            let sent = SystemClock.now();
            let Status(after, status, retry_after) = self.0 else { return std::future::pending().await };
            tokio::time::sleep(Duration::from_secs_f64(after)).await;
            let headers = retry_after.map(|seconds| ("retry-after".to_owned(), seconds.to_string()));
            let body = match status {
                200 => r#"{"choices":[{"message":{"content":"pong"},"finish_reason":"stop"}]}"#,
                503 => r#"{"error":{"code":503,"message":"Loading model","type":"unavailable_error"}}"#,
                _ => r#"{"error":{"message":"no"}}"#,
            };
            let head = Head { status, headers: headers.into_iter().collect() };
            Ok(Answer { head, sent, answered: SystemClock.now(), body: Box::new(Whole(Some(body))) })
        })
    }

    fn reopened(&self) -> bool {
        false
    }
}

impl Network for Scripted {
    fn dial<'a>(&'a self, provider: &'a Provider, _: Duration) -> Boxed<'a, Dialled> {
        Box::pin(async move {
            let name = provider.id.to_string();
            let script = &self.scripts[&name];
            let mut dials = self.dials.lock().unwrap();
            let number = dials.iter().filter(|(other, _)| *other == name).count();
            dials.push((name, SystemClock.now()));
            drop(dials);
            let meets = *script.get(number).or(script.last()).unwrap();
            assert!(!matches!(meets, Panic), "a fault of ours");
            let line: Result<Box<dyn Line>, DialFault> = match meets {
                Nobody => Err(DialFault::Refused("nobody".to_owned())),
                other => Ok(Box::new(Wire(other))),
            };
            Dialled { marks: DialMarks::default(), line }
        })
    }
}

/// What a wait came to, in the scripted world.
pub(super) struct Came {
    pub(super) waited: Waited,
    pub(super) took: f64,
    /// Who was dialled, and after how many seconds.
    pub(super) dials: Vec<(String, f64)>,
    pub(super) events: Vec<Event>,
}

impl Came {
    pub(super) fn states(&self) -> Vec<GateState> {
        self.waited.gates.iter().map(|gate| gate.state).collect()
    }

    pub(super) fn says(&self) -> &str {
        &self.waited.gates[0].says
    }

    pub(super) fn asked(&self, name: &str) -> Vec<f64> {
        self.dials.iter().filter(|(other, _)| other == name).map(|(_, at)| *at).collect()
    }

    pub(super) fn held_by(&self) -> Vec<&str> {
        self.waited.gates[0].held_by.iter().map(TargetId::as_str).collect()
    }
}

/// A wait: its targets with what they meet, its gates, for how long.
pub(super) struct Wait<'a> {
    pub(super) scripts: &'a [(&'a str, &'a [Meets])],
    pub(super) gates: Vec<Gate>,
    pub(super) deadline: u64,
    pub(super) accepts: Accepts,
    pub(super) signal: Option<f64>,
    pub(super) depth: Depth,
    /// Whether all targets are at the first one's provider, each with a model of its own.
    pub(super) shared: bool,
}

impl<'a> Wait<'a> {
    pub(super) fn of(gate: Gate, scripts: &'a [(&'a str, &'a [Meets])]) -> Self {
        let (accepts, depth) = (Accepts::Fallback, Depth::Warm);
        Self { scripts, gates: vec![gate], deadline: 600, accepts, signal: None, depth, shared: false }
    }

    pub(super) async fn ends(self) -> Came {
        let began = SystemClock.now();
        let network = Arc::new(Scripted {
            scripts: self.scripts.iter().map(|(name, script)| ((*name).to_owned(), script.to_vec())).collect(),
            dials: Mutex::default(),
        });
        let retry = RetryPolicy { attempts: 1, ..RetryPolicy::default() };
        let treasury = Arc::new(Treasury::unlimited(Arc::new(SystemClock)));
        let (clock, chance) = (Arc::new(SystemClock), Arc::new(Chance::from_seed(1)));
        let runner = Runner::new(network.clone(), clock, chance, retry, treasury);
        let jobs = self.scripts.iter().map(|(name, _)| Job {
            target: Arc::new(target(if self.shared { self.scripts[0].0 } else { name }, name, name)),
            credential: Arc::new(match self.depth {
                // Nothing else is refused there, in this world.
                Depth::Auth => Credential::Missing {
                    source: CredentialSource::Env("KEY".to_owned()),
                    fault: CredentialFault::VariableUnset("KEY".to_owned()),
                },
                _ => Credential::NotNeeded,
            }),
            depth: self.depth,
            run_id: run_id(),
            cold_until: None,
        });
        let gates: Vec<Awaited> =
            self.gates.into_iter().map(|gate| Awaited { name: "g".to_owned(), line: None, gate }).collect();
        let settings = WaitSettings {
            begun: began,
            deadline: Duration::from_secs(self.deadline),
            accepts: self.accepts,
            patience: Patience::default(),
        };
        let events: Arc<Mutex<Vec<Event>>> = Arc::default();
        let listener: Listener = {
            let events = Arc::clone(&events);
            Arc::new(move |event| events.lock().unwrap().push(event))
        };
        let (stop, stopper) = watch::channel(Stop::No);
        if let Some(after) = self.signal {
            tokio::spawn(async move {
                tokio::time::sleep(Duration::from_secs_f64(after)).await;
                stop.send_replace(Stop::Because(Cause::Signal));
                std::future::pending::<()>().await;
            });
        }
        let waited = runner.wait(jobs.collect(), &gates, &settings, &listener, stopper).await;
        let took = (SystemClock.now() - began).as_secs_f64();
        let dials = network.dials.lock().unwrap();
        let dials = dials.iter().map(|(name, at)| (name.clone(), (*at - began).as_secs_f64())).collect();
        let events = events.lock().unwrap().clone();
        Came { waited, took, dials, events }
    }
}

pub(super) fn id(name: &str) -> TargetId {
    TargetId::new(name).unwrap()
}

pub(super) fn ids(names: &[&str]) -> Vec<TargetId> {
    names.iter().map(|name| id(name)).collect()
}

pub(super) fn main_with(fallback: &[&str]) -> Gate {
    Gate::MainWithFallback { main: id("main"), fallback: ids(fallback) }
}
