//! Stage `warm`: the smallest request that makes the LLM generate a token, timed from the moment it is written.
//!
//! This file words the request, repairs it when the provider refuses a field, and judges what came of it; `stream.rs`
//! reads the answer as it comes.

use std::time::{Duration, Instant};

use super::climb::{Climb, Fault, Located};
use super::dialect::{Reader, anthropic, ollama, openai};
use super::exchange::{ReadFault, refusal, refusal_inside, send, whole};
use super::state::Presence;
use super::stream::{Ended, Read, read};
use super::transport::{Answer, Line, Request};
use super::wire::error_body::ErrorFacts;
use super::{embed, request, state};
use crate::outcome::words::duration;
use crate::outcome::{Code, Proof, Residence, Stage, Warmth};
use crate::probe::classify::{Repair, repair};
use crate::target::{Dialect, Kind};

/// One repair for each field, and the first request: more would be guessing at somebody's expense.
const REQUESTS_AT_MOST: u32 = 4;
/// What is asked for when the first cap was too small for the LLM to show a token (CodexBar #2867 measured 64).
const RAISED_CAP: u32 = 64;
/// Faster than this, no LLM can have been loaded from rest: weights alone take longer to read.
const SURELY_WARM: Duration = Duration::from_millis(1500);
/// No repair asks for more than this.
const CAP_AT_MOST: u32 = 4096;

/// Warms the LLM.
pub(super) async fn warm(climb: &mut Climb<'_>, located: Located) -> Result<(), Fault> {
    climb.enter(Stage::Warm);
    let mut line = located.line;
    let loaded = state::presence(climb, &mut *line).await;
    let target = climb.job.target.clone();
    // A preload costs nothing.
    if target.provider.dialect != Dialect::Ollama {
        climb.ask().await?;
    }
    let result = match (target.provider.dialect, target.kind) {
        (Dialect::Ollama, _) => preload(climb, &mut *line, loaded).await,
        (Dialect::OpenAi, Kind::Embedding) => embed::embed(climb, &mut *line, located.listed, loaded).await,
        (Dialect::OpenAi | Dialect::Anthropic, _) => {
            generate(climb, &mut *line, located.listed, located.effort_none, loaded).await
        }
    };
    // A catalogue that does not list everything could not decide, but it knows names that are near.
    result.map_err(|mut fault| {
        if fault.code == Code::ModelNotFound && fault.nearest.is_empty() {
            fault.nearest = located.nearest;
        }
        fault
    })
}

/// How long the LLM may still stay cold: the whole deadline, or what earlier attempts have left of it.
pub(super) fn patience(climb: &Climb<'_>) -> Duration {
    let whole = climb.job.target.expect.cold_start;
    match climb.job.cold_until {
        Some(until) => until.saturating_duration_since(climb.clock.now()).min(whole),
        None => whole,
    }
}

/// A text that differs from request to request: FNV-1a over the run, the target and the moment.
pub(super) fn nonce(climb: &Climb<'_>) -> String {
    let job = climb.job;
    let moment = climb.clock.wall().as_nanosecond().to_le_bytes();
    let parts = [job.run_id.as_str().as_bytes(), job.target.id.as_str().as_bytes(), &moment];
    let bytes = parts.into_iter().flatten();
    let hash =
        bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{:08x}", hash >> 32)
}

async fn generate(
    climb: &mut Climb<'_>,
    line: &mut dyn Line,
    listed: bool,
    effort_none: bool,
    loaded: Option<Presence>,
) -> Result<(), Fault> {
    loop {
        climb.facts.requests_that_warm += 1;
        climb.facts.charged += 1;
        let limit = patience(climb);
        let answer = send(climb, line, wording(climb, effort_none), limit, Code::FirstTokenTimeout).await?;
        if (200..300).contains(&answer.head.status) {
            return stream(climb, answer, limit, listed, loaded).await;
        }
        let mut answer = answer;
        let (facts, taken) = refused(climb, &mut answer).await;
        let repair = repair(&answer.head, &facts);
        if repair != Some(Repair::AliveButOutOfTokens) {
            climb.facts.charged -= uncharged(answer.head.status);
        }
        let Some(repair) = repair else {
            return Err(refusal(climb, Stage::Warm, listed, &answer.head, &facts));
        };
        if climb.facts.requests_that_warm < REQUESTS_AT_MOST && apply(climb, &repair) {
            continue;
        }
        if repair == Repair::AliveButOutOfTokens {
            // It authenticated, found the LLM and generated: alive, whatever the status says.
            climb.prove(Proof::RanOutOfTokens);
            judge_warmth(climb, taken, loaded, false);
            return Ok(());
        }
        return Err(refusal(climb, Stage::Warm, listed, &answer.head, &facts));
    }
}

