//! The ladder: one attempt, from the lowest stage to the depth that was asked for.
//!
//! The stages are types: a [`Connected`] is needed to authenticate, an [`Authenticated`] to locate, a [`Located`] to
//! warm. A stage cannot be skipped by mistake, only by depth. Nothing is retried here: that is `run/`'s.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};

use super::clock::Clock;
use super::knobs::Knobs;
use super::permit::{KnownOfQuota, Permit};
use super::remedy::{Known, remedy};
pub(super) use super::shown::shown;
use super::transport::{Head, Line, Network};
use super::wire::quota;
use super::{authenticate, credential, dial, locate, warm};
use crate::outcome::words::duration;
use crate::outcome::{
    Code, Connection, Cost, Diagnosis, Event, ListPrice, Outcome, Proof, QuotaSeen, Reading, Reset, ResetSource,
    Residence, RunId, Stage, StageTime, Timings, Usage, Uses, Warmth, Withholding,
};
use crate::target::{Credential, Depth, Target};

/// How much evidence is kept, in characters.
pub(super) const EVIDENCE_KEPT: usize = 400;

/// What is to be probed, and with what.
#[derive(Debug, Clone)]
pub struct Job {
    /// The target.
    pub target: Arc<Target>,
    /// Its provider's key.
    pub credential: Arc<Credential>,
    /// How far to climb.
    pub depth: Depth,
    /// The pass.
    pub run_id: RunId,
    /// Until when a cold LLM is waited for, where an earlier attempt has begun that wait.
    pub cold_until: Option<Instant>,
}

/// Ends a climb before its time; says why.
pub type Stopped<'a> = Pin<Box<dyn Future<Output = Cause> + Send + 'a>>;

/// Why a climb was stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// The deadline of the whole run (`--timeout`).
    Deadline,
    /// A signal.
    Signal,
    /// Nobody waits for it any more.
    Settled,
}

impl Cause {
    /// The cause as the end of a sentence.
    #[must_use]
    pub fn says(self) -> &'static str {
        match self {
            Self::Deadline => "the deadline of the whole run was reached",
            Self::Signal => "a signal asked to stop",
            Self::Settled => "what was waited for was settled without it",
        }
    }
}

/// What one attempt led to.
#[derive(Debug, Clone)]
pub struct Climbed {
    /// Its facts. `attempts` counts the requests that warmed; `run/` adds its own.
    pub outcome: Outcome,
    /// What was learned of the provider's taste, for the next attempt.
    pub knobs: Knobs,
    /// How many requests the provider may have charged for.
    pub charged: u32,
}

/// Takes events. Called often; it must not block.
pub type OnEvent<'a> = &'a (dyn Fn(Event) + Send + Sync);

/// A line, and nothing asked on it yet.
pub(super) struct Connected {
    pub line: Box<dyn Line>,
}

/// A line on which the key was not refused.
pub(super) struct Authenticated {
    pub line: Box<dyn Line>,
    /// The catalogue, where the key check has read it already.
    pub finding: Option<super::wire::catalogue::CatalogueFinding>,
}

/// A line on which the LLM may be asked for.
pub(super) struct Located {
    pub line: Box<dyn Line>,
    /// Whether the catalogue lists it.
    pub listed: bool,
    /// Whether the catalogue names `none` among its reasoning efforts.
    pub effort_none: bool,
    /// Names near to it, where the catalogue does not list it and need not.
    pub nearest: Vec<String>,
}

/// Why a stage broke.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    pub code: Code,
    pub evidence: String,
    pub reset: Option<Reset>,
    pub nearest: Vec<String>,
    /// Where a redirect leads, or which file of ours is at fault.
    pub location: Option<String>,
    /// Whether it was the deadline of the whole run.
    pub deadline: bool,
}

impl Fault {
    pub(super) fn new(code: Code, evidence: impl Into<String>) -> Self {
        Self { code, evidence: evidence.into(), reset: None, nearest: Vec::new(), location: None, deadline: false }
    }
}

/// One attempt under way: what to do, with what, and the facts so far.
pub(super) struct Climb<'a> {
    pub job: &'a Job,
    pub network: &'a dyn Network,
    pub clock: &'a dyn Clock,
    permit: &'a dyn Permit,
    on_event: OnEvent<'a>,
    pub knobs: Knobs,
    pub facts: Facts,
    begun: Instant,
    stage: Stage,
    /// When the present stage began, while it runs.
    entered: Option<Duration>,
}

