//! Passes over a scripted network, in paused time: who starts when, what is tried again, and what becomes of a probe
//! that does not come back.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;

use super::{Chance, Listener, Runner, Stop, SystemClock, Treasury};
use crate::outcome::sample::{run_id, target};
use crate::outcome::{Code, Event, Outcome, Proof, Stage, Verdict, judge};
use crate::plan::{RetryPolicy, Watches};
use crate::probe::clock::Clock;
use crate::probe::transport::{
    Answer, Boxed, DialFault, DialMarks, Dialled, ExchangeFault, Line, Network, Request, TlsFault,
};
use crate::probe::{Cause, Job};
use crate::target::{Credential, Depth, Provider, Target};

/// What a dial does: how long it takes, and how it ends.
type Script = Box<dyn Fn(u32) -> Result<(), DialFault> + Send + Sync>;

/// A network of dials. Each takes `takes`; the n-th of a provider (from 1) ends as the script says.
struct Scripted {
    takes: Duration,
    script: Script,
    dials: Mutex<HashMap<String, u32>>,
    active: AtomicU32,
    most: AtomicU32,
    began: Mutex<Vec<std::time::Instant>>,
}

impl Scripted {
    fn new(takes: Duration, script: impl Fn(u32) -> Result<(), DialFault> + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            takes,
            script: Box::new(script),
            dials: Mutex::default(),
            active: AtomicU32::new(0),
            most: AtomicU32::new(0),
            began: Mutex::default(),
        })
    }
}

struct Dead;

impl Line for Dead {
    fn send<'a>(&'a mut self, _: Request) -> Boxed<'a, Result<Answer, ExchangeFault>> {
        Box::pin(async { Err(ExchangeFault::Lost("the script ends here".to_owned())) })
    }
    fn reopened(&self) -> bool {
        false
    }
}

impl Network for Scripted {
    fn dial<'a>(&'a self, provider: &'a Provider, _: Duration) -> Boxed<'a, Dialled> {
        Box::pin(async move {
            self.began.lock().unwrap().push(SystemClock.now());
            let number = {
                let mut dials = self.dials.lock().unwrap();
                let number = dials.entry(provider.id.to_string()).or_default();
                *number += 1;
                *number
            };
            let active = self.active.fetch_add(1, Ordering::SeqCst) + 1;
            self.most.fetch_max(active, Ordering::SeqCst);
            tokio::time::sleep(self.takes).await;
            self.active.fetch_sub(1, Ordering::SeqCst);
            let line = (self.script)(number).map(|()| Box::new(Dead) as Box<dyn Line>);
            Dialled { marks: DialMarks::default(), line }
        })
    }
}

fn job(target: Target, depth: Depth) -> Job {
    Job {
        target: Arc::new(target),
        credential: Arc::new(Credential::NotNeeded),
        depth,
        run_id: run_id(),
        cold_until: None,
    }
}

async fn pass(network: Arc<Scripted>, jobs: Vec<Job>, retry: RetryPolicy) -> (Vec<Arc<Outcome>>, Vec<Event>) {
    let runner = Runner::new(
        network,
        Arc::new(SystemClock),
        Arc::new(Chance::from_seed(1)),
        retry,
        Arc::new(Treasury::unlimited(Arc::new(SystemClock))),
    );
    let events: Arc<Mutex<Vec<Event>>> = Arc::default();
    let listener: Listener = {
        let events = Arc::clone(&events);
        Arc::new(move |event| events.lock().unwrap().push(event))
    };
    let (_stop, stopper) = watch::channel(Stop::No);
    let outcomes = runner.pass(jobs, listener, stopper).await;
    let events = events.lock().unwrap().clone();
    (outcomes, events)
}

const ONCE: RetryPolicy = RetryPolicy {
    attempts: 1,
    pause: Duration::from_millis(500),
    pause_at_most: Duration::from_secs(10),
    loading: Watches::Patiently,
};

#[tokio::test(start_paused = true)]
async fn a_panic_is_its_probes_outcome_and_the_others_go_on() {
    let network = Scripted::new(Duration::from_millis(5), |_| Ok(()));
    // The only way to make a probe panic from outside is a network that does.
    struct Panics(Arc<Scripted>);
    impl Network for Panics {
        fn dial<'a>(&'a self, provider: &'a Provider, limit: Duration) -> Boxed<'a, Dialled> {
            assert!(provider.id.as_str() != "broken", "a fault of ours, with the key syn_0123456789abcdef in it");
            self.0.dial(provider, limit)
        }
    }
    let runner = Runner::new(
        Arc::new(Panics(network)),
        Arc::new(SystemClock),
        Arc::new(Chance::from_seed(1)),
        RetryPolicy::default(),
        Arc::new(Treasury::unlimited(Arc::new(SystemClock))),
    );
    let mut secret = job(target("broken", "b", "m"), Depth::Connect);
    secret.credential = Arc::new(Credential::Found {
        source: crate::target::CredentialSource::Env("KEY".to_owned()),
        secret: crate::target::Secret::new("syn_0123456789abcdef".to_owned()),
    });
    let jobs = vec![job(target("a", "a", "m"), Depth::Connect), secret, job(target("c", "c", "m"), Depth::Connect)];
    let (_stop, stopper) = watch::channel(Stop::No);
    let outcomes = runner.pass(jobs, Arc::new(|_| ()), stopper).await;
    let verdicts: Vec<Verdict> = outcomes.iter().map(|outcome| judge(outcome)).collect();
    assert_eq!(verdicts, [Verdict::Ready, Verdict::Unknown, Verdict::Ready]);
    let diagnosis = outcomes[1].diagnosis.clone().unwrap();
    assert_eq!(diagnosis.code, Code::ProbePanicked);
    assert!(diagnosis.evidence.contains("a fault of ours") && !diagnosis.evidence.contains("0123456789"));
    assert_eq!(outcomes[1].stage, Stage::Resolve, "where it was");
}

