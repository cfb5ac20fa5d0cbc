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
pub fn says(
    gate: &Gate,
    standing: &GateStanding<'_>,
    told: &dyn Fn(&TargetId) -> Told,
    late: Option<Duration>,
) -> String {
    let named = |targets: &[&TargetId]| list(targets, told);
    match standing {
        GateStanding::Open { how: How::Fallback, through } => {
            let main = match gate {
                Gate::MainWithFallback { main, .. } => vec![main],
                Gate::Any(_) | Gate::All(_) | Gate::AtLeast { .. } => Vec::new(),
            };
            format!("{} is ready in place of {}", named(through), named(&main))
        }
        GateStanding::Open { through, .. } => match (through.as_slice(), gate.targets().len()) {
            ([one], _) => one_ready(one, told),
            (ready, all) if ready.len() == all => format!("all {all} are ready{}", colds(ready, told)),
            (ready, all) => format!("{} of {all} are ready: {}", ready.len(), named(ready)),
        },
        GateStanding::Waiting(asked) => {
            let ready = gate.targets().into_iter().filter(|target| told(target).known.is_ready()).count();
            let so_far = if ready > 0 { format!("{ready} ready, ") } else { String::new() };
            match late {
                Some(after) => format!("not open after {}: {so_far}still without {}", duration(after), named(asked)),
                None => format!("{so_far}waits for {}", named(asked)),
            }
        }
        GateStanding::Shut(barred) => {
            let all = gate.targets().len();
            let left = all - barred.len().min(all);
            match (gate, left) {
                (Gate::AtLeast { n, .. }, left) if left > 0 => {
                    format!("cannot open: it needs {n} of {all}, and only {left} can still come: {}", named(barred))
                }
                _ => format!("cannot open: {}", named(barred)),
            }
        }
    }
}

fn one_ready(target: &TargetId, told: &dyn Fn(&TargetId) -> Told) -> String {
    match told(target) {
        Told { because: Some(because), known: Known::Impaired } => format!("{target} is ready, with {because}"),
        Told { because: Some(because), .. } => format!("{target} is ready {because}"),
        Told { because: None, .. } => format!("{target} is ready"),
    }
}

/// Which of those that are ready have something to tell.
fn colds(ready: &[&TargetId], told: &dyn Fn(&TargetId) -> Told) -> String {
    let some: Vec<&TargetId> = ready.iter().copied().filter(|target| told(target).because.is_some()).collect();
    if some.is_empty() { String::new() } else { format!(": {}", list(&some, told)) }
}

/// The first of some targets with what is to be told of each, and how many more there are.
fn list(targets: &[&TargetId], told: &dyn Fn(&TargetId) -> Told) -> String {
    let shown = targets.iter().take(NAMED).map(|target| match told(target).because {
        Some(because) => format!("{target} ({because})"),
        None => target.to_string(),
    });
    let mut text = shown.collect::<Vec<_>>().join(", ");
    let more = targets.len().saturating_sub(NAMED);
    if more > 0 {
        text.push_str(&format!(" and {more} more"));
    }
    text
}