/// Whether a request that was answered so was not charged for: 1, or 0 where it may have been, for it was worked on.
pub(super) fn uncharged(status: u16) -> u32 {
    u32::from(matches!(status, 300..=499 | 503 | 529))
}

fn wording(climb: &Climb<'_>, effort_none: bool) -> Request {
    let target = &climb.job.target;
    let (path, body) = match target.provider.dialect {
        Dialect::Anthropic => (anthropic::PATH, anthropic::body(target, &climb.knobs, &nonce(climb))),
        Dialect::OpenAi | Dialect::Ollama => {
            (openai::PATH, openai::body(target, &climb.knobs, &nonce(climb), effort_none))
        }
    };
    request::post(&target.provider, &climb.job.credential, &climb.job.run_id, path, &body)
}

/// Reads a refusal's body; how long the whole answer took comes with it.
pub(super) async fn refused(climb: &Climb<'_>, answer: &mut Answer) -> (ErrorFacts, Duration) {
    let until = climb.clock.now() + climb.job.target.expect.answer;
    let (body, _) = whole(&mut *answer.body, climb.clock, until).await;
    (ErrorFacts::read(&body), climb.clock.now().saturating_duration_since(answer.sent))
}

/// Changes the wording as a refusal asks; `false` when that was done already or leads nowhere.
fn apply(climb: &mut Climb<'_>, repair: &Repair) -> bool {
    let wanted = climb.job.target.provider.cap_field;
    let knobs = &mut climb.knobs;
    match repair {
        Repair::SwitchCapField if knobs.cap_field == wanted => {
            knobs.cap_field = wanted.other();
            true
        }
        Repair::RaiseCap(floor) if *floor > knobs.cap && *floor <= CAP_AT_MOST => {
            knobs.cap = *floor;
            true
        }
        Repair::AliveButOutOfTokens if knobs.cap < RAISED_CAP => {
            knobs.cap = RAISED_CAP;
            true
        }
        Repair::DropReasoning if knobs.reasoning_switch => {
            knobs.reasoning_switch = false;
            true
        }
        Repair::DropStreamOptions if knobs.stream_options => {
            knobs.stream_options = false;
            true
        }
        _ => false,
    }
}

async fn stream(
    climb: &mut Climb<'_>,
    mut answer: Answer,
    limit: Duration,
    listed: bool,
    loaded: Option<Presence>,
) -> Result<(), Fault> {
    let target = climb.job.target.clone();
    let mut reader: Box<dyn Reader> = match target.provider.dialect {
        Dialect::Anthropic => Box::new(anthropic::MessageReader::default()),
        Dialect::OpenAi | Dialect::Ollama => Box::new(openai::ChatReader::default()),
    };
    let Read { ended, first, last, loading } =
        read(&mut answer, &mut *reader, climb.clock, limit, target.expect.stall).await;
    climb.facts.usage.add(reader.usage().plausible());
    let since = |instant: Instant| instant.saturating_duration_since(answer.sent);
    climb.facts.timings.first_token = first.map(since);
    climb.facts.timings.last_token = last.map(since);
    match ended {
        Ended::Complete => {
            let shown = first.is_some();
            let took = first.or(last).map_or_else(|| since(climb.clock.now()), since);
            climb.prove(match (shown, reader.hit_the_cap()) {
                (true, _) => Proof::TokenGenerated,
                (false, true) => Proof::RanOutOfTokens,
                (false, false) => Proof::CompletedWithoutContent,
            });
            if loading {
                climb.facts.residence = Some(Residence::Absent);
            }
            judge_warmth(climb, took, loaded, loading);
            Ok(())
        }
        Ended::Failed(value) => {
            let facts = ErrorFacts::read(value.to_string().as_bytes());
            Err(refusal_inside(climb, Stage::Warm, listed, &answer.head, &facts))
        }
        Ended::Foreign(beginning) => {
            let facts = ErrorFacts::read(&beginning);
            Err(refusal(climb, Stage::Warm, listed, &answer.head, &facts))
        }
        Ended::Empty => {
            Err(Fault::new(Code::EmptyAnswer, format!("HTTP {} and a stream without any content", answer.head.status)))
        }
        Ended::Open => {
            let when = if first.is_some() { "after content had begun" } else { "before any content" };
            Err(Fault::new(Code::StreamCut, format!("the stream ended {when}, without a finish reason or an end mark")))
        }
        Ended::LineTooLong => Err(Fault::new(Code::AnswerTooLarge, "a line of the stream is longer than 64 KiB")),
        Ended::Broken(ReadFault::TooLarge) => Err(Fault::new(
            Code::AnswerTooLarge,
            "more than is read (64 KiB of a body, 1 MiB of a stream) for a few tokens",
        )),
        Ended::Broken(ReadFault::Cut(text)) => {
            let when = if first.is_some() { "after content had begun" } else { "before any content" };
            Err(Fault::new(Code::StreamCut, format!("the connection ended {when}: {text}")))
        }
        Ended::Broken(ReadFault::Late) if first.is_some() => Err(Fault::new(
            Code::StreamStalled,
            format!(
                "content began after {}, then nothing within {}",
                duration(first.map_or(Duration::ZERO, since)),
                duration(target.expect.stall)
            ),
        )),
        Ended::Broken(ReadFault::Late) => {
            let sign = if loading { "; the server said that it was loading" } else { "" };
            Err(Fault::new(
                Code::FirstTokenTimeout,
                format!("HTTP {}, then no content within {}{sign}", answer.head.status, duration(limit)),
            ))
        }
    }
}

