//! One request and its answer within a deadline: what `authenticate`, `locate` and `warm` share.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::climb::{Climb, Fault};
use super::clock::Clock;
use super::dial;
use super::transport::{Answer, Body, BodyFault, DialMarks, ExchangeFault, Head, Line, Request};
use super::wire::error_body::ErrorFacts;
use crate::outcome::words::duration;
use crate::outcome::{Code, Connection, Stage};
use crate::probe::classify::{Context, classify};

/// No body is held beyond this.
pub(super) const BODY_HELD: usize = 64 * 1024;

/// Why the next piece of a body is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum ReadFault {
    Cut(String),
    TooLarge,
    Late,
}

impl From<BodyFault> for ReadFault {
    fn from(fault: BodyFault) -> Self {
        Self::Cut(fault.0)
    }
}

/// Sends a request; its head must come within `limit`.
pub(super) async fn send(
    climb: &mut Climb<'_>,
    line: &mut dyn Line,
    request: Request,
    limit: Duration,
    late: Code,
) -> Result<Answer, Fault> {
    let what = format!("{} {}", method(&request), request.path);
    let answered = tokio::time::timeout(limit, line.send(request)).await;
    if line.reopened() {
        climb.facts.connection = Some(Connection::Reopened);
    }
    match answered {
        Err(_) => Err(Fault::new(late, format!("{what}: no answer within {}", duration(limit)))),
        Ok(Err(ExchangeFault::Lost(text))) => Err(Fault::new(Code::ConnectionLost, format!("{what}: {text}"))),
        Ok(Err(ExchangeFault::NotHttp(text))) => Err(Fault::new(Code::NotThisApi, format!("{what}: {text}"))),
        Ok(Err(ExchangeFault::Redial(fault))) => {
            let (_, mut fault) = dial::judge(fault, &climb.job.target.provider, &DialMarks::default());
            fault.evidence =
                format!("{what}: the connection was closed and could not be made again: {}", fault.evidence);
            Err(fault)
        }
        Ok(Err(ExchangeFault::ClientCertificate(text))) => {
            let evidence = format!("{what}: {text}; {}", dial::shown(&climb.job.target.provider));
            Err(Fault::new(Code::ClientCertificateRefused, evidence))
        }
        Ok(Err(ExchangeFault::Proxy(fault))) => {
            let fault = dial::judge_proxy(fault, &climb.job.target.provider);
            Err(Fault { evidence: format!("{what}: {}", fault.evidence), ..fault })
        }
        Ok(Ok(answer)) => {
            climb.saw(&answer.head, answer.answered.saturating_duration_since(answer.sent));
            Ok(answer)
        }
    }
}

fn method(request: &Request) -> &'static str {
    match request.method {
        super::transport::Method::Get => "GET",
        super::transport::Method::Post => "POST",
    }
}

/// The next piece of a body, until a moment.
pub(super) async fn piece(body: &mut dyn Body, clock: &dyn Clock, until: Instant) -> Result<Option<Bytes>, ReadFault> {
    let left = until.saturating_duration_since(clock.now());
    match tokio::time::timeout(left, body.chunk()).await {
        Err(_) => Err(ReadFault::Late),
        Ok(piece) => Ok(piece?),
    }
}

/// A whole body of at most [`BODY_HELD`] bytes. What came before a fault is returned with it: half an error body still
/// says more than none.
pub(super) async fn whole(body: &mut dyn Body, clock: &dyn Clock, until: Instant) -> (Vec<u8>, Result<(), ReadFault>) {
    let mut held = Vec::new();
    loop {
        match piece(body, clock, until).await {
            Err(fault) => return (held, Err(fault)),
            Ok(None) => return (held, Ok(())),
            Ok(Some(piece)) => {
                let room = BODY_HELD.saturating_sub(held.len());
                held.extend(piece.iter().take(room));
                if piece.len() > room {
                    return (held, Err(ReadFault::TooLarge));
                }
            }
        }
    }
}

/// The fault of a free endpoint whose body could not be read.
pub(super) fn unread(fault: ReadFault, path: &str) -> Fault {
    match fault {
        ReadFault::Cut(text) => Fault::new(Code::AnswerCut, format!("GET {path}: the answer was cut: {text}")),
        ReadFault::TooLarge => Fault::new(Code::AnswerTooLarge, format!("GET {path}: more than is read")),
        ReadFault::Late => Fault::new(Code::AnswerTimeout, format!("GET {path}: the answer did not end in time")),
    }
}

/// What an answer that is not the expected one means.
pub(super) fn refusal(climb: &mut Climb<'_>, stage: Stage, listed: bool, head: &Head, facts: &ErrorFacts) -> Fault {
    refusal_of(climb, stage, listed, head, facts, Within::Answer)
}

/// What an error inside a 200 means, whether it is an event of a stream or the whole body.
pub(super) fn refusal_inside(
    climb: &mut Climb<'_>,
    stage: Stage,
    listed: bool,
    head: &Head,
    facts: &ErrorFacts,
) -> Fault {
    refusal_of(climb, stage, listed, head, facts, Within::Success)
}

/// Where a refusal stood.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Within {
    /// In an answer whose status says so.
    Answer,
    /// Inside a 200.
    Success,
}

fn refusal_of(
    climb: &mut Climb<'_>,
    stage: Stage,
    listed: bool,
    head: &Head,
    facts: &ErrorFacts,
    within: Within,
) -> Fault {
    let job = climb.job;
    let context = Context {
        family: job.target.provider.family,
        stage,
        model: job.target.model.as_str(),
        listed,
        in_stream: within == Within::Success,
        secret: job.credential.secret(),
    };
    let classified = classify(&context, head, facts, climb.clock.wall());
    if classified.request_id.is_some() {
        climb.facts.request_id = classified.request_id;
    }
    let evidence = match &classified.location {
        Some(location) => format!("HTTP {} to {location}", head.status),
        None => classified.evidence,
    };
    Fault {
        code: classified.code,
        evidence,
        reset: classified.reset,
        nearest: Vec::new(),
        location: classified.location,
        deadline: false,
    }
}

/// Whether a fault of a *free* endpoint leaves the question open, so that a warm-up may still answer it: the free
/// endpoint's own trouble is not the LLM's.
pub(super) fn leaves_it_open(fault: &Fault) -> bool {
    use crate::outcome::Class;
    matches!(fault.code.class(), Class::ProviderError | Class::TooSlow)
}
