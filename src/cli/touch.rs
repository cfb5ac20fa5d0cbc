//! `pilotlight touch`: a user's own tool says that it has just used a model, so that its next warm-up can wait.

use clap::Args;

use super::check::runtime;
use super::run::StateArgs;
use super::status::{configuration, refuse_unknown, unread};
use super::terminal::Usage;
use super::{Global, setup};
use crate::exit::Exit;
use crate::probe::clock::Clock;
use crate::run::SystemClock;
use crate::store::{Reader, touch};
use crate::target::TargetId;

/// Arguments of `touch`.
#[derive(Debug, Args)]
pub(super) struct TouchArgs {
    /// The targets whose model was used, by name
    #[arg(value_name = "TARGET", required = true)]
    targets: Vec<String>,
    #[command(flatten)]
    state: StateArgs,
}

pub(super) fn run(global: &Global, args: &TouchArgs) -> anyhow::Result<Exit> {
    let now = SystemClock.wall();
    let environment = setup::environment(global)?;
    let directory = args.state.directory(&environment)?;
    match configuration(global, &environment)? {
        (Some(config), _) => {
            config.select(&args.targets, &[], &[]).map_err(|error| Usage(error.to_string()))?;
        }
        // Whoever uses a model may not have what probes.yaml needs; the history knows the names too.
        (None, notes) => {
            let known = runtime()?.block_on(async {
                let Some(reader) = Reader::open(&directory).await? else { return Ok(None) };
                Ok(Some(reader.summaries(now).await?))
            });
            let Some(known) = known.map_err(unread)? else {
                let why = notes.first().and_then(|note| note.split(", so").next()).unwrap_or("there is no probes.yaml");
                let text = format!("{why}, and no history in {}: no target is known by name", directory.display());
                return Err(Usage(text).into());
            };
            refuse_unknown(&args.targets, known.iter().map(|summary| summary.target.as_str()))?;
        }
    }
    for name in &args.targets {
        let target = TargetId::new(name).map_err(|error| Usage(format!("failed to read a target: {error}")))?;
        touch(&directory, &target, now).map_err(|error| anyhow::anyhow!("failed to {error}"))?;
    }
    Ok(Exit::Ready)
}