/// Loads the LLM without generating: what Ollama offers for free. It also resets the idle timer of one that is loaded.
async fn preload(climb: &mut Climb<'_>, line: &mut dyn Line, loaded: Option<Presence>) -> Result<(), Fault> {
    let target = climb.job.target.clone();
    if loaded == Some(Presence::Pinned) && target.provider.keep_alive.is_none() {
        // Somebody has pinned it; a preload without a time of its own would set it back to the server's default.
        climb.prove(Proof::AlreadyLoaded);
        climb.facts.warmth = Warmth::Warm;
        return Ok(());
    }
    climb.facts.requests_that_warm += 1;
    let wanted = request::post(
        &target.provider,
        &climb.job.credential,
        &climb.job.run_id,
        ollama::preload_path(target.kind),
        &ollama::preload_body(&target),
    );
    let limit = patience(climb);
    let mut answer = send(climb, line, wanted, limit, Code::FirstTokenTimeout).await?;
    let until = answer.sent + limit;
    let (body, read) = whole(&mut *answer.body, climb.clock, until).await;
    let took = climb.clock.now().saturating_duration_since(answer.sent);
    let facts = ErrorFacts::read(&body);
    if !(200..300).contains(&answer.head.status) {
        return Err(refusal(climb, Stage::Warm, false, &answer.head, &facts));
    }
    match read {
        Err(ReadFault::Cut(text)) => return Err(Fault::new(Code::AnswerCut, text)),
        Err(ReadFault::TooLarge) => return Err(Fault::new(Code::AnswerTooLarge, "more than 64 KiB to a preload")),
        Err(ReadFault::Late) => {
            return Err(Fault::new(Code::FirstTokenTimeout, "the server has not finished loading the model"));
        }
        Ok(()) => {}
    }
    let value: serde_json::Value = serde_json::from_slice(&body).unwrap_or(serde_json::Value::Null);
    let is_ollama =
        value.get("done").is_some() || value.get("embeddings").is_some() || value.get("load_duration").is_some();
    if !is_ollama {
        return Err(refusal(climb, Stage::Warm, false, &answer.head, &facts));
    }
    climb.prove(if loaded.is_some_and(Presence::is_loaded) { Proof::AlreadyLoaded } else { Proof::Preloaded });
    judge_warmth(climb, took, loaded, false);
    Ok(())
}

/// Says whether the LLM was warm. What the server said outright beats the clock; a slow answer alone may also have
/// been queued, and the warning says so.
pub(super) fn judge_warmth(climb: &mut Climb<'_>, took: Duration, loaded: Option<Presence>, loading: bool) {
    let expected = climb.job.target.expect.first_token;
    let said_cold = loading || loaded == Some(Presence::Absent);
    let said_warm = loaded.is_some_and(Presence::is_loaded);
    let slow = took > expected;
    climb.facts.warmth = match (said_cold, said_warm) {
        (true, _) => Warmth::Cold,
        (false, true) => Warmth::Warm,
        (false, false) if slow => Warmth::Cold,
        (false, false) if took <= SURELY_WARM => Warmth::Warm,
        // Slower than a loaded LLM usually is, faster than was asked for: both fit.
        (false, false) => Warmth::Unknown,
    };
    if slow {
        let why =
            if said_cold { "the server said that it was not loaded" } else { "it loaded, or the request was queued" };
        let evidence = format!(
            "answered after {}, where a warm one is expected within {}: {why}",
            duration(took),
            duration(expected)
        );
        climb.facts.warnings.push((Stage::Warm, Fault::new(Code::ColdStart, evidence)));
    }
}
