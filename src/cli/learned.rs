//! `pilotlight learned TARGET`: what its warm-ups taught of when the LLM unloads, from the store. Nothing is probed.

use clap::{Args, ValueEnum};
use serde::Deserialize;

use super::check::runtime;
use super::run::StateArgs;
use super::status::{configuration, no_store, refuse_unknown, unread};
use super::{Global, setup, terminal};
use crate::config::{Config, Environment};
use crate::daemon::{keeper_settings, llm_of_kept};
use crate::exit::Exit;
use crate::plan::WarmTrigger;
use crate::probe::clock::Clock;
use crate::report::{self, Format, Learned, Warmed};
use crate::run::SystemClock;
use crate::store::{Reader, StateKind};
use crate::target::Target;
use crate::warmth::{Judged, Keeper, Observation, Settings};

/// How many observations are listed where not all are asked for.
const LISTED: usize = 12;

/// Arguments of `learned`.
#[derive(Debug, Args)]
pub(super) struct LearnedArgs {
    /// The target, by name
    #[arg(value_name = "TARGET")]
    target: String,
    /// List every observation that is stored, not just the newest
    #[arg(long)]
    all: bool,
    /// Form of the report on standard output
    #[arg(long, short, value_name = "FORMAT", default_value = "human")]
    format: LearnedFormat,
    #[command(flatten)]
    state: StateArgs,
}

/// The form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum LearnedFormat {
    Human,
    Json,
}

/// What is kept around the policy's own state. Other words in it are not ours to know.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Of {
    model: Option<String>,
}

/// What there is of one target.
pub(super) struct Recalled {
    /// What the policy kept, as JSON.
    pub kept: Option<String>,
    /// What it was told, the oldest first.
    pub observations: Vec<Observation>,
    /// What it is told once.
    pub settings: Settings,
    /// How the target is warmed.
    warmed: Warmed,
    /// The LLM that probes.yaml names.
    configured: Option<String>,
}

/// Reads what is stored of a target; `None` where there is no store, which is told.
pub(super) fn recall(
    global: &Global,
    environment: &Environment,
    state: &StateArgs,
    name: &str,
) -> anyhow::Result<Option<Recalled>> {
    let directory = state.directory(environment)?;
    let runtime = runtime()?;
    let Some(reader) = runtime.block_on(Reader::open(&directory)).map_err(unread)? else {
        no_store(&directory);
        return Ok(None);
    };
    let (observations, states, summaries) = runtime
        .block_on(async {
            let states = reader.states(StateKind::Learned).await?;
            // Of the LLM that the state is of, even where the name has stood for another since, without a state of its own.
            let kept = states.iter().find(|(other, _)| other == name);
            let llm = kept.and_then(|(_, kept)| llm_of_kept(kept));
            let observations = reader.observations(name, llm.as_deref()).await?;
            // Only for the names of what was probed: nothing of it may mean that it is misspelt.
            let summaries = match observations.is_empty() {
                true => reader.summaries(SystemClock.wall()).await?,
                false => Vec::new(),
            };
            Ok((observations, states, summaries))
        })
        .map_err(unread)?;
    let (config, _) = configuration(global, environment)?;
    let targets = || config.iter().flat_map(|config| &config.targets);
    let configured = targets().map(|target| target.id.as_str());
    let stored = states.iter().map(|(name, _)| name.as_str());
    let probed = summaries.iter().map(|summary| summary.target.as_str());
    if observations.is_empty() {
        refuse_unknown(&[name.to_owned()], configured.chain(stored).chain(probed))?;
    }
    let target = targets().find(|target| target.id.as_str() == name);
    let scheduled = |target: &Target| config.as_ref().and_then(|config| config.schedules.get(&target.id));
    let settings = target.and_then(|target| keeper_settings(target, scheduled(target))).unwrap_or_default();
    Ok(Some(Recalled {
        warmed: warmed(config.as_ref(), target),
        configured: target.map(|target| target.model.to_string()),
        kept: states.into_iter().find(|(other, _)| other == name).map(|(_, kept)| kept),
        observations,
        settings,
    }))
}

fn warmed(config: Option<&Config>, target: Option<&Target>) -> Warmed {
    let Some((config, target)) = config.zip(target) else { return Warmed::Untold };
    let warm = config.schedules.get(&target.id).and_then(|schedule| schedule.warm.as_ref());
    match warm.map(|warm| &warm.trigger) {
        Some(WarmTrigger::Auto) => Warmed::Auto,
        _ => Warmed::Otherwise,
    }
}

pub(super) fn run(global: &Global, args: &LearnedArgs) -> anyhow::Result<Exit> {
    let environment = setup::environment(global)?;
    let Some(recalled) = recall(global, &environment, &args.state, &args.target)? else { return Ok(Exit::Unknown) };
    let Recalled { kept, observations, settings, warmed, configured } = recalled;
    let mut notes = Vec::new();
    let keeper = match &kept {
        Some(kept) => Some(Keeper::restore(kept, settings, &observations).0),
        None if observations.is_empty() => None,
        None => Some(Keeper::rebuild(settings, &observations)),
    };
    let keeper = keeper.filter(|keeper| keeper.observations() > 0);
    let of = kept.and_then(|kept| serde_json::from_str::<Of>(&kept).ok()).unwrap_or_default().model;
    if let (Some(of), Some(named)) = (&of, &configured)
        && of != named
    {
        notes.push(format!("this was learned of {of}; probes.yaml names {named} now, of which nothing is learned yet"));
    }
    let judged = Judged::all(settings, &observations);
    let view = Learned {
        target: &args.target,
        llm: of.as_deref().or(configured.as_deref()),
        now: SystemClock.wall(),
        keeper: keeper.as_ref(),
        judged: &judged,
        listed: if args.all { usize::MAX } else { LISTED },
        warmed,
        notes: &notes,
    };
    let format = match args.format {
        LearnedFormat::Human => Format::Human,
        LearnedFormat::Json => Format::Json,
    };
    let look = terminal::look(global, &environment);
    terminal::output(|out| report::render_learned(&view, format, &look, out))
}