#[tokio::test(start_paused = true)]
async fn two_probes_never_ask_one_model_at_once() {
    let network = Scripted::new(Duration::from_millis(100), |_| Ok(()));
    let jobs = |depth| (0..4).map(|n| job(target("p", &format!("t{n}"), "same"), depth)).collect::<Vec<_>>();
    pass(Arc::clone(&network), jobs(Depth::Connect), ONCE).await;
    assert_eq!(network.most.swap(0, Ordering::SeqCst), 4, "what does not reach the LLM need not wait for it");
    let (outcomes, _) = pass(Arc::clone(&network), jobs(Depth::Warm), ONCE).await;
    assert_eq!(network.most.load(Ordering::SeqCst), 1);
    assert_eq!(outcomes.len(), 4);
    let waited = outcomes.last().unwrap().timings.queued.unwrap();
    assert!(waited >= Duration::from_millis(290), "{waited:?}: waiting is kept apart from what is measured");
}

#[tokio::test(start_paused = true)]
async fn a_provider_is_asked_no_more_at_once_than_it_allows() {
    let network = Scripted::new(Duration::from_millis(100), |_| Ok(()));
    // The sample provider allows 4.
    let jobs = (0..12).map(|n| job(target("p", &format!("t{n}"), &format!("m{n}")), Depth::Connect)).collect();
    pass(Arc::clone(&network), jobs, ONCE).await;
    assert_eq!(network.most.load(Ordering::SeqCst), 4);
}

#[tokio::test(start_paused = true)]
async fn one_slow_provider_delays_no_other() {
    let network = Scripted::new(Duration::from_secs(30), |_| Ok(()));
    let jobs = (0..50).map(|n| job(target(&format!("p{n}"), &format!("t{n}"), "m"), Depth::Connect)).collect();
    let (outcomes, _) = pass(Arc::clone(&network), jobs, ONCE).await;
    for outcome in outcomes {
        assert!(outcome.timings.total < Duration::from_secs(31), "{:?}", outcome.timings.total);
    }
}

#[tokio::test(start_paused = true)]
async fn starts_are_spread() {
    let network = Scripted::new(Duration::from_secs(1), |_| Ok(()));
    let jobs = (0..500).map(|n| job(target(&format!("p{n}"), &format!("t{n}"), "m"), Depth::Connect)).collect();
    pass(Arc::clone(&network), jobs, ONCE).await;
    let began = network.began.lock().unwrap();
    let spread = began.last().unwrap().duration_since(began[0]);
    assert!(spread >= Duration::from_millis(390) && spread <= Duration::from_millis(420), "{spread:?}");
}

#[tokio::test(start_paused = true)]
async fn what_can_heal_is_tried_again_and_what_cannot_is_not() {
    let heals = Scripted::new(Duration::from_millis(1), |number| match number {
        1 => Err(DialFault::ConnectTimeout { resolving: false }),
        _ => Ok(()),
    });
    let (outcomes, events) =
        pass(heals, vec![job(target("p", "t", "m"), Depth::Connect)], RetryPolicy::default()).await;
    assert_eq!((judge(&outcomes[0]), outcomes[0].attempts), (Verdict::Ready, 2));
    assert!(outcomes[0].timings.total >= Duration::from_millis(250), "there was a pause");
    assert!(events.iter().any(|event| matches!(event, Event::Retrying { attempt: 2, code: Code::ConnectTimeout, .. })));

    for fault in [DialFault::Refused(String::new()), DialFault::Tls(TlsFault::Expired(String::new()))] {
        let stays = Scripted::new(Duration::from_millis(1), move |_| Err(fault.clone()));
        let jobs = vec![job(target("p", "t", "m"), Depth::Connect)];
        let (outcomes, _) = pass(Arc::clone(&stays), jobs, RetryPolicy::default()).await;
        assert_eq!(outcomes[0].attempts, 1);
        assert_eq!(stays.began.lock().unwrap().len(), 1);
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_loses_nothing_and_says_where_each_probe_was() {
    let network = Scripted::new(Duration::from_secs(3600), |_| Ok(()));
    let runner = Runner::new(
        network,
        Arc::new(SystemClock),
        Arc::new(Chance::from_seed(1)),
        RetryPolicy::default(),
        Arc::new(Treasury::unlimited(Arc::new(SystemClock))),
    );
    let (stop, stopper) = watch::channel(Stop::No);
    tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(2)).await;
        stop.send_replace(Stop::Because(Cause::Signal));
        std::future::pending::<()>().await;
    });
    // More than the provider allows at once: the last ones never began.
    let jobs = (0..6).map(|n| job(target("p", &format!("t{n}"), &format!("m{n}")), Depth::Connect)).collect();
    let outcomes = runner.pass(jobs, Arc::new(|_| ()), stopper).await;
    assert_eq!(outcomes.len(), 6);
    for outcome in &outcomes {
        assert_eq!(outcome.diagnosis.as_ref().unwrap().code, Code::Interrupted);
        assert_eq!((judge(outcome), outcome.proof), (Verdict::Unknown, Proof::Nothing));
        assert!(outcome.timings.total <= Duration::from_millis(2001));
    }
    let not_begun = outcomes.iter().filter(|outcome| outcome.stage == Stage::Credential).count();
    let dialling = outcomes.iter().filter(|outcome| outcome.stage == Stage::Resolve).count();
    assert_eq!((not_begun, dialling), (2, 4));
}
