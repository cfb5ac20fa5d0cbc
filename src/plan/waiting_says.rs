//! How a gate stands, in one sentence: for the report, the log and the progress alike.

use std::time::Duration;

use super::gate::Gate;
use super::waiting::{GateStanding, How, Known};
use crate::outcome::words::duration;
use crate::target::TargetId;

/// How many targets are named; the rest is counted.
const NAMED: usize = 4;

/// What can be told of a target.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Told {
    /// What is known of it.
    pub known: Known,
    /// Why it stands so: `overloaded at warm`, `after a cold start of 42s`. Absent where there is nothing to say.
    pub because: Option<String>,
}

/// The sentence, without a full stop. `late` is how long was waited, where the time is up.
#[must_use]
pub fn says(gate: &Gate, standing: &GateStanding, told: &dyn Fn(usize) -> Told, late: Option<Duration>) -> String {
    let targets = gate.targets();
    let all = targets.len();
    let named = |places: &[usize]| list(&targets, places, told);
    match standing {
        GateStanding::Open { how: How::Fallback, through } => {
            format!("{} is ready in place of {}", named(through), named(&[0]))
        }
        GateStanding::Open { through, .. } => match through.as_slice() {
            [one] => one_ready(&named_only(&targets, *one), told(*one)),
            ready if ready.len() == all => format!("all {all} are ready{}", notable(&targets, ready, told)),
            ready => format!("{} of {all} are ready: {}", ready.len(), named(ready)),
        },
        GateStanding::Waiting(asked) => {
            let ready = (0..all).filter(|place| told(*place).known.is_ready()).count();
            let so_far = if ready > 0 { format!("{ready} ready, ") } else { String::new() };
            match late {
                Some(after) => format!("not open after {}: {so_far}still without {}", duration(after), named(asked)),
                None => format!("{so_far}waits for {}", named(asked)),
            }
        }
        GateStanding::Shut(barred) => match (gate, all.saturating_sub(barred.len())) {
            (Gate::AtLeast { n, .. }, left) if left > 0 => {
                format!("cannot open: it needs {n} of {all}, and only {left} can still come: {}", named(barred))
            }
            _ => format!("cannot open: {}", named(barred)),
        },
    }
}

fn named_only(targets: &[&TargetId], place: usize) -> String {
    targets.get(place).map(ToString::to_string).unwrap_or_default()
}

fn one_ready(target: &str, told: Told) -> String {
    match told {
        Told { because: Some(because), known: Known::Impaired } => format!("{target} is ready, with {because}"),
        Told { because: Some(because), .. } => format!("{target} is ready {because}"),
        Told { because: None, .. } => format!("{target} is ready"),
    }
}

/// Those that are ready and of which there is something to tell.
fn notable(targets: &[&TargetId], ready: &[usize], told: &dyn Fn(usize) -> Told) -> String {
    let some: Vec<usize> = ready.iter().copied().filter(|place| told(*place).because.is_some()).collect();
    if some.is_empty() { String::new() } else { format!(": {}", list(targets, &some, told)) }
}

/// The first of some targets with what is to be told of each, and how many more there are.
fn list(targets: &[&TargetId], places: &[usize], told: &dyn Fn(usize) -> Told) -> String {
    let shown = places.iter().take(NAMED).map(|place| match told(*place).because {
        Some(because) => format!("{} ({because})", named_only(targets, *place)),
        None => named_only(targets, *place),
    });
    let mut text = shown.collect::<Vec<_>>().join(", ");
    let more = places.len().saturating_sub(NAMED);
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}
