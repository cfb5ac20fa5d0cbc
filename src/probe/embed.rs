//! Warming an embedding LLM: the first element of its vector is its first token.

use super::climb::{Climb, Fault};
use super::dialect::embeddings;
use super::exchange::{ReadFault, piece, refusal, refusal_inside, send};
use super::request;
use super::state::Presence;
use super::transport::Line;
use super::warm::{judge_warmth, nonce, patience, refused, uncharged};
use super::wire::embedding::{EmbeddingProgress, EmbeddingScan};
use super::wire::error_body::ErrorFacts;
use crate::outcome::words::duration;
use crate::outcome::{Code, Proof, Stage, Usage};

/// No vector is followed further than this, in bytes.
const VECTOR_READ: usize = 1024 * 1024;
/// How much of the answer is kept to say what it was.
const BEGINNING_KEPT: usize = 2048;

/// Asks for one embedding.
pub(super) async fn embed(
    climb: &mut Climb<'_>,
    line: &mut dyn Line,
    listed: bool,
    loaded: Option<Presence>,
) -> Result<(), Fault> {
    let target = climb.job.target.clone();
    climb.facts.requests_that_warm += 1;
    climb.facts.charged += 1;
    let body = embeddings::body(&target, &nonce(climb));
    let wanted = request::post(&target.provider, &climb.job.credential, &climb.job.run_id, embeddings::PATH, &body);
    let limit = patience(climb);
    let mut answer = send(climb, line, wanted, limit, Code::FirstTokenTimeout).await?;
    if !(200..300).contains(&answer.head.status) {
        climb.facts.charged -= uncharged(answer.head.status);
        let (facts, _) = refused(climb, &mut answer).await;
        return Err(refusal(climb, Stage::Warm, listed, &answer.head, &facts));
    }
    let mut scan = EmbeddingScan::new();
    let mut first = None;
    let mut beginning: Vec<u8> = Vec::new();
    let mut total = 0_usize;
    loop {
        let until = match first {
            None => answer.sent + limit,
            Some(first) => first + target.expect.stall * 4,
        };
        match piece(&mut *answer.body, climb.clock, until).await {
            Ok(None) => break,
            Ok(Some(bytes)) => {
                total += bytes.len();
                beginning.extend(bytes.iter().take(BEGINNING_KEPT.saturating_sub(beginning.len())));
                match scan.push(&bytes) {
                    Ok(EmbeddingProgress::FirstElement) => {
                        first.get_or_insert(climb.clock.now());
                    }
                    Ok(EmbeddingProgress::Waiting) => {}
                    Err(_) => {
                        let facts = ErrorFacts::read(&beginning);
                        return Err(refusal(climb, Stage::Warm, listed, &answer.head, &facts));
                    }
                }
                if total > VECTOR_READ {
                    return Err(Fault::new(Code::AnswerTooLarge, "a vector of more than 1 MiB"));
                }
            }
            Err(ReadFault::Cut(text)) => {
                return Err(Fault::new(Code::AnswerCut, format!("the vector was cut: {text}")));
            }
            Err(ReadFault::TooLarge) => return Err(Fault::new(Code::AnswerTooLarge, "more than is read")),
            Err(ReadFault::Late) if first.is_some() => {
                return Err(Fault::new(Code::StreamStalled, "the vector began and did not end"));
            }
            Err(ReadFault::Late) => {
                return Err(Fault::new(Code::FirstTokenTimeout, format!("no vector within {}", duration(limit))));
            }
        }
    }
    let last = climb.clock.now();
    let finding = match scan.finish() {
        Ok(finding) if finding.dimensions > 0 => finding,
        Ok(finding) if !finding.error && beginning.starts_with(b"{") => {
            climb.facts.usage.add(Usage { input_tokens: finding.input_tokens, output_tokens: None });
            return Err(Fault::new(Code::EmptyAnswer, format!("HTTP {} and no vector", answer.head.status)));
        }
        Ok(finding) if finding.error => {
            let facts = ErrorFacts::read(&beginning);
            return Err(refusal_inside(climb, Stage::Warm, listed, &answer.head, &facts));
        }
        // Half a JSON, or something that is not this API.
        Ok(_) | Err(_) => {
            let facts = ErrorFacts::read(&beginning);
            return Err(refusal(climb, Stage::Warm, listed, &answer.head, &facts));
        }
    };
    climb.facts.usage.add(Usage { input_tokens: finding.input_tokens, output_tokens: None });
    let took = first.unwrap_or(last).saturating_duration_since(answer.sent);
    climb.facts.timings.first_token = Some(took);
    climb.facts.timings.last_token = Some(last.saturating_duration_since(answer.sent));
    climb.prove(Proof::Embedded);
    judge_warmth(climb, took, loaded, false);
    Ok(())
}
