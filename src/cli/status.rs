//! `pilotlight status`: how every target stands, from the store; nothing is probed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};
use jiff::Timestamp;

use super::check::runtime;
use super::run::StateArgs;
use super::terminal::{self, Usage};
use super::wanted::WantedArgs;
use super::{Global, quotas, setup};
use crate::config::{self, Config, Environment, SelectError, nearest};
use crate::daemon::{Memory, next_due};
use crate::exit::{Exit, Strictness};
use crate::outcome::{Code, Standing, Status};
use crate::plan::CronBook;
use crate::probe::clock::Clock;
use crate::report::{self, Format, Overview, Paused, Place, StatusRow};
use crate::run::SystemClock;
use crate::store::{Filter, PastOutcome, Reader, StateKind, StoreError, TargetSummary};
use crate::target::Target;

/// How far back the outcome is looked for that shows why a target is not up.
const LOOKED_AT: u32 = 50;

/// Arguments of `status`.
#[derive(Debug, Args)]
pub(super) struct StatusArgs {
    #[command(flatten)]
    wanted: WantedArgs,
    /// Show targets too that are in the history, but no longer in the configuration
    #[arg(long)]
    all: bool,
    /// Count `degraded` as not up: exit 4
    #[arg(long)]
    strict: bool,
    /// Form of the report on standard output
    #[arg(long, short, value_name = "FORMAT", default_value = "human")]
    format: StatusFormat,
    #[command(flatten)]
    state: StateArgs,
}

/// The form of the report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum StatusFormat {
    Human,
    Json,
}

/// What the store has.
struct Kept {
    summaries: Vec<TargetSummary>,
    memory: Memory,
}

pub(super) fn run(global: &Global, args: &StatusArgs) -> anyhow::Result<Exit> {
    let environment = setup::environment(global)?;
    let (config, mut notes) = configuration(global, &environment)?;
    let directory = args.state.directory(&environment)?;
    let now = SystemClock.wall();
    let runtime = runtime()?;
    let found = runtime.block_on(async {
        let Some(reader) = Reader::open(&directory).await? else { return Ok(None) };
        let kept = Kept {
            summaries: reader.summaries(now).await?,
            memory: Memory::new(reader.states(StateKind::Standing).await?, reader.states(StateKind::Past).await?),
        };
        Ok(Some((reader, kept)))
    });
    let Some((reader, kept)) = found.map_err(unread)? else { return Ok(no_store(&directory)) };
    let spent = quotas::spent_by_provider(&kept.summaries);
    let learned = config.as_ref().map(|config| learned(config, &kept.memory)).unwrap_or_default();
    let mut rows = rows(args, config.as_ref(), kept, now)?;
    let said = rows.iter().filter_map(|row| Some(format!("{}: {}", row.target, learned.get(&row.target)?)));
    notes.extend(said);
    runtime.block_on(explain(&reader, &mut rows)).map_err(unread)?;
    let strictness = if args.strict { Strictness::Strict } else { Strictness::Lenient };
    let counted = rows.iter().filter(|row| row.place != Place::Gone);
    let exit = match rows.is_empty() {
        true => Exit::Unknown,
        false => Exit::worst(counted.map(|row| Exit::of_status(row.status, row.code, strictness))),
    };
    let path = config.as_ref().map(|config| config.path.as_path());
    let providers: Vec<&str> = rows.iter().map(|row| row.provider.as_str()).collect();
    let quotas = config.as_ref().map(|config| quotas::quotas(config, &providers, &directory, &spent, &SystemClock));
    let quotas = quotas.unwrap_or_default();
    let view = Overview { now, store: &directory, config: path, rows: &rows, quotas: &quotas, exit, notes: &notes };
    let format = match args.format {
        StatusFormat::Human => Format::Human,
        StatusFormat::Json => Format::Json,
    };
    let look = terminal::look(global, &environment);
    terminal::output(|out| report::render_status(&view, format, &look, out))?;
    Ok(exit)
}

