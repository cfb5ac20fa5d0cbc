//! Stage `authenticate`: the provider's free endpoint accepts the key, where it has one that really proves it.
//!
//! A public list of models proves nothing about a key, and a restricted key may be refused the list although it may
//! generate. The outcome says on what its verdict rests.

use serde_json::Value;

use super::climb::{Authenticated, Climb, Connected, Fault};
use super::exchange::{leaves_it_open, piece, refusal, refusal_inside, send, unread, whole};
use super::locate::{Scanned, scan};
use super::request;
use super::transport::Answer;
use super::wire::error_body::{BodyShape, ErrorFacts, has_error};
use super::wire::quota;
use crate::outcome::{Code, Proof, Stage};
use crate::target::{Depth, FreeCheckProves};

/// Asks the free endpoint, where there is one.
pub(super) async fn authenticate(climb: &mut Climb<'_>, connected: Connected) -> Result<Authenticated, Fault> {
    let Connected { mut line } = connected;
    let target = climb.job.target.clone();
    let provider = &target.provider;
    let Some(check) = &provider.free_check else {
        let note = format!("{} has no free request that proves a key; only a warm-up can", provider.title);
        climb.facts.notes.extend((climb.job.depth == Depth::Auth).then_some(note));
        return Ok(Authenticated { line, finding: None });
    };
    climb.enter(Stage::Authenticate);
    let wanted = request::get(provider, &climb.job.credential, &climb.job.run_id, &check.path);
    let limit = target.expect.answer;
    let mut finding = None;
    let result = match send(climb, &mut *line, wanted, limit, Code::AnswerTimeout).await {
        Err(fault) => Err(fault),
        // The list of models doubles as the key check: it is read once.
        Ok(answer) if provider.catalogue.as_ref().is_some_and(|list| list.path == check.path) => {
            match scan(climb, answer, Stage::Authenticate).await {
                Ok(Scanned::Read(found)) => {
                    finding = Some(found);
                    Ok(Accepted::Yes)
                }
                Ok(Scanned::Withheld(note)) => Ok(Accepted::Open(note)),
                Err(fault) => Err(fault),
            }
        }
        Ok(answer) => judge(climb, answer, &check.path).await,
    };
    match result {
        Ok(Accepted::Yes) => climb.prove(match check.proves {
            FreeCheckProves::Key if climb.job.credential.secret().is_some() => Proof::KeyAccepted,
            FreeCheckProves::Key | FreeCheckProves::Reachable => Proof::Answered,
        }),
        Ok(Accepted::Open(note)) => {
            climb.prove(Proof::Answered);
            climb.facts.notes.push(note);
        }
        Err(fault) if climb.job.depth == Depth::Warm && leaves_it_open(&fault) => {
            climb.facts.notes.push(format!("{} could not tell of the key: {}", check.name, fault.evidence));
        }
        Err(fault) => return Err(fault),
    }
    Ok(Authenticated { line, finding })
}

enum Accepted {
    Yes,
    /// The answer leaves it open; the note says why.
    Open(String),
}

/// Judges the answer of a key check that is not the list of models.
async fn judge(climb: &mut Climb<'_>, mut answer: Answer, path: &str) -> Result<Accepted, Fault> {
    let until = answer.sent + climb.job.target.expect.answer;
    let (body, read) = whole(&mut *answer.body, climb.clock, until).await;
    let facts = ErrorFacts::read(&body);
    if !(200..300).contains(&answer.head.status) {
        return Err(refusal(climb, Stage::Authenticate, false, &answer.head, &facts));
    }
    read.map_err(|fault| unread(fault, path))?;
    match facts.shape {
        BodyShape::Json => {}
        _ => return Err(refusal(climb, Stage::Authenticate, false, &answer.head, &facts)),
    }
    let value: Value = serde_json::from_slice(&body).unwrap_or(Value::Null);
    if has_error(&value) {
        return Err(refusal_inside(climb, Stage::Authenticate, false, &answer.head, &facts));
    }
    // An empty purse or a spent window does not disprove the key.
    climb.read_quota(quota::body(climb.job.target.provider.family, &value, climb.clock.wall()));
    Ok(Accepted::Yes)
}

/// Reads and drops the rest of a body, so that its connection can be used again. Not worth an error.
pub(super) async fn drain(answer: &mut Answer, climb: &Climb<'_>) {
    let until = answer.sent + climb.job.target.expect.answer;
    let mut left = 256 * 1024_usize;
    while let Ok(Some(piece)) = piece(&mut *answer.body, climb.clock, until).await {
        left = left.saturating_sub(piece.len());
        if left == 0 {
            return;
        }
    }
}
