//! Outcomes for probes that never began, or were broken by a fault of ours.

use std::any::Any;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use crate::outcome::{
    Code, Connection, Cost, Diagnosis, Outcome, Proof, QuotaSeen, Stage, Timings, Usage, Uses, Warmth,
};
use crate::probe::{Cause, Job};

/// Where a probe was when it ended before its time.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unfinished {
    pub started: Timestamp,
    pub elapsed: Duration,
    pub stage: Stage,
    pub attempts: u32,
}

/// The outcome of a probe that was stopped before it began.
pub(super) fn not_begun(job: &Job, now: Timestamp, cause: Cause) -> Outcome {
    let unfinished = Unfinished { started: now, elapsed: Duration::ZERO, stage: Stage::Credential, attempts: 0 };
    outcome(job, unfinished, Code::Interrupted, format!("not begun: {}", cause.says()))
}

/// The outcome of a probe in which pilotlight itself failed.
pub(super) fn panicked(job: &Job, unfinished: Unfinished, payload: &(dyn Any + Send)) -> Outcome {
    let said = payload
        .downcast_ref::<&str>()
        .map(|text| (*text).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_default();
    let said = crate::probe::wire::text::clean(&crate::probe::wire::text::scrub(&said, job.credential.secret()), 200);
    outcome(job, unfinished, Code::ProbePanicked, format!("panicked at {}: {said}", unfinished.stage))
}

fn outcome(job: &Job, unfinished: Unfinished, code: Code, evidence: String) -> Outcome {
    let remedy = code.explain().remedy.iter().filter(|sentence| !sentence.contains('{')).copied();
    let diagnosis = Diagnosis {
        code,
        stage: unfinished.stage,
        evidence,
        remedy: remedy.collect::<Vec<_>>().join(" "),
        reset: None,
        nearest: Vec::new(),
    };
    Outcome {
        run_id: job.run_id.clone(),
        target: Arc::clone(&job.target),
        depth: job.depth,
        started: unfinished.started,
        stage: unfinished.stage,
        proof: Proof::Nothing,
        attempts: unfinished.attempts,
        connection: None::<Connection>,
        timings: Timings { total: unfinished.elapsed, ..Timings::default() },
        stages: Vec::new(),
        usage: Usage::default(),
        cost: Cost::default(),
        quota: QuotaSeen::default(),
        withheld: None,
        withheld_says: None,
        list_price: None,
        http_status: None,
        request_id: None,
        warmth: Warmth::Unknown,
        residence: None,
        used: Uses::default(),
        certificate_ends: None,
        diagnosis: Some(diagnosis),
        warnings: Vec::new(),
        notes: Vec::new(),
    }
}