/// The facts so far.
pub(super) struct Facts {
    pub proof: Proof,
    pub timings: Timings,
    pub usage: Usage,
    pub quota: QuotaSeen,
    pub list_price: Option<ListPrice>,
    pub http_status: Option<u16>,
    pub request_id: Option<String>,
    pub warmth: Warmth,
    pub residence: Option<Residence>,
    pub connection: Option<Connection>,
    pub certificate_ends: Option<Timestamp>,
    pub warnings: Vec<(Stage, Fault)>,
    pub notes: Vec<String>,
    pub requests_that_warm: u32,
    /// How many of them the provider may have charged for: all but those that it has refused.
    pub charged: u32,
    pub withheld: Option<Withholding>,
    /// The same in a few words.
    pub withheld_says: Option<String>,
    stages: Vec<StageTime>,
}

impl Climb<'_> {
    /// Leaves the present stage for another.
    pub(super) fn enter(&mut self, stage: Stage) {
        self.leave();
        self.stage = stage;
        self.entered = Some(self.elapsed());
        (self.on_event)(Event::Entered { target: self.job.target.id.clone(), stage });
    }

    fn leave(&mut self) {
        if let Some(start) = self.entered.take() {
            let duration = self.elapsed().saturating_sub(start);
            self.facts.stages.push(StageTime { stage: self.stage, start, duration });
        }
    }

    fn elapsed(&self) -> Duration {
        self.clock.now().saturating_duration_since(self.begun)
    }

    /// Puts down the stages of a dial, which ran inside one call, and the one in which it ended.
    pub(super) fn dialled(&mut self, phases: [(Stage, Option<Duration>); 3], ended_in: Stage) {
        let mut start = self.entered.take().unwrap_or_default();
        for (stage, duration) in phases {
            let Some(duration) = duration else { continue };
            self.facts.stages.push(StageTime { stage, start, duration });
            start += duration;
        }
        if !self.facts.stages.iter().any(|passed| passed.stage == ended_in) {
            let duration = self.elapsed().saturating_sub(start);
            self.facts.stages.push(StageTime { stage: ended_in, start, duration });
        }
        self.stage = ended_in;
    }

    /// What has been proven is never unproven.
    pub(super) fn prove(&mut self, proof: Proof) {
        self.facts.proof = self.facts.proof.max(proof);
    }

    /// Keeps what the provider says of its limits, apart by whether a request that costs was sent yet.
    pub(super) fn read_quota(&mut self, readings: Vec<Reading>) {
        if self.facts.requests_that_warm == 0 {
            self.facts.quota.read_before(readings);
        } else {
            self.facts.quota.read_after(readings);
        }
    }

    /// Asks for leave to make the request that costs.
    pub(super) async fn ask(&mut self) -> Result<(), Fault> {
        let known = KnownOfQuota { seen: &self.facts.quota, list_price: self.facts.list_price };
        let Err(refused) = self.permit.ask(known).await else { return Ok(()) };
        (self.facts.withheld, self.facts.withheld_says) = (Some(refused.why), Some(refused.says));
        let reset = refused.after.map(|after| {
            let at = SignedDuration::try_from(after).ok().and_then(|after| self.clock.wall().checked_add(after).ok());
            Reset { after, at: at.unwrap_or(Timestamp::MAX), source: ResetSource::Governor }
        });
        Err(Fault { reset, ..Fault::new(refused.code, refused.evidence) })
    }

    /// Notes what a response's head says.
    pub(super) fn saw(&mut self, head: &Head, headers: Duration) {
        self.read_quota(quota::headers(self.job.target.provider.family, head, self.clock.wall()));
        self.facts.http_status = Some(head.status);
        self.facts.timings.headers = Some(headers);
        let id = ["x-request-id", "request-id", "cf-ray"].iter().find_map(|name| head.header(name));
        if let Some(id) = id {
            self.facts.request_id = Some(shown(id, self.job, 100));
        }
    }

    fn diagnosis(&self, stage: Stage, fault: Fault) -> Diagnosis {
        let known = Known {
            nearest: &fault.nearest,
            location: fault.location.as_deref(),
            reset: fault.reset.as_ref(),
            deadline: fault.deadline,
        };
        let remedy = remedy(fault.code, &self.job.target, &self.job.credential, known);
        let evidence = super::shown::evidence(&fault, self.job);
        let nearest = fault.nearest.iter().map(|name| shown(name, self.job, 200)).collect();
        Diagnosis { code: fault.code, stage, evidence, remedy, reset: fault.reset, nearest }
    }
}

