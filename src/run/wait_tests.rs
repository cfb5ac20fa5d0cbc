//! Waits over a scripted network, in paused time: who is asked when, what opens a gate, and what ends a wait at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::time::Instant;

use super::{Awaited, Chance, Listener, Runner, Stop, SystemClock, Treasury, WaitSettings, Waited};
use crate::outcome::sample::{run_id, target};
use crate::outcome::{Code, Event, GateState, Verdict, Warmth, judge};
use crate::plan::{Accepts, Gate, Patience, RetryPolicy};
use crate::probe::clock::Clock;
use crate::probe::transport::{
    Answer, Body, BodyFault, Boxed, DialFault, DialMarks, Dialled, ExchangeFault, Head, Line, Network, Request,
};
use crate::probe::{Cause, Job};
use crate::target::{Credential, Depth, Provider, TargetId};

/// What one probe of a target meets.
#[derive(Debug, Clone, Copy)]
enum Meets {
    /// Nothing listens.
    Nobody,
    /// An answer after so many seconds: the status, and `Retry-After` in seconds.
    Status(f64, u16, Option<u32>),
    /// Silence.
    Silence,
    /// A panic of ours.
    Panic,
}

use Meets::{Nobody, Panic, Silence, Status};

const READY: Meets = Status(0.0, 200, None);
const REFUSED: Meets = Status(0.0, 401, None);
const FAILS: Meets = Status(0.0, 500, None);

fn ready_after(seconds: f64) -> Meets {
    Status(seconds, 200, None)
}

/// Each target has a provider of its own name; its n-th probe meets the n-th of its script, and then the last again.
struct Scripted {
    scripts: HashMap<String, Vec<Meets>>,
    dials: Mutex<Vec<(String, Instant)>>,
}

struct Wire(Meets);

struct Whole(Option<&'static str>);

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
            dials.push((name, Instant::now()));
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
struct Came {
    waited: Waited,
    took: f64,
    /// Who was dialled, and after how many seconds.
    dials: Vec<(String, f64)>,
    events: Vec<Event>,
}

impl Came {
    fn states(&self) -> Vec<GateState> {
        self.waited.gates.iter().map(|gate| gate.state).collect()
    }

    fn says(&self) -> &str {
        &self.waited.gates[0].says
    }

    fn asked(&self, name: &str) -> Vec<f64> {
        self.dials.iter().filter(|(other, _)| other == name).map(|(_, at)| *at).collect()
    }

    fn held_by(&self) -> Vec<&str> {
        self.waited.gates[0].held_by.iter().map(TargetId::as_str).collect()
    }
}

/// A wait: its targets with what they meet, its gates, for how long.
struct Wait<'a> {
    scripts: &'a [(&'a str, &'a [Meets])],
    gates: Vec<Gate>,
    deadline: u64,
    accepts: Accepts,
    signal: Option<f64>,
    depth: Depth,
}

impl<'a> Wait<'a> {
    fn of(gate: Gate, scripts: &'a [(&'a str, &'a [Meets])]) -> Self {
        let (accepts, depth) = (Accepts::Fallback, Depth::Warm);
        Self { scripts, gates: vec![gate], deadline: 600, accepts, signal: None, depth }
    }