/// What was learned of when the LLMs of targets unload, by the target's name.
fn learned(config: &Config, memory: &Memory) -> HashMap<String, String> {
    let says = |target: &Target| Some((target.id.to_string(), memory.says(target)?));
    config.targets.iter().filter_map(says).collect()
}

/// The configuration, if it can be had. Whoever looks at the history may not have what it needs (a variable, the right to
/// read it), and how things stand can be told without it.
pub(super) fn configuration(
    global: &Global,
    environment: &Environment,
) -> anyhow::Result<(Option<Config>, Vec<String>)> {
    let without = "so the targets are those of the history, and when they are due is not known";
    let path = match config::find(global.config.as_deref(), environment) {
        Ok(path) => path,
        // One that was named is meant.
        Err(error) if global.config.is_some() => return Err(Usage(error.to_string()).into()),
        Err(_) => return Ok((None, vec![format!("there is no probes.yaml, {without}")])),
    };
    match config::load(&path, environment) {
        Ok(config) => Ok((Some(config), Vec::new())),
        Err(_) => {
            let path = path.display();
            let note = format!("{path} cannot be used here (`pilotlight config validate` says why), {without}");
            Ok((None, vec![note]))
        }
    }
}

pub(super) fn unread(error: StoreError) -> anyhow::Error {
    anyhow::anyhow!("failed to {error}")
}

/// There is no history yet.
pub(super) fn no_store(directory: &Path) -> Exit {
    let mut text = format!(
        "there is no history in {}: nothing was probed yet that is kept there.\n`pilotlight run` (or `pilotlight run \
         --once` from a timer) keeps one; `pilotlight check` does not.",
        directory.display()
    );
    let system = PathBuf::from("/var/lib/pilotlight");
    if directory != system && system.exists() {
        text.push_str("\nThat of the system's service is shown by --state-dir /var/lib/pilotlight");
    }
    terminal::tell(&text);
    Exit::Unknown
}

/// The rows, in the order of probes.yaml; what it does not have, after them.
fn rows(
    args: &StatusArgs,
    config: Option<&Config>,
    kept: Kept,
    now: Timestamp,
) -> Result<Vec<StatusRow>, anyhow::Error> {
    let Kept { summaries, memory } = kept;
    let mut summaries: HashMap<String, TargetSummary> =
        summaries.into_iter().map(|summary| (summary.target.clone(), summary)).collect();
    let Some(config) = config else {
        if !args.wanted.tag.is_empty() {
            return Err(
                Usage("failed to select by --tag: tags are in probes.yaml, and there is none".to_owned()).into()
            );
        }
        let mut gone: Vec<TargetSummary> = summaries.into_values().collect();
        gone.sort_by(|one, other| one.target.cmp(&other.target));
        refuse_unknown(&args.wanted.targets, gone.iter().map(|summary| summary.target.as_str()))?;
        gone.retain(|summary| is_asked(summary, args));
        return Ok(gone.into_iter().map(|summary| kept_row(summary, Place::Untold)).collect());
    };
    // A name of the history alone may be asked for with --all.
    let (known, strange): (Vec<&String>, Vec<&String>) = args
        .wanted
        .targets
        .iter()
        .partition(|name| !args.all || config.targets.iter().any(|own| own.id.as_str() == *name));
    let strange: Vec<String> = strange.into_iter().cloned().collect();
    refuse_unknown(&strange, summaries.keys().map(String::as_str))?;
    let selected = match known.is_empty() && !strange.is_empty() {
        true => Vec::new(),
        false => {
            let tags: Vec<&String> = args.wanted.tag.iter().collect();
            let providers: Vec<&String> = args.wanted.provider.iter().collect();
            config.select(&known, &tags, &providers).map_err(|error| Usage(error.to_string()))?
        }
    };
    let mut book = CronBook::default();
    let mut rows: Vec<StatusRow> = Vec::with_capacity(selected.len());
    for target in &selected {
        let summary = summaries.remove(target.id.as_str());
        rows.push(row(target, summary, &memory, config, now, &mut book));
    }
    if args.all && args.wanted.tag.is_empty() {
        for target in &config.targets {
            summaries.remove(target.id.as_str());
        }
        let mut gone: Vec<TargetSummary> = summaries.into_values().collect();
        gone.sort_by(|one, other| one.target.cmp(&other.target));
        gone.retain(|summary| is_asked(summary, args));
        rows.extend(gone.into_iter().map(|summary| kept_row(summary, Place::Gone)));
    }
    Ok(rows)
}

