//! What a finished warm-up says of the LLM's state, and whether it has touched it. Pure.

use std::time::Duration;

use jiff::Timestamp;

use super::scale::TimeScale;
use crate::outcome::{Code, Outcome, Proof, Residence};
use crate::target::Depth;
use crate::warmth::{Reply, Span};

/// What a server takes to answer whose LLM is loaded by its own word, however long we waited in its queue, in the policy's
/// seconds.
const LOADED_ANSWERS: f64 = 0.5;

/// What a warm-up says of the LLM's state. Nothing where it was refused, withheld, interrupted before its first token, or
/// the network failed.
pub(super) fn reply(outcome: &Outcome, scale: TimeScale) -> Option<Reply> {
    if outcome.depth != Depth::Warm {
        return None;
    }
    let span = |time: Duration| scale.span(time);
    let timings = &outcome.timings;
    let took = match &outcome.diagnosis {
        Some(diagnosis) if diagnosis.code == Code::FirstTokenTimeout => {
            return Some(Reply::TimedOut(span(timings.total)));
        }
        // It said so itself, until nobody waited any longer; and our request has had it load.
        Some(diagnosis) if diagnosis.code == Code::Loading => return Some(Reply::Loading(span(timings.total))),
        // Whatever came after it: a first token was there.
        Some(_) => timings.first_token?,
        None => {
            // One whose state is read without a request is not touched by it; a preload has no token, but an answer.
            let spent = outcome.proof != Proof::AlreadyLoaded || timings.headers.is_some();
            timings.first_token.or(timings.last_token).or(timings.headers).filter(|_| spent)?
        }
    };
    Some(match outcome.residence {
        Some(Residence::Absent) if outcome.attempts > 1 => Reply::Loading(span(timings.total.max(took))),
        Some(Residence::Absent) => Reply::Loading(span(took)),
        Some(Residence::Loaded { .. }) => {
            Reply::FirstToken(Span::from_seconds(span(took).seconds().min(LOADED_ANSWERS)))
        }
        None => Reply::FirstToken(span(took)),
    })
}

/// When a probe ended.
pub(super) fn ended(outcome: &Outcome) -> Timestamp {
    outcome.started.saturating_add(outcome.timings.total).unwrap_or(outcome.started)
}

/// When a probe touched the LLM, if it did.
pub(super) fn touch(outcome: &Outcome) -> Option<Timestamp> {
    reply(outcome, TimeScale::REAL).map(|_| ended(outcome))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::{Stage, sample};

    #[test]
    fn a_stream_that_broke_after_its_first_token_has_touched_and_teaches() {
        let first = Duration::from_millis(400);
        for code in [Code::StreamCut, Code::StreamStalled, Code::Overloaded, Code::Interrupted] {
            let diagnosis = sample::diagnosis(code, Stage::Warm, "after content had begun", "");
            let mut broken = sample::failed(sample::ready("p", "glm", "m"), diagnosis, Proof::KeyAccepted, Some(200));
            assert_eq!((reply(&broken, TimeScale::REAL), touch(&broken)), (None, None), "{code:?} before any content");
            broken.timings.first_token = Some(first);
            assert_eq!(reply(&broken, TimeScale::REAL), Some(Reply::FirstToken(Span::from_seconds(0.4))), "{code:?}");
            assert_eq!(touch(&broken), Some(ended(&broken)));
        }
        let check = Outcome { depth: Depth::Auth, ..sample::ready("p", "glm", "m") };
        assert_eq!(touch(&check), None, "a check touches nothing");
    }
}
