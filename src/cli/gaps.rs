//! The gaps of `every: auto` that were learned, for planning: from the store, if there is one. Nothing is probed.

use std::collections::BTreeMap;
use std::time::Duration;

use super::check::runtime;
use super::run::StateArgs;
use crate::config::{Config, Environment};
use crate::daemon::Memory;
use crate::outcome::words::span;
use crate::plan::{AUTO, TargetSchedule, WarmTrigger};
use crate::probe::clock::Clock;
use crate::run::SystemClock;
use crate::store::{Reader, StateKind, StoreError};
use crate::target::{Target, TargetId};

/// So many targets are named in a note.
const NAMED: usize = 3;

/// Whether a schedule learns when to warm.
fn is_auto(schedule: Option<&TargetSchedule>) -> bool {
    let warm = schedule.and_then(|schedule| schedule.warm.as_ref());
    warm.is_some_and(|warm| warm.trigger == WarmTrigger::Auto)
}

/// The gaps of those targets that learn theirs and have learned one, and what there is to say of it.
pub(super) fn learned(
    config: &Config,
    targets: &[Target],
    state: &StateArgs,
    environment: &Environment,
) -> anyhow::Result<(BTreeMap<TargetId, Duration>, Vec<String>)> {
    let autos = || targets.iter().filter(|target| is_auto(config.schedules.get(&target.id)));
    if autos().next().is_none() {
        return Ok((BTreeMap::new(), Vec::new()));
    }
    let mut notes = Vec::new();
    let mut gaps = BTreeMap::new();
    // Where there is no place for a store there is none, which is no reason not to plan.
    if let Ok(directory) = state.directory(environment) {
        let pasts = runtime()?.block_on(async {
            let Some(reader) = Reader::open(&directory).await? else { return Ok(Vec::new()) };
            let pasts = reader.states(StateKind::Past).await;
            reader.close().await;
            pasts
        });
        match pasts {
            Ok(pasts) => {
                let (memory, now) = (Memory::new(Vec::new(), pasts), SystemClock.wall());
                let gap = |target: &Target| memory.find(target, now)?.1.learned?.gap;
                gaps = autos().filter_map(|target| Some((target.id.clone(), gap(target)?))).collect();
            }
            Err(error) => notes.push(unread(&error)),
        }
    }
    if !gaps.is_empty() {
        let named: Vec<String> = gaps.iter().take(NAMED).map(|(id, gap)| format!("{id} {}", span(*gap))).collect();
        let more = gaps.len().saturating_sub(NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        notes.push(format!(
            "`every: auto` is planned by the gap that was learned: {}{more}; a use puts the next warm-up off",
            named.join(", ")
        ));
    }
    if autos().any(|target| !gaps.contains_key(&target.id)) {
        notes.push(format!("where nothing was learned yet, `every: auto` is planned as every {}", span(AUTO)));
    }
    Ok((gaps, notes))
}

fn unread(error: &StoreError) -> String {
    format!("what was learned is not known: failed to {error}")
}