fn is_asked(summary: &TargetSummary, args: &StatusArgs) -> bool {
    let asked = |names: &[String], own: &String| names.is_empty() || names.contains(own);
    asked(&args.wanted.targets, &summary.target) && asked(&args.wanted.provider, &summary.latest.provider)
}

/// Refuses a name that nothing has, and tells the nearest.
pub(super) fn refuse_unknown<'n>(wanted: &[String], known: impl Iterator<Item = &'n str>) -> anyhow::Result<()> {
    let mut known: Vec<&str> = known.collect();
    known.sort_unstable();
    known.dedup();
    let Some(name) = wanted.iter().find(|name| !known.contains(&name.as_str())) else { return Ok(()) };
    let error = SelectError::Unknown {
        kind: "target",
        name: name.clone(),
        nearest: nearest(name, known.iter().copied()).map(str::to_owned),
        known: known.into_iter().map(str::to_owned).collect(),
    };
    Err(Usage(error.to_string()).into())
}

/// A target of the configuration. What the store has of another LLM under the same name says nothing of it.
fn row(
    target: &Target,
    summary: Option<TargetSummary>,
    memory: &Memory,
    config: &Config,
    now: Timestamp,
    book: &mut CronBook,
) -> StatusRow {
    let found = memory.find(target, now);
    let past = found.as_ref().map(|(_, past)| *past).unwrap_or_default();
    let schedule = config.schedules.get(&target.id);
    let standing = found.map(|(standing, _)| standing);
    StatusRow {
        target: target.id.to_string(),
        provider: target.provider.id.to_string(),
        model: target.model.to_string(),
        place: Place::Configured,
        status: standing.as_ref().map_or(Status::Unknown, Standing::status),
        since: standing.as_ref().map(Standing::since),
        code: standing.as_ref().and_then(Standing::code),
        summary: summary.filter(|summary| standing.is_some() && summary.latest.model == target.model.as_str()),
        due: schedule.and_then(|schedule| next_due(schedule, target.expect.cold_start, &past, now, book)),
        paused: memory.pause(target).map(|pause| Paused { why: pause.why, until: pause.until }),
        trouble: None,
    }
}

/// A target that only the store has.
fn kept_row(summary: TargetSummary, place: Place) -> StatusRow {
    let standing = summary.standing.as_deref().and_then(|text| serde_json::from_str::<Standing>(text).ok());
    StatusRow {
        target: summary.target.clone(),
        provider: summary.latest.provider.clone(),
        model: summary.latest.model.clone(),
        place,
        status: standing.as_ref().map_or(Status::Unknown, Standing::status),
        since: standing.as_ref().map(Standing::since),
        code: standing.as_ref().and_then(Standing::code),
        summary: Some(summary),
        due: None,
        paused: None,
        trouble: None,
    }
}

/// Looks up why targets are not up. That is seldom in question, and mostly their last outcome says it.
async fn explain(reader: &Reader, rows: &mut [StatusRow]) -> Result<(), StoreError> {
    for row in rows.iter_mut().filter(|row| matches!(row.status, Status::Down | Status::Degraded)) {
        let Some(summary) = &row.summary else { continue };
        let shows = |past: &PastOutcome, code: Option<Code>| past.code.is_some() && past.known_code() == code;
        if shows(&summary.latest, row.code) {
            row.trouble = Some(summary.latest.clone());
            continue;
        }
        let filter = Filter { limit: LOOKED_AT, ..Filter::default() };
        let past = reader.history(&row.target, filter).await?;
        row.trouble = past.into_iter().find(|past| shows(past, row.code));
    }
    Ok(())
}