    async fn ends(self) -> Came {
        let began = Instant::now();
        let network = Arc::new(Scripted {
            scripts: self.scripts.iter().map(|(name, script)| ((*name).to_owned(), script.to_vec())).collect(),
            dials: Mutex::default(),
        });
        let retry = RetryPolicy { attempts: 1, ..RetryPolicy::default() };
        let treasury = Arc::new(Treasury::unlimited(Arc::new(SystemClock)));
        let (clock, chance) = (Arc::new(SystemClock), Arc::new(Chance::from_seed(1)));
        let runner = Runner::new(network.clone(), clock, chance, retry, treasury);
        let jobs = self.scripts.iter().map(|(name, _)| Job {
            target: Arc::new(target(name, name, "m")),
            credential: Arc::new(Credential::NotNeeded),
            depth: self.depth,
            run_id: run_id(),
            cold_until: None,
        });
        let gates: Vec<Awaited> =
            self.gates.into_iter().map(|gate| Awaited { name: "g".to_owned(), line: None, gate }).collect();
        let settings = WaitSettings {
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
        let took = began.elapsed().as_secs_f64();
        let dials = network.dials.lock().unwrap();
        let dials = dials.iter().map(|(name, at)| (name.clone(), (*at - began).as_secs_f64())).collect();
        let events = events.lock().unwrap().clone();
        Came { waited, took, dials, events }
    }
}

fn id(name: &str) -> TargetId {
    TargetId::new(name).unwrap()
}

fn ids(names: &[&str]) -> Vec<TargetId> {
    names.iter().map(|name| id(name)).collect()
}

fn main_with(fallback: &[&str]) -> Gate {
    Gate::MainWithFallback { main: id("main"), fallback: ids(fallback) }
}

#[tokio::test(start_paused = true)]
async fn it_notices_the_moment_a_model_answers() {
    let came = Wait::of(Gate::All(ids(&["a", "b"])), &[("a", &[READY]), ("b", &[ready_after(7.0)])]).ends().await;
    assert_eq!(came.states(), [GateState::Open]);
    assert!((7.0..7.05).contains(&came.took), "{}", came.took);
    assert_eq!(came.dials.len(), 2);
    assert_eq!(came.says(), "all 2 are ready");
}

#[tokio::test(start_paused = true)]
async fn a_server_that_starts_is_noticed_within_seconds_and_a_loading_one_reports_what_it_cost() {
    let starting = [&[Nobody; 20][..], &[ready_after(42.0)]].concat();
    let came = Wait::of(Gate::All(ids(&["a"])), &[("a", &starting)]).ends().await;
    assert_eq!((came.states(), came.dials.len()), (vec![GateState::Open], 21));
    let gaps: Vec<f64> = came.dials.windows(2).map(|pair| pair[1].1 - pair[0].1).collect();
    assert!(gaps.iter().all(|gap| (0.1..2.01).contains(gap)), "{gaps:?}");
    let outcome = &came.waited.outcomes[0];
    assert_eq!((outcome.warmth, judge(outcome)), (Warmth::Cold, Verdict::Degraded));
    assert_eq!(came.says(), "a is ready after a cold start of 42.0s");
    // The attempts and the time of all of them.
    assert_eq!(outcome.attempts, 21);
    assert!(outcome.timings.total > Duration::from_secs(42));
}

#[tokio::test(start_paused = true)]
async fn it_gives_up_within_one_probe_where_nothing_heals_by_waiting() {
    for (gate, scripts) in [
        (Gate::All(ids(&["a", "b"])), [("a", &[REFUSED][..]), ("b", &[Silence][..])]),
        (Gate::Any(ids(&["a", "b"])), [("a", &[REFUSED]), ("b", &[REFUSED])]),
        (Gate::AtLeast { n: 2, of: ids(&["a", "b"]) }, [("a", &[REFUSED]), ("b", &[Silence])]),
    ] {
        let came = Wait::of(gate, &scripts).ends().await;
        assert_eq!(came.states(), [GateState::Shut]);
        assert!(came.took < 0.1, "{}", came.took);
        assert_eq!(came.asked("a").len(), 1);
        assert_eq!(came.held_by()[0], "a");
        assert!(came.says().starts_with("cannot open: "), "{}", came.says());
        assert!(came.says().contains("a (key-refused at warm)"), "{}", came.says());
    }
}

#[tokio::test(start_paused = true)]
async fn where_another_way_is_left_the_incurable_one_is_never_asked_again() {
    let slow = [FAILS, FAILS, READY];
    let came = Wait::of(Gate::Any(ids(&["a", "b"])), &[("a", &[REFUSED]), ("b", &slow)]).ends().await;
    assert_eq!(came.states(), [GateState::Open]);
    assert_eq!((came.asked("a").len(), came.asked("b").len()), (1, 3));
}

#[tokio::test(start_paused = true)]
async fn a_panic_in_a_probe_is_incurable_and_ends_nothing_else() {
    let came = Wait::of(Gate::Any(ids(&["a", "b"])), &[("a", &[Panic]), ("b", &[READY])]).ends().await;
    assert_eq!(came.states(), [GateState::Open]);
}

#[tokio::test(start_paused = true)]
async fn retry_after_is_obeyed() {
    let came = Wait::of(Gate::All(ids(&["a"])), &[("a", &[Status(0.0, 429, Some(90)), READY])]).ends().await;
    assert_eq!(came.states(), [GateState::Open]);
    let [first, second] = came.asked("a")[..] else { panic!("{:?}", came.dials) };
    assert!((90.0..=92.1).contains(&(second - first)), "{first} {second}");
}

#[tokio::test(start_paused = true)]
async fn a_window_that_comes_back_too_late_is_not_waited_for() {
    let late = [Status(0.0, 429, Some(3 * 3600))];
    let came = Wait::of(Gate::All(ids(&["a"])), &[("a", &late)]).ends().await;
    assert_eq!((came.states(), came.dials.len()), (vec![GateState::Shut], 1));
    assert!(came.took < 0.1, "{}", came.took);
    assert!(came.says().contains("it comes back in 3h, and the deadline is in 10m"), "{}", came.says());
    // Where another way remains, that one is waited for.
    let came = Wait::of(Gate::Any(ids(&["a", "b"])), &[("a", &late), ("b", &[ready_after(100.0)])]).ends().await;
    assert_eq!((came.states(), came.asked("a").len()), (vec![GateState::Open], 1));
}

#[tokio::test(start_paused = true)]
async fn pauses_grow_and_the_deadline_ends_it() {
    let came = Wait::of(Gate::All(ids(&["a"])), &[("a", &[FAILS])]).ends().await;
    assert_eq!(came.states(), [GateState::Late]);
    assert!((600.0..600.05).contains(&came.took), "{}", came.took);
    assert!((20..45).contains(&came.dials.len()), "{} requests in ten minutes", came.dials.len());
    assert_eq!(came.held_by(), ["a"]);
    assert!(
        came.says().starts_with("not open after 10m: still without a (upstream-failed at warm)"),
        "{}",
        came.says()
    );
    // The first is news, the others are not.
    let told = came.events.iter().filter(|event| matches!(event, Event::Finished(_))).count();
    let alike = came.events.iter().filter(|event| matches!(event, Event::FinishedAlike(_))).count();
    assert_eq!((told, alike), (1, came.dials.len() - 1));
}

#[tokio::test(start_paused = true)]
async fn one_that_is_silent_until_the_deadline_is_too_slow() {
    let came = Wait { deadline: 60, ..Wait::of(Gate::All(ids(&["a"])), &[("a", &[Silence])]) }.ends().await;
    assert_eq!(came.states(), [GateState::Late]);
    assert!((60.0..60.05).contains(&came.took), "{}", came.took);
    let diagnosis = came.waited.outcomes[0].diagnosis.clone().unwrap();
    assert_eq!(diagnosis.code, Code::FirstTokenTimeout);
    assert!(diagnosis.remedy.contains("--deadline"), "{}", diagnosis.remedy);
}

#[tokio::test(start_paused = true)]
async fn what_answers_after_its_cold_start_is_given_up_once_was_cold() {
    let came = Wait::of(Gate::All(ids(&["a"])), &[("a", &[Silence, READY])]).ends().await;
    assert_eq!(came.states(), [GateState::Open]);
    let outcome = &came.waited.outcomes[0];
    assert_eq!((outcome.warmth, outcome.warnings[0].code), (Warmth::Cold, Code::ColdStart));
    assert!(came.says().starts_with("a is ready after a cold start of 3m"), "{}", came.says());
}

#[tokio::test(start_paused = true)]
async fn a_main_target_that_is_ready_costs_one_request() {
    let came = Wait::of(main_with(&["x"]), &[("main", &[ready_after(9.0)]), ("x", &[READY])]).ends().await;
    assert_eq!((came.states(), came.dials.len()), (vec![GateState::Open], 1));
    assert_eq!(came.says(), "main is ready");
}

#[tokio::test(start_paused = true)]
async fn a_fallback_opens_the_gate_when_the_main_target_has_failed() {
    let came = Wait::of(main_with(&["x", "y"]), &[("main", &[FAILS]), ("x", &[READY]), ("y", &[READY])]).ends().await;
    assert_eq!(came.states(), [GateState::Degraded]);
    assert!(came.took < 0.1, "{}", came.took);
    assert_eq!(came.says(), "x is ready in place of main (upstream-failed at warm)");
    assert!(came.asked("y").is_empty(), "one fallback was enough");
}

#[tokio::test(start_paused = true)]
async fn a_main_target_that_loads_is_waited_for_and_its_fallback_is_ready_meanwhile() {
    let scripts: [(&str, &[Meets]); 2] = [("main", &[ready_after(30.0)]), ("x", &[READY])];
    let came = Wait::of(main_with(&["x"]), &scripts).ends().await;
    assert_eq!(came.states(), [GateState::Open]);
    assert!((30.0..30.05).contains(&came.took), "{}", came.took);
    assert!((10.0..10.05).contains(&came.asked("x")[0]), "when the main one took longer than a warm one");
    // It never comes: the fallback opens the gate when its cold start is over, or the time is.
    let scripts: [(&str, &[Meets]); 2] = [("main", &[Silence]), ("x", &[READY])];
    for (deadline, at) in [(600, 180.0), (60, 60.0)] {
        let came = Wait { deadline, ..Wait::of(main_with(&["x"]), &scripts) }.ends().await;
        assert_eq!(came.states(), [GateState::Degraded]);
        assert!((at..at + 0.05).contains(&came.took), "{}", came.took);
    }
}

#[tokio::test(start_paused = true)]
async fn strictly_the_main_target_is_waited_for() {
    let strict = |scripts| Wait { accepts: Accepts::MainFirst, ..Wait::of(main_with(&["x"]), scripts) };
    let came = strict(&[("main", &[FAILS, FAILS, READY]), ("x", &[READY])]).ends().await;
    assert_eq!((came.states(), came.asked("x").len()), (vec![GateState::Open], 1));
    let came = strict(&[("main", &[FAILS]), ("x", &[READY])]).ends().await;
    assert_eq!(came.states(), [GateState::Degraded]);
    assert!(came.took >= 600.0, "until the deadline");
    let came = strict(&[("main", &[REFUSED]), ("x", &[READY])]).ends().await;
    assert_eq!(came.states(), [GateState::Degraded]);
    assert!(came.took < 0.1, "a refused key does not heal");
}

#[tokio::test(start_paused = true)]
async fn a_quorum_asks_as_many_as_are_missing() {
    let two = || Gate::AtLeast { n: 2, of: ids(&["a", "b", "c", "d"]) };
    let scripts: [(&str, &[Meets]); 4] = [("a", &[READY]), ("b", &[READY]), ("c", &[READY]), ("d", &[READY])];
    let came = Wait::of(two(), &scripts).ends().await;
    assert_eq!((came.states(), came.dials.len()), (vec![GateState::Open], 2));
    assert_eq!(came.says(), "2 of 4 are ready: a, b");
    // One fails and one is slow: each lets another begin.
    let scripts: [(&str, &[Meets]); 4] = [("a", &[REFUSED]), ("b", &[Silence]), ("c", &[READY]), ("d", &[READY])];
    let came = Wait::of(two(), &scripts).ends().await;
    assert_eq!((came.states(), came.dials.len()), (vec![GateState::Open], 4));
    assert!((2.0..2.05).contains(&came.took), "{}", came.took);
}

#[tokio::test(start_paused = true)]
async fn what_is_free_is_asked_all_at_once() {
    let scripts: [(&str, &[Meets]); 3] = [("a", &[Nobody]), ("b", &[Nobody]), ("c", &[READY])];
    let gate = Gate::Any(ids(&["a", "b", "c"]));
    let came = Wait { depth: Depth::Connect, ..Wait::of(gate, &scripts) }.ends().await;
    assert_eq!((came.states(), came.dials.len()), (vec![GateState::Open], 3));
    assert!(came.took < 0.1, "{}", came.took);
}

#[tokio::test(start_paused = true)]
async fn several_gates_must_all_open_and_a_shut_one_ends_it() {
    let scripts: [(&str, &[Meets]); 3] = [("a", &[READY]), ("b", &[ready_after(5.0)]), ("c", &[REFUSED])];
    let gates = |second: &[&str]| vec![Gate::All(ids(&["a"])), Gate::All(ids(second))];
    let came = Wait { gates: gates(&["a", "b"]), ..Wait::of(Gate::All(ids(&["a"])), &scripts) }.ends().await;
    assert_eq!(came.states(), [GateState::Open, GateState::Open]);
    assert_eq!(came.asked("a").len(), 1, "one probe tells both");
    let came = Wait { gates: gates(&["b", "c"]), ..Wait::of(Gate::All(ids(&["a"])), &scripts) }.ends().await;
    assert_eq!(came.states(), [GateState::Open, GateState::Shut]);
    assert!(came.took < 0.1, "{}", came.took);
}

#[tokio::test(start_paused = true)]
async fn a_signal_ends_it_with_what_is_known() {
    let scripts: [(&str, &[Meets]); 3] = [("a", &[READY]), ("b", &[FAILS]), ("c", &[Silence])];
    let gate = Gate::All(ids(&["a", "b", "c"]));
    let came = Wait { signal: Some(5.0), ..Wait::of(gate, &scripts) }.ends().await;
    assert_eq!(came.states(), [GateState::Waiting]);
    assert!((5.0..5.05).contains(&came.took), "{}", came.took);
    let found: Vec<(Verdict, Option<Code>)> = came
        .waited
        .outcomes
        .iter()
        .map(|outcome| (judge(outcome), outcome.diagnosis.as_ref().map(|found| found.code)))
        .collect();
    let expected = [
        (Verdict::Ready, None),
        (Verdict::Failed, Some(Code::UpstreamFailed)),
        (Verdict::Unknown, Some(Code::Interrupted)),
    ];
    assert_eq!(found, expected);
    assert_eq!(came.says(), "1 ready, waits for b (upstream-failed at warm), c (interrupted at warm)");
}

#[tokio::test(start_paused = true)]
async fn a_gate_tells_each_of_its_changes_once() {
    let scripts: [(&str, &[Meets]); 2] = [("main", &[FAILS]), ("x", &[FAILS, FAILS, READY])];
    let came = Wait::of(main_with(&["x"]), &scripts).ends().await;
    let told: Vec<(GateState, &str)> = came
        .events
        .iter()
        .filter_map(|event| match event {
            Event::Gate(news) => Some((news.state, news.says.as_str())),
            _ => None,
        })
        .collect();
    let expected = [
        (GateState::Waiting, "waits for main"),
        (GateState::Waiting, "waits for main (upstream-failed at warm), x"),
        (GateState::Degraded, "x is ready in place of main (upstream-failed at warm)"),
    ];
    assert_eq!(told, expected);
}
