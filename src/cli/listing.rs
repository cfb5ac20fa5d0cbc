//! A provider's live list, for the commands that show it or choose from it.

use std::sync::Arc;

use super::check::runtime;
use super::setup;
use crate::config::{Config, Environment};
use crate::outcome::Diagnosis;
use crate::probe::clock::Clock;
use crate::probe::transport::HttpNetwork;
use crate::probe::wire::listing::{Listed, Listing};
use crate::probe::{Job, NoList, list};
use crate::report::ModelRow;
use crate::run::{Chance, SystemClock, run_id};
use crate::target::{Depth, Target};

/// What asking for a list led to.
pub(super) enum Asked {
    /// It is there.
    Read(Listing),
    /// The provider has none that is known of.
    None,
    /// It could not be read.
    Failed(Box<Diagnosis>),
}

/// Asks the provider of a target for its list.
pub(super) fn ask(config: &Config, target: &Target, environment: &Environment) -> anyhow::Result<Asked> {
    let clock = Arc::new(SystemClock);
    let run_id = run_id(clock.wall(), &Chance::new());
    let jobs = setup::jobs(vec![target.clone()], Some(Depth::Auth), &run_id, environment, &config.directory);
    let Some(job) = jobs.into_iter().next() else { return Ok(Asked::None) };
    let runtime = runtime()?;
    let asked = runtime.block_on(async {
        let network = HttpNetwork::new(clock.clone());
        // No signal is caught here: a handler, once there, stays, and ^C would no longer end the questions of `init`.
        listed(&job, &network, &clock).await
    });
    // Name look-ups run on threads that cannot be cancelled; the process does not wait for them.
    runtime.shutdown_background();
    Ok(asked)
}

async fn listed(job: &Job, network: &HttpNetwork, clock: &SystemClock) -> Asked {
    match list(job, network, clock).await {
        Ok(listing) => Asked::Read(listing),
        Err(NoList::None) => Asked::None,
        Err(NoList::Failed(diagnosis)) => Asked::Failed(diagnosis),
    }
}

/// The entries that have every word in their id, whatever its capitals.
pub(super) fn matching<'l>(listing: &'l Listing, words: &[String]) -> Vec<&'l Listed> {
    let words: Vec<String> = words.iter().map(|word| word.to_lowercase()).collect();
    let matches = |entry: &&Listed| {
        let id = entry.id.to_lowercase();
        words.iter().all(|word| id.contains(word))
    };
    listing.entries.iter().filter(matches).collect()
}

/// Whether the id of an entry is all of it. A very long one was cut for showing, and a request for it would find nothing.
pub(super) fn is_whole(entry: &Listed) -> bool {
    !entry.id.ends_with('…')
}

/// An entry as a row, with the targets that it is already.
pub(super) fn row(entry: &Listed, targets: &[&Target]) -> ModelRow {
    let same = targets.iter().filter(|target| target.model.as_str() == entry.id);
    ModelRow {
        id: entry.id.clone(),
        context: entry.context,
        input_usd_per_million: entry.input_usd_per_million,
        output_usd_per_million: entry.output_usd_per_million,
        targets: same.map(|target| target.id.to_string()).collect(),
    }
}