/// Takes a target up the ladder, once. Never fails: whatever happens is in the outcome.
///
/// `stopped` ends it early; what was found by then is kept.
pub async fn climb(
    job: &Job,
    network: &dyn Network,
    clock: &dyn Clock,
    permit: &dyn Permit,
    knobs: Knobs,
    on_event: OnEvent<'_>,
    stopped: Stopped<'_>,
) -> Climbed {
    let started = clock.wall();
    let begun = clock.now();
    on_event(Event::Started { target: job.target.id.clone(), depth: job.depth });
    let mut climb = Climb {
        job,
        network,
        clock,
        permit,
        on_event,
        knobs,
        facts: Facts {
            proof: Proof::Nothing,
            timings: Timings::default(),
            usage: Usage::default(),
            quota: QuotaSeen::default(),
            list_price: None,
            http_status: None,
            request_id: None,
            warmth: Warmth::Unknown,
            residence: None,
            connection: None,
            certificate_ends: None,
            warnings: Vec::new(),
            notes: Vec::new(),
            requests_that_warm: 0,
            charged: 0,
            withheld: None,
            withheld_says: None,
            stages: Vec::new(),
        },
        begun,
        stage: Stage::Credential,
        entered: Some(Duration::ZERO),
    };
    let mut stopped_by = Cause::Signal;
    let result = tokio::select! {
        biased;
        result = stages(&mut climb) => result,
        cause = stopped => {
            stopped_by = cause;
            Err(Fault { deadline: cause == Cause::Deadline, ..Fault::new(Code::Interrupted, String::new()) })
        }
    };
    climb.leave();
    climb.facts.timings.total = climb.elapsed();
    let stage = climb.stage;
    let result = result.map_err(|fault| match fault.code {
        Code::Interrupted => {
            let took = duration(climb.facts.timings.total);
            let evidence = format!("stopped at {stage} after {took}: {}", stopped_by.says());
            Fault { evidence, ..fault }
        }
        _ => fault,
    });
    let diagnosis = result.err().map(|fault| climb.diagnosis(stage, fault));
    let warnings = std::mem::take(&mut climb.facts.warnings);
    let warnings = warnings.into_iter().map(|(stage, fault)| climb.diagnosis(stage, fault)).collect();
    let Climb { knobs, facts, .. } = climb;
    let charged = facts.charged;
    let outcome = Outcome {
        run_id: job.run_id.clone(),
        target: Arc::clone(&job.target),
        depth: job.depth,
        started,
        stage,
        proof: facts.proof,
        attempts: facts.requests_that_warm.max(1),
        connection: facts.connection,
        timings: facts.timings,
        stages: facts.stages,
        usage: facts.usage,
        cost: Cost::default(),
        quota: facts.quota,
        list_price: facts.list_price,
        withheld: facts.withheld,
        withheld_says: facts.withheld_says,
        http_status: facts.http_status,
        request_id: facts.request_id,
        warmth: facts.warmth,
        residence: facts.residence,
        used: Uses::default(),
        certificate_ends: facts.certificate_ends,
        diagnosis,
        warnings,
        notes: facts.notes.iter().map(|note| shown(note, job, EVIDENCE_KEPT)).collect(),
    };
    Climbed { outcome, knobs, charged }
}

/// The warning of a cold start that showed in refusals ("loading") before the LLM answered.
#[must_use]
pub fn cold_start(job: &Job, took: Duration) -> Diagnosis {
    let code = Code::ColdStart;
    let evidence = format!(
        "the server said that it was loading, and answered after {}, where a warm one is expected within {}",
        duration(took),
        duration(job.target.expect.first_token)
    );
    let remedy = remedy(code, &job.target, &job.credential, Known::default());
    Diagnosis { code, stage: Stage::Warm, evidence, remedy, reset: None, nearest: Vec::new() }
}

async fn stages(climb: &mut Climb<'_>) -> Result<(), Fault> {
    // A connection needs no key, so `connect` does not ask for one.
    if climb.job.depth > Depth::Connect {
        let note = credential::judge(&climb.job.credential, &climb.job.target.provider)?;
        climb.facts.notes.extend(note);
    }
    let connected = dial::dial(climb).await?;
    if climb.job.depth == Depth::Connect {
        return Ok(());
    }
    let authenticated = authenticate::authenticate(climb, connected).await?;
    let located = locate::locate(climb, authenticated).await?;
    if climb.job.depth == Depth::Auth {
        return Ok(());
    }
    warm::warm(climb, located).await
}

#[cfg(test)]
mod tests;
