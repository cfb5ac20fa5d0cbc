//! The rungs that have to do with spending: what is left of the limits, and the warm-up. Pure.

use std::time::Duration;

use jiff::Timestamp;

use super::diagnose_rungs::{Held, Rung, Seen, rung};
use crate::outcome::words::{cost, duration, part, quantity, tokens, wait};
use crate::outcome::{Code, Limited, Made, Outcome, Proof, Reading, Stage, Warmth};
use crate::target::Depth;

pub(super) fn quota(seen: Seen<'_>) -> Rung {
    // What the probe read is newer than what the examination did.
    let newest: Vec<&Reading> = seen.outcome.quota.newest().collect();
    let earlier =
        seen.examination.quota.newest().filter(|reading| newest.iter().all(|new| new.window != reading.window));
    let readings: Vec<&Reading> = newest.iter().copied().chain(earlier).collect();
    if readings.is_empty() {
        let line = "nothing was said of limits".to_owned();
        return rung("quota", Held::NotReached, vec![line]);
    }
    let spent = readings.iter().any(|reading| reading.limited == Limited::Yes || reading.remaining == Some(0.0));
    let lines = readings.iter().map(|reading| limit(reading, seen.now)).collect();
    rung("quota", if spent { Held::Doubtful } else { Held::Good }, lines)
}

/// `five-hour: 364 of 500 requests; 25 more in 8m`.
fn limit(reading: &Reading, now: Timestamp) -> String {
    let left = match (reading.remaining, reading.max) {
        (Some(left), Some(max)) => part(left, max, reading.unit),
        (Some(left), None) => format!("{} left", quantity(left, reading.unit)),
        (None, Some(max)) => format!("{} in all, what is left is not said", quantity(max, reading.unit)),
        (None, None) => "what is left is not said".to_owned(),
    };
    let until = reading.next.and_then(|next| Duration::try_from(next.duration_since(now)).ok());
    let gives = reading.gives.map(|gives| quantity(gives, reading.unit)).unwrap_or_else(|| "more".to_owned());
    let next = until.map(|until| format!("; {gives} back in {}", wait(until))).unwrap_or_default();
    let refuses = if reading.limited == Limited::Yes { "; the provider refuses for want of it" } else { "" };
    format!("{}: {left}{next}{refuses}", reading.window)
}

pub(super) fn warm(seen: Seen<'_>) -> Rung {
    let outcome = seen.outcome;
    let lines = match (seen.found(Stage::Warm), &outcome.diagnosis) {
        (Some(Held::Broken | Held::Unknown), Some(diagnosis)) if seen.examination.request.made == Made::NotSent => {
            vec![format!("not sent: {}", diagnosis.evidence)]
        }
        (Some(Held::Broken | Held::Unknown), Some(diagnosis)) => vec![diagnosis.evidence.clone()],
        (Some(_), _) => warmed(outcome),
        (None, Some(diagnosis)) if diagnosis.code == Code::Interrupted => vec![diagnosis.evidence.clone()],
        (None, Some(_)) if outcome.depth < Depth::Warm => vec!["not asked for".to_owned()],
        (None, Some(diagnosis)) => vec![format!("not sent: {} at {}", diagnosis.code, diagnosis.stage)],
        (None, None) => vec!["not asked for".to_owned()],
    };
    rung("warm", seen.found(Stage::Warm).unwrap_or(Held::NotReached), lines)
}

fn warmed(outcome: &Outcome) -> Vec<String> {
    let timings = &outcome.timings;
    let mut line = outcome.proof.says().to_owned();
    if let Some(first) = timings.first_token.filter(|_| outcome.proof >= Proof::RanOutOfTokens) {
        line.push_str(&format!("; first token after {}", duration(first)));
    }
    if let Some(last) = timings.last_token {
        line.push_str(&format!(", the last after {}", duration(last)));
    }
    line.push_str(&format!(
        "; the model was {}",
        match outcome.warmth {
            Warmth::Warm => "warm",
            Warmth::Cold => "cold",
            Warmth::Unknown => "perhaps warm, perhaps not",
        }
    ));
    let mut lines = vec![line];
    let used = outcome.usage.input_tokens.into_iter().chain(outcome.usage.output_tokens).reduce(u64::saturating_add);
    let spent = used.map(tokens).into_iter().chain(cost(outcome.cost));
    let spent: Vec<String> = spent.collect();
    if !spent.is_empty() {
        lines.push(format!("it cost {}", spent.join(", ")));
    }
    lines.extend(
        outcome.warnings.iter().filter(|warning| warning.stage == Stage::Warm).map(|warning| warning.evidence.clone()),
    );
    lines
}
